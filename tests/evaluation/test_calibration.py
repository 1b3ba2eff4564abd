"""Calibration curves and errors: by hand, and what holds for any."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanbridge.evaluation.calibration import Curve, calibration_error, cross_fitted, fit_curve

PROBABILITIES = st.floats(0, 1)
OBSERVED = st.lists(st.tuples(PROBABILITIES, st.booleans()), min_size=1, max_size=60)


def test_the_error_by_hand():
    # .95 twice, right once: a gap of .9; .25 twice, right never: .5; of four
    assert calibration_error([0.95, 0.95, 0.25, 0.25], [1, 0, 0, 0]) == pytest.approx(1.4 / 4)
    assert calibration_error([1.0, 0.0], [1, 0]) == 0
    assert calibration_error([], []) == 0


def test_a_curve_by_hand():
    assert Curve()(0.3) == pytest.approx(0.3)
    assert Curve(1.0, 0.0)(0.01) == pytest.approx(1 / (1 + np.exp(-1)))
    odds = np.exp(-1.0) * 4**0.5  # of .8 are 4 to 1
    assert Curve(-1.0, 0.5)(0.8) == pytest.approx(odds / (1 + odds))


def test_what_is_too_sure_is_lowered_and_the_order_stays():
    rng = np.random.default_rng(0)
    truth = rng.random(3000)
    odds = (truth / (1 - truth)) ** 2 * np.e  # too sure, and too high
    said = odds / (1 + odds)
    curve = fit_curve(said, rng.random(3000) < truth)
    assert curve.slope == pytest.approx(0.5, abs=0.05)
    assert curve.intercept == pytest.approx(-0.5, abs=0.1)
    assert calibration_error(curve.of(said), truth) < 0.02 < calibration_error(said, truth)


def test_where_all_is_right_the_curve_stays_finite():
    curve = fit_curve([0.9, 0.99, 1.0] * 10, [True] * 30)
    assert 0.99 < curve(0.99) < 1


@given(OBSERVED, PROBABILITIES, PROBABILITIES)
@settings(max_examples=40)
def test_never_falling_within_bounds_and_the_same_again(observed, one, other):
    p, right = zip(*observed, strict=True)
    curve = fit_curve(p, right)
    low, high = curve(min(one, other)), curve(max(one, other))
    assert 0 < low <= high < 1
    assert fit_curve(p, right) == curve


def test_cross_fitting_leaves_the_own_row_out():
    p, rows = np.full(10, 0.5), np.arange(10) // 2  # two spans a row, each row a fold
    right = rows == 0
    found = cross_fitted(p, right, rows)
    assert (found[rows == 0] < 0.1).all()  # no other row is right
    assert (found[rows != 0] > found[0]).all()
