"""What a corpus run learned, in a folder: ``learned.json`` for people, ``learned.npz`` for numbers.

No pickles. The JSON names the aligner with its options and holds the SHA-256 of everything in both
files, which is checked on loading.
"""

from __future__ import annotations

import json
import os
import secrets
from collections import Counter
from collections.abc import Mapping
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from spanbridge.align.base import Aligner
from spanbridge.core import registry
from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.signature import package_version
from spanbridge.data.files import atomic_output
from spanbridge.project.soft import CorpusProjector, Learned
from spanbridge.project.tagger import FOLDS, StatesTagger, WordsTagger
from spanbridge.project.view import PLACES, CorpusStatistics

FORMAT = 1
_FILES = ("learned.json", "learned.npz")


def save(
    folder: str | Path,
    aligner_name: str,
    aligner_options: Mapping[str, Any],
    aligner: Aligner | None,
    projector: CorpusProjector,
) -> None:
    """Write what both have learned; an earlier fit in the folder is replaced.

    An aligner that is None, where links were given (its name is empty then), is None again when
    loaded.

    Raises:
        InputError: the folder holds something else, or cannot be written to.
    """
    path = Path(folder)
    check_place(path)
    learned = projector.learned
    kept = {} if aligner is None else aligner.arrays()
    arrays = {f"aligner.{name}": value for name, value in kept.items()}
    if learned.words is not None:
        arrays |= {f"words.{n}": w for n, w in enumerate(learned.words.weights)}
    if learned.states is not None:
        arrays |= {f"states.{n}": w for n, w in enumerate(learned.states.weights)}
        arrays["states.basis"] = learned.states.basis
    temporary = path / f".spanbridge-{secrets.token_hex(8)}.tmp"
    try:
        with temporary.open("wb") as out:
            np.savez(out, **arrays)
        numbers = temporary.read_bytes()
        temporary.replace(path / "learned.npz")
    finally:
        temporary.unlink(missing_ok=True)
    statistics = learned.statistics
    content: dict[str, Any] = {
        "solver": projector.solver,
        "format": FORMAT,
        "version": package_version(),
        "aligner": {"name": aligner_name, "options": dict(aligner_options)},
        "described": {
            "aligner": "given" if aligner is None else aligner.describe(),
            "method": projector.describe(),
        },
        "labels": learned.labels,
        "statistics": {
            "n_pairs": statistics.n_pairs,
            "source": dict(sorted(statistics.source.items())),
            "target": dict(sorted(statistics.target.items())),
            "policy": {p: dict(sorted(c.items())) for p, c in statistics.policy.items()},
        },
        "members": [[str(number), spans] for number, spans in learned.members.items()],
        "word_features": None if learned.words is None else list(learned.words.ids),
        "has_states": learned.has_states,
    }
    content["sha256"] = _digest(content, numbers)
    with atomic_output(path / "learned.json") as out:
        json.dump(content, out, ensure_ascii=False, indent=None, separators=(",", ":"))
        out.write("\n")


def _digest(content: Mapping[str, Any], numbers: bytes) -> str:
    """Of all that was learned."""
    rest = {key: value for key, value in content.items() if key != "sha256"}
    return sha256(json.dumps(rest, sort_keys=True).encode() + numbers).hexdigest()


def check_place(folder: str | Path) -> None:
    """Whether a fit can go there; called before the long work.

    Raises:
        InputError: the folder cannot be made or written to, or holds something else.
    """
    path = Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = f"cannot be made into a folder ({error.strerror}); name another for --fit"
        raise InputError(path, None, why) from error
    if not os.access(path, os.W_OK):
        raise InputError(path, None, "cannot be written to; name another folder for --fit")
    if any(file.name not in _FILES for file in path.iterdir()):
        raise InputError(path, None, "holds other files; name a new or empty folder for --fit")


def load(
    folder: str | Path, solver: str | None, overrides: Mapping[str, Any]
) -> tuple[Aligner | None, CorpusProjector, str]:
    """Take up what :func:`save` wrote.

    Args:
        folder: the one given to save.
        solver: of the projector; None takes the one that the fit had.
        overrides: aligner options that do not change what was learned (threads).

    Returns:
        Aligner, projector, and the first digits of the digest of what was learned.

    Raises:
        InputError: it is not such a folder, was written by another format, or is damaged.
    """
    content, data = _read(folder)
    projector = CorpusProjector(content.get("solver", "greedy") if solver is None else solver)
    made = content["aligner"]
    try:
        aligner: Aligner | None = None
        if made["name"]:
            aligner = registry.build("aligner", made["name"], {**made["options"], **overrides})
    except SpanbridgeError as error:
        path = Path(folder) / "learned.json"
        raise InputError(path, None, f"its aligner cannot be made: {error}") from error
    except (KeyError, TypeError) as error:
        raise _damaged(folder, error) from error
    _restore(folder, content, data, aligner, projector)
    return aligner, projector, str(content["sha256"])[:12]


def restore(folder: str | Path, aligner: Aligner | None, projector: CorpusProjector | None) -> None:
    """Take up what :func:`save` wrote, with the same aligner and projector as then.

    Raises:
        InputError: as :func:`load`.
    """
    content, data = _read(folder)
    _restore(folder, content, data, aligner, projector or CorpusProjector())


def _read(folder: str | Path) -> tuple[dict[str, Any], bytes]:
    path = Path(folder) / "learned.json"
    try:
        content = json.loads(path.read_text("utf-8"))
        data = (path.parent / "learned.npz").read_bytes()
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(path, None, f"cannot be read ({error}); make it with --fit") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise InputError(path, None, "is not of this version's format; fit again")
    if _digest(content, data) != content.get("sha256"):
        raise InputError(path.parent, None, "learned.json or learned.npz is damaged; fit again")
    return content, data


def _restore(
    folder: str | Path,
    content: dict[str, Any],
    data: bytes,
    aligner: Aligner | None,
    projector: CorpusProjector,
) -> None:
    start = "aligner."
    try:
        with np.load(BytesIO(data), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        projector.learned = _learned(content, arrays)
        if aligner is not None:
            aligner.restore(
                {k.removeprefix(start): v for k, v in arrays.items() if k.startswith(start)}
            )
    except (AttributeError, KeyError, TypeError, ValueError, BadZipFile, EOFError) as error:
        raise _damaged(folder, error) from error


def _damaged(folder: str | Path, error: Exception) -> InputError:
    return InputError(Path(folder) / "learned.json", None, f"is damaged ({error!r}); fit again")


def _learned(content: dict[str, Any], arrays: dict[str, Any]) -> Learned:
    counts = content["statistics"]
    statistics = CorpusStatistics(
        counts["n_pairs"],
        Counter(counts["source"]),
        Counter(counts["target"]),
        {place: Counter(counts["policy"][place]) for place in PLACES},
    )
    members = {
        int(number): [(start, end, label) for start, end, label in spans]
        for number, spans in content["members"]
    }
    learned = Learned(statistics, members, tuple(content["labels"]), content["has_states"])
    if content["word_features"] is not None:
        ids = {feature: n for n, feature in enumerate(content["word_features"])}
        learned.words = WordsTagger(ids, [arrays[f"words.{n}"] for n in range(FOLDS)])
    if "states.basis" in arrays:
        weights = [arrays[f"states.{n}"] for n in range(FOLDS)]
        learned.states = StatesTagger(arrays["states.basis"], weights)
    return learned
