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
    from spanbridge.core.errors import InputError
    from spanbridge.core.signature import signature
    from spanbridge.evaluation.choosing import choose
    from spanbridge.formats import output_format
    from spanbridge.formats.reading import labelled_pairs
    from spanbridge.run.converting import write_rows
    from spanbridge.run.result import check_output, finish
    from spanbridge.steps.account import Account

    check_streams(output, given["as_json"])
    held = output_format(output, "jsonl")
    check_output(output, path, also=held.beside(output))
    rows = [pair for _, pair in labelled_pairs(path)]
    chosen = choose(rows, number, by)
    if not chosen:
        why = "no row has a confidence and is still to be corrected; give what project wrote"
        raise InputError(path, None, why)
    account = Account()
    write_rows(output, held, "target", "outer", (("chosen", rows[k]) for k in chosen), account)
    line = signature({"task": "choose", "to": held.name, "by": by})
    run = finish(output, {"input": path}, line, account, {}, beside=held.beside(output))
    if given["as_json"]:
        told = {"rows": len(rows), "chosen": [rows[k].id for k in chosen]}
        say_json({**told, **account.notes, "rejects": run.rejects})
    elif not given["quiet"]:
        lines = [f"{len(chosen)} of {len(rows)} rows written to {output}, best first"]
        lines += [f"{n} {what}" for what, n in account.notes.items()]
        if account.rejects:
            lines.append(f"{len(account.rejects)} rows rejected; why: {run.rejects}")
        say("\n".join(lines), err=True)
