"""Streams: every row comes out once, in order, with its status."""

import math

import pytest
from pipeline_samples import ACCOUNT, LINKS, SOURCE, STATUSES, EqualWords

from spanbridge import GreedyMethod, Sentence, SentencePair, Span, WordAlignment, read_pairs
from spanbridge.core.errors import RowError
from spanbridge.steps.account import Account
from spanbridge.steps.projection_old import align_pairs, chunks, fit, given_links, project_pairs

# a span with all of its links (support 1), by the greedy method's calibration
LINKED = 1 / (1 + math.exp(-(-0.53 + 0.75 * -math.log(0.01))))


@pytest.fixture
def pairs(bitext):
    return list(read_pairs(*bitext[:2]))


def text(links):
    return None if isinstance(links, RowError) else " ".join(f"{i}-{j}" for i, j in links.pairs)


@pytest.mark.parametrize("chunk", [1, 2, 7, 100])
def test_align(pairs, chunk):
    aligner = EqualWords()
    found = list(align_pairs(lambda: pairs, aligner, chunk))
    assert [pair for pair, _ in found] == pairs
    assert [text(links) for _, links in found] == LINKS
    assert max(map(len, aligner.calls)) <= chunk
    assert sum(aligner.calls, []) == [pair.id for pair in pairs]


@pytest.mark.parametrize(("limit", "seen"), [(7, "1234567"), (100, "1234567"), (3, "357")])
def test_an_aligner_that_learns_sees_the_bitext_or_an_even_sample_of_it(pairs, limit, seen):
    aligner = EqualWords(needs_fit=True)
    fit(lambda: iter(pairs), len(pairs), aligner, GreedyMethod(), limit)
    assert aligner.fitted == list(seen)


def test_what_learns_nothing_is_not_shown_the_bitext():
    def never():
        raise AssertionError("nothing learns here")

    fit(never, 7, EqualWords(), GreedyMethod())
    fit(never, 7, None, GreedyMethod())


def test_links_that_a_row_brings_are_kept(pairs):
    own = WordAlignment.of([(1, 0)], 2, 2)
    mixed = [SentencePair(p.id, p.source, p.target, own if p.id == "1" else None) for p in pairs]
    aligner = EqualWords()
    found = list(align_pairs(lambda: mixed, aligner, chunk=2))
    assert found[0][1] is own
    assert text(found[6][1]) == LINKS[6]
    assert aligner.calls == [["2"], ["3", "4"], ["5", "6"], ["7"]]


def test_rows_without_links_and_without_aligner_are_rejected(pairs):
    own = WordAlignment.of([], 2, 2)  # no link is also an answer
    linked = SentencePair("x", pairs[0].source, pairs[0].target, own)
    found = [links for _, links in given_links([linked, pairs[1]])]
    assert found[0] is own
    assert isinstance(found[1], RowError)


def test_project(pairs):
    account = Account()
    linked = align_pairs(lambda: pairs, EqualWords())
    done = list(project_pairs(linked, GreedyMethod(), account))
    assert [(p.id, p.source, p.target.words) for p in done] == [
        (p.id, p.source, p.target.words) for p in pairs
    ]
    assert [pair.status for pair in done] == STATUSES
    assert done[0].target.spans == (Span(1, 2, "PER", pytest.approx(LINKED)),)
    assert [pair.links and text(pair.links) for pair in done] == LINKS
    assert account.to_dict() == ACCOUNT
    assert account.rejects == [("6", "too long")]


def test_what_a_row_carries_stays():
    source = Sentence(("Anna", "!"), (Span(0, 1, "PER"),), "Anna!", ((0, 4), (4, 5)))
    target = Sentence(("Anna",), (Span(0, 1, "OLD"),), "Anna", ((0, 4),))
    pair = SentencePair("a7", source, target, None, "old status", {"note": [1, {"x": None}]})
    linked = [(pair, WordAlignment.of([(0, 0)], 2, 1, [0.25]))]
    (done,) = project_pairs(linked, GreedyMethod(), Account())
    assert (done.id, done.source) == ("a7", source)
    assert done.extra == pair.extra | {"confidence": round(LINKED, 4)}
    span = Span(0, 1, "PER", pytest.approx(LINKED))
    assert done.target == Sentence(("Anna",), (span,), "Anna", ((0, 4),))
    assert done.links.scores == (0.25,)
    assert done.status == "projected"


def test_the_account_adds_up(pairs):
    """Rows by status; spans in = spans out + spans dropped for a reason (one projection each)."""
    account = Account()
    list(project_pairs(align_pairs(lambda: pairs, EqualWords()), GreedyMethod(), account))
    assert sum(account.statuses.values()) == len(pairs)
    assert account.n_source_spans == SOURCE.count("\tB-")
    assert account.n_source_spans == account.n_target_spans + sum(account.dropped.values())


def test_the_account_for_a_person():
    account = Account()
    assert account.text() == "0 rows = none"
    pair = SentencePair("1", Sentence(("a", "b"), (Span(0, 1, "X"), Span(1, 2, "Y"))), Sentence(()))
    account.add(pair, "empty: no link", [(Span(0, 1, "X"), "no link"), (Span(1, 2, "Y"), "lost")])
    account.notes = {"orphan_tags": 3, "nothing": 0}
    assert account.text().splitlines() == [
        "1 rows = 1 empty: no link",
        "2 source spans -> 0 target spans; not projected: 1 no link, 1 lost",
        "3 orphan tags",
    ]
    assert account.to_dict()["orphan_tags"] == 3
    assert "nothing" not in account.to_dict()


def test_chunks():
    assert list(chunks(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(chunks([], 2)) == []


def test_what_the_source_is_unsure_of_the_target_is_too():
    """Given labels count as certain; a tagger's probability is multiplied in."""
    links = WordAlignment.of([(0, 0), (1, 1)], 2, 2)

    def projected(score, least=0.0):
        source = Sentence(("Ann", "Rome"), (Span(0, 1, "PER", score), Span(1, 2, "LOC")))
        pair = SentencePair("1", source, Sentence(("Anna", "Roma")))
        account = Account()
        (done,) = project_pairs([(pair, links)], GreedyMethod(), account, least)
        return done, account

    whole, _ = projected(None)
    sure = whole.target.spans[0].score
    half, _ = projected(0.5)
    assert half.target.spans[0].score == pytest.approx(sure / 2)
    assert half.target.spans[1] == whole.target.spans[1]
    left, account = projected(0.5, 0.6)
    assert [span.label for span in left.target.spans] == ["LOC"]
    assert account.dropped == {"confidence below the minimum": 1}
