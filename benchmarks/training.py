"""What each way to a tagger gives: recipes, projected data, teachers, the adversary.

    python -m benchmarks training                 # everything, about four hours of two cores
    python -m benchmarks.training teachers        # one table of: projected, made, teachers, recipes

Each row is one `spanbridge train` command, kept in ``.bench`` (or ``$SPANBRIDGE_BENCH``) and
not run again; what was broken off goes on. Two run at a time, each on one core.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import mean, stdev

from benchmarks.real_data import conll_mt, folder, news
from spanbridge import Sentence, SentencePair
from spanbridge.formats.formats import pair_writer
from spanbridge.formats.jsonl import read_jsonl

PLACE = Path(os.environ.get("SPANBRIDGE_BENCH", ".bench")) / "training"
LABELS = ("--labels", "LOC,ORG,PER")
SEEDS = (0, 1, 2)
MT_ROWS = 2400  # of 14,000, so that the 21 trainings of the table end within an hour
NEWS_ROWS = 1400  # of each source language; German has 2,867
RECIPE = ("--frozen-layers", "4", "--batch-tokens", "512", "--learning-rate", "3e-4")
RECIPE += ("--average", "0.4")
FURTHER = ("--frozen-layers", "4", "--batch-tokens", "384", "--learning-rate", "1e-4")
FURTHER += ("--epochs", "1")


def evenly(rows: Sequence[Sentence | SentencePair], n: int) -> list:
    """So many rows, spread over all."""
    return [rows[k * len(rows) // n] for k in range(n)]


def write(name: str, rows: Iterable[SentencePair]) -> str:
    """A file of the bench's folder, written once."""
    path = PLACE / name
    if not path.is_file():
        PLACE.mkdir(parents=True, exist_ok=True)
        with pair_writer(str(path)) as out:
            for row in rows:
                out.write(row)
    return str(path)


def sentences(name: str, rows: Iterable[Sentence]) -> str:
    """As CoNLL."""
    pairs = (SentencePair(str(n), Sentence(()), row) for n, row in enumerate(rows, 1))
    return write(name, pairs)


def run(name: str, command: Sequence[str]) -> str:
    """A training's folder; one that is there already is only scored."""
    output = str(PLACE / name)
    line = [sys.executable, "-m", "spanbridge", "train", *command, "-o", output, "-q"]
    subprocess.run(line, check=True)
    return output


def run_all(runs: Mapping[str, Sequence[str]]) -> dict[str, dict[str, float]]:
    """What :func:`scores` says of each training."""
    with ThreadPoolExecutor(2) as pool:
        outputs = dict(zip(runs, pool.map(run, runs, runs.values()), strict=True))
    return {name: scores(output) for name, output in outputs.items()}


def scores(output: str) -> dict[str, float]:
    """Of a finished training: F1 by file, precision and recall on the last one, minutes."""
    about = json.loads((Path(output) / "training.json").read_text("utf-8"))
    paths = [Path(score["path"]) for score in about["scores"]]
    names = [path.parent.name if path.stem == "dev" else path.stem for path in paths]
    found = {name: score["f1"] for name, score in zip(names, about["scores"], strict=True)}
    found |= {kind: about["scores"][-1][kind] for kind in ("precision", "recall")}
    last = about["history"][-1]
    if "discriminator_accuracy" in last:
        found["told apart"] = last["discriminator_accuracy"]
    return found | {"minutes": about["seconds"] / 60}


def table(rows: Mapping[str, Mapping[str, float]], columns: Sequence[str]) -> None:
    """One line each."""
    print(f"{'':30}" + "".join(f"{name:>12}" for name in columns))
    for name, row in rows.items():
        cells = (f"{row[c]:>12.4f}" if c in row else f"{'':>12}" for c in columns)
        print(f"{name:<30}" + "".join(cells), flush=True)


def recipes() -> None:
    """English news, all of it: dev F1 and zero-shot; the recipe of `make tagger` and others."""
    tests = [sentences(f"{lang}.conll", news(lang, "dev")) for lang in ("es", "nl", "de", "pt")]
    english = [str(folder() / "news-ner" / "en" / f"{part}.txt") for part in ("train", "dev")]
    base = ["--train", english[0], "--dev", english[1], *LABELS]
    base += [arg for path in tests for arg in ("--test", path)]
    runs = {
        "make tagger": [*base, *RECIPE],
        "all layers, decay .9": [*base, "--layer-decay", "0.9"],
    }
    done = {name: scores(run(name.replace(" ", "-"), line)) for name, line in runs.items()}
    table(done, ("en", "es", "nl", "de", "pt", "minutes"))


