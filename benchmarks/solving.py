"""Speed of exact solving against HiGHS, which is called once a sentence.

Two programmes are given to HiGHS: the paper's (arXiv 2501.18750, equation 1), in which all n-grams
of the target are candidates and every two that overlap make a constraint; and the tight one, with
the candidates of `candidates.py` and a constraint for each word at which one starts. Only HiGHS
itself is timed, not the making of its matrices. Of the paper's n-grams those that score 0 for an
entity are left out: they cannot be chosen, and would slow HiGHS down only.
"""

from __future__ import annotations

import random
import time
from statistics import median

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from benchmarks.real_data import europarl
from benchmarks.projection import N_SLICE, ngrams, score_matrix
from spanbridge import EncoderAligner
from spanbridge.project.candidates import Candidate, alignment_options
from spanbridge.project.projector import in_order
from spanbridge.project.solve.choice import exact, greedy

PAPER_WORDS = 25  # longest target sentence for the paper's programme; longer ones take many seconds
N_RANDOM = 200
N_TURNS = 4
GAP = 1e-9


def highs(
    options: list[Candidate], groups: list[list[int]], limits: list[int] | None = None
) -> tuple[float, float]:
    """Seconds, and the optimum when at most one column of each group is 1, or its limit."""
    columns = [column for group in groups for column in group]
    pointers = np.cumsum([0, *map(len, groups)])
    matrix = csr_array((np.ones(len(columns)), columns, pointers), (len(groups), len(options)))
    start = time.perf_counter()
    result = milp(
        [-option.score for option in options],
        integrality=np.ones(len(options), dtype=np.int64),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(matrix, ub=limits or np.ones(len(groups))),
        options={"mip_rel_gap": 0.0},
    )
    return time.perf_counter() - start, -result.fun


def per_entity(options: list[Candidate]) -> list[list[int]]:
    groups: dict[int, list[int]] = {}
    for column, option in enumerate(options):
        groups.setdefault(option.entity, []).append(column)
    return list(groups.values())


def tight(options: list[Candidate], k: int = 1, bonus: float = 0.0) -> tuple[float, float]:
    """The bonus is added to each score."""
    words = sorted({option.start for option in options})
    covering = [[c for c, o in enumerate(options) if o.start <= w < o.end] for w in words]
    entities = per_entity(options)
    limits = [k] * len(entities) + [1] * len(words)
    raised = [option._replace(score=option.score + bonus) for option in options]
    return highs(raised, entities + covering, limits)


def paper(entities, links) -> tuple[float, float]:
    """x[., t] + x[., u] <= 1 for every two candidates t, u that overlap."""
    candidates = ngrams(links.n_target)
    scores = score_matrix(entities, links.pairs, candidates)
    cells = [(int(e), int(c)) for e, c in zip(*scores.nonzero(), strict=True)]
    options = [Candidate(e, *candidates[c], float(scores[e, c])) for e, c in cells]
    of_candidate: dict[int, list[int]] = {}
    for column, (_, c) in enumerate(cells):
        of_candidate.setdefault(c, []).append(column)
    pairs = [
        of_candidate[t] + of_candidate[u]
        for t in of_candidate
        for u in of_candidate
        if t < u and candidates[t][0] < candidates[u][1] and candidates[u][0] < candidates[t][1]
    ]
    alone = [columns for columns in of_candidate.values() if len(columns) > 1]
    return highs(options, per_entity(options) + alone + pairs)


def timed(function, options: list[Candidate], repeat: int = 5) -> tuple[float, float]:
    best = float("inf")
    for _ in range(repeat):
        start = time.perf_counter()
        chosen = function(options)
        best = min(best, time.perf_counter() - start)
    return best, sum(option.score for option in chosen)


def random_options(rng: random.Random) -> list[Candidate]:
    """Up to 16 entities, each with all spans inside a window; scores of several kinds."""
    n_words = rng.choice([8, 12, 16, 25, 40, 80, 200])
    width = rng.randint(3, min(n_words, 20))
    longest = rng.choice([3, 5, 10, 20])
    crowd = rng.choice([3, n_words])  # windows start within so many words
    kind = rng.choice(["any", "rising", "rising, much alike", "much alike", "whole", "equal"])
    options = []
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
                options.append(Candidate(entity, start, end, score))
    return options


def against_highs(drawn: list[list[Candidate]], k: int, exactly: bool) -> tuple[list, list]:
    """Both by turns, the best of several times; HiGHS has the bonus that puts the number first."""
    ours, others = [], []
    for options in drawn:
        most = k * len(per_entity(options))
        bonus = (1 + most) * max(option.score for option in options) if exactly else 0.0
        runs, highs_runs = [], []
        for _ in range(N_TURNS):
            runs.append(timed(lambda o: exact(o, k, exactly), options, 1))
            highs_runs.append(tight(options, k, bonus))
        n_chosen = len(exact(options, k, exactly))
        seconds, best = min(highs_runs)
        ours.append(min(runs))
        others.append((seconds, best - n_chosen * bonus))
    return ours, others


def report(name: str, ours: list[tuple[float, float]], other: list[tuple[float, float]]) -> None:
    ratios = [b[0] / a[0] for a, b in zip(ours, other, strict=True)]
    gap = max(abs(a[1] - b[1]) for a, b in zip(ours, other, strict=True))
    times = f"{1e6 * median(a[0] for a in ours):>12.1f}{1e6 * median(b[0] for b in other):>12.1f}"
    spread = f"{median(ratios):>11.1f}x{min(ratios):>9.2f}x"
    print(f"{name:<48}{len(ours):>6}{times}{spread}{gap:>12.1e}{'  WRONG' if gap > GAP else ''}")


def main() -> None:
    pairs = [pair for pair in europarl("en", "de") if pair.source.spans][:N_SLICE]
    links = EncoderAligner().align(pairs)
    rows = [(in_order(p.source.spans), link) for p, link in zip(pairs, links, strict=True)]
    rows = [(e, link) for e, link in rows if alignment_options(e, link)]
    options = [alignment_options(e, link) for e, link in rows]
    print(f"{'':<48}{'n':>6}{'exact us':>12}{'HiGHS us':>12}{'median':>12}{'least':>10}{'gap':>12}")
    ours = [timed(exact, o) for o in options]
    with_options = [
        timed(lambda _, row=row: exact(alignment_options(*row)), o)
        for row, o in zip(rows, options, strict=True)
    ]
    others = [tight(o) for o in options]
    report("en-de, tight", ours, others)
    report("en-de, tight; with candidates", with_options, others)
    short = [at for at, (_, link) in enumerate(rows) if link.n_target <= PAPER_WORDS]
    papers = [paper(*rows[at]) for at in short]
    report(f"en-de <= {PAPER_WORDS} words, paper's", [ours[at] for at in short], papers)
    report(
        f"en-de <= {PAPER_WORDS} words, paper's; with candidates",
        [with_options[at] for at in short],
        papers,
    )
    rng = random.Random(0)
    drawn = [random_options(rng) for _ in range(N_RANDOM)]
    report("random", *against_highs(drawn, 1, False))
    for k in (1, 2):
        report(f"random, exactly {k}", *against_highs(drawn, k, True))
    greedy_gap = max(timed(exact, o, 1)[1] / timed(greedy, o, 1)[1] - 1 for o in drawn)
    print(f"greedy falls short of the optimum by up to {100 * greedy_gap:.0f} % on the random ones")
