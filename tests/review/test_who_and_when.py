"""Who corrected what and when, in every format that a review is written in: kept, or counted."""

from __future__ import annotations

import json

import pytest
from review_samples import asked, sample_rows, write_rows

from spanbridge.formats import read_rows
from spanbridge.formats.base import Reading
from spanbridge.review.desk import Desk
from spanbridge.review.result import write_result

ROW, SPAN = "values of other keys of rows not written", "values of other keys of target spans"
# Whether the format has a place for it: of rows, and of spans (None: it holds no spans).
FORMATS = {
    "jsonl": ("a.jsonl", True, True),
    "labelstudio": ("a.json", True, True),
    "prodigy": ("a.jsonl", True, True),
    "squad": ("a.json", True, True),
    "csv": ("a.csv", True, True),
    "doccano": ("a.jsonl", True, False),
    "doccano-utf16": ("a.jsonl", True, False),
    "gliner": ("a.json", True, False),
    "hf": ("a.parquet", True, False),
    "spacy": ("a.spacy", True, False),
    "tmx": ("a.tmx", True, None),
    "xliff": ("a.xlf", True, None),
    "brat": ("a.ann", False, True),
    "brat-folder": ("a", False, True),
    "conll": ("a.conll", False, False),
    "conllu": ("a.conllu", True, False),
    "conllup": ("a.conllup", True, False),
    "webanno": ("a.tsv", False, False),
    "xmi": ("a.xmi", True, False),
    "uima-json": ("a.json", True, False),
    "multiclinai": ("a", False, False),
    "moses": ("a.en-de.en", False, None),
    "text": ("a.txt", False, None),
}
NEEDS = {"spacy": "spacy", "xmi": "cassis", "uima-json": "cassis", "hf": "pyarrow"}


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """One row corrected, with a comment; one accepted; one rejected; one open."""
    path = write_rows(tmp_path_factory.mktemp("who") / "out.jsonl", sample_rows())
    found = Desk(str(path))
    places = [[0, 13, "PER"], [32, 38, "LOC"]]
    told = {"do": "status", "comment": "so & <b>\nund"}
    found.act(asked(1, 0, places, status="corrected", **told))
    found.act(asked(2, 0, found.row(2)["state"]["spans"], status="accepted", do="status"))
    found.act(asked(3, 0, [], status="rejected-source", do="status"))
    yield found
    found.close()


@pytest.mark.parametrize("name", FORMATS)
def test_it_is_kept_or_counted(desk, tmp_path, name):
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    file, of_rows, of_spans = FORMATS[name]
    output = str(tmp_path / file)
    states = desk.states()
    done = write_result(desk.rows, states, desk.journal.path, output, name)
    lost = {key: n for key, n in done.account.notes.items() if n}
    assert (ROW in lost) == (not of_rows)
    assert lost.get(ROW, 3) == 3
    if of_spans is not None:
        assert any(key.startswith(SPAN) for key in lost) == (not of_spans)
    rows = {row.id: row for _, row in read_rows(output, "target", Reading(format=name))}
    if of_rows:
        told = {key: _object(row.extra.get("review")) for key, row in rows.items()}
        assert told["de-1"] == {
            "status": "corrected",
            "by": "anna",
            "at": states[1].at,
            "comment": "so & <b>\nund",
        }
        assert told["ar-1"] == {"status": "accepted", "by": "anna", "at": states[2].at}
        assert told["zh-1"] == {"status": "rejected-source", "by": "anna", "at": states[3].at}
        assert not told["words-1"]
    if of_spans:
        first = rows.get("de-1") or rows["1"]
        old, new = sorted(first.target.spans)
        assert old.extra is None
        assert json.loads(new.extra) == {"by": "anna", "at": states[1].at}


def test_notes_of_brat_that_say_more_are_notes(tmp_path):
    text = "Anna\n"
    (tmp_path / "a.txt").write_text(text)
    notes = ['{"by": "x", "label": "PER"}', "[1]", '{"by": "y"', "{}", '{"at": 5}', '{"at": 6}']
    lines = [f"#{n}\tAnnotatorNotes T1\t{note}" for n, note in enumerate(notes, 1)]
    (tmp_path / "a.ann").write_text("\n".join(["T1\tPER 0 4\tAnna", *lines]) + "\n")
    ((_, row),) = read_rows(tmp_path / "a.ann")
    assert json.loads(row.target.spans[0].extra) == {"notes": [*notes[:4], notes[5]], "at": 5}


def _object(told):
    """A table has objects as JSON."""
    return json.loads(told) if isinstance(told, str) and told else told
