"""Projection with what a whole bitext teaches."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from project_instances import placed, project_row
from soft_samples import bitext, check, fitted, hard, labelled, names, pair

from spanbridge.core.soft_alignment import SoftAlignment
from spanbridge.core.spans import Span
from spanbridge.projection import corpus as corpus_module
from spanbridge.projection.corpus import FULL, CorpusMethod, Learned, digest, foretold
from spanbridge.projection.corpus_statistics import CorpusStatistics
from spanbridge.projection.learned_taggers import FOLDS
from spanbridge.projection.weights import FIRST, SECOND

DIGEST = 16640467941339881401


def test_the_digest_is_the_same_in_every_run():
    """A fixed number: what is learned on one machine is applied on another."""
    assert digest(pair("In Bonn", "À Bonn")) == DIGEST
    others = [
        pair("In Bonn À", "Bonn"),
        pair("In", "Bonn À Bonn"),
        pair("in Bonn", "À Bonn"),
        pair("InBonn", "À Bonn"),
    ]
    assert len({digest(other) for other in others} | {DIGEST}) == 5
    # neither id nor labels count
    assert digest(pair("In Bonn", "À Bonn", [(1, 2, "LOC")], "other")) == DIGEST


def test_taggers_count_by_what_they_foretell(rows):
    """One pair teaches nothing, a few little, a whole bitext more; the signature says it."""
    one, few, whole = (fitted(rows[:n]) for n in (1, 12, len(rows)))
    assert one.state.told == {}
    assert one.state.words is None
    assert one.state.statistics.n_pairs == 1
    assert one.weights() == FIRST["no encoder"]
    assert one.describe() == CorpusMethod().describe()
    assert few.state.told.get("words", 0) < whole.state.told["words"] <= 1
    assert whole.describe() == CorpusMethod().describe()[:-1] + (
        f",words={whole.state.told['words']:.3f})"
    )


@pytest.mark.parametrize(("told", "share"), [(0.0, 0.0), (FULL / 2, 0.25), (FULL, 1.0), (1.0, 1.0)])
def test_weights_between_both_passes(told, share):
    method = CorpusMethod()
    method.settle(Learned(has_states=False, told={"words": told}))
    first, second = FIRST["no encoder"], SECOND["no encoder"]
    for name in {**first.parts, **second.parts}:
        mean = (1 - share) * first.parts.get(name, 0) + share * second.parts.get(name, 0)
        assert method.weights().parts.get(name, 0) == pytest.approx(mean), name
    mean = (1 - share) * first.min_score + share * second.min_score
    assert method.weights().min_score == pytest.approx(mean)


def test_each_tagger_has_a_share_of_its_own():
    """Scores of a tagger that foretells nothing are left out; the others take the mean."""
    method = CorpusMethod()
    method.settle(Learned(told={"states": FULL}))
    parts, second = method.weights().parts, SECOND["encoder"].parts
    assert parts["states_inside"] == second["states_inside"]
    assert "words_outside" not in parts
    assert parts["policy_inside"] == pytest.approx(second["policy_inside"] / 2)


def test_foretold_by_hand():
    """Half O and half B: 1 bit. Certain and right: all; as the frequencies: nothing; worse: 0."""
    tags = [np.array([0, 1]), np.array([1, 0])]

    def given(p):
        return [np.array([[p, 1 - p] if tag == 0 else [1 - p, p] for tag in one]) for one in tags]

    assert foretold(given(1.0), tags) == 1
    assert foretold(given(0.5), tags) == 0
    assert foretold(given(0.2), tags) == 0
    assert foretold(given(0.75), tags) == pytest.approx(1 + np.log2(0.75))
    assert foretold(given(0.5), [np.zeros(2, int)] * 2) == 0


@pytest.mark.parametrize("name", ["FIRST", "SECOND"])
def test_the_signature_tells_other_presets_apart(name, monkeypatch):
    before = CorpusMethod().describe()
    presets = getattr(corpus_module, name)
    encoder = presets["encoder"]
    monkeypatch.setattr(
        corpus_module, name, {**presets, "encoder": replace(encoder, min_score=0.9)}
    )
    assert CorpusMethod().describe() != before


@pytest.mark.slow
def test_states_are_learned_from_the_pairs_that_have_them(with_states, encoded):
    assert encoded.state.states is not None
    assert encoded.state.told.keys() == {"words", "states"}
    row, found = with_states[0]
    mixed = fitted([(row, SoftAlignment(found.forward, found.backward)), *with_states[1:]])
    assert mixed.state.states is not None
    assert mixed.state.told.keys() == {"words", "states"}


@pytest.mark.parametrize("sample", ["corpus", "encoded"])
def test_what_is_learned_projects_what_it_was_learned_from(sample, request):
    method = request.getfixturevalue(sample)
    pairs = request.getfixturevalue("rows" if sample == "corpus" else "with_states")
    right = 0
    for row, found in pairs:
        projection = project_row(method, (row, found))
        check(projection, row)
        right += placed(projection) == names(row)
    assert right >= 0.95 * len(pairs)


def test_a_pair_without_states_among_pairs_with_them(with_states, encoded):
    """Such as one that brings its own links, in text that learned taggers are applied to."""
    for row, found in with_states[:5]:
        projection = project_row(encoded, (row, SoftAlignment(found.forward, found.backward)))
        check(projection, row)
        assert placed(projection) == names(row)


def test_statistics_are_those_of_the_result(rows, corpus):
    """Of the first pass: boundaries counted anew, and kept for each pair to leave out."""
    first = CorpusMethod()
    statistics = CorpusStatistics()
    for row, _ in rows:
        statistics.add_words(row)
    first.state.statistics = statistics
    first.state.has_states = False
    for row, found in rows:
        spans = placed(project_row(first, (row, found)))
        statistics.add_spans(row.target.words, spans)
        assert set(spans) <= set(corpus.state.members[digest(row)])
    assert corpus.state.statistics == statistics
    assert corpus.state.labels == ("LOC", "PER")


def test_the_sentence_at_hand_is_left_out(rows, corpus):
    """Its boundaries, and its tags: the tagger is that of its own fold."""
    row, found = rows[0]
    given_ = corpus.score_input(row, found)
    own = CorpusStatistics()
    own.add_spans(row.target.words, corpus.state.members[digest(row)])
    assert given_.own == own.boundaries
    assert own.boundaries["first"]
    fold = digest(row) % FOLDS
    table = corpus.state.words.probabilities(row.target.words, fold)
    assert (given_.tags["words"]._p == table).all()


def test_a_pair_that_stands_there_twice_is_left_out_twice(rows):
    twice = fitted([*rows[:100], rows[0]])
    once = fitted(rows[:100])
    row, found = rows[0]
    policies = [method.score_input(row, found).boundary_policy for method in (once, twice)]
    for side in ("start", "end"):
        assert policies[0][side].tolist() == policies[1][side].tolist()


def test_other_text_has_nothing_left_out(corpus):
    row = pair("sees Otto", "sees der Otto", [(1, 2, "PER")])
    given_ = corpus.score_input(row, hard(2, 3, (0, 0), (1, 2)))
    assert not any(given_.own.values())
    assert placed(project_row(corpus, (row, hard(2, 3, (0, 0), (1, 2))))) == [(2, 3, "PER")]


def test_labels_never_seen_in_learning(corpus, encoded):
    row = pair("sees Otto", "sees Otto", [(1, 2, "MISC-new")])
    for method in (corpus, encoded):
        found = project_row(method, (row, hard(2, 2, (0, 0), (1, 1))))
        assert placed(found) == [(1, 2, "MISC-new")]


@pytest.mark.parametrize(
    "labels",
    [("A",), ("B-I-x", "B-I-y"), tuple(f"L{n}" for n in range(4)), ("O", "名前", "a b")],
    ids=lambda labels: labels[0],
)
def test_any_labels(labels):
    pairs = bitext(100, labels)
    method = fitted(pairs)
    assert method.state.labels == tuple(sorted(labels))
    right = sum(placed(project_row(method, row)) == names(row[0]) for row in pairs)
    assert right >= 0.95 * len(pairs)


def test_nested_source_spans(with_states):
    """A whole sentence around the names: the taggers learn, each span still goes its own way."""
    pairs = []
    for row, found in with_states:
        whole = Span(0, len(row.source.words), "ALL")
        source = row.source.with_spans((*row.source.spans, whole))
        pairs.append((row._replace(source=source), found))
    method = fitted(pairs)
    assert method.state.labels == ("ALL", "LOC", "PER")
    for row, found in pairs:
        check(project_row(method, (row, found)), row)


def test_a_bitext_without_labels(rows):
    bare = [(row._replace(source=row.source.with_spans(())), found) for row, found in rows]
    method = fitted(bare)
    assert method.state.labels == ()
    assert method.state.words is None
    assert method.state.statistics.n_pairs == len(rows)
    assert project_row(method, bare[0]).spans == ()


def test_pairs_without_words_are_not_learned_from(rows):
    empty = (pair("", "x"), hard(0, 1)), (pair("x", "", [(0, 1, "PER")]), hard(1, 0))
    method = fitted([*empty, rows[0]])
    assert method.state.statistics.n_pairs == 1
    assert method.state.words is None


def test_fitting_anew_forgets(rows, corpus):
    method = fitted(bitext(100, ("X",), seed=7))
    method.fit(rows)
    assert method.state.statistics == corpus.state.statistics
    assert [project_row(method, row) for row in rows[:20]] == [
        project_row(corpus, row) for row in rows[:20]
    ]


def same(one, other):
    assert placed(one) == placed(other)
    assert [span.score for span in one.spans] == pytest.approx(
        [span.score for span in other.spans], abs=2e-3
    )
    assert one.dropped == other.dropped


def test_the_order_of_pairs_does_not_matter(rows, corpus):
    """Sums differ in their last bits, since they are made in another order."""
    shuffled = fitted(rows[::-1])
    assert shuffled.state.statistics == corpus.state.statistics
    assert shuffled.state.members == corpus.state.members
    for row in rows:
        same(project_row(shuffled, row), project_row(corpus, row))


def test_the_order_of_projecting_does_not_matter(rows, corpus):
    there = [project_row(corpus, row) for row in rows]
    back = [project_row(corpus, row) for row in rows[::-1]]
    assert there == back[::-1]


def test_the_same_input_learns_the_same_bits(with_states, encoded):
    again = fitted(with_states)
    for tagger in ("words", "states"):
        for one, other in zip(
            getattr(again.state, tagger).weights,
            getattr(encoded.state, tagger).weights,
            strict=True,
        ):
            assert (one == other).all()


@pytest.mark.parametrize(("n", "seed"), [(100, 3)])
def test_the_second_pass_may_still_project_with_the_exact_solver(n, seed):
    pairs = bitext(n, seed=seed)
    method = fitted(pairs, "exact")
    assert all(placed(project_row(method, row)) == names(row[0]) for row in pairs)


@given(st.integers(0, 119), labelled(n_spans=3, labels=("PER", "LOC", "new")))
def test_promises_of_the_second_pass(corpus, rows, at, drawn):
    row, found = drawn
    check(project_row(corpus, (row, found)), row)
    check(project_row(corpus, rows[at]), rows[at][0])
