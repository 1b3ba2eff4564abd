"""A server of this machine that answers what huggingface_hub asks when a folder is pushed."""

import base64
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = "hf_" + "abcdefghij" * 3


class Hub:
    """What the server has.

    Attributes:
        repos: files of each data set, by its name.
        asked: method and path of each request.
        made: what was said when each data set was made.
        page: what is answered to all, in place of what a Hub would.
        fail: status and words with which requests are refused whose paths hold the key.
    """

    def __init__(self):
        self.repos, self.asked, self.made, self.fail = {}, [], {}, {}
        self.page = b""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body):
        data = self.server.hub.page or json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self):
        hub = self.server.hub
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.partition("?")[0]
        hub.asked.append(f"POST {path}")
        for part, (status, words) in hub.fail.items():
            if part in path:
                return self.answer(status, {"error": words})
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.answer(401, {"error": "Invalid username or password."})
        if path == "/api/repos/create":
            return self.create(json.loads(data))
        if path == "/api/validate-yaml":
            return self.answer(200, {"errors": [], "warnings": []})
        name = "/".join(path.split("/")[3:5])
        if path == f"/api/datasets/{name}/preupload/main":
            files = [
                {"path": one["path"], "uploadMode": "regular", "shouldIgnore": False}
                for one in json.loads(data)["files"]
            ]
            return self.answer(200, {"files": files})
        if path == f"/api/datasets/{name}/commit/main":
            for line in map(json.loads, data.decode().splitlines()):
                if line["key"] == "file":
                    content = base64.b64decode(line["value"]["content"])
                    hub.repos[name][line["value"]["path"]] = content
            url = f"http://{self.headers['Host']}/datasets/{name}/commit/0"
            return self.answer(200, {"commitUrl": url, "commitOid": "0" * 40})
        return self.answer(404, {"error": f"no {path}"})

    def do_GET(self):
        self.server.hub.asked.append(f"GET {self.path}")
        self.answer(404, {"error": "Repository not found"})

    def create(self, asked):
        name = f"{asked['organization']}/{asked['name']}"
        url = f"http://{self.headers['Host']}/datasets/{name}"
        if name in self.server.hub.repos:
            words = "You already created this dataset repo"
            return self.answer(409, {"error": words, "url": url})
        self.server.hub.repos[name] = {}
        self.server.hub.made[name] = asked
        return self.answer(200, {"url": url})


@contextmanager
def served():
    """A Hub, and its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.hub = Hub()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.hub, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
