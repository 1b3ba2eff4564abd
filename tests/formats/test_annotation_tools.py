"""Files of annotation tools and data sets: what they look like."""

import json
import re
from dataclasses import replace

import pytest
from test_exports import found, put, read

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.formats import find_format, write_pairs
from spanbridge.formats.tokens import raw_sentence

TEXT = "Ann Roe saw Łódź 🚒 and Paris."
DOCCANO = [
    {"text": TEXT, "label": [[0, 7, "PER"], [23, 28, "LOC"]]},
    {"data": TEXT, "labels": [[0, 7, "PER"], [23, 28, "LOC"]]},
    {
        "text": TEXT,
        "entities": [
            {"id": 1, "label": "PER", "start_offset": 0, "end_offset": 7},
            {"id": 2, "label": "LOC", "start_offset": 23, "end_offset": 28},
        ],
        "relations": [{"id": 3, "from_id": 1, "to_id": 2, "type": "in"}],
    },
    {  # spaCy
        "text": TEXT,
        "ents": [
            {"start": 0, "end": 7, "label": "PER"},
            {"start": 23, "end": 28, "label": "LOC"},
        ],
        "tokens": [{"id": 0, "start": 0, "end": 3}],
    },
    {  # Label Studio's small JSON
        "text": TEXT,
        "label": [
            {"start": 0, "end": 7, "text": "Ann Roe", "labels": ["PER"]},
            {"start": 23, "end": 28, "text": "Paris", "labels": ["LOC"]},
        ],
    },
]


@pytest.mark.parametrize("row", DOCCANO)
def test_shapes_of_doccano(tmp_path, row):
    for name, text in (("a.jsonl", json.dumps(row)), ("b.json", json.dumps([row], indent=2))):
        path = put(tmp_path, name, text)
        assert find_format(path).name == "doccano"
        (found_row,), counts = read(path)
        assert found(found_row) == [("Ann Roe", "PER"), ("Paris", "LOC")]
        assert counts.left_out == ({"relations left out": 1} if "relations" in row else {})


def test_prodigy_answers(tmp_path):
    span = {"start": 0, "end": 7, "label": "PER", "token_start": 0, "token_end": 1}
    rows = [
        {"text": TEXT, "spans": [span], "answer": one, "_input_hash": 7}
        for one in ("accept", "reject", "ignore")
    ]
    rows.append({"text": TEXT, "_input_hash": 8, "answer": "accept", "tokens": []})
    path = put(tmp_path, "a.jsonl", *rows)
    again, counts = read(path)
    assert [len(row.target.spans) for row in again] == [1, 0, 0, 0]
    assert counts.left_out == {"rejected or ignored answers, read without labels": 2}
    write_pairs(tmp_path / "b.jsonl", again, format="prodigy")
    first = json.loads((tmp_path / "b.jsonl").read_text().splitlines()[0])
    assert first["spans"] == [span]
    assert first["tokens"][1] == {"text": "Roe", "start": 4, "end": 7, "id": 1, "ws": True}
    assert "_input_hash" not in first  # of another text
    assert first["answer"] == "accept"


def test_tags_of_data_sets(tmp_path):
    words = ["Ann", "Roe", "in", "Paris"]
    path = put(tmp_path, "a.jsonl", {"id": "0", "tokens": words, "ner_tags": [1, 2, 0, 3]})
    with pytest.raises(InputError, match=r"a\.jsonl:1: the ner_tags are numbers.*--tag-names O,B"):
        read(path)
    names = ("O", "B-PER", "I-PER", "B-LOC")
    (row,), _ = read(path, tag_names=names)
    assert (row.id, found(row)) == ("0", [("Ann Roe", "PER"), ("Paris", "LOC")])
    with pytest.raises(InputError, match="holds 3; there are 3 names"):
        read(path, tag_names=names[:3])
    (row,), _ = read(path, tags=False)
    assert row.target == Sentence(tuple(words))
    tags = {"tokens": words, "ner_tags": ["B-PER", "I-PER", "O", "I-LOC"], "pos_tags": [1, 1, 2, 1]}
    (row,), counts = read(put(tmp_path, "b.jsonl", tags))
    assert (found(row), counts.n_orphans) == ([("Ann Roe", "PER"), ("Paris", "LOC")], 1)
    write_pairs(tmp_path / "c.jsonl", [row], format="hf")
    assert "pos_tags" not in (tmp_path / "c.jsonl").read_text()


