"""What each kind of perturbation makes of words, by hand and whatever the words."""

import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spanbridge import SentencePair, Span, SpanbridgeError, WordAlignment, perturb
from spanbridge.core import registry
from spanbridge.core.spans import Sentence
from spanbridge.formats.languages import find_language
from spanbridge.formats.segmentation import graphemes
from spanbridge.formats.tokens import plain_sentence, with_text
from spanbridge.perturbation.base import Draw
from spanbridge.perturbation.layouts import layouts, neighbours
from spanbridge.perturbation.letters import bare
from spanbridge.perturbation.names import names

KINDS = tuple(registry.names("perturbation"))
EDITING = [kind for kind in KINDS if kind != "concatenation"]


def built(kind, language="en", **options):
    made = registry.build("perturbation", kind, options)
    made.speak(find_language(language))
    return made


def row(words, *spans, links=None, other=("x", "y", "z")):
    source = Sentence(tuple(words.split() if isinstance(words, str) else words), spans)
    found = None
    if links is not None:
        found = WordAlignment.of(links, len(source.words), len(other))
    return SentencePair("1", source, Sentence(tuple(other)), found)


def changed(pair, kind, strength=1.0, seed=1, where="everywhere"):
    draw = Draw(seed, kind.name, pair.source.words)
    return kind.change(pair, "source", draw, strength, where).pair.source


def text(words, kind, *spans, **more):
    return changed(row(words, *spans), kind, **more).plain_text()


@pytest.mark.parametrize(
    ("kind", "language", "before", "after"),
    [
        (("casing", {}), "en", "Ana IN Rio", "ana in rio"),
        (("casing", {}), "tr", "Isparta İzmir", "ısparta izmir"),
        (("casing", {"to": "upper"}), "tr", "izmir ß", "İZMİR SS"),
        (("casing", {"to": "swap"}), "en", "McRae 東", "mCrAE 東"),
        (("diacritics", {}), "yo", "Ṣadé Akíntọ́lá lọ", "Sade Akintola lo"),
        (("diacritics", {}), "pl", "Łódź w ogóle", "Lodz w ogole"),
        (("diacritics", {}), "de", "GROẞ Straße", "GROSS Strasse"),
        (("diacritics", {}), "vi", "Nguyễn Đỗ", "Nguyen Do"),
        (("diacritics", {}), "ru", "йод ёж", "йод еж"),
        (("diacritics", {}), "ar", "أحمد إلى", "احمد الى"),
        (("diacritics", {}), "hi", "दिल्ली पहुँचे", "दिल्ली पहुँचे"),
        (("diacritics", {}), "th", "เชียงใหม่", "เชียงใหม่"),
        (("diacritics", {}), "ja", "がんばれ 각", "がんばれ 각"),
        (("punctuation", {}), "en", "Dr. O'Neil , U.S. - yes !", "Dr O'Neil U.S yes"),
        (("punctuation", {}), "en", "! .", "."),
        (("romanise", {}), "ru", "Иван é 7 .", "Ivan é 7 ."),
        (("romanise", {}), "zh", "北京", "BeiJing"),
        (("transliterate", {}), "en", "Shchuka USA x-ray 7", "Щука УСА кс-рай 7"),
        (("transliterate", {"to": "Grek"}), "ru", "Иван Иванов", "Ιβαν Ιβανοβ"),
        (("transliterate", {"to": "Geor"}), "en", "Ana", "ანა"),
        (("transliterate", {"to": "Cyrl"}), "ru", "Иван", "Иван"),
    ],
)
def test_by_hand(kind, language, before, after):
    assert text(before, built(kind[0], language, **kind[1])) == after


def test_posts():
    made = {text("because", built("social"), seed=seed) for seed in range(30)}
    assert made == {"becauseee", "bcs", "beca"}
    assert {text(word, built("social"), seed=seed) for seed in range(9) for word in ("!", "7")} == {
        "!!!",
        "7",
    }
    assert {text("दिल्ली", built("social", "hi"), seed=s) for s in range(9)} == {"दिल्लीीी"}


def test_typos_are_of_four_kinds():
    made = {text(["on"], built("typos"), seed=seed) for seed in range(200)}
    assert {"no", "n", "o"} <= made
    assert [set(neighbours(letter)) for letter in "on"] == [set("ipkl"), set("bhjm")]
    assert all(len(word) <= 4 for word in made)


