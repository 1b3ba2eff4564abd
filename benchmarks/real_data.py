"""The real data that benchmarks run on: data sets by name, in the copies that they have here."""

from __future__ import annotations

import os
from pathlib import Path

from spanbridge import Sentence, SentencePair
from spanbridge.datasets import find_dataset

# What long benchmarks make, and go on with.
BENCH = Path(os.environ.get("SPANBRIDGE_BENCH", ".bench"))
Gold = tuple[set[tuple[int, int]], set[tuple[int, int]]]
# Pair files with gold spans on both sides: names, and data set, language and split of each.
_SETS = {
    "absa-es": ("absa", "en-es", "train"),
    **{
        f"xsid-{x}": ("xsid", f"en-{x}", "dev")
        for x in ("ar", "de", "gsw", "id", "it", "ja", "kk", "tr", "zh")
    },
    "pud-ru": ("uner-pud", "en-ru", "first300"),
    "pud-zh": ("uner-pud", "en-zh-Hant", "first300"),
    "pud-zh-raw": ("uner-pud", "en-zh-Hant", "raw300"),
    **{f"relx-{x}": ("relx", f"en-{x}", "test") for x in ("es", "fr")},
    "relx-tr": ("relx", "en-tr", "first100"),
    **{f"xquad-{x}": ("xquad", f"en-{x}", "test") for x in ("es", "ru", "zh")},
    **{f"abstrct-{x}": ("abstrct", f"en-{x}", "dev") for x in ("es", "it")},
    **{f"mabsa-{x}": ("m-absa", f"en-{x}", "test") for x in ("es", "hi", "ko", "sw", "ja")},
}
DIRECTIONS = ("en-de", "en-es", "de-en", "es-en", "de-es", "es-de")
# All sets of pairs with gold spans on both sides; `europarl-` is left out of the first ones' names.
PAIR_SETS = (*DIRECTIONS, *_SETS)


def folder() -> Path:
    """``$SPANBRIDGE_DATA``, else ``../shared/data`` beside the project."""
    default = Path(__file__).parents[2] / "shared" / "data"
    path = Path(os.environ.get("SPANBRIDGE_DATA", default))
    if not path.is_dir():
        raise SystemExit(f"the benchmarks need real data in {path}, or in SPANBRIDGE_DATA")
    return path


def _rows(name: str, language: str, split: str, *, coarse: bool = False) -> list[SentencePair]:
    os.environ.setdefault("SPANBRIDGE_DATA", str(folder()))
    return list(find_dataset(name).read(language, split, coarse=coarse))


def europarl(source: str, target: str) -> list[SentencePair]:
    """Europarl-NER dev: gold spans on both sides."""
    return _rows("europarl-ner", f"{source}-{target}", "dev")


def alignment_gold(name: str) -> tuple[list[SentencePair], list[Gold]]:
    """Sentence pairs with sure and possible links."""
    pairs, gold = [], []
    for row in _rows("wpt2003", f"{name[:2]}-{name[2:]}", "test"):
        assert row.links is not None
        sure, possible = {*row.links.pairs}, {(i, j) for i, j in row.extra["possible"]}
        pairs.append(row._replace(links=None))
        gold.append((sure, possible | sure))
    return pairs, gold


def gold_pairs(name: str) -> list[SentencePair]:
    """Sentence pairs of a set, with gold spans on both sides.

    Raw text is cut into words at its gold spans: projecting takes the words that it finds itself,
    and evaluation compares both by their characters.
    """
    return europarl(*name.split("-")) if name in DIRECTIONS else _rows(*_SETS[name])


def language_of(name: str) -> str:
    """The target's language, for `--to`."""
    return name.removesuffix("-raw").rpartition("-")[2]


def news(language: str, part: str) -> list[Sentence]:
    """CoNLL-2002/2003-style news; Spanish, published as UTF-8 encoded twice, is repaired."""
    found = []
    for row in _rows("news-ner", language, part):
        words = row.target.words
        if language == "es":
            words = tuple(word.encode("latin-1").decode("utf-8") for word in words)
        found.append(Sentence(words, row.target.spans))
    return found


def conll_mt(language: str, *, silver: bool = False) -> list[SentencePair]:
    """English CoNLL-2003 with gold spans, and machine translations, with silver spans or none."""
    rows = _rows("conll-mt", f"en-{language}", "train")
    return rows if silver else [row._replace(target=row.target.with_spans(())) for row in rows]


def masakhaner_parallel(language: str) -> list[SentencePair]:
    """MasakhaNER2 dev sentences with PER, ORG and LOC; their sources are human translations."""
    return _rows("masakhaner2-parallel", language, "dev", coarse=True)
