"""A chat model behind an endpoint: a server of the test's own, which misbehaves in every way."""

import asyncio
import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from spanbridge import SpanbridgeError
from spanbridge.api import Loaded
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence
from spanbridge.formats.languages import find_language
from spanbridge.formats.tokens import raw_sentence
from spanbridge.translation.chat import KEY as CHAT_KEY
from spanbridge.translation.chat import ChatTranslator

SPANISH, ENGLISH = find_language("es"), find_language("en")
EMPTY = Sentence(())


@pytest.fixture
def serve():
    """``serve(answer)``: the address, and the requests so far; ``answer(text, n)`` says what comes
    to the n-th request with a text: (code, body)."""
    running = []

    def start(answer):
        seen = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                text = body["messages"][1]["content"]
                n = sum(text == earlier["messages"][1]["content"] for earlier, _, _ in seen)
                seen.append((body, self.path, self.headers.get("Authorization")))
                code, content = answer(text, n)
                data = content.encode()
                self.send_response(code)
                if code == 302:
                    self.send_header("Location", content)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        running.append(server)
        return f"http://127.0.0.1:{server.server_port}/v1", seen

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


def says(content, reason="stop"):
    choice = {"message": {"content": content}, "finish_reason": reason}
    return 200, json.dumps({"choices": [choice]})


def right(text):
    return says(json.dumps({"translation": f"<{text}>"}, ensure_ascii=False))


def test_every_sentence_is_one_request(serve, monkeypatch):
    monkeypatch.setenv(CHAT_KEY, "secret")
    url, seen = serve(lambda text, n: right(text))
    made = ChatTranslator("tower", url, parallel=3)
    found = made.translate(["Hola, señor.", " ", "¿Qué tal?"], SPANISH, ENGLISH)
    assert [t.text for t in found] == ["<Hola, señor.>", "", "<¿Qué tal?>"]
    assert [t.status for t in found] == ["ok", "empty: no text", "ok"]
    assert len(seen) == 2
    for body, path, key in seen:
        assert path == "/v1/chat/completions"
        assert key == "Bearer secret"
        assert (body["model"], body["temperature"]) == ("tower", 0)
        assert "from Spanish (es) into English (en)" in body["messages"][0]["content"]
    assert "secret" not in made.describe(SPANISH, ENGLISH)
    assert made.describe(SPANISH, ENGLISH).startswith("chat(tower@http://127.0.0.1:")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (says(None), "failed: the model's answer is empty"),
        (says('["x"]'), "failed: the model does not answer with the JSON"),
        (says('{"translation": "x', "length"), "failed: the model did not end (length)"),
    ],
)
def test_a_bad_answer_is_asked_for_again_and_then_given_up(serve, answer, why):
    url, seen = serve(lambda text, n: right(text) if n == 2 and text == "b" else answer)
    made = ChatTranslator("m", url, tries=3, pause=0)
    first, second = made.translate(["a", "b"], SPANISH, ENGLISH)
    assert first.text == ""
    assert first.status.startswith(why)
    assert (second.text, second.status) == ("<b>", "ok")
    assert len(seen) == 6


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((401, '{"error": "no such key"}'), "it answers 401: no such key"),
        ((404, '{"error": {"message": "no model m"}}'), "it answers 404: no model m"),
        ((503, ""), "it answers 503"),
        ((200, "[" * 100_000), "it does not answer in JSON"),
        ((200, "<html><b>Sign in</b>"), "it does not answer in JSON: Sign in"),
        ((200, '{"error": 1}'), "it does not answer as OpenAI's interface does"),
        ((200, "[]"), "it does not answer as OpenAI's interface does"),
        ((200, "x" * (1 << 20) + "yy"), "the answer is longer than 1 MiB"),
        (
            (400, '{"error": {"message": "Unsupported value: \'temperature\' must be 1"}}'),
            "'temperature' must be 1 (the option leave_out=temperature leaves it out)",
        ),
    ],
)
def test_what_every_request_gets_ends_the_run_in_the_servers_words(serve, answer, why):
    url, _ = serve(lambda text, n: answer)
    with pytest.raises(SpanbridgeError, match=f"{re.escape(url)}: .*{re.escape(why)}"):
        ChatTranslator("m", url, pause=0).translate(["a", " "], SPANISH, ENGLISH)


def test_the_run_ends_early(serve):
    """Nobody waits for thousands of sentences to fail one by one."""
    url, seen = serve(lambda text, n: (400, "no"))
    made = ChatTranslator("m", url, parallel=2, pause=0)
    with pytest.raises(SpanbridgeError, match="it answers 400: no"):
        made.translate([str(n) for n in range(100)], SPANISH, ENGLISH)
    assert len(seen) <= 4


def test_nobody_there():
    made = ChatTranslator("m", "http://127.0.0.1:9/v1", tries=2, pause=0)
    with pytest.raises(SpanbridgeError, match=r"9/v1: no answer \(connection refused\)"):
        made.translate(["a", " "], SPANISH, ENGLISH)


@pytest.mark.parametrize(
    ("refused", "status"),
    [
        ((400, "too long"), "it answers 400"),
        ((400, '{"error": {"code": "content_filter"}}'), "it answers 400 content_filter"),
        ((500, "crash"), "it answers 500"),
    ],
)
def test_a_sentence_that_the_server_refuses_has_failed(serve, refused, status):
    """It is told from a fault of all requests by asking for another one, also if it is alone."""
    url, _ = serve(lambda text, n: refused if text == "a" else right(text))
    made = ChatTranslator("m", url, pause=0)
    for texts in (["a", "b"], ["a"]):
        found = made.translate(texts, SPANISH, ENGLISH)
        assert [t.status for t in found] == [f"failed: the server: {status}", "ok"][: len(texts)]


