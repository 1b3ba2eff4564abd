"""XLIFF, the exchange format of translators: 1.2 and 2.x are read, 1.2 is written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import atomic_output
from spanbridge.core.rows import SentencePair, Side
from spanbridge.formats.base import Counts, Reading, Write, row_writer
from spanbridge.formats.bitext import (
    NOTE,
    Bitext,
    Unit,
    add_key,
    key_name,
    language_keys,
    languages_of,
    notes_of,
    plain_texts,
    text_of,
)
from spanbridge.formats.xml_elements import elements, escaped, written

_BEGIN = """<?xml version="1.0" encoding="UTF-8"?>
<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2">
"""
_STATE = "state"  # of the translation


class Xliff(Bitext):
    """Units of a source and its translation; of 2.x each segment of a unit is a row."""

    name = "xliff"
    suffixes = (".xlf", ".xliff")

    def units(self, path: str | Path, how: Reading, counts: Counts) -> Iterator[Unit]:
        """Read the units; other proposals and what stands between segments are left out."""
        languages: list[str | None] = [None, None]
        whole = frozenset({"trans-unit", "unit"})
        for line, element in elements(path, "xliff", whole, frozenset({"xliff", "file"})):
            try:
                if element.tag == "xliff":
                    languages = [element.get("srcLang"), element.get("trgLang")]
                elif element.tag == "file":
                    named = element.get("source-language"), element.get("target-language")
                    languages = [one or other for one, other in zip(named, languages, strict=True)]
                else:
                    read = _old if element.tag == "trans-unit" else _new
                    for identity, keys, texts in read(element, counts):
                        yield line, identity, language_keys(languages) | keys, texts
            except SpanbridgeError as error:
                raise InputError(path, line, str(error)) from error

    @contextmanager
    def open(
        self, path: str | Path, side: Side = "target", *, scores: bool = False
    ) -> Iterator[Write]:
        """Open a file for rows; those of other languages than the row before are a file in it."""
        end = ""
        with atomic_output(path) as out:
            out.write(_BEGIN)
            before: list[str] = []

            def write(pair: SentencePair) -> None:
                nonlocal before, end
                languages, unit = languages_of(pair), _unit(pair)
                if languages != before:
                    named = zip(("source-language", "target-language"), languages, strict=True)
                    about = {"original": "rows", **dict(named), "datatype": "plaintext"}
                    begin = written("file", about, "").removesuffix("</file>")
                    out.write(f"{end}{begin}\n<body>\n")
                before, end = languages, "</body>\n</file>\n"
                out.write(f"{unit}\n")

            yield row_writer(write)
            out.write(f"{end}</xliff>\n")


_Read = Iterator[tuple[str | None, dict[str, Any], list[str]]]


def _old(unit: Element, counts: Counts) -> _Read:
    """The row of a unit of 1.2."""
    keys: dict[str, Any] = {}
    target = unit.find("target")
    if target is not None and (state := target.get(_STATE)):
        keys[_STATE] = state
    for note in unit.iterfind("note"):
        add_key(keys, NOTE, note.text or "")
    for context in unit.iterfind("context-group/context"):
        add_key(keys, context.get("context-type", "context"), context.text or "")
    for prop in unit.iterfind("prop-group/prop"):
        add_key(keys, prop.get("prop-type", "prop"), prop.text or "")
    counts.leave_out("proposals of translations left out", len(unit.findall("alt-trans")))
    yield unit.get("id"), keys, [text_of(one, counts) for one in (unit.find("source"), target)]


def _new(unit: Element, counts: Counts) -> _Read:
    """The rows of the segments of a unit of 2.x."""
    segments = unit.findall("segment")
    between = len(unit.findall("ignorable"))
    counts.leave_out("pieces between segments left out", between)
    shared: dict[str, Any] = {}
    for note in unit.iterfind("notes/note"):
        add_key(shared, NOTE, note.text or "")
    for meta in unit.iterfind("metadata//meta"):
        add_key(shared, meta.get("type", "meta"), meta.text or "")
    for n, segment in enumerate(segments, 1):
        identity = unit.get("id")
        if len(segments) > 1:
            identity = f"{identity}-{segment.get('id', n)}"
        state = segment.get(_STATE)
        keys = shared | ({_STATE: state} if state else {})
        texts = [text_of(segment.find(side), counts) for side in ("source", "target")]
        yield identity, keys, texts


def _unit(pair: SentencePair) -> str:
    """A row as a unit of 1.2."""
    keys = dict(pair.extra)
    for key in language_keys(languages_of(pair)):
        del keys[key]
    source, target = (escaped(text) for text in plain_texts(pair))
    state = keys.pop(_STATE) if isinstance(keys.get(_STATE), str) and keys[_STATE] else None
    notes = [written(NOTE, {}, escaped(note)) for note in notes_of(keys)]
    contexts = []
    for name, value in keys.items():
        kind, text = key_name(name, value)
        contexts.append(written("context", {"context-type": kind}, escaped(text)))
    parts = [
        written("source", {}, source),
        written("target", {_STATE: state} if state else {}, target),
        *([written("context-group", {"name": "keys"}, "".join(contexts))] if contexts else []),
        *notes,
    ]
    unit = {"id": pair.id, "xml:space": "preserve"}
    return written("trans-unit", unit, "\n ".join(["", *parts]) + "\n")
