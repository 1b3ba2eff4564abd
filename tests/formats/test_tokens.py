import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanbridge.core.scripts import is_invisible
from spanbridge.core.spans import Sentence
from spanbridge.formats.tokens import tokenize, with_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \t\n\u2028", []),
        ("Ankara'da, l’été!", ["Ankara'da", ",", "l’", "été", "!"]),
        ("L'Ajuntament d'Europa", ["L'", "Ajuntament", "d'", "Europa"]),
        (
            "Va dir: «L'any passa.» L'any. L'any",
            "Va dir : « L' any passa . » L' any . L' any".split(),
        ),
        ("dell'Unione qu'Anna", ["dell'", "Unione", "qu'", "Anna"]),
        ("don't ng'ombe O'Brien", ["don't", "ng'ombe", "O'Brien"]),
        ("a N'Djamena D'Angelo l' x", ["a", "N'Djamena", "D'Angelo", "l", "'", "x"]),
        ("'well-known' - end-", ["'", "well-known", "'", "-", "end", "-"]),
        ("3.14 GHȼ138,000", ["3", ".", "14", "GHȼ138", ",", "000"]),
        ("e\u0301te\u0301 ọ̀rọ̀", ["e\u0301te\u0301", "ọ̀rọ̀"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("می\u200cخواهم", ["می\u200cخواهم"]),
        ("東京は2021年", ["東", "京", "は", "2021", "年"]),
        ("スーパー", ["ス", "ー", "パ", "ー"]),
        ("กรุงเทพ", ["ก", "รุ", "ง", "เ", "ท", "พ"]),
        ("서울 시", ["서울", "시"]),
        ("👍🏽 ❤️ 👍👍🏽", ["👍🏽", "❤️", "👍", "👍🏽"]),
        ("🇩🇪🇫🇷 🇪", ["🇩🇪", "🇫🇷", "🇪"]),
        ("👩\u200d👧x 👩🏽\u200d🚀.", ["👩\u200d👧", "x", "👩🏽\u200d🚀", "."]),
        ("\u0301a \u200b", ["\u0301", "a"]),
        ("\ufeffParis\u200f, so\u00adft\u00ad", ["Paris", ",", "so\u00adft"]),
        ("\u2067תל אביב\u2069!\u200e", ["תל", "אביב", "!"]),
        ("a\u200bb c\u2060d\u2060\u2060 \u202a", ["a", "b", "c\u2060d"]),
        ("می\u200c ന്\u200d 👩\u200d", ["می\u200c", "ന്\u200d", "👩\u200d"]),
        ("a_b@c", ["a", "_", "b", "@", "c"]),
    ],
)
def test_words(text, expected):
    words, offsets = tokenize(text)
    assert list(words) == expected
    assert [text[start:end] for start, end in offsets] == expected


def test_boundaries_cut_words():
    assert tokenize("Ankara'da", [0, 6])[0] == ("Ankara", "'", "da")
    assert tokenize("unhappy", [2, 2, 0, 7])[0] == ("un", "happy")
    assert tokenize("a  b", [2])[1] == ((0, 1), (3, 4))


@given(st.text(), st.data())
def test_every_visible_character_is_in_one_word(text, data):
    cuts = data.draw(st.sets(st.integers(0, len(text))))
    words, offsets = tokenize(text, cuts)
    covered = [i for start, end in offsets for i in range(start, end)]
    seen = [i for i, char in enumerate(text) if not (char.isspace() or is_invisible(char))]
    assert [i for i in covered if not is_invisible(text[i])] == seen
    assert not any(is_invisible(word[0]) or is_invisible(word[-1]) for word in words)
    assert all(words)
    edges = {edge for span in offsets for edge in span}
    inside = set(covered) & {i + 1 for i in covered}
    assert cuts & inside <= edges
    assert tokenize(text, edges) == (words, offsets)


@given(text=st.text(st.sampled_from("lLdqu'’ aO.-é"), max_size=9), cuts=st.sets(st.integers(0, 9)))
def test_elided_words_with_boundaries(text, cuts):
    """Whatever is cut where, each character that is no white space lies in one word."""
    words, offsets = tokenize(text, (cut for cut in cuts if cut <= len(text)))
    assert [text[a:b] for a, b in offsets] == list(words)
    assert "".join(words) == "".join(text.split())
    assert all(a < b for a, b in offsets)
    assert not any(a < cut < b for a, b in offsets for cut in cuts)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("He did n't see it -LRB- yet -RRB- .", "He didn't see it (yet) ."),
        ("`` We 've won , '' she said", '"We\'ve won ," she said'),
        ("-LSB- -LCB- a -RCB- -RSB-", "[{a}]"),
        ("in 's-Hertogenbosch Paris 's best", "in 's-Hertogenbosch Paris's best"),
        ("Paris . 's", "Paris . 's"),
        ("Madrid es grande .", "Madrid es grande ."),
        ("", ""),
    ],
)
def test_words_as_text(words, text):
    """Each word's characters are its own, or what a token of the treebank stands for."""
    cut = Sentence(tuple(words.split()))
    found = with_text(cut, treebank=True)
    assert (found.text, found.words) == (text, cut.words)
    for word, (start, end) in zip(cut.words, found.offsets, strict=True):
        assert text[start:end] == word or word[0] in "-`'"
        assert start < end
    assert with_text(cut).text == words  # files keep the words
    assert with_text(found) is found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("See https://t.co/a?x=Paris, Bo.", ["See", "https://t.co/a?x=Paris", ",", "Bo", "."]),
        ("(www.Rome.it)", ["(", "www.Rome.it", ")"]),
        ("请看https://t.co/abc谢谢", ["请", "看", "https://t.co/abc", "谢", "谢"]),
        ("HTTP://A.b/ ok", ["HTTP://A.b/", "ok"]),
        ("https://", ["https", ":", "/", "/"]),
        ("a://b", ["a", ":", "/", "/", "b"]),
    ],
)
def test_web_addresses_are_words(text, words):
    found, offsets = tokenize(text)
    assert list(found) == words
    assert [text[a:b] for a, b in offsets] == words


def test_a_label_inside_a_web_address_cuts_it():
    assert "Rome" in tokenize("www.Rome.it", [4, 8])[0]
