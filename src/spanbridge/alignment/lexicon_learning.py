"""How lexicons are learned from a bitext, by expectation and maximisation, and what they explain.

All sentences are one flat array of cells (a cell is a source word and a target word of one pair),
so that a round of training is a handful of NumPy calls, and the result does not depend on any order
of work.
"""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np
import numpy.typing as npt

from spanbridge.alignment.grid import Grid, Vector, Words, diagonal_prior, grids
from spanbridge.alignment.lexicon import (
    NULL,
    Indices,
    Lexicon,
    Side,
    numbered,
    spelling_factor,
)
from spanbridge.core.soft_alignment import Matrix

ROUNDS = 5
CONCENTRATION = 0.01  # parameter of the Dirichlet prior
NEGLIGIBLE = 1e-8  # less probable pairs are forgotten: nearly all that only met by chance
FOLDS = 5  # of pairs, to see what lexicons explain
SHARE_ROUNDS = 50


def learn(
    pairs: Sequence[tuple[Words, Words]],
    prefix: int | None,
    priors: Sequence[Matrix],
    rounds: int = ROUNDS,
) -> Lexicon:
    """A lexicon of a bitext.

    Args:
        pairs: source and target words, none empty.
        prefix: characters that words are cut to, None for whole words.
        priors: one matrix per pair, [n_source, n_target], positive, in any scale.
        rounds: rounds of expectation and maximisation.
    """
    [lexicon] = Cells(pairs, prefix).lexicons([priors], rounds)
    return lexicon


def held_out(
    pairs: Sequence[tuple[Words, Words]],
    prefix: int | None,
    priors: Sequence[Matrix],
    folds: Sequence[int],
    rounds: int = ROUNDS,
) -> list[Lexicon]:
    """A lexicon for each fold, learned from the pairs of all others.

    Args:
        pairs, prefix, priors, rounds: as for :func:`learn`.
        folds: the fold of each pair, from 0; there are two or more.
    """
    cells = Cells(pairs, prefix)
    used = [np.array(folds) != k for k in range(max(folds) + 1)]
    return [cells.lexicons([priors], rounds, one)[0] for one in used]


def diagonal_priors(pairs: Sequence[tuple[Words, Words]]) -> list[Matrix]:
    """The diagonal prior over the places of each pair, as for :func:`learn`."""
    if not pairs:
        return []
    grid = Grid(pairs)
    return list(grid.matrices(diagonal_prior(grid)))


def fold_of(pair: tuple[Words, Words], folds: int) -> int:
    """The fold of a pair, by its words alone: the same pair is never in two folds."""
    return crc32("\n".join("\t".join(side) for side in pair).encode("utf-8", "replace")) % folds


def explained(
    pairs: Sequence[tuple[Words, Words]],
    prefix: int | None,
    kinds: Sequence[Sequence[Matrix]],
) -> list[float]:
    """Share of words that lexicons of other pairs explain: what a lexicon of these pairs can teach.

    Each fold's words are a mixture of words that its lexicon predicts and of words by their
    frequency alone; the share of the former is fitted by expectation and maximisation (deleted
    interpolation, Jelinek and Mercer 1980). A word that no other fold has is not explained.

    Args:
        pairs, prefix: as for :func:`learn`.
        kinds: its priors, for each kind of lexicon.

    Returns:
        The share for each kind, in [0, 1]; 0 if all pairs are of one fold.
    """
    folds = np.array([fold_of(pair, FOLDS) for pair in pairs])
    if len(set(folds.tolist())) < 2:
        return [0.0] * len(kinds)
    cells = Cells(pairs, prefix)
    gains: list[list[Vector]] = [[] for _ in kinds]
    for fold in range(FOLDS):
        lexicons = cells.lexicons(kinds, used=folds != fold)
        for group, grid in grids(pairs, np.flatnonzero(folds == fold).tolist()):
            for own, lexicon, priors in zip(gains, lexicons, kinds, strict=True):
                own += lexicon.gains(grid, grid.flat(priors[k] for k in group))
    return [_share(np.concatenate(own)) for own in gains]


