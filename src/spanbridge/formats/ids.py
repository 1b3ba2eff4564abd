"""Ids of the rows of a file: those that occur more than once are counted and named."""

from __future__ import annotations

from array import array

# Number of ids that are compared, the first ones of a file; bounds memory (about 100 MB).
MOST = 1_000_000


class Ids:
    """The ids of a file's rows, in order.

    Attributes:
        n_repeated: number of rows with the id of an earlier row.
        example: the first of these ids, and the lines of both rows.
    """

    def __init__(self) -> None:
        self.n_repeated = 0
        self.example: tuple[str, int, int] | None = None
        # Most files number their rows: as long as they do, only lines are kept.
        self._numbered = array("Q")
        self._lines: dict[int, int] = {}  # hash of an id -> line

    def see(self, identity: str, line: int) -> None:
        """Note the id of the next row, and its first line in the file."""
        if not self._lines and identity == str(len(self._numbered) + 1):
            if len(self._numbered) < MOST:
                self._numbered.append(line)
            return
        key = hash(identity)
        before = self._lines.get(key) or self._of_number(identity)
        if before is not None:
            self.n_repeated += 1
            self.example = self.example or (identity, before, line)
        elif len(self._lines) < MOST:
            self._lines[key] = line

    def _of_number(self, identity: str) -> int | None:
        if not identity.isdecimal() or len(identity) > len(str(MOST)):
            return None
        number = int(identity)
        known = 1 <= number <= len(self._numbered) and str(number) == identity
        return self._numbered[number - 1] if known else None

    def notes(self) -> dict[str, int]:
        """What an account says of them."""
        if self.example is None:
            return {}
        identity, before, line = self.example
        shown = identity if len(identity) <= 40 else identity[:37] + "..."
        told = f"rows have the id of an earlier row, such as {shown!r} in lines {before} and {line}"
        return {told: self.n_repeated}
