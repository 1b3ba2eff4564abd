"""Span scores: hand-worked cases, and seqeval's numbers on real and on random tags."""

import itertools
import json
import random
import warnings
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import (
    classification_report,
    get_entities,
    precision_recall_fscore_support,
)
from seqeval.metrics.v1 import precision_recall_fscore_support as strict_scores
from seqeval.scheme import IOB2, Tokens

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.spans import Sentence, Span
from spanbridge.core.tags import spans_from_tags
from spanbridge.evaluation import SPAN_PROTOCOLS, evaluate_spans, evaluate_tags, orphan_policy

Rows = list[list[str]]


def sentence(n_words: int, *spans: tuple[int, int, str], word: str = "w") -> Sentence:
    return Sentence((word,) * n_words, tuple(Span(*span) for span in spans))


def seqeval(gold: Rows, predicted: Rows, protocol: str, average: str | None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if protocol == "strict":
            return strict_scores(gold, predicted, average=average, scheme=IOB2, zero_division=0)
        return precision_recall_fscore_support(gold, predicted, average=average, zero_division=0)


def assert_equals_seqeval(gold: Rows, predicted: Rows, protocol: str) -> None:
    report = evaluate_tags(gold, predicted, protocol=protocol)
    precision, recall, f1, support = seqeval(gold, predicted, protocol, None)
    ours = list(report.per_label.values())
    assert [c.support for c in ours] == list(support)
    assert [c.precision for c in ours] == pytest.approx(list(precision), abs=1e-12)
    assert [c.recall for c in ours] == pytest.approx(list(recall), abs=1e-12)
    assert [c.f1 for c in ours] == pytest.approx(list(f1), abs=1e-12)
    for average in ("micro", "macro", "weighted") if ours else ():
        scores = getattr(report, average)
        given = (scores.precision, scores.recall, scores.f1, scores.support)
        expected = seqeval(gold, predicted, protocol, average)
        assert given == pytest.approx(tuple(expected), abs=1e-12), average


# --- hand-worked -------------------------------------------------------------------------------

# Gold 4 spans: PER 0-2, LOC 3-4 | ORG 0-3 | LOC 1-2. Predicted 4: PER 0-2, ORG 3-4 | ORG 0-2 |
# LOC 1-2. Right: PER 0-2 and the last LOC. So micro P = R = F1 = 2/4.
# PER 1/1, 1/1. LOC: P 1/1, R 1/2, F1 2/3. ORG: P 0/2, R 0/1.
# Macro F1 = (2/3 + 0 + 1) / 3 = 5/9; weighted F1 = (2 * 2/3 + 1 * 0 + 1 * 1) / 4 = 7/12.
GOLD = [
    sentence(5, (0, 2, "PER"), (3, 4, "LOC")),
    sentence(3, (0, 3, "ORG")),
    sentence(2, (1, 2, "LOC")),
]
PREDICTED = [
    sentence(5, (0, 2, "PER"), (3, 4, "ORG")),
    sentence(3, (0, 2, "ORG")),
    sentence(2, (1, 2, "LOC")),
]


def test_hand_worked_scores():
    report = evaluate_spans(GOLD, PREDICTED)
    assert (report.micro.tp, report.micro.fp, report.micro.fn) == (2, 2, 2)
    assert (report.micro.precision, report.micro.recall, report.micro.f1) == (0.5, 0.5, 0.5)
    assert list(report.per_label) == ["LOC", "ORG", "PER"]
    loc = report.per_label["LOC"]
    assert (loc.precision, loc.recall, loc.f1) == (1.0, 0.5, pytest.approx(2 / 3))
    assert (loc.support, loc.predicted) == (2, 1)
    assert report.per_label["ORG"].f1 == 0.0
    assert report.macro.f1 == pytest.approx(5 / 9)
    assert report.macro.precision == pytest.approx(2 / 3)
    assert report.macro.recall == pytest.approx(1 / 2)
    assert report.weighted.f1 == pytest.approx(7 / 12)
    assert report.rows == ((1, 2, 2), (0, 1, 1), (1, 1, 1))
    assert dict(report.errors.counts) == {
        "correct": 2,
        "type": 1,
        "boundary": 1,
        "type+boundary": 0,
        "missed": 0,
        "spurious": 0,
    }


def test_seqevals_documented_example():
    # From the docstring of seqeval's classification_report: MISC 0.00, PER 1.00, micro 0.50.
    gold = [["O", "O", "O", "B-MISC", "I-MISC", "I-MISC", "O"], ["B-PER", "I-PER", "O"]]
    predicted = [["O", "O", "B-MISC", "I-MISC", "I-MISC", "I-MISC", "O"], ["B-PER", "I-PER", "O"]]
    for protocol in SPAN_PROTOCOLS:
        report = evaluate_tags(gold, predicted, protocol=protocol)
        assert [report.per_label["MISC"].f1, report.per_label["PER"].f1] == [0.0, 1.0]
        assert (report.micro.f1, report.macro.f1, report.weighted.f1) == (0.5, 0.5, 0.5)


def test_protocols_differ_in_orphans_only():
    gold, predicted = [["B-LOC", "I-LOC"]], [["I-LOC", "I-LOC"]]
    assert evaluate_tags(gold, predicted).micro.f1 == 1.0
    strict = evaluate_tags(gold, predicted, protocol="strict")
    assert (strict.micro.f1, strict.micro.predicted) == (0.0, 0)
    assert [orphan_policy(name) for name in SPAN_PROTOCOLS] == ["begin", "drop"]
    with pytest.raises(SpanbridgeError, match="default, strict"):
        orphan_policy("lenient")


def test_labels_are_left_out_on_both_sides():
    report = evaluate_spans(GOLD, PREDICTED, labels=["PER", "LOC"])
    assert (report.micro.tp, report.micro.fp, report.micro.fn) == (2, 0, 1)
    assert list(report.per_label) == ["LOC", "PER"]
    assert report.errors.counts["missed"] == 1  # the ORG that had its place is not counted
    assert "labels:LOC,PER" in report.signature


@pytest.mark.parametrize("labels", ["LOC", [], ""])
def test_labels_that_are_no_labels(labels):
    with pytest.raises(SpanbridgeError, match="at least one label"):
        evaluate_spans(GOLD, PREDICTED, labels=labels)


def test_scores_are_ignored_and_equal_spans_count_once():
    gold = [sentence(3, (0, 1, "LOC"), (0, 1, "LOC"))]
    predicted = [Sentence(("w",) * 3, (Span(0, 1, "LOC", 0.3), Span(0, 1, "LOC", 0.7)))]
    report = evaluate_spans(gold, predicted)
    assert (report.micro.tp, report.micro.fp, report.micro.fn) == (1, 0, 0)


def test_nothing_to_score():
    for report in (evaluate_spans([], []), evaluate_spans([sentence(0)], [sentence(0)])):
        assert report.micro.f1 == report.macro.f1 == report.weighted.f1 == 0.0
        assert report.per_label == {}
        assert report.table()


def test_only_one_side_has_spans():
    empty = [sentence(5), sentence(3), sentence(2)]
    assert evaluate_spans(GOLD, empty).micro.recall == 0.0
    report = evaluate_spans(empty, PREDICTED)
    assert (report.micro.precision, report.weighted.f1, report.micro.fp) == (0.0, 0.0, 4)


def test_rows_of_unequal_number():
    with pytest.raises(SpanbridgeError, match="row 3 has no partner: gold has 3 .* predicted 2"):
        evaluate_spans(GOLD, PREDICTED[:2])
    with pytest.raises(SpanbridgeError, match="row 2 has no partner: gold has 1 .* predicted 3"):
        evaluate_spans(iter(GOLD[:1]), iter(PREDICTED))


def test_rows_of_unequal_length():
    with pytest.raises(SpanbridgeError, match="row 2: gold has 3 words and predicted 4"):
        evaluate_spans(GOLD, [PREDICTED[0], sentence(4), PREDICTED[2]])
    with pytest.raises(SpanbridgeError, match="row 1: gold has 1 words and predicted 2"):
        evaluate_tags([["O"]], [["O", "O"]])


def test_words_that_differ_are_counted():
    other = [PREDICTED[0], sentence(3, word="v"), PREDICTED[2]]
    report = evaluate_spans(GOLD, other)
    assert report.n_rows_with_different_words == 1
    assert "rows with different words: 1" in report.table()
    assert "different words" not in evaluate_spans(GOLD, PREDICTED).table()


def test_bad_tag_is_named_with_its_row():
    with pytest.raises(SpanbridgeError, match=r"row 2 \(predicted\): 'E-LOC'"):
        evaluate_tags([["O"], ["O"]], [["O"], ["E-LOC"]])


def test_strict_is_defined_for_iob2():
    for scheme in ("iob1", "bioes"):
        with pytest.raises(SpanbridgeError, match="iob2"):
            evaluate_tags([["O"]], [["O"]], protocol="strict", scheme=scheme)
        assert f"scheme:{scheme}" in evaluate_tags([["O"]], [["O"]], scheme=scheme).signature


def test_sentences_and_tags_agree():
    gold = [["B-A-B", "I-A-B", "O"], ["B-X", "B-X", "I-Y"]]
    predicted = [["B-A-B", "O", "O"], ["B-X", "I-X", "I-Y"]]
    by_tags = evaluate_tags(gold, predicted)
    sides = [
        [Sentence(("w",) * len(t), spans_from_tags(t)[0]) for t in rows]
        for rows in (gold, predicted)
    ]
    by_spans = evaluate_spans(*sides, scheme="iob2")
    assert by_spans == by_tags


def test_table():
    lines = evaluate_spans(GOLD, PREDICTED).table().splitlines()
    assert lines[:10] == [
        "              precision  recall      F1  support  predicted",
        "LOC              1.0000  0.5000  0.6667        2          1",
        "ORG              0.0000  0.0000  0.0000        1          2",
        "PER              1.0000  1.0000  1.0000        1          1",
        "",
        "micro avg        0.5000  0.5000  0.5000        4          4",
        "macro avg        0.6667  0.5000  0.5556        4          4",
        "weighted avg     0.7500  0.5000  0.5833        4          4",
        "boundaries       0.7500  0.7500  0.7500        4          4",
        "",
    ]
    assert lines[10:18] == [
        "errors         gold  predicted",
        "correct           2          2",
        "type              1          1",
        "boundary          1          1",
        "type+boundary     0          0",
        "missed            0          -",
        "spurious          -          0",
        "boundary errors: 0 too long, 1 too short, 0 shifted; on the side: 0 left, 1 right, 0 both",
    ]
    assert lines[18:] == ["", evaluate_spans(GOLD, PREDICTED).signature]


def test_signature_and_json():
    report = evaluate_spans(GOLD, PREDICTED, protocol="strict", scheme="iob2")
    head = "metric:span-f1|protocol:strict|scheme:iob2|labels:all|rows:3|average:micro|version:"
    assert report.signature.startswith(head)
    assert "scheme:spans" in evaluate_spans(GOLD, PREDICTED).signature
    data = report.to_dict()
    assert json.loads(json.dumps(data)) == data
    assert list(data) == [
        "signature",
        "rows",
        "rows_with_different_words",
        "micro",
        "macro",
        "weighted",
        "per_label",
        "boundaries",
        "errors",
    ]
    assert list(data["per_label"]) == ["LOC", "ORG", "PER"]
    assert data["errors"]["examples"] == [
        {"row": 1, "error": "type", "gold": [3, 4, "LOC"], "predicted": [3, 4, "ORG"]},
        {"row": 2, "error": "boundary", "gold": [0, 3, "ORG"], "predicted": [0, 2, "ORG"]},
    ]


# --- parity with seqeval -----------------------------------------------------------------------

TAGS = ["O", "B-X", "I-X", "B-Y", "I-Y"]


def test_every_short_sequence_is_read_as_seqeval_reads_it():
    # All 3906 sequences of up to five tags: I- at the start, I-X after B-Y, B-X I-Y I-X, and so on.
    for length in range(6):
        for tags in itertools.product(TAGS, repeat=length):
            begin = {tuple(s[:3]) for s in spans_from_tags(tags, "iob2", "begin")[0]}
            drop = {tuple(s[:3]) for s in spans_from_tags(tags, "iob2", "drop")[0]}
            assert begin == {(i, j + 1, label) for label, i, j in get_entities(list(tags))}
            strict = Tokens(list(tags), IOB2).entities
            assert drop == {(e.start, e.end, e.tag) for e in strict}, tags


def test_every_short_bioes_sequence_is_read_as_seqevals_default_mode_reads_it():
    alphabet = ["O", *(f"{p}-{label}" for p in "BIES" for label in "XY")]
    for length in range(5):
        for tags in itertools.product(alphabet, repeat=length):
            begin = {tuple(s[:3]) for s in spans_from_tags(tags, "bioes", "begin")[0]}
            assert begin == {(i, j + 1, label) for label, i, j in get_entities(list(tags))}, tags


WEIRD = ["O", "B-X", "I-X", "B-Y", "I-Y", "B-A-B", "I-A-B", "I-Z"]


@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(WEIRD), st.sampled_from(WEIRD)), max_size=9),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from(SPAN_PROTOCOLS),
)
def test_random_tags_score_as_in_seqeval(rows, protocol):
    gold = [[a for a, _ in row] for row in rows]
    predicted = [[b for _, b in row] for row in rows]
    assert_equals_seqeval(gold, predicted, protocol)


