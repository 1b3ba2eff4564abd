"""Mark-then-translate over files; what is lost is counted."""

import json

import pytest
from test_translators import needs_apertium

from spanbridge import SpanbridgeError
from spanbridge.data.languages import find_language
from spanbridge.pipeline.marking import mark_files
from spanbridge.translate.apertium import ApertiumTranslator
from spanbridge.translate.base import Translation

TEXT = (
    "Pedro\tB-PER\nlives\tO\nin\tO\nParis\tB-LOC\n.\tO\n\nA\tO\n[\tO\nParis\tB-LOC\n]\tO\n\n"
    "no\tO\nname\tO\n\n"
)
LANGUAGES = find_language("en"), find_language("es")


class Swaps:
    """Knows one phrase."""

    licence, commercial = "MIT", True

    def describe(self, source, target):
        return "swaps"

    def translate(self, sentences, source, target):
        return [Translation(text.replace("lives in", "vive en")) for text in sentences]


def rows(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("style", ["brackets", "xml", "quotes"])
def test_rows_in_rows_out(tmp_path, style):
    (tmp_path / "en.conll").write_text(TEXT, encoding="utf-8")
    out = tmp_path / "o.jsonl"
    run = mark_files(str(tmp_path / "en.conll"), str(out), Swaps(), LANGUAGES, style=style)
    first, second, third = rows(out)
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


def test_lost_marks_are_counted(tmp_path):
    (tmp_path / "en.conll").write_text(TEXT, encoding="utf-8")

    class Loses(Swaps):
        def translate(self, sentences, source, target):
            return [Translation(text.replace("[ Pedro ]", "Pedro")) for text in sentences]

    out = tmp_path / "o.jsonl"
    run = mark_files(str(tmp_path / "en.conll"), str(out), Loses(), LANGUAGES)
    assert run.account.dropped == {"mark lost": 1}
    assert [s["label"] for s in rows(out)[0]["target_spans"]] == ["LOC"]


def test_refusals(tmp_path):
    (tmp_path / "en.conll").write_text(TEXT, encoding="utf-8")
    given = str(tmp_path / "en.conll"), str(tmp_path / "o.jsonl"), Swaps(), LANGUAGES
    for wrong in ({"style": "stars"}, {"least": 2.0}):
        with pytest.raises(SpanbridgeError):
            mark_files(*given, **wrong)
    with pytest.raises(SpanbridgeError, match=r"written as \.jsonl"):
        mark_files(given[0], str(tmp_path / "o.conll"), *given[2:])


@needs_apertium
@pytest.mark.parametrize("style", ["brackets", "xml", "quotes"])
def test_through_a_real_translator(tmp_path, style):
    (tmp_path / "en.conll").write_text(
        "Angela\tB-PER\nMerkel\tI-PER\nmet\tO\nthe\tO\nPresident\tO\nof\tO\nFrance\tB-LOC\n.\tO\n\n",
        encoding="utf-8",
    )
    out, apertium = tmp_path / "o.jsonl", ApertiumTranslator()
    mark_files(str(tmp_path / "en.conll"), str(out), apertium, LANGUAGES, style=style)
    apertium.close()
    [row] = rows(out)
    text = row["target_text"]
    spans = [(text[s["start"] : s["end"]], s["label"]) for s in row["target_spans"]]
    assert spans == [("Angela Merkel", "PER"), ("Francia", "LOC")]
