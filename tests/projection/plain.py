"""The paper's projection, written plainly (arXiv 2501.18750, section 3.3).

It shares no code with the package: all n-grams, a dense matrix of scores, repeated argmax, and for
the integer programme a search through every assignment.
"""

import numpy as np


def ngrams(n_words, longest=None):
    """All ranges [start, end), start ascending, then end ascending."""
    longest = longest or n_words
    return [(a, b) for a in range(n_words) for b in range(a + 1, min(n_words, a + longest) + 1)]


def score_matrix(spans, links, candidates):
    """2 * links / (|s| + |t|), entities x candidates."""
    scores = np.zeros((len(spans), len(candidates)))
    for row, span in enumerate(spans):
        linked = [j for i, j in links if span.start <= i < span.end]
        for column, (start, end) in enumerate(candidates):
            n_links = sum(start <= j < end for j in linked)
            scores[row, column] = 2 * n_links / (span.end - span.start + end - start)
    return scores


def greedy(scores, candidates):
    """Best cell first, in row-major order among equals; its row and what overlaps it is zeroed."""
    scores = scores.copy()
    chosen = []
    while scores.size and scores.max() > 0:
        row, column = np.unravel_index(np.argmax(scores), scores.shape)
        start, end = candidates[column]
        chosen.append((int(row), start, end))
        scores[row] = 0
        scores[:, [a < end and start < b for a, b in candidates]] = 0
    return chosen


def optimum(scores, candidates, k=1, exactly=False):
    """Number of projections (if ``exactly``; else 0) and total of the best disjoint candidates.

    At most k per entity; cells of score 0 are not for choice. With ``exactly`` the number counts
    first.
    """
    n_words = max((end for _, end in candidates), default=0)
    used = [0] * len(scores)

    def best_from(place):
        if place == n_words:
            return (0, 0.0)
        best = best_from(place + 1)
        for column, (start, end) in enumerate(candidates):
            for row in range(len(scores)):
                if start == place and used[row] < k and scores[row, column] > 0:
                    used[row] += 1
                    count, total = best_from(end)
                    best = max(best, (count + exactly, total + scores[row, column]))
                    used[row] -= 1
        return best

    return best_from(0)


def charged(scores, lengths):
    """Scores less what a row's candidates lack of its best one, 2 (n - 1) times, 6 at most.

    n is the length of the row's source span. Of equal ones, the longer span is worth a millionth of
    its length more.
    """
    n = np.asarray(lengths, float).reshape(-1, 1)
    best = scores.max(axis=1, keepdims=True, initial=0.0)
    worth = scores - np.minimum(2 * (n - 1), 6) * (best - scores)
    return np.where((scores > 0) & (worth > 1e-6), worth * (1 + 1e-6 * n), 0.0)


def iob2(spans, n_words):
    """Tags of (start, end, label) triples."""
    tags = ["O"] * n_words
    for start, end, label in spans:
        tags[start:end] = [f"B-{label}"] + [f"I-{label}"] * (end - start - 1)
    return tags


def greedy_tags(spans, links, n_target, longest=None):
    """From labelled source to target tags."""
    candidates = ngrams(n_target, longest)
    chosen = greedy(score_matrix(spans, links, candidates), candidates)
    return iob2([(start, end, spans[row].label) for row, start, end in chosen], n_target)
