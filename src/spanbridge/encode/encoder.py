"""The encoder: one vector per subword of a sentence, with batching, windows and a memory.

A sentence's states must not depend on what else is in its batch, or results would change with the
batch size or the sharding. Padding changes the last bits of float32 attention, and those decide
roundings in int8. So in int8, only sentences of exactly the same length share a batch (measured:
bit for bit the same as alone), and other compute types encode one sentence at a time. Several
batches run in parallel, each on one thread, which is also the fastest way on few cores. On a GPU,
large batches of one length run one after the other; there the last bits may depend on the batch.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from copy import copy
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from itertools import groupby
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from spanbridge.core.scripts import is_unspaced
from spanbridge.core.threads import n_threads
from spanbridge.encode.tokenizer import Tokenizer

_BATCH_TOKENS, _GPU_BATCH_TOKENS = 1024, 32_768
_MEMO_BYTES, _MEMO_SENTENCES = 768 * 2**20, 2048


@dataclass(frozen=True)
class EncodedSentence:
    """States of one sentence.

    Attributes:
        states: float32 [n_subwords, hidden], without special tokens.
        first, last: int64 [n_subwords], the words [first, last) that each subword covers: one word,
            or several if words are written without spaces and a subword spans them. A word without
            subwords (only ignorable characters) is not covered.
        n_words: number of words of the sentence.
    """

    states: npt.NDArray[np.float32]
    first: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]
    n_words: int


def windows(n_tokens: int, size: int) -> list[tuple[int, int]]:
    """Half-open ranges of at most ``size`` tokens that cover all, overlapping by at least half.

    The last one ends with the text, so every window has full size unless it is the only one.
    """
    if n_tokens <= size:
        return [(0, n_tokens)]
    starts = [*range(0, n_tokens - size, max(1, size // 2)), n_tokens - size]
    return [(start, start + size) for start in starts]


def _unspaced(word: str) -> bool:
    return is_unspaced(word[:1]) and all(map(is_unspaced, word)) if word else False


def split(tokenizer: Tokenizer, joined: bool, words: tuple[str, ...]) -> npt.NDArray[np.int64]:
    """Subwords of a sentence, as :meth:`Encoder.subwords` gives them."""
    out: list[tuple[int, int, int]] = []
    for unspaced, group in groupby(enumerate(words), key=lambda item: _unspaced(item[1])):
        numbers, run = zip(*group, strict=True)
        pieces = tokenizer.encode_run(run) if unspaced and joined else None
        if pieces is not None:
            out += [(i, numbers[0] + a, numbers[0] + b) for i, a, b in pieces]
            continue
        for n, ids in zip(numbers, tokenizer.encode_words(run), strict=True):
            out += [(i, n, n + 1) for i in ids]
    found = np.array(out, np.int64).reshape(-1, 3)
    found.setflags(write=False)
    return found


class Model(Protocol):
    """What computes the states of an encoder."""

    def forward(self, inputs: list[list[int]]) -> npt.NDArray[np.float32]:
        """The states of some inputs of one length, [n, length, hidden]."""

    def session(self) -> AbstractContextManager[object]:
        """Surrounds calls, of several threads, that belong together."""


class _Converted:
    """A model of CTranslate2."""

    def __init__(self, folder: Path | None, device: str, compute_type: str, threads: int) -> None:
        import ctranslate2

        self._on_gpu = device != "cpu"
        self._model = ctranslate2.Encoder(
            str(folder),
            device=device,
            compute_type=compute_type,
            inter_threads=threads,
            intra_threads=1,
        )

    def forward(self, inputs: list[list[int]]) -> npt.NDArray[np.float32]:
        hidden = self._model.forward_batch(inputs).last_hidden_state
        if self._on_gpu:
            import ctranslate2

            hidden = hidden.to(ctranslate2.DataType.float32).to_device(ctranslate2.Device.cpu)
        return np.array(hidden)

    def session(self) -> AbstractContextManager[object]:
        return nullcontext()


class Encoder:
    """A converted encoder with its tokenizer, made by :func:`spanbridge.encode.load_encoder`.

    Attributes:
        name: name of the model.
        layer: number of the layer whose states are returned.
        licence: licence of the model; ``unknown`` if it is not stated.
        n_encoded: number of windows encoded so far (for tests and reports).
    """

    def __init__(
        self,
        folder: Path | None,
        tokenizer: Tokenizer,
        name: str,
        fingerprint: str,
        layer: int,
        compute_type: str,
        max_positions: int,
        threads: int | None = None,
        joined: bool = True,
        remember: bool = True,
        licence: str = "unknown",
        device: str = "cpu",
        model: Model | None = None,
    ) -> None:
        self.name = name
        self.layer = layer
        self.licence = licence
        self.n_encoded = 0
        self.tokenizer = tokenizer
        self._fingerprint = fingerprint
        self._compute_type = compute_type
        self._window = max_positions - len(tokenizer.prefix) - len(tokenizer.suffix)
        self._device, self.on_gpu = device, device != "cpu"
        self._threads = n_threads(threads) if device == "cpu" else 1
        self._remembers = remember
        self._model = model or _Converted(folder, device, compute_type, self._threads)
        # Of the tokenizer alone: if this held the encoder, its weights would stay until Python
        # looks for cycles, which it seldom does where few objects hold much.
        self._subwords = lru_cache(_MEMO_SENTENCES)(partial(split, tokenizer, joined))
        self.forget()

    def forget(self) -> None:
        """Drop the states that are remembered."""
        self._memo: OrderedDict[tuple[str, ...], EncodedSentence] = OrderedDict()
        self._memo_bytes = 0

    def describe(self) -> str:
        """Name, fingerprint, layer, compute type, GPU: everything that the states depend on."""
        device = "" if self._device == "cpu" else f",{self._device}"
        name = f"{self.name}@{self._fingerprint[:8]}"
        return f"{name},layer={self.layer},{self._compute_type}{device}"

    def in_language(self, language: str) -> Encoder:
        """The same encoder over sentences of a language, whose token opens them.

        Raises:
            SpanbridgeError: it has no tokens of languages, or none of this one.
        """
        other = copy(self)
        other.tokenizer = self.tokenizer.in_language(language)
        other.forget()
        return other

    def encode(self, sentences: Sequence[Sequence[str]]) -> list[EncodedSentence]:
        """Encode tokenised sentences of any length (0 included); equal ones are encoded once.

        Recently encoded sentences are remembered (768 MB), such as the sample that is learned from,
        or the source side of a bitext that serves several targets.

        Returns:
            One :class:`EncodedSentence` per sentence, in order.
        """
        keys = [tuple(sentence) for sentence in sentences]
        found: dict[tuple[str, ...], EncodedSentence] = {}
        unseen: list[tuple[str, ...]] = []
        for key in dict.fromkeys(keys):
            if key in self._memo:
                self._memo.move_to_end(key)
                found[key] = self._memo[key]
            else:
                unseen.append(key)
        for key, encoded in zip(unseen, self._encode_all(unseen), strict=True):
            found[key] = encoded
            if self._remembers:
                self._remember(key, encoded)
        return [found[key] for key in keys]

    def _remember(self, key: tuple[str, ...], encoded: EncodedSentence) -> None:
        self._memo[key] = encoded
        self._memo_bytes += encoded.states.nbytes
        while self._memo_bytes > _MEMO_BYTES:
            _, oldest = self._memo.popitem(last=False)
            self._memo_bytes -= oldest.states.nbytes

    def _encode_all(self, sentences: Sequence[tuple[str, ...]]) -> list[EncodedSentence]:
        ids: list[list[int]] = []
        places: list[npt.NDArray[np.int64]] = []  # first and last word of each subword
        pieces: list[tuple[int, int, int]] = []  # sentence, start, end of each window
        for n, words in enumerate(sentences):
            subwords = self.subwords(words)
            ids.append(subwords[:, 0].tolist())
            places.append(subwords[:, 1:])
            if ids[n]:
                pieces += [(n, a, b) for a, b in windows(len(ids[n]), self._window)]
        states = [np.empty((len(i), self.size), np.float32) for i in ids]
        margin: dict[int, npt.NDArray[np.int64]] = {}
        for (n, a, b), found in self._run(ids, pieces):
            if (a, b) == (0, len(ids[n])):
                states[n] = found
                continue
            if n not in margin:
                margin[n] = np.full(len(ids[n]), -1)
            # a subword's state comes from the window in which it is farthest from an edge
            here = np.minimum(np.arange(b - a), np.arange(b - a)[::-1])
            better = here > margin[n][a:b]
            states[n][a:b][better] = found[better]
            margin[n][a:b][better] = here[better]
        return [
            EncodedSentence(s, p[:, 0], p[:, 1], len(words))
            for s, p, words in zip(states, places, sentences, strict=True)
        ]

    @cached_property
    def size(self) -> int:
        """Size of a state, which CTranslate2 does not report."""
        return int(self._model.forward([[*self.tokenizer.prefix, *self.tokenizer.suffix]]).shape[2])

    def states_alone(self, subwords: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """States of subwords, each of which is a whole input, [n, size]."""
        pieces = [(n, 0, 1) for n in range(len(subwords))]
        found = dict(self._run([[i] for i in subwords.tolist()], pieces))
        return np.concatenate([found[piece] for piece in pieces])

    def subwords(self, words: Sequence[str]) -> npt.NDArray[np.int64]:
        """Each subword of a sentence as (id, first word, last word + 1), [n_subwords, 3].

        Each word is split on its own, but neighbours in a script written without spaces are split
        together: in training, the encoder has seen `北京`, and hardly ever `北 京`. Recent ones are
        remembered, so the array is read-only.
        """
        return self._subwords(tuple(words))

    def _run(
        self, ids: list[list[int]], pieces: list[tuple[int, int, int]]
    ) -> Iterator[tuple[tuple[int, int, int], npt.NDArray[np.float32]]]:
        """States of each window, in order of the windows' (length, position)."""
        ordered = sorted(pieces, key=lambda piece: (piece[2] - piece[1], piece))
        batches: list[list[tuple[int, int, int]]] = []
        most = _BATCH_TOKENS if self._device == "cpu" else _GPU_BATCH_TOKENS
        for piece in ordered:
            length = piece[2] - piece[1]
            last = batches[-1] if batches else []
            fits = (
                last
                and (self._compute_type == "int8" or self._device != "cpu")
                and last[0][2] - last[0][1] == length
                and (len(last) + 1) * length <= most
            )
            if fits:
                last.append(piece)
            else:
                batches.append([piece])
        prefix, suffix = self.tokenizer.prefix, self.tokenizer.suffix

        def run(batch: list[tuple[int, int, int]]) -> npt.NDArray[np.float32]:
            inputs = [[*prefix, *ids[n][a:b], *suffix] for n, a, b in batch]
            hidden = self._model.forward(inputs)
            return hidden[:, len(prefix) : hidden.shape[1] - len(suffix)]

        with self._model.session(), ThreadPoolExecutor(self._threads) as pool:
            for batch, hidden in zip(batches, pool.map(run, batches), strict=True):
                self.n_encoded += len(batch)
                yield from zip(batch, hidden, strict=True)
