"""The matcher: any score joins any method; expensive ones are asked only where they can matter."""

from importlib.metadata import EntryPoint
from random import Random

import numpy as np
import plain
import pytest
from hypothesis import given
from hypothesis import strategies as st
from project_instances import linked, placed, project, project_row, row_of, seldom, without_inner
from soft_samples import bitext, check, labelled, pair

from spanbridge import core
from spanbridge.core import registry
from spanbridge.core.errors import RowError, SpanbridgeError
from spanbridge.core.soft_alignment import SoftAlignment
from spanbridge.core.spans import Span
from spanbridge.projection.corpus import CorpusMethod
from spanbridge.projection.matcher import MAX_WORDS_EXPENSIVE
from spanbridge.projection.method import in_order
from spanbridge.projection.scores import SCORES, ExpensiveScore, Score, TranslationScore

METHODS = ("corpus", "soft", "greedy", "exact", "heuristic", "match")
FREE = [name for name, score in SCORES.items() if not score.needs]
OF_CORPUS = [name for name, score in SCORES.items() if score.needs in ("corpus", "states", "words")]


class Position(Score):
    """A cheap score of another package: early candidates are better."""

    name, low, high = "position", -1.0, 0.0

    def of(self, given, entity, intervals):
        """Minus the share of the sentence before it."""
        return -intervals.start / len(given.pair.target.words)


class Costly(ExpensiveScore):
    """An expensive score of another package; values beyond its range are cut."""

    name, low, high = "costly", -1.0, 2.0

    def ask(self, questions):
        """Any number for each entity and candidate."""
        return [
            Random(f"{entity[:2]} {interval}").uniform(-1.5, 2.5)
            for _, entity, interval in questions
        ]


@pytest.fixture(scope="module", autouse=True)
def plugins():
    """A package that brings both scores."""
    points = [
        EntryPoint(kind.name, f"{__name__}:{kind.__name__}", "spanbridge.score")
        for kind in (Position, Costly)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            core.plugins, "entry_points", lambda group: [p for p in points if p.group == group]
        )
        core.plugins.plugins.cache_clear()
        yield
    core.plugins.plugins.cache_clear()


class Scorer:
    """A translator whose scores are any numbers, the same for the same phrases."""

    def __init__(self, seed=0):
        self.seed = seed
        self.calls = []
        self.n_forgotten = 0

    def describe(self):
        return f"scorer({self.seed})"

    def score(self, pairs):
        self.calls.append(list(pairs))
        return [Random(f"{self.seed} {source} > {target}").random() for source, target in pairs]

    def forget(self):
        self.n_forgotten += 1

    @property
    def asked(self):
        return [pair for call in self.calls for pair in call]


def build(name, options=None, learned=None):
    """A method; a corpus method with what another one has learned."""
    method = registry.build("method", name, options or {})
    if learned is not None and isinstance(method, CorpusMethod):
        method.state = learned.state
    return method


def read(method, row):
    """The row as a method reads it: with hard links or a soft alignment."""
    made, soft = row
    return made, soft.links(0.45) if method.reads == "links" else soft


# --- any score joins any method


@pytest.mark.parametrize("score", [*FREE, "position", "costly"])
@pytest.mark.parametrize("name", METHODS)
def test_a_score_joins_a_method_by_a_weight(name, score, rows, corpus):
    method = build(name, learned=corpus)
    preset = method.weights()
    weight = 2 * preset.parts[score] if score in preset.parts else 0.25
    method.add_scores(weights={score: weight})
    assert method.weights().parts == preset.parts | {score: weight}
    assert f"{weight:+g}*{score}" in method.describe()
    n_spans = 0
    for row in rows[:5]:
        found = project_row(method, read(method, row))
        check(found, row[0])
        n_spans += len(found.spans)
        chosen = [line for line in found.explain(found, 0.0) if line.startswith("  ->")]
        assert len(chosen) == len(found.spans)
        for line, raw in zip(chosen, [r for _, r in sorted(_by_entity(found))], strict=True):
            assert f"{score} " in line
            assert f"*{weight:g}" in line
            assert f" score {raw:.3f}, " in line
    assert n_spans


def _by_entity(found):
    return zip(found.origins, found.raw_scores, strict=True)


@pytest.mark.parametrize("name", [name for name in METHODS if name != "heuristic"])
def test_a_score_that_joined_changes_the_choice(name):
    """Both words are linked alike; which one is taken is up to the score."""
    for weight, expected in ((0.2, 0), (-0.2, 5)):
        method = build(name)
        method.add_scores(weights={"position": weight})
        row, links = row_of([Span(0, 1, "A")], linked("0-0 0-5", 1, 6))
        read_ = links if method.reads == "links" else SoftAlignment.from_links(links)
        assert placed(project_row(method, (row, read_))) == [(expected, expected + 1, "A")]


