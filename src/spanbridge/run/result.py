"""Results of runs: account, signature, and the files beside an output."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from spanbridge.core.addresses import is_remote, told
from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import atomic_output, check_named, is_there, real_path, remove
from spanbridge.core.records import FILES, file_digest, read_record, write_record
from spanbridge.core.rows import REJECTED, SentencePair, Side
from spanbridge.core.spans import Nested, Sentence
from spanbridge.core.standard import check_one_input, is_standard
from spanbridge.core.store import names
from spanbridge.formats import Format, Write, named_format, open_writer, output_format
from spanbridge.formats.base import MisfitError
from spanbridge.formats.encoding import WAY_OUT
from spanbridge.run.reports import Cost, StepReport
from spanbridge.steps.account import Account
from spanbridge.steps.calibrating import RECORD
from spanbridge.steps.repair import Repair

# Number of reasons that are told where there is no file of rejects.
_TOLD = 10


@dataclass(frozen=True)
class Run:
    """The result of a run.

    Attributes:
        output: path of the result.
        inputs: path of each role.
        signature: one line that reproduces the result.
        account: number of rows by status, and further counts.
        rejects: path of the rejects file, or None.
        explanation: path of the explanation, or None.
        learned: what steps have learned and keep beside the result.
        cost: what it has cost, which is no part of the files beside the output.
    """

    output: str
    inputs: dict[str, str]
    signature: str
    account: Account
    rejects: str | None
    explanation: str | None = None
    learned: Mapping[str, Any] = field(default_factory=dict)
    cost: Cost | None = field(default=None, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, in a stable order."""
        return {
            "output": told(self.output),
            "inputs": {role: told(path) for role, path in self.inputs.items()},
            "signature": self.signature,
            "account": self.account.to_dict(),
            "rejects": self.rejects and told(self.rejects),
            **({"explanation": self.explanation} if self.explanation is not None else {}),
            **self.learned,
        }

    def text(self) -> str:
        """Summary in plain text."""
        place = "standard output" if is_standard(self.output) else told(self.output)
        lines = [self.account.text(), f"written to {place}", self.signature]
        if self.cost is not None:
            lines[1:1] = self.cost.lines()
        if self.rejects or self.account.rejects:
            lines.insert(1, f"rejected rows and why: {told(self.rejects or self._reasons())}")
        return "\n".join(lines)

    def _reasons(self) -> str:
        """The rejects in one line, for standard output."""
        reasons = Counter(why for _, why in self.account.rejects).most_common()
        more = f", and {len(reasons) - _TOLD} further reasons" if len(reasons) > _TOLD else ""
        return ", ".join(f"{n} {why}" for why, n in reasons[:_TOLD]) + more


def manifest_path(output: str | Path) -> Path:
    """Path of the file with the signature and the account of a result: ``OUT.run.json``."""
    return Path(str(output).rstrip("/") + RECORD)


def rejects_path(output: str | Path) -> Path:
    """Path of the file with the ids and reasons of rejected rows: ``OUT.rejects.jsonl``."""
    return Path(str(output).rstrip("/") + ".rejects.jsonl")


def whole_account(reports: Sequence[StepReport], notes: Mapping[str, int]) -> Account:
    """The account of a run: that of its last step, with what any step rejected.

    What is known of probabilities is said by the last step that wrote any. A step that amends the
    one before leaves its account as it is but for that.

    Args:
        reports: figures of all steps.
        notes: counts of the reader.
    """
    last = Account()
    for report in reports:
        own = report.account
        known = own.calibrations or last.calibrations
        last = last.amended(own) if report.amends else replace(own, calibrations=known)
    rejects: Counter[tuple[str, str]] = Counter()
    for report in reports:  # a later step may enter the same rejects again; rows may share an id
        rejects |= Counter(report.account.rejects)
    if any(report.name == Repair.name for report in reports):
        notes = {
            f"{head} (the step repair has seen to them)" if way_out else name: count
            for name, count in notes.items()
            for head, way_out, _ in [name.partition(WAY_OUT)]
        }
    return replace(last, rejects=list(rejects.elements()), notes=last.notes | dict(notes))


