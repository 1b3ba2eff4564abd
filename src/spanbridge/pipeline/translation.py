"""Files of sentences -> pairs with their translations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Literal

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.signature import signature
from spanbridge.core.spans import Sentence, SentencePair
from spanbridge.core.tags import OrphanPolicy, Scheme
from spanbridge.data.conll import Counts
from spanbridge.data.files import atomic_output, check_rereadable, lines
from spanbridge.data.formats import (
    PairWriter,
    holds_conll,
    is_conll,
    read_labelled,
    read_sentences,
    suffix,
)
from spanbridge.data.languages import Language
from spanbridge.data.tokens import tokenize
from spanbridge.pipeline.account import Account
from spanbridge.pipeline.files import Run, check_output, finish
from spanbridge.pipeline.projection import CHUNK, Watch, chunks, unwatched
from spanbridge.translate.base import OK, Translator
from spanbridge.translate.guards import GUARDS, Guards, guarded

Side = Literal["source", "target"]


def translate_files(
    source: str,
    output: str,
    translator: Translator,
    languages: tuple[Language, Language],
    *,
    original: Side = "source",
    guards: Guards = GUARDS,
    model: str | None = None,
    scheme: Scheme = "iob2",
    orphans: OrphanPolicy = "begin",
    watch: Watch = unwatched,
) -> Run:
    """Translate every sentence of a file; pairs come out.

    Args:
        source: CoNLL, whose labels stay with its sentences; else raw text, a sentence a line.
        output: ``.jsonl``. A translation that failed is empty, one that is suspect stands there;
            both say so in the field ``translation``.
        translator: does the work.
        languages: of the sentences, and of the translations.
        original: side of the pairs on which the sentences stand: ``source`` for labelled ones that
            are to be projected (translate-train), ``target`` for those that are to receive spans
            (translate-test).
        guards: when a translation is suspect.
        model: file that the translator was made from, so that it is not overwritten.
        scheme, orphans: how the tags of CoNLL are read.
        watch: as in :func:`~spanbridge.pipeline.files.project_files`.

    Raises:
        InputError: the input is wrong; nothing is written then.
        UnsupportedPairError: the translator does not know the languages.
        SpanbridgeError: the output is not ``.jsonl``.
    """
    if suffix(output) != ".jsonl":
        raise SpanbridgeError(f"{output}: pairs are written as .jsonl; name the output so")
    check_output(output, source, model)
    check_rereadable(source)
    about = {"task": "translate", "original": original}
    about |= describe(translator, languages, guards)
    counts, account = Counts(), Account()
    total = sum(1 for _ in read_side(source, original, scheme, orphans, counts))
    account.notes["orphan_tags"] = counts.n_orphans
    rows = translated(
        paired(read_side(source, original, scheme, orphans), original),
        translator,
        languages,
        original,
        guards,
        account,
    )
    with atomic_output(output) as out:
        writer = PairWriter(out, True)
        for pair in watch(rows, total, "translate"):
            writer.write(pair)
    return finish(output, {"source": source}, signature(about), account)


def describe(
    translator: Translator, languages: tuple[Language, Language], guards: Guards
) -> dict[str, str]:
    """What translations depend on, for a signature.

    Raises:
        UnsupportedPairError: the translator does not know the languages.
    """
    return {
        "translator": translator.describe(*languages),
        "languages": "-".join(language.tag for language in languages),
        "guards": guards.describe(),
        "licence": translator.licence,
    }


def check_licence(made: Translator, name: str, commercial: bool) -> None:
    """Refuse what may not be used commercially, where that is wanted.

    Raises:
        SpanbridgeError: the licence is not known to allow it.
    """
    if commercial and not made.commercial:
        raise SpanbridgeError(
            f"the licence of {name} is {made.licence}, which is not known to allow commercial use; "
            "Apertium, M2M-100 (MIT) and most OPUS-MT models (CC-BY-4.0) do"
        )


def reads_conll(path: str, original: Side) -> bool:
    """Whether a file is CoNLL: a corpus with labels is looked at, raw text goes by name."""
    return holds_conll(path) if original == "source" else is_conll(path)


def read_side(
    path: str,
    original: Side,
    scheme: Scheme,
    orphans: OrphanPolicy,
    counts: Counts | None = None,
) -> Iterator[Sentence]:
    """Sentences for one side: of CoNLL, with its labels for the source side; or of raw text."""
    if not reads_conll(path, original):
        yield from map(raw, lines(path))
    elif original == "source":
        yield from read_labelled(path, scheme, orphans, counts)
    else:  # they are to receive spans, and bring none
        yield from (sentence for _, sentence in read_sentences(path))


def raw(text: str) -> Sentence:
    """Words of a raw text, with their places in it."""
    words, offsets = tokenize(text)
    return Sentence(words, (), text, offsets)


def translated(
    pairs: Iterable[SentencePair],
    translator: Translator,
    languages: tuple[Language, Language],
    original: Side,
    guards: Guards,
    account: Account,
) -> Iterator[SentencePair]:
    """Pairs, the other side being the translation of the original one.

    The field ``translation`` says what is wrong with one, ``translation_score`` is the
    log-probability a token, where the translator gives it.
    """
    for chunk in chunks(pairs, CHUNK):
        texts = [text_of(pair.source if original == "source" else pair.target) for pair in chunk]
        found = guarded(translator, texts, *languages, guards)
        for pair, translation in zip(chunk, found, strict=True):
            account.statuses[translation.status] += 1
            extra = dict(pair.extra)
            if translation.status != OK:
                extra["translation"] = translation.status
            if translation.score is not None:
                extra["translation_score"] = round(translation.score, 4)
            other = raw(translation.text)
            sides = (pair.source, other) if original == "source" else (other, pair.target)
            yield replace(pair, source=sides[0], target=sides[1], extra=extra)


def text_of(sentence: Sentence) -> str:
    """Raw text, or the words with spaces between them."""
    return sentence.text if sentence.text is not None else " ".join(sentence.words)


def paired(sentences: Iterable[Sentence], original: Side) -> Iterator[SentencePair]:
    """Sentences as one side of pairs that have no other yet, numbered from 1."""
    for number, sentence in enumerate(sentences, 1):
        sides = (sentence, Sentence(())) if original == "source" else (Sentence(()), sentence)
        yield SentencePair(str(number), *sides)
