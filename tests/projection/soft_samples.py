"""Soft alignments written by hand or drawn at random, and a made-up bitext to learn from."""

import random
from collections import Counter

import numpy as np
from hypothesis import strategies as st

from spanbridge.core.rows import SentencePair
from spanbridge.core.soft_alignment import SoftAlignment
from spanbridge.core.spans import Sentence, Span, nesting
from spanbridge.projection.corpus import CorpusMethod
from spanbridge.projection.method import BELOW, LOST, NO_LINK

WORDS = ["the", "The", "of", "Anna", "Bonn", "x", "Ä", "9"]


def pair(source, target, spans=(), number="1"):
    """A pair of two texts; spans as (start, end, label)."""
    labelled = tuple(Span(*span) for span in spans)
    return SentencePair(
        number, Sentence(tuple(source.split()), labelled), Sentence(tuple(target.split()))
    )


def hard(n_source, n_target, *links):
    """Mass 1 along one-to-one links."""
    mass = np.zeros((n_source, n_target))
    for i, j in links:
        mass[i, j] = 1.0
    return SoftAlignment(mass, mass.copy())


@st.composite
def soft_alignments(draw, n_source=4, n_target=6):
    """Any mass: rows of forward, columns of backward sum to at most 1; zeros are common."""
    n, m = draw(st.integers(1, n_source)), draw(st.integers(1, n_target))
    parts = st.lists(st.sampled_from([0, 0, 0, 1, 3, 9]), min_size=n * m, max_size=n * m)
    forward, backward = (np.array(draw(parts), float).reshape(n, m) for _ in range(2))
    # + 1: some of it goes nowhere
    return SoftAlignment(
        forward / (forward.sum(1, keepdims=True) + 1), backward / (backward.sum(0) + 1)
    )


@st.composite
def labelled(draw, n_spans=1, labels=("PER",), n_target=6):
    """A pair with spans over its words, and its soft alignment."""
    found = draw(soft_alignments(n_target=n_target))
    n, m = found.forward.shape
    word = st.sampled_from(WORDS)
    source, target = (draw(st.lists(word, min_size=k, max_size=k)) for k in (n, m))
    ranges = st.tuples(st.integers(0, n - 1), st.integers(1, n)).filter(lambda r: r[0] < r[1])
    drawn = draw(st.lists(ranges, min_size=1, max_size=n_spans))
    spans = [(a, b, draw(st.sampled_from(labels))) for a, b in drawn]
    return pair(" ".join(source), " ".join(target), spans), found


def bitext(n_pairs, labels=("PER", "LOC"), seed=1, states=False):
    """Names among small words, an article before some names on the target side only.

    Every name and every small word is linked to its translation; articles are linked to nothing.
    """
    rng = random.Random(seed)
    small = ["goes", "sees", "and", "with", "today"]
    rows = []
    for n in range(n_pairs):
        source, target, spans, links = [], [], [], []
        for _ in range(rng.randint(1, 3)):
            word = rng.choice(small)
            links.append((len(source), len(target)))
            source.append(word)
            target.append(word[::-1])
            label = rng.randrange(len(labels))
            length = rng.randint(1, 2)
            if label % 2:
                target.append("der")
            spans.append((len(source), len(source) + length, labels[label]))
            for k in range(length):
                name = f"N{label}x{rng.randrange(9)}x{k}"
                links.append((len(source), len(target)))
                source.append(name)
                target.append(name + "en")
        made = pair(" ".join(source), " ".join(target), spans, str(n))
        found = hard(len(source), len(target), *links)
        if states:
            sides = (made.source.words, made.target.words)
            found = SoftAlignment(found.forward, found.backward, *map(_states, sides))
        rows.append((made, found))
    return rows


def fitted(rows, solver="greedy"):
    """A corpus method that has learned from rows."""
    method = CorpusMethod(solver)
    method.fit(rows)
    return method


def names(row):
    """The target spans of the names of a bitext's row, by their labels."""
    found, at, words = [], 0, row.target.words
    for span in sorted(row.source.spans):
        first = row.source.words[span.start] + "en"
        at = words.index(first, at)
        found.append((at, at + span.end - span.start, span.label))
        at += span.end - span.start
    return found


def check(projection, row):
    """No crossing, in order, inside; every entity projected once or dropped; confidences."""
    places = [span[:2] for span in projection.spans]
    assert places == sorted(places, key=lambda place: (place[0], -place[1]))
    assert not nesting(places)[1]
    edges = [edge for place in places for edge in place]
    assert all(span.start < span.end for span in projection.spans)
    assert all(0 <= edge <= len(row.target.words) for edge in edges)
    assert all(0 < span.score < 1 for span in projection.spans)
    assert [s.label for s in projection.origins] == [s.label for s in projection.spans]
    assert len(projection.raw_scores) == len(projection.spans)
    ends = Counter([*projection.origins, *(span for span, _ in projection.dropped)])
    assert ends == Counter(row.source.spans)
    assert {why for _, why in projection.dropped} <= {NO_LINK, BELOW, LOST}


def _states(words):
    """Toy states, equal for a word and its translation where it is a name."""
    return np.array(
        [np.random.default_rng(list(word[:5].encode())).normal(size=12) for word in words],
        np.float32,
    )
