import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.spans import Sentence
from spanbridge.data.text import read_parallel_text, read_text, write_text

words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(
    lambda word: word.split() == [word]
)


def read(tmp_path, text, reader=read_text):
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode())
    return list(reader(path))


def test_lines_are_rows(tmp_path):
    rows = read(tmp_path, "a  b\t c \n\n \r\nd")
    assert [row.words for row in rows] == [("a", "b", "c"), (), (), ("d",)]


def test_parallel_lines(tmp_path):
    rows = read(tmp_path, "a b ||| c\n||| x\nx |||\n|||\n |||  y||| \n", read_parallel_text)
    assert [(a.words, b.words) for a, b in rows] == [
        (("a", "b"), ("c",)),
        ((), ("x",)),
        (("x",), ()),
        ((), ()),
        ((), ("y|||",)),
    ]


@pytest.mark.parametrize(
    ("line", "why"),
    [("a b", "no sep"), ("", "no sep"), ("a|||b", "no sep"), ("a ||| b ||| c", "2 sep")],
)
def test_parallel_lines_need_one_separator(tmp_path, line, why):
    with pytest.raises(InputError, match=why) as caught:
        read(tmp_path, f"a ||| b\n{line}\n", read_parallel_text)
    assert caught.value.line == 2


@given(st.lists(st.lists(words), min_size=1))
def test_round_trip(tmp_path_factory, rows):
    out = io.StringIO()
    for row in rows:
        write_text(Sentence(tuple(row)), out)
    if not out.getvalue().startswith("\ufeff"):
        path = tmp_path_factory.mktemp("text")
        assert [list(row.words) for row in read(path, out.getvalue())] == rows


@pytest.mark.parametrize("word", ["", " ", "a b", "a\n", "\u2028"])
def test_words_that_text_cannot_hold(word):
    with pytest.raises(SpanbridgeError, match="jsonl"):
        write_text(Sentence(("a", word)), io.StringIO())
