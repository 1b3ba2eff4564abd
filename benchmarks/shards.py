"""Pipelines in shards over ever more rows: memory bounded, time per row flat.

Prints: a line per size: seconds, CPU time per row of all processes, the peak of resident memory of
    the process that makes the shards (of several, the largest), and the size of the shards on disk;
    each size runs in a process of its own, in an empty folder.
Takes: a quarter of an hour up to 1,000,000 rows, two minutes up to 100,000.
Data: none. Short posts are made up; translator and tagger are toys (the translation is the text, a
    name is what begins with a capital), so that what is measured is the runner. Every row is split,
    translated, tagged, aligned, projected and joined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.apart import Apart
from spanbridge import Span
from spanbridge.formats.languages import Language
from spanbridge.run.config import make_pipeline
from spanbridge.run.shards import run
from spanbridge.tagging.base import Tagged, Tagger, Words
from spanbridge.translation.base import Translation, Translator

SIZES = (10_000, 100_000, 1_000_000)


class Echo(Translator):
    """Says what it hears."""

    def describe(self, source: Language, target: Language) -> str:
        """Its name."""
        return "echo"

    def translate(
        self, sentences: Sequence[str], source: Language, target: Language
    ) -> list[Translation]:
        """The sentences."""
        return [Translation(text) for text in sentences]


class Capitals(Tagger):
    """Takes every word with a capital letter for a person."""

    def describe(self) -> str:
        """Its name."""
        return "capitals"

    def tag(self, sentences: Sequence[Words]) -> list[Tagged]:
        """One span per capital."""
        return [
            Tagged(len(s), tuple(Span(n, n + 1, "PER") for n, w in enumerate(s) if w[0].isupper()))
            for s in sentences
        ]


def texts(n_rows: int) -> Iterator[str]:
    """Short posts, each third of two sentences."""
    for n in range(n_rows):
        second = f" luego Ana{n % 89} se fue." if n % 3 == 0 else ""
        yield f"hoy Pedro{n % 97} vio a Ana{n % 89} en la calle {n}.{second}"


def pipeline(folder: Path, workers: int = 1) -> Callable[[], object]:
    """The run on what was written there."""
    settings = {
        "input": str(folder / "in.txt"),
        "output": str(folder / "out.jsonl"),
        "languages": {"target": "es", "source": "en"},
        "steps": [
            "split",
            {"translate": {"translator": Echo()}},
            {"tag": {"tagger": Capitals()}},
            {"project": {"method": "greedy", "aligner": "lexical"}},
            "join",
        ],
    }

    def account() -> dict[str, object]:
        done, _ = run(make_pipeline({**settings, "workers": workers}).job())
        assert done.cost is not None
        cost = {"cpu": done.cost.cpu, "peak": done.cost.memory / 2**20}
        return {**done.account.to_dict(), **cost}

    return account


def main(sizes: Sequence[int] = SIZES, workers: int = 1) -> None:
    """Print the table."""
    names = ("rows", "workers", "seconds", "CPU us per row", "peak MB", "MB of shards")
    print("".join(f"{name:>15}" for name in names), flush=True)
    for n_rows in sizes:
        with TemporaryDirectory() as name:
            folder = Path(name)
            with (folder / "in.txt").open("w", encoding="utf-8") as out:
                out.writelines(f"{text}\n" for text in texts(n_rows))
            apart = Apart(pipeline, folder, workers)
            found = apart.run()
            assert found["rows"] == n_rows
            size = sum(p.stat().st_size for p in (folder / "out.jsonl.work").rglob("*.gz"))
        each = 1e6 * found["cpu"] / n_rows
        print(
            f"{n_rows:>15,}{workers:>15}{apart.seconds[0]:>15.1f}{each:>15.0f}{found['peak']:>15.0f}"
            f"{size / 2**20:>15.2f}",
            flush=True,
        )
