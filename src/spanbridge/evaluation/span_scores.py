"""Entity-level scores: a span counts only if its row, boundaries and label are all right.

Spans are counted as in the CoNLL-2002/2003 shared tasks (Tjong Kim Sang and De Meulder 2003) and in
seqeval's default and strict modes; tests compare the numbers with seqeval's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.signature import signature
from spanbridge.core.similar import not_named
from spanbridge.core.spans import Sentence, Span
from spanbridge.core.tags import OrphanPolicy, Scheme, spans_from_tags
from spanbridge.evaluation._common import RowCounts, check_lengths, paired, ratio
from spanbridge.evaluation.error_classes import count_errors
from spanbridge.evaluation.span_choice import SpanChoice
from spanbridge.evaluation.span_report import SpanAverage, SpanCounts, SpanReport
from spanbridge.formats.tokens import in_same_words

SpanProtocol = Literal["default", "strict"]
SPAN_PROTOCOLS: tuple[SpanProtocol, ...] = ("default", "strict")
_Row = tuple[set[Span], set[Span]]  # gold and predicted spans
_ORPHANS: dict[str, OrphanPolicy] = {"default": "begin", "strict": "drop"}


def orphan_policy(protocol: str, scheme: str = "iob2") -> OrphanPolicy:
    """Orphan policy of a protocol, for the readers of tagged files.

    Protocols differ only in the meaning of an orphan ``I-``: in ``default`` it begins a span, as in
    conlleval and seqeval's default mode; in ``strict`` it is dropped with its continuation, as in
    seqeval's ``mode='strict'`` with the scheme IOB2.

    Raises:
        SpanbridgeError: there is no such protocol, or ``strict`` is not for this scheme.
    """
    if protocol not in _ORPHANS:
        raise SpanbridgeError(not_named("protocol", protocol, SPAN_PROTOCOLS))
    if protocol == "strict" and scheme != "iob2":
        raise SpanbridgeError(
            f"the protocol strict is defined for iob2 tags, not for {scheme}; use default"
        )
    return _ORPHANS[protocol]


def evaluate_spans(
    gold: Iterable[Sentence],
    predicted: Iterable[Sentence],
    *,
    protocol: SpanProtocol = "default",
    labels: Collection[str] | None = None,
    scheme: str = "spans",
    max_examples: int = 5,
) -> SpanReport:
    """Score predicted spans against gold ones, by exact match of (row, start, end, label).

    Scores of spans are ignored, spans may overlap, and equal spans of a row count once.

    Args:
        gold: one sentence per row.
        predicted: the same rows in the same order.
        protocol: protocol by which the tags were read (see :func:`orphan_policy`); since sentences
            hold spans, it is only checked and written into the signature.
        labels: count only spans with these labels, on both sides; None counts all.
        scheme: scheme of the tags, for the signature.
        max_examples: number of examples kept per error class.

    Raises:
        SpanbridgeError: the numbers of rows, or of words in a row, differ; the protocol is unknown;
            ``labels`` is empty or a single string.
    """
    orphan_policy(protocol)
    choice = SpanChoice(labels)
    n_different = 0

    def rows() -> Iterator[_Row]:
        nonlocal n_different
        for row, (left, right) in enumerate(paired(gold, predicted), start=1):
            left, right = in_same_words(left, right)
            check_lengths(row, len(left.words), len(right.words))
            n_different += left.words != right.words
            yield choice.of(left.spans), choice.of(right.spans)

    report = _report(rows(), max_examples, partial(_parts, protocol, scheme, choice))
    return replace(report, n_rows_with_different_words=n_different)


def score_cell(
    gold: Iterable[Iterable[Span]],
    predicted: Iterable[Iterable[Span]],
    protocol: SpanProtocol = "default",
    *,
    choice: SpanChoice | None = None,
    scheme: str = "spans",
    max_examples: int = 5,
) -> SpanReport:
    """Score the spans of one system in one language, without their words.

    Args:
        gold: spans of each row.
        predicted: of the same rows in the same order.
        choice: the spans that count; by default all.
        protocol, scheme, max_examples: as in :func:`evaluate_spans`.

    Raises:
        SpanbridgeError: the numbers of rows differ; the protocol is unknown.
    """
    orphan_policy(protocol)
    chosen = SpanChoice() if choice is None else choice
    rows = ((chosen.of(a), chosen.of(b)) for a, b in paired(gold, predicted))
    return _report(rows, max_examples, partial(_parts, protocol, scheme, chosen))


def evaluate_tags(
    gold: Iterable[Sequence[str]],
    predicted: Iterable[Sequence[str]],
    *,
    protocol: SpanProtocol = "default",
    scheme: Scheme = "iob2",
    labels: Collection[str] | None = None,
    max_examples: int = 5,
) -> SpanReport:
    """Score predicted tags against gold ones, by the spans that they stand for.

    Equal to seqeval's default mode for IOB1, IOB2 and BIOES tags, and to its strict mode with the
    scheme IOB2, with two exceptions: BILOU is read as BIOES here, while seqeval's default mode does
    not know ``L-`` and ``U-``; and a prefix without a label is an error here.

    Args:
        gold: one sequence of tags per row.
        predicted: the same rows in the same order.
        protocol: treatment of orphan tags (see :func:`orphan_policy`).
        scheme: scheme of both sides; ``strict`` is defined for ``iob2`` only.
        labels, max_examples: as in :func:`evaluate_spans`.

    Raises:
        SpanbridgeError: as :func:`evaluate_spans`; also if a tag does not belong to the scheme
            (with its row), or for ``strict`` with another scheme.
    """
    orphans = orphan_policy(protocol, scheme)
    choice = SpanChoice(labels)

    def rows() -> Iterator[_Row]:
        for row, (left, right) in enumerate(paired(gold, predicted), start=1):
            check_lengths(row, len(left), len(right))
            sides: list[set[Span]] = []
            for name, tags in (("gold", left), ("predicted", right)):
                try:
                    spans, _ = spans_from_tags(tags, scheme, orphans)
                except SpanbridgeError as error:
                    raise SpanbridgeError(f"row {row} ({name}): {error}") from error
                sides.append(choice.of(spans))
            yield sides[0], sides[1]

    return _report(rows(), max_examples, partial(_parts, protocol, scheme, choice))


def _parts(protocol: str, scheme: str, choice: SpanChoice, n_rows: int) -> dict[str, object]:
    given = {"metric": "span-f1", "protocol": protocol, "scheme": scheme}
    return {**given, **choice.parts(), "rows": n_rows, "average": "micro"}


def _report(
    rows: Iterable[_Row], max_examples: int, parts: Callable[[int], dict[str, object]]
) -> SpanReport:
    """Count in one pass; ``parts`` gives those of the signature for a number of rows."""
    hits: Counter[str] = Counter()
    n_gold: Counter[str] = Counter()
    n_predicted: Counter[str] = Counter()
    per_row: list[RowCounts] = []
    boundary_rows: list[RowCounts] = []

    def counted() -> Iterator[_Row]:
        for gold, predicted in rows:
            both = gold & predicted
            hits.update(span.label for span in both)
            n_gold.update(span.label for span in gold)
            n_predicted.update(span.label for span in predicted)
            per_row.append(RowCounts(len(both), len(gold), len(predicted)))
            left, right = ({span[:2] for span in side} for side in (gold, predicted))
            boundary_rows.append(RowCounts(len(left & right), len(left), len(right)))
            yield gold, predicted

    errors = count_errors(counted(), max_examples=max_examples)
    per_label = {
        label: SpanCounts.of(hits[label], n_gold[label], n_predicted[label])
        for label in sorted(n_gold.keys() | n_predicted.keys())
    }
    return SpanReport(
        micro=SpanCounts.total(per_row),
        macro=_average(per_label.values(), [1] * len(per_label)),
        weighted=_average(per_label.values(), [c.support for c in per_label.values()]),
        per_label=per_label,
        boundaries=SpanCounts.total(boundary_rows),
        errors=errors,
        rows=tuple(per_row),
        boundary_rows=tuple(boundary_rows),
        n_rows_with_different_words=0,
        signature=signature(parts(len(per_row))),
    )


def _average(counts: Collection[SpanCounts], weights: Sequence[int]) -> SpanAverage:
    total = sum(weights)
    pairs = list(zip(counts, weights, strict=True))
    return SpanAverage(
        precision=ratio(sum(c.precision * w for c, w in pairs), total),
        recall=ratio(sum(c.recall * w for c, w in pairs), total),
        f1=ratio(sum(c.f1 * w for c, w in pairs), total),
        support=sum(c.support for c in counts),
        predicted=sum(c.predicted for c in counts),
    )
