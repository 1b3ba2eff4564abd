"""Study files: YAML like pipeline files, read strictly, with the line of every fault."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.settings_file import Place, read_settings
from spanbridge.core.similar import meant
from spanbridge.datasets import find_dataset
from spanbridge.formats.languages import find_language
from spanbridge.run.config import validated
from spanbridge.study.braces import NAMED, PLACEHOLDERS, named, names_in, texts
from spanbridge.study.cells import cells_of, texts_of
from spanbridge.study.settings import Data, Study

_NAME = re.compile(r"[\w+-][\w.+-]*")


@dataclass(frozen=True)
class StudyFile:
    """A study file whose settings have been checked by themselves.

    Attributes:
        path: the file.
        study: its settings.
        place: function from keys and indices to a line.
    """

    path: str
    study: Study
    place: Place

    @property
    def output(self) -> str:
        """Folder of the results."""
        return self.study.output or re.sub(r"\.ya?ml$", "", self.path) + ".study"

    def wrong(self, at: tuple[Hashable, ...], why: str) -> InputError:
        """Error in a setting."""
        return InputError(self.path, self.place(at), why)


def read_study(path: str, output: str | None = None) -> StudyFile:
    """Read a study file.

    Args:
        path: YAML, without aliases, as of a pipeline.
        output: folder of the results, in place of the file's.

    Raises:
        InputError: it is not YAML, or has an unknown setting or a wrong value; with the line.
    """
    given, place = read_settings(path)
    if output is not None:
        given = {**given, "output": output}
    study = validated(Study, given, path, place)
    found = StudyFile(path, study, place)
    for text in texts(study.train):
        _check_braces(found, ("train",), text)
    for n, data in enumerate(study.data):
        check_languages(found, ("data", n), data, study.source)
    _check_names(found)
    known = {code for data in study.data for code in data.codes(study.source)}
    titles = {data.title for data in study.data}
    for name, system in study.systems.items():
        for code in system.languages or ():
            if code not in known:
                there = ", ".join(sorted(known))
                why = f"no data is in {code}{meant(code, known)}; there are: {there}"
                raise found.wrong(("systems", name, "languages"), why)
        for setting, given_titles in (("data", system.data or ()), ("saw", system.saw)):
            for title in given_titles:
                if title not in titles:
                    why = f"there is no data set {title}{meant(title, titles)}"
                    raise found.wrong(("systems", name, setting), why)
        for text in texts([system.steps, system.predictions, system.train]):
            _check_braces(found, ("systems", name), text)
        for own, making in system.make.items():
            at = ("systems", name, "make", *([own] if own else []))
            for text in texts(making.model_dump()):
                _check_braces(found, at, text)
            if not names_in(making.data.of_cell()):
                check_languages(found, (*at, "data"), making.data, study.source)
        _check_models(found, name, ())
    for name in study.report.published:
        if name not in titles:
            why = f"there is no data set {name}{meant(name, titles)}"
            raise found.wrong(("report", "published", name), why)
    if (baseline := study.report.baseline) not in (None, *study.systems):
        near = meant(str(baseline), study.systems)
        raise found.wrong(("report", "baseline"), f"there is no system {baseline}{near}")
    for n, entry in enumerate(study.perturb):
        if entry.title in {other.title for other in study.perturb[:n]}:
            raise found.wrong(("perturb", n), f"{entry.title} is there twice; name one of them")
        if not entry.strengths():
            raise found.wrong(("perturb", n), f"{entry.title} has no strength; give one or several")
        for strength in entry.strengths():
            if not 0 <= strength <= 1:
                raise found.wrong(("perturb", n), f"strength is {strength}, but lies in [0, 1]")
    _check_files(found)
    return found


def _check_names(found: StudyFile) -> None:
    """Names become names of files."""
    study = found.study
    titles = [(("data", n), data.title) for n, data in enumerate(study.data)]
    named: list[tuple[tuple[Hashable, ...], str]] = [(("systems", n), n) for n in study.systems]
    named += [(("perturb", n), entry.title) for n, entry in enumerate(study.perturb)]
    for at, name in [*titles, *named]:
        if not _NAME.fullmatch(name):
            why = f"{name!r} is also the name of files; take letters, digits, - + . and _"
            raise found.wrong(at, why)


def _check_files(found: StudyFile) -> None:
    """No two texts or cells have the same files, also where disks do not tell capitals apart."""
    texts_seen: dict[str, str] = {}
    cells_seen: dict[str, str] = {}
    for text in texts_of(found.study):
        _check_new(found, text.at, text.name, texts_seen)
        for cell in cells_of(found.study, text):
            _check_new(found, ("systems", cell.system), cell.name, cells_seen)


def _check_new(found: StudyFile, at: tuple[Hashable, ...], name: str, seen: dict[str, str]) -> None:
    if (before := seen.setdefault(name.casefold(), name)) is not name:
        told = "is there twice" if before == name else f"differs from {before} in capitals alone"
        raise found.wrong(at, f"{name} {told}; give one of them another name")


def check_languages(found: StudyFile, at: tuple[Hashable, ...], data: Data, source: str) -> None:
    """Check that data is known, and its languages. Raises InputError if not."""
    try:
        if data.dataset is not None:
            find_dataset(data.dataset)
        for code in (*data.codes(source), data.source or source):
            find_language(code)
        _check_once(data.codes(source))
    except SpanbridgeError as error:
        setting = "languages" if data.dataset is None else "dataset"
        raise found.wrong((*at, setting), str(error)) from error
    if data.files is not None:
        for text in texts(data.files if isinstance(data.files, str) else data.files.model_dump()):
            _check_braces(found, (*at, "files"), text)


def _check_once(codes: Iterable[str]) -> None:
    """Check that no two codes name one language, which would count twice in means."""
    seen: dict[tuple[str, str, str], str] = {}
    for code in codes:
        language = find_language(code)
        # de-muc is a dialect of de, and no other name of it
        own = code.replace("_", "-").casefold().partition("-")[2]
        if (before := seen.setdefault((language.tag, language.code, own), code)) != code:
            raise SpanbridgeError(f"{before} and {code} are one language; name it once")


def _check_braces(found: StudyFile, at: tuple[Hashable, ...], text: str) -> None:
    for name in sorted(names_in(text)):
        head, dot, _ = name.partition(".")
        if head not in (NAMED if dot else PLACEHOLDERS):
            known = ", ".join(f"{{{one}}}" for one in PLACEHOLDERS)
            why = f"{{{name}}} stands for nothing{meant(head, PLACEHOLDERS)}; there are {known}"
            raise found.wrong(at, why)


def _check_models(found: StudyFile, name: str, before: tuple[str, ...]) -> None:
    """Check that the taggers that a system uses are trained, and do not need each other."""
    systems = found.study.systems
    if name in before:
        why = f"its training needs itself: {' > '.join([*before, name])}"
        raise found.wrong(("systems", name), why)
    system = systems[name]
    making = [one.steps for one in system.make.values()]
    learned = named([system.train, making], "model")
    for other in learned if before else [*learned, *named(system.steps, "model")]:
        if other and (other not in systems or systems[other].train is None):
            trained = [one for one, of in systems.items() if of.train is not None]
            why = f"{{model.{other}}}: no system {other} trains a tagger{meant(other, trained)}"
            raise found.wrong(("systems", name), why)
        if other in learned:
            _check_models(found, other or name, (*before, name))
