"""Tokenizers of encoders: subword ids of each word, and special tokens."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from copy import copy
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.requirements import require
from spanbridge.encode.model_files import read_json, reading
from spanbridge.formats.languages import find_language, the_entry

# Words follow Zipf's law: a small cache covers nearly all of a corpus, and memory stays bounded.
_MEMO_SIZE = 200_000
# word-begin marks of Metaspace (SentencePiece) and ByteLevel
_BEGIN_MARKS = ("\u2581", "\u0120")
# tokens of languages: NLLB-200's eng_Latn, M2M-100's __en__
_LANGUAGE = re.compile(r"([a-z]{3}_[A-Z][a-z]{3})|__([a-z]{2,3})__")
# characters of each word, and (id, start, end) of each subword in the characters of all words
_Located = tuple[list[int], list[tuple[int, int, int]]]


class Tokenizer:
    """Tokenizer that splits words into subword ids, with a cache of words.

    Attributes:
        prefix, suffix: ids of the special tokens that open and close every input.
    """

    prefix: list[int]
    suffix: list[int]

    def __init__(self) -> None:
        self._memo: dict[str, list[int]] = {}

    def in_language(self, language: str) -> Tokenizer:
        """A tokenizer like this one, which opens every input with a language's token.

        Args:
            language: any code of it.

        Raises:
            SpanbridgeError: it has no tokens of languages, or none of this one.
        """
        named = ((_LANGUAGE.fullmatch(name), i) for name, i in self._added())
        tokens = {found[1] or found[2]: i for found, i in named if found}
        if not tokens:
            raise SpanbridgeError("this encoder has no tokens of languages; NLLB-200's has")
        entry = the_entry(find_language(language), tokens, "the encoder")
        other = copy(self)
        other.prefix, other.suffix = [tokens[entry]], [self._end()]
        return other

    def _added(self) -> Iterable[tuple[str, int]]:
        """The tokens, or those added to the vocabulary, with their ids."""
        return ()

    def _end(self) -> int:
        """Id of the token that ends an input in a language."""
        raise NotImplementedError

    def encode_words(self, words: Sequence[str]) -> list[list[int]]:
        """Subword ids of each word; a word of only ignorable characters may have none."""
        memo = self._memo
        unseen = [word for word in dict.fromkeys(words) if word not in memo]
        if unseen:
            if len(memo) + len(unseen) > _MEMO_SIZE:
                memo.clear()
                unseen = list(dict.fromkeys(words))
            memo.update(zip(unseen, self._encode(unseen), strict=True))
        return [memo[word] for word in words]

    def encode_run(self, words: Sequence[str]) -> list[tuple[int, int, int]] | None:
        """Subwords of neighbouring words that are written without spaces between them.

        Returns:
            (id, first word, last word + 1) of each subword, which may span several words; None if
            the tokenizer cannot tell which words a subword covers.
        """
        located = self._encode_text(list(words))
        if located is None:
            return None
        lengths, subwords = located
        bounds = list(accumulate(lengths, initial=0))
        return [
            (i, bisect_right(bounds, start) - 1, bisect_left(bounds, end))
            for i, start, end in subwords
            if start < end  # a lone word-begin mark covers nothing
        ]

    def _encode(self, words: list[str]) -> list[list[int]]:
        raise NotImplementedError

    def _encode_text(self, words: list[str]) -> _Located | None:
        raise NotImplementedError


class SentencePieceTokenizer(Tokenizer):
    """The embedded encoder's tokenizer: a ``.model`` file with the encoder's ids."""

    def __init__(self, path: Path, bos: int, eos: int) -> None:
        super().__init__()
        self._processor = _loaded(path.read_bytes())
        self.prefix, self.suffix = [bos], [eos]

    def _encode(self, words: list[str]) -> list[list[int]]:
        # The vocabulary was made when nmt_nfkc still turned the zero-width joiner into a space;
        # newer libraries keep it, as an unknown token inside words of Sinhala or Malayalam.
        # Word by word: for a list, the library starts threads anew, which takes milliseconds.
        return [list(self._processor.encode(word.replace("\u200d", " "))) for word in words]

    def _encode_text(self, words: list[str]) -> _Located | None:
        text = "".join(words)
        # both count normalised characters, without the word-begin mark
        lengths = [_visible(self._processor.normalize(word)) for word in words]
        sizes = [_visible(piece) for piece in self.pieces(text)]
        if sum(lengths) != sum(sizes):  # a character was composed across a word boundary
            return None
        ids = self._processor.encode(text)
        ends = accumulate(sizes)
        return lengths, [
            (i, end - size, end) for i, size, end in zip(ids, sizes, ends, strict=True)
        ]

    def pieces(self, text: str) -> list[str]:
        """The pieces of a text, for tests and debugging."""
        return list(self._processor.encode(text, out_type=str))


@lru_cache(maxsize=1)
def _loaded(model: bytes) -> Any:
    """A SentencePiece model, once for the encoders that have it in common."""
    import sentencepiece

    return sentencepiece.SentencePieceProcessor(model_proto=model)


def _visible(piece: str) -> int:
    return len(piece) - piece.count("\u2581")


def load_fast(path: Path) -> Any:
    """Load a ``tokenizer.json`` with the package tokenizers.

    Raises:
        MissingExtraError: the package is not installed.
        InputError: the file cannot be read.
    """
    require("tokenizers", by="reading this checkpoint")
    from tokenizers import Tokenizer as Fast

    with reading(path, "is not a tokenizer that can be read"):
        return Fast.from_file(str(path))


class HuggingFaceTokenizer(Tokenizer):
    """Any checkpoint's ``tokenizer.json``, for an encoder that has ``n_ids`` embeddings."""

    def __init__(self, path: Path, n_ids: int) -> None:
        super().__init__()
        self._path, self._n_ids = path, n_ids
        self._tokenizer = load_fast(path)
        with reading(path, "is not a tokenizer that can be used"):
            self._prepare()
        self._check([[*self.prefix, *self.suffix]])

    def _added(self) -> Iterable[tuple[str, int]]:
        found = self._tokenizer.get_added_tokens_decoder()
        return ((token.content, i) for i, token in found.items())

    def _end(self) -> int:
        end: int | None = self._tokenizer.token_to_id("</s>")
        if end is None:
            raise InputError(self._path, None, "has no token </s>; is it NLLB-200's?")
        return end

    def _prepare(self) -> None:
        from tokenizers import pre_tokenizers

        path, n_ids = self._path, self._n_ids
        n_tokens = self._tokenizer.get_vocab_size()
        if n_tokens > n_ids:
            raise InputError(
                path,
                None,
                f"has {n_tokens} tokens, but the model embeds {n_ids}; do they belong together?",
            )
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        before = self._tokenizer.pre_tokenizer
        if type(before).__name__ == "ByteLevel":  # every word follows a space
            self._tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
        bare = self._tokenizer.encode(["a"], is_pretokenized=True, add_special_tokens=False).ids
        full = self._tokenizer.encode(["a"], is_pretokenized=True, add_special_tokens=True).ids
        places = (i for i in range(len(full)) if full[i : i + len(bare)] == bare)
        if (at := next(places, None)) is None:
            raise ValueError("what it adds to a word takes the word away")
        self.prefix, self.suffix = full[:at], full[at + len(bare) :]

    def _encode(self, words: list[str]) -> list[list[int]]:
        with reading(self._path, "is not a tokenizer that can be used"):
            batch = self._tokenizer.encode_batch(
                [[word] for word in words], is_pretokenized=True, add_special_tokens=False
            )
        found = [list(encoding.ids) for encoding in batch]
        self._check(found)
        return found

    def _check(self, rows: Sequence[Sequence[int]]) -> None:
        most = max(map(max, filter(None, rows)), default=0)
        if most >= self._n_ids:
            why = f"gives the id {most}, but the model embeds {self._n_ids}; is it damaged?"
            raise InputError(self._path, None, why)

    def _encode_text(self, words: list[str]) -> _Located | None:
        with reading(self._path, "is not a tokenizer that can be used"):
            encoding = self._tokenizer.encode(
                ["".join(words)], is_pretokenized=True, add_special_tokens=False
            )
        self._check([encoding.ids])
        # Byte-level pieces of one character each have its whole range; a lone word-begin mark has
        # the range of the character that follows.
        subwords = zip(encoding.ids, encoding.tokens, encoding.offsets, strict=True)
        return [len(word) for word in words], [
            (i, start, end) for i, piece, (start, end) in subwords if piece not in _BEGIN_MARKS
        ]


