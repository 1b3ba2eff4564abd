"""The step that calibrates: labelled rows in, probabilities that hold; what is said of them."""

import json

import numpy as np
import pytest

from spanbridge import InputError, Sentence, SentencePair, Span, SpanbridgeError, api
from spanbridge.evaluation.calibration import Curve
from spanbridge.projection.confidence import CALIBRATIONS
from spanbridge.steps.account import EMPTIED, Account
from spanbridge.steps.calibrating import Calibrate, Fitted
from spanbridge.tagging.base import Tagged, Tagger

N = 80


class TooSure(Tagger):
    """Calls each capitalised word a PER with .99; in even rows the word before is a part of it."""

    classes = ("O", "B-PER", "I-PER")

    def describe(self):
        return "too sure"

    def tag(self, sentences):
        return [self._one(words) for words in sentences]

    def _one(self, words):
        places = [n for n, word in enumerate(words) if word[:1].isupper()]
        spans = tuple(Span(n, n + 1, "PER", 0.99) for n in places)
        return Tagged(len(words), spans, np.full((len(words), 3), 1 / 3, np.float32))


def text_of(n):
    return [f"Name{n}", "sees", "him"] if n % 4 else ["nobody", "sleeps", "."]


def gold_lines(n):
    """Every second name is one; others are none. ORG stands beside, which the tagger lacks."""
    tags = ["B-PER" if n % 2 else "O", "O", "B-ORG" if n % 5 == 0 else "O"]
    words = text_of(n)
    if n % 4 == 0:
        tags = ["O"] * 3
    return "".join(f"{word}\t{tag}\n" for word, tag in zip(words, tags, strict=True)) + "\n"


@pytest.fixture
def gold(tmp_path):
    path = tmp_path / "gold.conll"
    path.write_text("".join(map(gold_lines, range(1, N + 1))), encoding="utf-8")
    return path


def rows(first=1, last=N):
    for n in range(first, last + 1):
        yield SentencePair(str(n), Sentence(tuple(text_of(n))), Sentence(()))


def test_a_tagger_that_is_too_sure(gold):
    found = api.tag(rows(), TooSure())
    assert found.account.calibration == "uncalibrated: a tagger's own probabilities"
    found = api.tag(rows(101, 140), TooSure(), calibrate=gold)
    scores = [span.score for row in found for span in row.source.spans]
    # of 60 names 40 are right
    assert len(scores) == 30
    assert scores == pytest.approx([2 / 3] * 30, abs=0.02)
    said = found.account.calibration
    assert said.startswith(f"calibrated on {N} rows of gold.conll: 60 spans, 0.667 right; mean ")
    assert "expected calibration error 0.323 before" in said
    assert "confidences: calibrated on 80 rows" in found.account.text()
    assert f"learned_on={N}_rows" in found.signature


def test_what_is_left_out_is_counted(gold):
    found = api.tag(rows(), TooSure(), calibrate=gold, min_score=0.6)
    assert sum(len(row.source.spans) for row in found) == 60
    with pytest.raises(SpanbridgeError, match="once calibrated, no span is surer than 0\\."):
        api.tag(rows(), TooSure(), calibrate=gold, min_score=0.9999)


def test_the_record_of_a_run_serves_others(gold, tmp_path):
    first = api.tag(rows(), TooSure(), calibrate=gold)
    first.save(tmp_path / "a.jsonl", "source")
    record = tmp_path / "a.jsonl.run.json"
    again = api.tag(rows(101, 110), TooSure(), calibrate=record)
    assert again.account.calibration == first.account.calibration
    both = api.tag(rows(101, 110), TooSure(), calibrate=gold)
    assert list(again) == list(both)
    assert again.signature != both.signature
    record.write_text(record.read_text("utf-8").replace("slope", "Slope"), encoding="utf-8")
    with pytest.raises(InputError, match="damaged"):
        api.tag(rows(), TooSure(), calibrate=record)


def test_the_record_of_another_run_has_none(tmp_path):
    api.tag(rows(), TooSure()).save(tmp_path / "a.jsonl", "source")
    with pytest.raises(InputError, match=r"a\.jsonl\.run\.json: is of a run without calibration"):
        api.tag(rows(), TooSure(), calibrate=tmp_path / "a.jsonl.run.json")


def test_too_few_rows_or_spans_or_other_labels(tmp_path):
    path = tmp_path / "gold.conll"
    path.write_text("".join(map(gold_lines, range(1, 50))), encoding="utf-8")
    with pytest.raises(InputError, match="has 49 rows, too few to calibrate: give 50 or more"):
        api.tag(rows(), TooSure(), calibrate=path)
    blank = "nobody\tO\n\n" * 50
    path.write_text(blank + gold_lines(1) * 3, encoding="utf-8")
    with pytest.raises(SpanbridgeError, match="3 spans with a score were found in the 53 labelled"):
        api.tag(rows(), TooSure(), calibrate=path)
    path.write_text(gold_lines(1).replace("PER", "name") * 60, encoding="utf-8")
    with pytest.raises(
        SpanbridgeError, match=r"labels found \(PER\) .*\(name\) have none in common"
    ):
        api.tag(rows(), TooSure(), calibrate=path)
    path.write_text(blank + "nobody\tO\n\n", encoding="utf-8")
    with pytest.raises(InputError, match="has no labelled source"):
        api.tag(rows(), TooSure(), calibrate=path)


