"""A small file of rows in Latin, Arabic and Chinese, its desk and its server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from review_samples import sample_rows, write_rows

from spanbridge.review.desk import Desk
from spanbridge.review.server import ReviewServer


@pytest.fixture
def rows_file(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "out.jsonl", sample_rows())


@pytest.fixture
def open_desk(rows_file: Path) -> Iterator[Callable[..., Desk]]:
    desks: list[Desk] = []

    def opener(path: Path = rows_file, **options: Any) -> Desk:
        desks.append(Desk(str(path), **options))
        return desks[-1]

    yield opener
    for desk in desks:
        desk.close()


@pytest.fixture
def serve() -> Iterator[Callable[[Desk], ReviewServer]]:
    servers: list[ReviewServer] = []

    def start(desk: Desk, name: str = "anna") -> ReviewServer:
        server = ReviewServer(desk, name)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.ended = True
        server.shutdown()
        server.server_close()


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
