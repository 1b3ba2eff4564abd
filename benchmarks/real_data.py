"""The real data that benchmarks run on."""

from __future__ import annotations

import gzip
import json
import os
import re
from pathlib import Path

from spanbridge import Sentence, SentencePair, read_labelled
from spanbridge.core.rows import SIDES
from spanbridge.core.tags import spans_from_tags
from spanbridge.formats.base import DEFAULT_READING, Counts
from spanbridge.formats.conll_reader import read_conll
from spanbridge.formats.json_objects import objects
from spanbridge.formats.jsonl import RowReader
from spanbridge.formats.tokens import tokenize

# What long benchmarks make, and go on with.
BENCH = Path(os.environ.get("SPANBRIDGE_BENCH", ".bench"))
Gold = tuple[set[tuple[int, int]], set[tuple[int, int]]]
_ELISION = re.compile(r"\b((?:[ldnsmtcj]|qu|lorsqu|jusqu)['\u2019])", re.IGNORECASE)


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
            source, target = (Sentence(tuple(row[f"{side}_tokens"])) for side in SIDES)
            pairs.append(SentencePair(row["id"], source, target))
            sure, possible = ({(i, j) for i, j in row[kind]} for kind in ("sure", "possible"))
            gold.append((sure, possible | sure))
    return pairs, gold


def absa() -> list[SentencePair]:
    """Restaurant reviews, English and Spanish: opinion targets, projected by hand."""
    pairs = []
    for line in (folder() / "absa" / "en2es.train.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        source, target = (
            Sentence(tuple(row[words]), spans_from_tags(row[tags])[0])
            for words, tags in (
                ("source_tokens", "source_tags"),
                ("target_tokens", "target_gold_tags"),
            )
        )
        pairs.append(SentencePair(row["id"], source, target))
    return pairs


# Pair files with gold spans on both sides, by the folder and the target's name.
_FILES = {
    **{
        f"xsid-{x}": f"en2{x}.valid"
        for x in ("ar", "de", "gsw", "id", "it", "ja", "kk", "tr", "zh")
    },
    **{f"pud-{x}": f"en2{x}.first300" for x in ("ru", "zh", "zh-raw")},
    **{f"relx-{x}": f"en2{x}" for x in ("es", "fr")},
    "relx-tr": "en2tr.first100",
    **{f"xquad-{x}": f"en2{x}" for x in ("es", "ru", "zh")},
    "abstrct-es": "en2es.deepl.neoplasm_dev",
    "abstrct-it": "en2it.nllb.neoplasm_dev",
    **{f"mabsa-{x}": f"en2{x}.test" for x in ("es", "hi", "ko", "sw")},
    "mabsa-ja": "en2ja.nospace.test",
}
DIRECTIONS = ("en-de", "en-es", "de-en", "es-en", "de-es", "es-de")
# All sets of pairs with gold spans on both sides; `europarl-` is left out of the first ones' names.
PAIR_SETS = (*DIRECTIONS, "absa-es", *_FILES)


def gold_pairs(name: str) -> list[SentencePair]:
    """Sentence pairs of a set, with gold spans on both sides.

    Raw text is cut into words at its gold spans: projecting takes the words that it finds itself,
    and evaluation compares both by their characters.
    """
    if name in DIRECTIONS:
        return europarl(*name.split("-"))
    if name == "absa-es":
        return absa()
    path = folder() / name.partition("-")[0] / f"{_FILES[name]}.jsonl"
    read = RowReader(path, "target", DEFAULT_READING, Counts(), None)
    return [
        read(row | {"target_spans": row.pop("gold_target_spans")}, line)
        for line, row in objects(path)
    ]


def language_of(name: str) -> str:
    """The target's language, for `--to`."""
    return name.removesuffix("-raw").rpartition("-")[2]


def news(language: str, part: str) -> list[Sentence]:
    """CoNLL-2002/2003-style news; Spanish, published as UTF-8 encoded twice, is repaired."""
    found = []
    for _, sentence in read_conll(folder() / "news-ner" / language / f"{part}.txt"):
        words = sentence.words
        if language == "es":
            words = tuple(word.encode("latin-1").decode("utf-8") for word in words)
        found.append(Sentence(words, sentence.spans))
    return [sentence for sentence in found if sentence.words]


def conll_mt(language: str, *, silver: bool = False) -> list[SentencePair]:
    """English CoNLL-2003 with gold spans, and machine translations, with silver spans or none."""
    pairs = []
    path = folder() / "conll-mt" / f"{language}.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for row in map(json.loads, file):
            source = tuple(row["source_tokens"]), spans_from_tags(row["source_tags"])[0]
            spans = spans_from_tags(row["tprojection_tags"])[0] if silver else ()
            target = Sentence(tuple(row["target_tokens"]), spans)
            pairs.append(SentencePair(row["id"], Sentence(*source), target))
    return pairs


def masakhaner_parallel(language: str) -> list[SentencePair]:
    """MasakhaNER2 dev sentences, gold PER, ORG and LOC, with human translations as their sources.

    French elisions are words of their own, as in French corpora (``l'`` ``Assemblée``).
    """
    pairs = []
    path = folder() / "masakhaner2-parallel" / f"{language}.dev.jsonl"
    for row in map(json.loads, path.read_text("utf-8").splitlines()):
        text = row["source_text"]
        if row["src_lang"] == "fra":
            text = _ELISION.sub(r"\1 ", text)
        spans = spans_from_tags(row["tags"])[0]
        gold = tuple(span for span in spans if span.label in ("PER", "ORG", "LOC"))
        source = Sentence(tokenize(text)[0])
        pairs.append(SentencePair(row["id"], source, Sentence(tuple(row["tokens"]), gold)))
    return pairs
