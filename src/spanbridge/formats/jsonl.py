"""Sentence pairs as JSON lines: one object per line, all declared fields, other keys kept."""

from __future__ import annotations

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from json import JSONDecodeError
from math import isfinite
from pathlib import Path
from typing import Any, NoReturn, TextIO

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import lines
from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SIDES, SentencePair, Side
from spanbridge.core.spans import Sentence, Span
from spanbridge.formats.base import DEFAULT_READING, Counts, Format, Reading, Write, row_writer
from spanbridge.formats.json_values import DECIMALS, decode, encode, shown
from spanbridge.formats.plain_fields import ALL_PLAIN_FIELDS, PLAIN_FIELDS
from spanbridge.formats.tokens import tokenize

_SPAN_KEYS = frozenset({"start", "end", "label", "score"})
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
# Fields that are written before the texts, and after them; the confidence comes last.
_FIRST = [field for field in ALL_PLAIN_FIELDS if field.key == "status"]
_LAST = sorted(
    (field for field in ALL_PLAIN_FIELDS if field.key != "status"),
    key=lambda field: field.key == "confidence",
)
# Keys that no extra field can have, except a side's text if its words are given too.
_DECLARED = frozenset({"id", "links", "link_scores"}) | {
    *(field.key for field in ALL_PLAIN_FIELDS),
    *(f"{side}_{part}" for side in SIDES for part in ("words", "spans")),
}


class JsonLines(Format):
    """Pairs with all their fields."""

    name = "jsonl"
    suffixes = (".jsonl",)
    sides = "both"
    holds_spans = True
    holds_nested = True
    holds_links = True

    def read(
        self,
        path: str | Path,
        side: Side = "target",
        how: Reading = DEFAULT_READING,
        counts: Counts | None = None,
    ) -> Iterator[tuple[int, SentencePair]]:
        """Read pairs; see :func:`read_jsonl`."""
        return read_jsonl(path, counts)

    def writer(self, out: TextIO, side: Side = "target", *, scores: bool = False) -> Write:
        """Return a function that writes a pair on one line; see :func:`format_pair`."""

        def write(pair: SentencePair) -> None:
            out.write(format_pair(pair) + "\n")

        return row_writer(write)


def read_jsonl(
    path: str | Path, counts: Counts | None = None
) -> Iterator[tuple[int, SentencePair]]:
    r"""Read pairs, one JSON object per line; blank lines are skipped.

    Keys: ``id``; ``source_words`` with ``source_spans`` in words, or ``source_text`` with
    ``source_spans`` in characters (code points), all half-open; the same for ``target``; ``links``
    ``[[source, target], ...]``, ``link_scores``; and the names of the plain fields of
    :class:`SentencePair` and, with the prefix ``source_`` or ``target_``, of :class:`Sentence`. All
    but the two sides are optional. Other keys go to :attr:`SentencePair.extra`; so does a side's
    text if its words are given as well.

    Words of source text end at the ends of spans. Target text is cut without regard to its spans,
    since known labels there must not help to find themselves, and a gold file must have the words
    of a predicted one: a span that ends inside a word is widened to all of it.

    Args:
        path: the file.
        counts: counts of rows and widened target spans to update, if any.

    Yields:
        The 1-based number of each pair's line, and the pair.

    Raises:
        InputError: there is no pair; or a line is not JSON, lacks a side, or has a value of the
            wrong type, a key twice, a number that is not finite, half a surrogate pair, or a span,
            link or score out of range.
    """
    counts = Counts() if counts is None else counts
    n_rows = 0
    for number, line in enumerate(lines(path), 1):
        if line.isspace() or not line:
            continue
        n_rows += 1
        try:
            pair = _pair(_parse(line), n_rows, counts)
        except SpanbridgeError as error:
            raise InputError(path, number, str(error)) from error
        counts.n_rows += 1
        yield number, pair
    if not n_rows:
        raise InputError(path, None, "has only blank lines; write one object per line")


