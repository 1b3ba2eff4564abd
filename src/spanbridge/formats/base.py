"""Base classes of file formats, which read and write rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, TextIO

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import atomic_output, is_gzip
from spanbridge.core.requirements import Part
from spanbridge.core.rows import SIDES, SentencePair, Side
from spanbridge.core.spans import ABSENT, Sentence
from spanbridge.core.tags import ORPHAN_POLICIES, SCHEMES, OrphanPolicy, Scheme
from spanbridge.formats.offsets import OFFSETS, Offsets, Places, notes_of

Write = Callable[[SentencePair], None]
Wordless = Literal["error", "drop"]
WORDLESS: tuple[Wordless, ...] = ("error", "drop")
# Number of lines read to recognise a format.
SNIFFED_LINES = 1000


@dataclass(slots=True)
class Counts:
    """Counts of a reader.

    Attributes:
        n_rows: rows read.
        n_orphans: inside tags that continued no span (see ``core.tags``).
        n_comments: comment lines skipped.
        n_sides_unlinked: sides on which no link of a whole file has the index 0.
        guessed: what was guessed of the layout of files, with their numbers of rows.
        left_out: what the rows of a file hold beside spans and was not read, with its number.
        places: how spans in characters lie in the texts of each side.
        repeated: what is said of ids that several rows have, with the number of rows.
    """

    n_rows: int = 0
    n_orphans: int = 0
    n_comments: int = 0
    n_sides_unlinked: int = 0
    guessed: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    places: dict[Side, Places] = field(default_factory=lambda: {side: Places() for side in SIDES})
    repeated: dict[str, int] = field(default_factory=dict)

    def guess(self, what: str) -> None:
        """Count a row that was read by a guess."""
        self.guessed[what] = self.guessed.get(what, 0) + 1

    def notes(self) -> dict[str, int]:
        """The counts that appear in an account."""
        return {
            "orphan_tags": self.n_orphans,
            "sides_whose_first_words_have_no_link_(are_links_counted_from_1?_--one-based)": (
                self.n_sides_unlinked
            ),
            **dict(notes_of(self.places)),
            **self.guessed,
            **self.left_out,
            **self.repeated,
        }

    def leave_out(self, what: str, n: int = 1) -> None:
        """Count things that are not read."""
        if n:
            self.left_out[what] = self.left_out.get(what, 0) + n


@dataclass(frozen=True, slots=True)
class Reading:
    """Settings for reading a file.

    Attributes:
        scheme: scheme of the tags of CoNLL.
        orphans: treatment of inside tags that continue nothing.
        tags: False ignores the tags of CoNLL, so that they may be missing.
        word_column, tag_column: columns of CoNLL, by number from 1 or by the name that the first
            line gives them; None finds them. A name is also that of a key of Hugging Face rows, or
            of a layer of WebAnno.
        offsets: how the positions of spans in JSON are counted; in words, only whether ends are
            inclusive.
        format: name of the labelled file's format; None finds it.
        tag_names: names of tags that are numbers, in their order.
        tokenised: True if the words of plain text are separated by white space, and those of CoNLL
            by lines; False if it is raw: it is cut into words, and kept with their offsets; None
            finds out by the text's first rows (see ``formats.tokenised``).
        raw_if_unclear: take a text whose rows do not tell for raw.
        text_column: column of a table, or key of JSON lines, that holds the text of rows with one
            side; None takes ``text``, unless rows hold sides of their own.
        pairs: rows need both sides.
        wordless: treatment of lines of CoNLL without a word whose tag is O, which some published
            corpora have: an ``error``, or ``drop`` them, counted.
    """

    scheme: Scheme = "iob2"
    orphans: OrphanPolicy = "begin"
    tags: bool = True
    tokenised: bool | None = None
    raw_if_unclear: bool = False
    text_column: str | None = None
    pairs: bool = False
    word_column: int | str | None = None
    tag_column: int | str | None = None
    offsets: Offsets = "characters"
    format: str | None = None
    tag_names: tuple[str, ...] = ()
    wordless: Wordless = "error"

    def __post_init__(self) -> None:
        for name, value, known in (
            ("scheme", self.scheme, SCHEMES),
            ("orphans", self.orphans, ORPHAN_POLICIES),
            ("offsets", self.offsets, OFFSETS),
            ("wordless", self.wordless, WORDLESS),
        ):
            if value not in known:
                raise SpanbridgeError(f"{name} is {value!r}, but must be one of {', '.join(known)}")


DEFAULT_READING = Reading()


class Format(Part, ABC):
    """A file format, without state: one object serves all files.

    Attributes:
        name: name in the registry.
        suffixes: suffixes of its files, in lower case, without a final ``.gz``; of several formats
            that share one, that which has it first is the usual one.
        sides: ``both`` if a file holds pairs, ``one`` if it holds single sentences, ``none`` if it
            holds no sentences.
        holds_spans: True if it holds the spans of its sentences.
        holds_nested: True if the spans of a sentence may overlap; else it is written with one layer
            of them.
        holds_links: True if it holds word links.
        blank_row: number of empty lines in a row of which the last one is a row without words; 0 if
            empty lines are none.
        files_by_id: True if rows are found by the names of files, which are their ids: one that
            cannot be written leaves no gap then.
        writes_one_side: True if its files hold pairs, but are written with one side.
        keeps: what else it holds and gives back: ``ids``, ``words`` (as they were cut), ``text``
            (with its spaces), ``scores`` (of spans), ``span_keys`` (other keys of spans), ``keys``
            (other keys of rows), and names of plain fields such as ``status``.
    """

    name: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]] = ()
    sides: ClassVar[Literal["both", "one", "none"]]
    holds_spans: ClassVar[bool] = False
    holds_nested: ClassVar[bool] = False
    holds_links: ClassVar[bool] = False
    blank_row: ClassVar[int] = 0
    files_by_id: ClassVar[bool] = False
    writes_one_side: ClassVar[bool] = False
    keeps: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        if not isinstance(cls.suffixes, tuple) or any(s[:1] != "." for s in cls.suffixes):
            raise SpanbridgeError(
                f"the format {cls.__name__} has the suffixes {cls.suffixes!r}; give a tuple of "
                'names such as (".conll",)'
            )

    def sniff(self, head: Sequence[str], strict: bool = True) -> bool:
        """Check if the first lines of a file are of this format; used if the suffix does not tell.

        Args:
            head: up to ``SNIFFED_LINES`` lines.
            strict: the file's name suggests plain text, so the lines must be unambiguous.
        """
        return False

    def is_folder(self, path: Path) -> bool:
        """Check if a folder is of this format, by what it holds."""
        return False

    def by_lines(self, path: str | Path, how: Reading) -> str | None:
        """Note for an account, if neither a file's name nor the user tells its format."""
        if how.format is not None:
            return None
        name = Path(path).with_suffix("") if is_gzip(path) else Path(path)
        known = name.suffix.lower() in self.suffixes
        return None if known else f"rows of the format {self.name}, as the first lines tell"

    @abstractmethod
    def read(
        self,
        path: str | Path,
        side: Side = "target",
        how: Reading = DEFAULT_READING,
        counts: Counts | None = None,
    ) -> Iterator[tuple[int, SentencePair]]:
        """Read rows.

        Args:
            path: the file.
            side: side of the pairs on which single sentences are put; the other one has no words.
            how: settings, as far as they apply to this format.
            counts: counts to update, if any.

        Yields:
            The 1-based number of each row's first line, and the row.

        Raises:
            InputError: the file does not conform to the format, or cannot be read.
            SpanbridgeError: the format holds no sentences.
        """

    def sentences(
        self, path: str | Path, how: Reading = DEFAULT_READING, counts: Counts | None = None
    ) -> Iterator[tuple[int, Sentence]]:
        """Read sentences (target sides of pairs), each with the 1-based number of its first line.

        Raises:
            InputError, SpanbridgeError: as :meth:`read`; or the rows have no target.
        """
        for line, pair in self.read(path, "target", how, counts):
            if pair.target is ABSENT:
                raise InputError(path, line, "has no target side, whose sentences are read")
            yield line, pair.target

    def writer(self, out: TextIO, side: Side = "target", *, scores: bool = False) -> Write:
        """Return a function that writes a row to an open file.

        It raises SpanbridgeError, naming the row, for one that the format cannot hold. A format
        whose files are no text, or have an end of their own, has :meth:`open` alone.

        Args:
            out: the file.
            side: side that is written if the format holds only one.
            scores: write the links' scores too, if they are optional in the format.
        """
        raise SpanbridgeError(f"{self.name} is not written row by row; open_writer writes it")

    def keeps_key(self, key: str) -> bool:
        """Check if a key of a row's own is written."""
        return "keys" in self.keeps

    def keeps_span_key(self, key: str) -> bool:
        """Check if another key of a span is written."""
        return "span_keys" in self.keeps

    def beside(self, path: str | Path) -> tuple[Path, ...]:
        """Further files that are read and written with a file."""
        return ()

    @contextmanager
    def open(
        self, path: str | Path, side: Side = "target", *, scores: bool = False
    ) -> Iterator[Write]:
        """Open a file for rows, which appears once the block has succeeded; see :meth:`writer`.

        Raises InputError as :func:`spanbridge.core.files.atomic_output`.
        """
        with atomic_output(path) as out:
            yield self.writer(out, side, scores=scores)


