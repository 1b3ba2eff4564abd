"""Messages on the terminal, without characters that a terminal acts on."""

from __future__ import annotations

import json
import re
import shutil
from typing import Any

import click

from spanbridge.core.secrets import hidden

# Control characters, which move the cursor, clear the screen or ring; line separators; marks that
# turn the direction of what follows; halves of surrogate pairs, which no encoding can hold.
_ACTING = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_LONGEST = 1500  # characters of a message


def visible(text: str) -> str:
    r"""The text with ``\u001b`` and the like in place of characters that a terminal acts on.

    Line ends and tabs stay. The escapes are those of JSON, so that JSON keeps its meaning.
    """
    return _ACTING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


_passing = ""  # the line of progress that stands on the terminal now


def say(text: str, *, err: bool = False) -> None:
    """Print a text, made :func:`visible`."""
    show_passing("")
    click.echo(visible(text), err=err)


def say_json(value: Any) -> None:
    """Print plain values as JSON, for programs."""
    say(json.dumps(value, ensure_ascii=False, indent=1))


def show_passing(text: str) -> None:
    """Show a line on a terminal in the place of the one before; the empty one removes it."""
    global _passing
    if text or _passing:
        # one column is left free, since some terminals go on to the next line after the last one
        text = visible(text)[: shutil.get_terminal_size().columns - 1]
        click.echo(f"\r{text.ljust(len(_passing))}" + ("" if text else "\r"), err=True, nl=False)
        _passing = text


def complain(text: str) -> None:
    """Print an error on one line of standard error, without keys; of a very long one, both ends."""
    line = hidden(" ".join(text.split("\n")))
    if len(line) > _LONGEST:
        line = f"{line[: _LONGEST * 2 // 3]} ... {line[-_LONGEST // 3 :]}"
    say(line, err=True)
