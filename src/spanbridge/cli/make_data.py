"""``spanbridge make-data``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from spanbridge.cli import options as opt
from spanbridge.cli import running
from spanbridge.core.errors import InputError
from spanbridge.core.files import check_there


@click.command(
    epilog="""\b
Examples:
  spanbridge make-data en.conll --from en --to es -o es-data
  spanbridge make-data en.conll --from en --to es --marks brackets -o es-marked
  spanbridge train --train es-data/train.jsonl --min-score 0.5 -o es-tagger

LABELLED may be - (standard input). DIR/train.jsonl holds the translations with projected spans and
their confidences. Repeat the command to resume after an interruption: finished shards are kept in
DIR/work.
"""
)
@click.argument("labelled", metavar="LABELLED")
@opt.route_options
@click.option("--to", "other", required=True, metavar="LANG", help="Language of the new data.")
@click.option(
    "--marks",
    metavar="STYLE",
    help="Style of marks (brackets, xml, quotes) for mark-then-translate in place of projection: "
    "marks around the spans go through the translator and are found again.",
)
@opt.segment_option
@click.option("--show-config", is_flag=True, help="Print the pipeline file and stop.")
@click.option("-o", "--output", required=True, metavar="DIR", help="Folder for the result.")
@opt.tag_options
@opt.reading_options
@opt.json_option
@opt.quiet_option
@click.pass_context
def command(context: click.Context, /, labelled: str, output: str, **given: Any) -> None:
    """Make training data in another language from a labelled corpus: translate, project."""
    from spanbridge.run.config import make_pipeline
    from spanbridge.run.recipes import make_data_steps, segmented

    if given["marks"]:
        opt.only(context, _BESIDE_MARKS, "--marks needs no projection")
    check_there(labelled)
    _check_labelled(labelled, given["format"])
    settings = {
        "input": labelled,
        "side": "source",
        "languages": {"source": given["language"], "target": given["other"]},
        "output": str(Path(output) / "train.jsonl"),
        "work": str(Path(output) / "work"),
        "steps": make_data_steps(
            opt.translator_entry(given),
            opt.projection_entry(given),
            segment=segmented(given["segment"], given["other"]),
            marks=given["marks"],
        ),
        **opt.take(given, ("scheme", "orphans", *opt.READING)),
        **opt.pipeline_settings(given),
    }
    pipeline = make_pipeline(settings)
    if not given["show_config"]:
        opt.make_folder(output)
    running.run_or_show(pipeline, given)


def _check_labelled(path: str, name: str | None) -> None:
    """Check that a file may hold labels."""
    from spanbridge.formats import find_format

    if not find_format(path, name=name, default="text", sniff=True).holds_spans:
        why = "holds no tags; give a labelled corpus as CoNLL, or texts with spans as .jsonl"
        raise InputError(path, None, why)


_BESIDE_MARKS = frozenset(
    {
        *("labelled", "output", "language", "other", "marks", "translator", "translator_model"),
        *("translations", "translator_options", "beam", "commercial", "scheme", "orphans"),
        *opt.READING,
        *("show_config", "shard_rows", "part", "as_json", "quiet"),
    }
)
