"""Bitext of translation memories: what TMX and XLIFF have in common."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar
from xml.etree.ElementTree import Element

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.rows import SIDES, SentencePair, Side
from spanbridge.formats.base import DEFAULT_READING, Counts, Format, Reading
from spanbridge.formats.json_objects import parse_value
from spanbridge.formats.plain_text import split_at_spaces
from spanbridge.formats.tokens import raw_sentence
from spanbridge.formats.xml_elements import elements, escaped, written

# Keys of rows that hold the languages of the sides, and what is written where they are not known.
LANGUAGES = ("source_language", "target_language")
UNKNOWN = ("x-source", "x-target")
# Key of rows for the notes of translators.
NOTE = "note"
_OTHER, _JSON = "x-", "x-json-"
# Elements inside texts that hold codes of other formats (tags of HTML, say), which are no text.
_CODED = frozenset({"bpt", "ept", "it", "ph", "ut", "x", "bx", "ex", "sc", "ec"})

_OF_XML = frozenset({"space", "lang"})  # attributes

# Id, keys and both texts of a unit.
Unit = tuple[str | None, dict[str, Any], list[str]]


class Bitext(Format):
    """Base class of the formats of translation memories: pairs of raw texts, without spans."""

    sides = "both"
    keeps = frozenset({"ids", "text", "keys"})
    # the outermost element; those that are units; those before them that say something of units
    root: ClassVar[str]
    whole: ClassVar[frozenset[str]]
    begun: ClassVar[frozenset[str]]

    @abstractmethod
    def units(self, how: Reading, counts: Counts) -> Callable[[Element], Iterator[Unit]]:
        """Return a function that makes the units of each element in turn.

        It raises SpanbridgeError for one that is wrong.
        """

    def read(
        self,
        path: str | Path,
        side: Side = "target",
        how: Reading = DEFAULT_READING,
        counts: Counts | None = None,
    ) -> Iterator[tuple[int, SentencePair]]:
        """Read pairs of raw text, or of words between spaces if that is said."""
        counts = Counts() if counts is None else counts
        cut = split_at_spaces if how.tokenised else raw_sentence
        units, number = self.units(how, counts), 0
        for line, element in elements(path, self.root, self.whole, self.begun):
            try:
                for identity, keys, texts in units(element):
                    number += 1
                    source, target = map(cut, texts)
                    counts.n_rows += 1
                    yield line, SentencePair(identity or str(number), source, target, extra=keys)
            except SpanbridgeError as error:
                raise InputError(path, line, str(error)) from error


def text_of(element: Element | None, counts: Counts) -> str:
    """The text in an element, without codes of other formats; none if it is not there."""
    return "" if element is None else "".join(_pieces(element, counts))


def _pieces(element: Element, counts: Counts) -> Iterator[str]:
    yield element.text or ""
    for inner in element:
        if inner.tag == "cp":  # a character that XML cannot hold
            yield _character(inner.get("hex", ""))
        elif inner.tag in _CODED:
            counts.leave_out("inline codes left out of texts")
        else:
            yield from _pieces(inner, counts)
        yield inner.tail or ""


def _character(code: str) -> str:
    try:
        character = chr(int(code, 16))
        character.encode()  # half of a surrogate pair is none, and could not be written
        return character
    except (ValueError, OverflowError) as error:
        raise SpanbridgeError(f"<cp> has the hex {code!r}, which is no character") from error


def count_attributes(element: Element | None, held: Collection[str], counts: Counts) -> None:
    """Count the attributes of an element but for those that are read."""
    there = set() if element is None else element.attrib.keys() - held - _OF_XML
    counts.leave_out("attributes of units and their texts left out", len(there))


def keys_of(unit: Element, known: Mapping[str, str], *keys: tuple[str, str]) -> dict[str, Any]:
    """The keys of a row that the elements of a unit hold.

    Args:
        unit: the unit.
        known: those that are known already.
        keys: the path of elements and their attribute that names them; notes have none.
    """
    found: dict[str, Any] = dict(known)
    for path, attribute in keys:
        for one in unit.iterfind(path):
            add_key(found, one.get(attribute, one.tag), one.text or "")
    return found


def parts_of(pair: SentencePair) -> tuple[list[str], list[str], dict[str, Any], list[str]]:
    """The languages of a row, its texts as XML, its other keys, and its notes as elements.

    Raises SpanbridgeError if there are spans, which have no place, or what XML cannot hold.
    """
    if any(pair.side(side).spans for side in SIDES):
        raise SpanbridgeError("spans cannot be held by bitext; write JSON lines (.jsonl)")
    languages, keys = languages_of(pair), dict(pair.extra)
    for key in language_keys(languages):
        del keys[key]
    notes = [written(NOTE, {}, escaped(note)) for note in notes_of(keys)]
    return languages, [escaped(pair.side(side).plain_text()) for side in SIDES], keys, notes


def written_keys(keys: dict[str, Any], name: str, attribute: str) -> list[str]:
    """Keys of a row as elements of a name, with theirs in an attribute."""
    named = (key_name(key, value) for key, value in keys.items())
    return [written(name, {attribute: kind}, escaped(text)) for kind, text in named]


def languages_of(pair: SentencePair) -> list[str]:
    """The languages of both sides, as the row says."""
    found = [pair.extra.get(key) for key in LANGUAGES]
    return [
        one if isinstance(one, str) and one else unknown
        for one, unknown in zip(found, UNKNOWN, strict=True)
    ]


def language_keys(languages: Iterable[str | None]) -> dict[str, str]:
    """The keys of a row that hold its languages."""
    given = zip(LANGUAGES, languages, strict=True)
    return {key: one for key, one in given if one is not None and one not in UNKNOWN}


def notes_of(keys: dict[str, Any]) -> list[str]:
    """Remove the notes from the keys of a row: a text, or several; a list of fewer stays a key."""
    notes = keys.get(NOTE)
    found = [notes] if isinstance(notes, str) else notes
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        return []
    if isinstance(notes, list) and len(notes) < 2:  # which would come back as a text, or not at all
        return []
    del keys[NOTE]
    return found


def key_name(name: str, value: Any) -> tuple[str, str]:
    """Name and value under which a key of a row is written: what is no string as JSON."""
    if isinstance(value, str):
        return f"{_OTHER}{name}", value
    return f"{_JSON}{name}", json.dumps(value, ensure_ascii=False, allow_nan=False)


def add_key(keys: dict[str, Any], name: str, value: str) -> None:
    """Read a key of a row; several of one name become a list of them."""
    read: Any = value
    if name.startswith(_JSON):
        name = name.removeprefix(_JSON)
        try:
            read = parse_value(value)
        except SpanbridgeError as error:
            raise SpanbridgeError(f"{name} is no JSON that can be kept: {value[:60]!r}") from error
    name = name.removeprefix(_OTHER)
    if name not in keys:
        keys[name] = read
    elif isinstance(keys[name], list):
        keys[name].append(read)
    else:
        keys[name] = [keys[name], read]
