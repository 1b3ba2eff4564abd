"""The lexical aligner: what counts as a copy, which copy goes where, and with which score."""

import pytest

from spanbridge.alignment.lexical_aligner import LexicalAligner, normal_form
from spanbridge.core.errors import SpanbridgeError


@pytest.fixture
def links(pair):
    """Links and scores of a pair of texts."""

    def links(source, target, **options):
        [found] = LexicalAligner(**options).align([pair(source, target)])
        return dict(zip(found.pairs, found.scores, strict=True))

    return links


@pytest.mark.parametrize(
    "words",
    [
        (
            "1,000",
            "1.000",
            "1\u00a0000",
            "1\u202f000",
            "1'000",
            "1000",
            "١٠٠٠",
            "१,०००",
            "１０００",
        ),
        ("Łódź", "ŁÓDŹ", "łodz"),
        ("Straße", "STRASSE"),
        ("İstanbul", "istanbul"),
        ("ﬁnance", "Finance"),
        ("Αθήνα", "ΑΘΗΝΑ"),
    ],
)
def test_one_normal_form(words):
    assert len(set(map(normal_form, words))) == 1


@pytest.mark.parametrize("words", [("1000", "100"), ("1,5", "1-5"), ("and", "und"), ("и", "й1")])
def test_different_normal_forms(words):
    assert len(set(map(normal_form, words))) == 2


@pytest.mark.parametrize(
    ("a", "b"), [("1,000", "1.000"), ("١٩٩٩", "1999"), ("Kraków", "Krakow"), ("NATO", "NATO")]
)
def test_equal_words_score_1(links, a, b):
    assert links(f"the {a} x", f"y {b} is") == {(1, 1): 1.0}


def test_near_copies_score_their_similarity(links):
    """Parliament and Parlament: one of nineteen letters is to be deleted."""
    assert links("Parliament", "Parlament") == {(0, 0): pytest.approx(1 - 1 / 19)}
    assert links("Parliament", "Parlament", min_score=0.95) == {}


def test_other_case_costs_a_little(links):
    """So the name goes to the name: both copies are equal but for the first letter."""
    assert links("rose met Rose", "Rose traf") == {(2, 0): 1.0}
    assert links("berlin", "BERLIN") == {(0, 0): pytest.approx(0.95)}


def test_digits_must_be_equal(links):
    """1998 and 1999 are similar as letters go (0.75), but another year."""
    assert links("in 1998", "anno 1999") == {}
    assert links("G20 summit", "G21 cumbre") == {}
    assert links("G20 summit", "G20 cumbre") == {(0, 0): 1.0}


def test_short_words_must_be_equal(links):
    assert links("das Rad", "die Rat") == {}
    assert links("in UN in", "UN") == {(1, 0): 1.0}
    near = {"min_length": 3, "min_score": 0.6}
    assert links("das Rad", "die Rat", **near) == {(1, 1): pytest.approx(4 / 6)}


def test_repeated_names_go_to_their_own_occurrences(links):
    found = links("Paul and Anna saw Paul and Anna", "Paul y Anna vieron a Paul y Anna")
    assert set(found) == {(0, 0), (2, 2), (4, 5), (6, 7)}


def test_repeated_names_in_another_order(links):
    """The nearer occurrence wins over the first one."""
    assert set(links("x y z u v Paul", "Paul b c d e Paul")) == {(5, 5)}
    assert set(links("Paul y z u v w", "a b Paul d e Paul")) == {(0, 2)}


def test_a_better_copy_far_away_wins(links):
    """Even if the worse one lacks a single letter of twenty."""
    name = "Nordrhein-Westfalens"
    assert set(links(f"{name} a b c d", f"{name[:-1]} e f g {name}")) == {(0, 4)}


def test_one_to_one(links):
    assert len(links("Paul", "Paul Paul Paul")) == 1
    assert len(links("Paul Paul Paul", "Paul Paul")) == 2


@pytest.mark.parametrize(
    ("source", "target"),
    [([], []), ([], ["a"]), (["a"], []), ([""], [""]), (["\u0301"], ["\u0301", "\u0302"])],
)
def test_nothing_to_compare(links, source, target):
    """Words that are all accents are no equal words."""
    assert links(source, target) == {}


@pytest.mark.parametrize("value", [0, -0.1, 1.1])
def test_similarity_out_of_range(value):
    with pytest.raises(SpanbridgeError, match=r"lies in \(0, 1\]"):
        LexicalAligner(min_score=value)


def test_long_words(links):
    name = "Llanfair" * 1000
    assert set(links([name, "x"], ["y", name])) == {(0, 1)}
