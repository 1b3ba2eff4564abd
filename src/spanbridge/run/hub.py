"""Data sets of the Hugging Face Hub, to which rows are pushed: ``hf://datasets/USER/NAME``."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from dataclasses import replace
from json import JSONDecodeError
from pathlib import Path
from typing import Any

from spanbridge.core.addresses import address, scheme_of
from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import atomic_output, real_path, unwritable
from spanbridge.core.http import discreet, reason_of
from spanbridge.core.progress import Progress, silent
from spanbridge.core.requirements import require
from spanbridge.core.rows import Side
from spanbridge.core.secrets import shown
from spanbridge.core.spans import Nested
from spanbridge.core.standard import is_standard
from spanbridge.core.temporary import private_folder
from spanbridge.formats import Reading
from spanbridge.formats.base import DEFAULT_READING
from spanbridge.formats.lookup import named_format
from spanbridge.formats.object_format import ObjectFormat
from spanbridge.run.card import About, card
from spanbridge.run.converting import convert
from spanbridge.run.result import Run, manifest_path, rejects_path

# Where the rows lie in the data set.
DATA, CARD = "data/train.parquet", "README.md"
_DATASET = re.compile(r"hf://datasets/([^/]+)/([^/]+)/?")
_LOGIN = "set HF_TOKEN, or log in: hf auth login"


def is_dataset(output: str) -> bool:
    """Check if a name is that of a whole data set of the Hub, or is meant to be.

    What lies in a data set, ``hf://datasets/USER/NAME/FILE``, is a file like others.
    """
    return scheme_of(output) == "hf" and len(address(output).rstrip("/").split("/")) <= 5


def push(
    source: str,
    output: str,
    side: Side | None = None,
    how: Reading = DEFAULT_READING,
    *,
    format: str | None = None,
    nested: Nested | None = None,
    about: About = About(),  # noqa: B008  # frozen
    public: bool = False,
    progress: Progress = silent,
) -> Run:
    """Write the rows of a file as a new data set of the Hub, with a card that says how it was made.

    If it cannot be pushed, it is kept in a folder, which the error names. The ids of rejected rows,
    with the reasons, are not pushed: they are in ``NAME.rejects.jsonl`` where the user works.

    Args:
        source, side, how, nested, progress: as in :func:`~spanbridge.run.converting.convert`.
        output: ``hf://datasets/USER/NAME``.
        format: name of a format of JSON objects; None is ``hf``.
        about: what its card says beside.
        public: let all people see it; else only its user, or organisation.

    Raises:
        InputError: as in ``convert``; or the data set is there already, or cannot be pushed.
        SpanbridgeError: the name is none of a data set, there is no token, a setting is wrong.
        MissingExtraError: ``spanbridge[hf,parquet]`` is not installed.
    """
    require("huggingface_hub", by="pushing to the Hugging Face Hub")
    require("pyarrow", by="pushing to the Hugging Face Hub")
    name, token = _name(output), _token()
    held = named_format(format or "hf")
    if not isinstance(held, ObjectFormat):
        raise SpanbridgeError(
            f"the format {held.name} has no objects, as rows of a data set are; take hf or jsonl"
        )
    reasons = rejects_path(name.rpartition("/")[2])
    if not is_standard(source) and real_path(source) == real_path(reasons):
        raise SpanbridgeError(f"{source} is where the rejects would go; rename it")
    with private_folder() as folder:
        data = folder / DATA
        data.parent.mkdir()
        done = convert(
            source, str(data), side, how, format=held.name, nested=nested, progress=progress
        )
        written: Any = dict(part.split(":", 1) for part in done.signature.split("|"))["side"]
        text = card(name, data, DATA, done, written, about)
        (folder / CARD).write_text(text, encoding="utf-8", newline="\n")
        manifest_path(data).unlink(missing_ok=True)
        if done.rejects is not None:
            _move(rejects_path(data), reasons)
        try:
            _send(folder, name, token, public=public)
        except Exception as error:  # noqa: BLE001  # of several libraries, which change
            why = _why(error, name, token)
            again = _again(folder, name, public=public, replaces=_status(error) == 409)
            raise InputError(output, None, f"{why}; {again}") from None
    return replace(done, output=output, rejects=None if done.rejects is None else str(reasons))


def _name(output: str) -> str:
    """``USER/NAME`` of an address. Raises SpanbridgeError for one that cannot be a data set's."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    found = _DATASET.fullmatch(address(output))
    if found is None:
        raise SpanbridgeError(f"{output}: give a data set as hf://datasets/USER/NAME")
    name = f"{found[1]}/{found[2]}"
    try:
        validate_repo_id(name)
    except HFValidationError as error:
        raise SpanbridgeError(
            f"{output}: is no name of a data set ({shown(str(error))})"
        ) from error
    return name


