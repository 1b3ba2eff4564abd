"""Align and project a stream of sentence pairs; memory stays bounded by the chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

from spanbridge.align.base import Aligner
from spanbridge.core.errors import RowError
from spanbridge.core.links import WordAlignment
from spanbridge.core.spans import SentencePair, Span
from spanbridge.pipeline.account import PROJECTED, REJECTED, Account
from spanbridge.project.projector import Projector

T = TypeVar("T")
# Enough pairs for batches of equal length to fill, few enough for a progress bar that moves;
# results do not depend on it.
CHUNK = 512


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Consecutive lists of at most ``size`` items."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def align_pairs(
    open_pairs: Callable[[], Iterable[SentencePair]], aligner: Aligner, chunk: int = CHUNK
) -> Iterator[tuple[SentencePair, WordAlignment | RowError]]:
    """Links for every pair, in order; pairs that bring links keep theirs.

    Args:
        open_pairs: starts reading the bitext; called twice if the aligner must be fitted first.
        aligner: finds the links.
        chunk: pairs read and aligned at a time.
    """
    if aligner.needs_fit:
        aligner.fit(open_pairs())
    for rows in chunks(open_pairs(), chunk):
        missing = [pair for pair in rows if pair.links is None]
        found = iter(list(zip(missing, aligner.align(missing), strict=True)))
        for pair in rows:
            yield next(found) if pair.links is None else (pair, pair.links)


def given_links(
    pairs: Iterable[SentencePair],
) -> Iterator[tuple[SentencePair, WordAlignment | RowError]]:
    """For bitexts that bring their links; a row without is rejected."""
    for pair in pairs:
        yield pair, pair.links or RowError("no links given, and no aligner asked for")


def project_pairs(
    linked: Iterable[tuple[SentencePair, WordAlignment | RowError]],
    projector: Projector,
    account: Account,
) -> Iterator[SentencePair]:
    """Project every pair's source spans onto its target; every row comes out, with its status."""
    for pair, links in linked:
        spans: tuple[Span, ...] = ()
        dropped: tuple[tuple[Span, str], ...] = ()
        if isinstance(links, RowError):
            status = f"{REJECTED}{links}"
            dropped = tuple((span, "row rejected") for span in pair.source.spans)
        elif not pair.source.spans:
            status = "empty: no source span"
        elif not pair.target.words:
            status = "empty: no target word"
            dropped = tuple((span, "no target word") for span in pair.source.spans)
        else:
            result = projector.project(pair.source.spans, links)
            spans, dropped = result.spans, result.dropped
            status = PROJECTED if spans else f"empty: {dropped[0][1]}"
        done = SentencePair(
            pair.id,
            pair.source,
            pair.target.with_spans(spans),
            None if isinstance(links, RowError) else links,
            status,
            pair.extra,
        )
        account.add(done, status, dropped)
        yield done
