"""What the tests of the review are made with: rows, actions, a client of the server."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any

from report_samples import linked, spaceless, split

from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.formats.jsonl import format_pair
from spanbridge.formats.tokens import with_text
from spanbridge.review.desk import Asked
from spanbridge.review.server import ReviewServer

GERMAN = split("Angela Merkel traf am Montag in Berlin den Aufsichtsrat von Siemens .")
ARABIC = split("التقت أنجيلا ميركل مجلس إدارة سيمنز في برلين يوم الاثنين .")
CHINESE = split("安格拉 · 默克尔 周一 在 柏林 会见 了 西门子 董事会 。")


def sample_rows() -> list[SentencePair]:
    """Three raw texts and one of words alone, the most doubtful last."""
    german = Sentence(GERMAN, (Span(0, 2, "PER", 0.97), Span(9, 11, "ORG", 0.41)))
    arabic = Sentence(ARABIC, (Span(1, 3, "PER", 0.93), Span(7, 8, "LOC", 0.34)))
    chinese = spaceless(CHINESE, (Span(0, 3, "PER", 0.88), Span(8, 9, "ORG", 0.62)))
    rows = [
        linked("de-1", with_text(german), "0-0 1-1 6-10 8-6"),
        linked("ar-1", with_text(arabic), "0-1 1-2 6-5 8-7"),
        linked("zh-1", chinese, "0-0 1-2 6-8 8-5"),
        linked("words-1", german, "0-0 1-1"),
    ]
    sure = (0.9, 0.5, 0.3, 0.1)
    return [
        row._replace(confidence=confidence, provenance="project")
        for row, confidence in zip(rows, sure, strict=True)
    ]


def write_rows(path: Path, rows: list[SentencePair]) -> Path:
    path.write_text("".join(format_pair(row) + "\n" for row in rows), encoding="utf-8")
    return path


def asked(row: int, was: int, spans: Any, **more: Any) -> Asked:
    """An action of Anna's, unless something else is said."""
    usual = {"session": "s", "key": f"{row}-{was}", "by": "anna", "do": "edge"}
    usual |= {"status": "started", "comment": ""}
    places = [tuple(span[:3]) for span in spans]
    return Asked(row=row, was=was, spans=places, **{**usual, **more})


class Client:
    """Asks a server as its page does."""

    def __init__(self, server: ReviewServer) -> None:
        self.server = server

    def __call__(
        self, method: str, path: str, body: Any = None, **headers: str | None
    ) -> tuple[int, Any]:
        """Status and answer; a header of None is left out."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        given = {"X-Review-Token": self.server.token, "Host": f"127.0.0.1:{self.server.port}"}
        data = None
        if body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            given["Content-Type"] = "application/json"
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection.putrequest(method, path, skip_host=True)
        for name, value in given.items():
            if value is not None:
                connection.putheader(name, value)
        if data is not None and "Content-Length" not in given:
            connection.putheader("Content-Length", str(len(data)))
        connection.endheaders(data)
        answer = connection.getresponse()
        text = answer.read()
        self.headers = answer.headers
        connection.close()
        is_json = answer.headers["Content-Type"].startswith("application/json")
        return answer.status, json.loads(text) if is_json else text.decode()
