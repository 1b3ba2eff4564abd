"""``spanbridge translate``."""

from __future__ import annotations

from typing import Any

import click

from spanbridge.cli import entries, running
from spanbridge.cli import options as opt


@click.command(
    epilog="""\b
Examples:
  spanbridge translate --source es.txt --from es --to en --original target -o pairs.jsonl
  spanbridge translate --source en.conll --from en --to es -o pairs.jsonl
  cat es.txt | spanbridge translate --source - --from es --to en -o - | head
  spanbridge translate --source sw.txt --from sw --to en --translations sw-en.tsv \\
    -o pairs.jsonl

Translate-test: text without labels becomes the target side (--original target), its translation the
source side, which is then tagged and projected. Translate-train: labelled sentences stay the source
side. `spanbridge label` and `spanbridge make-data` do all the steps.

A translation that failed is empty, one that looks wrong is kept; both are counted, and have the
reason in their row's field `translation_status`.
"""
)
@click.option(
    "--source",
    required=True,
    metavar="FILE",
    help="Raw text, one sentence per line, rows with a text as .jsonl or .csv, or CoNLL; labels "
    "stay with their sentences; - for standard input.",
)
@opt.from_option(required=True)
@opt.translator_options
@click.option("--to", "other", required=True, metavar="LANG", help="Language of the translations.")
@click.option(
    "--original",
    type=click.Choice(["source", "target"]),
    default="source",
    show_default=True,
    help="Side of the pairs for the sentences of FILE.",
)
@click.option("-o", "--output", required=True, metavar="OUT", help="Pairs, as .jsonl, or -.")
@opt.tag_options
@opt.reading_options
@opt.output_format_option
@running.log_option
@opt.json_option
@opt.quiet_option
def command(source: str, output: str, **given: Any) -> None:
    """Translate sentences into pairs."""
    original, other = given["original"], "target" if given["original"] == "source" else "source"
    settings = {
        "input": source,
        "side": original,
        "languages": {original: given["language"], other: given["other"]},
        "output": output,
        "commercial": given["commercial"],
        "steps": [
            {"translate": {"translator": entries.needed_translator(given), "side": original}}
        ],
        **opt.take(given, ("scheme", "orphans", *opt.READING, "output_format")),
    }
    running.stream(settings, given)
