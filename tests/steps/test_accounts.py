"""Streams of rows through the steps align and project: every row once, in order, with its fate."""

import pytest
from toy_bitext import ACCOUNT, LINKS, SOURCE, STATUSES, EqualWords, batches_of

from spanbridge import Sentence, SentencePair, Span, WordAlignment, read_pairs
from spanbridge.projection.confidence import CALIBRATIONS
from spanbridge.run.memory import in_memory
from spanbridge.run.sample import sampled
from spanbridge.run.stream import learn
from spanbridge.steps.account import Account
from spanbridge.steps.aligning import Align
from spanbridge.steps.base import Context, chunks
from spanbridge.steps.projecting import Project
from spanbridge.steps.tagging import Tag

# a span with all of its links, by the greedy method's calibration
LINKED = CALIBRATIONS["greedy"].max_confidence()


@pytest.fixture
def pairs(bitext):
    return list(read_pairs(*bitext[:2]))


def opened(step):
    step.open(Context())
    return step


def projected(rows, **settings):
    """The rows after a projection, and its account."""
    if settings.get("links") != "only":
        settings.setdefault("aligner", EqualWords())
    step = opened(Project(**{"method": "greedy", **settings}))
    account = Account()
    return list(step.run(rows, account)), account


def text(links):
    return None if links is None else " ".join(f"{i}-{j}" for i, j in links.pairs)


@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_align(pairs, size, monkeypatch):
    batches_of(monkeypatch, size)
    aligner = EqualWords()
    found, _, _ = in_memory([opened(Align(aligner=aligner))], pairs, fit=True)
    assert [text(pair.links) for pair in found] == LINKS
    assert [pair.status for pair in found] == [None] * 5 + ["rejected: too long", None]
    assert max(map(len, aligner.calls)) <= size
    assert sum(aligner.calls, []) == [pair.id for pair in pairs]
    assert [(pair.id, pair.source, pair.target) for pair in found] == [
        (pair.id, pair.source, pair.target) for pair in pairs
    ]


@pytest.mark.parametrize("limit", [7, 100, 3])
def test_an_aligner_that_learns_sees_the_bitext_or_the_sample(pairs, limit):
    aligner = EqualWords(learns=True)
    n_learned = learn([opened(Align(aligner=aligner))], lambda: iter(pairs), len(pairs), limit)
    seen = [pairs[n].id for block in sampled(len(pairs), limit) for n in block]
    assert aligner.fitted == seen
    assert n_learned == len(seen) == min(limit, len(pairs))


def test_what_learns_nothing_is_not_shown_the_bitext():
    def never():
        raise AssertionError("nothing learns here")

    for given in ({"aligner": EqualWords()}, {"links": "only"}):
        assert learn([opened(Project(method="greedy", least_parallel=0, **given))], never, 7) == 0


def test_links_that_a_row_brings_are_kept_and_counted(pairs):
    own = WordAlignment.of([(1, 0)], 2, 2)
    mixed = [pairs[0].replace(links=own), *pairs[1:]]
    aligner = EqualWords()
    found, account = projected(mixed, aligner=aligner)
    assert found[0].links == own
    assert text(found[6].links) == LINKS[6]
    assert aligner.calls == [["2", "3", "4", "5", "6", "7"]]
    assert account.to_dict()["rows_with_links_of_their_own"] == 1


def test_all_rows_are_aligned_anew_where_that_is_asked_for(pairs):
    mixed = [pairs[0].replace(links=WordAlignment.of([(1, 0)], 2, 2)), *pairs[1:]]
    found, account = projected(mixed, links="anew")
    assert [text(pair.links) for pair in found] == LINKS
    assert "rows_with_links_of_their_own" not in account.to_dict()


def test_rows_without_links_are_rejected_where_only_links_count(pairs):
    own = WordAlignment.of([], 2, 2)  # no link is also an answer
    mixed = [pairs[0].replace(links=own), pairs[1]]
    found, account = projected(mixed, links="only")
    assert found[0].links == own
    assert [pair.status for pair in found] == [
        "empty: no link",
        "rejected: no links given, and no aligner asked for",
    ]
    assert [row for row, _ in account.rejects] == ["2"]


def test_project(pairs):
    done, account = projected(pairs)
    assert [(p.id, p.source, p.target.words) for p in done] == [
        (p.id, p.source, p.target.words) for p in pairs
    ]
    assert [pair.status for pair in done] == STATUSES
    assert done[0].target.spans == (Span(1, 2, "PER", pytest.approx(LINKED)),)
    assert [text(pair.links) for pair in done] == LINKS
    assert account.to_dict() == ACCOUNT
    assert account.rejects == [("6", "too long")]
    assert {pair.provenance for pair in done} == {"project"}


