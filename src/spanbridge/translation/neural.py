"""NLLB-200, M2M-100 and OPUS-MT (Marian) checkpoints through CTranslate2: int8 on the processor."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.records import file_digest
from spanbridge.core.requirements import require
from spanbridge.core.threads import n_threads
from spanbridge.encode.cache import cached
from spanbridge.encode.checkpoint import checkpoint_folder, licence_of, open_safetensors
from spanbridge.encode.tokenizer import load_fast
from spanbridge.formats.languages import Language
from spanbridge.translation.base import Translation, Translator, UnsupportedPairError

FILES = (
    *("config.json", "generation_config.json", "tokenizer_config.json", "special_tokens_map.json"),
    *("tokenizer.json", "sentencepiece.bpe.model", "source.spm", "target.spm", "vocab.json"),
    *("spiece.model", "sentencepiece.model"),
    *("*.safetensors", "*.safetensors.index.json", "model.bin", "*vocabulary.*", "README.md"),
)
# Sentences of one length that share a batch.
BATCH = 16
# Pairs of texts of the same two lengths that are scored together.
SCORED = 64
# Licences and positions of the published checkpoints, where the folder does not say.
_LICENCES = {"nllb": "cc-by-nc-4.0", "m2m": "mit", "marian": "unknown"}
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

    Raises:
        InputError: a file is missing or damaged, or the weights are pickled.
        SpanbridgeError: it cannot be converted, or a setting is wrong.
        MissingExtraError: conversion needs transformers and torch.
    """

    def __init__(
        self,
        model: str,
        compute_type: str | None = None,
        beam: int = 4,
        threads: int | None = None,
        device: str = "auto",
    ) -> None:
        if beam < 1:
            raise SpanbridgeError(f"the beam is {beam}, but holds at least 1")
        import ctranslate2

        if device == "auto":
            device = "cuda" if ctranslate2.get_cuda_device_count() else "cpu"
        if compute_type is None:
            compute_type = "int8" if device == "cpu" else "float16"
        folder = checkpoint_folder(model, FILES)
        place = folder if (folder / "model.bin").is_file() else _converted(folder, compute_type)
        try:
            self._model = ctranslate2.Translator(
                str(place),
                device=device,
                compute_type=compute_type,
                inter_threads=n_threads(threads),
                intra_threads=1,
            )
        except (RuntimeError, ValueError) as error:
            raise SpanbridgeError(f"{place}: cannot be used: {error}") from error
        self._vocabulary = _vocabulary(place)
        self._kind = _kind(self._vocabulary, folder)
        self._longest = _positions(folder) or _POSITIONS[self._kind]
        self._pieces = _Pieces(folder, self._kind)
        self._beam = beam
        self._name = f"{Path(model).name}@{fingerprint(folder)},{compute_type},beam={beam}"
        self.multilingual = self._kind != "marian"
        self.licence = licence_of(folder, _LICENCES[self._kind])

    def describe(self, source: Language, target: Language) -> str:
        """Name, model, fingerprint, compute type, beam."""
        self._languages(source, target)
        return f"neural({self._name})"

    def translate(
        self, sentences: Sequence[str], source: Language, target: Language
    ) -> list[Translation]:
        """Translate sentences; those of one length share batches."""
        before, prefix = self._languages(source, target)
        by_length: dict[int, list[tuple[int, list[str]]]] = defaultdict(list)
        found: list[Translation] = [Translation("")] * len(sentences)
        for n, sentence in enumerate(sentences):
            tokens = [*before, *self._pieces.split(sentence), "</s>"]
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
        before, prefix = self._languages(source, target)
        found = [float("-inf")] * len(pairs)
        by_length: dict[tuple[int, int], list[tuple[int, list[str], list[str]]]] = defaultdict(list)
        longest = self._longest
        for n, (a, b) in enumerate(pairs):
            left = [*before, *self._pieces.split(a), "</s>"]
            right = [*prefix, *self._pieces.split(b)]
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
            values = answer.result().log_probs
            found[n] = sum(values) / len(values)
        return found

    def _translation(self, answer: Any, n_prefix: int, longest: int) -> Translation:
        tokens = answer.hypotheses[0]
        text = self._pieces.join(tokens[n_prefix:])
        if len(tokens) >= longest:
            status = f"suspect: did not end within {longest} tokens"
            return Translation(text, answer.scores[0], status)
        return Translation(text, answer.scores[0])

    def _languages(self, source: Language, target: Language) -> tuple[list[str], list[str]]:
        """Tokens before the sentence, and before its translation."""
        if self._kind == "nllb":
            return [self._token(source, [source.flores])], [self._token(target, [target.flores])]
        if self._kind == "m2m":
            before, prefix = (
                self._token(x, [f"__{x.iso1}__", f"__{x.iso3}__"]) for x in (source, target)
            )
            return [before], [prefix]
        if any(token.startswith(">>") for token in self._vocabulary):
            return [self._token(target, [f">>{target.iso3}<<", f">>{target.iso1}<<"])], []
        return [], []

    def _token(self, language: Language, names: Sequence[str | None]) -> str:
        for name in names:
            if name in self._vocabulary:
                return str(name)
        signs = re.compile(r"[a-z]{3}_[A-Z][a-z]{3}|__[a-z]{2,3}__|>>[\w-]+<<")
        known = sorted(token for token in self._vocabulary if signs.fullmatch(token))
        raise UnsupportedPairError(
            f"{self._name} does not know {language.tag}; it knows: {', '.join(known)}"
        )


