"""``spanbridge project``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click

from spanbridge.cli import options as opt
from spanbridge.core import registry
from spanbridge.core.errors import InputError

_METHOD_OPTIONS = (
    "solver",
    "n_proj",
    "exactly",
    "max_words",
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
  spanbridge project --source en.conll --target de.txt --min-confidence 0.9 -o de.conll
  spanbridge project --source en.conll --target de.txt --explain why.txt -o de.conll
  spanbridge project --source a.conll --target a.txt --fit en-de.fit -o a.out.conll
  spanbridge project --source b.conll --target b.txt --apply en-de.fit -o b.out.conll
  spanbridge project --source en.conll --target de.txt --links en-de.pharaoh -o de.conll

The result goes to OUT as CoNLL (IOB2), or as whole pairs with confidences and links if OUT ends in
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
@click.option("--method", metavar="NAME", default=None, help=f"{opt.listed('method')}.")
@click.option(
    "--solver",
    metavar="NAME",
    help="[corpus, soft] greedy (best candidate first; default) or exact (greatest total).",
)
@click.option(
    "--min-confidence",
    type=float,
    default=0.0,
    show_default=True,
    help="Leave out spans that are less probable to be exactly right, 0 to 1.",
)
@click.option(
    "--explain",
    "explanation",
    metavar="FILE",
    help="[corpus, soft] Write the parts of each span's score, and the runners-up, to FILE.",
)
@click.option("--fit", "fit_folder", metavar="DIR", help="[corpus] Keep what was learned in DIR.")
@click.option(
    "--apply", "apply_folder", metavar="DIR", help="Use what an earlier --fit learned, aligner too."
)
@opt.fit_pairs_option
@click.option("--n-proj", type=int, help="[greedy, exact] Projections of a span, at most (1).")
@click.option(
    "--exactly",
    is_flag=True,
    default=None,
    help="[exact] As many projections as possible, up to --n-proj, before the score counts.",
)
@click.option("--max-words", type=int, help="[greedy, exact] Longest candidate (any length).")
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
    alignment and what was learned from the whole bitext support best. Everything runs offline on
    the processor.
    """
    from spanbridge.pipeline.files import Fitting, project_files
    from spanbridge.pipeline.projection import FIT_PAIRS, usual_aligner

    chosen = {k: v for k, v in opt.take(given, opt.ALIGNER_OPTIONS).items() if v is not None}
    if links is not None and (given["aligner"] is not None or chosen):
        raise click.UsageError("give either --links or an aligner with its options, not both")
    make_aligner: Callable[[], Any] | None = None
    n_fit = given["fit_pairs"] or FIT_PAIRS
    fitting = Fitting(n_fit)
    if given["apply_folder"] is not None:
        projector, make_aligner, fitting = _apply(links, chosen, given)
    else:
        method = given["method"] or ("corpus" if links is None else "greedy")
        projector = registry.build("method", method, opt.take(given, _METHOD_OPTIONS))
        name = given["aligner"] or usual_aligner(method)
        if links is None:
            make_aligner = partial(registry.build, "aligner", name, chosen)
        _check_idle(method, name, {**chosen, "fit_pairs": given["fit_pairs"]})
        if given["fit_folder"] is not None:
            fitting = _keep(given["fit_folder"], n_fit, name, chosen, projector, links)
    for folder in (given["fit_folder"], given["apply_folder"]):
        for path in (output, given["explanation"]):
            if None not in (folder, path) and Path(path).resolve().parent == Path(folder).resolve():
                raise click.UsageError(f"{path} would go into the fit {folder}; write elsewhere")
    run = project_files(
        source,
        target,
        output,
        links=links,
        make_aligner=make_aligner,
        projector=projector,
        realign=given["aligner"] is not None,
        fitting=fitting,
        min_confidence=given["min_confidence"],
        explanation=given["explanation"],
        scheme=given["scheme"],
        orphans=given["orphans"],
        watch=opt.progress(given["quiet"]),
    )
    opt.report(run, given["as_json"], given["quiet"])


def _check_idle(method: str, aligner: str, given: dict[str, Any]) -> None:
    """Refuse options that have no say in the result."""
    why = {}
    if method in ("corpus", "soft"):
        cut = ("extraction", "iterations", "alpha", "threshold")
        why = dict.fromkeys(cut, f"--method {method} reads soft links and cuts none")
    if method != "corpus" and aligner not in ("fused", "statistical"):
        why["fit_pairs"] = f"--method {method} with --aligner {aligner} learns nothing"
    for key, reason in why.items():
        if given.get(key) is not None:
            raise click.UsageError(f"--{key.replace('_', '-')} has no use here: {reason}")


def _keep(
    folder: str, pairs: int, name: str, options: dict[str, Any], projector: Any, links: str | None
) -> Any:
    from spanbridge.pipeline import learned
    from spanbridge.pipeline.files import Fitting
    from spanbridge.project.soft import CorpusProjector

    if links is not None or not isinstance(projector, CorpusProjector):
        raise click.UsageError("--fit keeps what --method corpus learns with an aligner")
    learned.check_place(folder)
    # threads change nothing that is learned, and are the next machine's own affair
    kept = {key: value for key, value in options.items() if key != "threads"}
    if kept.get("encoder") and Path(kept["encoder"]).is_dir():
        kept["encoder"] = str(Path(kept["encoder"]).resolve())
    return Fitting(pairs, save=lambda aligner: learned.save(folder, name, kept, aligner, projector))


def _apply(links: str | None, chosen: dict[str, Any], given: dict[str, Any]) -> Any:
    from spanbridge.pipeline import learned
    from spanbridge.pipeline.files import Fitting

    fixed = {key for key in chosen if key != "threads"}
    others = ("aligner", "method", "fit_folder", "fit_pairs", *_METHOD_OPTIONS)
    fixed |= {key for key in others if key != "solver" and given[key] is not None}
    if links is not None or fixed:
        raise click.UsageError(
            "--apply brings its own aligner and method; beside it only --solver, --threads, "
            "--min-confidence and --explain are taken"
        )
    threads = {"threads": chosen["threads"]} if "threads" in chosen else {}
    aligner, projector, digest = learned.load(given["apply_folder"], given["solver"], threads)
    if aligner is None:
        raise InputError(given["apply_folder"], None, "was learned from given links, by a pipeline")
    return projector, lambda: aligner, Fitting(applied=digest, folder=given["apply_folder"])
