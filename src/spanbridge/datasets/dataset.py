"""A data set: which files it has, where they are on this machine, and the rows in them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.records import file_digest
from spanbridge.core.rows import SentencePair, Side
from spanbridge.core.similar import not_named
from spanbridge.datasets import fetched, rows
from spanbridge.datasets.codes import in_paths, listed, sides, with_language
from spanbridge.datasets.description import Description, HowRead, Kind, Layout, filled
from spanbridge.datasets.places import VARIABLE, data_folders
from spanbridge.formats.base import Counts

if TYPE_CHECKING:
    from spanbridge.datasets.getting import Got, Watch


COARSE = ("PER", "ORG", "LOC")
# Files as they are read: one group for all, or one for the source and one for the target.
Groups = tuple[tuple[Path, ...], ...]


@dataclass(frozen=True)
class Source:
    """Where the files of one language and split can be fetched from, and where they go.

    Attributes:
        paths: below a folder of data.
        urls: address of each; of an archive, if there are members.
        members: file of each in the archive; empty if the addresses are the files themselves.
    """

    paths: tuple[str, ...]
    urls: tuple[str, ...]
    members: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set that is known by name, whether its files are here or not.

    Attributes:
        name: its name.
        description: all that its YAML file says.
        file: that file.
        part: the part of the description that it is, such as a domain; empty for the whole.
        home: folder in which its files are looked for first; None for data sets of packages.
    """

    name: str
    description: Description
    file: Path
    part: str = ""
    home: Path | None = None

    @property
    def title(self) -> str:
        """Its name in texts."""
        own = self.description.parts[self.part].title if self.part else None
        return own or self.description.title + (f", {self.part}" if self.part else "")

    @property
    def kind(self) -> Kind:
        """``entities``, ``pairs``, ``bitext`` or ``alignment``."""
        return self.description.kind

    @property
    def paired(self) -> bool:
        """True if its rows have two languages."""
        return self.kind != "entities"

    @property
    def licence(self) -> str:
        """Licence of the data, an SPDX identifier where there is one."""
        return self.description.licence

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of its languages; of pairs ``en-de``, the source first."""
        return tuple(self.description.languages)

    @property
    def splits(self) -> tuple[str, ...]:
        """Splits of all its languages together; see :meth:`splits_of`."""
        return tuple(self.description.splits)

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of its spans as they are read; empty where they are open or there are none."""
        own = self.description.parts[self.part].labels if self.part else None
        return tuple(self.description.labels if own is None else own)

    @property
    def coarse(self) -> dict[str, str]:
        """Its labels -> PER, ORG, LOC, as the field maps them; others are dropped.

        Where the description maps none, these three stand for themselves.
        """
        own = self.description.parts[self.part].coarse if self.part else None
        found = dict(self.description.coarse if own is None else own)
        return found or {label: label for label in self.labels if label in COARSE}

    @property
    def quirks(self) -> tuple[str, ...]:
        """What a user should know before trusting a number."""
        return tuple(self.description.quirks)

    @property
    def needs_download(self) -> bool:
        """True if none of its files are on this machine."""
        return not any(
            self.locate(language, split)
            for language in self.languages
            for split in self.splits_of(language)
        )

    def splits_of(self, language: str) -> tuple[str, ...]:
        """The splits that a language has. Raises SpanbridgeError if it has no such language."""
        code = self.code(language)
        return tuple(s for s in self.splits if any(self._layouts(code, s)))

    def code(self, language: str) -> str:
        """The one of :attr:`languages` that a code names. Raises SpanbridgeError if none does."""
        return listed(language, self.languages, self.name, paired=self.paired)

    def with_language(self, language: str) -> list[str]:
        """Those of :attr:`languages` that a language is, or is in. It may be a pair, too."""
        return with_language(language, self.languages, paired=self.paired)

    def locate(self, language: str, split: str) -> tuple[Path, ...] | None:
        """The files of a language and split on this machine; None if they are not here.

        Raises SpanbridgeError if the data set has no such language or split.
        """
        return self._flat(self._find(self._folders(), language, split))

    def locate_in(self, folder: Path, language: str, split: str) -> tuple[Path, ...] | None:
        """The files of a language and split below one folder of data; None if they are not there.

        Raises SpanbridgeError if the data set has no such language or split.
        """
        return self._flat(self._find([folder], language, split))

    def files(self, language: str, split: str) -> tuple[Path, ...]:
        """The files of a language and split: one, or the source's and the target's.

        Raises:
            SpanbridgeError: there is no such language or split; or it is not on this machine, and
                how to get it.
            InputError: a fetched file was changed since.
        """
        return tuple(path for group in self._found(language, split)[1] for path in group)

    def read(
        self,
        language: str,
        split: str,
        side: Side = "target",
        *,
        coarse: bool = False,
        counts: Counts | None = None,
    ) -> Iterator[SentencePair]:
        """Read the rows of a language and split, labels mapped as the description says.

        Args:
            language: by any code; of pairs ``en-de``.
            split: one of :attr:`splits`.
            side: side of the pairs on which sentences of one language are put; the other is empty.
            coarse: map labels by :attr:`coarse` too, and drop the spans of all others.
            counts: counts of the reader to update, if any.

        Returns:
            Rows; pairs have the spans of both sides where people labelled both, and alignments
            have the sure links as ``links`` and the others in ``extra["possible"]``.

        Raises:
            SpanbridgeError: no label has a coarse one; and as :meth:`files`.
            InputError: as :meth:`files`; and while reading, for a file that is not
                as the description says.
        """
        if coarse and not self.coarse:
            none = f"{self.name} has no labels that stand for {', '.join(COARSE)}"
            raise SpanbridgeError(f"{none}; read its labels as they are")
        layout, groups = self._found(language, split)
        renamed = rows.renaming(self.description.map, self.coarse if coarse else None)
        spoken = sides(self.code(language)) if self.paired else ()
        found = rows.read(groups, self._how(layout), side, counts, spoken)
        return rows.changed(found, renamed, layout.rows)

    def digest(self, language: str, split: str) -> str:
        """SHA-256 of the files of a language and split and of how they are read, for signatures.

        Raises as :meth:`files`.
        """
        layout, groups = self._found(language, split)
        how: dict[str, Any] = self._how(layout).model_dump(exclude_defaults=True)
        files = [[file_digest(path) for path in group] for group in groups]
        whole = [files, how, self.description.map, layout.rows]
        return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()

    def get(
        self,
        languages: Sequence[str] = (),
        splits: Sequence[str] = (),
        to: str | Path | None = None,
        watch: Watch | None = None,
    ) -> Iterator[Got]:
        """Fetch the files that are not here yet; see :func:`spanbridge.datasets.getting.get`."""
        from spanbridge.datasets.getting import get

        return get(self, languages, splits, to, watch)

    def source(self, language: str, split: str) -> Source | None:
        """Where a language and split can be fetched from; None if nowhere.

        Raises SpanbridgeError if there is no such language or split.
        """
        code, split = self._known(language, split)
        for layout, name in self._layouts(code, split):
            if layout.url is not None:
                given = self._given(layout, code, name)
                paths, urls, members = (
                    tuple(self._filled(templates, given))
                    for templates in (layout.path, layout.url, layout.member)
                )
                return Source(paths, urls * (len(paths) // len(urls)), members)
        return None

    def _found(self, language: str, split: str) -> tuple[Layout, Groups]:
        found = self._find(self._folders(), language, split)
        if found is None:
            raise self._missing(*self._known(language, split))
        fetched.check([path for group in found[1] for path in group], self.name)
        return found

    def _folders(self) -> list[Path]:
        return [*([self.home] if self.home else ()), *data_folders()]

    def _find(
        self, folders: Sequence[Path], language: str, split: str
    ) -> tuple[Layout, Groups] | None:
        code, split = self._known(language, split)
        layouts = list(self._layouts(code, split))
        for folder in folders:
            for layout, name in layouts:
                paths = self._filled(layout.path, self._given(layout, code, name))
                groups = tuple(_there(folder, path) for path in paths)
                if all(groups):
                    return layout, groups
        return None

    @staticmethod
    def _flat(found: tuple[Layout, Groups] | None) -> tuple[Path, ...] | None:
        return None if found is None else tuple(path for group in found[1] for path in group)

    def _known(self, language: str, split: str) -> tuple[str, str]:
        code = self.code(language)
        known = self.splits_of(code)
        if split not in known:
            raise SpanbridgeError(f"{self.name}, {code}: {not_named('split of it', split, known)}")
        return code, split

    def _layouts(self, code: str, split: str) -> Iterator[tuple[Layout, str]]:
        """The layouts that have a language and split, with the split's name in paths."""
        for layout in self.description.files:
            if layout.languages is None or code in layout.languages:
                name = layout.name_of(split)
                if name is not None:
                    yield layout, name

    def _given(self, layout: Layout, code: str, split: str) -> list[dict[str, str]]:
        """What the placeholders stand for: of pairs for the source and for the target."""
        described, paired = self.description, self.paired
        spelt = described.names | layout.names
        given = {
            **in_paths(code, spelt, paired=paired),
            "split": split,
            "part": self.part,
            "revision": described.revision or "",
            "code": code,
        }
        if not (paired and layout.has_sides):
            return [given]
        each = zip(("source", "target"), sides(code), strict=True)
        return [given | {"side": given[side], "code": spoken} for side, spoken in each]

    @staticmethod
    def _filled(
        templates: str | list[str] | dict[str, str] | None, given: list[dict[str, str]]
    ) -> list[str]:
        """Paths or addresses: each template once, or once for each side if it names one."""
        if isinstance(templates, dict):
            return [filled(templates[one["code"]], one) for one in given]
        each = [templates] if isinstance(templates, str) else templates or []
        return [
            filled(template, one)
            for template in each
            for one in (given if "{side}" in template else given[:1])
        ]

    def _how(self, layout: Layout) -> HowRead:
        return layout.reading or self.description.reading

    def _missing(self, code: str, split: str) -> SpanbridgeError:
        what = f"{self.name}, {code}, {split}: is not on this machine"
        if self.source(code, split) is not None:
            command = f"spanbridge data get {self.name} --lang {code} --split {split}"
            return SpanbridgeError(f"{what}; fetch it: {command}")
        layout, name = next(iter(self._layouts(code, split)))
        paths = " and ".join(self._filled(layout.path, self._given(layout, code, name)))
        how = f"{self.description.access} " if self.description.access else ""
        return SpanbridgeError(f"{what}. {how}Put {paths} into a folder that {VARIABLE} names")


def _there(folder: Path, path: str) -> tuple[Path, ...]:
    """The files of a path below a folder; none if one is missing."""
    whole = folder / path
    if "*" in path:
        return tuple(sorted(one for one in whole.parent.glob(whole.name) if one.is_file()))
    return (whole,) if whole.is_file() else ()
