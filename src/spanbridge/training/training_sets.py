"""Conversion of labelled files to training examples, with filters for projected sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.rows import FAILED, REJECTED, SentencePair
from spanbridge.core.spans import Nested, Sentence, one_layer
from spanbridge.core.tags import OrphanPolicy, Scheme
from spanbridge.formats import Reading, find_format, read_labelled, read_rows
from spanbridge.tagging.base import iob2_classes
from spanbridge.training.examples import Labelled, one_hot


@dataclass(frozen=True)
class Filter:
    """Conditions on the projected sentences that are learned from; CoNLL files are not filtered.

    Attributes:
        complete: keep only sentences all of whose source spans were projected (complete-instance
            selection).
        min_score: least probability of every span, in [0, 1]; for projected sentences without
            spans, the least confidence of the row.
        min_coverage: least share of linked target words, in [0, 1].
        weigh: weight sentences by their least probable span.

    Raises:
        SpanbridgeError: a minimum is out of range.
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
        """Reason for leaving a pair's target out; None to keep it."""
        if pair.status is not None and pair.status.startswith(REJECTED):
            return "rejected by projection"
        if (pair.status or "").startswith(FAILED) or (
            (pair.translation_status or "").startswith(FAILED)
        ):
            return "failed before projection"
        if pair.status and not pair.target.spans and (pair.confidence or 0.0) < self.min_score:
            # the target is certain to have no span only if the source is
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
    """Least score of a sentence's spans; spans without a score, and no spans at all, count as 1."""
    return min((1.0 if span.score is None else span.score for span in sentence.spans), default=1.0)


def _certainty(pair: SentencePair) -> float:
    """Least score of the target's spans; for a row without spans, the confidence of projection."""
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
    """Sentences of one file, with counts of those left out.

    Attributes:
        path: the file.
        weight: weight of each of its sentences.
        sentences: sentences with their own weights.
        left_out: number of sentences left out, by reason.
        dropped: number of spans dropped, by unwanted label.
        n_nested: number of spans dropped because they overlap another one.
    """

    path: str
    weight: float
    sentences: list[tuple[Sentence, float]] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    n_nested: int = 0

    def text(self) -> str:
        """Summary in plain text."""
        line = f"{self.path}: {len(self.sentences)} sentences"
        if self.weight != 1:
            line += f", weight {self.weight:g}"
        for reason, n in self.left_out.most_common():
            line += f"; {n} left out: {reason}"
        for label, n in self.dropped.most_common():
            line += f"; {n} {label} spans became O"
        if self.n_nested:
            line += f"; {self.n_nested} spans left out, since tags hold one layer (--nested)"
        return line


def read_set(
    path: str,
    *,
    weight: float = 1.0,
    keep: Filter = Filter(),
    keep_empty: float = 1.0,
    labels: Sequence[str] | None = None,
    nested: Nested = "outer",
    scheme: Scheme = "iob2",
    orphans: OrphanPolicy = "begin",
) -> TrainingSet:
    """Read CoNLL, or the target sides of JSON lines.

    Args:
        path: the file.
        weight: weight of its sentences, above 0.
        keep: conditions on projected sentences.
        keep_empty: share of the sentences without spans that is kept, in [0, 1]; which ones, their
            words alone decide. Files with few entities otherwise teach silence.
        labels: wanted labels; spans of others become O and are counted. None keeps all.
        nested: of spans that lie in each other, those that are kept, since each word has one tag;
            the others are counted.
        scheme, orphans: how tags are read.

    Raises:
        InputError: as the readers.
        SpanbridgeError: the weight is not above 0, or the share is not in [0, 1].
    """
    if not 0 <= keep_empty <= 1:
        raise SpanbridgeError(f"keep_empty is {keep_empty}, but lies in [0, 1]")
    if not 0 < weight < float("inf"):
        raise SpanbridgeError(f"{path}: the weight is {weight}, but must be above 0 and finite")
    found = TrainingSet(path, weight)
    for sentence, reason, score in _rows(path, keep, scheme, orphans):
        if reason is None and not sentence.words:
            reason = "no words"
        if reason is not None:
            found.left_out[reason] += 1
            continue
        spans = tuple(s for s in sentence.spans if labels is None or s.label in labels)
        found.dropped.update(s.label for s in sentence.spans if s not in spans)
        if not spans and keep_empty < 1 and _lot(sentence) >= keep_empty:
            found.left_out["without spans"] += 1
            continue
        layer = one_layer(spans, nested)
        found.n_nested += len(spans) - len(layer)
        found.sentences.append((sentence.with_spans(layer), score))
    return found


def _lot(sentence: Sentence) -> float:
    """A number in [0, 1) that is drawn from a sentence's words."""
    digest = sha256("\0".join(sentence.words).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def _rows(
    path: str, keep: Filter, scheme: Scheme, orphans: OrphanPolicy
) -> Iterator[tuple[Sentence, str | None, float]]:
    if find_format(path, default="conll").sides != "both":
        for sentence in read_labelled(path, Reading(scheme, orphans)):
            yield sentence, None, 1.0
        return
    for _, pair in read_rows(path):
        score = max(_certainty(pair), 1e-3) if keep.weigh else 1.0
        yield pair.target, keep.reason(pair), score


def labels_of(sets: Iterable[TrainingSet]) -> list[str]:
    """All labels of the sets, sorted."""
    return sorted(
        {s.label for found in sets for sentence, _ in found.sentences for s in sentence.spans}
    )


def leave_out_repeats(sets: Iterable[TrainingSet]) -> None:
    """Leave out sentences that an earlier set holds with the same labels.

    Sets may come from several methods over the same text; repeats are of no benefit.
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
    """Training examples of all sets. Raises SpanbridgeError if none are left."""
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
