"""The server answers its own page and nobody else, whatever it is sent."""

from __future__ import annotations

import json
import re
import socket
import threading
from importlib.resources import files

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from review_samples import Client, sample_rows, write_rows

from spanbridge.core.errors import SpanbridgeError
from spanbridge.review.desk import Desk
from spanbridge.review.page import page_of
from spanbridge.review.server import ReviewServer

ASKED = ("/about", "/row?row=1", "/part?list=1&from=0&length=5", "/next?list=1&at=0", "/")
DONE = ("/find", "/act", "/beat", "/write", "/teach", "/decide")
RULE = {"convention": "article", "place": "in", "by": "anna"}
ACT = {"session": "s", "key": "k", "by": "anna", "row": 1, "was": 0, "do": "edge"}
ACT |= {"status": "accepted", "comment": "", "spans": [[0, 6, "PER"]]}


@pytest.fixture
def client(open_desk, serve):
    return Client(serve(open_desk()))


@pytest.mark.parametrize("path", [*ASKED, *DONE])
def test_every_request_needs_the_token(client, path):
    method = "GET" if path in ASKED else "POST"
    body = None if method == "GET" else {}
    for token in (None, "", "x", client.server.token[:-1], client.server.token + "x", "é"):
        status, told = client(method, path, body, X_Review_Token=token)
        assert (status, told["error"]) == (403, "the token of the address is missing or wrong")
    assert client(method, path, body)[0] != 403


def test_the_address_alone_opens_the_page(client):
    path = client.server.address.partition(str(client.server.port))[2]
    status, page = client("GET", path, X_Review_Token=None)
    assert status == 200
    assert page.startswith("<!DOCTYPE html>")
    policy = client.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "connect-src 'self'; frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert client.headers["Referrer-Policy"] == "no-referrer"
    assert client.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example:80"}, 421),  # a name that was made to point here
        ({"Host": "127.0.0.1.evil.example"}, 421),
        ({"Host": "127.0.0.1:1"}, 421),
        ({"Host": None}, 421),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://127.0.0.1"}, 403),
        ({"Content_Type": "text/plain"}, 415),  # what a form of another page could send
        ({"Content_Length": "-1"}, 411),
        ({"Content_Length": "9999999999"}, 413),
        ({"Content_Length": "4000001"}, 413),
        ({"Transfer_Encoding": "chunked"}, 411),
    ],
)
def test_requests_of_others_are_refused(client, headers, status):
    assert client("POST", "/act", ACT, **headers)[0] == status
    assert client.server.desk.journal.actions == []


def test_localhost_is_this_machine_and_its_page_may_ask(client):
    host = f"localhost:{client.server.port}"
    assert client("POST", "/act", ACT, Host=host, Origin=f"http://{host}")[0] == 200
    assert len(client.server.desk.journal.actions) == 1


def test_it_listens_on_this_machine_alone(client):
    assert client.server.server_address[0] == "127.0.0.1"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "told"),
    [
        ("GET", "/nothing", None, 404, "there is no /nothing"),
        ("GET", "/../../etc/passwd", None, 404, "there is no"),
        ("GET", "/act", None, 404, "there is no /act"),
        ("POST", "/about", {}, 404, "there is no /about"),
        ("POST", "/", {}, 404, "there is no /"),
        ("PUT", "/act", {}, 501, None),
        ("GET", "/row", None, 400, "row is ''; give a number"),
        ("GET", "/row?row=x", None, 400, "row is 'x'; give a number"),
        ("GET", "/row?row=99", None, 400, "there is no row 99; there are 4"),
        ("POST", "/act", b"{", 400, "truncated"),
        ("POST", "/act", b"\xff", 400, None),
        ("POST", "/act", [], 400, "Expected `object`"),
        ("POST", "/act", ACT | {"row": "1"}, 400, "Expected `int`"),
        ("POST", "/act", ACT | {"status": "done"}, 400, "Invalid enum value"),
        ("POST", "/act", ACT | {"more": 1}, 400, "unknown field"),
        ("POST", "/act", ACT | {"spans": [[0, 1, "A"]]}, 200, None),
        ("POST", "/find", {"status": "done"}, 400, "is none of|status"),
        ("POST", "/find", {"sort": "x"}, 400, "Invalid enum value"),
        ("POST", "/write", {}, 400, "no file for the result was named"),
        ("POST", "/teach", {}, 400, "out.jsonl.run.json is not beside it"),
        ("GET", "/teach", None, 404, "there is no /teach"),
        ("POST", "/decide", RULE, 200, None),
        ("POST", "/decide", RULE | {"convention": "<b>"}, 400, "Invalid enum value"),
        ("POST", "/decide", RULE | {"place": "beside"}, 400, "Invalid enum value"),
        ("POST", "/decide", RULE | {"by": "  "}, 400, "is no name"),
        ("POST", "/decide", {"place": "in", "by": "anna"}, 400, "missing required field"),
        ("GET", "/before?row=9&by=anna", None, 400, "there is no row 9"),
        ("GET", "/before?row=1", None, 400, "is no name"),
    ],
)
def test_wrong_requests_are_told_why(client, method, path, body, status, told):
    if status == 501:  # its answer is a page of the library
        assert client(method, path, body)[0] == status
        return
    found, answer = client(method, path, body)
    assert found == status
    assert told is None or re.search(told, answer["error"])


