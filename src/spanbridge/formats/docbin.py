"""spaCy's DocBin (``.spacy``): documents with entities and groups of spans, as spaCy trains on."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from math import isnan
from pathlib import Path
from typing import Any

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import atomic_bytes, reading
from spanbridge.core.rows import SentencePair, Side
from spanbridge.core.spans import Sentence, Span, one_layer
from spanbridge.formats.base import (
    DEFAULT_READING,
    Counts,
    Format,
    Reading,
    Write,
    one_side,
    row_writer,
)
from spanbridge.formats.json_objects import take_id
from spanbridge.formats.json_values import DECIMALS
from spanbridge.formats.tokens import tokenize, with_text

# The group of spans that spaCy's span categorizer reads and writes unless told otherwise.
_GROUP = "sc"
_SCORES = "scores"
_LINK = "kb_id"
_LARGEST, _BLOCK = 2_000_000_000, 1 << 20  # bytes of an unpacked file, and of a step towards that
_DAMAGED = "is no whole DocBin of spaCy; write it again"
# What spaCy raises for damaged files.
_DAMAGES = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError),
    zlib.error,
)


class DocBin(Format):
    """One side of each row: a document with all spans in a group, and one layer as entities.

    Ids and other keys of rows are its user data. A file is held whole, as spaCy does it.
    """

    name = "spacy"
    suffixes = (".spacy",)
    sides = "one"
    holds_spans = True
    holds_nested = True
    requires = ("spacy",)
    keeps = frozenset({"ids", "words", "text", "scores", "keys"})

    def keeps_key(self, key: str) -> bool:
        """All are written, but for one that would be the row's id."""
        return key != "id"

    def keeps_span_key(self, key: str) -> bool:
        """Links to a knowledge base are written."""
        return key == _LINK

    def read(
        self,
        path: str | Path,
        side: Side = "target",
        how: Reading = DEFAULT_READING,
        counts: Counts | None = None,
    ) -> Iterator[tuple[int, SentencePair]]:
        """Read a row for each document, with its number.

        Spans are those of the group ``sc``, or of that which ``tag_column`` names; where it is not
        there, the entities.

        Raises InputError if the file is none of spaCy's.
        """
        counts = Counts() if counts is None else counts
        for number, doc in enumerate(_documents(path), 1):
            try:
                keys = _keys(doc.user_data, counts)
                identity = take_id(keys, number)
                sentence = _sentence(doc, how, counts)
            except SpanbridgeError as error:
                raise InputError(path, number, str(error)) from error
            except _DAMAGES as error:
                raise InputError(path, number, f"{_DAMAGED} ({error})") from error
            counts.n_rows += 1
            yield number, one_side(identity, sentence, side, keys)

    @contextmanager
    def open(
        self, path: str | Path, side: Side = "target", *, scores: bool = False
    ) -> Iterator[Write]:
        """Open a file for rows; see :meth:`Format.open`."""
        from spacy.tokens import DocBin as Bin
        from spacy.vocab import Vocab

        vocab, documents = Vocab(), Bin(store_user_data=True)
        with atomic_bytes(path) as out:
            yield row_writer(lambda pair: documents.add(_document(pair, side, vocab)))
            out.write(documents.to_bytes())


def _documents(path: str | Path) -> Iterator[Any]:
    from spacy.tokens import DocBin as Bin
    from spacy.vocab import Vocab

    with reading(path) as file:
        data = file.read()
    try:
        _check_size(path, data)
        yield from Bin().from_bytes(data).get_docs(Vocab())
    except _DAMAGES as error:
        raise InputError(path, None, _DAMAGED) from error


def _check_size(path: str | Path, data: bytes) -> None:
    """Raise InputError if much more comes out of a file than any could hold."""
    unpacker, size = zlib.decompressobj(), 0
    while data and not unpacker.eof:
        size += len(unpacker.decompress(data, _BLOCK))
        data = unpacker.unconsumed_tail
        if size > _LARGEST:
            raise InputError(path, None, f"unpacks to more than {_LARGEST} bytes; cut it in parts")


def _keys(given: Mapping[Any, Any], counts: Counts) -> dict[str, Any]:
    """The user data that can be keys of a row."""
    found = {}
    for key, value in given.items():
        try:
            plain = json.loads(json.dumps(value, allow_nan=False))  # spaCy makes tuples of lists
        except (TypeError, ValueError):
            plain = None
        if isinstance(key, str) and (plain is not None or value is None):
            found[key] = plain
        else:  # of an extension attribute, for one
            counts.leave_out("user data left out that is not JSON by names")
    return found


