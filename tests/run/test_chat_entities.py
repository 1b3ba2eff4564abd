"""Entity-aligned translation: the chat model says what became of each span, and is checked."""

import json

import pytest
from benchmarks.simulated_model import SimulatedModel
from fake_chat import CLOSE, says, serving

from spanbridge import SpanbridgeError, api
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.formats import read_pairs
from spanbridge.run.config import make_pipeline
from spanbridge.run.memory import in_memory

SOURCE = Sentence(
    ("Anna", "Lee", "met", "Anna", "in", "New", "York", "."),
    (Span(0, 2, "PER"), Span(3, 4, "PER"), Span(5, 7, "LOC"), Span(5, 7, "GPE"), Span(6, 7, "LOC")),
)
PAIR = SentencePair("1", SOURCE, Sentence(()))
TEXT = "In New York traf Anna Lee Anna."
RIGHT = ["Anna Lee", "Anna", "New York", "York"]


def phrases(text, *found):
    told = [{"number": n, "text": phrase} for n, phrase in enumerate(found, 1)]
    return json.dumps({"translation": text, "phrases": told})


def run(url, cache, rows=(PAIR,), **settings):
    options = {"model": "m", "url": url, "cache": str(cache), "pause": 0, "tries": 2}
    step = {"translate-entities": {"translator": {"chat": options}, **settings}}
    made = make_pipeline(
        {
            "input": "in.jsonl",
            "output": "out.jsonl",
            "languages": {"source": "en", "target": "de"},
            "steps": [step],
        }
    )
    steps = made.open()
    found, reports, _ = in_memory(steps, list(rows), fit=True)
    return list(found), reports


def spans(row):
    return [(row.target.text_of(*s[:2]), s.label) for s in row.target.spans]


def told(content):
    return lambda body, n: says(content if "Text: " in body["messages"][1]["content"] else "OK")


def test_spans_are_what_the_model_says_and_stand_in_its_text(tmp_path):
    with serving(told(phrases(TEXT, *RIGHT))) as (url, seen):
        [row], _ = run(url, tmp_path)
        asked = seen[0]["messages"][1]["content"]
        assert asked == (
            "Text: Anna Lee met Anna in New York .\nPhrases:\n"
            "1: Anna Lee\n2: Anna\n3: New York\n4: York"
        )
        assert row.target.text == TEXT
        assert sorted(spans(row)) == [
            ("Anna", "PER"),
            ("Anna Lee", "PER"),
            ("New York", "GPE"),
            ("New York", "LOC"),
            ("York", "LOC"),
        ]
        assert [s.start for s in row.target.spans if row.target.text_of(*s[:2]) == "Anna"] == [6]
        assert (row.status, row.translation_status, row.source) == ("projected", "ok", SOURCE)
        run(url, tmp_path)
        assert len(seen) == 1


@pytest.mark.parametrize(
    ("content", "status", "found"),
    [
        (phrases(TEXT, "Anna Lee", "Bob", "", "York"), "projected", 2),
        (phrases(TEXT, "Anna Lee"), "projected", 1),
        (phrases(TEXT, "", "", "", ""), "empty: no counterpart in the translation", 0),
        ('{"translation": "In New York."}', "failed: translation: its answers could not be", 0),
        ("I am sorry, I cannot help with that.", "failed: translation: its answers", 0),
        (phrases(""), "failed: translation: its answers could not be used", 0),
    ],
)
def test_what_the_model_does_not_say_right(tmp_path, content, status, found):
    with serving(told(content)) as (url, _):
        [row], reports = run(url, tmp_path)
    assert row.status.startswith(status)
    assert len(row.target.spans) == found
    account = reports[0].account
    assert account.n_target_spans + account.dropped.total() == 5
    assert account.notes["requests_to_the_chat_model"] in (1, 2)


def test_a_translation_that_failed_is_not_checked(tmp_path):
    with serving(told("no")) as (url, seen):
        [row], _ = run(url, tmp_path, check=True)
    assert row.status == "failed: translation: its answers could not be used"
    assert len(seen) == 2


