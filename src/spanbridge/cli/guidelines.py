"""``spanbridge guidelines``."""

from __future__ import annotations

import click

from spanbridge.cli import options as opt
from spanbridge.cli.terminal import say, say_json


@click.command(
    epilog="""\b
Examples:
  spanbridge guidelines reviewed.jsonl --to es
  spanbridge guidelines reviewed.jsonl --json

A convention is proposed if at least 5 spans show it, and 4 of 5 that could. It holds once you give
it to project (--boundary article=out), and then stands in the signature.
"""
)
@click.argument("path", metavar="FILE")
@click.option(
    "--to",
    "language",
    metavar="LANG",
    help="Language of the target (default: guessed, as in project).",
)
@opt.json_option
def command(path: str, language: str | None, as_json: bool) -> None:
    """Say which conventions corrected rows show, with examples.

    FILE is what project --corrections takes (docs/corrections.md).
    """
    from spanbridge.steps.corrections import Corrections

    corrections = Corrections.read(path)
    found = corrections.guidelines(language)
    if as_json:
        say_json({"rows": len(corrections.rows), "guidelines": [one.to_dict() for one in found]})
        return
    say(corrections.text())
    for one in found:
        say(one.text())
    if not found:
        say("no corrected span stands beside an article, a title, a quote or the like")
