"""``spanbridge evaluate``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import tee
from typing import TYPE_CHECKING, Any

import click

from spanbridge.cli import options as opt
from spanbridge.cli.terminal import say
from spanbridge.core.similar import not_named
from spanbridge.core.standard import check_one_input
from spanbridge.core.tags import SCHEMES

if TYPE_CHECKING:
    from spanbridge.core.spans import Sentence
    from spanbridge.evaluation import SpanReport

_RESAMPLES = 1000  # for the intervals where predictions are compared


@click.command(
    epilog="""\b
Examples:
  spanbridge evaluate gold.conll predicted.conll
  spanbridge evaluate gold.conll predicted.jsonl --labels PER,LOC,ORG --json
  spanbridge evaluate gold.conll predicted.conll --bootstrap 1000
  spanbridge evaluate gold.conll one.conll other.conll
  spanbridge evaluate gold.conll - < predicted.conll
  spanbridge evaluate --alignment gold.links predicted.pharaoh --one-based

A span counts as right if its words and its label are right (entity-level F1). The two protocols
differ only on malformed tags: in `default` an I- tag that continues nothing begins a span, in
`strict` it is ignored (seqeval's default and strict IOB2 modes). Of several predictions, each one
is compared with the first by paired bootstrap (Koehn 2004): p below 0.05 means that they differ by
more than chance. Gold links are `1-2` (sure) or
`3p4` (possible); the predicted ones are 0-based Pharaoh links. The last line is the signature:
report it with the number.
"""
)
@click.argument("gold", metavar="GOLD")
@click.argument("predicted", metavar="PRED...", nargs=-1, required=True)
@click.option(
    "--protocol",
    type=click.Choice(["default", "strict"]),
    default="default",
    show_default=True,
    help="Reading of malformed tags.",
)
@click.option(
    "--labels", metavar="A,B,...", help="Labels that count, on both sides (default: all)."
)
@click.option(
    "--scheme",
    type=click.Choice(SCHEMES),
    default="iob2",
    show_default=True,
    help="Tag scheme of CoNLL files.",
)
@opt.reading_options
@click.option(
    "--bootstrap",
    metavar="N",
    type=click.IntRange(min=1),
    help="Resamples of the sentences for a 95% interval of micro F1 (Koehn 2004); 1000 where "
    "several predictions are compared.",
)
@click.option("--alignment", is_flag=True, help="Score word alignments in place of spans.")
@click.option("--one-based", is_flag=True, help="Count the words of gold links from 1.")
@opt.json_option
@click.pass_context
def command(
    context: click.Context,
    /,
    gold: str,
    predicted: tuple[str, ...],
    alignment: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Score predicted spans, or word alignments, against gold ones.

    Several predictions are compared with each other. One of the files may be -, for standard input.
    """
    check_one_input(gold, *predicted)
    if alignment:
        of_links = frozenset({"gold", "predicted", "alignment", "one_based", "as_json"})
        opt.only(context, of_links, "--alignment scores links, not spans")
        if len(predicted) > 1:
            raise click.UsageError("--alignment scores one file of links")
        result = _alignment(gold, predicted[0], given["one_based"])
    elif given["one_based"]:
        raise click.UsageError("--one-based goes with --alignment")
    else:
        result = _spans(gold, predicted, given)
    numbers, text = result
    say(json.dumps(numbers, ensure_ascii=False, indent=1) if as_json else text)


def _spans(
    gold: str, predicted: Sequence[str], given: dict[str, Any]
) -> tuple[dict[str, Any], str]:
    from spanbridge.core.errors import SpanbridgeError
    from spanbridge.core.files import check_rereadable

    labels = None
    if given["labels"] is not None:
        labels = [label.strip() for label in given["labels"].split(",")]
        if not all(labels):
            raise SpanbridgeError(f"--labels {given['labels']!r} names an empty label")
    if len(predicted) > 1:
        check_rereadable(gold)  # it is read once with each prediction
    found: set[str] = set()
    notes: dict[str, None] = {}  # those of the gold file come with each prediction
    reports = [_scored((gold, path), labels, given, found, notes) for path in predicted]
    if unknown := sorted({*(labels or ())} - found):
        why = not_named("label of these files", unknown[0], sorted(found))
        raise SpanbridgeError(f"--labels: {why}")
    for note in notes:
        say(f"note: {note}", err=True)
    if len(predicted) > 1:
        return _compared(predicted, reports, given["bootstrap"] or _RESAMPLES)
    report = reports[0]
    numbers, text = report.to_dict(), report.table()
    if given["bootstrap"]:
        interval = report.interval(n=given["bootstrap"])
        numbers["bootstrap"] = interval.to_dict()
        text += (
            f"\n\nmicro F1 {interval.f1:.4f}, {interval.level:.0%} interval "
            f"[{interval.low:.4f}, {interval.high:.4f}]\n{interval.signature}"
        )
    return numbers, text


def _scored(
    files: tuple[str, str],
    labels: Sequence[str] | None,
    given: dict[str, Any],
    found: set[str],
    notes: dict[str, None],
) -> SpanReport:
    """The score of a prediction; adds the labels of both files, and what is to be said of them."""
    from spanbridge.evaluation import evaluate_spans, orphan_policy
    from spanbridge.formats import Counts, Reading, labelled_rows, over_same_words
    from spanbridge.formats.offsets import notes_of

    gold, predicted = files
    protocol, scheme = given["protocol"], given["scheme"]
    orphans = orphan_policy(protocol, scheme)
    counts = [Counts() for _ in files]
    named = Reading(scheme, orphans, **opt.reading(given))
    how = Reading(scheme, orphans, tag_names=named.tag_names, tokenised=named.tokenised)
    left = labelled_rows(gold, named, counts[0])
    right = labelled_rows(predicted, how, counts[1])
    other = _OtherWords(files)

    def rows() -> Iterator[tuple[Sentence, Sentence]]:
        for row in over_same_words(left, gold, right, predicted):
            other.see(*row)
            found.update(span.label for sentence in row for span in sentence.spans)
            yield row

    golds, predictions = tee(rows())  # read alternately, so little is buffered
    report = evaluate_spans(
        (sentence for sentence, _ in golds),
        (sentence for _, sentence in predictions),
        protocol=protocol,
        labels=labels,
        scheme=scheme,
    )
    for path, n in zip(files, counts, strict=True):
        told = {**dict(notes_of(n.places)), **n.left_out}
        notes |= dict.fromkeys(f"{path}: {count} {what}" for what, count in told.items() if count)
        notes |= dict.fromkeys(f"{path}: {guess}" for guess in n.guessed)
    notes |= dict.fromkeys(other.told())
    return report


def _compared(
    files: Sequence[str], reports: Sequence[SpanReport], n: int
) -> tuple[dict[str, Any], str]:
    """Predictions side by side, each compared with the first."""
    from spanbridge.evaluation import aligned, compare_paired

    first = reports[0]
    numbers: list[dict[str, Any]] = []
    head = ["", "precision", "recall", "F1", "95% interval", "difference", "95% interval", "p"]
    lines = [head]
    signatures = {first.signature: None}
    for path, report in zip(files, reports, strict=True):
        interval, micro = report.interval(n=n), report.micro
        values = f"{micro.precision:.4f}", f"{micro.recall:.4f}", f"{micro.f1:.4f}"
        line = [path, *values, f"[{interval.low:.4f}, {interval.high:.4f}]"]
        signatures[interval.signature] = None
        both = None if report is first else compare_paired(first.rows, report.rows, n=n)
        if both is not None:
            line += [f"{both.difference:+.4f}", f"[{both.low:+.4f}, {both.high:+.4f}]"]
            line.append(f"{both.p_value:.4f}")
            signatures[both.signature] = None
        lines.append(line)
        against = None if both is None else both.to_dict()
        told = {"bootstrap": interval.to_dict(), "to_first": against}
        numbers.append({"file": path, **report.to_dict(), **told})
    table = "\n".join(aligned([line + [""] * (len(head) - len(line)) for line in lines]))
    what = "difference: of F1 to the first prediction; p: of that, by paired bootstrap"
    return {"predictions": numbers}, "\n\n".join([table, what, "\n".join(signatures)])


class _OtherWords:
    """Rows of two files whose words differ: their spans may be no longer comparable."""

    def __init__(self, files: tuple[str, str]) -> None:
        self._files, self._n, self._n_other = files, 0, 0
        self._first = (0, "", "")

    def see(self, gold: Sentence, predicted: Sentence) -> None:
        """Compare the words of a row."""
        self._n += 1
        if gold.words != predicted.words:
            self._n_other += 1
            if self._n_other == 1:
                both = zip(gold.words, predicted.words, strict=True)
                self._first = (self._n, *next((a, b) for a, b in both if a != b))

    def told(self) -> Iterator[str]:
        """Where they first differ, if they do."""
        row, a, b = self._first
        if self._n_other:
            yield (
                f"the words of {self._n_other} of {self._n} rows differ, first in row {row}: "
                f"{a!r} in {self._files[0]}, {b!r} in {self._files[1]}"
            )


def _alignment(gold: str, predicted: str, one_based: bool) -> tuple[dict[str, Any], str]:
    from spanbridge.evaluation import evaluate_links
    from spanbridge.formats import parallel, read_gold_links, read_links

    left = enumerate(read_gold_links(gold, one_based), 1)
    right = enumerate(read_links(predicted), 1)
    golds, predictions = tee(parallel(left, gold, right, predicted))
    report = evaluate_links(
        (links for (_, links), _ in golds), (links for _, (_, (links, _)) in predictions)
    )
    return report.to_dict(), report.table()
