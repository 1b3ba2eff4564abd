"""The statistical aligner on a made-up language whose dictionary and word order are known."""

import random

import numpy as np
import pytest

from spanbridge.alignment import statistical
from spanbridge.alignment.lexical_aligner import LexicalAligner
from spanbridge.alignment.statistical import StatisticalAligner
from spanbridge.core import soft_alignment
from spanbridge.core.errors import InputError, RowError, SpanbridgeError

NOUNS = "house dog river king bread stone bird tree night child".split()
ADJECTIVES = "red old big small dark good".split()
VERBS = "sees eats likes finds".split()
# the other language spells words backwards, and puts adjectives after their nouns
DICTIONARY = {word: f"{word[::-1]}o" for word in NOUNS + ADJECTIVES + VERBS}


def toy_pair(rng):
    """Source words, target words, and the links between them."""
    source, target, links = [], [], set()
    for part in ("phrase", "verb", "phrase"):
        at = len(source)
        if part == "verb" or rng.random() < 0.4:
            words, order = [rng.choice(VERBS if part == "verb" else NOUNS)], [0]
        else:
            words, order = [rng.choice(ADJECTIVES), rng.choice(NOUNS)], [1, 0]
        source += words
        target += [DICTIONARY[words[n]] for n in order]
        links |= {(at + n, at + m) for m, n in enumerate(order)}
    return source, target, links


@pytest.fixture(scope="module")
def toy(pair):
    """Sixty sentence pairs and their links."""
    rng = random.Random(3)
    rows = [toy_pair(rng) for _ in range(60)]
    return [pair(source, target) for source, target, _ in rows], [links for *_, links in rows]


def fitted(pairs, **options):
    aligner = StatisticalAligner(**options)
    aligner.fit(pairs)
    return aligner


def assert_same(found, expected, **tolerance):
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours.forward, theirs.forward, **tolerance)
        np.testing.assert_allclose(ours.backward, theirs.backward, **tolerance)


def test_reordered_words_are_found(toy):
    """Adjectives and nouns cross."""
    pairs, gold = toy
    found = [set(links.pairs) for links in fitted(pairs).align(pairs)]
    hits = sum(len(links & right) for links, right in zip(found, gold, strict=True))
    assert hits >= 0.97 * sum(map(len, found))
    assert hits >= 0.97 * sum(map(len, gold))
    crossing = sum((0, 1) in links and (1, 0) in links for links in found)
    assert crossing >= 33  # 36 of the sixty start with an adjective


def test_mass_stays_within_a_word(toy):
    """Rows of forward and columns of backward sum to at most 1, and links reach the least score."""
    pairs, _ = toy
    aligner = fitted(pairs, min_score=0.3)
    for found, links in zip(aligner.soft_align(pairs), aligner.align(pairs), strict=True):
        assert found.forward.min() >= 0
        assert found.backward.min() >= 0
        assert found.forward.sum(1).max() <= 1 + 1e-9
        assert found.backward.sum(0).max() <= 1 + 1e-9
        assert found.source_states is found.target_states is None
        assert all(0.3 <= score <= 1 for score in links.scores)
        assert links == found.links(0.3)


def test_fitting_again_forgets(toy):
    pairs, _ = toy
    aligner = fitted(pairs[:10])
    few = aligner.align(pairs)
    assert "trained_on=10_pairs" in aligner.describe()
    aligner.fit(iter(pairs))  # one pass is enough
    assert "trained_on=60_pairs" in aligner.describe()
    assert aligner.align(pairs) != few
    aligner.fit(pairs[:10])
    assert aligner.align(pairs) == few


