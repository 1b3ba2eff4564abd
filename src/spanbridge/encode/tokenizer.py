"""Words -> subword ids, each word on its own, with the model's special tokens known."""

from __future__ import annotations

from collections.abc import Sequence
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

    def _encode(self, words: list[str]) -> list[list[int]]:
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

    def pieces(self, text: str) -> list[str]:
        """The pieces of a text, for checks and for reading."""
        return list(self._processor.encode(text, out_type=str))


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
