"""A server on this machine that does what a test tells it, and a data set that it serves."""

from __future__ import annotations

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from spanbridge.datasets import find_dataset

BODY = b"Ana\tB-PER\n\n" * 4000
ROW = "Ana\tB-PER\n\n"


class Server:
    """A server whose answers are functions of a request, by path; it notes what was asked for."""

    def __init__(self):
        self.answers, self.asked = {}, []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.asked.append((self.path, dict(self.headers)))
                outer.answers[self.path.partition("?")[0]](self)
                self.close_connection = True

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def serve(self, path, body=BODY, *, cut=None, status=200, ranges=True, **headers):
        """Answer with a body; the first answer breaks off after so many bytes."""
        state = {"cut": cut}

        def answer(handler):
            start, wanted = 0, re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
            fresh = handler.headers.get("If-Range", headers.get("ETag")) == headers.get("ETag")
            if ranges and wanted and fresh and status == 200:
                start = int(wanted[1])
                if start >= len(body):
                    handler.send_response(416)
                    handler.send_header("Content-Range", f"bytes */{len(body)}")
                    handler.send_header("Content-Length", "0")
                    handler.end_headers()
                    return
                handler.send_response(206)
                of = f"bytes {start}-{len(body) - 1}/{len(body)}"
                handler.send_header("Content-Range", of)
            else:
                handler.send_response(status)
            for name, value in headers.items():
                handler.send_header(name.replace("_", "-"), value)
            handler.send_header("Content-Length", str(len(body) - start))
            handler.end_headers()
            end, state["cut"] = state["cut"], None
            handler.wfile.write(body[start : start + end] if end is not None else body[start:])

        self.answers[path] = answer
        return self.url + path


def describe(home, url, more="", path="toy/{language}.conll", name="toy"):
    (home / "datasets").mkdir(exist_ok=True)
    (home / "datasets" / f"{name}.yaml").write_text(
        "title: Toy\nkind: entities\nlicence: CC0-1.0\nlanguages: [de, sw]\nsplits: [test]\n"
        f'{more}files:\n  - path: "{path}"\n    url: "{url}"\n',
        "utf-8",
    )
    return find_dataset(name)
