"""How a file under review was projected: by its own record, or that of a file it was made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import check_there
from spanbridge.core.rows import CORRECTED

if TYPE_CHECKING:
    from spanbridge.steps.project_settings import ProjectSettings

# Steps before the projection whose work stands in the rows.
_KEPT = ("tag", "translate", "align", "back-translate")
# Commands whose results have rows of their input.
_SAME_ROWS = ("task:review", "task:convert", "task:choose")
NAME_IT = "name the projection that its rows are from: review --projection FILE"


class Origin(NamedTuple):
    """The projection that the rows of a file are from.

    Attributes:
        path: its path, which may be the file's own.
        record: its record.
    """

    path: str
    record: dict[str, Any]


def origin_of(path: str, digest: str, projection: str | None = None) -> Origin:
    """Find the projection that the rows of a file are from.

    A record that says what made it is beside the file; or beside another one of the same bytes, if
    it was copied or renamed; or the file was reviewed or converted from another, whose record says
    so in turn.

    Args:
        path: the file.
        digest: SHA-256 of its bytes.
        projection: the projection, if the user has named it.

    Raises:
        InputError: the named projection is not there.
        SpanbridgeError: no record tells, with what the user can do.
    """
    from spanbridge.run.record import PIPELINE
    from spanbridge.run.result import manifest_path, read_manifest

    at = projection or path
    record = read_manifest(at)
    if projection is not None and record is None:
        check_there(projection)
    if record is None and projection is None:
        at, record = _twin(path, digest) or (path, None)
    seen: list[str] = []
    while record is not None and not isinstance(record.get(PIPELINE), dict):
        task = str(record.get("signature", "")).partition("|")[0]
        before = record["inputs"].get("input")
        if task not in _SAME_ROWS or not isinstance(before, str) or at in seen:
            why = f"{manifest_path(at).name} does not tell the settings by which {Path(at).name} "
            raise SpanbridgeError(f"{why}was made ({task}); project it anew with this version")
        seen.append(at)
        at = next((one for one in _places(before, at) if manifest_path(one).exists()), before)
        record = read_manifest(at)
    if record is None:
        of = f" (from which {Path(path).name} was made)" if seen else ""
        raise SpanbridgeError(
            f"nothing tells how {Path(at).name}{of} was projected: {manifest_path(at).name} is not "
            f"beside it. If there is such a file elsewhere, {NAME_IT}; else project it anew, or "
            "use project --corrections"
        )
    return Origin(at, record)


def _twin(path: str, digest: str) -> tuple[str, dict[str, Any]] | None:
    """A file of the same bytes whose record is in the folder, and that record."""
    from spanbridge.core.records import FILES, read_record
    from spanbridge.steps.calibrating import RECORD

    for one in sorted(Path(path).absolute().parent.glob(f"*{RECORD}")):
        with suppress(InputError):
            record = read_record(one, "", alone=True)
            if digest in record.get(FILES, {}).values() and isinstance(record.get("inputs"), dict):
                return str(one).removesuffix(RECORD), record
    return None


def _places(given: str, result: str) -> Iterator[str]:
    """Where an input may be that the record of a result names, as its command named it."""
    folder = Path(result).parent
    yield given
    yield str(folder / given)
    yield str(folder / Path(given).name)


def recipe_of(origin: Origin) -> dict[str, Any]:
    """How a projection was made, for those who do it anew over its rows.

    Returns:
        ``settings`` of the whole, those of the step ``project``, and the steps ``after`` it.

    Raises:
        SpanbridgeError: it is not what a projection made, or what made it learns nothing from
            corrections.
    """
    from spanbridge.run.config import make_pipeline
    from spanbridge.run.record import PIPELINE
    from spanbridge.steps.project_settings import ProjectSettings

    name, manifest = Path(origin.path).name, origin.record
    made = manifest[PIPELINE]
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
