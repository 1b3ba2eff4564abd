"""TMX, the exchange format of translation memories: units of texts in several languages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree.ElementTree import Element

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.rows import SIDES, SentencePair, Side
from spanbridge.core.signature import package_version
from spanbridge.formats.base import Counts, Reading, Write, enclosed
from spanbridge.formats.bitext import (
    NOTE,
    Bitext,
    Unit,
    count_attributes,
    keys_of,
    language_keys,
    parts_of,
    text_of,
    written_keys,
)
from spanbridge.formats.xml_elements import written

_ANY = "*all*"  # each unit's first text is the source


class Tmx(Bitext):
    """Units of texts in several languages, of which a row holds two.

    The source is in the language that the header names, or that of the first text; the target in
    the next other one of the first unit that has any. Where the header names none (``*all*``), a
    unit of two texts is a row whatever their languages are. ``text_column`` names them, as
    ``en:fr``.
    """

    name = "tmx"
    suffixes = (".tmx",)

    root = "tmx"
    whole, begun = frozenset({"tu"}), frozenset({"header"})

    def units(self, how: Reading, counts: Counts) -> Callable[[Element], Iterator[Unit]]:
        """Read the units; texts in further languages are left out, and counted."""
        chosen = _Languages(how.text_column)

        def read(element: Element) -> Iterator[Unit]:
            if element.tag == "header":
                chosen.begin(element.get("srclang", _ANY))
                return
            count_attributes(element, {"tuid"}, counts)
            for one in element.iterfind("tuv"):
                count_attributes(one, (), counts)
                about = len(one) - len(one.findall("seg"))
                counts.leave_out("notes and properties of single texts left out", about)
            languages, texts = chosen.of(element, counts)
            keys = keys_of(element, language_keys(languages), ("prop", "type"), (NOTE, ""))
            yield element.get("tuid"), keys, texts

        return read

    @contextmanager
    def open(
        self, path: str | Path, side: Side = "target", *, scores: bool = False
    ) -> Iterator[Write]:
        """Open a file for rows."""
        about = {
            "creationtool": "spanbridge",
            "creationtoolversion": package_version(),
            "segtype": "sentence",
            "o-tmf": "spanbridge",
            "adminlang": "en",
            "srclang": _ANY,
            "datatype": "plaintext",
        }
        begin = '<?xml version="1.0" encoding="UTF-8"?>\n<tmx version="1.4">\n'
        begin += f"{written('header', about)}\n<body>"
        with enclosed(path, begin, "", "</body>\n</tmx>", _unit) as write:
            yield write


def _unit(pair: SentencePair) -> str:
    """A row as a unit."""
    languages, texts, keys, notes = parts_of(pair)
    segments = [
        written("tuv", {"xml:lang": language}, written("seg", {}, text))
        for language, text in zip(languages, texts, strict=True)
    ]
    parts = ["", *notes, *written_keys(keys, "prop", "type"), *segments]
    return written("tu", {"tuid": pair.id}, "\n ".join(parts) + "\n")


class _Languages:
    """The two languages of a file.

    Args:
        asked: both, as ``en:fr``; None to go by the file.
    """

    def __init__(self, asked: str | None) -> None:
        self._asked = asked is not None
        self._any = not self._asked  # two texts are a row, whatever their languages are
        self._both: list[str | None] = [None, None]
        if asked is not None:
            self._both = [name.strip() or None for name in asked.split(":")]
            if len(self._both) != 2 or None in self._both:
                raise SpanbridgeError(
                    f"the text column is {asked!r}; of TMX name two languages, such as en:fr"
                )

    def begin(self, source: str) -> None:
        """Take the source's language from the header."""
        if not self._asked and source.lower() != _ANY:
            self._both[0], self._any = source, False

    def of(self, unit: Element, counts: Counts) -> tuple[list[str | None], list[str]]:
        """The languages of both sides of a unit, and their texts."""
        left = [(one.get("lang", ""), one.find("seg")) for one in unit.iterfind("tuv")]
        chosen: list[tuple[str | None, Element | None]] = []
        both = [None, None] if self._any and len(left) == len(SIDES) else self._both
        for n, wanted in enumerate(both):
            fit = [one for one in left if _is(one[0], wanted)]
            if n and wanted is None:  # rather another language than a second text of the first
                fit.sort(key=lambda one: _is(one[0], chosen[0][0]))
            found = next(iter(fit), None)
            if found is None:
                counts.leave_out(f"units without a text in {wanted or 'another language'}")
                chosen.append((wanted, None))
                continue
            left.remove(found)
            chosen.append(found)
            self._both[n] = self._both[n] or found[0]
        for language, _ in left:
            counts.leave_out(f"texts in further languages left out ({language or 'none named'})")
        return [one for one, _ in chosen], [text_of(text, counts) for _, text in chosen]


def _is(language: str, wanted: str | None) -> bool:
    """Check if a language is the wanted one, or a variety of it; any is if none is wanted."""
    if wanted is None:
        return True
    one, other = (name.lower().replace("_", "-") for name in (language, wanted))
    return one == other or one.startswith(f"{other}-")
