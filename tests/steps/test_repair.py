"""Repair of text that was encoded twice, and the way back to the text as it was given."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanbridge.api import Loaded
from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.formats import read_rows, write_pairs
from spanbridge.formats.base import Counts, Reading
from spanbridge.formats.encoding import WAY_OUT
from spanbridge.formats.jsonl import RowReader
from spanbridge.formats.languages import find_language
from spanbridge.formats.tokens import raw_sentence
from spanbridge.run.reports import StepReport
from spanbridge.run.result import whole_account
from spanbridge.steps.account import Account
from spanbridge.steps.base import Context
from spanbridge.steps.raw_text import in_plain_words
from spanbridge.steps.repair import Repair, Restore, as_given

CONTEXT = Context({"target": find_language("es"), "source": find_language("en")})
POST = "La España de Álvaro en Córdoba. Vino Björk."


def again(text, by="cp1252"):
    """The text encoded twice, as lenient programs do it."""
    found = (bytes([byte]).decode(by, "replace") for byte in text.encode())
    return "".join(
        chr(byte) if char == "\ufffd" else char
        for byte, char in zip(text.encode(), found, strict=True)
    )


def pair(text):
    return SentencePair("7", Sentence(()), raw_sentence(text))


def work(step, rows):
    account = Account()
    step.open(CONTEXT)
    return list(step.run(rows, account)), account


def pieces(row):
    return [row.target.text_of(span.start, span.end) for span in row.target.spans]


def test_repair_is_counted_and_leaves_the_rest_alone():
    rows = [pair("Espa\u00c3\u00b1a"), pair("España"), pair("naïve ÃÑO"), pair("")]
    rows.append(SentencePair("8", Sentence(()), Sentence(("\u00c3\u00b1u",), (Span(0, 1, "X"),))))
    found, account = work(Repair(), rows)
    assert [row.target.text for row in found] == ["España", "España", "naïve ÃÑO", "", None]
    assert found[4].target == Sentence(("ñu",), (Span(0, 1, "X"),))
    assert account.statuses == {"repaired: encoded twice": 2, "sound": 3}


def test_repair_keeps_labelled_text():
    row = {"source_text": "La espa\u00c3\u00b1ola vio M\u00c3\u00a1laga.", "target_text": ""}
    spans = [{"start": 3, "end": 12, "label": "X"}, {"start": 17, "end": 24, "label": "LOC"}]
    reader = RowReader("a.jsonl", "source", Reading(), Counts(), None)
    (found,), _ = work(Repair(side="source"), [reader({**row, "source_spans": spans}, 1)])
    assert found.source.text == "La española vio Málaga."
    told = [found.source.text_of(span.start, span.end) for span in found.source.spans]
    assert told == ["española", "Málaga"]


def test_the_given_text_stays_in_the_row_until_the_text_changes():
    (row,), _ = work(Repair(), [pair(again(POST))])
    assert row.target_before_repair == again(POST)
    assert work(Repair(), [row])[0] == [row]
    assert row.replace(target=raw_sentence("x")).target_before_repair is None
    (sound,), _ = work(Repair(), [pair(POST)])
    assert sound.target_before_repair is None


@pytest.mark.parametrize("by", ["cp1252", "latin-1", "cp1254", "mac_roman", "cp437"])
def test_restored_spans_are_the_entities_as_they_stand_there(by):
    names = ["España", "Álvaro", "Córdoba", "Björk"]
    (row,), _ = work(Repair(), [pair(again(POST, by))])
    assert row.target.text == POST
    at = [row.target.words.index(name) for name in names]
    target = row.target.with_spans(tuple(Span(n, n + 1, "X", 0.5) for n in at))
    links = WordAlignment.of([(0, n) for n in at], 1, len(target.words))
    row = row._replace(source=Sentence(("w",)), target=target, links=links, status="projected")
    (found,), account = work(Restore(), [row])
    assert (found.target.text, found.target_before_repair) == (again(POST, by), None)
    assert pieces(found) == [again(name, by) for name in names]
    assert (found.links, found.status) == (links, "projected")
    assert account.statuses == {"restored": 1}


@pytest.mark.parametrize("name", ["Haití", "Bogotà", "Íscar", "España", "Łódź", "Тверь"])
@pytest.mark.parametrize("text", ["en {} hoy", "“{}”, ¿{}?", "«{}»—{}"])
def test_restored_spans_go_through_files(tmp_path, text, name):
    """Also where the given text, as it stands, would be cut into other words."""
    row = pair(text.format(name, name))
    start = text.index("{")
    (n,) = (n for n, (a, _) in enumerate(row.target.offsets) if a == start)
    target = row.target.with_spans((Span(n, n + 1, "X"),))
    restored = as_given(target, again(row.target.text))
    write_pairs(tmp_path / "a.jsonl", [in_plain_words(row._replace(target=restored))])
    made = json.loads((tmp_path / "a.jsonl").read_text("utf-8"))
    (span,) = made["target_spans"]
    assert made["target_text"][span["start"] : span["end"]] == again(name)
    ((_, found),) = read_rows(tmp_path / "a.jsonl")
    assert pieces(found) == [again(name)]


@given(st.text("ab ñéÁß北.", min_size=1))
def test_every_word_is_restored(text):
    repaired = raw_sentence(text)
    found = as_given(repaired, again(text))
    assert found.text == again(text)
    assert found.words == tuple(map(again, repaired.words))
    assert [found.text[a:b] for a, b in found.offsets] == list(found.words)
    words = Sentence(repaired.words)
    assert as_given(words, again(words.plain_text())).words == found.words


def test_what_cannot_be_restored_stays_repaired_and_is_counted():
    rows, _ = work(Repair(), [pair("\u00e2\u20ac\u0153Ana\u00e2\u20ac\ufffd"), pair("Ana")])
    found, account = work(Restore(), rows)
    assert found == rows
    assert found[0].target_before_repair is not None
    assert account.statuses == {
        "left repaired: its places in the given text are not clear": 1,
        "was sound": 1,
    }


def test_the_account_of_a_run_speaks_of_what_was_found():
    """The last step only puts text back: what stood in the account before it still does."""
    found = Account()
    found.tagged(pair("Espana"), 2)
    found.tagged(pair("Nada"), 0)
    found.calibrated([Span(0, 1, "LOC", 0.5)], "uncalibrated: x")
    rows, repaired = work(
        Repair(), [pair("Espa\u00c3\u00b1a"), pair("\u00e2\u20ac\u0153Ana\u00e2\u20ac\ufffd")]
    )
    _, restored = work(Restore(), rows)
    note = "rows of a.txt that look encoded twice, as 'x' on line 1 does"
    parts = [("repair", repaired, False), ("join", found, False), ("restore", restored, True)]
    reports = [StepReport(name, account=account, amends=amends) for name, account, amends in parts]
    whole = whole_account(reports, {note + WAY_OUT: 2, "orphan_tags": 1})
    assert whole.text().splitlines() == [
        "2 rows = 1 tagged, 1 empty: no span found",
        "2 spans",
        "1 rows that come out repaired: their places in the given text are not clear",
        f"2 {note} (the step repair has seen to them)",
        "1 orphan tags",
        "confidences: uncalibrated: x",
    ]
    assert note + WAY_OUT in whole_account(reports[1:2], {note + WAY_OUT: 2}).notes
    assert whole_account(reports[2:], {}).statuses == restored.statuses  # it stands alone


def test_pipelines(spanbridge, tmp_path):
    """Repair alone writes repaired text; what is then restored is in the text as it was given."""
    (tmp_path / "es.txt").write_text(f"{again(POST)}\nTodo bien en España.\n", "utf-8")
    (tmp_path / "t.tsv").write_text(
        "La España de Álvaro en Córdoba.\tEspaña, Álvaro, Córdoba.\n"
        "Vino Björk.\tBjörk came.\nTodo bien en España.\tAll well in España.\n",
        "utf-8",
    )
    names = {"España": "LOC", "Álvaro": "PER", "Córdoba": "LOC", "Björk": "PER"}
    tags = ("España , Álvaro , Córdoba .", "Björk came .", "All well in España .")
    (tmp_path / "tags.conll").write_text(
        "".join(
            "".join(f"{w} {f'B-{names[w]}' if w in names else 'O'}\n" for w in line.split()) + "\n"
            for line in tags
        ),
        "utf-8",
    )
    head = "input: es.txt\nlanguages: {target: es, source: en}\noutput: o.jsonl\nsteps:\n"
    (tmp_path / "repair.yaml").write_text(f"{head}  - repair\n  - split\n  - join\n")
    steps = [
        *("repair", "split", "translate: {translator: {given: {model: t.tsv}}}"),
        "tag: {tagger: {given: {model: tags.conll}}}",
        *("project: {method: greedy, aligner: lexical}", "join", "restore"),
    ]
    (tmp_path / "label.yaml").write_text(head + "".join(f"  - {step}\n" for step in steps))
    spanbridge("run", "repair.yaml", "-q")
    rows = [json.loads(line) for line in (tmp_path / "o.jsonl").read_text("utf-8").splitlines()]
    assert [row["target_text"] for row in rows] == [POST, "Todo bien en España."]
    assert [row.get("target_before_repair") for row in rows] == [again(POST), None]
    (tmp_path / "later.yaml").write_text(
        "input: o.jsonl\noutput: p.jsonl\nsteps:\n  - restore\n", "utf-8"
    )
    spanbridge("run", "later.yaml", "-q")  # what stands in a row is enough
    row = json.loads((tmp_path / "p.jsonl").read_text("utf-8").splitlines()[0])
    assert row["target_text"] == again(POST)
    assert "target_before_repair" not in row
    spanbridge("run", "label.yaml", "-q")
    rows = [row for _, row in read_rows(tmp_path / "o.jsonl")]
    assert [row.target.text for row in rows] == [again(POST), "Todo bien en España."]
    assert pieces(rows[0]) == [again(name) for name in names]
    assert pieces(rows[1]) == ["España"]


def test_python_and_the_recipe_do_the_same():
    from spanbridge.run.recipes import label_steps

    steps = label_steps(repair=True)
    assert (steps[0], steps[-1]) == ("repair", "restore")
    loaded = Loaded(["repair", "split", "join", "restore"], {"target": "es", "source": "en"})
    assert [row.target.text for row in loaded.run([pair(again(POST))])] == [again(POST)]