@pytest.mark.parametrize(
    ("letter", "language", "near", "far"),
    [
        ("a", "", "qwsz", "l"),
        ("a", "fra", "zqe", "s"),
        ("z", "deu", "tug", "x"),
        ("ш", "", "гщ", "ф"),
        ("κ", "", "ιλξ", "α"),
        ("ا", "", "لت", "ض"),
        ("ש", "", "ד", "ל"),
        ("क", "", "रतप", "म"),
        ("ক", "", "রত", "ম"),
        ("ก", "", "ดหห", "อ"),
        ("አ", "", "ኡኢኣኤእኦ", "በ"),
        ("ア", "", "フイ", "い"),
    ],
)
def test_keys_beside_a_letter(letter, language, near, far):
    found = neighbours(letter, language)
    assert set(found) & set(near)
    assert far not in found
    assert all(unicodedata.category(key)[0] == "L" for key in found)


def test_a_syllable_has_one_other_jamo():
    found = neighbours("김")
    assert "킴" not in found  # ㅋ lies two rows below ㄱ
    assert "딤" in found
    assert all(len(unicodedata.normalize("NFD", syllable)) == 3 for syllable in found)


def test_layouts_have_each_key_once():
    for _, near in layouts().values():
        assert all(key in near[other] for key, others in near.items() for other in others)
    with pytest.raises(SpanbridgeError, match="did you mean qwertz"):
        registry.build("perturbation", "typos", {"layout": "qwerz"})


def test_bare_letters():
    assert [bare(letter) for letter in ("e\u0301", "ø", "ж", "é", "ɗ")] == list("eoжed")
    decomposed = "ж\u0301"  # nothing is composed that was not, where nothing is lost
    assert bare("й") == "й"
    assert bare(decomposed) == "ж"


def test_shapes():
    made = {text("modern", built("ocr"), seed=seed, strength=0.4) for seed in range(300)}
    assert {"rnodern", "modem"} <= made
    assert {text("未", built("ocr", "zh"), seed=seed) for seed in range(9)} == {"末"}
    joined = changed(row("Ana met Bo", Span(0, 1, "PER")), built("ocr", spaces=True), seed=3)
    assert len(joined.words) < 3
    assert joined.spans == (Span(0, 1, "PER"),)


def test_names_keep_their_class_and_suffix():
    spans = (Span(0, 2, "PER"), Span(3, 4, "LOC"), Span(4, 5, "MISC"))
    made = changed(row("Ana Lima dün Ankara'da Nobel", *spans), built("names", "tr"))
    known = names()["tur"]
    given_name, family = made.words[:2]
    assert given_name in known["given"]
    assert family in known["family"]
    place, _, suffix = made.words[3].partition("'")
    assert (place in known["place"], suffix) == (True, "da")
    assert [span.label for span in made.spans] == ["PER", "LOC", "MISC"]
    assert made.words[4] == "Nobel"


def test_a_name_that_comes_twice_stays_one():
    spans = (Span(2, 3, "PER"), Span(0, 1, "PER"), Span(4, 5, "PER"))
    for strength in (0.3, 0.6, 1.0):
        words = changed(row("Ana saw Ana and Bo", *spans), built("names"), strength).words
        assert words[0] == words[2]


def test_names_of_another_language_and_in_its_own_way():
    of = {"of": "zh"}
    assert len(changed(row("Ana Lima", Span(0, 2, "PER")), built("names", **of)).words) == 1
    single = changed(row("王 明", Span(0, 2, "PER")), built("names", "zh"))
    assert all(len(word) == 1 for word in single.words)
    assert text("ana lima", built("names", of="de"), Span(0, 2, "PER")).islower()
    korean = text("서울에서", built("names", "ko"), Span(0, 1, "LOC"))
    assert korean.endswith("에서")


def test_names_in_names_are_replaced_alone():
    nested = row("Uni of Rio", Span(0, 3, "ORG"), Span(2, 3, "LOC"), Span(2, 3, "PER"))
    made = changed(nested, built("names", "de"))
    assert made.words[:2] == ("Uni", "of")
    assert made.words[2] in names()["deu"]["place"]
    assert [span[:2] for span in made.spans] == [(0, 3), (2, 3), (2, 3)]


def test_longer_names_begin_as_they_did():
    made = changed(row("met Ana Lima .", Span(1, 3, "PER")), built("longer-names"))
    (span,) = made.spans
    assert span.end - span.start > 2
    assert made.words[1:3] == ("Ana", "Lima")
    assert made.words[-1] == "."


def test_names_need_a_language_that_has_some():
    with pytest.raises(SpanbridgeError, match="whose names"):
        registry.build("perturbation", "names", {}).speak(None)
    with pytest.raises(SpanbridgeError, match="no list of names is named 'isl'"):
        built("names", "is")


def test_every_list_of_names_is_whole():
    assert len(names()) >= 45
    for language, lists in names().items():
        assert set(lists) == {"given", "family", "place", "organisation"}, language
        for listed in lists.values():
            assert len(set(listed)) == len(listed) >= 6, language
            assert all(
                name == name.strip() == unicodedata.normalize("NFC", name) for name in listed
            )


