import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.formats.base import Counts, Reading
from spanbridge.formats.plain_text import ParallelText, PlainText

words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(
    lambda word: not set(word) & set(" \t\v\f\r\n")
)


def read(tmp_path, text, made, **how):
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode())
    counts = Counts()
    rows = list(made.read(path, "source", Reading(**how), counts))
    assert [(line, pair.id) for line, pair in rows] == [
        (n, str(n)) for n in range(1, len(rows) + 1)
    ]
    assert counts == Counts(n_rows=len(rows))
    return [(pair.source, pair.target) for _, pair in rows]


def test_lines_are_rows(tmp_path):
    rows = read(tmp_path, "a  b\t c \n\n \r\nd", PlainText())
    assert [row.words for row, _ in rows] == [("a", "b", "c"), (), (), ("d",)]
    assert {other for _, other in rows} == {Sentence(())}


def test_single_sentences_stand_on_the_side_asked_for(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("a\n", "utf-8")
    ((_, pair),) = PlainText().read(path)
    assert (pair.source, pair.target) == (Sentence(()), Sentence(("a",)))


def test_raw_lines_keep_text_and_places(tmp_path):
    rows = read(tmp_path, " l'any,  2021.\n\n", PlainText(), tokenised=False)
    places = ((1, 3), (3, 6), (6, 7), (9, 13), (13, 14))
    assert rows[0][0] == Sentence(("l'", "any", ",", "2021", "."), (), " l'any,  2021.", places)
    assert rows[1][0] == Sentence((), (), "", ())
    ((source, target),) = read(tmp_path, "l'any ||| a year.\n", ParallelText(), tokenised=False)
    assert (source.words, source.text) == (("l'", "any"), "l'any")
    assert (target.words, target.text) == (("a", "year", "."), "a year.")


def test_parallel_lines(tmp_path):
    text = "a b ||| c\n||| x\nx |||\n|||\n |||  y||| \n"
    assert [(a.words, b.words) for a, b in read(tmp_path, text, ParallelText())] == [
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
        read(tmp_path, f"a ||| b\n{line}\n", ParallelText())
    assert caught.value.line == 2


def written(made, rows):
    out = io.StringIO()
    write = made.writer(out, "source")
    for n, (source, target) in enumerate(rows, 1):
        write(SentencePair(str(n), source, target))
    return out.getvalue()


@pytest.mark.parametrize("made", [PlainText(), ParallelText()])
@given(st.lists(st.tuples(*[st.lists(words.filter("|||".__ne__))] * 2), min_size=1))
def test_round_trip(tmp_path_factory, made, rows):
    pairs = [
        (Sentence(tuple(a)), Sentence(tuple(b) if made.sides == "both" else ())) for a, b in rows
    ]
    text = written(made, pairs)
    if not text.startswith("\ufeff"):
        assert read(tmp_path_factory.mktemp("text"), text, made, tokenised=True) == pairs


@pytest.mark.parametrize("made", [PlainText(), ParallelText()])
@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        *(
            (Sentence(("a", word)), "row 1: the word .* write JSON lines")
            for word in ["", " ", "a b", "a\n", "\t"]
        ),
        (Sentence(("a",), (Span(0, 1, "X"),)), "row 1: spans cannot be held by plain text"),
    ],
)
def test_what_text_cannot_hold(made, sentence, why):
    with pytest.raises(SpanbridgeError, match=why):
        written(made, [(sentence, Sentence(()))])


def test_the_separator_is_no_word_of_parallel_text():
    row = (Sentence(()), Sentence(("|||",)))
    with pytest.raises(SpanbridgeError, match=r"row 1: the word '\|\|\|' would be taken"):
        written(ParallelText(), [row])
    assert written(PlainText(), [row[::-1]]) == "|||\n"


@pytest.mark.parametrize("space", ["\u00a0", "\u202f", "\u3000", "\u0085", "\u2028", "\x1c"])
def test_words_are_those_of_other_tools(tmp_path, space):
    """As in CoNLL, and in fast_align: only spaces and tabs separate them, so that links fit."""
    line = f"a{space}b c\td"
    (tmp_path / "a.txt").write_text(f"{line}\n", encoding="utf-8")
    (tmp_path / "a.parallel").write_text(f"{line} ||| {line}\n", encoding="utf-8")
    wanted = Sentence((f"a{space}b", "c", "d"))
    assert [s for _, s in PlainText().sentences(tmp_path / "a.txt")] == [wanted]
    ((_, pair),) = ParallelText().read(tmp_path / "a.parallel")
    assert (pair.source, pair.target) == (wanted, wanted)
