"""Aligners as they were published, to compare with: their encoder, layer, extraction and precision.

Words are split one by one, as there; :class:`EncoderAligner` splits neighbours in scripts without
spaces together. The models come from the Hugging Face Hub, or are named by folder.
"""

from __future__ import annotations

from typing import ClassVar

from spanbridge.alignment.encoder_aligner import EncoderAligner, Extraction
from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.similar import not_named
from spanbridge.encode import load_encoder

MBERT = "google-bert/bert-base-multilingual-cased"


class SimAlign(EncoderAligner):
    """SimAlign (Jalili Sabet et al. 2020): mBERT, layer 8, itermax, in float32.

    Args:
        encoder: a checkpoint folder or Hub id; by default mBERT.
        extraction: one of ``extractions``; None for the first.
        layer, compute_type, threads, device: as in :class:`EncoderAligner`.

    Raises:
        SpanbridgeError: the extraction is not one of this aligner, or as of
            :class:`EncoderAligner`.
    """

    extractions: ClassVar[tuple[Extraction, ...]] = ("itermax", "argmax", "match")

    def __init__(
        self,
        encoder: str | None = None,
        extraction: Extraction | None = None,
        *,
        layer: int = 8,
        compute_type: str = "float32",
        threads: int | None = None,
        device: str = "cpu",
    ) -> None:
        extraction = extraction or self.extractions[0]
        if extraction not in self.extractions:
            raise SpanbridgeError(not_named("extraction", extraction, self.extractions))
        loaded = load_encoder(
            encoder or MBERT,
            layer=layer,
            compute_type=compute_type,
            threads=threads,
            device=device,
            joined=False,
        )
        super().__init__(loaded, extraction)


class Awesome(SimAlign):
    """AWESoME (Dou and Neubig 2021): mBERT, layer 8, softmax with c = 0.001, in float32.

    Without fine-tuning, unless ``encoder`` names a checkpoint that was fine-tuned for alignment.
    """

    extractions = ("softmax", "entmax")
