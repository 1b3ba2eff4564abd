"""Servers that break off, drip, lie about lengths, and repeat the key: one line tells of each."""

import socket
import subprocess
import sys
import threading
import time
import traceback
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanbridge import SpanbridgeError
from spanbridge.core.secrets import shown, without
from spanbridge.formats.languages import find_language
from spanbridge.translation.chat import KEY, ChatTranslator

SPANISH, ENGLISH = find_language("es"), find_language("en")
SECRET = "s3cret/KEY+123"
DRIP = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(autouse=True)
def own_answers(tmp_path, monkeypatch):
    """No answer is kept from another server that had the same port."""
    monkeypatch.setenv("SPANBRIDGE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def serve():
    """``serve(data, drip)``: the address of a server that sends these bytes to whoever comes, and
    then one more from time to time, or closes."""
    running, ended = [], threading.Event()

    def start(data, drip=False):
        server = socket.create_server(("127.0.0.1", 0), backlog=50)
        running.append(server)

        def answer(connection):
            with connection, suppress(OSError):
                connection.settimeout(5)
                connection.recv(1 << 16)
                connection.sendall(data)
                while drip and not ended.is_set():
                    connection.sendall(b"x")
                    time.sleep(0.02)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(1 << 16):
                    pass

        def accept():
            with suppress(OSError):
                while True:
                    threading.Thread(target=answer, args=server.accept()[:1], daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        return f"http://127.0.0.1:{server.getsockname()[1]}/v1"

    yield start
    ended.set()
    for server in running:
        server.close()


def said(url, **options):
    """What is said of a server that fails."""
    made = ChatTranslator("m", url, **{"pause": 0, "tries": 2, **options})
    with pytest.raises(SpanbridgeError) as caught:
        made.translate(["a", "b"], SPANISH, ENGLISH)
    text = str(caught.value)
    assert text.isprintable()
    return text.removeprefix(f"{url}: ")


def http(status, body=b"", headers=b""):
    return b"HTTP/1.1 %s\r\n%sConnection: close\r\n\r\n%s" % (status, headers, body)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no answer (server disconnected without sending a response.)"),
        (b"\x1b[31mHELLO\r\n\r\n", "no answer (illegal status line"),
        (CHUNKED + b"ZZ\r\nabc", "no answer (illegal chunk header"),
        (CHUNKED + b"10\r\nabc", "no answer (peer closed connection"),
        (DRIP + b"abc", "no answer (peer closed connection"),
        (DRIP.replace(b"100000", b"-1"), "no answer (bad Content-Length"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 50_000, "no answer ("),
        (b"HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "no answer ("),
        (http(b"204 None"), "it answers 204"),
        (http(b"200 OK", b"\x1f\x8b", b"Content-Encoding: gzip\r\n"), "it compresses answers"),
        (http(b"200 OK", b"\xff\xfe\x1b[2J\x00"), "it does not answer in JSON: \ufffd\ufffd"),
        (http(b"418 \x1b[31m", b'{"error": {"message": "a\\u001b[2Jb\\u202e"}}'), "418: ab"),
        (http(b"502 X", b"<html><h1>Bad\ngateway</h1>"), "it answers 502: Bad gateway"),
        (http(b"400 X", b'{"detail": [{"loc": ["seed"], "msg": "no"}]}'), "leave_out=seed"),
        (http(b"404 X", b"x" * 1000), f"it answers 404: {'x' * 300}..."),
    ],
)
def test_broken_answers(serve, data, why):
    assert why in said(serve(data))


def test_an_empty_answer(serve):
    assert said(serve(http(b"200 OK"))) == "it does not answer in JSON"


@pytest.mark.parametrize("data", [DRIP, b"HTTP/1.1 200 OK\r\nX: ", CHUNKED + b"fff\r\n"])
def test_one_deadline_for_a_sentence(serve, data):
    """Each byte comes in time, all of them never."""
    assert said(serve(data, drip=True), seconds=0.1) == "no complete answer within 0.1 seconds"


def test_a_server_is_waited_for_as_it_asks_if_there_is_time(serve):
    started = time.monotonic()
    busy = serve(http(b"429 Busy", b"slow down", b"Retry-After: 3600\r\n"))
    assert said(busy) == "it answers 429: slow down (it asks to wait 3600 seconds)"
    date = b"Retry-After: Fri, 31 Dec 2999 23:59:59 GMT\r\n"
    assert "it asks to wait" in said(serve(http(b"503 Busy", b"", date)))
    assert time.monotonic() - started < 60
    for odd in (b"nan", b"-1", b"soon", b"9" * 400):
        said(serve(http(b"429 Busy", b"", b"Retry-After: " + odd + b"\r\n")), tries=1)


@pytest.mark.parametrize(
    "echo",
    [
        f"no such key: {SECRET}",
        f"no such key: {SECRET.upper()}",
        "no such key: s3cret%2FKEY%2B123",
        '{"error": "key s3cret\\/KEY\\u002b123"}',
        '{"error": "key s3cret/\\u0000KEY\\u001b[0m+123"}',
        '{"message": {"headers": {"authorization": "Bearer ' + SECRET + '"}}}',
        "x" * 295 + SECRET,
    ],
)
def test_a_key_is_not_repeated(serve, monkeypatch, echo):
    monkeypatch.setenv(KEY, SECRET)
    for status in (b"401 No", b"400 No", b"500 No", b"200 OK"):
        words = said(serve(http(status, echo.encode())))
        assert "s3cre" not in words.lower()
        assert "***" in words or "x" * 200 in words
    redirected = said(serve(http(b"307 X", b"", b"Location: /" + SECRET.encode() + b"\r\n")))
    assert "here to /***, are not" in redirected


def test_a_translation_with_the_key_in_it(serve, monkeypatch):
    monkeypatch.setenv(KEY, SECRET)
    body = b'{"choices": [{"message": {"content": "{\\"translation\\": \\"%s\\"}"}}]}'
    made = ChatTranslator("m", serve(http(b"200 OK", body % SECRET.encode())), tries=1)
    found = made.translate(["a"], SPANISH, ENGLISH)[0]
    assert (found.text, found.status) == ("", "failed: the answer holds the key of the endpoint")


def test_addresses_are_shown_without_their_secrets(serve):
    url = serve(http(b"401 No", b"for /v1?api-key=hidden1 and hidden1"))
    told = said(f"{url}?api-key=hidden1&api-version=2025-01-01")
    assert told.startswith(f"{url}?api-key=***&api-version=2025-01-01: it answers 401")
    assert "hidden1" not in told
    made = ChatTranslator("m", f"{url}?api-key=hidden1&api-version=2025-01-01")
    assert "hidden1" not in made.describe(SPANISH, ENGLISH)
    assert "api-version=2025-01-01" in made.describe(SPANISH, ENGLISH)


def test_logs_hold_no_secrets(serve, monkeypatch, caplog):
    monkeypatch.setenv(KEY, SECRET)
    caplog.set_level("DEBUG")
    url = serve(http(b"401 No", SECRET.encode(), b"X: " + SECRET.encode() + b"\r\n"))
    said(f"{url}?api-key=hidden1")
    assert "POST" in caplog.text
    assert "hidden1" not in caplog.text
    assert SECRET not in caplog.text


def test_tracebacks_hold_no_secrets(serve, monkeypatch):
    monkeypatch.setenv(KEY, SECRET)
    for data in (b"HTTP/9 " + SECRET.encode() + b"\r\n\r\n", http(b"200 OK", SECRET.encode())):
        with pytest.raises(SpanbridgeError) as caught:
            ChatTranslator("m", serve(data), tries=1).translate(["a"], SPANISH, ENGLISH)
        assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_parameters_of_the_address_are_sent():
    url = "http://localhost:1/openai/deployments/a%2Fb/?api-version=1&key=2"
    assert ChatTranslator("m", url).endpoint.target == (
        "http://localhost:1/openai/deployments/a%2Fb/chat/completions?api-version=1&key=2"
    )


@pytest.mark.parametrize(
    ("host", "proxy", "why"),
    [
        ("http://127.0.0.1:9/v1", "http://u:hidden1@127.0.0.1:1", "connection refused"),
        ("http://127.0.0.1:9/v1", "socks5://u:hidden1@127.0.0.1:1", "connection refused"),
        ("http://[::1]:9/v1", "http://u:hidden1@[bad", "no answer"),
        ("http://model.example/v1", "http://u:hidden1@127.0.0.1:9", "connection refused"),
        ("http://model.example/v1", "socks5://u:hidden1@127.0.0.1:9", "of the environment cannot"),
        ("http://model.example/v1", "ftp://hidden1@x", "of the environment cannot"),
    ],
)
def test_proxies(monkeypatch, host, proxy, why):
    monkeypatch.setenv("HTTP_PROXY", proxy)
    assert why in said(host)
    assert "hidden1" not in said(host)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("http://u:p@h/v1", "http://***@h/v1"),
        ("at https://u:p/w?@h/v1?k=v, or", "at https://***@h/v1?k=***, or"),
        ("http://h/v1?k=v: it. http://h/v1?k=v.", "http://h/v1?k=***: it. http://h/v1?k=***."),
        ("http://h/v1?api-version=3&b", "http://h/v1?api-version=3&***"),
        ('{"api_key": "abc", "n": 1}', '{"api_key": "***", "n": 1}'),
        ("Authorization: Bearer abcdefgh", "Authorization: Bearer ***"),
        ("bad key sk-proj-abcdefgh", "bad key ***"),
        ("access_token=abc&x=1", "access_token=***&x=1"),
        ("a\x1b[31mb\x1b]0;c\x07d\x9b1m\u202e\n\u2028e", "ab]0;cd1m  e"),
        ("half \ud800", "half \ufffd"),
        ("token: word; a@b; aligner=encoder@12,x@y", "token: word; a@b; aligner=encoder@12,x@y"),
        ("क\u094d\u200dष", "क\u094d\u200dष"),
    ],
)
def test_what_is_shown(text, plain):
    assert shown(text) == plain


@settings(max_examples=settings.default.max_examples // 2)
@given(*(st.text(min_size=n, max_size=20) for n in (4, 0, 0)))
def test_a_secret_does_not_stay(secret, before, after):
    assert secret not in without(f"{before}{secret}{after}", secret) or secret in "***"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_an_interruption_ends_all_requests(serve, tmp_path):
    import signal

    (tmp_path / "es.txt").write_text("".join(f"Frase {n}.\n" for n in range(20)))
    url = serve(DRIP, drip=True)
    args = "translate --source es.txt --from es --to en --translator chat --translator-model m"
    process = subprocess.Popen(
        [sys.executable, "-m", "spanbridge", *args.split(), "-o", "o.jsonl"]
        + [f"--translator-option={option}" for option in (f"url={url}", "parallel=8")],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    time.sleep(5)
    process.send_signal(signal.SIGINT)
    _, words = process.communicate(timeout=10)
    assert process.returncode == 130
    assert b"interrupted" in words
    assert b"Traceback" not in words
    assert [path.name for path in Path(tmp_path).iterdir()] == ["es.txt"]