def read_tags(path: Path) -> Rows:
    blocks = path.read_text(encoding="utf-8").split("\n\n")
    return [[line.split()[-1] for line in b.splitlines() if line.strip()] for b in blocks]


def corrupt(rows: Rows, seed: int) -> Rows:
    """A copy with some tags replaced and some entities moved, malformed sequences included."""
    rng = random.Random(seed)
    known = sorted({tag for row in rows for tag in row})
    copy = [[rng.choice(known) if rng.random() < 0.06 else tag for tag in row] for row in rows]
    return [["O", *row[:-1]] if row and rng.random() < 0.1 else row for row in copy]


# luo, xho and kin have orphan tags in gold as published.
@pytest.mark.parametrize(
    "language",
    ["luo", *(pytest.param(name, marks=pytest.mark.slow) for name in ("hau", "kin", "xho"))],
)
@pytest.mark.parametrize("protocol", SPAN_PROTOCOLS)
def test_real_files_score_as_in_seqeval(real_data, language, protocol):
    gold = read_tags(real_data / "masakhaner2" / language / "dev.txt")[::2]
    predicted = corrupt(gold, seed=len(language))
    assert_equals_seqeval(gold, predicted, protocol)
    assert_equals_seqeval(predicted, gold, protocol)


def test_orphans_in_real_gold_tell_the_protocols_apart(real_data):
    gold = read_tags(real_data / "masakhaner2" / "luo" / "dev.txt")
    default = evaluate_tags(gold, gold)
    strict = evaluate_tags(gold, gold, protocol="strict")
    assert default.micro.support == strict.micro.support + 1
    assert default.micro.f1 == strict.micro.f1 == 1.0


def test_leaving_labels_out_equals_seqeval_on_tags_without_them(real_data):
    gold = read_tags(real_data / "masakhaner2" / "wol" / "dev.txt")
    predicted = corrupt(gold, seed=7)
    without = [
        [["O" if tag.endswith("-DATE") else tag for tag in row] for row in rows]
        for rows in (gold, predicted)
    ]
    report = evaluate_tags(gold, predicted, labels={"PER", "ORG", "LOC"})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = classification_report(*without, output_dict=True)
    assert report.micro.f1 == pytest.approx(expected["micro avg"]["f1-score"], abs=1e-12)
    assert report.macro.f1 == pytest.approx(expected["macro avg"]["f1-score"], abs=1e-12)
    assert {k: v.support for k, v in report.per_label.items()} == {
        label: expected[label]["support"] for label in ("LOC", "ORG", "PER")
    }
