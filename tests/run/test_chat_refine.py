"""Refining by a chat model, from end to end, against a fake server: no model runs here."""

import json
import re

import pytest
import yaml
from chat_rows import CHEAP, GIVEN, RIGHT, ROWS, places, refined
from fake_chat import question, same_words, says, serving
from toy_bitext import rows

from spanbridge import SpanbridgeError, api
from spanbridge.core.links import WordAlignment
from spanbridge.formats import read_pairs
from spanbridge.projection.method import Method, Projection


@pytest.mark.parametrize("way", ["choose", "insert"])
def test_doubtful_spans_are_asked_about_and_no_others(tmp_path, way):
    with serving(same_words) as (url, seen):
        found = refined(url, tmp_path, way=way)
    assert places(found) == RIGHT
    assert len(seen) == 4
    assert {re.search(r"Anna(\d)", question(body))[1] for body in seen} == set("1357")
    shown = [m["content"] for m in seen[0]["messages"][1:-1:2]]
    assert len(shown) == 4
    assert all(re.search(r"Anna[0246]", text) for text in shown)  # from the surest rows
    assert (
        found.account.to_dict()
        | {
            "spans_asked_of_the_chat_model": 4,
            "spans_that_the_chat_model_moved": 4,
            "requests_to_the_chat_model": 4,
            "tokens_sent_to_the_chat_model": 40,
            "tokens_received_from_the_chat_model": 8,
            "target_spans": 16,
        }
        == found.account.to_dict()
    )
    assert found.account.calibration == "uncalibrated: nothing is known of the method chat"
    sure = api.project(ROWS, "soft", links="only", least_parallel=0.0)
    assert list(found)[0::2] == list(sure)[0::2]


def answers(content):
    """A server that always says this, but to the harmless request."""

    def answer(body, n):
        asked = "\nTranslation: " in json.dumps(body["messages"]).replace("\\n", "\n")
        return says(content) if asked else says("OK")

    return answer


@pytest.mark.parametrize(
    ("way", "content"),
    [
        ("choose", '{"choice": 9}'),
        ("choose", "I like the second."),
        ("choose", ""),
        ("insert", '{"text": "<e1>Anna</e1> another text", "absent": []}'),
        ("insert", '{"text": "Anna1", "absent": ['),
    ],
)
def test_answers_that_cannot_be_used_leave_the_cheap_result(tmp_path, way, content):
    with serving(answers(content)) as (url, seen):
        found = refined(url, tmp_path, way=way, tries=2)
        assert places(found) == CHEAP
        told = {"spans left as they were, unanswered: its answers could not be used": 4}
        assert found.account.to_dict() | told == found.account.to_dict()
        assert len(seen) == 8
        again = refined(url, tmp_path, way=way, tries=2)
        assert len(seen) == 8  # wrong answers are kept, too
        assert list(again) == list(found)
        assert again.account == found.account


def choosing_none(content):
    """A server that chooses no candidate, and says this where it is to insert tags."""

    def answer(body, n):
        return says(content if "<e" in question(body) else '{"choice": 0}')

    return answer


def test_none_takes_a_span_away_with_the_reason(tmp_path):
    def absent(body, n):
        text = question(body).rpartition(": ")[2]
        return says(json.dumps({"text": text, "absent": [1]} if "<e" in question(body) else NONE))

    with serving(absent) as (url, seen):
        found = refined(url, tmp_path)
    assert len(seen) == 8  # which candidate, and once more without any
    assert places(found)[:2] == [RIGHT[0], [(3, 4, "LOC")]]
    assert found.account.dropped == {"the chat model found no counterpart": 4}
    assert found.account.notes["spans_that_the_chat_model_took_away"] == 4
    assert found.account.notes["spans_for_which_the_chat_model_chose_no_candidate"] == 4


NONE = {"choice": 0}


def test_where_no_candidate_is_right_the_model_inserts(tmp_path):
    def answer(body, n):
        return same_words(body) if "<e" in question(body) else says(json.dumps(NONE))

    with serving(answer) as (url, seen):
        found = refined(url, tmp_path)
    assert places(found) == RIGHT
    assert found.account.notes["requests_to_the_chat_model"] == len(seen) == 8


def test_none_that_cannot_be_confirmed_leaves_the_cheap_result(tmp_path):
    with serving(choosing_none("no idea")) as (url, _):
        found = refined(url, tmp_path, tries=1)
    assert places(found) == CHEAP
    told = "spans left as they were, unanswered: its answers could not be used"
    assert found.account.notes[told] == 4