@contextmanager
def open_result(
    path: str | Path, known: str, side: Side, account: Callable[[], Account], **options: Any
) -> Iterator[Written]:
    """Open a result for rows; at the end, the account gets those that could not be written.

    Args:
        path: the file.
        known: name of the format.
        side: side that is written if the format holds only one.
        account: function that returns the account of the run, called at the end.
        options: further options of :func:`~spanbridge.formats.open_writer`.
    """
    left_out: list[int] = []
    with open_writer(path, side, name=known, left_out=left_out.append, **options) as write:
        written = Written(write, named_format(known))
        yield written
        # an earlier run's files would be taken for this run's
        for beside in () if is_standard(path) else (manifest_path(path), rejects_path(path)):
            remove(beside)
    written.enter(account())
    if left_out:
        kept = options.get("nested", "outer")
        account().note(
            f"spans not written, since the format holds one layer (nested: {kept})", sum(left_out)
        )


class Written:
    """A writer of results that rejects the rows which the format cannot hold.

    In their place it writes rows without words, so that the lines of the others stay where they
    were. Where their id is what cannot be held, these are called ``row-N`` by their number; where
    ids are names of files, there is no place to keep, and no name is made up. Links without scores,
    where these were asked for, are still an error: no row has any.

    Args:
        write: writer of the format.
        held: the format.
    """

    def __init__(self, write: Write, held: Format) -> None:
        self._write, self._held, self._n_rows = write, held, 0
        # id, status, number of target spans, why: the rows themselves could be many
        self._misfits: list[tuple[str, str | None, int, str]] = []

    def __call__(self, pair: SentencePair, told: str | None = None) -> None:
        """Write a row.

        Args:
            pair: the row.
            told: status under which the account has it, without its spans; None for its own.
        """
        self._n_rows += 1
        try:
            self._write(pair)
        except MisfitError as error:
            if self._held.sides == "none":
                raise
            why = f"cannot be written: {error.why}"
            n_spans = len(pair.target.spans) if told is None else 0
            self._misfits.append((pair.id, told or pair.status, n_spans, why))
            self._write_blank(pair.id, error)

    def _write_blank(self, identity: str, misfit: MisfitError) -> None:
        """Write an empty row in place of one that does not fit, under another id if that does not.

        Raises the misfit if the format takes none at all, though rows have to stay in their places.
        """
        by_id = self._held.files_by_id
        for name in (identity,) if by_id else (identity, f"row-{self._n_rows}"):
            with suppress(MisfitError):
                self._write(SentencePair(name, Sentence(()), Sentence(())))
                return
        if not by_id:
            raise misfit

    def enter(self, account: Account) -> None:
        """Move these rows in the account of the run to the rejected ones."""
        for row, status, n_spans, why in self._misfits:
            account.rejects.append((row, why))
            if status is not None and account.statuses[status]:
                account.statuses[status] -= 1
                account.statuses[f"{REJECTED}{why}"] += 1
                account.n_target_spans -= n_spans
                if n_spans:
                    account.dropped["cannot be written"] += n_spans
        account.statuses = +account.statuses


def result_format(
    output: str | Path, last_step: str, nested: Nested | None = None, name: str | None = None
) -> Format:
    """Format of a result's file, by name or suffix, or else Pharaoh for links and CoNLL for spans.

    To standard output, another command's input, go whole pairs in place of CoNLL.

    Raises SpanbridgeError if it cannot hold what the last step makes, or if ``nested`` chooses
    among layers of spans though it holds all of them.
    """
    made = "links" if last_step == "align" else "spans"
    usual = "pharaoh" if made == "links" else "jsonl" if is_standard(output) else "conll"
    held = output_format(output, usual, name)
    if not (held.holds_links if made == "links" else held.holds_spans):
        ways = ".jsonl or .pharaoh" if made == "links" else ".jsonl or .conll"
        raise SpanbridgeError(
            f"{output} is of the format {held.name}, which holds no {made}; write {ways}"
        )
    if nested is not None and (held.holds_nested or not held.holds_spans):
        raise SpanbridgeError(
            f"nested chooses the spans for a format that holds one layer of them; {held.name} does "
            "not, so leave it out"
        )
    return held


