"""N-gram candidates and the alignment score.

The paper (arXiv 2501.18750, section 3.3) takes every n-gram of the target sentence as a candidate
and scores it against a source entity by the word alignment:

    score(s, t) = 2 * (number of links between s and t) / (words of s + words of t)

Only *tight* candidates, whose first and last word are linked to the entity, need to be looked at,
at any length. Proof: take a candidate whose first (or last) word has no link to the entity and drop
that word. The links between the two stay, the length falls by one, so the score strictly rises; and
the shorter candidate overlaps nothing that the longer one did not. So whatever set of disjoint
candidates a solver picks, cutting each down to its tight core keeps the set feasible (also under
"exactly k" and "at most k" projections per entity and under any cap on length) and raises its
total, and the choice of the greedy solver is tight at every step. N-grams without a link to the
entity score 0 and are no candidates, also under "exactly k": an entity without links is dropped.
With m linked words an entity has at most m(m+1)/2 tight candidates instead of n(n+1)/2 n-grams. The
argument needs a score that falls with every unlinked boundary word; it does not hold for scores
that can reward one (a tagger's).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from spanbridge.core.links import WordAlignment
from spanbridge.core.spans import Span


class Option(NamedTuple):
    """One way to project one entity.

    Attributes:
        entity: index of the source span.
        start, end: target words [start, end).
        score: what choosing it is worth; positive.
    """

    entity: int
    start: int
    end: int
    score: float


def alignment_options(
    entities: Sequence[Span], alignment: WordAlignment, max_words: int | None = None
) -> list[Option]:
    """Every tight candidate of every entity with its alignment score.

    Args:
        entities: spans of the source sentence.
        alignment: its links to the target sentence.
        max_words: longest candidate, None for any length.

    Returns:
        Options ordered by entity, start, end. Scores lie in (0, ...): above 1 only where a word
        has several links inside the candidate.
    """
    options: list[Option] = []
    add, make = options.append, tuple.__new__  # a NamedTuple's own constructor takes twice as long
    longest = alignment.n_target if max_words is None else max_words
    for e, (first, last, _, _) in enumerate(entities):
        counts: dict[int, int] = {}
        for _, j in alignment.from_source(first, last):
            counts[j] = counts.get(j, 0) + 1
        places = sorted(counts)
        for at, start in enumerate(places):
            n_links = 0
            before = start - 1
            words = last - first - before
            for end in places[at:]:
                if end - before > longest:
                    break
                n_links += counts[end]
                add(make(Option, (e, start, end + 1, 2 * n_links / (words + end))))
    return options


def support(entity: Span, start: int, end: int, alignment: WordAlignment) -> float:
    """How far two spans are linked to each other: the score of a projected span, in [0, 1].

    The share of the words of both spans that have a link to the other (Dice's coefficient over
    linked words): 1 if every word of each is linked into the other.

    Args:
        entity: source span.
        start, end: target words [start, end).
        alignment: the links.
    """
    n_source, last = 0, -1
    linked = set()
    for i, j in alignment.from_source(entity.start, entity.end):
        if start <= j < end:
            linked.add(j)
            if i != last:  # links are sorted by their source word
                n_source += 1
                last = i
    return (n_source + len(linked)) / (entity.end - entity.start + end - start)
