"""Rows of several sentences: projection of documents, and of very long rows.

Prints: entity F1 of each method, gold labels projected, as 1, 5, 20 and 40 sentences are joined to
    a row, with the seconds of processor time that it took, learning included; the same of whole
    paragraphs; then, for rows of 2,000 and 20,000 words, the names found, seconds, and the growth
    of memory, each in a process of its own.
Takes: about ten minutes on two cores.
Data: Europarl-NER dev (400 sentences per direction); XQuAD (240 paragraphs, answers as spans, raw
    text: an answer counts if it is right to the character); words drawn at random with a name at
    every 200th, in English and German; and Europarl-NER repeated to 20,000 words.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.apart import Apart
from benchmarks.real_data import europarl, folder
from spanbridge import Sentence, SentencePair, Span
from spanbridge.api import project
from spanbridge.formats.tokens import raw_sentence, tokenize

SETS = ("en-de", "en-es", "xquad-es", "xquad-ru", "xquad-zh", "long")
METHODS = ("corpus", "soft")
JOINED = (1, 5, 20, 40)
SIZES = (2000, 20_000)
# words drawn at random, and their translations
ENGLISH = ["the", "of", "and", "to", "house", "city", "river", "people", "green", "went"]
GERMAN = ["das", "von", "und", "zu", "Haus", "Stadt", "Fluss", "Leute", "grün", "ging"]
EVERY = 200


def joined(sentences: Sequence[Sentence]) -> Sentence:
    """Several sentences as one."""
    words: list[str] = []
    spans: list[Span] = []
    for one in sentences:
        n = len(words)
        spans += (span._replace(start=span.start + n, end=span.end + n) for span in one.spans)
        words += one.words
    return Sentence(tuple(words), tuple(spans))


def documents(pairs: Sequence[SentencePair], n: int) -> list[SentencePair]:
    """The pairs, each ``n`` of them as one."""
    groups = [pairs[k : k + n] for k in range(0, len(pairs) - n + 1, n)]
    return [
        SentencePair(
            group[0].id,
            joined([pair.source for pair in group]),
            joined([pair.target for pair in group]),
        )
        for group in groups
    ]


def paragraphs(language: str) -> list[tuple[SentencePair, set[tuple[int, int, str]]]]:
    """Paragraphs in raw text, and the right spans in characters of the target."""
    found = []
    path = folder() / "xquad" / f"en2{language}.jsonl"
    for row in map(json.loads, path.read_text("utf-8").splitlines()):
        text, spans = row["source_text"], row["source_spans"]
        edges = {span[end] for span in spans for end in ("start", "end")}
        words, offsets = tokenize(text, edges)
        starts = {start: n for n, (start, _) in enumerate(offsets)}
        ends = {end: n + 1 for n, (_, end) in enumerate(offsets)}
        kept = tuple(
            Span(starts[span["start"]], ends[span["end"]], span["label"])
            for span in sorted(spans, key=lambda span: span["start"])
        )
        source = Sentence(words, kept, text, offsets)
        gold = {(span["start"], span["end"], span["label"]) for span in row["gold_target_spans"]}
        found.append((SentencePair(row["id"], source, raw_sentence(row["target_text"])), gold))
    return found


def f1(gold: Sequence[set[Any]], found: Sequence[set[Any]]) -> float:
    """Micro F1 of spans."""
    right = sum(len(a & b) for a, b in zip(gold, found, strict=True))
    return 2 * right / max(1, sum(map(len, gold)) + sum(map(len, found)))


def in_characters(sentence: Sentence) -> set[tuple[int, int, str]]:
    """Spans of raw text, in characters."""
    assert sentence.offsets is not None
    return {
        (sentence.offsets[span.start][0], sentence.offsets[span.end - 1][1], span.label)
        for span in sentence.spans
    }


def in_words(sentence: Sentence) -> set[tuple[int, int, str]]:
    """Spans, in words."""
    return {span[:3] for span in sentence.spans}


def row_of(kind: str, size: int) -> SentencePair:
    """One row of about ``size`` words with names, of random words or of Europarl's sentences."""
    if kind == "random":
        rng = random.Random(size)
        sides: tuple[list[str], list[str]] = ([], [])
        for n in range(size - size // EVERY):
            k = rng.randrange(len(ENGLISH))
            sides[0].append(ENGLISH[k])
            sides[1].append(GERMAN[k])
            if n % EVERY == EVERY // 4:
                for side in sides:
                    side += ("Angela", "Merkel")
        names = tuple(Span(n, n + 2, "PER") for n, word in enumerate(sides[0]) if word == "Angela")
        source, target = (Sentence(tuple(side), names) for side in sides)
        return SentencePair("1", source, target)
    pairs = europarl("en", "de")
    pairs *= 1 + size // sum(len(pair.source.words) for pair in pairs)
    kept, n_words = [], 0
    for pair in pairs:
        if n_words >= size:
            break
        kept.append(pair)
        n_words += len(pair.source.words)
    return documents(kept, len(kept))[0]


def one_row(kind: str, size: int, method: str) -> Callable[[], tuple[int, int, int]]:
    """Projects a single long row: gives right, found and gold spans."""
    row = row_of(kind, size)

    def run() -> tuple[int, int, int]:
        (done,) = project([row], method)
        gold, found = in_words(row.target), in_words(done.target)
        return len(gold & found), len(found), len(gold)

    return run


def main(sets: Sequence[str] = SETS, methods: Sequence[str] = METHODS) -> None:
    """Print the tables."""
    print(f"{'':28}" + "".join(f"{method:>18}" for method in methods))
    project(europarl("en", "de")[:2], "soft")  # the encoder is converted before the clock starts

    def line(name: str, pairs: Sequence[SentencePair], gold: Sequence[set[Any]], of: Any) -> None:
        cells = ""
        for method in methods:
            start = time.process_time()
            done = project(pairs, method)
            seconds = time.process_time() - start
            value = f1(gold, [of(row.target) for row in done])
            cells += f"{f'{value:.3f} {seconds:5.0f} s':>18}"
        print(f"{name:<28}{cells}", flush=True)

    for name in sets:
        kind, _, language = name.partition("-")
        if kind == "xquad":
            rows = paragraphs(language)
            line(name, [pair for pair, _ in rows], [spans for _, spans in rows], in_characters)
        elif kind != "long":
            pairs = europarl(kind, language)
            for n in JOINED:
                some = documents(pairs, n)
                line(
                    f"{name}, {n} to a row", some, [in_words(row.target) for row in some], in_words
                )
    if "long" not in sets:
        return
    print("\nA single row: right / found / gold spans, seconds, growth of memory in MB")
    for kind in ("random", "europarl"):
        for size in SIZES:
            for method in methods:
                apart = Apart(one_row, kind, size, method)
                counts = " / ".join(map(str, apart.run()))
                print(
                    f"{f'{kind}, {size:,} words':<28}{method:<10}{counts:>18}"
                    f"{apart.seconds[0]:>8.1f} s{apart.growth:>8.0f} MB",
                    flush=True,
                )
