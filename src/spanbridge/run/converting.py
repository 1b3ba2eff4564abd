"""Conversion of a file of rows from one format to another, row by row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import alone
from spanbridge.core.progress import Progress, Task, silent
from spanbridge.core.rows import OTHER, SentencePair, Side
from spanbridge.core.signature import signature
from spanbridge.core.spans import Nested
from spanbridge.formats import Counts, Format, Reading, find_format, output_format
from spanbridge.formats.base import DEFAULT_READING
from spanbridge.formats.losses import losses, sides, without_misfits
from spanbridge.formats.reading import read_by, with_position
from spanbridge.run.result import Run, check_output, finish, open_result
from spanbridge.steps.account import Account

CONVERTED = "converted"
# Rows among which one with words is looked for, to tell the side.
_HEAD = 1000


def convert(
    source: str,
    output: str,
    side: Side | None = None,
    how: Reading = DEFAULT_READING,
    *,
    format: str | None = None,
    nested: Nested | None = None,
    progress: Progress = silent,
) -> Run:
    """Write the rows of a file in another format, and count what that cannot hold.

    Rows that cannot be written at all are rejected: rows without words take their places.

    Args:
        source: the file; ``-`` for standard input.
        output: the result.
        side: side that is written if the result holds one, and on which single sentences are put;
            None is the target, or the source if the first row with words has no target.
        how: settings for reading; its ``format`` names that of the source.
        format: name of the result's format; None goes by its suffix, or else takes ``jsonl``.
        nested: of spans that overlap, those to write if the format holds one layer of them; None
            is ``outer``.
        progress: tells how far it is.

    Raises:
        InputError: the source is wrong, or the result cannot be written; there is no result then.
        SpanbridgeError: a setting is wrong.
    """
    held = output_format(output, "jsonl", format)
    if nested is not None and (held.holds_nested or not held.holds_spans):
        why = "nested chooses the spans for a format that holds one layer of them; "
        raise SpanbridgeError(f"{why}{held.name} does not, so leave it out")
    check_output(output, source, also=held.beside(output))
    with alone(output):
        return _convert(source, output, side, how, held, nested or "outer", progress)


def _convert(
    source: str,
    output: str,
    side: Side | None,
    how: Reading,
    held: Format,
    nested: Nested,
    progress: Progress,
) -> Run:
    counts, account = Counts(), Account()
    found = find_format(source, name=how.format, default="text", sniff=True)
    read = found.read(source, side or "target", how, counts)
    given = with_position(read, source, counts)
    head = _head(given)
    line, last = head[-1]
    if not last.target.words and last.source.words and side is None:
        side = "source"
    side = side or "target"
    if last.side(OTHER[side]).words and not last.side(side).words and len(sides(held, side)) == 1:
        raise InputError(source, line, f"has no {side} side; write the {OTHER[side]} (--side)")
    rows = progress(chain(head, given), Task("convert"))
    write_rows(output, held, side, nested, ((CONVERTED, pair) for _, pair in rows), account)
    account.notes = counts.notes() | account.notes
    told = {"task": "convert", "from": found.name, "to": held.name, "side": side, "nested": nested}
    made_by = signature(told | read_by([found], how))
    return finish(output, {"input": source}, made_by, account, {}, beside=held.beside(output))


def write_rows(
    output: str,
    held: Format,
    side: Side,
    nested: Nested,
    rows: Iterable[tuple[str, SentencePair]],
    account: Account,
) -> None:
    """Write rows of any kind in a format, and count what that cannot hold.

    Args:
        output: the result.
        held: its format.
        side: side that is written if the format holds one.
        nested: of spans that overlap, those to write if the format holds one layer.
        rows: the rows, each with its status for the account.
        account: counts to update; rows that cannot be written are rejected.
    """
    with open_result(output, held.name, side, lambda: account, nested=nested) as write:
        for number, (status, pair) in enumerate(rows, 1):
            account.enter(pair, status)
            for what, n in losses(pair, number, held, side):
                if n:
                    account.note(what, n)
            write(without_misfits(pair, held), status)


def _head(rows: Iterator[tuple[int, SentencePair]]) -> list[tuple[int, SentencePair]]:
    """The first rows, up to the first one with words: at least one, or reading it is an error."""
    head = []
    for one in rows:
        head.append(one)
        if one[1].source.words or one[1].target.words or len(head) == _HEAD:
            break
    return head
