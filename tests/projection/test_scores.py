"""Every score against its formula written out word by word."""

from collections import Counter
from math import exp, isclose, log, log1p

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from project_instances import linked
from soft_samples import hard, labelled, pair

from spanbridge.core.soft_alignment import SoftAlignment
from spanbridge.core.spans import Span
from spanbridge.projection.candidates import Intervals
from spanbridge.projection.corpus_statistics import EDGE, POSITIONS, CorpusStatistics
from spanbridge.projection.score_input import ScoreInput, TagProbabilities
from spanbridge.projection.scores import (
    LENGTH_FACTOR,
    SCORES,
    TAGGERS,
)
from spanbridge.projection.weights import FIRST, ONE_BY_ONE, SECOND, Weights
from spanbridge.tagging.base import Tagged

LABELS = ("PER", "LOC-x")
CLASSES = ("O", "B-PER", "I-PER", "B-LOC-x", "I-LOC-x")
counts = st.integers(0, 9)


def every_span(n):
    spans = [(a, b) for a in range(n) for b in range(a + 1, n + 1)]
    return Intervals.of(spans)


@st.composite
def tag_probabilities(draw, n_words, n_classes=9):
    weight = st.sampled_from([0.0, 1.0, 5.0, 400.0])
    weights = st.lists(weight, min_size=n_classes, max_size=n_classes)
    rows = [draw(weights.filter(any)) for _ in range(n_words)]
    return np.array([[p / sum(row) for p in row] for row in rows])


@st.composite
def inputs(draw):
    """An input with everything that a score may need, and the only entity of its pair."""
    made, found = draw(labelled(labels=(*LABELS, "unknown")))
    words = {word.lower() for word in (*made.source.words, *made.target.words)}
    n_pairs = draw(st.integers(1, 9))
    statistics = CorpusStatistics(n_pairs)
    for word in sorted(words):
        statistics.source[word] = draw(st.integers(0, n_pairs))
        statistics.target[word] = draw(st.integers(0, n_pairs))
        for position in POSITIONS:
            statistics.boundaries[position][word] = draw(counts)
    statistics.boundaries["before"][EDGE] = draw(counts)
    statistics.boundaries["after"][EDGE] = draw(counts)
    n_words = len(made.target.words)
    tables = {name: draw(tag_probabilities(n_words)) for name in TAGGERS}
    tags = {name: TagProbabilities(table, LABELS) for name, table in tables.items()}
    given_ = ScoreInput(made, found, statistics, tags)
    given_.tables = tables
    given_.opinion = Tagged(n_words, (), draw(tag_probabilities(n_words, len(CLASSES))))
    given_.classes = CLASSES
    return given_, made.source.spans[0]


def harmonic(r, p):
    return 2 * r * p / (r + p) if r + p else 0.0


def soft(given_, entity, a, b):
    """r = mean over E of P's mass inside C, p = mean over C of Q's mass inside E."""
    found, own = given_.soft, range(entity.start, entity.end)
    r = sum(found.forward[i, j] for i in own for j in range(a, b)) / len(own)
    p = sum(found.backward[i, j] for i in own for j in range(a, b)) / (b - a)
    return harmonic(r, p)


def recall(given_, entity, a, b):
    own = range(entity.start, entity.end)
    return sum(given_.soft.forward[i, j] for i in own for j in range(a, b)) / len(own)


def share(given_, side, k):
    """Share of the pairs with a word; one at least."""
    word = getattr(given_.pair, side).words[k].lower()
    return max(getattr(given_.corpus, side)[word], 1) / given_.corpus.n_pairs


def rare_words(given_, entity, a, b):
    """The same means, weighted by inverse document frequency."""
    found, own, theirs = given_.soft, range(entity.start, entity.end), range(a, b)
    of = {i: log1p(1 / share(given_, "source", i)) for i in own}
    to = {j: log1p(1 / share(given_, "target", j)) for j in theirs}
    r = sum(of[i] * sum(found.forward[i, j] for j in theirs) for i in own) / sum(of.values())
    p = sum(to[j] * sum(found.backward[i, j] for i in own) for j in theirs) / sum(to.values())
    return harmonic(r, p)


def common_boundary(given_, entity, a, b):
    theirs = max(share(given_, "target", a), share(given_, "target", b - 1))
    return max(
        0,
        theirs
        - max(share(given_, "source", entity.start), share(given_, "source", entity.end - 1)),
    )


def bad_boundary(given_, entity, a, b):
    """Of an unknown language in a script with spaces: punctuation and brackets."""
    own = given_.pair.source.words[entity.start : entity.end]
    theirs = given_.pair.target.words[a:b]
    letters = [[any(map(str.isalnum, word)) for word in words] for words in (own, theirs)]
    first = letters[0][0] and not letters[1][0]
    last = letters[0][-1] and not letters[1][-1] and theirs[-1] not in (".", "%", ")")
    brackets = theirs.count("(") != theirs.count(")") or ("(" in theirs and "(" not in own)
    return first + last + brackets


