"""What the tests of the review are made with: rows, actions, a client of the server."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from report_samples import linked, spaceless, split

from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.formats.jsonl import format_pair
from spanbridge.formats.tokens import with_text
from spanbridge.review.desk import Asked, Desk
from spanbridge.review.server import ReviewServer
from spanbridge.run.config import make_pipeline
from spanbridge.run.stream import run

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


def write_projection(folder: Path, n: int = 60, **step: Any) -> Path:
    """A projection whose targets have articles that no span takes in, with links of its own."""
    rows = [_with_article(number) for number in range(n)]
    write_rows(folder / "in.jsonl", rows)
    project = {"method": "corpus", "links": "only", "least_parallel": 0, **step}
    settings = {
        "input": {"source": str(folder / "in.jsonl")},
        "languages": {"target": "de"},
        "output": str(folder / "out.jsonl"),
        "steps": [{"project": project}],
    }
    run(make_pipeline(settings).job())
    return folder / "out.jsonl"


def _with_article(number: int) -> SentencePair:
    name = f"Nam{number % 17}"
    source = Sentence(("so", name, "goes", f"v{number % 5}"), (Span(1, 2, "PER"),))
    target = with_text(Sentence(("also", "der", name, "geht", f"w{number % 5}")))
    return linked(f"r{number}", with_text(target), "0-0 1-2 2-3 3-4")._replace(source=source)


def with_articles(desk: Desk, rows: Iterable[int]) -> None:
    """Anna takes the articles of some rows in."""
    for row in rows:
        name = desk.row(row)["target"]["text"].split()[2]
        desk.act(asked(row, 0, [[5, 9 + len(name), "PER"]], status="corrected", do="status"))


def taught(desk: Desk, state: str = "done") -> dict[str, Any]:
    """What a desk tells when its teaching has come to an end."""
    for _ in range(1200):
        if (told := desk.teaching.told())["state"] not in ("running", "none"):
            assert told["state"] == state, told
            return told
        time.sleep(0.05)
    raise AssertionError(f"never done: {told}")
