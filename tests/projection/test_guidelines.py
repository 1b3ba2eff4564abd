"""Conventions that corrected spans show."""

from soft_samples import pair

from spanbridge.core.spans import Span
from spanbridge.formats.closed_classes import closed_classes
from spanbridge.projection.boundaries import Conventions
from spanbridge.projection.guidelines import guidelines, shown

GERMAN = Conventions(closed_classes("deu"))


def row(target, *places):
    one = pair("x", target)
    spans = tuple(Span(*place, "PER") for place in places)
    return one._replace(target=one.target.with_spans(spans))


def test_an_article_that_is_out_but_once():
    rows = [row("die Anna geht", (1, 2))] * 5 + [row("der Bodensee", (0, 2))]
    (one,) = guidelines(rows, GERMAN)
    assert (one.kind, one.found, one.proposed) == ("article", {"in": 1, "out": 5}, "article=out")
    assert one.text().splitlines() == [
        "in 5 of 6 corrected spans with an article, the article is out",
        *["    die [Anna] geht"] * 3,
        "  but not in 1:",
        "    [der Bodensee]",
        "  --boundary article=out",
    ]


def test_few_spans_or_divided_ones_propose_nothing():
    few = guidelines([row("die Anna geht", (1, 2))] * 4, GERMAN)
    assert [one.proposed for one in few] == [None]
    assert few[0].text().endswith("no setting: too few")
    both = [row("die Anna geht", (1, 2)), row("die Anna geht", (0, 2))] * 4
    assert guidelines(both, GERMAN)[0].text().endswith("no setting: they do not agree")


def test_marks():
    rows = [row("so « Le Monde » .", (1, 5)), row("die OMS ( WHO ) , heute", (1, 5))] * 5
    found = {one.kind: one.proposed for one in guidelines(rows, GERMAN)}
    assert found["quotes"] == "quotes=in"
    assert found["apposition"] == "apposition=in"
    assert found["punctuation"] is None  # it is out in any case


def test_what_stands_nowhere_is_not_told():
    assert guidelines([row("Anna geht", (0, 1)), row("x")], Conventions()) == []


def test_a_span_is_shown_with_its_neighbours():
    assert shown(row("a b c d e f g", (3, 5)), Span(3, 5, "X")) == "b c [d e] f g"
