"""Options that several subcommands share, and what they become."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from spanbridge.core import registry
from spanbridge.core.tags import ORPHAN_POLICIES, SCHEMES

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

# Which aligner serves a method unless another is asked for.
ALIGNERS = {"corpus": "fused", "soft": "encoder"}
ALIGNER_OPTIONS = (
    "encoder",
    "layer",
    "compute_type",
    "threads",
    "extraction",
    "iterations",
    "alpha",
    "threshold",
    "min_similarity",
)


def listed(kind: str) -> str:
    """Names and summaries of a kind of part, for a help text."""
    return "; ".join(f"{name}: {summary}" for name, summary in registry.names(kind).items())


def _stack(options: Iterable[Callable[[F], F]]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        for option in reversed(list(options)):
            function = option(function)
        return function

    return decorate


source_option = click.option(
    "--source",
    required=True,
    metavar="FILE",
    help="The source side: .conll (labels in the last column), .jsonl (whole pairs; leave --target "
    "out), or for `align` also .txt.",
)
target_option = click.option(
    "--target",
    metavar="FILE",
    help="The translations, row by row: .txt (one tokenised sentence a line) or .conll (its tags "
    "are ignored).",
)
quiet_option = click.option("-q", "--quiet", is_flag=True, help="No progress bar, no account.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")

tag_options = _stack(
    [
        click.option(
            "--scheme",
            type=click.Choice(SCHEMES),
            default="iob2",
            show_default=True,
            help="Tag scheme of the CoNLL files read (IOB2 is written).",
        ),
        click.option(
            "--orphans",
            type=click.Choice(ORPHAN_POLICIES),
            default="begin",
            show_default=True,
            help="What an I- tag that continues nothing does: begin a span, be dropped, or stop "
            "the run. They are counted.",
        ),
    ]
)

aligner_options = _stack(
    [
        click.option(
            "--aligner",
            metavar="NAME",
            default=None,
            help=f"{listed('aligner')}.",
        ),
        click.option(
            "--encoder",
            metavar="MODEL",
            help="[fused, encoder] A checkpoint folder or Hugging Face id in place of the embedded "
            "multilingual-e5-small.",
        ),
        click.option("--layer", type=int, help="[fused, encoder] Layer whose states are compared."),
        click.option(
            "--compute-type",
            metavar="TYPE",
            help="[fused, encoder] int8 (default), float32, or another that CTranslate2 has here.",
        ),
        click.option(
            "--threads",
            type=int,
            help="[fused, encoder] Sentences at the same time; default: one a core.",
        ),
        click.option(
            "--extraction",
            metavar="NAME",
            help="[encoder] itermax (default, best for projection), argmax (fewest wrong links), "
            "match; softmax, entmax (AWESoME).",
        ),
        click.option("--iterations", type=int, help="[encoder] of itermax (2)."),
        click.option("--alpha", type=float, help="[encoder] itermax's discount (0.9)."),
        click.option(
            "--threshold",
            type=float,
            help="Least value of a link: [fused, statistical] (0.45), [encoder] of softmax (0.001) "
            "and entmax (0).",
        ),
        click.option("--min-similarity", type=float, help="[lexical] Least similarity (0.7)."),
    ]
)


translator_options = _stack(
    [
        click.option(
            "--from",
            "language",
            required=True,
            metavar="LANG",
            help="Language of the sentences. Any code: sw, swa, swh_Latn, zh-Hant.",
        ),
        click.option(
            "--translator", metavar="NAME", default="apertium", help=f"{listed('translator')}."
        ),
        click.option(
            "--translations",
            metavar="FILE",
            help="[given] Sentence and translation in two columns (tab or |||).",
        ),
        click.option(
            "--translator-model",
            metavar="MODEL",
            help="[neural] A checkpoint's folder or Hugging Face id.",
        ),
        click.option("--beam", type=int, help="[neural] Hypotheses kept (4); 1 is greedy."),
        click.option(
            "--commercial",
            is_flag=True,
            help="Refuse a translator whose licence does not allow commercial use (NLLB).",
        ),
    ]
)

route_options = _stack(
    [
        translator_options,
        click.option("--method", metavar="NAME", help=f"{listed('method')}."),
        click.option("--aligner", metavar="NAME", help=f"{listed('aligner')}."),
        click.option(
            "--min-confidence",
            type=float,
            default=0.0,
            show_default=True,
            help="Leave out spans that are less probable to be exactly right, 0 to 1.",
        ),
    ]
)

fit_pairs_option = click.option(
    "--fit-pairs",
    type=click.IntRange(min=1),
    help="[fused, statistical, corpus] Learn from at most so many pairs, spread evenly over the "
    "input (5000); this bounds memory.",
)


def take(options: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """The named options out of all that a command was given."""
    return {name: options[name] for name in names if name in options}


def translator(given: dict[str, Any]) -> tuple[Any, Any]:
    """The translator that was asked for, and the two languages."""
    from spanbridge.data.languages import find_language

    languages = find_language(given["language"]), find_language(given["other"])
    name, model, path = (given[k] for k in ("translator", "translator_model", "translations"))
    for wanted, flag, value in (
        ("given", "--translations FILE", path),
        ("neural", "--translator-model MODEL", model),
    ):
        if (name == wanted) != (value is not None):
            raise click.UsageError(f"--translator {wanted} and {flag} go together")
    made = registry.build("translator", name, {"model": model or path, "beam": given["beam"]})
    if given["commercial"] and not made.commercial:
        raise click.UsageError(
            f"the licence of {model or name} is {made.licence}, which is not known to allow "
            "commercial use; Apertium, M2M-100 (MIT) and most OPUS-MT models (CC-BY-4.0) do"
        )
    return made, languages


def means(given: dict[str, Any]) -> Any:
    """What a route works with."""
    from functools import partial

    from spanbridge.pipeline.routes import Means

    made, languages = translator(given)
    method = given["method"] or "corpus"
    aligner = given["aligner"] or ALIGNERS.get(method, "encoder")
    projector = registry.build("method", method, {})
    make_aligner = partial(registry.build, "aligner", aligner, {})
    return Means(made, languages, projector, make_aligner, min_confidence=given["min_confidence"])


def report_route(route: Any, run: Any, as_json: bool, quiet: bool) -> None:
    """What became of each stage, and of the whole."""
    if not (as_json or quiet):
        click.echo("\n".join(filter(None, [route.text(), "result"])), err=True)
    report(run, as_json, quiet)


def progress(quiet: bool) -> Callable[[Iterable[T], int | None, str], Iterable[T]]:
    """Wraps a stream in a progress bar on standard error, where that is a terminal."""
    from tqdm import tqdm

    def watch(rows: Iterable[T], total: int | None, stage: str) -> Iterable[T]:
        off = True if quiet else None  # None: off where standard error is no terminal
        return tqdm(rows, stage, total, unit=" rows", disable=off, mininterval=0.5)

    return watch


def training_bar(quiet: bool) -> Callable[[float, dict[str, float]], None]:
    """Shows how far a training is, the loss, and after each epoch its figures."""
    from tqdm import tqdm

    bar = tqdm(total=1000, desc="train", disable=True if quiet else None, mininterval=0.5)
    bar.bar_format = "{l_bar}{bar}| {elapsed}<{remaining}{postfix}"

    def tell(share: float, figures: dict[str, float]) -> None:
        shown = ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
        if share < 0:
            if not quiet:
                tqdm.write(shown, file=sys.stderr)
            return
        bar.set_postfix_str(shown, refresh=False)
        bar.update(int(1000 * share) - bar.n)

    return tell


def report(run: Any, as_json: bool, quiet: bool) -> None:
    """Print what a run did: as JSON to standard output, or for a person to standard error."""
    if as_json:
        click.echo(json.dumps(run.to_dict(), ensure_ascii=False, indent=1))
    elif not quiet:
        click.echo(run.text(), err=True)