def format_pair(pair: SentencePair) -> str:
    """Return the pair as one line of JSON, without line end; scores have four decimals.

    A side with raw text is written as that text, with spans in characters. If that would not be
    read back as the same words, its words are written (and the text as well). Fields that are None
    are left out, except for the confidence of a row that has a status: null says that nothing could
    be projected.

    Raises:
        SpanbridgeError: an extra field has the name of a declared one.
    """
    row: dict[str, Any] = {"id": pair.id}
    for side in SIDES:
        row |= _side_to_json(side, pair.side(side))
    if pair.links is not None:
        row["links"] = pair.links.pairs
        if pair.links.scores is not None:
            row["link_scores"] = [round(score, DECIMALS) for score in pair.links.scores]
    for field in _FIRST:
        if (value := field.of(pair)) is not None:
            row[field.key] = encode(value, field)
    for side in SIDES:
        if (text := pair.side(side).text) is not None:
            row.setdefault(f"{side}_text", text)
    for field in _LAST:
        if (value := field.of(pair)) is not None:
            row[field.key] = encode(value, field)
        elif field.key == "confidence" and pair.status is not None:
            row[field.key] = None
    for key, value in pair.extra.items():
        if key in _DECLARED:
            raise SpanbridgeError(f"the extra field {key!r} has a declared field's name; rename it")
        row.setdefault(key, value)
    return json.dumps(row, ensure_ascii=False, allow_nan=False)


