"""Options that several subcommands share, and their conversion to settings."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, TypeVar, get_args

import click

from spanbridge.core import registry
from spanbridge.core.spans import Nested
from spanbridge.core.tags import ORPHAN_POLICIES, SCHEMES
from spanbridge.formats.offsets import OFFSETS

F = TypeVar("F", bound=Callable[..., Any])


def listed(kind: str, but: str = "") -> str:
    """Names and summaries of a kind of part, for a help text, but for one of them."""
    known = registry.names(kind).items()
    return "; ".join(f"{name}: {summary}" for name, summary in known if name != but)


def stack(options: Iterable[Callable[[F], F]]) -> Callable[[F], F]:
    """A decorator that adds several options, in their order."""

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
    "out), or for `align` also .txt; - for standard input.",
)
target_option = click.option(
    "--target",
    metavar="FILE",
    help="The translations, row by row: .txt (one sentence per line) or .conll (its tags "
    "are ignored).",
)
quiet_option = click.option("-q", "--quiet", is_flag=True, help="No progress, no account.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
tag_options = stack(
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
            help="Treatment of I- tags that continue nothing, which are counted: begin a span, "
            "drop them, or stop the run.",
        ),
    ]
)

# Names of settings of `reading_options`.
READING = (
    *("word_column", "tag_column", "text_column", "offsets", "format", "tag_names", "tokenised"),
)


def _names(_: Any, __: Any, text: str | None) -> list[str] | None:
    return None if text is None else [name.strip() for name in text.split(",")]


def _column(_: Any, parameter: click.Parameter, text: str | None) -> int | str | None:
    if text is None or not text.isdecimal():
        return text
    if not int(text[:9]):
        raise click.BadParameter("columns are counted from 1", param=parameter)
    return int(text[:9])


_format_option = click.option(
    "--format",
    metavar="NAME",
    help="Format of the labelled file, if neither its name nor its first lines tell (of "
    "standard input, -, only these do). "
    f"{listed('format')}.",
)

_text_options = stack(
    [
        click.option(
            "--text-column",
            metavar="NAME",
            help="Column of a .csv, or key of .jsonl rows, that holds the text of rows with one "
            "side (default: text).",
        ),
        click.option(
            "--offsets",
            type=click.Choice(OFFSETS),
            help="Unit in which the positions of spans in text are counted (UTF-16 units: Java, "
            "JavaScript), and whether an end is the last position in place of one past it "
            "[default: characters].",
        ),
        click.option(
            "--tokenised/--raw",
            default=None,
            help="Whether spaces (or lines, of CoNLL) separate all words of a text, or it is raw "
            "and has to be cut into words (default: told by its punctuation; as it stands with "
            "--links).",
        ),
    ]
)

file_options = stack([_format_option, _text_options])

output_format_option = click.option(
    "--output-format",
    metavar="NAME",
    help="Format of OUT, if its suffix does not tell (for - whole pairs, jsonl).",
)

# The same without the format, for what names it otherwise.
unnamed_reading_options = stack(
    [
        _text_options,
        *(
            click.option(
                f"--{kind}-column",
                metavar="N",
                callback=_column,
                help=f"Column of the {kind}s in the labelled CoNLL file, from 1, or its name in "
                f"the first line (default: {default}).",
            )
            for kind, default in (
                ("word", "the first, or the one after running numbers"),
                ("tag", "the last one that holds tags"),
            )
        ),
        click.option(
            "--tag-names",
            metavar="A,B,...",
            callback=_names,
            help="Names of tags that are numbers (ner_tags of Hugging Face datasets), from 0: "
            "O,B-PER,I-PER.",
        ),
    ]
)

reading_options = stack([_format_option, unnamed_reading_options])

aligner_option = click.option(
    "--aligner", metavar="NAME", help=f"Word aligner. {listed('aligner')}."
)
encoder_option = click.option(
    "--encoder",
    metavar="MODEL",
    help="[fused, encoder] Checkpoint folder or Hugging Face id in place of the embedded "
    "multilingual-e5-small (intfloat/multilingual-e5-small is the same model on the Hub).",
)

aligner_options = stack(
    [
        aligner_option,
        encoder_option,
        click.option(
            "--aligner-option",
            "aligner_options",
            multiple=True,
            metavar="NAME=VALUE",
            help="Other option of the aligner; repeatable. layer, compute_type (int8, float32), "
            "threads, device (cpu, cuda) [fused, encoder]; min_score of links [all]; extraction "
            "(itermax, argmax, match, softmax, entmax), iterations, alpha [encoder].",
        ),
    ]
)


commercial_option = click.option(
    "--commercial",
    is_flag=True,
    help="Refuse models and files whose licence is not known to allow commercial use.",
)


def from_option(required: bool) -> Callable[[F], F]:
    """``--from``, needed where everything is translated."""
    return click.option(
        "--from",
        "language",
        required=required,
        metavar="LANG",
        help="Language of the sentences, by any code: sw, swa, swh_Latn, zh-Hant.",
    )


def side_option(what: str, default: str = "source") -> Callable[[F], F]:
    """``--side``."""
    return click.option(
        "--side",
        type=click.Choice(["source", "target"]),
        default=default,
        show_default=True,
        help=what,
    )


def via_option(what: str) -> Callable[[F], F]:
    """``--via``."""
    return click.option(
        "--via", "other", default="en", show_default=True, metavar="LANG", help=what
    )


translator_option = click.option(
    "--translator-option",
    "translator_options",
    multiple=True,
    metavar="NAME=VALUE",
    help="Other option of the translator; repeatable. beam, compute_type, threads, device, "
    "language_last [neural]; url, licence, leave_out (parameters that the server refuses, such as "
    "response_format), tries, seconds, parallel, pause, cache, price, budget, check [chat]; "
    "licence [given].",
)
translator_options = stack(
    [
        click.option(
            "--translator",
            metavar="NAME",
            help=f"Translator. {listed('translator')}. Default: given with --translations, neural "
            "with --translator-model, else one that is installed for the languages.",
        ),
        click.option(
            "--translations",
            metavar="FILE",
            help="[given] File of sentences and translations in two columns (tab or |||).",
        ),
        click.option(
            "--translator-model",
            metavar="MODEL",
            help="[neural, transformers, chat] Checkpoint folder or Hugging Face id, or name of a "
            "chat model.",
        ),
        translator_option,
        commercial_option,
    ]
)

repair_option = click.option(
    "--repair/--no-repair",
    default=None,
    help="Repair text that was encoded twice (Espa\u00c3\u00b1a) for the work; the output keeps it "
    "(default: if the first rows look so, unless translations are looked up).",
)
segment_option = click.option(
    "--segment/--no-segment",
    default=None,
    help="Find words by dictionary (ICU) in place of single characters (default for Chinese, "
    "Japanese, Thai, Lao, Khmer and Burmese).",
)

min_confidence_option = click.option(
    "--min-confidence",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="Least probability that a span is exactly right, 0 to 1; others are left out.",
)

least_parallel_option = click.option(
    "--least-parallel",
    type=click.FloatRange(0, 1),
    help="Least probability that both sides of a row translate each other "
    "(default 0.05); other rows get no spans and are counted. 0 projects all, and learns nothing "
    "of it.",
)

calibrate_option = click.option(
    "--calibrate",
    metavar="GOLD",
    help="Labelled rows (100, at least 50, in any format that holds labels), like those of the "
    "input or among them: what is found in them tells how far probabilities are to be trusted, and "
    "they are made to hold. Or the OUT.run.json of an earlier run that had them.",
)

nested_option = click.option(
    "--nested",
    type=click.Choice(get_args(Nested)),
    help="Of spans that lie in each other, those to keep where there is room for one layer (CoNLL, "
    "training): outer (default) or inner; the others are counted.",
)

fit_rows_option = click.option(
    "--fit-rows",
    type=click.IntRange(min=1),
    help="Rows that are learned from, at most, spread evenly over the input (default 5000); bounds "
    "memory.",
)


def take(options: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """The named options among all that were given, without those that are None."""
    return {name: options[name] for name in names if options.get(name) is not None}


def reading(options: dict[str, Any]) -> dict[str, Any]:
    """Settings of a :class:`~spanbridge.formats.Reading` among options."""
    found = take(options, READING)
    return found | ({"tag_names": tuple(found["tag_names"])} if "tag_names" in found else {})


def parsed(texts: Iterable[str], flag: str) -> dict[str, Any]:
    """Options that were given as ``NAME=VALUE``; values are JSON, or else text."""
    options: dict[str, Any] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign:
            raise click.UsageError(f"{flag} {text}: write NAME=VALUE")
        if name in options:
            raise click.UsageError(f"{flag} {name} is given twice")
        try:
            options[name] = json.loads(value)
        except ValueError:
            options[name] = value
    return options


def aligner_entry(given: dict[str, Any], name: str) -> dict[str, dict[str, Any]]:
    """The aligner in the form of a pipeline file."""
    options = parsed(given["aligner_options"], "--aligner-option")
    return {name: {**options, **take(given, ("encoder",))}}


def only(context: click.Context, allowed: frozenset[str], why: str) -> None:
    """Refuse options that would have no effect."""
    for param in context.command.params:
        source = context.get_parameter_source(param.name or "")
        if source is click.core.ParameterSource.COMMANDLINE and param.name not in allowed:
            raise click.UsageError(f"{why}; leave {param.opts[-1]} out")
