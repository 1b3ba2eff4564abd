"""``spanbridge tag``."""

from __future__ import annotations

from typing import Any

import click

from spanbridge.cli import options as opt
from spanbridge.core import registry
from spanbridge.core.tags import SCHEMES


@click.command(
    epilog="""\b
Examples:
  spanbridge tag --source en.txt --model en-tagger -o en.conll
  spanbridge tag --source pairs.jsonl --side target --model sw-tagger -o tagged.jsonl
  spanbridge tag --source en.txt --tagger transformers --model dslim/bert-base-NER -o en.conll
  spanbridge tag --source en.txt --tagger spacy --model en_core_web_sm --map GPE=LOC -o en.conll
  spanbridge tag --source en.txt --model m --map PER=PER --map LOC=LOC --others drop -o en.conll

From .jsonl to .jsonl, each span has the probability that exactly it is there. OUT.run.json keeps
the signature and the account.
"""
)
@click.option(
    "--source",
    required=True,
    metavar="FILE",
    help="Sentences: .txt (one tokenised sentence a line), .conll (its tags are not read), or "
    "pairs as .jsonl.",
)
@click.option(
    "--model",
    required=True,
    metavar="MODEL",
    help="A folder that `spanbridge train` made, any checkpoint folder or Hugging Face id of a "
    "token classifier, or a spaCy pipeline.",
)
@click.option("-o", "--output", required=True, metavar="OUT", help="Where the result goes.")
@click.option("--tagger", metavar="NAME", default="checkpoint", help=f"{opt.listed('tagger')}.")
@click.option(
    "--side",
    type=click.Choice(["source", "target"]),
    default="source",
    show_default=True,
    help="Of pairs, which side is tagged.",
)
@click.option(
    "--model-scheme",
    "scheme",
    type=click.Choice(SCHEMES),
    help="[checkpoint, transformers] Tag scheme of the model's classes (found out by their names).",
)
@click.option(
    "--map",
    "mapping",
    multiple=True,
    metavar="OLD=NEW",
    help="Rename a label; several may become one. May be given several times.",
)
@click.option(
    "--others",
    default="keep",
    metavar="POLICY",
    help="What becomes of labels that --map does not name: keep (default), drop (spans are "
    "counted) or error.",
)
@click.option("--compute-type", metavar="TYPE", help="[checkpoint] int8 (default), float32.")
@click.option(
    "--recheck",
    type=float,
    help="[checkpoint, int8] Sentences in which a word's two best classes are closer than this (in "
    "nats; 1) are tagged again in float32; 0: none.",
)
@click.option("--threads", type=int, help="[checkpoint] Sentences at the same time.")
@click.option("--device", help="[transformers] cpu, cuda; default: a GPU where there is one.")
@opt.json_option
@opt.quiet_option
def command(source: str, output: str, **given: Any) -> None:
    """Find spans with a trained tagger."""
    from spanbridge.pipeline.tagging import tag_files
    from spanbridge.tag.labels import RelabellingTagger

    options = opt.take(given, ("model", "scheme", "compute_type", "recheck", "threads", "device"))
    tagger = registry.build("tagger", given["tagger"], options)
    if given["mapping"] or given["others"] != "keep":
        pairs = [pair.partition("=") for pair in given["mapping"]]
        if not all(old and new for old, _, new in pairs):
            raise click.UsageError("--map takes OLD=NEW")
        mapping = {old: new for old, _, new in pairs}
        if len(mapping) < len(pairs) or "O" in mapping.values():
            raise click.UsageError(
                "--map names each OLD once, and a NEW other than O (--others drop drops spans)"
            )
        tagger = RelabellingTagger(tagger, mapping, given["others"])
    watch = opt.progress(given["quiet"])
    run = tag_files(source, output, tagger, side=given["side"], model=given["model"], watch=watch)
    opt.report(run, given["as_json"], given["quiet"])
