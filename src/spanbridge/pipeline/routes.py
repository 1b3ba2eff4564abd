"""Whole routes: raw text -> entities (translate-test), labelled corpus -> training data (train).

Each stage leaves its result in a working folder, under a name made of everything that it depends
on: the digest of the input, and the settings of this stage and of those before it. So a run that
was broken off goes on after the last whole stage, and a changed setting redoes only what comes
after it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from spanbridge.align.base import Aligner
from spanbridge.core.errors import InputError
from spanbridge.core.signature import package_version
from spanbridge.core.tags import OrphanPolicy, Scheme
from spanbridge.data.formats import holds_conll
from spanbridge.data.languages import Language
from spanbridge.encode.cache import file_digest
from spanbridge.pipeline.files import Run, check_output, manifest_path, project_files
from spanbridge.pipeline.marking import mark_files
from spanbridge.pipeline.projection import Method, Watch, unwatched
from spanbridge.pipeline.tagging import tag_files
from spanbridge.pipeline.translation import describe, translate_files
from spanbridge.tag.base import Tagger
from spanbridge.translate.base import Translator
from spanbridge.translate.guards import GUARDS, Guards


@dataclass(frozen=True)
class Means:
    """What a route works with.

    Attributes:
        translator: see :class:`~spanbridge.translate.base.Translator`.
        languages: of the input, and of its translations.
        projector: places the spans.
        make_aligner: makes the aligner, called when its turn comes.
        guards: when a translation is suspect.
        min_confidence: spans less probable than this are left out, in [0, 1].
    """

    translator: Translator
    languages: tuple[Language, Language]
    projector: Method
    make_aligner: Callable[[], Aligner]
    guards: Guards = GUARDS
    min_confidence: float = 0.0


@dataclass
class Route:
    """Stages done, and the key that the next one starts from.

    Attributes:
        folder: where the stages leave their results.
        key: digest of the input and of all settings so far.
        stages: name, run (None where it was there already), seconds.
    """

    folder: Path
    key: str
    stages: list[tuple[str, Run | None, float]] = field(default_factory=list)

    def stage(self, name: str, settings: str, make: Callable[[str], Run]) -> str:
        """Path of a stage's result, which ``make`` writes if it is not there."""
        parts = (self.key, name, settings, package_version())
        self.key = sha256("|".join(parts).encode()).hexdigest()
        path = self.folder / f"{name}-{self.key[:12]}.jsonl"
        started = time.monotonic()
        # the manifest is written last
        done = path.is_file() and manifest_path(str(path)).is_file()
        run = None if done else make(str(path))
        self.stages.append((name, run, time.monotonic() - started))
        return str(path)

    def text(self) -> str:
        """A paragraph for each stage but the last, which whoever called prints."""
        lines = []
        for name, run, seconds in self.stages:
            if run is None:
                lines.append(f"{name}: done before")
                continue
            n_rows = sum(run.account.statuses.values())
            lines.append(f"{name}: {seconds:.1f} s, {n_rows / max(seconds, 1e-9):.0f} rows/s")
            lines += [f"  {line}" for line in run.text().splitlines()]
        return "\n".join(lines)


def begin(source: str, folder: Path) -> Route:
    """A route from a file.

    Raises:
        InputError: the file cannot be read, or the folder cannot be made.
    """
    _check(source)
    _make(folder)
    return Route(folder, file_digest(Path(source)))


def _check(source: str) -> None:
    if not Path(source).is_file():
        raise InputError(source, None, "no such file")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise InputError(folder, None, f"cannot be made ({error.strerror})") from error


def label_files(
    source: str,
    output: str,
    means: Means,
    make_tagger: Callable[[], Tagger],
    *,
    watch: Watch = unwatched,
) -> tuple[Run, Route]:
    """Translate-test: spans of raw text in a language without a tagger.

    Args:
        source: raw text, a sentence a line, or CoNLL, whose tags go unread.
        output: ``.jsonl``: the target side is the text, with spans in its characters, the source
            side the tagged translation. The stages stand in ``OUT.work``.
        means: how; the first of its languages is the text's.
        make_tagger: makes the tagger of the second language, before the long work begins.
        watch: as in :func:`~spanbridge.pipeline.files.project_files`.

    Raises:
        InputError: the input is wrong.
        SpanbridgeError: as the stages.
    """
    check_output(output, source)
    route = begin(source, Path(f"{output}.work"))
    tagger = make_tagger()
    pairs = _translate(route, source, means, "target", watch)
    tagged = route.stage(
        "tag", tagger.describe(), lambda path: tag_files(pairs, path, tagger, watch=watch)
    )
    return _project(tagged, output, means, watch), route


def make_data_files(
    source: str,
    folder: str,
    means: Means,
    *,
    marks: str | None = None,
    scheme: Scheme = "iob2",
    orphans: OrphanPolicy = "begin",
    watch: Watch = unwatched,
) -> tuple[Run, Route]:
    """Translate-train: training data in a language, out of a labelled corpus in another.

    Args:
        source: labelled CoNLL.
        folder: ``train.jsonl`` in it holds the result, for ``spanbridge train``; the stages stand
            in ``work``.
        means: how; the first of its languages is the corpus's.
        marks: style of the marks of mark-then-translate
            (:mod:`~spanbridge.translate.marking`), in place of alignment and projection.
        scheme, orphans: how its tags are read.
        watch: as in :func:`~spanbridge.pipeline.files.project_files`.

    Raises:
        InputError: the input is wrong.
        SpanbridgeError: as the stages.
    """
    _check(source)
    if not holds_conll(source):
        raise InputError(source, None, "holds no tags; give a labelled corpus as CoNLL")
    _make(Path(folder))
    route = begin(source, Path(folder) / "work")
    kinds: dict[str, Any] = {"scheme": scheme, "orphans": orphans}
    output = str(Path(folder) / "train.jsonl")
    if marks is not None:
        how = {"style": marks, "guards": means.guards, "watch": watch, **kinds}
        return mark_files(source, output, means.translator, means.languages, **how), route
    pairs = _translate(route, source, means, "source", watch, **kinds)
    return _project(pairs, output, means, watch), route


def _translate(
    route: Route, source: str, means: Means, original: Any, watch: Watch, **kinds: Any
) -> str:
    how = describe(means.translator, means.languages, means.guards)
    return route.stage(
        "translate",
        str((how, original, kinds)),
        lambda path: translate_files(
            source,
            path,
            means.translator,
            means.languages,
            original=original,
            guards=means.guards,
            watch=watch,
            **kinds,
        ),
    )


def _project(pairs: str, output: str, means: Means, watch: Watch) -> Run:
    return project_files(
        pairs,
        None,
        output,
        projector=means.projector,
        make_aligner=means.make_aligner,
        min_confidence=means.min_confidence,
        watch=watch,
    )
