"""Mark-then-translate over files; what is lost is counted."""

import pytest
import toy_pipeline as toy
from test_translators import needs_apertium
from toy_bitext import rows

from spanbridge import Sentence, SentencePair, Span
from spanbridge.formats.languages import find_language
from spanbridge.steps.account import Account
from spanbridge.steps.base import Context
from spanbridge.steps.translating import Mark
from spanbridge.translation.base import Translation, Translator

TEXT = (
    "Pedro\tB-PER\nlives\tO\nin\tO\nParis\tB-LOC\n.\tO\n\nA\tO\n[\tO\nParis\tB-LOC\n]\tO\n\n"
    "no\tO\nname\tO\n\n"
)


class Swaps(Translator):
    """Knows one phrase; or loses the marks about a name."""

    licence = "MIT"

    def __init__(self, loses: bool = False):
        self._phrase = ("[ Pedro ]", "Pedro") if loses else ("lives in", "vive en")

    def describe(self, source, target):
        return f"swaps({self._phrase})"

    def translate(self, sentences, source, target):
        return [Translation(text.replace(*self._phrase)) for text in sentences]


class Bank(Translator):
    """Knows the Bank of China under another name."""

    licence = "MIT"

    def describe(self, source, target):
        return "bank"

    def translate(self, sentences, source, target):
        return [Translation(text.replace("Bank of China", "China Bank")) for text in sentences]


@pytest.fixture
def mark(tmp_path):
    """Marks a labelled text; gives the run and the rows."""

    def run(text, translator, **settings):
        (tmp_path / "en.conll").write_text(text, encoding="utf-8")
        pipeline = {
            "input": str(tmp_path / "en.conll"),
            "side": "source",
            "languages": {"source": "en", "target": "es"},
            "output": str(tmp_path / "o.jsonl"),
            "steps": [{"mark": {"translator": translator, **settings}}],
        }
        return toy.run(pipeline)[0], rows(tmp_path / "o.jsonl")

    return run


@pytest.mark.parametrize("style", ["brackets", "xml", "quotes"])
def test_rows_in_rows_out(mark, style):
    run, (first, second, third) = mark(TEXT, Swaps(), style=style)
    assert first["target_text"] == "Pedro vive en Paris."
    assert [(s["start"], s["end"], s["label"]) for s in first["target_spans"]] == [
        (0, 5, "PER"),
        (14, 19, "LOC"),
    ]
    rejected = "rejected: it holds such marks already"
    assert (second["status"] == rejected) == (style == "brackets")
    assert third["status"] == "empty: no source span"
    assert sum(run.account.statuses.values()) == 3
    assert len(run.account.rejects) == (style == "brackets")


@pytest.mark.parametrize("style", ["brackets", "xml", "quotes"])
def test_nested_spans_are_found_inside_the_marked_ones(style):
    """Bank of China, China inside, Jane Roe twice; the translator changes words and their order."""
    text = "The Bank of China hired Jane Roe"
    spans = (
        *(Span(1, 4, "ORG"), Span(3, 4, "LOC"), Span(5, 7, "PER"), Span(5, 7, "EMPLOYEE")),
        Span(2, 3, "PREPOSITION"),
    )
    step = Mark(translator=Bank(), style=style)
    step.open(Context({"source": find_language("en"), "target": find_language("es")}))
    account = Account()
    row = SentencePair("1", Sentence(tuple(text.split()), spans), Sentence(()))
    [found] = step.run([row], account)
    target = found.target
    assert [(span.label, target.text_of(span.start, span.end)) for span in target.spans] == [
        ("ORG", "China Bank"),
        ("LOC", "China"),
        ("PER", "Jane Roe"),
        ("EMPLOYEE", "Jane Roe"),
    ]
    assert account.dropped == {"mark lost": 1}
    crossing = row.source.with_spans((Span(0, 2, "X"), Span(1, 3, "Y")))
    [found] = step.run([row.replace(source=crossing)], account)
    assert found.status == "rejected: its spans cross"


def test_lost_marks_are_counted(mark):
    run, found = mark(TEXT, Swaps(loses=True))
    assert run.account.dropped == {"mark lost": 1}
    assert [s["label"] for s in found[0]["target_spans"]] == ["LOC"]


@needs_apertium
@pytest.mark.parametrize("style", ["brackets", "xml", "quotes"])
def test_through_a_real_translator(mark, style):
    text = (
        "Angela\tB-PER\nMerkel\tI-PER\nmet\tO\nthe\tO\nPresident\tO\nof\tO\nFrance\tB-LOC\n.\tO\n\n"
    )
    _, [row] = mark(text, "apertium", style=style)
    text = row["target_text"]
    spans = [(text[s["start"] : s["end"]], s["label"]) for s in row["target_spans"]]
    assert spans == [("Angela Merkel", "PER"), ("Francia", "LOC")]
