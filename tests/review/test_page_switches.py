"""The switches of conventions in the dialog that teaches, in a real browser."""

from __future__ import annotations

import json
import os

import pytest
from page_actions import keys, until
from review_samples import asked, taught, with_articles, write_projection

from spanbridge.review.journal import read_journal

pytestmark = pytest.mark.slow

HOSTILE = "<img/src=x/onerror=alert(1)>"
WIDE = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"


def test_a_convention_is_settled_by_keyboard_and_taught(open_desk, serve, look, tmp_path):
    path = write_projection(tmp_path)
    desk = open_desk(path)
    with_articles(desk, range(1, 11))
    page = look(serve(desk).address)
    keys(page, "Shift+T")
    group = page.get_by_role("group", name="in 10 of 10 corrected spans with an article")
    group.wait_for()
    assert "also [der Nam0] geht" in group.inner_text()
    assert "not settled yet" in group.inner_text()
    rule = group.get_by_role("radio", name="rule: article=in")
    assert not rule.is_checked()
    page.locator("#teach-start").focus()
    page.keyboard.press("Shift+Tab")  # to the last choice before it
    page.keyboard.press("ArrowUp")
    until(page, "document.querySelector('#said').textContent === 'settled: article=in'")
    assert rule.is_checked()
    assert page.evaluate("document.activeElement.id") == "rule-article-article=in"
    assert "settled: article=in, by anna, 2" in group.inner_text()
    assert desk.journal.decisions["article"].place == "in"
    page.locator("#teach-start").press("Enter")
    taught(desk)
    record = json.loads((tmp_path / "out.taught.jsonl.run.json").read_text("utf-8"))
    assert "boundary:article=in" in record["signature"]
    assert record["pipeline"]["steps"][0]["project"]["boundary"] == {"article": "in"}
    # another day, and another mind
    desk.close()
    again = open_desk(path)
    page = look(serve(again, "ben").address)
    keys(page, "Shift+T")
    page.get_by_text("settled: article=in, by anna").wait_for()
    page.get_by_role("radio", name="no rule").check()
    page.get_by_text("settled: no rule, by ben").wait_for()
    again.teach()
    taught(again)
    record = json.loads((tmp_path / "out.taught.jsonl.run.json").read_text("utf-8"))
    assert "boundary" not in record["signature"]
    assert len(read_journal(f"{path}.journal")[1]) == 10  # of rows


def test_what_was_settled_by_the_projection_is_shown(open_desk, serve, look, tmp_path):
    desk = open_desk(write_projection(tmp_path, boundary={"article": "out", "title": "in"}))
    with_articles(desk, range(1, 7))
    page = look(serve(desk).address)
    keys(page, "Shift+T")
    page.get_by_text("settled: article=out, as when out.jsonl was projected").wait_for()
    page.get_by_text("no corrected span shows it now: title").wait_for()
    assert page.get_by_role("radio").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_hostile_examples_stay_text_on_a_narrow_page(open_desk, serve, look, tmp_path, scheme):
    path = write_projection(tmp_path)
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    for row in rows:
        words = [HOSTILE, *row.pop("target_text").split()[1:]]
        row |= {"target_words": words, "target_spans": [{"start": 2, "end": 3, "label": "PER"}]}
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    projection = tmp_path / "first.jsonl"
    path.with_name("out.jsonl.run.json").rename(tmp_path / "first.jsonl.run.json")
    desk = open_desk(path, projection=str(projection))
    for row in range(1, 7):
        shown = desk.row(row)["target"]["text"]
        span = [shown.index("der"), shown.index(" geht"), "PER"]
        desk.act(asked(row, 0, [span], status="corrected", do="status"))
    page = look(serve(desk, "<b>eve</b>").address, 400, color_scheme=scheme)
    page.get_by_role("button", name="Teach").click()
    page.get_by_text(f"{HOSTILE} [der Nam0]").wait_for()
    page.get_by_role("radio", name="rule: article=in").check()
    page.get_by_text("by <b>eve</b>").wait_for()
    assert page.locator("img").count() == 0
    assert page.evaluate(WIDE)
    if folder := os.environ.get("SPANBRIDGE_PICTURES"):  # to be looked at
        page.screenshot(path=f"{folder}/switches-{scheme}.png")
    box = page.locator("#teaching")
    assert box.evaluate("node => node.scrollWidth <= node.clientWidth")