def test_a_conflict_comes_with_the_present_state(client):
    assert client("POST", "/act", ACT)[0] == 200
    status, told = client("POST", "/act", ACT | {"key": "other"})
    assert status == 409
    assert told["state"]["spans"] == [[0, 6, "PER", None, "anna"]]
    status, told = client("POST", "/act", ACT | {"key": "other", "session": "t", "was": 1})
    assert (status, told["holder"]) == (409, "anna")


def test_a_review_that_has_ended_answers_nothing(client):
    client.server.ended = True
    assert client("POST", "/act", ACT)[0] == 503
    assert client.server.desk.journal.actions == []


def test_a_journal_that_cannot_be_written_is_no_fault_of_the_page(client, tmp_path):
    (tmp_path / "out.jsonl.journal").unlink()
    status, told = client("POST", "/act", ACT)
    assert status == 500
    assert "is gone" in told["error"]


HOSTILE = ["</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "\u202e", "$data"]


def test_hostile_names_of_files_stay_text(tmp_path):
    for name in (*HOSTILE[1:], "'\"&"):
        html, policy = page_of(name)
        page = html.decode()
        assert page.count("<script>") == 1
        assert "<img" not in page
        assert policy.count("sha256-") == 2
    assert re.search(r"<title>Review of &#x27;&quot;&amp;</title>", page)


def test_the_script_makes_texts_never_markup():
    folder = files("spanbridge.review")
    script = "".join(
        path.read_text("utf-8") for path in folder.iterdir() if path.name.endswith(".js")
    )
    assert "textContent" in script
    ways = (
        r"\.(inner|outer)HTML|insertAdjacent|document\.write|\beval\b|Function\(|srcdoc|DOMParser"
    )
    assert not re.search(ways, script)
    assert not re.search(r"XMLHttp|WebSocket|import\(|\.(src|href) =|localStorage|https?:", script)
    assert not re.search(r"</|<!--", script)


@pytest.fixture(scope="module")
def lasting(tmp_path_factory):
    desk = Desk(str(write_rows(tmp_path_factory.mktemp("r") / "o.jsonl", sample_rows())))
    server = ReviewServer(desk, "anna")
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield Client(server)
    server.shutdown()
    server.server_close()
    desk.close()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(ACT)), VALUES, st.sampled_from(DONE[:3]))
def test_any_json_is_answered_and_the_journal_stays_whole(lasting, key, value, path):
    body = json.dumps(ACT | {key: value, "session": "s"}).encode("utf-8", "surrogatepass")
    status, answer = lasting("POST", path, body)
    assert status in (200, 400, 409)
    assert status == 200 or answer["error"]
    actions = lasting.server.desk.journal.actions
    assert [action.n for action in actions] == [*range(1, len(actions) + 1)]
    assert lasting("GET", "/row?row=1")[0] == 200


def test_ports_that_are_taken_are_told(open_desk):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SpanbridgeError, match=rf"port {port} cannot be listened on \(address"):
            ReviewServer(open_desk(), "anna", port)