def vote(given_, n, n_other, k):
    """(n - n') / (n + n') of a word, n counting 1 more; beyond the sentence of the edge's sign."""
    words = given_.pair.target.words
    word = words[k].lower() if 0 <= k < len(words) else EDGE
    n, n_other = (1 + given_.corpus.boundaries[position][word] for position in (n, n_other))
    return (n - n_other) / (n + n_other)


def policy_inside(given_, entity, a, b):
    return vote(given_, "first", "before", a) + vote(given_, "last", "after", b - 1)


def policy_outside(given_, entity, a, b):
    return -vote(given_, "first", "before", a - 1) - vote(given_, "last", "after", b)


def floored(p):
    return log(max(p, exp(-4)))


def tag_inside(given_, entity, a, b, tagger):
    if entity.label not in LABELS:
        return 0
    first = 1 + 4 * LABELS.index(entity.label)
    table = given_.tables[tagger]
    return sum(floored(table[j, first : first + 4].sum()) for j in range(a, b)) / (b - a)


def tag_outside(given_, entity, a, b, tagger):
    """Word a - 1 is O, or E or S of any label; word b is O, or B or S of any."""
    table = given_.tables[tagger]
    before = floored(table[a - 1, [0, 3, 7, 4, 8]].sum()) if a else 0
    after = floored(table[b, [0, 1, 5, 4, 8]].sum()) if b < len(table) else 0
    return before + after


def tag_borders(given_, entity, a, b, tagger):
    if entity.label not in LABELS:
        return 0
    first = 1 + 4 * LABELS.index(entity.label)
    table = given_.tables[tagger]
    if b - a == 1:
        return 2 * floored(table[a, first + 3])
    return floored(table[a, first]) + floored(table[b - 1, first + 2])


def spelling(given_, entity, a, b):
    """1 - insertions and deletions / total length, through the longest common subsequence."""
    x = " ".join(given_.pair.source.words[entity.start : entity.end]).replace("Ä", "A").lower()
    y = " ".join(given_.pair.target.words[a:b]).replace("Ä", "A").lower()
    common = [[0] * (len(y) + 1) for _ in range(len(x) + 1)]
    for i, c in enumerate(x):
        for j, d in enumerate(y):
            common[i + 1][j + 1] = (
                common[i][j] + 1 if c == d else max(common[i][j + 1], common[i + 1][j])
            )
    return 2 * common[-1][-1] / (len(x) + len(y))


def alignment(given_, entity, a, b):
    """2 * links / (words of E + words of C)."""
    own, theirs = range(entity.start, entity.end), range(a, b)
    n_links = sum(i in own and j in theirs for i, j in given_.links.pairs)
    return 2 * n_links / (len(own) + len(theirs))


def brevity(given_, entity, a, b):
    return 1 / (entity.end - entity.start)


def ner(given_, entity, a, b):
    """Mean of B, I, I ...; times 1.15 for each I where they are the most probable; at most 1."""
    best = 0
    for label in [entity.label] if entity.label in LABELS else LABELS:
        begin = CLASSES.index(f"B-{label}")
        rows = given_.opinion.probabilities[a:b]
        wanted = [begin] + [begin + 1] * (b - a - 1)
        mean = sum(row[k] for row, k in zip(rows, wanted, strict=True)) / (b - a)
        if all(row.argmax() == k for row, k in zip(rows, wanted, strict=True)):
            mean *= LENGTH_FACTOR ** (b - a - 1)
        best = max(best, min(mean, 1))
    return best


PLAIN = {
    "alignment": alignment,
    "brevity": brevity,
    "ner": ner,
    "soft": soft,
    "rare_words": rare_words,
    "recall": recall,
    "common_boundary": common_boundary,
    "bad_boundary": bad_boundary,
    "policy_inside": policy_inside,
    "policy_outside": policy_outside,
    "spelling": spelling,
}
for _tagger in TAGGERS:
    for _part in (tag_inside, tag_outside, tag_borders):
        PLAIN[_part.__name__.replace("tag", _tagger)] = lambda *args, _f=_part, _t=_tagger: _f(
            *args, _t
        )


def test_every_score_has_its_formula():
    assert PLAIN.keys() == SCORES.keys()
    assert all(score.name == name for name, score in SCORES.items())


@given(inputs())
def test_against_the_formulas(sample):
    given_, entity = sample
    intervals = every_span(len(given_.pair.target.words))
    for name, score in SCORES.items():
        values = score.of(given_, entity, intervals)
        for value, a, b in zip(values, intervals.start, intervals.end, strict=True):
            assert isclose(value, PLAIN[name](given_, entity, a, b), abs_tol=1e-9), (name, a, b)
            if name != "alignment":  # whose range holds for words with one link each
                assert score.low - 1e-9 <= value <= score.high + 1e-9, (name, a, b)


@st.composite
def one_to_one(draw):
    n, m = draw(st.integers(1, 5)), draw(st.integers(1, 6))
    targets = draw(st.permutations(range(m)))
    size = draw(st.integers(0, min(n, m)))
    sources = draw(st.permutations(range(n)))[:size]
    return n, m, list(zip(sources, targets, strict=False))


