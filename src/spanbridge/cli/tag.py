"""``spanbridge tag``."""

from __future__ import annotations

from typing import Any

import click

from spanbridge.cli import options as opt
from spanbridge.cli import running
from spanbridge.cli.scoring import renamed
from spanbridge.cli.tagger_options import named_tagger, tagger_options


@click.command(
    epilog="""\b
Examples:
  spanbridge tag --source posts.txt -o posts.jsonl
  spanbridge tag --source en.txt --model en-tagger -o en.conll
  spanbridge tag --source pairs.jsonl --side target --model sw-tagger -o tagged.jsonl
  spanbridge tag --source en.txt --tagger transformers --model dslim/bert-base-NER -o en.conll
  spanbridge tag --source en.txt --model en-tagger --calibrate gold.conll -o en.jsonl
  spanbridge tag --source en.txt --tagger spacy --model en_core_web_sm --map GPE=LOC -o en.conll
  spanbridge tag --source en.txt --tagger gliner --model urchade/gliner_multi-v2.1 \\
    --labels person,place -o en.jsonl
  cat en.txt | spanbridge tag --source - --model en-tagger -o - | head
  spanbridge tag --source en.txt --tagger chat --model qwen2.5:14b \\
    --labels labels.yaml -o en.jsonl
  spanbridge tag --source en.txt --model m --map PER=PER --map LOC=LOC --others drop -o en.conll

From .jsonl to .jsonl, each span has the probability that it is exactly right. OUT.run.json holds
the signature and the account.
"""
)
@click.option(
    "--source",
    required=True,
    metavar="FILE",
    help="Sentences: .txt (one per line), .conll (its tags are not read), .jsonl or .csv; "
    "- for standard input.",
)
@click.option(
    "--model",
    metavar="MODEL",
    help="Model in place of the tagger that comes with spanbridge (PER, ORG, LOC): a folder that "
    "`spanbridge train` made, any checkpoint folder or Hugging Face id of a token classifier, or a "
    "spaCy pipeline; with --tagger gliner or gliner2, a checkpoint of these.",
)
@click.option("-o", "--output", required=True, metavar="OUT", help="File for the result, or -.")
@tagger_options
@opt.side_option("Side of the pairs that is tagged.")
@click.option(
    "--map",
    "mapping",
    multiple=True,
    metavar="OLD=NEW",
    help="New name of a label; several may become one; repeatable.",
)
@click.option(
    "--others",
    default="keep",
    metavar="POLICY",
    help="Treatment of labels that --map does not name: keep (default), drop (spans are counted) "
    "or error.",
)
@click.option(
    "--min-score",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="Least probability of a span, once calibrated; others are left out and counted.",
)
@opt.calibrate_option
@opt.commercial_option
@opt.file_options
@opt.output_format_option
@running.log_option
@opt.json_option
@opt.quiet_option
def command(source: str, output: str, **given: Any) -> None:
    """Find spans with a trained tagger."""
    from spanbridge.run.recipes import tag_steps

    mapping = renamed(given["mapping"])
    steps = tag_steps(
        named_tagger(given),
        map=mapping,
        **{name: given[name] for name in ("side", "min_score", "calibrate", "others")},
    )
    settings = {
        "input": source,
        "side": given["side"],
        "labels": False,
        "output": output,
        "output_side": given["side"],
        "commercial": given["commercial"],
        "steps": steps,
        **opt.take(given, (*opt.READING, "output_format")),
    }
    running.stream(settings, given)
