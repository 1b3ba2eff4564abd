"""Inputs of pipelines: files of one side or of both, and the columns of their rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import check_rereadable, check_there
from spanbridge.core.rows import OTHER, SIDES, SentencePair, Side
from spanbridge.core.settings import exact
from spanbridge.core.spans import ABSENT, Sentence
from spanbridge.core.tags import OrphanPolicy, Scheme
from spanbridge.formats import Counts, Format, Pairs, Reading, find_format, read_pairs
from spanbridge.formats.offsets import Offsets
from spanbridge.formats.reading import has_labels, read_by, with_position
from spanbridge.formats.tokens import raw_sentence

# Number of rows of pairs in which links and texts are looked for.
_LOOKED_AT = 1000


def as_rows(
    given: Iterable[str | Sentence | SentencePair], side: Side = "target"
) -> Iterator[SentencePair]:
    """Raw texts and sentences as rows with one side, numbered from 1; rows stay as they are.

    Raises:
        SpanbridgeError: they are one string, sentence or row, or one of them is none of these.
    """
    if isinstance(given, str | Sentence | SentencePair):
        what = {str: "string", Sentence: "sentence"}.get(type(given), "row")
        raise SpanbridgeError(f"texts is one {what}; give a list of texts")
    for number, one in enumerate(given, 1):
        if isinstance(one, SentencePair):
            yield one
        elif isinstance(one, str | Sentence):
            own = raw_sentence(one) if isinstance(one, str) else one
            sides = {side: own, OTHER[side]: ABSENT}
            yield SentencePair(str(number), sides["source"], sides["target"])
        else:
            raise SpanbridgeError(
                f"text {number} is a {type(one).__name__}, but must be a string or a row"
            )


class Files(BaseModel):
    """Files of both sides, row by row.

    Attributes:
        source: the source side, or a file of pairs.
        target: the target side; None if ``source`` holds pairs.
        links: word links, in place of any in the pairs.
        one_based: the words of ``links`` are counted from 1.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    source: str
    target: str | None = None
    links: str | None = None
    one_based: bool = False


class Input(BaseModel):
    """The input of a pipeline, and the settings for reading it.

    Attributes:
        input: raw text (one text per line), CoNLL, rows with one side or both as ``.jsonl`` or
            ``.csv``, or files of both sides.
        side: side on which single sentences are put.
        labels: read the labels of the source side.
        tokenised: True if the words of plain text are separated by white space, False if it is raw;
            by default its first rows tell, and where they do not, a single text is raw and files of
            both sides are tokenised.
        text_column: column of a table, or key of JSON lines, with the text of rows that have one
            side; None takes ``text``.
        scheme, orphans: how the tags of CoNLL are read.
        word_column, tag_column: columns of the labelled CoNLL, from 1, or their names in the
            first line; None finds them.
        format: name of the labelled file's format; None finds it.
        offsets: how the positions of spans in text are counted.
        tag_names: names of tags that are numbers, in their order.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    input: str | Files | None = None
    side: Side = "target"
    labels: bool = True
    tokenised: bool | None = None
    scheme: Scheme = "iob2"
    orphans: OrphanPolicy = "begin"
    text_column: str | None = None
    word_column: Annotated[int, Field(ge=1)] | str | None = None
    tag_column: Annotated[int, Field(ge=1)] | str | None = None
    format: str | None = None
    offsets: Offsets = "characters"
    tag_names: tuple[str, ...] = ()

    @field_validator("*", mode="before")
    @classmethod
    def _exact(cls, value: Any, info: ValidationInfo) -> Any:
        return exact(cls.model_fields[info.field_name or ""].annotation, value)

    def paths(self) -> dict[str, str | None]:
        """Path of each role."""
        if isinstance(self.input, Files):
            return self.input.model_dump(exclude={"one_based"})
        return {"input": self.input}

    def files(self) -> Iterator[Path]:
        """All files that are read."""
        for path in filter(None, self.paths().values()):
            yield Path(path)
            yield from find_format(path, default="conll").beside(path)

    def columns(self) -> set[str]:
        """Columns of the rows. Raises InputError if a file is missing or cannot be read."""
        for path in self.paths().values():
            if path is not None:
                check_there(path)
                check_rereadable(path)
        if self.text_column is not None and isinstance(self.input, str):
            known = self._format(self.input)
            if known.sides != "both":
                why = f"is of the format {known.name}, which has no column {self.text_column!r}"
                raise InputError(self.input, None, f"{why}; leave text_column out")
        found: set[str] = set()
        for n, pair in enumerate(islice(self.rows(), _LOOKED_AT)):
            if n == 0:
                found |= self._always(pair)
            found |= {"links"} if pair.links is not None else set()
            for side in SIDES:
                found |= {f"{side}_text"} if pair.side(side).text is not None else set()
                found |= {f"{side}_spans"} if pair.side(side).spans else set()
                given = f"{side}_before_repair"
                found |= {given} if getattr(pair, given) is not None else set()
        return found

    def labelled(self) -> bool:
        """Check if any row has a label on the side of single sentences.

        Raises InputError if the file is missing or cannot be read.
        """
        for path in filter(None, self.paths().values()):
            check_there(path)
            if isinstance(self.input, str) and not has_labels(path, self.format):
                return False
        return any(pair.side(self.side).spans for pair in self.rows())

    def _always(self, first: SentencePair) -> set[str]:
        """Columns of all rows, whatever they hold, told by the first one."""
        held = [side for side in SIDES if first.side(side) is not ABSENT]
        of_files = isinstance(self.input, Files) and self.input.target is not None
        if len(held) == 1 or of_files:
            labelled = {"source_spans"} if "source" in held and self.labels else set()
        else:
            labelled = {"source_spans", "target_spans"}
        return {f"{side}_words" for side in held} | labelled

    def rows(self, counts: Counts | None = None) -> Iterable[SentencePair]:
        """The rows, in order. Raises InputError, with the line, if the input is wrong."""
        one, how = self.input, self._reading()
        if isinstance(one, Files):
            return read_pairs(
                one.source,
                one.target,
                one.links,
                how=how,
                one_based=one.one_based,
                labelled=self.labels,
                counts=counts,
            )
        path = one or ""
        rows = with_position(self._format(path).read(path, self.side, how, counts), path, counts)
        return (pair for _, pair in rows)

    def signature(self) -> dict[str, str]:
        """Settings by which tags were read, if any were."""
        rows = None if self.input is None else self.rows()
        if isinstance(rows, Pairs):
            return dict(rows.reading)
        path = str(self.input)
        return {} if rows is None else read_by([self._format(path)], self._reading())

    def _reading(self) -> Reading:
        of_pairs = isinstance(self.input, Files)
        tags = self.labels and (of_pairs or self.side == "source")
        same = ("scheme", "orphans", "word_column", "tag_column", "text_column", "tokenised")
        chosen = {name: getattr(self, name) for name in (*same, "offsets", "format", "tag_names")}
        return Reading(tags=tags, raw_if_unclear=not of_pairs, **chosen)

    def reading_of_labels(self) -> Reading:
        """How further labelled files are read: as the input, but for its format and columns."""
        same = ("scheme", "orphans", "text_column", "offsets", "tag_names")
        return Reading(**{name: getattr(self, name) for name in same})

    def _format(self, path: str) -> Format:
        """Format of a file: a labelled corpus is sniffed, raw text is recognised by its name."""
        sniff = self.side == "source" or bool(self.tokenised)
        return find_format(path, name=self.format, default="text", sniff=sniff)
