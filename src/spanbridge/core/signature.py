"""Signatures: one line, made of each part's description, that reproduces a number."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib import metadata
from pathlib import Path

from spanbridge.core.secrets import shown


def package_version() -> str:
    """Version of the installed package; ``0+unknown`` when run from a bare source tree."""
    try:
        return metadata.version("spanbridge")
    except metadata.PackageNotFoundError:
        return "0+unknown"


@cache
def code_version() -> str:
    """Version with a fingerprint of the source, since a checkout changes between versions.

    For the keys of stored results, not for signatures.
    """
    digest = sha256()
    root = Path(__file__).parent.parent
    for path in sorted(root.rglob("*.py")):
        digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes())
    return f"{package_version()}+{digest.hexdigest()[:16]}"


def signature(parts: Mapping[str, object]) -> str:
    """One line ``name:value|name:value|...|version:x``, in the given order (as sacreBLEU does).

    In values, ``|`` and line breaks become spaces, and keys and passwords ``***``.
    """
    clean = {k: " ".join(shown(str(v)).replace("|", " ").split()) for k, v in parts.items()}
    return "|".join([*(f"{k}:{v}" for k, v in clean.items()), f"version:{package_version()}"])


def extended(line: str, name: str, value: str) -> str:
    """A signature with one more part, before the version."""
    told, sign, version = line.rpartition("|version:")
    return f"{told}|{name}:{value}{sign}{version}"
