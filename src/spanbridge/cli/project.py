"""``spanbridge project``."""

from __future__ import annotations

from typing import Any

import click

from spanbridge.cli import options as opt
from spanbridge.cli import running
from spanbridge.core import registry
from spanbridge.core.files import real_path

SPEEDS = ("full", "fast", "faster", "fastest")


_refine_options = opt.stack(
    [
        click.option(
            "--refine",
            metavar="NAME",
            help="Method that decides on the spans in which --method is not sure: chat, a chat "
            "model behind an OpenAI-compatible server (Ollama, llama.cpp, vLLM, hosted ones). The "
            "server gets the text of these rows; docs/chat.md says what it costs and what leaves "
            "the machine. Its key is taken from the environment (SPANBRIDGE_CHAT_KEY).",
        ),
        click.option(
            "--below",
            type=click.FloatRange(0, 1),
            help="Confidence below which --refine decides on a span (default 0.8).",
        ),
        click.option(
            "--refine-option",
            "refine_options",
            multiple=True,
            metavar="NAME=VALUE",
            help="Option of --refine; repeatable. model (needed), url, way (choose among "
            "candidates, or insert tags), options, examples, reliability, cache, licence, "
            "leave_out, tries, seconds, parallel, pause [chat].",
        ),
        click.option(
            "--price",
            metavar="SENT/RECEIVED",
            help="[chat] Money for a million tokens sent and received, such as 0.15/0.60; what the "
            "run will cost is said before it asks.",
        ),
        click.option(
            "--budget",
            type=click.FloatRange(min=0),
            help="[chat] Most money to spend, at --price, what earlier runs of the same job spent "
            "included; then the other spans stay as they are. 0 takes only kept answers.",
        ),
    ]
)