def _token() -> str:
    """The user's token. Raises SpanbridgeError if there is none."""
    from huggingface_hub import get_token

    token = get_token()
    if token is None:
        raise SpanbridgeError(f"there is no token of the Hugging Face Hub; {_LOGIN}")
    return str(token)


def _send(folder: Path, name: str, token: str, *, public: bool) -> None:
    """Make the data set and put its files there, in one commit."""
    from huggingface_hub import HfApi
    from huggingface_hub.utils import disable_progress_bars

    disable_progress_bars()
    with discreet(lambda text: shown(text, [token])):
        api = HfApi(endpoint=os.environ.get("HF_ENDPOINT"), token=token, library_name="spanbridge")
        api.create_repo(name, repo_type="dataset", private=not public, exist_ok=False)
        api.upload_folder(
            folder_path=folder,
            repo_id=name,
            repo_type="dataset",
            commit_message="Rows and card by Spanbridge",
        )


def _why(error: Exception, name: str, token: str) -> str:
    """What went wrong, in plain words."""
    status = _status(error)
    if status is None:
        if isinstance(error, JSONDecodeError):
            where = "check HF_ENDPOINT, and whether the network wants you to log in"
            return f"the Hugging Face Hub does not answer as it should ({error}); {where}"
        if isinstance(error, ValueError):  # of its card
            return f"the Hugging Face Hub does not take it ({shown(str(error), [token])})"
        return f"the Hugging Face Hub cannot be reached ({shown(reason_of(error), [token])})"
    said = getattr(error, "server_message", None) or str(error).partition("\n")[0]
    told = f"{status}: {shown(str(said), [token])}"
    if status == 401:
        return f"the Hugging Face Hub does not know the token ({told}); {_LOGIN}"
    if status == 403:
        user = name.partition("/")[0]
        return f"the token may not write to {user} ({told}); take one that may, or another name"
    if status == 409:
        return f"the Hugging Face Hub has a data set of this name ({told}); choose another"
    return f"the Hugging Face Hub does not take it ({told})"


def _status(error: Exception) -> int | None:
    """The number with which a server refuses; None for other errors."""
    return getattr(getattr(error, "response", None), "status_code", None)


def _move(path: Path, other: Path) -> None:
    """Move a file in place of another one, also between disks. Raises InputError."""
    with atomic_output(other) as out:
        out.write(path.read_text(encoding="utf-8"))
    path.unlink()


def _again(folder: Path, name: str, *, public: bool, replaces: bool) -> str:
    """Keep a data set that was not pushed; says where, and by which command it is pushed."""
    kept = _kept(folder, name.rpartition("/")[2])
    command = f"hf upload {name} {kept} . --repo-type dataset{'' if public else ' --private'}"
    taken = "there in its place" if replaces else "as it is"
    return f"the data set is kept in {kept}, and pushed {taken} by: {command}"


def _kept(folder: Path, name: str) -> Path:
    """A copy of a folder where the user works. Raises InputError."""
    try:
        kept = Path(tempfile.mkdtemp(prefix=f"{name}-", dir="."))
        shutil.copytree(folder, kept, dirs_exist_ok=True)
    except OSError as error:
        raise unwritable(Path(name), error) from error
    return kept
