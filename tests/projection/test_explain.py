"""The scores behind each span, as lines for a person."""

import re

import numpy as np
import pytest
from project_instances import linked, project_row, row_of
from soft_samples import hard, pair

from spanbridge.core.soft_alignment import SoftAlignment
from spanbridge.core.spans import Span
from spanbridge.projection.explain import RUNNERS_UP
from spanbridge.projection.heuristic import HeuristicMethod
from spanbridge.projection.presets import GreedyMethod, MatchMethod, SoftMethod

HEAD = re.compile(r"row (.+), (\S+) \[(.*)\], min_score ([\d.]+)")
LINE = re.compile(
    r"  (->|  ) \[(.*)\] (\d+)-(\d+) score (-?[\d.]+)(?:, confidence ([\d.]+))? = (.*)"
)
PART = re.compile(r"(\w+) (-?[\d.]+)\*(-?[\d.]+)")


def parse(lines):
    """(head, why not projected or None, chosen or None, the others) of each entity."""
    entities = []
    for line in lines:
        if head := HEAD.fullmatch(line):
            entities.append([head.groups(), None, None, []])
        elif line.startswith("  not projected: "):
            entities[-1][1] = line.removeprefix("  not projected: ")
        else:
            found = LINE.fullmatch(line)
            assert found, line
            if found[1] == "->":
                entities[-1][2] = found
            else:
                entities[-1][3].append(found)
    return entities


def explained(method, row, min_confidence=0.0):
    found = project_row(method, row)
    return list(found.explain(found, min_confidence))


def test_by_hand():
    row = pair("Bonn sleeps", "Bonn schläft", [(0, 1, "LOC")], "r7")
    # F of [0, 1) is 1, of [0, 2) 2/3, of [1, 2) 0 (too faint to be listed)
    # confidence: 1 / (1 + exp(-(4.91 + .68 * log((1 / 3) / .5) - .61 * abs(log(12 / 13)))))
    assert explained(SoftMethod(), (row, hard(2, 2, (0, 0), (1, 1)))) == [
        "row r7, LOC [Bonn], min_score 0.3",
        "  -> [Bonn] 0-1 score 1.000, confidence 0.990 = soft 1.00*1, bad_boundary 0.00*-0.1",
        "     [Bonn schläft] 0-2 score 0.667 = soft 0.67*1, bad_boundary 0.00*-0.1",
    ]


def test_what_is_left_out():
    """Spans with less confidence than was asked for are named, and still shown."""
    row = pair("Bonn sleeps", "Bonn schläft", [(0, 1, "LOC")])
    lines = explained(SoftMethod(), (row, hard(2, 2, (0, 0), (1, 1))), 0.995)
    assert lines[1] == "  left out: confidence 0.990 is below 0.995"
    assert lines[2].startswith("  -> [Bonn] 0-1 ")


def test_confidences_shown_are_those_of_the_projection_that_is_given():
    """Such as one that the source's own scores went into."""
    row = pair("Bonn sleeps", "Bonn schläft", [(0, 1, "LOC", 0.5)])
    found = project_row(SoftMethod(), (row, hard(2, 2, (0, 0), (1, 1)))).with_source_scores()
    lines = list(found.explain(found, 0.0))
    assert f"confidence {found.spans[0].score:.3f} = " in lines[1]
    assert "confidence 0.495 = " in lines[1]


@pytest.mark.parametrize("min_score", [0.0, 0.5])
def test_along_hard_links(min_score):
    """Two words linked one to one, and one unlinked: n-grams by the paper's score."""
    row = row_of([Span(0, 2, "A"), Span(2, 3, "B")], linked("0-0 1-1", 3, 2))
    lines = explained(GreedyMethod(min_score=min_score), row)
    # support 1: 1 / (1 + exp(-(-.53 + .75 * -log(.01))))
    assert lines == [
        f"row 1, A [s0 s1], min_score {min_score:g}",
        "  -> [t0 t1] 0-2 score 1.000, confidence 0.949 = alignment 1.00*1",
        "     [t0] 0-1 score 0.667 = alignment 0.67*1",
        "     [t1] 1-2 score 0.667 = alignment 0.67*1",
        f"row 1, B [s2], min_score {min_score:g}",
        "  not projected: no link",
    ]