def _sentence(doc: Any, how: Reading, counts: Counts) -> Sentence:
    """Words, spans and text of a document; what cannot be seen is no word."""
    text = doc.text  # which is put together anew each time
    kept = [token for token in doc if tokenize(token.text)[0]]
    places = tuple((token.idx, token.idx + len(token)) for token in kept)
    index = {token.i: n for n, token in enumerate(kept)}
    spans = []
    for span, score in _given(doc, how, counts) if how.tags else ():
        inside = [index[n] for n in range(span.start, span.end) if n in index]
        if not inside or not span.label_:
            counts.leave_out("spans without words or labels left out")
            continue
        extra = json.dumps({_LINK: span.kb_id_}, ensure_ascii=False) if span.kb_id_ else None
        spans.append(Span(inside[0], inside[-1] + 1, span.label_, score, extra))
    words = tuple(text[start:end] for start, end in places)
    return Sentence(words, tuple(spans), text, places)


def _given(doc: Any, how: Reading, counts: Counts) -> Iterator[tuple[Any, float | None]]:
    """The spans of a document with their scores."""
    wanted = _GROUP if how.tag_column is None else str(how.tag_column)
    if how.tag_column is not None and wanted not in doc.spans:
        there = ", ".join(doc.spans) or "none"
        raise SpanbridgeError(f"there is no group of spans {wanted!r}; there are: {there}")
    for name, group in doc.spans.items():
        if name != wanted:
            counts.leave_out(f"spans of other groups left out ({name})", len(group))
    if not len(doc.spans.get(wanted, ())):
        yield from ((span, None) for span in doc.ents)
        return
    group = doc.spans[wanted]
    scores = [float(score) for score in group.attrs.get(_SCORES, [])]
    scores = scores if len(scores) == len(group) else [float("nan")] * len(group)
    for span, score in zip(group, scores, strict=True):
        yield span, None if isnan(score) else round(score, DECIMALS)


def _document(pair: SentencePair, side: Side, vocab: Any) -> Any:
    """One side of a row as a document.

    Raises SpanbridgeError if a word is empty, or a key cannot be user data.
    """
    import numpy as np
    from spacy.tokens import Doc
    from spacy.tokens import Span as Covered
    from srsly import msgpack_dumps

    sentence = with_text(pair.side(side))
    words, spaces, index = _tokens(sentence)
    doc = Doc(vocab, words=words, spaces=spaces)
    doc.user_data.update({**pair.extra, "id": pair.id})
    try:
        msgpack_dumps(doc.user_data)  # a document that is half added would damage the file
    except (OverflowError, ValueError) as error:
        raise SpanbridgeError(f"a key cannot be held by a DocBin ({error})") from error

    def covered(span: Span) -> Any:
        link = "" if span.extra is None else str(json.loads(span.extra).get(_LINK, ""))
        return Covered(doc, index[span.start], index[span.end - 1] + 1, span.label, kb_id=link)

    doc.set_ents([covered(span) for span in one_layer(sentence.spans)])
    group = [covered(span) for span in sentence.spans]
    doc.spans[_GROUP] = group
    scores = [float("nan") if span.score is None else span.score for span in sentence.spans]
    if not all(map(isnan, scores)):
        doc.spans[_GROUP].attrs[_SCORES] = np.array(scores, dtype="float32")
    return doc


def _tokens(sentence: Sentence) -> tuple[list[str], list[bool], list[int]]:
    """Tokens that make up the whole text, which of them a space follows, and the word's ones.

    What lies between words, beyond the one space that a token can have after it, are tokens too.
    """
    text, places = sentence.text or "", sentence.offsets or ()
    words: list[str] = []
    spaces: list[bool] = []
    index: list[int] = []
    edges = [(0, 0), *places, (len(text), len(text))]
    for n, ((_, before), (start, end)) in enumerate(pairwise(edges)):
        gap = text[before:start]
        if words and gap[:1] == " ":
            spaces[-1], gap = True, gap[1:]
        if gap:
            words.append(gap)
            spaces.append(False)
        if n < len(places):
            if start == end:
                raise SpanbridgeError("a word is empty, which spaCy has none of")
            index.append(len(words))
            words.append(text[start:end])
            spaces.append(False)
    return words, spaces, index
