"""What the samples are made with."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.report.page import Document, write_page


def split(text: str) -> tuple[str, ...]:
    """Words of a text, so that samples stay readable."""
    return tuple(text.split())


ENGLISH = Sentence(
    split("Angela Merkel met the board of Siemens in Berlin on Monday ."),
    (Span(0, 2, "PER"), Span(6, 7, "ORG"), Span(8, 9, "LOC")),
)


def spaceless(words: Sequence[str], spans: tuple[Span, ...]) -> Sentence:
    """A sentence whose raw text has no spaces, as Chinese writes it."""
    ends = [len("".join(words[: i + 1])) for i in range(len(words))]
    offsets = tuple(zip([0, *ends[:-1]], ends, strict=True))
    return Sentence(tuple(words), spans, "".join(words), offsets)


def linked(id_: str, target: Sentence, ends: str, status: str = "projected") -> SentencePair:
    """A pair of the English sentence with a target; ``ends`` as ``0-1 1-0``."""
    pairs = [(int(i), int(j)) for i, _, j in (end.partition("-") for end in ends.split())]
    scores = [0.95 - 0.06 * n for n in range(len(pairs))]
    links = WordAlignment.of(pairs, len(ENGLISH.words), len(target.words), scores)
    return SentencePair(id_, ENGLISH, target, links, status)


def render(documents: Sequence[Document], **options: Any) -> str:
    """The page as a string."""
    out = io.StringIO()
    write_page(out, documents, **options)
    return out.getvalue()
