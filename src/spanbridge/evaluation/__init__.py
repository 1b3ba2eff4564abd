"""Scores of spans and word links against gold, and their statistical significance.

- :func:`evaluate_spans` and :func:`evaluate_tags`: precision, recall and F1 per label and
  averaged, as seqeval counts them, with every error sorted into a class;
- :func:`evaluate_links`: alignment error rate;
- :func:`bootstrap_interval` and :func:`compare_paired`: confidence intervals and tests.

Every report carries a signature that says how its numbers came about.
"""

from spanbridge.evaluation._common import RowCounts, aligned
from spanbridge.evaluation.comparing import Counts, compare_systems
from spanbridge.evaluation.comparison import Comparison, Difference, SystemScore
from spanbridge.evaluation.error_classes import (
    BOUNDARY_KINDS,
    BOUNDARY_SIDES,
    ERROR_CLASSES,
    ErrorExample,
    ErrorReport,
    SpanMatch,
    boundary_error,
    count_errors,
    match_spans,
)
from spanbridge.evaluation.link_scores import AlignmentReport, evaluate_links
from spanbridge.evaluation.significance import (
    BootstrapInterval,
    PairedComparison,
    bootstrap_interval,
    compare_paired,
)
from spanbridge.evaluation.span_report import SpanAverage, SpanCounts, SpanReport
from spanbridge.evaluation.span_scores import (
    SPAN_PROTOCOLS,
    SpanProtocol,
    evaluate_spans,
    evaluate_tags,
    orphan_policy,
    score_cell,
)

__all__ = [
    "BOUNDARY_KINDS",
    "BOUNDARY_SIDES",
    "ERROR_CLASSES",
    "SPAN_PROTOCOLS",
    "AlignmentReport",
    "BootstrapInterval",
    "Comparison",
    "Counts",
    "Difference",
    "ErrorExample",
    "ErrorReport",
    "PairedComparison",
    "RowCounts",
    "SpanAverage",
    "SpanCounts",
    "SpanMatch",
    "SpanProtocol",
    "SpanReport",
    "SystemScore",
    "aligned",
    "bootstrap_interval",
    "boundary_error",
    "compare_paired",
    "compare_systems",
    "count_errors",
    "evaluate_links",
    "evaluate_spans",
    "evaluate_tags",
    "match_spans",
    "orphan_policy",
    "score_cell",
]
