"""``spanbridge data``: data sets by name."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import click

from spanbridge.cli import options as opt
from spanbridge.cli.terminal import say, say_json, show_passing

if TYPE_CHECKING:
    from spanbridge.core.rows import SentencePair
    from spanbridge.datasets import Dataset
    from spanbridge.datasets.getting import Got

F = TypeVar("F", bound=Callable[..., Any])
_FEW = 8  # languages that are listed before the rest is counted
_KINDS = ("entities", "pairs", "bitext", "alignment")


@click.group(
    epilog="""\b
Examples:
  spanbridge data list --language swa
  spanbridge data show masakhaner2
  spanbridge data get masakhaner2 --lang swa,yor --split dev,test
  spanbridge data write masakhaner2 --lang swa --split dev -o swa.conll
"""
)
def command() -> None:
    """Data sets by name: which there are, what is known of them, and their files.

    Nothing comes with the package: `get` fetches files from where they are published. Files that
    are here already are found in the folders that SPANBRIDGE_DATA names, in ../shared/data, and
    where `get` puts them. NAME may be the path of a description of your own (FILE.yaml).
    """


_name = click.argument("data_set", metavar="NAME")


def _names(_: Any, __: Any, text: str | None) -> list[str]:
    return [] if text is None else [name.strip() for name in text.split(",") if name.strip()]


def _list_option(name: str, own: str, what: str) -> Callable[[F], F]:
    return click.option(name, own, metavar="A,B", callback=_names, help=what)


@command.command("list")
@click.option(
    "--language", metavar="LANG", help="Only those with this language, by any code: sw, swa, en-de."
)
@click.option("--kind", type=click.Choice(_KINDS), help="Only those of this kind.")
@opt.json_option
def list_them(language: str | None, kind: str | None, as_json: bool) -> None:
    """List the data sets, and how much of each is on this machine."""
    from spanbridge.datasets import datasets

    found = []
    for one in datasets().values():
        codes = one.languages if language is None else one.with_language(language)
        if codes and kind in (None, one.kind):
            found.append((one, codes))
    if as_json:
        say_json([_facts(one) for one, _ in found])
        return
    if not found:
        say("there is none such", err=True)
        return
    rows: list[tuple[str, ...]] = [("name", "kind", "here", "licence", "languages")]
    for one, codes in found:
        here, all_of_it = _here(one, codes)
        part = f"{here} of {all_of_it}"
        rows.append((one.name, one.kind, part, one.licence, _some(codes)))
    say("\n".join(_columns(rows)))
    say("\n`here` counts languages and splits; `spanbridge data show NAME` says more", err=True)


@command.command()
@_name
@_list_option("--lang", "languages", "List files of these languages, and where they come from.")
@opt.json_option
def show(data_set: str, languages: list[str], as_json: bool) -> None:
    """Show all that is known of a data set: licence, labels, quirks, source, files."""
    from spanbridge.datasets import find_dataset

    one = find_dataset(data_set)
    codes = [one.code(language) for language in languages]
    if as_json:
        facts = _facts(one) | {"files": [*_files(one, codes or list(one.languages))]}
        say_json(facts)
        return
    say("\n".join(_told(one)))
    for file in _files(one, codes):
        say(f"\n{file['language']}, {file['split']}")
        for what in ("here", "from", "sha256"):
            for value in file[what]:
                say(f"  {what:<8}{value}")


@command.command()
@_name
@_list_option("--lang", "languages", "Languages by any code, of pairs en-de (default: all).")
@_list_option("--split", "splits", "Splits, such as dev,test (default: all).")
@click.option(
    "--to",
    metavar="FOLDER",
    help="Folder of data that files go to (default: the first that SPANBRIDGE_DATA names, or else "
    "the user's own for data). Only in that folder they count as here then.",
)
@opt.json_option
@opt.quiet_option
def get(
    data_set: str,
    languages: list[str],
    splits: list[str],
    to: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Fetch files of a data set, those that are not here yet.

    What broke off is gone on from. Each file is checked by its SHA-256: the one that is known, or
    else the one that is written down now, by which later changes are noticed. HTTPS_PROXY,
    SSL_CERT_FILE and, for the Hugging Face Hub, HF_TOKEN and HF_ENDPOINT are heeded.
    """
    from spanbridge.datasets import find_dataset
    from spanbridge.datasets.places import is_searched

    one = find_dataset(data_set)
    if not quiet:
        say(f"{one.title}, licence: {one.licence}", err=True)
    found = []
    try:
        for got in one.get(languages, splits, to, None if quiet else _watch):
            found.append(got)
            if not (quiet or as_json):
                say(_got(got), err=True)
    finally:
        show_passing("")
    if as_json:
        say_json([_got_facts(got) for got in found])
    if to is not None and not quiet and not is_searched(to):
        say(f"to have it found there, set SPANBRIDGE_DATA={to}", err=True)


