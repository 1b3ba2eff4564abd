"""Sequence-to-sequence checkpoints of any kind, through transformers and torch; CPU or GPU."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.rows import OK
from spanbridge.encode.checkpoint import checkpoint_folder, licence_of
from spanbridge.encode.model_files import fingerprint, reading, staged
from spanbridge.encode.seq2seq import FILES, checkpoint_files
from spanbridge.formats.languages import Language
from spanbridge.translation.base import BLANK, Translation, Translator, entry_of


class TransformersTranslator(Translator):
    """Translates with any encoder-decoder of transformers; ``neural`` is faster, for fewer kinds.

    Languages are given as the tokenizer takes them (``src_lang`` and a forced first token), or, for
    models without languages (T5 and the like), by ``prompt``.

    Args:
        model: a folder, or an id on the Hugging Face Hub; safetensors only, and no code of its own.
        beam: hypotheses kept; 1 is greedy.
        prompt: written before every sentence; ``{source}`` and ``{target}`` stand for the
            languages' BCP-47 codes.
        batch: sentences of one length at a time. With more than 1 the last bits of the sums, and so
            rarely a word, can depend on the batch.
        device: ``cpu``, ``cuda`` or ``auto``.

    Raises:
        InputError: the weights are missing, damaged or pickled.
        MissingExtraError: torch or transformers is not installed.
        SpanbridgeError: it is no sequence-to-sequence model, or a setting is out of range.
    """

    requires = ("torch", "transformers")

    def __init__(
        self,
        model: str,
        beam: int = 4,
        prompt: str = "",
        batch: int = 1,
        device: str = "auto",
    ) -> None:
        if beam < 1 or batch < 1:
            raise SpanbridgeError(f"beam={beam}, batch={batch}: both are at least 1")
        try:
            prompt.format(source="", target="")
        except (KeyError, IndexError, ValueError) as error:
            raise SpanbridgeError(f"prompt {prompt!r} names more than source and target") from error
        import torch
        from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

        folder = checkpoint_folder(model, FILES)
        files = checkpoint_files(folder)
        kind = {"trust_remote_code": False, "local_files_only": True}
        with staged(files) as stage, reading(folder, "is no translator that can be read"):
            self._tokenizer = AutoTokenizer.from_pretrained(stage, **kind)
            loaded = AutoModelForSeq2SeqLM.from_pretrained(stage, use_safetensors=True, **kind)
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        self._torch, self._device = torch, device
        self.on_gpu = device != "cpu"
        self._model = loaded.to(device).eval()
        self._beam, self._batch, self._prompt = beam, batch, prompt
        self._longest = getattr(loaded.config, "max_position_embeddings", None) or 1024
        asked = f",prompt={prompt!r}" if prompt else ""
        self._name = f"{Path(model).name}@{fingerprint(files)[:8]},beam={beam},batch={batch}{asked}"
        self.licence = licence_of(folder)

    def describe(self, source: Language, target: Language) -> str:
        """Name, model, fingerprint, beam, batch, prompt."""
        forced = "".join(f",{key}={value}" for key, value in self._forced(source, target).items())
        return f"transformers({self._name}{forced})"

    def translate(
        self, sentences: Sequence[str], source: Language, target: Language
    ) -> list[Translation]:
        """Translate sentences; ``batch`` of one length at a time."""
        forced = self._forced(source, target)
        prompt = self._prompt.format(source=source.tag, target=target.tag)
        found: list[Translation] = [Translation("", status=BLANK)] * len(sentences)
        by_length: dict[int, list[tuple[int, list[int]]]] = defaultdict(list)
        for n, text in enumerate(sentences):
            if not text.strip():
                continue
            ids = self._tokenizer(prompt + text)["input_ids"]
            if len(ids) > self._longest:
                status = f"failed: {len(ids)} tokens, more than the model reads"
                found[n] = Translation("", status=status)
            else:
                by_length[len(ids)].append((n, ids))
        for length, rows in sorted(by_length.items()):
            for at in range(0, len(rows), self._batch):
                part = rows[at : at + self._batch]
                answers = self._generate([ids for _, ids in part], length, forced)
                for (n, _), answer in zip(part, answers, strict=True):
                    found[n] = answer
        return found

    def _generate(
        self, rows: list[list[int]], length: int, forced: dict[str, Any]
    ) -> list[Translation]:
        torch = self._torch
        ids = torch.tensor(rows, device=self._device)
        longest = min(2 * length + 32, self._longest - 2)
        with torch.inference_mode():
            made = self._model.generate(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                num_beams=self._beam,
                do_sample=False,
                max_new_tokens=longest,
                **forced,
            )
        ends = self._model.generation_config.eos_token_id
        ends = set(ends) if isinstance(ends, list) else {ends}
        answers = []
        for tokens in made.tolist():
            text = str(self._tokenizer.decode(tokens, skip_special_tokens=True)).strip()
            # the first token starts the decoder, and may be the one that ends sentences
            done = bool(ends & set(tokens[1:]))
            status = OK if done else f"suspect: did not end within {longest} tokens"
            answers.append(Translation(text, status=status))
        return answers

    def _forced(self, source: Language, target: Language) -> dict[str, Any]:
        """Set the tokenizer's languages; return the arguments that ``generate`` needs for them."""
        known = _languages(self._tokenizer)
        if not known:
            return {}
        before, after = (entry_of(x, known, self._name) for x in (source, target))
        self._tokenizer.src_lang = before
        return {"forced_bos_token_id": known[after]}


def _languages(tokenizer: Any) -> dict[str, int]:
    """The first token of a text in each language, by the code that the tokenizer takes."""
    if hasattr(tokenizer, "lang_code_to_token"):  # M2M-100
        tokens: dict[str, str] = tokenizer.lang_code_to_token
        return {code: tokenizer.get_lang_id(code) for code in tokens}
    if not hasattr(tokenizer, "src_lang"):
        return {}
    # NLLB, mBART: the languages are tokens among the special ones
    vocabulary = tokenizer.get_vocab()
    special = [str(token) for token in tokenizer.added_tokens_decoder.values()]
    return {t: vocabulary[t] for t in special if "_" in t and not t.startswith("<")}
