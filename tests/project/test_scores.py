"""Every part of a score against its formula written out word by word."""

from collections import Counter
from math import exp, isclose, log, log1p

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from project_instances import linked, often
from soft_samples import hard, labelled, pair

from spanbridge.core.soft_alignment import SoftAlignment
from spanbridge.core.spans import Span
from spanbridge.project.scores import PARTS, TAGGERS
from spanbridge.project.view import EDGE, PLACES, Candidates, CorpusStatistics, TagView, View
from spanbridge.project.weights import FIRST, ONE_BY_ONE, SECOND

LABELS = ("PER", "LOC-x")
counts = st.integers(0, 9)


def every_span(n):
    spans = [(a, b) for a in range(n) for b in range(a + 1, n + 1)]
    return Candidates(*(np.array(side) for side in zip(*spans, strict=True)))


@st.composite
def tag_probabilities(draw, n_words):
    weights = st.lists(st.sampled_from([0.0, 1.0, 5.0, 400.0]), min_size=9, max_size=9)
    rows = [draw(weights.filter(any)) for _ in range(n_words)]
    return np.array([[p / sum(row) for p in row] for row in rows])


@st.composite
def views(draw):
    """A view with everything that a part may need, and the only entity of its pair."""
    made, found = draw(labelled(labels=(*LABELS, "unknown")))
    words = {word.lower() for word in (*made.source.words, *made.target.words)}
    n_pairs = draw(st.integers(1, 9))
    statistics = CorpusStatistics(n_pairs)
    for word in sorted(words):
        statistics.source[word] = draw(st.integers(0, n_pairs))
        statistics.target[word] = draw(st.integers(0, n_pairs))
        for place in PLACES:
            statistics.policy[place][word] = draw(counts)
    statistics.policy["before"][EDGE] = draw(counts)
    statistics.policy["after"][EDGE] = draw(counts)
    tables = {name: draw(tag_probabilities(len(made.target.words))) for name in TAGGERS}
    tags = {name: TagView(table, LABELS) for name, table in tables.items()}
    view = View(made, found, statistics, tags)
    view.tables = tables
    return view, made.source.spans[0]


def harmonic(r, p):
    return 2 * r * p / (r + p) if r + p else 0.0


def soft(view, entity, a, b):
    """r = mean over E of P's mass inside C, p = mean over C of Q's mass inside E."""
    found, own = view.evidence, range(entity.start, entity.end)
    r = sum(found.forward[i, j] for i in own for j in range(a, b)) / len(own)
    p = sum(found.backward[i, j] for i in own for j in range(a, b)) / (b - a)
    return harmonic(r, p)


def recall(view, entity, a, b):
    own = range(entity.start, entity.end)
    return sum(view.evidence.forward[i, j] for i in own for j in range(a, b)) / len(own)


def share(view, side, k):
    """Share of the pairs with a word; one at least."""
    word = getattr(view.pair, side).words[k].lower()
    return max(getattr(view.corpus, side)[word], 1) / view.corpus.n_pairs


def rare_words(view, entity, a, b):
    """The same means, weighted by inverse document frequency."""
    found, own, theirs = view.evidence, range(entity.start, entity.end), range(a, b)
    of = {i: log1p(1 / share(view, "source", i)) for i in own}
    to = {j: log1p(1 / share(view, "target", j)) for j in theirs}
    r = sum(of[i] * sum(found.forward[i, j] for j in theirs) for i in own) / sum(of.values())
    p = sum(to[j] * sum(found.backward[i, j] for i in own) for j in theirs) / sum(to.values())
    return harmonic(r, p)


def common_boundary(view, entity, a, b):
    theirs = max(share(view, "target", a), share(view, "target", b - 1))
    return max(
        0, theirs - max(share(view, "source", entity.start), share(view, "source", entity.end - 1))
    )


def vote(view, n, n_other, k):
    """(n - n') / (n + n') of a word, n counting 1 more; beyond the sentence of the edge's sign."""
    words = view.pair.target.words
    word = words[k].lower() if 0 <= k < len(words) else EDGE
    n, n_other = (1 + view.corpus.policy[place][word] for place in (n, n_other))
    return (n - n_other) / (n + n_other)


def policy_inside(view, entity, a, b):
    return vote(view, "first", "before", a) + vote(view, "last", "after", b - 1)


