"""Type systems of UIMA, made once: to make one takes longer than to read a document.

Most documents of a corpus have the same, which they share; no CAS changes its type system.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from io import BytesIO
from typing import Any

_KEPT = 4  # type systems of files


@cache
def dkpro_types() -> Any:
    """The type system of DKPro Core, which INCEpTION's layers for words and names are from."""
    from cassis import load_dkpro_core_typesystem

    return load_dkpro_core_typesystem()


@cache
def dkpro_xml() -> bytes:
    """The same as a file."""
    written: str = dkpro_types().to_xml()
    return written.encode()


@lru_cache(_KEPT)
def types_of_xml(text: bytes) -> Any:
    """The type system of a file. Raises what its library raises."""
    from cassis import load_typesystem

    with _without_warnings():
        return load_typesystem(BytesIO(text))


@lru_cache(_KEPT)
def types_of_json(text: str) -> Any:
    """The type system of a CAS, given as the value of ``%TYPES``. Raises as the other."""
    from cassis import load_cas_from_json

    empty = f'{{"%TYPES": {text}, "%FEATURE_STRUCTURES": [], "%VIEWS": {{}}}}'
    with _without_warnings():
        return load_cas_from_json(empty).typesystem


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Leave out what the library says of names of features, since nothing is lost by these."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield
