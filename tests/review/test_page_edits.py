"""Corrections on the page by keyboard, mouse and finger, in three scripts."""

from __future__ import annotations

import pytest
from page_actions import DONE, at, drag, go, keys, middle, select, texts, until, word

pytestmark = pytest.mark.slow


def test_latin_by_keyboard_alone(open_desk, serve, look):
    desk = open_desk()
    page = look(serve(desk).address)
    go(page, desk, 1)
    keys(page, "n", "ArrowRight")  # the end, by a word
    assert texts(desk, 1) == ["PER Angela Merkel traf", "ORG von Siemens"]
    keys(page, "ArrowLeft", "Shift+ArrowRight")
    assert texts(desk, 1)[0] == "PER Merkel"
    keys(page, "Alt+ArrowLeft", "Alt+Shift+ArrowRight")  # by a character
    assert texts(desk, 1)[0] == "PER erke"
    keys(page, "u", "u", "u", "Control+z")
    assert texts(desk, 1)[0] == "PER Angela Merkel traf"
    keys(page, "Shift+U", "Control+y")
    assert texts(desk, 1)[0] == "PER Merkel"
    keys(page, "u", "u", "u")
    assert texts(desk, 1) == ["PER Angela Merkel", "ORG von Siemens"]
    assert desk.row(1)["state"]["status"] == ""
    keys(page, "p", "Shift+ArrowRight", "1")
    label = page.locator("#palette button bdi").first.inner_text()
    assert texts(desk, 1) == ["PER Angela Merkel", f"{label} Siemens"]
    keys(page, "n", "Delete")
    assert texts(desk, 1) == [f"{label} Siemens"]
    # a new span: a caret, words chosen, and any label
    for _ in range(7):
        page.keyboard.press("ArrowRight")
    keys(page, "l")
    page.keyboard.type("CITY")
    page.keyboard.press("Enter")
    page.locator("#said", has_text="added CITY: Berlin").wait_for(
        state="attached"
    )  # once it has closed
    until(page, DONE)
    assert texts(desk, 1) == ["CITY Berlin", f"{label} Siemens"]
    # nested: the words around it, too
    keys(page, "Escape")
    for _ in range(2):
        page.keyboard.press("Shift+ArrowLeft")
    keys(page, "1")
    assert texts(desk, 1) == [f"{label} Montag in Berlin", "CITY Berlin", f"{label} Siemens"]
    assert page.locator("#target mark mark").inner_text().startswith("Berlin")
    keys(page, "c")
    page.keyboard.type("which city?")
    keys(page, "Escape", "Enter")
    until(page, "document.querySelector('#head .id').textContent !== 'de-1'")
    state = desk.row(1)["state"]
    assert (state["status"], state["comment"]) == ("corrected", "which city?")
    assert page.locator("#done").inner_text() == "1 of 4 done"


def test_arabic_runs_from_the_right(open_desk, serve, look):
    desk = open_desk()
    page = look(serve(desk).address)
    go(page, desk, 2)
    assert page.locator("#target").get_attribute("dir") == "rtl"
    keys(page, "n", "ArrowLeft")  # to the left is forward
    assert texts(desk, 2)[0] == "PER أنجيلا ميركل مجلس"
    keys(page, "ArrowRight", "ArrowRight", "Shift+ArrowRight")
    assert texts(desk, 2)[0] == "PER التقت أنجيلا"
    keys(page, "Alt+ArrowRight")
    assert texts(desk, 2)[0] == "PER التقت أنجيل"
    drag(page, "start", word(page, "أنجيل"), 0.9)
    assert texts(desk, 2)[0] == "PER أنجيل"
    keys(page, "t")
    assert desk.row(2)["state"]["status"] == "rejected-translation"


def test_chinese_by_characters(open_desk, serve, look):
    desk = open_desk()
    page = look(serve(desk).address)
    go(page, desk, 3)
    keys(page, "n", "n", "ArrowLeft")
    assert texts(desk, 3)[1] == "ORG 西门"
    keys(page, "ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight")
    assert texts(desk, 3)[1] == "ORG 西门子董事会"
    drag(page, "end", word(page, "子"), 0.8)
    assert texts(desk, 3)[1] == "ORG 西门子"
    keys(page, "Escape")
    select(page, "柏", "林")
    page.locator("#palette").get_by_text("LOC", exact=True).click()
    until(page, DONE)
    assert texts(desk, 3) == ["PER 安格拉·默克尔", "LOC 柏林", "ORG 西门子"]


def test_latin_by_mouse(open_desk, serve, look):
    desk = open_desk()
    page = look(serve(desk).address)
    page.locator(".entry", has_text="de-1").click()
    until(page, at("de-1"))
    page.mouse.click(*middle(word(page, "Merkel")))
    assert page.locator("#spans [aria-pressed=true]").inner_text().startswith("PER")
    # what the span in hand is linked with is drawn on both sides
    assert page.locator(".src .hot").all_inner_texts() == ["Angela", "Merkel"]
    assert page.locator("#target .held").all_inner_texts() == ["Angela", "Merkel"]
    assert page.locator("#pair svg path").count() == 2
    drag(page, "end", word(page, "am"), 0.9)
    assert texts(desk, 1)[0] == "PER Angela Merkel traf am"
    drag(page, "end", word(page, "am"), 0.1)  # before its middle: not this word
    assert texts(desk, 1)[0] == "PER Angela Merkel traf"
    drag(page, "start", word(page, "Merkel"), 0.2)
    assert texts(desk, 1)[0] == "PER Merkel traf"
    page.keyboard.down("Alt")
    drag(page, "end", word(page, "traf"), 0.45)
    page.keyboard.up("Alt")
    assert texts(desk, 1)[0] in ("PER Merkel t", "PER Merkel tr")
    select(page, "in", "den")
    page.locator("#palette button").first.click()
    until(page, DONE)
    assert any(text.endswith("in Berlin den") for text in texts(desk, 1))
    page.locator("#delete").click()
    page.get_by_role("button", name="Source is wrong").click()
    until(page, DONE)
    assert desk.row(1)["state"]["status"] == "rejected-source"
    until(page, "document.querySelector('#head .id').textContent !== 'de-1'")  # the next row
    page.get_by_role("button", name="Undo").click()
    until(page, at("de-1"))
    page.locator("#head [data-status=started]").wait_for()
    until(page, DONE)
    assert desk.row(1)["state"]["status"] == "started"


def test_a_tablet_in_the_dark(open_desk, serve, look):
    desk = open_desk()
    page = look(serve(desk).address, 768, has_touch=True, color_scheme="dark")
    assert not page.locator("#side").is_visible()
    page.locator("#side-button").tap()
    page.locator(".entry", has_text="de-1").tap()
    until(page, at("de-1"))
    page.touchscreen.tap(*middle(word(page, "Siemens")))
    page.get_by_role("button", name="Start later").tap()
    page.get_by_role("button", name="Accept").tap()
    until(page, DONE)
    assert texts(desk, 1) == ["PER Angela Merkel", "ORG Siemens"]
    wide = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    assert page.evaluate(wide)
    background = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert background == "rgb(23, 22, 20)"
