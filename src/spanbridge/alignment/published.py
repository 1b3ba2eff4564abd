"""Aligners as they were published, to compare with: their encoder, layer, extraction and precision.

Words are split one by one, as there; :class:`EncoderAligner` splits neighbours in scripts without
spaces together. The models come from the Hugging Face Hub, or are named by folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from spanbridge.alignment.encoder_aligner import EncoderAligner, Extraction
from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.rows import SentencePair
from spanbridge.core.similar import not_named
from spanbridge.datasets.models import ModelFile, fetched_files
from spanbridge.encode import EncodedSentence, Encoder, load_encoder
from spanbridge.encode.cache import cache_folder
from spanbridge.encode.checkpoint import checkpoint_folder
from spanbridge.encode.load import check_settings
from spanbridge.formats.languages import find_language

MBERT = "google-bert/bert-base-multilingual-cased"
LABSE = "sentence-transformers/LaBSE"
NLLB = "facebook/nllb-200-distilled-600M"
# The adapter of TransAlign for NLLB, under Apache-2.0, which is not on the Hugging Face Hub.
_TRANSALIGN = (
    "https://raw.githubusercontent.com/bebing93/transalign/"
    "da6235729ad97c9d3756cc8d9f92949286e73f82/checkpoints/nllb-200-distilled-600M/"
)
TRANSALIGN_ADAPTER = (
    ModelFile(
        f"{_TRANSALIGN}adapter_config.json",
        "4a9a41fdc66d7be50592d94fa80411c29f1040e361af118a1673e0bb4811a7af",
    ),
    ModelFile(
        f"{_TRANSALIGN}adapter_model.safetensors",
        "da8e8460a3c4de8183988859f91bbfb811bada1317d71f10891b8ad866510a84",
    ),
)
TRANSALIGN_LICENCE = "apache-2.0"


class Published(EncoderAligner):
    """An aligner over an encoder, as it was published, in float32.

    Args:
        encoder: a checkpoint folder or Hub id; by default the published one.
        extraction: one of ``extractions``; None for the first.
        layer: by default the published one.
        compute_type, threads, device: as in :class:`EncoderAligner`.

    Raises:
        SpanbridgeError: the extraction is not one of this aligner, or as of
            :class:`EncoderAligner`.
    """

    model: ClassVar[str] = MBERT
    best_layer: ClassVar[int] = 8
    threshold: ClassVar[float | None] = None
    extractions: ClassVar[tuple[Extraction, ...]]

    def __init__(
        self,
        encoder: str | None = None,
        extraction: Extraction | None = None,
        *,
        layer: int | None = None,
        compute_type: str = "float32",
        threads: int | None = None,
        device: str = "cpu",
    ) -> None:
        self._open(encoder, extraction, None, layer, compute_type, threads, device)

    def _open(
        self,
        encoder: str | None,
        extraction: Extraction | None,
        adapter: str | None,
        layer: int | None,
        compute_type: str,
        threads: int | None,
        device: str,
    ) -> Encoder:
        extraction = extraction or self.extractions[0]
        if extraction not in self.extractions:
            raise SpanbridgeError(not_named("extraction", extraction, self.extractions))
        loaded = load_encoder(
            encoder or self.model,
            layer=self.best_layer if layer is None else layer,
            compute_type=compute_type,
            threads=threads,
            device=device,
            joined=False,
            adapter=adapter,
        )
        super().__init__(loaded, extraction, min_score=self.threshold)
        return loaded


class SimAlign(Published):
    """SimAlign (Jalili Sabet et al. 2020): mBERT, layer 8, itermax, in float32.

    Its options are those of :class:`Published`.
    """

    extractions = ("itermax", "argmax", "match")


class Awesome(Published):
    """AWESoME (Dou and Neubig 2021): mBERT, layer 8, softmax with c = 0.001, in float32.

    Without fine-tuning, unless ``encoder`` names a checkpoint that was fine-tuned for alignment.
    Its options are those of :class:`Published`.
    """

    extractions = ("softmax", "entmax")


class Labse(Published):
    """LaBSE as a word aligner (Wang et al. 2022): layer 6, softmax above 0.1, in float32.

    Its options are those of :class:`Published`.
    """

    model, best_layer, threshold = LABSE, 6, 0.1
    extractions = ("softmax",)


class AccAlign(Labse):
    """AccAlign (Wang et al. 2022): LaBSE with an adapter trained on gold links; layer 6, above 0.1.

    Args:
        adapter: folder or Hub id of the adapter: bottlenecks of the package ``adapters``, as
            published, or LoRA of ``peft``; in safetensors. The published one is on Google Drive
            alone, as a pickle, and so has to be fetched and converted by hand (docs/align.md).
        encoder, layer, compute_type, threads, device: as in :class:`Published`; bottlenecks are
            computed in float32 on the processor.

    Raises:
        SpanbridgeError: no adapter is given, or as of :class:`Published`.
        InputError: the adapter cannot be read, or is not one of LaBSE.
    """

    def __init__(
        self,
        adapter: str | None = None,
        encoder: str | None = None,
        *,
        layer: int | None = None,
        compute_type: str = "float32",
        threads: int | None = None,
        device: str = "cpu",
    ) -> None:
        if adapter is None:
            raise SpanbridgeError(
                "accalign needs its adapter, which is on Google Drive alone (see the README of "
                "github.com/sufenlp/AccAlign) as a pickle; convert it to safetensors as "
                "docs/align.md says, and name its folder (--aligner-option adapter=FOLDER); labse "
                "is the same without an adapter"
            )
        self._open(encoder, None, adapter, layer, compute_type, threads, device)


class TransAlign(Published):
    """TransAlign (Ebing et al. 2025): the encoder of a translator with LoRA; layer 12, above 0.001.

    Both sides are opened by the tokens of their languages. Where only one side can be meant (long
    rows are cut by words that are alike), the source's token opens all.

    Args:
        source_language, target_language: by any code.
        encoder: an NLLB-200 or M2M-100 checkpoint, by folder or Hub id; by default
            nllb-200-distilled-600M.
        adapter: folder or Hub id of LoRA; ``none`` for the encoder as it is. By default the
            published one of nllb-200-distilled-600M (4 MB), which is fetched on first use.
        layer, compute_type, threads, device: as in :class:`Published`.

    Raises:
        SpanbridgeError: the encoder does not know a language; another encoder is given without an
            adapter; or as of :class:`Published`.
        InputError: the adapter cannot be read, or is not one of this encoder.
    """

    model, best_layer, threshold = NLLB, 12, 0.001
    extractions = ("softmax",)

    def __init__(
        self,
        source_language: str,
        target_language: str,
        encoder: str | None = None,
        adapter: str | None = None,
        *,
        layer: int | None = None,
        compute_type: str = "float32",
        threads: int | None = None,
        device: str = "cpu",
    ) -> None:
        for language in (source_language, target_language):
            find_language(language)  # raises before anything is fetched
        name = encoder or self.model
        published = adapter is None
        if published and name != self.model:
            raise SpanbridgeError(
                f"transalign's adapter was trained for {self.model}; name one of {name} "
                "(--aligner-option adapter=FOLDER), or adapter=none"
            )
        check_settings(layer, compute_type, threads, device)
        if adapter is None:
            checkpoint_folder(name)  # raises before the adapter is fetched
            adapter = str(_fetched_adapter())
        merged = None if adapter == "none" else adapter
        loaded = self._open(encoder, None, merged, layer, compute_type, threads, device)
        if published:
            loaded.licence = f"{loaded.licence.removesuffix('unknown')}{TRANSALIGN_LICENCE}"
            self.licence = loaded.licence
        self._source = loaded.in_language(source_language)
        self._target = loaded.in_language(target_language)
        self.encoder = self._source
        self._languages = source_language, target_language

    def describe(self) -> str:
        """As of :class:`EncoderAligner`, and the languages."""
        return f"transalign({super().describe()},{'-'.join(self._languages)})"

    def _encoded(self, pairs: Sequence[SentencePair]) -> Sequence[EncodedSentence]:
        source = self._source.encode([pair.source.words for pair in pairs])
        target = self._target.encode([pair.target.words for pair in pairs])
        return [side for both in zip(source, target, strict=True) for side in both]


def _fetched_adapter() -> Path:
    """The folder of TransAlign's adapter."""
    try:
        return fetched_files(cache_folder() / "fetched" / "transalign", TRANSALIGN_ADAPTER)
    except SpanbridgeError as error:
        files = ", ".join(file.name for file in TRANSALIGN_ADAPTER)
        raise SpanbridgeError(
            f"{error}; fetch {files} by hand and name their folder "
            "(--aligner-option adapter=FOLDER)"
        ) from None
