"""Solvers: the choice among candidates that compete for target words."""

from __future__ import annotations

from collections.abc import Sequence

from spanbridge.core.errors import SpanbridgeError
from spanbridge.projection.candidates import Candidate
from spanbridge.projection.solve.choice import exact, greedy

NAMES = ("greedy", "exact")


class Solver:
    """A solver with its limits.

    Args:
        name: ``greedy`` (best candidate first) or ``exact`` (greatest total).
        n_proj: projections per source span, at most; None for any number.
        exactly: maximise the number of projections (up to ``n_proj``) before the score.

    Raises:
        SpanbridgeError: there is no such solver, or ``n_proj`` is below 1.
    """

    def __init__(self, name: str, n_proj: int | None = 1, exactly: bool = False) -> None:
        if name not in NAMES:
            raise SpanbridgeError(f"no solver is named {name!r}; there are: {', '.join(NAMES)}")
        if n_proj is not None and n_proj < 1:
            raise SpanbridgeError(f"n_proj is {n_proj}, but a span is projected at least once")
        self.name, self.n_proj, self.exactly = name, n_proj, exactly

    def describe(self) -> str:
        """Name and limits, for the signature."""
        sign = "=" if self.exactly else "<="
        return f"{self.name},n_proj{sign}{'any' if self.n_proj is None else self.n_proj}"

    def __call__(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Disjoint candidates, in order of their start."""
        k = len(candidates) if self.n_proj is None else self.n_proj
        if self.name == "greedy":
            return greedy(candidates, k)
        return exact(candidates, k, self.exactly)
