import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data, by SPANBRIDGE_DATA or beside the project."""
    default = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    folder = Path(os.environ.get("SPANBRIDGE_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set SPANBRIDGE_DATA")
    return folder
