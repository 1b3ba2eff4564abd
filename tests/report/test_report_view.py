from hypothesis import given
from hypothesis import strategies as st

from spanbridge.core.links import WordAlignment
from spanbridge.core.spans import Sentence
from spanbridge.report.drawing import Mark, direction, gap, link_text, tokens


def written(sentence, marks):
    """The tokens as text: marks in brackets, a cut one closed with a dash."""
    out = ""
    for token in tokens(sentence, marks):
        if token.kind == "open":
            out += "["
        elif token.kind == "close":
            out += f"|{token.mark.label}{'' if token.whole else '-'}]"
        else:
            out += token.text
    return out


def test_marks_nest_and_crossing_ones_are_cut():
    sentence = Sentence(("a", "b", "c", "d"))
    assert written(sentence, []) == "a b c d"
    assert written(sentence, [Mark(1, 2, "X"), Mark(0, 3, "Y")]) == "[a [b|X] c|Y] d"
    assert written(sentence, [Mark(0, 3, "X"), Mark(1, 4, "Y")]) == "[a [b c|Y-]|X] [d|Y]"
    assert written(sentence, [Mark(0, 1, "X"), Mark(0, 1, "Y")]) == "[[a|Y]|X] b c d"


@st.composite
def marked(draw):
    n = draw(st.integers(1, 7))
    span = st.tuples(st.integers(0, n - 1), st.integers(1, n)).filter(lambda s: s[0] < s[1])
    return n, [Mark(*s, str(i)) for i, s in enumerate(draw(st.lists(span, max_size=6)))]


@given(marked())
def test_every_mark_covers_its_words_and_closes_once(case):
    n, marks = case
    stack, covered, closed, seen = [], {m: [] for m in marks}, [], 0
    for token in tokens(Sentence(("w",) * n), marks):
        if token.kind == "open":
            stack.append(token.mark)
        elif token.kind == "close":
            assert stack.pop() == token.mark
            if token.whole:
                closed.append(token.mark)
        elif token.kind == "word":
            for mark in stack:
                covered[mark].append(seen)
            seen += 1
    assert (stack, seen) == ([], n)
    assert sorted(closed) == sorted(marks)
    assert covered == {m: list(range(m.start, m.end)) for m in marks}


def test_gaps_follow_the_raw_text():
    sentence = Sentence(
        ("Ber", "lin", "x", "y"), (), "Berlin \n x/y", ((0, 3), (3, 6), (9, 10), (11, 12))
    )
    assert [gap(sentence, i) for i in (1, 2, 3)] == ["", " ", "/"]
    assert gap(Sentence(("a", "b")), 1) == " "


def test_direction_is_that_of_most_letters():
    assert direction(["Google", "أعلنت", "عن", "افتتاح"]) == "rtl"
    assert direction(["שלום", "international"]) == "ltr"
    assert direction(["12", "."]) == direction([]) == "ltr"


def test_a_word_with_direction_controls_is_isolated():
    made = tokens(Sentence(("a\u202eb", "c")), [])
    assert [token.isolate for token in made if token.kind == "word"] == [True, False]


def test_score_bars():
    assert [Mark(0, 1, "A", s).bucket for s in (None, -1, 0.0, 0.87, 1.0, 7.0)] == [
        0,
        0,
        0,
        17,
        20,
        20,
    ]
    assert [Mark(0, 1, "A", s).low for s in (None, 0.49, 0.5)] == [False, True, False]


def test_links_as_text():
    assert link_text(WordAlignment.of([(1, 0), (0, 1)], 2, 2)) == "0-1 1-0"
    assert link_text(WordAlignment.of([(0, 1)], 2, 2, [0.876])) == "0-1:0.88"
