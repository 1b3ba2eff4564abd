"""How this package was installed, and the one line that installs what is missing beside it.

The package is on no index: what its extras hold is installed from where it came from itself, as its
metadata say (PEP 610, ``direct_url.json``), or else by the names of their packages.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

NAME = "spanbridge"
# Modules whose packages have other names.
_OTHERWISE = {"vl-convert": "vl-convert-python", "cassis": "dkpro-cassis"}


def install_command(*modules: str) -> str:
    """The line that installs the packages of modules, such as ``torch``, in this environment."""
    known = _requirements()
    extras: dict[str, None] = {}
    packages: dict[str, None] = {}
    for module in modules:
        package = module.partition(".")[0].replace("_", "-")
        package = _OTHERWISE.get(package, package)
        wanted, extra = known.get(package, (package, None))
        if extra is not None and source() is not None:
            extras[extra] = None
        else:
            packages[wanted] = None
    own = [_quoted(place_of(extras))] if extras else []
    if extras and _direct_url().get("dir_info", {}).get("editable"):
        own.insert(0, "-e")
    return " ".join([_installer(), *own, *map(_quoted, packages)])


def place_of(extras: Iterable[str]) -> str:
    """What pip takes for this package with extras: a path, or a name and an address."""
    place = source() or ""
    wanted = f"[{','.join(extras)}]"
    return f"{NAME}{wanted} @ {place}" if "://" in place else f"{place}{wanted}"


def source() -> str | None:
    """Where this package was installed from: a path, or an address as pip takes it.

    None if nobody knows, or the files are no longer there.
    """
    about = _direct_url()
    url = str(about.get("url", ""))
    if urlsplit(url).scheme == "file" and "vcs_info" not in about:
        from urllib.request import url2pathname  # which imports an HTTP client

        path = url2pathname(urlsplit(url).path)
        return path if os.path.exists(path) else None
    if not url:
        return None
    version = about.get("vcs_info", {})
    if version:
        url = f"{version['vcs']}+{url}@{version['commit_id']}"
    folder = about.get("subdirectory")
    return f"{url}#subdirectory={folder}" if folder else url


def told() -> str:
    """How this package was installed, in a phrase."""
    place = source()
    if place is None:
        return "installed from a place that is not known any more"
    if "dir_info" in _direct_url():
        how = "an editable checkout" if _direct_url()["dir_info"].get("editable") else "a checkout"
        return f"installed from {how}, {place}"
    return f"installed from {place}"


@cache
def _direct_url() -> Mapping[str, Any]:
    try:
        found = json.loads(distribution(NAME).read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


@cache
def _requirements() -> dict[str, tuple[str, str | None]]:
    """Package -> the requirement on it, such as ``torch>=2.4``, and the extra that holds it."""
    found: dict[str, tuple[str, str | None]] = {}
    try:
        lines = distribution(NAME).requires or []
    except PackageNotFoundError:
        lines = []
    for line in lines:
        wanted, _, marker = line.partition(";")
        extra = re.search(r"extra == [\"']([\w-]+)", marker)
        package = re.match(r"[\w.-]+", wanted.strip())
        if package is not None and package[0] != NAME:
            # packages of the base install on some machines are in an extra for the others
            found[package[0]] = (wanted.strip(), extra[1] if extra else None)
    return found


def _installer() -> str:
    """What installs into the environment of this Python."""
    if find_spec("pip") is None:
        return f"uv pip install --python {_quoted(sys.executable)}"
    first = shutil.which("pip")
    if first is not None and Path(first).parent == Path(sys.executable).parent:
        return "pip install"
    return f"{_quoted(sys.executable)} -m pip install"


def _quoted(text: str) -> str:
    """An argument as shells take it."""
    if os.name != "nt":
        return shlex.quote(text)
    return text if re.fullmatch(r"[\w.:\\/+=-]+", text) else f'"{text}"'
