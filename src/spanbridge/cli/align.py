"""``spanbridge align``."""

from __future__ import annotations

from typing import Any

import click

from spanbridge.cli import options as opt
from spanbridge.core import registry


@click.command(
    epilog="""\b
Examples:
  spanbridge align --source en.txt --target de.txt -o en-de.pharaoh
  spanbridge align --source en-de.txt -o en-de.pharaoh            # lines `source ||| target`
  spanbridge align --source en.txt --target fr.txt --threshold 0.6 --scores -o links.pharaoh
  spanbridge align --source en.txt --target fr.txt --aligner encoder -o links.pharaoh
  spanbridge align --source en.txt --target bm.txt --aligner statistical -o links.pharaoh

OUT has one line a row: links `i-j` (source-target, 0-based), with --scores `i-j:0.9731`. If OUT
ends in .jsonl it holds the whole pairs. A rejected row is an empty line, with its reason in
OUT.rejects.jsonl.
"""
)
@opt.source_option
@opt.target_option
@click.option("-o", "--output", required=True, metavar="OUT", help="Where the links go.")
@click.option("--scores", is_flag=True, help="Write each link's score.")
@opt.aligner_options
@opt.fit_pairs_option
@opt.json_option
@opt.quiet_option
def command(source: str, target: str | None, output: str, **given: Any) -> None:
    """Align the words of sentence pairs."""
    from spanbridge.pipeline.files import align_files
    from spanbridge.pipeline.projection import FIT_PAIRS

    chosen = opt.take(given, opt.ALIGNER_OPTIONS)
    run = align_files(
        source,
        target,
        output,
        make_aligner=lambda: registry.build("aligner", given["aligner"] or "fused", chosen),
        scores=given["scores"],
        fit_pairs=given["fit_pairs"] or FIT_PAIRS,
        watch=opt.progress(given["quiet"]),
    )
    opt.report(run, given["as_json"], given["quiet"])
