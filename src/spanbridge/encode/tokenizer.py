"""Words -> subword ids, each word on its own, with the model's special tokens known."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from spanbridge.core.errors import InputError, MissingExtraError

# Words follow Zipf: a modest memo serves nearly all of a corpus, and memory stays bounded.
_MEMO_SIZE = 200_000


class Tokenizer:
    """Splits words into subword ids, with a memo of words already seen.

    Attributes:
        prefix, suffix: ids of the special tokens that open and close every input.
    """

    prefix: list[int]
    suffix: list[int]

    def __init__(self) -> None:
        self._memo: dict[str, list[int]] = {}

    def encode_words(self, words: Sequence[str]) -> list[list[int]]:
        """Subword ids of each word; a word of ignorable characters only may have none."""
        memo = self._memo
        unseen = [word for word in dict.fromkeys(words) if word not in memo]
        if unseen:
            if len(memo) + len(unseen) > _MEMO_SIZE:
                memo.clear()
                unseen = list(dict.fromkeys(words))
            memo.update(zip(unseen, self._encode(unseen), strict=True))
        return [memo[word] for word in words]

    def encode_run(self, words: Sequence[str]) -> list[tuple[int, int, int]] | None:
        """Subwords of words that are written without spaces between them.

        Args:
            words: neighbours, whose concatenation is the text.

        Returns:
            (id, first word, last word + 1) of each subword, which may span several words; or None
            where the tokenizer cannot tell which words a subword covers.
        """
        ids, lengths, pieces = self._encode_text(list(words))
        if sum(lengths) != sum(pieces):
            return None
        bounds = list(accumulate(lengths, initial=0))
        found = []
        start = 0
        for i, size in zip(ids, pieces, strict=True):
            if size:  # a lone word-begin mark covers nothing
                first = bisect_right(bounds, start) - 1
                found.append((i, first, bisect_left(bounds, start + size)))
            start += size
        return found

    def _encode(self, words: list[str]) -> list[list[int]]:
        raise NotImplementedError

    def _encode_text(self, words: list[str]) -> tuple[list[int], list[int], list[int]]:
        """Ids of the concatenated words, characters of each word, and characters of each id."""
        raise NotImplementedError


class SentencePieceTokenizer(Tokenizer):
    """The embedded encoder's tokenizer, a ``.model`` file whose ids are the encoder's own."""

    def __init__(self, path: Path, bos: int, eos: int) -> None:
        super().__init__()
        import sentencepiece

        self._processor = sentencepiece.SentencePieceProcessor(model_file=str(path))
        self.prefix, self.suffix = [bos], [eos]

    def _encode(self, words: list[str]) -> list[list[int]]:
        return [list(ids) for ids in self._processor.encode(words)]

    def _encode_text(self, words: list[str]) -> tuple[list[int], list[int], list[int]]:
        text = "".join(words)
        # both are counted in normalised characters, the word-begin mark left out
        lengths = [_visible(self._processor.normalize(word)) for word in words]
        pieces = [_visible(piece) for piece in self.pieces(text)]
        return list(self._processor.encode(text)), lengths, pieces

    def pieces(self, text: str) -> list[str]:
        """The pieces of a text, for checks and for reading."""
        return list(self._processor.encode(text, out_type=str))


def _visible(piece: str) -> int:
    return len(piece) - piece.count("\u2581")


class HuggingFaceTokenizer(Tokenizer):
    """Any checkpoint's ``tokenizer.json``."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        try:
            from tokenizers import Tokenizer as Fast
            from tokenizers import pre_tokenizers
        except ModuleNotFoundError as error:
            raise MissingExtraError(
                "a Hugging Face checkpoint needs the package tokenizers; install it with: "
                "pip install 'spanbridge[hf]'"
            ) from error
        try:
            self._tokenizer: Any = Fast.from_file(str(path))
        except Exception as error:
            raise InputError(path, None, f"is not a tokenizer that can be read: {error}") from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        before = self._tokenizer.pre_tokenizer
        if type(before).__name__ == "ByteLevel":  # every word stands after a space
            self._tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
        bare = self._tokenizer.encode(["a"], is_pretokenized=True, add_special_tokens=False).ids
        full = self._tokenizer.encode(["a"], is_pretokenized=True, add_special_tokens=True).ids
        at = next(i for i in range(len(full)) if full[i : i + len(bare)] == bare)
        self.prefix, self.suffix = full[:at], full[at + len(bare) :]

    def _encode(self, words: list[str]) -> list[list[int]]:
        batch = self._tokenizer.encode_batch(
            [[word] for word in words], is_pretokenized=True, add_special_tokens=False
        )
        return [list(encoding.ids) for encoding in batch]

    def _encode_text(self, words: list[str]) -> tuple[list[int], list[int], list[int]]:
        encoding = self._tokenizer.encode(
            ["".join(words)], is_pretokenized=True, add_special_tokens=False
        )
        # characters between two subwords (dropped by a normaliser) go with the one before
        starts = [start for start, _ in encoding.offsets]
        total = sum(map(len, words))
        ends = [*starts[1:], total]
        sizes = [end - start for start, end in zip(starts, ends, strict=True)]
        if starts and starts[0] > 0:
            sizes[0] += starts[0]
        return list(encoding.ids), [len(word) for word in words], sizes
