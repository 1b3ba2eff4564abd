"""Corrected rows: which count, that they stay, what they teach, and what is refused."""

import json
import random

import pytest

from spanbridge import InputError, Sentence, SentencePair, Span, SpanbridgeError, api
from spanbridge.core.links import WordAlignment
from spanbridge.core.spans import ABSENT
from spanbridge.formats import write_pairs
from spanbridge.formats.offsets import place_spans
from spanbridge.steps.account import NONE_CORRECTED
from spanbridge.steps.corrections import BEFORE, Corrections


def rows(n_rows=90, article_in=True, seed=1):
    """Names of which the target alone has an article, which stands in the gold spans, or not."""
    rng, made = random.Random(seed), []
    for n in range(n_rows):
        name, verb = f"Nam{rng.randrange(30)}", rng.choice(["goes", "sees", "comes"])
        source = Sentence(("so", name, verb), (Span(1, 2, "PER"),))
        target = Sentence(
            ("also", "der", name, verb[::-1]), (Span(1 if article_in else 2, 3, "PER"),)
        )
        links = WordAlignment.of([(0, 0), (1, 2), (2, 3)], 3, 4)
        made.append(SentencePair(f"r{n}", source, target, links))
    return made


def reviewed(path, gold, n=40, status="corrected"):
    """A file with the first n rows corrected."""
    write_pairs(path, gold)
    objects = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    for one in objects[:n]:
        one["review"] = {"status": status, "by": "ann"}
    path.write_text("".join(json.dumps(one) + "\n" for one in objects), "utf-8")
    return path


def bare(gold):
    return [pair._replace(target=pair.target.with_spans(())) for pair in gold]


def project(gold, path, **settings):
    given = {"links": "only", "languages": {"target": "de"}, "least_parallel": 0.0, **settings}
    return api.project(bare(gold), given.pop("method", "corpus"), corrections=path, **given)


def places(found):
    return [[span[:3] for span in pair.target.spans] for pair in found]


@pytest.fixture
def taught(tmp_path):
    gold = rows()
    path = reviewed(tmp_path / "reviewed.jsonl", gold)
    return gold, path, project(gold, path, show_changes=True)


def test_corrected_rows_stay_and_teach_the_others(taught):
    """Without them the article would be out everywhere."""
    gold, path, found = taught
    assert places(found) == places(gold)
    assert all(spans == [(2, 3, "PER")] for spans in places(project(gold, None)))
    for n, pair in enumerate(found):
        assert pair.status == ("corrected" if n < 40 else "projected")
        if n < 40:
            assert (pair.confidence, pair.target.spans[0].score) == (1.0, 1.0)
            assert pair.extra["review"] == {"status": "corrected", "by": "ann"}
        else:
            assert pair.extra[BEFORE] == [{"start": 2, "end": 3, "label": "PER"}]
    account = found.account
    assert account.statuses == {"corrected": 40, "projected": 50}
    assert account.notes["rows_changed_by_corrections"] == 50
    assert account.calibrations["certain: corrected"] == 40
    assert f"corrections:40_rows@{digest_of(path)}" in found.signature


def digest_of(path):
    return Corrections.read(str(path)).describe().partition("@")[2]


def test_its_own_output_can_teach_again(taught, tmp_path):
    """The key review comes along; what was only projected is not taken for corrected."""
    gold, _, found = taught
    out = tmp_path / "out.jsonl"
    write_pairs(out, found)
    again = Corrections.read(str(out))
    assert len(again.rows) == 40
    assert again.left_out == {"not reviewed": 50}
    assert places(project(gold, out)) == places(gold)


def test_corrections_that_agree_with_the_method_change_nothing(tmp_path):
    gold = rows(article_in=False)
    found = project(gold, reviewed(tmp_path / "r.jsonl", gold, status="accepted"))
    assert places(found) == places(gold)
    assert "rows_changed_by_corrections" not in found.account.notes


@pytest.mark.parametrize("method", ["greedy", "soft", "heuristic"])
def test_methods_that_learn_nothing_keep_corrected_rows(tmp_path, method):
    gold = rows(12)
    found = project(gold, reviewed(tmp_path / "r.jsonl", gold, 5), method=method)
    assert places(found) == [[(1, 3, "PER")]] * 5 + [[(2, 3, "PER")]] * 7


def test_rows_that_are_not_in_the_input_teach_too(tmp_path):
    gold = rows()
    path = reviewed(tmp_path / "r.jsonl", gold[:40])
    assert places(project(gold[40:], path)) == places(gold[40:])


def test_the_spans_of_the_source_are_those_of_the_correction(tmp_path):
    gold = rows(6)
    wrong = [p._replace(source=p.source.with_spans((Span(0, 2, "ORG"),))) for p in gold]
    path = reviewed(tmp_path / "r.jsonl", gold, 1)
    found = project(wrong, path, method="greedy")
    assert found[0].source.spans == gold[0].source.spans
    assert found[1].source.spans == wrong[1].source.spans


