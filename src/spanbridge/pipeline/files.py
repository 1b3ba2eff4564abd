"""Whole runs from files to files: atomic output, an account, a signature."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial, wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from spanbridge.align.base import Aligner
from spanbridge.core.errors import InputError, RowError, SpanbridgeError
from spanbridge.core.links import WordAlignment
from spanbridge.core.signature import signature
from spanbridge.core.spans import SentencePair
from spanbridge.core.tags import OrphanPolicy, Scheme
from spanbridge.data.conll import Counts
from spanbridge.data.files import atomic_output
from spanbridge.data.formats import PairWriter, pair_writer, read_pairs, suffix
from spanbridge.data.pharaoh import format_links
from spanbridge.pipeline.account import REJECTED, Account
from spanbridge.pipeline.projection import (
    FIT_PAIRS,
    Method,
    Watch,
    align_pairs,
    check_reach,
    fit,
    given_links,
    project_pairs,
    unwatched,
)
from spanbridge.project.soft import CorpusProjector, SoftProjector

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Run:
    """What a run did.

    Attributes:
        output: path of the result.
        inputs: name of the role -> path.
        signature: one line that reproduces the result.
        account: what became of every row.
        rejects: path of the rejects file, or None.
        explanation: path of the explanation, or None.
    """

    output: str
    inputs: dict[str, str]
    signature: str
    account: Account
    rejects: str | None
    explanation: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """For JSON, in a stable order."""
        return {
            "output": self.output,
            "inputs": self.inputs,
            "signature": self.signature,
            "account": self.account.to_dict(),
            "rejects": self.rejects,
            **({"explanation": self.explanation} if self.explanation is not None else {}),
        }

    def text(self) -> str:
        """For a person."""
        lines = [self.account.text(), f"written to {self.output}", self.signature]
        if self.rejects:
            lines.insert(1, f"rejected rows and why: {self.rejects}")
        return "\n".join(lines)


def deterministic(run: Callable[P, R]) -> Callable[P, R]:
    """One thread for each matrix product: sums in another order would differ in their last bits.

    The encoder's batches and the folds of the taggers are what runs side by side.
    """

    @wraps(run)
    def limited(*args: P.args, **kwargs: P.kwargs) -> R:
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1, user_api="blas"):
            return run(*args, **kwargs)

    return limited


def manifest_path(output: str) -> Path:
    """Where the signature and the account of a result are kept: ``OUT.run.json``."""
    return Path(f"{output}.run.json")


def rejects_path(output: str) -> Path:
    """Where the ids of rejected rows are kept, with the reasons: ``OUT.rejects.jsonl``."""
    return Path(f"{output}.rejects.jsonl")


@dataclass(frozen=True)
class Fitting:
    """How a run comes by what aligner and method have to learn.

    Attributes:
        pairs: learn from at most so many pairs, spread evenly over the input.
        applied: digest of what was learned before and is applied here; None learns from the input.
        folder: where that stands, for the account.
        save: called with the aligner once it and the method are fitted; None keeps nothing.
    """

    pairs: int = FIT_PAIRS
    applied: str | None = None
    folder: str | None = None
    save: Callable[[Aligner], None] | None = None


@deterministic
def project_files(
    source: str,
    target: str | None,
    output: str,
    *,
    projector: Method,
    make_aligner: Callable[[], Aligner] | None = None,
    links: str | None = None,
    realign: bool = False,
    fitting: Fitting = Fitting(),
    min_confidence: float = 0.0,
    explanation: str | None = None,
    scheme: Scheme = "iob2",
    orphans: OrphanPolicy = "begin",
    watch: Watch = unwatched,
) -> Run:
    """Project the labels of a file of source sentences onto their translations.

    Args:
        source, target, links: as :func:`spanbridge.data.formats.read_pairs` takes them.
        output: ``.jsonl`` for whole pairs, else CoNLL of the target side. Beside it stand
            ``OUT.run.json`` and, where rows were rejected, ``OUT.rejects.jsonl``.
        projector: places the spans.
        make_aligner: makes the aligner, called once the input has been read through; None where
            links come with the input.
        realign: align anew where pairs bring links; else these are kept, and the signature counts
            them.
        fitting: how aligner and projector learn what they need.
        min_confidence: spans less probable than this are left out, in [0, 1].
        explanation: file for the parts of every span's score (soft methods only).
        scheme, orphans: how the source's tags are read.
        watch: wraps each stream of rows, to show progress; given the number of rows, if known, and
            the name of the stage.

    Raises:
        InputError: the input is wrong; nothing is written then.
        SpanbridgeError: a setting is wrong, or CoNLL cannot hold a row.
    """
    check_output(output, source, target, links, explanation=explanation)
    _check_settings(projector, min_confidence, explanation)
    counts = Counts()

    def open_pairs(counts: Counts | None = None) -> Iterator[SentencePair]:
        pairs = read_pairs(source, target, links, scheme=scheme, orphans=orphans, counts=counts)
        return (replace(pair, links=None) for pair in pairs) if realign else pairs

    account = Account()
    with ExitStack() as stack:
        # places that cannot be written to, and bad input, are found before the long work begins
        writer = stack.enter_context(pair_writer(output))
        report = None
        if explanation is not None:
            report = partial(print, file=stack.enter_context(atomic_output(explanation)))
        total, n_given = None, 0
        if make_aligner is not None or isinstance(projector, CorpusProjector):
            total = 0
            for pair in open_pairs(counts):
                total += 1
                n_given += pair.links is not None
        aligner = None if make_aligner is None else make_aligner()
        if fitting.applied is None and total:
            fit(open_pairs, total, aligner, projector, fitting.pairs, watch)
        check_reach(projector, min_confidence)
        if fitting.save is not None and aligner is not None:
            fitting.save(aligner)
        soft = isinstance(projector, SoftProjector)
        if aligner is None:
            linked = given_links(open_pairs(counts if total is None else None), soft=soft)
        else:
            linked = align_pairs(open_pairs, aligner, soft=soft)
        rows = project_pairs(linked, projector, account, min_confidence, report)
        for pair in watch(rows, total, "project"):
            writer.write(pair)
    account.notes["orphan_tags"] = counts.n_orphans
    account.notes["spans_widened_to_whole_words"] = counts.n_widened
    given = f"given({n_given}_of_{total})+" if n_given and aligner is not None else ""
    line = signature(
        {
            "task": "project",
            "aligner": "given" if aligner is None else given + aligner.describe(),
            "method": projector.describe(),
            **({"applied": fitting.applied} if fitting.applied else {}),
            **({"min_confidence": repr(min_confidence)} if min_confidence else {}),
            "scheme": scheme,
            "orphans": orphans,
        }
    )
    inputs = {"source": source, "target": target, "links": links, "fit": fitting.folder}
    return finish(output, inputs, line, account, explanation)


def _check_settings(method: Method, min_confidence: float, explanation: str | None) -> None:
    if not 0 <= min_confidence <= 1:
        raise SpanbridgeError(f"the least confidence is {min_confidence}, but lies in [0, 1]")
    if explanation is not None and not isinstance(method, SoftProjector):
        raise SpanbridgeError(f"the method {method.name!r} has no parts to explain")


@deterministic
def align_files(
    source: str,
    target: str | None,
    output: str,
    *,
    make_aligner: Callable[[], Aligner],
    scores: bool = False,
    fit_pairs: int = FIT_PAIRS,
    watch: Watch = unwatched,
) -> Run:
    """Align a bitext; one line of Pharaoh links a row, or whole pairs for ``.jsonl``.

    Args:
        source, target: as :func:`spanbridge.data.formats.read_pairs` takes them, labels not needed.
        output: where the links go.
        make_aligner: makes the aligner, called once the input has been read through.
        scores: write every link's score.
        fit_pairs: pairs that an aligner learns from, at most, spread evenly over the input.
        watch: as in :func:`project_files`.

    Raises:
        InputError: the input is wrong; nothing is written then.
    """
    check_output(output, source, target, None)

    def open_pairs() -> Iterator[SentencePair]:
        for pair in read_pairs(source, target, labelled=False):
            # what is asked for are new links, whatever the pairs brought
            yield SentencePair(pair.id, pair.source, pair.target, None, None, pair.extra)

    total = sum(1 for _ in open_pairs())
    aligner = make_aligner()
    fit(open_pairs, total, aligner, None, fit_pairs, watch)
    account = Account()
    as_pairs = suffix(output) == ".jsonl"

    def rows() -> Iterator[SentencePair]:
        for pair, links in align_pairs(open_pairs, aligner):
            if isinstance(links, RowError):
                status = f"{REJECTED}{links}"
                account.add(pair, status, ())
                yield SentencePair(pair.id, pair.source, pair.target, None, status, pair.extra)
            elif isinstance(links, WordAlignment):
                account.add(pair, "aligned" if links.pairs else "empty: no link", ())
                yield SentencePair(pair.id, pair.source, pair.target, links, None, pair.extra)

    with atomic_output(output) as out:
        writer = PairWriter(out, as_pairs)
        for pair in watch(rows(), total, "align"):
            if as_pairs:
                writer.write(pair)
            else:
                out.write(("" if pair.links is None else format_links(pair.links, scores)) + "\n")
    line = signature({"task": "align", "aligner": aligner.describe()})
    return finish(output, {"source": source, "target": target}, line, account)


def check_output(output: str, *inputs: str | None, explanation: str | None = None) -> None:
    """Whether the files of a result can stand where they would go.

    Raises:
        InputError: a folder stands there.
        SpanbridgeError: an input would be overwritten, or one output by another.
    """
    beside = (manifest_path(output), rejects_path(output))
    for path in beside:
        if path.is_dir():
            raise InputError(path, None, "is a folder where a file would go; move it away")
    written = {path.resolve() for path in (Path(output), *beside)}
    if explanation is not None:
        if Path(explanation).resolve() in written:
            raise SpanbridgeError(
                f"{explanation} is both output and explanation; explain to another file"
            )
        written.add(Path(explanation).resolve())
    for given in inputs:
        if given is not None and Path(given).resolve() in written:
            raise SpanbridgeError(f"{given} is both input and output; write to another file")


def finish(
    output: str,
    inputs: dict[str, str | None],
    line: str,
    account: Account,
    explanation: str | None = None,
) -> Run:
    """Write the rejects and the manifest beside a result."""
    rejects = rejects_path(output)
    if account.rejects:
        with atomic_output(rejects) as out:
            for row, reason in account.rejects:
                out.write(json.dumps({"id": row, "reason": reason}, ensure_ascii=False) + "\n")
    else:
        # one of an earlier run would be taken for this one's
        rejects.unlink(missing_ok=True)
    given = {role: path for role, path in inputs.items() if path is not None}
    rejected = str(rejects) if account.rejects else None
    run = Run(output, given, line, account, rejected, explanation)
    with atomic_output(manifest_path(output)) as out:
        out.write(json.dumps(run.to_dict(), ensure_ascii=False, indent=1) + "\n")
    return run


def read_manifest(output: str) -> dict[str, Any] | None:
    """The manifest beside a result, or None if there is none.

    Raises:
        InputError: it is there, but not a manifest.
    """
    path = manifest_path(output)
    if not path.is_file():
        return None
    try:
        manifest = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise InputError(path, None, f"is not JSON ({error}); delete it") from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("inputs"), dict):
        raise InputError(path, None, "is not a run's manifest; delete it")
    return manifest
