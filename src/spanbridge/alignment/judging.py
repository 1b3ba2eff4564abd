"""Judges whether rows are translations, by what the bitext says of them apart from themselves.

An aligner that has learned from a row finds support for its words whether or not they translate
each other. So rows are judged by evidence that does not come from them:

- *words*: how much more probable each side's words are beside the other side than by themselves, by
  a lexicon of rows of other folds (a row's fold depends on its words alone, so that the same row is
  never in its own lexicon);
- *sentences*: cosine of both sides' vectors less their language's mean, less what each side reaches
  with its nearest sentences of the other language in the sample ("cross-domain similarity local
  scaling", Conneau et al. 2018), if the aligner has an encoder.

Each is standardised by what sources beside other rows' targets of the sample get. Rows of the
sample are then a mixture of a standard normal distribution, of those that are no translations, and
of another one, which is fitted to them by expectation and maximisation. The score of a row is its
posterior probability of the latter. Evidence that hardly tells true pairs from others (too little
data, a language that the encoder does not know) is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from spanbridge.alignment.base import Aligner, Vectors
from spanbridge.alignment.grid import Grid, Words, grids, sides_of
from spanbridge.alignment.lexicon import NULL, Lexicon
from spanbridge.alignment.lexicon_learning import diagonal_priors, fold_of, held_out
from spanbridge.core.learned import Arrays, Learner
from spanbridge.core.rows import SentencePair
from spanbridge.core.soft_alignment import too_long

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

# With fewer rows nothing can be said of the others.
MIN_ROWS = 30
# Rows that lexicons are learned from, and rows whose evidence is the mixture's sample, at most.
MAX_ROWS, MAX_JUDGED = 2000, 500
FOLDS = 8
# Characters that words are cut to.
PREFIX = 4
# Share of rows that are no translations: at least, and at most by words alone and with sentences. A
# row is called unlikely on good evidence only, and words alone are weaker evidence.
LEAST_SHARE, MOST_SHARE = 0.05, (0.1, 0.3)
# Standard deviation of true pairs, in that of others: bounds against outliers and small samples.
SPREAD = 0.7, 1.5
# Evidence tells nothing if true pairs have less than this in the mean.
LEAST_CENTRE = 1.0
LEXICON_ROUNDS, ROUNDS = 3, 50
# A word that could not be more expected counts no more than this; one that is not expected counts
# against the row no more than ``-AGAINST``.
LEAST_PROBABILITY = 1e-9
AGAINST = 1.0
# Nearest sentences of the sample. The very nearest is left out: it may be the translation.
NEAREST = 5


class Judge(Learner):
    """Scores of rows: the probability that both sides translate each other, learned from a bitext.

    Deterministic; the score of a row depends on the row and on what was learned.
    """

    learns = True

    def __init__(self) -> None:
        self._lexicons: list[Lexicon] = []
        self._means: tuple[Floats, ...] = ()  # of both sides' vectors
        self._units: tuple[Vectors, ...] = ()  # both sides of the sample
        self._numbers: Floats | None = None  # see _mixture

    def describe(self) -> str:
        """Folds and numbers of rows."""
        return f"judge(folds={FOLDS},rows={MAX_ROWS},judged={MAX_JUDGED})"

    def fit(self, pairs: Sequence[SentencePair], aligner: Aligner | None) -> None:
        """Learn from a sample of the bitext; with fewer than ``MIN_ROWS`` rows, nothing.

        Args:
            pairs: the sample.
            aligner: gives sentences' vectors, if it has an encoder.
        """
        self.__init__()  # type: ignore[misc]  # nothing of an earlier fit stays
        rows = _spread([sides_of(pair) for pair in pairs if _usable(pair)], MAX_ROWS)
        folds = [fold_of(row, FOLDS) for row in rows]
        if len(rows) < MIN_ROWS or len(set(folds)) < FOLDS:
            return
        priors = diagonal_priors(rows)
        self._lexicons = held_out(rows, PREFIX, priors, folds, LEXICON_ROUNDS)
        judged = _spread(rows, MAX_JUDGED)
        vectors = _vectors(judged, aligner)
        self._means = tuple(side.mean(0, dtype=np.float64) for side in vectors)
        self._units = tuple(
            _unit(side - mean).astype(np.float32)
            for side, mean in zip(vectors, self._means, strict=True)
        )
        evidence = self._evidence(judged, vectors)
        i, j = _mispaired(judged)
        null = self._evidence(
            [(judged[a][0], judged[b][1]) for a, b in zip(i, j, strict=True)],
            [side[at] for side, at in zip(vectors, (i, j), strict=False)],
            [fold_of(judged[a], FOLDS) for a in i],
        )
        mean, spread = null.mean(0), np.maximum(null.std(0), 1e-6)
        numbers = np.array([mean, spread, *_mixture((evidence - mean) / spread)])
        if numbers[2].max() >= LEAST_CENTRE:
            self._numbers = numbers

    def scores(self, pairs: Sequence[SentencePair], aligner: Aligner | None) -> list[float | None]:
        """The probability of each pair, in [0, 1]; None if one side is empty or both are too long.

        None for all if nothing was learned, or what was learned tells nothing.
        """
        good = [n for n, pair in enumerate(pairs) if _usable(pair)]
        found: list[float | None] = [None] * len(pairs)
        if self._numbers is None or not good:
            return found
        rows = [sides_of(pairs[n]) for n in good]
        vectors = _vectors(rows, aligner) if self._means else []
        mean, spread, centre, width, share = self._numbers
        ratio = _log_ratio((self._evidence(rows, vectors) - mean) / spread, centre, width)
        odds = ratio + np.log((1 - share[0]) / share[0])
        for n, value in zip(good, odds, strict=True):
            found[n] = float(1 / (1 + np.exp(-np.clip(value, -50, 50))))
        return found

    def _evidence(
        self,
        rows: Sequence[tuple[Words, Words]],
        vectors: Sequence[Vectors],
        folds: Sequence[int] | None = None,
    ) -> Floats:
        """Evidence of words and, if there are vectors, of sentences: [rows, 1 or 2]."""
        folds = folds or [fold_of(row, FOLDS) for row in rows]
        of_words = np.empty(len(rows))
        for fold in sorted(set(folds)):
            same = [k for k, own in enumerate(folds) if own == fold]
            for group, grid in grids(rows, same):
                of_words[group] = _of_words(self._lexicons[fold], grid)
        parts = [of_words]
        if vectors:
            source, target = (
                _unit(side - mean) for side, mean in zip(vectors, self._means, strict=True)
            )
            near = [
                np.sort([units @ one for one in side.astype(np.float32)], 1)
                for units, side in zip(self._units[::-1], (source, target), strict=True)
            ]
            usual = sum(side[:, -NEAREST - 1 : -1].mean(1) for side in near) / 2
            parts.append((source * target).sum(1) - usual)
        return np.array(parts, np.float64).T

    def learned(self) -> tuple[dict[str, Any], Arrays]:
        """Lexicons, means, and the numbers of both distributions."""
        arrays = {
            f"{n}.{name}": array
            for n, lexicon in enumerate(self._lexicons)
            for name, array in lexicon.arrays().items()
        }
        arrays |= {f"mean.{n}": mean for n, mean in enumerate(self._means)}
        arrays |= {f"unit.{n}": units for n, units in enumerate(self._units)}
        if self._numbers is not None:
            arrays["numbers"] = self._numbers
        return {"lexicons": len(self._lexicons), "means": len(self._means)}, arrays

    def restore(self, content: Mapping[str, Any], arrays: Arrays) -> None:
        """Take up what :meth:`learned` gave."""
        self._lexicons = [
            Lexicon.from_arrays(
                {key[2:]: array for key, array in arrays.items() if key.startswith(f"{n}.")}
            )
            for n in range(content["lexicons"])
        ]
        self._means = tuple(arrays[f"mean.{n}"] for n in range(content["means"]))
        self._units = tuple(arrays[f"unit.{n}"] for n in range(content["means"]))
        self._numbers = arrays.get("numbers")


def _usable(pair: SentencePair) -> bool:
    n, m = map(len, sides_of(pair))
    return bool(n and m) and too_long(n, m) is None


def _spread(rows: list[tuple[Words, Words]], most: int) -> list[tuple[Words, Words]]:
    """At most so many rows, evenly spread."""
    n = len(rows)
    return rows if n <= most else [rows[k * n // most] for k in range(most)]


def _mispaired(rows: Sequence[tuple[Words, Words]]) -> Indices:
    """Source and target rows of pairs that do not belong together, [2, pairs].

    Both are of the same fold, whose lexicon knows neither: each source with the targets a third and
    two thirds of the fold further on.
    """
    folds = np.array([fold_of(row, FOLDS) for row in rows])
    found = []
    for k in range(FOLDS):
        [same] = np.nonzero(folds == k)
        for step in sorted({len(same) // 3, 2 * len(same) // 3} - {0}):
            found.append(np.array([same, np.roll(same, -step)]))
    return np.concatenate(found, axis=1)


def _vectors(rows: Sequence[tuple[Words, Words]], aligner: Aligner | None) -> list[Vectors]:
    """Vectors of both sides, [rows, size] each; none without an encoder."""
    if aligner is None:
        return []
    sides = [aligner.sentence_vectors([row[side] for row in rows]) for side in (0, 1)]
    return [side for side in sides if side is not None]


def _unit(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1))


def _of_words(lexicon: Lexicon, grid: Grid) -> Floats:
    """Log-likelihood ratio of each row's words, over the square root of their number."""
    forward, backward = lexicon.posterior(grid, np.ones(len(grid)))
    ratios, told = [], []
    sums = grid.row_sums(forward), grid.column_sums(backward)
    for words, mass in zip(grid.sides, sums, strict=True):
        null = np.maximum(1 - mass, LEAST_PROBABILITY)  # share of a word that stands alone
        told.append(np.array([_is_word(word) for word in words], np.float64))
        ratios.append(told[-1] * np.maximum(np.log(NULL) - np.log(null), -AGAINST))
    return np.asarray(grid.pair_sums(*ratios) / np.sqrt(np.maximum(grid.pair_sums(*told), 1)))


