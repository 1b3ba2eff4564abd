"""Rows: sentence pairs with all results so far.

Every field is written by certain steps and depends on certain other fields; when one of those
changes, it is cleared (:meth:`SentencePair.replace`), so that no stale result of an earlier run
remains.

| field | written by | cleared when these change |
|---|---|---|
| ``links`` | align, project | words of either side |
| ``parallel_score`` | project | words of either side, links |
| ``status``, ``confidence``, ``provenance``, ``explanation`` | what writes the target's spans: project, mark, tag (target), ensemble | words and spans of either side, links; if written by tag: words and spans of the target |
| spans of the target, if ``provenance`` is set | the same | likewise, unless they change themselves |
| ``translation_status``, ``translation_score`` | translate, mark | text of either side |
| ``back_translation_status``, ``pivot_text`` | back-translate | text of the source |
| ``sentence_of`` | split; join takes it away | never |
| ``source_before_repair`` | repair; restore takes it away | text of the source |
| ``target_before_repair`` | repair; restore takes it away | text of the target |
| ``rejected_sentences`` | join | as ``status`` |
"""  # noqa: E501  # a table

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.links import WordAlignment
from spanbridge.core.spans import Sentence

Side = Literal["source", "target"]
SIDES: tuple[Side, Side] = ("source", "target")
OTHER: dict[Side, Side] = {"source": "target", "target": "source"}

# Key of a row that says what a person made of it.
REVIEW = "review"

# Statuses, or their beginnings, which a reason follows.
PROJECTED = "projected"
CORRECTED = "corrected"  # by a person, and kept as it is
EMPTY = "empty: "
FAILED = "failed: "
UNTAGGED = f"{FAILED}tagging: "
REJECTED = "rejected: "
# What a row that was tagged, and not projected, is said to be: with spans, and without.
FOUND, NOTHING_FOUND = "tagged", f"{EMPTY}no span found"
# Provenance of spans that a tagger found, which do not depend on the other side.
TAGGED = "tag"
# Status of a good translation; others begin with "suspect: ", "failed: " or "empty: ".
OK = "ok"


class SentenceOf(NamedTuple):
    """Place of a sentence in the text that it was cut from.

    Attributes:
        id: id of the row that held the text.
        side: side of the pair on which the text stood.
        start: first character of the sentence in the text.
        text: the whole text, for its first sentence only.
    """

    id: str
    side: Side
    start: int
    text: str | None = None


