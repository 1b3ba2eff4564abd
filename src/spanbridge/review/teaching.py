"""Rows that nobody has corrected, projected anew beside a review by what its corrections show.

That is what ``project --corrections`` does, under the settings that the file's record tells, in a
process of its own. The result goes to a file beside the reviewed one, which appears whole or not at
all; the reviewed file and its journal stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from threading import RLock, Thread
from typing import Any, Literal, TypeVar

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.files import alone, real_path
from spanbridge.core.processes import Worker, end, start
from spanbridge.core.progress import Notice, Proposal, Task, View, watched
from spanbridge.core.rows import SentencePair
from spanbridge.review.changes import Changes
from spanbridge.review.index import RowIndex
from spanbridge.review.journal import Journal
from spanbridge.review.recipe import Origin, origin_of, recipe_of
from spanbridge.review.source_sides import SourceSides
from spanbridge.review.switches import Switches, with_decisions

State = Literal["none", "running", "failed", "done"]
T = TypeVar("T")
# What of a signature does not depend on corrections.
_PARTS = ("aligner", "method", "speed", "words", "version")
_SOON = 0.3  # seconds between two messages of how far it is


class Teaching:
    """The projection anew of a file under review: at most one at a time.

    Args:
        rows: the file.
        journal: its journal.
        others: files that the result must not overwrite.
        learn: function that is told of a result when there is one.
        projection: what the rows were projected to, if no record beside them tells.

    Attributes:
        output: the result.
        corrections: file of the corrected rows by which it was made.
        whole: file of the rows with the source that they had, if they have lost it.
    """

    def __init__(
        self,
        rows: RowIndex,
        journal: Journal,
        others: Iterable[str],
        learn: Callable[[Changes], None],
        projection: str | None = None,
    ) -> None:
        self._rows, self._journal = rows, journal
        self._learn, self._projection = learn, projection
        stem = rows.path.removesuffix(".jsonl")
        self.output, self.corrections = f"{stem}.taught.jsonl", f"{stem}.corrections.jsonl"
        self.whole = f"{stem}.whole.jsonl"
        self._sources: SourceSides | None = None
        self._projected = rows.path
        if projection is not None:
            self._origin()  # which says at once if it is none
        self._switches = Switches()
        self._others = {real_path(path): path for path in others}
        self._lock = RLock()
        self._worker: Worker | None = None
        self._looked = self._closed = False
        self._state: State = "none"
        self._told: dict[str, Any] = {}
        self._said: list[str] = []
        self._made = 0

    def told(self) -> dict[str, Any]:
        """What a page shows of it: ``state``; how far it is, what was said, what went wrong."""
        with self._lock:
            return {"state": self._state, "made": self._made, **self._told}

    def plan(self) -> dict[str, Any]:
        """The same with where the result goes, or ``why`` there can be none, and what was said.

        With ``guidelines``, the conventions that corrections show (:class:`Switches`).
        """
        told: dict[str, Any] = {"why": None, "guidelines": [], "origin": Path(self._rows.path).name}
        try:
            origin = self._origin()
            recipe = recipe_of(origin)
            self._check_names(origin)
            self._find_sources(origin)
            told |= {
                "origin": Path(origin.path).name,
                "guidelines": self._switches.told(self._corrected(), self._journal, recipe),
            }
        except SpanbridgeError as error:
            told["why"] = str(error)
        names = {"output": Path(self.output).name, "corrections": Path(self.corrections).name}
        with self._lock:
            said = list(self._said)
        there = Path(self.output).exists()
        return {**self.told(), **names, **told, "replaces": there, "said": said}

    def look(self) -> None:
        """Look, once, whether there is a result of an earlier time; it is read in a thread."""
        with self._lock:
            if self._looked or self._state != "none":
                return
            self._looked = True
        if Path(self.output).exists():
            Thread(target=self._read, args=("none",), daemon=True).start()

    def start(self) -> None:
        """Begin; the work goes on when this returns.

        Raises:
            SpanbridgeError: it goes on already; the file's record does not tell how it was made, or
                that learns nothing from corrections; or nothing is corrected yet.
            InputError: the files cannot be written.
        """
        from spanbridge.formats import write_pairs

        with self._lock:
            if self._state == "running":
                raise SpanbridgeError("the rows are being projected anew already")
            origin = self._origin()
            settings = self._settings(origin)
            gold = list(self._corrected())
            if not gold:
                raise SpanbridgeError("no row is accepted or corrected yet, so nothing is taught")
            with alone(self.output):  # or another server's is under way
                write_pairs(self.corrections, gold, format="jsonl")
            ours, theirs = Pipe(duplex=False)
            lost = None if self._sources is None else (self._rows.path, origin.path)
            self._worker = start(_project, (settings, lost, theirs), 0, 1)
            theirs.close()
            self._looked, self._projected = True, origin.path
            self._state, self._told = "running", {"doing": "load the models", "rows": len(gold)}
            self._said = []
        Thread(target=self._listen, args=(ours, self._worker), daemon=True).start()

    def close(self) -> None:
        """End what is under way; no half of a result is left."""
        with self._lock:
            self._closed = True
            if self._worker is not None:
                end(self._worker)

    def _listen(self, talk: Connection, worker: Worker) -> None:
        """Take what the process says until it ends."""
        last: tuple[str, Any] = "failed", "the process that projects has ended without a word"
        with suppress(EOFError, OSError), talk:
            while True:
                kind, told = talk.recv()
                if kind in ("done", "failed"):
                    last = kind, told
                    continue
                with self._lock:
                    if kind == "said":
                        self._said.append(told)
                    else:
                        self._told |= told
        worker.join()
        with self._lock:
            self._worker = None
            if self._closed:
                return
            if last[0] == "failed":
                self._state, self._told = "failed", {"error": last[1]}
                return
            self._said += _other_parts(self._projected, self.output)
        self._read("running")

    def _read(self, before: State) -> None:
        """Take the result that is there, unless the state has changed meanwhile."""
        try:
            found: Changes | SpanbridgeError = Changes(self._rows, self.output)
        except SpanbridgeError as error:
            found = error
        with self._lock:
            if self._state != before:
                return
            if isinstance(found, SpanbridgeError):
                self._state, self._told = "failed", {"error": f"{found}; teach again"}
                return
            self._learn(found)
            self._state, self._told = "done", {"changed": len(found)}
            self._made += 1

    def _origin(self) -> Origin:
        """Where the rows are from. Raises SpanbridgeError if nothing tells."""
        return origin_of(self._rows.path, self._rows.digest, self._projection)

    def _find_sources(self, origin: Origin) -> None:
        """Open what rows that have lost their source are from.

        Raises SpanbridgeError, InputError as :class:`SourceSides`.
        """
        itself = real_path(origin.path) == real_path(self._rows.path)
        if not (self._rows.has_source_spans or itself or self._sources):
            self._sources = SourceSides(self._rows, origin.path)

    def _corrected(self) -> Iterator[SentencePair]:
        """The corrected rows, each with its source."""
        from spanbridge.review.result import corrected_rows  # what writes takes long to import

        for n, pair in corrected_rows(self._rows, self._journal.states(), self._journal.path):
            yield pair if self._sources is None else self._sources.whole(n, pair)

    def _check_names(self, origin: Origin) -> None:
        """Raise SpanbridgeError if a result would overwrite another file."""
        others = {real_path(origin.path): origin.path, **self._others}
        for path in (self.output, self.corrections, self.whole):
            if (other := others.get(real_path(path))) is not None:
                raise SpanbridgeError(f"{other} is where the result would go; name another file")

    def _settings(self, origin: Origin) -> dict[str, Any]:
        """The run as a pipeline file would have it. Raises SpanbridgeError if there can be none."""
        recipe = recipe_of(origin)
        self._check_names(origin)
        self._find_sources(origin)
        project = with_decisions(recipe["project"], self._journal.decisions)
        steps = [{"project": {**project, "corrections": self.corrections}}, *recipe["after"]]
        source = self._rows.path if self._sources is None else self.whole
        return {
            **recipe["settings"],
            "input": {"source": source},
            "output": self.output,
            "output_format": "jsonl",
            "steps": steps,
        }


def _other_parts(path: str, output: str) -> Iterator[str]:
    """What made one result and not the other, although the settings are the same.

    It is another version of a part, or of the package.
    """
    from spanbridge.run.result import read_manifest

    with suppress(SpanbridgeError):
        lines = [str((read_manifest(one) or {}).get("signature")) for one in (path, output)]
        before, now = (dict(part.partition(":")[::2] for part in line.split("|")) for line in lines)
        for name in _PARTS:
            if before.get(name) != now.get(name):
                yield f"{name} is not what made {path}: {now.get(name)}, there {before.get(name)}"


def _project(settings: Mapping[str, Any], lost: tuple[str, str] | None, talk: Connection) -> None:
    """Project, and say how far it is; in a process of its own.

    If rows have ``lost`` their source, of which file they are, and which one has it.
    """
    from spanbridge.formats import write_pairs
    from spanbridge.run.config import make_pipeline
    from spanbridge.run.stream import run

    def tell(task: Task, now: float) -> None:
        told = task.record(now)
        talk.send(("far", {key: told[key] for key in ("doing", "done", "total", "unit")}))

    def shown(items: Iterable[T], task: Task) -> Iterable[T]:
        if isinstance(task, Proposal):  # which are switches on the page
            return items
        if isinstance(task, Notice):
            talk.send(("said", task.doing))
            return items
        return _from_the_start(items, task, tell)

    try:
        if lost is not None:
            sides = SourceSides(RowIndex(lost[0]), lost[1])
            rows = shown(sides, Task("find the sources", len(sides)))
            write_pairs(settings["input"]["source"], rows, format="jsonl")
        run(make_pipeline(settings).job(), shown)
    except SpanbridgeError as error:
        talk.send(("failed", str(error)))
    except Exception as error:
        talk.send(("failed", f"{type(error).__name__}: {error}"))
        raise
    else:
        talk.send(("done", None))


def _from_the_start(
    items: Iterable[T], task: Task, tell: Callable[[Task, float], None]
) -> Iterator[T]:
    tell(task, 0.0)
    yield from watched(items, task, [View(tell, _SOON)])
