"""Flaws of boundaries, and small words in the scores that read mass."""

from __future__ import annotations

import numpy as np
import pytest

from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SentencePair
from spanbridge.core.soft_alignment import SoftAlignment
from spanbridge.core.spans import Sentence, Span
from spanbridge.formats.closed_classes import closed_classes
from spanbridge.projection.boundaries import AGAINST, SMALL, Boundaries, Conventions
from spanbridge.projection.candidates import Intervals
from spanbridge.projection.presets import SoftMethod
from spanbridge.projection.score_input import ScoreInput


def flaws(target, start, end, source="x", language="", **wanted):
    words = tuple(source.split())
    known = Conventions(closed_classes(language) if language else None, wanted)
    found = Boundaries(tuple(target.split()), words, known.of(target.split()))
    return found.flaws(Span(0, len(words), "X"), Intervals.of([(start, end)]))[0]


@pytest.mark.parametrize(
    ("target", "place", "source", "language", "count"),
    [
        ("die Stadt Bonn", (0, 3), "Bonn", "deu", 1),
        ("die Stadt Bonn", (0, 3), "the city", "deu", 0),
        ("die Stadt Bonn", (1, 3), "Bonn", "deu", 0),
        ("die Stadt Bonn", (0, 3), "Bonn", "", 0),  # no language, nothing known
        ("今 日 は 雨", (0, 2), "today", "", 0),  # kana: Japanese
        ("今 日 は 雨", (0, 3), "today", "", 1),
        ("今 日 は 雨", (0, 1), "today", "", 1),  # inside 今日
        ("今 日 は 雨", (1, 3), "today", "", 2),
        ("午前 6 時に 設定", (0, 2), "6 am", "jpn", 0),  # a given token cannot be cut
        ("北京 ( Beijing ) 人", (0, 1), "Beijing", "", 0),
        ("北京 ( Beijing ) 人", (0, 4), "Beijing", "", 1),
        ("北京 ( Beijing ) 人", (0, 3), "Beijing", "", 1),
        ("北京 ( Beijing ) 人", (0, 4), "Beijing ( BJ )", "", 0),
        ("“ Bonn ” ,", (0, 2), "Bonn", "", 1),
        ("“ Bonn ” ,", (0, 3), "“ Bonn ”", "", 0),
        ("U.S. Inc .", (0, 3), "U.S. Inc", "", 0),
        ("魁北克 省 的", (0, 1), "Quebec", "zho", 1),  # 省 is left out
        ("魁北克 省 的", (0, 2), "Quebec", "zho", 0),
        ("唐納 · 川普", (0, 1), "Donald Trump", "zho", 1),
        ("唐納 · 川普", (0, 3), "Donald Trump", "zho", 0),
        ("Ankara 'da", (0, 2), "Ankara", "tur", 1),
        ("", (0, 0), "Bonn", "", 0),
    ],
)
def test_flaws(target, place, source, language, count):
    if target:
        assert flaws(target, *place, source, language) == count


@pytest.mark.parametrize(("n_words", "count"), [(4, 1), (6, 0.5), (8, 0), (20, 0)])
def test_clauses_may_begin_with_any_word(n_words, count):
    assert flaws("la tasa bajó", 0, 3, " ".join(["rate"] * n_words), "spa") == count


@pytest.mark.parametrize(
    ("wanted", "place", "against"),
    [
        ({"article": "in"}, (1, 2), 1),
        ({"article": "in"}, (0, 2), 0),
        ({"article": "out"}, (0, 2), 1),
        ({"article": "out"}, (1, 2), 0),
        ({"title": "in"}, (3, 4), 1),
        ({"title": "in"}, (2, 4), 0),
        ({"title": "out"}, (2, 4), 1),
    ],
)
def test_conventions_outweigh_everything(wanted, place, against):
    # the source has an article, too: what was said counts, not what it has
    found = flaws("die Stadt Herr Roe", *place, "the city", "deu", **wanted)
    assert found == AGAINST * against


