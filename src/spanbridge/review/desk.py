"""All that a page of the review can ask for; it knows nothing of HTTP."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

import msgspec

from spanbridge.core.errors import InputError, RowError, SpanbridgeError
from spanbridge.core.progress import Progress, silent
from spanbridge.core.rows import REVIEW, SentencePair
from spanbridge.core.spans import Sentence
from spanbridge.formats.tokens import spans_in_text, with_text
from spanbridge.projection.boundaries import Convention
from spanbridge.report.page import LOW_SCORE
from spanbridge.report.palette import colour
from spanbridge.review.changes import Changes
from spanbridge.review.edits import checked_marks, clusters, given_marks, same_places, with_action
from spanbridge.review.index import RowIndex, status_of
from spanbridge.review.journal import (
    GOLD,
    STATUSES,
    Action,
    DecidedPlace,
    Decision,
    Head,
    Journal,
    Status,
    journal_path,
    text_digest,
)
from spanbridge.review.lists import Lists, Query
from spanbridge.review.row_claims import RowClaims
from spanbridge.review.source_sides import SourceSides
from spanbridge.review.teaching import Teaching

if TYPE_CHECKING:
    from spanbridge.run.result import Run

_LONGEST_COMMENT, _LONGEST_NAME = 10_000, 80  # characters
_NAMED = 5  # lines that a note names
ANONYMOUS = "annotator"


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An action as a page sends it; see :class:`~spanbridge.review.journal.Action`."""

    session: str
    key: str
    by: str
    row: int
    was: int
    do: str
    status: Status
    comment: str
    spans: list[tuple[int, int, str]]


class ConflictError(SpanbridgeError):
    """Somebody else has changed the row meanwhile, or holds it.

    Attributes:
        told: what the page is told: the row's present ``state``, or its ``holder``.
    """

    def __init__(self, why: str, told: dict[str, Any]) -> None:
        super().__init__(why)
        self.told = told


