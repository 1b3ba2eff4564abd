"""NLLB-200, M2M-100 and OPUS-MT (Marian) checkpoints through CTranslate2: int8 on the processor."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.threads import n_threads
from spanbridge.encode.checkpoint import checkpoint_folder, licence_of
from spanbridge.encode.compute import check_compute, usual_device
from spanbridge.encode.model_files import CONFIG, TOKENIZER, fingerprint, read_json, reading
from spanbridge.encode.seq2seq import (
    CONVERTED,
    FILES,
    TEXTS,
    checkpoint_files,
    converted,
    files_of,
)
from spanbridge.encode.tokenizer import load_fast
from spanbridge.formats.languages import Language
from spanbridge.translation.base import Translation, Translator, entry_of

# Sentences of one length that share a batch.
BATCH = 16
# Pairs of texts of the same two lengths that are scored together.
SCORED = 64
# Licences and positions of the published checkpoints, where the folder does not say.
_LICENCES = {"nllb": "cc-by-nc-4.0", "m2m": "mit", "marian": "unknown"}
# Tokens of languages.
_SIGNS = {
    "nllb": re.compile(r"([a-z]{3}_[A-Z][a-z]{3})"),
    "m2m": re.compile(r"__([a-z]{2,3})__"),
    "marian": re.compile(r">>([\w-]+)<<"),
}
_POSITIONS = {"nllb": 1024, "m2m": 1024, "marian": 512}


class NeuralTranslator(Translator):
    """A sequence-to-sequence checkpoint; a translation depends on its sentence alone.

    The target language is forced where the model knows several. A sentence that is longer than the
    model's window fails, and a translation that does not end is suspect: neither is cut silently.

    Args:
        model: a folder, or an id on the Hugging Face Hub, with a checkpoint of transformers
            (safetensors; converted on first use, which needs the ``train`` extra) or of CTranslate2
            (beside its tokenizer's files).
        compute_type: by default ``int8`` on the processor and ``float16`` on a GPU; or another that
            CTranslate2 has there.
        beam: hypotheses kept; 1 is greedy.
        threads: batches at the same time; by default one per core.
        device: ``cpu``, ``cuda``, or ``auto`` (default): a GPU where there is one.
        language_last: the token of the source's language stands after the sentence, as transformers
            had it for NLLB until 2023, and models that were fine-tuned by it (EasyProject's).

    Raises:
        InputError: a file is missing or damaged, or the weights are pickled.
        SpanbridgeError: it cannot be converted, or a setting is wrong.
        MissingExtraError: conversion needs transformers and torch.
    """

    forces = True

    def __init__(
        self,
        model: str,
        compute_type: str | None = None,
        beam: int = 4,
        threads: int | None = None,
        device: str = "auto",
        language_last: bool = False,
    ) -> None:
        if beam < 1:
            raise SpanbridgeError(f"the beam is {beam}, but holds at least 1")
        import ctranslate2

        device = usual_device() if device == "auto" else device
        check_compute(device, compute_type, threads)
        if compute_type is None:
            compute_type = "int8" if device == "cpu" else "float16"
        folder = checkpoint_folder(model, FILES)
        if (folder / "model.bin").is_file():
            place, files = folder, files_of(folder, (*TEXTS, *CONVERTED))
        else:
            files = checkpoint_files(folder)
            place = converted(folder, files, compute_type)
        with reading(place):
            self._model = ctranslate2.Translator(
                str(place),
                device=device,
                compute_type=compute_type,
                inter_threads=n_threads(threads),
                intra_threads=1,
            )
        vocabulary = _vocabulary(place)
        self._kind = _kind(vocabulary, folder)
        # the tokens of languages by their codes
        self._tokens = {
            found[1]: token
            for token in vocabulary
            if (found := _SIGNS[self._kind].fullmatch(token))
        }
        self._longest = _positions(folder) or _POSITIONS[self._kind]
        self._pieces = _Pieces(folder, self._kind)
        self._beam, self._language_last = beam, language_last
        self._name = f"{Path(model).name}@{fingerprint(files)[:8]},{compute_type},beam={beam}"
        self._name += ",language_last" if language_last else ""
        self.on_gpu = device.startswith("cuda")
        self.multilingual = self._kind != "marian"
        self.licence = licence_of(folder, _LICENCES[self._kind])

    def describe(self, source: Language, target: Language) -> str:
        """Name, model, fingerprint, compute type, beam, tokens of the languages."""
        said = [f",{token}" for tokens in self._languages(source, target) for token in tokens]
        return f"neural({self._name}{''.join(said)})"

    def translate(
        self, sentences: Sequence[str], source: Language, target: Language
    ) -> list[Translation]:
        """Translate sentences; those of one length share batches."""
        before, prefix = self._languages(source, target)
        by_length: dict[int, list[tuple[int, list[str]]]] = defaultdict(list)
        found: list[Translation] = [Translation("")] * len(sentences)
        for n, sentence in enumerate(sentences):
            tokens = self._read(sentence, before)
            if len(tokens) > self._longest:
                status = f"failed: {len(tokens)} tokens, more than the model reads"
                found[n] = Translation("", status=status)
            else:
                by_length[len(tokens)].append((n, tokens))
        waiting = []
        for length, rows in sorted(by_length.items()):
            longest = min(2 * length + 32, self._longest - 2)
            for at in range(0, len(rows), BATCH):
                part = rows[at : at + BATCH]
                answers = self._model.translate_batch(
                    [tokens for _, tokens in part],
                    target_prefix=[prefix] * len(part) if prefix else None,
                    beam_size=self._beam,
                    max_input_length=0,
                    max_decoding_length=longest,
                    return_scores=True,
                    asynchronous=True,
                )
                waiting += [(n, longest, a) for (n, _), a in zip(part, answers, strict=True)]
        for n, longest, answer in waiting:
            found[n] = self._translation(answer.result(), len(prefix), longest)
        return found

    def log_probabilities(
        self, pairs: Sequence[tuple[str, str]], source: Language, target: Language
    ) -> list[float]:
        """Mean log-probability per token of the second text as a translation of the first.

        Args:
            pairs: texts in the source and in the target language.
            source, target: may be the same language.

        Returns:
            Mean natural logarithms over the second text's tokens and the end of the sentence; minus
            infinity where either text is longer than the model reads.

        Raises:
            UnsupportedPairError: it does not know the languages.
        """
        cut = [(a, self.subwords(b)) for a, b in pairs]
        found = self.token_log_probabilities(cut, source, target)
        return [sum(values) / len(values) if values else float("-inf") for values in found]

    def subwords(self, text: str) -> list[str]:
        """Subwords of a text in the target language, without special ones."""
        return self._pieces.split_target(text)

    def token_log_probabilities(
        self, pairs: Sequence[tuple[str, Sequence[str]]], source: Language, target: Language
    ) -> list[list[float]]:
        """Log-probability of each subword of a translation, given the text and those before it."""
        before, prefix = self._languages(source, target)
        found: list[list[float]] = [[] for _ in pairs]
        by_length: dict[tuple[int, int], list[tuple[int, list[str], list[str]]]] = defaultdict(list)
        longest = self._longest
        lefts = {a: self._read(a, before) for a in dict.fromkeys(a for a, _ in pairs)}
        for n, (a, cut) in enumerate(pairs):
            left, right = lefts[a], [*prefix, *cut]
            if len(left) <= longest and len(right) < longest:
                by_length[len(left), len(right)].append((n, left, right))
        waiting = []
        for _, rows in sorted(by_length.items()):
            for at in range(0, len(rows), SCORED):
                part = rows[at : at + SCORED]
                answers = self._model.score_batch(
                    [left for _, left, _ in part],
                    [right for _, _, right in part],
                    max_input_length=0,
                    offset=len(prefix),
                    asynchronous=True,
                )
                waiting += [(n, a) for (n, _, _), a in zip(part, answers, strict=True)]
        for n, answer in waiting:
            found[n] = answer.result().log_probs
        return found

    def _read(self, text: str, before: list[str]) -> list[str]:
        """What the model reads of a text, and of the tokens of languages before it."""
        own = [*self._pieces.split(text), "</s>"]
        return [*own, *before] if self._language_last else [*before, *own]

    def _translation(self, answer: Any, n_prefix: int, longest: int) -> Translation:
        tokens = answer.hypotheses[0]
        text = self._pieces.join(tokens[n_prefix:])
        if len(tokens) >= longest:
            status = f"suspect: did not end within {longest} tokens"
            return Translation(text, answer.scores[0], status)
        return Translation(text, answer.scores[0])

    def _languages(self, source: Language, target: Language) -> tuple[list[str], list[str]]:
        """Tokens before the sentence, and before its translation."""
        if not self._tokens:
            return [], []
        end = self._tokens[entry_of(target, self._tokens, self._name)]
        if self._kind == "marian":
            return [end], []
        return [self._tokens[entry_of(source, self._tokens, self._name)]], [end]


class _Pieces:
    """Text to subwords and back, by the checkpoint's own files."""

    def __init__(self, folder: Path, kind: str) -> None:
        if kind == "nllb":
            self._fast = load_fast(folder / TOKENIZER)
            return
        names = ("source.spm", "target.spm") if kind == "marian" else ("sentencepiece.bpe.model",)
        models = [_sentencepiece(folder / name) for name in names]
        self._fast = None
        self._in, self._out = models[0], models[-1]

    def split(self, text: str) -> list[str]:
        if self._fast is not None:
            return list(self._fast.encode(text, add_special_tokens=False).tokens)
        pieces: list[str] = self._in.encode(text, out_type=str)
        return pieces

    def split_target(self, text: str) -> list[str]:
        if self._fast is not None:
            return self.split(text)
        pieces: list[str] = self._out.encode(text, out_type=str)
        return pieces

    def join(self, tokens: Sequence[str]) -> str:
        if self._fast is not None:
            ids = [self._fast.token_to_id(token) for token in tokens]
            return str(self._fast.decode([i for i in ids if i is not None])).strip()
        return str(self._out.decode(list(tokens))).strip()


def _sentencepiece(path: Path) -> Any:
    from sentencepiece import SentencePieceProcessor

    if not path.is_file():
        raise InputError(path, None, "is missing; the checkpoint's tokenizer needs it")
    try:
        return SentencePieceProcessor(model_file=str(path))
    except (RuntimeError, OSError) as error:
        raise InputError(path, None, f"cannot be read: {error}") from error


def _positions(folder: Path) -> int | None:
    """Length of the longest text, in tokens, where the checkpoint's configuration has it."""
    if not (folder / CONFIG).is_file():
        return None
    found = read_json(folder / CONFIG).get("max_position_embeddings")
    if found is None:
        return None
    if type(found) is not int or found < 3:
        why = f"max_position_embeddings is {found!r}, not a number of tokens"
        raise InputError(folder / CONFIG, None, why)
    return found


def _vocabulary(folder: Path) -> frozenset[str]:
    for name in ("shared_vocabulary.json", "source_vocabulary.json"):
        path = folder / name
        if path.is_file():
            with reading(path, "cannot be read"):
                return frozenset(map(str, json.loads(path.read_text("utf-8"))))
    text = folder / "shared_vocabulary.txt"  # of older conversions
    if text.is_file():
        with reading(text, "cannot be read"):
            return frozenset(text.read_text("utf-8").splitlines())
    raise InputError(folder, None, "has no shared_vocabulary.json; is it a translator?")


def _kind(vocabulary: frozenset[str], folder: Path) -> str:
    if "eng_Latn" in vocabulary:
        return "nllb"
    if "__en__" in vocabulary:
        return "m2m"
    if (folder / "source.spm").is_file():
        return "marian"
    raise InputError(folder, None, "is none of NLLB-200, M2M-100 and Marian (OPUS-MT)")