def check_output(
    output: str,
    *inputs: str | None,
    explanation: str | None = None,
    also: Sequence[Path] = (),
) -> None:
    """Check that the files of a result can be written.

    Args:
        output: the result.
        inputs: files that are read.
        explanation: file of the explanation, if any.
        also: further files of the result.

    Raises:
        InputError: a path is a folder, or the explanation is ``-``.
        SpanbridgeError: an input would be overwritten, or one output by another; or several inputs
            are ``-``.
    """
    for name in (output, explanation, *inputs):
        if name is not None and "\0" in name:
            raise SpanbridgeError(f"{name!r} holds a zero byte, as no name of a file does")
    check_one_input(*inputs)
    beside = (manifest_path(output), rejects_path(output), *also)
    files = () if is_standard(output) else (Path(output), *beside)
    for path in files[1:]:
        if path.is_dir():
            raise InputError(path, None, "is a folder where a file would go; move it away")
    written = {real_path(path) for path in files}
    if explanation is not None:
        check_named(explanation)
        if real_path(explanation) in written:
            raise SpanbridgeError(
                f"{explanation} is both output and explanation; explain to another file"
            )
        written.add(real_path(explanation))
    for given in inputs:
        if given is not None and not is_standard(given) and real_path(given) in written:
            raise SpanbridgeError(f"{given} is both input and output; write to another file")


def foreign_work(work: Path, *others: str | None) -> str | None:
    """The reason why a folder cannot hold a run's shards; None if it can.

    It must be a folder of their own, which can be deleted.

    Args:
        work: the folder, which need not exist yet.
        others: files that must not lie in it.
    """
    if "\0" in str(work):
        return "holds a zero byte, as no name of a folder does"
    if not is_remote(work) and work.exists() and not work.is_dir():
        return "is a file where a folder for work would go; name another"
    for other in (".", *others):
        if other is not None and real_path(other).is_relative_to(real_path(work)):
            held = "the current folder" if other == "." else other
            return f"is or holds {held}; name a folder of its own, which may be deleted"
    foreign = [name for name in names(work) if not _own(name)]
    if foreign:
        return f"holds other files, such as {min(foreign)}; name a folder of its own"
    return None


def _own(name: str) -> bool:
    """Check if a work folder's entry is the folder of a step, or a hidden or unfinished file."""
    return re.fullmatch(r"\d+-.+|\..+", name) is not None


def finish(
    output: str,
    inputs: Mapping[str, str | None],
    line: str,
    account: Account,
    learned: Mapping[str, Any],
    explanation: str | None = None,
    beside: Sequence[Path] = (),
) -> Run:
    """Write the rejects and then the manifest beside a result, which says that all is whole.

    Standard output has nothing beside it. ``beside`` are further files of the result.
    """
    given = {role: path for role, path in inputs.items() if path is not None}
    if is_standard(output):
        return Run(output, given, line, account, None, explanation, learned)
    rejects = rejects_path(output)
    if account.rejects:
        with atomic_output(rejects) as out:
            for row, reason in account.rejects:
                out.write(json.dumps({"id": row, "reason": reason}, ensure_ascii=False) + "\n")
    rejected = str(rejects) if account.rejects else None
    run = Run(output, given, line, account, rejected, explanation, learned)
    named = (output, rejected, explanation, *beside)
    files = [Path(path) for path in named if path is not None]
    write_record(manifest_path(output), run.to_dict(), files)
    return run


class ChangedResultError(InputError):
    """A result that was changed since its manifest was written.

    Attributes:
        manifest: the manifest, which may still name the inputs.
    """

    manifest: dict[str, Any]


def read_manifest(output: str) -> dict[str, Any] | None:
    """Manifest beside a result, or None.

    Raises InputError if it is damaged; ChangedResultError if it is not this result's.
    """
    path = manifest_path(output)
    if is_standard(output) or not is_there(path):
        return None
    manifest = read_record(path, "run again, or delete it", alone=True)
    if not isinstance(manifest.get("inputs"), dict):
        raise InputError(path, None, "is not a run's manifest; delete it")
    # results may be renamed, and go without their rejects
    if is_there(output) and file_digest(Path(output)) not in manifest.get(FILES, {}).values():
        why = f"is not the result that {path.name} is about; run again, or delete {path.name}"
        changed = ChangedResultError(output, None, why)
        changed.manifest = manifest
        raise changed
    return manifest
