"""The statistical aligner: trained on the given bitext itself, for languages no encoder covers.

Models and training come from Thot (package ``sil-thot``, LGPL-3.0): the HMM of Vogel, Ney and
Tillmann (1996), fast_align (Dyer, Chahuneau and Smith 2013) and eflomal's Bayesian model (Östling
and Tiedemann 2016), each in both directions, symmetrised as in Och and Ney (2003) or Koehn, Och and
Marcu (2003).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from spanbridge.core.errors import RowError, SpanbridgeError
from spanbridge.core.links import WordAlignment
from spanbridge.core.spans import SentencePair

Model = Literal["hmm", "fast_align", "eflomal", "ibm1"]
Heuristic = Literal[
    "och", "grow_diag_final_and", "grow_diag_final", "grow_diag", "intersection", "union"
]
MODELS: tuple[Model, ...] = ("hmm", "fast_align", "eflomal", "ibm1")
HEURISTICS: tuple[Heuristic, ...] = (
    "och",
    "grow_diag_final_and",
    "grow_diag_final",
    "grow_diag",
    "intersection",
    "union",
)


class StatisticalAligner:
    """Aligns by models learned from the bitext; needs no encoder and no other data.

    Transductive: :meth:`fit` must see the whole bitext, and links of a pair depend on all of it.
    Results are deterministic. Link scores are the geometric mean of both directions' lexical
    translation probabilities.

    Args:
        model: ``hmm`` (default, after IBM model 1), ``fast_align``, ``eflomal`` or ``ibm1``.
        heuristic: how the two directions are joined; ``och`` is Och and Ney's refined method.
        iterations: rounds of training (of each model in the chain; eflomal schedules its own).
        prefix: words are lower-cased and cut to this many characters before training, a stemming
            that fits many languages and pools sparse counts; None keeps whole words.

    Raises:
        SpanbridgeError: an unknown model or heuristic, or a number out of range.
    """

    needs_fit = True

    def __init__(
        self,
        model: Model = "hmm",
        heuristic: Heuristic = "och",
        *,
        iterations: int = 5,
        prefix: int | None = 5,
    ) -> None:
        for given, kind, known in (
            (model, "model", MODELS),
            (heuristic, "symmetrisation", HEURISTICS),
        ):
            if given not in known:
                raise SpanbridgeError(f"no {kind} is named {given!r}; there are {', '.join(known)}")
        if iterations < 1 or (prefix is not None and prefix < 1):
            raise SpanbridgeError("iterations and prefix must be at least 1")
        self.model: Model = model
        self.heuristic: Heuristic = heuristic
        self.iterations = iterations
        self.prefix = prefix
        self._n_pairs = 0
        self._aligner: Any = None
        self._models: tuple[Any, Any] | None = None

    def describe(self) -> str:
        """Model, symmetrisation, training, and the size of the bitext learned from."""
        return (
            f"statistical({self.model},{self.heuristic},iterations={self.iterations},"
            f"prefix={self.prefix or 'none'},trained_on={self._n_pairs}_pairs)"
        )

    def fit(self, pairs: Iterable[SentencePair]) -> None:
        """Train both directions on the whole bitext (kept in memory by Thot while training).

        Raises:
            SpanbridgeError: no pair has words on both sides.
        """
        import thot.alignment as thot

        # Thot's corpus belongs to a model, so each model of the chain is given the bitext.
        chain = {"hmm": ["ibm1", "hmm"]}.get(self.model, [self.model])
        models: list[list[Any]] = [[], []]
        bitext = [
            sides
            for pair in pairs
            for sides in [(self._normal(pair.source.words), self._normal(pair.target.words))]
            if sides[0] and sides[1]
        ]
        if not bitext:
            raise SpanbridgeError("the statistical aligner found no pair with words on both sides")
        self._n_pairs = len(bitext)
        for step in chain:
            for direction in (0, 1):
                trained = models[direction]
                model = _new_model(thot, step, trained[-1] if trained else None)
                for sides in bitext:
                    model.add_sentence_pair(sides[direction], sides[1 - direction], 1)
                model.start_training()
                eflomal = step == "eflomal"
                for _ in range(model.scheduled_iterations if eflomal else self.iterations):
                    model.train()
                model.end_training()
                trained.append(model)
        self._models = (models[0][-1], models[1][-1])
        self._aligner = thot.SymmetrizedAligner(*self._models)
        self._aligner.heuristic = getattr(thot.SymmetrizationHeuristic, self.heuristic.upper())

    def align(self, pairs: Sequence[SentencePair]) -> list[WordAlignment | RowError]:
        """Links of each pair.

        Raises:
            SpanbridgeError: the aligner has not been fitted.
        """
        if self._aligner is None or self._models is None:
            raise SpanbridgeError("the statistical aligner must be fitted on the bitext first")
        return [self._link(pair) for pair in pairs]

    def _link(self, pair: SentencePair) -> WordAlignment | RowError:
        source, target = self._normal(pair.source.words), self._normal(pair.target.words)
        if not source or not target:
            return WordAlignment((), len(source), len(target), ())
        assert self._models is not None
        longest = min(model.max_sentence_length for model in self._models)
        if max(len(source), len(target)) > longest:
            return RowError(
                f"too long to align: {len(source)} and {len(target)} words, and the statistical "
                f"aligner takes at most {longest}; split the row"
            )
        _, matrix = self._aligner.get_best_alignment(source, target)
        links = [(int(i), int(j)) for i, j in zip(*matrix.to_numpy().nonzero(), strict=True)]
        scores = [self._score(source[i], target[j]) for i, j in links]
        return WordAlignment.of(links, len(source), len(target), scores)

    def _score(self, source: str, target: str) -> float:
        assert self._models is not None
        direct, inverse = self._models
        forward = direct.translation_prob(
            direct.get_src_word_index(source), direct.get_trg_word_index(target)
        )
        backward = inverse.translation_prob(
            inverse.get_src_word_index(target), inverse.get_trg_word_index(source)
        )
        return min(1.0, math.sqrt(forward * backward))

    def _normal(self, words: Sequence[str]) -> list[str]:
        return [word.lower()[: self.prefix] for word in words]


def _new_model(thot: Any, name: str, before: Any) -> Any:
    if name == "hmm":
        return thot.HmmAlignmentModel(before)
    if name == "fast_align":
        return thot.FastAlignModel()
    if name == "ibm1":
        return thot.Ibm1AlignmentModel()
    model = thot.EflomalAlignmentModel()
    model.deterministic = True
    return model
