"""How well an encoder's vocabulary covers a text: subwords per word, and unknown ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from spanbridge.core.rows import SentencePair
from spanbridge.encode import load_encoder
from spanbridge.encode.tokenizer import Tokenizer
from spanbridge.formats import segmentation
from spanbridge.formats.languages import Language
from spanbridge.run.sample import sampled

_IN_NO_VOCABULARY = "\ue000"  # for private use: its last subword is the unknown one


@dataclass(frozen=True)
class Coverage:
    """How the embedded encoder cuts the words of a sample.

    Attributes:
        rows, words: sentences and words of the sample.
        pieces: subwords per word; 0 for a sample without words.
        unknown: share of the words of which a part is in no subword, in [0, 1].
    """

    rows: int
    words: int
    pieces: float
    unknown: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def coverage(sentences: Iterable[Sequence[str]], tokenizer: Tokenizer | None = None) -> Coverage:
    """Count the subwords of tokenised sentences.

    Args:
        sentences: the words of each.
        tokenizer: of an encoder; by default the embedded one's.
    """
    tokenizer = tokenizer or _embedded_tokenizer()
    unknown = tokenizer.encode_words([_IN_NO_VOCABULARY])[0][-1:]
    n_rows = n_words = n_pieces = n_unknown = 0
    for words in sentences:
        n_rows += 1
        for pieces in tokenizer.encode_words(words):
            n_words += 1
            n_pieces += len(pieces)
            n_unknown += bool(unknown) and unknown[0] in pieces
    whole = max(n_words, 1)
    return Coverage(n_rows, n_words, round(n_pieces / whole, 3), round(n_unknown / whole, 5))


@cache
def _embedded_tokenizer() -> Tokenizer:
    return load_encoder().tokenizer


def spread(given: Iterable[SentencePair], limit: int) -> list[SentencePair]:
    """Rows whose targets have words, at most so many, in blocks spread over all of them."""
    rows = [row for row in given if row.target.words]
    return [rows[n] for block in sampled(len(rows), limit) for n in block]


def target_words(
    rows: Iterable[SentencePair], language: Language | None, *, segment: bool
) -> Iterator[Sequence[str]]:
    """The words of the targets of rows.

    Args:
        rows: the rows.
        language: of the targets; None if it is not known.
        segment: find the words of raw text by dictionary in scripts that are written without
            spaces.
    """
    segmenter, tag = segmentation.IcuWords(), "und" if language is None else language.tag
    for row in rows:
        text = row.target.text if segment else None
        yield row.target.words if text is None else segmentation.words(text, tag, segmenter)[0]
