"""Marks about spans, and what is left of them after translation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanbridge import SpanbridgeError
from spanbridge.core.spans import Span
from spanbridge.translation.mark_styles import STYLES, alike, style_of
from spanbridge.translation.marks import mark, markable, recover

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
        ("letters", "<a>Angela Merkel</a> met <b>Pedro</b> in <c>Paris</c>."),
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
        ("letters", "Vive en <a>París</a>.", "Vive en París.", "París"),
        ("letters", "Vive en < A > París < / A > .", "Vive en París.", "París"),
        ("letters", "他住在＜ａ＞北京＜／ａ＞。", "他住在北京。", "北京"),
        ("letters", "In &lt;a&gt;Paris&lt;/a&gt; [a] «b».", "In Paris [a] «b».", "Paris"),
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
    ("text", "style", "why"),
    [
        ("a [b]", "brackets", "such marks already"),
        ('a "b"', "quotes", "such marks already"),
        ("a <e1> b", "xml", "such marks already"),
        ("a <b>b</b>", "letters", "such marks already"),
        ("a [b]", "xml", None),
        ("a <e1> b", "letters", None),
    ],
)
def test_what_cannot_be_marked(text, style, why):
    reason = markable(text, style)
    assert reason is None if why is None else why in reason


def test_no_such_style():
    with pytest.raises(SpanbridgeError, match="no style of marks is named 'stars'"):
        markable("a", "stars")


BANK = "The Bank of China hired her"
NESTED = (Span(12, 17, "LOC"), Span(4, 17, "ORG"), Span(4, 8, "X"))
CROSSING = (Span(0, 8, "X"), Span(4, 17, "ORG"))


@pytest.mark.parametrize(
    ("spans", "style", "marked"),
    [
        (NESTED, "xml", "The <e0> <e1> Bank </e1> of <e2> China </e2> </e0> hired her"),
        (NESTED, "letters", "The <a><b>Bank</b> of <c>China</c></a> hired her"),
        (NESTED, "brackets", "The [ [ Bank ] of [ China ] ] hired her"),
        (CROSSING, "xml", "<e0> The <e1> Bank </e0> of China </e1> hired her"),
        (CROSSING, "letters", "<a>The <b>Bank</a> of China</b> hired her"),
    ],
)
def test_nested_and_crossing_marks_by_hand(spans, style, marked):
    assert mark(BANK, spans, style) == marked
    back = recover(marked, spans, [BANK[s.start : s.end] for s in spans], style)
    assert back.text == BANK
    assert sorted(span[:3] for span in back.spans) == sorted(span[:3] for span in spans)
    assert [spans[n].label for n in back.origins] == [span.label for span in back.spans]
    starts = [(span.start, -span.end) for span in back.spans]
    assert starts == sorted(starts)


@pytest.mark.parametrize(
    ("places", "held"),
    [
        ([(0, 4), (1, 3), (3, 6), (7, 8)], {"quotes": [0, 3], "brackets": [0, 1, 3]}),
        ([(2, 5), (0, 3)], {"quotes": [0], "brackets": [0]}),
        ([(1, 2), (0, 3)], {"quotes": [1], "brackets": [1, 0]}),
    ],
)
def test_what_a_style_can_hold(places, held):
    """The longer one of two that it cannot hold together, in reading order."""
    for style, wanted in held.items():
        assert style_of(style).held(places) == wanted
    for style in ("xml", "letters"):
        in_order = sorted(range(len(places)), key=lambda n: (places[n][0], -places[n][1]))
        assert style_of(style).held(places) == in_order


def test_there_are_26_letters():
    places = [(n, n + 1) for n in reversed(range(30))]
    assert style_of("letters").held(places) == list(range(29, 3, -1))
    assert len(style_of("xml").held(places)) == 30


def test_pieces_overlap_only_as_their_spans_do():
    """A translator that mixes up the marks of separate names: the one that begins later is lost."""
    mixed = recover("<e0> a <e1> b </e0> c </e1>", SPANS[:2], ALONE[:2], "xml")
    assert (mixed.text, found(mixed), mixed.lost) == ("a b c", [("a b", "PER")], (1,))
    inside = recover("<a>a <b>b</b></a> c", SPANS[:2], ALONE[:2], "letters")
    assert (found(inside), inside.lost) == ([("a b", "PER")], (1,))
    apart = recover(
        "<a>Bank</a> in <b>China</b>", (Span(0, 9, "X"), Span(5, 9, "Y")), (), "letters"
    )
    assert found(apart) == [("Bank", "X"), ("China", "Y")]
    assert alike(((0, 3), (2, 5)), ((4, 6), (5, 8)))
    assert not alike(((0, 3), (1, 2)), ((4, 6), (4, 8)))


@given(st.data(), st.sampled_from(STYLES))
def test_marks_in_text_out_spans_equal(data, style):
    """A translator that changes nothing loses nothing, in any style, of what that can hold."""
    words = data.draw(st.lists(st.text("abcß漢ا.,'-", min_size=1, max_size=4), max_size=8))
    text = " ".join(words)
    offsets, at = [], 0
    for word in words:
        offsets.append((at, at + len(word)))
        at += len(word) + 1
    places = []
    for _ in range(data.draw(st.integers(0, 6)) if words else 0):
        ends = data.draw(st.tuples(*[st.integers(0, len(words) - 1)] * 2))
        places.append((offsets[min(ends)][0], offsets[max(ends)][1]))
    places = list(dict.fromkeys(places))
    held = style_of(style).held(places)
    if style in ("xml", "letters"):
        assert sorted(held) == list(range(len(places)))
    spans = tuple(Span(*places[n], f"L{n}") for n in data.draw(st.permutations(held)))
    alone = [text[s.start : s.end] for s in spans]
    back = recover(mark(text, spans, style), spans, alone, style)
    assert back.lost == ()
    assert back.text.replace(" ", "") == text.replace(" ", "")
    # places without counting spaces, which punctuation may lose
    letters = [len(text[:n].replace(" ", "")) for n in range(len(text) + 1)]
    again = [len(back.text[:n].replace(" ", "")) for n in range(len(back.text) + 1)]
    wanted = [(letters[s.start], letters[s.end]) for s in spans]
    gotten = [(again[s.start], again[s.end]) for s in back.spans]
    assert sorted(gotten) == sorted(wanted)
    if style in ("xml", "letters"):
        assert {(*place, s.label) for place, s in zip(gotten, back.spans, strict=True)} == {
            (*place, s.label) for place, s in zip(wanted, spans, strict=True)
        }
