"""Evidence on projected spans: by hand, and what holds for any."""

from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from project_instances import project_row

from spanbridge.core.rows import SentencePair
from spanbridge.core.soft_alignment import SoftAlignment
from spanbridge.core.spans import Sentence, Span
from spanbridge.projection.candidates import Candidate
from spanbridge.projection.confidence import CALIBRATIONS
from spanbridge.projection.evidence import (
    capitals,
    closeness,
    lead,
    length,
    outside,
    stray,
)
from spanbridge.projection.presets import SoftMethod
from spanbridge.projection.score_input import ScoreInput

# Two words of three belong together; the third target word takes .3 of the entity, too.
MASS = np.array([[0.9, 0.0, 0.1], [0.0, 0.8, 0.2], [0.0, 0.2, 0.7]])


def row(source="New York sleeps", target="Nowy Jork spi"):
    words = tuple(source.split()), tuple(target.split())
    pair = SentencePair("1", Sentence(words[0], (Span(0, 2, "LOC"),)), Sentence(words[1]))
    return pair, SoftAlignment(MASS, MASS)


CHOSEN = Candidate(0, 0, 2, 1.0)


def test_by_hand():
    given = ScoreInput(*row())
    assert outside(given, CHOSEN, 0, 2) == pytest.approx(-log(1 + 0.1 + 0.2))
    assert stray(given, CHOSEN, 0, 2) == 0
    assert stray(given, Candidate(0, 0, 3, 1.0), 0, 2) == -1  # the third word's own link
    # 7 and 8 characters, 13 and 11 in the row, and two more each
    assert length(given, CHOSEN, 0, 2) == pytest.approx(-abs(log((10 / 9) * (15 / 13))))
    assert capitals(given, CHOSEN, 0) == 0
    assert capitals(given, CHOSEN._replace(start=2, end=3), 0) == -1
    assert closeness(1.0) == closeness(1.2) == 0
    assert closeness(0.99) == pytest.approx(-log(2))
    assert lead(0.5, 1) == lead(0.25, 4) == lead(7, 1) == 0
    assert lead(0.125, 4) == pytest.approx(-log(2))
    assert lead(0.0, 5) == lead(-1, 5) == pytest.approx(log(0.02))


def test_a_soft_projection_is_as_probable_as_its_evidence():
    pair, soft = row()
    [span] = project_row(SoftMethod(), (pair, soft)).spans
    given = ScoreInput(pair, soft)
    assert span[:2] == (0, 2)
    f = 2 * 0.85 / (1 + 0.85 / 0.85)  # both means are .85
    rest = (outside(given, CHOSEN, 0, 2), stray(given, CHOSEN, 0, 2), length(given, CHOSEN, 0, 2))
    # the next best candidate has all three words: all mass arrived, .9 + .8 + .3 came, thirds of it
    third = 2 * 1.0 * (2.0 / 3) / (1.0 + 2.0 / 3)
    margin = f - third
    expected = CALIBRATIONS["soft"](closeness(f), lead(margin, 2), *rest, 0.0)
    assert span.score == pytest.approx(expected)


@given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 50))
def test_more_is_never_less(one, other, words):
    low, high = sorted((one, other))
    assert -5 < closeness(low) <= closeness(high) <= 0
    assert -4 < lead(low, words) <= lead(high, words) <= 0
