"""Translated manuals whose markup stands in both languages: spans that translators projected.

GNOME's help (Mallard, one folder per language) and the Debian Administrator's Handbook (XHTML) are
translated block by block, and translators keep inline elements (`<gui>`, `<link>`, `<em>`). An
element of a block thus is a span on both sides, projected by the person who wrote the translation
(as in Hashimoto et al. 2019, "A High-Quality Multilingual Dataset for Structured Documentation
Translation").
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

Element = ElementTree.Element
# A named entity that XML does not know.
_ENTITY = re.compile(r"&(?!amp;|lt;|gt;|quot;|apos;|#)(\w+);")
_SPACE = re.compile(r"\s+")
# Spans of nearly the whole block say nothing of alignment.
MAX_SHARE = 0.8
# A block with more words in common than this was not translated.
MAX_COPIED = 0.5


class Marked(NamedTuple):
    """A span of both texts, in characters."""

    source_start: int
    source_end: int
    target_start: int
    target_end: int


class Block(NamedTuple):
    """A block in English and in another language, and the spans that are marked in both."""

    source: str
    target: str
    spans: tuple[Marked, ...]


class _Inline(NamedTuple):
    """An inline element: its path and identifying attributes, and its range of characters."""

    kind: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True)
class Manual:
    """A manual in several languages.

    Attributes:
        inline: names of elements that stand inside of text.
        blocks: names of elements that hold text; empty for any that does.
        suffix: of the files.
        english: name of the folder of the original; other languages' folders lie beside it.
        identified_by: attributes that tell elements of one name apart.
    """

    inline: frozenset[str]
    blocks: frozenset[str]
    suffix: str
    english: str
    identified_by: tuple[str, ...] = ()

    def read(self, folder: Path, language: str) -> Iterator[Block]:
        """Blocks that are translated, each once."""
        seen: set[tuple[str, str]] = set()
        for file in sorted((folder / self.english).rglob(f"*{self.suffix}")):
            other = folder / language / file.relative_to(folder / self.english)
            trees = _parse(file), _parse(other) if other.exists() else None
            if trees[0] is None or trees[1] is None:
                continue
            for one, two in self._in_step(trees[0], trees[1]):
                block = self._block(one, two)
                if block is not None and block[:2] not in seen:
                    seen.add(block[:2])
                    yield block

    def _in_step(self, one: Element, two: Element) -> Iterator[tuple[Element, Element]]:
        """Elements with text at the same place of both trees, as far as these are alike."""
        if self._has_text(one):
            yield one, two
            return
        children = [[c for c in tree if not _is_anchor(c)] for tree in (one, two)]
        if [_name(c) for c in children[0]] == [_name(c) for c in children[1]]:
            for pair in zip(*children, strict=True):
                yield from self._in_step(*pair)

    def _has_text(self, element: Element) -> bool:
        if self.blocks:
            name = _name(element)
            return name in self.blocks or (name == "div" and element.get("class") == "para")
        if _name(element) in self.inline:
            return False
        tails = any((child.tail or "").strip() for child in element)
        return bool((element.text or "").strip()) or tails

    def _block(self, one: Element, two: Element) -> Block | None:
        flat = self._flat(one), self._flat(two)
        if flat[0] is None or flat[1] is None:
            return None
        (source, sources), (target, targets) = flat[0], flat[1]
        words = set(source.split())
        if len(words & set(target.split())) > MAX_COPIED * len(words):
            return None
        counts = Counter(s.kind for s in sources), Counter(t.kind for t in targets)
        places = {t.kind: t for t in targets}
        spans = []
        for found in sources:
            if not counts[0][found.kind] == counts[1][found.kind] == 1:
                continue  # which of them is which is not known
            marked = Marked(
                *_trimmed(source, found.start, found.end),
                *_trimmed(target, places[found.kind].start, places[found.kind].end),
            )
            a, b = source[marked[0] : marked[1]], target[marked[2] : marked[3]]
            if a and b and a != b and len(a) < MAX_SHARE * len(source):
                spans.append(marked)
        return Block(source, target, tuple(dict.fromkeys(spans)))

    def _flat(self, element: Element) -> tuple[str, list[_Inline]] | None:
        """Text of a block with single spaces, and its inline elements; None if it holds blocks."""
        parts: list[str] = []
        found: list[_Inline] = []
        length = 0

        def add(text: str | None) -> None:
            nonlocal length
            text = _SPACE.sub(" ", text or "")
            if text.startswith(" ") and (not parts or parts[-1].endswith(" ")):
                text = text[1:]
            if text:
                parts.append(text)
                length += len(text)

        def walk(here: Element, path: tuple[str, ...]) -> bool:
            add(here.text)
            for child in here:
                name = _name(child)
                if name is None or name not in self.inline:
                    return False
                inside = (*path, name)
                start = length
                if not walk(child, inside):
                    return False
                attributes = tuple(f"{k}={child.get(k)}" for k in self.identified_by)
                found.append(_Inline((*inside, *attributes), start, length))
                add(child.tail)
            return True

        return ("".join(parts).rstrip(), found) if walk(element, ()) else None


def _parse(file: Path) -> Element | None:
    text = _ENTITY.sub(lambda m: html.unescape(m[0]), file.read_text("utf-8"))
    try:
        return ElementTree.fromstring(text)  # noqa: S314 - of a package that Debian signed
    except ElementTree.ParseError:
        return None


def _name(element: Element) -> str | None:
    """Name without namespace; None for comments."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else None


def _is_anchor(element: Element) -> bool:
    """Check if an element is a comment, or a link target without text."""
    return _name(element) in (None, "a") and not "".join(element.itertext()).strip()


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    inside = text[start:end]
    return (
        start + len(inside) - len(inside.lstrip()),
        start + len(inside.rstrip()),
    )


_GNOME_INLINE = "gui guiseq key keyseq app link em file cmd input output sys span code var"
GNOME = Manual(
    frozenset(_GNOME_INLINE.split()), frozenset(), ".page", "C", ("href", "xref", "style")
)
_XHTML_INLINE = "a span code em strong acronym sup sub q i b tt kbd samp var cite abbr"
HANDBOOK = Manual(
    frozenset(_XHTML_INLINE.split()),
    frozenset(["p", "td", "dt", "h1", "h2", "h3", "h4"]),
    ".html",
    "en-US",
    ("href", "class"),
)
