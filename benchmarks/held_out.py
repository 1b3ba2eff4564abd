"""Sets that the aligned encoder was trained on, measured on sentences that it has not seen.

`held_out/` has an encoder made as the package's own, but without half of the labelled English
sentences (`--hold-out 0.5`, in the folder's record). Sets of which it saw half are projected with
it, and the other half of their rows is scored; all other sets are projected with the package's.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from spanbridge import SentencePair
from spanbridge.alignment.encoder_aligner import EncoderAligner
from spanbridge.encode import Encoder, load_encoder
from spanbridge.encode.load import ALIGNED
from spanbridge.training.aligned.examples import LABELLED, place_of

FOLDER = Path(__file__).parent / "held_out"
SHARE = 0.5


def seen(name: str) -> bool:
    """Check if the package's encoder was trained on a set."""
    return name.partition("-")[0] in LABELLED


@cache
def encoder(half: bool, layer: int | None = None) -> Encoder:
    """The package's encoder, or the one that saw half of the labelled sentences."""
    return load_encoder(str(FOLDER) if half else ALIGNED, layer=layer)


def aligner_for(name: str) -> EncoderAligner:
    """The encoder aligner that a set is to be projected with."""
    return EncoderAligner(encoder(seen(name)))


def scored(name: str, pairs: Sequence[SentencePair]) -> list[int]:
    """Numbers of the rows of a set that are scored: those that its encoder has not seen."""
    half = seen(name)
    return [n for n, pair in enumerate(pairs) if not half or place_of(pair) < SHARE]


__all__ = ["aligner_for", "encoder", "scored", "seen"]
