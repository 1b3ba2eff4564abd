"""The real data that benchmarks run on."""

from __future__ import annotations

import json
import os
from pathlib import Path

from spanbridge import Sentence, SentencePair, read_labelled

Gold = tuple[set[tuple[int, int]], set[tuple[int, int]]]


def folder() -> Path:
    """``$SPANBRIDGE_DATA``, else ``../shared/data`` beside the project."""
    default = Path(__file__).parents[2] / "shared" / "data"
    path = Path(os.environ.get("SPANBRIDGE_DATA", default))
    if not path.is_dir():
        raise SystemExit(f"the benchmarks need real data in {path}, or in SPANBRIDGE_DATA")
    return path


def europarl(source: str, target: str) -> list[SentencePair]:
    """Europarl-NER dev: gold spans on both sides."""
    sides = (read_labelled(folder() / "europarl-ner" / f"{s}.dev.conll") for s in (source, target))
    return [SentencePair(str(n), s, t) for n, (s, t) in enumerate(zip(*sides, strict=True), 1)]


def alignment_gold(name: str) -> tuple[list[SentencePair], list[Gold]]:
    """Sentence pairs with sure and possible links."""
    pairs, gold = [], []
    with (folder() / "alignment-gold" / f"{name}.jsonl").open(encoding="utf-8") as file:
        for row in map(json.loads, file):
            sides = (Sentence(tuple(row[f"{side}_tokens"])) for side in ("source", "target"))
            pairs.append(SentencePair(row["id"], *sides))
            sure, possible = ({(i, j) for i, j in row[kind]} for kind in ("sure", "possible"))
            gold.append((sure, possible | sure))
    return pairs, gold
