"""Rows that nobody has corrected, projected anew beside a review by what its corrections show.

That is what ``project --corrections`` does, under the settings that the file's record tells, in a
process of its own. The result goes to a file beside the reviewed one, which appears whole or not at
all; the reviewed file and its journal stay as they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from threading import RLock, Thread
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.files import alone, real_path
from spanbridge.core.processes import Worker, end, start
from spanbridge.core.progress import Notice, Task, View, watched
from spanbridge.core.rows import CORRECTED, SentencePair
from spanbridge.review.changes import Changes
from spanbridge.review.index import RowIndex

if TYPE_CHECKING:
    from spanbridge.steps.project_settings import ProjectSettings

State = Literal["none", "running", "failed", "done"]
T = TypeVar("T")
# What of a signature does not depend on corrections.
_PARTS = ("aligner", "method", "speed", "words", "version")
_SOON = 0.3  # seconds between two messages of how far it is
# Steps before the projection whose work stands in the rows.
_KEPT = ("tag", "translate", "align", "back-translate")


class Teaching:
    """The projection anew of a file under review: at most one at a time.

    Args:
        rows: the file.
        others: files that the result must not overwrite.
        learn: function that is told of a result when there is one.

    Attributes:
        output: the result.
        corrections: file of the corrected rows by which it was made.
    """

    def __init__(
        self, rows: RowIndex, others: Iterable[str], learn: Callable[[Changes], None]
    ) -> None:
        self._rows, self._learn = rows, learn
        stem = rows.path.removesuffix(".jsonl")
        self.output, self.corrections = f"{stem}.taught.jsonl", f"{stem}.corrections.jsonl"
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
        """The same with where the result goes, or ``why`` there can be none, and what was said."""
        why = None
        try:
            if self._state != "running":
                self._settings()
        except SpanbridgeError as error:
            why = str(error)
        names = {"output": Path(self.output).name, "corrections": Path(self.corrections).name}
        with self._lock:
            said = list(self._said)
        there = Path(self.output).exists()
        return {**self.told(), **names, "why": why, "replaces": there, "said": said}

    def look(self) -> None:
        """Look, once, whether there is a result of an earlier time; it is read in a thread."""
        with self._lock:
            if self._looked or self._state != "none":
                return
            self._looked = True
        if Path(self.output).exists():
            Thread(target=self._read, args=("none",), daemon=True).start()

    def start(self, corrected: Iterable[SentencePair]) -> None:
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
            settings = self._settings()
            gold = list(corrected)
            if not gold:
                raise SpanbridgeError("no row is accepted or corrected yet, so nothing is taught")
            with alone(self.output):  # or another server's is under way
                write_pairs(self.corrections, gold, format="jsonl")
            ours, theirs = Pipe(duplex=False)
            self._worker = start(_project, (settings, theirs), 0, 1)
            theirs.close()
            self._looked = True
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
            self._said += _other_parts(self._rows.path, self.output)
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

    def _settings(self) -> dict[str, Any]:
        """The run as a pipeline file would have it. Raises SpanbridgeError if there can be none."""
        for path in (self.output, self.corrections):
            if (other := self._others.get(real_path(path))) is not None:
                raise SpanbridgeError(f"{other} is where the result would go; name another file")
        recipe = recipe_of(self._rows.path)
        project = {**recipe["project"], "corrections": self.corrections}
        steps = [{"project": project}, *recipe["after"]]
        return {
            **recipe["settings"],
            "input": {"source": self._rows.path},
            "output": self.output,
            "output_format": "jsonl",
            "steps": steps,
        }


def recipe_of(path: str) -> dict[str, Any]:
    """How a file was projected, for those who do it anew over its own rows.

    Returns:
        ``settings`` of the whole, those of the step ``project``, and the steps ``after`` it.

    Raises:
        SpanbridgeError: no record tells, it is not what a projection made, or what made it learns
            nothing from corrections.
    """
    from spanbridge.run.config import make_pipeline
    from spanbridge.run.record import PIPELINE
    from spanbridge.run.result import manifest_path, read_manifest
    from spanbridge.steps.project_settings import ProjectSettings

    name, record = Path(path).name, manifest_path(path).name
    manifest = read_manifest(path)
    if manifest is None:
        raise SpanbridgeError(
            f"nothing tells how {name} was projected: {record} is not beside it. Project it "
            "anew, or use project --corrections"
        )
    made = manifest.get(PIPELINE)
    if not isinstance(made, dict):
        task = str(manifest.get("signature", "")).partition("|")[0]
        why = f"{record} does not tell the settings by which {name} was made ({task})"
        if task == "task:review":
            given = manifest["inputs"].get("input")
            why += f"; review {given}, of which it was made, with its journal"
        else:
            why += "; project it anew with this version"
        raise SpanbridgeError(why)
    pipeline = make_pipeline(made)
    names = [step.name for step in pipeline.steps]
    if "project" not in names:
        raise SpanbridgeError(
            f"{name} was made by {', '.join(names)}; only what the step project made can be "
            "projected anew"
        )
    at = names.index("project")
    others = [one for one in names[:at] if one not in _KEPT]
    others += [one for one in names[at + 1 :] if one != "calibrate"]
    if others:
        raise SpanbridgeError(
            f"{name} was made by a pipeline with the step {others[0]}, whose work its rows do not "
            "show; run the pipeline again with corrections in its step project"
        )
    step = pipeline.steps[at]
    assert isinstance(step, ProjectSettings)
    _check_learning(name, step)
    entries = pipeline.record()[PIPELINE]["steps"]
    project = {key: one for key, one in entries[at]["project"].items() if key != "explain"}
    statuses = Counter(manifest["account"]["status"])
    linked = manifest["account"].get("rows_with_links_of_their_own", 0)
    if linked and linked != statuses.total() - statuses[CORRECTED]:
        raise SpanbridgeError(
            f"some rows of the input brought links of their own, and {name} does not tell which; "
            "use project --corrections with the input"
        )
    if step.links == "keep" and not linked:
        project["links"] = "anew"  # those that are there came from the aligner
    settings = {key: value for key, value in made.items() if key != "steps"}
    return {"settings": settings, "project": project, "after": entries[at + 1 :]}


def _check_learning(name: str, settings: ProjectSettings) -> None:
    """Raise SpanbridgeError if what made a result learns nothing from corrections, or may cost."""
    if settings.apply is not None:
        raise SpanbridgeError(
            f"{name} was projected with --apply of a fit, which learns nothing; project it with "
            "the method and aligner of the fit"
        )
    own = settings.method or settings.method_settings()
    method = own.part()
    if settings.refine is not None or (method.learns and method.slow):
        raise SpanbridgeError(
            f"{name} was projected with a chat model that is asked about spans, which may cost; "
            "use project --corrections, which says what it costs before it begins"
        )
    if not method.learns:
        raise SpanbridgeError(
            f"the method {own.name}, by which {name} was projected, learns nothing from "
            "corrections: all other rows would stay as they are. The method corpus, the default, "
            "learns from them"
        )


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


def _project(settings: Mapping[str, Any], talk: Connection) -> None:
    """Project, and say how far it is; in a process of its own."""
    from spanbridge.run.config import make_pipeline
    from spanbridge.run.stream import run

    def tell(task: Task, now: float) -> None:
        told = task.record(now)
        talk.send(("far", {key: told[key] for key in ("doing", "done", "total", "unit")}))

    def shown(items: Iterable[T], task: Task) -> Iterable[T]:
        if isinstance(task, Notice):
            talk.send(("said", task.doing))
            return items
        return _from_the_start(items, task, tell)

    try:
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
