"""A fake server with OpenAI's interface: what it answers is scripted; and a model that knows names.

No model runs. What is tested with it is the way of questions and answers, not the quality of any
model.
"""

import json
import re
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CLOSE, HANG = "close the connection", "say nothing"


def says(content, reason="stop", logprobs=None, usage=(10, 2)):
    """An answer of the interface."""
    choice = {"message": {"content": content}, "finish_reason": reason}
    if logprobs is not None:
        choice["logprobs"] = {"content": [{"token": t, "logprob": p} for t, p in logprobs]}
    counted = {"prompt_tokens": usage[0], "completion_tokens": usage[1]} if usage else {}
    return 200, json.dumps({"choices": [choice], **({"usage": counted} if usage else {})})


@contextmanager
def serving(answer):
    """The address of a server, and the bodies of its requests so far.

    Args:
        answer: function of a request's body, and of how many with the same messages came before,
            that returns (status, body), CLOSE or HANG.
    """
    seen, lock = [], threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                n = sum(body["messages"] == one["messages"] for one in seen)
                seen.append(body)
            found = answer(body, n)
            if found == HANG:
                time.sleep(1.5)
            if found in (HANG, CLOSE):
                self.close_connection = True
                return
            code, content = found
            data = content.encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", seen
    finally:
        server.shutdown()
        server.server_close()


def question(body):
    """What is asked, without examples."""
    return next(
        m["content"] for m in reversed(body["messages"]) if "\nTranslation: " in m["content"]
    )


def same_words(body, n=0):
    """A model for bitexts in which names are the same on both sides: always right."""
    if "\nTranslation: " not in body["messages"][-1]["content"]:
        return says("OK")  # the harmless request
    asked = question(body)
    if "<e" in asked:
        return says(_tagged(asked))
    lines = asked.split("\n")
    wanted = re.search(r"\[\[(.*?)\]\]", lines[0])[1]
    numbers = [
        int(line.partition(":")[0])
        for line in lines[3:]
        if re.search(r"\[\[(.*?)\]\]", line)[1] == wanted
    ]
    return says(json.dumps({"choice": numbers[0] if numbers else 0}))


def _tagged(asked):
    source, _, target = (line.partition(": ")[2] for line in asked.split("\n"))
    absent = []
    for number, words in re.findall(r"<e(\d+)>(.*?)</e\1>", source):
        tagged = re.sub(
            rf"(?<!\S){re.escape(words)}(?!\S)", f"<e{number}>{words}</e{number}>", target, count=1
        )
        absent += [int(number)] if tagged == target else []
        target = tagged
    return json.dumps({"text": target, "absent": absent})
