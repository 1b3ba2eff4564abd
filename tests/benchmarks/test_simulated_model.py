"""The simulated chat model: as good as is stated, wrong in the stated ways, the same every time."""

import json
from collections import Counter

import pytest
from benchmarks.chat_server import serving
from benchmarks.gold_places import GoldRow
from benchmarks.simulated_model import FAULTS, SimulatedModel, _hardness

from benchmarks import simulated
from spanbridge.chat.answer import Answer
from spanbridge.chat.client import ChatClient
from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.formats import write_pairs
from spanbridge.formats.tokens import raw_sentence
from spanbridge.projection.chat_questions import WAYS, Doubt

CHOOSE, INSERT = WAYS["choose"], WAYS["insert"]


def row(n, links=None):
    """Two persons, of which the target names the second one first."""
    source = Sentence(("Ana", f"saw{n}", "Bo", "Lee"), (Span(0, 1, "PER"), Span(2, 4, "PER")))
    target = raw_sentence(f"Bo Li, den sah Anne{n}.")
    assert target.words == ("Bo", "Li", ",", "den", "sah", f"Anne{n}", ".")
    gold = target.with_spans((Span(0, 2, "PER"), Span(5, 6, "PER")))
    return SentencePair(str(n), source, gold, links=links)


ROWS = [row(n) for n in range(400)]
OPTIONS = ((0, 1), (0, 2), (4, 5), (5, 6))
FIRST, SECOND = Doubt(0, (0, 1), ("PER",), OPTIONS), Doubt(1, (2, 4), ("PER",), OPTIONS)


def asked(way, pair, *doubts):
    """Messages that ask about doubts, after an example."""
    return [
        {"role": "system", "content": way.prompt},
        {"role": "user", "content": way.question(ROWS[-1], [SECOND])},
        {"role": "assistant", "content": "{}"},
        {"role": "user", "content": way.question(pair, doubts)},
    ]


def places(model, way, pair, *doubts):
    content, _ = model.answer(asked(way, pair, *doubts))
    return {e: p.place for e, p in way.read(Answer(content), pair, doubts).items()}


def test_a_model_that_is_always_right_says_what_gold_says():
    model = SimulatedModel(ROWS, right=1 - 1e-9)
    for pair in ROWS[:20]:
        assert places(model, CHOOSE, pair, FIRST) == {0: (5, 6)}
        assert places(model, CHOOSE, pair, SECOND) == {1: (0, 2)}
        assert places(model, CHOOSE, pair, SECOND._replace(options=((0, 1), (4, 5)))) == {1: None}
        assert places(model, INSERT, pair, FIRST, SECOND) == {0: (5, 6), 1: (0, 2)}


def test_a_part_of_a_row_is_answered_as_the_row():
    """Long rows are asked about in parts."""
    pair = ROWS[7]
    part = pair._replace(
        source=Sentence(pair.source.words[2:], (Span(0, 2, "PER"),)),
        target=Sentence(pair.target.words[:4]),
    )
    model = SimulatedModel(ROWS, right=1 - 1e-9)
    assert places(model, INSERT, part, Doubt(0, (0, 2), ("PER",))) == {0: (0, 2)}


def test_links_tell_which_spans_belong_together():
    crossed = WordAlignment.of([(0, 0), (0, 1), (2, 5), (3, 5)], 4, 7)
    assert GoldRow.of(row(1)).counterpart == [1, 0]  # by letters
    assert GoldRow.of(row(1, crossed)).counterpart == [0, 1]


def test_the_share_of_right_answers_and_the_kinds_of_errors():
    model = SimulatedModel(ROWS, right=0.7, slope=0.0)
    said = [places(model, CHOOSE, pair, SECOND)[1] for pair in ROWS]
    told = model.told
    assert told["right"] == said.count((0, 2))
    assert told["right"] / len(ROWS) == pytest.approx(0.7, abs=0.06)
    assert {kind for kind in told if told[kind] > 5} == {"right", "edge", "beside", "none"}
    assert said.count((0, 1)) == told["edge"]  # what overlaps the right one
    assert said.count(None) == told["none"]
    again = SimulatedModel(ROWS, right=0.7, slope=0.0)
    assert [places(again, CHOOSE, pair, SECOND)[1] for pair in reversed(ROWS)] == said[::-1]
    other = SimulatedModel(ROWS, right=0.7, slope=0.0, seed=1)
    assert [places(other, CHOOSE, pair, SECOND)[1] for pair in ROWS] != said


def test_harder_spans_are_answered_worse():
    """By hand: BoLee and BoLi share 3 letters, (1 - 6 / 9 + 4 / 40) / 2; Ana and Anne1 2 of 8."""
    pair = GoldRow.of(ROWS[1])
    texts = [("BoLee", pair.target_of((7, 12))), ("Ana", pair.target_of((0, 3)))]
    hardness = [_hardness(phrase, place, pair.target.bare) for phrase, place in texts]
    assert hardness == pytest.approx([0.21667, 0.3125], abs=1e-4)
    model = SimulatedModel(ROWS, right=0.7, slope=8.0)
    hard = sum(places(model, CHOOSE, pair, FIRST)[0] == (5, 6) for pair in ROWS)
    easy = sum(places(model, CHOOSE, pair, SECOND)[1] == (0, 2) for pair in ROWS)
    assert easy > hard + 40


def test_log_probabilities_tell_how_sure_it_is():
    model = SimulatedModel(ROWS, right=0.7, slope=0.0, logprobs=True)
    for pair in ROWS[:30]:
        body = {"messages": asked(CHOOSE, pair, SECOND), "logprobs": True}
        answer = Answer.of(json.loads(model(body, 0).content))
        pick = CHOOSE.read(answer, pair, [SECOND])[1]
        assert pick.certainty == pytest.approx(0.7 if pick.place == (0, 2) else 0.3)


def test_faults_come_as_often_as_stated_and_go_with_another_try():
    model = SimulatedModel(ROWS, faults=dict.fromkeys(FAULTS, 0.1), pause=0.5)
    bodies = [{"messages": asked(CHOOSE, pair, SECOND)} for pair in ROWS]
    replies = [model(body, 0) for body in bodies]
    found = Counter((reply.status, reply.wait) for reply in replies)
    assert found.keys() == {(200, 0), (200, 0.5), (429, 0), (500, 0), (0, 0), (0, 5.0)}
    assert all(n > 15 for n in found.values())
    assert all(r.headers == {"Retry-After": "0.5"} for r in replies if r.status == 429)
    assert [model(body, 0) for body in bodies] == replies
    assert [model(body, 1) for body in bodies] != replies
    with pytest.raises(ValueError, match="there is no fault 'late'"):
        SimulatedModel(ROWS, faults={"late": 0.1})


def test_a_limit_is_waited_for():
    """The client asks again as late as the server says, and gets its answer."""
    model = SimulatedModel(ROWS, right=1 - 1e-9, faults={"limited": 0.5}, pause=0.02)

    def dialogue(pair):
        answer = yield asked(CHOOSE, pair, SECOND)
        return CHOOSE.read(answer, pair, [SECOND])[1].place

    with serving(model) as (url, seen):
        client = ChatClient("m", url, {}, tries=9, pause=0.0, parallel=4)
        assert client.hold([dialogue(pair) for pair in ROWS[:10]]) == [(0, 2)] * 10
    assert len(seen) > 12


def test_it_is_served_from_a_file(tmp_path):
    write_pairs(tmp_path / "gold.jsonl", ROWS[:5])
    model = simulated.model(str(tmp_path / "gold.jsonl"), 99, 0, 0)
    assert len(model.rows) == 5
