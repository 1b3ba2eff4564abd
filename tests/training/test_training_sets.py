"""Training sets: which rows of a projection are learned from, and what each counts."""

import json

import pytest
from test_training import base, files

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence
from spanbridge.training.training_sets import (
    Filter,
    examples,
    labels_of,
    leave_out_repeats,
    read_set,
)

__all__ = ["base", "files"]  # fixtures


def row(spans, n_source=1, status="projected", links=((0, 0),)):
    return {
        "source_words": ["a", "b"],
        "source_spans": [{"start": k, "end": k + 1, "label": "L"} for k in range(n_source)],
        "target_words": ["x", "y"],
        "target_spans": [
            {"start": k, "end": k + 1, "label": "L", "score": score}
            for k, score in enumerate(spans)
        ],
        "links": [list(link) for link in links],
        "status": status,
    }


def test_filters_by_hand(tmp_path):
    sure = {"confidence": 0.9}
    rows = [
        row([0.9]),
        row([0.9], n_source=2),
        row([0.9, 0.4], n_source=2),
        row([], n_source=0, links=((0, 0), (1, 1)), status="empty: no source span") | sure,
        row([], status="rejected: too long"),
        row([], status="failed: translation: empty"),
        row([]) | {"translation_status": "failed: too long"},
    ]
    path = tmp_path / "p.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")

    def kept(**options):
        found = read_set(str(path), keep=Filter(**options))
        return len(found.sentences), dict(found.left_out)

    lost = {"rejected by projection": 1, "failed before projection": 2}
    assert kept() == (4, lost)
    assert kept(complete=True) == (3, {"not complete": 1, **lost})
    assert kept(min_score=0.5) == (3, {"score below the least": 1, **lost})
    assert kept(min_coverage=0.6) == (1, {"coverage below the least": 3, **lost})
    weighed = read_set(str(path), keep=Filter(weigh=True))
    assert [w for _, w in weighed.sentences] == [0.9, 0.9, 0.4, 0.9]


@pytest.mark.parametrize(
    ("status", "confidence", "kept"),
    [
        ("empty: no source span", 1.0, True),
        ("empty: no source span", 0.6, True),
        ("empty: no source span", 0.4, False),
        ("empty: no link", None, False),
        (None, None, True),  # nobody projected: these are somebody's own labels
    ],
)
def test_only_a_source_that_surely_has_no_span_makes_a_negative(status, confidence, kept):
    none = Sentence(("x",))
    pair = SentencePair("1", none, none, status=status, confidence=confidence)
    assert Filter().reason(pair) is None
    assert Filter(min_score=0.5).reason(pair) == (None if kept else "not surely without spans")


def test_unwanted_labels_are_counted(files):
    found = read_set(str(files / "train.conll"), labels=["PER"])
    assert labels_of([found]) == ["PER"]
    assert found.dropped["LOC"] > 10
    assert "LOC spans became O" in found.text()


def test_a_later_set_repeats_nothing(files):
    sets = [read_set(str(files / "train.conll"), weight=w) for w in (2.0, 0.5)]
    leave_out_repeats(sets)
    made = examples(sets, ["LOC", "PER"])
    assert len(made) == len(sets[0].sentences)
    assert {e.weight for e in made} == {2.0}
    assert sets[1].left_out == {"in an earlier set": len(made)}


@pytest.mark.parametrize(("nested", "kept"), [("outer", 0), ("inner", 1)])
def test_one_of_two_layers_is_learned(tmp_path, nested, kept):
    overlapping = row([0.9, 0.8], n_source=2)
    overlapping["target_spans"][0]["end"] = 2
    (tmp_path / "p.jsonl").write_text(json.dumps(overlapping) + "\n", encoding="utf-8")
    found = read_set(str(tmp_path / "p.jsonl"), nested=nested)
    [(sentence, _)] = found.sentences
    [span] = sentence.spans
    assert span.label == overlapping["target_spans"][kept]["label"]
    assert "1 spans left out, since tags hold one layer" in found.text()


def test_a_share_of_the_sentences_without_spans(tmp_path):
    """Their words decide, so order and other sentences change nothing; those with spans stay."""
    path = tmp_path / "s.conll"
    empty = [f"word{n}\tO\n\n" for n in range(400)]
    named = ["Rome\tB-LOC\n\n"] * 3
    path.write_text("".join(empty + named))
    half = read_set(str(path), keep_empty=0.5)
    assert half.left_out["without spans"] + len(half.sentences) == 403
    assert 160 < half.left_out["without spans"] < 240
    assert sum(bool(s.spans) for s, _ in half.sentences) == 3
    path.write_text("".join(named + empty[::-1]))
    other = read_set(str(path), keep_empty=0.5)
    assert {s.words for s, _ in half.sentences} == {s.words for s, _ in other.sentences}
    fewer = read_set(str(path), keep_empty=0.2)
    assert {s.words for s, _ in fewer.sentences} < {s.words for s, _ in half.sentences}
    assert {s.words for s, _ in read_set(str(path), keep_empty=0).sentences} == {("Rome",)}
    with pytest.raises(SpanbridgeError, match=r"keep_empty is 1\.5"):
        read_set(str(path), keep_empty=1.5)
