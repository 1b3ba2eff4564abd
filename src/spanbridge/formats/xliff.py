"""XLIFF, the exchange format of translators: 1.2 and 2.x are read, 1.2 is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree.ElementTree import Element

from spanbridge.core.files import atomic_output
from spanbridge.core.rows import SentencePair, Side
from spanbridge.formats.base import Counts, Reading, Write, row_writer
from spanbridge.formats.bitext import (
    NOTE,
    Bitext,
    Unit,
    count_attributes,
    keys_of,
    language_keys,
    languages_of,
    parts_of,
    text_of,
    written_keys,
)
from spanbridge.formats.xml_elements import written

_BEGIN = """<?xml version="1.0" encoding="UTF-8"?>
<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2">
"""
_STATE = "state"  # of the translation


class Xliff(Bitext):
    """Units of a source and its translation; of 2.x each segment of a unit is a row."""

    name = "xliff"
    suffixes = (".xlf", ".xliff")

    root = "xliff"
    whole, begun = frozenset({"trans-unit", "unit"}), frozenset({"xliff", "file"})

    def units(self, how: Reading, counts: Counts) -> Callable[[Element], Iterator[Unit]]:
        """Read the units; other proposals and what stands between segments are left out."""
        languages: list[str | None] = [None, None]

        def read(element: Element) -> Iterator[Unit]:
            nonlocal languages
            if element.tag == "xliff":
                languages = [element.get("srcLang"), element.get("trgLang")]
            elif element.tag == "file":
                named = element.get("source-language"), element.get("target-language")
                languages = [one or other for one, other in zip(named, languages, strict=True)]
            else:
                found = _old if element.tag == "trans-unit" else _new
                for identity, keys, texts in found(element, counts):
                    yield identity, language_keys(languages) | keys, texts

        return read

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


def _old(unit: Element, counts: Counts) -> Iterator[Unit]:
    """The row of a unit of 1.2."""
    target = unit.find("target")
    state = None if target is None else target.get(_STATE)
    groups = ("context-group/context", "context-type"), ("prop-group/prop", "prop-type")
    keys = keys_of(unit, {_STATE: state} if state else {}, (NOTE, ""), *groups)
    count_attributes(unit, {"id"}, counts)
    count_attributes(target, {_STATE}, counts)
    counts.leave_out("proposals of translations left out", len(unit.findall("alt-trans")))
    yield unit.get("id"), keys, [text_of(one, counts) for one in (unit.find("source"), target)]


def _new(unit: Element, counts: Counts) -> Iterator[Unit]:
    """The rows of the segments of a unit of 2.x."""
    segments = unit.findall("segment")
    between = len(unit.findall("ignorable"))
    counts.leave_out("pieces between segments left out", between)
    shared = keys_of(unit, {}, (f"notes/{NOTE}", ""), ("metadata//meta", "type"))
    count_attributes(unit, {"id"}, counts)
    for n, segment in enumerate(segments, 1):
        count_attributes(segment, {"id", _STATE}, counts)
        identity = unit.get("id")
        if len(segments) > 1:
            identity = f"{identity}-{segment.get('id', n)}"
        state = segment.get(_STATE)
        keys = shared | ({_STATE: state} if state else {})
        texts = [text_of(segment.find(side), counts) for side in ("source", "target")]
        yield identity, keys, texts


def _unit(pair: SentencePair) -> str:
    """A row as a unit of 1.2."""
    _, (source, target), keys, notes = parts_of(pair)
    state = keys.pop(_STATE) if isinstance(keys.get(_STATE), str) and keys[_STATE] else None
    contexts = "".join(written_keys(keys, "context", "context-type"))
    parts = [
        "",
        written("source", {}, source),
        written("target", {_STATE: state} if state else {}, target),
        *([written("context-group", {"name": "keys"}, contexts)] if contexts else []),
        *notes,
    ]
    unit = {"id": pair.id, "xml:space": "preserve"}
    return written("trans-unit", unit, "\n ".join(parts) + "\n")
