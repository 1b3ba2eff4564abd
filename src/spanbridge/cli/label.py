"""``spanbridge label``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from spanbridge.cli import entries, running
from spanbridge.cli import options as opt
from spanbridge.cli.shard_options import OF_RUN, route_options
from spanbridge.cli.tagger_options import named_tagger, tagger_options
from spanbridge.cli.terminal import complain

if TYPE_CHECKING:
    from spanbridge.routes import Choice
    from spanbridge.run.inputs import Input


@click.command(
    epilog="""\b
Examples:
  spanbridge label posts.txt -o posts.jsonl
  spanbridge label posts.csv --text-column tweet -o posts.jsonl
  cat posts.txt | spanbridge label - -o - | head
  spanbridge label posts.txt --tagger chat --model qwen2.5:14b \\
    --labels labels.yaml -o posts.jsonl
  spanbridge label es.txt --from es --ensemble -o es.jsonl
  spanbridge label es.txt --calibrate gold.jsonl --min-confidence 0.9 -o es.jsonl
  spanbridge label es.txt --tagger gliner --model urchade/gliner_multi-v2.1 \\
    --labels person,place -o es.jsonl
  spanbridge label sw.txt --from sw --translations sw-en.tsv -o sw.jsonl
  spanbridge label am.txt --from am --translate \\
    --translator-model facebook/nllb-200-distilled-600M -o am.jsonl

TEXT may be - (standard input), and OUT too (standard output; nothing is kept then to resume from).

Routes: direct, the tagger reads the text itself; translate, it reads a translation, and its spans
are projected back; ensemble, taggers read both, and are combined. `spanbridge advise` says what is
known of each for a language.

