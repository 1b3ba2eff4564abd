"""Every route to Spanish entities without Spanish labels, with Apertium as the translator.

    make tagger && apt install apertium-eng-spa && python -m benchmarks routes
    python -m benchmarks.routes FOLDER             # another English tagger

News (CoNLL-2002 dev, its double encoding repaired). Translate-test: the sentences are translated
into English, tagged, and the spans are projected back. Model transfer: the English tagger reads
Spanish.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.data import news
from benchmarks.translated import project, ways
from spanbridge import Sentence, SentencePair, evaluate_spans
from spanbridge.data.formats import pair_writer, read_pairs
from spanbridge.data.languages import find_language
from spanbridge.pipeline.translation import translate_files
from spanbridge.tag.checkpoint import CheckpointTagger
from spanbridge.translate.apertium import ApertiumTranslator

LABELS = ("PER", "ORG", "LOC")


def translations(sentences: list[Sentence]) -> list[SentencePair]:
    """Pairs: the translation as source, the sentence as target, without its spans."""
    languages = find_language("es"), find_language("en")
    with TemporaryDirectory() as folder:
        text, out = (str(Path(folder) / name) for name in ("es.conll", "pairs.jsonl"))
        with pair_writer(text) as writer:
            for n, sentence in enumerate(sentences, 1):
                writer.write(SentencePair(str(n), Sentence(()), sentence))
        run = translate_files(text, out, ApertiumTranslator(), languages, original="target")
        print(run.account.text())
        return list(read_pairs(out))


def main(folder: str = "en-tagger") -> None:
    """The table."""
    gold = [
        sentence.with_spans(tuple(span for span in sentence.spans if span.label in LABELS))
        for sentence in news("es", "dev")
    ]
    tagger = CheckpointTagger(folder)
    pairs = translations(gold)
    tagged = tagger.tag([pair.source.words for pair in pairs])
    pairs = [
        replace(pair, source=pair.source.with_spans(found.spans))
        for pair, found in zip(pairs, tagged, strict=True)
    ]
    direct = tagger.tag([sentence.words for sentence in gold])
    rows = {
        "model transfer": [
            g.with_spans(found.spans) for g, found in zip(gold, direct, strict=True)
        ],
        **{
            f"translate-test, {name}": [pair.target for pair in project(pairs, *way())]
            for name, way in ways().items()
        },
    }
    print(f"{'Spanish news':44}" + "".join(f"{n:>11}" for n in ("F1", "precision", "recall")))
    for name, found in rows.items():
        score = evaluate_spans(gold, found).micro
        print(f"{name:<44}{score.f1:>11.3f}{score.precision:>11.3f}{score.recall:>11.3f}")


if __name__ == "__main__":
    main(*sys.argv[1:2])
