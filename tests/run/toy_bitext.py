"""A toy bitext with a row of every fate, a toy aligner, and the commands without their process."""

import json
from math import inf
from pathlib import Path
from random import Random

from spanbridge.alignment.base import Aligner
from spanbridge.core.errors import RowError
from spanbridge.core.links import WordAlignment
from spanbridge.core.progress import silent
from spanbridge.run import stream
from spanbridge.run.config import make_pipeline
from spanbridge.steps.base import chunks

SOURCE = (
    "Anna\tB-PER\nsleeps\tO\n\n"
    "it\tO\nrains\tO\n\n"
    "Bob\tB-PER\nleft\tO\n\n"
    "\n"
    "Rome\tB-LOC\nwins\tO\n\n"
    "ENDLESS\tO\nCarl\tB-PER\n\n"
    "New\tB-LOC\nYork\tI-LOC\nand\tO\nAnna\tB-PER\n\n"
)
TARGET = "hier Anna\nes regnet\n\nnichts\nverloren\nENDLESS Carl\nAnna , New York\n"
# what the toy aligner finds; None where it rejects the row
LINKS = ["0-1", "", "", "", "", None, "0-2 1-3 3-0"]
STATUSES = [
    "projected",
    "empty: no source span",
    "empty: no target word",
    "empty: no source word",
    "empty: no link",
    "rejected: too long",
    "projected",
]
CONLL = (
    "hier\tO\nAnna\tB-PER\n\n"
    "es\tO\nregnet\tO\n\n"
    "\n"
    "nichts\tO\n\n"
    "verloren\tO\n\n"
    "ENDLESS\tO\nCarl\tO\n\n"
    "Anna\tB-PER\n,\tO\nNew\tB-LOC\nYork\tI-LOC\n\n"
)
ACCOUNT = {
    "rows": 7,
    "status": {status: STATUSES.count(status) for status in sorted(STATUSES)},
    "source_spans": 6,
    "target_spans": 3,
    "dropped_spans": {"no link": 1, "no target word": 1, "row rejected": 1},
    "calibration": "uncalibrated: another aligner than the method's own",
}


class EqualWords(Aligner):
    """Links equal words; rejects rows with the word ENDLESS.

    Args:
        learns: ask for the bitext first.
        fail_at: id of the row at which it breaks down.
    """

    def __init__(self, learns=False, fail_at=None):
        self.learns = learns
        self.fail_at = fail_at
        self.fitted = []
        self.calls = []

    def describe(self):
        return f"equal(fitted={len(self.fitted)})"

    def fit(self, pairs):
        self.fitted = [pair.id for pair in pairs]

    def align(self, pairs):
        assert bool(self.fitted) == self.learns
        self.calls.append([pair.id for pair in pairs])
        return [self._links(pair) for pair in pairs]

    def _links(self, pair):
        if pair.id == self.fail_at:
            raise RuntimeError("broken")
        source, target = pair.source.words, pair.target.words
        if "ENDLESS" in source:
            return RowError("too long")
        pairs = [(i, j) for i, a in enumerate(source) for j, b in enumerate(target) if a == b]
        return WordAlignment.of(pairs, len(source), len(target), [0.5] * len(pairs))


def project(
    source, target, output, *, links=None, explanation=None, progress=silent, given=None, **step
):
    """Project from files to a file, as the command does; the run."""
    step = {"method": "greedy", **step}
    if links is not None:
        step["links"] = "only"
    elif "aligner" not in step and "apply" not in step:
        step["aligner"] = EqualWords()
    if explanation is not None:
        step["explain"] = True
    settings = {
        "input": {"source": source, "target": target, "links": links},
        "output": output,
        "steps": [{"project": step}],
        **(given or {}),
    }
    job = make_pipeline(settings).job(explanation=explanation)
    return stream.run(job, progress)[0]


def align(source, target, output, *, aligner=None, progress=silent, **given):
    """Align from files to a file, as the command does; the run."""
    settings = {
        "input": {"source": source, "target": target},
        "labels": False,
        "output": output,
        "steps": [{"align": {"aligner": aligner or EqualWords()}}],
        **given,
    }
    return stream.run(make_pipeline(settings).job(), progress)[0]


def rows(path):
    """Objects of a file of JSON lines."""
    return [json.loads(line) for line in Path(path).read_text("utf-8").splitlines()]


def dump(*objects):
    """Objects as JSON lines."""
    return "".join(json.dumps(item) + "\n" for item in objects)


def batches_of(monkeypatch, size):
    """Let steps and runners take so many rows at a time."""
    monkeypatch.setattr(chunks, "__defaults__", (size, inf))
    monkeypatch.setattr(stream, "CHUNK", size)
    monkeypatch.setattr(stream, "QUICK_CHUNK", size)


def invented_bitext(n_pairs):
    """Source as CoNLL and target as text: names that are respelt among words that are translated.

    The first rows do not depend on how many follow.
    """
    rng = Random(1)
    source, target = [], []
    for _ in range(n_pairs):
        lines, words = [], []
        for _ in range(rng.randint(1, 3)):
            word = rng.choice(["goes", "sees", "and", "with", "today"])
            lines.append(f"{word}\tO")
            words.append(word[::-1])
            label, name = rng.choice(["PER", "LOC"]), f"Name{rng.randrange(9)}"
            if label == "LOC":
                words.append("der")
            lines.append(f"{name}{label}\tB-{label}")
            words.append(f"{name}{label}en")
            if rng.random() < 0.5:
                lines.append(f"Junior\tI-{label}")
                words.append("Juniors")
        source.append("\n".join(lines) + "\n\n")
        target.append(" ".join(words) + "\n")
    return {"s.conll": "".join(source), "t.txt": "".join(target)}
