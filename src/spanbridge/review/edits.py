"""A row and the spans that a person gave its target, in characters of its text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from spanbridge.core.errors import InputError, RowError
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.formats.segmentation import graphemes
from spanbridge.formats.tokens import spans_in_text, split_words, with_text
from spanbridge.report.rows import links_in_parts
from spanbridge.review.journal import Action, Mark, line_of

_LONGEST_LABEL = 200  # characters


def given_marks(pair: SentencePair) -> tuple[Mark, ...]:
    """The spans of a row's target as its file has them."""
    spans = spans_in_text(with_text(pair.target))
    return tuple(Mark(span.start, span.end, span.label) for span in spans)


def checked_marks(
    pair: SentencePair,
    places: Iterable[tuple[int, int, str]],
    before: Sequence[Mark],
    by: str,
    at: str,
) -> tuple[Mark, ...]:
    """Spans that a page sends for a row, with who made those that are new.

    Args:
        pair: the row, as its file has it.
        places: start, end and label of each.
        before: the spans as they were.
        by, at: annotator and time of those that are neither in the file nor were there before.

    Raises:
        RowError: a span does not lie in the text, has no label, or a new edge inside a character
            as readers see it.
    """
    kept = {mark.place: mark for mark in (*before, *given_marks(pair))}
    marks = tuple(kept.get(place) or Mark(*place, by, at) for place in dict.fromkeys(places))
    for mark in marks:
        label = mark.label
        if not label or label != label.strip() or len(label) > _LONGEST_LABEL:
            raise RowError(f"{label!r} is no label; give up to {_LONGEST_LABEL} characters")
        if not label.isprintable():
            raise RowError(f"the label {label!r} holds characters that cannot be seen")
    with_marks(pair, marks)
    _check_characters(pair, marks, kept.values())
    return marks


def _check_characters(pair: SentencePair, marks: Iterable[Mark], kept: Iterable[Mark]) -> None:
    """Check that no new edge lies inside a character as readers see it. Raises RowError."""
    known = {edge for mark in kept for edge in (mark.start, mark.end)}
    for start, end in clusters(pair.target):
        for mark in marks:
            inside = [e for e in (mark.start, mark.end) if start < e < end and e not in known]
            if inside:
                text = (pair.target.text or "")[start:end]
                place = f"{mark.start}-{mark.end} ({mark.label})"
                raise RowError(f"the span {place} has an edge inside {text!r}, a single character")


def clusters(sentence: Sentence) -> list[tuple[int, int]]:
    """Places of characters that are several code points, such as letters with marks, in words.

    A sentence that is words alone has none, as its words are not cut.
    """
    text = sentence.text
    if text is None or text.isascii():
        return []
    words = ((start, graphemes(text[start:end])) for start, end in sentence.offsets or ())
    return [(at + a, at + b) for at, found in words for a, b in found if b - a > 1]


def same_places(one: Iterable[Mark], other: Iterable[Mark]) -> bool:
    """Check if two lists of spans are the same, whoever made them."""
    return {mark.place for mark in one} == {mark.place for mark in other}


def with_marks(pair: SentencePair, marks: Iterable[Mark]) -> SentencePair:
    """A row with the spans of a person, and without what a step said of its own.

    Words of a raw text are cut where spans end inside them; their links go to every part. Spans
    that are in the row keep their other keys, and have no score, since they are given now; others
    say ``by`` whom they are and when (``at``).

    Raises:
        RowError: a span does not begin and end where a word (of raw text: a character that can be
            seen) does.
    """
    marks = list(marks)
    whole = with_text(pair.target)
    raw = pair.target.text is not None and pair.target.offsets is not None
    cut = split_words(whole, [edge for m in marks for edge in (m.start, m.end)]) if raw else whole
    known = {span[:3]: span for span in reversed(spans_in_text(cut))}
    places = cut.offsets or ()
    starts = {start: n for n, (start, _) in enumerate(places)}
    ends = {end: n for n, (_, end) in enumerate(places, 1)}
    spans = []
    for mark in marks:
        first, last = starts.get(mark.start), ends.get(mark.end)
        if first is None or last is None or first >= last:
            unit = "word" if not raw else "character that can be seen"
            place = f"{mark.start}-{mark.end} ({mark.label})"
            raise RowError(f"the span {place} does not begin and end where a {unit} does")
        spans.append(Span(first, last, mark.label, None, _keys(known.get(mark.place), mark)))
    kept = cut if raw else pair.target
    target = Sentence(kept.words, tuple(spans), kept.text, kept.offsets)
    links = links_in_parts(pair.links, pair.target, target)
    return pair.without_result()._replace(target=target, links=links)


def with_action(pair: SentencePair, action: Action, journal: str | Path) -> SentencePair:
    """A row with the spans of an action on it.

    Raises:
        InputError: they do not fit the row, with the line of the journal.
    """
    try:
        return with_marks(pair, action.spans)
    except RowError as error:
        why = f"row {action.row} (id {action.id}): {error}; take the action away, or mend it"
        raise InputError(journal, line_of(journal, action.n), why) from error


def _keys(given: Span | None, mark: Mark) -> str | None:
    """Other keys of a span, with those that say who made it."""
    known: Mapping[str, str] = {
        key: value for key, value in (("by", mark.by), ("at", mark.at)) if value is not None
    }
    if given is None or given.extra is None:
        return json.dumps(known, ensure_ascii=False) if known else None
    return json.dumps(json.loads(given.extra) | known, ensure_ascii=False)
