"""``spanbridge translate``."""

from __future__ import annotations

from typing import Any

import click

from spanbridge.cli import options as opt


@click.command(
    epilog="""\b
Examples:
  spanbridge translate --source es.txt --from es --to en --original target -o pairs.jsonl
  spanbridge translate --source en.conll --from en --to es -o pairs.jsonl
  spanbridge translate --source sw.txt --from sw --to en --translator given --model sw-en.tsv \\
    -o pairs.jsonl

Translate-test: text without labels becomes the target side (--original target), its translation the
source side, which is then tagged and projected. Translate-train: labelled sentences stay the source
side. `spanbridge label` and `spanbridge make-data` do all the steps.

A translation that failed is empty, one that looks wrong stands there; both say so in the field
`translation` of their row, and are counted.
"""
)
@click.option(
    "--source",
    required=True,
    metavar="FILE",
    help="Raw text, a sentence a line, or CoNLL, whose labels stay with its sentences.",
)
@opt.translator_options
@click.option("--to", "other", required=True, metavar="LANG", help="Language of the translations.")
@click.option(
    "--original",
    type=click.Choice(["source", "target"]),
    default="source",
    show_default=True,
    help="Side of the pairs on which the sentences of FILE stand.",
)
@click.option("-o", "--output", required=True, metavar="OUT", help="Pairs, as .jsonl.")
@opt.tag_options
@opt.json_option
@opt.quiet_option
def command(source: str, output: str, **given: Any) -> None:
    """Translate sentences; pairs come out."""
    from spanbridge.core import registry
    from spanbridge.data.languages import find_language
    from spanbridge.pipeline.translation import check_licence, translate_files

    ((name, options),) = opt.translator_entry(given).items()
    languages = find_language(given["language"]), find_language(given["other"])
    translator = registry.build("translator", name, options)
    check_licence(translator, name, given["commercial"])
    run = translate_files(
        source,
        output,
        translator,
        languages,
        original=given["original"],
        model=given["translations"],
        watch=opt.progress(given["quiet"]),
        **opt.take(given, ("scheme", "orphans")),
    )
    opt.report(run, given["as_json"], given["quiet"])