# There are many rows, and a tuple is made three times as fast as a frozen dataclass.
class SentencePair(NamedTuple):
    """A source sentence (labels known), its translation, and all results so far.

    Attributes:
        id: unique within its file; the 1-based row number if the input had none.
        source: the sentence whose labels are known.
        target: the sentence that receives the labels.
        links: word alignment; None if there is none yet.
        parallel_score: probability that both sides translate each other, in [0, 1]; None if it
            was not judged.
        status: origin of the target's spans: ``projected``, ``corrected``, or ``empty:``,
            ``failed:`` or ``rejected:`` with the reason. ``failed`` means that an earlier step
            (a translation) failed, so that nothing is known of the target, not even that it has no
            spans.
        confidence: probability that all of the target's spans are right, in [0, 1]; None if nothing
            could be projected.
        provenance: name of the step that wrote the target's spans; None if the input had them.
        explanation: lines that say why each span was projected to its place.
        translation_status: ``ok``, or ``suspect:``, ``failed:`` or ``empty:`` with the reason; None
            if no step has translated.
        translation_score: log-probability per token, at most 0.
        back_translation_status: as ``translation_status``, for the back-translation.
        pivot_text: the source before it was replaced by its back-translation.
        sentence_of: place in the text that the row's sentence was cut from.
        source_before_repair, target_before_repair: text of that side as it was given, if it has
            been repaired.
        rejected_sentences: reasons of the rejected sentences of a joined text.
        extra: further fields of the input row, passed through unchanged.
    """

    id: str
    source: Sentence
    target: Sentence
    links: WordAlignment | None = None
    status: str | None = None
    confidence: float | None = None
    provenance: str | None = None
    explanation: tuple[str, ...] | None = None
    translation_status: str | None = None
    translation_score: float | None = None
    back_translation_status: str | None = None
    pivot_text: str | None = None
    sentence_of: SentenceOf | None = None
    source_before_repair: str | None = None
    target_before_repair: str | None = None
    rejected_sentences: tuple[str, ...] | None = None
    parallel_score: float | None = None
    extra: Mapping[str, Any] = MappingProxyType({})

    def __reduce__(self) -> tuple[type[SentencePair], tuple[Any, ...]]:
        """For copies and other processes: a mappingproxy cannot be pickled."""
        return SentencePair, (*self[:-1], dict(self.extra))

    def side(self, name: Side) -> Sentence:
        """One of the two sentences."""
        return self.source if name == "source" else self.target

    def with_source_of(self, given: SentencePair) -> SentencePair | None:
        """The row with the source of another one, and its links if they are of the same words.

        Where that one is tokenised, a target in raw text gets its words. None if it has another
        target text; spaces do not count.
        """
        if given.target.characters() != self.target.characters():
            return None
        target = self.target.over_words_of(given.target)
        links = given.links if given.target.words == target.words else None
        return self._replace(source=given.source, target=target, links=links)

    @property
    def failure(self) -> str | None:
        """Status of a row whose translation failed, or the tagging of its source; else None."""
        translation = self.translation_status or ""
        if translation.startswith(FAILED):
            return f"{FAILED}translation: {translation.removeprefix(FAILED)}"
        untagged = self.provenance is None and (self.status or "").startswith(UNTAGGED)
        return self.status if untagged else None

    def without_result(self) -> SentencePair:
        """The row without what a step said of the target's spans, and without spans of its own."""
        stale = self.provenance is not None
        target = self.target.with_spans(()) if stale else self.target
        cleared: dict[str, Any] = dict.fromkeys(_OF_SPANS)
        return self._replace(**cleared, target=target)

    def replace(self, **changes: Any) -> SentencePair:
        """The row with other values; fields that depend on them and are not given are cleared.

        ``_replace`` clears nothing: it is for steps that set all of them.
        """
        source: Sentence = changes.get("source", self.source)
        target: Sentence = changes.get("target", self.target)
        stale: set[str] = set()
        if source.words != self.source.words or target.words != self.target.words:
            stale |= {"links", "parallel_score"}
        if source.plain_text() != self.source.plain_text():
            stale |= {"source_before_repair"} | _OF_TRANSLATION | _OF_BACK_TRANSLATION
        if target.plain_text() != self.target.plain_text():
            stale |= {"target_before_repair"} | _OF_TRANSLATION
        from_source = "links" in changes and changes["links"] != self.links
        if from_source:
            stale.add("parallel_score")
        from_source |= _labels(source) != _labels(self.source)
        from_target = (target.words, target.spans) != (self.target.words, self.target.spans)
        if from_target or (from_source and self.provenance != TAGGED):
            stale |= _OF_SPANS
            if self.provenance is not None and "target" not in changes:
                changes["target"] = target.with_spans(())
        return self._replace(**{**dict.fromkeys(stale), **changes})


def _labels(sentence: Sentence) -> tuple[object, ...]:
    return sentence.words, sentence.spans, sentence.empty_probability


def checked_rows(rows: Iterable[SentencePair]) -> Iterator[SentencePair]:
    """The rows that a caller gave.

    Raises:
        SpanbridgeError: they are something else, or the links of a row are of other sentences.
    """
    advice = "give an iterable of SentencePair, such as read_pairs returns"
    if isinstance(rows, str | SentencePair) or not isinstance(rows, Iterable):
        raise SpanbridgeError(f"rows is a {type(rows).__name__}; {advice}")
    for number, row in enumerate(rows, 1):
        if not isinstance(row, SentencePair):
            raise SpanbridgeError(f"row {number} is a {type(row).__name__}; {advice}")
        if not (isinstance(row.source, Sentence) and isinstance(row.target, Sentence)):
            raise SpanbridgeError(f"row {row.id}: both of its sides must be a Sentence")
        if row.links is not None:
            if not isinstance(row.links, WordAlignment):
                raise SpanbridgeError(f"row {row.id}: make its links by WordAlignment.of")
            words, linked = (
                (len(row.source.words), len(row.target.words)),
                (row.links.n_source, row.links.n_target),
            )
            if words != linked:
                raise SpanbridgeError(f"row {row.id} has {words} words, but links of {linked}")
        yield row


_OF_SPANS = {"status", "confidence", "provenance", "explanation", "rejected_sentences"}
_OF_TRANSLATION = {"translation_status", "translation_score"}
_OF_BACK_TRANSLATION = {"back_translation_status", "pivot_text"}
