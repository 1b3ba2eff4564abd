"""Weights of `projection/weights.py`: chosen on dev data, with how much each of them matters.

Prints: the tuned weights, with and without encoder, the objective without each, and F1 on untouched
    directions. Coordinate ascent over a grid from several starts; the best end counts. The
    objective is mean F1 over the two directions and three thresholds (.05 around the chosen one),
    which is steadier than F1 at one point. How far the ends lie apart, and the untouched
    directions, say how much to trust it.
Takes: about twenty minutes per calibration.
Data: Europarl-NER dev: tuned on English into German and Spanish; ABSA restaurant reviews.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np

from benchmarks.real_data import absa, europarl
from spanbridge import Projector, SentencePair
from spanbridge.alignment.base import Aligner
from spanbridge.alignment.statistical import FusedAligner, StatisticalAligner
from spanbridge.core.errors import RowError
from spanbridge.projection.corpus import CorpusMethod
from spanbridge.projection.method import in_order
from spanbridge.projection.scores import SCORES
from spanbridge.projection.weights import SECOND, Weights

TUNED_ON = (("en", "de"), ("en", "es"))
REPORTED = (("de", "en"), ("es", "en"), ("de", "es"), ("es", "de"))
FINE = (0.0, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.16, 0.2)
GRID = {
    "rare_words": (0.0, 0.25, 0.5, 0.75),
    "recall": (0.0, 0.1, 0.2, 0.3, 0.4, 0.6),
    "common_boundary": (-0.3, -0.2, -0.1, 0.0),
    "policy_inside": (0.0, 0.02, 0.05, 0.08, 0.12, 0.16),
    "policy_outside": (0.0, 0.02, 0.05, 0.08, 0.12, 0.16),
    "spelling": (0.0, 0.05, 0.1, 0.2),
    **{
        f"{tagger}_{aspect}": FINE
        for tagger in ("states", "words")
        for aspect in ("inside", "outside", "borders")
    },
}
THRESHOLDS = np.round(np.arange(-0.2, 0.9, 0.1), 2)
STARTS = 4


class Table:
    """All candidates of a bitext with their scores, to be weighted and solved many times."""

    def __init__(self, pairs: Sequence[SentencePair], aligner: Aligner, names: Sequence[str]):
        method = CorpusMethod()
        Projector(method, aligner).fit(pairs)
        everything = Weights(dict.fromkeys(names, 1.0))
        scores = [SCORES[name] for name in names]
        keys, columns, right = [], [], []
        for row, (pair, soft) in enumerate(zip(pairs, aligner.soft_align(pairs), strict=True)):
            if isinstance(soft, RowError) or not soft.forward.size:
                continue
            gold = {span[:3] for span in pair.target.spans}
            given = method.score_input(pair, soft)
            for e, entity in enumerate(in_order(pair.source.spans)):
                scored = method.score(given, entity, everything, scores)
                both = scored.intervals.start.tolist(), scored.intervals.end.tolist()
                spans = list(zip(*both, strict=True))
                keys += [(row, e, start, end) for start, end in spans]
                right += [(start, end, entity.label) in gold for start, end in spans]
                columns.append(np.stack([scored.parts[name] for name in names], 1))
        self.keys, self.parts = np.array(keys), np.concatenate(columns)
        self.right = np.array(right)
        self.n_gold = sum(len(pair.target.spans) for pair in pairs)

    def f1(self, weights, threshold):
        """F1 of the greedy choice."""
        total = self.parts @ weights
        kept = np.flatnonzero(total > threshold)
        _, entity, start, end = (self.keys[kept, k] for k in range(4))
        order = kept[np.lexsort((end, start, entity, -total[kept], self.keys[kept, 0]))]
        n_chosen = n_right = 0
        row = -1
        for (r, e, a, b), ok in zip(self.keys[order].tolist(), self.right[order], strict=True):
            if r != row:
                row, used, covered = r, set(), 0
            words = (1 << b) - (1 << a)
            if e not in used and not covered & words:
                used.add(e)
                covered |= words
                n_chosen += 1
                n_right += ok
        return 2 * n_right / max(n_chosen + self.n_gold, 1)


def steady(tables, weights, threshold):
    """The objective."""
    values = [t.f1(weights, threshold + d) for t in tables for d in (-0.05, 0.0, 0.05)]
    return float(np.mean(values))


def ascend(tables, names, weights, threshold, rng):
    """Coordinate ascent until a round gains nothing."""
    best = steady(tables, weights, threshold)
    while True:
        before = best
        for name in rng.sample(names, len(names)):
            if name not in GRID:
                continue
            at = names.index(name)
            for value in GRID[name]:
                trial = weights.copy()
                trial[at] = value
                if (found := steady(tables, trial, threshold)) > best + 1e-5:
                    best, weights = found, trial
        for value in THRESHOLDS:
            if (found := steady(tables, weights, value)) > best + 1e-5:
                best, threshold = found, float(value)
        if best < before + 1e-4:
            return best, weights, threshold


def main(
    names: Sequence[str] = tuple(SECOND), rows: int | None = None, starts: int = STARTS
) -> None:
    """Tune, report on untouched data, and print sensitivities."""
    for name in names:
        aligner = FusedAligner() if name == "encoder" else StatisticalAligner()
        known = [
            "soft",
            *(n for n in GRID if name == "encoder" or not n.startswith("states_")),
        ]
        tables = {f"{s}-{t}": Table(europarl(s, t)[:rows], aligner, known) for s, t in TUNED_ON}
        print(f"{name}\n{'':28}{'objective':>10}" + "".join(f"{n:>8}" for n in tables))

        def line(label, weights, threshold, tables=tables):
            values = "".join(f"{t.f1(weights, threshold):>8.3f}" for t in tables.values())
            objective = steady([*tables.values()], weights, threshold)
            print(f"{label:<28}{objective:>10.4f}{values}", flush=True)

        now = SECOND[name]
        start = np.array([now.parts.get(name, 0.0) for name in known])
        line("as in weights.py", start, now.min_score)
        found = []
        for seed in range(starts):
            rng = random.Random(seed)
            first = start.copy()
            if seed:
                first[1:] = [rng.choice(GRID[name]) for name in known[1:]]
            found.append(ascend([*tables.values()], known, first, now.min_score, rng))
            line(f"from start {seed}", *found[-1][1:])
        _, weights, threshold = max(found, key=lambda item: item[0])
        print({n: float(w) for n, w in zip(known, weights, strict=True) if w}, threshold)
        for at, name in enumerate(known):
            if weights[at]:
                line(
                    f"without {name}", np.where(np.arange(len(known)) == at, 0, weights), threshold
                )
        others = {f"{s}-{t}": europarl(s, t) for s, t in REPORTED} | {"absa": absa()}
        for name, pairs in others.items():
            table = Table(pairs[:rows], aligner, known)
            before = table.f1(start, now.min_score)
            print(f"{name:<28} as now {before:.3f}, tuned {table.f1(weights, threshold):.3f}")
