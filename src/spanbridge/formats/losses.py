"""What rows have and a format cannot hold, which a conversion leaves out and counts."""

from __future__ import annotations

import json
from collections.abc import Iterator

from spanbridge.core.rows import OTHER, SIDES, SentencePair, Side
from spanbridge.core.spans import Sentence, Span
from spanbridge.formats.base import Format
from spanbridge.formats.json_spans import is_text_key
from spanbridge.formats.plain_fields import PLAIN_FIELDS
from spanbridge.formats.tokens import tokenize

Loss = tuple[str, int]


def sides(held: Format, side: Side) -> tuple[Side, ...]:
    """The sides of a row that a format writes, of which ``side`` is the one if it holds one."""
    if held.sides == "none":
        return ()
    return SIDES if held.sides == "both" and not held.writes_one_side else (side,)


def without_misfits(pair: SentencePair, held: Format) -> SentencePair:
    """The row without spans if the format holds none: it refuses what it cannot write."""
    if held.holds_spans or held.sides == "none":
        return pair
    return pair._replace(source=pair.source.with_spans(()), target=pair.target.with_spans(()))


def losses(pair: SentencePair, number: int, held: Format, side: Side) -> Iterator[Loss]:
    """What of a row a format does not write, or would not give back, each with its number.

    Spans that have no room in one layer are not among it, since they are counted where they are
    left out (:func:`~spanbridge.formats.open_writer`).

    Args:
        pair: the row.
        number: its number in the file, from 1, which is its id where a format holds none.
        held: the format.
        side: side that is written if the format holds one.
    """
    written = sides(held, side)
    if written == (side,) and pair.side(OTHER[side]).words:
        yield f"rows whose {OTHER[side]} side is not written", 1
    if not written:
        yield "rows of which only links are written", 1
    # where an empty line is a row without words, that has no place for an id or keys
    blank = held.blank_row > 0 and not any(pair.side(one).words for one in written)
    if ("ids" not in held.keeps or blank) and pair.id != str(number):
        yield "ids not written; rows have their numbers", 1
    if pair.links is not None and not held.holds_links:
        yield "rows whose word links are not written", 1
    if not written and pair.links is not None and pair.links.scores is not None:
        yield "rows whose scores of word links are not written", 1
    for one in written:
        yield from _of_sentence(pair.side(one), held, one)
    for field in PLAIN_FIELDS[None]:
        if field.key not in held.keeps and field.of(pair) is not None:
            yield f"values of {field.key} not written", 1
    n_keys = sum(blank or not held.keeps_key(key) for key in pair.extra)
    yield "values of other keys of rows not written", n_keys


def _of_sentence(sentence: Sentence, held: Format, side: Side) -> Iterator[Loss]:
    spans = sentence.spans
    if not held.holds_spans:
        yield f"{side} spans not written", len(spans)
    else:
        if "scores" not in held.keeps:
            scores = sum(span.score is not None for span in spans)
            yield f"scores of {side} spans not written", scores
        n_keys = sum(_n_lost(span, held) for span in spans)
        yield f"values of other keys of {side} spans not written", n_keys
    text = sentence.text
    joined = " ".join(sentence.words)
    if "text" not in held.keeps and text is not None and text != joined:
        yield f"{side} texts whose words are written, but not the spaces between them", 1
    if "words" not in held.keeps and text is None and tokenize(joined)[0] != sentence.words:
        yield f"{side} sentences written as text, whose words would be cut otherwise", 1
    if sentence.empty_probability is not None and f"{side}_empty_probability" not in held.keeps:
        yield f"values of {side}_empty_probability not written", 1


def _n_lost(span: Span, held: Format) -> int:
    """Number of a span's other keys that are not written; a text is that of its place."""
    keys = json.loads(span.extra) if span.extra is not None else ()
    return sum(not (held.keeps_span_key(key) or is_text_key(key)) for key in keys)
