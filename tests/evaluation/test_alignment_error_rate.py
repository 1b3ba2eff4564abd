"""Alignment error rate: worked by hand, and against a plain recount of real gold alignments."""

import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.links import WordAlignment
from spanbridge.evaluation import evaluate_links


def test_hand_worked():
    # Och and Ney (2003), section 5: S = {00, 11}, P = S + {22, 12}, A = {00, 12, 33}.
    # |A & S| = 1, |A & P| = 2: AER = 1 - (1 + 2) / (3 + 2) = 2/5, P = 2/3, R = 1/2, F1 = 4/7.
    report = evaluate_links(
        [([(0, 0), (1, 1)], [(2, 2), (1, 2)])],
        [WordAlignment.of([(0, 0), (1, 2), (3, 3)], 4, 4).pairs],
    )
    assert report.aer == pytest.approx(2 / 5)
    assert report.precision == pytest.approx(2 / 3)
    assert report.recall == pytest.approx(1 / 2)
    assert report.f1 == pytest.approx(4 / 7)
    assert (report.n_predicted, report.n_sure, report.n_possible) == (3, 2, 4)
    assert (report.sure_hits, report.possible_hits) == (1, 2)


def test_all_sure_and_all_possible_may_be_predicted_without_error():
    # By the formula AER is 0 wherever A includes S and lies within P.
    gold = [([(0, 0)], [(0, 0), (1, 1), (2, 2)])]
    for links in ([(0, 0)], [(0, 0), (1, 1)], [(0, 0), (1, 1), (2, 2)]):
        assert evaluate_links(gold, [links]).aer == 0.0


def test_rows_are_counted_together():
    gold = [([(0, 0)], []), ([(0, 0), (1, 1), (2, 2)], [])]
    report = evaluate_links(gold, [[(0, 0)], []])
    assert report.aer == pytest.approx(1 - 2 / 5)  # not the mean of 0 and 1
    assert report.n_rows == 2


@pytest.mark.parametrize(
    ("gold", "predicted", "aer"),
    [
        ([], [], 0.0),
        ([([], [])], [[]], 0.0),
        ([([], [(0, 0)])], [[]], 0.0),  # nothing sure, nothing said
        ([([], [(0, 0)])], [[(1, 1)]], 1.0),
        ([([(0, 0)], [])], [[]], 1.0),
    ],
)
def test_zero_cases(gold, predicted, aer):
    report = evaluate_links(gold, predicted)
    assert report.aer == aer
    assert (report.precision, report.recall, report.f1) == (0.0, 0.0, 0.0)


def test_rows_of_unequal_number():
    with pytest.raises(SpanbridgeError, match="row 2 has no partner: gold has 1 .* predicted 2"):
        evaluate_links([([], [])], [[], []])


def test_report():
    report = evaluate_links([([[0, 0], [0, 0]], [])], [[[0, 0], [1, 0], [1, 0]]])  # as from JSON
    head, line, blank, signature = report.table().splitlines()
    assert head == "          AER  precision  recall      F1  predicted  sure  possible"
    assert line == "links  0.3333     0.5000  1.0000  0.6667          2     1         1"
    assert blank == ""
    assert signature.startswith("metric:aer|possible:includes-sure|average:micro|rows:1|version:")
    assert json.loads(json.dumps(report.to_dict())) == report.to_dict()
    assert list(report.to_dict())[:3] == ["signature", "rows", "aer"]


links = st.sets(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=8)


@given(st.lists(st.tuples(links, links, links), max_size=4))
def test_against_exact_fractions(rows):
    report = evaluate_links([(s, p) for s, p, _ in rows], [a for _, _, a in rows])
    a_and_s = sum(len(a & s) for s, _, a in rows)
    a_and_p = sum(len(a & (p | s)) for s, p, a in rows)
    size = sum(len(a) + len(s) for s, _, a in rows)
    expected = 1 - Fraction(a_and_s + a_and_p, size) if size else Fraction(0)
    assert report.aer == pytest.approx(float(expected), abs=1e-12)
    assert 0.0 <= report.aer <= 1.0


@pytest.mark.parametrize("name", ["enfr", "roen"])
def test_real_gold(real_data, name):
    text = (real_data / "alignment-gold" / f"{name}.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in text.splitlines()]
    report = evaluate_links(
        ((row["sure"], row["possible"]) for row in rows), (row["awesome_align_out"] for row in rows)
    )
    n_a = n_s = hits = 0
    for row in rows:  # a plain recount, link by link, without sets
        predicted = [
            link
            for k, link in enumerate(row["awesome_align_out"])
            if link not in row["awesome_align_out"][:k]
        ]
        sure = [link for k, link in enumerate(row["sure"]) if link not in row["sure"][:k]]
        n_a += len(predicted)
        n_s += len(sure)
        hits += sum(link in sure for link in predicted)
        hits += sum(link in sure or link in row["possible"] for link in predicted)
    assert report.aer == pytest.approx(1 - hits / (n_a + n_s), abs=1e-12)
    assert report.n_rows == len(rows)
