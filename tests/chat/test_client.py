"""The client of chat models against a server that fails in every way."""

import json
import multiprocessing

import pytest
from fake_chat import CLOSE, HANG, says, serving

from spanbridge import SpanbridgeError
from spanbridge.chat.answer import Answer
from spanbridge.chat.client import ChatClient, Unanswered
from spanbridge.chat.store import Price, Store, estimated_tokens, key_of
from spanbridge.core.errors import InputError


def asking(text, used=None):
    """A dialogue of one question; the result is what was said."""
    answer = yield [{"role": "system", "content": "s"}, {"role": "user", "content": text}]
    if used is not None:
        used.append(answer)
    return answer.content


def held(url, texts, **options):
    options = {"pause": 0, "tries": 2, **options}
    client = ChatClient("m", url, options.pop("parameters", {}), **options)
    return client.hold([asking(text) for text in texts])


def echo(body, n=0):
    return says(body["messages"][-1]["content"].upper())


def test_answers_come_in_order_and_side_by_side():
    with serving(echo) as (url, seen):
        assert held(url, list("abcdefg"), parallel=3) == list("ABCDEFG")
        assert len(seen) == 7
        assert held(url, []) == []


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ((500, "crash"), "it answers 500"),
        ((429, '{"error": {"code": "rate_limit"}}'), "it answers 429 rate_limit"),
        (CLOSE, "no answer"),
        ((200, "no JSON"), "no JSON"),
        ((200, "{}"), "it does not answer as OpenAI's interface does"),
    ],
)
def test_what_fails_once_is_asked_again_and_what_fails_always_is_unanswered(fault, why):
    def answer(body, n):
        text = body["messages"][-1]["content"]
        return fault if text == "never" or (text == "once" and n == 0) else echo(body)

    with serving(answer) as (url, _):
        once, never, other = held(url, ["once", "never", "other"])
    assert (once, other) == ("ONCE", "OTHER")
    assert isinstance(never, Unanswered)
    assert why in never.why


def test_a_server_that_hangs_is_given_up():
    def answer(body, n):
        return HANG if body["messages"][-1]["content"] == "a" else echo(body)

    with serving(answer) as (url, _):
        found = held(url, ["a", "b"], seconds=1.0)
    assert found[1] == "B"
    assert "no complete answer within 1 seconds" in found[0].why


def test_a_server_that_answers_nothing_ends_the_run():
    with serving(lambda body, n: CLOSE) as (url, _), pytest.raises(SpanbridgeError, match="no ans"):
        held(url, ["a", "b"])


def test_parameters_that_a_server_names_are_left_out_by_themselves():
    def answer(body, n):
        if "seed" in body:
            return 400, '{"error": {"message": "Unknown parameter: seed"}}'
        return echo(body)

    with serving(answer) as (url, seen):
        wanted = {"parameters": {"seed": 0, "top": 1}}
        assert held(url, ["a", "b"], optional=("seed",), parallel=1, **wanted) == ["A", "B"]
        assert [sorted(set(body) & {"seed", "top"}) for body in seen] == [
            ["seed", "top"],
            ["top"],
            ["top"],
        ]
        with pytest.raises(SpanbridgeError, match="the option leave_out=seed leaves it out"):
            held(url, ["a"], **wanted)


def test_answers_are_kept_and_survive_an_unfinished_line(tmp_path):
    path = tmp_path / "answers.jsonl"
    with serving(echo) as (url, seen):
        assert held(url, ["a", "b"], store=Store(path)) == ["A", "B"]
        whole = path.read_bytes()
        path.write_bytes(whole[:-5])  # killed while the last line was written
        assert held(url, ["a", "b", "c"], store=Store(path)) == ["A", "B", "C"]
        assert len(seen) == 4
        assert held(url, ["a", "b", "c"], store=Store(path)) == ["A", "B", "C"]
        assert len(seen) == 4
    assert len(Store(path)) == 3
    # also once the server is gone
    assert held(url, ["c"], store=Store(path)) == ["C"]


def test_nothing_of_a_request_is_kept_but_its_digest(tmp_path):
    with serving(lambda body, n: says("1")) as (url, _):
        held(url, ["a secret text"], store=Store(tmp_path / "x.jsonl"))
    assert "secret" not in (tmp_path / "x.jsonl").read_text()