def test_parameters_can_be_left_out(serve):
    url, seen = serve(lambda text, n: right(text))
    for left_out in ("response_format, seed", ["response_format", "seed"]):
        made = ChatTranslator("m", url, leave_out=left_out)
        made.translate(["a"], SPANISH, ENGLISH)
        assert seen[-1][0].keys() == {"model", "messages", "temperature"}
        assert f"chat(m@{url},temperature=0,prompt=" in made.describe(SPANISH, ENGLISH)
    ChatTranslator("m", url).translate(["a"], SPANISH, ENGLISH)
    assert seen[-1][0].keys() > {"response_format", "seed", "temperature"}


def test_neither_text_nor_key_follows_a_redirection(serve, monkeypatch):
    monkeypatch.setenv(CHAT_KEY, "secret")
    elsewhere, seen = serve(lambda text, n: right(text))
    url, _ = serve(lambda text, n: (302, elsewhere))
    with pytest.raises(SpanbridgeError, match="302: redirections, here to .*, are not followed"):
        ChatTranslator("m", url).translate(["a"], SPANISH, ENGLISH)
    assert not seen


def test_in_a_running_event_loop(serve):
    """As in a notebook."""
    url, _ = serve(lambda text, n: right(text))

    async def cell():
        return ChatTranslator("m", url).translate(["a"], SPANISH, ENGLISH)

    with ThreadPoolExecutor(1) as pool:  # a browser of other tests may have a loop in this one
        assert pool.submit(asyncio.run, cell()).result()[0].text == "<a>"


def test_the_address_and_the_prompt_are_part_of_what_it_is():
    made = [ChatTranslator("m", f"http://localhost:1/{x}") for x in "ab"]
    assert len({m.describe(SPANISH, ENGLISH) for m in made}) == 2
    assert made[0].describe(SPANISH, ENGLISH) != made[0].describe(ENGLISH, SPANISH)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"url": "file:///etc/passwd"}, "no http address"),
        ({"url": "localhost:1"}, "no http address"),
        ({"url": "http://x:99999/v1"}, "no http address"),
        ({"url": "http://[bad/v1"}, "no http address"),
        ({"url": "http://user:pw@localhost/v1"}, "names a user"),
        ({"url": "http://a..b/v1"}, "no http address"),
        ({"url": "http://ex ample/v1"}, "no http address"),
        ({"url": "http://u:p/w@h/v1"}, r"^http://\*\*\*@h/v1 is no"),
        ({"leave_out": "stream"}, "no parameter is named 'stream'"),
        ({"tries": 0}, "out of range"),
        ({"seconds": 0.0}, "out of range"),
    ],
)
def test_refusals(options, why):
    with pytest.raises(SpanbridgeError, match=why):
        ChatTranslator("m", **options)


def test_licence():
    assert ChatTranslator("m").licence == "unknown"
    assert ChatTranslator("m", licence="Apache-2.0").licence == "Apache-2.0"


def test_a_language_whose_name_is_not_known():
    """The prompt then has the code."""
    prompt = ChatTranslator("m")._prompt(find_language("zu"), find_language("aer"))
    assert "from Zulu (zu) into the language with the code aer" in prompt


def test_command_pipeline_and_python_without_secrets(serve, spanbridge, tmp_path, monkeypatch):
    monkeypatch.setenv(CHAT_KEY, "secret-key")
    url, seen = serve(lambda text, n: (400, "no secret-key") if text == "Dos." else right(text))
    (tmp_path / "es.txt").write_text("Uno.\nDos.\n")
    options = {"model": "m", "url": f"{url}?api-key=hidden1", "leave_out": "seed", "pause": 0}
    step = {"translate": {"translator": {"chat": options}, "side": "target"}}
    given = {"languages": {"source": "en", "target": "es"}, "steps": [step]}
    (tmp_path / "p.yaml").write_text(json.dumps({"input": "es.txt", "output": "p.jsonl", **given}))
    told = spanbridge("run", "p.yaml").stderr + spanbridge("run", "--check", "p.yaml").stdout
    flags = [f"--translator-option={k}={v}" for k, v in options.items() if k != "model"]
    told += spanbridge(
        *"translate --source es.txt --from es --to en --original target -o c.jsonl".split(),
        *("--translator", "chat", "--translator-model", "m", *flags),
    ).stderr
    pairs = [SentencePair(str(n), EMPTY, raw_sentence(t)) for n, t in [(1, "Uno."), (2, "Dos.")]]
    result = Loaded([step], given["languages"]).run(pairs)
    result.save(tmp_path / "l.jsonl")
    files = {name: (tmp_path / f"{name}.jsonl").read_text() for name in "pcl"}
    assert len(set(files.values())) == 1
    assert "failed: the server: it answers 400" in files["p"]
    manifests = [(tmp_path / f"{name}.jsonl.run.json").read_text() for name in "pcl"]
    assert len({json.loads(text)["signature"] for text in manifests}) == 1
    assert "chat(m@http://127.0.0.1" in told
    assert {path for _, path, _ in seen} == {"/v1/chat/completions?api-key=hidden1"}
    for secret in ("hidden1", "secret-key"):
        assert secret not in f"{told}{manifests}{files}{result.reports}"
