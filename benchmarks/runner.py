"""What the sharded runner costs by itself: steps that do nothing, over ready rows.

Prints: a line per number of steps: CPU seconds, microseconds per row, and what each further step
    adds, in microseconds per step and row; all processes' CPU time counts. Reading and writing the
    files of rows are in the first line.
Takes: about half a minute.
Data: none. Rows of short sentences with two spans a side and links, as they are behind `project`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from spanbridge import Sentence, SentencePair, Span
from spanbridge.core.links import WordAlignment
from spanbridge.formats import write_pairs
from spanbridge.run.config import make_pipeline
from spanbridge.run.shards import run
from spanbridge.steps.account import Account
from spanbridge.steps.base import Step


class Idle(Step):
    """Does nothing but what every step does: each row gets a new value."""

    name = "idle"
    number: int = 0

    def work(self, rows: Sequence[SentencePair], account: Account) -> Iterator[SentencePair]:
        """The rows."""
        for row in rows:
            account.statuses["done"] += 1
            yield row._replace(confidence=self.number / 10)


def rows(n_rows: int) -> Iterator[SentencePair]:
    """Translations of eight words."""
    links = WordAlignment.of(((k, k) for k in range(8)), 8, 8, [0.9] * 8)
    for n in range(n_rows):
        words = f"today Pedro{n % 97} saw Ana{n % 89} in the street {n}".split()
        spans = (Span(1, 2, "PER"), Span(3, 4, "PER"))
        found = tuple(span._replace(score=0.9125) for span in spans)
        source, target = Sentence(tuple(words), spans), Sentence(tuple(words), found)
        yield SentencePair(str(n), source, target, links, "projected", 0.8125, "project")


def seconds(folder: Path, n_steps: int) -> float:
    """CPU time of a run of so many steps."""
    settings = {
        "input": str(folder / "in.jsonl"),
        "side": "source",
        "output": str(folder / f"{n_steps}.jsonl"),
        "steps": [Idle(number=n) for n in range(n_steps)],
    }
    job = make_pipeline(settings).job()
    started = time.process_time()
    run(job)
    return time.process_time() - started


def main(steps: Sequence[int] = (1, 6, 11), rows_each: int = 20_000) -> None:
    """Print the table."""
    names = ("steps", "CPU s", "us per row", "us a step and row")
    print("".join(f"{name:>18}" for name in names), flush=True)
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_pairs(folder / "in.jsonl", rows(rows_each))
        seconds(folder, 2)  # what is imported on the way is there from now on
        first: tuple[int, float] | None = None
        for n_steps in steps:
            took = seconds(folder, n_steps)
            added = ""
            if first is not None:
                added = f"{1e6 * (took - first[1]) / (n_steps - first[0]) / rows_each:.1f}"
            first = first or (n_steps, took)
            print(
                f"{n_steps:>18}{took:>18.1f}{1e6 * took / rows_each:>18.0f}{added:>18}", flush=True
            )