def test_what_comes_back_as_another_phrase_is_left_out(tmp_path):
    def answer(body, n):
        asked = body["messages"][1]["content"]
        if asked.startswith("Text: In New"):
            assert "from German (de) into English (en)" in body["messages"][0]["content"]
            return says(
                phrases("x Anna Lee Bob New York York", "Anna Lee", "Bob", "New York", "York")
            )
        return told(phrases(TEXT, *RIGHT))(body, n)

    with serving(answer) as (url, seen):
        [row], reports = run(url, tmp_path, check=True)
    assert len(seen) == 2
    assert ("Anna", "PER") not in spans(row)
    assert reports[0].account.dropped == {"translated back it is another phrase": 1}
    assert {span.score for span in row.target.spans} == {1.0}


LABELS = {"PER": "a person", "LOC": "a place"}
GOLD = [
    SentencePair(
        str(n),
        Sentence((f"Anna{n}", "sees", f"Rome{n}"), (Span(0, 1, "PER"), Span(2, 3, "LOC"))),
        Sentence(("In", f"Rom{n}", "ist", f"Anne{n}"), (Span(3, 4, "PER"), Span(1, 2, "LOC"))),
    )
    for n in range(1, 4)
]


def test_one_call_translates_and_labels(tmp_path):
    bare = [row._replace(source=row.source.with_spans(()), target=Sentence(())) for row in GOLD]
    with serving(SimulatedModel(GOLD, right=1 - 1e-9)) as (url, seen):
        found, reports = run(url, tmp_path, bare, labels=LABELS)
        assert len(seen) == 3
        checked, _ = run(url, tmp_path, bare, labels=LABELS, check=True)
        assert len(seen) == 6
    for rows in (found, checked):
        assert [row.source.words for row in rows] == [row.source.words for row in GOLD]
        assert [{s[:3] for s in row.source.spans} for row in rows] == [
            {s[:3] for s in row.source.spans} for row in GOLD
        ]
        assert api.evaluate(GOLD, rows).micro.f1 == 1
    assert reports[0].account.statuses == {"projected": 3}


def test_make_data_by_one_call_each(tmp_path, write, command):
    write("en.txt", "".join(" ".join(row.source.words) + "\n" for row in GOLD))
    write("labels.yaml", "PER: a person\nLOC: a place\n")
    with serving(SimulatedModel(GOLD, right=1 - 1e-9)) as (url, seen):
        chat = ["--translator", "chat", "--translator-model", "m", f"--translator-option=url={url}"]
        chat += [f"--translator-option=cache={tmp_path}/kept", "--entities"]
        line = "make-data en.txt --from en --to de -o data".split()
        command(*line, *chat, "--labels", "labels.yaml")
        assert len(seen) == 3
        assert api.evaluate(GOLD, list(read_pairs(tmp_path / "data/train.jsonl"))).micro.f1 == 1
        said = command(*line, *chat, "--method", "corpus", code=2).stderr
        assert "--entities needs no projection; leave --method out" in said
        said = command(*line, "--check", code=2).stderr
        assert "--check goes with --entities" in said


@pytest.mark.slow
def test_tag_label_and_translate_test_by_a_chat_tagger(tmp_path, write, command):
    """One tagger in `tag`, in `label` on the text, and in `label` on its translation."""
    write("en.txt", "".join(" ".join(row.source.words) + "\n" for row in GOLD))
    write("de.txt", "".join(" ".join(row.target.words) + "\n" for row in GOLD))
    pairs = [(" ".join(row.target.words), " ".join(row.source.words)) for row in GOLD]
    write("de-en.tsv", "".join(f"{text}\t{other}\n" for text, other in pairs))
    write("labels.tsv", "PER\ta person\nLOC\ta place\n")
    with serving(SimulatedModel(GOLD, right=1 - 1e-9)) as (url, seen):
        chat = ["--tagger", "chat", "--model", "m", "--tagger-option", "labels=labels.tsv"]
        chat += [f"--tagger-option=url={url}", f"--tagger-option=cache={tmp_path}/kept"]
        told = command(*"tag --source en.txt -o en.jsonl".split(), *chat).stderr
        assert "3 requests to the chat model" in told
        tagged = list(read_pairs(tmp_path / "en.jsonl"))
        assert [{s[:3] for s in row.source.spans} for row in tagged] == [
            {s[:3] for s in row.source.spans} for row in GOLD
        ]
        command(*"label de.txt -o de.jsonl --no-split".split(), *chat)
        assert len(seen) == 6
        assert api.evaluate(GOLD, list(read_pairs(tmp_path / "de.jsonl"))).micro.f1 == 1
        line = (
            "label de.txt -o back.jsonl --from de --translate --translations de-en.tsv --no-split"
        )
        command(*line.split(), "--method", "heuristic", *chat)
        assert len(seen) == 6  # the sources were tagged before
        found = list(read_pairs(tmp_path / "back.jsonl"))
        assert [{s[:3] for s in row.source.spans} for row in found] == [
            {s[:3] for s in row.source.spans} for row in GOLD
        ]
        said = command(*line.split(), "--method", "chat", code=2).stderr
        assert "--method chat needs the name of a model" in said


