"""XML read one element after the other: no entities are expanded, and nothing is fetched."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat
from xml.sax.saxutils import escape

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import LONGEST, reading

_BLOCK = 1 << 16
_DEEPEST = 100
# What an XML file cannot hold, not even escaped.
_NO_CHARACTER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_ESCAPES = {"\r": "&#13;"}  # a bare one would be read as a line end
_ESCAPES_OF_VALUES = {**_ESCAPES, '"': "&quot;", "\n": "&#10;", "\t": "&#9;"}


def elements(
    path: str | Path, root: str, whole: frozenset[str], begun: frozenset[str] = frozenset()
) -> Iterator[tuple[int, Element]]:
    """Read certain elements of a file, in constant memory; their names are without namespaces.

    Args:
        path: the file, of any encoding that its first line names.
        root: name of the outermost element.
        whole: names of the elements that are read with all that is in them.
        begun: names of elements of which only the attributes are read, where they begin.

    Yields:
        The 1-based number of the line on which each element begins, and the element.

    Raises:
        InputError: it is no XML of that root; or it declares or uses entities, is nested more than
            100 levels deep, or has an element of more than ``LONGEST`` characters.
    """
    reader = _Reader(path, root, whole, begun)
    with reading(path) as file:
        while data := file.read(_BLOCK):
            yield from reader.feed(data)
    yield from reader.feed(b"", last=True)


class _Reader:
    """State of a parser: the elements that are finished, and the one that is being built."""

    def __init__(
        self, path: str | Path, root: str, whole: frozenset[str], begun: frozenset[str]
    ) -> None:
        self._path, self._root, self._whole, self._begun = path, root, whole, begun
        self._done: list[tuple[int, Element]] = []
        self._depth = self._length = self._first = 0
        self._inside = 0  # depth within the element that is being built; 0 for none
        self._builder = TreeBuilder()
        parser = self._parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.EntityDeclHandler = self._refuse
        parser.SkippedEntityHandler = self._refuse
        parser.ExternalEntityRefHandler = self._refuse

    def feed(self, data: bytes, last: bool = False) -> list[tuple[int, Element]]:
        """Parse a block; returns what was finished in it."""
        try:
            self._parser.Parse(data, last)
        except expat.ExpatError as error:
            why = f"is no XML ({expat.ErrorString(error.code)}, column {error.offset + 1})"
            raise InputError(self._path, error.lineno, f"{why}; export it again") from error
        except (ValueError, LookupError) as error:  # an encoding that the parser does not know
            raise InputError(self._path, 1, f"is no XML ({error}); save it as UTF-8") from error
        done, self._done = self._done, []
        return done

    def _fail(self, why: str) -> NoReturn:
        raise InputError(self._path, self._parser.CurrentLineNumber, why)

    def _refuse(self, *declared: Any) -> NoReturn:
        self._fail("declares or uses entities, which are not read; write their text in their place")

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        bare = _bare(name)
        if not self._depth and bare != self._root:
            self._fail(f"is XML of <{bare}>; this format begins with <{self._root}>")
        self._depth += 1
        if self._depth > _DEEPEST:
            self._fail(f"is nested more than {_DEEPEST} levels deep")
        given = {_bare(key): value for key, value in attributes.items()}
        if bare in self._begun and not self._inside:
            self._done.append((self._parser.CurrentLineNumber, Element(bare, given)))
        if self._inside or bare in self._whole:
            if not self._inside:
                self._builder, self._length = TreeBuilder(), 0
                self._first = self._parser.CurrentLineNumber
            self._inside += 1
            self._length += sum(map(len, given.values()))
            self._builder.start(bare, given)

    def _end(self, name: str) -> None:
        self._depth -= 1
        if not self._inside:
            return
        self._inside -= 1
        self._builder.end(_bare(name))
        if not self._inside:
            self._done.append((self._first, self._builder.close()))

    def _text(self, text: str) -> None:
        if not self._inside:
            return
        self._length += len(text)
        if self._length > LONGEST:
            self._fail(f"the element is longer than {LONGEST} characters; cut its text")
        self._builder.data(text)


def _bare(name: str) -> str:
    """A name without its namespace."""
    return name.rpartition(" ")[2]


def written(name: str, attributes: Mapping[str, str], inside: str | None = None) -> str:
    """An element as XML, around what is XML already; see :func:`escaped` for texts."""
    given = "".join(
        f' {key}="{escaped(value, _ESCAPES_OF_VALUES)}"' for key, value in attributes.items()
    )
    return f"<{name}{given}/>" if inside is None else f"<{name}{given}>{inside}</{name}>"


def escaped(text: str, escapes: Mapping[str, str] = _ESCAPES) -> str:
    """A text as XML. Raises SpanbridgeError if it holds what XML cannot hold."""
    if bad := _NO_CHARACTER.search(text):
        raise SpanbridgeError(f"the character U+{ord(bad[0]):04X} cannot be held by XML")
    return escape(text, dict(escapes))
