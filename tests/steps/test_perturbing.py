"""The step that perturbs: the same words whatever the batch, the shards and the face."""

import json

import pytest

from spanbridge import InputError, SentencePair, Span, WordAlignment, perturb, read_labelled
from spanbridge.api import Loaded
from spanbridge.core.spans import Sentence
from spanbridge.perturbation.letters import Typos
from spanbridge.run.config import make_pipeline
from spanbridge.run.shards import run as run_shards
from spanbridge.steps.account import Account
from spanbridge.steps.base import Context
from spanbridge.steps.perturbing import Perturb

GOLD = "".join(
    f"{name}\tB-PER\nLima\tI-PER\nsaw\tO\nRio\tB-LOC\n.\tO\n\n"
    for name in ("Ana", "Bo", "Caro", "Dan", "Eva", "Finn", "Gus", "Hanna")
)


def rows(n=12):
    made = []
    for k in range(n):
        words = (f"Ana{k}", "Lima", "met", "Bo", ".")
        spans = (Span(0, 2, "PER"), Span(3, 4, "PER"))
        links = WordAlignment.of([(i, i) for i in range(5)], 5, 5)
        target = Sentence(("A", "L", "traf", "B", "."), (Span(0, 2, "PER"),))
        made.append(SentencePair(str(k), Sentence(words, spans), target, links))
    return made


def work(batch, **settings):
    step = Perturb(**settings)
    step.open(Context())
    account = Account()
    return list(step.run(batch, account)), account


def test_a_row_does_not_depend_on_its_place():
    settings = {"kind": "typos", "strength": 0.4, "seed": 7}
    together, _ = work(rows(), **settings)
    alone = [work([row], **settings)[0][0] for row in reversed(rows())]
    assert alone[::-1] == together
    assert together == work(rows(), **{**settings, "kind": Typos()})[0]
    assert together != work(rows(), **{**settings, "seed": 8})[0]


@pytest.mark.parametrize("kind", ["typos", "ocr", "casing", "social"])
def test_what_a_strength_changes_a_greater_one_changes_too(kind):
    """Words that are changed stay changed, and names without an edit of their own stay whole."""
    few, many = (work(rows(), kind=kind, strength=s)[0] for s in (0.1, 0.3))
    for row, weak, strong in zip(rows(), few, many, strict=True):
        for before, a, b in zip(*(pair.source.words for pair in (row, weak, strong)), strict=True):
            assert a == before or b != before
    assert sum(a != b for a, b in zip(few, many, strict=True)) > 2


def test_what_was_said_of_the_words_is_gone():
    (row, *_), account = work([rows()[0]._replace(provenance="project")], kind="casing", strength=1)
    assert row.links is None
    assert row.target.spans == ()
    assert account.notes["rows_whose_earlier_result_no_longer_holds"] == 1
    target, _ = work(
        [rows()[0]._replace(provenance="project")], kind="casing", strength=1, side="target"
    )
    assert target[0].target.spans == (Span(0, 2, "PER"),)
    assert target[0].source == rows()[0].source


def test_every_row_is_counted():
    batch = [*rows(), SentencePair("x", Sentence(("7",)), Sentence(()))]
    same, account = work(batch, kind="casing", strength=0)
    assert same == batch
    assert account.statuses == {
        "left as they are at this strength": 12,
        "without anything that casing could change": 1,
    }
    _, account = work(batch, kind="casing", strength=1)
    assert account.statuses["perturbed"] == 12
    assert account.notes["places changed"] == 12 * 3


def test_rows_that_come_after_are_of_the_sample_and_bring_all():
    made = perturb(rows(6), {"concatenation": {"rows": 2}}, strength=1)
    for before, row in zip(rows(6), made, strict=True):
        assert row.id == before.id
        assert row.source.words[:5] == before.source.words
        assert len(row.source.words) == len(row.target.words) == 15
        assert [span.start for span in row.source.spans] == [0, 3, 5, 8, 10, 13]
        assert row.links.pairs == tuple((i, i) for i in range(15))
        assert row.source.words[5:10] != before.source.words
    assert "learned_on:6_rows" in made.signature
    (alone,) = perturb(rows(1), "concatenation", strength=1)
    assert alone == rows(1)[0]


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"kind": "names"}, "whose names"),
        ({"kind": "concatenation", "where": "spans"}, "changes whole rows"),
        ({"kind": {"typos": {"layout": "x"}}}, "no layout is named"),
    ],
)
def test_wrong_settings(settings, why):
    with pytest.raises(InputError, match=why):
        Loaded([{"perturb": settings}])


@pytest.mark.parametrize("kind", ["typos", "names", "concatenation"])
def test_command_pipeline_and_python_give_the_same_bytes(command, write, tmp_path, kind):
    gold = write("gold.conll", GOLD)
    command("perturb", gold, "a.conll", "--kind", kind, "--strength", 0.5, "--language", "sw", "-q")
    step = {"perturb": {"kind": kind, "strength": 0.5}}
    shared = {"input": gold, "side": "source", "output_side": "source"}
    spoken = {"languages": {"source": "sw"}, "steps": [step], "shard_rows": 3}
    job = make_pipeline({**shared, **spoken, "output": str(tmp_path / "b.conll")}).job()
    run_shards(job)
    read = read_labelled(gold)
    perturb(read, kind, strength=0.5, language="sw").save(tmp_path / "c.conll", side="source")
    made = [(tmp_path / name).read_bytes() for name in ("a.conll", "b.conll", "c.conll")]
    assert made[0] == made[1] == made[2] != GOLD.encode()
    lines = [json.loads((tmp_path / f"{n}.conll.run.json").read_text())["signature"] for n in "ab"]
    assert lines[0] == lines[1]
    assert f"kind:{kind}" in lines[0]


def test_raw_text_is_read_again_as_it_was_written(command, write, tmp_path):
    text = "Ana Lima, of Rio, met Bo."
    spans = [{"start": 0, "end": 8, "label": "PER"}, {"start": 13, "end": 16, "label": "LOC"}]
    given = write("in.jsonl", json.dumps({"source_text": text, "source_spans": spans}) + "\n")
    command("perturb", given, "out.jsonl", "--kind", "punctuation", "--strength", 1)
    row = json.loads((tmp_path / "out.jsonl").read_text())
    assert row["source_text"] == "Ana Lima of Rio met Bo"
    assert [(s["start"], s["end"]) for s in row["source_spans"]] == [(0, 8), (12, 15)]
    assert "source_word_offsets" not in row


def test_code_switching_wants_links(command, write):
    write("gold.conll", GOLD)
    said = command("perturb", "gold.conll", "o.conll", "--kind", "code-switching", code=2)
    assert "needs links, target_words" in said.stderr
