"""Scripts written without spaces: neighbours are split as one text, ranges cover all words."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer as Fast
from tokenizers import decoders

from spanbridge.core.scripts import is_unspaced
from spanbridge.encode import load_encoder

KINDS = ("bert", "roberta", "xlm-roberta")
SEGMENTED = {
    "zh": "北京 大学 今天 开学 了",
    "ja": "東京 都 で 会っ た",
    "th": "โรงเรียน ไทย เปิด วันนี้",
    "my": "မြန်မာ နိုင်ငံ",
    "km": "ប្រទេស កម្ពុជា",
}


@pytest.mark.parametrize("char", "北々〇、。ﾞーｱ㐀𠮷がスไ์ขកາမཀ")
def test_unspaced_scripts(char):
    assert is_unspaced(char)


@pytest.mark.parametrize("char", "aÄлΩعהकஅ한1,，።አ \u200b🦊")
def test_spaced_scripts(char):
    assert not is_unspaced(char)


def covered(encoded):
    """Words that at least one subword covers."""
    pairs = zip(encoded.first.tolist(), encoded.last.tolist(), strict=True)
    return {word for first, last in pairs for word in range(first, last)}


@pytest.mark.parametrize("language", SEGMENTED)
def test_states_do_not_depend_on_the_segmentation(embedded, language):
    """Words, single characters or one long word: the same subwords, the same states."""
    words = SEGMENTED[language].split()
    joined = "".join(words)
    of_words, of_characters, of_text = embedded.encode([words, list(joined), [joined]])
    np.testing.assert_array_equal(of_words.states, of_text.states)
    np.testing.assert_array_equal(of_characters.states, of_text.states)
    assert covered(of_words) == set(range(len(words)))
    assert covered(of_characters) == set(range(len(joined)))
    assert covered(of_text) == {0}


def test_ranges_by_hand(embedded):
    """The pieces are 北京 and 大学, which SentencePiece itself says."""
    assert embedded.tokenizer.pieces("北京大学") == ["▁", "北京", "大学"]
    cases = {
        ("北", "京", "大", "学"): [(0, 2), (2, 4)],
        ("北京", "大学"): [(0, 1), (1, 2)],
        ("北", "京大", "学"): [(0, 2), (1, 3)],
        ("北京大学",): [(0, 1), (0, 1)],
    }
    for words, ranges in cases.items():
        [encoded] = embedded.encode([words])
        assert list(zip(encoded.first, encoded.last, strict=True)) == ranges


def test_runs_stand_between_spaced_words(embedded):
    words = ["Das", "北", "京", "ist", "東京", "都", "."]
    [encoded] = embedded.encode([words])
    ranges = list(zip(encoded.first.tolist(), encoded.last.tolist(), strict=True))
    assert ranges == sorted(ranges)
    assert covered(encoded) == set(range(len(words)))
    assert (1, 3) in ranges  # 北京
    assert (4, 6) in ranges  # 東京都
    assert not any(first < edge < last for first, last in ranges for edge in (1, 3, 4, 6))


def test_words_that_compose_with_their_neighbour_are_split_alone(embedded):
    """カ and a lone voicing mark become ガ: which word the piece covers cannot be told."""
    assert embedded.tokenizer.encode_run(["カ", "ﾞ"]) is None
    [encoded] = embedded.encode([["カ", "ﾞ"]])
    assert covered(encoded) == {0, 1}


def test_normalisation_that_lengthens_a_word(embedded):
    """㌔ becomes キロ, two characters that belong to the one word."""
    [encoded] = embedded.encode([["五", "㌔", "先"]])
    assert covered(encoded) == {0, 1, 2}


CHARACTERS = "北京大学東今天都オ㌔がัไทย々"
runs = st.lists(st.text(CHARACTERS, min_size=1, max_size=4), min_size=1, max_size=6)


@given(runs)
def test_every_word_of_a_run_is_covered(embedded, words):
    found = embedded.tokenizer.encode_run(words)
    if found is not None:
        assert {n for _, a, b in found for n in range(a, b)} == set(range(len(words)))
        assert all(a <= c and b <= d for (_, a, b), (_, c, d) in pairwise(found))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", ["zh", "th", "ja"])
def test_checkpoints_split_the_joined_text(tiny, kind, language):
    """Ids of the text's own encoding, the word-begin mark left out; unknown characters included."""
    words = SEGMENTED[language].split()
    joined = "".join(words)
    encoder = load_encoder(str(tiny(kind)), compute_type="float32", threads=1)
    fast = Fast.from_file(str(tiny(kind) / "tokenizer.json"))
    encoding = fast.encode(joined, add_special_tokens=False)
    expected = [
        i for i, token in zip(encoding.ids, encoding.tokens, strict=True) if token not in "▁Ġ"
    ]
    for segmented in (words, list(joined), [joined]):
        found = encoder.tokenizer.encode_run(segmented)
        assert [i for i, _, _ in found] == expected
        assert {n for _, a, b in found for n in range(a, b)} == set(range(len(segmented)))
    of_words, of_text = encoder.encode([words, [joined]])
    np.testing.assert_array_equal(of_words.states, of_text.states)


def test_byte_level_pieces_keep_every_byte(tiny):
    """A character that is no piece comes as its bytes, and all of them stay in the input."""
    tokenizer = load_encoder(str(tiny("roberta")), threads=1).tokenizer
    found = tokenizer.encode_run(["東", "都"])
    assert [(a, b) for _, a, b in found] == [(0, 1)] * 3 + [(1, 2)] * 3
    fast = Fast.from_file(str(tiny("roberta") / "tokenizer.json"))
    fast.decoder = decoders.ByteLevel()
    assert fast.decode([i for i, _, _ in found]) == "東都"


def test_wordpiece_unknown_word_covers_its_run(tiny):
    """Thai is one word for BERT's splitter; unknown as a whole, it is one subword over all."""
    tokenizer = load_encoder(str(tiny("bert")), threads=1).tokenizer
    [(i, first, last)] = tokenizer.encode_run(["ฮฮ", "ฮ"])
    assert (i, first, last) == (1, 0, 2)
