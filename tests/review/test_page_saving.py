"""What is shown as saved is saved: two browsers, conflicts, kills of servers and browsers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from random import Random

import pytest
from page_actions import DONE, ROOT, go, keys, shown, started, texts, until
from review_samples import CHINESE, asked, sample_rows, write_rows

from spanbridge.review.journal import read_journal

pytestmark = pytest.mark.slow
# SPANBRIDGE_LONG=1: 50 kills; else a few.
LONG = bool(os.environ.get("SPANBRIDGE_LONG"))


def test_two_browsers_at_once(open_desk, serve, look):
    desk = open_desk()
    server = serve(desk)
    one, other = look(server.address), look(server.address, quiet=False)
    assert one.locator("#head .id").inner_text() == "words-1"
    assert other.locator("#head .id").inner_text() == "zh-1"  # the first is taken
    other.locator("#who").fill("ben")
    keys(other, "Escape")
    go(other, desk, 4)
    other.locator("#banner .holder").wait_for()
    keys(other, "n", "Delete")
    assert desk.journal.actions == []
    go(one, desk, 1)
    keys(one, "n", "ArrowRight")
    until(other, "document.querySelector('#banner').hidden")
    keys(other, "n", "Delete")
    assert desk.row(4)["state"]["by"] == "ben"
    # both have had the row open; the second one's change meets the first one's
    go(other, desk, 1)
    assert "anna has this row open" in other.locator("#banner").inner_text()


def test_a_conflict_is_shown_and_nothing_is_overwritten(open_desk, serve, look):
    """The row is changed by another server, which knows nothing of this page's lease."""
    desk, other = open_desk(), open_desk()
    page = look(serve(desk).address, quiet=False)
    go(page, desk, 1)
    desk.claims.close()
    page.route("**/beat", lambda route: route.abort())
    other.act(asked(1, 0, [[0, 6, "PER"]], by="ben", session="t"))
    other.claims.close()
    keys(page, "n", "Delete")
    page.locator("#banner", has_text="ben has changed this row meanwhile").wait_for()
    assert texts(desk, 1) == ["PER Angela"]
    assert shown(page)[0].startswith("PER Angela")
    page.get_by_role("button", name="Put mine in its place").click()
    until(page, DONE)
    assert texts(desk, 1) == ["ORG von Siemens"]
    assert [action.by for action in desk.journal.actions] == ["ben", "anna"]


def test_kills_at_random_lose_nothing_that_was_shown_as_saved(browser, tmp_path):
    """Server or browser is killed at random; whatever was shown as saved is in the journal."""
    path = write_rows(tmp_path / "out.jsonl", sample_rows() * 20)
    journal, random, saved = tmp_path / "out.jsonl.journal", Random(3), 0
    for _ in range(50 if LONG else 3):
        process, address = started(path)
        context = browser.new_context()
        page = context.new_page()
        page.goto(address)
        page.locator("#target").wait_for()
        for _ in range(random.randrange(1, 6)):
            page.keyboard.press("n")
            page.keyboard.press(random.choice(["ArrowRight", "Shift+ArrowLeft", "Delete", "1"]))
            page.keyboard.press("Enter")
            if random.random() < 0.7:
                until(page, DONE)
                until(page, "document.querySelector('#spans li')")
                # of this browser, as far as it says so
                saved = max(saved, page.evaluate("Number(document.body.dataset.saved ?? 0)"))
        if random.random() < 0.5:
            process.send_signal(signal.SIGKILL)
            page.keyboard.press("n")
            page.keyboard.press("Delete")
            saved = max(saved, page.evaluate("Number(document.body.dataset.saved ?? 0)"))
            context.close()
        else:
            saved = max(saved, page.evaluate("Number(document.body.dataset.saved ?? 0)"))
            context.close()
            process.send_signal(signal.SIGKILL)
        process.communicate()
        actions = read_journal(journal)[1]
        assert len(actions) >= saved
        assert [action.n for action in actions] == [*range(1, len(actions) + 1)]
    assert saved > 0


def test_a_page_waits_for_its_server_and_then_saves(browser, tmp_path):
    path = write_rows(tmp_path / "out.jsonl", sample_rows())
    process, address = started(path)
    port = int(address.split(":")[2].split("/")[0])
    page = browser.new_page()
    page.goto(address)
    page.locator("#target").wait_for()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    page.keyboard.press("n")
    page.keyboard.press("Delete")
    page.locator("#saved", has_text="NOT SAVED (1): the server does not answer").wait_for()
    # a server with another token is not the one that it waits for
    token = address.partition("token=")[2]
    script = (
        "import sys, threading; from spanbridge.review.desk import Desk;"
        "from spanbridge.review.server import ReviewServer;"
        f"s = ReviewServer(Desk(sys.argv[1]), 'anna', {port}, {token!r});"
        "print('up', flush=True); s.serve_forever()"
    )
    again = subprocess.Popen(
        [sys.executable, "-c", script, path],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    try:
        again.stdout.readline()
        until(page, DONE)
        assert len(read_journal(f"{path}.journal")[1]) == 1
    finally:
        page.close()
        again.kill()
        again.communicate()


def test_ctrl_c_ends_the_review_and_writes_the_result(browser, tmp_path):
    path = write_rows(tmp_path / "out.jsonl", sample_rows())
    output = tmp_path / "corrected.jsonl"
    process, address = started(path, "-o", output, "--annotator", "eve")
    page = browser.new_page()
    page.goto(address)
    page.locator("#target").wait_for()
    page.keyboard.press("Enter")
    until(page, "document.querySelector('#done').textContent === '1 of 4 done'")
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    page.close()
    rows = [json.loads(line) for line in output.read_text("utf-8").splitlines()]
    assert [row.get("review", {}).get("by") for row in rows] == [None, None, None, "eve"]
    assert " ".join(CHINESE).replace(" ", "") == rows[2]["target_text"]
