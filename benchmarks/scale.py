"""Time and memory of whole corpus runs, files to files, as the bitext grows.

    python -m benchmarks scale                     # without encoder, up to 100,000 pairs
    python -m benchmarks.scale fused 800 10000     # another aligner, other sizes

Pairs are Europarl-NER dev sentences, joined two by two at random so that no two pairs are the same.
Each size runs in a process of its own, whose peak of resident memory is shown.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.real_data import europarl
from spanbridge import Sentence, SentencePair
from spanbridge.core import registry
from spanbridge.core.spans import Span
from spanbridge.formats.formats import pair_writer
from spanbridge.run.stream import project_files
from spanbridge.project.soft import CorpusMethod

SIZES = ("1000", "10000", "30000", "100000")
HALF = 14  # words; longer sentences are left out, so that pairs are of ordinary length


def join(a: Sentence, b: Sentence) -> Sentence:
    """Two sentences as one."""
    n = len(a.words)
    moved = tuple(Span(s + n, e + n, label) for s, e, label, _ in b.spans)
    return Sentence(a.words + b.words, a.spans + moved)


def write(folder: Path, n: int) -> None:
    """The source and target files."""
    short = [p for p in europarl("en", "de") if 0 < len(p.source.words) <= HALF]
    rng = random.Random(0)
    with (
        pair_writer(str(folder / "s.conll")) as source,
        (folder / "t.txt").open("w", encoding="utf-8") as target,
    ):
        for k in range(n):
            a, b = rng.choice(short), rng.choice(short)
            labelled, other = join(a.source, b.source), join(a.target, b.target)
            source.write(SentencePair(str(k), other, labelled))
            target.write(" ".join(other.words) + "\n")


def memory(name: str) -> float:
    """Resident memory of this process in MB: now (``VmRSS``), or at its peak (``VmHWM``).

    From Linux's /proc: the peak that ``getrusage`` gives can be that of the process before it.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))


def measure(aligner: str, n: int) -> None:
    """One run in this process."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, n)
        start = time.perf_counter()
        project_files(
            str(folder / "s.conll"),
            str(folder / "t.txt"),
            str(folder / "out.jsonl"),
            projector=CorpusMethod(),
            make_aligner=lambda: registry.build("aligner", aligner, {}),
        )
        seconds = time.perf_counter() - start
    each = 1000 * seconds / n
    print(f"{aligner:<12}{n:>9}{seconds:>10.1f}{each:>12.2f}{memory('VmHWM'):>10.0f}", flush=True)


def main(aligner: str = "statistical", sizes: tuple[str, ...] = SIZES) -> None:
    """All sizes."""
    print(f"{'aligner':<12}{'pairs':>9}{'seconds':>10}{'ms a pair':>12}{'peak MB':>10}", flush=True)
    for size in sizes:
        command = [sys.executable, "-m", "benchmarks.scale", "--one", aligner, size]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        measure(sys.argv[2], int(sys.argv[3]))
    else:
        main(sys.argv[1] if sys.argv[1:] else "statistical", tuple(sys.argv[2:]) or SIZES)
