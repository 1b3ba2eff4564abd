"""``spanbridge perturb``."""

from __future__ import annotations

from typing import Any

import click

from spanbridge.cli import options as opt
from spanbridge.cli import running


@click.command(
    epilog="""\b
Examples:
  spanbridge perturb gold.conll typos.conll --kind typos --strength 0.1 --seed 1
  spanbridge perturb gold.conll upper.conll --kind casing --kind-option to=upper --strength 1
  spanbridge perturb pairs.jsonl noisy.jsonl --kind punctuation --side target
  spanbridge perturb de.conll typos.conll --kind typos --language de --where spans
  spanbridge perturb en.conll names.conll --kind names --kind-option of=swa --strength 1
  spanbridge perturb linked.jsonl mixed.jsonl --kind code-switching --side target --strength 0.3

Labels stay on the words that they were on. The same seed changes the same words in any order of
rows; what a strength changes, a greater one changes too, so that results at several strengths can
be compared row by row. Rows in which the kind has nothing to change are counted. Links of the
input are dropped, and so is what was said of words that have changed. OUT.run.json holds the
signature and the account.
"""
)
@click.argument("source", metavar="IN")
@click.argument("output", metavar="OUT")
@click.option(
    "--kind",
    required=True,
    metavar="NAME",
    help=f"What happens to the words. {opt.listed('perturbation')}.",
)
@click.option(
    "--strength",
    type=click.FloatRange(0, 1),
    default=0.1,
    show_default=True,
    help="Share of the places (letters, words, names: as the kind says) that are changed.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the choice.")
@opt.side_option("Side of pairs that is changed.")
@click.option(
    "--where",
    type=click.Choice(["everywhere", "spans", "outside"]),
    default="everywhere",
    show_default=True,
    help="Part of the sentences that is changed: all, only what is in spans, or only the rest.",
)
@click.option(
    "--kind-option",
    "kind_options",
    multiple=True,
    metavar="NAME=VALUE",
    help="Option of the kind; repeatable. to (lower, upper, swap) [casing]; to (Cyrl, Grek, Arab, "
    "Hebr, Geor, Armn) [transliterate]; of (language of the names, by default that of the text) "
    "[names, longer-names]; layout (qwerty, azerty, russian ...) [typos]; spaces (true: lose them "
    "too) [ocr]; words (linked, at most) [code-switching]; rows (added, at most) [concatenation].",
)
@click.option(
    "--language",
    metavar="LANG",
    help="Language of the sentences, by any code: tells the keyboard of typos, the names of names "
    "and longer-names, and the small letter of I for casing.",
)
@opt.tag_options
@opt.reading_options
@opt.output_format_option
@running.log_option
@opt.json_option
@opt.quiet_option
def command(source: str, output: str, **given: Any) -> None:
    """Change the words of labelled sentences as noise would, and keep the labels in place."""
    side = given["side"]
    options = opt.parsed(given["kind_options"], "--kind-option")
    settings = {
        "input": source,
        "side": side,
        "output": output,
        "output_side": side,
        "languages": {} if given["language"] is None else {side: given["language"]},
        "steps": [
            {
                "perturb": {
                    "kind": {given["kind"]: options},
                    **opt.take(given, ("strength", "seed", "side", "where")),
                }
            }
        ],
        **opt.take(given, (*opt.READING, "scheme", "orphans", "output_format")),
    }
    running.stream(settings, given)
