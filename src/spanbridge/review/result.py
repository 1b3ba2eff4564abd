"""The rows of a file with what people have made of them, written in any format."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from spanbridge.core.progress import Progress, Task, silent
from spanbridge.core.rows import REJECTED, REVIEW, SentencePair
from spanbridge.core.signature import signature
from spanbridge.formats import output_format
from spanbridge.review.edits import with_action
from spanbridge.review.index import RowIndex, status_of
from spanbridge.review.journal import GOLD, Action
from spanbridge.review.source_sides import SourceSides
from spanbridge.run.converting import write_rows
from spanbridge.run.result import Run, check_output, finish
from spanbridge.steps.account import Account

# What a rejected row is said to be.
_REJECTED = {
    "rejected-source": f"{REJECTED}the source is wrong (review)",
    "rejected-translation": f"{REJECTED}the translation is wrong (review)",
}
_UNKNOWN = "rows whose key review tells no status that is known, and which count as open"
_UNFINISHED = "rows with changes that were not accepted, which are written as they were"


def reviewed(pair: SentencePair, action: Action, journal: str | Path) -> SentencePair:
    """A row after a review: its key ``review`` says who has found what, and when.

    An accepted or corrected row has the spans of the review and no scores; a rejected one has none;
    any other is as it was.

    Raises:
        InputError: the spans do not fit the row, with the line of the journal.
    """
    about = {"status": action.status, "by": action.by, "at": action.at}
    if action.comment:
        about["comment"] = action.comment
    extra = {**pair.extra, REVIEW: about}
    if action.status in GOLD:
        return with_action(pair, action, journal)._replace(extra=extra)
    if action.status in _REJECTED:
        bare = pair.without_result()
        bare = bare._replace(target=bare.target.with_spans(()))
        return bare._replace(status=_REJECTED[action.status], extra=extra)
    return pair._replace(extra=extra)


def reviewed_rows(
    rows: RowIndex, states: dict[int, Action], journal: str | Path
) -> Iterator[tuple[str, SentencePair]]:
    """All rows, each with what came of it; ``states`` are the last actions by row, from 1."""
    for n, pair in enumerate(rows, 1):
        action = states.get(n)
        if action is None:
            yield _status_in(pair), pair
        else:
            yield (
                _REJECTED.get(action.status, action.status or "open"),
                reviewed(pair, action, journal),
            )


def corrected_rows(
    rows: RowIndex, states: dict[int, Action], journal: str | Path
) -> Iterator[tuple[int, SentencePair]]:
    """The rows that somebody has accepted or corrected, in this review or an earlier one.

    Each has its number, from 0.

    Raises InputError as :func:`reviewed_rows`.
    """
    for number in sorted({*states, *(n + 1 for n in rows.reviews)}):
        action = states.get(number)
        known, _ = status_of(rows.reviews.get(number - 1))
        if (known if action is None else action.status) in GOLD:
            pair = rows.row(number - 1)
            yield number - 1, pair if action is None else reviewed(pair, action, journal)


def write_result(
    rows: RowIndex,
    states: dict[int, Action],
    journal: str | Path,
    output: str,
    format: str | None = None,
    *,
    sources: SourceSides | None = None,
    progress: Progress = silent,
) -> Run:
    """Write the rows with their reviews.

    Args:
        rows: the file that was reviewed.
        states: the last action of each row, by its number from 1.
        journal: the journal that they stand in.
        output: the result.
        format: name of its format; None goes by its suffix, or else takes ``jsonl``.
        sources: source sides for rows that have none.
        progress: tells how far it is.

    Raises:
        InputError: a row of the file or of the journal is wrong, or the result cannot be written.
        SpanbridgeError: the result would overwrite the file; a row is none of those of ``sources``.
    """
    held = output_format(output, "jsonl", format)
    check_output(output, rows.path, also=held.beside(output))
    account = Account()
    found = reviewed_rows(rows, states, journal)
    if sources is not None:
        found = ((told, sources.whole(n, row)) for n, (told, row) in enumerate(found))
    done: Iterator[Any] = iter(progress(found, Task("write", len(rows))))
    write_rows(output, held, "target", "outer", done, account)
    account.note(_UNKNOWN, len(rows.unknown_reviews))
    account.note(_UNFINISHED, sum(action.status == "started" for action in states.values()))
    people = sorted({action.by for action in states.values()})
    line = signature({"task": "review", "to": held.name, "by": "+".join(people) or "nobody"})
    return finish(output, {"input": rows.path}, line, account, {}, beside=held.beside(output))


def _status_in(pair: SentencePair) -> str:
    """What a row says of an earlier review of it."""
    status, _ = status_of(pair.extra.get(REVIEW))
    return _REJECTED.get(status, status) or "open"
