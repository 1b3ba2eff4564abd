"""Spans beside their texts: documents of brat, tables of MultiClinAI."""

import json
import re

import pytest
from test_exports import found, put, read

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.formats import write_pairs


def test_brat(tmp_path):
    text = "Ann Roe left.\r\n\nShe saw Paris\nand New\nYork"
    (tmp_path / "d.txt").write_bytes(text.encode())
    at = text.index("Paris")
    cross = text.index("New")
    path = put(
        tmp_path,
        "d.ann",
        "T1\tPER 0 7\tAnn Roe",
        f"T2\tLOC {at} {at + 5}\tParis",
        f"T3\tLOC {cross} {cross + 8}\tNew York",
        "T4\tPER 0 3;8 12\tAnn left",
        "R1\tIn Arg1:T1 Arg2:T2",
        "#1\tAnnotatorNotes T1\thm",
        "A1\tSure T1",
        "A2\tKind T1 a",
        "A3\tSure T4",
    )
    rows, counts = read(path)
    of_first = [("Ann Roe", "PER"), ("Ann Roe left", "PER")]
    assert [found(row) for row in rows] == [of_first, [], [("Paris", "LOC")], [], []]
    assert counts.left_out == {
        "relations, events, attributes and notes left out": 1,
        "spans over several lines left out": 1,
    }
    assert counts.guessed == {"spans with gaps, read from their first part to their last": 1}
    assert counts.places["target"].n_other_text == 0
    assert [json.loads(span.extra) for span in rows[0].target.spans] == [
        {"attributes": {"Sure": True, "Kind": "a"}, "notes": ["hm"]},
        {"fragments": [[0, 3], [8, 12]], "attributes": {"Sure": True}},
    ]
    write_pairs(tmp_path / "e.ann", rows)
    again, _ = read(tmp_path / "e.ann")
    assert again == rows
    for wrong, why in [
        ("T1 PER 0 7", r"d\.ann:2: is no line of brat"),
        ("T1\tPER 3 4\t ", r"d\.ann:2: spans: 3-4 \(PER\) covers only white"),
        ("T1\tPER 0 99\tx", r"d\.ann:2: spans: 0-99 \(PER\) lies outside"),
        ("T1\tPER 0 3;2 7\tx", r"d\.ann:2: has parts that are not in the order"),
        ("T1\tPER 0 3;8 99\tx", r"d\.ann:2: spans: 0-99 \(PER\) lies outside"),
    ]:
        with pytest.raises(InputError, match=why):
            read(put(tmp_path, "d.ann", "T1\tPER 0 3\tAnn", wrong))
    (tmp_path / "d.txt").unlink()
    with pytest.raises(InputError, match=r"d\.txt: cannot be read"):
        read(path)
    with pytest.raises(SpanbridgeError, match=r"name the \.ann file"):
        write_pairs(tmp_path / "x.brat", rows, format="brat")


def test_a_folder_of_brat_tells_of_texts_that_it_leaves_out(tmp_path):
    folder = tmp_path / "corpus"
    folder.mkdir()
    for name in ("a.txt", "b.txt"):
        put(folder, name, "Ann")
    put(folder, "a.ann", "T1\tPER 0 3\tAnn")
    rows, counts = read(folder, format="brat-folder")
    assert [row.id for row in rows] == ["a"]
    assert counts.left_out == {"texts left out that have no .ann beside them": 1}


GAPS = """T1\tPER 0 3;8 12\tAnn left
A1\tSure T1
T2\tPER 4 7\tRoe
T3\tLOC 17 18;25 27;30 31\tŁ na x
#2\tAnnotatorNotes T3\thm
"""


