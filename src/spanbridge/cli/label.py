"""``spanbridge label``."""

from __future__ import annotations

from typing import Any

import click
from click.core import ParameterSource

from spanbridge.cli import options as opt
from spanbridge.cli import running


@click.command(
    epilog="""\b
Examples:
  spanbridge label es.txt --from es --model en-tagger -o es.jsonl
  spanbridge label es.txt --from es --model en-tagger --min-confidence 0.9 -o es.jsonl
  spanbridge label es.txt --from es --model en-tagger --calibrate gold.jsonl -o es.jsonl
  spanbridge label sw.txt --from sw --translator given --translations sw-en.tsv \\
    --model en-tagger -o sw.jsonl

TEXT may be - (standard input), and OUT too (standard output; nothing is kept then to resume from).

OUT holds each text with its spans in characters (target_text, target_spans), and the tagged
translation. Repeat the command to resume after an interruption: finished shards are kept in
OUT.work, and redone only if the input or a setting that they depend on has changed.
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
    metavar="MODEL",
    help="Tagger: a folder that `spanbridge train` or `make tagger` made, or a Hub id.",
)
@click.option(
    "--repair",
    is_flag=True,
    help="Repair text that was encoded twice (Espa\u00c3\u00b1a) for the work; OUT keeps it.",
)
@click.option(
    "--split/--no-split",
    default=True,
    help="Cut texts into sentences for the work; the output has whole texts (default: split).",
)
@opt.segment_option
@click.option(
    "--back-translate",
    "back",
    metavar="STYLE",
    help="Style of marks (brackets, xml, quotes) to translate the tagged translation back with, so "
    "that words are aligned within the text's own language.",
)
@click.option(
    "--ensemble",
    metavar="MODEL",
    help="Tagger of the text's own language, to combine with the projection.",
)
@opt.calibrate_option
@click.option(
    "--config",
    metavar="PIPELINE.yaml",
    help="Pipeline file (docs/run.md) with steps in place of the default ones.",
)
@click.option("--show-config", is_flag=True, help="Print the pipeline file and stop.")
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="OUT",
    help="Pairs, as .jsonl; or texts with spans, as .csv; or -.",
)
@opt.file_options
@opt.output_format_option
@opt.json_option
@opt.quiet_option
@click.pass_context
def command(context: click.Context, /, text: str, output: str, **given: Any) -> None:
    """Find entities in raw text: translate, tag the translation, project back.

    TEXT has one text per line, or rows with ids as .jsonl or .csv. Neither labelled data nor a
    tagger in its language is needed.
    """
    from spanbridge.run.config import make_pipeline, read_pipeline
    from spanbridge.run.inputs import Input
    from spanbridge.run.recipes import label_steps, segmented

    settings: dict[str, Any] = {
        "input": text,
        "side": "target",
        "languages": {"target": given["language"], "source": given["other"]},
        "output": output,
        **opt.take(given, (*opt.READING, "output_format")),
        **opt.pipeline_settings(given),
    }
    if given["config"] is not None:
        opt.only(context, _BESIDE_CONFIG, "--config has its own steps")
        said = context.get_parameter_source("other") is ParameterSource.COMMANDLINE
        settings["languages"] = {"target": given["language"]}
        settings["languages"] |= {"source": given["other"]} if said else {}
        pipeline = read_pipeline(given["config"], {"source": given["other"]}, **settings)
    elif given["model"] is None:
        raise click.UsageError("name the tagger with --model, or steps with --config")
    else:
        # sentences can be cut only out of raw text about which nothing else is known yet
        one = Input(input=text, side="target", **opt.take(given, opt.READING))
        raw = one.columns() == {"target_words", "target_text"}
        settings["steps"] = label_steps(
            opt.translator_entry(given),
            {"checkpoint": {"model": given["model"]}},
            opt.projection_entry(given),
            split=given["split"] and raw,
            ensemble=given["ensemble"] and {"checkpoint": {"model": given["ensemble"]}},
            segment=segmented(given["segment"], given["language"]) and raw,
            **opt.take(given, ("repair", "back", "calibrate")),
        )
        pipeline = make_pipeline(settings)
    running.run_or_show(pipeline, given)


_BESIDE_CONFIG = frozenset(
    {
        *("text", "output", "language", "other", "config", "show_config", "commercial"),
        *(*opt.READING, "output_format", "shard_rows", "part", "as_json", "quiet"),
    }
)
