"""Files of sentences -> the same sentences with a tagger's spans."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Literal

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.signature import signature
from spanbridge.core.spans import Sentence, SentencePair
from spanbridge.data.conll import write_conll
from spanbridge.data.files import atomic_output, check_rereadable
from spanbridge.data.formats import PairWriter, read_sentences, suffix
from spanbridge.data.jsonl import read_jsonl
from spanbridge.pipeline.account import Account
from spanbridge.pipeline.files import Run, check_output, finish
from spanbridge.pipeline.projection import CHUNK, Watch, chunks, unwatched
from spanbridge.tag.base import Tagger

Side = Literal["source", "target"]


def tag_files(
    source: str,
    output: str,
    tagger: Tagger,
    *,
    side: Side = "source",
    model: str | None = None,
    watch: Watch = unwatched,
) -> Run:
    """Tag every sentence of a file.

    Args:
        source: CoNLL (its tags are not read), a ``.txt`` with a tokenised sentence a line, or a
            ``.jsonl`` of pairs.
        output: CoNLL; for a ``.jsonl`` of pairs also ``.jsonl``, the spans standing on their side.
        tagger: finds the spans.
        side: of pairs, which is tagged; a tagged target loses the status of its projection.
        model: file that the tagger was made from, so that it is not overwritten.
        watch: as in :func:`~spanbridge.pipeline.files.project_files`.

    Raises:
        InputError: the input is wrong; nothing is written then.
        SpanbridgeError: the output is to hold pairs, but the input has none.
    """
    pairs_in, pairs_out = suffix(source) == ".jsonl", suffix(output) == ".jsonl"
    if pairs_out and not pairs_in:
        raise SpanbridgeError(
            f"{source} holds single sentences, which {output} cannot hold; write CoNLL"
        )
    if side == "target" and not pairs_in:
        raise SpanbridgeError(f"{source} holds single sentences, which have no target side")
    check_output(output, source, model)
    check_rereadable(source)

    def rows() -> Iterator[SentencePair]:
        if pairs_in:
            yield from (pair for _, pair in read_jsonl(source))
        else:
            for n, (_, sentence) in enumerate(read_sentences(source), 1):
                yield SentencePair(str(n), sentence, Sentence(()))

    account = Account()
    with atomic_output(output) as out:
        total = sum(1 for _ in rows())
        writer = PairWriter(out, True)
        for pair in watch(tagged(rows(), tagger, side, account), total, "tag"):
            if pairs_out:
                writer.write(pair)
            else:
                write_conll(pair.source if side == "source" else pair.target, out)
    for label, n in sorted(getattr(tagger, "dropped", {}).items()):
        account.notes[f"{label} spans dropped"] = n
    line = signature({"task": "tag", "tagger": tagger.describe()})
    return finish(output, {"source": source}, line, account)


def tagged(
    rows: Iterable[SentencePair], tagger: Tagger, side: Side, account: Account
) -> Iterator[SentencePair]:
    """Rows with the tagger's spans on one side."""
    for chunk in chunks(rows, CHUNK):
        sentences = [pair.source if side == "source" else pair.target for pair in chunk]
        for pair, sentence, found in zip(
            chunk, sentences, tagger.tag([s.words for s in sentences]), strict=True
        ):
            account.statuses["tagged" if found.spans else "empty: no span found"] += 1
            account.note("spans", len(found.spans))
            done = sentence.with_spans(found.spans)
            if side == "source":
                yield replace(pair, source=done)
            else:
                yield replace(pair, target=done, status=None)