def test_by_linked_runs():
    row = row_of([Span(0, 2, "A")], linked("0-0 1-2", 2, 3))
    lines = explained(HeuristicMethod(), row)
    assert len(lines) == 2
    assert lines[1].startswith("  -> [t0 t1 t2] 0-3 score 0.500, ")
    assert lines[1].endswith(" = brevity 0.50*1")


class Half:
    """A translator that finds everything half right."""

    def describe(self):
        return "half()"

    def score(self, pairs):
        return [0.5] * len(pairs)

    def forget(self):
        pass


def test_what_was_not_asked_for_says_so():
    """[0, 1) has 1 + .1 * .5; the others have at most 2/3 + .1 without being asked for."""
    method = MatchMethod(translation=0.1)
    method.add_scores(scorer=Half())
    lines = explained(method, row_of([Span(0, 1, "A")], linked("0-0", 1, 2)))
    assert lines[1].startswith("  -> [t0] 0-1 score 1.050, ")
    assert lines[1].endswith(" = alignment 1.00*1, translation 0.50*0.1")
    assert (
        "     [t0 t1] 0-2 score not asked for = alignment 0.67*1, translation not asked for*0.1"
        in (lines)
    )


def test_what_is_not_projected():
    row = pair("a b c", "x y z", [(0, 1, "A"), (1, 2, "B"), (2, 3, "C")])
    mass = np.array([[0.9, 0, 0], [0, 0, 0], [0, 0.25, 0]])
    taken, lost, faint = parse(explained(SoftMethod(), (row, SoftAlignment(mass, mass))))
    assert taken[1] is None
    assert lost[1:] == ["no link", None, []]
    assert faint[1] == "score below the threshold"
    assert faint[3][0].group(2, 5) == ("y", "0.250")


@pytest.mark.parametrize("sample", ["corpus", "encoded"])
def test_scores_add_up(sample, request):
    """Up to what is rounded away: .005 * weight of each score, .0005 of the sum."""
    method = request.getfixturevalue(sample)
    rows = request.getfixturevalue("rows" if sample == "corpus" else "with_states")
    weights = method.weights()
    n_chosen = 0
    for row, soft in rows[:15]:
        found = project_row(method, (row, soft))
        raw = {span[:3]: value for span, value in zip(found.spans, found.raw_scores, strict=True)}
        spans = {span[:3]: span for span in found.spans}
        entities = parse(found.explain(found, 0.0))
        assert [e[0][1:3] for e in entities] == [
            (s.label, " ".join(row.source.words[s.start : s.end])) for s in sorted(row.source.spans)
        ]
        for (number, label, _, least), why, chosen, others in entities:
            assert number == row.id
            assert float(least) == pytest.approx(weights.min_score)
            assert (why is None) == (chosen is not None)
            assert len(others) <= RUNNERS_UP
            scores = [float(other[5]) for other in others]
            assert scores == sorted(scores, reverse=True)
            for line in [*others, *([chosen] if chosen else [])]:
                words, start, end, total = line[2], int(line[3]), int(line[4]), float(line[5])
                assert words == " ".join(row.target.words[start:end])
                parts = {name: (float(v), float(w)) for name, v, w in PART.findall(line[7])}
                assert {name: w for name, (_, w) in parts.items()} == weights.parts
                slack = 0.0005 + 0.005 * sum(abs(w) for w in weights.parts.values())
                assert total == pytest.approx(sum(v * w for v, w in parts.values()), abs=slack)
            if chosen:
                n_chosen += 1
                place = int(chosen[3]), int(chosen[4]), label
                assert float(chosen[6]) == pytest.approx(spans.pop(place).score, abs=0.0005)
                assert float(chosen[5]) == pytest.approx(raw[place], abs=0.0005)
                assert raw[place] > weights.min_score
        assert not spans
    assert n_chosen > 15
