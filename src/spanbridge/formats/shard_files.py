"""Shards of sentence pairs: MessagePack, compressed by gzip, that holds every field as it is.

The declared types of the rows are the format: a new field is in it, and a wrong value is damage.
"""

from __future__ import annotations

import gc
import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from spanbridge.core import store
from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.rows import SentencePair


def write_shard(path: Path, pairs: Sequence[SentencePair]) -> str:
    """Write pairs as a whole file, and return its digest. Raises InputError if it cannot be."""
    # without the time of writing: the same rows give the same bytes
    data = gzip.compress(packed(pairs), 1, mtime=0)
    store.write(path, data)
    return sha256(data).hexdigest()


def packed(pairs: Sequence[SentencePair]) -> bytes:
    """The bytes of pairs: an array of them, each an array of its fields.

    Pairs with halves of surrogate pairs, or with numbers that MessagePack does not know, are
    strings of JSON in it.
    """
    encode = _encoder().encode
    try:
        return bytes(encode(pairs))
    except (UnicodeEncodeError, OverflowError):
        return bytes(encode([json.dumps(row_object(pair)) for pair in pairs]))


def row_object(pair: SentencePair) -> Any:
    """A pair as values for JSON."""
    from msgspec import to_builtins

    return to_builtins(pair, enc_hook=_plain)


def row_of(value: Any) -> SentencePair:
    """The pair of :func:`row_object`. Raises ValueError if it is none."""
    from msgspec import convert

    return convert(value, SentencePair)


def read_shard(path: Path) -> list[SentencePair]:
    """Read the pairs of a shard. Raises InputError if the file is unreadable or not a shard."""
    from msgspec import MsgspecError

    try:
        data = gzip.decompress(store.read(path))
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(path, None, f"cannot be read ({error}); delete it") from error
    try:
        with _no_collection():
            found = _decoder().decode(data)
        return [row_of(json.loads(pair)) if isinstance(pair, str) else pair for pair in found]
    except (MsgspecError, ValueError, SpanbridgeError) as error:
        raise InputError(path, None, f"is damaged ({error}); delete it") from error


@contextmanager
def _no_collection() -> Iterator[None]:
    """No search for cycles meanwhile: rows have none, and so many make it search all the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@cache
def _encoder() -> Any:
    from msgspec.msgpack import Encoder

    return Encoder(enc_hook=_plain)


@cache
def _decoder() -> Any:
    from msgspec.msgpack import Decoder

    return Decoder(list[SentencePair | str])


def _plain(value: Any) -> Any:
    """Values that are no plain ones: mappings, and numbers of other libraries."""
    for kind in (float, int, str):
        if isinstance(value, kind):
            return kind(value)
    return dict(value)
