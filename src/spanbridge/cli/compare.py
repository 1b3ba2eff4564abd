"""``spanbridge compare``."""

from __future__ import annotations

from typing import Any

import click

from spanbridge.cli import options as opt
from spanbridge.cli.scoring import scores_of, scoring_options
from spanbridge.cli.terminal import say, say_json


@click.command(
    epilog="""\b
Examples:
  spanbridge compare gold.conll old.conll new.conll
  spanbridge compare gold base=out/base new=out/new --labels PER,LOC,ORG
  spanbridge compare data/{lang}/dev.txt base=base.1 base=base.2 new=new.1 new=new.2
  spanbridge compare gold.jsonl old.jsonl new.jsonl --by domain
  spanbridge compare gold.conll old.conll new.conll --boundaries --json

GOLD and the predictions are files; or folders with a file for each language, named hau.conll,
swa.jsonl...; or paths with {lang} in place of the language. NAME=PATH names a prediction; several
of one name are seeds of one system, whose scores are averaged and whose spread is told.
In each language, intervals are by paired bootstrap over sentences (Koehn 2004) and p by approximate
randomisation (Yeh 2000). Over languages, they are of macro F1: on these languages (sentences are
resampled), and on languages like these (two-level model: languages, and sentences within them;
Wilcoxon signed-rank test). p comes as found, and corrected for all comparisons by Holm's method.
The last line is the signature: report it with the numbers.
"""
)
@click.argument("gold", metavar="GOLD")
@click.argument("systems", metavar="A B...", nargs=-1, required=True)
@scoring_options
@click.option(
    "--resamples",
    metavar="N",
    type=click.IntRange(min=1),
    default=10_000,
    show_default=True,
    help="Resamples of each kind.",
)
@click.option(
    "--seed",
    metavar="N",
    type=click.IntRange(min=0),
    default=12345,
    show_default=True,
    help="Random seed.",
)
@click.option(
    "--level",
    metavar="X",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.95,
    show_default=True,
    help="Level of the intervals.",
)
@click.option(
    "--all-pairs", is_flag=True, help="Compare each system with each, not each with the first."
)
@opt.json_option
def command(gold: str, systems: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Say which predictions are better by more than chance, in each language and over languages.

    Each system is compared with the first. One of the files may be -, for standard input.
    """
    found = scores_of(gold, systems, given)
    settings = {name: given[name] for name in ("resamples", "seed", "level", "all_pairs")}
    comparison = found.compare(**settings)
    if as_json:
        numbers = {"scores": found.to_dict(), "comparison": comparison.to_dict()}
        say_json(numbers)
    else:
        say(f"{found.table()}\n\n{comparison.table()}")
