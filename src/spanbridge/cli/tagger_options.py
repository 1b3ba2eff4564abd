"""Options that name a tagger."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from spanbridge.cli import options as opt
from spanbridge.cli.entries import tagger_entry

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
    metavar="LABELS",
    help="Labels to find. [gliner, gliner2] Their names in plain words: person,place. [chat, "
    "--entities] A file of lines LABEL: description (YAML, or .tsv).",
)
_OPTION = click.option(
    "--tagger-option",
    "tagger_options",
    multiple=True,
    metavar="NAME=VALUE",
    help="Option of the tagger; repeatable. scheme (of the model's classes), compute_type (int8, "
    "float32), recheck (margin in nats below which a sentence is tagged again in float32), "
    "threads [checkpoint, embedded]; device [transformers, gliner, gliner2]; threshold (least "
    "score) [gliner, gliner2]; url, leave_out, tries, seconds, parallel, pause, cache, price, "
    "budget [chat]; licence [chat, given].",
)


def named_tagger(given: dict[str, Any]) -> Any:
    """The tagger of these options in the form of a pipeline file.

    It is the one that comes along where none is named. Raises UsageError if they do not go
    together.
    """
    chosen = opt.parsed(given["tagger_options"], "--tagger-option")
    usual = tagger_entry(given["model"])
    name = given["tagger"] or (usual if isinstance(usual, str) else next(iter(usual)))
    if name == tagger_entry(None) and given["model"] is not None:
        raise click.UsageError(f"--tagger {name} has its own model; leave --model out")
    if given["labels"] is not None and "labels" in chosen:
        raise click.UsageError("--labels and --tagger-option labels=... are the same; give one")
    found = {**chosen, **opt.take(given, ("labels", "model"))}
    return {name: found} if found else name