def test_a_score_that_joined_the_heuristic_decides_between_entities():
    """Of two as short as each other that claim a word the first keeps it, or the like one."""
    row = pair("Rome Bonn", "Bonn", [(0, 1, "A"), (1, 2, "B")]), linked("0-0 1-0", 2, 1)
    method = build("heuristic")
    assert placed(project_row(method, row)) == [(0, 1, "A")]
    method.add_scores(weights={"spelling": 0.1})
    assert placed(project_row(method, row)) == [(0, 1, "B")]


@pytest.mark.parametrize("score", OF_CORPUS)
@pytest.mark.parametrize("name", METHODS)
def test_only_corpus_has_what_a_bitext_teaches(name, score):
    method = build(name)
    if name == "corpus":
        method.add_scores(weights={score: 0.1})
        return
    with pytest.raises(SpanbridgeError, match=f"{score!r} needs what only the method 'corpus' lea"):
        method.add_scores(weights={score: 0.1})


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize(
    ("weights", "why"),
    [
        ({"ner": 1.0}, "'ner' needs a tagger of the target; name one"),
        ({"translation": 1.0}, "'translation' needs a translator"),
        ({"nosuch": 1.0}, "no score is named 'nosuch'; there are: .*translation, position, costly"),
    ],
)
def test_weights_that_need_what_is_not_there(name, weights, why):
    with pytest.raises(SpanbridgeError, match=why):
        build(name).add_scores(weights=weights)


@pytest.mark.parametrize("name", METHODS)
def test_some_score_must_count(name):
    method = build(name)
    with pytest.raises(SpanbridgeError, match="all weights are 0"):
        method.add_scores(weights=dict.fromkeys(method.weights().parts, 0.0))


def test_a_weight_of_zero_takes_a_score_out():
    method = build("soft")
    method.add_scores(weights={"soft": 0.0, "bad_boundary": 0.0, "recall": 1.0})
    assert method.weights().parts == {"recall": 1.0}


def test_another_translator_takes_the_place_of_the_first():
    method = build("soft")
    [row] = bitext(1)
    for scorer in (Scorer(1), Scorer(2)):
        method.add_scores(weights={"translation": 1.0}, scorer=scorer)
        method.project([row])
        assert scorer.asked


# --- confidence


weights_of_ones_own = st.dictionaries(
    st.sampled_from([*FREE, "position", "costly"]),
    st.sampled_from([-1.0, -0.1, 0.1, 0.5, 1.0, 4.0]),
)


@pytest.mark.parametrize("name", METHODS)
@seldom
@given(drawn=labelled(n_spans=3, labels=("PER", "new")), own=weights_of_ones_own)
def test_confidence_with_any_weights(name, drawn, own, corpus):
    """A probability all the same, and none above the surest."""
    for learned in (None, corpus) if name == "corpus" else (None,):
        method = build(name, learned=learned)
        if not {w for n, w in (method.weights().parts | own).items() if w}:
            return
        method.add_scores(weights=own)
        found = project_row(method, read(method, drawn))
        check(found, drawn[0])
        assert all(0 < span.score <= method.max_confidence() + 1e-12 for span in found.spans)


# --- expensive scores


def matrix_of_all(method, row, scorer):
    """Gains of every n-gram, all scores asked for; entities x n-grams, 0 where below the least."""
    made, _ = row
    weights, given_ = method.weights(), method.score_input(*row)
    ngrams = plain.ngrams(len(made.target.words))
    entities = in_order(made.source.spans)
    gains, n_candidates = np.zeros((len(entities), len(ngrams))), 0
    for e, entity in enumerate(entities):
        intervals = method.generator.intervals(given_, entity)
        n_candidates += len(intervals)
        total = np.zeros(len(intervals))
        for name, weight in weights.parts.items():
            translation = name == "translation"
            score = TranslationScore(scorer) if translation else method.find_score(name)
            values = score.of(given_, entity, intervals)
            total += weight * (
                np.clip(values, score.low, score.high) if score.expensive else values
            )
        for start, end, value in zip(intervals.start, intervals.end, total, strict=True):
            gains[e, ngrams.index((start, end))] = max(value - weights.min_score, 0.0)
    return gains, ngrams, n_candidates


CASES = [
    *(
        ("corpus", {}),
        ("corpus", {"solver": "exact"}),
        ("greedy", {}),
        ("greedy", {"min_score": 0.5}),
    ),
    *(
        ("soft", {}),
        ("soft", {"solver": "exact"}),
        ("exact", {"min_score": 0.4}),
        ("heuristic", {}),
    ),
    *(("match", {}), ("match", {"solver": "exact", "min_score": 0.3})),
]


