"""What chat models will be asked, and what that will cost: counted without asking them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spanbridge.chat.client import ChatClient

# Tokens of an answer beside the texts in it.
_ANSWER = 10


class Forecast:
    """Requests and tokens, by the client that would ask.

    Each dialogue counts with its first question, also where the answer is kept: that a model is
    asked again, with what was wrong with its answer, is not foreseen.
    """

    def __init__(self) -> None:
        self._asked: dict[ChatClient, Counter[str]] = {}

    def add(self, client: ChatClient, sent: Sequence[int], written: Sequence[int]) -> None:
        """Count questions.

        Args:
            client: who would ask them.
            sent: tokens of each.
            written: tokens of the texts in each answer; those that are not given have none.
        """
        received = _ANSWER * len(sent) + sum(written)
        own = self._asked.setdefault(client, Counter())
        own.update(requests=len(sent), sent=sum(sent), received=received)

    @property
    def requests(self) -> int:
        """Number of requests to all models."""
        return sum(own["requests"] for own in self._asked.values())

    @property
    def sent(self) -> int:
        """Tokens sent to all models."""
        return sum(own["sent"] for own in self._asked.values())

    def lines(self, share: float) -> list[str]:
        """For each client what it will ask, and what for, in a phrase.

        Args:
            share: number of rows that are to be forecast, for each of those that were counted.
        """
        return [
            client.cost(*(share * own[name] for name in ("requests", "sent", "received")))
            for client, own in self._asked.items()
        ]


_current: ContextVar[Forecast | None] = ContextVar("forecast", default=None)


def current() -> Forecast | None:
    """The forecast that is being made; None where models are asked."""
    return _current.get()


@contextmanager
def forecasting() -> Iterator[Forecast]:
    """Let nobody ask a chat model in the block, but count what would be asked.

    Each dialogue is :class:`~spanbridge.chat.client.Unanswered`.
    """
    found = Forecast()
    before = _current.set(found)
    try:
        yield found
    finally:
        _current.reset(before)
