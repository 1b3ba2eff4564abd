"""``spanbridge view``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import tee
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spanbridge.cli import options as opt
from spanbridge.cli.terminal import say
from spanbridge.core.standard import check_one_input, is_standard
from spanbridge.core.tags import OrphanPolicy, Scheme

if TYPE_CHECKING:
    from spanbridge.core.rows import SentencePair
    from spanbridge.core.spans import Sentence
    from spanbridge.formats import Reading
    from spanbridge.report.page import Document


@click.command(
    epilog="""\b
Examples:
  spanbridge view out.jsonl -o page.html
  spanbridge view yo.jsonl ha.jsonl sw.jsonl -o page.html          # one tab each
  spanbridge view de.conll -o page.html --gold de.gold.conll       # with scores and errors
  spanbridge view gold.conll -o page.html                          # labelled sentences alone
  spanbridge view de.conll -o page.html --source en.conll --links en-de.pharaoh

A .jsonl result holds both sentences, links and scores. A .conll one holds the target only: the
source (and given links) come from the files named in its OUT.run.json, or from --source, --links.
One of the files may be -, for standard input. The page is one file, needs no network, and can be
sent by mail.
"""
)
@click.argument("outputs", metavar="OUT...", nargs=-1, required=True)
@click.option("-o", "--output", required=True, metavar="PAGE", help="File for the page.")
@click.option("--source", metavar="FILE", help="The source sentences of a .conll result.")
@click.option("--links", metavar="FILE", help="Pharaoh links of a .conll result (with --source).")
@click.option(
    "--gold",
    metavar="FILE",
    help="Labelled target sentences to compare the result with (one OUT only).",
)
@opt.tag_options
@opt.reading_options
@click.option("--title", help="The page's heading (default: the names of the files).")
def command(
    outputs: tuple[str, ...],
    output: str,
    source: str | None,
    links: str | None,
    gold: str | None,
    title: str | None,
    scheme: Scheme,
    orphans: OrphanPolicy,
    **given: Any,
) -> None:
    """Make an HTML page that shows every row: both sentences, links, spans, scores."""
    from spanbridge.core.files import atomic_output, real_path
    from spanbridge.formats import Reading
    from spanbridge.report.page import write_page

    if len(outputs) > 1 and (gold or source or links):
        raise click.UsageError("--gold, --source and --links go with one OUT only")
    check_one_input(*outputs, source, links, gold)
    if links and not source:
        raise click.UsageError("--links needs --source")
    for path in (source, links, gold, *(file for one in outputs for file in _belonging(one))):
        if path is None or is_standard(path) or is_standard(output):
            continue
        if real_path(path) == real_path(output):
            raise click.UsageError(f"{output} is both input and page; write to another file")
    how = Reading(scheme, orphans, **opt.reading(given))
    documents = [_document(path, source, links, gold, how) for path in outputs]
    with atomic_output(output) as out:
        write_page(out, documents, title=title)
    if not is_standard(output):
        say(f"written to {output}", err=True)


def _document(
    path: str,
    source: str | None,
    links: str | None,
    gold: str | None,
    how: Reading,
) -> Document:
    from spanbridge.formats import find_format, labelled_rows, over_same_words, read_rows
    from spanbridge.report.page import Document

    manifest, changed = _manifest(path)
    if changed:
        say(
            f"note: {path} was changed after its run, by hand perhaps, so the page shows it "
            "without the run's account",
            err=True,
        )
    if find_format(path, default="conll").sides == "both":
        rows, has_source = read_rows(path), True
    else:
        if source is None:
            source, links = (_input(path, manifest, role) for role in ("source", "links"))
        has_source = source is not None
        rows = _targets(path, how) if source is None else _with_source(path, source, links, how)
    truth = None
    if gold is not None:
        rows, again = tee(rows)  # the page reads pair and gold alternately, so little is buffered
        targets = ((line, pair.target) for line, pair in again)
        both = over_same_words(targets, path, labelled_rows(gold, how), gold)
        truth = (sentence for _, sentence in both)
    pairs = (pair for _, pair in rows)
    told = {} if changed else manifest
    known = told.get("account", {}).get("calibration")
    signature = told.get("signature")
    return Document(Path(path).name, pairs, signature, truth, has_source, known)


def _manifest(path: str) -> tuple[dict[str, Any], bool]:
    """The manifest beside a result, empty if there is none, and if the result was changed since."""
    from spanbridge.run.result import ChangedResultError, read_manifest

    try:
        return read_manifest(path) or {}, False
    except ChangedResultError as error:
        return error.manifest, True


def _belonging(path: str) -> Iterator[str]:
    """A result, the files beside it, and all inputs that its manifest names."""
    from spanbridge.run.result import manifest_path, rejects_path

    yield from (path, str(manifest_path(path)), str(rejects_path(path)))
    manifest, _ = _manifest(path)
    for role in manifest.get("inputs", {}):
        if (named := _named(path, manifest, role)) is not None:
            yield named


def _named(path: str, manifest: dict[str, Any], role: str) -> str | None:
    """A file named in the manifest beside a result.

    Its path is relative to the run's working folder, which is found by comparing the output's path.
    """
    named = manifest.get("inputs", {}).get(role)
    if not isinstance(named, str):
        return None
    if os.path.isabs(named):
        return named
    output = str(manifest.get("output", os.path.basename(path)))
    from_output = os.path.relpath(named, os.path.dirname(output))
    return os.path.normpath(os.path.join(os.path.dirname(path), from_output))


def _input(path: str, manifest: dict[str, Any], role: str) -> str | None:
    """A file named in the manifest beside a result, if it still exists."""
    named = _named(path, manifest, role)
    if named is None:
        return None
    if os.path.isfile(named):
        return named
    say(
        f"note: {named}, the {role} of {path}, is not there, so the page does without; "
        f"give it with --{role}",
        err=True,
    )
    return None


def _targets(path: str, how: Reading) -> Iterator[tuple[int, SentencePair]]:
    from spanbridge.core.rows import SentencePair
    from spanbridge.core.spans import Sentence
    from spanbridge.formats import Reading, labelled_rows

    found = labelled_rows(path, Reading(tokenised=how.tokenised))
    for number, (line, sentence) in enumerate(found, 1):
        yield line, SentencePair(str(number), Sentence(()), sentence)


def _with_source(
    path: str, source: str, links: str | None, how: Reading
) -> Iterator[tuple[int, SentencePair]]:
    """Pairs of the result's target sentences, with spans, and their sources."""
    from spanbridge.formats import (
        Reading,
        add_links,
        find_format,
        labelled_rows,
        pair_up,
        parallel,
        read_rows,
    )

    if links is not None and how.tokenised is None:
        how = replace(how, tokenised=True)  # links count words as they stand
    results = labelled_rows(path, Reading(tokenised=how.tokenised))
    if find_format(source, name=how.format, default="conll").sides == "both":
        rows = _beside_pairs(path, results, source)
    else:
        sources = read_rows(source, "source", how, default="conll", sniff=False)
        rows = pair_up(parallel(sources, source, results, path))
    return rows if links is None else add_links(rows, source, links)


def _beside_pairs(
    path: str, results: Iterator[tuple[int, Sentence]], source: str
) -> Iterator[tuple[int, SentencePair]]:
    """Result of :func:`_with_source` if the source is a file of pairs."""
    from spanbridge.core.errors import InputError
    from spanbridge.core.rows import SentencePair
    from spanbridge.formats import parallel, read_rows

    for (line, pair), (at, result) in parallel(read_rows(source), source, results, path):
        if pair.target.words != result.words:
            why = f"these are not the words of the target at {source}:{line}; give their source"
            raise InputError(path, at, why)
        yield line, SentencePair(pair.id, pair.source, result, pair.links)
