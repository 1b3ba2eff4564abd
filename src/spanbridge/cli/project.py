"""``spanbridge project``."""

from __future__ import annotations

from typing import Any

import click

from spanbridge.cli import options as opt
from spanbridge.core import registry

_PROJECTOR_OPTIONS = (
    "n_proj",
    "exactly",
    "max_words",
    "min_score",
    "merge_distance",
    "length_ratio",
    "top_k",
    "first_word_rule",
)


@click.command(
    epilog="""\b
Examples:
  spanbridge project --source en.conll --target de.txt -o de.conll
  spanbridge project --source en.conll --target yo.txt --aligner statistical -o yo.jsonl
  spanbridge project --source en.conll --target de.txt --links en-de.pharaoh -o de.conll
  spanbridge project --source pairs.jsonl --method exact --min-score 0.5 -o out.jsonl

The result goes to OUT as CoNLL (IOB2), or as whole pairs with scores and links if OUT ends in
.jsonl. Every row in comes out: projected, empty for a stated reason, or rejected, in which case it
stands without spans in OUT and with its reason in OUT.rejects.jsonl. OUT.run.json keeps the
signature and the account.
"""
)
@opt.source_option
@opt.target_option
@click.option("-o", "--output", required=True, metavar="OUT", help="Where the result goes.")
@click.option(
    "--links",
    metavar="FILE",
    help="Word alignments to use (Pharaoh, 0-based, one line a row) in place of an aligner.",
)
@opt.aligner_options
@click.option(
    "--method",
    metavar="NAME",
    default="greedy",
    show_default=True,
    help=f"{opt.listed('method')}.",
)
@click.option("--n-proj", type=int, help="[greedy, exact] Projections of a span, at most (1).")
@click.option(
    "--exactly",
    is_flag=True,
    default=None,
    help="[exact] As many projections as possible, up to --n-proj, before the score counts.",
)
@click.option("--max-words", type=int, help="[greedy, exact] Longest candidate (any length).")
@click.option("--min-score", type=float, help="Leave out spans scored below this, 0 to 1 (0).")
@click.option("--merge-distance", type=int, help="[heuristic] Gaps bridged, in words (1).")
@click.option(
    "--length-ratio", type=float, help="[heuristic] Least length against the source span (0.8)."
)
@click.option("--top-k", type=int, help="[heuristic] Pieces kept of a span, longest first (1).")
@click.option(
    "--first-word-rule",
    is_flag=True,
    default=None,
    help="[heuristic] Do not merge a piece that begins with the span's first word.",
)
@opt.tag_options
@opt.json_option
@opt.quiet_option
def command(source: str, target: str | None, output: str, links: str | None, **given: Any) -> None:
    """Carry labels from source sentences onto their translations.

    Words are aligned (or links are given), and each source span goes to the target span that the
    links support best. Everything runs offline on the processor.
    """
    from spanbridge.pipeline.files import project_files

    projector = registry.build("method", given["method"], opt.take(given, _PROJECTOR_OPTIONS))
    aligner_name = given["aligner"]
    chosen = {k: v for k, v in opt.take(given, opt.ALIGNER_OPTIONS).items() if v is not None}
    if links and (aligner_name or chosen):
        raise click.UsageError("give either --links or an aligner with its options, not both")

    def make_aligner() -> Any:
        return registry.build("aligner", aligner_name or "encoder", chosen)

    run = project_files(
        source,
        target,
        output,
        links=links,
        make_aligner=None if links else make_aligner,
        projector=projector,
        realign=aligner_name is not None,
        scheme=given["scheme"],
        orphans=given["orphans"],
        watch=opt.progress("project", given["quiet"]),
    )
    opt.report(run, given["as_json"], given["quiet"])
