"""The aligners that learn from the bitext itself: alone, or together with an encoder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

from spanbridge.alignment.base import Aligner, Vectors
from spanbridge.alignment.encoder_aligner import EncoderAligner
from spanbridge.alignment.lexicon import Lexicon, diagonal_prior
from spanbridge.alignment.soft import cosines, soft_links, with_neighbours
from spanbridge.core.errors import RowError, SpanbridgeError
from spanbridge.core.learned import Arrays
from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SentencePair
from spanbridge.core.soft_alignment import Matrix, SoftAlignment, too_long

# Whole words, and two stemmings that fit many languages and pool sparse counts.
PREFIXES = (None, 5, 4)
# Cosine of two words' states as the prior of a lexicon: exp(cosine / ANCHOR).
ANCHOR = 0.07
# Weights of the encoder, the lexicons anchored by it and the free lexicons.
MIXTURE = (0.4, 0.3, 0.3)
# With fewer pairs, lexicons know too little to help an encoder.
MIN_PAIRS = 100
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
        if not 0 < min_score < 1:
            raise SpanbridgeError(f"min_score is {min_score}, but lies between 0 and 1")
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
        bitext = [(pair.source.words, pair.target.words) for pair in usable(pairs)]
        priors = [diagonal_prior(len(s), len(t)) for s, t in bitext]
        self._free = [Lexicon.learn(bitext, p, priors) for p in PREFIXES] if bitext else []
        self._n_pairs = len(bitext)

    def soft_align(self, pairs: Sequence[SentencePair]) -> list[SoftAlignment | RowError]:
        """Soft alignment of each pair, by the lexicons.

        Raises:
            SpanbridgeError: the aligner has not been fitted.
        """
        if self._n_pairs is None:
            raise _unfitted()
        return [self._soft_align_one(pair) for pair in pairs]

    def _soft_align_one(self, pair: SentencePair) -> SoftAlignment | RowError:
        n, m = len(pair.source.words), len(pair.target.words)
        if (reason := too_long(n, m)) is not None:
            return reason
        if not n or not m:
            return SoftAlignment(np.zeros((n, m)), np.zeros((n, m)))
        return SoftAlignment(*with_neighbours(*self.posterior(pair)))

    def posterior(self, pair: SentencePair) -> tuple[Matrix, Matrix]:
        """Forward and backward mass by the lexicons alone."""
        prior = diagonal_prior(len(pair.source.words), len(pair.target.words))
        return _posterior(self._free, pair, prior)

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

    Three soft alignments are averaged (weights .4, .3, .3): the softmax of cosines between words'
    states; that of lexicons whose prior over places is that cosine; and that of the free lexicons
    of :class:`StatisticalAligner`. Fitted on fewer than 100 pairs, it is the encoder alone.

    Args:
        encoder: an :class:`EncoderAligner`, or what it takes as its encoder (None: the embedded).
        min_score: least geometric mean of both directions for a hard link, in (0, 1).
        layer, compute_type, threads: as in :class:`EncoderAligner`.

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
        compute_type: str = "int8",
        threads: int | None = None,
    ) -> None:
        self.free = StatisticalAligner(min_score)
        if not isinstance(encoder, EncoderAligner):
            encoder = EncoderAligner(
                encoder, layer=layer, compute_type=compute_type, threads=threads
            )
        self.encoder = encoder
        self.licence = encoder.licence
        self.min_score = min_score
        self._anchored: list[Lexicon] = []
        self._too_few: bool | None = None  # None until it is fitted

    @property
    def evidence(self) -> str:
        """Encoder and bitext, unless that is too small."""
        return "encoder" if self._too_few else "fused"

    def describe(self) -> str:
        """Name, encoder, least score, and the number of pairs that it was fitted on."""
        learned = self.free.describe()
        if self._too_few:
            learned = f"min_score={self.min_score!r},too_few_pairs"
        return f"fused({self.encoder.encoder.describe()},{learned})"

    def fit(self, pairs: Iterable[SentencePair]) -> None:
        """Learn the lexicons, free and anchored."""
        kept: list[SentencePair] = []
        priors: list[Matrix] = []
        rows = iter(usable(pairs))
        while chunk := list(islice(rows, CHUNK)):  # the states of all would be too much to hold
            kept += chunk
            priors += [_anchor(cosines(*states)) for states in self.encoder.states(chunk)]
        self.free, self._anchored = StatisticalAligner(self.min_score), []
        self._too_few = len(kept) < MIN_PAIRS
        if not self._too_few:
            self.free.fit(kept)
            bitext = [(pair.source.words, pair.target.words) for pair in kept]
            self._anchored = [Lexicon.learn(bitext, prefix, priors) for prefix in PREFIXES]

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
        if self._too_few is None:
            raise _unfitted()
        if self._too_few:
            return self.encoder.soft_align(pairs)
        return self.encoder.soft_align_by(self._mass, pairs)

    def _mass(self, pair: SentencePair, similarity: Matrix) -> tuple[Matrix, Matrix]:
        parts = (
            soft_links(similarity),
            _posterior(self._anchored, pair, _anchor(similarity)),
            self.free.posterior(pair),
        )
        forward, backward = (
            sum(weight * part[d] for weight, part in zip(MIXTURE, parts, strict=True))
            for d in (0, 1)
        )
        return np.asarray(forward), np.asarray(backward)

    def align(self, pairs: Sequence[SentencePair]) -> list[WordAlignment | RowError]:
        """Hard links of each pair: those that both directions support."""
        return _hard(self.soft_align(pairs), self.min_score)

    def learned(self) -> tuple[dict[str, Any], Arrays]:
        """All lexicons, and whether there were too few pairs for any; the encoder is left out."""
        free, arrays = self.free.learned()
        content = {"too_few": self._too_few, "free": free}
        return content, {**arrays, **_pack("anchored", self._anchored)}

    def restore(self, content: Mapping[str, Any], arrays: Arrays) -> None:
        """Take up what :meth:`learned` gave."""
        self.free.restore(content["free"], arrays)
        self._anchored = _unpack("anchored", arrays)
        self._too_few = content["too_few"]


def _unfitted() -> SpanbridgeError:
    return SpanbridgeError("the aligner must be fitted on the bitext first")


def _anchor(similarity: Matrix) -> Matrix:
    prior: Matrix = np.exp((similarity - 1) / ANCHOR)
    return prior


def usable(pairs: Iterable[SentencePair]) -> Iterator[SentencePair]:
    """The pairs that something can be learned from."""
    for pair in pairs:
        n, m = len(pair.source.words), len(pair.target.words)
        if n and m and too_long(n, m) is None:
            yield pair


def _posterior(
    lexicons: Sequence[Lexicon], pair: SentencePair, prior: Matrix
) -> tuple[Matrix, Matrix]:
    if not lexicons:
        raise _unfitted()
    found = [lexicon.posterior(pair.source.words, pair.target.words, prior) for lexicon in lexicons]
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