OUT holds each text with its spans in characters (target_text, target_spans), and the tagged
translation if there is one. Repeat the command to resume after an interruption: finished shards are
kept in OUT.work, and redone only if the input or a setting that they depend on has changed.
"""
)
@click.argument("text", metavar="TEXT")
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="OUT",
    help="Texts with their spans, as .jsonl or .csv; or -.",
)
@opt.from_option(required=False)
@click.option(
    "--route",
    type=click.Choice(["auto", "direct", "translate", "ensemble"]),
    help="How entities are found. Default: auto, which chooses by language and by what is "
    "installed, and says why.",
)
@click.option("--translate", is_flag=True, help="Short for --route translate.")
@click.option("--ensemble", is_flag=True, help="Short for --route ensemble.")
@click.option(
    "--model",
    metavar="MODEL",
    help="Tagger of the text, or where it is translated of the translations, in place of the one "
    "that comes with spanbridge (PER, ORG, LOC): a folder that `spanbridge train` made, any "
    "checkpoint folder or Hub id of a token classifier.",
)
@click.option(
    "--text-model", metavar="MODEL", help="[ensemble] Tagger of the text itself, likewise."
)
@tagger_options
@opt.via_option("Language of the translations, which their tagger knows.")
@route_options
@opt.repair_option
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
    help="Style of marks (brackets, xml, quotes, letters) to translate the tagged translation back "
    "with, so that words are aligned within the text's own language.",
)
@opt.calibrate_option
@click.option(
    "--config",
    metavar="PIPELINE.yaml",
    help="Pipeline file (docs/run.md) with steps in place of the default ones.",
)
@click.option("--show-config", is_flag=True, help="Print the pipeline file and stop.")
@opt.file_options
@opt.output_format_option
@running.log_option
@opt.json_option
@opt.quiet_option
@click.pass_context
def command(context: click.Context, /, text: str, output: str, **given: Any) -> None:
    """Find entities in raw text: one command, no options needed.

    TEXT has one text per line, or rows with ids as .jsonl or .csv. Neither labelled data nor a
    model is needed: a tagger of about a hundred languages comes with spanbridge.
    """
    from spanbridge.run.config import make_pipeline, read_pipeline
    from spanbridge.run.inputs import Input

    settings: dict[str, Any] = {
        "input": text,
        "side": "target",
        "languages": opt.take({"target": given["language"]}, ("target",)),
        "output": output,
        **opt.take(given, (*opt.READING, "output_format")),
        **entries.pipeline_settings(given),
    }
    if given["config"] is not None:
        opt.only(context, _BESIDE_CONFIG, "--config has its own steps")
        if context.get_parameter_source("other") is ParameterSource.COMMANDLINE:
            settings["languages"]["source"] = given["other"]
        pipeline = read_pipeline(given["config"], {"source": given["other"]}, **settings)
        running.run_or_show(pipeline, given)
        return
    one = Input(input=text, side="target", **opt.take(given, opt.READING))
    # sentences can be cut only out of raw text about which nothing else is known yet
    raw = one.columns() == {"target_words", "target_text"}
    chosen = _choice(context, given)
    if chosen.route != "direct":
        settings["languages"]["source"] = given["other"]
    place = _repair(one, chosen, given)
    settings["steps"] = _steps(chosen, raw, given)
    pipeline = make_pipeline(settings)
    if not given["quiet"]:
        if _asked(given) == "auto":
            complain(chosen.text())
        if place is not None:
            complain(
                f"note: {text} looks encoded twice, as {place!r} does: it is repaired for the work "
                "(--no-repair), and comes out as it is"
            )
    running.run_or_show(pipeline, given)


def _asked(given: dict[str, Any]) -> Any:
    """The route that is asked for."""
    flags = [name for name in ("translate", "ensemble") if given[name]]
    asked = [*flags, *([given["route"]] if given["route"] else [])]
    if len(set(asked)) > 1:
        raise click.UsageError(f"{asked[0]} and {asked[-1]} are two routes; name one")
    return next(iter(asked), "auto")


def _choice(context: click.Context, given: dict[str, Any]) -> Choice:
    """The route, and how it was chosen."""
    from spanbridge.routes import choose

    asked, translator = _asked(given), entries.translator_entry(given)
    named = [
        param.opts[-1]
        for param in context.command.params
        if param.name in _OF_TRANSLATION
        and context.get_parameter_source(param.name) is ParameterSource.COMMANDLINE
    ]
    if asked == "direct" and named:
        raise click.UsageError(f"--route direct translates nothing; leave {named[0]} out")
    language, via = given["language"], given["other"]
    chosen = choose(language, asked, translator, via=via, translated=bool(named))
    if given["text_model"] is not None and chosen.route != "ensemble":
        raise click.UsageError("--text-model goes with --ensemble")
    return chosen


def _steps(chosen: Choice, raw: bool, given: dict[str, Any]) -> list[Any]:
    from spanbridge.run.recipes import label_steps, segmented

    return label_steps(
        chosen.route,
        named_tagger(given),
        chosen.translator,
        text_tagger=entries.tagger_entry(given["text_model"]),
        project=entries.projection_entry(given),
        min_confidence=given["min_confidence"],
        split=given["split"] and raw,
        segment=segmented(given["segment"], given["language"]) and raw,
        **opt.take(given, ("repair", "back", "calibrate")),
    )


def _repair(one: Input, chosen: Choice, given: dict[str, Any]) -> str | None:
    """Settle whether text is repaired; the place that shows that it has to be, if that is new."""
    from spanbridge.run.recipes import to_repair

    if given["repair"] is not None:
        return None
    place = to_repair(one.rows(), chosen.translator)
    given["repair"] = place is not None
    return place


# Options that say something of a translation, and so ask for one.
_OF_TRANSLATION = frozenset(
    {
        *("translator", "translations", "translator_model", "translator_options", "other"),
        *("method", "aligner", "least_parallel", "back", "text_model"),
    }
)
_BESIDE_CONFIG = frozenset(
    {
        *("text", "output", "language", "other", "config", "show_config", "commercial"),
        *(*opt.READING, "output_format", *OF_RUN),
    }
)
