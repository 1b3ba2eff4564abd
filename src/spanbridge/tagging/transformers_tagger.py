"""Token classifiers through transformers and torch: any architecture, CPU or GPU."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.requirements import require
from spanbridge.core.tags import Scheme
from spanbridge.encode.checkpoint import licence_of
from spanbridge.encode.encoder import windows
from spanbridge.encode.model_files import (
    CONFIG,
    TOKENIZER,
    check_sizes,
    fingerprint,
    index_files,
    open_safetensors,
    reading,
    staged,
    weight_files,
)
from spanbridge.encode.tokenizer import HuggingFaceTokenizer
from spanbridge.tagging.base import Probabilities, SchemeMap, Tagged, Tagger, Words, decode
from spanbridge.tagging.checkpoint_tagger import class_names, tagger_folder
from spanbridge.tagging.encoder_tagger import softmax, spread_over_words

# Tokens per batch, padding counted.
BATCH_TOKENS = 4096
# Sentences at a time, so that batches can be of like length.
CHUNK = 1024
# Window, in tokens, of a model that sets no limit.
UNBOUNDED = 512

Window = tuple[int, int, int]  # sentence, first subword, last + 1


class Classifier:
    """A transformers token classification model that reads subwords of any length in windows.

    Args:
        model: ``AutoModelForTokenClassification``.
        tokenizer: the model's own.
        longest: longest input in tokens, special tokens included.
        pad: id of the padding.
        device: device of the model.
    """

    def __init__(
        self, model: Any, tokenizer: HuggingFaceTokenizer, longest: int, pad: int, device: str
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._room = longest - len(tokenizer.prefix) - len(tokenizer.suffix)
        self._pad = pad
        self._device = device

    def logits(self, sentences: Sequence[Words]) -> list[tuple[Probabilities, list[int]]]:
        """Logits [n, n_classes] of each sentence's words with subwords, and these words' places."""
        ids: list[list[int]] = []
        first: list[list[int]] = []
        words: list[list[int]] = []
        for sentence in sentences:
            ids.append([])
            first.append([])
            words.append([])
            for n, subwords in enumerate(self._tokenizer.encode_words(sentence)):
                if subwords:
                    first[-1].append(len(ids[-1]))
                    words[-1].append(n)
                    ids[-1] += subwords
        found: list[Any] = [None] * len(ids)
        margin = [np.full(len(f), -1) for f in first]
        for (n, start, end), rows in self._run(ids):
            if found[n] is None:
                found[n] = np.zeros((len(first[n]), rows.shape[1]), np.float32)
            places = np.array(first[n])
            inside = np.flatnonzero((places >= start) & (places < end))
            here = np.minimum(places[inside] - start, end - 1 - places[inside])
            better = inside[here > margin[n][inside]]
            margin[n][better] = here[here > margin[n][inside]]
            found[n][better] = rows[places[better] - start]
        n_classes = self._model.config.num_labels
        empty = np.zeros((0, n_classes), np.float32)
        return [(empty if f is None else f, w) for f, w in zip(found, words, strict=True)]

    def _run(self, ids: list[list[int]]) -> Any:
        import torch

        cut: list[Window] = [
            (n, a, b) for n, i in enumerate(ids) if i for a, b in windows(len(i), self._room)
        ]
        cut.sort(key=lambda window: (window[2] - window[1], window))
        prefix, suffix = self._tokenizer.prefix, self._tokenizer.suffix
        batch: list[Window] = []
        for at, window in enumerate(cut):
            batch.append(window)
            longest = window[2] - window[1] + len(prefix) + len(suffix)
            more = (
                at + 1 < len(cut)
                and (len(batch) + 1) * (cut[at + 1][2] - cut[at + 1][1] + len(prefix) + len(suffix))
                <= BATCH_TOKENS
            )
            if more:
                continue
            tokens = torch.full((len(batch), longest), self._pad)
            mask = torch.zeros((len(batch), longest), dtype=torch.long)
            for row, (n, a, b) in enumerate(batch):
                whole = [*prefix, *ids[n][a:b], *suffix]
                tokens[row, : len(whole)] = torch.tensor(whole)
                mask[row, : len(whole)] = 1
            with torch.inference_mode():
                output = self._model(
                    input_ids=tokens.to(self._device), attention_mask=mask.to(self._device)
                )
            logits = output.logits.float().cpu().numpy()
            for row, (n, a, b) in enumerate(batch):
                yield (n, a, b), logits[row, len(prefix) : len(prefix) + b - a]
            batch = []


class TransformersTagger(Tagger):
    """Any token classification model of transformers, in float32.

    Tags are those of :class:`~spanbridge.tagging.checkpoint_tagger.CheckpointTagger`, but for
    rounding.
    Sentences share batches with others of like length, so that the last digits of a sentence's
    scores may depend on the other sentences.

    Args:
        model: a folder with the checkpoint (safetensors), or an id on the Hugging Face Hub.
        scheme: tag scheme of the model's classes; None finds out.
        device: ``cpu``, ``cuda``, ``mps``; None takes a GPU where there is one.
        classes: names of the model's classes, in order, separated by commas (``O,B-PER,I-PER``),
            where its own are no tags.

    Raises:
        SpanbridgeError: it is no token classifier, or cannot be used; the message says why.
        MissingExtraError: torch or transformers is not installed.
    """

    requires = ("torch", "transformers")

    def __init__(
        self,
        model: str,
        scheme: Scheme | None = None,
        device: str | None = None,
        classes: str | None = None,
    ) -> None:
        folder = tagger_folder(model)
        names = class_names(folder)
        classifier = load_classifier(folder)
        device = device or best_device()
        put_on(classifier.eval(), device)
        config = classifier.config
        tokenizer = HuggingFaceTokenizer(folder / TOKENIZER, config.vocab_size)
        longest = longest_input(config)
        pad = config.pad_token_id or 0
        self._classifier = Classifier(classifier, tokenizer, longest, pad, device)
        self._map = SchemeMap(names, scheme, classes)
        self.classes = self._map.classes
        files = [folder / CONFIG, folder / TOKENIZER, *weight_files(folder)]
        self._name = f"{Path(model).name}@{fingerprint(files)[:8]}"
        self.licence = licence_of(folder)
        self._device, self.on_gpu = device, device != "cpu"

    def describe(self) -> str:
        """Name, model, fingerprint, device, scheme."""
        return (
            f"transformers({self._name},{self._device.partition(':')[0]},{self._map.description})"
        )

    def tag(self, sentences: Sequence[Words]) -> list[Tagged]:
        """Tag sentences of any length."""
        tagged = []
        for start in range(0, len(sentences), CHUNK):
            chunk = sentences[start : start + CHUNK]
            for sentence, (logits, words) in zip(
                chunk, self._classifier.logits(chunk), strict=True
            ):
                n = len(sentence)
                found = spread_over_words(softmax(logits), words, n, self._map)
                tagged.append(Tagged(n, decode(found, self.classes), found))
        return tagged


def load_classifier(folder: Path, *, new_head: bool = False, **config: Any) -> Any:
    """A token classification model of transformers, from safetensors; no code of its own is run.

    Args:
        folder: folder of the checkpoint.
        new_head: True if the classifier may be missing or of another size; a new one is drawn.
        config: entries of its configuration to be changed.

    Raises:
        MissingExtraError: torch or transformers is not installed.
        InputError: a file is damaged, or a weight is missing, which would be random numbers.
        SpanbridgeError: transformers cannot read it.
    """
    require("torch", "transformers", by="a token classifier of transformers")
    from transformers import AutoModelForTokenClassification
    from transformers.utils import logging

    files = [folder / CONFIG, *weight_files(folder)]
    for path in files[1:]:
        open_safetensors(path)  # a damaged one is named
    check_sizes(folder, files[1:])
    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # untyped in transformers
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # untyped in transformers
    try:
        with (
            staged([*files, *index_files(folder)]) as stage,
            reading(folder, "is no token classifier that can be used"),
        ):
            model, loaded = AutoModelForTokenClassification.from_pretrained(
                stage,
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=True,
                output_loading_info=True,
                ignore_mismatched_sizes=new_head,
                **config,
            )
    finally:
        logging.set_verbosity(verbosity)
    missing = {n for n in loaded["missing_keys"] if not (new_head and n.startswith("classifier."))}
    if missing:
        raise InputError(folder, None, f"holds no tensor {min(missing)!r}; is it a tagger?")
    misfits = {m[0] for m in loaded["mismatched_keys"] if not m[0].startswith("classifier.")}
    if misfits:
        raise InputError(
            folder,
            None,
            f"{min(misfits)!r} is not of the size that config.json says; it is damaged",
        )
    return model.float()


def best_device() -> str:
    """A GPU where torch finds one, else the processor."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def put_on(model: Any, device: str) -> None:
    """Move a model to a device.

    Raises:
        SpanbridgeError: torch has no such device here.
    """
    try:
        model.to(device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise SpanbridgeError(f"the device {device!r} cannot be used: {reason}") from error
    if model.device.type == "meta":
        raise SpanbridgeError(f"the device {device!r} holds no numbers")


def longest_input(config: Any) -> int:
    """Tokens that a model reads at once, special tokens included."""
    positions = int(getattr(config, "max_position_embeddings", 0))
    if positions <= 0:  # positions are relative, so that any length will do
        return UNBOUNDED
    if config.model_type in ("roberta", "xlm-roberta", "camembert", "mpnet"):
        positions -= int(config.pad_token_id) + 1  # counts from there
    return positions
