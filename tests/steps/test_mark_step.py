"""Mark-then-translate over files; what is lost is counted."""

import re

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
from spanbridge.translation.mark_styles import STYLES

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


class Same(Translator):
    """Changes nothing."""

    licence = "MIT"

    def describe(self, source, target):
        return "same"

    def translate(self, sentences, source, target):
        return [Translation(text) for text in sentences]


class Bank(Same):
    """Knows the Bank of China under another name; keeps the marks of China, loses those of "of"."""

    def translate(self, sentences, source, target):
        bank = re.compile(
            r"Bank (?:<\w+>|\[)? ?of ?(?:</\w+>|\])? ?((?:\W?<\w+>|\[)? ?China(?: ?</\w+>| ?\])?)"
        )
        return [Translation(bank.sub(r"\1 Bank", text)) for text in sentences]


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


@pytest.mark.parametrize("style", STYLES)
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


def marked(text, spans, style, translator):
    """A row through the step, and the account."""
    step = Mark(translator=translator, style=style)
    step.open(Context({"source": find_language("en"), "target": find_language("es")}))
    account = Account()
    row = SentencePair("1", Sentence(tuple(text.split()), spans), Sentence(()))
    [found] = step.run([row], account)
    target = found.target
    return [(s.label, target.text_of(s.start, s.end)) for s in target.spans], account


BANK = "The Bank of China hired Jane Roe"
NESTED = (
    *(Span(1, 4, "ORG"), Span(3, 4, "LOC"), Span(5, 7, "PER"), Span(5, 7, "EMPLOYEE")),
    Span(2, 3, "PREPOSITION"),
)


@pytest.mark.parametrize("style", STYLES)
def test_nested_spans_come_back(style):
    """Bank of China, China inside, Jane Roe twice; the translator changes words and their order."""
    found, account = marked(BANK, NESTED, style, Bank())
    assert found == [
        ("ORG", "China Bank"),
        ("LOC", "China"),
        ("PER", "Jane Roe"),
        ("EMPLOYEE", "Jane Roe"),
    ]
    why = "not marked, since quotes cannot hold it with the others"
    assert account.dropped == {why if style == "quotes" else "mark lost": 1}


@pytest.mark.parametrize("style", STYLES)
def test_spans_that_cross(style):
    """Tags hold them; other styles mark the longer one, and what is left out is counted."""
    found, account = marked(BANK, (Span(0, 2, "X"), Span(1, 4, "Y")), style, Same())
    wanted = [("X", "The Bank"), ("Y", "Bank of China")]
    assert found == (wanted if style in ("xml", "letters") else wanted[1:])
    assert account.statuses == {"projected": 1}
    left_out = {f"not marked, since {style} cannot hold it with the others": 1}
    assert account.dropped == ({} if len(found) == 2 else left_out)


def test_more_spans_than_letters():
    words = [f"w{n}" for n in range(28)]
    spans = tuple(Span(n, n + 1, "X") for n in range(28))
    found, account = marked(" ".join(words), spans, "letters", Same())
    assert [name for _, name in found] == words[:26]
    assert account.dropped == {"not marked, since letters cannot hold it with the others": 2}


def test_lost_marks_are_counted(mark):
    run, found = mark(TEXT, Swaps(loses=True))
    assert run.account.dropped == {"mark lost": 1}
    assert [s["label"] for s in found[0]["target_spans"]] == ["LOC"]


@needs_apertium
@pytest.mark.parametrize("style", ["brackets", "xml", "quotes"])  # <a> is an article to Apertium
def test_through_a_real_translator(mark, style):
    text = (
        "Angela\tB-PER\nMerkel\tI-PER\nmet\tO\nthe\tO\nPresident\tO\nof\tO\nFrance\tB-LOC\n.\tO\n\n"
    )
    _, [row] = mark(text, "apertium", style=style)
    text = row["target_text"]
    spans = [(text[s["start"] : s["end"]], s["label"]) for s in row["target_spans"]]
    assert spans == [("Angela Merkel", "PER"), ("Francia", "LOC")]