@pytest.mark.parametrize("tags", [["B-PER"], None, [], "O O"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_tags_that_do_not_fit_their_words_are_said_to_be_wrong(tmp_path, name, tags):
    row = {"tokens": ["Ana", "left"], "ner_tags": tags}
    path = put(tmp_path, name, row)
    with pytest.raises(InputError, match=rf"{name}:1: ner_tags is .*; give a tag for each word"):
        read(path)


def test_gliner_is_inclusive(tmp_path):
    row = {"tokenized_text": ["Ann", "Roe", "left"], "ner": [[0, 1, "PER"]]}
    (one,), _ = read(put(tmp_path, "a.json", json.dumps([row])))
    assert one.target.spans == (Span(0, 2, "PER"),)


def result(start, end, label):
    value = {"start": start, "end": end, "text": TEXT[start:end], "labels": [label]}
    return {"value": value, "id": "q", "from_name": "label", "to_name": "text", "type": "labels"}


def test_label_studio(tmp_path):
    relation = {"from_id": "q", "to_id": "r", "type": "relation"}
    first = {"id": 1, "result": [result(0, 7, "PER"), relation]}
    tasks = [
        {"id": 5, "data": {"text": TEXT, "ref": "x"}, "annotations": [first, first]},
        {
            "id": 6,
            "data": {"body": TEXT},
            "annotations": [{**first, "was_cancelled": True}],
            "predictions": [{"result": [result(23, 28, "LOC")]}],
        },
        {"id": 7, "data": {"text": TEXT}, "annotations": [], "predictions": [3]},
    ]
    rows, counts = read(put(tmp_path, "a.json", json.dumps(tasks, indent=1)))
    assert [(row.id, found(row)) for row in rows] == [
        ("5", [("Ann Roe", "PER")]),
        ("6", [("Paris", "LOC")]),
        ("7", []),
    ]
    assert rows[0].extra == {"ref": "x"}
    write_pairs(tmp_path / "c.json", rows, format="labelstudio")
    again, _ = read(tmp_path / "c.json")
    assert again == rows
    assert counts.left_out == {
        "annotations left out after the first one of a task": 1,
        "relations and other results left out": 1,
        "predictions left out that have only numbers here": 1,
    }
    path = put(tmp_path, "b.json", '[{"a": 1},\n{"data": 5}]')
    with pytest.raises(InputError, match=r"b\.json:1: data is null; .*--format doccano"):
        read(path)


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


WEBANNO = """#FORMAT=WebAnno TSV 3.3
#T_SP=de.tudarmstadt.ukp.dkpro.core.api.lexmorph.type.pos.POS|PosValue
#T_SP=de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity|identifier|value
#T_RL=webanno.custom.Rel|kind|BT_de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity


#Text=Bank of China\\_ left
1-1\t0-4\tBank\tN\t*[1]\tORG[1]\t_\t_\t
1-2\t5-7\tof\tP\t*[1]\tORG[1]\t_\t_\t
1-3\t8-13\tChina_\tN\t*[1]|*\tORG[1]|LOC\t_\t_\t
1-4\t14-18\tleft\tV\t_\t_\t_\t_\t
1-4.1\t14-16\tle\t_\t*\tX\t_\t_\t

#Text=Ann Roe
2-1\t19-22\tAnn\tN\t*\tPER\t_\t_\t
2-2\t23-26\tRoe\tN\t*\tPER\t_\t_\t
"""


def test_webanno_layers(tmp_path):
    path = put(tmp_path, "a.tsv", WEBANNO)
    rows, counts = read(path)
    assert [row.target.spans for row in rows] == [
        (Span(0, 3, "ORG"), Span(2, 3, "LOC")),
        (Span(0, 1, "PER"), Span(1, 2, "PER")),
    ]
    assert counts.left_out["annotations of parts of words left out"] == 1
    (of_others,) = (n for what, n in counts.left_out.items() if "other layers" in what)
    assert of_others == 3
    rows, _ = read(path, tag_column=4)
    assert [span.label for span in rows[0].target.spans] == ["N", "P", "N", "V"]
    with pytest.raises(InputError, match="no layer in column 3"):
        read(path, tag_column=3)
    path = put(tmp_path, "b.tsv", WEBANNO.replace("api.ner.type.NamedEntity", "x.Some"))
    with pytest.raises(InputError, match=r"several layers.*--tag-column N \(4: de"):
        read(path)


CONLLU = """# global.Entity = eid-etype-head-other
# sent_id = s1
# text = They don't see Ann Roe.
1\tThey\t_\t_\t_\t_\t_\t_\t_\tEntity=(e1-person-1-)
2-3\tdon't\t_\t_\t_\t_\t_\t_\t_\t_
2\tdo\t_\t_\t_\t_\t_\t_\t_\t_
3\tn't\t_\t_\t_\t_\t_\t_\t_\t_
3.1\tgone\t_\t_\t_\t_\t_\t_\t_\t_
4\tsee\t_\t_\t_\t_\t_\t_\t_\t_
5\tAnn\t_\t_\t_\t_\t_\t_\t_\tEntity=(e2-person-1-(e3-name-1-)
6\tRoe\t_\t_\t_\t_\t_\t_\t_\tEntity=e2)|SpaceAfter=No
7\t.\t_\t_\t_\t_\t_\t_\t_\t_

"""


def test_conllu(tmp_path):
    path = put(tmp_path, "a.conllu", CONLLU.rstrip("\n"))
    (row,), _ = read(path)
    assert row.id == "s1"
    assert row.target.words == ("They", "do", "n't", "see", "Ann", "Roe", ".")
    assert found(row) == [("They", "person"), ("Ann", "name"), ("Ann Roe", "person")]
    for key in ("NER", "ner", "Name", "Entity"):
        tagged = CONLLU.replace("(e1-person-1-)", "O").replace("(e2-person-1-(e3-name-1-)", "B-PER")
        tagged = tagged.replace("e2)", "I-PER").replace("Entity=", f"{key}=")
        (row,), _ = read(put(tmp_path, "b.conllu", tagged.rstrip("\n")))
        assert found(row) == [("Ann Roe", "PER")]
    bare = CONLLU.replace("Entity=", "X=")
    path = put(tmp_path, "c.conllu", bare.rstrip("\n"))
    with pytest.raises(InputError, match=r"holds no labels: .*NER="):
        read(path)
    (row,), _ = read(path, tags=False)
    assert len(row.target.words) == 7


def test_squad(tmp_path):
    answer = {"text": "Ann Roe", "answer_start": 0}
    asked = {
        "id": "q1",
        "question": "Who?",
        "answers": [{"text": "Ann", "answer_start": 0}, answer],
    }
    never = {"id": "q2", "question": "Why?", "answers": [], "is_impossible": True}
    other = {"context": "x", "qas": [{"id": "q3", "question": "?", "answers": []}]}
    article = {"title": "T", "paragraphs": [{"context": TEXT, "qas": [asked, never]}, other]}
    path = put(tmp_path, "a.json", json.dumps({"version": "1.1", "data": [article]}))
    assert find_format(path).name == "squad"
    rows, counts = read(path)
    assert [(row.id, found(row)) for row in rows] == [
        ("q1", [("Ann", "ANSWER"), ("Ann Roe", "ANSWER")]),
        ("q3", []),
    ]
    assert json.loads(rows[0].target.spans[0].extra) == {"id": "q1", "question": "Who?"}
    assert rows[0].extra == {"title": "T", "unanswered": [never]}
    assert not counts.left_out
    write_pairs(tmp_path / "b.json", rows, format="squad")
    (first, _) = json.loads((tmp_path / "b.json").read_text())["data"]
    assert first["paragraphs"] == [{"id": "q1", "context": TEXT, "qas": [asked, never]}]
    again, _ = read(tmp_path / "b.json")
    assert again == rows
    wrong = {"context": "a", "qas": [{"id": "q", "answers": [{"text": "b"}]}]}
    data = {"data": [{"paragraphs": [wrong]}]}
    with pytest.raises(InputError, match=r"c.json:1: answers: .* wants text and answer_start"):
        read(put(tmp_path, "c.json", json.dumps(data)))


def test_conllu_plus(tmp_path):
    """Columns by their names, with numbers or without, and tags in a column or in MISC."""
    lines = [
        "# global.columns = FORM UPOS UNER:NE",
        "# sent_id = s",
        "Ann\tB-X\tB-PER",
        "#\tB-X\t*",
    ]
    path = put(tmp_path, "a.conllup", *lines)
    (row,), _ = read(path)
    assert (row.id, row.target.words, found(row)) == ("s", ("Ann", "#"), [("Ann", "PER")])
    (row,), _ = read(path, tag_column="UPOS")
    assert [span.label for span in row.target.spans] == ["X", "X"]
    lines = ["# global.columns = ID FORM MISC", "1-2\tAnna\t_", "1\tAnn\tA=b|NER=B-PER", "2\ta\t_"]
    (row,), _ = read(put(tmp_path, "b.conllup", *lines))
    assert (row.target.words, found(row)) == (("Ann", "a"), [("Ann", "PER")])
    for first, why in [
        ("# global.columns = ID LEMMA NER", r"c.conllup:1: no column is named 'FORM'"),
        ("# global.columns = ID FORM X", r"c.conllup:1: no column is named like one of labels"),
        ("1\ta\tO", r"c.conllup:1: does not begin with the names of its columns"),
        ("# global.columns = ID FORM X NER", r"c.conllup:2: has 3 columns; .* has 4"),
    ]:
        with pytest.raises(InputError, match=why):
            read(put(tmp_path, "c.conllup", first, "1\tAnn\tO"))


def test_space_after(tmp_path):
    sentence = replace(raw_sentence("Ann left."), spans=(Span(0, 1, "PER"),))
    write_pairs(tmp_path / "a.conllu", [SentencePair("1", Sentence(()), sentence)])
    assert "left\t_\t_\t_\t_\t_\t_\t_\tNER=O|SpaceAfter=No" in (tmp_path / "a.conllu").read_text()


def test_other_json_is_told_about_formats(tmp_path):
    path = put(tmp_path, "a.jsonl", {"data": "x", "cats": {}})
    assert find_format(path).name == "jsonl"
    with pytest.raises(InputError, match="the file's format .--format.; there is: 'data', 'cats'"):
        read(path)
    with pytest.raises(InputError, match="no label or labels or .*, only cats; rename the"):
        read(path, format="doccano")
    (row,), _ = read(path, format="doccano", tags=False)
    assert row.target.text == "x"
    for wrong, why in [
        ("[]", "empty array"),
        ('[{"text": "a", "label": []}', "comma or the end"),
        ('[{"text": "a", "label": []},]', "not JSON"),
        ('[{"text": "a", "label": []}] x', "comma or the end"),
        ("[1]", "no JSON object"),
    ]:
        with pytest.raises(InputError, match=why):
            read(put(tmp_path, "b.jsonl", wrong), format="doccano")


def test_spans_under_another_key_are_not_lost(tmp_path):
    """Argilla's rows have tokens too; without labels wanted, the key is not missed."""
    path = put(
        tmp_path, "a.jsonl", {"text": "Anna", "tokens": ["Anna"], "annotation": [["PER", 0, 4]]}
    )
    assert find_format(path).name == "jsonl"
    path = put(tmp_path, "b.jsonl", {"tokenized_text": ["Anna"], "entities": [[0, 0, "PER"]]})
    with pytest.raises(InputError, match="there is no ner, only entities; rename the key"):
        read(path)
    assert read(path, tags=False)[0][0].target.words == ("Anna",)
