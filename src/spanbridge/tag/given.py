"""Tags that somebody has made already."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.spans import Span
from spanbridge.core.tags import Scheme
from spanbridge.data.formats import read_labelled
from spanbridge.encode.cache import file_digest
from spanbridge.tag.base import Tagged, Words, iob2_classes


class GivenTagger:
    """Spans from a file, found by the words of a sentence.

    Args:
        model: CoNLL, or ``.jsonl`` whose target sides have the spans. Of equal sentences with other
            spans the first counts.
        scheme: of a CoNLL file's tags; IOB2 by default.

    Raises:
        InputError: as the readers.
    """

    def __init__(self, model: str, scheme: Scheme | None = None) -> None:
        self._path = model
        self._spans: dict[tuple[str, ...], tuple[Span, ...]] = {}
        for sentence in read_labelled(model, scheme or "iob2"):
            self._spans.setdefault(sentence.words, sentence.spans)
        labels = {span.label for spans in self._spans.values() for span in spans}
        self.classes = iob2_classes(sorted(labels))

    def describe(self) -> str:
        """The file and its digest."""
        return f"given({Path(self._path).name}@{file_digest(Path(self._path))[:8]})"

    def tag(self, sentences: Sequence[Words]) -> list[Tagged]:
        """The spans of each sentence.

        Raises:
            SpanbridgeError: the file does not have a sentence.
        """
        found = []
        for words in sentences:
            spans = self._spans.get(tuple(words)) if words else ()
            if spans is None:
                raise SpanbridgeError(f"{self._path} has no tags for: {' '.join(words)[:80]}")
            found.append(Tagged(len(words), spans))
        return found
