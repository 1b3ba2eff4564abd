"""``spanbridge make-data``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import click

from spanbridge.cli import entries, running
from spanbridge.cli import options as opt
from spanbridge.cli.shard_options import OF_RUN, route_options
from spanbridge.cli.tagger_options import named_tagger, tagger_options
from spanbridge.cli.terminal import complain
from spanbridge.core.addresses import is_remote
from spanbridge.core.errors import InputError
from spanbridge.core.files import check_named, check_there, reason


@click.command(
    epilog="""\b
Examples:
  spanbridge make-data en.conll --from en --to es -o es-data
  spanbridge make-data posts.txt --from en --to es -o es-data
  spanbridge make-data en.conll --from en --to es --marks brackets -o es-marked
  spanbridge make-data en.conll --from en --to es --translator chat \\
    --translator-model qwen2.5:14b --entities --check -o es-paired
  spanbridge train --train es-data/train.jsonl --min-score 0.5 -o es-tagger

CORPUS may be - (standard input). DIR/train.jsonl holds the translations with projected spans and
their confidences. Repeat the command to resume after an interruption: finished shards are kept in
DIR/work. DIR may be an address, such as s3://bucket/data.
"""
)
@click.argument("corpus", metavar="CORPUS")
@opt.from_option(required=True)
@route_options
@click.option("--to", "other", required=True, metavar="LANG", help="Language of the new data.")
@click.option(
    "--model",
    metavar="MODEL",
    help="Tagger of a corpus without labels, in place of the one that comes with spanbridge: a "
    "folder that `spanbridge train` made, or a Hub id.",
)
@tagger_options
@click.option(
    "--marks",
    metavar="STYLE",
    help="Style of marks (brackets, xml, quotes, letters) for mark-then-translate in place of "
    "projection: marks around the spans go through the translator and are found again.",
)
@click.option(
    "--entities",
    is_flag=True,
    help="Entity-aligned translation by --translator chat in place of projection: one answer has "
    "the translation, and the words in it that stand for each span (docs/chat.md).",
)
@click.option(
    "--check",
    is_flag=True,
    help="[--entities] Have translations translated back with their spans, and leave spans out "
    "that come back as something else.",
)
@opt.segment_option
@click.option("--show-config", is_flag=True, help="Print the pipeline file and stop.")
@click.option("-o", "--output", required=True, metavar="DIR", help="Folder for the result.")
@opt.tag_options
@opt.reading_options
@running.log_option
@opt.json_option
@opt.quiet_option
@click.pass_context
def command(context: click.Context, /, corpus: str, output: str, **given: Any) -> None:
    """Make training data in another language from a corpus: translate, project.

    CORPUS has labels (CoNLL, or texts with spans as .jsonl or .csv), or none (raw text, one per
    line, or rows with a text): then a tagger finds its entities.
    """
    from spanbridge.run.config import make_pipeline
    from spanbridge.run.inputs import Input
    from spanbridge.run.recipes import make_data_steps, segmented

    if given["entities"]:
        opt.only(context, _BESIDE_ENTITIES, "--entities needs no projection")
    elif given["check"]:
        raise click.UsageError("--check goes with --entities")
    if given["marks"]:
        opt.only(context, _BESIDE_MARKS, "--marks needs no projection")
    check_there(corpus)
    reading = opt.take(given, ("scheme", "orphans", *opt.READING))
    labelled = Input(input=corpus, side="source", **reading).labelled()
    own = next((k for k in ("model", "tagger", "labels", "tagger_options") if given[k]), None)
    if labelled and own is not None:
        flag = f"--{own.replace('_options', '-option')}"
        raise click.UsageError(f"{corpus} has labels, so that {flag} has nothing to do")
    found_by_translator = given["entities"] and given["labels"]
    if not (labelled or found_by_translator or given["quiet"]):
        complain(f"{corpus} has no labels: its entities are found by a tagger")
    projection = entries.projection_entry(given)
    if given["min_confidence"]:
        projection["min_confidence"] = given["min_confidence"]
    settings = {
        "input": corpus,
        "side": "source",
        "labels": labelled,
        "languages": {"source": given["language"], "target": given["other"]},
        "output": str(Path(output) / "train.jsonl"),
        "work": str(Path(output) / "work"),
        "steps": make_data_steps(
            entries.needed_translator(given),
            projection,
            tagger=None if labelled or found_by_translator else named_tagger(given),
            segment=segmented(given["segment"], given["other"]),
            marks=given["marks"],
            entities=opt.take(given, ("labels", "check")) if given["entities"] else None,
        ),
        **reading,
        **entries.pipeline_settings(given),
    }
    pipeline = make_pipeline(settings)
    with nullcontext() if given["show_config"] else _folder(output):
        running.run_or_show(pipeline, given)


_BESIDE_ENTITIES = frozenset(
    {
        *("corpus", "model", "tagger", "tagger_options", "output", "language", "other"),
        *("translator", "translator_model", "translations", "translator_options", "commercial"),
        *("scheme", "orphans", *opt.READING, "entities", "labels", "check"),
        *("show_config", *OF_RUN),
    }
)
_BESIDE_MARKS = _BESIDE_ENTITIES - {"entities", "labels", "check"} | {"marks"}


@contextmanager
def _folder(path: str) -> Iterator[None]:
    """Make a folder for a result; if it comes to nothing, what was made and is empty goes again.

    Other stores have no folders without files.
    """
    check_named(path, "folder")
    if is_remote(path):
        yield
        return
    new = [place for place in (Path(path), *Path(path).parents) if not place.exists()]
    try:
        os.makedirs(path, exist_ok=True)
    except (OSError, ValueError) as error:
        raise InputError(path, None, f"cannot be made ({reason(error)})") from error
    try:
        yield
    except BaseException:
        with suppress(OSError):  # one that holds something, such as shards to go on with, stays
            for place in new:
                place.rmdir()
        raise