def test_linked_words_are_switched_together():
    links = [(0, 1), (1, 1), (2, 2), (3, 0), (3, 2)]
    pair = row("a b c d e", Span(0, 2, "X"), Span(2, 3, "X"), links=links)
    kind = built("code-switching")
    assert changed(pair, kind).words == ("y", "c", "d", "e")  # c and d are linked with x and z
    assert changed(row("a b c", links=[(0, 0), (1, 2)]), kind).words == ("x", "z", "c")
    crossing = row("a b c", Span(1, 3, "X"), links=[(0, 0), (1, 0)])
    assert changed(crossing, kind) is crossing.source
    assert changed(row("a b"), kind).words == ("a", "b")


@pytest.mark.parametrize(("where", "after"), [("spans", "ANA met BO"), ("outside", "Ana MET Bo")])
def test_where(where, after):
    kind = built("casing", to="upper")
    spans = (Span(0, 1, "PER"), Span(2, 3, "PER"))
    assert text("Ana met Bo", kind, *spans, where=where) == after


LETTERS = st.text("abéßİIlmrn1.'-яйЩάσ서울ال नि中ア\u0301\u200d", min_size=1, max_size=6)


@st.composite
def rows(draw):
    words = [w for w in draw(st.lists(LETTERS, max_size=6)) if w.strip()]
    words = ["".join(word.split()) for word in words]
    n = len(words)
    bounds = draw(st.lists(st.tuples(st.integers(0, n), st.integers(0, n)), max_size=3))
    labels = ("PER", "LOC", "X")
    spans = tuple(Span(a, b, labels[k]) for k, (a, b) in enumerate(bounds) if a < b)
    source = Sentence(tuple(words), spans)
    if draw(st.booleans()):
        source = plain_sentence(with_text(source))[0]
    target = Sentence(("x", "y", "z"))
    pairs = st.tuples(st.integers(0, max(len(source.words) - 1, 0)), st.integers(0, 2))
    links = draw(st.lists(pairs, max_size=5)) if source.words else []
    return SentencePair("1", source, target, WordAlignment.of(links, len(source.words), 3))


@pytest.mark.parametrize("kind", EDITING)
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(pair=rows(), seed=st.integers(0, 3))
def test_whatever_the_words(kind, pair, seed):
    made = built(kind)
    draw = Draw(seed, kind, pair.source.words)
    assert made.change(pair, "source", draw, 0.0, "everywhere").pair is pair
    counts = []
    for strength in (0.3, 0.6, 1.0):
        change = made.change(pair, "source", draw, strength, "everywhere")
        assert change == made.change(pair, "source", draw, strength, "everywhere")
        counts.append(change.n_made)
        after = change.pair.source
        assert [s.label for s in after.spans] == [s.label for s in pair.source.spans]
        assert all(word.strip() for word in after.words if word not in pair.source.words)
        assert bool(after.words) == bool(pair.source.words)
        if after.text is not None:
            assert [after.text[a:b] for a, b in after.offsets] == list(after.words)
        assert change.n_made <= change.n_possible
        assert (change.pair is pair) == (change.n_made == 0)
    assert counts == sorted(counts)


@pytest.mark.parametrize("kind", ["typos", "diacritics", "ocr"])
@given(word=LETTERS)
def test_marks_stay_with_their_letters(kind, word):
    """No grapheme is cut: edits begin and end where graphemes do."""
    from spanbridge.perturbation.base import Given

    word = "".join(word.split()) or "a"
    pair = row([word])
    whole = with_text(pair.source)
    edges = {edge for place in graphemes(word) for edge in place}
    for edit in built(kind).edits(Given(whole, Draw(1, kind, (word,)), pair, "source")):
        assert {edit.start, edit.end} <= edges


def test_strengths_are_shares():
    words = ["Word"] * 400
    for strength in (0.1, 0.5):
        made = perturb([row(words)], "casing", strength=strength, seed=5)[0].source.words
        assert abs(made.count("word") / 400 - strength) < 0.08


def test_every_kind_has_its_own_name():
    assert [registry.load("perturbation", kind).name for kind in KINDS] == list(KINDS)


def test_a_sample_is_kept_and_read_again(tmp_path):
    first, other = built("concatenation"), built("concatenation")
    pair = row("a b", Span(0, 1, "X"))
    first.fit([row("c d e", Span(1, 3, "Y"), links=[(0, 1)]), pair])
    first.save(tmp_path)
    other.load(tmp_path)
    made = [changed(pair, kind) for kind in (first, other)]
    assert made[0] == made[1]
    assert made[0].words == ("a", "b", "c", "d", "e")
    assert made[0].spans == (Span(0, 1, "X"), Span(3, 5, "Y"))