class Desk:
    """A file under review: its rows, its journal, and who has which row open.

    Args:
        path: the file.
        journal: path of its journal; None for the usual one.
        output: where the result is written when the page asks for it; None for nowhere.
        format: name of the result's format.
        projection: what the rows were projected to, for teaching, if no record tells; rows without
            a source have its sources in the result.
        clock: gives the time.

    Raises:
        InputError: the file, or the journal, is wrong, or they do not belong together.
    """

    def __init__(
        self,
        path: str,
        journal: str | None = None,
        output: str | None = None,
        format: str | None = None,
        projection: str | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.rows = RowIndex(path)
        self.output, self._format, self._clock = output, format, clock
        self._projection = projection
        self.lists = Lists(self.rows)
        self.journal = Journal(journal_path(path, journal, output))
        self._seen = 0  # actions that lists know of
        self._lock, self._writing = RLock(), RLock()
        for n, told in self.rows.reviews.items():
            status, by = status_of(told)
            self.lists.enter(n, status, by)
        own = Head(Path(path).name, len(self.rows), self.rows.digest)
        self._check(own)
        self.journal.begin(own)
        self.claims = RowClaims(Path(f"{self.journal.path}.claims"))
        others = (path, str(self.journal.path), *([] if output is None else [output]))
        self.teaching = Teaching(self.rows, self.journal, others, self._learn, projection)
        self._catch_up()

    def close(self) -> None:
        """End what is under way, give back rows, and close the journal."""
        self.teaching.close()
        self.claims.close()
        self.journal.close()

    def about(self) -> dict[str, Any]:
        """What a page needs before it shows any row."""
        return {
            "name": Path(self.rows.path).name,
            "journal": str(self.journal.path),
            "output": self.output,
            "rows": len(self.rows),
            "low": LOW_SCORE,
            "notes": self.notes(),
            "statuses": STATUSES,
            **self._now(),
        }

    def notes(self) -> list[str]:
        """What was noticed when the file was read."""
        if not (unknown := self.rows.unknown_reviews):
            return []
        lines = ", ".join(str(self.rows.line(n)) for n in unknown[:_NAMED])
        more = ", ..." if len(unknown) > _NAMED else ""
        rows = "1 row has a key" if len(unknown) == 1 else f"{len(unknown)} rows have a key"
        return [
            f"{rows} {REVIEW!r} that tells no status that is known, and count as open "
            f"(line {lines}{more})"
        ]

    def find(self, query: Query) -> dict[str, Any]:
        """A new list of rows."""
        self._catch_up()
        name, length = self.lists.find(query)
        return {"list": name, "length": length}

    def row(self, number: int) -> dict[str, Any]:
        """A row, from 1, with its state; if it is wrong, why. Raises SpanbridgeError for none."""
        self._check_number(number)
        try:
            pair = self.rows.row(number - 1)
            if (action := self.journal.state(number)) is not None:
                with_action(pair, action, self.journal.path)
        except InputError as error:
            return {"row": number, "error": str(error)}
        target = with_text(pair.target)
        raw = pair.target.text is not None and pair.target.offsets is not None
        links = pair.links
        scores = None if links is None else links.scores
        return {
            "row": number,
            "id": pair.id,
            "source": {**_side(with_text(pair.source)), "clusters": clusters(pair.source)},
            "target": {**_side(target), "clusters": clusters(pair.target)},
            "raw": raw,
            "links": [] if links is None else [list(link) for link in links.pairs],
            "link_scores": scores and [round(score, 3) for score in scores],
            "status": pair.status,
            "sure": pair.confidence,
            "state": self._state(number, pair),
            "taught": self._taught(number),
        }

    def act(self, asked: Asked) -> dict[str, Any]:
        """Do what a page asks for; when this returns, it is on the disk.

        Raises:
            ConflictError: the row is not as the page knows it, or somebody else holds it.
            SpanbridgeError: the action is wrong; nothing is done.
            InputError: the journal cannot be written; nothing is done.
        """
        self._check_number(asked.row)
        by = checked_name(asked.by)
        if len(asked.comment) > _LONGEST_COMMENT:
            raise RowError(f"comments have up to {_LONGEST_COMMENT} characters")
        pair = self.rows.row(asked.row - 1)
        with self._lock, self.journal.held():
            before = self.journal.state(asked.row)
            if before is None or before.key != asked.key:  # else it was sent again
                if holder := self.claims.take(asked.row, asked.session, by):
                    raise ConflictError(f"{holder} has row {asked.row} open", {"holder": holder})
                if asked.was != (0 if before is None else before.n):
                    state = self._state(asked.row, pair)
                    why = f"row {asked.row} has been changed by {state['by']}"
                    raise ConflictError(why, {"state": state})
                self.journal.add(self._action(asked, by, pair, before))
            self._catch_up()
        return {"state": self._state(asked.row, pair), **self._now()}

    def before(self, number: int, name: str) -> dict[str, Any]:
        """What somebody did last to a row, from 1, as far as it stands, and its state before.

        Raises SpanbridgeError if there is no such row.
        """
        self._check_number(number)
        name = checked_name(name)
        self._catch_up()
        pair = self.rows.row(number - 1)
        stand: list[Action | None] = [None]  # of those that were undone, none is here
        for action in self.journal.actions:
            if action.row == number and action.do != "undo":
                stand.append(action)
            elif action.row == number and len(stand) > 1:
                stand.pop()
        last = stand[-1]
        if last is None or last.by != name:
            return {"do": None, "state": None}
        return {"do": last.do, "state": self._state_after(stand[-2], number, pair)}

    def beat(self, session: str, name: str, row: int | None, since: int) -> dict[str, Any]:
        """Hold a row for a page, and tell it what others have done since action ``since``."""
        name = checked_name(name)
        self._catch_up()
        self.teaching.look()
        if row is None:
            self.claims.release(session)
            holder = None
        else:
            self._check_number(row)
            holder = self.claims.take(row, session, name)
        changed = {action.row for action in self.journal.since(since)}
        return {
            "holder": holder,
            "held": sorted(self.claims.others(session).items()),
            "changed": [self.lists.entry(n - 1) for n in sorted(changed)[:1000]],
            **self._now(),
        }

    def write(self, progress: Progress = silent) -> Run:
        """Write the result. Raises SpanbridgeError, InputError if that cannot be."""
        if self.output is None:
            raise SpanbridgeError("no file for the result was named; start review with -o FILE")
        from spanbridge.review.result import write_result  # what writes takes long to import

        states = self.states()
        made = self.journal.path, self.output, self._format
        with self._writing:  # which takes its time, while others go on
            lost = self._projection is not None and not self.rows.has_source_spans
            sources = SourceSides(self.rows, str(self._projection)) if lost else None
            return write_result(self.rows, states, *made, sources=sources, progress=progress)

    def teach(self) -> dict[str, Any]:
        """Project all rows anew that nobody has corrected, by what the corrections show.

        Raises SpanbridgeError, InputError as :meth:`Teaching.start`.
        """
        self.teaching.start()
        return self.teaching.plan()

    def decide(self, convention: Convention, place: DecidedPlace, by: str) -> dict[str, Any]:
        """Settle a convention that corrections show; when this returns, it is on the disk.

        Raises:
            SpanbridgeError: the name is none.
            InputError: the journal cannot be written.
        """
        self.journal.decide(Decision(convention, place, checked_name(by), self._time()))
        return self.teaching.plan()

    def _learn(self, changes: Changes) -> None:
        self.lists.changes = changes

    def states(self) -> dict[int, Action]:
        """The last action of each row, from 1."""
        return self.journal.states()

    def _time(self) -> str:
        return self._clock().astimezone(UTC).isoformat(timespec="seconds")

    def _action(self, asked: Asked, by: str, pair: SentencePair, before: Action | None) -> Action:
        given = given_marks(pair)
        at = self._time()
        marks = checked_marks(pair, asked.spans, given if before is None else before.spans, by, at)
        same = same_places(marks, given)
        status = asked.status
        if status in GOLD:
            status = "accepted" if same else "corrected"
        elif status in ("", "started"):
            status = "" if same and not asked.comment else "started"
        return Action(
            n=len(self.journal.actions) + 1,
            row=asked.row,
            id=pair.id,
            of=text_digest(pair.target.plain_text()),
            key=asked.key,
            by=by,
            at=at,
            do=asked.do,
            was=asked.was,
            status=status,
            comment=asked.comment,
            spans=marks,
        )

    def _state(self, number: int, pair: SentencePair) -> dict[str, Any]:
        """The present state of a row, from 1."""
        return self._state_after(self.journal.state(number), number, pair)

    def _state_after(
        self, action: Action | None, number: int, pair: SentencePair
    ) -> dict[str, Any]:
        """The state of a row after an action; None for that of the file."""
        scores = {span[:3]: span.score for span in spans_in_text(with_text(pair.target))}
        if action is None:
            status, by = status_of(self.rows.reviews.get(number - 1))
            told = self.rows.reviews.get(number - 1)
            known = told if isinstance(told, dict) else {}
            at, comment, marks, n = known.get("at"), known.get("comment"), given_marks(pair), 0
        else:
            status, by, at, comment = action.status, action.by, action.at, action.comment
            marks, n = action.spans, action.n
        return {
            "n": n,
            "status": status,
            "by": by or None,
            "at": at if isinstance(at, str) else None,
            "comment": comment if isinstance(comment, str) else "",
            "spans": [[*m.place, scores.get(m.place), m.by] for m in marks],
        }

    def _taught(self, number: int) -> list[list[Any]] | None:
        """The spans that the corrections give a row, from 1; None if these are its own."""
        changes = self.lists.changes
        after = None if changes is None else changes.after(number - 1)
        if after is None:
            return None
        return [[*span[:3], span.score] for span in spans_in_text(with_text(after.target))]

    def _now(self) -> dict[str, Any]:
        """What changes with every action."""
        return {
            "last": len(self.journal.actions),
            "counts": self.lists.counts(),
            "labels": [{"name": label, "colour": colour(label)} for label in self.lists.labels],
            "people": [name for name in self.lists.people if name],
            "teaching": self.teaching.told(),
        }

    def _catch_up(self) -> None:
        with self._lock:
            for action in self.journal.since(self._seen):
                self.lists.enter(action.row - 1, action.status, action.by, action)
                self._seen = action.n

    def _check(self, own: Head) -> None:
        """Check that the journal is about these rows, also if the file has changed since."""
        head = self.journal.head
        if head is None or head.sha256 == own.sha256:
            return
        for action in map(self.journal.state, sorted(self.journal.last)):
            if action is None:
                continue
            why = f"row {action.row} was {action.id} there, with another text; name another journal"
            pair = self.rows.row(action.row - 1) if action.row <= len(self.rows) else None
            of = "" if pair is None else text_digest(pair.target.plain_text())
            if pair is None or (pair.id, of) != (action.id, action.of):
                raise InputError(
                    self.journal.path, None, f"is the journal of another {head.review_of}: {why}"
                )
            with_action(pair, action, self.journal.path)

    def _check_number(self, number: int) -> None:
        if not 1 <= number <= len(self.rows):
            raise SpanbridgeError(f"there is no row {number}; there are {len(self.rows)}")


def checked_name(name: str) -> str:
    """A name of an annotator. Raises SpanbridgeError if it is none."""
    name = name.strip()
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise SpanbridgeError(f"{name[:90]!r} is no name; give up to {_LONGEST_NAME} characters")
    return name


def _side(sentence: Sentence) -> dict[str, Any]:
    return {
        "text": sentence.text,
        "words": sentence.offsets,
        "spans": [list(span[:3]) for span in spans_in_text(sentence)],
    }
