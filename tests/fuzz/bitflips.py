"""Flips single bits in what is kept and read again: it must be noticed, and named.

``python -m tests.fuzz.bitflips --count 2000 --seed 0``: in shards, learned state, fits, cached
models, states of trainings, trained taggers, and results. A flip is noticed if the file is named,
by an InputError or by the warning that it is made anew; then the result must be as before.
"""

import argparse
import os
import shutil
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from unittest.mock import patch

from spanbridge.core.errors import InputError, RepairWarning

from . import worlds

DEFAULT = 2000
MOST = 10000  # see __main__


@dataclass
class Kept:
    """Something that is kept.

    Attributes:
        name: its name in messages.
        folder: where it lies.
        files: patterns of the files in which bits are flipped.
        use: reads it and returns what comes of it.
        prepare: called before each use.
    """

    name: str
    folder: Path
    files: Sequence[str]
    use: Callable[[], object]
    prepare: Callable[[], object] = lambda: None

    def __post_init__(self) -> None:
        self.copy = self.folder.with_name(f"copy of {self.name}")
        shutil.copytree(self.folder, self.copy)
        self.prepare()
        self.right = self.use()

    def restore(self) -> None:
        """Put everything back."""
        shutil.rmtree(self.folder)
        shutil.copytree(self.copy, self.folder)

    def flip(self, rng: Random) -> str:
        """Flip a bit and use it: what happened."""
        self.restore()
        path = rng.choice(sorted({p for pattern in self.files for p in self.folder.glob(pattern)}))
        data = bytearray(path.read_bytes())
        place, bit = rng.randrange(len(data)), rng.randrange(8)
        data[place] ^= 1 << bit
        path.write_bytes(data)
        self.prepare()
        where = f"{self.name}: bit {bit} of byte {place} of {path.relative_to(self.folder)}"
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            try:
                found = self.use()
            except InputError as error:
                named = error.file is not None and str(self.folder) in error.file
                return "error" if named else f"{where}: the error names no file of it: {error}"
            except Exception:  # noqa: BLE001  # whatever it is
                return f"{where}: {traceback.format_exc()}"
        if found != self.right:
            return f"{where}: another result"
        said = any(issubclass(one.category, RepairWarning) for one in told)
        return "made anew" if said else f"{where}: not noticed"


def all_kept(root: Path) -> Iterator[Kept]:
    """One of each kind."""
    worlds.write(root)
    os.chdir(root)
    os.environ["SPANBRIDGE_CACHE"] = str(root / "cache")
    yield from _shards(root)
    yield _fit(root)
    yield _cache(root)
    yield from _training(root)
    yield _result(root)


def _shards(root: Path) -> Iterator[Kept]:
    import toy_pipeline

    steps = [*toy_pipeline.STEPS[:3], {"project": {"method": "corpus", "aligner": "statistical"}}]
    steps = [*steps, "join"]
    given = toy_pipeline.settings(root, "s/o.jsonl", steps, shard_rows=20)
    (root / "s").mkdir()
    toy_pipeline.run(given)

    def use() -> bytes:
        toy_pipeline.run(given)
        return (root / "s" / "o.jsonl").read_bytes()

    work = root / "s" / "o.jsonl.work"

    def begin_projection() -> None:
        for path in [*work.glob("4-*/*.json"), *work.glob("5-*/*.json")]:
            path.unlink()

    yield Kept("shard", work, ["[0-9]*/*.gz", "[0-9]*/*.json"], use)
    yield Kept("learned state", work, ["4-*/learned-*/**/*.*"], use, begin_projection)


def _fit(root: Path) -> Kept:
    from spanbridge.api import Projector, read_pairs

    rows = list(read_pairs("s.conll", "t.txt"))
    projector = Projector("corpus", "statistical").fit(rows)
    projector.save(root / "f" / "fit")
    return Kept(
        "fit",
        root / "f",
        ["fit/*.json", "fit/*/*.*"],
        lambda: list(Projector.load(root / "f" / "fit").run(rows[:5])),
    )


def _cache(root: Path) -> Kept:
    from spanbridge.encode import load_encoder

    def use() -> bytes:
        encoder = load_encoder("encoder", threads=1)
        return encoder.encode([["Angela", "fox"]])[0].states.tobytes()

    use()
    return Kept("cache", root / "cache", ["v*/*/*.*"], use)


def _training(root: Path) -> Iterator[Kept]:
    from spanbridge.training.fine_tuning import train
    from spanbridge.training.resume import load_state
    from spanbridge.training.settings import Settings
    from spanbridge.training.training_sets import read_set

    settings = Settings(epochs=2, learning_rate=3e-3, batch_tokens=64, threads=1)
    place = root / "t" / "out"

    def run(tell: Callable[[dict[str, float]], None]) -> object:
        sets = [read_set("train.conll")]
        return train(
            sets, str(place), encoder="encoder", settings=settings, dev="dev.conll", tell=tell
        )

    def stop(figures: dict[str, float]) -> None:
        if figures["epoch"] > 1:  # the first epoch's state is kept by then
            raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        run(stop)

    def state() -> object:
        tensors, rest = load_state(place) or ({}, {})
        return {name: t.numpy().tobytes() for name, t in tensors.items()}, rest

    yield Kept("training state", root / "t", ["out/resume/*"], state)
    run(lambda figures: None)
    files = ["out/training.json", "out/config.json", "out/*.safetensors", "out/tokenizer*.json"]

    def finished() -> object:
        run(lambda figures: None)
        return {path.name: path.read_bytes() for path in place.glob("*.safetensors")}

    yield Kept("trained tagger", root / "t", files, finished)


def _result(root: Path) -> Kept:
    from spanbridge.api import project, read_pairs
    from spanbridge.run.result import read_manifest

    (root / "r").mkdir()
    project(read_pairs("s.conll", "t.txt"), "greedy", "lexical").save(root / "r" / "o.conll")
    use = partial(read_manifest, str(root / "r" / "o.conll"))
    return Kept("result", root / "r", ["o.conll", "o.conll.run.json"], use)


def flips(count: int, seed: int) -> Counter[str]:
    """What happened in each of so many flips."""
    here = Path.cwd()
    found: Counter[str] = Counter()
    with patch.dict(os.environ), tempfile.TemporaryDirectory() as folder:
        try:
            kept = list(all_kept(Path(folder)))
            for n in range(count):
                one = kept[n % len(kept)]
                what = one.flip(Random(f"{seed}/{n}"))
                told = what in ("error", "made anew")
                found[f"{one.name}: {what}" if told else f"FAULT {what} (case {n})"] += 1
        finally:
            os.chdir(here)
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Run the harness; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.bitflips")
    parser.add_argument("--count", type=int, default=DEFAULT, help="number of flips")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(argv)
    found = flips(given.count, given.seed)
    for what, times in sorted(found.items()):
        print(f"{times} {what}")
    faults = sum(times for what, times in found.items() if what.startswith("FAULT"))
    print(f"bitflips: {given.count} flips, {faults} faults")
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
