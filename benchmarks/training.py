"""Taggers, and what each way to one gives: recipes, projected data, teachers, the adversary.

Prints: F1 on the dev files of several languages, a table each for recipes (English news, and other
    languages zero-shot), projected (our projection of translated sentences, against silver tags),
    made (Spanish data made by `spanbridge make-data`) and teachers (one to three teachers of Dutch,
    and the adversary).
Takes: about four hours of two cores. Each row is one `spanbridge train` command, kept in ``.bench``
    (or ``$SPANBRIDGE_BENCH``) and not run again; what was broken off goes on. Two run at a time,
    each on one core. The first row of recipes is the tagger that the other tables begin with.
Data: CoNLL-2002/2003-style news in five languages; CoNLL-2003 in machine translation to Hausa and
    Swahili, and MasakhaNER2 dev. Table made needs apt install apertium-eng-spa.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import mean, stdev
from typing import TypeVar

from benchmarks.real_data import BENCH, conll_mt, folder, news
from spanbridge import Sentence, SentencePair, api

T = TypeVar("T")
LABELS = ("--labels", "LOC,ORG,PER")
SEEDS = (0, 1, 2)
MT_ROWS = 2400  # of 14,000, so that the 21 trainings of the table end within an hour
NEWS_ROWS = 1400  # of each source language; German has 2,867
RECIPE = (
    *("--frozen-layers", "4", "--batch-tokens", "512", "--learning-rate", "3e-4"),
    *("--average", "0.4"),
)
FURTHER = (
    *("--frozen-layers", "4", "--batch-tokens", "384", "--learning-rate", "1e-4"),
    *("--epochs", "1"),
)


def evenly(rows: Sequence[T], n: int) -> list[T]:
    """So many rows, spread over all."""
    return [rows[k * len(rows) // n] for k in range(n)]


@dataclass(frozen=True)
class Bench:
    """The folder in which files and trainings are kept.

    Attributes:
        place: the folder.
        rows: sentences of each file, at most; None for all.
        options: further ones of every training.
    """

    place: Path = BENCH / "training"
    rows: int | None = None
    options: Sequence[str] = ()

    def write(self, name: str, rows: Iterable[SentencePair]) -> str:
        """A file of the folder, written once."""
        path = self.place / name
        if not path.is_file():
            self.place.mkdir(parents=True, exist_ok=True)
            api.write_pairs(path, islice(rows, self.rows))
        return str(path)

    def sentences(self, name: str, rows: Iterable[Sentence]) -> str:
        """Sentences as CoNLL."""
        pairs = (SentencePair(str(n), Sentence(()), row) for n, row in enumerate(rows, 1))
        return self.write(f"{name}.conll", pairs)

    def tagger(self, name: str) -> str:
        """The folder of a training."""
        return str(self.place / name.replace(" ", "-"))

    def train(self, name: str, command: Sequence[str]) -> dict[str, float]:
        """The scores of a training; one that is there already is only scored."""
        spanbridge("train", *command, *self.options, "-o", self.tagger(name))
        return scores(self.tagger(name))

    def train_all(self, runs: Mapping[str, Sequence[str]]) -> dict[str, dict[str, float]]:
        """The scores of each training, two at a time."""
        with ThreadPoolExecutor(2) as pool:
            return dict(zip(runs, pool.map(self.train, runs, runs.values()), strict=True))

    def english(self) -> list[str]:
        """The English data that taggers are trained on and chosen by."""
        train, dev = (
            self.sentences(name, news("en", part))
            for name, part in (("en.train", "train"), ("en", "dev"))
        )
        return ["--train", train, "--dev", dev, *LABELS]


def spanbridge(*command: str) -> None:
    """Run a command, in a process of its own, so that two can run at a time."""
    subprocess.run([sys.executable, "-m", "spanbridge", *command, "-q"], check=True)


def scores(output: str) -> dict[str, float]:
    """F1 of a finished training by file, precision and recall on the last one, minutes."""
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


def recipes(bench: Bench) -> None:
    """English news, all of it: dev F1 and zero-shot; the recipe of `make tagger` and others."""
    tests = [bench.sentences(lang, news(lang, "dev")) for lang in ("es", "nl", "de", "pt")]
    base = [*bench.english(), *(arg for path in tests for arg in ("--test", path))]
    runs = {
        "make tagger": [*base, *RECIPE],
        "all layers, decay .9": [*base, "--layer-decay", "0.9"],
    }
    done = {name: bench.train(name, line) for name, line in runs.items()}
    table(done, ("en", "es", "nl", "de", "pt", "minutes"))


def projected(bench: Bench) -> None:
    """Hausa and Swahili: our projection of machine-translated CoNLL against the silver tags.

    All start from the English tagger and see as many sentences; what differs is which.
    """
    tests = {lang: str(folder() / "masakhaner2" / lang / "dev.txt") for lang in ("hau", "swa")}
    both = [arg for path in tests.values() for arg in ("--test", path)]
    english, half_english = (
        bench.sentences(f"mt.en.{n}", (pair.source for pair in evenly(conll_mt("swa"), n)))
        for n in (MT_ROWS, MT_ROWS // 2)
    )
    kinds: dict[str, list[str]] = {"English": ["--train", english, *both]}
    for lang, test in tests.items():
        ours, silver, half = project(bench, lang)
        kinds[f"silver {lang}"] = ["--train", silver, "--test", test]
        kinds[f"ours {lang}"] = ["--train", ours, "--test", test]
        kinds[f"mix {lang}"] = ["--train", half, "--train", half_english, "--test", test]
    start = ["--encoder", bench.tagger("make tagger"), *FURTHER, *LABELS, "--threads", "1"]
    done = bench.train_all(
        {
            f"{kind} {seed}": [*line, *start, "--seed", str(seed)]
            for seed in SEEDS
            for kind, line in kinds.items()
        }
    )
    print(f"{'F1, mean (sd) of 3 seeds':30}" + "".join(f"{lang:>16}" for lang in tests))
    for kind in ("English", "silver", "ours", "mix"):
        line = f"{kind:<30}"
        for lang in tests:
            name = kind if kind == "English" else f"{kind} {lang}"
            found = [done[f"{name} {seed}"][lang] for seed in SEEDS]
            line += f"{mean(found):>9.4f} ({stdev(found):.3f})"
        print(line, flush=True)


def project(bench: Bench, lang: str) -> tuple[str, str, str]:
    """The same rows with the spans that we project, with the silver ones, and half of ours."""
    pairs = conll_mt(lang, silver=True)
    silver = bench.write(f"{lang}.silver.jsonl", evenly(pairs, MT_ROWS))
    whole = bench.place / f"{lang}.projected.jsonl"
    if not whole.is_file():
        api.project(conll_mt(lang)).save(whole)
    found = list(api.read_pairs(whole))
    ours, half = (
        bench.write(f"{lang}.ours.{n}.jsonl", evenly(found, n)) for n in (MT_ROWS, MT_ROWS // 2)
    )
    return ours, silver, half


def made(bench: Bench) -> None:
    """Spanish training data made by Apertium (`spanbridge make-data`), against zero-shot.

    All are trained from the encoder on, as `make tagger` is: on the English training data, on its
    translation with projected labels, and on its translation with marks about the labels.
    """
    test = bench.sentences("es", news("es", "dev"))
    _, labelled, *judged = bench.english()
    common = [*judged, *RECIPE, "--threads", "1", "--test", test]
    runs = {}
    for name, options in (("projected", ()), ("marked", ("--marks", "brackets"))):
        place = bench.place / f"es-{name}-data"
        languages = ("--from", "en", "--to", "es")
        spanbridge("make-data", labelled, *languages, *options, "-o", str(place))
        runs[f"es-{name}"] = ["--train", str(place / "train.jsonl"), *common]
    rows = {"English (make tagger)": scores(bench.tagger("make tagger")), **bench.train_all(runs)}
    table(rows, ("en", "es", "minutes"))


def teachers(bench: Bench) -> None:
    """Dutch from English, Spanish and German teachers: one to three, and the adversary.

    The English teacher is the English tagger; the others learned further from it. Students start
    from it too, and learn from Dutch text alone unless another is named.
    """
    dutch = news("nl", "dev")
    half = len(dutch) // 2
    text = bench.sentences("nl.text", dutch[:half])
    test = bench.sentences("nl.half", dutch[half:])
    small = {
        lang: bench.sentences(f"{lang}.small", evenly(news(lang, part), NEWS_ROWS))
        for lang, part in (("en", "train"), ("es", "train"), ("de", "dev"))
    }
    english = bench.tagger("make tagger")
    common = ["--encoder", english, *FURTHER, *LABELS, "--threads", "1", "--test", test]
    hide = ["--adversarial", text, "--adversarial-level", "token"]
    first = {f"source {lang}": ["--train", path, *common] for lang, path in small.items()}
    first["source en+es+de"] = [*(a for p in small.values() for a in ("--train", p)), *common]
    for weight in ("0.1", "0.01"):
        line = ["--train", small["en"], *hide, "--adversarial-weight", weight, *common]
        first[f"adversarial en {weight}"] = line
    done = bench.train_all(first)
    teacher = {"en": english, **{x: bench.tagger(f"source {x}") for x in ("es", "de")}}
    second: dict[str, list[str]] = {}
    for names in (("en",), ("en", "es"), ("en", "es", "de")):
        given = ",".join(teacher[name] for name in names)
        line = ["--teachers", given, "--unlabelled", text, *common]
        second[f"student of {'+'.join(names)}"] = line
    second["student of three hard"] = [*line, "--distil", "hard"]
    second["student of three agreed"] = [*line, "--distil", "hard", "--combine", "agreement"]
    hidden = ["--teachers", bench.tagger("adversarial en 0.01"), "--unlabelled", text, *common]
    second["student of adversarial"] = hidden
    second["the same selected .8"] = [*hidden, "--select-share", "0.8"]
    done |= bench.train_all(second)
    table(done, ("precision", "recall", "nl.half", "told apart", "minutes"))


TABLES: dict[str, Callable[[Bench], None]] = {
    "recipes": recipes,
    "projected": projected,
    "made": made,
    "teachers": teachers,
}


def main(names: Sequence[str] = tuple(TABLES), bench: Bench = Bench()) -> None:
    """Print the tables."""
    for name in names:
        print(f"\n{TABLES[name].__doc__}", flush=True)
        TABLES[name](bench)
