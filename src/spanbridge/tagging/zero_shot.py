"""Taggers that find spans of whatever labels they are given: GLiNER and GLiNER2, by their packages.

The words are given to the model as they are; its own splitting of text has no say. Sentences that
are longer than the model reads are read in windows that overlap by half.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.requirements import require
from spanbridge.core.spans import Span
from spanbridge.encode.checkpoint import checkpoint_folder, licence_of
from spanbridge.encode.model_files import (
    CONFIG,
    WEIGHTS,
    fingerprint,
    open_safetensors,
    reading,
    refuse_pickles,
    staged,
)
from spanbridge.tagging.base import Tagged, Tagger, Words, iob2_classes
from spanbridge.tagging.transformers_tagger import best_device, put_on

# Files of a tokenizer, whatever its kind.
_TOKENIZERS = ("tokenizer*.json", "special_tokens_map.json", "added_tokens.json", "*.model")
_OTHERS = ("vocab*.json", "vocab.txt", "merges.txt", WEIGHTS, "README.md")
# Words read at a time where the model's configuration has no limit, and sentences in a batch.
_WORDS, _GPU_BATCH = 384, 16
# Stands between words, and for a word that has nothing to be seen.
_BETWEEN, _NOTHING = "\n", "_"
_ENDS = (".", "!", "?")


class Window(NamedTuple):
    """Words [start, end) of a sentence."""

    start: int
    end: int

    def margin(self, span: Span) -> int:
        """Number of words between a span and the nearer edge."""
        return min(span.start - self.start, self.end - span.end)


class ZeroShotTagger(Tagger):
    """A model that reads the names of labels together with the sentence.

    A span's score is the model's own. Of spans that overlap, the one with the best score stays.
    On a processor, sentences are read one by one, so that no result depends on the others.

    Args:
        model: a folder with the checkpoint (safetensors), or an id on the Hugging Face Hub.
        labels: names of the labels to find, in words of the model's language; a list, or separated
            by commas. Spans have these names.
        threshold: least score of a span, in (0, 1).
        device: ``cpu``, ``cuda``, ``mps``; None takes a GPU where there is one.

    Raises:
        SpanbridgeError: there is no label, or one twice; the threshold is out of range; or the
            model cannot be had.
        InputError: a file of the model is missing or damaged, or its weights are pickled.
        MissingExtraError: the package is not installed.
    """

    gives_probabilities = False
    # by subclasses: name in the signature, and files beside those of every tokenizer
    _kind: str
    _files: tuple[str, ...]

    def __init__(
        self,
        model: str,
        labels: str | list[str],
        threshold: float = 0.5,
        device: str | None = None,
    ) -> None:
        given = labels.split(",") if isinstance(labels, str) else labels
        self._labels = [label.strip() for label in given]
        if not self._labels or not all(self._labels) or len({*self._labels}) < len(self._labels):
            raise SpanbridgeError(f"labels are {given!r}; give names, each once, and none empty")
        if not 0 < threshold < 1:
            raise SpanbridgeError(f"threshold is {threshold}, but lies in (0, 1)")
        self.classes = iob2_classes(self._labels)
        self._threshold = threshold
        folder = checkpoint_folder(model, (*self._files, *_TOKENIZERS, *_OTHERS))
        files = sorted(
            {p for pattern in (*self._files, *_TOKENIZERS, *_OTHERS) for p in folder.glob(pattern)}
        )
        for name in self._files:
            if not (folder / name).is_file():
                raise InputError(folder, None, f"has no {name}; is it a model of {self._kind}?")
        if not (folder / WEIGHTS).is_file():
            refuse_pickles(folder, f"{self._kind}: save_pretrained(...) of the loaded model")
            raise InputError(folder, None, f"has no {WEIGHTS}")
        open_safetensors(folder / WEIGHTS)
        require("torch", "transformers", by=f"the tagger {self._kind!r}")
        with reading(folder):
            self._model: Any = self._load(folder, [p for p in files if p.name != "README.md"])
        _check_whole(folder, self._model)
        device = device or best_device()
        put_on(self._model, device)
        self._device, self.on_gpu = device.partition(":")[0], device != "cpu"
        self.licence = licence_of(folder)
        digest = fingerprint([p for p in files if p.name != "README.md"])
        self._name = f"{Path(model).name}@{digest[:8]},{self._device},threshold={threshold:g}"

    @abstractmethod
    def _load(self, folder: Path, files: Sequence[Path]) -> Any:
        """The model, which splits text at ``_BETWEEN`` alone."""

    @abstractmethod
    def _find(self, texts: list[str]) -> Iterator[list[tuple[int, int, str, float]]]:
        """Spans of each text: first character, last + 1, label, score."""

    @property
    @abstractmethod
    def _tokenizer(self) -> Any:
        """The model's tokenizer."""

    def _longest(self) -> int:
        """Words that the model reads at once."""
        return _WORDS

    def describe(self) -> str:
        """Name, model, fingerprint, device, threshold, labels."""
        return f"{self._kind}({self._name},labels={'+'.join(self._labels)})"

    def tag(self, sentences: Sequence[Words]) -> list[Tagged]:
        """Tag sentences of any length."""
        whole = [[_seen(word) for word in sentence] for sentence in sentences]
        cut = [(n, window) for n, words in enumerate(whole) for window in self._windows(words)]
        texts = [_BETWEEN.join(whole[n][window.start : window.end]) for n, window in cut]
        found: list[list[tuple[Window, Span]]] = [[] for _ in sentences]
        for (n, window), spans in zip(cut, self._find(texts) if texts else (), strict=True):
            words = whole[n][window.start : window.end]
            for start, end, label, score in _of_words(words, spans):
                span = Span(start + window.start, end + window.start, label, score)
                found[n].append((window, span))
        return [
            Tagged(len(words), _disjoint(spans, self._labels))
            for words, spans in zip(whole, found, strict=True)
        ]

    def _windows(self, words: list[str]) -> Iterator[Window]:
        """Windows of words that the model reads as a whole, overlapping by half."""
        if not words:
            return
        tokenizer = self._tokenizer
        sizes = [len(ids) for ids in tokenizer(words, add_special_tokens=False).input_ids]
        prompt = sum(
            len(i) + 2 for i in tokenizer(self._labels, add_special_tokens=False).input_ids
        )
        room = max(1, int(tokenizer.model_max_length) - prompt - 8)
        start = 0
        while True:
            end, total = start, 0
            while end < len(words) and end - start < self._longest() and total + sizes[end] <= room:
                total += sizes[end]
                end += 1
            end = max(end, start + 1)  # a word that is longer than the model reads
            yield Window(start, end)
            if end == len(words):
                return
            start = max(start + 1, (start + end) // 2)


class Gliner(ZeroShotTagger):
    """GLiNER (Zaratiana et al. 2024), by the package ``gliner``.

    Its options are those of :class:`ZeroShotTagger`.
    """

    requires = ("gliner",)
    _kind = "gliner"
    _files = ("gliner_config.json",)

    def _load(self, folder: Path, files: Sequence[Path]) -> Any:
        from gliner import GLiNER

        with staged(files) as stage:
            model = GLiNER.from_pretrained(str(stage), map_location="cpu")
        model.data_processor.words_splitter = _pieces
        return model.eval()

    @property
    def _tokenizer(self) -> Any:
        return self._model.data_processor.transformer_tokenizer

    def _longest(self) -> int:
        return int(self._model.config.max_len)

    def _find(self, texts: list[str]) -> Iterator[list[tuple[int, int, str, float]]]:
        batch = _GPU_BATCH if self.on_gpu else 1
        for spans in self._model.inference(
            texts, self._labels, threshold=self._threshold, batch_size=batch
        ):
            yield [(one["start"], one["end"], one["label"], one["score"]) for one in spans]


class Gliner2(ZeroShotTagger):
    """GLiNER2 (Zaratiana et al. 2025), by the package ``gliner2``.

    Its options are those of :class:`ZeroShotTagger`.
    """

    requires = ("gliner2",)
    _kind = "gliner2"
    _files = (CONFIG, f"encoder_config/{CONFIG}")

    def _load(self, folder: Path, files: Sequence[Path]) -> Any:
        from gliner2 import AutoExtractor

        inner = folder / "encoder_config" / CONFIG
        with staged([path for path in files if path != inner]) as stage:
            (stage / inner.parent.name).mkdir()
            (stage / inner.parent.name / CONFIG).symlink_to(inner.resolve())
            model = AutoExtractor.from_pretrained(str(stage), word_splitter=_pieces)
        return model.eval()

    @property
    def _tokenizer(self) -> Any:
        return self._model.processor.tokenizer

    def _find(self, texts: list[str]) -> Iterator[list[tuple[int, int, str, float]]]:
        # the package puts a full stop behind text without one: here it is a word of its own
        ended = [text if text.endswith(_ENDS) else f"{text}{_BETWEEN}." for text in texts]
        answers = self._model.batch_extract_entities(
            ended,
            self._labels,
            batch_size=_GPU_BATCH if self.on_gpu else 1,
            threshold=self._threshold,
            include_confidence=True,
            include_spans=True,
        )
        for text, found in zip(texts, answers, strict=True):
            yield [
                (one["start"], min(one["end"], len(text)), label, one["confidence"])
                for label, spans in found["entities"].items()
                for one in spans
                if one["start"] < len(text)
            ]


def _seen(word: str) -> str:
    """A word without what stands between words; none of a model's words is empty."""
    return " ".join(word.split()) or _NOTHING


def _pieces(text: str, lower: bool = False) -> Iterator[tuple[str, int, int]]:
    """The words of a text with their places, as both packages want them."""
    start = 0
    for word in text.split(_BETWEEN):
        yield word.lower() if lower else word, start, start + len(word)
        start += len(word) + len(_BETWEEN)


def _of_words(
    words: list[str], spans: Sequence[tuple[int, int, str, float]]
) -> Iterator[tuple[int, int, str, float]]:
    """Spans of characters as spans of words [first, last + 1), with scores in (0, 1]."""
    places = list(_pieces(_BETWEEN.join(words)))
    first = {start: n for n, (_, start, _) in enumerate(places)}
    last = {end: n + 1 for n, (_, _, end) in enumerate(places)}
    for start, end, label, score in spans:
        yield first[start], last[end], label, min(1.0, max(float(score), 1e-12))


def _disjoint(found: Sequence[tuple[Window, Span]], labels: Sequence[str]) -> tuple[Span, ...]:
    """The best spans that do not overlap; each from the window in which it is farthest from edges.

    At the end of a sentence, or its beginning, no word is missing, but the window that has more on
    the other side is the better one all the same.
    """
    margins: dict[tuple[int, int], int] = {}
    for window, span in found:
        key = span.start, span.end
        margins[key] = max(margins.get(key, -1), window.margin(span))
    surest = [s for window, s in found if window.margin(s) == margins[s.start, s.end]]
    surest.sort(key=lambda s: (-(s.score or 0), s.start, -s.end, labels.index(s.label)))
    taken: list[Span] = []
    for span in surest:
        if all(span.end <= other.start or other.end <= span.start for other in taken):
            taken.append(span)
    return tuple(sorted(taken, key=lambda span: span.start))


def _check_whole(folder: Path, model: Any) -> None:
    """Raise InputError if a weight was not in the file, and so is a random number."""
    with open_safetensors(folder / WEIGHTS) as file:
        names = {*file.keys(), *(file.metadata() or {})}
    inner = getattr(model, "model", model)  # GLiNER's is around the network
    state = inner.state_dict(keep_vars=True)
    there = {tensor.data_ptr() for name, tensor in state.items() if name in names}
    for name, tensor in state.items():
        if name not in names and tensor.numel() and tensor.data_ptr() not in there:
            why = f"holds no tensor {name!r}; is it a model of this kind, and whole?"
            raise InputError(folder / WEIGHTS, None, why)