def policy_outside(view, entity, a, b):
    return -vote(view, "first", "before", a - 1) - vote(view, "last", "after", b)


def floored(p):
    return log(max(p, exp(-4)))


def tag_inside(view, entity, a, b, tagger):
    if entity.label not in LABELS:
        return 0
    first = 1 + 4 * LABELS.index(entity.label)
    table = view.tables[tagger]
    return sum(floored(table[j, first : first + 4].sum()) for j in range(a, b)) / (b - a)


def tag_outside(view, entity, a, b, tagger):
    """Word a - 1 is O, or E or S of any label; word b is O, or B or S of any."""
    table = view.tables[tagger]
    before = floored(table[a - 1, [0, 3, 7, 4, 8]].sum()) if a else 0
    after = floored(table[b, [0, 1, 5, 4, 8]].sum()) if b < len(table) else 0
    return before + after


def tag_borders(view, entity, a, b, tagger):
    if entity.label not in LABELS:
        return 0
    first = 1 + 4 * LABELS.index(entity.label)
    table = view.tables[tagger]
    if b - a == 1:
        return 2 * floored(table[a, first + 3])
    return floored(table[a, first]) + floored(table[b - 1, first + 2])


def spelling(view, entity, a, b):
    """1 - insertions and deletions / total length, through the longest common subsequence."""
    x = " ".join(view.pair.source.words[entity.start : entity.end]).replace("Ä", "A").lower()
    y = " ".join(view.pair.target.words[a:b]).replace("Ä", "A").lower()
    common = [[0] * (len(y) + 1) for _ in range(len(x) + 1)]
    for i, c in enumerate(x):
        for j, d in enumerate(y):
            common[i + 1][j + 1] = (
                common[i][j] + 1 if c == d else max(common[i][j + 1], common[i + 1][j])
            )
    return 2 * common[-1][-1] / (len(x) + len(y))


PLAIN = {
    "soft": soft,
    "rare_words": rare_words,
    "recall": recall,
    "common_boundary": common_boundary,
    "policy_inside": policy_inside,
    "policy_outside": policy_outside,
    "spelling": spelling,
}
for _tagger in TAGGERS:
    for _part in (tag_inside, tag_outside, tag_borders):
        PLAIN[_part.__name__.replace("tag", _tagger)] = lambda *args, _f=_part, _t=_tagger: _f(
            *args, _t
        )


def test_every_part_has_its_formula():
    assert PLAIN.keys() == PARTS.keys()
    assert all(part.name == name for name, part in PARTS.items())


@often
@given(views())
def test_against_the_formulas(sample):
    view, entity = sample
    candidates = every_span(len(view.pair.target.words))
    for name, part in PARTS.items():
        values = part.of(view, entity, candidates)
        for value, a, b in zip(values, candidates.start, candidates.end, strict=True):
            assert isclose(value, PLAIN[name](view, entity, a, b), abs_tol=1e-9), (name, a, b)
            assert part.low - 1e-9 <= value <= part.high + 1e-9, (name, a, b)


@st.composite
def one_to_one(draw):
    n, m = draw(st.integers(1, 5)), draw(st.integers(1, 6))
    targets = draw(st.permutations(range(m)))
    size = draw(st.integers(0, min(n, m)))
    sources = draw(st.permutations(range(n)))[:size]
    return n, m, list(zip(sources, targets, strict=False))


@often
@given(one_to_one(), st.data())
def test_soft_is_the_papers_score_on_one_to_one_links(drawn, data):
    """2 * links / (words of E + words of C), arXiv 2501.18750, section 3.3."""
    n, m, links = drawn
    start = data.draw(st.integers(0, n - 1))
    end = data.draw(st.integers(start + 1, n))
    found = SoftAlignment.from_links(linked(" ".join(f"{i}-{j}" for i, j in links), n, m))
    assert (found.forward == hard(n, m, *links).forward).all()
    view = View(pair("x " * n, "y " * m), found)
    candidates = every_span(m)
    values = PARTS["soft"].of(view, Span(start, end, "L"), candidates)
    for value, a, b in zip(values, candidates.start, candidates.end, strict=True):
        n_links = sum(start <= i < end and a <= j < b for i, j in links)
        assert isclose(value, 2 * n_links / (end - start + b - a), abs_tol=1e-12)


