"""T5 and mT5 through CTranslate2: the likeliest texts that follow from a text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.threads import n_threads
from spanbridge.encode.checkpoint import checkpoint_folder, licence_of
from spanbridge.encode.compute import check_compute, usual_device
from spanbridge.encode.model_files import TOKENIZER, fingerprint, reading
from spanbridge.encode.seq2seq import (
    CONVERTED,
    FILES,
    GENERATORS,
    TEXTS,
    checkpoint_files,
    converted,
    files_of,
)
from spanbridge.encode.tokenizer import load_fast

_BATCH = 8  # texts of one length that share a batch
_PIECES = "spiece.model"  # of SentencePiece, as Google's checkpoints have it
_END = "</s>"


class TextGenerator:
    """A fine-tuned T5 or mT5; what it generates depends on each text alone.

    Args:
        model: a folder, or an id on the Hugging Face Hub, with a checkpoint of transformers
            (safetensors; converted on first use, which needs the ``train`` extra) or of CTranslate2
            (beside its tokenizer's files).
        beam: texts that are generated for each.
        longest: tokens that are read and written, at most.
        compute_type: by default ``float32`` on the processor (int8 moves T5's rankings) and
            ``float16`` on a GPU; or another that CTranslate2 has there.
        threads: batches at the same time; by default one per core.
        device: ``cpu``, ``cuda``, or ``auto``: a GPU where there is one.

    Attributes:
        licence: of the checkpoint, as its card says.
        on_gpu: it lies on a GPU.

    Raises:
        InputError: a file is missing or damaged, the weights are pickled, or it is another model.
        SpanbridgeError: a setting is wrong.
        MissingExtraError: conversion needs transformers and torch.
    """

    def __init__(
        self,
        model: str,
        beam: int = 25,
        longest: int = 512,
        compute_type: str | None = None,
        threads: int | None = None,
        device: str = "auto",
    ) -> None:
        if beam < 1 or longest < 1:
            raise SpanbridgeError(f"beam={beam}, longest={longest}: both are at least 1")
        import ctranslate2

        device = usual_device() if device == "auto" else device
        check_compute(device, compute_type, threads)
        if compute_type is None:
            compute_type = "float32" if device == "cpu" else "float16"
        folder = checkpoint_folder(model, FILES)
        if (folder / "model.bin").is_file():
            place, files = folder, files_of(folder, (*TEXTS, *CONVERTED))
        else:
            files = checkpoint_files(folder)
            place = converted(folder, files, compute_type, GENERATORS)
        with reading(place):
            self._model = ctranslate2.Translator(
                str(place),
                device=device,
                compute_type=compute_type,
                inter_threads=n_threads(threads),
                intra_threads=1,
            )
        self._split, self._join = _pieces(folder)
        self._beam, self._longest = beam, longest
        self._name = f"{Path(model).name}@{fingerprint(files)[:8]},{compute_type},beam={beam}"
        self._name += f",longest={longest}"
        self.on_gpu = device.startswith("cuda")
        self.licence = licence_of(folder)

    def describe(self) -> str:
        """Model, fingerprint, compute type, beam, longest text."""
        return self._name

    def generate(self, texts: Sequence[str]) -> list[list[str] | int]:
        """The likeliest texts after each text, best first; its number of tokens if it is too long.

        Texts of one length share batches.
        """
        found: list[list[str] | int] = [[] for _ in texts]
        by_length: dict[int, list[tuple[int, list[str]]]] = defaultdict(list)
        for n, text in enumerate(texts):
            tokens = [*self._split(text), _END]
            if len(tokens) > self._longest:
                found[n] = len(tokens)
            else:
                by_length[len(tokens)].append((n, tokens))
        waiting = []
        for _, rows in sorted(by_length.items()):
            for at in range(0, len(rows), _BATCH):
                part = rows[at : at + _BATCH]
                answers = self._model.translate_batch(
                    [tokens for _, tokens in part],
                    beam_size=self._beam,
                    num_hypotheses=self._beam,
                    max_input_length=0,
                    max_decoding_length=self._longest,
                    asynchronous=True,
                )
                waiting += [(n, answer) for (n, _), answer in zip(part, answers, strict=True)]
        for n, answer in waiting:
            found[n] = [self._join(tokens) for tokens in answer.result().hypotheses]
        return found


def _pieces(
    folder: Path,
) -> tuple[Callable[[str], list[str]], Callable[[Sequence[str]], str]]:
    """Functions from text to subwords and back, by the checkpoint's own files."""
    if (folder / TOKENIZER).is_file():
        fast = load_fast(folder / TOKENIZER)

        def join(tokens: Sequence[str]) -> str:
            ids = [fast.token_to_id(token) for token in tokens]
            return str(fast.decode([one for one in ids if one is not None])).strip()

        return lambda text: list(fast.encode(text, add_special_tokens=False).tokens), join
    if not (folder / _PIECES).is_file():
        raise InputError(folder, None, f"has no tokenizer ({TOKENIZER} or {_PIECES})")
    from sentencepiece import SentencePieceProcessor

    with reading(folder / _PIECES, "is not a tokenizer that can be read"):
        model: Any = SentencePieceProcessor(model_file=str(folder / _PIECES))
    return (
        lambda text: list(model.encode(text, out_type=str)),
        lambda tokens: str(model.decode(list(tokens))).strip(),
    )
