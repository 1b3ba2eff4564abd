"""``spanbridge evaluate``."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import tee
from typing import Any

import click

from spanbridge.cli import options as opt
from spanbridge.cli.scoring import scores_of, scoring_options
from spanbridge.cli.terminal import say, say_json
from spanbridge.core.standard import check_one_input


@click.command(
    epilog="""\b
Examples:
  spanbridge evaluate gold.conll predicted.conll
  spanbridge evaluate gold.conll predicted.jsonl --labels PER,LOC,ORG --json
  spanbridge evaluate gold.conll predicted.conll --bootstrap 1000
  spanbridge evaluate gold.jsonl predicted.jsonl --by domain
  spanbridge evaluate gold.conll one.conll other.conll
  spanbridge evaluate gold new=new predicted-old
  spanbridge evaluate masakhaner2/{lang}/dev.txt out/{lang}.jsonl
  spanbridge evaluate gold.conll - < predicted.conll
  spanbridge evaluate --alignment gold.links predicted.pharaoh --one-based

A span counts as right if its words and its label are right (entity-level F1). The two protocols
differ only on malformed tags: in `default` an I- tag that continues nothing begins a span, in
`strict` it is ignored (seqeval's default and strict IOB2 modes). GOLD and PRED are files; or
folders with a file for each language, named hau.conll, swa.jsonl...; or paths with {lang} in place
of the language. NAME=PRED names a prediction; several of one name are seeds of one system. Whether
one prediction is better than another by more than chance, `spanbridge compare` says. Gold links are
`1-2` (sure) or `3p4` (possible); the predicted ones are 0-based Pharaoh links. The last line is the
signature: report it with the number.
"""
)
@click.argument("gold", metavar="GOLD")
@click.argument("predicted", metavar="PRED...", nargs=-1, required=True)
@scoring_options
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
    predicted: tuple[str, ...],
    alignment: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Score predicted spans, or word alignments, against gold ones.

    Several predictions come in one table, as do several languages or groups of rows. One of the
    files may be -, for standard input.
    """
    if alignment:
        check_one_input(gold, *predicted)
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
    say_json(numbers) if as_json else say(text)


def _spans(
    gold: str, predicted: Sequence[str], given: dict[str, Any]
) -> tuple[dict[str, Any], str]:
    found, n = scores_of(gold, predicted, given), given["bootstrap"]
    if len(found.cells) > 1 or given["by"] is not None:
        numbers = found.to_dict()
        if n is not None:
            reports = [report for cell in found.cells for report in cell.reports]
            for told, report in zip(numbers["predictions"], reports, strict=True):
                told["bootstrap"] = report.interval(n=n).to_dict()
        return numbers, found.table(n)
    [cell] = found.cells
    report, text = cell.reports[0], cell.reports[0].table()
    numbers = report.to_dict() | {"protocols": dict(cell.protocols[0])}
    if len(set(cell.protocols[0].values())) > 1:
        table, blank, signature = text.rpartition("\n\n")
        both = ", ".join(f"{f1:.4f} by {name}" for name, f1 in cell.protocols[0].items())
        text = blank.join([table, f"malformed tags make a difference: F1 {both}", signature])
    if n is not None:
        interval = report.interval(n=n)
        numbers["bootstrap"] = interval.to_dict()
        text += (
            f"\n\nmicro F1 {interval.f1:.4f}, {interval.level:.0%} interval "
            f"[{interval.low:.4f}, {interval.high:.4f}]\n{interval.signature}"
        )
    return numbers, text


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
