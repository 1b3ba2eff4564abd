"""Tag schemes: each read by hand, orphans under every policy, and back again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.spans import Span
from spanbridge.core.tags import (
    OrphanTagError,
    spans_from_tags,
    split_tag,
    tags_from_spans,
)


def read(tags: str, scheme="iob2", orphans="begin"):
    spans, n_orphans = spans_from_tags(tags.split(), scheme, orphans)
    return [tuple(span[:3]) for span in spans], n_orphans


@pytest.mark.parametrize(
    ("scheme", "tags", "expected"),
    [
        ("iob2", "", []),
        ("iob2", "O O", []),
        ("iob2", "B-X I-X O B-Y", [(0, 2, "X"), (3, 4, "Y")]),
        ("iob2", "B-X B-X I-X", [(0, 1, "X"), (1, 3, "X")]),
        ("iob2", "O B-X I-X", [(1, 3, "X")]),
        ("iob2", "B-A-B I-A-B B-A", [(0, 2, "A-B"), (2, 3, "A")]),
        # IOB1: I- begins a span, B- only where the same label goes on anew (Tjong Kim Sang and
        # Veenstra 1999).
        ("iob1", "I-X I-X O I-Y", [(0, 2, "X"), (3, 4, "Y")]),
        ("iob1", "I-X B-X I-X", [(0, 1, "X"), (1, 3, "X")]),
        ("iob1", "I-X I-Y", [(0, 1, "X"), (1, 2, "Y")]),
        ("bioes", "B-X I-X E-X O S-Y", [(0, 3, "X"), (4, 5, "Y")]),
        ("bioes", "B-X E-X B-X E-X", [(0, 2, "X"), (2, 4, "X")]),
        ("bioes", "S-X S-X", [(0, 1, "X"), (1, 2, "X")]),
        ("bioes", "B-X I-X L-X O U-Y U-Y", [(0, 3, "X"), (4, 5, "Y"), (5, 6, "Y")]),  # BILOU
        ("bioes", "B-X I-X O", [(0, 2, "X")]),  # never closed
    ],
)
def test_well_formed_tags(scheme, tags, expected):
    for orphans in ("begin", "drop", "error"):
        assert read(tags, scheme, orphans) == (expected, 0)


@pytest.mark.parametrize(
    ("scheme", "tags", "begin", "drop", "n_begin", "n_drop"),
    [
        ("iob2", "I-X", [(0, 1, "X")], [], 1, 1),
        ("iob2", "O I-X I-X", [(1, 3, "X")], [], 1, 2),
        ("iob2", "B-Y I-X", [(0, 1, "Y"), (1, 2, "X")], [(0, 1, "Y")], 1, 1),
        ("iob2", "B-X I-Y I-X", [(0, 1, "X"), (1, 2, "Y"), (2, 3, "X")], [(0, 1, "X")], 2, 2),
        ("iob2", "I-X B-X", [(0, 1, "X"), (1, 2, "X")], [(1, 2, "X")], 1, 1),
        ("bioes", "E-X", [(0, 1, "X")], [], 1, 1),
        ("bioes", "I-X E-X", [(0, 2, "X")], [], 1, 2),
        ("bioes", "S-X I-X", [(0, 1, "X"), (1, 2, "X")], [(0, 1, "X")], 1, 1),
        ("bioes", "B-X E-X E-X", [(0, 2, "X"), (2, 3, "X")], [(0, 2, "X")], 1, 1),
        ("bioes", "B-X E-Y", [(0, 1, "X"), (1, 2, "Y")], [(0, 1, "X")], 1, 1),
    ],
)
def test_orphans(scheme, tags, begin, drop, n_begin, n_drop):
    assert read(tags, scheme, "begin") == (begin, n_begin)
    assert read(tags, scheme, "drop") == (drop, n_drop)
    with pytest.raises(OrphanTagError, match="orphan policy"):
        read(tags, scheme, "error")


@pytest.mark.parametrize(
    ("tag", "scheme", "expected"),
    [
        ("O", "iob2", ("O", "")),
        ("B-LOC", "iob2", ("B", "LOC")),
        ("I-A-B", "iob1", ("I", "A-B")),
        ("L-X", "bioes", ("E", "X")),
        ("U-X", "bioes", ("S", "X")),
    ],
)
def test_split_tag(tag, scheme, expected):
    assert split_tag(tag, scheme) == expected


@pytest.mark.parametrize("tag", ["B", "B-", "-LOC", "LOC", "b-LOC", "E-LOC", "o", ""])
def test_tags_of_no_scheme(tag):
    with pytest.raises(SpanbridgeError, match="not a tag of iob2; expected O, B-LABEL, I-LABEL"):
        spans_from_tags([tag])


def test_tags_from_spans():
    spans = [Span(3, 4, "A-B"), Span(0, 2, "X", 0.5), Span(2, 3, "X")]
    assert tags_from_spans(spans, 5) == ["B-X", "I-X", "B-X", "B-A-B", "O"]
    assert tags_from_spans([], 2) == ["O", "O"]


def test_overlapping_spans_have_no_tags():
    with pytest.raises(SpanbridgeError, match=r"overlap at word 1 \(X and Y\)"):
        tags_from_spans([Span(0, 2, "X"), Span(1, 3, "Y")], 3)


@st.composite
def flat_spans(draw):
    spans, position = [], 0
    for gap, size, label in draw(
        st.lists(
            st.tuples(st.integers(0, 2), st.integers(1, 3), st.sampled_from(["X", "Y", "A-B"]))
        )
    ):
        spans.append(Span(position + gap, position + gap + size, label))
        position += gap + size
    return tuple(spans), position + draw(st.integers(0, 2))


@given(flat_spans(), st.sampled_from(["iob2", "iob1"]), st.sampled_from(["begin", "drop", "error"]))
def test_there_and_back(given_spans, scheme, orphans):
    spans, n_words = given_spans
    assert spans_from_tags(tags_from_spans(spans, n_words), scheme, orphans) == (spans, 0)


@given(flat_spans())
def test_bioes_there_and_back(given_spans):
    spans, n_words = given_spans
    tags = ["O"] * n_words
    for start, end, label, *_ in spans:
        tags[start:end] = [f"I-{label}"] * (end - start)
        tags[start], tags[end - 1] = f"B-{label}", f"E-{label}"
        if end - start == 1:
            tags[start] = f"S-{label}"
    assert spans_from_tags(tags, "bioes", "error") == (spans, 0)
    bilou = [tag.replace("E-", "L-").replace("S-", "U-") for tag in tags]
    assert spans_from_tags(bilou, "bioes", "error") == (spans, 0)
