"""Fuzzer of what Spanbridge itself keeps: shards, fits, states of trainings."""

import json
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import numpy as np

from spanbridge import Projector
from spanbridge.core.learned import read_learned
from spanbridge.core.records import DIGEST, FILES, write_record
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.formats.shard_files import read_shard, write_shard
from spanbridge.steps import learning
from spanbridge.training.resume import load_state, save_state

from . import harness, seeds
from .harness import Target

DEFAULT = 5000


def _shard(path: Path, rng: Random) -> None:
    read_shard(path)


def _bitext() -> list[SentencePair]:
    names = ["Anna", "Otto", "Paris", "Ulm", "Roe"]
    return [
        SentencePair(
            str(n),
            Sentence((name, "lives", "in", other), (Span(0, 1, "PER"), Span(3, 4, "LOC"))),
            Sentence(("aquí", "vive", name, "en", other)),
        )
        for n, (name, other) in enumerate((a, b) for a in names for b in names)
    ]


def _of_fit(folder: Path, inner: str, resigned: bool) -> Callable[[Path, Random], None]:
    """Load a fit of which one file is mutated; ``resigned`` gives it the right digest."""

    def check(path: Path, rng: Random) -> None:
        changed = path.read_bytes()
        (folder / inner).write_bytes(changed)
        try:
            if resigned:
                _resign((folder / inner).parent)
            read_learned(folder / "method")
            learning.recipe(folder)
            Projector.load(folder).run(_bitext()[:2])
        finally:
            (folder / inner).write_bytes(whole)

    whole = (folder / inner).read_bytes()
    return check


def _resign(folder: Path) -> None:
    """Put the right digests into a learned state, as one who edits it by hand would."""
    file = folder / "learned.json"
    try:
        content = json.loads(file.read_text("utf-8"))
        del content[DIGEST], content[FILES]
    except (ValueError, KeyError, TypeError, RecursionError):
        return
    write_record(file, content, [folder / "learned.npz"], indent=None)


def _training(folder: Path) -> Callable[[Path, Random], None]:
    def check(path: Path, rng: Random) -> None:
        for file in (folder / "resume").iterdir():
            if file.name != path.name:
                shutil.copyfile(file, path.parent / file.name)
        load_state(path.parent.parent)

    return check


def targets(folder: Path) -> list[Target]:
    """Shards, fits and states of trainings."""
    shard = folder / "valid.gz"
    write_shard(shard, seeds.ROWS)
    found = [Target("shard", "00001-k.gz", [shard.read_bytes()], _shard)] * 2
    fit = folder / "fit"
    fitted = Projector(method="corpus", aligner="statistical").fit(_bitext())
    fitted.save(fit)
    for file in sorted(path for path in fit.rglob("*") if path.is_file()):
        inner = str(file.relative_to(fit))
        for resigned in {False, inner != "parts.json"}:
            found.append(
                Target(
                    f"fit {inner}{', digest made anew' if resigned else ''}",
                    f"mutated/{resigned}/{inner}",
                    [file.read_bytes()],
                    _of_fit(fit, inner, resigned),
                )
            )
    found += _states(folder)
    return found


def _states(folder: Path) -> list[Target]:
    import torch

    tensors = {"weight": torch.from_numpy(np.eye(3, dtype=np.float32)), "step": torch.ones(1)}
    save_state(folder, tensors, {"epoch": 1, "order": [1, 2, 0], "best": 0.5})
    return [
        Target(
            f"training {path.suffix}",
            f"{path.suffix}.d/resume/{path.name}",
            [path.read_bytes()],
            _training(folder),
        )
        for path in sorted((folder / "resume").iterdir())
    ]


def main(argv: Sequence[str]) -> int:
    """Run the fuzzer; returns the exit code."""
    return harness.main("state", targets, DEFAULT, argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
