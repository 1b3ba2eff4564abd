"""What a worker does, and what it says to the process that has started it."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator

from spanbridge.core.claims import Claims
from spanbridge.core.errors import NoteWarning, SpanbridgeError
from spanbridge.core.machine import used
from spanbridge.core.plugins import plugin_at_fault
from spanbridge.core.progress import silent
from spanbridge.run.costs import Costs
from spanbridge.run.job import Job, records
from spanbridge.run.making import Maker
from spanbridge.run.pools import Pool
from spanbridge.run.shard_store import Shards, StepFacts
from spanbridge.run.workers import TICK, Figures, Message


def messages(
    job: Job, pool: Pool, claims: Claims, given: Callable[[], Shards]
) -> Iterator[Message]:
    """What a worker does, and says meanwhile.

    Yields:
        ``facts``, those of its steps, by their numbers; ``examples``, digests of what they bring
        to learn from; ``costs``, what steps will ask of chat models, with their numbers; ``made``,
        as from :meth:`~spanbridge.run.workers.Crew.made`; ``used``, what the process has used;
        ``end``, the figures. Beside these a worker may say ``warning``, category and text, and
        ``error``, the exception.

    Args:
        pool: its steps.
        given: function that waits for the shards.
    """
    steps = dict(zip(pool.steps, job.open_steps(pool.steps), strict=True))
    yield "facts", {s: StepFacts.of(step) for s, step in steps.items()}
    shards = given()
    costs: list[tuple[int, str]] = []
    said = Costs(sum(shards.manifest.sizes), lambda n, text: costs.append((n, text)))
    maker = Maker(steps, shards, claims, silent, said)
    maker.open_examples()
    yield "examples", shards.examples
    yield "used", used()
    told = time.monotonic()
    for part in maker.make():
        if costs:
            yield "costs", costs.copy()
            costs.clear()
        yield "made", part
        if time.monotonic() - told >= TICK:
            yield "used", used()
            told = time.monotonic()
    yield "used", used()
    yield "end", Figures(maker.made, maker.learning, records(steps.values()))


def as_warning(message: Warning | str, category: type[Warning]) -> Message:
    """The message of a warning."""
    return "warning", (category if issubclass(category, NoteWarning) else UserWarning, str(message))


def as_error(error: Exception) -> Message:
    """The message of an error, as another process can raise it."""
    if isinstance(error, SpanbridgeError):
        return "error", error
    if (at_fault := plugin_at_fault(error)) is not None:
        return "error", SpanbridgeError(at_fault)
    error.add_note("".join(traceback.format_exception(error)).rstrip())
    return "error", error
