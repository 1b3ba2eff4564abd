"""Steps that ask taggers: tag, ensembles, and projection helped by a tagger or a translator."""

import numpy as np
import pytest
import toy_pipeline as toy
from toy_bitext import rows

from spanbridge import Sentence, SentencePair, Span, SpanbridgeError, WordAlignment
from spanbridge.steps.account import Account
from spanbridge.steps.base import Context
from spanbridge.steps.projecting import Project
from spanbridge.steps.tagging import Ensemble, Tag, combine
from spanbridge.tagging.base import Tagged, Tagger

CLASSES = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")


def work(step, rows):
    account = Account()
    step.open(Context())
    return list(step.run(rows, account)), account


def test_spans_that_came_with_rows_are_counted_as_they_go(tmp_path):
    (tmp_path / "t.conll").write_text("Ana\tB-PER\nvive\tO\n\nNada\tO\n", "utf-8")
    tagger = {"given": {"model": str(tmp_path / "t.conll")}}
    sides = Sentence(("Ana", "vive"), (Span(0, 2, "X"), Span(1, 2, "Y"))), Sentence(("Nada",))
    rows = [SentencePair(str(n), Sentence(()), side) for n, side in enumerate(sides)]
    found, account = work(Tag(tagger=tagger, side="target"), rows)
    assert found[0].target.spans == (Span(0, 1, "PER"),)
    assert account.text() == (
        "2 rows = 1 tagged, 1 empty: no span found\n1 spans\n"
        "2 spans that stood there before and gave way to the tagger's"
    )


def test_agreement_by_hand():
    probabilities = np.array(
        [
            [0.1, 0.9, 0.0, 0.0, 0.0],
            [0.6, 0.4, 0.0, 0.0, 0.0],
            [0.0, 0.0, 0.0, 1.0, 0.0],
            [0.5, 0.0, 0.0, 0.0, 0.5],
        ]
    )
    tagged = Tagged(4, (Span(0, 1, "PER", 0.9), Span(2, 3, "LOC", 0.5)), probabilities)
    projected = [Span(1, 2, "PER", 0.8), Span(2, 4, "LOC", 0.7), Span(3, 4, "ORG", None)]
    found = combine(projected, tagged, CLASSES, 0.5, 0.4)
    # .9 / 2; (.8 + .4) / 2; (.7 + .5) / 2 beats (0 + .5) / 2; the certain ORG lies inside
    assert [span[:3] for span in found] == [
        (0, 1, "PER"),
        (1, 2, "PER"),
        (2, 4, "LOC"),
        projected[2][:3],
    ]
    assert [span.score for span in found] == pytest.approx([0.45, 0.6, 0.6, 1.0])
    assert combine(projected, tagged, CLASSES, 0.0, 0.6)[0][:3] == (0, 1, "PER")
    assert combine((), Tagged(0, ()), (), 0.5, 0.4) == ()


def test_nested_spans_stay_nested_beside_a_flat_tagger():
    # "Bank of China" ORG around "China" LOC, which is GPE too; the tagger finds the outer one only
    projected = (Span(0, 3, "ORG", 0.9), Span(2, 3, "LOC", 0.8), Span(2, 3, "GPE", 0.7))
    found = combine(projected, Tagged(4, (Span(0, 3, "ORG", 0.5),)), (), 0.5, 0.4)
    assert found == (Span(0, 3, "ORG", 0.7), *projected[1:])
    # it finds the inner one too: .5 * .8 + .5 * 1; one that it finds alone is no layer: "of" loses
    others = (Span(1, 2, "LOC", 0.8), Span(2, 3, "LOC", 1.0))
    found = combine(projected, Tagged(4, others), (), 0.5, 0.3)
    assert found == (Span(0, 3, "ORG", 0.45), Span(2, 3, "LOC", 0.9), projected[2])


class Halves(Tagger):
    """Takes the first word for a person, surely, and the second with half its heart."""

    classes = CLASSES
    licence = "MIT"

    def describe(self):
        return "halves"

    def tag(self, sentences):
        probabilities = np.array([[0.0, 1, 0, 0, 0], [0.5, 0.5, 0, 0, 0], [1.0, 0, 0, 0, 0]])
        return [
            Tagged(len(s), (Span(0, 1, "PER", 1.0),), probabilities[: len(s)]) for s in sentences
        ]


class Silent(Tagger):
    """Finds nothing, and is fairly sure of it."""

    classes = CLASSES

    def describe(self):
        return "silent"

    def tag(self, sentences):
        sure = [0.9, 0.1, 0, 0, 0]
        return [Tagged(len(s), (), np.array([sure] * len(s)).reshape(-1, 5)) for s in sentences]