def test_the_same_question_within_a_dialogue_is_another_request(tmp_path):
    def twice():
        first = yield [{"role": "user", "content": "x"}]
        second = yield [{"role": "user", "content": "x"}]
        return first.content, second.content

    with serving(lambda body, n: says(str(n))) as (url, seen):
        for _ in range(2):
            client = ChatClient("m", url, {}, pause=0, store=Store(tmp_path / "x.jsonl"))
            assert client.hold([twice()]) == [("0", "1")]
        assert len(seen) == 2


@pytest.mark.parametrize("parallel", [1, 3])
def test_a_budget_is_exceeded_by_requests_in_flight_at_most(tmp_path, parallel):
    price = Price(1e6, 0)  # 10 for each answer
    with serving(echo) as (url, seen):
        options = {"price": price, "parallel": parallel}
        path = tmp_path / "x.jsonl"
        texts = [str(n) for n in range(30)]
        found = held(url, texts, store=Store(path), budget=55.0, **options)
        n = len(seen)
        assert 6 <= n < 6 + parallel
        assert sum(one == Unanswered("the budget is spent") for one in found) == 30 - n
        # what was spent counts in the next run, and kept answers are free
        assert held(url, texts, store=Store(path), budget=0.0, **options) == found
        assert len(seen) == n
        held(url, texts, store=Store(path), budget=1e4, **options)
        assert len(seen) == 30


def test_usage_that_is_not_counted_is_estimated(tmp_path):
    store = Store(tmp_path / "x.jsonl")
    with serving(lambda body, n: says("1234567", usage=None)) as (url, _):
        held(url, ["abcdefg"], store=store)
    assert (store.sent, store.received) == (4 + 1 + 4 + 2, 2)
    assert [estimated_tokens(text) for text in ("", "a", "abcdefgh")] == [0, 1, 3]


def _put(path, first):
    store = Store(path)
    for n in range(first, first + 200):
        store.put(key_of(n), Answer(f"{n} " * 50, sent=1))


def test_processes_share_a_store(tmp_path):
    path = tmp_path / "x.jsonl"
    context = multiprocessing.get_context("fork")
    at_work = [context.Process(target=_put, args=(path, 200 * k)) for k in range(3)]
    for one in at_work:
        one.start()
    for one in at_work:
        one.join()
    store = Store(path)
    assert (len(store), store.sent) == (600, 600)
    assert store.get(key_of(599)).content == "599 " * 50
    assert store.get(key_of(600)) is None


def test_a_folder_that_cannot_be_written_to(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written to"):
        Store(tmp_path / "file" / "x.jsonl").put(key_of(1), Answer("a"))


@pytest.mark.parametrize(
    ("line", "n"),
    [
        ('{"key": "00", "content": "a"}', 1),
        ('{"key": "zz", "content": "a"}', 0),
        ('{"key": "00"}', 0),
        ('{"key": "00", "content": "a", "sent": []}', 0),
        ("[]", 0),
        ("\x00", 0),
    ],
)
def test_damaged_lines_are_no_answers(tmp_path, line, n):
    (tmp_path / "x.jsonl").write_text(f"{line}\n")
    assert len(Store(tmp_path / "x.jsonl")) == n


@pytest.mark.parametrize(
    ("text", "price"), [("0.15/0.6", (0.15, 0.6)), ("2", (2, 2)), (0.5, (0.5, 0.5))]
)
def test_prices(text, price):
    made = Price.parse(text)
    assert (made.sent, made.received) == price
    assert made.of(1e6, 2e6) == pytest.approx(price[0] + 2 * price[1])


@pytest.mark.parametrize("text", ["cheap", "1/2/3", "-1", "nan", "1/"])
def test_no_prices(text):
    with pytest.raises(SpanbridgeError, match="the price"):
        Price.parse(text)


def test_logprobs_that_make_no_sense_are_none():
    def of(given):
        choice = {"message": {"content": "1"}, "logprobs": given}
        return Answer.of({"choices": [choice]}).logprobs

    assert of({"content": [{"token": "1", "logprob": -0.5}]}) == (("1", -0.5),)
    for wrong in (
        None,
        [],
        {"content": None},
        {"content": [1, {"token": 1}, {"token": "1", "logprob": 2}]},
    ):
        assert of(wrong) == ()


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ('{"choice": 1}', [{"choice": 1}]),
        ('<think>{"choice": 2}</think>```json\n{"choice": 1}\n```', [{"choice": 1}]),
        ('a {b} {"x": {"y": "}"}} c', [{"x": {"y": "}"}}]),
        ("{" * 2000, []),
        ("", []),
    ],
)
def test_objects_in_answers(content, found):
    assert Answer(content).objects() == found
    assert json.loads(json.dumps(found)) == found