@command.command()
@_name
@click.option("--lang", "language", required=True, metavar="LANG", help="Language, or pair en-de.")
@click.option("--split", required=True, metavar="SPLIT", help="Split, such as dev.")
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="OUT",
    help="File for the rows; its suffix tells the format. Pairs, with the spans of both sides, "
    "need .jsonl.",
)
@opt.side_option(
    "Side that is written where OUT holds one, and on which sentences without a translation are "
    "put.",
    default="target",
)
@click.option(
    "--coarse",
    is_flag=True,
    help="Map the labels to PER, ORG and LOC as the data set says, and leave out the others.",
)
@opt.output_format_option
@opt.quiet_option
def write(
    data_set: str,
    language: str,
    split: str,
    output: str,
    side: Any,
    coarse: bool,
    output_format: str | None,
    quiet: bool,
) -> None:
    """Write the rows of a language and split as a file that the other commands read."""
    from spanbridge.datasets import find_dataset
    from spanbridge.formats import Counts, write_pairs

    one, counts = find_dataset(data_set), Counts()
    n = 0

    def rows() -> Iterator[SentencePair]:
        nonlocal n
        for row in one.read(language, split, side, coarse=coarse, counts=counts):
            n += 1
            yield row

    write_pairs(output, rows(), side, format=output_format)
    if not quiet:
        say(f"{one.title}, licence: {one.licence}; rows: {n}", err=True)
        for what, times in counts.notes().items():
            if times:
                say(f"  {what.replace('_', ' ')}: {times}", err=True)


def _watch(url: str) -> Callable[[int, int | None], None]:
    """What shows on a terminal how far a file is."""
    name, last = PurePosixPath(urlsplit(url).path).name, 0.0

    def tell(done: int, total: int | None) -> None:
        nonlocal last
        if sys.stderr.isatty() and time.monotonic() - last > 0.2:
            of = "" if total is None else f" of {total / 1e6:,.1f}"
            show_passing(f"{name}: {done / 1e6:,.1f}{of} MB")
            last = time.monotonic()

    return tell


def _got(got: Got) -> str:
    how = "here already" if not got.fetched else "fetched, as published"
    if got.fetched and not got.known:
        how = "fetched; its SHA-256 was not known, and is written down beside it"
    places = ", ".join(map(str, got.paths[:2])) + (", ..." if len(got.paths) > 2 else "")
    return f"{got.language}, {got.split}: {how}: {places}"


def _got_facts(got: Got) -> dict[str, Any]:
    return {
        "language": got.language,
        "split": got.split,
        "files": [str(path) for path in got.paths],
        "fetched": got.fetched,
        "sha256_was_known": got.known,
    }


def _facts(one: Dataset) -> dict[str, Any]:
    said = one.description
    here, all_of_it = _here(one, one.languages)
    return {
        "name": one.name,
        "title": one.title,
        "kind": one.kind,
        "licence": one.licence,
        "languages": list(one.languages),
        "splits": list(one.splits),
        "labels": list(one.labels),
        "coarse": one.coarse,
        "quirks": list(one.quirks),
        "homepage": said.homepage,
        "cite": said.cite,
        "revision": said.revision,
        "verified": said.verified,
        "access": said.access,
        "description": str(one.file),
        "here": here,
        "languages_and_splits": all_of_it,
    }


def _told(one: Dataset) -> Iterator[str]:
    facts = _facts(one)
    yield f"{one.title} ({one.name})"
    rows: list[tuple[str, ...]] = [("kind", _of_kind(one))]
    rows += [(key, facts[key]) for key in ("licence", "homepage", "cite", "revision")]
    rows += [(key, ", ".join(facts[key])) for key in ("languages", "splits", "labels")]
    if any(old != new for old, new in one.coarse.items()):
        pairs = ", ".join(f"{old} = {new}" for old, new in one.coarse.items())
        rows.append(("coarse", f"{pairs}; others are left out"))
    rows.append(("here", f"{facts['here']} of {facts['languages_and_splits']} parts"))
    rows.append(("source", _of_source(one)))
    rows.append(("description", facts["description"]))
    yield from _columns([(key, value) for key, value in rows if value])
    yield from (f"- {quirk}" for quirk in one.quirks)


def _of_kind(one: Dataset) -> str:
    from spanbridge.datasets.description import KINDS

    return f"{one.kind}: {KINDS[one.kind]}"


def _of_source(one: Dataset) -> str:
    urls = [url for layout in one.description.files for url in layout.urls()]
    if not urls:
        return f"not to be fetched. {one.description.access or ''}".rstrip()
    hosts = ", ".join(dict.fromkeys(urlsplit(url).hostname or "" for url in urls))
    checked = "" if one.description.verified else "; the addresses could not be checked"
    return f"{hosts} (--lang A,B lists the addresses){checked}"


def _files(one: Dataset, codes: list[str]) -> Iterator[dict[str, Any]]:
    for code in codes:
        for split in one.splits_of(code):
            source = one.source(code, split)
            members = () if source is None else source.members
            known = one.description.sha256
            yield {
                "language": code,
                "split": split,
                "here": [str(path) for path in one.locate(code, split) or ()],
                "from": [
                    f"{url}{f' ({member})' if member else ''}"
                    for url, member in zip(
                        source.urls, members or ("",) * len(source.urls), strict=True
                    )
                ]
                if source
                else [],
                "sha256": [known[path] for path in source.paths if path in known] if source else [],
            }


def _here(one: Dataset, codes: Any) -> tuple[int, int]:
    """How many languages and splits are here, and how many there are."""
    parts = [(code, split) for code in codes for split in one.splits_of(code)]
    return sum(one.locate(*part) is not None for part in parts), len(parts)


def _some(codes: Any) -> str:
    named = list(codes)
    more = f" and {len(named) - _FEW} more" if len(named) > _FEW + 1 else ""
    return " ".join(named[:_FEW] if more else named) + more


def _columns(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False))
        yield "  ".join([*cells, row[-1]]).rstrip()
