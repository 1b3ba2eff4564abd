"""Names of a tagger's classes as tags: spellings that are recognised, and names that are given."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.tags import split_tag

_UNNAMED = re.compile(r"LABEL_\d+", re.IGNORECASE)
# A label without prefix; neither one that seems to have some prefix (B.PER), or is nothing but one,
# nor what stands for no word or says nothing.
_BARE = re.compile(
    r"(?!.[-_./]|(?:.|PAD|UNK|CLS|SEP|MASK|LABEL_\d+)$)[^\W\d_][\w./&-]*", re.IGNORECASE
)


def _from_suffix(name: str) -> str:
    label, hyphen, prefix = name.rpartition("-")
    return f"{prefix.upper()}-{label}" if hyphen else name


# Ways to write B-PER.
_SPELLINGS: tuple[Callable[[str], str], ...] = (
    lambda name: name,
    lambda name: name[:1].upper() + name[1:],  # b-per
    lambda name: name[:1].upper() + name[1:].replace("_", "-", 1),  # B_PER
    _from_suffix,  # PER-B
)


def standard_names(classes: Sequence[str], given: str | None = None) -> list[str]:
    """The tags, such as B-PER and O, that a model's classes stand for.

    ``b-per``, ``B_PER``, ``PER-B`` and, without prefixes (IO), ``PER`` are recognised where all
    classes are written so; ``o`` or ``0`` is O where there is no O.

    Args:
        classes: the names in the model's configuration, in order.
        given: other names for them, in order, separated by commas; None takes the model's.

    Raises:
        SpanbridgeError: there are not as many names, or they are no tags; the message says how to
            name them.
    """
    names = [name.strip() for name in (classes if given is None else given.split(","))]
    shown = ", ".join(classes[:8]) + ("..." if len(classes) > 8 else "")
    if len(names) != len(classes):
        raise SpanbridgeError(
            f"classes names {len(names)} classes, but the model has {len(classes)} ({shown})"
        )
    how = "name them in their order by the tagger's option classes (classes=O,B-PER,I-PER,...)"
    if all(map(_UNNAMED.fullmatch, names)):
        raise SpanbridgeError(
            f"the model's classes are {shown}, which does not say what they are; {how}"
        )
    if "O" not in names:
        names = ["O" if name in ("o", "0") else name for name in names]
    if "O" not in names:
        raise SpanbridgeError(
            f"the model's classes ({shown}) have no O; is it a tagger of spans? If so, {how}"
        )
    for spelling in _SPELLINGS:
        found = [name if name == "O" else spelling(name) for name in names]
        if all(map(_is_tag, found)):
            return found
    if all(_BARE.fullmatch(name) and not _is_tag(name) for name in names if name != "O"):
        return [name if name == "O" else f"I-{name}" for name in names]  # IO
    wrong = next(name for name in names if not _is_tag(name))
    raise SpanbridgeError(f"the model's class {wrong!r} is no tag such as B-PER; {how}")


def _is_tag(name: str) -> bool:
    try:
        split_tag(name, "bioes")  # its prefixes include those of all others
    except SpanbridgeError:
        return False
    return True