@pytest.mark.parametrize(("name", "options"), CASES)
@seldom
@given(
    drawn=labelled(n_spans=3, labels=("PER", "new"), n_target=5),
    own=st.sampled_from(
        [
            {"translation": 0.1},
            {"translation": 0.5},
            {"translation": 4.0},
            {"translation": -0.7},
            {"costly": 0.3},
            {"costly": -0.3, "position": 0.2},
            {"costly": 1.0, "translation": 0.5},
        ]
    ),
    seed=st.integers(0, 2**16),
)
def test_what_is_not_asked_for_does_not_change_the_choice(name, options, drawn, own, seed, corpus):
    """Brute force over all candidates with all scores."""
    scorer = Scorer(seed)
    method = build(name, options, corpus)
    method.add_scores(weights=own, scorer=scorer if "translation" in own else None)
    row = distinct(read(method, drawn))
    found = project_row(method, row)
    gains, ngrams, n_candidates = matrix_of_all(method, row, Scorer(seed))
    assert len(scorer.asked) == len(set(scorer.asked)) <= n_candidates
    least = method.weights().min_score
    entities = in_order(row[0].source.spans)
    if method.solve.name == "greedy":
        expected = sorted((a, b, entities[e].label) for e, a, b in plain.greedy(gains, ngrams))
        assert placed(found) == expected
    best = plain.optimum(gains, ngrams)[1]
    total = sum(raw - least for raw in found.raw_scores)
    assert total <= best + 1e-9
    if method.solve.name == "exact":
        worth = gains
        if "whole" in method.solve.describe():  # names are not cut, whatever the total
            worth = plain.charged(gains, [span.end - span.start for span in entities])
        places = [
            (entities.index(origin), ngrams.index(span[:2]))
            for origin, span in zip(found.origins, found.spans, strict=True)
        ]
        got = sum(worth[place] for place in places)
        assert got == pytest.approx(plain.optimum(worth, ngrams)[1], abs=1e-9)
    assert all(raw > least for raw in found.raw_scores)


def distinct(row):
    """The row with words that are all different, and no span inside another."""
    made, alignment = row
    spans = tuple(without_inner(made.source.spans))
    words, theirs = (
        " ".join(f"{side}{n}" for n in range(len(sentence.words)))
        for side, sentence in (("s", made.source), ("t", made.target))
    )
    return pair(words, theirs, spans), alignment


@pytest.mark.parametrize("name", ["corpus", "soft", "greedy", "match"])
def test_fewer_are_asked_for_than_there_are(name, rows, corpus):
    scorer = Scorer()
    method = build(name, learned=corpus)
    method.add_scores(weights={"translation": 0.2}, scorer=scorer)
    # an entity of one word with two links, far apart: nobody would take all between them
    made, links = row_of([Span(0, 1, "PER")], linked("0-0 0-5", 1, 6))
    batch = [(made, links if method.reads == "links" else SoftAlignment.from_links(links))]
    batch += [distinct(read(method, row)) for row in rows[:20]]
    found = method.project(batch)
    total = sum(matrix_of_all(method, row, Scorer())[2] for row in batch)
    assert 0 < len(scorer.asked) < total
    assert method.counts["translation scores"] == len(scorer.asked)
    # those of all rows together, round after round; and what was remembered is dropped
    first = scorer.calls[0]
    n_entities = sum(len(row[0].source.spans) for row in batch)
    assert len(first) >= n_entities / 2
    assert len(scorer.calls) < len(batch)
    assert scorer.n_forgotten == 1
    assert sum(len(one.spans) for one in found) > 20


@pytest.mark.parametrize(("weight", "expected"), [(0.3, (1, 2)), (1 / 3, (0, 2)), (0.4, (0, 2))])
def test_what_can_become_as_good_is_asked_for(weight, expected):
    """[1, 2) has 1; [0, 2) has 2/3, and 1 with a weight of 1/3: of equals the first is taken."""
    scorer = Scorer()
    scorer.score = lambda pairs: [float(target == "t0 t1") for _, target in pairs]
    method = build("match")
    method.add_scores(weights={"translation": weight}, scorer=scorer)
    found = project(method, [Span(0, 1, "A")], linked("0-1", 1, 2))
    assert placed(found) == [(*expected, "A")]


def test_a_sentence_too_long_for_an_expensive_score():
    """It is named, between others that are projected; without one no sentence is too long."""
    long, short = (
        row_of([Span(0, 1, "A")], linked("0-0", 1, n)) for n in (MAX_WORDS_EXPENSIVE + 1, 2)
    )
    longest = row_of([Span(0, 1, "A")], linked("0-0", 1, MAX_WORDS_EXPENSIVE))
    method = build("greedy")
    method.add_scores(weights={"translation": 1.0}, scorer=Scorer())
    first, error, last, second = method.project([short, long, short, longest])
    assert isinstance(error, RowError)
    assert str(error) == "301 target words, too many for an expensive score; split it"
    assert first == last
    assert placed(first) == placed(second) == [(0, 1, "A")]
    assert placed(project_row(build("greedy"), long)) == [(0, 1, "A")]


def test_a_sentence_too_long_for_a_matrix():
    """Links of any length can be read, but not as mass between all words."""
    row = row_of([Span(0, 1, "A")], linked("0-0", 2**12, 2**11))
    method = build("greedy")
    assert placed(project_row(method, row)) == [(0, 1, "A")]
    method.add_scores(weights={"soft": 0.1})
    [error] = method.project([row])
    assert "too long to align: 4096 x 2048 words" in str(error)