@given(one_to_one(), st.data())
def test_soft_is_the_papers_score_on_one_to_one_links(drawn, data):
    """2 * links / (words of E + words of C), arXiv 2501.18750, section 3.3."""
    n, m, links = drawn
    start = data.draw(st.integers(0, n - 1))
    end = data.draw(st.integers(start + 1, n))
    found = SoftAlignment.from_links(linked(" ".join(f"{i}-{j}" for i, j in links), n, m))
    assert (found.forward == hard(n, m, *links).forward).all()
    given_ = ScoreInput(pair("x " * n, "y " * m), found)
    intervals = every_span(m)
    values = SCORES["soft"].of(given_, Span(start, end, "L"), intervals)
    for value, a, b in zip(values, intervals.start, intervals.end, strict=True):
        n_links = sum(start <= i < end and a <= j < b for i, j in links)
        assert isclose(value, 2 * n_links / (end - start + b - a), abs_tol=1e-12)


def test_soft_by_hand():
    """E = words 0 and 1, C = target words 1 and 2.

    r = (.5 + .2 + 1) / 2 = .85; p = (.6 + 0 + .9) / 2 = .75; F = 2 * .85 * .75 / 1.6 = .796875.
    """
    forward = np.array([[0.3, 0.5, 0.2], [0, 0, 1.0], [0.5, 0.5, 0]])
    backward = np.array([[0.1, 0.6, 0], [0, 0, 0.9], [0.9, 0.4, 0.1]])
    given_ = ScoreInput(pair("a b c", "x y z"), SoftAlignment(forward, backward))
    intervals = Intervals.of([(1, 3)])
    assert SCORES["soft"].of(given_, Span(0, 2, "L"), intervals) == pytest.approx([0.796875])
    assert SCORES["recall"].of(given_, Span(0, 2, "L"), intervals) == pytest.approx([0.85])


def test_articles_count_little_in_rare_words():
    """``die`` in every pair has rarity log 2, ``katze`` in 1 of 15 log 16: 1 to 4."""
    statistics = CorpusStatistics(15, Counter(cat=1), Counter(die=15, katze=1))
    given_ = ScoreInput(pair("cat", "die Katze"), hard(1, 2, (0, 1)), statistics)
    intervals = Intervals.of([(0, 2), (1, 2)])
    assert SCORES["rare_words"].of(given_, Span(0, 1, "L"), intervals) == pytest.approx(
        [2 * 0.8 / 1.8, 1]
    )
    assert SCORES["soft"].of(given_, Span(0, 1, "L"), intervals) == pytest.approx([2 / 3, 1])


def test_outside_at_the_edges_of_the_sentence():
    """Beyond the sentence a tagger is certain (0); the policy counts the edge as a word."""
    statistics = CorpusStatistics(9)
    statistics.boundaries["before"][EDGE] = 2
    statistics.boundaries["after"][EDGE] = 4
    statistics.boundaries["first"]["x"] = 1
    statistics.boundaries["last"]["y"] = 2
    table = np.zeros((2, 9))
    table[0] = [0.2, 0, 0.8, 0, 0, 0, 0, 0, 0]  # .2 O, .8 I-PER: nothing may start after it
    table[1] = [0.5, 0, 0.5, 0, 0, 0, 0, 0, 0]
    given_ = ScoreInput(
        pair("x", "x y"), hard(1, 2, (0, 0)), statistics, {"words": TagProbabilities(table, LABELS)}
    )
    intervals = Intervals.of([(0, 1), (0, 2), (1, 2)])
    entity = Span(0, 1, "PER")
    assert SCORES["words_outside"].of(given_, entity, intervals) == pytest.approx(
        [log(0.5), 0, log(0.2)]
    )
    # before the sentence (1 - 3) / (1 + 3) = -1/2; after it (1 - 5) / (1 + 5) = -2/3;
    # x starts: (2 - 1) / (2 + 1); y ends: (3 - 1) / (3 + 1)
    assert SCORES["policy_outside"].of(given_, entity, intervals) == pytest.approx(
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
    given_ = ScoreInput(pair(source, target), hard(1, 1, (0, 0)))
    intervals = Intervals.of([(0, 1)])
    value = SCORES["spelling"].of(given_, Span(0, 1, "L"), intervals)[0]
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
def test_weights_name_scores_that_their_pass_has(weights, allowed):
    """Before the first pass there is no tagger; without an encoder there are no states."""
    assert weights.parts.keys() <= SCORES.keys()
    assert {SCORES[name].needs for name in weights.parts} <= allowed
    assert weights.describe().endswith(f">{weights.min_score:g}")
    assert all(
        f"{weight:+g}*{name}" in weights.describe() for name, weight in weights.parts.items()
    )


def test_weights_of_ones_own():
    """In place of the others or beside them; 0 takes a score out; the bound stays."""
    changed = SECOND["no encoder"].changed({"soft": 2.0, "recall": 0, "brevity": -1})
    expected = {**SECOND["no encoder"].parts, "soft": 2.0, "brevity": -1}
    del expected["recall"]
    assert changed == Weights(expected, 0.3)
    assert Weights({"a": 0.5, "b": -1}, 0.25).describe() == "+0.5*a-1*b>0.25"