def test_prefixes_pool_inflected_words(toy, pair, monkeypatch):
    """Every target word with one of six endings: cut to four letters, they are the same again."""
    rng = random.Random(4)
    endings = ["os", "ar", "en", "it", "um", "ya"]
    pairs = [
        pair(one.source.words, [word + rng.choice(endings) for word in one.target.words])
        for one in toy[0]
    ]
    hits = {}
    for prefixes in ((None, 5, 4), (None,)):
        monkeypatch.setattr(statistical, "PREFIXES", prefixes)
        rows = zip(fitted(pairs).align(pairs), toy[1], strict=True)
        hits[prefixes] = sum(len(set(links.pairs) & right) for links, right in rows)
    n_right = sum(map(len, toy[1]))
    assert hits[None, 5, 4] >= 0.85 * n_right
    assert hits[(None,)] < 0.75 * n_right


def test_unfitted(toy):
    """Whatever it is asked, even if there is nothing to align."""
    aligner = StatisticalAligner()
    assert aligner.learns
    for ask in (aligner.align, aligner.soft_align):
        for pairs in (toy[0], []):
            with pytest.raises(SpanbridgeError, match="must be fitted on the bitext first"):
                ask(pairs)


@pytest.mark.parametrize("min_score", [0, 1, -0.5, 1.5, float("nan")])
def test_least_scores_out_of_range(min_score):
    with pytest.raises(SpanbridgeError, match=f"min_score is {min_score}, but lies between 0"):
        StatisticalAligner(min_score)


def test_a_bitext_without_words(pair):
    """Nothing can be learned, and nothing is asked for either."""
    for bitext in ([], [pair([], []), pair("house", []), pair([], "esuoho")]):
        aligner = fitted(bitext)
        assert [links.pairs for links in aligner.align(bitext)] == [()] * len(bitext)
        with pytest.raises(SpanbridgeError, match="must be fitted on the bitext first"):
            aligner.align([pair("house", "esuoho")])


def test_empty_sentences(toy, pair):
    """In training they count for nothing; after it they have soft alignments without cells."""
    pairs, _ = toy
    empty = [pair([], []), pair(["house", "dog"], []), pair([], ["esuoho"])]
    aligner = fitted([*empty, *pairs, *empty])
    assert "trained_on=60_pairs" in aligner.describe()
    assert_same(aligner.soft_align(pairs), fitted(pairs).soft_align(pairs), rtol=0)
    shapes = [(0, 0), (2, 0), (0, 1)]
    found = aligner.soft_align(empty)
    assert [one.forward.shape for one in found] == shapes
    assert [one.backward.shape for one in found] == shapes
    assert [(one.pairs, one.n_source, one.n_target) for one in aligner.align(empty)] == [
        ((), *shape) for shape in shapes
    ]


def test_odd_words(toy, pair):
    """Empty and invisible words, emoji and lone surrogates train and align like others."""
    pairs, _ = toy
    odd = pair(["NULL", "", "\u200b", "\udcff", "house"], ["\u200b", "", "🦊", "\u0301", "esuoho"])
    aligner = fitted([odd, *pairs])
    known, fresh = aligner.align([odd, pair(["\ue000", "house"], ["👋🏽", "esuoho"])])
    assert (4, 4) in known.pairs
    assert (1, 1) in fresh.pairs


def test_names_of_new_text_are_found_by_their_spelling(toy, pair):
    """Nothing but transliteration knows these words; known words beside them stay linked."""
    new = [
        pair("Merkel sees Kowalski", "Merkel seeso Kowalskiego"),
        pair("Москва likes 1999", "Moskva sekilo 1999"),
        pair("Αθήνα sees Осло", "Athina seeso Oslo"),
        pair("the 1,000 x eats 2,500 of", "oht x 1.000 staeo fo 2.500"),
    ]
    found = [set(links.pairs) for links in fitted(toy[0]).align(new)]
    straight = {(0, 0), (1, 1), (2, 2)}
    assert found[:3] == [straight] * 3
    assert {(1, 2), (3, 3), (4, 5)} <= found[3]


def test_names_are_found_at_their_first_occurrence(toy, pair):
    """In the bitext itself each name occurs once, among words that occur often, in other order."""
    names = [("Москва", "Moskva"), ("北京", "BeiJing"), ("Merkel", "Merkelová"), ("1999", "1999")]
    rows = [pair(f"the house sees {name}", f"oht esuoho {copy} seeso") for name, copy in names]
    for links in fitted([*toy[0], *rows]).align(rows):
        assert {(1, 1), (2, 3), (3, 2)} <= set(links.pairs)
        assert not {(2, 2), (3, 3)} & set(links.pairs)


