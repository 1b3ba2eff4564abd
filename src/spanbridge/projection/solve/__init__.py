"""Solvers: the choice among candidates that compete for target words."""

from __future__ import annotations

from collections.abc import Sequence

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.similar import not_named
from spanbridge.projection.candidates import Candidate
from spanbridge.projection.solve.choice import exact, greedy

NAMES = ("greedy", "exact")
# The charge grows with the words of a span up to this, the charge for names of four words: longer
# spans are seldom names, and the next best place of a clause is close to the best one.
MAX_CHARGE = 6
# Of choices of equal worth, the one with longer source spans is taken.
LONGER = 1e-6


class Solver:
    """A solver with its limits.

    Args:
        name: ``greedy`` (best candidate first) or ``exact`` (greatest total).
        n_proj: projections per source span, at most; None for any number.
        exactly: maximise the number of projections (up to ``n_proj``) before the score.
        whole: charge candidates for leaving out words of a name (see :func:`charged`), if the
            solver is exact and projects each span once.

    Raises:
        SpanbridgeError: there is no such solver, or ``n_proj`` is below 1.
    """

    def __init__(
        self, name: str, n_proj: int | None = 1, exactly: bool = False, whole: bool = False
    ) -> None:
        if name not in NAMES:
            raise SpanbridgeError(not_named("solver", name, NAMES))
        if n_proj is not None and n_proj < 1:
            raise SpanbridgeError(f"n_proj is {n_proj}, but a span is projected at least once")
        self.name, self.n_proj, self.exactly = name, n_proj, exactly
        self._charges = whole and name == "exact" and n_proj == 1 and not exactly

    def describe(self) -> str:
        """Name and limits, for the signature."""
        sign = "=" if self.exactly else "<="
        limit = f"{self.name},n_proj{sign}{'any' if self.n_proj is None else self.n_proj}"
        return f"{limit},whole" if self._charges else limit

    def __call__(self, candidates: Sequence[Candidate], n_words: Sequence[int]) -> list[Candidate]:
        """Disjoint candidates, in order of their start.

        Args:
            candidates: candidates of all entities.
            n_words: number of words of each entity.
        """
        if self._charges:
            worth = charged(candidates, n_words)
            return [worth[candidate] for candidate in exact(list(worth))]
        k = len(candidates) if self.n_proj is None else self.n_proj
        if self.name == "greedy":
            return greedy(candidates, k)
        return exact(candidates, k, self.exactly)


def charged(candidates: Sequence[Candidate], n_words: Sequence[int]) -> dict[Candidate, Candidate]:
    """Candidates with their worth as score, and the candidates as they were.

    The alignment score pays for cutting a name in two: of a name of two words that two entities
    claim, each half is worth 2/3, and 4/3 > 1. Therefore a candidate of an entity of n words is
    charged 2 (n - 1) times what its score lacks of the entity's best one, so that all but one word
    of a wholly linked name, 2 (n - 1) / (2 n - 1), are worth nothing:

        worth = score - min(2 (n - 1), MAX_CHARGE) * (best score - score)

    Candidates that are worth nothing are left out.
    """
    best: dict[int, float] = {}
    for entity, _, _, score in candidates:
        best[entity] = max(score, best.get(entity, 0.0))
    found = {}
    for candidate in candidates:
        n, lacks = n_words[candidate.entity], best[candidate.entity] - candidate.score
        worth = candidate.score - min(2 * (n - 1), MAX_CHARGE) * lacks
        if worth > LONGER:
            found[candidate._replace(score=worth * (1 + LONGER * n))] = candidate
    return found
