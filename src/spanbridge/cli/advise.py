"""``spanbridge advise``."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from spanbridge.cli import entries, running
from spanbridge.cli import options as opt
from spanbridge.cli.terminal import say, say_json

if TYPE_CHECKING:
    from spanbridge.core.rows import SentencePair
    from spanbridge.routes import Advice


@click.command(
    epilog="""\b
Examples:
  spanbridge advise --from yo
  spanbridge advise posts.txt --from yo
  spanbridge advise posts.txt --from sw --gold gold.conll --translations sw-en.tsv
  spanbridge advise --gold es.conll --from es --json

What is known of a language comes from a table: our own measurements with the tagger that comes with
spanbridge, and published ones with others (docs/advise.md). A sample says how well the encoder's
vocabulary covers the text. On gold, every route that can run here is run and scored.
"""
)
@click.argument("text", metavar="[TEXT]", required=False)
@opt.from_option(required=False)
@click.option(
    "--gold",
    metavar="FILE",
    help="Labelled sentences of the language, on which the routes are run: CoNLL, or texts with "
    "spans.",
)
@click.option(
    "--rows",
    type=click.IntRange(min=1),
    default=500,
    show_default=True,
    help="Rows of TEXT and of the gold that are used, at most, spread over them.",
)
@click.option("--model", metavar="MODEL", help="Tagger, as in `label`.")
@click.option("--text-model", metavar="MODEL", help="Tagger of the text in an ensemble.")
@opt.via_option("Language of the translations.")
@opt.translator_options
@opt.repair_option
@opt.tag_options
@opt.reading_options
@opt.json_option
def command(text: str | None, gold: str | None, **given: Any) -> None:
    """Recommend a route of `label` for a language: direct, translate or ensemble.

    TEXT is a sample of the text, as `label` takes it. The last line is the command to run.
    """
    from spanbridge.core.standard import check_one_input
    from spanbridge.routes import advise

    if not (text or gold or given["language"]):
        raise click.UsageError("name the language with --from, or give a sample TEXT or --gold")
    check_one_input(text, gold)
    translator = entries.translator_entry(given)
    models = {
        "tagger": entries.tagger_entry(given["model"]),
        "text_tagger": entries.tagger_entry(given["text_model"]),
    }
    found = advise(
        given["language"],
        _rows(text, given, labels=False),
        _rows(gold, given, labels=True),
        translator,
        via=given["other"],
        rows=given["rows"],
        **opt.take(given, ("repair",)),
        commercial=given["commercial"],
        progress=running.progress(given["as_json"]),
        **models,
    )
    line = _command(found, text, given)
    if given["as_json"]:
        say_json({**found.to_dict(), "command": line})
    else:
        say(f"{found.text()}\n\n{found.choice.text()}\n{line}")


def _rows(path: str | None, given: dict[str, Any], *, labels: bool) -> Iterator[SentencePair]:
    """Rows of a file, as target sides."""
    from spanbridge.formats import Reading, read_rows

    if path is None:
        return
    settings = opt.reading(given)
    if labels:
        settings |= opt.take(given, ("scheme", "orphans"))
    else:  # the options of labelled files are the gold's
        settings = opt.take(given, ("text_column", "tokenised"))
    how = Reading(tags=labels, raw_if_unclear=True, **settings)
    for _, row in read_rows(
        path, "target", how, default="conll" if labels else "text", sniff=labels
    ):
        yield row


def _command(found: Advice, text: str | None, given: dict[str, Any]) -> str:
    """The command line of `label` that takes the route."""
    words = ["spanbridge", "label", text or "TEXT"]
    route = found.choice.route
    if found.language is not None:
        words += ["--from", given["language"]]
    words += ["--route", route]
    if route != "direct":
        words += ["--via", given["other"]] if given["other"] != "en" else []
        for name in ("translator", "translations", "translator_model"):
            if given[name] is not None:
                words += [f"--{name.replace('_', '-')}", given[name]]
        for option in given["translator_options"]:
            words += ["--translator-option", option]
    kept = ("model", "text_model") if route == "ensemble" else ("model",)
    for name in (*kept, "text_column"):
        if given[name] is not None:
            words += [f"--{name.replace('_', '-')}", given[name]]
    if given["repair"] is not None:
        words.append("--repair" if given["repair"] else "--no-repair")
    return shlex.join([*words, "-o", "OUT.jsonl"])
