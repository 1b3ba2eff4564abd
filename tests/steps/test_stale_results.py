"""What an earlier run said of a row does not pass for a result of this one."""

import pytest
from toy_bitext import EqualWords

from spanbridge import RowError, Sentence, SentencePair, Span, SpanbridgeError, WordAlignment, api
from spanbridge.core.rows import REJECTED
from spanbridge.run.memory import in_memory
from spanbridge.steps.aligning import Align
from spanbridge.steps.base import Context
from spanbridge.steps.repair import Repair
from spanbridge.tagging.given import GivenTagger

OLD = SentencePair(
    "1",
    Sentence(("Ana", "canta"), (Span(0, 1, "PER"),), "Ana canta"),
    Sentence(("Ana", "sings"), (Span(0, 1, "PER", 0.9),), "Ana sings"),
    status="projected",
    confidence=0.9,
    provenance="project",
    explanation=("why",),
)


def after(step, pair=OLD):
    step.open(Context())
    (done,), (report,), _ = in_memory([step], [pair], fit=False)
    return done, report.account


class Refuses(EqualWords):
    """Aligns nothing."""

    def align(self, pairs):
        return [RowError("too long") for _ in pairs]


def test_a_row_that_is_not_aligned_has_no_result():
    done, account = after(Align(aligner=Refuses()))
    assert done.status == f"{REJECTED}too long"
    assert done[5:8] == (None, None, None)  # confidence, provenance, explanation
    assert done.target.spans == ()
    assert account.rejects == [("1", "too long")]
    assert (account.n_source_spans, account.n_target_spans) == (0, 0)  # align counts none


def test_a_repaired_target_has_no_projection():
    twice = OLD._replace(target=Sentence(("EspaÃ±a",), (Span(0, 1, "LOC", 0.9),)))
    done, account = after(Repair(side="target"), twice)
    assert done.target == Sentence(("España",))
    assert (done.status, done.confidence, done.provenance) == (None, None, None)
    assert account.notes == {"rows_whose_earlier_result_no_longer_holds": 1}
    given = twice._replace(provenance=None)
    assert after(Repair(side="target"), given)[0].target.spans == twice.target.spans
    assert after(Repair(side="source"), twice)[0] == twice  # which is sound


@pytest.mark.parametrize(("provenance", "kept"), [("tag", True), ("project", False), (None, True)])
def test_translating_a_target(provenance, kept, tmp_path):
    """Its tags stay; what was projected from the former source does not."""
    (tmp_path / "t.tsv").write_text("Ana sings\tAna canta bien\n", encoding="utf-8")
    step = {"side": "target", "translator": {"given": {"model": str(tmp_path / "t.tsv")}}}
    loaded = api.Loaded([{"translate": step}], {"target": "en", "source": "es"})
    (done,) = loaded.run([OLD._replace(provenance=provenance)])
    assert done.source.words == ("Ana", "canta", "bien")
    assert (done.target == OLD.target) == kept
    assert done.provenance == (provenance if provenance == "tag" else None)


def test_an_ensemble_has_no_rejected_sentences(tmp_path):
    (tmp_path / "g.conll").write_text("Ana\tB-PER\nsings\tO\n\n", encoding="utf-8")
    tagger = GivenTagger(str(tmp_path / "g.conll"))
    loaded = api.Loaded([{"ensemble": {"tagger": tagger}}])
    old = OLD._replace(rejected_sentences=("too long",))
    rejected = OLD._replace(id="2", status="rejected: by hand")
    result = loaded.run([old, rejected])
    assert (result[0].status, result[0].rejected_sentences) == ("projected", None)
    assert result[1] == rejected
    assert result.account.rejects == [("2", "by hand")]


def test_links_of_other_sentences():
    pair = OLD._replace(links=WordAlignment.of([(0, 0)], 1, 1))
    with pytest.raises(SpanbridgeError, match=r"row 1 has \(2, 2\) words, but links of \(1, 1"):
        api.project([pair], "greedy", links="only")
