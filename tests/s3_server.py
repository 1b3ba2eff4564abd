"""A server that speaks S3 (moto), which writes down every request: one line of JSON each.

As a program it is the server: ``python s3_server.py PORT LOG``.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

SECRET = "verysecretkey"


class Request(NamedTuple):
    """A request: what was asked for; the bytes that went out, and which (``Content-Range``)."""

    method: str
    path: str
    query: str
    n_bytes: int
    status: str
    part: str


class Server:
    """The server, as seen by tests.

    Attributes:
        store: the file system of fsspec; its bucket is ``box``.
        given: environment by which commands find it.
    """

    def __init__(self, store: Any, given: dict[str, str], log: Path) -> None:
        self.store, self.given, self._log = store, given, log

    def requests(self, of: str = "") -> list[Request]:
        """All requests so far of objects whose path begins so."""
        found = [Request(*json.loads(line)) for line in self._log.read_text().splitlines()]
        return [one for one in found if one.path.startswith(of)]


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """Serve while the block lasts, with the environment set so that libraries find the server."""
    pytest.importorskip("moto.server")
    s3fs = pytest.importorskip("s3fs")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder / "requests.jsonl"
    log.touch()
    server = subprocess.Popen([sys.executable, __file__, str(port), str(log)])
    given = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in given.items():
            patch.setenv(name, value)
        try:
            for _ in range(300):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            s3fs.S3FileSystem.clear_instance_cache()
            store = s3fs.S3FileSystem(use_listings_cache=False)
            store.mkdir("box")
            yield Server(store, given, log)
        finally:
            server.terminate()
            server.wait()
            s3fs.S3FileSystem.clear_instance_cache()


def main(port: str, log: str) -> None:
    """Serve for ever."""
    import logging

    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import run_simple

    logging.getLogger("werkzeug").disabled = True
    app = DomainDispatcherApplication(create_backend_app)
    out = os.open(log, os.O_WRONLY | os.O_APPEND)

    def counted(environ: dict[str, Any], start: Any) -> Any:
        told: list[str] = []

        def started(status: str, headers: Any, *more: Any) -> Any:
            told.extend((status[:3], dict(headers).get("content-range", "")))
            return start(status, headers, *more)

        body = b"".join(app(environ, started))
        asked = environ["REQUEST_METHOD"], environ["PATH_INFO"], environ["QUERY_STRING"]
        os.write(out, (json.dumps([*asked, len(body), *told]) + "\n").encode())
        return [body]

    run_simple("127.0.0.1", int(port), counted, threaded=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