def test_raw_text_keeps_the_words_of_the_correction(tmp_path):
    """A correction may end inside a word that projection would see."""
    text = Sentence(("der", "Hausherr"), (), "der Hausherr", ((0, 3), (4, 12)))
    source = Sentence(("the", "landlord"), (Span(1, 2, "PER"),))
    given = SentencePair("a", source, text)
    cut = Sentence(
        ("der", "Haus", "herr"), (Span(1, 2, "PER"),), text.text, ((0, 3), (4, 8), (8, 12))
    )
    path = reviewed(tmp_path / "r.jsonl", [given._replace(target=cut)], 1)
    (found,) = api.project([given], "soft", "lexical", corrections=path, least_parallel=0.0)
    (span,) = found.target.spans
    assert found.target.text_of(span.start, span.end) == "Haus"
    assert found.links is None


def write(path, *objects):
    path.write_text("".join(json.dumps(one) + "\n" for one in objects), "utf-8")
    return str(path)


ROW = {
    "id": "r0",
    "source_words": ["a", "Bonn"],
    "source_spans": [],
    "target_words": ["b", "Bonn"],
    "target_spans": [],
}
OK = {**ROW, "review": {"status": "accepted"}}


def test_which_rows_count(tmp_path):
    others = ({**ROW, "id": f"x{n}", "review": {"status": "rejected"}} for n in range(3))
    found = Corrections.read(write(tmp_path / "a.jsonl", OK, *others, {**ROW, "id": "y"}))
    assert [*found.rows] == ["r0"]
    assert found.left_out == {"rejected": 3, "not reviewed": 1}
    assert found.text().endswith("1 corrected row; left out: 1 not reviewed, 3 rejected")
    null = Corrections.read(write(tmp_path / "n.jsonl", OK, {**ROW, "id": "y", "review": None}))
    assert null.left_out == {"not reviewed": 1}
    whole = Corrections.read(write(tmp_path / "b.jsonl", ROW, {**ROW, "id": "y", "review": None}))
    assert len(whole.rows) == 2
    assert "so all 2 corrected rows count" in whole.text()


@pytest.mark.parametrize(
    ("objects", "line", "why"),
    [
        ([ROW, {**ROW, "id": "r1", "review": "yes"}], 2, "is no object with a text"),
        ([{**ROW, "review": {"by": "ann"}}], 1, "is no object with a text"),
        ([OK, OK], 2, "row r0 was corrected in line 1 too"),
        ([{**ROW, "review": {"status": "rejected"}}], None, "holds no row that was accepted"),
        ([{**ROW, "status": "projected", "provenance": "project"}], 1, "nobody has reviewed it"),
        ([{"id": "r0", "target_words": ["b"], "review": {"status": "accepted"}}], 1, "source"),
    ],
)
def test_what_is_refused(tmp_path, objects, line, why):
    path = write(tmp_path / "a.jsonl", *objects)
    with pytest.raises(InputError, match=why) as error:
        Corrections.read(path)
    assert (error.value.file, error.value.line) == (path, line)


def test_another_text_is_an_error_with_its_line(tmp_path):
    gold = rows(6)
    path = reviewed(tmp_path / "r.jsonl", gold, 3)
    given = [*gold]
    given[1] = given[1]._replace(target=Sentence(("also", "der", "Anders", "seog")))
    with pytest.raises(InputError, match="row r1 has another target text") as error:
        project(given, path, method="greedy")
    assert error.value.line == 2
    assert "in place of" in str(error.value)


def one_sided(pairs):
    """The rows as they come from a tool for one text."""
    return [pair._replace(source=ABSENT, links=None) for pair in pairs]


def test_source_sides_are_those_of_the_input(tmp_path):
    """In any order, however the text is cut into words; unknown rows that do not count are left."""
    gold = rows(6)
    empty = SentencePair(
        "e", Sentence(("x",)), Sentence(()), extra={"review": {"status": "accepted"}}
    )
    given = [*bare(gold), empty]
    whole = reviewed(tmp_path / "whole.jsonl", [*gold, empty], 3)
    target = one_sided([*reversed(gold[:3]), empty, gold[4]._replace(id="unknown")])
    path = reviewed(tmp_path / "target.jsonl", target, 4)
    found = Corrections.read(str(path), rows=lambda: given)
    expected = Corrections.read(str(whole))
    assert found.rows["r1"][1].source == gold[1].source
    assert found.rows["r1"][1].links == gold[1].links
    assert found.rows["r1"][0] == 2
    assert {k: v[1][:3] for k, v in found.rows.items()} == {
        **{k: v[1][:3] for k, v in expected.rows.items()},
        "e": empty[:3],
    }
    assert found.text().endswith(
        "4 corrected rows; the source sides of 4 are those of the input; left out: 1 not reviewed"
    )
    cut = gold[1]._replace(
        target=Sentence(("al", "soder", *gold[1].target.words[2:]), (Span(1, 3, "PER"),))
    )
    path = reviewed(tmp_path / "cut.jsonl", one_sided([cut]), 1)
    ((line, pair),) = Corrections.read(str(path), rows=lambda: given).rows.values()
    assert (pair.source, pair.target, pair.links) == (gold[1].source, cut.target, None)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("l' ( e. g. )", (3, 10), ((1, 3, "X"))),
        ("l'  (e. g.)", (5, 10), (2, 3, "X")),
        ("l' ( e. g. )", (0, 12), (0, 4, "X")),
        ("l' ( e. g. )", (5, 7), None),  # inside of a word
    ],
)
def test_a_text_gets_the_words_of_the_input(text, place, words):
    given = SentencePair("a", Sentence(("x",)), Sentence(("l'", "(", "e. g.", ")")))
    span = Span(*place, "X", None, '{"by": "ann"}')
    own = place_spans(text, [span], "source", "spans", "characters")
    found = SentencePair("a", ABSENT, own).with_source_of(given).target
    if words is None:
        assert found == own
    else:
        assert found == Sentence(given.target.words, (Span(*words, None, span.extra),))
    raw = given._replace(target=own)
    assert SentencePair("a", ABSENT, own).with_source_of(raw).target == own


