"""The tagger that comes with the package: PER, ORG and LOC in a hundred languages."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from spanbridge.core.errors import InputError
from spanbridge.core.learned import read_arrays
from spanbridge.core.records import DIGEST, read_record
from spanbridge.encode import load_encoder
from spanbridge.encode.deltas import Deltas
from spanbridge.tagging.base import SchemeMap
from spanbridge.tagging.encoder_tagger import EncoderTagger, Head

FOLDER = Path(__file__).parent / "embedded"
RECORD, ARRAYS = "tagger.json", "tagger.npz"
_REMEDY = "install the package again"


class EmbeddedTagger(EncoderTagger):
    """The embedded tagger: PER, ORG and LOC, without torch or a network.

    It is the embedded encoder, fine-tuned on Universal NER (Mayhew et al. 2024) by
    ``make embedded-tagger``, and a classifier. The package holds the differences to the encoder's
    weights in 4 bits; they are added to them, and the result converted, on first use. The model
    card stands beside them.

    Args:
        compute_type: ``int8`` (default), ``float32``, or another that CTranslate2 has here.
        threads: sentences at the same time; by default one per core.
        recheck: as in :class:`~spanbridge.tagging.checkpoint_tagger.CheckpointTagger`; half a nat
            gives what float32 does to within .001 of F1.

    Raises:
        InputError: the package's files are damaged.
        MissingExtraError: the encoder's weights are not installed.
    """

    def __init__(
        self, compute_type: str = "int8", threads: int | None = None, recheck: float = 0.5
    ) -> None:
        about = read_record(FOLDER / RECORD, _REMEDY)
        arrays = read_arrays(FOLDER / ARRAYS, _REMEDY)
        try:
            names, layers = [str(name) for name in about["classes"]], int(about["layers"])
            head = Head(arrays["classifier.weight"], arrays["classifier.bias"])
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(FOLDER / RECORD, None, f"is damaged ({error!r})") from error
        load = partial(
            load_encoder,
            layer=layers,
            threads=threads,
            joined=False,
            remember=False,
            deltas=Deltas(FOLDER / ARRAYS, str(about[DIGEST]), arrays),
        )
        super().__init__("embedded", load, head, SchemeMap(names), compute_type, recheck)
        self.licence = str(about["licence"])
