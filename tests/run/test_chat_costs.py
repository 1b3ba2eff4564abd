"""What asking a chat model costs: told before, held within a budget, and paid once."""

import json
import multiprocessing
import os
import re

import pytest
import yaml
from chat_rows import CHEAP, GIVEN, RIGHT, ROWS, places, refined
from fake_chat import CLOSE, same_words, says, serving
from toy_bitext import rows

from spanbridge import api
from spanbridge.chat.store import estimated_tokens
from spanbridge.run.memory import Loaded
from spanbridge.tagging.chat_tagger import PROMPT

LABELS = {"PER": "a person"}
FORECAST = re.compile(
    r"^(\S+): about ([\d,]+) requests to m@\S+, ([\d,]+) tokens sent and ([\d,]+) received",
    re.MULTILINE,
)


def foretold(said):
    """Steps with the requests and tokens that they will take, in the order in which they said."""
    numbers = [[one.replace(",", "") for one in found] for found in FORECAST.findall(said)]
    return [(name, *map(int, rest)) for name, *rest in numbers]


def names(body, n=0):
    """A model that tags each word that begins in upper case, and translates by upper case."""
    system, text = (message["content"] for message in body["messages"][:2])
    if system.startswith("Translate"):
        return says(json.dumps({"translation": text.upper()}))
    words = [word for word in text.split()[1:] if word.istitle()]
    return says(json.dumps({"entities": [{"text": word, "label": "PER"} for word in words]}))


@pytest.fixture
def texts(write):
    """Three texts, and a file of labels."""
    write("t.txt", "Anna left\nBob stays here\nCarl\n")
    write("l.yaml", "PER: a person\n")


def chat(url, tmp_path, **more):
    return {"model": "m", "url": url, "cache": f"{tmp_path}/kept", **more}


def test_tagging_says_before_what_it_will_cost(texts, tmp_path, command):
    """By hand: a request has two messages, with four tokens each beside their texts."""
    system = 4 + estimated_tokens(PROMPT.format(labels="- PER: a person"))
    lines = ("Anna left", "Bob stays here", "Carl")
    sent = sum(system + 4 + estimated_tokens(f"Text: {line}") for line in lines)
    received = sum(10 + estimated_tokens(line) for line in lines)
    with serving(names) as (url, seen):
        options = chat(url, tmp_path, labels="l.yaml", price="1000/2000", budget=100)
        flags = [f"--tagger-option={k}={v}" for k, v in options.items() if k != "model"]
        said = command(
            *"tag --source t.txt --tagger chat --model m -o o.jsonl".split(), *flags
        ).stderr
        assert foretold(said) == [("tag", 3, sent, received)], said
        money = (1000 * sent + 2000 * received) / 1e6
        assert f", {money:,.4g} by the price given (the budget is 100)" in said
        assert said.index("about 3 requests") < said.index("3 requests to the chat model")
        assert len(seen) == 3
        assert not foretold(
            command(
                *"tag --source t.txt --tagger chat --model m -o p.jsonl -q".split(), *flags
            ).stderr
        )


def test_a_bound_on_probabilities_that_there_are_none_of_is_refused(texts, command):
    """Before anything is asked, whatever the option is called."""
    chat = "--tagger chat --model m --labels l.yaml --tagger-option url=http://127.0.0.1:9/v1"
    for line in ("tag --source t.txt --min-score 0.5", "label t.txt --min-confidence 0.5"):
        said = command(*line.split(), *chat.split(), "-o", "o.jsonl", code=2).stderr
        assert "the tagger chat gives no probabilities, so that no span is below 0.5" in said
        assert not foretold(said)


@pytest.mark.parametrize("workers", [1, 2])
def test_each_step_of_a_run_says_once_what_it_will_cost(texts, tmp_path, command, workers):
    """Also where shards are made by workers; and with the rows that the step before has made."""
    with serving(names) as (url, seen):
        given = {
            "input": "t.txt",
            "languages": {"source": "en", "target": "de"},
            "output": "o.jsonl",
            "work": "work",
            "shard_rows": 1,
            "workers": workers,
            "steps": [
                {"translate": {"translator": {"chat": chat(url, tmp_path)}}},
                {"tag": {"tagger": {"chat": chat(url, tmp_path, labels=LABELS)}}},
            ],
        }
        (tmp_path / "p.yaml").write_text(yaml.safe_dump(given))
        said = command("run", "p.yaml").stderr
        assert [told[:2] for told in foretold(said)] == [("translate", 3), ("tag", 3)]
        assert len(seen) == 6
        assert not foretold(command("run", "p.yaml").stderr)  # nothing is left to ask


