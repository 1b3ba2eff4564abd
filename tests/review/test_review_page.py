"""The page in a real browser: corrections by keyboard, mouse and finger, in three scripts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from review_samples import CHINESE, asked, sample_rows, write_rows

from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.review.journal import read_journal

pytestmark = pytest.mark.slow
# SPANBRIDGE_LONG=1: 50 kills; else a few.
LONG = bool(os.environ.get("SPANBRIDGE_LONG"))
ROOT = Path(__file__).parents[2]
DONE = "document.querySelector('#saved').textContent === 'all saved'"


@pytest.fixture
def look(browser):
    """Opens an address in a browser of its own; at the end nothing may have gone to the console."""
    said: list[str] = []
    contexts = []

    def opener(address, width=1280, quiet=True, **how):
        context = browser.new_context(viewport={"width": width, "height": 860}, **how)
        contexts.append(context)
        page = context.new_page()
        if quiet:
            page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: (said.append("dialog"), dialog.dismiss()))
        outside = "http://127.0.0.1:"
        page.on("request", lambda r: None if r.url.startswith(outside) else said.append(r.url))
        page.goto(address)
        page.locator("#target").wait_for()
        return page

    yield opener
    for context in contexts:
        context.close()
    assert said == []


def until(page, expression):
    """Wait until it is true; Playwright's own way is what the page's policy forbids."""
    for _ in range(400):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never: {expression}")


def at(identity):
    return f"document.querySelector('#head .id').textContent === '{identity}'"


def keys(page, *names):
    for name in names:
        page.keyboard.press(name)
    until(page, DONE)


def go(page, desk, row):
    """Go to a row, by its number."""
    keys(page, "g")
    page.locator("#go").fill(str(row))
    page.keyboard.press("Enter")
    until(page, at(desk.rows.row(row - 1).id))
    until(page, "document.activeElement.id === 'card'")


def texts(desk, row):
    """Label and text of each span of a row, as the journal has them."""
    found = desk.row(row)
    chars = found["target"]["text"]
    return [f"{label} {chars[a:b]}" for a, b, label, *_ in found["state"]["spans"]]


def shown(page):
    return page.locator("#spans button").evaluate_all("all => all.map(b => b.textContent)")


def test_the_most_doubtful_row_is_in_hand_first(open_desk, serve, look):
    page = look(serve(open_desk()).address)
    assert page.locator("#head .id").inner_text() == "words-1"
    assert page.locator("#done").inner_text() == "0 of 4 done"
    entries = page.locator(".entry .id").all_inner_texts()
    assert entries == ["words-1", "zh-1", "ar-1", "de-1"]
    assert page.locator("#who").input_value() == "anna"


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


def word(page, text):
    """Box of the first piece of the target with a text."""
    boxes = page.locator("#target .w").evaluate_all(
        "(all, text) => all.filter(w => w.textContent === text).map(w => w.getBoundingClientRect().toJSON())",  # noqa: E501
        text,
    )
    return boxes[0]


def middle(box, share=0.5):
    return box["x"] + share * box["width"], box["y"] + box["height"] / 2


def drag(page, edge, box, share):
    """Drag the handle of an edge to a place in a word, as a share of it from the left."""
    handle = page.locator(f".handle.{edge}").bounding_box()
    page.mouse.move(handle["x"] + 1, handle["y"] + handle["height"] / 2)
    page.mouse.down()
    page.mouse.move(*middle(box, share), steps=4)
    page.mouse.up()
    until(page, DONE)


def select(page, first, last):
    """Draw over words with the mouse."""
    page.mouse.move(*middle(word(page, first)))
    page.mouse.down()
    page.mouse.move(*middle(word(page, last)), steps=4)
    page.mouse.up()


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


def started(path, *options, port=0):
    """A server in a process of its own, and its address."""
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    process = subprocess.Popen(
        [sys.executable, "-m", "spanbridge", "review", path, "-q", "--port", str(port), *options],
        stdout=subprocess.PIPE,
        text=True,
        env=env,
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


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
