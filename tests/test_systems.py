"""The page of systems: each command works, or is refused for what is not on this machine alone."""

import re
from pathlib import Path

import pytest

from spanbridge.core import registry

PAGE = (Path(__file__).parents[1] / "docs" / "systems.md").read_text("utf-8")
COMMANDS = re.findall(r"^\|[^|]*\|[^|]*\| `spanbridge ([^`]+)` \|", PAGE, re.MULTILINE)
# What a machine may lack: weights, a package, a server, a pipeline, data of Debian.
LACKS = (
    "Hugging Face Hub cannot be reached",
    "which is not installed",
    "which are not installed",
    "no answer",
    "has no pipeline",
    "no connection",
    "cannot be reached",
    "apt install",
)
EN = "Anna\tB-PER\nvisits\tO\nParis\tB-LOC\n\nBob\tB-PER\nleft\tO\n\n"


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """No hub, no proxy that answers, and one try only."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("spanbridge.datasets.fetch._TRIES", 1)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")


def test_all_rows_are_found():
    rows = [line for line in PAGE.splitlines() if re.match(r"\| (?!system|-)\S", line)]
    assert len(COMMANDS) == len([row for row in rows if "extending.md" not in row])
    assert len(COMMANDS) > 15


def test_every_published_aligner_has_a_row():
    own = {"fused", "encoder", "statistical", "lexical"}
    named = {found for c in COMMANDS for found in re.findall(r"--aligner (\w+)", c)}
    assert named == set(registry.names("aligner")) - own


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_is_sound(spanbridge, offline, tmp_path, command):
    (tmp_path / "en.conll").write_text(EN, "utf-8")
    (tmp_path / "de.txt").write_text("Anna besucht Paris\nBob ging\n", "utf-8")
    (tmp_path / "posts.txt").write_text("Anna besucht Paris.\n", "utf-8")
    (tmp_path / "accalign-adapter").mkdir()
    (tmp_path / "accalign-adapter" / "adapter.safetensors").touch()
    words = command.split()
    try:
        done = spanbridge(*words)
    except AssertionError as error:
        said = str(error)
        assert any(lack in said for lack in LACKS), said
        assert "Usage:" not in said
        assert "Traceback" not in said
    else:
        assert (tmp_path / words[words.index("-o") + 1]).is_file(), done.stderr
