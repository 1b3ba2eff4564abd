"""Names of files that lie on other stores: ``s3://bucket/name``, ``hf://datasets/...``.

A path loses one of the two slashes (``Path("s3://a/b")`` is ``s3:/a/b``), so that form counts too.
"""

from __future__ import annotations

import re
from pathlib import Path

from spanbridge.core.secrets import hidden

# Schemes have two letters or more (drives of Windows have one), and may be chained by "::".
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+(?:::[a-z][a-z0-9+.-]+)*):/+", re.IGNORECASE)

_NO_WORK = ("hf", "http", "https")


def is_remote(path: str | Path) -> bool:
    """Check if a name is an address, and so fsspec's affair."""
    return _SCHEME.match(str(path)) is not None


def holds_work(path: str | Path) -> bool:
    """Check if many small files can be kept at a place: not where each is a commit, or a request
    to somebody's server.
    """
    return scheme_of(path).rpartition("::")[2] not in _NO_WORK


def scheme_of(path: str | Path) -> str:
    """What an address begins with, such as ``s3``."""
    found = _SCHEME.match(str(path))
    return "" if found is None else found[1].lower()


def address(path: str | Path) -> str:
    """A name as it was given, with both slashes; a path of this machine stays as it is."""
    scheme = scheme_of(path)
    slashes = ":///" if scheme in ("file", "local") else "://"
    return _SCHEME.sub(f"{scheme}{slashes}", str(path), count=1) if scheme else str(path)


def told(path: str | Path) -> str:
    """A name for messages and records: without the passwords that an address may hold."""
    return hidden(address(path)) if is_remote(path) else str(path)