class SentencePieceVocabulary(Tokenizer):
    """M2M-100's tokenizer: the pieces of a SentencePiece model, numbered by ``vocab.json``.

    Tokens of languages follow the pieces, in the order of ``special_tokens_map.json``.
    """

    FILES = ("sentencepiece.bpe.model", "vocab.json", "special_tokens_map.json")

    def __init__(self, folder: Path, n_ids: int) -> None:
        super().__init__()
        pieces, vocabulary, specials = (folder / name for name in self.FILES)
        with reading(pieces):
            self._processor = _loaded(pieces.read_bytes())
        self._ids = read_json(vocabulary)
        named = read_json(specials).get("additional_special_tokens", [])
        with reading(specials, "is not as M2M-100's"):
            names = [str(one["content"] if isinstance(one, dict) else one) for one in named]
        self._languages = {name: len(self._ids) + n for n, name in enumerate(names)}
        numbered = all(type(i) is int and 0 <= i < n_ids for i in self._ids.values())
        if not numbered or not {"<unk>", "</s>"} <= {*self._ids}:
            why = f"does not number pieces by the {n_ids} ids of the model, or lacks <unk> or </s>"
            raise InputError(vocabulary, None, why)
        if len(self._ids) + len(names) > n_ids:
            raise InputError(
                vocabulary, None, f"has more tokens than the {n_ids} that are embedded"
            )
        self.prefix, self.suffix = [], [self._end()]

    def _added(self) -> Iterable[tuple[str, int]]:
        return self._languages.items()

    def _end(self) -> int:
        return int(self._ids["</s>"])

    def _encode(self, words: list[str]) -> list[list[int]]:
        unknown = self._ids["<unk>"]
        return [
            [self._ids.get(piece, unknown) for piece in self._processor.encode(word, out_type=str)]
            for word in words
        ]

    def _encode_text(self, words: list[str]) -> _Located | None:
        return None  # words one by one, as M2M-100 was aligned with
