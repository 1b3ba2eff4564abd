"""Labelled sentences as JSON objects of annotation tools and data sets: one side of each row.

A file is JSON lines, one array, or Parquet; its suffix tells how it is written (``.json``: as an
array). Keys that are not of the format go to the row's ``extra``, and are written again.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import is_gzip
from spanbridge.core.rows import SentencePair, Side
from spanbridge.core.spans import Sentence, Span
from spanbridge.core.tags import spans_from_tags, tags_from_spans
from spanbridge.formats.base import (
    DEFAULT_READING,
    Counts,
    Reading,
    Write,
    enclosed,
    one_side,
)
from spanbridge.formats.json_objects import (
    Object,
    first_object,
    nth,
    take_id,
    take_text,
    take_words,
)
from spanbridge.formats.json_spans import read_spans, write_spans
from spanbridge.formats.json_values import shown
from spanbridge.formats.layout import is_tag
from spanbridge.formats.object_format import ObjectFormat
from spanbridge.formats.offsets import (
    Offsets,
    in_unit,
    is_inclusive,
    place_in_words,
    place_spans,
)
from spanbridge.formats.tokens import spans_in_text, with_text


class Records(ObjectFormat):
    """Base class of the formats of this kind."""

    sides = "one"
    holds_spans = True
    holds_nested: ClassVar[bool] = True
    keeps = frozenset({"ids", "text", "keys"})
    # keys that are the format's own, so that a row's key of that name is not written
    own: ClassVar[frozenset[str]]

    @abstractmethod
    def fits(self, row: Object) -> bool:
        """Check if an object is of this format."""

    @abstractmethod
    def take(self, row: Object, side: Side, how: Reading, counts: Counts) -> Sentence:
        """Remove the format's keys from an object. Raises SpanbridgeError for wrong values."""

    @abstractmethod
    def give(self, sentence: Sentence) -> Object:
        """The keys of the format for a sentence."""

    def keeps_key(self, key: str) -> bool:
        """Check if a key of a row's own still holds, and is written; the id is the row's."""
        return key not in self.own and key != "id"

    def identity(self, row: Object, number: int) -> str:
        """Remove a row's id, or else use its number. Raises SpanbridgeError for what is no id."""
        return take_id(row, number)

    def sniff(self, head: Sequence[str], strict: bool = True) -> bool:
        """Check if the first object is of this format."""
        row = first_object(head)
        return row is not None and self.fits(row)

    def pairs(
        self,
        rows: Iterable[tuple[int, Object]],
        path: str | Path,
        side: Side,
        how: Reading,
        counts: Counts,
        told: str | None = None,
    ) -> Iterator[tuple[int, SentencePair]]:
        """Make rows with a sentence on one side."""
        before = None
        for number, (line, row) in enumerate(rows, 1):
            try:
                identity = self.identity(row, number)
                sentence = self.take(row, side, how, counts)
            except SpanbridgeError as error:
                why = f"{nth(number, line, before)}{error} (read as {self.name})"
                raise InputError(path, line, why) from error
            before = line
            counts.n_rows += 1
            if told is not None:
                counts.guess(told)
            yield line, one_side(identity, sentence, side, row)

    def to_object(self, pair: SentencePair, side: Side) -> Object:
        """One side of a row, with the other keys that came with it."""
        kept = {key: value for key, value in pair.extra.items() if self.keeps_key(key)}
        return {"id": number_or_name(pair.id), **kept, **self.give(pair.side(side))}

    @contextmanager
    def open(
        self, path: str | Path, side: Side = "target", *, scores: bool = False
    ) -> Iterator[Write]:
        """Open a file for rows, as JSON lines or, if its suffix is ``.json``, as an array."""
        bare = Path(path).with_suffix("") if is_gzip(path) else Path(path)
        if bare.suffix.lower() != ".json":
            with super().open(path, side, scores=scores) as write:
                yield write
            return
        with enclosed(path, "[", ",", "]", lambda pair: self.text(pair, side)) as write:
            yield write