@click.command(
    epilog="""\b
Examples:
  spanbridge project --source en.conll --target de.txt -o de.conll
  spanbridge project --source en.conll --target yo.txt --aligner statistical -o yo.jsonl
  spanbridge project --source en.conll --target de.txt --speed fast -o de.conll
  spanbridge project --source en.conll --target de.txt --min-confidence 0.9 -o de.conll
  spanbridge project --source en.conll --target de.txt --calibrate de.gold.conll -o de.jsonl
  spanbridge project --source out.jsonl --corrections reviewed.jsonl -o better.jsonl
  spanbridge project --source en.conll --target de.txt --explain why.txt -o de.conll
  spanbridge project --source a.conll --target a.txt --fit en-de.fit -o a.out.conll
  spanbridge project --source b.conll --target b.txt --apply en-de.fit -o b.out.conll
  spanbridge project --source en.conll --target de.txt --links en-de.pharaoh -o de.conll
  spanbridge project --source en.conll --target de.txt --refine chat --below 0.8
      --refine-option model=qwen2.5:14b -o de.jsonl

One of the files may be -, for standard input; OUT may be -, for standard output.

The result goes to OUT as CoNLL (IOB2), or as whole pairs with confidences and links if OUT ends in
.jsonl. OUT has every row of the input: projected, empty for a stated reason, or rejected, that is,
without spans in OUT and with its reason in OUT.rejects.jsonl. OUT.run.json holds the signature and
the account.
"""
)
@opt.source_option
@opt.target_option
@click.option("-o", "--output", required=True, metavar="OUT", help="File for the result.")
@click.option(
    "--links",
    metavar="FILE",
    help="Word alignments (Pharaoh, 0-based, one line per row) in place of an aligner.",
)
@click.option("--one-based", is_flag=True, help="Count the words of --links from 1.")
@click.option(
    "--realign",
    is_flag=True,
    help="Align all rows again. By default rows that bring links keep them, and are counted.",
)
@opt.aligner_options
@click.option(
    "--method", metavar="NAME", default=None, help=f"Projection method. {opt.listed('method')}."
)
@click.option(
    "--speed",
    type=click.Choice(SPEEDS),
    help="full (default): the encoder reads every row. fast: it reads the sample that is learned "
    "from, and later only rows that are then doubtful. faster: only the sample. fastest: no "
    "encoder. docs/project.md has the F1 and the rows per second of each.",
)
@_refine_options
@opt.min_confidence_option
@opt.calibrate_option
@click.option(
    "--corrections",
    metavar="FILE",
    help="Rows of which some were accepted or corrected (key review, docs/corrections.md), or a "
    "labelled file: rows of the same id and text are kept as they are there, and what learns from "
    "the rows learns from these. Rows without a source side have that of the row of their id.",
)
@click.option(
    "--show-changes",
    is_flag=True,
    help="Give rows that --corrections change a key before_corrections, with the spans that they "
    "would have without (OUT.jsonl).",
)
@opt.least_parallel_option
@click.option(
    "--explain",
    "explanation",
    metavar="FILE",
    help="File for explanations: the parts of each span's score, and the runners-up.",
)
@click.option(
    "--fit",
    "fit_folder",
    metavar="DIR",
    help="Folder for what was learned from the rows, for --apply.",
)
@click.option(
    "--apply",
    "apply_folder",
    metavar="DIR",
    help="Folder of an earlier --fit, which sets method and aligner.",
)
@opt.fit_rows_option
@click.option(
    "--method-option",
    "method_options",
    multiple=True,
    metavar="NAME=VALUE",
    help="Option of the method; repeatable. solver=exact [corpus, soft, match]; n_proj, exactly, "
    "max_words, min_score [greedy, exact]; whole [exact]; merge_distance, length_ratio, top_k, "
    "first_word_rule [heuristic]; candidates=tagger, max_words, alignment, ner, translation, "
    "per_class [match]; style, exact, n_best [codec]; model, url, base, below, way and others "
    "[chat], as for --refine.",
)
@click.option(
    "--weight",
    "weights",
    multiple=True,
    metavar="SCORE=VALUE",
    help="Weight of a further score, or another weight of one of the method's own; repeatable. "
    "docs/project.md lists the scores.",
)
@click.option(
    "--tagger-model",
    metavar="MODEL",
    help="Tagger of the target (checkpoint folder or Hugging Face id), for the score ner and for "
    "--method-option candidates=tagger.",
)
@click.option(
    "--translator-model",
    metavar="MODEL",
    help="Neural translator (folder or Hugging Face id), with --from and --to: a multilingual one "
    "(NLLB-200, M2M-100) for the score translation; for --method codec, one that was trained on "
    "marks.",
)
@opt.translator_option
@click.option("--from", "language", metavar="LANG", help="Language of the source.")
@click.option(
    "--to",
    "other",
    metavar="LANG",
    help="Language of the target: its small words and suffixes (default: guessed by its script or "
    "its small words, and said).",
)
@click.option(
    "--boundary",
    "boundaries",
    multiple=True,
    metavar="CLASS=PLACE",
    help="Whether what stands beside names belongs to spans, in or out: article, particle, suffix, "
    "title, quotes, punctuation, or apposition (brackets after the name); repeatable. Default: "
    "articles and particles out unless the source span has any, suffixes after an apostrophe out "
    "(Ankara'da), all else as in the source.",
)
@opt.nested_option
@opt.tag_options
@opt.reading_options
@opt.commercial_option
@opt.output_format_option
@running.log_option
@opt.json_option
@opt.quiet_option
def command(source: str, target: str | None, output: str, links: str | None, **given: Any) -> None:
    """Project labels from source sentences onto their translations.

    Words are aligned (or links are given), and each source span goes to the target span that fits
    best by the alignment and by what was learned from the whole bitext. Everything runs offline on
    the processor, unless a chat model is asked (--refine chat, --method chat), whose server gets
    the rows that it is asked about.
    """
    from spanbridge.run.recipes import calibrated

    step: dict[str, Any] = {
        "links": "only" if links is not None else "anew" if given["realign"] else "keep",
        "min_confidence": given["min_confidence"],
        "explain": given["explanation"] is not None,
        **opt.take(given, ("least_parallel",)),
    }
    if given["boundaries"]:
        step["boundary"] = opt.parsed(given["boundaries"], "--boundary")
    if given["apply_folder"] is not None:
        step["apply"] = _applied(given, links)
    else:
        step |= _parts(given, links)
    if given["corrections"] is not None:
        step |= {"corrections": given["corrections"], "show_changes": given["show_changes"]}
    elif given["show_changes"]:
        raise click.UsageError("--show-changes does nothing without --corrections")
    folder = given["fit_folder"]
    if folder is not None and given["calibrate"] is not None:
        raise click.UsageError("--fit keeps no calibration; give --calibrate with --apply")
    project, last = calibrated(step, given["calibrate"])
    _check_folders(output, given)
    if folder is not None:
        from spanbridge.steps.learning import check_place

        check_place(folder)
    languages = {"source": given["language"], "target": given["other"]}
    settings = {
        "input": {
            "source": source,
            "target": target,
            "links": links,
            "one_based": given["one_based"],
        },
        "languages": {side: code for side, code in languages.items() if code is not None},
        "output": output,
        "steps": [{"project": project}, *last],
        **opt.take(given, _OF_FILES),
    }
    running.stream(settings, given, keep=folder, explanation=given["explanation"])


_OF_FILES = ("scheme", "orphans", "nested", *opt.READING, "output_format", "fit_rows", "commercial")


