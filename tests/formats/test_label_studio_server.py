"""A real Label Studio: what we write is imported by its API, labelled, exported and read again.

Runs with SPANBRIDGE_LONG=1 and ``label-studio`` on the path, or named by SPANBRIDGE_LABEL_STUDIO:
``pip install label-studio`` in an environment of its own, since its 150 packages pin others.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import ABSENT, Span
from spanbridge.formats import read_rows, write_pairs
from spanbridge.formats.offsets import place_spans
from spanbridge.formats.tokens import spans_in_text

PROGRAM = os.environ.get("SPANBRIDGE_LABEL_STUDIO") or shutil.which("label-studio")
DOCS = Path(__file__).parents[2] / "docs" / "convert.md"
PATIENCE = 900  # seconds: it makes its tables first, which takes minutes where others work
TOKEN = "0123456789abcdef0123456789abcdef01234567"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (os.environ.get("SPANBRIDGE_LONG") and PROGRAM),
        reason="starts a server of Label Studio; see above",
    ),
]


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    """A client of a server that was started for these tests."""
    folder = tmp_path_factory.mktemp("label-studio")
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    settings = {
        "LABEL_STUDIO_BASE_DATA_DIR": str(folder),
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
        "COLLECT_ANALYTICS": "False",
        "LATEST_VERSION_CHECK": "False",
    }
    who = ["--username", "a@example.com", "--password", "secret-pass1", "--user-token", TOKEN]
    where = ["--no-browser", "--port", str(port), "--internal-host", "127.0.0.1"]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [PROGRAM, "start", *where, *who, "--enable-legacy-api-token"],
            env={**os.environ, "PYTHONPATH": "", **settings},
            stdout=log,
            stderr=log,
        )
        try:
            who_asks = {"Authorization": f"Token {TOKEN}"}
            address = f"http://127.0.0.1:{port}"
            with httpx.Client(base_url=address, headers=who_asks, timeout=60) as client:
                for _ in range(PATIENCE):
                    assert server.poll() is None, (folder / "log").read_text()[-2000:]
                    try:
                        if client.get("/health").status_code == 200:
                            break
                    except httpx.TransportError:
                        time.sleep(1)
                else:
                    told = (folder / "log").read_text()[-2000:]
                    pytest.fail(f"the server did not answer in {PATIENCE} s; its log ends:\n{told}")
                yield client
        finally:
            server.terminate()
            server.wait()


def row(identity, text, *spans, **keys):
    sentence = place_spans(text, spans, "source", "spans", "characters")
    return SentencePair(identity, sentence, ABSENT, extra=keys)


ROWS = [
    row("a-1", "👩🏽‍🚒🚒 Łódź 🇫🇷 né\u0301e", Span(7, 11, "LOC"), domain="news", n=[1, {"b": None}]),
    row("a-2", "ذهبَ محمد إلى القاهرة.", Span(5, 9, "PER"), Span(14, 21, "LOC")),
    row("3", "Ann  Roe\nof <b>York</b>", Span(0, 19, "PER"), Span(15, 19, "LOC")),
    row("4", "北京", Span(0, 2, "LOC")),
    row("5", "nothing here"),
]
REVIEW = {"status": "corrected", "by": "Ana <b>", "at": "2026-05-04T10:00:00+00:00"}
BY = json.dumps({key: REVIEW[key] for key in ("by", "at")})
REVIEWED = [row("r-1", "Anna Roe", Span(0, 8, "PER", None, BY), review=REVIEW)]
FOUND = [
    row("p-1", "🚒 Anna", Span(2, 6, "PER", 0.75)),
    row("p-2", "Bonn", Span(0, 4, "LOC", 0.5), url="x"),
]


def imported(api, path):
    """Number of a new project with the tasks of a file."""
    config = re.search(r"<View>.*?</View>", DOCS.read_text("utf-8"), re.DOTALL)[0]
    made = api.post("/api/projects", json={"title": path.stem, "label_config": config})
    made.raise_for_status()
    number = made.json()["id"]
    with path.open("rb") as file:
        done = api.post(f"/api/projects/{number}/import", files={"file": (path.name, file)})
    done.raise_for_status()
    return number


def exported(api, number, path):
    """The rows of a project, as its export in JSON holds them."""
    given = {"exportType": "JSON", "download_all_tasks": "true"}
    done = api.get(f"/api/projects/{number}/export", params=given)
    done.raise_for_status()
    path.write_bytes(done.content)
    return {row.id: row for _, row in read_rows(path, "source")}


def places(row):
    return sorted(span[:4] for span in spans_in_text(row.source))


def own(row):
    """The keys of a row without those that a server gives a task."""
    return {key: row.extra[key] for key in ("domain", "n", "url") if key in row.extra}


def test_annotations(api, tmp_path):
    write_pairs(tmp_path / "gold.json", ROWS, "source", format="labelstudio")
    number = imported(api, tmp_path / "gold.json")
    again = exported(api, number, tmp_path / "again.json")
    assert list(again) == [row.id for row in ROWS]
    for row in ROWS:
        assert again[row.id].source.text == row.source.text
        assert places(again[row.id]) == places(row)
        assert own(again[row.id]) == own(row)
    assert json.loads((tmp_path / "again.json").read_text("utf-8"))[0]["annotations"]


def test_who_reviewed_and_when_is_kept(api, tmp_path):
    """In the data, and with the span: ``completed_by`` takes none but users of the server."""
    write_pairs(tmp_path / "reviewed.json", REVIEWED, "source", format="labelstudio")
    number = imported(api, tmp_path / "reviewed.json")
    again = exported(api, number, tmp_path / "again.json")["r-1"]
    assert again.extra["review"] == REVIEW
    (span,) = again.source.spans
    assert json.loads(span.extra) == json.loads(BY)


def test_predictions_are_corrected_there(api, tmp_path):
    """Scores are imported; what a person makes of a prediction is what comes back."""
    write_pairs(tmp_path / "found.json", FOUND, "source", format="labelstudio")
    number = imported(api, tmp_path / "found.json")
    tasks = api.get("/api/tasks", params={"project": number, "fields": "all"}).json()["tasks"]
    predictions = [one["predictions"][0] for one in tasks]
    assert [one["score"] for one in predictions] == [0.75, 0.5]
    assert all(one["model_version"].startswith("spanbridge-") for one in predictions)
    result = predictions[0]["result"]
    assert result[0]["value"]["text"] == "Anna"
    result[0]["value"] |= {"end": 5, "text": "Ann", "labels": ["LOC"]}
    done = api.post(f"/api/tasks/{tasks[0]['id']}/annotations", json={"result": result})
    done.raise_for_status()
    again = exported(api, number, tmp_path / "again.json")
    assert [(s.label, again["p-1"].source.text_of(*s[:2])) for s in again["p-1"].source.spans] == [
        ("LOC", "Ann")
    ]
    assert again["p-1"].extra["label_studio"]["annotation"]["completed_by"]
    assert own(again["p-2"]) == {"url": "x"}
