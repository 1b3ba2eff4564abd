"""The aligners that learn from the bitext itself: alone, or together with an encoder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

from spanbridge.alignment.base import Aligner, Vectors
from spanbridge.alignment.encoder_aligner import EncoderAligner
from spanbridge.alignment.grid import (
    DIAGONAL,
    Grid,
    Vector,
    Words,
    diagonal_prior,
    grids,
    sides_of,
)
from spanbridge.alignment.lexicon import Lexicon, Places, shares_of
from spanbridge.alignment.lexicon_learning import Cells, diagonal_priors, explained, learn
from spanbridge.alignment.soft import cosines, soft_links, with_neighbours
from spanbridge.core.errors import RowError, SpanbridgeError
from spanbridge.core.learned import Arrays
from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SentencePair
from spanbridge.core.soft_alignment import Matrix, SoftAlignment, too_long
from spanbridge.encode.static import StaticEncoder

# Whole words, and two stemmings that fit many languages and pool sparse counts.
PREFIXES = (None, 5, 4)
# Cosine of two words' states as the prior of a lexicon: exp(cosine / ANCHOR).
ANCHOR = 0.07
# Exponent of the diagonal prior beside that: where two words are as similar, place decides.
DIAGONAL_SHARE = 0.5
# Parts of the encoder and, if they explain all words of other pairs, of each kind of lexicons.
ENCODER, LEXICONS = 3.0, {"anchored": 2.0, "free": 1.0}
# Pairs that lexicons are judged on, at most.
MAX_SAMPLE = 500
# Pairs encoded at a time while learning.
CHUNK = 512


class StatisticalAligner(Aligner):
    """Aligns by word translation probabilities learned from the bitext; no encoder, no other data.

    Transductive: :meth:`fit` must see the bitext (or an evenly spread sample of it), and the links
    of a pair depend on all of it. Posteriors of three lexicons
    (:class:`~spanbridge.alignment.lexicon.Lexicon`) over whole words and prefixes of 5 and 4
    characters are averaged. Results are deterministic.

    Args:
        min_score: least geometric mean of both directions' posteriors for a hard link, in (0, 1).

    Raises:
        SpanbridgeError: ``min_score`` is out of range.
    """

    learns = True

    def __init__(self, min_score: float = 0.45) -> None:
        _check(min_score)
        self.min_score = min_score
        self._free: list[Lexicon] = []
        self._n_pairs: int | None = None  # None until it is fitted

    @property
    def evidence(self) -> str:
        """The bitext."""
        return "statistical"

    def describe(self) -> str:
        """Name, least score, and the number of pairs that it was fitted on."""
        learned = "" if self._n_pairs is None else f",trained_on={self._n_pairs}_pairs"
        return f"statistical(min_score={self.min_score!r}{learned})"

    def fit(self, pairs: Iterable[SentencePair]) -> None:
        """Learn the lexicons."""
        bitext = [sides_of(pair) for pair in usable(pairs)]
        priors = diagonal_priors(bitext)
        self._free = [learn(bitext, p, priors) for p in PREFIXES] if bitext else []
        self._n_pairs = len(bitext)

    def soft_align(self, pairs: Sequence[SentencePair]) -> list[SoftAlignment | RowError]:
        """Soft alignment of each pair, by the lexicons.

        Raises:
            SpanbridgeError: the aligner has not been fitted.
        """
        if self._n_pairs is None:
            raise _unfitted()
        found: list[SoftAlignment | RowError | None] = [_without_cells(pair) for pair in pairs]
        left = [k for k, known in enumerate(found) if known is None]
        for group, grid in grids([sides_of(pair) for pair in pairs], left):
            mass = with_neighbours(grid, *self.posterior(grid))
            for k, *both in zip(group, *map(grid.matrices, mass), strict=True):
                found[k] = SoftAlignment(*both)
        return [one for one in found if one is not None]

    def posterior(self, grid: Grid) -> tuple[Vector, Vector]:
        """Forward and backward mass by the lexicons alone."""
        places = [lexicon.places(grid) for lexicon in self._free]
        return _mean(self._free, places, diagonal_prior(grid))

    def align(self, pairs: Sequence[SentencePair]) -> list[WordAlignment | RowError]:
        """Hard links of each pair: those that both directions support."""
        return _hard(self.soft_align(pairs), self.min_score)

    def learned(self) -> tuple[dict[str, Any], Arrays]:
        """The number of pairs, and the lexicons."""
        return {"n_pairs": self._n_pairs}, _pack("free", self._free)

    def restore(self, content: Mapping[str, Any], arrays: Arrays) -> None:
        """Take up what :meth:`learned` gave."""
        n_pairs = content["n_pairs"]
        self._free = _unpack("free", arrays)
        self._n_pairs = n_pairs if n_pairs is None else int(n_pairs)


class FusedAligner(Aligner):
    """Encoder and bitext together: the best aligner where a whole bitext is at hand.

    Three soft alignments are averaged: the softmax of cosines between words' states; the posteriors
    of lexicons (as of :class:`StatisticalAligner`) whose prior over places is that cosine and the
    diagonal (*anchored*); and those of lexicons without any such prior (*free*). With ever more
    data their weights are 1/4, 1/2, 1/4; each kind of lexicons counts only by the share of words
    that lexicons of other pairs of the bitext explain
    (:func:`~spanbridge.alignment.lexicon.explained`), so that few pairs, or pairs without a word in
    common, leave the encoder alone.

    Args:
        encoder: an :class:`EncoderAligner`, or what it takes as its encoder (None: the embedded).
        min_score: least geometric mean of both directions for a hard link, in (0, 1).
        layer, compute_type, threads, device: as in :class:`EncoderAligner`.

    Raises:
        SpanbridgeError: ``min_score`` is out of range, or the encoder cannot be loaded.
    """

    learns = True

    def __init__(
        self,
        encoder: EncoderAligner | str | None = None,
        min_score: float = 0.45,
        *,
        layer: int | None = None,
        compute_type: str | None = None,
        threads: int | None = None,
        device: str = "cpu",
    ) -> None:
        _check(min_score)
        if not isinstance(encoder, EncoderAligner):
            kinds: dict[str, Any] = {"layer": layer, "compute_type": compute_type}
            encoder = EncoderAligner(encoder, **kinds, threads=threads, device=device)
        self.encoder = encoder
        self.licence, self.on_gpu = encoder.licence, encoder.on_gpu
        self.min_score = min_score
        self._lexicons: dict[str, list[Lexicon]] = {}
        self._n_pairs = 0
        self.mixture: tuple[float, ...] = ()  # of encoder and kinds of lexicons; none until fitted

    @property
    def evidence(self) -> str:
        """The encoder, which counts for most."""
        return self.encoder.evidence

    def describe(self) -> str:
        """Name, encoder, least score, number of pairs that it was fitted on, and the mixture."""
        learned = ""
        if self.mixture:
            weights = "+".join(f"{weight:.3f}" for weight in self.mixture)
            learned = f",trained_on={self._n_pairs}_pairs,mixture={weights}"
        return f"fused({self.encoder.encoder.describe()},min_score={self.min_score!r}{learned})"

    def fit(self, pairs: Iterable[SentencePair]) -> None:
        """Learn the lexicons, free and anchored, and what each kind is worth; static states."""
        if isinstance(self.encoder.encoder, StaticEncoder):
            pairs = list(pairs)
            self.encoder.encoder.learn([side for pair in pairs for side in sides_of(pair)])
        bitext: list[tuple[Words, Words]] = []
        priors: dict[str, list[Matrix]] = {kind: [] for kind in PRIORS}
        rows = iter(usable(pairs))
        while chunk := list(islice(rows, CHUNK)):  # the states of all would be too much to hold
            grid = Grid([sides_of(pair) for pair in chunk])
            similarity = grid.flat(cosines(*states) for states in self.encoder.states(chunk))
            bitext += map(sides_of, chunk)
            for kind, prior in PRIORS.items():
                priors[kind] += grid.matrices(prior(grid, similarity))
        n = len(bitext)
        sample = range(n) if n <= MAX_SAMPLE else [k * n // MAX_SAMPLE for k in range(MAX_SAMPLE)]
        own = [[priors[kind][k] for k in sample] for kind in LEXICONS]
        shares = explained([bitext[k] for k in sample], PREFIXES[-1], own)
        weights = [most * share for most, share in zip(LEXICONS.values(), shares, strict=True)]
        kinds = [kind for kind, weight in zip(LEXICONS, weights, strict=True) if weight]
        self._lexicons, self._n_pairs = {kind: [] for kind in kinds}, n
        for prefix in PREFIXES if kinds else ():
            found = Cells(bitext, prefix).lexicons([priors[kind] for kind in kinds])
            for kind, lexicon in zip(kinds, found, strict=True):
                self._lexicons[kind].append(lexicon)
        weights = [ENCODER, *weights]
        self.mixture = tuple(weight / sum(weights) for weight in weights)

    def static(self) -> FusedAligner | None:
        """The same with static states of the encoder's subwords, which are learned, too."""
        encoder = self.encoder.encoder
        if isinstance(encoder, StaticEncoder):
            return self
        return FusedAligner(EncoderAligner(StaticEncoder(encoder)), self.min_score)

    def sentence_vectors(self, sentences: Sequence[Sequence[str]]) -> Vectors:
        """As the encoder."""
        return self.encoder.sentence_vectors(sentences)

    def word_vectors(self, sentences: Sequence[Sequence[str]]) -> list[Vectors]:
        """As the encoder."""
        return self.encoder.word_vectors(sentences)

    def soft_align(self, pairs: Sequence[SentencePair]) -> list[SoftAlignment | RowError]:
        """Soft alignment of each pair, and the words' states.

        Raises:
            SpanbridgeError: the aligner has not been fitted.
        """
        if not self.mixture:
            raise _unfitted()
        return self.encoder.soft_align_by(self._mass, pairs)

    def _mass(self, grid: Grid, similarity: Vector) -> tuple[Vector, Vector]:
        own = soft_links(grid, similarity)
        forward, backward = (self.mixture[0] * one for one in own)
        # the kinds share their cells
        places = [one.places(grid) for one in next(iter(self._lexicons.values()), [])]
        for weight, kind in zip(self.mixture[1:], LEXICONS, strict=True):
            if weight:
                there, back = _mean(self._lexicons[kind], places, PRIORS[kind](grid, similarity))
                # what lexicons leave to no word is the encoder's to place
                left = 1 - grid.row_sums(there), 1 - grid.column_sums(back)
                forward += weight * (there + left[0][grid.rows] * own[0])
                backward += weight * (back + left[1][grid.columns] * own[1])
        return forward, backward

    def align(self, pairs: Sequence[SentencePair]) -> list[WordAlignment | RowError]:
        """Hard links of each pair: those that both directions support."""
        return _hard(self.soft_align(pairs), self.min_score)

    def learned(self) -> tuple[dict[str, Any], Arrays]:
        """All lexicons and their weights; the encoder is left out."""
        arrays: Arrays = {}
        for kind, lexicons in self._lexicons.items():
            arrays |= _pack(kind, lexicons)
        if isinstance(self.encoder.encoder, StaticEncoder):
            arrays |= {f"static.{key}": own for key, own in self.encoder.encoder.learned().items()}
        return {"n_pairs": self._n_pairs, "mixture": self.mixture}, arrays

    def restore(self, content: Mapping[str, Any], arrays: Arrays) -> None:
        """Take up what :meth:`learned` gave."""
        self._n_pairs, self.mixture = int(content["n_pairs"]), tuple(content["mixture"])
        self._lexicons = {kind: found for kind in LEXICONS if (found := _unpack(kind, arrays))}
        if isinstance(self.encoder.encoder, StaticEncoder):
            own = {key[7:]: one for key, one in arrays.items() if key.startswith("static.")}
            self.encoder.encoder.restore(own)


