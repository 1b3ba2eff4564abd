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
