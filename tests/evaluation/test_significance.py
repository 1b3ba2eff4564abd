"""Bootstrap: exact small cases, agreement with drawing sentences one by one, determinism."""

import json

import numpy as np
import pytest

from spanbridge.core.errors import SpanbridgeError
from spanbridge.evaluation import bootstrap_interval


def some_rows(n: int, accuracy: float, seed: int, gold: list[int] | None = None):
    rng = np.random.default_rng(seed)
    n_gold = rng.integers(0, 4, n) if gold is None else np.asarray(gold)
    tp = rng.binomial(n_gold, accuracy)
    extra = rng.binomial(2, 0.2, n)
    return [(int(t), int(g), int(t + e)) for t, g, e in zip(tp, n_gold, extra, strict=True)]


def test_equal_rows_leave_nothing_to_chance():
    interval = bootstrap_interval([(1, 2, 1)] * 10)
    assert interval.f1 == interval.low == interval.high == pytest.approx(2 / 3)


def test_two_rows_by_hand():
    # Resamples of {right, wrong}: F1 is 0, 1/2, 1 with probabilities 1/4, 1/2, 1/4.
    rows = [(1, 1, 1), (0, 1, 1)]
    assert bootstrap_interval(rows, n=4000, level=0.4).low == 0.5
    assert bootstrap_interval(rows, n=4000, level=0.4).high == 0.5
    assert bootstrap_interval(rows, n=4000, level=0.9).low == 0.0
    assert bootstrap_interval(rows, n=4000, level=0.9).high == 1.0


def test_agrees_with_drawing_sentences_one_by_one():
    rows = np.array(some_rows(200, 0.8, seed=1))
    rng = np.random.default_rng(99)
    drawn = rows[rng.integers(0, len(rows), (20_000, len(rows)))].sum(axis=1)
    f1 = 2 * drawn[:, 0] / (drawn[:, 1] + drawn[:, 2])
    interval = bootstrap_interval(rows.tolist(), n=20_000)
    assert interval.low == pytest.approx(np.quantile(f1, 0.025), abs=0.003)
    assert interval.high == pytest.approx(np.quantile(f1, 0.975), abs=0.003)


def test_deterministic_and_blind_to_order():
    rows = some_rows(100, 0.7, seed=2)
    assert bootstrap_interval(rows) == bootstrap_interval(rows)
    assert bootstrap_interval(rows) == bootstrap_interval(rows[::-1])
    assert bootstrap_interval(rows) != bootstrap_interval(rows, seed=1)


def test_interval_holds_the_score_and_widens_with_the_level():
    rows = some_rows(300, 0.7, seed=3)
    narrow, wide = bootstrap_interval(rows, level=0.5), bootstrap_interval(rows, level=0.99)
    assert wide.low < narrow.low < narrow.f1 < narrow.high < wide.high
    total = np.array(rows).sum(axis=0)
    assert narrow.f1 == pytest.approx(2 * total[0] / (total[1] + total[2]))


def test_nothing_to_find_and_nothing_found():
    interval = bootstrap_interval([(0, 0, 0)] * 3)
    assert (interval.f1, interval.low, interval.high) == (0.0, 0.0, 0.0)


def test_signature_and_json():
    interval = bootstrap_interval([(1, 1, 1)], n=50, seed=7)
    head = "metric:span-f1|average:micro|method:bootstrap|level:0.95|n:50|seed:7|rows:1|version:"
    assert interval.signature.startswith(head)
    assert json.loads(json.dumps(interval.to_dict())) == interval.to_dict()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rows": []}, "no rows"),
        ({"rows": [(1, 1, 1)], "n": 0}, "between 1 and 1,000,000, not 0"),
        ({"rows": [(1, 1, 1)], "n": 1_000_001}, "between 1 and 1,000,000, not 1,000,001"),
        ({"rows": [(1, 1, 1)], "level": 95}, "between 0 and 1"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(SpanbridgeError, match=message):
        bootstrap_interval(**arguments)
