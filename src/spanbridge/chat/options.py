"""The options that all parts share which ask a chat model, and the client that they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from spanbridge.chat.asking import kept
from spanbridge.chat.client import ChatClient
from spanbridge.chat.store import Price, Store

URL = "http://localhost:11434/v1"


class ChatOptions(TypedDict, total=False):
    """Options of a part that asks a chat model, as :class:`ChatSettings` explains them."""

    licence: str
    leave_out: str | list[str]
    tries: int
    seconds: float
    parallel: int
    pause: float
    cache: str
    price: str | float | None
    budget: float | None


@dataclass(frozen=True)
class ChatSettings:
    """How a chat model is asked.

    The key, if the endpoint wants one, is taken from ``SPANBRIDGE_CHAT_KEY``; redirections are not
    followed.

    Attributes:
        model: name by which the server knows it.
        url: base of its OpenAI-compatible interface.
        licence: of the model, for the record.
        leave_out: parameters of requests that the server refuses, by name, with commas between them
            or as a list; it is found out where the server names the parameter.
        tries: most requests for an answer, and most answers to a question.
        seconds, parallel, pause: as in :class:`~spanbridge.chat.client.ChatClient`.
        cache: folder for answers; by default one in the user's cache folder.
        price: money for a million tokens sent, and received: ``0.15/0.60``, or one number.
        budget: most money that is spent, at that price, on the same job and cache; what was spent
            in earlier runs counts.
    """

    model: str
    url: str = URL
    licence: str = "unknown"
    leave_out: str | list[str] = ""
    tries: int = 3
    seconds: float = 120.0
    parallel: int = 4
    pause: float = 1.0
    cache: str = ""
    price: str | float | None = None
    budget: float | None = None

    def client(
        self, parameters: Mapping[str, Any], optional: Sequence[str] = (), job: Sequence[Any] = ()
    ) -> ChatClient:
        """A client.

        Args:
            parameters, optional: as in :class:`~spanbridge.chat.client.ChatClient`.
            job: all that makes the job another one, whose answers are kept in a file of their own;
                none keeps none.

        Raises:
            SpanbridgeError: a setting is out of range.
        """
        return ChatClient(
            self.model,
            self.url,
            parameters,
            leave_out=self.leave_out,
            optional=optional,
            tries=self.tries,
            seconds=self.seconds,
            parallel=self.parallel,
            pause=self.pause,
            store=kept(self.cache, *job) if job else Store(None),
            price=None if self.price is None else Price.parse(self.price),
            budget=self.budget,
        )