def one_side(
    identity: str, sentence: Sentence, side: Side, extra: Mapping[str, Any] | None = None
) -> SentencePair:
    """A row with a sentence on one side only."""
    both = (sentence, ABSENT) if side == "source" else (ABSENT, sentence)
    return SentencePair(identity, *both, extra=extra or {})


class SentenceFormat(Format):
    """A format of single sentences: a file holds one side of its pairs."""

    sides = "one"

    @abstractmethod
    def sentences(
        self, path: str | Path, how: Reading = DEFAULT_READING, counts: Counts | None = None
    ) -> Iterator[tuple[int, Sentence]]:
        """Read sentences, each with the 1-based number of its first line.

        Raises InputError as :meth:`read`.
        """

    @abstractmethod
    def write_sentence(self, sentence: Sentence, out: TextIO) -> None:
        """Write a sentence. Raises SpanbridgeError if the format cannot hold it."""

    def read(
        self,
        path: str | Path,
        side: Side = "target",
        how: Reading = DEFAULT_READING,
        counts: Counts | None = None,
    ) -> Iterator[tuple[int, SentencePair]]:
        """Read rows with a sentence on one side; ids are row numbers. See :meth:`Format.read`."""
        for number, (line, sentence) in enumerate(self.sentences(path, how, counts), 1):
            yield line, one_side(str(number), sentence, side)

    def writer(self, out: TextIO, side: Side = "target", *, scores: bool = False) -> Write:
        """Return a function that writes one side of a row. See :meth:`Format.writer`."""
        return row_writer(lambda pair: self.write_sentence(pair.side(side), out))