@lru_cache(2**14)
def _is_word(word: str) -> bool:
    """Check if a token is more than a mark."""
    return any(map(str.isalnum, word))


def _mixture(z: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean and spread of the rows that translate each other, and the share of those that do not.

    Args:
        z: standardised evidence, [rows, kinds]; that of others is standard normal.

    Returns:
        Three vectors, one entry per kind of evidence.
    """
    share, kinds = 0.2, z.shape[1]
    centre, width = np.maximum(np.median(z, 0), LEAST_CENTRE), np.ones(kinds)
    for _ in range(ROUNDS):
        odds = _log_ratio(z, centre, width) + np.log((1 - share) / share)
        weight = 1 / (1 + np.exp(-np.clip(odds, -50, 50)))
        total = max(float(weight.sum()), 1.0)
        share = min(max(1 - total / len(z), 0.001), 0.95)
        centre = np.maximum(weight @ z / total, 0.5)
        width = np.clip(np.sqrt(weight @ (z - centre) ** 2 / total), *SPREAD)
    return centre, width, np.full(kinds, np.clip(share, LEAST_SHARE, MOST_SHARE[kinds - 1]))


def _log_ratio(z: Floats, centre: Floats, width: Floats) -> Floats:
    """Log-likelihood ratio of a translation, which grows with each kind of evidence.

    Beyond the usual of true pairs it stays; so it does where the tail of wider true pairs would
    make it grow again downwards.
    """
    lowest = np.where(width > 1, -centre / np.maximum(width**2 - 1, 1e-6), -np.inf)
    z = np.clip(z, lowest, centre)
    ratio = (z**2 - ((z - centre) / width) ** 2) / 2 - np.log(width)
    return np.asarray(ratio[:, centre >= LEAST_CENTRE].sum(1))
