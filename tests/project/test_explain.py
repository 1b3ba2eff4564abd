"""The parts of each span's score, as lines for a person."""

import re

import numpy as np
import pytest
from soft_samples import bitext, hard, pair

from spanbridge import CorpusMethod
from spanbridge.core.soft_alignment import SoftAlignment
from spanbridge.project.explain import RUNNERS_UP, explain
from spanbridge.project.soft import SoftMethod

HEAD = re.compile(r"row (.+), (\S+) \[(.*)\], threshold ([\d.]+)")
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


def test_by_hand():
    row = pair("Bonn sleeps", "Bonn schläft", [(0, 1, "LOC")], "r7")
    lines = list(explain(row, SoftMethod().decide(row, hard(2, 2, (0, 0), (1, 1)))))
    # F of [0, 1) is 1, of [0, 2) 2/3, of [1, 2) 0 (too faint to be listed)
    # confidence: 1 / (1 + exp(-(-.09 + .61 * -log(.01) + 3.31 / 3)))
    assert lines == [
        "row r7, LOC [Bonn], threshold 0.3",
        "  -> [Bonn] 0-1 score 1.000, confidence 0.979 = soft 1.00*1",
        "     [Bonn schläft] 0-2 score 0.667 = soft 0.67*1",
    ]


def test_what_is_not_projected():
    row = pair("a b c", "x y z", [(0, 1, "A"), (1, 2, "B"), (2, 3, "C")])
    mass = np.array([[0.9, 0, 0], [0, 0, 0], [0, 0.25, 0]])
    taken, lost, faint = parse(explain(row, SoftMethod().decide(row, SoftAlignment(mass, mass))))
    assert taken[1] is None
    assert lost[1:] == ["no link", None, []]
    assert faint[1] == "score below the threshold"
    assert faint[3][0].group(2, 5) == ("y", "0.250")


@pytest.mark.parametrize("states", [False, True])
def test_parts_add_up_to_the_scores(states):
    """Up to what is rounded away: .005 * weight of each part, .0005 of the score."""
    rows = bitext(100, states=states)
    method = CorpusMethod()
    method.fit(rows)
    weights = method.weights()
    n_chosen = 0
    for row, found in rows[:15]:
        spans = {span[:3]: span for span in method.project(row, found).spans}
        entities = parse(explain(row, method.decide(row, found)))
        assert [e[0][1:3] for e in entities] == [
            (s.label, " ".join(row.source.words[s.start : s.end])) for s in sorted(row.source.spans)
        ]
        for (number, label, _, threshold), why, chosen, others in entities:
            assert number == row.id
            assert float(threshold) == pytest.approx(weights.threshold)
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
                span = spans.pop((int(chosen[3]), int(chosen[4]), label))
                assert float(chosen[6]) == pytest.approx(span.score, abs=0.0005)
                assert float(chosen[5]) > weights.threshold
        assert not spans
    assert n_chosen > 15