def test_spans_without_candidates_are_asked_about_too(tmp_path):
    """Nothing is linked with the person's words, so that the matcher has nothing to offer."""
    bare = [
        pair._replace(links=WordAlignment.of([(2, 2), (3, 3)], 4, 4) if n % 2 else pair.links)
        for n, pair in enumerate(ROWS)
    ]
    given = {**GIVEN, "below": 0.5}
    cheap = [[(3, 4, "LOC")] if n % 2 else RIGHT[0] for n in range(8)]
    with serving(same_words) as (url, seen):
        chat = {"model": "m", "url": url, "cache": str(tmp_path), "pause": 0}
        # to find a span is worth as much as to mend half of one: not below 0.5
        assert places(api.project(bare, "greedy", refine={"chat": chat}, **given)) == cheap
        assert not seen
        given["below"] = 0.8
        found = api.project(bare, "greedy", refine={"chat": chat}, **given)
    assert places(found) == RIGHT
    assert len(seen) == 4
    assert all("<e1>" in question(body) and "[[" not in question(body) for body in seen)


def test_a_model_is_not_believed_where_the_method_is_surer(tmp_path):
    """By hand: p of the cheap place times (1 - r) / n against (1 - p) / n times r."""
    cheap = api.project(ROWS, "soft", links="only", least_parallel=0.0)[1].target.spans[0].score
    with serving(same_words) as (url, _):
        for r, moved in ((cheap + 0.01, 4), (cheap - 0.01, 0)):
            found = refined(url, tmp_path, reliability=r)
            assert found.account.notes.get("spans_that_the_chat_model_moved", 0) == moved
            notes = found.account.notes
            told = notes.get("spans_in_which_the_chat_model_was_less_sure_than_the_method", 0)
            assert told == 4 - moved
            assert places(found) == (RIGHT if moved else CHEAP)


def test_a_place_that_crosses_a_surer_span_is_not_taken(tmp_path):
    text = "<e1>Anna{0} Lee{0} sieht Rome{0}</e1>"

    def answer(body, n):
        number = re.search(r"Anna(\d)", question(body))[1]
        return says(json.dumps({"text": text.format(number), "absent": []}))

    with serving(answer) as (url, _):
        assert places(refined(url, tmp_path, way="insert")) == CHEAP


def test_confidence_of_answers(tmp_path):
    """By hand: the cheap result had p, one of n other places (1 - p) / n."""
    logprobs = [('{"choice": ', 0.0), ("1", -0.6931471805599453), ("}", 0.0)]

    def first(body, n):
        return says('{"choice": 1}', logprobs=logprobs)

    cheap = api.project(ROWS, "soft", links="only", least_parallel=0.0)[1].target.spans[0]
    with serving(first) as (url, seen):
        found = refined(url, tmp_path)[1].target.spans[0]
    n = question(seen[0]).count("\n") - 2
    p, right = cheap.score, 0.5
    expected = p * right / (p * right + (1 - p) * (1 - right) / n)
    assert found[:3] == cheap[:3] == (0, 1, "PER")
    assert found.score == pytest.approx(expected, abs=1e-4)
    assert found.score > cheap.score  # both agree
    with serving(same_words) as (url, _):
        other = refined(url, tmp_path / "other")[1].target.spans[0]
    p, right = (1 - cheap.score) / n, 0.9
    expected = p * right / (p * right + (1 - p) * (1 - right) / n)
    assert other.score == pytest.approx(expected, abs=1e-4)


class _Nothing(Method):
    """A method of one's own, which has no candidates."""

    name, reads = "nothing", "nothing"

    def describe(self):
        return "nothing"

    def project(self, rows):
        return [Projection((), tuple((span, "lost") for span in p.source.spans)) for p, _ in rows]


def test_a_method_without_candidates_can_insert_only(tmp_path):
    with pytest.raises(SpanbridgeError, match="'nothing' has no candidates .* the way insert"):
        refined("http://localhost:1/v1", tmp_path, _Nothing(), {})
    with serving(same_words) as (url, _):
        assert places(refined(url, tmp_path, _Nothing(), {}, way="insert")) == RIGHT