def test_soft_by_hand():
    """E = words 0 and 1, C = target words 1 and 2.

    r = (.5 + .2 + 1) / 2 = .85; p = (.6 + 0 + .9) / 2 = .75; F = 2 * .85 * .75 / 1.6 = .796875.
    """
    forward = np.array([[0.3, 0.5, 0.2], [0, 0, 1.0], [0.5, 0.5, 0]])
    backward = np.array([[0.1, 0.6, 0], [0, 0, 0.9], [0.9, 0.4, 0.1]])
    view = View(pair("a b c", "x y z"), SoftAlignment(forward, backward))
    candidates = Candidates(np.array([1]), np.array([3]))
    assert PARTS["soft"].of(view, Span(0, 2, "L"), candidates) == pytest.approx([0.796875])
    assert PARTS["recall"].of(view, Span(0, 2, "L"), candidates) == pytest.approx([0.85])


def test_articles_count_little_in_rare_words():
    """``die`` in every pair has rarity log 2, ``katze`` in 1 of 15 log 16: 1 to 4."""
    statistics = CorpusStatistics(15, Counter(cat=1), Counter(die=15, katze=1))
    view = View(pair("cat", "die Katze"), hard(1, 2, (0, 1)), statistics)
    candidates = Candidates(np.array([0, 1]), np.array([2, 2]))
    assert PARTS["rare_words"].of(view, Span(0, 1, "L"), candidates) == pytest.approx(
        [2 * 0.8 / 1.8, 1]
    )
    assert PARTS["soft"].of(view, Span(0, 1, "L"), candidates) == pytest.approx([2 / 3, 1])


def test_outside_at_the_edges_of_the_sentence():
    """Beyond the sentence a tagger is certain (0); the policy counts the edge as a word."""
    statistics = CorpusStatistics(9)
    statistics.policy["before"][EDGE] = 2
    statistics.policy["after"][EDGE] = 4
    statistics.policy["first"]["x"] = 1
    statistics.policy["last"]["y"] = 2
    table = np.zeros((2, 9))
    table[0] = [0.2, 0, 0.8, 0, 0, 0, 0, 0, 0]  # .2 O, .8 I-PER: nothing may start after it
    table[1] = [0.5, 0, 0.5, 0, 0, 0, 0, 0, 0]
    view = View(pair("x", "x y"), hard(1, 2, (0, 0)), statistics, {"words": TagView(table, LABELS)})
    candidates = Candidates(np.array([0, 0, 1]), np.array([1, 2, 2]))
    entity = Span(0, 1, "PER")
    assert PARTS["words_outside"].of(view, entity, candidates) == pytest.approx(
        [log(0.5), 0, log(0.2)]
    )
    # before the sentence (1 - 3) / (1 + 3) = -1/2; after it (1 - 5) / (1 + 5) = -2/3;
    # x starts: (2 - 1) / (2 + 1); y ends: (3 - 1) / (3 + 1)
    assert PARTS["policy_outside"].of(view, entity, candidates) == pytest.approx(
        [1 / 2 - 1 / 2, 1 / 2 + 2 / 3, -1 / 3 + 2 / 3]
    )


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("Merkel", "Merkel", 1),
        ("Merkel", "Меркель", 12 / 13),  # transliterated Merkel': one edit in 6 + 7 signs
        ("Bonn", "xyz", 0),
    ],
)
def test_spelling_across_scripts(source, target, expected):
    view = View(pair(source, target), hard(1, 1, (0, 0)))
    candidates = Candidates(np.array([0]), np.array([1]))
    value = PARTS["spelling"].of(view, Span(0, 1, "L"), candidates)[0]
    assert value == pytest.approx(expected)


@pytest.mark.parametrize(
    ("weights", "allowed"),
    [
        (ONE_BY_ONE, {""}),
        (FIRST["encoder"], {"", "corpus"}),
        (FIRST["no encoder"], {"", "corpus"}),
        (SECOND["encoder"], {"", "corpus", "words", "states"}),
        (SECOND["no encoder"], {"", "corpus", "words"}),
    ],
)
def test_weights_name_parts_that_their_pass_has(weights, allowed):
    """Before the first pass there is no tagger; without an encoder there are no states."""
    assert weights.parts.keys() <= PARTS.keys()
    assert {PARTS[name].needs for name in weights.parts} <= allowed
    assert weights.describe().endswith(f">={weights.threshold:g}")
    assert all(
        f"{weight:+g}*{name}" in weights.describe() for name, weight in weights.parts.items()
    )
