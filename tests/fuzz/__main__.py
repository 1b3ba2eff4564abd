"""All fuzzers, one after the other: ``python -m tests.fuzz [--count N] [--seed N] [MODULE...]``.

A fuzzer is a module of this folder with ``main(argv) -> int``. Each runs in a process of its own,
so that one of which the process dies is a fault like any other. ``--count`` is the number of cases
of each; ``MOST`` in a module bounds it where cases are expensive.
"""

import argparse
import ast
import os
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parent


def fuzzers() -> dict[str, int | None]:
    """Names of the modules that are fuzzers, and the greatest number of cases of each."""
    found = {}
    for path in sorted(FOLDER.glob("[a-z]*.py")):
        body = ast.parse(path.read_text("utf-8")).body
        most = [
            node.value.value
            for node in body
            if isinstance(node, ast.Assign)
            and [ast.unparse(name) for name in node.targets] == ["MOST"]
            and isinstance(node.value, ast.Constant)
        ]
        if any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in body):
            found[path.stem] = most[0] if most else None
    found.pop("harness", None)
    return found


def run() -> int:
    """Run the fuzzers; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("modules", nargs="*", metavar="MODULE")
    parser.add_argument("--count", type=int)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    known, failed = fuzzers(), []
    for name in given.modules or known:
        args = [sys.executable, "-m", f"tests.fuzz.{name}", "--seed", str(given.seed)]
        if given.count is not None:
            args += ["--count", str(min(given.count, known[name] or given.count))]
        with tempfile.NamedTemporaryFile("r") as case:
            done = subprocess.run(args, env={**os.environ, "FUZZ_CASE": case.name}, check=False)
            if last := case.read():
                print(f"{name}: the process died, with exit code {done.returncode}")
                print(f"again: python -m tests.fuzz.{name} {last}")
        if done.returncode:
            failed.append(name)
    print(f"faults found by: {', '.join(failed)}" if failed else "no faults")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(run())
