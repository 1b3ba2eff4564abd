"""The client of chat models: dialogues side by side, tried again, kept on disk, within a budget."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from spanbridge.chat.answer import Answer
from spanbridge.chat.endpoint import Endpoint, ServerError, said_in
from spanbridge.chat.forecast import current
from spanbridge.chat.store import Price, Store, estimated_tokens, key_of
from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.similar import not_named

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")
Message = Mapping[str, str]
# What is asked of a model: it yields messages, is sent the answer to them, and returns what it
# makes of all answers.
Dialogue = Generator[Sequence[Message], Answer, T]

KEY = "SPANBRIDGE_CHAT_KEY"  # environment variable with the endpoint's key, if it wants one
# What is asked when a request fails, to tell if it was its content or all requests fail.
_PROBE = {"role": "user", "content": "Madrid."}


@dataclass(frozen=True)
class Unanswered:
    """In place of a dialogue's result: why there is none.

    Attributes:
        why: in words that many dialogues share, for counts.
    """

    why: str


class SpentError(ServerError):
    """The budget is spent."""

    def __init__(self) -> None:
        super().__init__("the budget is spent", again=False)


class ChatClient:
    """Holds dialogues with a chat model.

    The key, if the endpoint wants one, is taken from ``SPANBRIDGE_CHAT_KEY``. Redirections are not
    followed.

    Args:
        model: name by which the server knows it.
        url: base of the interface, such as ``http://localhost:11434/v1``.
        parameters: what each request holds beside model and messages.
        leave_out: those of ``parameters`` and ``optional`` that are left out, by name; several with
            commas between them, or as a list.
        optional: those, also of single batches, that are left out by itself once the server refuses
            them by name.
        tries: most requests for one answer, with growing pauses between them.
        seconds: time limit of a dialogue, for all its requests and pauses together.
        parallel: dialogues at the same time.
        pause: seconds before the second try, or more if the server asks for it; doubled before each
            further one.
        store: answers that are there already, and the place of new ones; None keeps none.
        price: what tokens cost.
        budget: most money that all answers of the store may cost together; dialogues that would
            need further ones are :class:`Unanswered` then. None for no limit.

    Attributes:
        model, parameters, tries, seconds, pause: as above.
        endpoint: the address.

    Raises:
        SpanbridgeError: the model's name is empty, the URL is not http(s), there is no such
            parameter, or a number is out of range.
    """

    def __init__(
        self,
        model: str,
        url: str,
        parameters: Mapping[str, Any],
        *,
        leave_out: str | Sequence[str] = "",
        optional: Sequence[str] = (),
        tries: int = 4,
        seconds: float = 120.0,
        parallel: int = 4,
        pause: float = 1.0,
        store: Store | None = None,
        price: Price | None = None,
        budget: float | None = None,
    ) -> None:
        key = os.environ.get(KEY, "")
        if not (key.isascii() and key.isprintable()):
            raise SpanbridgeError(f"{KEY} holds what no key does: a line break, another alphabet")
        if not model.strip():
            raise SpanbridgeError("the name of the chat model is empty; give the server's own")
        if tries < 1 or parallel < 1 or not seconds > 0 or pause < 0:
            raise SpanbridgeError(
                f"tries={tries}, parallel={parallel}, seconds={seconds}, pause={pause}: out of "
                "range"
            )
        if budget is not None and (not budget >= 0 or price is None or store is None):
            raise SpanbridgeError("a budget is at least 0, and needs the price of tokens")
        names = leave_out.split(",") if isinstance(leave_out, str) else leave_out
        left_out = {name.strip() for name in names} - {""}
        known = list(dict.fromkeys((*parameters, *optional)))
        if unknown := left_out - set(known):
            raise SpanbridgeError(f"leave_out: {not_named('parameter', min(unknown), known)}")
        self.endpoint = Endpoint(url, "/chat/completions", key)
        self.model = model
        self.parameters = {k: v for k, v in parameters.items() if k not in left_out}
        self.tries, self.seconds, self.parallel, self.pause = tries, seconds, parallel, pause
        self.refused: set[str] = set()
        self._optional, self._left_out = frozenset(optional), left_out
        self._store, self._price, self._budget = store, price, budget

    def describe(self) -> str:
        """Model, address and parameters; no key."""
        told = [f"{self.model}@{self.endpoint.name}"]
        told += [
            f"{name}={value['type'] if isinstance(value, dict) else value}"
            for name, value in self.parameters.items()
        ]
        return ",".join(told)

    def cost(self, requests: float, sent: float, received: float) -> str:
        """What so many requests and tokens cost, in a phrase."""
        told = (
            f"about {requests:,.0f} requests to {self.model}@{self.endpoint.name}, {sent:,.0f} "
            f"tokens sent and {received:,.0f} received"
        )
        if self._price is not None:
            told += f", {self._price.of(sent, received):,.4g} by the price given"
        if self._budget is not None:
            told += f" (the budget is {self._budget:,g})"
        return f"{told}; answers that are kept from earlier runs cost nothing again"

    def hold(
        self,
        dialogues: Sequence[Dialogue[T]],
        further: Mapping[str, Any] | None = None,
        written: Sequence[int] = (),
    ) -> list[T | Unanswered]:
        """Hold dialogues, several at the same time; as deterministic as the server is.

        Args:
            dialogues: the dialogues.
            further: parameters of these requests beside those of all.
            written: about how many tokens of text each answer holds, for forecasts.

        Raises:
            SpanbridgeError: the server refuses every request alike (no such model, no right to it,
                a parameter), or does not answer any.
        """
        from anyio.from_thread import start_blocking_portal

        if (forecast := current()) is not None:
            forecast.add(self, [_tokens_of(_first_messages(d)) for d in dialogues], written)
            return [Unanswered("not asked") for _ in dialogues]
        if not dialogues:
            return []
        own = {k: v for k, v in (further or {}).items() if k not in self._left_out}
        # A thread of its own has the event loop, since the caller's may run one (a notebook). An
        # interruption of the caller cancels all requests in it.
        with start_blocking_portal() as portal:
            return portal.call(self._all, dialogues, {**self.parameters, **own})

    async def _all(
        self, dialogues: Sequence[Dialogue[T]], parameters: dict[str, Any]
    ) -> list[T | Unanswered]:
        from anyio import create_task_group

        found: list[T | Unanswered] = [Unanswered("not asked")] * len(dialogues)
        todo = iter(list(enumerate(dialogues)))
        stopped: list[SpanbridgeError] = []
        async with self.endpoint.open() as client, create_task_group() as tasks:
            asking = _Asking(self, client, parameters)

            async def work() -> None:
                for n, dialogue in todo:
                    try:
                        found[n] = await asking.one(dialogue)
                    except SpanbridgeError as error:
                        stopped.append(error)
                        tasks.cancel_scope.cancel()
                        return

            for _ in range(min(self.parallel, len(dialogues))):
                tasks.start_soon(work)
        if stopped:
            raise stopped[0]
        return found

    def known(self, key: bytes) -> Answer | None:
        """The answer to a request that was made before."""
        return None if self._store is None else self._store.get(key)

    def keep(self, key: bytes, answer: Answer, body: Mapping[str, Any]) -> Answer:
        """Keep an answer; tokens that the server did not count are estimated."""
        if not answer.sent:
            answer = replace(answer, sent=_tokens_of(body["messages"]))
        if not answer.received:
            answer = replace(answer, received=estimated_tokens(answer.content))
        if self._store is not None:
            self._store.put(key, answer)
        return answer

    def check_budget(self) -> None:
        """Raise SpentError if nothing more may be asked."""
        if self._budget is None or self._store is None or self._price is None:
            return
        self._store.refresh()
        if self._price.of(self._store.sent, self._store.received) >= self._budget:
            raise SpentError

    def to_leave_out(self, error: ServerError, body: Mapping[str, Any]) -> set[str]:
        """Optional parameters of a request that the server refuses by name."""
        if error.again:
            return set()
        return {name for name in _named(error, self._optional) if name in body}

    def advice(self, error: ServerError) -> str:
        """How to leave out a parameter that a server refuses, if it names one."""
        named = _named(error, {**self.parameters, **dict.fromkeys(self._optional)})
        return f" (the option leave_out={','.join(named)} leaves it out)" if named else ""


class _Asking:
    """The requests of one batch.

    Args:
        made: the client that they are made by.
        client: open connections.
        parameters: what each holds beside model and messages.
    """

    def __init__(
        self, made: ChatClient, client: httpx.AsyncClient, parameters: dict[str, Any]
    ) -> None:
        from anyio import Lock

        self._made, self._client, self._parameters = made, client, parameters
        self._probing = Lock()

    async def one(self, dialogue: Dialogue[T]) -> T | Unanswered:
        """The result of one dialogue.

        Raises:
            SpanbridgeError: the server does not answer a harmless request either, so that it is
                not this one's fault.
        """
        last: list[Message] = []
        try:
            return await self._held(dialogue, last)
        except SpentError as error:
            return Unanswered(error.why)
        except ServerError as error:
            async with self._probing:
                made = self._made
                try:
                    await self._answered(self._body([*last[:1], _PROBE]), made.seconds)
                except ServerError as general:
                    where = made.endpoint.name
                    advice = made.advice(general)
                    raise SpanbridgeError(f"{where}: {general.why}{advice}") from general
            return Unanswered(f"the server: {error.brief}")
        finally:
            dialogue.close()

    async def _held(self, dialogue: Dialogue[T], last: list[Message]) -> T:
        """Hold a dialogue; ``last`` takes its latest messages."""
        from anyio import current_time, sleep

        made = self._made
        end = current_time() + made.seconds
        asked: Counter[bytes] = Counter()
        messages = next(dialogue)
        while True:
            last[:] = messages
            body = self._body(messages)
            same = key_of(made.endpoint.name, body)
            key = key_of(same.hex(), asked[same])
            answer = made.known(key)
            if answer is None:
                made.check_budget()
                left = end - current_time()
                if asked[same]:  # the same once more: the server may have been at fault
                    wait = made.pause * 2 ** min(asked[same] - 1, 30)
                    left -= wait
                    await sleep(wait if left > 0 else 0)
                if left <= 0:
                    raise ServerError(f"no sound answer within {made.seconds:g} seconds")
                found = await self._answered(body, left)
                answer = made.keep(key, found, body)
            asked[same] += 1
            try:
                messages = dialogue.send(answer)
            except StopIteration as stopped:
                return stopped.value  # type: ignore[no-any-return]  # a generator's own

    def _body(self, messages: Sequence[Message]) -> dict[str, Any]:
        return {"model": self._made.model, "messages": list(messages), **self._parameters}

    async def _answered(self, body: dict[str, Any], seconds: float) -> Answer:
        """Ask until there is an answer, for as many times and as long as is allowed."""
        from anyio import current_time, fail_after, sleep

        made, attempt = self._made, 0
        try:
            with fail_after(seconds) as whole:
                while True:
                    attempt += 1
                    try:
                        return await self._post(body)
                    except ServerError as failure:
                        if refused := made.to_leave_out(failure, body) - made.refused:
                            made.refused |= refused
                            attempt -= 1
                            continue
                        wait = max(made.pause * 2 ** min(attempt - 1, 30), failure.wait)
                        late = current_time() + wait >= whole.deadline
                        if attempt >= made.tries or late or not failure.again:
                            raise
                    await sleep(wait)
        except TimeoutError as error:
            told = f"no complete answer within {made.seconds:g} seconds"
            raise ServerError(told) from error

    async def _post(self, body: Mapping[str, Any]) -> Answer:
        endpoint = self._made.endpoint
        sent = {k: v for k, v in body.items() if k not in self._made.refused}
        raw = await endpoint.post(self._client, sent)
        try:
            return Answer.of(raw)
        except ValueError as error:
            words = endpoint.words(said_in(raw))
            raise ServerError(f"{error}: {words}", str(error)) from error


def _named(error: ServerError, names: Iterable[str]) -> list[str]:
    """Those of some parameters that a server names in its refusal."""
    why = error.why.replace(" ", "_")
    return [name for name in names if name in why]


def _tokens_of(messages: Sequence[Message]) -> int:
    """About how many tokens messages have."""
    return sum(4 + estimated_tokens(message["content"]) for message in messages)


def _first_messages(dialogue: Dialogue[Any]) -> Sequence[Message]:
    """What a dialogue begins with; it is over then."""
    try:
        return next(dialogue)
    finally:
        dialogue.close()
