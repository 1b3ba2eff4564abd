"""Mistakes in parts of other packages: one clear message each, and no wrong result."""

import numpy as np
import pytest

import spanbridge
from spanbridge import SpanbridgeError
from spanbridge.alignment.base import Aligner
from spanbridge.core.links import WordAlignment
from spanbridge.core.plugins import code_digests, is_foreign
from spanbridge.core.rows import SentencePair
from spanbridge.core.soft_alignment import SoftAlignment
from spanbridge.core.spans import Sentence, Span
from spanbridge.formats import SentenceFormat
from spanbridge.projection.contract import checked_projections, checked_values
from spanbridge.projection.method import Method, Projection
from spanbridge.projection.presets import ExactMethod, GreedyMethod, SoftMethod
from spanbridge.projection.scores import SCORES, Score
from spanbridge.steps.base import Step

ANNA, ROME = Span(0, 1, "PER"), Span(2, 3, "LOC")
PAIR = SentencePair(
    "7", Sentence(("Anna", "likes", "Rome"), (ANNA, ROME)), Sentence(("Anna", "mag", "Rom"))
)


class Own(Method):
    """Returns what it is told to."""

    name, reads = "own", "nothing"

    def __init__(self, gives):
        self.gives = gives

    def describe(self):
        """Its name."""
        return "own"

    def project(self, rows):
        """What it is told to."""
        return self.gives


def at(start, end, score=0.5):
    """A span of the target."""
    return Span(start, end, "PER", score)


GOOD = Projection((at(0, 1), at(2, 3)), (), (ANNA, ROME))


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ([], r"gave 0 for 1 rows; it gives a list with one projection for each"),
        ([GOOD, GOOD], r"gave 2 for 1 rows"),
        (None, r"gave NoneType for 1 rows"),
        (iter([GOOD]), r"gave list_iterator for 1 rows"),
        ([None], r"row 7: the method 'own' gave NoneType; it gives a Projection or a RowError"),
        ([Projection((at(2, 4),), (), (ANNA,))], r"row 7: .* the span 2-4 of 3 words"),
        ([Projection((at(-1, 1),), (), (ANNA,))], r"the span -1-1 of 3 words"),
        ([Projection((at(1, 1),), (), (ANNA,))], r"the span 1-1 of 3 words"),
        ([Projection((at(0, 2), at(1, 3)), (), (ANNA, ROME))], r"gave spans that cross"),
        ([Projection((at(2, 3), at(0, 1)), (), (ANNA, ROME))], r"the span 0-1 .* stand in order"),
        ([Projection((at(0, 1, 1.5),), (), (ANNA,))], r"the confidence 1\.5; it lies in \[0, 1\]"),
        ([Projection((at(0, 1, float("nan")),), (), (ANNA,))], r"the confidence nan"),
        ([Projection((at(0, 1), at(2, 3)), (), (ANNA,))], r"1 origins for 2 spans"),
        ([Projection((at(0, 1),), (), (ANNA,))], r"no word of the source span \(2, 3, 'LOC'\)"),
        (
            [Projection((at(0, 1),), ((ANNA, "no"), (ROME, "no")), (ANNA,))],
            r"source span \(0, 1, 'PER'\) both an origin and dropped",
        ),
        ([Projection((), ((ANNA, "no"),))], r"no word of the source span \(2, 3, 'LOC'\)"),
    ],
)
def test_projections(found, why):
    """Too few, too many, no list, outside, empty, overlapping, unordered, not accounted for."""
    with pytest.raises(SpanbridgeError, match=why):
        spanbridge.project([PAIR], Own(found))


def test_a_good_projection_passes():
    assert checked_projections(Own(None), [(PAIR, None)], [GOOD]) == [GOOD]
    [row] = spanbridge.project([PAIR], Own([GOOD]))
    assert row.target.spans == GOOD.spans
    assert row.confidence == 0.25
    unknown = Projection((at(0, 1),))  # which source span it came from
    assert spanbridge.project([PAIR], Own([unknown]))[0].target.spans == unknown.spans


def test_a_method_without_confidences():
    """Neither spans nor the row have one; a minimum is refused."""
    found = Projection((at(0, 1, None), at(2, 3, 0.5)), (), (ANNA, ROME))
    assert spanbridge.project([PAIR], Own([found]))[0].confidence is None
    with pytest.raises(SpanbridgeError, match="gives no confidence; leave out the minimum"):
        spanbridge.project([PAIR], Own([found]), min_confidence=0.1)


def test_a_method_reads_one_of_three_things():
    with pytest.raises(TypeError, match=r"Wrong\.reads is 'words', but must be one of 'nothing'"):

        class Wrong(Own):
            reads = "words"


class Odd(Score):
    """Returns what it is told to."""

    name, low, high = "odd", 0.0, 1.0

    def __init__(self, gives):
        self.gives = gives

    def of(self, given, entity, intervals):
        """What it is told to."""
        return self.gives


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ([0.5], "gave 1 for 2 candidates; it gives one value for each"),
        (0.5, "gave a single number for 2 candidates"),
        ([[0.5], [0.5]], "gave 2x1 for 2 candidates"),
        ([0.5, float("nan")], "gave nan, which is not finite"),
        ([0.5, float("inf")], "gave inf, which is not finite"),
        (None, "gave a single number for 2 candidates"),
        (["a", "b"], "gave no numbers"),
    ],
)
def test_values_of_scores(values, why):
    with pytest.raises(SpanbridgeError, match=f"the score 'odd' {why}"):
        checked_values(Odd(values), values, 2)