def projected() -> None:
    """Hausa and Swahili: our projection of machine-translated CoNLL against the silver tags.

    All start from the English tagger and see as many sentences; what differs is which.
    """
    tests = {lang: str(folder() / "masakhaner2" / lang / "dev.txt") for lang in ("hau", "swa")}
    both = [arg for path in tests.values() for arg in ("--test", path)]
    english, half_english = (
        sentences(f"mt.en.{n}.conll", (pair.source for pair in evenly(conll_mt("swa"), n)))
        for n in (MT_ROWS, MT_ROWS // 2)
    )
    kinds: dict[str, list[str]] = {"English": ["--train", english, *both]}
    for lang, test in tests.items():
        ours, silver, half = project(lang)
        kinds[f"silver {lang}"] = ["--train", silver, "--test", test]
        kinds[f"ours {lang}"] = ["--train", ours, "--test", test]
        kinds[f"mix {lang}"] = ["--train", half, "--train", half_english, "--test", test]
    start = ["--encoder", str(PLACE / "make-tagger"), *FURTHER, *LABELS, "--threads", "1"]
    done = run_all(
        {
            f"{kind} {seed}".replace(" ", "-"): [*line, *start, "--seed", str(seed)]
            for seed in SEEDS
            for kind, line in kinds.items()
        }
    )
    print(f"{'F1, mean (sd) of 3 seeds':30}" + "".join(f"{lang:>16}" for lang in tests))
    for kind in ("English", "silver", "ours", "mix"):
        line = f"{kind:<30}"
        for lang in tests:
            name = kind if kind == "English" else f"{kind}-{lang}".replace(" ", "-")
            found = [done[f"{name}-{seed}"][lang] for seed in SEEDS]
            line += f"{mean(found):>9.4f} ({stdev(found):.3f})"
        print(line, flush=True)


def project(lang: str) -> tuple[str, str, str]:
    """The same rows with the spans that we project, with the silver ones, and half of ours."""
    pairs = conll_mt(lang, silver=True)
    silver = write(f"{lang}.silver.jsonl", evenly(pairs, MT_ROWS))
    bare, whole = write(f"{lang}.jsonl", conll_mt(lang)), PLACE / f"{lang}.projected.jsonl"
    if not whole.is_file():
        command = ["spanbridge", "project", "--source", bare, "-o", str(whole), "-q"]
        subprocess.run([sys.executable, "-m", *command], check=True)
    found = [pair for _, pair in read_jsonl(whole)]
    ours, half = (
        write(f"{lang}.ours.{n}.jsonl", evenly(found, n)) for n in (MT_ROWS, MT_ROWS // 2)
    )
    return ours, silver, half


def made() -> None:
    """Spanish training data made by Apertium (`spanbridge make-data`), against zero-shot.

    All are trained from the encoder on, as `make tagger` is: on the English training data, on its
    translation with projected labels, and on its translation with marks about the labels.
    """
    test = sentences("es.conll", news("es", "dev"))
    english = folder() / "news-ner" / "en"
    common = ["--dev", str(english / "dev.txt"), *RECIPE, *LABELS, "--threads", "1", "--test", test]
    runs = {}
    for name in ("projected", "marked"):
        data = make_data(str(english / "train.txt"), f"es-{name}-data", name == "marked")
        runs[f"es-{name}"] = ["--train", data, *common]
    rows = {"English (make tagger)": scores(str(PLACE / "make-tagger")), **run_all(runs)}
    table(rows, ("en", "es", "minutes"))


def make_data(labelled: str, name: str, marked: bool) -> str:
    """Spanish training data out of English."""
    place = str(PLACE / name)
    command = ["make-data", labelled, "--from", "en", "--to", "es", "-o", place, "-q"]
    command += ["--marks", "brackets"] if marked else []
    subprocess.run([sys.executable, "-m", "spanbridge", *command], check=True)
    return str(Path(place) / "train.jsonl")


def teachers() -> None:
    """Dutch from English, Spanish and German teachers: one to three, and the adversary.

    The English teacher is the English tagger; the others learned further from it. Students start
    from it too, and learn from Dutch text alone unless another is named.
    """
    dutch = news("nl", "dev")
    half = len(dutch) // 2
    text, test = sentences("nl.text.conll", dutch[:half]), sentences("nl.half.conll", dutch[half:])
    small = {
        lang: sentences(f"{lang}.small.conll", evenly(news(lang, part), NEWS_ROWS))
        for lang, part in (("en", "train"), ("es", "train"), ("de", "dev"))
    }
    english = str(PLACE / "make-tagger")
    common = ["--encoder", english, *FURTHER, *LABELS, "--threads", "1", "--test", test]
    hide = ["--adversarial", text, "--adversarial-level", "token"]
    first = {f"source {lang}": ["--train", path, *common] for lang, path in small.items()}
    first["source en+es+de"] = [*(a for p in small.values() for a in ("--train", p)), *common]
    for weight in ("0.1", "0.01"):
        line = ["--train", small["en"], *hide, "--adversarial-weight", weight, *common]
        first[f"adversarial en {weight}"] = line
    done = run_all({name.replace(" ", "-"): line for name, line in first.items()})
    teacher = {"en": english, **{x: str(PLACE / f"source-{x}") for x in ("es", "de")}}
    second: dict[str, list[str]] = {}
    for names in (("en",), ("en", "es"), ("en", "es", "de")):
        given = ",".join(teacher[name] for name in names)
        line = ["--teachers", given, "--unlabelled", text, *common]
        second[f"student of {'+'.join(names)}"] = line
    second["student of three hard"] = [*line, "--distil", "hard"]
    second["student of three agreed"] = [*line, "--distil", "hard", "--combine", "agreement"]
    hidden = ["--teachers", str(PLACE / "adversarial-en-0.01"), "--unlabelled", text, *common]
    second["student of adversarial"] = hidden
    second["the same selected .8"] = [*hidden, "--select-share", "0.8"]
    done |= run_all({name.replace(" ", "-"): line for name, line in second.items()})
    table(done, ("precision", "recall", "nl.half", "told apart", "minutes"))


TABLES = {"projected": projected, "made": made, "teachers": teachers, "recipes": recipes}


def main(names: Sequence[str] = tuple(TABLES)) -> None:
    """The tables."""
    for name in names:
        print(f"\n{TABLES[name].__doc__}", flush=True)
        TABLES[name]()


if __name__ == "__main__":
    main(sys.argv[1:] or tuple(TABLES))