def test_a_check_of_entities_counts_twice_and_nothing_is_noted(tmp_path):
    """What is counted leaves no trace in the account, nor in what is asked."""
    told = []

    def progress(items, task):
        told.append(task.text(0.0))
        return items

    with serving(lambda body, n: says("no")) as (url, _):
        for check, n in ((False, 8), (True, 16)):
            translator = {"chat": chat(url, tmp_path, tries=1)}
            step = {"translate-entities": {"translator": translator, "check": check}}
            loaded = Loaded([step], {"source": "en", "target": "de"})
            del told[:]
            found = loaded.run(ROWS, progress=progress)
            [(name, requests, sent, received)] = foretold("\n".join(told))
            assert (name, requests) == ("translate-entities", n)
            assert sent > received > 10 * n
            assert found.account.n_rows == 8
    notes = found.account.notes
    assert notes["requests_to_the_chat_model"] == 8  # nothing was translated to be checked


def test_rows_of_a_long_input_stand_for_all(tmp_path, monkeypatch):
    monkeypatch.setattr("spanbridge.run.costs.LOOKED_AT", 2)
    monkeypatch.setattr("spanbridge.run.stream.LOOKED_AT", 2)
    told = []

    def progress(items, task):
        told.append(task.text(0.0))
        return items

    with serving(names) as (url, seen):
        tagger = {"chat": chat(url, tmp_path, labels=LABELS)}
        api.tag(ROWS, tagger, progress=progress)
    [(_, requests, sent, _)] = foretold("\n".join(told))
    assert requests == len(seen) == 8
    one = 8 + estimated_tokens(PROMPT.format(labels="- PER: a person"))
    assert sent == 8 * (one + estimated_tokens("Text: Anna0 Lee0 sees Rome0"))


def test_what_was_fitted_is_foretold_of_other_rows(tmp_path):
    told = []

    def progress(items, task):
        told.append(task.text(0.0))
        return items

    with serving(same_words) as (url, _):
        options = {**chat(url, tmp_path), "base": "soft", "below": 0.95}
        fitted = api.Projector({"chat": options}, links="only", least_parallel=0.0)
        fitted.fit(ROWS)
        fitted.run(ROWS[:2], progress=progress)
    assert [one[:2] for one in foretold("\n".join(told))] == [("project", 1)]


def test_a_budget_stops_and_the_next_run_goes_on(tmp_path):
    price = {"price": "1000000/0", "parallel": 1}
    with serving(same_words) as (url, seen):
        found = refined(url, tmp_path, budget=15.0, **price)
        assert len(seen) == 2
        assert places(found) == [*RIGHT[:4], *CHEAP[4:]]
        assert found.account.notes["spans left as they were, unanswered: the budget is spent"] == 2
        again = refined(url, tmp_path, budget=15.0, **price)
        assert (len(seen), list(again)) == (2, list(found))
        assert places(refined(url, tmp_path, budget=100.0, **price)) == RIGHT
        assert len(seen) == 4
        zero = refined(url, tmp_path, budget=0.0, **price)
    assert places(zero) == RIGHT


def test_a_shard_with_unanswered_questions_is_made_again(chat_files, tmp_path, command):
    broken = [True]

    def answer(body, n):
        if broken[0] and "Anna3" in body["messages"][-1]["content"]:
            return 500, "crash"
        return same_words(body)

    with serving(answer) as (url, seen):
        chat = {"model": "m", "url": url, "cache": str(tmp_path / "kept"), "pause": 0, "tries": 1}
        given = {
            "input": {"source": "s.conll", "target": "t.txt", "links": "l.pharaoh"},
            "output": "p.jsonl",
            "work": "work",
            "steps": [{"project": {"method": "soft", "refine": {"chat": chat}, **GIVEN}}],
            "shard_rows": 2,
        }
        (tmp_path / "p.yaml").write_text(yaml.safe_dump(given))
        command("run", "p.yaml")
        first = rows(str(tmp_path / "p.jsonl"))
        assert first[3]["target_spans"][0]["end"] == 1
        broken[0], n = False, len(seen)
        command("run", "p.yaml")
        assert len(seen) == n + 1
        assert [one["target_spans"][0]["end"] for one in rows(str(tmp_path / "p.jsonl"))] == [2] * 8


def _until_killed(url, cache):
    refined(url, cache, parallel=1)


@pytest.mark.slow
def test_killed_and_run_again_nothing_is_asked_twice(tmp_path):
    process = []

    def answer(body, n):
        if len(process) == 1 and len(seen) == 3:
            os.kill(process[0].pid, 9)
            process.append("killed")
            return CLOSE
        return same_words(body)

    with serving(answer) as (url, seen):
        one = multiprocessing.get_context("spawn").Process(
            target=_until_killed, args=(url, tmp_path)
        )
        process.append(one)
        one.start()
        one.join()
        assert one.exitcode == -9
        assert len(seen) == 3
        assert places(refined(url, tmp_path, parallel=1)) == RIGHT
        assert len(seen) == 5
