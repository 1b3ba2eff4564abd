"""Messages on the terminal, without characters that a terminal acts on."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from textwrap import wrap
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


_passing: list[str] = []  # the lines of progress that stand on the terminal now


def say(text: str, *, err: bool = False) -> None:
    """Print a text, made :func:`visible`."""
    show_passing("")
    click.echo(visible(text), err=err)


def say_json(value: Any) -> None:
    """Print plain values as JSON, for programs."""
    say(json.dumps(value, ensure_ascii=False, indent=1))


def show_passing(text: str) -> None:
    """Show a text on a terminal in the place of the one before; the empty one removes it.

    Lines that are too long are broken; what does not fit into the terminal's height is left out.
    """
    global _passing
    if not (text or _passing):
        return
    columns, height = _size()
    # one column is left free, since some terminals go on to the next line after the last one
    parts = (
        wrap(line, max(columns - 1, 1), subsequent_indent="    " if columns > 40 else "")
        for line in visible(text).split("\n")
    )
    before, _passing = _passing, [part for one in parts for part in one][: max(height - 1, 1)]
    n = max(len(before), len(_passing))
    lines = [each + [""] * (n - len(each)) for each in (before, _passing)]
    covered = "\n".join(new.ljust(len(old)) for old, new in zip(*lines, strict=True))
    drawn = "\r" + _up(len(before) - 1) + covered + _up(n - max(len(_passing), 1))
    click.echo(drawn + ("" if text else "\r"), err=True, nl=False, color=True)


def _up(n: int) -> str:
    """What moves a terminal's cursor up by so many lines."""
    return f"\x1b[{n}A" if n > 0 else ""


def _size() -> tuple[int, int]:
    """Columns and lines of the terminal on which progress is shown."""
    try:
        fallback: tuple[int, int] = os.get_terminal_size(sys.stderr.fileno())
    except (OSError, ValueError):
        fallback = 80, 24
    return shutil.get_terminal_size(fallback)


def moves_back(stream: Any) -> bool:
    """Check if a stream is a terminal on which lines can be written over."""
    return bool(stream.isatty()) and os.environ.get("TERM") != "dumb"


def complain(text: str) -> None:
    """Print an error on one line of standard error, without keys; of a very long one, both ends."""
    line = hidden(" ".join(text.split("\n")))
    if len(line) > _LONGEST:
        line = f"{line[: _LONGEST * 2 // 3]} ... {line[-_LONGEST // 3 :]}"
    say(line, err=True)
