"""``spanbridge label``."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from spanbridge.cli import options as opt


@click.command(
    epilog="""\b
Examples:
  spanbridge label es.txt --from es --model en-tagger -o es.jsonl
  spanbridge label es.txt --from es --model en-tagger --min-confidence 0.9 -o es.jsonl
  spanbridge label sw.txt --from sw --translator given --translations sw-en.tsv \\
    --model en-tagger -o sw.jsonl

OUT holds each text with its spans in characters (target_text, target_spans), beside the tagged
translation. Give the same command again to go on after an interruption: finished stages stand in
OUT.work, and are redone only where the input or a setting that they depend on has changed.
"""
)
@click.argument("text", metavar="TEXT")
@opt.route_options
@click.option(
    "--via",
    "other",
    default="en",
    show_default=True,
    metavar="LANG",
    help="Language of the translations, which the tagger knows.",
)
@click.option(
    "--model",
    required=True,
    metavar="MODEL",
    help="The tagger: a folder that `spanbridge train` or `make tagger` made, or a Hub id.",
)
@click.option("-o", "--output", required=True, metavar="OUT", help="Pairs, as .jsonl.")
@opt.json_option
@opt.quiet_option
def command(text: str, output: str, model: str, **given: Any) -> None:
    """Find entities in raw text: translate, tag the translation, project back.

    TEXT has a sentence a line. Nothing needs to be annotated in its language, and no tagger needs
    to know it.
    """
    from spanbridge.core import registry
    from spanbridge.pipeline.routes import label_files

    means = opt.means(given)
    make_tagger = partial(registry.build, "tagger", "checkpoint", {"model": model})
    run, route = label_files(text, output, means, make_tagger, watch=opt.progress(given["quiet"]))
    opt.report_route(route, run, given["as_json"], given["quiet"])
