"""What two annotators of one file have made of the same rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.rows import SentencePair
from spanbridge.evaluation import Agreement, agreement
from spanbridge.review.edits import with_action
from spanbridge.review.index import RowIndex
from spanbridge.review.journal import GOLD, Action, read_journal, text_digest

# An annotator's last action on each row, from 1, and the journal that it stands in.
Work = dict[int, tuple[Action, str]]


def work_of(rows: RowIndex, journals: Sequence[str]) -> dict[str, Work]:
    """The rows that each annotator found right or made right, as he left them last.

    Args:
        rows: the file.
        journals: its journals. Of one, each annotator is told apart; of several, each journal is
            one annotator's, whoever else has helped, and has the name of its file where two would
            have the same.

    Raises:
        InputError: a journal cannot be read, or is about other rows.
    """
    found: dict[str, Work] = {}
    for path in journals:
        _, actions = read_journal(path)
        own: dict[str, Work] = {}
        for action in actions:
            name = action.by if len(journals) == 1 else ""
            own.setdefault(name, {})[action.row] = action, path
        if len(journals) > 1:
            people = "+".join(sorted({action.by for action in actions})) or Path(path).name
            name = people if people not in found else f"{people} ({Path(path).name})"
            own = {name: own.get("", {})}
        for name, last in own.items():
            found[name] = {n: one for n, one in sorted(last.items()) if one[0].status in GOLD}
            _check(rows, found[name], path)
    return found


def agreements(rows: RowIndex, work: dict[str, Work]) -> list[Agreement]:
    """The agreement of each two annotators who have rows in common.

    Raises SpanbridgeError if there are none.
    """
    found = []
    for names in combinations(work, 2):
        both = [(one.target, other.target) for one, other in common(rows, work, *names)]
        if both:
            found.append(agreement(both, names))
    if not found:
        told = ", ".join(f"{name} has done {len(own)} rows" for name, own in work.items())
        raise SpanbridgeError(
            f"no row has been accepted or corrected by two annotators ({told or 'nobody has'}); "
            "give each a journal of their own (--journal), and both journals here"
        )
    return found


def common(
    rows: RowIndex, work: dict[str, Work], one: str, other: str
) -> Iterator[tuple[SentencePair, SentencePair]]:
    """The rows that two annotators have done, as each has left them."""
    for n in sorted(work[one].keys() & work[other].keys()):
        pair = rows.row(n - 1)
        first, second = (
            with_action(pair, action, journal)._replace(status=action.status)
            for action, journal in (work[one][n], work[other][n])
        )
        yield first, second


def _check(rows: RowIndex, work: Work, path: str) -> None:
    for n, (action, _) in work.items():
        text = rows.row(n - 1).target.plain_text() if n <= len(rows) else None
        if text is None or text_digest(text) != action.of:
            why = f"is about other rows than {rows.path}: row {n} ({action.id}) differs"
            raise InputError(path, None, why)
