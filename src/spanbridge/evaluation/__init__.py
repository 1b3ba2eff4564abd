"""Scores of spans and word links against gold, and their statistical significance.

- :func:`evaluate_spans` and :func:`evaluate_tags`: precision, recall and F1 per label and
  averaged, as seqeval counts them, with every error sorted into a class;
- :func:`evaluate_links`: alignment error rate;
- :func:`agreement`: F1 and Cohen's kappa of two annotators;
- :func:`score_cell` and :func:`compare_systems`: counts by sentence, and differences between
  systems, in each language and over languages, with intervals and tests;
- :func:`evaluate`, :func:`scores` and :func:`compare`: the same of files or rows.

Every report carries a signature that says how its numbers came about.
"""

from spanbridge.evaluation._common import RowCounts, aligned
from spanbridge.evaluation.agreement import Agreement, agreement
from spanbridge.evaluation.cells import Cell, spread
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
from spanbridge.evaluation.faces import compare, evaluate, scores
from spanbridge.evaluation.link_scores import AlignmentReport, evaluate_links
from spanbridge.evaluation.scoring import Labelled, Scored, Scoring, score
from spanbridge.evaluation.significance import BootstrapInterval, bootstrap_interval
from spanbridge.evaluation.span_choice import SpanChoice, cap_row
from spanbridge.evaluation.span_report import SpanAverage, SpanCounts, SpanReport
from spanbridge.evaluation.span_scores import (
    SPAN_PROTOCOLS,
    SpanProtocol,
    evaluate_spans,
    evaluate_tags,
    orphan_policy,
    score_cell,
)
from spanbridge.evaluation.systems import Scores, score_systems

__all__ = [
    "BOUNDARY_KINDS",
    "BOUNDARY_SIDES",
    "ERROR_CLASSES",
    "SPAN_PROTOCOLS",
    "Agreement",
    "AlignmentReport",
    "BootstrapInterval",
    "Cell",
    "Comparison",
    "Counts",
    "Difference",
    "ErrorExample",
    "ErrorReport",
    "Labelled",
    "RowCounts",
    "Scored",
    "Scores",
    "Scoring",
    "SpanAverage",
    "SpanChoice",
    "SpanCounts",
    "SpanMatch",
    "SpanProtocol",
    "SpanReport",
    "SystemScore",
    "agreement",
    "aligned",
    "bootstrap_interval",
    "boundary_error",
    "cap_row",
    "compare",
    "compare_systems",
    "count_errors",
    "evaluate",
    "evaluate_links",
    "evaluate_spans",
    "evaluate_tags",
    "match_spans",
    "orphan_policy",
    "score",
    "score_cell",
    "score_systems",
    "scores",
    "spread",
]