def _parts(given: dict[str, Any], links: str | None) -> dict[str, Any]:
    """Method, aligner and their models in the form of a pipeline file."""
    name = given["method"] or ("corpus" if links is None else "greedy")
    method = registry.load("method", name)
    options = opt.parsed(given["method_options"], "--method-option")
    parts: dict[str, Any] = {"method": {name: options}} if given["method"] or options else {}
    if given["refine"] is not None:
        parts["refine"] = {given["refine"]: opt.parsed(given["refine_options"], "--refine-option")}
        parts |= opt.take(given, ("below",))
    costs = opt.take(given, ("price", "budget"))
    if costs and given["refine"] is None and name != "chat":
        raise click.UsageError("--price and --budget go with --refine chat or --method chat")
    if costs:
        (asked,) = (parts["refine"] if given["refine"] is not None else parts["method"]).values()
        asked |= costs
    usual = "statistical" if given["speed"] == "fastest" else method.aligner
    aligner = opt.aligner_entry(given, given["aligner"] or usual)
    ((aligner_name, aligner_options),) = aligner.items()
    _check_idle(method, aligner_name, aligner_options, given, links)
    if given["aligner"] is not None or aligner_options:
        parts["aligner"] = aligner
    if given["speed"] is not None:
        parts["speed"] = given["speed"]
    if given["weights"]:
        parts["weights"] = opt.parsed(given["weights"], "--weight")
    if given["tagger_model"] is not None:
        parts["tagger"] = {"checkpoint": {"model": given["tagger_model"]}}
    if given["translator_model"] is not None:
        chosen = opt.parsed(given["translator_options"], "--translator-option")
        parts["translator"] = {"neural": {**chosen, "model": given["translator_model"]}}
    return parts


def _check_idle(
    method: Any, aligner: str, options: dict[str, Any], given: dict[str, Any], links: str | None
) -> None:
    """Refuse options that have no effect on the result."""
    if given["refine"] is None and (given["below"] is not None or given["refine_options"]):
        raise click.UsageError("--below and --refine-option do nothing without --refine")
    for option, name in (("--from", "language"), ("--translator-option", "translator_options")):
        if given["translator_model"] is None and given[name]:
            raise click.UsageError(f"{option} does nothing without --translator-model")
    if given["one_based"] and links is None:
        raise click.UsageError("--one-based goes with --links")
    asked = given["aligner"] is not None or options
    if links is not None and (asked or given["realign"]):
        raise click.UsageError("give either --links or an aligner with its options, not both")
    if method.reads == "nothing" and (asked or links is not None):
        raise click.UsageError(f"--method {method.name} reads no alignment; leave it out")
    if method.reads == "soft alignment":
        for option in ("extraction", "iterations", "alpha", "min_score"):
            if option in options:
                raise click.UsageError(
                    f"the aligner's {option} has no use here: --method {method.name} reads soft "
                    "links and cuts none"
                )
    aligner_learns = links is None and registry.load("aligner", aligner).learns
    learns = method.learns or aligner_learns or given["least_parallel"] != 0
    learns = learns or given["refine"] is not None
    if given["fit_rows"] is not None and not learns:
        raise click.UsageError(
            f"--fit-rows has no use here: --method {method.name} with --aligner {aligner} and "
            "--least-parallel 0 learns nothing"
        )
    if given["fit_folder"] is not None and links is not None:
        raise click.UsageError("--fit keeps what is learned with an aligner; leave --links out")
    models = ("tagger_model", "translator_model")
    if given["fit_folder"] is not None and any(given[name] is not None for name in models):
        raise click.UsageError("a fit keeps no tagger or translator; leave --fit out")


def _applied(given: dict[str, Any], links: str | None) -> str:
    """The folder of an earlier fit, which excludes all other choices."""
    flags = ("aligner", "encoder", "aligner_options", "method", "method_options", "weights")
    models = ("tagger_model", "translator_model", "translator_options")
    others = ("fit_folder", "fit_rows", "corrections", *models, "language", "other")
    refining = ("refine", "refine_options", "below", "price", "budget")
    if links is not None or any(given[name] for name in (*flags, *others, *refining, "speed")):
        raise click.UsageError(
            "--apply brings its own aligner and method; beside it only --min-confidence, "
            "--least-parallel, --boundary, --calibrate, --explain and --realign are taken"
        )
    return str(given["apply_folder"])


def _check_folders(output: str, given: dict[str, Any]) -> None:
    """Refuse results inside the folder of a fit, or in its place."""
    for folder in (given["fit_folder"], given["apply_folder"]):
        for path in (output, given["explanation"]):
            if None not in (folder, path) and real_path(folder) in (
                real_path(path),
                real_path(path).parent,
            ):
                raise click.UsageError(f"{path} would go into the fit {folder}; write elsewhere")