def test_confidence_is_null_where_there_was_something_to_project_and_nothing_was(pairs):
    done, _ = projected(pairs)
    confidences = {pair.status: pair.confidence for pair in done[:6]}
    assert confidences == {
        "projected": round(LINKED, 4),
        "empty: no source span": 1.0,
        "empty: no target word": None,
        "empty: no source word": None,
        "empty: no link": None,
        "rejected: too long": None,
    }


def test_what_a_row_carries_stays():
    source = Sentence(("Anna", "!"), (Span(0, 1, "PER"),), "Anna!", ((0, 4), (4, 5)))
    target = Sentence(("Anna",), (Span(0, 1, "OLD"),), "Anna", ((0, 4),))
    pair = SentencePair(
        "a7",
        source,
        target,
        WordAlignment.of([(0, 0)], 2, 1, [0.25]),
        "old status",
        confidence=0.1,
        explanation=("old",),
        translation_status="ok",
        extra={"note": [1, {"x": None}]},
    )
    (done,), _ = projected([pair])
    assert (done.id, done.source) == ("a7", source)
    assert (done.extra, done.translation_status) == (pair.extra, "ok")
    (span,) = done.target.spans
    assert span[:4] == (0, 1, "PER", pytest.approx(LINKED))
    assert done.target == Sentence(("Anna",), (span,), "Anna", ((0, 4),))
    assert done.links.scores == (0.25,)
    assert (done.status, done.confidence) == ("projected", round(LINKED, 4))
    assert (done.provenance, done.explanation) == ("project", None)


def test_the_account_adds_up(pairs):
    """Rows by status; spans in = spans out + spans dropped for a reason (one projection each)."""
    _, account = projected(pairs)
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


def test_an_account_is_kept_whole(pairs):
    _, account = projected(pairs)
    account.note("orphan_tags", 2)
    again = Account.from_dict(account.to_dict(whole=True))
    assert again == account
    again.merge(account)
    assert (again.n_rows, again.notes["orphan_tags"]) == (14, 4)
    assert again.rejects == account.rejects * 2


def test_chunks():
    def cut(lengths, *bounds):
        rows = [SentencePair("", Sentence(("a",) * n), Sentence(("b",))) for n in lengths]
        return [[len(row.source.words) for row in chunk] for chunk in chunks(rows, *bounds)]

    assert cut([1, 2, 3, 4, 5], 2) == [[1, 2], [3, 4], [5]]
    assert cut([1, 2, 9, 0, 0, 8, 1], 9, 5) == [[1, 2], [9], [0, 0], [8], [1]]
    assert cut([], 2) == []


def test_what_the_source_is_unsure_of_the_target_is_too():
    """Given labels count as certain; a tagger's probability is multiplied in."""
    links = WordAlignment.of([(0, 0), (1, 1)], 2, 2)

    def of(score, least=0.0):
        source = Sentence(("Ann", "Rome"), (Span(0, 1, "PER", score), Span(1, 2, "LOC")))
        pair = SentencePair("1", source, Sentence(("Anna", "Roma")), links)
        (done,), account = projected([pair], links="only", min_confidence=least)
        return done, account

    whole, _ = of(None)
    sure = whole.target.spans[0].score
    half, _ = of(0.5)
    assert half.target.spans[0].score == pytest.approx(sure / 2)
    assert half.target.spans[1] == whole.target.spans[1]
    left, account = of(0.5, 0.6)
    assert [span.label for span in left.target.spans] == ["LOC"]
    assert account.dropped == {"confidence below the minimum": 1}


def test_the_doubt_of_a_tagger_that_finds_nothing_is_carried_on(tiny_tagger):
    """Its probability that there is no span is the confidence of the projected row."""
    model = str(tiny_tagger("bert-tagger", ("O", "B-X", "I-X")))
    step = opened(Tag(tagger={"checkpoint": {"model": model}}))
    texts = "the president came to Berlin and said that it would take place on Monday".split()
    rows = [
        SentencePair(f"{i}-{j}", Sentence((a, b)), Sentence(("x",)))
        for i, a in enumerate(texts)
        for j, b in enumerate(texts)
    ]
    empty = [pair for pair in step.run(rows, Account()) if not pair.source.spans]
    assert empty  # one word in three, or so, is outside for a classifier that knows nothing
    done, _ = projected(empty)
    for pair, result in zip(empty, done, strict=True):
        assert 0 < pair.source.empty_probability < 1
        assert result.confidence == round(pair.source.empty_probability, 4)
        assert result.status == "empty: no source span"
