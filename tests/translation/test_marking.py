"""Marks about spans, and what is left of them after translation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanbridge import SpanbridgeError
from spanbridge.core.spans import Span
from spanbridge.translation.marks import STYLES, mark, markable, recover

TEXT = "Angela Merkel met Pedro in Paris."
SPANS = (Span(0, 13, "PER"), Span(18, 23, "PER"), Span(27, 32, "LOC"))
ALONE = ("Angela Merkel", "Pedro", "París")


def found(back):
    return [(back.text[s.start : s.end], s.label) for s in back.spans]


@pytest.mark.parametrize(
    ("style", "marked"),
    [
        ("brackets", "[ Angela Merkel ] met [ Pedro ] in [ Paris ]."),
        ("quotes", '" Angela Merkel " met " Pedro " in " Paris ".'),
        ("xml", "<e0> Angela Merkel </e0> met <e1> Pedro </e1> in <e2> Paris </e2>."),
    ],
)
def test_marks_by_hand(style, marked):
    assert mark(TEXT, SPANS, style) == marked
    back = recover(marked, SPANS, ("Angela Merkel", "Pedro", "Paris"), style)
    assert back.text == TEXT
    assert [span[:3] for span in back.spans] == [span[:3] for span in SPANS]
    assert back.lost == ()


def test_marks_that_moved_merged_and_vanished():
    """Order is the translation's; the labels follow the likeness (EasyProject, section 3)."""
    moved = recover("En [París] vio【Pedro】 a [Angela Merkel].", SPANS, ALONE, "brackets")
    assert moved.text == "En París vio Pedro a Angela Merkel."
    assert found(moved) == [("París", "LOC"), ("Pedro", "PER"), ("Angela Merkel", "PER")]
    merged = recover("[Angela Merkel vio Pedro] en [París]", SPANS, ALONE, "brackets")
    assert found(merged) == [("Angela Merkel vio Pedro", "PER"), ("París", "LOC")]
    assert merged.lost == (1,)
    gone = recover("Angela Merkel vio a Pedro en [ París", SPANS, ALONE, "brackets")
    assert (gone.text, gone.spans, gone.lost) == (
        "Angela Merkel vio a Pedro en París",
        (),
        (0, 1, 2),
    )
    other = recover("[ xyz ] y [ París ]", SPANS, ALONE, "brackets")
    assert (found(other), other.lost) == ([("París", "LOC")], (0, 1))


@pytest.mark.parametrize(
    ("style", "translated", "text", "name"),
    [
        ("brackets", "他住在 [ 北京 ] 。", "他住在北京。", "北京"),
        ("brackets", "他住在[北京]。", "他住在北京。", "北京"),
        ("brackets", "彼は 「東京」 に住む。", "彼は東京に住む。", "東京"),
        ("brackets", "เขาอยู่ใน [ กรุงเทพ ] วันนี้", "เขาอยู่ในกรุงเทพวันนี้", "กรุงเทพ"),
        ("brackets", "나는 [ 파리 ]에 산다", "나는 파리에 산다", "파리"),
        ("brackets", "Pariisi [ Pariisi ]ssa .", "Pariisi Pariisissa .", "Pariisi"),
        ("brackets", "Vive (ya) en ( París ) .", "Vive (ya) en París.", "París"),
        ("brackets", "Vive en &#91; París &#93; .", "Vive en París.", "París"),
        ("brackets", "C'est [ Paris ]\u00a0!", "C'est Paris\u00a0!", "Paris"),
        ("brackets", "¿Es [ París ] ?", "¿Es París?", "París"),
        ("quotes", "他住在 「 北京 」 。", "他住在北京。", "北京"),
        ("quotes", "&quot; Paris &quot; gana", "Paris gana", "Paris"),
        ("xml", "In &lt;e0&gt; Paris &lt;/e0&gt; .", "In Paris.", "Paris"),
        ("xml", "In &LT; E0 &GT; Paris &lt; / E0 &gt; .", "In Paris.", "Paris"),
        ("xml", "他住在＜e0＞北京＜/e0＞。", "他住在北京。", "北京"),
        ("xml", "In «e0»Paris«/e0».", "In Paris.", "Paris"),
        ("xml", "In [e0] Paris [/e0].", "In Paris.", "Paris"),
        ("xml", "In <e0>Paris<\\e0>.", "In Paris.", "Paris"),
        ("xml", "In <e0> Paris <e0>.", "In Paris.", "Paris"),
        ("xml", "Ankara'da <e0>Paris</e0>'in", "Ankara'da Paris'in", "Paris"),
    ],
)
def test_no_space_is_left_and_changed_marks_are_found(style, translated, text, name):
    back = recover(translated, SPANS[2:], (name,), style)
    assert back.text == text
    assert (found(back), back.lost) == ([(name, "LOC")], ())


def test_signs_of_the_text_itself_stay():
    """Round brackets about something else, and where the square ones are there."""
    back = recover("Vive (aquí) en [ París ] (Francia).", SPANS[2:], ("París",), "brackets")
    assert back.text == "Vive (aquí) en París (Francia)."
    lost = recover("Vive (aquí).", SPANS[2:], ("París",), "brackets")
    assert (lost.text, lost.lost) == ("Vive (aquí).", (0,))


def test_tags_that_come_twice_name_nothing():
    back = recover("<e0>a</e0> <E 0>b</e0> <e2> París </ e2> <e9>c</e9>", SPANS, ALONE, "xml")
    assert (back.text, found(back), back.lost) == ("a b París c", [("París", "LOC")], (0, 1))


@pytest.mark.parametrize(
    ("text", "spans", "style", "why"),
    [
        ("a [b]", (), "brackets", "such marks already"),
        ('a "b"', (), "quotes", "such marks already"),
        ("a <e1> b", (), "xml", "such marks already"),
        ("a b", (Span(0, 2, "X"), Span(1, 3, "Y")), "xml", "cross"),
        ("a [b]", (Span(0, 1, "X"),), "xml", None),
    ],
)
def test_what_cannot_be_marked(text, spans, style, why):
    reason = markable(text, spans, style)
    assert reason is None if why is None else why in reason


def test_no_such_style():
    with pytest.raises(SpanbridgeError, match="no style of marks is named 'stars'"):
        markable("a", (), "stars")


@given(st.data(), st.sampled_from(STYLES))
def test_a_translator_that_changes_nothing_loses_nothing(data, style):
    """Whatever the text: the words come back, and each span covers the same letters."""
    words = data.draw(st.lists(st.text("abcß漢ا.,'-", min_size=1, max_size=4), max_size=8))
    text = " ".join(words)
    offsets, at = [], 0
    for word in words:
        offsets.append((at, at + len(word)))
        at += len(word) + 1
    spans = tuple(
        Span(*where, "X") for where in offsets if data.draw(st.booleans(), label="marked")
    )
    alone = [text[s.start : s.end] for s in spans]
    back = recover(mark(text, spans, style), spans, alone, style)
    assert back.lost == ()
    assert back.text.replace(" ", "") == text.replace(" ", "")
    assert [t for t, _ in found(back)] == alone