def number_or_name(identity: str) -> int | str:
    """An id as it came: tools number their rows, and want these numbers again."""
    number = identity.isdecimal() and identity == str(int(identity[:18]))
    return int(identity) if number else identity


def placed(text: str, spans: Any, key: str, side: Side, how: Reading, counts: Counts) -> Sentence:
    """A sentence of raw text with spans as in JSON."""
    given = read_spans(spans, key, inclusive=is_inclusive(how.offsets)) if how.tags else ()
    return place_spans(text, given, side, key, how.offsets, counts.places[side])


# Keys of a span of Prodigy for the numbers of its first and its last token.
_OF_TOKENS = ("token_start", "token_end")
# Key of all rows of Label Studio's small JSON; a row without spans has no key for them.
_MINIMAL = "annotation_id"


def _triples(spans: Sequence[Span], inclusive: bool = False) -> list[list[Any]]:
    return [[span.start, span.end - inclusive, span.label] for span in spans]


def _first_key(row: Object, keys: Sequence[str], kind: type) -> str | None:
    return next((key for key in keys if isinstance(row.get(key), kind)), None)


def _known_key(row: Object, keys: Sequence[str], how: Reading) -> str:
    """The key of the spans. Raises SpanbridgeError if labels are wanted and there is none."""
    found = next((key for key in keys if key in row), None)
    if found is None and how.tags:
        there = ", ".join(row) or "nothing else"
        raise SpanbridgeError(f"there is no {' or '.join(keys)}, only {there}; rename the key")
    return found or keys[0]


class Doccano(Records):
    """Exports of doccano: a text with ``label``, ``labels`` or ``entities`` (spaCy: ``ents``)."""

    name = "doccano"
    own = frozenset({"text", "label", "relations"})
    offsets: ClassVar[Offsets] = "characters"
    _TEXTS: ClassVar = ("text", "data")
    _SPANS: ClassVar = ("label", "labels", "entities", "ents")

    def fits(self, row: Object) -> bool:
        """Check for a text and a list of spans."""
        key = _first_key(row, self._SPANS, list)
        of_spans = key is not None and all(isinstance(one, list | dict) for one in row[key])
        return of_spans and _first_key(row, self._TEXTS, str) is not None

    def take(self, row: Object, side: Side, how: Reading, counts: Counts) -> Sentence:
        """Take text and spans; relations are left out."""
        text = take_text(row, _first_key(row, self._TEXTS, str) or "text")
        key = _first_key(row, self._SPANS, list)
        if key is None and _MINIMAL not in row:
            key = _known_key(row, self._SPANS, how)
        if isinstance(relations := row.get("relations"), list):
            counts.leave_out("relations left out", len(relations))
            del row["relations"]
        key = key or self._SPANS[0]
        return placed(text, row.pop(key, None), key, side, how, counts)

    def give(self, sentence: Sentence) -> Object:
        """A text with ``[start, end, label]``, in the format's unit."""
        whole = with_text(sentence)
        spans = in_unit(whole.text or "", spans_in_text(whole), self.offsets)
        return {"text": whole.text, "label": _triples(spans)}


class DoccanoUtf16(Doccano):
    """The same with positions in UTF-16 units, as the page of doccano counts them."""

    name = "doccano-utf16"
    suffixes = ()
    offsets = "utf16"

    def take(self, row: Object, side: Side, how: Reading, counts: Counts) -> Sentence:
        """Take text and spans. Raises SpanbridgeError if other offsets are asked for."""
        if how.offsets not in (DEFAULT_READING.offsets, self.offsets):
            raise SpanbridgeError(f"{self.name} counts in utf16; leave out --offsets {how.offsets}")
        return super().take(row, side, replace(how, offsets=self.offsets), counts)


