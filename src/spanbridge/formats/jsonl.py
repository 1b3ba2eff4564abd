"""Sentence pairs as JSON objects, one per line or row: all declared fields, other keys kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SIDES, SentencePair, Side
from spanbridge.core.similar import not_named
from spanbridge.core.spans import ABSENT, Sentence
from spanbridge.formats.base import DEFAULT_READING, Counts, Reading
from spanbridge.formats.json_objects import (
    Object,
    first_object,
    nth,
    objects,
    parse_object,
    take_id,
    take_text,
    take_words,
)
from spanbridge.formats.json_spans import read_score, read_spans, write_spans
from spanbridge.formats.json_values import DECIMALS, decode, encode, shown
from spanbridge.formats.object_format import ObjectFormat
from spanbridge.formats.offsets import Offsets, is_inclusive, place_in_words, place_spans
from spanbridge.formats.plain_fields import ALL_PLAIN_FIELDS, PLAIN_FIELDS
from spanbridge.formats.tokens import at_joints, spans_in_text, tokenize

# Keys of a row with one side, which may be either.
TEXT_KEY, SPANS_KEY = "text", "spans"
# Fields that are written before the texts, and after them; the confidence comes last.
_FIRST = [field for field in ALL_PLAIN_FIELDS if field.key == "status"]
_LAST = sorted(
    (field for field in ALL_PLAIN_FIELDS if field.key != "status"),
    key=lambda field: field.key == "confidence",
)
_PARTS = ("words", "text", "spans", "word_offsets", "empty_probability")
# Keys that no extra field can have in an object of its row, except a side's text if its words are
# given too; where one has, it is in an object of that name in it.
OTHER_KEYS = "other_keys"
_DECLARED = frozenset({"id", "links", "link_scores"}) | {
    *(field.key for field in ALL_PLAIN_FIELDS),
    *(f"{side}_{part}" for side in SIDES for part in ("words", "spans", "word_offsets")),
}
_HIDDEN = _DECLARED | {OTHER_KEYS}


class JsonLines(ObjectFormat):
    """Pairs with all their fields."""

    name = "jsonl"
    sides = "both"
    holds_spans = True
    holds_nested = True
    holds_links = True
    keeps = frozenset(
        {"ids", "words", "text", "scores", "span_keys", "keys"} | {f.key for f in ALL_PLAIN_FIELDS}
    )

    def pairs(
        self,
        rows: Iterable[tuple[int, Object]],
        path: str | Path,
        side: Side,
        how: Reading,
        counts: Counts,
        told: str | None = None,
    ) -> Iterator[tuple[int, SentencePair]]:
        """Make pairs of objects; see :func:`read_jsonl`."""
        read = RowReader(path, side, how, counts, told)
        for number, row in rows:
            yield number, read(row, number)

    def to_object(self, pair: SentencePair, side: Side = "target") -> Object:
        """All that is known of a row; see :func:`pair_object`."""
        return pair_object(pair)

    def sniff(self, head: Sequence[str], strict: bool = True) -> bool:
        """Check if the first line is an object, and all others begin as one; or for an array.

        Objects of an array, which other formats have too, need a key of these rows.
        """
        given = [line.strip() for line in head if line.strip()]
        if given and given[0][0] == "[":
            row = first_object(head) or {}
            return TEXT_KEY in row or any(_holds(row, side) for side in SIDES)
        try:
            return bool(given and all(line[0] == "{" for line in given) and parse_object(given[0]))
        except SpanbridgeError:
            return False


def read_jsonl(
    path: str | Path,
    counts: Counts | None = None,
    side: Side = "target",
    how: Reading = DEFAULT_READING,
    told: str | None = None,
) -> Iterator[tuple[int, SentencePair]]:
    r"""Read rows, one JSON object per line, or all in one array; blank lines are skipped.

    Keys: ``id``; ``source_words`` with ``source_spans`` in words, or ``source_text`` with
    ``source_spans`` in characters (code points), all half-open unless ``how`` says otherwise
    (the keys of a span: :mod:`spanbridge.formats.json_spans`); the same for ``target``; ``links``
    ``[[source, target], ...]``, ``link_scores``; and the names of the plain fields of
    :class:`SentencePair` and, with the prefix ``source_`` or ``target_``, of :class:`Sentence`. All
    but one side are optional. In place of one side, ``text`` (or another key, which is named) and
    ``spans`` will do. Other keys go to :attr:`SentencePair.extra`; so does a side's text if its
    words are given as well. ``other_keys`` are such that are named like one of these.

    Text is cut into words as by :func:`spanbridge.formats.offsets.place_spans`, unless
    ``source_word_offsets`` or ``target_word_offsets`` say where they are: ``[[start, end], ...]``
    in characters.

    Args:
        path: the file.
        counts: counts of rows and of how spans lie in their texts to update, if any.
        side: side on which ``text`` is put.
        how: settings: the key in place of ``text``, whether rows need both sides, how positions
            are counted.
        told: note to count for every row.

    Yields:
        The 1-based number of each pair's line, and the pair.

    Raises:
        InputError: there is no pair; or a line is not JSON, lacks a side that others have, or has a
            value of the wrong type, a key twice, a number that is not finite, half a surrogate
            pair, or a span, link or score out of range.
    """
    counts = Counts() if counts is None else counts
    known: JsonLines = JsonLines()
    return known.pairs(objects(path, counts), path, side, how, counts, told)


class RowReader:
    """Makes pairs of the objects of a file, which all hold the same sides.

    Args:
        path: the file, for errors.
        side, how, counts, told: as in :func:`read_jsonl`.

    Attributes:
        n_rows: rows so far.
    """

    def __init__(
        self, path: str | Path, side: Side, how: Reading, counts: Counts, told: str | None
    ) -> None:
        self._path, self._side, self._how, self._counts = path, side, how, counts
        self._told = told
        self._line: int | None = None  # of the row before
        self._sides: Sequence[Side] = SIDES if how.pairs else ()
        self.n_rows = 0

    def __call__(self, row: dict[str, Any], line: int) -> SentencePair:
        """The pair of a row, which loses its declared keys. Raises InputError."""
        self.n_rows += 1
        try:
            self._rename(row)
            held: list[Side] = [side for side in SIDES if _holds(row, side)]
            self._sides = self._sides or held
            if not held:
                known = ", ".join(map(repr, row)) or "nothing"
                raise SpanbridgeError(
                    f"no {TEXT_KEY!r}; name the key or column of the text (--text-column), call "
                    "those of two sides source_text and target_text, or name the file's format "
                    f"(--format); there is: {known}"
                )
            if more := [side for side in held if side not in self._sides]:
                raise SpanbridgeError(
                    f"has {more[0]}_words or {more[0]}_text, which the rows before lack; every row "
                    "needs the same sides"
                )
            pair = self._pair(row)
        except SpanbridgeError as error:
            why = f"{nth(self.n_rows, line, self._line)}{error}"
            raise InputError(self._path, line, why) from error
        self._line = line
        self._counts.n_rows += 1
        if self._told is not None:
            self._counts.guess(self._told)
        return pair

    def _pair(self, row: dict[str, Any]) -> SentencePair:
        """Remove the declared keys; the rest is the pair's ``extra``."""
        identity = take_id(row, self.n_rows)
        source, target = (
            _side(row, side, self._counts, self._how.offsets)
            if side in self._sides
            else _absent(row, side)
            for side in SIDES
        )
        links = _links(row, source, target)
        plain = _plain(row)
        others = row.get(OTHER_KEYS)
        if isinstance(others, dict) and others and others.keys() <= _HIDDEN:
            row |= row.pop(OTHER_KEYS)
        return SentencePair(identity, source, target, links, extra=row, **plain)

    def _rename(self, row: dict[str, Any]) -> None:
        """Put the text, and spans beside it, under the names of their side."""
        key, side = self._how.text_column or TEXT_KEY, self._side
        if self._how.text_column is None and any(_holds(row, side) for side in SIDES):
            return
        if key not in row:
            if self._how.text_column is not None:
                raise SpanbridgeError(f"{not_named('key', key, row)} (--text-column)")
            return
        for own, name in ((key, f"{side}_text"), (SPANS_KEY, f"{side}_spans")):
            if own == name or own not in row:
                continue
            if row.get(name) not in (None, []):
                raise SpanbridgeError(f"has both {own!r} and {name!r}; leave one of them out")
            row[name] = row.pop(own)


