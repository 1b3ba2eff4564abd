"""``spanbridge train``."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from typing import Any

import click
from click.core import ParameterSource

from spanbridge.cli import options as opt
from spanbridge.cli import running
from spanbridge.cli.terminal import say, say_json


@click.command(
    epilog="""\b
Examples:
  spanbridge train --train en.conll --dev en.dev.conll -o en-tagger
  spanbridge train --train en.conll --mix de.projected.jsonl 0.5 --complete -o en-de-tagger
  spanbridge train --train sw.jsonl --min-score 0.9 --weigh --dev sw.dev.conll -o sw-tagger
  spanbridge train --train en.conll --encoder xlm-roberta-base --learning-rate 2e-5 -o big
  spanbridge train --teachers en-tagger,es-tagger --unlabelled de.txt --dev de.dev.conll -o student
  spanbridge train --generator google/mt5-large --train en.conll -o mt5-spans
  spanbridge train --train en.conll --adversarial de.txt --adversarial nl.txt -o aligned

OUT is a checkpoint with its tokenizer, a model card and training.json. Repeat the command to resume
an interrupted training. Torch and transformers are required;
`spanbridge doctor` prints the line that installs them.
"""
)
@click.option(
    "--train",
    "train_files",
    multiple=True,
    metavar="FILE",
    help="File to learn from: CoNLL, or the target sides of .jsonl; repeatable.",
)
@click.option(
    "--mix",
    multiple=True,
    type=(str, float),
    metavar="FILE WEIGHT",
    help="File to learn from with the weight of its sentences relative to --train; repeatable.",
)
@click.option(
    "--dev", metavar="FILE", help="File for choosing the best epoch (default: the last is taken)."
)
@click.option(
    "--test",
    "tests",
    multiple=True,
    metavar="FILE",
    help="File that is only scored; repeatable.",
)
@click.option("-o", "--output", required=True, metavar="OUT", help="Folder for the tagger.")
@click.option(
    "--encoder",
    default="multilingual-e5-small",
    show_default=True,
    metavar="MODEL",
    help="Encoder: the embedded one, a checkpoint folder, or a Hugging Face id.",
)
@click.option(
    "--generator",
    metavar="MODEL",
    help="Fine-tune this T5 or mT5 (a folder, or a Hugging Face id) into the generator of "
    "`project --method t-projection`, in place of a tagger; with --train, --labels, --keep-empty, "
    "--epochs (default 4), --learning-rate (default 1e-4), --seed, --threads, --device, --licence "
    "and the filters of .jsonl.",
)
@click.option(
    "--labels",
    metavar="A,B",
    help="Labels to learn; spans of others become O, and are counted (default: all).",
)
@click.option(
    "--complete", is_flag=True, help="[.jsonl] Keep only rows whose spans were all projected."
)
@click.option(
    "--min-score",
    type=float,
    default=0.0,
    help="[.jsonl] Least score of a row's spans, and least confidence of a row without spans.",
)
@click.option(
    "--min-coverage", type=float, default=0.0, help="[.jsonl] Least share of target words linked."
)
@click.option(
    "--keep-empty",
    type=float,
    default=1.0,
    show_default=True,
    metavar="SHARE",
    help="Share of the sentences without spans that is kept.",
)
@click.option("--weigh", is_flag=True, help="[.jsonl] Weigh rows by their least probable span.")
@click.option("--teachers", metavar="A,B", help="Taggers that label the text of --unlabelled.")
@click.option(
    "--unlabelled",
    metavar="FILE",
    help="Text, CoNLL (its tags are not read), or the target sides of .jsonl.",
)
@click.option(
    "--distil",
    "kind",
    help="[--teachers] Training targets: class probabilities (soft; default) or spans (hard).",
)
@click.option(
    "--combine",
    help="[--teachers] Combination of several: mean of probabilities (default), or agreement: "
    "spans that most of them find (with --distil hard).",
)
@click.option(
    "--min-confidence",
    type=float,
    help="[--teachers] Least confidence of words and spans that are learned from.",
)
@click.option(
    "--select-share",
    type=float,
    help="[--teachers] Share of the sentences to learn from: those whose language the "
    "discriminator of a teacher trained with --adversarial is least sure of (1).",
)
@click.option(
    "--teachers-weight",
    type=float,
    help="[--teachers] Weight of a sentence that they labelled (default 1).",
)
@click.option(
    "--adversarial",
    multiple=True,
    metavar="FILE",
    help="Text, CoNLL or .jsonl of a language whose states the encoder learns to make like those "
    "of the labelled text (gradient reversal); repeatable.",
)
@click.option(
    "--adversarial-weight", type=float, help="Weight of the reversed gradient (default 0.1)."
)
@click.option(
    "--adversarial-level",
    help="Input of the discriminator: sentence (default), token or both.",
)
@click.option("--epochs", type=int, help="Passes over the data, at most (default 3).")
@click.option(
    "--learning-rate",
    type=float,
    help="Peak learning rate (default 2e-4; for large encoders take 2e-5).",
)
@click.option(
    "--classifier-rate",
    type=float,
    help="Learning rate of the classifier, as a multiple of the encoder's (default 1).",
)
@click.option(
    "--layer-decay",
    type=float,
    help="Factor of the learning rate from each layer to the one below (default 1).",
)
@click.option("--batch-tokens", type=int, help="Tokens per batch, padding included (default 768).")
@click.option(
    "--other-names",
    type=float,
    metavar="SHARE",
    help="Share of the sentences in which names are replaced by others of the same label, anew in "
    "each epoch (default 0).",
)
@click.option("--dropout", type=float, help="Dropout of the encoder (default 0.1).")
@click.option(
    "--frozen-layers", type=int, help="Number of lowest layers that are not trained (default 0)."
)
@click.option(
    "--freeze-embeddings/--train-embeddings",
    default=None,
    help="Freeze the embeddings (default), or train them too.",
)
@click.option(
    "--average",
    type=float,
    help="Last share of the steps whose weights are averaged, if better on dev (default 0).",
)
@click.option(
    "--patience",
    type=int,
    help="Epochs without a better dev F1 before training stops (default 0: never stops).",
)
@click.option(
    "--class-weight",
    "class_weights",
    multiple=True,
    type=(str, float),
    metavar="LABEL WEIGHT",
    help="Weight of the words of a label, O being those outside (default 1); repeatable.",
)
@click.option(
    "--precision",
    help="Number type: float32 (default), or bfloat16 if the processor supports it.",
)
@click.option(
    "--seed", type=int, help="Random seed of order, dropout and the new classifier (default 0)."
)
@click.option(
    "--threads",
    type=int,
    help="Threads of torch (default 2); another number changes the last digits of results.",
)
@click.option("--device", help="Device of torch: cpu, cuda (default: a GPU if there is one).")
@click.option("--licence", default="other", help="Licence of the data, for the model card.")
@opt.nested_option
@opt.tag_options
@opt.json_option
@opt.quiet_option
def command(train_files: tuple[str, ...], output: str, **given: Any) -> None:
    """Fine-tune an encoder into a tagger."""
    from spanbridge.training.recipe import Recipe

    if (generator := given.pop("generator")) is not None:
        _train_generator(generator, train_files, output, given)
        return
    _check_idle(given, [*train_files, *(path for path, _ in given["mix"])])
    if (given["teachers"] is None) != (given["unlabelled"] is None):
        raise click.UsageError("--teachers and --unlabelled go together")
    if not train_files and not given["mix"] and given["teachers"] is None:
        raise click.UsageError(
            "there is nothing to learn from; give --train FILE, --mix FILE WEIGHT, or --teachers"
        )
    quiet, as_json = given.pop("quiet"), given.pop("as_json")
    settings = {name: value for name, value in given.items() if value is not None}
    if given["labels"] is not None:
        settings["labels"] = [name.strip() for name in given["labels"].split(",")]
    if given["teachers"] is not None:
        settings["teachers"] = [t for name in given["teachers"].split(",") if (t := name.strip())]
    settings |= {name: list(given[name]) for name in ("mix", "tests", "adversarial")}
    settings["distil"] = settings.pop("kind", None)
    recipe = Recipe.of({"train": list(train_files), **settings})
    sets = recipe.sets()
    if not quiet:
        for found in sets:
            say(found.text(), err=True)
    result = recipe.run(
        output,
        sets,
        command="spanbridge " + shlex.join(sys.argv[1:]),
        progress=running.progress(quiet),
        tell=(lambda figures: None) if quiet else running.tell_epoch,
    )
    if as_json:
        say_json(result.to_dict())
    elif not quiet:
        for score in result.scores:
            say(score.text(), err=True)
        say(f"written to {result.folder} in {result.seconds:.0f} s\n{result.signature}", err=True)


# Options that a generator takes, and what they are without being given.
_OF_GENERATOR = {
    *("labels", "complete", "min_score", "min_coverage", "keep_empty", "weigh", "nested", "scheme"),
    *("orphans", "epochs", "learning_rate", "seed", "threads", "device", "licence", "quiet"),
    *("as_json", "encoder"),
}


def _train_generator(
    base: str, train_files: Sequence[str], output: str, given: dict[str, Any]
) -> None:
    """Fine-tune a generator. Raises UsageError for options that would have no effect."""
    from spanbridge.training.recipe import Recipe
    from spanbridge.training.span_generator import GeneratorSettings, train_generator

    idle = [name for name in given if name not in _OF_GENERATOR and given[name] not in (None, ())]
    source = click.get_current_context().get_parameter_source("encoder")
    if source is not ParameterSource.DEFAULT:
        idle.append("encoder")
    if idle:
        option = {"kind": "distil", "tests": "test", "class_weights": "class-weight"}
        name = option.get(idle[0], idle[0].replace("_", "-"))
        raise click.UsageError(f"--{name} does nothing with --generator")
    if not train_files:
        raise click.UsageError("there is nothing to learn from; give --train FILE")
    _check_idle(given, train_files)
    quiet = given["quiet"]
    settings = {"train": list(train_files)}
    taken = ("complete", "min_score", "min_coverage", "keep_empty", "weigh", "nested", "scheme")
    settings |= {name: given[name] for name in (*taken, "orphans") if given[name] is not None}
    if given["labels"] is not None:
        settings["labels"] = [name.strip() for name in given["labels"].split(",")]
    sets = Recipe.of(settings).sets()
    if not quiet:
        for found in sets:
            say(found.text(), err=True)
    own = ("epochs", "learning_rate", "seed", "threads", "device")
    result = train_generator(
        sets,
        output,
        base,
        GeneratorSettings(**{name: given[name] for name in own if given[name] is not None}),
        licence=given["licence"],
        progress=running.progress(quiet),
        tell=(lambda figures: None) if quiet else _tell_loss,
    )
    if given["as_json"]:
        say_json(result.to_dict())
    elif not quiet:
        left = f", {result.n_too_long} too long" if result.n_too_long else ""
        say(f"{result.n_examples} sentences with spans{left}", err=True)
        say(f"written to {result.folder}\n{result.signature}", err=True)


def _tell_loss(figures: dict[str, float]) -> None:
    say(f"epoch {figures['epoch']:g}: loss {figures['loss']:.4f}", err=True)


_OF_TEACHERS = {
    "kind": "--distil",
    "combine": "--combine",
    "min_confidence": "--min-confidence",
    "select_share": "--select-share",
    "teachers_weight": "--teachers-weight",
}
_OF_ADVERSARY = {
    "adversarial_weight": "--adversarial-weight",
    "adversarial_level": "--adversarial-level",
}


def _check_idle(given: dict[str, Any], paths: Sequence[str]) -> None:
    """Refuse options that would have no effect."""
    for condition, options in (("teachers", _OF_TEACHERS), ("adversarial", _OF_ADVERSARY)):
        for name, option in options.items():
            if not given[condition] and given[name] is not None:
                raise click.UsageError(f"{option} does nothing without --{condition}")
    for name in ("complete", "min_score", "min_coverage", "weigh"):
        if given[name] and not any(_holds_pairs(path) for path in paths):
            option = name.replace("_", "-")
            raise click.UsageError(f"--{option} does nothing without a .jsonl to learn from")
    if given["combine"] == "agreement" and given["kind"] != "hard":
        raise click.UsageError("--combine agreement gives spans; learn them with --distil hard")


def _holds_pairs(path: str) -> bool:
    from spanbridge.formats import find_format

    return find_format(path, default="conll").sides == "both"