def test_command_pipeline_and_python_give_the_same_bytes(chat_files, tmp_path, command):
    with serving(same_words) as (url, seen):
        options = {"model": "m", "url": url, "cache": str(tmp_path / "kept")}
        flags = [f"--refine-option={k}={v}" for k, v in options.items()]
        said = command(
            *"project --source s.conll --target t.txt --links l.pharaoh --method soft".split(),
            *"--least-parallel 0 --refine chat --below 0.95 --price 1000/2000".split(),
            *flags,
            *("-o", "c.jsonl"),
        ).stderr
        assert re.search(
            r"project: about 4 requests to m@http://\S+, [\d,]+ tokens sent and 40 received, "
            r"[\d.]+ by the price given; answers that are kept",
            said,
        )
        assert said.index("about 4 requests") < said.index("4 requests to the chat model")
        refine = {"chat": {**options, "price": "1000/2000"}}
        step = {"project": {"method": "soft", "refine": refine, **GIVEN}}
        for size in (3, 100):
            given = {
                "input": {"source": "s.conll", "target": "t.txt", "links": "l.pharaoh"},
                "output": f"p{size}.jsonl",
                "steps": [step],
                "shard_rows": size,
            }
            (tmp_path / "p.yaml").write_text(yaml.safe_dump(given))
            command("run", "p.yaml")
        assert len(seen) == 4  # all others were kept
        pairs = read_pairs(tmp_path / "s.conll", tmp_path / "t.txt", links=tmp_path / "l.pharaoh")
        api.project(pairs, "soft", refine=refine, **GIVEN).save(tmp_path / "a.jsonl")
    files = [(tmp_path / f"{name}.jsonl").read_bytes() for name in ("c", "p3", "p100", "a")]
    assert len(set(files)) == 1
    told = [
        json.loads((tmp_path / f"{name}.jsonl.run.json").read_text())
        for name in ("c", "p3", "p100", "a")
    ]
    assert len({one["signature"] for one in told}) == 1
    assert [s["start"] for s in rows(str(tmp_path / "c.jsonl"))[1]["target_spans"]] == [0, 3]


def test_the_method_chat_asks_about_all_and_a_fit_keeps_it(chat_files, tmp_path, command):
    with serving(same_words) as (url, seen):
        options = {"model": "m", "url": url, "cache": str(tmp_path / "kept"), "base": "soft"}
        chat = api.Projector({"chat": options}, links="only", least_parallel=0.0)
        assert places(chat.fit_run(ROWS)) == RIGHT
        assert len(seen) == 16
        chat.save(tmp_path / "fit")
        again = api.Projector.load(tmp_path / "fit", links="only", least_parallel=0.0)
        assert places(again.run(ROWS)) == RIGHT
        assert len(seen) == 16


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"refine": {"chat": {}}}, "model: is missing|model"),
        ({"refine": "greedy"}, "base|below"),
        ({"below": 0.5}, "below does nothing without refine"),
        ({"refine": {"chat": {"model": "m", "budget": 1.0}}}, "needs the price"),
        ({"refine": {"chat": {"model": "m", "price": "a"}}}, "is not SENT/RECEIVED"),
        ({"refine": {"chat": {"model": "m", "options": 1}}}, "out of range"),
        ({"refine": {"chat": {"model": "m", "way": "guess"}}}, "choose"),
        ({"refine": {"chat": {"model": "m", "url": "x"}}}, "no http address"),
        ({"method": {"chat": {"model": "m", "base": "chat"}}}, "base: asks a model itself"),
        ({"method": {"chat": {"model": "m", "base": 3}}}, "base: a method is written as NAME"),
        ({"method": {"chat": {"model": "m", "base": {"corpus": 3}}}}, "written as NAME or as"),
        (
            {"method": {"chat": {"model": "m", "base": {"greedy": {"n_proj": "x"}}}}},
            "method: chat: base: greedy: n_proj: must be a whole number, not 'x'",
        ),
        ({"method": {"chat": {"model": "m", "base": "codec"}}}, "no candidates .* way insert"),
        (
            {"method": {"chat": {"model": "m", "base": "codec", "way": "insert"}}},
            "'codec' needs a translator that was trained on marks",
        ),
        ({"refine": {"chat": {"model": "m", "base": "soft"}}}, "base is what method says"),
    ],
)
def test_refusals(settings, why):
    with pytest.raises(SpanbridgeError, match=why):
        api.Projector(**settings)


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        (["--below", "0.5"], "--below and --refine-option do nothing without --refine"),
        (["--budget", "1"], "--price and --budget go with --refine chat or --method chat"),
        (["--refine", "chat"], "model"),
    ],
)
def test_refusals_of_the_command(chat_files, command, flags, why):
    line = "project --source s.conll --target t.txt -o o.jsonl --method soft".split()
    assert why in command(*line, *flags, code=2).stderr


def test_the_key_is_sent_and_never_shown(chat_files, tmp_path, command, monkeypatch):
    monkeypatch.setenv("SPANBRIDGE_CHAT_KEY", "s3cret-of-mine")
    with serving(lambda body, n: (401, "no right: s3cret-of-mine")) as (url, _):
        line = "project --source s.conll --target t.txt --links l.pharaoh --method soft".split()
        options = (f"--refine-option=url={url}", "--refine-option=model=m")
        said = command(
            *line, "--refine", "chat", "--below", "0.95", *options, "-o", "o.jsonl", code=2
        ).stderr
    assert "it answers 401: no right: ***" in said
    assert "s3cret" not in said
