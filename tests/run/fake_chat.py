"""A scripted server with OpenAI's interface (benchmarks/chat_server.py); a model that knows names.

No model runs. What is tested with it is the way of questions and answers, not the quality of any
model.
"""

import json
import re

from benchmarks.chat_server import CLOSE, HANG, Reply, says, serving

__all__ = ["CLOSE", "HANG", "Reply", "question", "same_words", "says", "serving"]


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
