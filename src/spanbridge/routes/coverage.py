"""How well an encoder's vocabulary covers a text: subwords per word, and unknown ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from spanbridge.encode import load_encoder
from spanbridge.encode.tokenizer import Tokenizer

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
    tokenizer = tokenizer or load_encoder().tokenizer
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
