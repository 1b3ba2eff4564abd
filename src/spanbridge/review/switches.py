"""Conventions that corrections show, as switches: proposed, and then decided by a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, get_args

from spanbridge.core.rows import SentencePair
from spanbridge.projection.boundaries import Convention, Place
from spanbridge.projection.guidelines import Guideline
from spanbridge.review.journal import Decision, Journal


class Switches:
    """What can be decided of the conventions that the corrected rows of a review show."""

    def __init__(self) -> None:
        self._counted: tuple[int, str | None] | None = None
        self._found: dict[Convention, Guideline] = {}

    def told(
        self, corrected: Iterable[SentencePair], journal: Journal, recipe: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """What a page shows of each convention that is proposed or settled.

        Args:
            corrected: the corrected rows, which are gone through if the journal has gone on.
            journal: holds the decisions.
            recipe: how the rows were projected.

        Returns:
            ``options``, the settings of ``boundary`` that can be chosen, none if the projection
            itself had one (``fixed``); the one ``decided`` (empty for none of them, None if nothing
            is) with ``by`` and ``at``; and ``claim``, ``examples``, ``against`` and the number of
            spans that are ``n_against``, if corrected rows show it.
        """
        language = recipe["settings"].get("languages", {}).get("target")
        if self._counted != (now := (len(journal.actions), language)):
            self._found = _guidelines(corrected, language)
            self._counted = now
        fixed = recipe["project"].get("boundary", {})
        shown = (
            _switch(self._found.get(kind), kind, fixed.get(kind), journal.decisions.get(kind))
            for kind in get_args(Convention)
        )
        return [one for one in shown if one is not None]


def _switch(
    guideline: Guideline | None, kind: Convention, fixed: Place | None, decision: Decision | None
) -> dict[str, Any] | None:
    proposed = None if guideline is None else guideline.proposed
    if not (proposed or fixed or decision):
        return None
    told: dict[str, Any] = {"convention": kind, "options": [], "decided": None, "fixed": None}
    if guideline is not None:
        told |= {
            "claim": guideline.claim,
            "examples": guideline.examples[guideline.place],
            "against": guideline.examples[guideline.other],
            "n_against": guideline.found[guideline.other],
        }
    if decision is None:
        if fixed:
            return told | {"fixed": f"{kind}={fixed}"}
        return told | {"options": [proposed]}
    decided = f"{kind}={decision.place}" if decision.place else ""
    told["options"] = sorted({one for one in (proposed, decided) if one})
    return told | {"decided": decided, "by": decision.by, "at": decision.at}


def _guidelines(
    corrected: Iterable[SentencePair], language: str | None
) -> dict[Convention, Guideline]:
    from spanbridge.steps.corrections import Corrections  # which takes long to import

    rows = {str(n): (n, pair) for n, pair in enumerate(corrected, 1)}
    found = Corrections("", rows).guidelines(language) if rows else []
    return {one.kind: one for one in found}


def with_decisions(
    project: Mapping[str, Any], decisions: Mapping[Convention, Decision]
) -> dict[str, Any]:
    """Settings of the step ``project`` with what was decided, as ``--boundary`` sets it."""
    boundary = dict(project.get("boundary", {}))
    for kind, decision in decisions.items():
        boundary.pop(kind, None)
        if decision.place:
            boundary[kind] = decision.place
    rest = {key: value for key, value in project.items() if key != "boundary"}
    return {**rest, "boundary": boundary} if boundary else rest
