"""Tags from a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.files import check_rereadable
from spanbridge.core.records import file_digest
from spanbridge.core.spans import Span
from spanbridge.core.tags import Scheme
from spanbridge.formats import Reading, read_labelled
from spanbridge.tagging.base import Tagged, Tagger, Words, iob2_classes


class GivenTagger(Tagger):
    """Spans from a file, found by the words of a sentence.

    Args:
        model: a CoNLL file, or ``.jsonl`` whose target sides have the spans. The first of several
            equal sentences counts.
        scheme: tag scheme of a CoNLL file; IOB2 by default.
        licence: of the tags, for the record.

    Raises:
        InputError: the file cannot be read, or is not of its format.
    """

    gives_probabilities = False

    def __init__(self, model: str, scheme: Scheme | None = None, licence: str = "unknown") -> None:
        self.licence = licence
        self._path = model
        self._spans: dict[tuple[str, ...], tuple[Span, ...]] = {}
        check_rereadable(model)
        for sentence in read_labelled(model, Reading(scheme=scheme or "iob2")):
            self._spans.setdefault(sentence.words, sentence.spans)
        labels = {span.label for spans in self._spans.values() for span in spans}
        self.classes = iob2_classes(sorted(labels))

    def describe(self) -> str:
        """Name, file and its digest."""
        return f"given({Path(self._path).name}@{file_digest(Path(self._path))[:8]})"

    def tag(self, sentences: Sequence[Words]) -> list[Tagged]:
        """Look up the spans of each sentence.

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
