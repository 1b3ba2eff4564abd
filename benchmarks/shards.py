"""Pipelines over ever more rows: memory bounded, time a row flat.

    python -m benchmarks shards                    # 10,000, 100,000 and 1,000,000 short rows
    python -m benchmarks.shards 10000 30000

Every row is split, translated, tagged, aligned, projected and joined; translator and tagger are
toys (the translation is the text, a name is what begins with a capital), so that what is measured
is the runner. Each size runs in a process of its own, in an empty folder.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.scale import memory
from spanbridge import Span
from spanbridge.tag.base import Tagged
from spanbridge.translate.base import Translation

SIZES = (10_000, 100_000, 1_000_000)
STAGES = [
    "split",
    {"translate": {"translator": "echo"}},
    {"tag": {"tagger": "capitals"}},
    {"project": {"method": "greedy", "aligner": "lexical"}},
    "join",
]


class Echo:
    """Says what it hears."""

    licence, commercial = "none", True

    def describe(self, source, target) -> str:
        """Its name."""
        return "echo"

    def translate(self, sentences, source, target) -> list[Translation]:
        """The sentences."""
        return [Translation(text) for text in sentences]


class Capitals:
    """Takes every word with a capital letter for a person."""

    classes: tuple[str, ...] = ()

    def describe(self) -> str:
        """Its name."""
        return "capitals"

    def tag(self, sentences) -> list[Tagged]:
        """One span a capital."""
        return [
            Tagged(len(s), tuple(Span(n, n + 1, "PER") for n, w in enumerate(s) if w[0].isupper()))
            for s in sentences
        ]


def texts(n_rows: int) -> Iterator[str]:
    """Short posts, each third of two sentences."""
    for n in range(n_rows):
        second = f" luego Ana{n % 89} se fue." if n % 3 == 0 else ""
        yield f"hoy Pedro{n % 97} vio a Ana{n % 89} en la calle {n}.{second}"


def one(n_rows: int) -> dict[str, float]:
    """A run, in this process."""
    from spanbridge.core import registry
    from spanbridge.run.config import make_pipeline
    from spanbridge.run.shards import run

    for kind, name, part in (("translator", "echo", "Echo"), ("tagger", "capitals", "Capitals")):
        entry = registry.Entry(f"benchmarks.shards:{part}", "a toy")
        registry._PARTS[kind][name] = entry
    with TemporaryDirectory() as folder:
        place = Path(folder)
        with (place / "in.txt").open("w", encoding="utf-8") as out:
            out.writelines(f"{text}\n" for text in texts(n_rows))
        settings = {
            "input": str(place / "in.txt"),
            "output": str(place / "out.jsonl"),
            "languages": {"target": "es", "source": "en"},
            "stages": STAGES,
        }
        started = time.monotonic()
        done, _ = run(make_pipeline(settings).job())
        seconds = time.monotonic() - started
        assert done is not None
        assert sum(done.account.statuses.values()) == n_rows
        size = sum(p.stat().st_size for p in (place / "out.jsonl.work").rglob("*.parquet"))
    return {"seconds": seconds, "MB": memory("VmHWM"), "disk": size / 2**20}


def main(sizes: Sequence[int] = SIZES) -> None:
    """The table."""
    names = ("rows", "seconds", "us a row", "peak MB", "MB of shards")
    print("".join(f"{name:>14}" for name in names), flush=True)
    for n_rows in sizes:
        command = [sys.executable, "-m", "benchmarks.shards", "--one", str(n_rows)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        got = json.loads(done.stdout)
        print(
            f"{n_rows:>14,}{got['seconds']:>14.1f}{1e6 * got['seconds'] / n_rows:>14.0f}"
            f"{got['MB']:>14.0f}{got['disk']:>14.1f}",
            flush=True,
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(one(int(sys.argv[2]))))
    else:
        main([int(n) for n in sys.argv[1:]] or SIZES)