def test_a_score_states_its_range():
    class Boundless(Odd):
        """Has only one bound."""

        def __getattribute__(self, name):
            if name == "high":
                raise AttributeError(name)
            return super().__getattribute__(name)

    with pytest.raises(SpanbridgeError, match="'odd' has no low and high; state the range"):
        checked_values(Boundless(None), [0.5], 1)


def test_bounds_of_spans_are_whole_numbers():
    found = Projection((Span(np.int64(0), np.int64(1), "PER"),), (), PAIR.source.spans[:1])
    with pytest.raises(
        SpanbridgeError, match="gave a span from int64 numbers; convert them by int"
    ):
        checked_projections(Own(None), [(PAIR, None)], [found])


@pytest.mark.parametrize("wrong", [".conll", ("conll",), ["x"]])
def test_suffixes_are_a_tuple(wrong):
    with pytest.raises(SpanbridgeError, match="give a tuple of names such as"):
        type("Wrong", (SentenceFormat,), {"suffixes": wrong})


def test_values_may_be_any_numbers():
    assert checked_values(Odd(None), [1, 0], 2).tolist() == [1.0, 0.0]


class Links(Aligner):
    """Returns what it is told to."""

    def __init__(self, gives):
        self.gives = gives

    def describe(self):
        """Its name."""
        return "links"

    def align(self, pairs):
        """What it is told to."""
        return self.gives

    def soft_align(self, pairs):
        """What it is told to."""
        return self.gives


SHORT = WordAlignment.of([(0, 0)], 1, 1)


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ([], "the aligner 'Links' gave 0 for 1 pairs; it gives a list, one for each"),
        ([SHORT], r"row 7: the aligner 'Links' aligned \(1, 1\) words, but the pair has \(3, 3\)"),
    ],
)
def test_alignments(found, why):
    with pytest.raises(SpanbridgeError, match=why):
        spanbridge.align([PAIR], Links(found))
    with pytest.raises(SpanbridgeError, match=why):
        spanbridge.project([PAIR], "greedy", Links(found))
    soft = [SoftAlignment.from_links(links) for links in found]
    with pytest.raises(SpanbridgeError, match=why):
        spanbridge.project([PAIR], "soft", Links(soft))


def test_an_alignment_is_one_of_two_things():
    for method, gives in (("greedy", [[(0, 0)]]), ("soft", [[(0, 0)]]), ("greedy", None)):
        with pytest.raises(SpanbridgeError, match="the aligner 'Links' gave (list|NoneType)"):
            spanbridge.project([PAIR], method, Links(gives))


class Learns(Links):
    """Learns, but cannot say what."""

    learns = True


def test_what_was_learned_must_be_said(tmp_path):
    with pytest.raises(SpanbridgeError, match=r"Learns learns, but has no learned\(\) and restore"):
        Learns([]).save(tmp_path)


class Loses(Step):
    """Changes which rows there are."""

    name = "loses"
    how: str

    def work(self, rows, account):
        """One row too few, one too many, two exchanged, one renamed."""
        rows = list(rows)
        return {
            "fewer": rows[:-1],
            "more": [*rows, rows[0]],
            "exchanged": rows[::-1],
            "renamed": [row._replace(id="x") for row in rows],
            "nothing": None,
            "None": [None],
        }[self.how]


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("fewer", "lost row 2"),
        ("more", "gave row 1 where no more was due"),
        ("exchanged", "gave row 2 where row 1 was due; it gives one row for each, in order"),
        ("renamed", "gave row x where row 1 was due"),
        ("nothing", "gave NoneType; it yields rows"),
        ("None", "gave NoneType; it yields SentencePair"),
    ],
)
def test_a_step_keeps_all_rows(how, why):
    rows = [PAIR._replace(id=number) for number in "12"]
    loaded = spanbridge.Loaded([Loses(how=how)])
    with pytest.raises(SpanbridgeError, match=f"the step 'loses' {why}"):
        loaded.run(rows)


class Mine(GreedyMethod):
    """Greedy by another name."""

    name = "mine"


class MineExact(ExactMethod):
    """Exact by another name."""

    name = "mine-exact"


class MineSoft(SoftMethod):
    """Soft by another name."""

    name = "mine-soft"


@pytest.mark.parametrize(
    ("mine", "preset"), [(Mine, "greedy"), (MineExact, "exact"), (MineSoft, "soft")]
)
def test_a_preset_by_another_name(mine, preset):
    """Solver and calibration are the preset's."""
    ours = list(spanbridge.project([PAIR], preset, "lexical"))
    assert list(spanbridge.project([PAIR], mine(), "lexical")) == ours
    assert ours[0].target.spans


def test_code_digests():
    assert not is_foreign(SCORES["soft"])
    assert not is_foreign(GreedyMethod)
    assert is_foreign(Mine())
    assert is_foreign(Mine)
    [found] = code_digests([SCORES["soft"], Mine(), MineSoft(), GreedyMethod()])
    name, _, digest = found.partition("@")
    assert name == "test_mistakes"
    assert len(digest) == 8
