"""What the samples are made with."""

from __future__ import annotations

import base64
import io
import json
import re
import zlib
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


def unpacked(page: str) -> tuple[dict[str, Any], list[list[dict[str, Any]]]]:
    """The summary and each document's rows, as the page's script unpacks them."""
    found: dict[str, list[Any]] = {}
    for name, packed in re.findall('<script type="text/plain" class="(.*?)">(.*?)</script>', page):
        found.setdefault(name, []).append(json.loads(zlib.decompress(base64.b64decode(packed))))
    (summary,) = found.pop("summary")
    documents = range(len(summary["documents"]))
    return summary, [
        [row for block in found.get(f"rows-{n}", ()) for row in block] for n in documents
    ]


def shown_text(page: str) -> str:
    """All that a page holds, as JSON text."""
    return json.dumps(unpacked(page), ensure_ascii=False)