def _check(min_score: float) -> None:
    if not 0 < min_score < 1:
        raise SpanbridgeError(f"min_score is {min_score}, but lies between 0 and 1")


def _unfitted() -> SpanbridgeError:
    return SpanbridgeError("the aligner must be fitted on the bitext first")


def _anchored(grid: Grid, similarity: Vector) -> Vector:
    return np.asarray(
        np.exp((similarity - 1) / ANCHOR - DIAGONAL_SHARE * DIAGONAL * grid.diagonal())
    )


def _free(_: Grid, similarity: Vector) -> Vector:
    return np.ones_like(similarity)


# Prior over places of each kind of lexicons, from the cosines of the words' states.
PRIORS: dict[str, Callable[[Grid, Vector], Vector]] = {"anchored": _anchored, "free": _free}


def _without_cells(pair: SentencePair) -> SoftAlignment | RowError | None:
    """What becomes of a pair that is too long or has an empty side; None of any other."""
    n, m = map(len, sides_of(pair))
    if n and m:
        return too_long(n, m)
    return SoftAlignment(np.zeros((n, m)), np.zeros((n, m)))


def usable(pairs: Iterable[SentencePair]) -> Iterator[SentencePair]:
    """The pairs that something can be learned from."""
    for pair in pairs:
        n, m = len(pair.source.words), len(pair.target.words)
        if n and m and too_long(n, m) is None:
            yield pair


