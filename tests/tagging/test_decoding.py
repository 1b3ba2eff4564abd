"""Class probabilities to spans: schemes, validity, scores."""

from itertools import product
from math import log, prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spanbridge import Span, SpanbridgeError
from spanbridge.core.tags import spans_from_tags
from spanbridge.tagging.base import SchemeMap, Tagged, decode, find_scheme, iob2_classes

CLASSES = iob2_classes(["A", "B-x"])


def rows(*values):
    return np.array(values, np.float32)


def test_classes():
    assert CLASSES == ("O", "B-A", "I-A", "B-B-x", "I-B-x")


def test_a_span_by_hand():
    found = decode(
        rows([0.1, 0.8, 0, 0.1, 0], [0.2, 0.1, 0.7, 0, 0], [0.7, 0, 0.25, 0.05, 0]), CLASSES
    )
    # B-A, then I-A, and no I-A after that
    assert found == (Span(0, 2, "A", pytest.approx(0.8 * 0.7 * (1 - 0.25))),)


def test_neighbours_of_one_label_stay_apart():
    found = decode(rows([0, 1, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, 1, 0, 0]), CLASSES)
    assert [span[:3] for span in found] == [(0, 1, "A"), (1, 3, "A")]


def test_no_words():
    assert decode(np.zeros((0, 5), np.float32), CLASSES) == ()


def test_the_probability_of_no_span_by_hand():
    """The product of the words' probabilities of O: 1 without words, and at most 1 in any case."""
    p = rows([0.9, 0.1, 0, 0, 0], [0.8, 0, 0.1, 0.1, 0])
    assert Tagged(2, (), p).empty_probability == pytest.approx(0.9 * 0.8)
    assert Tagged(0, (), p[:0]).empty_probability == 1
    assert Tagged(1, (), rows([1.0000001, 0, 0, 0, 0])).empty_probability == 1
    assert Tagged(2, (Span(0, 1, "A", 0.1),), p).empty_probability is None
    assert Tagged(2, ()).empty_probability is None


def test_an_orphan_is_mended_the_most_probable_way():
    """O I-A is no sequence: .6 * .3 for O B-A beats .3 * .5 for B-A I-A and .6 * .2 for O O."""
    found = decode(rows([0.6, 0.3, 0.1, 0, 0], [0.2, 0.3, 0.5, 0, 0]), CLASSES)
    assert [span[:3] for span in found] == [(1, 2, "A")]


probabilities = arrays(
    np.float32,
    st.tuples(st.integers(1, 5), st.just(5)),
    elements=st.floats(0.0625, 1, width=32),
).map(lambda a: a / a.sum(1, keepdims=True))


@given(probabilities)
def test_best_of_all_valid_sequences(p):
    """Against all sequences, one by one."""

    def valid(path):
        tags = [CLASSES[c] for c in path]
        return spans_from_tags(tags)[1] == 0

    best = max(
        sum(log(p[n, c]) for n, c in enumerate(path))
        for path in product(range(5), repeat=len(p))
        if valid(path)
    )
    tags = ["O"] * len(p)
    for start, end, label, score, _ in decode(p, CLASSES):
        tags[start:end] = [f"B-{label}", *[f"I-{label}"] * (end - start - 1)]
        column = CLASSES.index(f"B-{label}")
        own = p[start, column] * prod(p[start + 1 : end, column + 1].tolist())
        after = 1 - p[end, column + 1] if end < len(p) else 1
        assert score == pytest.approx(own * after, rel=1e-5)
    found = sum(log(p[n, CLASSES.index(tag)]) for n, tag in enumerate(tags))
    assert found == pytest.approx(best, rel=1e-5)


@pytest.mark.parametrize(
    ("classes", "scheme"),
    [
        (["O", "B-A", "I-A"], "iob2"),
        (["O", "B-A", "I-A", "B-C"], "iob2"),
        (["I-A", "O"], "iob1"),
        (["O", "I-A", "B-A", "I-C"], "iob1"),
        (["O", "B-A", "I-A", "E-A", "S-A"], "bioes"),
        (["O", "B-A", "I-A", "L-A", "U-A"], "bioes"),
    ],
)
def test_schemes_by_their_names(classes, scheme):
    assert find_scheme(classes) == scheme


def test_bioes_by_hand():
    schemes = SchemeMap(["S-A", "O", "B-A", "E-A", "I-A"])
    assert schemes.classes == ("O", "B-A", "I-A")
    np.testing.assert_allclose(
        schemes(rows([0.1, 0.2, 0.3, 0.15, 0.25])), rows([0.2, 0.4, 0.4]), rtol=1e-6
    )


def test_iob1_by_hand():
    """An I- begins a span as far as the word before it is not of its label."""
    found = SchemeMap(["O", "I-A"])(rows([0.1, 0.9], [0.5, 0.5]))
    np.testing.assert_allclose(found, rows([0.1, 0.9, 0], [0.5, 0.5 * 0.1, 0.5 * 0.9]), rtol=1e-6)


def test_classes_without_outside():
    with pytest.raises(SpanbridgeError, match="which does not say what"):
        SchemeMap(["LABEL_0", "LABEL_1"])


def test_a_class_that_is_no_tag():
    with pytest.raises(SpanbridgeError, match="'X-A' is no tag such as"):
        SchemeMap(["O", "X-A"])
