"""The encoder aligner: SimAlign's and AWESoME's extractions over a multilingual encoder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any, Literal

import numpy as np

from spanbridge.alignment import extract
from spanbridge.alignment.base import Aligner, Vectors
from spanbridge.alignment.grid import Grid, Vector, grids, sides_of
from spanbridge.alignment.soft import (
    SHORT,
    cosines,
    soft_links,
    with_neighbours,
    word_states,
)
from spanbridge.core.errors import RowError, SpanbridgeError
from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SentencePair
from spanbridge.core.similar import not_named
from spanbridge.core.soft_alignment import SoftAlignment, States, too_long
from spanbridge.encode import EncodedSentence, Encoder, load_encoder
from spanbridge.encode.load import ALIGNED
from spanbridge.encode.static import StaticEncoder

Extraction = Literal["itermax", "argmax", "match", "softmax", "entmax"]
EXTRACTIONS: tuple[Extraction, ...] = ("itermax", "argmax", "match", "softmax", "entmax")
# Subwords times subwords: 2**24 float32 cells take 64 MB and their extraction a few times that.
MAX_SUBWORD_CELLS = 2**24
# Sentences encoded at a time for their vectors.
CHUNK = 256
# Mass of both directions in each cell of some pairs, from the cosines of their words.
Mass = Callable[[Grid, Vector], tuple[Vector, Vector]]


class EncoderAligner(Aligner):
    """Links words whose subwords' contextual states are similar.

    Two words are linked if any two of their subwords are (the papers' convention). A link's score
    is the best among its subword links: (1 + cosine) / 2 for SimAlign's extractions, the harmonic
    mean of both directions' probabilities for AWESoME's.

    Args:
        encoder: an :class:`~spanbridge.encode.Encoder`, a checkpoint folder or Hub id,
            ``multilingual-e5-small``, or None for ``aligned-e5-small``, which is that tuned for
            word alignment.
        extraction: ``itermax`` (SimAlign's best recall, the default for projection), ``argmax``
            (best precision), ``match``; ``softmax`` or ``entmax`` (AWESoME).
        iterations, alpha: of itermax.
        min_score: probability that a link exceeds in both directions, for softmax (AWESoME's c, by
            default 0.001) and entmax (0), in [0, 1).
        layer, compute_type, threads, device: as in :func:`~spanbridge.encode.load_encoder`.

    Raises:
        SpanbridgeError: no such extraction, a number is out of range, or the encoder cannot be
            loaded.
    """

    def __init__(
        self,
        encoder: Encoder | StaticEncoder | str | None = None,
        extraction: Extraction = "itermax",
        *,
        iterations: int = 2,
        alpha: float = 0.9,
        min_score: float | None = None,
        layer: int | None = None,
        compute_type: str | None = None,
        threads: int | None = None,
        device: str = "cpu",
    ) -> None:
        if extraction not in EXTRACTIONS:
            raise SpanbridgeError(not_named("extraction", extraction, EXTRACTIONS))
        if iterations < 1 or not 0 <= alpha <= 1:
            raise SpanbridgeError("iterations must be at least 1, and alpha lies in [0, 1]")
        if min_score is not None and not 0 <= min_score < 1:
            raise SpanbridgeError(f"min_score is {min_score}, but lies in [0, 1)")
        if not isinstance(encoder, Encoder | StaticEncoder):
            kinds: dict[str, Any] = {
                "layer": layer,
                "compute_type": compute_type,
                "threads": threads,
                "device": device,
            }
            encoder = load_encoder(encoder or ALIGNED, **kinds)
        self.encoder: Encoder | StaticEncoder = encoder
        self.licence, self.on_gpu = encoder.licence, getattr(encoder, "on_gpu", False)
        self.extraction: Extraction = extraction
        self.iterations = iterations
        self.alpha = alpha
        default = 0.001 if extraction == "softmax" else 0.0
        self.min_score = default if min_score is None else min_score

    @property
    def evidence(self) -> str:
        """The encoder."""
        return "encoder"

    def describe(self) -> str:
        """Name, encoder, layer, compute type, extraction and its parameters."""
        how = str(self.extraction)
        if how == "itermax":
            how += f",iterations={self.iterations},alpha={self.alpha:g}"
        elif how in ("softmax", "entmax"):
            how += f",min_score={self.min_score:g}"
        return f"encoder({self.encoder.describe()},{how})"

    def align(self, pairs: Sequence[SentencePair]) -> list[WordAlignment | RowError]:
        """Links of each pair; a RowError where a pair is too long for its similarity matrix."""
        reasons = [too_long(*_n_words(pair)) for pair in pairs]
        short = [pair for pair, reason in zip(pairs, reasons, strict=True) if reason is None]
        encoded = iter(self._encoded(short))
        return [reason or self._link(next(encoded), next(encoded)) for reason in reasons]

    def states(self, pairs: Sequence[SentencePair]) -> list[tuple[States, States]]:
        """Unit vectors of the words of both sides of each pair, [words, hidden] each."""
        vectors = word_states(self._encoded(pairs))
        return list(zip(vectors[::2], vectors[1::2], strict=True))

    def _encoded(self, pairs: Sequence[SentencePair]) -> Sequence[EncodedSentence]:
        """Both sides of each pair, one after the other."""
        return self.encoder.encode([side for pair in pairs for side in sides_of(pair)])

    def word_vectors(self, sentences: Sequence[Sequence[str]]) -> list[States]:
        """Unit vectors of the words of each sentence, by their states."""
        return word_states(self.encoder.encode(sentences))

    def sentence_vectors(self, sentences: Sequence[Sequence[str]]) -> Vectors:
        """Mean of the states of each sentence's subwords; zero if it has none."""
        means = [
            one.states.sum(0) / max(1, len(one.states))
            for start in range(0, len(sentences), CHUNK)  # the states of all would be too much
            for one in self.encoder.encode(sentences[start : start + CHUNK])
        ]
        return np.array(means, np.float32)

    def soft_align(self, pairs: Sequence[SentencePair]) -> list[SoftAlignment | RowError]:
        """Soft alignment of each pair by itself, without statistics of the corpus."""
        return self.soft_align_by(soft_links, pairs)

    def soft_align_by(
        self, mass: Mass, pairs: Sequence[SentencePair]
    ) -> list[SoftAlignment | RowError]:
        """Soft alignments with mass computed from the words' cosines, and with the words' states.

        Very short sentences have too few words to compare, so their hard links are taken.
        """
        found: list[SoftAlignment | RowError | None] = [too_long(*_n_words(p)) for p in pairs]
        short = [k for k, reason in enumerate(found) if reason is None]
        states = dict(zip(short, self.states([pairs[k] for k in short]), strict=True))
        long = [k for k in short if min(_n_words(pairs[k])) >= SHORT]
        for k in set(short).difference(long):
            found[k] = self._soft_align_few(pairs[k], *states[k])
        for group, grid in grids([sides_of(pair) for pair in pairs], long):
            similarity = grid.flat(cosines(*states[k]) for k in group)
            forward, backward = with_neighbours(grid, *mass(grid, similarity))
            moved = zip(grid.matrices(forward), grid.matrices(backward), strict=True)
            for k, both in zip(group, moved, strict=True):
                found[k] = SoftAlignment(*both, *states[k])
        return [one for one in found if one is not None]

    def _soft_align_few(
        self, pair: SentencePair, source: States, target: States
    ) -> SoftAlignment | RowError:
        """Soft alignment of a pair of which one side has hardly a word."""
        n, m = len(source), len(target)
        if not n or not m:
            return SoftAlignment(np.zeros((n, m)), np.zeros((n, m)), source, target)
        [links] = self.align([pair])
        if isinstance(links, RowError):
            return links
        return SoftAlignment.from_links(links, source, target)

    def _link(self, source: EncodedSentence, target: EncodedSentence) -> WordAlignment | RowError:
        n, m = len(source.states), len(target.states)
        if n == 0 or m == 0:
            return WordAlignment((), source.n_words, target.n_words, ())
        if n * m > MAX_SUBWORD_CELLS:
            return RowError(
                f"too long to align: {n} x {m} subwords, more than {MAX_SUBWORD_CELLS}; "
                "split the row"
            )
        mask, scores = self._subword_links(source.states, target.states)
        rows, columns = np.nonzero(mask)
        best: dict[tuple[int, int], float] = {}
        covered = zip(
            *(a[rows].tolist() for a in (source.first, source.last)),
            *(a[columns].tolist() for a in (target.first, target.last)),
            scores[rows, columns].tolist(),
            strict=True,
        )
        for s_first, s_last, t_first, t_last, score in covered:
            for link in product(range(s_first, s_last), range(t_first, t_last)):
                if score > best.get(link, -1.0):
                    best[link] = score
        ordered = sorted(best)
        link_scores = tuple(min(1.0, max(0.0, best[link])) for link in ordered)
        return WordAlignment(tuple(ordered), source.n_words, target.n_words, link_scores)

    def _subword_links(
        self, source: extract.Matrix, target: extract.Matrix
    ) -> tuple[extract.Mask, extract.Matrix]:
        if self.extraction in ("softmax", "entmax"):
            normalise = extract.softmax if self.extraction == "softmax" else extract.entmax15
            products = source @ target.T
            forward, backward = normalise(products, 1), normalise(products, 0)
            mask = extract.bidirectional(forward, backward, self.min_score)
            return mask, extract.harmonic_mean(forward, backward)
        unit_source = source / np.linalg.norm(source, axis=1, keepdims=True)
        unit_target = target / np.linalg.norm(target, axis=1, keepdims=True)
        similarity = (1 + unit_source @ unit_target.T) / 2
        if self.extraction == "argmax":
            return extract.mutual_argmax(similarity), similarity
        if self.extraction == "match":
            return extract.max_weight_matching(similarity), similarity
        return extract.itermax(similarity, self.iterations, self.alpha), similarity


def _n_words(pair: SentencePair) -> tuple[int, int]:
    return len(pair.source.words), len(pair.target.words)