def _mean(
    lexicons: Sequence[Lexicon], places: Sequence[Places], prior: Vector
) -> tuple[Vector, Vector]:
    """Mean of the mass by several lexicons, given where the words stand in each."""
    if not lexicons:
        raise _unfitted()
    shares = shares_of(places[0].grid, prior)
    found = [lexicon.mass(at, shares) for lexicon, at in zip(lexicons, places, strict=True)]
    forward, backward = (sum(part[d] for part in found) / len(found) for d in (0, 1))
    return np.asarray(forward), np.asarray(backward)


def _hard(
    found: Iterable[SoftAlignment | RowError], min_score: float
) -> list[WordAlignment | RowError]:
    return [soft if isinstance(soft, RowError) else soft.links(min_score) for soft in found]


def _pack(name: str, lexicons: Sequence[Lexicon]) -> Arrays:
    return {
        f"{name}.{n}.{field}": array
        for n, lexicon in enumerate(lexicons)
        for field, array in lexicon.arrays().items()
    }


def _unpack(name: str, arrays: Arrays) -> list[Lexicon]:
    return [
        Lexicon.from_arrays(
            {
                key.removeprefix(start): array
                for key, array in arrays.items()
                if key.startswith(start)
            }
        )
        for start in (f"{name}.{n}." for n in range(len(PREFIXES)))
        if f"{start}prefix" in arrays
    ]
