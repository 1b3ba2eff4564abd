"""``spanbridge view``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spanbridge.cli import options as opt
from spanbridge.core.tags import OrphanPolicy, Scheme

if TYPE_CHECKING:
    from spanbridge.core.spans import Sentence, SentencePair
    from spanbridge.report.page import Document


@click.command(
    epilog="""\b
Examples:
  spanbridge view out.jsonl -o page.html
  spanbridge view yo.jsonl ha.jsonl sw.jsonl -o page.html          # one tab each
  spanbridge view de.conll -o page.html --gold de.gold.conll
  spanbridge view de.conll -o page.html --source en.conll --links en-de.pharaoh

A .jsonl result holds both sentences, links and scores. A .conll one holds the target only: the
source (and given links) come from the files named in its OUT.run.json, or from --source, --links.
The page is one file, needs no network, and can be sent by mail.
"""
)
@click.argument("outputs", metavar="OUT...", nargs=-1, required=True)
@click.option("-o", "--output", required=True, metavar="PAGE", help="Where the page goes.")
@click.option("--source", metavar="FILE", help="The source sentences of a .conll result.")
@click.option("--links", metavar="FILE", help="Pharaoh links of a .conll result (with --source).")
@click.option(
    "--gold",
    metavar="FILE",
    help="Labelled target sentences to hold the result against (one OUT only).",
)
@opt.tag_options
@click.option("--title", default="Projected spans", show_default=True, help="The page's heading.")
@click.option(
    "--max-rows",
    type=click.IntRange(min=0),
    default=500,
    show_default=True,
    help="Rows shown of each file; all are counted.",
)
def command(
    outputs: tuple[str, ...],
    output: str,
    source: str | None,
    links: str | None,
    gold: str | None,
    title: str,
    max_rows: int,
    scheme: Scheme,
    orphans: OrphanPolicy,
) -> None:
    """Make an HTML page on which a person sees the result: both sentences, links, spans, scores."""
    from spanbridge.data.files import atomic_output
    from spanbridge.report.page import write_page

    if len(outputs) > 1 and (gold or source or links):
        raise click.UsageError("--gold, --source and --links go with one OUT only")
    if links and not source:
        raise click.UsageError("--links needs --source")
    for path in (*outputs, source, links, gold):
        if path is not None and Path(path).resolve() == Path(output).resolve():
            raise click.UsageError(f"{output} is both input and page; write to another file")
    documents = [_document(path, source, links, gold, (scheme, orphans)) for path in outputs]
    with atomic_output(output) as out:
        write_page(out, documents, title=title, max_rows=max_rows)
    click.echo(f"written to {output}", err=True)


def _document(
    path: str,
    source: str | None,
    links: str | None,
    gold: str | None,
    tags: tuple[Scheme, OrphanPolicy],
) -> Document:
    from spanbridge.data.formats import read_labelled, suffix
    from spanbridge.data.jsonl import read_jsonl
    from spanbridge.pipeline.files import read_manifest
    from spanbridge.report.page import Document

    manifest = read_manifest(path) or {}
    signature = manifest.get("signature")
    truth = None if gold is None else read_labelled(gold, *tags)
    name = Path(path).name
    if suffix(path) == ".jsonl":
        return Document(name, read_jsonl(path), signature, truth)
    if source is None:
        inputs = manifest.get("inputs", {})
        source, links = inputs.get("source"), inputs.get("links")
        if source is None or not Path(source).is_file():
            return Document(name, _targets(path), signature, truth, has_source=False)
    return Document(name, _with_source(path, source, links, tags), signature, truth)


def _targets(path: str) -> Iterator[SentencePair]:
    from spanbridge.core.spans import Sentence, SentencePair
    from spanbridge.data.formats import read_labelled

    for number, sentence in enumerate(read_labelled(path), 1):
        yield SentencePair(str(number), Sentence(()), sentence)


def _with_source(
    path: str, source: str, links: str | None, tags: tuple[Scheme, OrphanPolicy]
) -> Iterator[SentencePair]:
    """The result's target sentences, with spans, beside their sources."""
    from spanbridge.core.spans import SentencePair
    from spanbridge.data.formats import read_labelled, read_pairs

    results: Iterator[Sentence] = read_labelled(path)
    target = None if source.removesuffix(".gz").endswith(".jsonl") else path
    pairs = read_pairs(source, target, links, scheme=tags[0], orphans=tags[1])
    for pair, sentence in zip(pairs, results, strict=True):
        yield SentencePair(pair.id, pair.source, sentence, pair.links)
