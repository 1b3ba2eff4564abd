"""The table of `spanbridge advise`, from the results of studies.

Writes: src/spanbridge/routes/data/measured.csv (ours) and published.csv (the reference paper's).
Prints: the rows of the former that the studies have.
    From every results.jsonl below a folder come the cells of systems that are called direct,
    translate or ensemble (or so with + and more behind), on text as it is, of which PER, ORG and
    LOC are counted: F1 with its 95% interval, and subwords per word. Of one language and data set
    the results over most rows are taken, those that are in the table already included.
Takes: a moment, after `spanbridge study studies/advice.yaml`, which takes about twenty minutes and
    needs apt install apertium-eng-spa.
Data: that of the studies.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.real_data import folder
from spanbridge.core.errors import InputError
from spanbridge.formats.languages import find_language
from spanbridge.routes.advice import ROUTES

LABELS = {"PER", "ORG", "LOC"}
FOLDER = Path(__file__).parents[1] / "src" / "spanbridge" / "routes" / "data"
# What the table calls data sets, where that is not their names in capitals.
CALLED = {
    "masakhaner2": "MasakhaNER2 {split}",
    "masakhaner2-parallel": "MasakhaNER2 {split} with translations",
    "panx": "PAN-X {split}",
    "news-ner-es": "CoNLL-2002 {split}",
}
NEWS = {"de": "CoNLL-2003", "en": "CoNLL-2003", "nl": "CoNLL-2002", "pt": "news"}
# Parts of signatures: the tagger of the text, and what translated it.
TAGGER = re.compile(r"tagger[:=](\w+\([^)]*\))")
TRANSLATOR = re.compile(r"translator[:=]([\w-]+)")
Row = dict[str, str]
# What the paper's pipelines are called here.
METHODS = {
    ("align_src", ""): "heuristic",
    ("align_tgt", ""): "heuristic tgt2tgt",
    ("candidates", "dummy"): "n-grams",
    ("candidates", "ner"): "tagger's spans",
    ("backtrans_candidates", "dummy"): "n-grams tgt2tgt",
    ("backtrans_candidates", "ner"): "tagger's spans tgt2tgt",
}


def called(dataset: str, split: str, language: str) -> str:
    """Name of a data set in the table."""
    if dataset == "news-ner":
        return f"{NEWS[language]} {split}"
    return CALLED.get(dataset, f"{dataset.upper()} {{split}}").format(split=split)


def measured(results: Path) -> Iterator[Row]:
    """The rows of the table that the results of a study have."""
    for n, line in enumerate(results.read_text("utf-8").splitlines(), 1):
        cell: dict[str, Any] = json.loads(line)
        route = cell["system"].partition("+")[0]
        if cell["status"] != "done" or cell["perturbation"] or route not in ROUTES:
            continue
        scores = cell["scores"]
        if not set(scores["per_label"]) <= LABELS:
            continue
        about = TAGGER.search(cell["signature"])
        if about is None or cell["coverage"] is None:
            raise InputError(results, n, "no tagger is in the signature, or subwords are missing")
        by = TRANSLATOR.search(cell["signature"])
        language = find_language(cell["language"]).tag
        yield {
            "language": language,
            "data": called(cell["dataset"], cell["split"] or "", language),
            "rows": str(scores["rows"]),
            "route": route,
            "translator": "" if route == "direct" else "human" if by is None else by[1],
            **{name: f"{scores['interval'][name]:.3f}" for name in ("f1", "low", "high")},
            "pieces": f"{cell['coverage']['pieces']:.3f}",
            "tagger": hashlib.sha256(about[1].encode()).hexdigest()[:8],
        }


def by_text(rows: Sequence[Row]) -> dict[tuple[str, str], list[Row]]:
    """Rows of each language and data set: those over most sentences, the last ones of several."""
    found: dict[tuple[str, str], dict[str, Row]] = {}
    for row in rows:
        text = row["language"], row["data"]
        before = next(iter(found.get(text, {}).values()), row)
        if int(row["rows"]) > int(before["rows"]):
            found[text] = {}
        if int(row["rows"]) >= int(before["rows"]):
            found.setdefault(text, {})[row["route"]] = row
    return {text: list(of.values()) for text, of in found.items()}


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


def main(studies: str = "studies") -> None:
    """Print the rows that the studies have, and write the tables."""
    write("published.csv", list(published()))
    results = sorted(Path(studies).rglob("results.jsonl"))
    new = [row for path in results for row in measured(path)]
    if not new:
        raise SystemExit(f"no results are below {studies}: spanbridge study studies/advice.yaml")
    print("\n".join(",".join(row.values()) for row in new))
    with (FOLDER / "measured.csv").open(encoding="utf-8") as file:
        old = list(csv.DictReader(file))
    write("measured.csv", [row for of in by_text([*old, *new]).values() for row in of])
