"""Rows that a format cannot hold are rejected, whatever does not fit, and all others stay."""

import json

import pytest

from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.formats import read_rows, write_pairs
from spanbridge.formats.base import Reading
from spanbridge.run.converting import convert


def row(identity, text="Ann left"):
    sentence = Sentence(tuple(text.split()), (Span(0, 1, "PER"),) if text else ())
    return SentencePair(identity, sentence, Sentence(("Ann", "ging")))


def converted(tmp_path, rows, output, format):
    write_pairs(tmp_path / "in.jsonl", rows)
    return convert(str(tmp_path / "in.jsonl"), str(tmp_path / output), "source", format=format)


def ids_of(path, format):
    how = Reading(format=format)
    return {one.id: len(one.source.words) for _, one in read_rows(path, "source", how)}


@pytest.mark.parametrize(
    ("output", "format"),
    [("a.tmx", "tmx"), ("a.xlf", "xliff"), ("a.xmi", "xmi"), ("a.cas.json", "uima-json")],
)
def test_ids_that_xml_cannot_hold(tmp_path, output, format):
    rows = [row("1"), row("a\x01"), row("row-2"), row("\ufffe"), row("5")]
    run = converted(tmp_path, rows, output, format)
    assert [one for one, _ in run.account.rejects] == ["a\x01", "\ufffe"]
    assert all("cannot be held by XML" in why for _, why in run.account.rejects)
    again = [
        (one.id, len(one.source.words))
        for _, one in read_rows(tmp_path / output, "source", Reading(format=format))
    ]
    assert again == [("1", 2), ("row-2", 0), ("row-2", 2), ("row-4", 0), ("5", 2)]
    told = (tmp_path / f"{output}.rejects.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["id"] for line in told] == ["a\x01", "\ufffe"]


@pytest.mark.parametrize("format", ["multiclinai", "brat-folder"])
def test_ids_that_name_no_new_file(tmp_path, format):
    rows = [row("a"), row(""), row("a"), row("x" * 201), row("b-1"), row("b-2"), row("b"), row("c")]
    rows += [row("row-2"), row("row-3")]  # which are ids like others
    run = converted(tmp_path, rows, "out", format)
    assert run.account.n_rows == len(rows)
    reasons = dict(run.account.rejects)
    if format == "multiclinai":
        assert list(reasons) == ["", "a", "x" * 201]
    else:
        assert list(reasons) == ["", "a", "x" * 201, "b"]  # b-1 and b-2 are the document b
    assert "another row has this id" in reasons["a"]
    assert "the id is empty, or too long" in reasons[""]
    kept = dict.fromkeys(("a", "b-1", "b-2", "c", "row-2", "row-3"), 2)
    kept |= {"b": 2} if format == "multiclinai" else {}
    assert ids_of(tmp_path / "out", format) == kept
    assert len(kept) + len(run.account.rejects) == len(rows)


@pytest.mark.parametrize("format", ["multiclinai", "brat-folder"])
def test_no_id_is_made_up_that_another_row_has(tmp_path, format):
    """It was an error where an earlier row had it, and the row was lost where a later one had."""
    for rows in ([row("row-2"), row("")], [row("x"), row(""), row("row-2")]):
        run = converted(tmp_path, rows, f"out-{len(rows)}", format)
        assert [one for one, _ in run.account.rejects] == [""]
        kept = {one.id: 2 for one in rows if one.id}
        assert ids_of(tmp_path / f"out-{len(rows)}", format) == kept


def test_a_rejected_line_keeps_its_place_in_a_document(tmp_path):
    """Its id fits, and its text does not, so that the lines after it go on with the document."""
    odd = SentencePair("a-2", Sentence(("Ann",), (Span(0, 1, "P ER"),)), Sentence(("Ann",)))
    run = converted(tmp_path, [row("a-1"), odd, row("a-3")], "out", "brat-folder")
    assert [one for one, _ in run.account.rejects] == ["a-2"]
    assert ids_of(tmp_path / "out", "brat-folder") == {"a-1": 2, "a-2": 0, "a-3": 2}
    assert (tmp_path / "out" / "a.txt").read_text() == "Ann left\n\nAnn left\n"


def test_no_document_of_brat_is_lost_for_another(tmp_path):
    """A document that is there already is not begun again by rows that would go on in it."""
    rows = [row("b", "x y"), row("b-1"), row("b-2"), row("b-2"), row("b-3")]
    run = converted(tmp_path, rows, "out", "brat-folder")
    assert [one for one, _ in run.account.rejects] == ["b-2"]
    again = ids_of(tmp_path / "out", "brat-folder")
    assert again == {"b": 2, "b-1": 2, "b-2": 2, "b-3": 2}


TMX = """<tmx version="1.4"><header srclang="en"/><body><tu tuid="7">
<prop type="status">checked</prop><prop type="x-json-links">[9]</prop><prop type="x-id">q</prop>
<tuv xml:lang="en"><seg>Ann left.</seg></tuv><tuv xml:lang="de"><seg>Ann ging.</seg></tuv>
</tu></body></tmx>"""


def test_metadata_may_have_any_name(tmp_path, spanbridge):
    (tmp_path / "a.tmx").write_text(TMX)
    (tmp_path / "d.jsonl").write_text(
        '{"text": "Ann left", "label": [], "status": "x", "links": 3}'
    )
    spanbridge("convert", "a.tmx", "b.jsonl")
    spanbridge("convert", "b.jsonl", "c.tmx")
    ((_, first),) = read_rows(tmp_path / "a.tmx")
    ((_, again),) = read_rows(tmp_path / "c.tmx")
    assert first.id == "7"
    assert {"status": "checked", "links": [9], "id": "q"}.items() <= dict(first.extra).items()
    assert again == first
    ((_, whole),) = read_rows(tmp_path / "b.jsonl")
    assert (whole.status, whole.links, whole.extra) == (None, None, first.extra)
    spanbridge("convert", "d.jsonl", "e.jsonl")
    spanbridge("convert", "e.jsonl", "f.jsonl", "--to", "doccano")
    assert json.loads((tmp_path / "f.jsonl").read_text()) == {
        **json.loads((tmp_path / "d.jsonl").read_text()),
        "id": 1,
    }
    for name, format in (("g.jsonl", "doccano"), ("g.json", "squad"), ("g.csv", "csv")):
        told = spanbridge("convert", "a.tmx", name, "--to", format).stderr
        ((_, back),) = read_rows(tmp_path / name, "target", Reading(format=format))
        assert back.id == "7"
        assert "values of other keys of rows not written" in told


def test_a_row_without_words_has_no_place_for_its_id(tmp_path):
    """In CoNLL-U it is an empty line; one that is rejected is named by the rejects alone."""
    rows = [row("a"), row("b", ""), SentencePair("c", Sentence(("",)), Sentence(())), row("d")]
    run = converted(tmp_path, rows, "a.conllu", "conllu")
    assert [one for one, _ in run.account.rejects] == ["c"]
    assert run.account.notes["ids not written; rows have their numbers"] == 1
    assert ids_of(tmp_path / "a.conllu", "conllu") == {"a": 2, "2": 0, "3": 0, "d": 2}
