"""Benchmarks: each prints one table, all things compared in the same run.

Without a name: throughput, speed and rungs. Each benchmark has its own --help.
"""

from __future__ import annotations

import ast
import sys
from argparse import ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence
from importlib import import_module
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

NAMES = (
    *("throughput", "speed", "rungs", "rivals", "accuracy", "solving", "calibration", "calibrated"),
    *("weights", "scale", "shards", "tagging", "training", "embedded", "translated", "routes"),
    *("parallel", "advice", "documents", "ladder", "leaderboard", "entries", "runner", "engines"),
    *("simulation", "refine", "simulated", "corrections"),
)


def summaries() -> str:
    """The names, each with the first line of its module's docstring; none is imported."""
    lines = []
    for name in NAMES:
        code = (Path(__file__).parent / f"{name}.py").read_text("utf-8")
        about = ast.get_docstring(ast.parse(code)) or ""
        lines.append(f"  {name:<12} {about.splitlines()[0]}")
    return "benchmarks:\n" + "\n".join(lines)


def parser(prog: str, about: str | None, epilog: str | None = None) -> ArgumentParser:
    """A parser that shows texts as they are written."""
    return ArgumentParser(
        prog, description=about, epilog=epilog, formatter_class=RawDescriptionHelpFormatter
    )


def add(own: ArgumentParser, given: Parameter, first: bool) -> None:
    """Let a parameter of a benchmark's main be given: a first list as arguments, else by option."""
    name = given.name.replace("_", "-")
    default: Any = given.default
    if given.annotation in (Sequence[str], Sequence[int]):
        about = f"{', '.join(map(str, default))}; all by default"
        kind = int if given.annotation == Sequence[int] else one_of(default)
        own.add_argument(
            name if first else f"--{name}", nargs="*", default=default, type=kind, help=about
        )
    elif given.annotation in (str, int, int | None):
        about = "all by default" if default is None else f"by default {default}"
        kind = str if given.annotation is str else int
        own.add_argument(f"--{name}", default=default, type=kind, help=about)


def one_of(known: Sequence[str]) -> Callable[[str], str]:
    """A check that something is known; argparse would check the default list too."""

    def check(given: str) -> str:
        if given not in known:
            raise ArgumentTypeError(f"there is no {given!r}")
        return given

    return check


def main(arguments: Sequence[str]) -> None:
    """Run the benchmark that is named."""
    prog = "python -m benchmarks"
    if not arguments:
        for name in NAMES[:3]:
            main([name])
            print()
        return
    name, *rest = arguments
    if name not in NAMES:
        whole = parser(prog, __doc__, summaries())
        whole.add_argument("name", choices=NAMES, metavar="NAME [OPTION ...]", nargs="?")
        whole.parse_args(arguments)  # ends here, by --help or by an error
    module = import_module(f"benchmarks.{name}")
    own = parser(f"{prog} {name}", module.__doc__)
    for n, given in enumerate(signature(module.main, eval_str=True).parameters.values()):
        add(own, given, not n)
    module.main(**vars(own.parse_args(rest)))


if __name__ == "__main__":
    main(sys.argv[1:])
