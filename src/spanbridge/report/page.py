"""Write the page: one HTML file that needs no network and shows a result, row by row.

The file is a shell (``page.html``) with a style and a script, and the rows, as JSON that is packed
(zlib, base64) in blocks. So nothing of the input but the title is ever read as HTML, and 100,000
rows still make a file that opens.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, TextIO

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence
from spanbridge.report.palette import colour
from spanbridge.report.rows import Numbers, row_values, with_gold
from spanbridge.report.shell import Shell, texts
from spanbridge.report.tally import Tally, shown_status
from spanbridge.report.verdicts import AGAINST_GOLD, Words

LOW_SCORE = 0.5  # below it a span is drawn as doubtful
_BLOCK = 2000  # rows that are packed together
_PACKAGE = "spanbridge.report"
# In this order, in one scope; the first three are those of the review, too.
_SCRIPTS = (
    *("elements.js", "sentences.js", "lines.js"),
    *("data.js", "filters.js", "rows.js", "links.js", "page.js"),
)
_NAMES = 3  # documents that the usual title names


@dataclass(frozen=True)
class Document:
    """One tab of the page: the rows of a language, a file or a method.

    Attributes:
        name: title of the tab.
        pairs: the rows; read once.
        signature: the line that reproduces the result, if there is one.
        gold: the target sentences with gold spans, one per pair, if known.
        has_source: False if only the target sentences are known.
        calibration: what its confidences are known to hold for, as its account says.
        subject, reference: what the target's spans and the gold ones are called on the page.
    """

    name: str
    pairs: Iterable[SentencePair]
    signature: str | None = None
    gold: Iterable[Sentence] | None = None
    has_source: bool = True
    calibration: str | None = None
    subject: str = "spans"
    reference: str = "gold"


def write_page(
    out: TextIO,
    documents: Sequence[Document],
    *,
    title: str | None = None,
    words: Words = AGAINST_GOLD,
) -> None:
    """Write documents as one self-contained HTML page; the same input gives the same bytes.

    Args:
        out: output, opened as UTF-8.
        documents: one tab each, in order.
        title: the page's heading; None for the names of the documents.
        words: what it calls what it finds by comparison with the gold spans.

    Raises:
        SpanbridgeError: gold and pairs do not match row by row.
    """
    shell = Shell(
        _title(documents) if title is None else title,
        texts(_PACKAGE, "shared.css", "style.css"),
        texts(_PACKAGE, *_SCRIPTS),
    )
    head, tail = map(shell.fill, texts(_PACKAGE, "page.html").split("$data"))
    out.write(head)
    labels, statuses = Numbers(), Numbers()
    told = []
    for n, document in enumerate(documents):
        tally = Tally()
        for block in _blocks(_rows(document, tally, labels, statuses)):
            out.write(_element(f"rows-{n}", block))
        told.append(_summary(document, tally, labels))
    summary = {
        "low": LOW_SCORE,
        **words._asdict(),
        "labels": [{"name": label, "colour": colour(label)} for label in labels],
        "statuses": list(statuses),
        "documents": told,
    }
    out.write(_element("summary", summary))
    out.write(tail)


def _title(documents: Sequence[Document]) -> str:
    named = ", ".join(document.name for document in documents[:_NAMES])
    more = len(documents) - _NAMES
    return f"{named} and {more} more" if more > 0 else named or "No documents"


def _rows(
    document: Document, tally: Tally, labels: Numbers, statuses: Numbers
) -> Iterator[dict[str, Any]]:
    for pair, gold in _with_gold(document):
        judged = None
        if gold is not None:
            pair, gold, judged = with_gold(pair, gold)
        tally.add(pair, gold, judged or ())
        status = statuses[shown_status(pair)]
        yield row_values(pair, judged, status, labels, document.has_source)


def _with_gold(document: Document) -> Iterator[tuple[SentencePair, Sentence | None]]:
    if document.gold is None:
        yield from ((pair, None) for pair in document.pairs)
        return
    for n, (pair, gold) in enumerate(zip_longest(document.pairs, document.gold)):
        if pair is None or gold is None:
            more, fewer = ("gold sentences", "pairs") if pair is None else ("pairs", "gold")
            raise SpanbridgeError(
                f"document {document.name!r} has more {more} than {fewer}, which end after row "
                f"{n}; give one gold sentence per pair, in the same order"
            )
        yield pair, gold


def _summary(document: Document, tally: Tally, labels: Numbers) -> dict[str, Any]:
    has_gold = document.gold is not None
    return {
        "name": document.name,
        "signature": document.signature,
        "calibration": document.calibration,
        "source": document.has_source and tally.any_source,
        "gold": has_gold,
        "subject": document.subject,
        "reference": document.reference,
        # given labels are shown as such, not as somebody's result
        "given": not (tally.any_result or has_gold or document.signature),
        **tally.values(labels, has_gold),
    }


def _blocks(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    block = []
    for row in rows:
        block.append(row)
        if len(block) == _BLOCK:
            yield block
            block = []
    if block:
        yield block


def _element(name: str, value: object) -> str:
    """Data for the script, in characters that mean nothing in HTML."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    packed = base64.b64encode(zlib.compress(text.encode("utf-8", "replace"))).decode()
    return f'<script type="text/plain" class="{name}">{packed}</script>\n'
