"""What becomes of a row in projection: status, confidence, links; and of a long row in parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from spanbridge.alignment.cutting import Part
from spanbridge.core import registry
from spanbridge.core.errors import RowError
from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import EMPTY, REJECTED, SentencePair
from spanbridge.core.scripts import is_invisible
from spanbridge.core.soft_alignment import SoftAlignment, too_long
from spanbridge.core.spans import Span
from spanbridge.projection.confidence import LIKE, Calibration, sentence_confidence, traits
from spanbridge.projection.method import NO_LINK, Method, Projection
from spanbridge.projection.score_input import LINK_SCORE
from spanbridge.steps.base import PartSettings
from spanbridge.steps.long_rows import joined_links, joined_projections

UNLIKELY = f"{EMPTY}unlikely to be a translation"

Found = WordAlignment | SoftAlignment | RowError | None

NO_SPAN = f"{EMPTY}no source span"
# Reasons for dropped spans in rows that did not reach the method; for others, the status says it.
REASONS = {"rejected": "row rejected", "failed": "translation failed"}


class Outcome(NamedTuple):
    """What was found out about a row, or a part of one.

    Attributes:
        read: its alignment.
        result: its projection, or its status if there is none.
        score: its translation score; None if it was not judged.
        before: the result without corrections; None where there are none.
    """

    read: Found
    result: Projection | str
    score: float | None
    before: Projection | str | None = None


def early_status(pair: SentencePair, read: Found, unlikely: bool) -> str | None:
    """Status of a row that need not reach the method; None for all others.

    Args:
        pair: the row.
        read: its alignment.
        unlikely: its sides do not seem to translate each other.
    """
    if (failed := pair.failure) is not None:
        return failed
    if isinstance(read, RowError):
        return f"{REJECTED}{read}"
    if not pair.source.words and pair.target.words:
        return f"{EMPTY}no source word"
    if unlikely:
        return UNLIKELY
    if not pair.source.spans:
        return NO_SPAN
    if not pair.target.words:
        return f"{EMPTY}no target word"
    return None


def empty_probability(pair: SentencePair) -> float | None:
    """Probability that a target has no span, given that its source has none.

    Given labels are certain; a tagger reports its probability.
    """
    p = pair.source.empty_probability
    return 1.0 if p is None else round(p, 4)


def row_confidence(whole: Projection, min_confidence: float) -> float | None:
    """Probability that the row is right; omitting a span counts with 1 - its probability.

    The labels of one place are right or wrong together, so they count once, with the lowest
    probability. None if the method gives a span none.
    """
    sure: dict[tuple[int, int], float] = {}
    for start, end, _, p, _ in whole.spans:
        if p is None:
            return None
        sure[start, end] = min(p, sure.get((start, end), 1.0))
    least = [p if p >= min_confidence else 1 - p for p in sure.values()]
    n_dropped = len({span[:2] for span, _ in whole.dropped})
    return round(sentence_confidence(least, n_dropped), 4)


def doubt_of_settings(
    method: Method,
    chosen: tuple[PartSettings | None, PartSettings],
    further: Mapping[str, object],
) -> str | None:
    """Why the settings of a projection are not those that its confidences were fitted with.

    Args:
        method: the method.
        chosen: settings of aligner and method; one made in Python counts as the usual one of its
            class.
        further: weights and models that scores were given.

    Returns:
        The reason; None if nothing speaks against it.
    """
    aligner, own = chosen
    if method.calibration() is None:
        return f"nothing is known of the method {method.name}"
    if own.options or further:
        return "settings other than the method's own"
    if aligner is None and method.reads != "nothing":
        return "links from elsewhere"
    if aligner is not None:
        usual = {method.aligner} | ({"statistical"} if method.aligner == "fused" else set())
        same = aligner.name in usual
        if aligner.made is not None:
            same = type(aligner.made) in {registry.load("aligner", name) for name in usual}
        if {*aligner.options} - {"threads"} or not same:
            return "another aligner than the method's own"
    return None


def known_of(
    pair: SentencePair, doubt: str | None, given_links: bool, calibration: Calibration | None
) -> str:
    """What the confidences of a row's spans are known to hold for.

    Args:
        pair: the finished row.
        doubt: as from :func:`doubt_of_settings`.
        given_links: the row brought links that took the place of the aligner's.
        calibration: the method's.
    """
    if any(span.score is not None for span in pair.source.spans):
        doubt = "a tagger's own probabilities are multiplied in"
    elif doubt is None and given_links:
        doubt = "links from elsewhere"
    elif doubt is None:
        doubt = LIKE.unlike(traits(pair))
    if doubt is None and calibration is not None:
        return calibration.told()
    return f"uncalibrated: {doubt}"


def is_sure(outcome: Outcome, least: float) -> bool:
    """Check if nothing is left to ask about a row: it needs no spans, or all are this probable."""
    result = outcome.result
    if isinstance(result, str):
        return result in (NO_SPAN, UNLIKELY) or not result.startswith(EMPTY)
    probable = (span.score is not None and span.score >= least for span in result.spans)
    return not result.dropped and all(probable)


def status_or(found: Projection | RowError) -> Projection | str:
    """The projection, or the status of a row that has none."""
    return f"{REJECTED}{found}" if isinstance(found, RowError) else found


def joined_score(parts: Sequence[Part], found: Sequence[Outcome]) -> float | None:
    """Mean score of the parts that have one, weighted by their words."""
    total = weights = 0.0
    for part, outcome in zip(parts, found, strict=True):
        if outcome.score is not None:
            words = len(part.pair.source.words) + len(part.pair.target.words)
            total, weights = total + words * outcome.score, weights + words
    return total / weights if weights else None


def joined(
    row: SentencePair,
    parts: Sequence[Part],
    found: Sequence[Outcome],
    score: float | None,
    unlikely: bool,
) -> Outcome:
    """What was found out about the parts of a row, as that of the row."""
    links = [output_links(part.pair, one.read) for part, one in zip(parts, found, strict=True)]
    errors = (one.read for one in found if isinstance(one.read, RowError))
    whole = next(errors, None) or joined_links(row, parts, links)
    if (status := early_status(row, whole, unlikely)) is not None:
        return Outcome(whole, status, score)
    results: list[Projection] = []
    for part, one in zip(parts, found, strict=True):
        result = one.result
        if isinstance(result, str):
            if result.startswith(REJECTED):
                return Outcome(whole, result, score)
            reason = result.removeprefix(EMPTY) if result == UNLIKELY else NO_LINK
            result = Projection((), tuple((span, reason) for span in part.pair.source.spans))
        results.append(result)
    return Outcome(whole, joined_projections(parts, results), score)


def with_links(pair: SentencePair, found: SoftAlignment | RowError) -> SoftAlignment | RowError:
    """The soft alignment of a pair's own links if it has any, with the aligner's word states."""
    if pair.links is None:
        return found
    if isinstance(found, RowError):
        too_many = too_long(pair.links.n_source, pair.links.n_target)
        return too_many or SoftAlignment.from_links(pair.links)
    return SoftAlignment.from_links(pair.links, found.source_states, found.target_states)


def output_links(pair: SentencePair, read: Found) -> WordAlignment | None:
    """Links to write with a row."""
    if isinstance(read, RowError):
        return None
    if isinstance(read, SoftAlignment):
        return pair.links or read.links(LINK_SCORE)
    return pair.links if read is None else read


def visible(spans: Sequence[Span], words: Sequence[str]) -> tuple[Span, ...]:
    """The spans without words at their ends that cannot be seen, such as a directional mark."""
    return tuple(_trimmed(span, words) for span in spans)


def _trimmed(span: Span, words: Sequence[str]) -> Span:
    """A span without invisible words at its ends; as it is if it has no others."""
    if not _unseen(words[span.start]) and not _unseen(words[span.end - 1]):
        return span
    inside = [n for n in range(span.start, span.end) if not _unseen(words[n])]
    return span._replace(start=inside[0], end=inside[-1] + 1) if inside else span


def _unseen(word: str) -> bool:
    return all(map(is_invisible, word))
