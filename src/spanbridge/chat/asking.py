"""Questions to a chat model whose answers are checked, and asked for again with what was wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from spanbridge.chat.answer import Answer
from spanbridge.chat.client import Dialogue, Message
from spanbridge.chat.store import Store
from spanbridge.encode.cache import cache_folder

T = TypeVar("T")

REQUESTS = "requests_to_the_chat_model"
SENT, RECEIVED = "tokens_sent_to_the_chat_model", "tokens_received_from_the_chat_model"
UNUSABLE = "its answers could not be used"
# Characters of an answer that the model is shown again when it has to mend it.
_SHOWN = 4000


class FlawedError(ValueError):
    """An answer of which some can be used, if no better one comes.

    Attributes:
        found: what can be used.
    """

    def __init__(self, why: str, found: Any) -> None:
        super().__init__(why)
        self.found = found


def corrected(
    first: Sequence[Message], read: Callable[[Answer], T], tries: int, used: Counter[str]
) -> Dialogue[T | str]:
    """Ask until an answer can be used, each time with what was wrong with the one before.

    Args:
        first: the messages that ask.
        read: what an answer says; raises ValueError with what is wrong with it.
        tries: most questions.
        used: takes the number of requests, and of tokens.

    Returns:
        What was read; of answers of which only some can be used, the last one; or why there is
        none.
    """
    messages, found = first, None
    for _ in range(tries):
        answer = yield messages
        used.update({REQUESTS: 1, SENT: answer.sent, RECEIVED: answer.received})
        try:
            if answer.fault:
                raise ValueError(answer.fault)
            return read(answer)
        except ValueError as error:
            found = error.found if isinstance(error, FlawedError) else found
            said = answer.content[:_SHOWN] or "(nothing)"
            told = f"This cannot be used: {error}. Answer again, as you were told."
            messages = [
                *first,
                {"role": "assistant", "content": said},
                {"role": "user", "content": told},
            ]
    return UNUSABLE if found is None else found


def form(**properties: Any) -> dict[str, Any]:
    """The parameter of requests that asks for a JSON object with these properties."""
    schema = {"name": "answer", "strict": True, "schema": object_of(**properties)}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}


def object_of(**properties: Any) -> dict[str, Any]:
    """The schema of a JSON object that has these properties, and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def list_of(**properties: Any) -> dict[str, Any]:
    """The schema of a list of such objects."""
    return {"type": "array", "items": object_of(**properties)}


def only_object(answer: Answer, key: str, kind: type) -> dict[str, Any]:
    """The only JSON object of an answer that holds a value of a kind; ValueError if it is none."""
    whole = [one for one in answer.objects() if isinstance(one.get(key), kind)]
    found = [one for n, one in enumerate(whole) if one not in whole[:n]]
    if len(found) != 1:
        raise ValueError(f"it holds {len(found) or 'no'} JSON objects with {key!r}, not one")
    return found[0]


def kept(cache: str, *job: Any) -> Store:
    """The store of a job's answers: a file of its own in a folder.

    Args:
        cache: the folder; empty for the one in the user's cache folder.
        job: all that makes the job another one.
    """
    folder = Path(cache) if cache else cache_folder() / "chat"
    told = "|".join(map(str, job)).encode("utf-8", "backslashreplace")
    return Store(folder / f"{sha256(told).hexdigest()[:16]}.jsonl")
