"""Options that name a tagger."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from spanbridge.cli import options as opt

F = TypeVar("F", bound=Callable[..., Any])


def tagger_options(command: F) -> F:
    """``--tagger``, ``--labels`` and ``--tagger-option``, beside the command's own ``--model``."""
    for option in (_OPTION, _LABELS, _TAGGER):
        command = option(command)
    return command


_TAGGER = click.option(
    "--tagger",
    metavar="NAME",
    help=f"Tagger. {opt.listed('tagger')}. Default: checkpoint with --model, else embedded.",
)
_LABELS = click.option(
    "--labels",
    metavar="NAME,NAME",
    help="[gliner, gliner2] Labels to find, in plain words: person,place.",
)
_OPTION = click.option(
    "--tagger-option",
    "tagger_options",
    multiple=True,
    metavar="NAME=VALUE",
    help="Option of the tagger; repeatable. scheme (of the model's classes), compute_type (int8, "
    "float32), recheck (margin in nats below which a sentence is tagged again in float32), "
    "threads [checkpoint, embedded]; device [transformers, gliner, gliner2]; threshold (least "
    "score) [gliner, gliner2]; licence [given].",
)


def tagger_entry(given: dict[str, Any]) -> Any:
    """The tagger in the form of a pipeline file; the one that comes along where none is named."""
    from spanbridge.run.recipes import EMBEDDED

    options = opt.parsed(given["tagger_options"], "--tagger-option")
    name = given["tagger"] or (EMBEDDED if given["model"] is None else "checkpoint")
    if name == EMBEDDED and given["model"] is not None:
        raise click.UsageError(f"--tagger {EMBEDDED} has its own model; leave --model out")
    if given["labels"] is not None:
        if "labels" in options:
            raise click.UsageError("--labels and --tagger-option labels=... are the same; give one")
        options["labels"] = given["labels"]
    options |= opt.take(given, ("model",))
    return {name: options} if options else name
