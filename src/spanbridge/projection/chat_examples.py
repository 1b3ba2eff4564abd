"""Examples for a chat model: the surest short rows of a bitext, as questions with answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from spanbridge.core.spans import nesting
from spanbridge.projection.chat_decision import Draft
from spanbridge.projection.chat_questions import Place, Way, taggable
from spanbridge.projection.corpus import digest

# Digest of the row, question, answer.
Example = tuple[str, str, str]
# Confidence in every span of a row that can be an example, and words of its longer side at most.
SURE, SHORT = 0.9, 40


def examples_for(
    way: Way, drafts: Sequence[Draft], n: int, best: Callable[[Draft], list[list[Place]]]
) -> list[Example]:
    """The surest short rows, first one for each label.

    Args:
        way: the way of asking.
        drafts: the rows that are looked at.
        n: examples, at most.
        best: the best candidates of each place of a row, for ways that show some.
    """
    found: list[Example] = []
    sure = []
    for one in drafts:
        pair = one.row[0]
        words = max(len(pair.source.words), len(pair.target.words))
        if len(one.found) == len(one.spans) and words <= SHORT:
            least = min(score for _, score in one.found.values())
            if least >= SURE and taggable(pair, [same[0] for same in one.spans]):
                sure.append((-least, digest(pair), one))
    sure.sort(key=lambda item: item[:2])
    seen: set[str] = set()
    taken: set[int] = set()
    for new in (True, False):
        for _, number, one in sure:
            labels = {span.label for same in one.spans for span in same}
            if len(found) == n:
                return found
            if number in taken or (new and not labels - seen):
                continue
            if (example := _example(way, one, seen if new else set(), best)) is not None:
                found.append((str(number), *example))
                taken.add(number)
                seen |= labels
    return found


def _example(
    way: Way, one: Draft, seen: set[str], best: Callable[[Draft], list[list[Place]]]
) -> tuple[str, str] | None:
    """A sure row as a question with its answer, on a label that is not seen yet if it can."""
    pair = one.row[0]
    doubts = [one.doubt(e) for e in range(len(one.spans))]
    if way.each:
        e = next((d.entity for d in doubts if set(d.labels) - seen), 0)
        candidates = best(one)[e]
        right = one.found[e][0]
        others = [place for place in candidates if place != right][: len(candidates) - 1]
        if not others:
            return None
        doubts = [one.doubt(e, [right, *others])]
    targets = [one.found[doubt.entity][0] for doubt in doubts]
    if nesting(targets)[1]:
        return None
    return way.question(pair, doubts), way.answer(pair, doubts, targets)
