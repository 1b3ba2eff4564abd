"""Descriptions of data sets: YAML files, read strictly, with the line of every fault.

A description says what a data set is, where its files come from, where they lie once they are here,
and how they are read. docs/data.md describes each setting.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import lines
from spanbridge.core.registry import names
from spanbridge.core.rows import Side
from spanbridge.core.settings import exact, reason
from spanbridge.core.settings_file import read_settings
from spanbridge.core.similar import meant, not_named
from spanbridge.core.tags import OrphanPolicy, Scheme
from spanbridge.formats.base import Reading, Wordless
from spanbridge.formats.offsets import Offsets

Kind = Literal["entities", "pairs", "bitext", "alignment"]
KINDS: dict[str, str] = {
    "entities": "sentences of one language with labelled spans",
    "pairs": "sentences and their translations, with spans on one side or both",
    "bitext": "sentences and their translations, without spans",
    "alignment": "sentences and their translations, with word links made by people",
}
# Placeholders of paths and addresses.
_PLACES = ("language", "source", "target", "side", "split", "part", "revision")
_PLACE = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")
_LED = re.compile(r"([a-z]\w*(?:\.\d+)?): (.*)", re.DOTALL)
_SHA256 = re.compile(r"[0-9a-f]{64}")
# What the keys of JSON rows may be renamed to.
_KEYS = (
    "id",
    *(f"{side}_{part}" for side in ("source", "target") for part in ("words", "text")),
    *(f"{side}_{part}" for side in ("source", "target") for part in ("spans", "tags")),
    *("links", "possible"),
)
# Layouts that only data sets have, which :mod:`spanbridge.datasets.published` reads.
OWN_FORMATS: dict[str, str] = {
    "squad": "JSON of SQuAD: the answers in each paragraph are its spans",
    "relx": "RELX: a sentence with <e1> and <e2> in it, and its relation",
    "m-absa": "M-ABSA: TEXT####[[TERM, CATEGORY, POLARITY], ...]",
    "linked": "SOURCE TAB TARGET TAB 0-0 1-1",
    "wpt": "<s snum=1> ... </s>, and lines of links: 1 SOURCE TARGET S or P, from 1, in Latin-1",
}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _exact(cls, value: Any, info: Any) -> Any:
        return exact(cls.model_fields[info.field_name].annotation, value)


class HowRead(_Part):
    """How files are read: a subset of :class:`spanbridge.formats.base.Reading`, and more.

    Attributes:
        format: name of a format, or of a layout of :data:`OWN_FORMATS`; None finds it.
        keys: keys of JSON rows, and what they are called here.
        match: comments of the source's and of the target's CoNLL file (``# NAME = VALUE``) by whose
            values rows belong together; those without a counterpart are left out.
        one_based: the links of a file beside the sentences count words from 1.
    """

    format: str | None = None
    scheme: Scheme = "iob2"
    orphans: OrphanPolicy = "begin"
    tokenised: bool | None = None
    tags: bool = True
    word_column: int | str | None = None
    tag_column: int | str | None = None
    tag_names: list[str] = Field(default_factory=list)
    text_column: str | None = None
    offsets: Offsets = "characters"
    wordless: Wordless = "error"
    keys: dict[str, str] = Field(default_factory=dict)
    one_based: bool = False
    match: dict[Side, str] = Field(default_factory=dict)

    @field_validator("match")
    @classmethod
    def _both(cls, given: dict[Side, str]) -> dict[Side, str]:
        if given and len(given) < 2:
            raise ValueError("name the comment of the source, and that of the target")
        return given

    @field_validator("format")
    @classmethod
    def _known(cls, name: str | None) -> str | None:
        known = [*names("format"), *OWN_FORMATS]
        if name is not None and name not in known:
            raise ValueError(not_named("format", name, known))
        return name

    @field_validator("keys")
    @classmethod
    def _known_keys(cls, keys: dict[str, str]) -> dict[str, str]:
        for key in keys.values():
            if key not in _KEYS:
                raise ValueError(not_named("key of rows", key, _KEYS))
        return keys

    def reading(self) -> Reading:
        """The settings as the formats take them."""
        given = self.model_dump(exclude={"keys", "format", "match", "tag_names", "one_based"})
        named = None if self.format in OWN_FORMATS else self.format
        return Reading(**given, format=named, tag_names=tuple(self.tag_names))


def _in_paths(given: Any) -> Any:
    """Names that are filled in in paths, by themselves or as values, which stay below a folder."""
    named = [*(given or ()), *(given.values() if isinstance(given, dict) else ())]
    for name in named:
        # no name begins with a dot or is none, so that no two together lead out of the folder
        if isinstance(name, str) and not all(re.match(r"\w", part) for part in name.split("/")):
            raise ValueError(
                f"{name!r} stands in paths; begin it, and what follows a /, by a letter"
            )
    return given


class Layout(_Part):
    """Files of some languages and splits: where they lie, and where they come from.

    Attributes:
        path: below a folder of data: one file, a list of files, or two files of parallel rows,
            which ``{side}`` makes, the source's and the target's. ``{language}``, ``{source}``,
            ``{target}``, ``{split}`` and ``{part}`` are filled in. ``*`` in the name stands for the
            files of a folder.
        url: address of each file, or of an archive, likewise; or one for each language. None for
            what cannot be fetched.
        member: the files in the archive; a file in an archive in the archive is ``INNER//FILE``.
        languages, splits: those that the files are of; None for all of the data set. Splits may be
            given with their names in paths.
        names: how languages are spelt in paths, where that differs from the rest.
        rows: number of first rows that are read; None reads all.
        reading: how the files are read; None is as the data set says.
    """

    path: str | list[str]
    url: str | list[str] | dict[str, str] | None = None
    member: str | list[str] | None = None
    languages: list[str] | None = None
    splits: list[str] | dict[str, str] | None = None
    names: dict[str, str] = Field(default_factory=dict)
    rows: int | None = Field(None, ge=1)
    reading: HowRead | None = None

    @field_validator("languages", "splits", "names")
    @classmethod
    def _below(cls, given: Any) -> Any:
        return _in_paths(given)

    @field_validator("path", "url", "member")
    @classmethod
    def _filled(cls, given: Any) -> Any:
        for template in _each(given):
            for name in _PLACE.findall(template):
                if name not in _PLACES:
                    raise ValueError(not_named("placeholder", name, _PLACES))
        return given

    @model_validator(mode="after")
    def _sound(self) -> Layout:
        for path in map(PurePosixPath, _each(self.path)):
            if ".." in path.parts or not path.name or "*" in str(path.parent):
                raise ValueError(
                    "path: name a file below the folder of data, without .., * only in its name"
                )
            if self.url is not None and path.is_absolute():
                raise ValueError("path: what is fetched goes below a folder of data; no / first")
        for url in _each(self.url):
            if not re.match(r"https?://.", url):
                raise ValueError("url: give an address that begins with https://")
        if self.url is None and self.member is not None:
            raise ValueError("member: is a file of an archive; give its url too")
        return self

    def name_of(self, split: str) -> str | None:
        """The name of a split in paths; None for one of which these files are not."""
        if isinstance(self.splits, dict):
            return self.splits.get(split)
        return split if self.splits is None or split in self.splits else None

    def count(self, templates: str | list[str] | dict[str, str] | None) -> int:
        """Number of paths or addresses that templates stand for."""
        each = list(_each(templates))
        return len(each) + (sum("{side}" in one for one in each) if self.has_sides else 0)

    def wrong_numbers(self) -> str | None:
        """What is wrong if there are not as many addresses or members as paths."""
        n_paths = self.count(self.path)
        if not isinstance(self.url, dict) and self.count(self.url) not in (0, 1, n_paths):
            return f"gives {self.count(self.url)} addresses for {n_paths} paths"
        if self.member is not None and self.count(self.member) != n_paths:
            return f"gives {self.count(self.member)} members for {n_paths} paths"
        return None

    def urls(self) -> list[str]:
        """Its addresses, not filled in."""
        return list(_each(self.url))

    @property
    def has_sides(self) -> bool:
        """True if it is files of the source and of the target."""
        return any("{side}" in template for template in _each(self.path))


class PartOf(_Part):
    """What sets a part of a data set apart, such as a domain: its own labels."""

    title: str | None = None
    labels: list[str] | None = None
    coarse: dict[str, str] | None = None


class Description(_Part):
    """All that is said of a data set.

    Attributes:
        title: its name in texts.
        kind: one of :data:`KINDS`.
        licence: an SPDX identifier where there is one.
        homepage: where to read about it.
        cite: the publication.
        revision: commit that addresses name by ``{revision}``.
        languages: codes, of pairs ``en-de``.
        names: how languages are spelt in paths, where that differs.
        splits: of all its languages together.
        labels: labels of its spans, after ``map``.
        map: labels as they stand in the files -> as they are read; null drops their spans.
        coarse: labels -> PER, ORG or LOC, where the field does so; others are dropped. None needed
            where these are among the labels.
        quirks: what a user should know before trusting a number.
        access: how to get the files where they cannot be fetched.
        verified: False if addresses, revision or layout could not be checked.
        reading: how its files are read.
        parts: data sets of one description, NAME-PART each.
        files: where its files lie and come from; of several the first that is there is read.
        sha256: digests of fetched files by their paths, and of archives by their addresses; those
            in a file beside the description, ``NAME.sha256``, are added.
    """

    title: str
    kind: Kind
    licence: str
    homepage: str | None = None
    cite: str | None = None
    revision: str | None = None
    languages: list[str]
    names: dict[str, str] = Field(default_factory=dict)
    splits: list[str]
    labels: list[str] = Field(default_factory=list)
    map: dict[str, str | None] = Field(default_factory=dict)
    coarse: dict[str, str] = Field(default_factory=dict)
    quirks: list[str] = Field(default_factory=list)
    access: str | None = None
    verified: bool = False
    reading: HowRead = Field(default_factory=HowRead)
    parts: dict[str, PartOf] = Field(default_factory=dict)
    files: list[Layout] = Field(min_length=1)
    sha256: dict[str, str] = Field(default_factory=dict)

    @field_validator("languages", "splits")
    @classmethod
    def _some(cls, given: list[str]) -> list[str]:
        if not given or len({*given}) < len(given):
            raise ValueError("name at least one, and each once")
        return given

    @field_validator("languages", "splits", "names", "parts")
    @classmethod
    def _below(cls, given: Any) -> Any:
        return _in_paths(given)

    @field_validator("sha256")
    @classmethod
    def _digests(cls, given: dict[str, str]) -> dict[str, str]:
        for path, digest in given.items():
            if not _SHA256.fullmatch(digest):
                raise ValueError(f"{path}: a SHA-256 has 64 digits, 0-9 and a-f")
        return given

    @model_validator(mode="after")
    def _consistent(self) -> Description:
        paired = self.kind != "entities"
        for code in self.languages:
            if paired and "-" not in code:
                raise ValueError(f"languages: {code} is no pair such as en-de")
        for n, layout in enumerate(self.files):
            why = self._wrong(layout, paired) or layout.wrong_numbers()
            if why:
                raise ValueError(f"files.{n}: {why}")
        return self

    def _wrong(self, layout: Layout, paired: bool) -> str | None:
        """What is wrong in an entry of the files, given the rest."""
        for code in layout.languages or ():
            if code not in self.languages:
                return not_named("language", code, self.languages)
        for split in layout.splits or ():
            if split not in self.splits:
                return not_named("split", split, self.splits)
        named = {one[1] for one in _PLACE.finditer(f"{layout.path}{layout.url}{layout.member}")}
        if of_pairs := sorted(named & {"side", "source", "target"}) if not paired else []:
            return f"{{{of_pairs[0]}}} is of pairs; write {{language}}"
        if "side" in named and not layout.has_sides:
            return "{side} stands in its url or member only; write it in its path too"
        if "revision" in named and self.revision is None:
            return "names a revision; give that too"
        if "part" in named and not self.parts:
            return "names a part; give parts"
        if isinstance(layout.url, dict):
            codes = layout.languages or self.languages
            spoken = {one for code in codes for one in _spoken(code, layout.has_sides)}
            if missing := sorted(spoken - {*layout.url}):
                return f"its url lacks {', '.join(missing)}"
        return None


def read_description(path: Path) -> Description:
    """Read a description, and the digests beside it. Raises InputError with the line of a fault."""
    given, place = read_settings(str(path))
    try:
        found = Description.model_validate(given)
    except ValidationError as error:
        # of a name that does not exist and one that is missing, the former is the cause
        first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
        loc = tuple(step for step in first["loc"] if _is_in(step))
        why = reason(first)
        if not loc and (at := _LED.match(why)):  # what concerns several settings
            loc, why = (
                tuple(int(one) if one.isdecimal() else one for one in at[1].split(".")),
                at[2],
            )
        name = ".".join(map(str, loc))
        if first["type"] == "extra_forbidden":
            model = Description if len(loc) == 1 else HowRead if loc[-2] == "reading" else Layout
            why += meant(str(loc[-1]), model.model_fields)
        raise InputError(path, place(loc), ": ".join(filter(None, (name, why)))) from error
    beside = path.with_suffix(".sha256")
    if beside.is_file():
        found.sha256.update(_digests(beside))
    return found


def _digests(path: Path) -> dict[str, str]:
    """Digests by path, as the program sha256sum writes and checks them. Raises InputError."""
    found = {}
    for number, line in enumerate(lines(path), 1):
        digest, _, name = line.partition("  ")
        if not _SHA256.fullmatch(digest) or not name:
            raise InputError(path, number, "is no line of sha256sum: DIGEST, two spaces, PATH")
        found[name] = digest
    return found


def check_name(name: str) -> None:
    """Raise SpanbridgeError for what cannot name a data set."""
    if not _NAME.fullmatch(name):
        raise SpanbridgeError(
            f"{name!r} cannot name a data set; use small letters, digits, hyphens, dots and _"
        )


def _spoken(code: str, apart: bool) -> tuple[str, ...]:
    """The languages by which addresses are told apart."""
    source, _, target = code.partition("-")
    return (source, target) if apart else (code,)


def _each(given: str | list[str] | dict[str, str] | None) -> Iterator[str]:
    """The templates of a path or an address."""
    if isinstance(given, str):
        yield given
    elif given is not None:
        yield from given.values() if isinstance(given, dict) else given


def filled(template: str, given: Mapping[str, str]) -> str:
    """A path or an address with its placeholders filled in."""
    return _PLACE.sub(lambda place: given[place[1]], template)


def _is_in(step: Any) -> bool:
    """False for what pydantic adds to tell the members of a union apart."""
    return isinstance(step, int) or not re.match(r"(list|dict|str|int)\b", str(step))
