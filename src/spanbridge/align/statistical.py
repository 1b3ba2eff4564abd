"""The aligners that learn from the bitext itself: alone, or together with an encoder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np

from spanbridge.align.encoder import EncoderAligner
from spanbridge.align.lexicon import Lexicon, diagonal_prior
from spanbridge.align.soft import cosines, soft_links, too_long, with_neighbours
from spanbridge.core.errors import RowError, SpanbridgeError
from spanbridge.core.evidence import Evidence, Matrix
from spanbridge.core.links import WordAlignment
from spanbridge.core.spans import SentencePair

# Whole words, and two stemmings that fit many languages and pool sparse counts.
PREFIXES = (None, 5, 4)
# Cosine of two words' states as the prior of a lexicon: exp(cosine / ANCHOR).
ANCHOR = 0.07
# What the encoder, the lexicons anchored by it and the free lexicons are worth.
MIXTURE = (0.4, 0.3, 0.3)
# With fewer pairs, lexicons know too little to help an encoder.
MIN_PAIRS = 100
# Pairs encoded at a time while learning.
CHUNK = 512

Arrays = dict[str, Any]


class StatisticalAligner:
    """Aligns by word translation probabilities learned from the bitext; no encoder, no other data.

    Transductive: :meth:`fit` must see the bitext (or an evenly spread sample of it), and the links
    of a pair depend on all of it. Posteriors of three lexicons (see
    :class:`~spanbridge.align.lexicon.Lexicon`) over whole words and prefixes of 5 and 4 characters
    are averaged. Results are deterministic.

    Args:
        threshold: least geometric mean of both directions' posteriors for a hard link, in (0, 1).

    Raises:
        SpanbridgeError: the threshold is out of range.
    """

    needs_fit = True

    def __init__(self, threshold: float = 0.45) -> None:
        if not 0 < threshold < 1:
            raise SpanbridgeError(f"threshold is {threshold}, but lies between 0 and 1")
        self.threshold = threshold
        self._free: list[Lexicon] = []
        self._n_pairs = 0

    def describe(self) -> str:
        """What was learned, from how many pairs, and the threshold."""
        learned = f",trained_on={self._n_pairs}_pairs" if self._n_pairs else ""
        return f"statistical(threshold={self.threshold!r}{learned})"

    def fit(self, pairs: Iterable[SentencePair]) -> None:
        """Learn the lexicons."""
        bitext = [(pair.source.words, pair.target.words) for pair in usable(pairs)]
        self._n_pairs = len(bitext)
        priors = [diagonal_prior(len(s), len(t)) for s, t in bitext]
        self._free = [Lexicon.learn(bitext, p, priors) for p in PREFIXES] if bitext else []

    def evidence(self, pairs: Sequence[SentencePair]) -> list[Evidence | RowError]:
        """Where the words of each pair went.

        Raises:
            SpanbridgeError: the aligner has not been fitted.
        """
        return [self._of_pair(pair) for pair in pairs]

    def _of_pair(self, pair: SentencePair) -> Evidence | RowError:
        n, m = len(pair.source.words), len(pair.target.words)
        if (reason := too_long(n, m)) is not None:
            return reason
        if not n or not m:
            return Evidence(np.zeros((n, m)), np.zeros((n, m)))
        return Evidence(*with_neighbours(*self.posterior(pair)))

    def posterior(self, pair: SentencePair) -> tuple[Matrix, Matrix]:
        """Forward and backward mass by the lexicons alone."""
        prior = diagonal_prior(len(pair.source.words), len(pair.target.words))
        return _posterior(self._free, pair, prior)

    def align(self, pairs: Sequence[SentencePair]) -> list[WordAlignment | RowError]:
        """Hard links of each pair: what both directions support."""
        return _hard(self.evidence(pairs), self.threshold)

    def arrays(self) -> Arrays:
        """What was learned, for saving."""
        return {"n_pairs": np.array(self._n_pairs), **_pack("free", self._free)}

    def restore(self, arrays: Arrays) -> None:
        """Take up what :meth:`arrays` gave."""
        self._n_pairs = int(arrays["n_pairs"])
        self._free = _unpack("free", arrays)


class FusedAligner:
    """Encoder and bitext together: the best aligner where a whole bitext is at hand.

    Three sources of evidence are averaged (weights .4, .3, .3): the softmax of cosines between
    words' states; lexicons whose prior over places is that cosine; and the free lexicons of
    :class:`StatisticalAligner`. Fitted on fewer than 100 pairs, it is the encoder alone.

    Args:
        encoder: an :class:`EncoderAligner`, or what it takes as its encoder (None: the embedded).
        threshold: least geometric mean of both directions for a hard link, in (0, 1).
        options: of :class:`EncoderAligner`.
    """

    needs_fit = True

    def __init__(
        self,
        encoder: EncoderAligner | str | None = None,
        threshold: float = 0.45,
        *,
        layer: int | None = None,
        compute_type: str = "int8",
        threads: int | None = None,
    ) -> None:
        if not isinstance(encoder, EncoderAligner):
            encoder = EncoderAligner(
                encoder, layer=layer, compute_type=compute_type, threads=threads
            )
        self.encoder = encoder
        self.free = StatisticalAligner(threshold)
        self.threshold = threshold
        self._anchored: list[Lexicon] = []
        self._too_few = False

    def describe(self) -> str:
        """Encoder and what was learned."""
        learned = f"threshold={self.threshold!r},too_few_pairs"
        if not self._too_few:
            learned = self.free.describe()
        return f"fused({self.encoder.encoder.describe()},{learned})"

    def fit(self, pairs: Iterable[SentencePair]) -> None:
        """Learn the lexicons, free and anchored."""
        kept: list[SentencePair] = []
        priors: list[Matrix] = []
        rows = iter(usable(pairs))
        while chunk := list(islice(rows, CHUNK)):  # the states of all would be too much to hold
            kept += chunk
            priors += [_anchor(cosines(*states)) for states in self.encoder.states(chunk)]
        self._too_few = len(kept) < MIN_PAIRS
        if self._too_few:
            return
        self.free.fit(kept)
        bitext = [(pair.source.words, pair.target.words) for pair in kept]
        self._anchored = [Lexicon.learn(bitext, prefix, priors) for prefix in PREFIXES]

    def evidence(self, pairs: Sequence[SentencePair]) -> list[Evidence | RowError]:
        """Where the words of each pair went, and the words' states."""
        if self._too_few:
            return self.encoder.evidence(pairs)
        return self.encoder.evidence_by(self._mass, pairs)

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
        """Hard links of each pair: what both directions support."""
        return _hard(self.evidence(pairs), self.threshold)

    def arrays(self) -> Arrays:
        """What was learned, for saving; not the encoder."""
        if self._too_few:
            return {}
        return {**self.free.arrays(), **_pack("anchored", self._anchored)}

    def restore(self, arrays: Arrays) -> None:
        """Take up what :meth:`arrays` gave."""
        self._too_few = not arrays
        if self._too_few:
            return
        self.free.restore(arrays)
        self._anchored = _unpack("anchored", arrays)


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
        raise SpanbridgeError("the aligner must be fitted on the bitext first")
    found = [lexicon.posterior(pair.source.words, pair.target.words, prior) for lexicon in lexicons]
    forward, backward = (sum(part[d] for part in found) / len(found) for d in (0, 1))
    return np.asarray(forward), np.asarray(backward)


def _hard(
    evidence: Iterable[Evidence | RowError], threshold: float
) -> list[WordAlignment | RowError]:
    return [found if isinstance(found, RowError) else found.links(threshold) for found in evidence]


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
