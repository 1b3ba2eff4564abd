"""A corpus of brat: a folder of documents, whose names are in the ids of rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.rows import SentencePair, Side
from spanbridge.formats.base import DEFAULT_READING, Counts, Reading, Write, row_writer
from spanbridge.formats.brat import Brat, Line, document_output, line_of
from spanbridge.formats.document_folder import documents, file_name, name_of, new_folder

_PART = re.compile(r"(.+)-([1-9]\d{0,8})", re.DOTALL)


class BratFolder(Brat):
    """Documents in the order of their names: a row for each line.

    The id of a row is the name of its document if that has one line, else ``NAME-1``, ``NAME-2``...
    Rows of such ids that follow each other are written as one document, others as one each.
    """

    name = "brat-folder"
    suffixes = ()
    files_by_id = True
    keeps = frozenset({"ids", "text"})

    def beside(self, path: str | Path) -> tuple[Path, ...]:
        """There are no files beside the folder."""
        return ()

    def is_folder(self, path: Path) -> bool:
        """Check for a document."""
        return next(path.rglob("*.ann"), None) is not None

    def read(
        self,
        path: str | Path,
        side: Side = "target",
        how: Reading = DEFAULT_READING,
        counts: Counts | None = None,
    ) -> Iterator[tuple[int, SentencePair]]:
        """Read the rows of each document; see :meth:`Brat.read`."""
        folder, document = Path(path), Brat()
        found = documents(folder, ".ann")
        if not found:
            raise InputError(path, None, "is no folder with documents of brat (.ann and .txt)")
        if counts is not None:
            alone = set(documents(folder, ".txt")) - {one.with_suffix(".txt") for one in found}
            counts.leave_out("texts left out that have no .ann beside them", len(alone))
        for one in found:
            name = name_of(one, folder)
            rows = document.read(one, side, how, counts)
            line, first = next(rows)
            second = next(rows, None)
            if second is None:
                yield line, first._replace(id=name)
                continue
            for number, row in ((line, first), second, *rows):
                yield number, row._replace(id=f"{name}-{row.id}")

    @contextmanager
    def open(
        self, path: str | Path, side: Side = "target", *, scores: bool = False
    ) -> Iterator[Write]:
        """Open a new folder for rows. Raises InputError if there is something in it."""
        with new_folder(path) as folder, ExitStack() as stack:
            found = _Documents(folder, stack)
            yield row_writer(lambda pair: found.write(pair.id, line_of(pair.side(side))))
            found.end()


def _new_file(path: Path) -> TextIO:
    """Open a file of the folder, which appears as a whole at the end, and so needs no care."""
    return path.open("w", encoding="utf-8", newline="\n")


class _Documents:
    """Writes lines into documents, of which one at most is open.

    Args:
        folder: the folder.
        stack: closes what is open.
    """

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._open = folder, stack.enter_context(ExitStack())
        self._put: Callable[[Line], None]
        self._next = ""  # id of the row that would go on with the open document
        self._alone: tuple[str, Line] | None = None  # a row whose document the next one tells

    def write(self, identity: str, line: Line) -> None:
        """Write the line of a row. Raises SpanbridgeError if its id can name no new file."""
        file = self._file(identity)
        part = _PART.fullmatch(identity)
        name, number = (part[1], int(part[2])) if part else ("", 0)
        alone, first = self._alone or ("", None)
        if number == 2 and first and alone == f"{name}-1" and not self._file(name).exists():
            self._alone = None
            self._begin(name, first)
        elif not number or identity != self._next:
            if file.exists() or alone == identity:
                raise SpanbridgeError("another row has this id, and so the same file")
            self.end()
            self._alone = identity, line
            return
        self._put(line)
        self._next = f"{name}-{number + 1}"

    def end(self) -> None:
        """End the document that is open, or write that of a single line."""
        if self._alone is not None:
            (name, line), self._alone = self._alone, None
            self._begin(name, line)
        self._open.close()
        self._next = ""

    def _begin(self, name: str, first: Line) -> None:
        self._put = self._open.enter_context(document_output(self._file(name), _new_file))
        self._put(first)

    def _file(self, name: str) -> Path:
        return self._folder / f"{file_name(name)}.ann"
