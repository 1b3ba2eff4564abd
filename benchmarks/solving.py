"""Speed of exact solving against HiGHS, which is called once per sentence.

Prints: median times of both, how many times as fast ours is, and the greatest gap between optima.
    Two programmes are given to HiGHS: the paper's (arXiv 2501.18750, equation 1), in which all
    n-grams of the target are candidates and every two that overlap make a constraint; and the tight
    one, with the candidates of `candidates.py` and a constraint for each word at which one starts.
    Only HiGHS itself is timed, not the making of its matrices. Of the paper's n-grams those that
    score 0 for an entity are left out: they cannot be chosen, and would slow HiGHS down only.
Takes: about five minutes.
Data: Europarl-NER dev, English into German (150 sentences with entities), and random candidates.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from statistics import median

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from benchmarks.projection import N_SLICE, ngrams, score_matrix
from benchmarks.real_data import europarl
from spanbridge import Span, WordAlignment
from spanbridge.alignment.encoder_aligner import EncoderAligner
from spanbridge.projection.candidates import Candidate, TightNgrams
from spanbridge.projection.method import in_order
from spanbridge.projection.solve.choice import exact, greedy

PAPER_WORDS = 25  # longest target sentence for the paper's programme; longer ones take many seconds
N_RANDOM = 200
N_TURNS = 4
GAP = 1e-9
# Seconds, and the optimum.
Timed = tuple[float, float]
Linked = tuple[list[Span], WordAlignment]  # entities in order, and the links of their sentence


def linked(n: int) -> list[Linked]:
    """The first sentences with entities that have candidates."""
    pairs = [pair for pair in europarl("en", "de") if pair.source.spans][:n]
    found = zip(pairs, EncoderAligner().align(pairs), strict=True)
    rows = [(in_order(p.source.spans), a) for p, a in found if isinstance(a, WordAlignment)]
    return [row for row in rows if tight_candidates(*row)]


def tight_candidates(entities: Sequence[Span], links: WordAlignment) -> list[Candidate]:
    """The tight candidates."""
    return TightNgrams().candidates(entities, links, 0.0)


def highs(
    candidates: list[Candidate], groups: list[list[int]], limits: list[int] | None = None
) -> tuple[float, float]:
    """Seconds, and the optimum when at most one column of each group is 1, or its limit."""
    columns = [column for group in groups for column in group]
    pointers = np.cumsum([0, *map(len, groups)])
    matrix = csr_array((np.ones(len(columns)), columns, pointers), (len(groups), len(candidates)))
    start = time.perf_counter()
    result = milp(
        [-candidate.score for candidate in candidates],
        integrality=np.ones(len(candidates), dtype=np.int64),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(matrix, ub=limits or np.ones(len(groups))),
        options={"mip_rel_gap": 0.0},
    )
    seconds = time.perf_counter() - start
    assert result.fun is not None
    return seconds, -result.fun


def per_entity(candidates: list[Candidate]) -> list[list[int]]:
    """Columns of each entity."""
    groups: dict[int, list[int]] = {}
    for column, candidate in enumerate(candidates):
        groups.setdefault(candidate.entity, []).append(column)
    return list(groups.values())


def tight(candidates: list[Candidate], k: int = 1, bonus: float = 0.0) -> tuple[float, float]:
    """HiGHS on the tight programme; the bonus is added to each score."""
    words = sorted({candidate.start for candidate in candidates})
    covering = [[c for c, o in enumerate(candidates) if o.start <= w < o.end] for w in words]
    entities = per_entity(candidates)
    limits = [k] * len(entities) + [1] * len(words)
    raised = [candidate._replace(score=candidate.score + bonus) for candidate in candidates]
    return highs(raised, entities + covering, limits)


def paper(entities: Sequence[Span], links: WordAlignment) -> tuple[float, float]:
    """HiGHS with x[., t] + x[., u] <= 1 for every two candidates t, u that overlap."""
    places = ngrams(links.n_target)
    scores = score_matrix(entities, links.pairs, places)
    cells = [(int(e), int(c)) for e, c in zip(*scores.nonzero(), strict=True)]
    candidates = [Candidate(e, *places[c], float(scores[e, c])) for e, c in cells]
    of_candidate: dict[int, list[int]] = {}
    for column, (_, c) in enumerate(cells):
        of_candidate.setdefault(c, []).append(column)
    pairs = [
        of_candidate[t] + of_candidate[u]
        for t in of_candidate
        for u in of_candidate
        if t < u and places[t][0] < places[u][1] and places[u][0] < places[t][1]
    ]
    alone = [columns for columns in of_candidate.values() if len(columns) > 1]
    return highs(candidates, per_entity(candidates) + alone + pairs)


def timed(function, given, repeat: int = 5) -> tuple[float, float]:
    """Seconds, the best of several times, and the total score."""
    best = float("inf")
    for _ in range(repeat):
        start = time.perf_counter()
        chosen = function(given)
        best = min(best, time.perf_counter() - start)
    return best, sum(candidate.score for candidate in chosen)


def random_candidates(rng: random.Random) -> list[Candidate]:
    """Up to 16 entities, each with all spans inside a window; scores of several kinds."""
    n_words = rng.choice([8, 12, 16, 25, 40, 80, 200])
    width = rng.randint(3, min(n_words, 20))
    longest = rng.choice([3, 5, 10, 20])
    crowd = rng.choice([3, n_words])  # windows start within so many words
    kind = rng.choice(["any", "rising", "rising, much alike", "much alike", "whole", "equal"])
    candidates = []
    for entity in range(rng.randint(4, 16)):
        at = rng.randrange(min(crowd, n_words - width + 1))
        for start in range(at, at + width):
            for end in range(start + 1, min(at + width, start + longest) + 1):
                length = end - start
                score = {
                    "any": rng.random() + 0.01,
                    "rising": length ** rng.choice([0.5, 1]) * rng.uniform(1, 1.3),
                    "rising, much alike": length**0.5 * rng.uniform(1, 1.05),
                    "much alike": rng.uniform(1, 1.05),
                    "whole": float(rng.randint(1, 5)),
                    "equal": 1.0,
                }[kind]
                candidates.append(Candidate(entity, start, end, score))
    return candidates


def against_highs(
    drawn: list[list[Candidate]], k: int, exactly: bool
) -> tuple[list[Timed], list[Timed]]:
    """Both by turns, the best of several times; HiGHS has the bonus that puts the number first."""
    ours, others = [], []
    for candidates in drawn:
        most = k * len(per_entity(candidates))
        bonus = (1 + most) * max(candidate.score for candidate in candidates) if exactly else 0.0
        runs, highs_runs = [], []
        for _ in range(N_TURNS):
            runs.append(timed(lambda o: exact(o, k, exactly), candidates, 1))
            highs_runs.append(tight(candidates, k, bonus))
        n_chosen = len(exact(candidates, k, exactly))
        seconds, best = min(highs_runs)
        ours.append(min(runs))
        others.append((seconds, best - n_chosen * bonus))
    return ours, others


def report(name: str, ours: list[Timed], other: list[Timed]) -> None:
    ratios = [b[0] / a[0] for a, b in zip(ours, other, strict=True)]
    gap = max(abs(a[1] - b[1]) for a, b in zip(ours, other, strict=True))
    times = f"{1e6 * median(a[0] for a in ours):>12.1f}{1e6 * median(b[0] for b in other):>12.1f}"
    spread = f"{median(ratios):>11.1f}x{min(ratios):>9.2f}x"
    print(f"{name:<48}{len(ours):>6}{times}{spread}{gap:>12.1e}{'  WRONG' if gap > GAP else ''}")


def main(sentences: int = N_SLICE, drawn: int = N_RANDOM) -> None:
    """Print the table."""
    rows = linked(sentences)
    candidates = [tight_candidates(*row) for row in rows]
    print(f"{'':<48}{'n':>6}{'exact us':>12}{'HiGHS us':>12}{'median':>12}{'least':>10}{'gap':>12}")
    ours = [timed(exact, o) for o in candidates]
    with_candidates = [timed(lambda row: exact(tight_candidates(*row)), row) for row in rows]
    others = [tight(o) for o in candidates]
    report("en-de, tight", ours, others)
    report("en-de, tight; with candidates", with_candidates, others)
    short = [at for at, (_, links) in enumerate(rows) if links.n_target <= PAPER_WORDS]
    papers = [paper(*rows[at]) for at in short]
    name = f"en-de <= {PAPER_WORDS} words, paper's"
    report(name, [ours[at] for at in short], papers)
    report(f"{name}; with candidates", [with_candidates[at] for at in short], papers)
    rng = random.Random(0)
    some = [random_candidates(rng) for _ in range(drawn)]
    report("random", *against_highs(some, 1, False))
    for k in (1, 2):
        report(f"random, exactly {k}", *against_highs(some, k, True))
    greedy_gap = max(timed(exact, o, 1)[1] / timed(greedy, o, 1)[1] - 1 for o in some)
    print(f"greedy falls short of the optimum by up to {100 * greedy_gap:.0f} % on the random ones")