class Prodigy(Records):
    """Exports of Prodigy: a text and ``spans``; what was rejected or ignored has no labels."""

    name = "prodigy"
    keeps = frozenset({"ids", "text", "scores", "span_keys", "keys"})
    own = frozenset({"text", "tokens", "spans", "relations", "_input_hash", "_task_hash"})

    def fits(self, row: Object) -> bool:
        """Check for a text with what Prodigy alone adds; with spans alone it is ``jsonl``."""
        own = {"answer", "_input_hash", "_task_hash"} & row.keys() or {
            "tokens",
            "spans",
        } <= row.keys()
        return bool(own) and isinstance(row.get("text"), str)

    def take(self, row: Object, side: Side, how: Reading, counts: Counts) -> Sentence:
        """Take text and spans; the text is cut into words as others are."""
        text, spans = take_text(row, "text"), row.pop("spans", None)
        tokens = row.pop("tokens", None)
        if row.get("answer", "accept") != "accept":
            counts.leave_out("rejected or ignored answers, read without labels")
            spans = None
        if how.tags and isinstance(spans, list):
            spans = [_of_text(one, tokens) if isinstance(one, dict) else one for one in spans]
        if isinstance(relations := row.pop("relations", None), list):
            counts.leave_out("relations left out", len(relations))
        return placed(text, spans, "spans", side, how, counts)

    def give(self, sentence: Sentence) -> Object:
        """A text with its tokens, and spans in characters and tokens."""
        whole = with_text(sentence)
        text, places = whole.text or "", whole.offsets or ()
        following = [text[end : end + 1].isspace() for _, end in places]
        tokens = [
            {"text": text[a:b], "start": a, "end": b, "id": n, "ws": following[n]}
            for n, (a, b) in enumerate(places)
        ]
        spans = [
            {**of_text, "token_start": span.start, "token_end": span.end - 1}
            for span, of_text in zip(whole.spans, write_spans(spans_in_text(whole)), strict=True)
        ]
        return {"text": text, "tokens": tokens, "spans": spans}


def _of_text(span: Object, tokens: Any) -> Object:
    """A span of Prodigy without its place in the tokens, once its place in the text is known.

    Raises SpanbridgeError if it has the numbers of its tokens alone, and these are not there.
    """
    place = [span[key] for key in _OF_TOKENS if key in span]
    rest = {key: value for key, value in span.items() if key not in _OF_TOKENS}
    if len(place) < 2 or {"start", "end"} & rest.keys():
        return rest
    if not isinstance(tokens, list):
        why = "has only the numbers of tokens, and the row has no list of tokens"
        raise SpanbridgeError(f"spans: {shown(span)} {why}; export the tokens too")
    edges = []
    for number, key in zip(place, ("start", "end"), strict=True):
        known = type(number) is int and 0 <= number < len(tokens)
        token = tokens[number] if known else None
        if not isinstance(token, dict) or type(token.get(key)) is not int:
            why = f"{shown(number)} is not the number, from 0, of a token with an integer {key}"
            raise SpanbridgeError(f"spans: {shown(span)}: {why}; there are {len(tokens)}")
        edges.append(token[key])
    return {"start": edges[0], "end": edges[1], **rest}


