"""Rows, filters, search and keys of the page; hostile texts stay text."""

from __future__ import annotations

import json

import pytest
from page_actions import at, keys, texts, until
from review_samples import write_rows

from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span

pytestmark = pytest.mark.slow


def test_the_most_doubtful_row_is_in_hand_first(open_desk, serve, look):
    page = look(serve(open_desk()).address)
    assert page.locator("#head .id").inner_text() == "words-1"
    assert page.locator("#done").inner_text() == "0 of 4 done"
    entries = page.locator(".entry .id").all_inner_texts()
    assert entries == ["words-1", "zh-1", "ar-1", "de-1"]
    assert page.locator("#who").input_value() == "anna"


def test_filters_and_search(open_desk, serve, look):
    desk = open_desk()
    page = look(serve(desk).address)
    keys(page, "d")
    keys(page, "/")
    page.keyboard.type("ميركل")
    until(page, "document.querySelectorAll('.entry').length === 1")
    assert page.locator("#matching").inner_text() == "1 of 4 rows"
    keys(page, "Enter")
    until(page, at("ar-1"))
    page.get_by_role("button", name="Clear").click()
    until(page, "document.querySelectorAll('.entry').length === 4")
    page.locator("#status").select_option("skipped")
    until(page, "document.querySelectorAll('.entry').length === 1")
    page.locator("#by").select_option("anna")
    assert page.locator(".entry .id").all_inner_texts() == ["words-1"]


def test_keys_of_another_keyboard_and_the_list_of_keys(open_desk, serve, look):
    """Where the keyboard writes no Latin letters, keys are known by their place."""
    page = look(serve(open_desk()).address)
    send = """([key, code]) => document.activeElement.dispatchEvent(
        new KeyboardEvent("keydown", { key, code, bubbles: true }))"""
    page.evaluate(send, ["о", "KeyJ"])
    until(page, at("zh-1"))
    page.evaluate(send, ["ن", "KeyK"])
    until(page, at("words-1"))
    keys(page, "?")
    assert "accept the row" in page.locator("#help").inner_text()
    keys(page, "Escape")
    assert not page.locator("#help").is_visible()


def test_hostile_texts_and_labels_stay_text(open_desk, serve, look, tmp_path):
    nasty = "<img src=x onerror=alert(1)>"
    words = ("</script><script>alert(1)</script>", nasty, "\u202eevil", "a&amp;b")
    side = Sentence(words, (Span(0, 2, nasty), Span(1, 3, "</style>")))
    extra = {"review": {"status": "skipped", "by": nasty, "comment": nasty}}
    path = write_rows(tmp_path / "n.jsonl", [SentencePair(nasty, side, side, extra=extra)])
    desk = open_desk(path)
    page = look(serve(desk, nasty).address)
    assert nasty in page.locator("#target").inner_text()
    assert page.locator("#head .id").inner_text() == nasty
    assert page.locator("#comment").input_value() == nasty
    keys(page, "n", "ArrowRight", "l")
    page.locator("#label-input").fill(f"{nasty}2")
    page.keyboard.press("Enter")
    until(page, f"document.querySelector('#spans').textContent.includes({json.dumps(nasty + '2')})")
    keys(page, "Enter")
    assert f"{nasty}2" in " ".join(texts(desk, 1))
    assert page.locator("img, #target script, #target style").count() == 0
