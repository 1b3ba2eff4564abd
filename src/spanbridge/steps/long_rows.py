"""Work on long rows part by part: cutting, and putting results together again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from spanbridge.alignment.base import Aligner
from spanbridge.alignment.cutting import LONG, Part, parts
from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SentencePair
from spanbridge.core.soft_alignment import MAX_CELLS
from spanbridge.core.spans import Span
from spanbridge.projection.method import Projection
from spanbridge.steps.base import CHUNK

# Rows, words and cells of rows that are worked on at the same time, at most. Sentences reach none
# but the first.
MAX_ROWS, MAX_WORDS = CHUNK, 2**16
# Rows of usual length that are learned from in any case, or documents with as many words.
MIN_LEARNED = 5000


def batches(rows: Iterable[SentencePair]) -> Iterator[list[SentencePair]]:
    """Consecutive lists of rows that fit in memory; a row above the limits is a list of its own."""
    batch: list[SentencePair] = []
    n_words = n_cells = 0
    for row in rows:
        n, m = len(row.source.words), len(row.target.words)
        n_words, n_cells = n_words + n + m, n_cells + n * m
        if batch and (len(batch) == MAX_ROWS or n_words > MAX_WORDS or n_cells > MAX_CELLS):
            yield batch
            batch, n_words, n_cells = [], n + m, n * m
        batch.append(row)
    if batch:
        yield batch


def in_parts(rows: Sequence[SentencePair], aligner: Aligner | None) -> Iterator[SentencePair]:
    """The parts of rows, as pairs to learn from; of documents, those of so many that fit in memory.

    Documents are left out, evenly, where all rows have more than ``LONG`` words on average and
    ``MIN_LEARNED`` times that together.
    """
    n_words = sum(max(len(row.source.words), len(row.target.words)) for row in rows)
    most = LONG * max(len(rows), MIN_LEARNED)
    kept = len(rows) if n_words <= most else max(1, len(rows) * most // n_words)
    for n in range(kept):
        yield from (part.pair for part in parts(rows[n * len(rows) // kept], aligner))


def labelled_parts(row: SentencePair, aligner: Aligner | None) -> Iterator[SentencePair]:
    """The parts of a row, each with the target's spans that lie in it."""
    for part, _, start in parts(row, aligner):
        end = start + len(part.target.words)
        inside = (span for span in row.target.spans if start <= span.start and span.end <= end)
        spans = tuple(_shifted(span, -start) for span in inside)
        yield part.replace(target=part.target.with_spans(spans))


def joined_links(
    row: SentencePair, cuts: Sequence[Part], found: Sequence[WordAlignment | None]
) -> WordAlignment:
    """The links of a row, from those of its parts."""
    pairs: list[tuple[int, int]] = []
    scores: list[float] = []
    for (_, i, j), links in zip(cuts, found, strict=True):
        if links is not None:
            pairs += ((i + a, j + b) for a, b in links.pairs)
            scores += links.scores or ()
    whole = scores if len(scores) == len(pairs) else None
    return WordAlignment.of(pairs, len(row.source.words), len(row.target.words), whole)


def joined_projections(cuts: Sequence[Part], found: Sequence[Projection]) -> Projection:
    """The projection of a row, from those of its parts."""
    whole = [_moved(part, one) for part, one in zip(cuts, found, strict=True)]
    order = sorted(range(len(cuts)), key=lambda n: cuts[n].target_start)
    return Projection(
        tuple(span for n in order for span in whole[n].spans),
        tuple(item for one in whole for item in one.dropped),
        tuple(span for n in order for span in whole[n].origins),
        tuple(score for n in order for score in whole[n].raw_scores),
        lambda _, least: _explained(found, least),
    )


def _moved(part: Part, of: Projection) -> Projection:
    """A part's projection, with the places of the row."""
    # an origin of several spans stays one and the same
    origins = {id(span): _shifted(span, part.source_start) for span in of.origins}
    return Projection(
        tuple(_shifted(span, part.target_start) for span in of.spans),
        tuple((_shifted(span, part.source_start), reason) for span, reason in of.dropped),
        tuple(origins[id(span)] for span in of.origins),
        of.raw_scores,
    )


def _shifted(span: Span, by: int) -> Span:
    return span._replace(start=span.start + by, end=span.end + by)


def _explained(found: Sequence[Projection], least: float) -> Iterator[str]:
    for one in found:
        if one.explain is not None:
            yield from one.explain(one.with_source_scores(), least)