def _share(gains: Vector) -> float:
    known = gains[gains > 0]
    share = 0.5
    for _ in range(SHARE_ROUNDS if len(known) else 0):
        share = float(np.mean(share * known / (share * known + 1 - share)))
    return share * len(known) / len(gains)


class Cells:
    """All cells of a bitext in flat arrays, to learn lexicons of all or of some pairs.

    Args:
        pairs, prefix: as for :func:`learn`.
    """

    def __init__(self, pairs: Sequence[tuple[Words, Words]], prefix: int | None) -> None:
        self._prefix = prefix
        grid = Grid(pairs)
        # the words of the bitext, and which of them each cell has
        (self._source, s), (self._target, t) = (numbered(side, prefix) for side in grid.sides)
        self._words, self._rows, self._columns = (s, t), grid.rows, grid.columns
        self._lengths = [np.array(lengths) for lengths in zip(*grid.shapes, strict=True)]
        size = len(self._target.ids)
        # each pair of words that occurs together, and which of them each cell is
        self._cells, self._cell = np.unique(
            s[grid.rows] * size + t[grid.columns], return_inverse=True
        )
        names = [list(side.ids) for side in (self._source, self._target)]
        self._factor = spelling_factor(
            [names[0][i] for i in self._cells // size], [names[1][i] for i in self._cells % size]
        )

    def lexicons(
        self,
        kinds: Sequence[Sequence[Matrix]],
        rounds: int = ROUNDS,
        used: npt.NDArray[np.bool_] | None = None,
    ) -> list[Lexicon]:
        """A lexicon for each kind of priors, learned from all pairs or from those that are used.

        They share their words and cells, so that :meth:`Lexicon.places` of one hold for all.
        """
        used = np.ones(len(self._lengths[0]), bool) if used is None else used
        flat = np.repeat(used, self._lengths[0] * self._lengths[1])
        occurs = np.zeros(len(self._cells), bool)
        occurs[self._cell[flat]] = True
        cells, factor = self._cells[occurs], self._factor[occurs]
        cell = (np.cumsum(occurs) - 1)[self._cell[flat]]
        source, target = (
            side.of(words[np.repeat(used, lengths)])
            for side, words, lengths in zip(
                (self._source, self._target), self._words, self._lengths, strict=True
            )
        )
        tables = []
        for priors in kinds:
            prior = np.concatenate([matrix.ravel() for matrix in priors])[flat]
            tables.append(self._tables(cells, factor, cell, prior, (source, target), flat, rounds))
        kept = np.max([np.maximum(*both) for both in tables], axis=0) > NEGLIGIBLE
        kept[0] = True  # places() looks cells up, so there is always one
        cells = cells[kept]
        return [
            Lexicon(self._prefix, source, target, cells, *(one[kept] for one in both))
            for both in tables
        ]

    def _tables(
        self,
        cells: Indices,
        factor: Vector,
        cell: Indices,
        prior: Vector,
        sides: tuple[Side, Side],
        flat: npt.NDArray[np.bool_],
        rounds: int,
    ) -> list[Vector]:
        """p(target | source) and p(source | target) of each of the cells that occur."""
        source, target = sides
        size = len(target.ids)
        tables = []
        # (word whose origin is asked for, its side, word that is the condition)
        for token, side, words, condition in (
            (self._columns[flat], target, self._words[1], cells // size),
            (self._rows[flat], source, self._words[0], cells % size),
        ):
            place = (1 - NULL) * prior / np.bincount(token, prior)[token]
            null = NULL * side.frequency[words]
            table = factor / np.bincount(condition, factor)[condition]
            for _ in range(rounds):
                share = place * table[cell]
                share /= (np.bincount(token, share, len(null)) + null)[token]
                counts: Vector = np.bincount(cell, share, len(cells)) + CONCENTRATION * factor
                table = _variational(counts, condition)
            tables.append(table)
        return tables


def _variational(counts: Vector, condition: Indices) -> Vector:
    """exp(digamma(count) - digamma(total)): the mean-field step for a Dirichlet prior.

    Totals are over all cells of the same condition.
    """
    from scipy.special import digamma

    table: Vector = np.exp(digamma(counts) - digamma(np.bincount(condition, counts))[condition])
    return table
