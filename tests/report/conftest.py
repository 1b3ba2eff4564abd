"""Sample pairs, English to four languages, and a page opened in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from report_samples import ENGLISH, linked, spaceless, split

from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.report.page import Document, write_page


@pytest.fixture
def arabic() -> SentencePair:
    words = split("التقت أنجيلا ميركل مجلس إدارة سيمنز في برلين يوم الاثنين .")
    spans = (Span(1, 3, "PER", 0.93), Span(5, 6, "ORG", 0.71), Span(7, 8, "LOC", 0.34))
    return linked(
        "ar-1",
        Sentence(words, spans),
        "0-1 1-2 2-0 4-3 4-4 6-5 7-6 8-7 10-9 11-10",
    )


@pytest.fixture
def chinese() -> SentencePair:
    words = split("安格拉 · 默克尔 周一 在 柏林 会见 了 西门子 董事会 。")
    spans = (Span(0, 3, "PER", 0.88), Span(5, 6, "LOC", 0.9), Span(8, 9, "ORG", 0.62))
    return linked("zh-1", spaceless(words, spans), "0-0 1-2 10-3 7-4 8-5 2-6 2-7 6-8 4-9 11-10")


@pytest.fixture
def german() -> SentencePair:
    words = split("Angela Merkel traf am Montag in Berlin den Aufsichtsrat von Siemens .")
    spans = (Span(0, 2, "PER", 0.97), Span(6, 7, "LOC", 0.95), Span(9, 11, "ORG", 0.41))
    return linked(
        "de-1", Sentence(words, spans), "0-0 1-1 2-2 9-3 10-4 7-5 8-6 3-7 4-8 5-9 6-10 11-11"
    )


@pytest.fixture
def german_gold(german: SentencePair) -> Sentence:
    gold = (Span(0, 2, "PER"), Span(4, 5, "DATE"), Span(6, 7, "LOC"), Span(10, 11, "ORG"))
    return german.target.with_spans(gold)


@pytest.fixture
def turkish() -> SentencePair:
    words = split("Angela Merkel Pazartesi günü Berlin'de Siemens yönetim kuruluyla görüştü .")
    spans = (Span(0, 2, "PER", 0.96), Span(4, 5, "LOC", 0.52))
    return linked(
        "tr-1",
        Sentence(words, spans),
        "0-0 1-1 10-2 9-3 8-4 7-4 6-5 4-6 4-7 2-8 11-9",
    )


@pytest.fixture
def odd() -> list[SentencePair]:
    """Crossing spans, no words, an endless word, no links, a rejected row, a leading Latin name."""
    crossing = Sentence(
        ("University", "of", "New", "York", "City"),
        (Span(0, 4, "ORG", 0.8), Span(2, 5, "LOC", 0.66), Span(2, 4, "GPE", 0.5)),
    )
    endless = Sentence(("Donaudampfschifffahrt" * 12, "ende"), (Span(0, 1, "MISC", 0.1),))
    mixed = Sentence(("Google", "أعلنت", "عن", "افتتاح", "مكتب", "في", "New", "York"))
    none = WordAlignment.of([], len(ENGLISH.words), 5)
    return [
        SentencePair("x-1", ENGLISH, crossing, None, "projected"),
        SentencePair("x-2", Sentence(()), Sentence(()), None, None),
        SentencePair("x-3", Sentence(("end",)), endless, WordAlignment.of([(0, 1)], 1, 2)),
        SentencePair("x-4", ENGLISH, crossing.with_spans(()), none, "empty: no link"),
        SentencePair("x-5", ENGLISH, mixed, None, "rejected: length ratio"),
    ]


@pytest.fixture
def documents(
    arabic: SentencePair,
    chinese: SentencePair,
    german: SentencePair,
    german_gold: Sentence,
    turkish: SentencePair,
    odd: list[SentencePair],
) -> list[Document]:
    signature = "task:projection|aligner:encoder|layer:8|method:greedy|version:0.1.0"
    return [
        Document("English → Arabic", [arabic, *odd], signature),
        Document("English → Chinese", [chinese], signature),
        Document("English → German", [german], signature, gold=[german_gold]),
        Document("English → Turkish", [turkish], signature),
    ]


Opener = Callable[..., Any]


@pytest.fixture
def open_page(browser: Any, tmp_path: Path) -> Iterator[Opener]:
    """Open documents as a page from disk; at the end nothing may have gone to the console."""
    said: list[str] = []
    contexts: list[Any] = []

    def opener(documents: Sequence[Document], width: int = 1200, **how: Any) -> Any:
        path = tmp_path / "page.html"
        with path.open("w", encoding="utf-8") as out:
            write_page(out, documents, title="Entities carried over")
        height = how.pop("height", 900)
        context = browser.new_context(viewport={"width": width, "height": height}, **how)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda r: None if r.url.startswith("file:") else said.append(r.url))
        page.on("dialog", lambda dialog: (said.append("dialog"), dialog.dismiss()))
        page.goto(path.as_uri())
        if how.get("java_script_enabled", True):
            page.locator("#rows > *").first.wait_for()
        return page

    yield opener
    for context in contexts:
        context.close()
    assert said == []
