"""Columns of tools and treebanks: WebAnno TSV, CoNLL-U and CoNLL-U Plus."""

from dataclasses import replace

import pytest
from test_exports import found, put, read

from spanbridge.core.errors import InputError
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.formats import named_format, write_pairs
from spanbridge.formats.losses import losses
from spanbridge.formats.tokens import raw_sentence

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


@pytest.mark.parametrize("name", ["a.conllu", "a.conllup"])
def test_reviews_are_comments(tmp_path, name):
    told = {"status": "rejected-translation", "comment": "so\n# sent_id = 9\ty\u2028 = =", "n": [1]}
    rows = [
        SentencePair("a", Sentence(()), Sentence(("Ann",), (Span(0, 1, "PER"),)), extra=extra)
        for extra in ({"review": told}, {}, {"review": "good"}, {"review": told, "other": 1})
    ]
    rows.append(SentencePair("b", Sentence(()), Sentence(()), extra={"review": told}))
    path = tmp_path / name
    write_pairs(path, rows)
    assert path.read_text().count("# review = {") == 2
    again, counts = read(path)
    assert [dict(row.extra) for row in again] == [
        {"review": told}, {}, {"review": "good"}, {"review": told}, {}
    ]  # fmt: skip
    assert [row.id for row in again[:4]] == ["a"] * 4
    held, what = named_format(name[2:]), "values of other keys of rows not written"
    lost = [dict(losses(row, n, held, "target"))[what] for n, row in enumerate(rows, 1)]
    assert lost == [0, 0, 0, 1, 1]  # an empty line has no place for a comment
    text = path.read_text().replace('{"status"', "quite {good")
    path.write_text(text)
    again, counts = read(path)
    assert [dict(row.extra) for row in again] == [{}, {}, {"review": "good"}, {}, {}]
    assert counts.left_out == {"values of review left out that are no JSON": 2}


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
