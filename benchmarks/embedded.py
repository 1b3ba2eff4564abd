"""The embedded tagger: what its recipe was chosen from.

Prints: F1 on dev files of Universal NER (mean of eight languages), and of text of other kinds and
    languages that is never trained on, for one training each; every eighth sentence is learned from
    twice, so that the differences between recipes show, not what the whole data gives.
Takes: about an hour and a half of two cores with bfloat16 instructions, two trainings at a time.
    Each is one `spanbridge train` command, kept in ``.bench`` (or ``$SPANBRIDGE_BENCH``).
Data: Universal NER; CoNLL-2002/2003-style news in five languages; MasakhaNER2 dev.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean

from benchmarks.real_data import BENCH, folder, news
from benchmarks.training import LABELS, Bench, evenly, table
from spanbridge import Sentence, read_labelled

TREEBANKS = (
    *("da-ddt", "en-ewt", "hr-set", "pt-bosque", "sk-snk", "sr-set", "sv-talbanken", "zh-gsd"),
)
NEWS = ("en", "es", "de", "nl", "pt")
AFRICAN = ("swa", "hau", "yor")
SHARE, N_TEST = 8, 200
RECIPE = {
    "--frozen-layers": "6",
    "--batch-tokens": "512",
    "--learning-rate": "2e-4",
    "--other-names": "0.4",
    "--epochs": "2",
    "--average": "0.3",
    "--precision": "bfloat16",
    "--threads": "1",
}
TRIES: dict[str, dict[str, str]] = {
    "the recipe": {},
    "no other names": {"--other-names": "0"},
    "half of the rows without names": {"--keep-empty": "0.5"},
    "no dropout": {"--dropout": "0"},
    "four layers frozen": {"--frozen-layers": "4"},
    "eight layers frozen": {"--frozen-layers": "8"},
    "no mean of weights": {"--average": "0"},
    "rate 4e-4": {"--learning-rate": "4e-4"},
    "O counts half": {"--class-weight": "O=0.5"},
}
# Their data differs, not their options.
EVEN = "as many rows of each treebank"


def treebank(name: str, part: str) -> list[Sentence]:
    """Sentences of Universal NER."""
    return list(read_labelled(folder() / "uner" / name / f"{part}.conll"))


def main(tries: Sequence[str] = (*TRIES, EVEN)) -> None:
    """Print the table."""
    bench = Bench(BENCH / "embedded")
    whole = {name: treebank(name, "train") for name in TREEBANKS}
    sampled = {name: rows[::SHARE] for name, rows in whole.items()}
    learned = [row for rows in sampled.values() for row in rows]
    size = len(learned) // len(whole)
    even = [row for rows in whole.values() for row in evenly(rows, min(size, len(rows)))]
    files = {EVEN: bench.sentences("even", even)}
    plain = bench.sentences("learned", learned)
    tests = {name: treebank(name, "dev") for name in TREEBANKS}
    tests |= {f"news-{name}": news(name, "dev") for name in NEWS}
    african = folder() / "masakhaner2"
    tests |= {name: list(read_labelled(african / name / "dev.txt")) for name in AFRICAN}
    judged = [bench.sentences(name, evenly(rows, N_TEST)) for name, rows in tests.items()]
    base = [*LABELS, *(arg for path in judged for arg in ("--test", path))]
    runs = {
        name: ["--train", files.get(name, plain), *base, *_options(TRIES.get(name, {}))]
        for name in tries
    }
    done = bench.train_all(runs)
    for row in done.values():
        row["uner"] = mean(row[name] for name in TREEBANKS)
        row["news"] = mean(row[f"news-{name}"] for name in NEWS)
    table(done, ("uner", "news", *AFRICAN, "minutes"))


def _options(changes: dict[str, str]) -> list[str]:
    return [part for pair in {**RECIPE, **changes}.items() for part in pair]
