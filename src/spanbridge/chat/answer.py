"""Answers of chat models: what they say, what they cost, and the JSON in them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# Reasons to end that are no fault, by the names of several servers; None where one gives none.
_DONE = (None, "", "stop", "eos", "eos_token", "end_turn", "stop_sequence")
_THOUGHT = r"think|thinking|thought|reasoning"
_THOUGHTS = (
    re.compile(rf"<({_THOUGHT})>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE),
    re.compile(rf"\[({_THOUGHT})\].*?(?:\[/\1\]|\Z)", re.DOTALL | re.IGNORECASE),
    # templates that open the thoughts themselves leave only their end in the answer
    re.compile(rf"\A.*(?:</(?:{_THOUGHT})>|\[/(?:{_THOUGHT})\])", re.DOTALL | re.IGNORECASE),
)
_MOST_STARTS = 300  # places of an answer where a JSON object is looked for
# models write line breaks into strings
_DECODER = json.JSONDecoder(strict=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a chat model.

    Attributes:
        content: its text.
        fault: why it is not to be used; empty for a whole answer.
        sent, received: tokens of the request and of the answer, as the server counts them; 0 if it
            does not.
        logprobs: tokens of the text with their natural log-probabilities, if the server gives them.
    """

    content: str
    fault: str = ""
    sent: int = 0
    received: int = 0
    logprobs: tuple[tuple[str, float], ...] = ()

    @classmethod
    def of(cls, answer: Any) -> Answer:
        """The answer in a decoded one of OpenAI's interface. Raises ValueError if it is none."""
        try:
            choice = answer["choices"][0]
            message, finished = choice["message"], choice.get("finish_reason")
            content, refusal = message["content"], message.get("refusal")
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise ValueError("it does not answer as OpenAI's interface does") from error
        if isinstance(content, list):  # parts, of which thoughts have no text
            content = "".join(str(p.get("text", "")) for p in content if isinstance(p, dict))
        content = content if isinstance(content, str) else ""
        fault = ""
        if refusal:
            fault = "the model refuses"
        elif finished not in _DONE:
            name = isinstance(finished, str) and re.fullmatch(r"\w{1,30}", finished)
            fault = f"the model did not end ({finished if name else 'for a reason of its own'})"
        elif not content.strip():
            fault = "the model's answer is empty"
        sent, received = (_count(answer, k) for k in ("prompt_tokens", "completion_tokens"))
        return cls(content, fault, sent, received, tuple(_logprobs(choice)))

    def objects(self) -> list[dict[str, Any]]:
        """The JSON objects in the text, wherever they stand: between fences, after thoughts."""
        text = without_thoughts(self.content)
        found, at = [], 0
        for _ in range(_MOST_STARTS):
            at = text.find("{", at)
            if at < 0:
                break
            try:
                value, at = _DECODER.raw_decode(text, at)
            except (ValueError, RecursionError):
                at += 1
                continue
            found.append(value)
        return found


def without_thoughts(text: str) -> str:
    """A text without what a model wrote down while it thought."""
    for thought in _THOUGHTS:
        text = thought.sub("", text)
    return text


def _count(answer: Any, name: str) -> int:
    usage = answer.get("usage")
    n = usage.get(name) if isinstance(usage, dict) else 0
    return n if type(n) is int and 0 <= n < 1 << 40 else 0


def _logprobs(choice: Any) -> Iterator[tuple[str, float]]:
    """Yield tokens and their log-probabilities; nothing if there are none that make sense."""
    given = choice.get("logprobs")
    tokens = given.get("content") if isinstance(given, dict) else None
    for token in tokens if isinstance(tokens, list) else ():
        token = token if isinstance(token, dict) else {}
        text, value = token.get("token"), token.get("logprob")
        if isinstance(text, str) and isinstance(value, int | float) and value <= 0:
            yield text, float(value)
