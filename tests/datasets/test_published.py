"""Layouts of single data sets: hand-worked cases, and what is said of files that are none."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanbridge.core.errors import InputError
from spanbridge.core.spans import Span
from spanbridge.datasets.published import READERS
from spanbridge.formats.base import Counts


def read(name, *texts, tmp_path, side="target", counts=None):
    groups = []
    for n, text in enumerate(texts):
        path = tmp_path / f"f{n}"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        groups.append([path])
    return list(READERS[name](groups, side, counts or Counts()))


def spans(sentence):
    return [(sentence.text_of(*span[:2]), span.label) for span in sentence.spans]


def squad(*paragraphs):
    """A file of paragraphs: a text, and answers by the ids of their questions."""
    rows = [
        {
            "context": text,
            "qas": [
                {"id": one, "answers": [{"text": word, "answer_start": text.index(word)}]}
                for one, word in answers.items()
            ],
        }
        for text, answers in paragraphs
    ]
    return json.dumps({"data": [{"paragraphs": rows}]})


def test_squad_one_language(tmp_path):
    text = squad(("Ana lives in Rome.", {"a": "Ana", "b": "Rome"}))
    (row,) = read("squad", text, tmp_path=tmp_path, side="source")
    assert row.id == "a"
    assert spans(row.source) == [("Ana", "ANSWER"), ("Rome", "ANSWER")]
    assert row.target.words == ()


def test_squad_pairs_go_by_questions(tmp_path):
    source = squad(
        ("Ana is in Rome.", {"a": "Ana", "b": "Rome", "c": "is"}), ("Yes.", {"d": "Yes"})
    )
    target = squad(("Sì.", {"x": "Sì"}), ("A Roma.", {"b": "Roma"}), ("Ana è qui.", {"a": "Ana"}))
    first, second = read("squad", source, target, tmp_path=tmp_path)
    assert (first.id, spans(first.source), spans(first.target)) == (
        *("a", [("Ana", "ANSWER")], [("Ana", "ANSWER")]),
    )
    assert (second.id, spans(second.source), spans(second.target)) == (
        *("b", [("Rome", "ANSWER")], [("Roma", "ANSWER")]),
    )


def test_relx(tmp_path):
    source = '7\t"The <e1> Acme Inc </e1>, of <e2> Rome </e2>."\norg:city(e1,e2)\n\n\n'
    target = '7\t"<e2> Roma </e2>\'nın <e1> Acme </e1> ( <e1>x</e1> )"\nsame\n\n'
    counts = Counts()
    (row,) = read("relx", source, target, tmp_path=tmp_path, counts=counts)
    assert row.source.text == "The Acme Inc, of Rome."
    assert spans(row.source) == [("Acme Inc", "E1"), ("Rome", "E2")]
    assert row.target.text == "Roma'nın Acme ( x )"
    assert ("Roma", "E2") in spans(row.target)
    assert row.extra == {"relation": "org:city(e1,e2)"}
    (row,) = read("relx", '1\t"A <e1> </e1> b"\nr\n', tmp_path=tmp_path, counts=counts)
    assert row.target.spans == ()
    assert counts.left_out == {"marks with nothing between them left out": 1}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no row\n", r"f0:1: is no row of RELX"),
        ('1\t"a </e1>"\nr\n', r"f0:1: has </e1> without <e1>"),
        ('1\t"a <e2> b"\nr\n', r"f0:1: has <e2> without </e2>"),
    ],
)
def test_what_is_no_relx(tmp_path, text, said):
    with pytest.raises(InputError, match=said):
        read("relx", text, tmp_path=tmp_path)


def test_relx_rows_that_do_not_belong_together(tmp_path):
    with pytest.raises(InputError, match="lacks the row 1"):
        read("relx", '1\t"a"\nr\n', '2\t"a"\nr\n', tmp_path=tmp_path)


def test_m_absa(tmp_path):
    source = "Good food#### [['food', 'FOOD', 'pos'], ['NULL', 'X', 'neg']]\n"
    target = "Gutes Essen####[['Essen', 'FOOD', 'pos'], ['Bier', 'DRINK', 'pos']]\n"
    counts = Counts()
    (row,) = read("m-absa", source, target, tmp_path=tmp_path, counts=counts)
    assert spans(row.source) == [("food", "ASPECT")]
    assert spans(row.target) == [("Essen", "ASPECT")]
    assert counts.left_out == {"opinion terms that are not in their text": 2}
    for wrong in ("no mark\n", "a####[['x'\n", "a####__import__('os')\n", "a####[[]]\n"):
        with pytest.raises(InputError, match=r"f0:1: is no row of M-ABSA"):
            read("m-absa", wrong, tmp_path=tmp_path)


def test_linked(tmp_path):
    (row,) = read("linked", "a b\tx y\t0-1 1-0\n", tmp_path=tmp_path)
    assert (row.source.words, row.target.words) == (("a", "b"), ("x", "y"))
    assert row.links.pairs == ((0, 1), (1, 0))
    assert row.extra["possible"] == [[0, 1], [1, 0]]
    for wrong in ("a\tx\t0-1\n", "a\tx\t0:0\n", "a x\n"):
        with pytest.raises(InputError, match="f0:1: "):
            read("linked", wrong, tmp_path=tmp_path)


def test_wpt(tmp_path):
    english = b"<s snum=0001> the house </s>\n<s snum=0002> yes </s>\n"
    french = "<s snum=0001> la maison là </s>\n<s snum=0002> oui </s>\n".encode("latin-1")
    links = b"0001 1 1 P\n0001 2 2 S\n0002 1 1\n"
    first, second = read("wpt", english, french, links, tmp_path=tmp_path)
    assert first.target.words == ("la", "maison", "là")
    assert first.links.pairs == ((1, 1),)
    assert first.extra["possible"] == [[0, 0], [1, 1]]
    assert second.links.pairs == ((0, 0),)
    with pytest.raises(InputError, match="f2:1: is no link"):
        read("wpt", english, french, b"0001 1\n", tmp_path=tmp_path)
    with pytest.raises(InputError, match="sentence 1"):
        read("wpt", english, french, b"0001 9 9 S\n", tmp_path=tmp_path)


def test_what_is_no_squad(tmp_path):
    for wrong in ("{", "[]", '{"data": [{"paragraphs": [{}]}]}', "[" * 5000):
        with pytest.raises(InputError, match="is no JSON of SQuAD"):
            read("squad", wrong, tmp_path=tmp_path)


def test_spans_are_half_open_in_words(tmp_path):
    (row,) = read("squad", squad(("in New York now", {"a": "New York"})), tmp_path=tmp_path)
    assert row.target.spans == (Span(1, 3, "ANSWER"),)


SOUND = {
    "squad": [squad(("Ana is in Rome.", {"a": "Ana", "b": "Rome"}))] * 2,
    "relx": ['1\t"The <e1> Acme </e1>, of <e2> Rome </e2>."\nr\n\n\n'] * 2,
    "m-absa": ["Good food####[['food', 'FOOD', 'pos']]\n"] * 2,
    "linked": ["a b\tx y\t0-1 1-0\n"],
    "wpt": ["<s snum=1> a b </s>\n", "<s snum=1> x </s>\n", "1 1 1 S\n"],
}


@pytest.mark.parametrize("name", SOUND)
@settings(max_examples=40)
@given(st.data())
def test_whatever_is_in_a_file_it_is_read_or_refused(tmp_path_factory, name, data):
    texts = list(SOUND[name])
    n = data.draw(st.integers(0, len(texts) - 1))
    at = data.draw(st.integers(0, len(texts[n])))
    put = data.draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=3))
    texts[n] = texts[n][:at] + put + texts[n][at + data.draw(st.integers(0, 3)) :]
    with suppress(InputError):
        for row in read(name, *texts, tmp_path=tmp_path_factory.mktemp("f")):
            assert row.source.words or row.target.words or row.source.text or not any(texts)
