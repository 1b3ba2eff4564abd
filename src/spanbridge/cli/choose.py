"""``spanbridge choose``."""

from __future__ import annotations

from typing import Any

import click

from spanbridge.cli import options as opt
from spanbridge.cli.running import check_streams
from spanbridge.cli.terminal import say, say_json


@click.command(
    epilog="""\b
Examples:
  spanbridge choose out.jsonl -n 100 -o first.jsonl
  spanbridge choose out.jsonl -n 100 --by doubt -o first.jsonl

OUT has whole rows, best first. Correct their target spans in any tool, add to each row that is
right then "review": {"status": "corrected"}, and give the file to project --corrections
(docs/corrections.md).
"""
)
@click.argument("path", metavar="FILE")
@click.option("-n", "number", type=click.IntRange(min=1), help="Number of rows [default: all].")
@click.option("-o", "--output", required=True, metavar="OUT", help="File for the rows.")
@click.option(
    "--by",
    type=click.Choice(["mixture", "doubt"]),
    default="mixture",
    help="doubt: rows with the lowest confidence first. mixture (default): likewise, but mistakes "
    "of the same kind count for less each time.",
)
@opt.json_option
@opt.quiet_option
def command(path: str, number: int | None, output: str, by: Any, **given: Any) -> None:
    """Choose the rows of a result that a person should correct first."""
    from collections import Counter

    from spanbridge.core.errors import InputError
    from spanbridge.evaluation.choosing import choose
    from spanbridge.formats import open_writer, output_format
    from spanbridge.formats.losses import losses
    from spanbridge.formats.reading import labelled_pairs
    from spanbridge.run.result import check_output

    check_streams(output, given["as_json"])
    check_output(output, path)
    rows = [pair for _, pair in labelled_pairs(path)]
    chosen = choose(rows, number, by)
    if not chosen:
        why = "no row has a confidence and is still to be corrected; give what project wrote"
        raise InputError(path, None, why)
    lost: Counter[str] = Counter()
    nested = "spans not written, since the format holds one layer"
    held = output_format(output, "jsonl")
    with open_writer(output, name=held.name, left_out=lambda n: lost.update({nested: n})) as write:
        for number, k in enumerate(chosen, 1):
            write(rows[k])
            lost.update(dict(losses(rows[k], number, held, "target")))
    lost = +lost
    if given["as_json"]:
        say_json({"rows": len(rows), "chosen": [rows[k].id for k in chosen], **lost})
    elif not given["quiet"]:
        lines = [f"{len(chosen)} of {len(rows)} rows written to {output}, best first"]
        say("\n".join([*lines, *(f"{n} {what}" for what, n in lost.items())]), err=True)
