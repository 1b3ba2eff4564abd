"""``spanbridge completion``, and what the Tab key completes beside commands and options."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem, get_completion_class
from click.types import StringParamType

from spanbridge.cli.terminal import say
from spanbridge.core import registry
from spanbridge.core.errors import SpanbridgeError

# Options whose values are names of parts.
_KINDS = {
    **{kind: kind for kind in ("aligner", "method", "tagger", "translator")},
    "format": "format",
    "output_format": "format",
    "data_set": "dataset",
}


class _Named(StringParamType):
    """Text that is completed as a file's name, or as the name of a part of a kind."""

    def __init__(self, kind: str | None) -> None:
        self._kind = kind

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        if self._kind is None:
            return [CompletionItem(incomplete, type="file")]
        parts = _known(self._kind).items()
        return [CompletionItem(n, help=told) for n, told in parts if n.startswith(incomplete)]


def _known(kind: str) -> dict[str, str]:
    """Names of a kind, each with its summary."""
    if kind != "dataset":
        return registry.names(kind)
    from spanbridge.datasets import datasets

    return {name: one.title for name, one in datasets().items()}


def completed(command: click.Command) -> click.Command:
    """The command, whose arguments and options in plain text can be completed."""
    for inner in command.commands.values() if isinstance(command, click.Group) else ():
        completed(inner)
    for param in command.params:
        if type(param.type) is StringParamType:
            param.type = _Named(_KINDS.get(param.name or ""))
    return command


@click.command(
    epilog="""\b
Examples:
  eval "$(spanbridge completion bash)"      # in ~/.bashrc
  eval "$(spanbridge completion zsh)"       # in ~/.zshrc, after compinit
  spanbridge completion fish > ~/.config/fish/completions/spanbridge.fish
"""
)
@click.argument("shell", metavar="SHELL", type=click.Choice(("bash", "zsh", "fish")))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the script that lets the Tab key complete commands, options, names and files."""
    found = get_completion_class(shell)
    if found is None:
        raise SpanbridgeError(f"there is no completion for {shell}")
    whole = context.find_root().command
    say(found(whole, {}, "spanbridge", "_SPANBRIDGE_COMPLETE").source())
