"""Write the page: one HTML file that needs no network and shows the result of projection."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import zip_longest
from typing import TextIO

import jinja2

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence
from spanbridge.formats.tokens import in_same_words
from spanbridge.report.drawing import LOW_SCORE, Row, Tally, judge_pair, row_view
from spanbridge.report.verdicts import VERDICTS

N_COLOURS = 16  # the number that style.html defines; further labels share colours
_MAX_REASONS = 12


@dataclass(frozen=True)
class Document:
    """One tab of the page: the rows of a language, a file or a method.

    Attributes:
        name: title of the tab and of its heading.
        pairs: the rows; read once, only the first ``max_rows`` are kept.
        signature: the line that reproduces the result, if there is one.
        gold: the target sentences with gold spans, one per pair, if known.
        has_source: False if only the target sentences are known.
    """

    name: str
    pairs: Iterable[SentencePair]
    signature: str | None = None
    gold: Iterable[Sentence] | None = None
    has_source: bool = True


@dataclass(frozen=True, slots=True)
class _Panel:
    name: str
    signature: str | None
    has_source: bool
    has_gold: bool
    tally: Tally
    rows: list[Row]


def write_page(
    out: TextIO,
    documents: Sequence[Document],
    *,
    title: str = "Projected spans",
    max_rows: int = 500,
) -> None:
    """Write documents as one self-contained HTML page; the same input gives the same bytes.

    Args:
        out: output, opened as UTF-8.
        documents: one tab each, in order.
        title: the page's heading.
        max_rows: rows shown per document; all are counted, and the page says how many are not
            shown.

    Raises:
        SpanbridgeError: gold and pairs do not match row by row, or ``max_rows`` is negative.
    """
    if max_rows < 0:
        raise SpanbridgeError(f"max_rows is {max_rows}; give 0 or more")
    panels = [_panel(document, max_rows) for document in documents]
    labels = sorted(set().union(*(panel.tally.all_labels() for panel in panels)))
    context = {
        "title": title,
        "panels": panels,
        "label_ids": {label: i for i, label in enumerate(labels)},
        "statuses": _status_options(panels),
        "any_gold": any(panel.has_gold for panel in panels),
        "any_links": any(row.links for panel in panels for row in panel.rows),
        "any_score": any(
            token.mark is not None and token.mark.score is not None
            for panel in panels
            for row in panel.rows
            for token in row.target.tokens
        ),
        "verdicts": VERDICTS,
        "low_score": LOW_SCORE,
        "n_colours": N_COLOURS,
        "max_reasons": _MAX_REASONS,
        "script_hash": _hash("script.html"),
        "style_hash": _hash("style.html"),
    }
    out.writelines(_environment().get_template("page.html").generate(context))


def _panel(document: Document, max_rows: int) -> _Panel:
    tally = Tally()
    rows: list[Row] = []
    for pair, gold in _with_gold(document):
        if gold is not None:
            pair, gold = _in_same_words(pair, gold)
        judged = None if gold is None else judge_pair(pair, gold)
        tally.add(pair, gold, judged or ())
        if len(rows) < max_rows:
            rows.append(row_view(pair, judged, document.has_source))
    has_gold = document.gold is not None
    return _Panel(document.name, document.signature, document.has_source, has_gold, tally, rows)


def _in_same_words(pair: SentencePair, gold: Sentence) -> tuple[SentencePair, Sentence]:
    """A pair and its gold target over the same words; links go to every part of a split word."""
    target, gold = in_same_words(pair.target, gold)
    links = pair.links
    if target is pair.target or links is None or not (pair.target.offsets and target.offsets):
        return pair._replace(target=target), gold
    parts = [
        [n for n, (a, b) in enumerate(target.offsets) if start <= a and b <= end]
        for start, end in pair.target.offsets
    ]
    given = links.scores or [None] * len(links.pairs)
    moved = {(i, n): p for (i, j), p in zip(links.pairs, given, strict=True) for n in parts[j]}
    scores = None if links.scores is None else [p for p in moved.values() if p is not None]
    made = WordAlignment.of(list(moved), links.n_source, len(target.words), scores)
    return pair._replace(target=target, links=made), gold


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


def _status_options(panels: Iterable[_Panel]) -> list[str]:
    """Statuses to filter by: those without reasons, then the most common reasons."""
    tally = Tally()
    for panel in panels:
        tally.statuses.update(panel.tally.statuses)
    reasons = tally.reasons()[:_MAX_REASONS]
    return [head for head, _ in tally.heads()] + sorted(reason for reason, _ in reasons)


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_read),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["count"] = lambda number: f"{number:,}"
    environment.filters["score"] = lambda number: f"{number:.2f}"
    return environment


def _read(name: str) -> str:
    return files("spanbridge.report").joinpath(name).read_text(encoding="utf-8")


def _hash(name: str) -> str:
    """Hash of a fragment's only inline element, for the Content-Security-Policy."""
    text = _read(name)
    body = text[text.index(">") + 1 : text.rindex("</")]
    return "sha256-" + base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
