"""``spanbridge convert``."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from spanbridge.cli import options as opt
from spanbridge.cli import running
from spanbridge.cli.terminal import say, say_json
from spanbridge.core.errors import SpanbridgeError


@click.command(
    epilog="""\b
Examples:
  spanbridge convert out.jsonl tasks.json
  spanbridge convert out.jsonl posts.jsonl --to doccano
  spanbridge convert export.jsonl gold.conll --from prodigy
  spanbridge convert out.jsonl corpus/ --to brat-folder
  spanbridge convert corpus/ gold.jsonl --from brat-folder
  spanbridge convert pairs.jsonl source.parquet --to hf --side source
  spanbridge convert gold.conll - --to gliner | head
  spanbridge convert out.jsonl hf://datasets/USER/NAME --language de --license cc-by-4.0

Text, spans, labels, scores, ids and keys of their own go along as far as the other format has a
place for them. What it cannot hold is left out and counted, kind by kind; a row that it cannot hold
at all (a label with a space, in brat) is rejected: a row without words takes its place, and its
reason is in OUT.rejects.jsonl. Rows are read and written one by one. OUT.run.json holds the
signature and the account.

hf://datasets/USER/NAME is a new data set of the Hugging Face Hub, private unless --public, with a
card that says how its rows were made (docs/convert.md).
"""
)
@click.argument("source", metavar="IN")
@click.argument("output", metavar="OUT")
@click.option(
    "--from",
    "format",
    metavar="NAME",
    help=f"Format of IN, if neither its name nor its first lines tell. {opt.listed('format')}.",
)
@click.option(
    "--to",
    "output_format",
    metavar="NAME",
    help="Format of OUT, if its suffix does not tell (else, and for -, jsonl).",
)
@click.option(
    "--side",
    type=click.Choice(["source", "target"]),
    help="Side of pairs that is written where OUT has room for one, and on which the sentences of "
    "IN are put if it has one [default: target, or the source if there is no target].",
)
@click.option(
    "--language",
    "languages",
    multiple=True,
    metavar="CODE",
    help="Language that the card of a data set on the Hub names, such as de; may be repeated.",
)
@click.option(
    "--license", "licence", metavar="NAME", help="Licence that it names, such as cc-by-4.0."
)
@click.option("--public", is_flag=True, help="Let all people see a data set on the Hub.")
@opt.nested_option
@opt.tag_options
@opt.unnamed_reading_options
@opt.json_option
@opt.quiet_option
def command(source: str, output: str, **given: Any) -> None:
    """Write labelled rows in another tool's format."""
    from spanbridge.formats import Reading
    from spanbridge.run import hub
    from spanbridge.run.card import About
    from spanbridge.run.converting import convert

    running.check_streams(output, given["as_json"])
    about = About(given.pop("languages"), given.pop("licence"))
    public = given.pop("public")
    how = Reading(**opt.reading(given), **opt.take(given, ("scheme", "orphans")))
    pushed = hub.is_dataset(output)
    if not pushed and (about != About() or public):
        raise SpanbridgeError(
            "--language, --license and --public are for a data set of the Hugging Face Hub "
            "(hf://datasets/USER/NAME)"
        )
    write = partial(hub.push, about=about, public=public) if pushed else convert
    done = write(
        source,
        output,
        given["side"],
        how,
        format=given["output_format"],
        nested=given["nested"],
        progress=running.progress(given["quiet"]),
    )
    if given["as_json"]:
        say_json(done.to_dict())
    elif not given["quiet"]:
        say(done.text(), err=True)