def _parse(line: str) -> dict[str, Any]:
    """Parse one line as a JSON object that can be written again."""
    try:
        row = _DECODER.decode(line)
        if _SURROGATE_ESCAPE.search(line):
            json.dumps(row, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise SpanbridgeError(
            "a string holds half a surrogate pair, which is no character; mend the \\u escape"
        ) from error
    except JSONDecodeError as error:
        raise SpanbridgeError(
            f"is not JSON ({error.msg}, column {error.colno}); write one object per line"
        ) from error
    except ValueError as error:  # from the hooks below, or for an integer of thousands of digits
        raise SpanbridgeError(f"is not valid JSON ({error})") from error
    except RecursionError as error:
        raise SpanbridgeError("is nested too deeply; write one flat object per line") from error
    if not isinstance(row, dict):
        raise SpanbridgeError("is no JSON object; write {...} on each line")
    return row


def _object(items: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(items)
    if len(row) != len(items):
        keys = [key for key, _ in items]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} is given twice")
    return row


def _float(digits: str) -> float:
    value = float(digits)
    if not isfinite(value):
        raise ValueError(f"{digits} is too large for a number")
    return value


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number; write null, or leave the key out")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_float, parse_constant=_constant)


def _pair(row: dict[str, Any], n_row: int, counts: Counts) -> SentencePair:
    """Remove a row's declared keys; the rest is the pair's ``extra``."""
    identity = row.pop("id", None)
    if identity is None:
        identity = n_row
    elif type(identity) not in (str, int):
        raise SpanbridgeError(f"id is {shown(identity)}; give a string or an integer")
    source = _side(row, "source", counts)
    target = _side(row, "target", counts)
    links = _links(row, source, target)
    plain = _plain(row)
    return SentencePair(str(identity), source, target, links, extra=row, **plain)


def _plain(row: dict[str, Any], side: Side | None = None) -> dict[str, Any]:
    """Remove the plain fields of a sentence, or else of the pair, from a row."""
    found = {}
    for field in PLAIN_FIELDS[side]:
        if (value := row.pop(field.key, None)) is not None:
            found[field.name] = decode(value, field)
    return found


def _side(row: dict[str, Any], side: Side, counts: Counts) -> Sentence:
    spans = _spans(row.pop(f"{side}_spans", None), side)
    plain = _plain(row, side)
    if spans and "empty_probability" in plain:
        raise SpanbridgeError(
            f"{side}_empty_probability is the probability that there is no span, but {side}_spans "
            "has some; leave one of them out"
        )
    words = row.pop(f"{side}_words", None)
    if words is not None:
        if not isinstance(words, list) or not set(map(type, words)) <= {str}:
            raise SpanbridgeError(f"{side}_words is {shown(words)}; give a list of strings")
        try:
            return Sentence(tuple(words), spans, **plain)
        except SpanbridgeError as error:
            raise SpanbridgeError(f"{side}_spans: {error}") from error
    text = row.pop(f"{side}_text", None)
    if text is None:
        raise SpanbridgeError(
            f"neither {side}_words nor {side}_text; every pair needs both of its sides"
        )
    if not isinstance(text, str):
        raise SpanbridgeError(f"{side}_text is {shown(text)}; give a string")
    words, offsets, spans = _spans_in_words(text, spans, side, counts)
    return Sentence(words, spans, text, offsets, **plain)


def _spans_in_words(
    text: str, spans: Sequence[Span], side: Side, counts: Counts
) -> tuple[tuple[str, ...], tuple[tuple[int, int], ...], tuple[Span, ...]]:
    """Words of a text, their offsets, and the given spans in words instead of characters."""
    for start, end, label, _ in spans:
        if not 0 <= start < end <= len(text):
            raise SpanbridgeError(
                f"{side}_spans: {start}-{end} ({label}) lies outside the text of {len(text)} "
                "characters; spans are [start, end) in characters where text is given"
            )
    words, offsets = _cut(text, spans, side)
    starts, ends = [start for start, _ in offsets], [end for _, end in offsets]
    in_words = []
    for start, end, label, score in spans:
        first, last = bisect_right(ends, start), bisect_left(starts, end)  # overlapping words
        if first == last:
            raise SpanbridgeError(f"{side}_spans: {start}-{end} ({label}) covers only whitespace")
        counts.n_widened += starts[first] < start or end < ends[last - 1]
        in_words.append(Span(first, last, label, score))
    return words, offsets, tuple(in_words)


def _cut(
    text: str, spans: Iterable[Span], side: Side
) -> tuple[tuple[str, ...], tuple[tuple[int, int], ...]]:
    """Cut a side's text into words, ``spans`` being in characters; see :func:`read_jsonl`."""
    return tokenize(text, (edge for span in spans for edge in span[:2]) if side == "source" else ())


def _spans(items: Any, side: Side) -> tuple[Span, ...]:
    if items is None:
        return ()
    if not isinstance(items, list):
        raise SpanbridgeError(f"{side}_spans is {shown(items)}; give a list of objects")
    return tuple([_span(item, side) for item in items])


def _span(item: Any, side: Side) -> Span:
    if not isinstance(item, dict):
        raise SpanbridgeError(f"{side}_spans holds {shown(item)}; give objects")
    if not item.keys() <= _SPAN_KEYS:
        unknown = next(key for key in item if key not in _SPAN_KEYS)
        raise SpanbridgeError(
            f"{side}_spans: unknown key {unknown!r}; a span has start, end, label and score only"
        )
    start, end, label = item.get("start"), item.get("end"), item.get("label")
    if type(start) is not int or type(end) is not int or not isinstance(label, str) or not label:
        raise SpanbridgeError(
            f"{side}_spans: {shown(item)} wants integers start and end, and a label"
        )
    score = item.get("score")
    return Span(start, end, label, None if score is None else _score(score, f"{side}_spans"))


def _score(value: Any, key: str) -> float:
    if type(value) not in (int, float) or not 0 <= value <= 1:
        raise SpanbridgeError(f"{key}: the score {shown(value)} is no number in [0, 1]")
    return float(value)


def _links(row: dict[str, Any], source: Sentence, target: Sentence) -> WordAlignment | None:
    pairs, scores = row.pop("links", None), row.pop("link_scores", None)
    if pairs is None:
        if scores is not None:
            raise SpanbridgeError("link_scores without links; give both, or no scores")
        return None
    if not isinstance(pairs, list):
        raise SpanbridgeError(f"links is {shown(pairs)}; give a list of [source, target]")
    for pair in pairs:
        if not isinstance(pair, list) or [*map(type, pair)] != [int, int]:
            raise SpanbridgeError(f"links holds {shown(pair)}; give [source, target]")
    if scores is not None:
        if not isinstance(scores, list):
            raise SpanbridgeError(f"link_scores is {shown(scores)}; give a list of numbers")
        scores = [_score(score, "link_scores") for score in scores]
    return WordAlignment.of(map(tuple, pairs), len(source.words), len(target.words), scores)


def _side_to_json(side: Side, sentence: Sentence) -> dict[str, Any]:
    text, offsets = sentence.text, sentence.offsets
    if text is None or offsets is None:
        return {f"{side}_words": sentence.words, f"{side}_spans": _spans_to_json(sentence.spans)}
    in_text = [
        Span(offsets[start][0], offsets[end - 1][1], label, score)
        for start, end, label, score in sentence.spans
    ]
    # A removed span may have cut words, which links count.
    if _cut(text, in_text, side) != (sentence.words, offsets):
        return _side_to_json(side, Sentence(sentence.words, sentence.spans))
    return {f"{side}_text": text, f"{side}_spans": _spans_to_json(in_text)}


def _spans_to_json(spans: Sequence[Span]) -> list[dict[str, Any]]:
    rows = []
    for start, end, label, score in spans:
        row: dict[str, Any] = {"start": start, "end": end, "label": label}
        if score is not None:
            row["score"] = round(score, DECIMALS)
        rows.append(row)
    return rows
