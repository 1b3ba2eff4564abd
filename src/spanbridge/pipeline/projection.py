"""Align and project a stream of sentence pairs; memory stays bounded by the chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import TypeVar

from spanbridge.align.base import Aligner
from spanbridge.core.errors import RowError, SpanbridgeError
from spanbridge.core.evidence import Evidence
from spanbridge.core.links import WordAlignment
from spanbridge.core.spans import SentencePair, Span
from spanbridge.pipeline.account import PROJECTED, REJECTED, Account
from spanbridge.project.confidence import CALIBRATIONS, of_sentence
from spanbridge.project.explain import explain
from spanbridge.project.projector import Projection, Projector
from spanbridge.project.soft import CorpusProjector, SoftProjector

T = TypeVar("T")
Found = WordAlignment | Evidence | RowError
Method = Projector | SoftProjector
OpenPairs = Callable[[], Iterable[SentencePair]]
# Enough pairs for batches of equal length to fill, few enough for a progress bar that moves;
# results do not depend on it.
CHUNK = 512
# Pairs that statistics are learned from, spread evenly over the bitext: what bounds memory.
FIT_PAIRS = 5000
# Least evidence for a link that is only shown.
SHOWN = 0.45

# Which aligner serves a method unless another is asked for.
_ALIGNERS = {"corpus": "fused", "soft": "encoder"}

Watch = Callable[[Iterable[SentencePair], int | None, str], Iterable[SentencePair]]


def unwatched(
    rows: Iterable[SentencePair], total: int | None, stage: str
) -> Iterable[SentencePair]:
    """No progress shown."""
    return rows


def usual_aligner(method: str) -> str:
    """The aligner of a method unless another is asked for."""
    return _ALIGNERS.get(method, "encoder")


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Consecutive lists of at most ``size`` items."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def spread(pairs: Iterable[SentencePair], total: int, limit: int) -> Iterator[SentencePair]:
    """At most ``limit`` of ``total`` pairs, evenly spread, in order."""
    for n, pair in enumerate(pairs):
        if n * limit // total != (n + 1) * limit // total or limit >= total:
            yield pair


def align_pairs(
    open_pairs: OpenPairs, aligner: Aligner, chunk: int = CHUNK, *, soft: bool = False
) -> Iterator[tuple[SentencePair, Found]]:
    """Links or evidence for every pair, in order; pairs that bring links keep theirs.

    Args:
        open_pairs: starts reading the bitext.
        aligner: finds the links; fitted, where it needs that.
        chunk: pairs read and aligned at a time.
        soft: whether evidence is wanted in place of links.
    """
    for rows in chunks(open_pairs(), chunk):
        if soft:
            for pair, evidence in zip(rows, aligner.evidence(rows), strict=True):
                yield pair, _with_links(pair, evidence)
            continue
        found = iter(aligner.align([pair for pair in rows if pair.links is None]))
        for pair in rows:
            yield pair, next(found) if pair.links is None else pair.links


def _with_links(pair: SentencePair, found: Evidence | RowError) -> Evidence | RowError:
    """Links that came with a pair stand in for the aligner's; the words' states are still its."""
    if pair.links is None:
        return found
    if isinstance(found, RowError):
        return Evidence.of_links(pair.links)
    return Evidence.of_links(pair.links, found.source_states, found.target_states)


def given_links(
    pairs: Iterable[SentencePair], *, soft: bool = False
) -> Iterator[tuple[SentencePair, Found]]:
    """For bitexts that bring their links; a row without is rejected."""
    for pair in pairs:
        if pair.links is None:
            yield pair, RowError("no links given, and no aligner asked for")
        else:
            yield pair, Evidence.of_links(pair.links) if soft else pair.links


def fit(
    open_pairs: OpenPairs,
    total: int,
    aligner: Aligner | None,
    method: Method | None,
    limit: int = FIT_PAIRS,
    watch: Watch = unwatched,
) -> None:
    """Let aligner and method learn from the bitext, or from ``limit`` pairs spread over it."""
    aligner_learns = aligner is not None and aligner.needs_fit
    if not aligner_learns and not isinstance(method, CorpusProjector):
        return
    sample = list(spread(open_pairs(), total, limit))
    if aligner is not None and aligner_learns:
        aligner.fit(watch(sample, len(sample), "learn words"))
    if isinstance(method, CorpusProjector):
        rows = watch(sample, len(sample), "learn spans")
        linked = given_links(rows, soft=True)
        if aligner is not None:
            linked = align_pairs(lambda: rows, aligner, soft=True)
        method.fit((pair, found) for pair, found in linked if isinstance(found, Evidence))


def project_pairs(
    linked: Iterable[tuple[SentencePair, Found]],
    method: Method,
    account: Account,
    min_confidence: float = 0.0,
    report: Callable[[str], object] | None = None,
) -> Iterator[SentencePair]:
    """Project every pair's source spans onto its target; every row comes out, with its status.

    Args:
        linked: pairs with links, or with evidence for the soft methods.
        method: places the spans.
        account: where every row is entered.
        min_confidence: spans less probable than this are left out.
        report: takes the lines that explain each row with source spans; None explains nothing.
    """
    for pair, found in linked:
        spans: tuple[Span, ...] = ()
        dropped: tuple[tuple[Span, str], ...] = ()
        confidence: float | None = None  # nothing was projected, so nothing can be said
        lines: Iterable[str] = ()
        if isinstance(found, RowError):
            status = f"{REJECTED}{found}"
            dropped = tuple((span, "row rejected") for span in pair.source.spans)
        elif not pair.source.spans:
            status = "empty: no source span"
            confidence = 1.0
        elif not pair.target.words:
            status = "empty: no target word"
            dropped = tuple((span, "no target word") for span in pair.source.spans)
        else:
            result, lines = _project(pair, found, method, min_confidence)
            confidence = _sentence_confidence(result, min_confidence)
            result = result.above(min_confidence)
            spans, dropped = result.spans, result.dropped
            status = PROJECTED if spans else f"empty: {dropped[0][1]}"
        done = replace(
            pair,
            target=pair.target.with_spans(spans),
            links=_links(pair, found),
            status=status,
            extra={**pair.extra, "confidence": confidence},
        )
        if report is not None and pair.source.spans:
            for line in lines or [f"row {pair.id}, {status}"]:
                report(line)
        account.add(done, status, dropped)
        yield done


def _project(
    pair: SentencePair, found: WordAlignment | Evidence, method: Method, least: float
) -> tuple[Projection, Iterable[str]]:
    """The projection, and the lines that explain it (made only when they are read)."""
    if isinstance(method, SoftProjector):
        assert isinstance(found, Evidence)
        decision = method.decide(pair, found)
        decision = replace(decision, projection=_with_sources(decision.projection))
        return decision.projection, explain(pair, decision, least)
    assert isinstance(found, WordAlignment)
    raw = method.project(pair.source.spans, found)
    calibration = CALIBRATIONS.get(method.name)
    if calibration is None:  # a method from elsewhere, whose scores are its own
        return raw, ()
    spans = tuple(span._replace(score=calibration(span.score or 0.0)) for span in raw.spans)
    return _with_sources(replace(raw, spans=spans)), ()


def _with_sources(result: Projection) -> Projection:
    """A span is right if its source span is, which a tagger is not sure of, and its place is."""
    if len(result.origins) != len(result.spans):  # a method from elsewhere that does not say
        return result
    spans = tuple(
        span if origin.score is None else span._replace(score=(span.score or 0.0) * origin.score)
        for span, origin in zip(result.spans, result.origins, strict=True)
    )
    return replace(result, spans=spans)


def _sentence_confidence(result: Projection, least: float) -> float:
    """A span that is left out is right with the probability that it is wrong."""
    found = (span.score or 0.0 for span in result.spans)
    return round(of_sentence((p if p >= least else 1 - p for p in found), len(result.dropped)), 4)


def _links(pair: SentencePair, found: Found) -> WordAlignment | None:
    if isinstance(found, RowError):
        return None
    return found if isinstance(found, WordAlignment) else pair.links or found.links(SHOWN)


def check_reach(method: Method, min_confidence: float) -> None:
    """Whether any span can be that sure.

    Raises:
        SpanbridgeError: none can.
    """
    if min_confidence > (surest := _surest(method)):
        raise SpanbridgeError(
            f"a least confidence of {min_confidence} leaves nothing: {method.name!r} is never "
            f"surer than {surest:.3f} here"
        )


def _surest(method: Method) -> float:
    """The greatest confidence that a method can have in a span."""
    if isinstance(method, SoftProjector):
        return method.surest()
    calibration = CALIBRATIONS.get(method.name)
    return 1.0 if calibration is None else calibration(1.0)