def test_a_row_by_hand():
    step = Calibrate(gold="x.run.json", min_confidence=0.5)
    step._fitted = Fitted("x", Curve(-1.0, 1.0), Curve(0.0, 0.5))

    def calibrated(*spans, **fields):
        target = Sentence(("a", "b", "c"), spans)
        account = Account()
        row = SentencePair("1", target, target, provenance="project", **fields)
        (done,) = step.run([row], account)
        return done, account

    def curve(p):
        return p / (p + (1 - p) * np.e)

    sure, unsure = Span(0, 1, "PER", 0.9), Span(2, 3, "LOC", 0.6)
    done, account = calibrated(sure, status="projected", confidence=0.8)
    assert done.target.spans[0].score == pytest.approx(curve(0.9))
    assert done.confidence == pytest.approx(2 / 3, abs=1e-4)  # odds of 4 to 1 become 2 to 1
    done, account = calibrated(sure, unsure, status="projected", confidence=0.1)
    assert [span.label for span in done.target.spans] == ["PER"]
    p = curve(0.6)
    assert done.confidence == pytest.approx(0.25 * (1 - p) / p, abs=1e-4)
    assert account.dropped.total() == 1
    done, account = calibrated(unsure, status="projected", confidence=0.6)
    assert (done.status, done.confidence, done.target.spans) == (EMPTIED, None, ())
    done, _ = calibrated(unsure._replace(score=None), status=None)
    assert done.target.spans[0].score is None  # nothing is known, and nothing is left out


def test_accounts_after_it_by_hand():
    project, after = Account(), Account()
    project.statuses.update({"projected": 5, "empty: no link": 2})
    project.n_source_spans, project.n_target_spans = 9, 8
    project.dropped["no link"] = 1
    after.statuses.update({"calibrated": 6, EMPTIED: 1})
    after.dropped["confidence below the minimum"] = 3
    after.calibrated([Span(0, 1, "PER", 0.5)] * 5, "calibrated on x")
    found = project.amended(after)
    assert found.statuses == {"projected": 4, "empty: no link": 2, EMPTIED: 1}
    assert (found.n_source_spans, found.n_target_spans, found.dropped.total()) == (9, 5, 4)
    assert found.calibration == "calibrated on x"
    tag = Account()
    tag.statuses.update({"tagged": 7})
    tag.note("spans", 8)
    found = tag.amended(after)
    assert found.statuses == {"tagged": 6, EMPTIED: 1}
    assert found.notes == {"spans": 5, "spans left out: confidence below the minimum": 3}


def test_what_is_known_of_several_kinds_of_rows():
    one, other = Account(), Account()
    one.calibrated([Span(0, 1, "PER", 0.5), Span(0, 1, "PER")], "calibrated on x")
    other.calibrated([Span(0, 1, "PER", 0.5)] * 2, "uncalibrated: y")
    one.merge(Account.from_dict(json.loads(json.dumps(other.to_dict(whole=True)))))
    assert one.calibration == "uncalibrated: y (2 spans); calibrated on x (1 spans)"
    assert "calibration" not in Account().to_dict()


CALIBRATED = CALIBRATIONS["greedy"].told()
FOREIGN = "uncalibrated: links from elsewhere"
MULTIPLIED = "uncalibrated: a tagger's own probabilities are multiplied in"
OTHERS = "uncalibrated: another aligner than the method's own"
WEIGHED = "uncalibrated: settings other than the method's own"
GEORGIAN = "uncalibrated: a script that they were not fitted on"
LONG = "uncalibrated: rows longer than those they were fitted on"


@pytest.mark.parametrize(
    ("score", "word", "settings", "known"),
    [
        (None, "Ana", {}, OTHERS),
        (None, "Ana", {"links": "only"}, FOREIGN),
        (0.9, "Ana", {"links": "only"}, MULTIPLIED),
        (None, "Ana", {"weights": {"spelling": 1.0}}, WEIGHED),
        (None, "Ana", {"aligner": "usual"}, CALIBRATED),
        (None, "\u10d0\u10dc\u10d0", {"aligner": "usual"}, GEORGIAN),
        (0.9, "\u10d0\u10dc\u10d0", {"aligner": "usual"}, MULTIPLIED),
        (None, " ".join(["Ana"] * 500), {"aligner": "usual"}, LONG),
    ],
)
def test_what_a_projection_knows(score, word, settings, known, monkeypatch):
    from spanbridge import WordAlignment
    from spanbridge.alignment.lexical_aligner import LexicalAligner
    from spanbridge.projection.presets import GreedyMethod

    given = {"aligner": "lexical", **settings}
    if settings.get("links"):
        given.pop("aligner")
    if settings.get("aligner") == "usual":  # as if it were the method's own
        monkeypatch.setattr(GreedyMethod, "aligner", "lexical")
        given["aligner"] = LexicalAligner()
    links = WordAlignment.of([(0, 0)], 1, 1) if settings.get("links") else None
    words = tuple(word.split())
    source, target = Sentence(words, (Span(0, 1, "PER", score),)), Sentence(words)
    found = api.project([SentencePair("1", source, target, links)], "greedy", **given)
    assert found.account.calibration == known
