"""The button of the page that teaches, in a real browser."""

from __future__ import annotations

import json
import signal
import time
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from page_actions import DONE, at, keys, started, texts, until
from review_samples import Client, taught, with_articles, write_projection

from spanbridge.review.journal import read_journal

pytestmark = pytest.mark.slow


def test_teach_look_at_the_changes_and_take_one(open_desk, serve, look, tmp_path):
    desk = open_desk(write_projection(tmp_path))
    with_articles(desk, range(1, 31))
    page = look(serve(desk).address)
    assert not page.locator("#changed-filter").is_visible()
    keys(page, "Shift+T")
    dialog = page.get_by_role("dialog", name="What the corrections teach")
    dialog.get_by_text("The result goes to out.taught.jsonl").wait_for()
    page.keyboard.press("Tab")  # by keyboard alone
    page.keyboard.press("Shift+Tab")
    dialog.get_by_role("button", name="Start").press("Enter")
    dialog.get_by_text("done: 30 rows are changed").wait_for()
    assert "in 30 of 30 corrected spans with an article" in dialog.inner_text()
    dialog.get_by_role("button", name="Show the changed rows").press("Enter")
    until(page, "document.querySelector('#matching').textContent === '30 of 60 rows'")
    assert page.locator("#changed-count").inner_text() == "30"
    until(page, "document.querySelectorAll('.entry del').length > 0")
    first = page.locator(".entry").first
    assert first.locator("del").text_content().startswith("without PER Nam")
    assert first.locator("ins").text_content().startswith("with PER der Nam")
    number = int(page.locator("#head b").inner_text().split()[1])
    before = desk.row(number)["state"]["spans"]
    assert page.locator("#taught ins").text_content().startswith("with PER der Nam")
    keys(page, "e")
    assert texts(desk, number)[0].startswith("PER der Nam")
    page.locator("#taught", has_text="These are the spans that the corrections teach").wait_for()
    keys(page, "u")
    assert desk.row(number)["state"]["spans"] == before
    page.get_by_role("button", name="Take the new spans").click()
    keys(page, "Enter")
    assert desk.row(number)["state"]["status"] == "corrected"
    page.get_by_role("button", name="Clear").click()
    until(page, "document.querySelector('#matching').textContent === '60 rows'")


def test_work_goes_on_while_it_is_taught(open_desk, serve, look, tmp_path):
    desk = open_desk(write_projection(tmp_path))
    with_articles(desk, range(1, 31))
    page = look(serve(desk).address)
    desk.teach()
    keys(page, "Enter")
    assert desk.about()["counts"]["accepted"] == 1
    taught(desk)
    until(page, "!document.querySelector('#changed-filter').hidden")  # told without its dialog
    assert page.locator("#teach").get_attribute("aria-busy") == "false"


def test_what_cannot_be_taught_is_said(open_desk, serve, look, tmp_path):
    desk = open_desk(write_projection(tmp_path, 4, method="greedy"))
    page = look(serve(desk).address, 400)
    page.get_by_role("button", name="Teach").click()
    page.locator("#teaching-told", has_text="learns nothing from corrections").wait_for()
    assert page.locator("#teach-start").is_disabled()
    keys(page, "Escape")
    assert not page.locator("#teaching").is_visible()
    wide = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    assert page.evaluate(wide)


def test_an_error_is_shown_and_hostile_names_stay_text(open_desk, serve, look, tmp_path):
    folder = tmp_path / "<img src=x onerror=alert(1)>"
    folder.mkdir()
    desk = open_desk(write_projection(folder, 4))
    with_articles(desk, [1])
    (folder / "out.taught.jsonl").mkdir()
    page = look(serve(desk).address, quiet=False)
    page.get_by_role("button", name="Teach").click()
    page.locator("#teach-start").click()
    alert = page.locator("#teaching-error", has_text="is a folder")
    alert.filter(has_text="<img src=x onerror=alert(1)>").wait_for()
    assert page.locator("img").count() == 0


def test_undo_after_the_page_was_loaded_anew(open_desk, serve, look):
    desk = open_desk()
    page = look(serve(desk).address)
    keys(page, "n", "Delete", "n", "Delete", "Enter")
    until(page, at("zh-1"))
    assert desk.row(4)["state"]["status"] == "corrected"
    page.reload()
    page.locator("#head .id", has_text="zh-1").wait_for()
    keys(page, "u")
    until(page, "document.querySelector('#said').textContent === 'nothing to undo'")
    keys(page, "k")
    until(page, at("words-1"))
    keys(page, "u")
    until(page, "document.querySelector('#head .state').dataset.status === 'started'")
    keys(page, "u", "u")  # at once
    until(page, "document.querySelectorAll('#spans button').length === 2")
    until(page, DONE)
    assert desk.row(4)["state"]["status"] == ""
    keys(page, "u")
    until(page, "document.querySelector('#said').textContent === 'nothing to undo'")
    assert len(desk.journal.actions) == 6
    keys(page, "Shift+U", "Shift+U", "Shift+U")
    assert desk.row(4)["state"]["status"] == "corrected"


def test_what_another_has_done_is_not_undone(open_desk, serve, look):
    desk = open_desk()
    page = look(serve(desk).address)
    keys(page, "n", "Delete")
    page.reload()
    until(page, "document.querySelector('#head .id')?.textContent")  # the row is there
    page.locator("#who").fill("ben")
    keys(page, "Escape", "u")
    until(page, "document.querySelector('#said').textContent === 'nothing to undo'")
    assert len(desk.journal.actions) == 1


def test_characters_of_several_code_points_are_whole(open_desk, serve, look, tmp_path):
    row = {
        "id": "e",
        "source_text": "a",
        "target_text": "Ok 👨‍👩‍👧 ne\u0301e ก็",
        "target_spans": [],
    }
    row["target_spans"] = [{"start": 3, "end": 8, "label": "X"}]
    path = tmp_path / "e.jsonl"
    path.write_text(json.dumps(row) + "\n", "utf-8")
    desk = open_desk(path)
    page = look(serve(desk).address)
    keys(page, "n", "Alt+ArrowRight")
    assert texts(desk, 1) == ["X 👨‍👩‍👧 n"]
    keys(page, "Alt+ArrowRight")
    assert texts(desk, 1) == ["X 👨‍👩‍👧 ne\u0301"]
    keys(page, "Alt+Shift+ArrowRight")
    assert texts(desk, 1) == ["X ne\u0301"]


def test_a_server_that_is_killed_leaves_no_half_of_a_result(open_desk, tmp_path):
    path = write_projection(tmp_path)
    desk = open_desk(path)
    with_articles(desk, range(1, 31))
    desk.close()
    result = tmp_path / "out.taught.jsonl"
    for last in (False, True):
        process, address = started(path)
        ask = Client(SimpleNamespace(port=int(urlsplit(address).port), token=address.split("=")[1]))
        status, told = ask("POST", "/teach", {})
        assert (status, told["state"]) == (200, "running")
        while ask("GET", "/teaching")[1].get("doing") == "load the models":
            time.sleep(0.02)
        if last:
            while ask("GET", "/teaching")[1]["state"] == "running":
                time.sleep(0.1)
            assert ask("GET", "/teaching")[1]["changed"] == 30
        process.send_signal(signal.SIGKILL)
        process.communicate()  # which waits until its worker has ended, too
        whole = [json.loads(line) for line in result.read_text().splitlines()] if last else []
        assert len(whole) == (60 if last else 0)
        assert result.exists() == last
    assert len(read_journal(f"{path}.journal")[1]) == 30