@pytest.mark.parametrize(
    ("target", "wanted", "place", "against"),
    [
        ("so « Le Monde » .", {"quotes": "in"}, (2, 4), 1),
        ("so « Le Monde » .", {"quotes": "in"}, (1, 5), 0),
        ("so « Le Monde » .", {"quotes": "out"}, (1, 5), 1),
        ("so « Le Monde » .", {"quotes": "out"}, (2, 4), 0),
        ("« A , B » x", {"quotes": "in"}, (1, 2), 0),  # they are around more than the name
        ("EE . UU . ha", {"punctuation": "in"}, (0, 3), 1),
        ("EE . UU . ha", {"punctuation": "in"}, (0, 4), 0),
        ("EE . UU . ha", {"punctuation": "out"}, (0, 4), 1),
        ("OMS ( WHO ) x", {"punctuation": "in"}, (0, 1), 0),  # brackets are none
        ("OMS ( WHO ) x", {"apposition": "in"}, (0, 1), 1),
        ("OMS ( WHO ) x", {"apposition": "in"}, (0, 4), 0),
        ("OMS ( WHO ) x", {"apposition": "out"}, (0, 4), 1),
        ("OMS ( WHO ) x", {"apposition": "out"}, (0, 1), 0),
        ("( WHO ) x", {"apposition": "out"}, (0, 3), 0),  # nothing stands before it
    ],
)
def test_marks_by_convention(target, wanted, place, against):
    """Beside a source of marks, so that nothing else counts."""
    without = flaws(target, *place, "( . )")
    assert flaws(target, *place, "( . )", **wanted) - without == AGAINST * against


def rows():
    """「すべて の アラーム」: the particle has half of what all's mass is."""
    forward = np.array([[0.5, 0.4, 0.1], [0.05, 0.15, 0.8]])
    backward = np.array([[0.95, 0.7, 0.1], [0.05, 0.3, 0.9]])
    source = Sentence(("all", "alarms"), (Span(0, 1, "REF"),))
    pair = SentencePair("1", source, Sentence(("すべて", "の", "アラーム")))
    return pair, SoftAlignment(forward, backward)


def test_small_words_have_a_tenth_of_the_weight():
    given = ScoreInput(*rows())
    entity = given.pair.source.spans[0]
    whole = Intervals.of([(0, 1), (0, 2), (0, 3)])
    assert given.arrived(entity).tolist() == [0.5, 0.4, 0.1]
    assert given.share_from(entity, whole) == pytest.approx([0.95, 0.825, 1.75 / 3])
    given = ScoreInput(*rows())
    given.conventions = Conventions(closed_classes("jpn"))
    weights = np.array([1, SMALL, 1])
    mass = weights * [0.5, 0.4, 0.1]
    assert given.arrived(entity) == pytest.approx(mass / mass.sum())
    share = np.cumsum(weights * [0.95, 0.7, 0.1]) / np.cumsum(weights)
    assert given.share_from(entity, whole) == pytest.approx(share)
    assert given.arrived(entity, np.ones(1)) == pytest.approx(mass / mass.sum())


def test_an_entity_of_small_words_keeps_its_mass():
    pair = SentencePair("1", Sentence(("the",), (Span(0, 1, "X"),)), Sentence(("die", "Frau")))
    given = ScoreInput(pair, WordAlignment.of([(0, 0)], 1, 2))
    given.conventions = Conventions(closed_classes("deu"))
    assert given.arrived(pair.source.spans[0]).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("wanted", "place"), [({}, (0, 1)), ({"particle": "out"}, (0, 1)), ({"particle": "in"}, (0, 2))]
)
def test_the_particle_stays_out_unless_it_was_asked_in(wanted, place):
    method = SoftMethod()
    method.conventions = Conventions(None, wanted)
    [found] = method.project([rows()])
    assert [span[:2] for span in found.spans] == [place]