def test_a_row_too_long(toy, pair, monkeypatch):
    """It is rejected with the reason, and harms neither the training nor its neighbours."""
    monkeypatch.setattr(soft_alignment, "MAX_CELLS", 100)
    pairs, _ = toy
    fits, long = pair(["house"] * 50, ["esuoho"] * 2), pair(["house"] * 101, ["esuoho"])
    aligner = fitted([*pairs[:30], long, *pairs[30:]])
    assert_same(aligner.soft_align(pairs), fitted(pairs).soft_align(pairs), rtol=0)
    for found in (aligner.soft_align, aligner.align):
        first, rejected, last = found([fits, long, pairs[0]])
        assert isinstance(rejected, RowError)
        assert str(rejected) == "too long to align: 101 x 1 words, more than 100; split the row"
        assert not isinstance(first, RowError)
        assert not isinstance(last, RowError)


def test_a_lone_pair_of_many_words(pair):
    """Sixty different words met once each: nothing is learned, and nothing fails."""
    words = [a + b for a in "bcdfg" for b in "klmnpqrstvwx"]
    lone = pair(words, [word[::-1].upper() + "zzzz" for word in words])
    [links] = fitted([lone]).align([lone])
    assert links.pairs == ()


def test_the_order_of_pairs_does_not_matter(toy):
    pairs, _ = toy
    shuffled = random.Random(0).sample(pairs, len(pairs))
    one, other = fitted(pairs), fitted(shuffled)
    assert_same(one.soft_align(pairs), other.soft_align(pairs), rtol=0, atol=1e-9)
    assert [x.pairs for x in one.align(pairs)] == [x.pairs for x in other.align(pairs)]
    assert_same(one.soft_align(pairs), fitted(pairs).soft_align(pairs), rtol=0)


def test_the_company_does_not_matter(toy):
    """After fitting, each pair is aligned by itself."""
    pairs, _ = toy
    aligner = fitted(pairs)
    assert [aligner.align([one]) for one in pairs] == [[one] for one in aligner.align(pairs)]


def test_saved_and_loaded(toy, pair, tmp_path):
    """With words that no array of strings could hold."""
    pairs = [*toy[0], pair(["Ж", "x" * 1000, "\udcff"], ["", "\0", "y"])]
    aligner = fitted(pairs, min_score=0.3)
    aligner.save(tmp_path)
    other = StatisticalAligner(min_score=0.3).load(tmp_path)
    assert other.describe() == aligner.describe()
    new = pair("unseen house Oslo", "Oslo esuoho never")
    assert_same(aligner.soft_align([*pairs, new]), other.soft_align([*pairs, new]), rtol=0)
    assert aligner.align(pairs) == other.align(pairs)


@pytest.mark.parametrize("bitext", [None, []])
def test_nothing_learned_saved_and_loaded(toy, tmp_path, bitext):
    """Unfitted, or fitted on nothing: so it stays, even if another knew more."""
    aligner = StatisticalAligner() if bitext is None else fitted(bitext)
    aligner.save(tmp_path)
    other = fitted(toy[0]).load(tmp_path)
    assert other.describe() == aligner.describe()
    with pytest.raises(SpanbridgeError, match="fitted"):
        other.align(toy[0])


def test_what_another_aligner_learned_is_refused(tmp_path):
    LexicalAligner().save(tmp_path)
    with pytest.raises(InputError, match=r"learned\.json: is damaged, or another part's"):
        StatisticalAligner().load(tmp_path)


def test_description_before_and_after(toy):
    aligner = StatisticalAligner(min_score=0.5)
    assert aligner.describe() == "statistical(min_score=0.5)"
    aligner.fit(toy[0])
    assert aligner.describe() == "statistical(min_score=0.5,trained_on=60_pairs)"
