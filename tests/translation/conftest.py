"""What tests of translators share."""

import pytest


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """Tiny checkpoints by their kind."""
    import tiny_translators

    root = tmp_path_factory.mktemp("translators")
    return {kind: tiny_translators.save(root / kind, kind) for kind in ("nllb", "m2m", "marian")}