def _holds(row: dict[str, Any], side: Side) -> bool:
    return any(row.get(f"{side}_{part}") is not None for part in ("words", "text"))


def format_pair(pair: SentencePair) -> str:
    """Return the pair as one line of JSON, without line end; see :func:`pair_object`."""
    known: JsonLines = JsonLines()
    return known.text(pair, "target")


def pair_object(pair: SentencePair) -> Object:
    """Return the pair as an object for JSON; scores have four decimals.

    A side with raw text is written as that text, with spans in characters; and with the places of
    its words, if it would not be cut into the same ones when it is read. Fields that are None
    are left out, except for the confidence of a row that has a status: null says that nothing could
    be projected. Extra fields that are named like a declared one are an object, ``other_keys``.
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
        if key not in _HIDDEN:
            row.setdefault(key, value)
    if hidden := {key: value for key, value in pair.extra.items() if key in _HIDDEN}:
        row[OTHER_KEYS] = hidden
    return row


def _plain(row: dict[str, Any], side: Side | None = None) -> dict[str, Any]:
    """Remove the plain fields of a sentence, or else of the pair, from a row."""
    found = {}
    for field in PLAIN_FIELDS[side]:
        if (value := row.pop(field.key, None)) is not None:
            found[field.name] = decode(value, field)
    return found


def _absent(row: dict[str, Any], side: Side) -> Sentence:
    """Remove the keys of a side that the rows do not hold."""
    for key in [f"{side}_{part}" for part in _PARTS]:
        if row.pop(key, None) not in (None, []):
            raise SpanbridgeError(f"has {key}, but neither {side}_words nor {side}_text")
    return ABSENT


def _side(row: dict[str, Any], side: Side, counts: Counts, offsets: Offsets) -> Sentence:
    key = f"{side}_spans"
    spans = read_spans(row.pop(key, None), key, inclusive=is_inclusive(offsets))
    plain = _plain(row, side)
    if spans and "empty_probability" in plain:
        raise SpanbridgeError(
            f"{side}_empty_probability is the probability that there is no span, but {side}_spans "
            "has some; leave one of them out"
        )
    if row.get(f"{side}_words") is not None:
        words = take_words(row, f"{side}_words")
        return place_in_words(words, spans, key, counts.places[side], **plain)
    row.pop(f"{side}_words", None)
    if row.get(f"{side}_text") is None:
        raise SpanbridgeError(
            f"neither {side}_words nor {side}_text; every row needs the same sides, and a pair both"
        )
    text = take_text(row, f"{side}_text")
    known = _ranges(row.pop(f"{side}_word_offsets", None), side, text)
    found = place_spans(text, spans, side, key, offsets, counts.places[side], known)
    return replace(found, **plain) if plain else found


def _ranges(given: Any, side: Side, text: str) -> tuple[tuple[int, int], ...] | None:
    """Places of words in a text, which do not overlap."""
    if given is None:
        return None
    pairs = isinstance(given, list) and all(isinstance(one, list) for one in given)
    edges = [0, *chain.from_iterable(given), len(text)] if pairs else []
    if (
        set(map(type, edges)) != {int}
        or any(len(one) != 2 or one[0] == one[1] for one in given)
        or edges != sorted(edges)
    ):
        raise SpanbridgeError(
            f"{side}_word_offsets is {shown(given)}; give [start, end] of each word, in characters "
            f"of {side}_text, in order"
        )
    return tuple((start, end) for start, end in given)


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
        scores = [read_score(score, "link_scores") for score in scores]
    return WordAlignment.of(map(tuple, pairs), len(source.words), len(target.words), scores)


def _side_to_json(side: Side, sentence: Sentence) -> dict[str, Any]:
    text, offsets = sentence.text, sentence.offsets
    if text is None or offsets is None:
        return {f"{side}_words": sentence.words, f"{side}_spans": write_spans(sentence.spans)}
    in_text = spans_in_text(sentence)
    edges = [edge for span in in_text for edge in span[:2]]
    if side == "target":
        edges = at_joints(text, edges)
    found: dict[str, Any] = {f"{side}_text": text, f"{side}_spans": write_spans(in_text)}
    # a removed span may have cut words, which links count
    if tokenize(text, edges)[1] != offsets:
        found[f"{side}_word_offsets"] = offsets
    return found
