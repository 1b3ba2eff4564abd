"""``spanbridge make-data``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from spanbridge.cli import options as opt


@click.command(
    epilog="""\b
Examples:
  spanbridge make-data en.conll --from en --to es -o es-data
  spanbridge make-data en.conll --from en --to es --marks brackets -o es-marked
  spanbridge train --train es-data/train.jsonl --min-score 0.5 -o es-tagger

DIR/train.jsonl holds the translations with projected spans and their confidences. Give the same
command again to go on after an interruption: finished stages stand in DIR/work.
"""
)
@click.argument("labelled", metavar="LABELLED")
@opt.route_options
@click.option("--to", "other", required=True, metavar="LANG", help="Language of the new data.")
@click.option(
    "--marks",
    metavar="STYLE",
    help="Mark-then-translate in place of alignment and projection: marks about the spans go "
    "through the translator and are found again: brackets, xml or quotes.",
)
@click.option("-o", "--output", required=True, metavar="DIR", help="Folder for the result.")
@opt.tag_options
@opt.json_option
@opt.quiet_option
def command(labelled: str, output: str, **given: Any) -> None:
    """Make training data in another language out of a labelled corpus: translate, project."""
    from spanbridge.pipeline.routes import make_data_files

    if given["marks"] and (given["method"] or given["aligner"] or given["min_confidence"]):
        raise click.UsageError("--marks needs no --method, --aligner or --min-confidence")
    run, route = make_data_files(
        labelled,
        str(Path(output)),
        opt.means(given),
        marks=given["marks"],
        watch=opt.progress(given["quiet"]),
        **opt.take(given, ("scheme", "orphans")),
    )
    opt.report_route(route, run, given["as_json"], given["quiet"])