class MisfitError(SpanbridgeError):
    """A row that a format cannot hold.

    Args:
        row: id of the row.
        why: the reason.
    """

    def __init__(self, row: str, why: str) -> None:
        super().__init__(f"row {row}: {why}")
        self.why = why


def row_writer(write: Write) -> Write:
    """Return the same function, whose errors are MisfitError."""

    def named(pair: SentencePair) -> None:
        try:
            write(pair)
        except SpanbridgeError as error:
            raise MisfitError(pair.id, str(error)) from error

    return named


@contextmanager
def enclosed(
    path: str | Path, begin: str, between: str, end: str, text: Callable[[SentencePair], str]
) -> Iterator[Write]:
    """Open a file whose rows stand between a beginning and an end, such as an array of JSON.

    Args:
        path: the file.
        begin: what stands before the first row.
        between: what stands between two rows.
        end: what stands after the last one.
        text: makes the text of a row; it raises SpanbridgeError for one that cannot be written.

    Raises InputError as :func:`spanbridge.core.files.atomic_output`.
    """
    with atomic_output(path) as out:
        before = begin

        def write(pair: SentencePair) -> None:
            nonlocal before
            item = text(pair)
            out.write(f"{before}\n{item}")
            before = between

        yield row_writer(write)
        out.write(f"{begin}\n{end}\n" if before is begin else f"\n{end}\n")