class _Pieces:
    """Text to subwords and back, by the checkpoint's own files."""

    def __init__(self, folder: Path, kind: str) -> None:
        if kind == "nllb":
            self._fast = load_fast(folder / "tokenizer.json")
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


def _converted(folder: Path, compute_type: str) -> Path:
    """The checkpoint in CTranslate2's format, in the cache."""
    try:
        model_type = json.loads((folder / "config.json").read_text("utf-8")).get("model_type")
    except (OSError, ValueError, AttributeError) as error:
        raise InputError(folder / "config.json", None, f"cannot be read: {error}") from error
    if model_type not in ("m2m_100", "marian"):
        raise InputError(
            folder, None, f"is of type {model_type!r}, not of NLLB-200, M2M-100 (m2m_100) or Marian"
        )
    check_weights(folder)
    quantization = "int8" if compute_type.startswith("int8") else None

    def make(work: Path) -> None:
        require("torch", "transformers", by="converting this checkpoint")
        try:
            _convert(folder, work, quantization)
        except (OSError, ValueError, RuntimeError, KeyError, AttributeError) as error:
            raise SpanbridgeError(f"{folder}: cannot be converted: {error}") from error

    key = f"{folder.name}-{fingerprint(folder)}-translator-{quantization or 'float32'}"
    return cached(key, make)


def _positions(folder: Path) -> int | None:
    """Length of the longest text, in tokens, where the checkpoint's configuration has it."""
    try:
        found = json.loads((folder / "config.json").read_text("utf-8"))
        return int(found["max_position_embeddings"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def check_weights(folder: Path) -> None:
    """Check that there are weights in safetensors, undamaged.

    Raises:
        InputError: there are none, or a file is damaged.
    """
    weights = sorted(folder.glob("*.safetensors"))
    if not weights:
        raise InputError(
            folder,
            None,
            "has no safetensors; pickled weights are not read, since they can run code. Use a "
            "conversion to safetensors or to CTranslate2",
        )
    for path in weights:
        open_safetensors(path)  # a damaged one is named


def _convert(folder: Path, work: Path, quantization: str | None) -> None:
    from ctranslate2.converters import TransformersConverter

    class Converter(TransformersConverter):  # type: ignore[misc]  # untyped
        def load_tokenizer(self, *args: Any, **kwargs: Any) -> Any:
            tokenizer = super().load_tokenizer(*args, **kwargs)
            # transformers 5 no longer lists M2M-100's languages where the converter looks for them
            languages: dict[str, int] = getattr(tokenizer, "lang_token_to_id", {})
            unknown = languages.keys() - tokenizer.get_vocab().keys()
            missing = sorted(unknown, key=languages.__getitem__)
            tokenizer.add_tokens(missing, special_tokens=True)
            if any(tokenizer.get_vocab()[name] != languages[name] for name in missing):
                raise SpanbridgeError(f"{folder}: its languages are not where they should be")
            return tokenizer

    Converter(str(folder)).convert(str(work), quantization=quantization, force=True)


def _vocabulary(folder: Path) -> frozenset[str]:
    for name in ("shared_vocabulary.json", "source_vocabulary.json"):
        path = folder / name
        if path.is_file():
            try:
                return frozenset(json.loads(path.read_text("utf-8")))
            except (ValueError, TypeError) as error:
                raise InputError(path, None, f"cannot be read: {error}") from error
    text = folder / "shared_vocabulary.txt"  # of older conversions
    if text.is_file():
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


def fingerprint(folder: Path) -> str:
    """Eight hexadecimal digits of the digest of weights, configuration and tokenizer."""
    names = (name for name in FILES if "*" not in name and name != "README.md")
    paths = [folder / name for name in names] + sorted(folder.glob("*.safetensors"))
    digests = "".join(file_digest(path) for path in paths if path.is_file())
    return sha256(digests.encode()).hexdigest()[:8]
