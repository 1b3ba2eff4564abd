"""``spanbridge evaluate``."""

from __future__ import annotations

import json
from collections.abc import Iterator
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


@click.command(
    epilog="""\b
Examples:
  spanbridge evaluate gold.conll predicted.conll
  spanbridge evaluate gold.conll predicted.jsonl --labels PER,LOC,ORG --json
  spanbridge evaluate gold.conll predicted.conll --bootstrap 1000
  spanbridge evaluate gold.conll - < predicted.conll
  spanbridge evaluate --alignment gold.links predicted.pharaoh --one-based

A span counts as right if its words and its label are right (entity-level F1). The two protocols
differ only on malformed tags: in `default` an I- tag that continues nothing begins a span, in
`strict` it is ignored (seqeval's default and strict IOB2 modes). Gold links are `1-2` (sure) or
`3p4` (possible); the predicted ones are 0-based Pharaoh links. The last line is the signature:
report it with the number.
"""
)
@click.argument("gold", metavar="GOLD")
@click.argument("predicted", metavar="PRED")
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
    help="Resamples of the sentences for a 95% interval of micro F1 (Koehn 2004).",
)
@click.option("--alignment", is_flag=True, help="Score word alignments in place of spans.")
@click.option("--one-based", is_flag=True, help="Count the words of gold links from 1.")
@opt.json_option
@click.pass_context
def command(
    context: click.Context,
    /,
    gold: str,
    predicted: str,
    alignment: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Score predicted spans, or word alignments, against gold ones.

    One of the files may be -, for standard input.
    """
    check_one_input(gold, predicted)
    if alignment:
        of_links = frozenset({"gold", "predicted", "alignment", "one_based", "as_json"})
        opt.only(context, of_links, "--alignment scores links, not spans")
        result = _alignment(gold, predicted, given["one_based"])
    elif given["one_based"]:
        raise click.UsageError("--one-based goes with --alignment")
    else:
        result = _spans(gold, predicted, given)
    numbers, text = result
    say(json.dumps(numbers, ensure_ascii=False, indent=1) if as_json else text)


def _spans(gold: str, predicted: str, given: dict[str, Any]) -> tuple[dict[str, Any], str]:
    from spanbridge.core.errors import SpanbridgeError
    from spanbridge.evaluation import evaluate_spans, orphan_policy
    from spanbridge.formats import Counts, Reading, labelled_rows, over_same_words
    from spanbridge.formats.offsets import notes_of

    protocol, scheme = given["protocol"], given["scheme"]
    orphans = orphan_policy(protocol, scheme)
    labels = None
    if given["labels"] is not None:
        labels = [label.strip() for label in given["labels"].split(",")]
        if not all(labels):
            raise SpanbridgeError(f"--labels {given['labels']!r} names an empty label")
    files = (gold, predicted)
    counts = [Counts() for _ in files]
    named = Reading(scheme, orphans, **opt.reading(given))
    how = Reading(scheme, orphans, tag_names=named.tag_names, tokenised=named.tokenised)
    left = labelled_rows(gold, named, counts[0])
    right = labelled_rows(predicted, how, counts[1])
    other = _OtherWords(files)
    found: set[str] = set()

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
        for told, count in {**dict(notes_of(n.places)), **n.left_out}.items():
            if count:
                say(f"note: {path}: {count} {told}", err=True)
        for guess in n.guessed:
            say(f"note: {path}: {guess}", err=True)
    if unknown := sorted({*(labels or ())} - found):
        why = not_named("label of either file", unknown[0], sorted(found))
        raise SpanbridgeError(f"--labels: {why}")
    other.tell()
    numbers, text = report.to_dict(), report.table()
    if given["bootstrap"]:
        interval = report.interval(n=given["bootstrap"])
        numbers["bootstrap"] = interval.to_dict()
        text += (
            f"\n\nmicro F1 {interval.f1:.4f}, {interval.level:.0%} interval "
            f"[{interval.low:.4f}, {interval.high:.4f}]\n{interval.signature}"
        )
    return numbers, text


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

    def tell(self) -> None:
        """Say where they first differ."""
        row, a, b = self._first
        if self._n_other:
            say(
                f"note: the words of {self._n_other} of {self._n} rows differ, first in row {row}: "
                f"{a!r} in {self._files[0]}, {b!r} in {self._files[1]}",
                err=True,
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