def test_tag_names_itself_and_drops_what_was_said_before():
    target = Sentence(("a", "b"), (Span(0, 2, "OLD", 0.3),))
    row = SentencePair(
        *("1", Sentence(("x",)), target, None, "projected"),
        confidence=0.3,
        provenance="project",
        explanation=("why",),
        translation_status="ok",
    )
    (found,), account = work(Tag(tagger=Halves(), side="target"), [row])
    assert found.target.spans == (Span(0, 1, "PER", 1.0),)
    assert (found.status, found.confidence, found.explanation) == (None, None, None)
    assert (found.provenance, found.translation_status) == ("tag", "ok")
    assert account.statuses == {"tagged": 1}
    (silent,), account = work(Tag(tagger=Silent(), side="target"), [row])
    assert silent.target == Sentence(("a", "b"), empty_probability=pytest.approx(0.81))
    assert account.statuses == {"empty: no span found": 1}


def test_a_failed_translation_is_not_tagged():
    row = SentencePair("1", Sentence(()), Sentence(("a",)), translation_status="failed: no pair")
    (found,), account = work(Tag(tagger=Silent()), [row])
    assert found.source == Sentence(())
    assert account.statuses == {"failed: no translation to tag": 1}


def test_ensemble():
    row = SentencePair("1", Sentence(()), Sentence(("a", "b", "c"), (Span(1, 2, "PER", 0.8),)))
    (found,), account = work(Ensemble(tagger=Halves()), [row])
    assert [span[:3] for span in found.target.spans] == [(0, 1, "PER"), (1, 2, "PER")]
    assert account.notes == {"spans added": 1, "spans left out": 0, "spans": 2}
    assert found.status == "projected"
    assert (found.provenance, found.confidence) == ("ensemble", None)
    stale = row._replace(
        status="empty: no link", confidence=1.0, provenance="project", extra={"x": 1}
    )
    (found,), _ = work(Ensemble(tagger=Halves(), min_score=1.0), [stale])
    assert (found.status, found.extra) == ("empty: no span", {"x": 1})
    assert (found.provenance, found.confidence) == ("ensemble", None)
    (found,), _ = work(Ensemble(tagger=Silent(), min_score=1.0), [stale])
    assert found.target.empty_probability == pytest.approx(0.9**3)


def match(**settings):
    tagger = {"tagger": settings.pop("tagger")} if "tagger" in settings else {}
    return Project(method={"match": settings}, links="only", **tagger)


def test_match_with_a_tagger():
    source = Sentence(("Ann", "x"), (Span(0, 1, "PER"),))
    links = WordAlignment.of([(0, 1)], 2, 3)
    row = SentencePair("1", source, Sentence(("Anna", "b", "c")), links)
    plain, _ = work(match(), [row])
    assert [span[:3] for span in plain[0].target.spans] == [(1, 2, "PER")]
    (found,), _ = work(match(tagger=Halves(), ner=3.0), [row])
    assert [span[:3] for span in found.target.spans] == [(0, 1, "PER")]
    (found,), account = work(match(tagger=Halves(), candidates="tagger"), [row])
    assert found.target.spans == ()
    assert found.confidence is None
    assert account.dropped == {"no candidate left": 1}


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"candidates": "tagger"}, "needs a tagger"),
        ({"ner": 1.0}, "needs a tagger"),
        ({"translation": 1.0}, "translation' needs|needs a translator"),
        ({"alignment": 0.0}, "all weights are 0"),
        ({"tagger": Halves()}, "the tagger would do nothing"),
    ],
)
def test_settings_that_do_not_go_together(settings, why):
    with pytest.raises(SpanbridgeError, match=why):
        work(match(**settings), [])


def test_match_by_translation_scores(tmp_path):
    pytest.importorskip("torch", reason="torch is not installed (as in `make pythons`)")
    import tiny_translators

    folder = str(tiny_translators.save(tmp_path / "m2m", "m2m"))
    text = "Pedro vive en Madrid.\nAna trabaja en Lugar1.\n"
    toy.write(tmp_path, 6)
    (tmp_path / "es.txt").write_text(text, encoding="utf-8")
    (tmp_path / "t.tsv").write_text(
        "Pedro vive en Madrid.\tPedro lives in Madrid.\n"
        "Ana trabaja en Lugar1.\tAna works in Lugar1.\n",
        encoding="utf-8",
    )
    scored = {
        "aligner": "lexical",
        "translator": {"neural": {"model": folder, "compute_type": "float32"}},
        "method": {"match": {"translation": 0.5, "solver": "exact"}},
    }
    (tmp_path / "en.conll").write_text(
        "Pedro\tB-PER\nlives\tO\nin\tO\nMadrid\tB-LOC\n.\tO\n\n"
        "Ana\tB-PER\nworks\tO\nin\tO\nLugar1\tB-LOC\n.\tO\n\n",
        encoding="utf-8",
    )
    given_ = toy.settings(tmp_path, steps=[*toy.STEPS[1:3], {"project": scored}])
    done, reports = toy.run(given_)
    assert reports[-1].account.notes["translation scores"] > 0
    assert "nmtscore(direct,neural(m2m@" in done.signature
    first = rows(tmp_path / "o.jsonl")
    toy.run({**given_, "output": str(tmp_path / "p.jsonl"), "shard_rows": 1})
    assert rows(tmp_path / "p.jsonl") == first
