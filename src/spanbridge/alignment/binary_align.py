"""BinaryAlign (Latouche et al. 2024): a classifier tells which words translate a marked one.

Every word of a side is marked in its turn, and the whole other side is read with it; so a pair
takes as many passes as it has words. CTranslate2 lacks the attention of DeBERTa: torch runs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spanbridge.alignment.base import Aligner
from spanbridge.core.errors import InputError, RowError, SpanbridgeError
from spanbridge.core.links import WordAlignment
from spanbridge.core.requirements import require
from spanbridge.core.rows import SentencePair
from spanbridge.datasets.models import ModelFile, fetched_files
from spanbridge.encode.cache import cache_folder
from spanbridge.encode.checkpoint import (
    checkpoint_folder,
    licence_of,
    read_tensor,
    tensor_names,
)
from spanbridge.encode.model_files import (
    CONFIG,
    TOKENIZER,
    check_sizes,
    fingerprint,
    index_files,
    reading,
    staged,
    weight_files,
)
from spanbridge.encode.tokenizer import HuggingFaceTokenizer, load_fast

# The checkpoint that was trained on six language pairs, under CC BY-NC 4.0: files of Git LFS, whose
# names there are their digests.
_PUBLISHED = (
    "https://media.githubusercontent.com/media/ubisoft/"
    "ubisoft-laforge-BinaryAlignWordAlignementasBinarySequenceLabeling/"
    "5acb6e7f59f0272d0b03f13c98daf1a344e6f4e1/models/align6/"
)
PUBLISHED = tuple(
    ModelFile(f"{_PUBLISHED}{name}", sha256)
    for name, sha256 in (
        (CONFIG, "59a642e8fc31c86e59c4091b3d222533d8e7706db7f831be0fbb464fe41dd1a1"),
        (TOKENIZER, "1742e9b5723a3a40484980977abe1e4449bea50d1661f940a20ae921d2c346e8"),
        ("model.safetensors", "b3ff8d18bf2f7b0767e4c4d03b0ca98fa92d7df7b90c79a38446b0bc23870b1a"),
    )
)
_LICENCE = "cc-by-nc-4.0"
# Token on both sides of the word that is asked about, and words asked about at a time.
_MARK, _BATCH = "[WORD_SEP]", 8
# Subwords of both sides that the model reads, its special tokens included.
_LONGEST = 512
_Scores = npt.NDArray[np.float64]


class BinaryAlign(Aligner):
    """BinaryAlign: mDeBERTa, both directions averaged, links above 0.5; in float32.

    A link's score is the mean of both probabilities.

    Args:
        encoder: folder or Hub id of a checkpoint of BinaryAlign (safetensors); None for the
            published one of six language pairs (1.1 GB, CC BY-NC 4.0), fetched on first use.
        min_score: what a link's score exceeds, in [0, 1).
        device: ``cpu``, ``cuda``...

    Raises:
        SpanbridgeError: the model cannot be had, or the number is out of range.
        InputError: a file is missing or damaged, or it is no model of BinaryAlign.
        MissingExtraError: torch or transformers is not installed.
    """

    requires = ("torch", "transformers")

    def __init__(
        self, encoder: str | None = None, min_score: float = 0.5, device: str = "cpu"
    ) -> None:
        if not 0 <= min_score < 1:
            raise SpanbridgeError(f"min_score is {min_score}, but lies in [0, 1)")
        self._least, self._device, self.on_gpu = min_score, device, device != "cpu"
        if encoder is None:
            folder = fetched_files(cache_folder() / "fetched" / "binaryalign", PUBLISHED)
        else:
            folder = checkpoint_folder(encoder)
        weights = weight_files(folder)
        check_sizes(folder, weights)
        self.licence = licence_of(folder, _LICENCE if encoder is None else "unknown")
        fast = load_fast(folder / TOKENIZER)
        marks = [
            i
            for i, token in fast.get_added_tokens_decoder().items()
            if token.content.strip() == _MARK
        ]
        if len(marks) != 1:
            why = f"has no token {_MARK}; is it BinaryAlign's?"
            raise InputError(folder / TOKENIZER, None, why)
        self._mark = marks[0]
        with reading(folder):
            self._encoder, n_ids = _load(folder, weights, device)
        self._tokenizer = HuggingFaceTokenizer(folder / TOKENIZER, n_ids)
        self._weight = _tensor(weights, "classifier.weight", folder)
        self._bias = _tensor(weights, "classifier.bias", folder)
        digest = fingerprint([folder / CONFIG, folder / TOKENIZER, *weights])[:8]
        self._name = f"{Path(encoder).name if encoder else 'align6'}@{digest}"

    def describe(self) -> str:
        """Name, model, device, least score."""
        device = self._device.partition(":")[0]
        return f"binaryalign({self._name},{device},min_score={self._least:g})"

    def align(self, pairs: Sequence[SentencePair]) -> list[WordAlignment | RowError]:
        """Links of each pair; a RowError where both sides are longer than the model reads."""
        return [self._align(pair.source.words, pair.target.words) for pair in pairs]

    def _align(self, source: Sequence[str], target: Sequence[str]) -> WordAlignment | RowError:
        subwords = [self._tokenizer.encode_words(side) for side in (source, target)]
        n_tokens = sum(len(word) for side in subwords for word in side) + 5  # two marks, the ends
        if n_tokens > _LONGEST:
            return RowError(
                f"too long to align: {n_tokens} subwords of both sides, more than {_LONGEST}; "
                "split the row"
            )
        found = (self._direction(*subwords) + self._direction(*subwords[::-1]).T) / 2
        pairs = np.argwhere(found > self._least).tolist()
        links = tuple((i, j) for i, j in pairs)
        return WordAlignment(
            links, len(source), len(target), tuple(min(1.0, float(found[i, j])) for i, j in links)
        )

    def _direction(self, asked: list[list[int]], read: list[list[int]]) -> _Scores:
        """Probabilities that each word of one side translates each of the other, [asked, read]."""
        import torch

        found = np.zeros((len(asked), len(read)))
        if not (sum(map(len, asked)) and sum(map(len, read))):
            return found
        prefix, suffix = self._tokenizer.prefix, self._tokenizer.suffix
        after = [i for word in read for i in word]
        of_word = [n for n, word in enumerate(read) for _ in word]
        inputs = []
        for n, word in enumerate(asked):
            before = [i for other in asked[:n] for i in other]
            behind = [i for other in asked[n + 1 :] for i in other]
            marked = [*before, self._mark, *word, self._mark, *behind]
            inputs.append([*prefix, *marked, *suffix, *after, *suffix])
        start = len(inputs[0]) - len(after) - len(suffix)
        for at in range(0, len(inputs), _BATCH):
            ids = torch.tensor(inputs[at : at + _BATCH], device=self._device)
            with torch.inference_mode():
                states = self._encoder(ids, attention_mask=torch.ones_like(ids))[0]
            states = states[:, start : start + len(after)].float().cpu().numpy()
            logits = states @ self._weight[0] + self._bias[0]
            scores = 1 / (1 + np.exp(-logits.astype(np.float64)))
            for n, place in enumerate(of_word):  # the best subword of each word
                column = found[at : at + _BATCH, place]
                np.maximum(column, scores[:, n], out=column)
        return found


def _load(folder: Path, weights: Sequence[Path], device: str) -> tuple[Any, int]:
    """The encoder without the classifier, and the number of its embeddings."""
    require("torch", "transformers", by="the aligner 'binaryalign'")
    from transformers import AutoModel

    with staged([folder / CONFIG, *weights, *index_files(folder)]) as stage:
        model, about = AutoModel.from_pretrained(
            stage,
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            output_loading_info=True,
        )
    missing = {name for name in about["missing_keys"] if not name.startswith("pooler.")}
    if missing:
        raise InputError(folder, None, f"holds no tensor {min(missing)!r}; is it BinaryAlign's?")
    return model.float().eval().to(device), int(model.config.vocab_size)


def _tensor(weights: Sequence[Path], name: str, folder: Path) -> npt.NDArray[np.float32]:
    for path in weights:
        if name in tensor_names(path):
            return read_tensor(path, name)
    raise InputError(folder, None, f"holds no tensor {name!r}; is it BinaryAlign's?")
