"""What a person does on the page, by Playwright, and a server in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
DONE = "document.querySelector('#saved').textContent === 'all saved'"


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
