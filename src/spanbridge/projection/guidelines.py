"""Conventions that corrected spans show, each proposed as a setting of ``boundary``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, get_args

from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Span
from spanbridge.projection.boundaries import (
    PUNCTUATION,
    Boundaries,
    Convention,
    Conventions,
    Place,
)
from spanbridge.projection.candidates import Intervals

# A convention is proposed if so many spans show it, and so large a share of those that could.
LEAST, SHARE = 5, 0.8
EXAMPLES = 3
_WHAT = {
    "article": ("an article", "the article"),
    "particle": ("a particle", "the particle"),
    "suffix": ("a suffix after an apostrophe", "the suffix"),
    "title": ("a title", "the title"),
    "quotes": ("quotes around them", "the quotes"),
    "punctuation": ("punctuation", "the mark"),
    "apposition": ("something in brackets after them", "the bracket"),
}


@dataclass
class Guideline:
    """How often corrected spans have what stands beside them in, and out.

    Attributes:
        kind: what stands beside them.
        found: numbers of the spans that have it in and out.
        examples: texts with such spans in brackets, of each place.
    """

    kind: Convention
    found: dict[Place, int] = field(default_factory=lambda: {"in": 0, "out": 0})
    examples: dict[Place, list[str]] = field(default_factory=lambda: {"in": [], "out": []})

    def add(self, place: Place, pair: SentencePair, span: Span) -> None:
        """Count one span."""
        self.found[place] += 1
        if len(self.examples[place]) < EXAMPLES:
            self.examples[place].append(shown(pair, span))

    @property
    def place(self) -> Place:
        """Where it is more often."""
        return "in" if self.found["in"] > self.found["out"] else "out"

    @property
    def proposed(self) -> str | None:
        """The setting of ``boundary`` that is proposed; None if spans do not agree, or are few."""
        n, total = self.found[self.place], sum(self.found.values())
        shown = n >= LEAST and n >= SHARE * total
        return f"{self.kind}={self.place}" if shown and not self._usual else None

    @property
    def _usual(self) -> bool:
        """Whether it is so without saying: marks beside a name are never in by themselves."""
        return self.kind == PUNCTUATION and self.place == "out"

    @property
    def claim(self) -> str:
        """What the spans show, in a sentence."""
        beside, it = _WHAT[self.kind]
        n, total = self.found[self.place], sum(self.found.values())
        return f"in {n} of {total} corrected spans with {beside}, {it} is {self.place}"

    @property
    def other(self) -> Place:
        """Where it is less often."""
        return "out" if self.place == "in" else "in"

    def text(self) -> str:
        """What the spans show, with examples."""
        total, other = sum(self.found.values()), self.other
        lines = [self.claim]
        lines += [f"    {example}" for example in self.examples[self.place]]
        if self.found[other]:
            lines.append(f"  but not in {self.found[other]}:")
            lines += [f"    {example}" for example in self.examples[other]]
        said = f"--boundary {self.proposed}" if self.proposed else "no setting: they do not agree"
        if self._usual:
            said = "no setting: it is so in any case"
        elif total < LEAST:
            said = "no setting: too few"
        return "\n".join([*lines, f"  {said}"])

    def to_dict(self) -> dict[str, Any]:
        """The same for JSON."""
        return {
            "boundary": self.kind,
            "proposed": self.proposed,
            **{place: self.found[place] for place in self.found},
            "examples": self.examples,
        }


def guidelines(rows: Iterable[SentencePair], conventions: Conventions) -> list[Guideline]:
    """What corrected rows show of each convention; only of those that any span shows.

    Args:
        rows: rows with right target spans.
        conventions: what is known of the target's language.
    """
    found = {kind: Guideline(kind) for kind in get_args(Convention)}
    for pair in rows:
        words = pair.target.words
        if not pair.target.spans:
            continue
        here = Boundaries(words, pair.source.words, conventions.of(words))
        for span in pair.target.spans:
            place = Intervals.of([span[:2]])
            for kind, guideline in found.items():
                # what goes against one place has it in the other
                if here.against(kind, "out", place)[0]:
                    guideline.add("in", pair, span)
                elif here.against(kind, "in", place)[0]:
                    guideline.add("out", pair, span)
    return [one for one in found.values() if sum(one.found.values())]


def shown(pair: SentencePair, span: Span, around: int = 2) -> str:
    """A span between square brackets, with a few words of its sentence."""
    words = pair.target.words
    before = words[max(0, span.start - around) : span.start]
    inside, after = words[span.start : span.end], words[span.end : span.end + around]
    return " ".join([*before, f"[{' '.join(inside)}]", *after])
