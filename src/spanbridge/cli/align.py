"""``spanbridge align``."""

from __future__ import annotations

from typing import Any

import click

from spanbridge.cli import options as opt
from spanbridge.cli import running


@click.command(
    epilog="""\b
Examples:
  spanbridge align --source en.txt --target de.txt -o en-de.pharaoh
  spanbridge align --source en-de.txt -o en-de.pharaoh            # lines `source ||| target`
  spanbridge align --source en.txt --target fr.txt --aligner-option min_score=0.6 -o fr.pharaoh
  spanbridge align --source en.txt --target fr.txt --aligner encoder -o links.pharaoh
  spanbridge align --source en.txt --target bm.txt --aligner statistical -o links.pharaoh

A file named - is standard input, and OUT named - standard output.

OUT has one line per row: links `i-j` (source-target, 0-based), with --scores `i-j:0.9731`. If OUT
ends in .jsonl it holds whole pairs, with the labels of SOURCE if it has any. A rejected row is an
empty line, with its reason in OUT.rejects.jsonl. Links of the input are replaced.
"""
)
@opt.source_option
@opt.target_option
@click.option("-o", "--output", required=True, metavar="OUT", help="File for the links.")
@click.option("--scores", is_flag=True, help="Write the score of each link.")
@opt.aligner_options
@opt.fit_rows_option
@opt.commercial_option
@opt.file_options
@opt.output_format_option
@running.log_option
@opt.json_option
@opt.quiet_option
def command(source: str, target: str | None, output: str, **given: Any) -> None:
    """Align the words of sentence pairs."""
    from spanbridge.formats import has_labels, output_format

    spans = output_format(output, "pharaoh", given["output_format"]).holds_spans
    settings = {
        "input": {"source": source, "target": target},
        "labels": spans and has_labels(source, given["format"]),
        "output": output,
        "link_scores": given["scores"],
        "steps": [{"align": {"aligner": opt.aligner_entry(given, given["aligner"] or "fused")}}],
        **opt.take(given, ("fit_rows", "commercial", *opt.READING, "output_format")),
    }
    running.stream(settings, given)
