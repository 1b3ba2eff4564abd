"""The speeds of projection: what is encoded, what is kept, no row depends on another."""

import pytest

from spanbridge import Projector, SpanbridgeError, evaluate, project
from spanbridge.core.rows import SIDES, SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.demo.sample import sample
from spanbridge.projection.method import Projection
from spanbridge.steps.fates import Outcome, is_sure
from spanbridge.steps.projecting import SURE


@pytest.mark.parametrize(
    ("result", "sure"),
    [
        ("empty: no source span", True),
        ("empty: unlikely to be a translation", True),
        ("rejected: too long to align", True),
        ("failed: translation", True),
        ("empty: no target word", False),
        (Projection((Span(0, 1, "A", 0.96),), ()), True),
        (Projection((Span(0, 1, "A", 0.96), Span(1, 2, "A", 0.94)), ()), False),
        (Projection((Span(0, 1, "A", 0.96),), ((Span(2, 3, "B"), "no link"),)), False),
        (Projection((Span(0, 1, "A"),), ()), False),
        (Projection((), ()), True),
    ],
)
def test_what_needs_no_second_look(result, sure):
    assert is_sure(Outcome(None, result, None), 0.95) is sure


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"speed": "fast", "aligner": "lexical"}, "'lexical' cannot; take 'fused'"),
        ({"speed": "faster", "method": "greedy"}, "'encoder' cannot; take 'fused'"),
        ({"speed": "fastest", "aligner": "fused"}, "leave the aligner out"),
        ({"speed": "fast", "links": "only"}, "leave speed out"),
        ({"speed": "quick"}, "speed"),
    ],
)
def test_settings_that_do_not_go_together(settings, why):
    with pytest.raises(SpanbridgeError, match=why):
        Projector(**settings)


@pytest.fixture(scope="module")
def german():
    """The sample without its German labels."""
    both = zip(sample("en"), sample("de"), strict=True)
    return [
        SentencePair(str(n), source, target.with_spans(()))
        for n, (source, target) in enumerate(both)
    ]


def spans(rows):
    return [[span[:3] for span in row.target.spans] for row in rows]


def f1(rows):
    gold = [row.replace(target=target) for row, target in zip(rows, sample("de"), strict=True)]
    return evaluate(gold, list(rows)).micro.f1


@pytest.mark.slow
def test_each_speed_on_real_sentences(german):
    """Of a fast run, doubtful rows are as in a full one, all others as in the faster one."""
    full, fast, faster, fastest = (
        project(german, speed=speed) for speed in ("full", "fast", "faster", "fastest")
    )
    assert "-e5-" not in fastest.signature
    assert spans(fastest) == spans(project(german, aligner="statistical"))
    assert "fused(static(" in faster.signature
    assert f"speed:fast({SURE},first=fused(static(" in fast.signature
    n = fast.account.notes["parts_of_rows_read_by_the_encoder"]
    assert 0 < n < len(german)
    differ = [row for row, other in zip(spans(fast), spans(faster), strict=True) if row != other]
    assert len(differ) <= n
    for row, slow, quick in zip(spans(fast), spans(full), spans(faster), strict=True):
        assert row in (slow, quick)
    assert f1(fast) > f1(full) - 0.01
    assert f1(full) - 0.05 < f1(faster) < f1(full) + 0.01


@pytest.mark.slow
def test_long_rows_are_cut_before_anything_is_learned(german):
    """Twenty sentences as one row."""
    sides = (tuple(w for row in german[:20] for w in row.side(s).words) for s in SIDES)
    source, target = map(Sentence, sides)
    found = project([*german, SentencePair("long", source, target)], speed="fast")
    assert found.account.notes["long_rows_cut_into_parts"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("speed", ["fast", "faster"])
def test_a_fit_keeps_what_a_speed_needs(speed, german, tmp_path):
    """And a row's result does not depend on the rows beside it."""
    projector = Projector(speed=speed).fit(german)
    whole = projector.run(german)
    projector.save(tmp_path / "fit")
    applied = Projector.load(tmp_path / "fit")
    again = [row for start in range(0, len(german), 7) for row in applied.run(german[start:][:7])]
    assert again == list(whole)