def test_source_sides_that_are_not_to_be_found(tmp_path):
    gold = rows(3)
    path = str(reviewed(tmp_path / "target.jsonl", one_sided(gold), 3))
    other = gold[1]._replace(target=Sentence(("also", "der", "Anders", "seog")))
    no_source = gold[2]._replace(source=ABSENT, links=None)
    unlabelled = [pair._replace(source=pair.source.with_spans(())) for pair in gold]
    for given, line, why in [
        (None, 1, "row r0 has no source side, as if it came from a tool for one text; if it was"),
        ([], 1, "row r0 has no source side.*, and no row of the input that has one is of this id"),
        ([gold[0], other], 2, "row r1 has another target text than the input's row of that id"),
        ([*gold[:2], no_source], 3, "row r2 has no source side.* no row of the input"),
        (unlabelled, None, "those of the input have no spans there; if it was projected to OUT"),
    ]:
        with pytest.raises(InputError, match=why) as error:
            Corrections.read(path, rows=None if given is None else lambda given=given: given)
        assert (error.value.file, error.value.line) == (path, line)


@pytest.mark.parametrize(
    "settings", [{"show_changes": True}, {"apply": "x", "corrections": "y"}], ids=str
)
def test_settings_that_do_nothing(settings):
    with pytest.raises(SpanbridgeError):
        api.Projector(**settings)


def test_calibrated_rows_leave_corrected_ones_as_they_are(tmp_path):
    """They are no evidence for the curve, since they were not found, and stay certain."""
    gold = rows(120, article_in=False)
    wrong = [
        pair._replace(target=pair.target.with_spans((Span(1, 3, "PER"),))) if n % 3 else pair
        for n, pair in enumerate(gold)
    ]
    corrected = reviewed(tmp_path / "r.jsonl", gold, 10)
    write_pairs(tmp_path / "gold.jsonl", wrong)
    given = {"links": "only", "languages": {"target": "de"}, "least_parallel": 0.0}
    found = api.project(
        bare(gold), "greedy", corrections=corrected, calibrate=tmp_path / "gold.jsonl", **given
    )
    assert [pair.confidence for pair in found[:10]] == [1.0] * 10
    assert found[10].confidence == pytest.approx(1 / 3, abs=0.05)


@pytest.mark.parametrize("method", ["corpus", "greedy", "soft"])
def test_it_is_said_if_no_row_is_a_corrected_one(tmp_path, method):
    gold = rows(30)
    others = [pair._replace(id=f"x{pair.id}") for pair in gold]
    told = f"30 {NONE_CORRECTED}"
    path = reviewed(tmp_path / "c.jsonl", others)
    assert told in project(gold, path, method=method).account.text()
    others[7] = gold[7]
    path = reviewed(tmp_path / "c.jsonl", others)
    assert NONE_CORRECTED not in project(gold, path, method=method).account.text()


def test_equal_spans_of_a_row_count_once(taught, tmp_path):
    gold, path, found = taught
    objects = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    for one in objects[:3]:
        one["target_spans"] *= 2
    write(tmp_path / "twice.jsonl", *objects)
    again = Corrections.read(str(tmp_path / "twice.jsonl"))
    assert again.repeated == 3
    assert "; 3 spans that their rows have twice count once" in again.text()
    assert again.describe() == Corrections.read(str(path)).describe()
    twice = project(gold, tmp_path / "twice.jsonl", show_changes=True)
    assert list(twice) == list(found)
    assert twice.account.to_dict() == found.account.to_dict()


@pytest.mark.parametrize("status", ["corrected", "rejected-source"])
def test_a_row_that_is_projected_anew_is_not_said_to_be_right(tmp_path, status):
    gold = rows(20)
    review = {"review": {"status": status, "by": "ann"}, BEFORE: [], "note": 1}
    given = [pair._replace(extra=review) for pair in bare(gold)]
    found = api.project(given, "greedy", links="only", least_parallel=0.0)
    notes = found.account.notes.get("rows_that_were_corrected_but_are_projected_anew", 0)
    if status == "corrected":
        assert [pair.extra for pair in found] == [{"note": 1}] * 20
        assert notes == 20
    else:
        assert found[0].extra == {"review": review["review"], "note": 1}
        assert notes == 0
