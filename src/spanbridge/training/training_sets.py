"""Files of labelled sentences -> examples; projected ones filtered as the literature does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.rows import FAILED, REJECTED, SentencePair
from spanbridge.core.spans import Sentence
from spanbridge.core.tags import OrphanPolicy, Scheme
from spanbridge.formats import Reading, find_format, labelled_rows, read_rows
from spanbridge.tagging.base import iob2_classes
from spanbridge.training.examples import Labelled, one_hot


@dataclass(frozen=True)
class Filter:
    """Which projected sentences are learned from. CoNLL has no such information: all pass.

    Attributes:
        complete: only those all of whose source spans were projected (complete-instance selection).
        min_score: only those all of whose spans are at least so probable, in [0, 1]; of projected
            ones without spans, those whose source is as surely without.
        min_coverage: only those with at least so large a share of target words linked, in [0, 1].
        weigh: sentences count by their least probable span.

    Raises:
        SpanbridgeError: a least value is out of range.
    """

    complete: bool = False
    min_score: float = 0.0
    min_coverage: float = 0.0
    weigh: bool = False

    def __post_init__(self) -> None:
        for name in ("min_score", "min_coverage"):
            if not 0 <= getattr(self, name) <= 1:
                raise SpanbridgeError(f"{name} is {getattr(self, name)}, but lies in [0, 1]")

    def reason(self, pair: SentencePair) -> str | None:
        """Why a pair's target is left out, or None."""
        if pair.status is not None and pair.status.startswith(REJECTED):
            return "rejected by projection"
        if (pair.status or "").startswith(FAILED) or (
            (pair.translation_status or "").startswith(FAILED)
        ):
            return "failed before projection"
        if pair.status and not pair.target.spans and (pair.confidence or 0.0) < self.min_score:
            # only a source that surely has no span makes a sure negative
            return "not surely without spans"
        source, target = (
            Counter(s.label for s in side.spans) for side in (pair.source, pair.target)
        )
        if self.complete and source - target:
            return "not complete"
        if least_score(pair.target) < self.min_score:
            return "score below the least"
        if self.min_coverage and coverage(pair) < self.min_coverage:
            return "coverage below the least"
        return None


def least_score(sentence: Sentence) -> float:
    """Of its spans, those without a score counting as 1; 1 if it has none."""
    return min((1.0 if span.score is None else span.score for span in sentence.spans), default=1.0)


def _certainty(pair: SentencePair) -> float:
    """Least score of the target's spans; of a row without spans that was projected, its own."""
    if pair.status is not None and not pair.target.spans:
        return pair.confidence or 0.0
    return least_score(pair.target)


def coverage(pair: SentencePair) -> float:
    """Share of the target's words that are linked; 0 without links."""
    if pair.links is None or not pair.target.words:
        return 0.0
    return len({j for _, j in pair.links.pairs}) / len(pair.target.words)


@dataclass
class TrainingSet:
    """Sentences of one file, with what was left out.

    Attributes:
        path: the file.
        weight: how much each of its sentences counts.
        sentences: with their own weights.
        left_out: sentences by reason.
        dropped: spans of labels that are not wanted.
    """

    path: str
    weight: float
    sentences: list[tuple[Sentence, float]] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)

    def text(self) -> str:
        """For a person."""
        line = f"{self.path}: {len(self.sentences)} sentences"
        if self.weight != 1:
            line += f", weight {self.weight:g}"
        for reason, n in self.left_out.most_common():
            line += f"; {n} left out: {reason}"
        for label, n in self.dropped.most_common():
            line += f"; {n} {label} spans became O"
        return line


def read_set(
    path: str,
    *,
    weight: float = 1.0,
    keep: Filter = Filter(),
    labels: Sequence[str] | None = None,
    scheme: Scheme = "iob2",
    orphans: OrphanPolicy = "begin",
) -> TrainingSet:
    """Read CoNLL, or the target sides of JSON lines.

    Args:
        path: the file.
        weight: of its sentences, above 0.
        keep: what projected sentences must fulfil.
        labels: the wanted ones; spans of others become O, and are counted. None wants all.
        scheme, orphans: how tags are read.

    Raises:
        InputError: as the readers; or spans overlap, which tags cannot hold.
        SpanbridgeError: the weight is not above 0.
    """
    if not 0 < weight < float("inf"):
        raise SpanbridgeError(f"{path}: the weight is {weight}, but must be above 0 and finite")
    found = TrainingSet(path, weight)
    for line, sentence, reason, score in _rows(path, keep, scheme, orphans):
        if reason is None and not sentence.words:
            reason = "no words"
        if reason is not None:
            found.left_out[reason] += 1
            continue
        spans = tuple(s for s in sentence.spans if labels is None or s.label in labels)
        found.dropped.update(s.label for s in sentence.spans if s not in spans)
        ordered = sorted(spans, key=lambda span: span[:3])
        if any(b.start < a.end for a, b in pairwise(ordered)):
            raise InputError(path, line, "spans overlap, which tags cannot hold; keep one of them")
        found.sentences.append((sentence.with_spans(spans), score))
    return found


def _rows(
    path: str, keep: Filter, scheme: Scheme, orphans: OrphanPolicy
) -> Iterator[tuple[int, Sentence, str | None, float]]:
    if find_format(path, default="conll").sides != "both":
        for line, sentence in labelled_rows(path, Reading(scheme, orphans)):
            yield line, sentence, None, 1.0
        return
    for line, pair in read_rows(path):
        score = max(_certainty(pair), 1e-3) if keep.weigh else 1.0
        yield line, pair.target, keep.reason(pair), score


def labels_of(sets: Iterable[TrainingSet]) -> list[str]:
    """All labels, sorted."""
    return sorted(
        {s.label for found in sets for sentence, _ in found.sentences for s in sentence.spans}
    )


def leave_out_repeats(sets: Iterable[TrainingSet]) -> None:
    """Leave a sentence with its labels out of the sets after the first that holds it.

    Sets may come from several methods over the same text. Twice is as good as once.
    """
    before: set[tuple[object, ...]] = set()
    for found in sets:
        keys = [(s.words, tuple(sorted(span[:3] for span in s.spans))) for s, _ in found.sentences]
        kept = [row for key, row in zip(keys, found.sentences, strict=True) if key not in before]
        if len(kept) < len(keys):
            found.left_out["in an earlier set"] += len(keys) - len(kept)
            found.sentences = kept
        before.update(keys)


def examples(sets: Sequence[TrainingSet], labels: Sequence[str]) -> list[Labelled]:
    """What is learned from.

    Raises:
        SpanbridgeError: nothing is left.
    """
    classes = iob2_classes(labels)
    made = [
        Labelled(sentence.words, one_hot(sentence, classes), weight * found.weight)
        for found in sets
        for sentence, weight in found.sentences
    ]
    if not made:
        names = ", ".join(str(Path(found.path)) for found in sets)
        raise SpanbridgeError(f"nothing is left to learn from in {names}")
    return made