def test_gaps_of_brat(tmp_path):
    """Parts of spans come back as they were, in any unit, and are counted where they cannot."""
    text = "Ann Roe left ŁÓ.\nŁ 🚒🚒 né na 🚒 x\n"
    (tmp_path / "d.txt").write_text(text, encoding="utf-8")
    path = put(tmp_path, "d.ann", *GAPS.splitlines())
    rows, counts = read(path)
    (span,) = rows[1].target.spans
    assert json.loads(span.extra)["fragments"] == [[0, 1], [8, 10], [13, 14]]
    assert not counts.left_out
    write_pairs(tmp_path / "e.ann", rows)
    assert (tmp_path / "e.ann").read_text(encoding="utf-8") == GAPS
    write_pairs(tmp_path / "f.jsonl", rows)
    assert read(tmp_path / "f.jsonl")[0] == rows
    for unit, code, size in (("utf16", "utf-16-le", 2), ("bytes", "utf-8", 1)):

        def place(found, code=code, size=size):
            return str(len(text[: int(found[0])].encode(code)) // size)

        in_unit = re.sub(r"(?<=[ ;])\d+(?=[ ;\t])", place, GAPS)
        (tmp_path / "d.ann").write_text(in_unit, encoding="utf-8")
        assert read(path, offsets=unit)[0] == rows
    # the span is widened to words, and its outer parts with it
    (tmp_path / "d.ann").write_text("T1\tPER 1 3;4 6\tnn Ro\n")
    rows, _ = read(path)
    assert json.loads(rows[0].target.spans[0].extra)["fragments"] == [[0, 3], [4, 7]]
    wrong = (
        [[0, 3], [4, 8]],
        [[1, 3], [4, 7]],
        [[0, 3], [2, 7]],
        [[0, 7, 9]],
        [],
        "x",
        [[0, True]],
    )
    for parts in wrong:
        bad = rows[0].target.spans[0]._replace(extra=json.dumps({"fragments": parts}))
        row = rows[0]._replace(target=rows[0].target.with_spans((bad,)))
        with pytest.raises(SpanbridgeError, match="are not the parts of its span"):
            write_pairs(tmp_path / "g.ann", [row])


HEAD = "filename\tlabel\tstart_span\tend_span\ttext"


def test_multiclinai(tmp_path):
    """Tables of the shared task, and those of its predecessors with a further column."""
    (tmp_path / "c" / "txt").mkdir(parents=True)
    (tmp_path / "c" / "tsv").mkdir()
    (tmp_path / "c" / "txt" / "d10.txt").write_text("Fever,\n no diabetes.", encoding="utf-8")
    (tmp_path / "c" / "txt" / "d9.txt").write_bytes("\ufeffNo Łódź.\r\n".encode())
    table = tmp_path / "c" / "tsv" / "a.tsv"
    rows = ["d10.txt\tDISEASE\t11\t19\tdiabetes", "d10\tSYMPTOM\t0\t5\tFever"]
    rows.append("d9.txt\tPLACE\t4\t8\tŁódź")
    table.write_text("\n".join([HEAD, *rows]), encoding="utf-8")
    for path in (tmp_path / "c", table):
        found_rows, counts = read(path, format="multiclinai")
        assert [(row.id, found(row)) for row in found_rows] == [
            ("d9", [("Łódź", "PLACE")]),
            ("d10", [("diabetes", "DISEASE"), ("Fever", "SYMPTOM")]),
        ]
        assert not counts.left_out
        assert counts.places["target"].n_other_text == 0
    write_pairs(tmp_path / "e", found_rows, format="multiclinai")
    assert (tmp_path / "e" / "run.tsv").read_text(encoding="utf-8").splitlines() == [
        HEAD,
        "d9.txt\tPLACE\t4\t8\tŁódź",
        "d10.txt\tSYMPTOM\t0\t5\tFever",
        "d10.txt\tDISEASE\t11\t19\tdiabetes",
    ]
    with pytest.raises(SpanbridgeError, match="another row has this id"):
        write_pairs(tmp_path / "f", [found_rows[0], found_rows[0]], format="multiclinai")
    table.write_text("filename\tann_id\tlabel\tstart_span\tend_span\ttext\nd9\tT1\tX\t1\t3\tNo\n")
    (row, _), counts = read(table, format="multiclinai")
    assert found(row) == [("No", "X")]
    assert counts.left_out == {"other columns of tables left out": 1}
    for text, why in [
        (f"{HEAD}\nd9\tX\t1\t3\tNo\nd9\tX\t4\t99\tNo\n", r"a\.tsv:3: spans: 4-99 \(X\) lies"),
        (f"{HEAD}\nd9\tX\t1\n", r"a\.tsv:2: has too few cells"),
        (f"{HEAD}\nd9\tX\tone\t3\tNo\n", r"a\.tsv:2: has too few cells, or positions"),
        (f"{HEAD}\nd9\t\t1\t3\tNo\n", r"a\.tsv:2: has no label"),
        (f"{HEAD}\nx\tX\t1\t3\tNo\n", r"a\.tsv:2: is about x\.txt, which is not in"),
        ("filename\tlabel\n", r"a\.tsv:1: lacks columns; there must be filename, label, start"),
        ("<html>", r"a\.tsv:1: lacks columns"),
    ]:
        table.write_text(text)
        with pytest.raises(InputError, match=why):
            read(table, format="multiclinai")
    (tmp_path / "c" / "d9.txt").write_text("x")
    with pytest.raises(InputError, match="name a folder in which each name is one text"):
        read(tmp_path / "c", format="multiclinai")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"holds no texts \(\.txt\)"):
        read(tmp_path / "empty", format="multiclinai")
    with pytest.raises(InputError, match="is no folder or table"):
        read(tmp_path / "nothing", format="multiclinai")