def test_a_sentence_that_was_not_read_is_named_in_its_text_and_asked_again(
    tmp_path, write, command
):
    broken = [True]

    def answer(body, n):
        text = body["messages"][1]["content"]
        if "Bob" in text and broken[0]:
            return 500, "crash"
        names = [name for name in ("Anna", "Bob") if name in text]
        return says(json.dumps({"entities": [{"text": t, "label": "PER"} for t in names]}))

    write("t.txt", "Anna left home early. Bob left home too.\nBob stays.\n")
    write("labels.yaml", "PER: a person\n")
    with serving(answer) as (url, seen):
        line = "label t.txt -o t.jsonl --tagger chat --model m".split()
        options = {"url": url, "labels": "labels.yaml", "cache": f"{tmp_path}/kept"}
        options |= {"pause": 0, "tries": 1}
        line += [f"--tagger-option={name}={value}" for name, value in options.items()]
        failed = "failed: tagging: the chat model: the server: it answers 500"
        said = command(*line).stderr
        assert failed in said
        first, second = read_pairs(tmp_path / "t.jsonl")
        assert (first.status, first.rejected_sentences) == (None, (failed,))
        assert [first.target.text_of(*s[:2]) for s in first.target.spans] == ["Anna"]
        assert (second.status, second.target.spans) == (failed, ())
        broken[0], n = False, len(seen)
        command(*line)  # the shard is made again
        assert len(seen) == n + 2
        first, second = read_pairs(tmp_path / "t.jsonl")
        assert [len(row.target.spans) for row in (first, second)] == [2, 1]
        assert (first.status, first.rejected_sentences, second.status) == (None, None, None)


def test_an_ensemble_keeps_what_was_projected_where_the_tagger_gave_no_answer(tmp_path):

    def answer(body, n):
        return says("no idea") if "Rom1" in json.dumps(body) else says('{"entities": []}')

    with serving(answer) as (url, _):
        chat = {"model": "m", "url": url, "cache": str(tmp_path), "pause": 0, "labels": LABELS}
        step = {"ensemble": {"tagger": {"chat": chat}, "weight": 0.1}}
        steps = make_pipeline({"input": "i.jsonl", "output": "o.jsonl", "steps": [step]}).open()
        found, reports, _ = in_memory(steps, GOLD, fit=False)
    assert {span[:3] for span in found[0].target.spans} == {(3, 4, "PER"), (1, 2, "LOC")}
    assert [row.target.spans for row in found[1:]] == [(), ()]
    why = "rows that the tagger did not read: the chat model: its answers could not be used"
    assert reports[0].account.notes[why] == 1


def test_other_translators_say_nothing_of_entities(tmp_path):
    (tmp_path / "t.tsv").write_text("a\tb\n")
    step = {"translate-entities": {"translator": {"given": {"model": str(tmp_path / "t.tsv")}}}}
    made = make_pipeline(
        {
            "input": "in.jsonl",
            "output": "out.jsonl",
            "languages": {"source": "en", "target": "de"},
            "steps": [step],
        }
    )
    with pytest.raises(SpanbridgeError, match="given gives translations alone"):
        made.open()
    with serving(lambda body, n: CLOSE) as (url, _), pytest.raises(SpanbridgeError, match="no ans"):
        run(url, tmp_path)
