"""Options that `evaluate` and `compare` share, and the scores that they ask for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from spanbridge.cli import options as opt
from spanbridge.cli.terminal import say
from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.standard import check_one_input
from spanbridge.core.tags import SCHEMES

if TYPE_CHECKING:
    from spanbridge.evaluation import Scores

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = [
    click.option(
        "--by",
        metavar="FIELD",
        help="Group rows by one of their keys (domain, say), or by sentence-length; or spans by "
        "label or by length in words. Rows of all languages go together.",
    ),
    click.option(
        "--source",
        metavar="FILE",
        help="The labelled sentences that labels were projected from, row by row (of pairs, their "
        "source side). Adds cap, the best F1 that any projection could reach given the labels of "
        "both sides, and agree, F1 on the rows whose labels are equal in number: where different "
        "people labelled the sides.",
    ),
    click.option(
        "--protocol",
        type=click.Choice(["default", "strict"]),
        default="default",
        show_default=True,
        help="Reading of malformed tags.",
    ),
    click.option(
        "--labels", metavar="A,B,...", help="Labels that count, on both sides (default: all)."
    ),
    click.option(
        "--map",
        "mapping",
        multiple=True,
        metavar="OLD=NEW",
        help="Another name for a label, on both sides, where label sets differ; repeatable.",
    ),
    click.option(
        "--boundaries",
        is_flag=True,
        help="Count spans by their words, whatever their labels.",
    ),
    click.option(
        "--scheme",
        type=click.Choice(SCHEMES),
        default="iob2",
        show_default=True,
        help="Tag scheme of CoNLL files.",
    ),
    opt.reading_options,
]


def scoring_options(function: F) -> F:
    """The options of spans that are scored."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def renamed(pairs: Sequence[str]) -> dict[str, str]:
    """The mapping of labels given as OLD=NEW."""
    parts = [pair.partition("=") for pair in pairs]
    mapping = {old: new for old, _, new in parts}
    if not all(old and new for old, _, new in parts) or len(mapping) < len(parts):
        raise click.UsageError("--map takes OLD=NEW, and names each OLD once")
    return mapping


def scores_of(gold: str, predicted: Sequence[str], given: dict[str, Any]) -> Scores:
    """Scores of the files; prints notes on them to standard error."""
    from spanbridge.evaluation import scores

    check_one_input(gold, *predicted, given["source"])
    labels = None
    if given["labels"] is not None:
        labels = [label.strip() for label in given["labels"].split(",")]
        if not all(labels):
            raise SpanbridgeError(f"--labels {given['labels']!r} names an empty label")
    found = scores(
        gold,
        *predicted,
        labels=labels,
        mapping=renamed(given["mapping"]),
        **{name: given[name] for name in ("by", "source", "protocol", "boundaries", "scheme")},
        **opt.reading(given),
    )
    for note in found.notes:
        say(f"note: {note}", err=True)
    return found