class HuggingFace(Records):
    """Rows of Hugging Face data sets: ``tokens`` and ``ner_tags``, names or numbers of classes.

    Other keys of tags are known by what they hold: a tag for each word.
    """

    name = "hf"
    holds_nested = False
    keeps = frozenset({"ids", "words", "keys"})
    own = frozenset({"tokens", "ner_tags"})
    classes = ("ner_tags",)
    _WORDS: ClassVar = ("tokens", "words")
    _TAGS: ClassVar = ("ner_tags", "tags", "labels", "ner", "fine_ner_tags")
    _OTHER: ClassVar = re.compile(r"pos|chunk|upos|xpos|lemma|head|dep", re.IGNORECASE)

    def fits(self, row: Object) -> bool:
        """Check for words and as many tags, or for tags by their usual name, right or wrong."""
        words = _first_key(row, self._WORDS, list)
        if words is None or not set(map(type, row[words])) <= {str}:
            return False
        if self._TAGS[0] in row:
            return True
        tags = self._tags_key(row, len(row[words]))
        return tags is not None and set(map(type, row[tags])) in ({str}, {int}, set())

    def _tags_key(self, row: Object, n_words: int) -> str | None:
        """The key of the tags: a known one, but rather names of tags than numbers."""
        lists = [
            key for key, tags in row.items() if isinstance(tags, list) and len(tags) == n_words
        ]
        known = [key for key in self._TAGS if key in lists]
        named = [
            key
            for key in (*known, *lists)
            if row[key]
            and key not in self._WORDS
            and not self._OTHER.search(key)
            and all(isinstance(tag, str) and is_tag(tag) for tag in row[key])
        ]
        return next(iter((*named, *known)), None)

    def take(self, row: Object, side: Side, how: Reading, counts: Counts) -> Sentence:
        """Take words and tags, in the scheme of ``how``."""
        of_words = how.word_column or _first_key(row, self._WORDS, list) or "tokens"
        words = take_words(row, str(of_words))
        if not how.tags:
            return Sentence(tuple(words))
        key = str(how.tag_column or self._tags_key(row, len(words)) or "ner_tags")
        if key not in row:
            there = ", ".join(row) or "nothing"
            raise SpanbridgeError(f"there is no {key}, only {there}; name it: --tag-column KEY")
        tags = row.pop(key)
        if not isinstance(tags, list) or len(tags) != len(words):
            raise SpanbridgeError(f"{key} is {shown(tags)}; give a tag for each word")
        names = [self._name(tag, key, how.tag_names) for tag in tags]
        spans, n_orphans = spans_from_tags(names, how.scheme, how.orphans)
        counts.n_orphans += n_orphans
        return Sentence(tuple(words), spans)

    def give(self, sentence: Sentence) -> Object:
        """Words with IOB2 tags by name."""
        tags = tags_from_spans(sentence.spans, len(sentence.words))
        return {"tokens": list(sentence.words), "ner_tags": tags}

    def keeps_key(self, key: str) -> bool:
        """Other tags of words are not those of these words."""
        return super().keeps_key(key) and not key.endswith("_tags")

    @staticmethod
    def _name(tag: Any, key: str, names: Sequence[str]) -> str:
        if isinstance(tag, str):
            return tag
        if type(tag) is int and 0 <= tag < len(names):
            return names[tag]
        if type(tag) is int and not names:
            raise SpanbridgeError(
                f"the {key} are numbers; name them in their order: --tag-names O,B-PER,I-PER "
                f'(in the package datasets: features["{key}"].feature.names)'
            )
        known = f"; there are {len(names)} names" if type(tag) is int else ""
        raise SpanbridgeError(f"{key} holds {shown(tag)}{known}; give the tag of a word")


class Gliner(Records):
    """Training data of GLiNER: words and spans with inclusive ends."""

    name = "gliner"
    keeps = frozenset({"ids", "words", "keys"})
    own = frozenset({"tokenized_text", "ner"})

    def fits(self, row: Object) -> bool:
        """Check for the words' key."""
        return isinstance(row.get("tokenized_text"), list)

    def take(self, row: Object, side: Side, how: Reading, counts: Counts) -> Sentence:
        """Take words and spans."""
        words = take_words(row, "tokenized_text")
        spans = row.pop(_known_key(row, ("ner",), how), None)
        given = read_spans(spans, "ner", inclusive=True) if how.tags else ()
        for start, end, label, *_ in given:
            if not 0 <= start < end <= len(words):
                why = f"is not [first, last, label] of the {len(words)} words, counted from 0"
                raise SpanbridgeError(f"ner: {shown([start, end - 1, label])} {why}")
        return place_in_words(words, given, "ner", counts.places[side])

    def give(self, sentence: Sentence) -> Object:
        """Words with ``[first, last, label]``."""
        spans = _triples(sentence.spans, inclusive=True)
        return {"tokenized_text": list(sentence.words), "ner": spans}
