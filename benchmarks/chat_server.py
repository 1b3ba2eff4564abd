"""A loopback server with OpenAI's interface, for tests and studies: whoever starts it says how.

No model runs in it. What it answers is a function's business: a script of a test, or a
:class:`benchmarks.simulated_model.SimulatedModel`.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

Body = dict[str, Any]


class Reply(NamedTuple):
    """What a server does with a request.

    Attributes:
        status: of HTTP; 0 closes the connection without an answer.
        content: the answer.
        wait: seconds before it.
        headers: further headers.
    """

    status: int
    content: str = ""
    wait: float = 0.0
    headers: Mapping[str, str] = {}


CLOSE, HANG = Reply(0), Reply(0, wait=1.5)
# From a request, and how many with the same messages came before.
Answering = Callable[[Body, int], Reply | tuple[int, str]]


def says(
    content: str,
    reason: str = "stop",
    logprobs: Sequence[tuple[str, float]] | None = None,
    usage: tuple[int, int] | None = (10, 2),
) -> Reply:
    """An answer of the interface.

    Args:
        content: the text.
        reason: why it ends.
        logprobs: tokens with their natural log-probabilities.
        usage: tokens of request and answer; None for a server that does not count.
    """
    choice: dict[str, Any] = {"message": {"content": content}, "finish_reason": reason}
    if logprobs is not None:
        choice["logprobs"] = {"content": [{"token": t, "logprob": p} for t, p in logprobs]}
    found: dict[str, Any] = {"choices": [choice]}
    if usage is not None:
        found["usage"] = dict(zip(("prompt_tokens", "completion_tokens"), usage, strict=True))
    return Reply(200, json.dumps(found))


@contextmanager
def serving(answer: Answering, port: int = 0) -> Iterator[tuple[str, list[Body]]]:
    """The address of a server, and the bodies of its requests so far.

    Args:
        answer: what it answers.
        port: 0 takes one that is free.
    """
    seen: list[Body] = []
    before: Counter[str] = Counter()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            key = json.dumps(body["messages"])
            with lock:
                n = before[key]
                before[key] += 1
                seen.append(body)
            reply = Reply(*answer(body, n))
            time.sleep(reply.wait)
            if not reply.status:
                self.close_connection = True
                return
            data = reply.content.encode()
            with suppress(ConnectionError):  # who asked did not wait
                self.send_response(reply.status)
                for name, value in {**reply.headers, "Content-Length": str(len(data))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", seen
    finally:
        server.shutdown()
        server.server_close()
