"""The cache of converted models: made once, checked, never half-made."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from spanbridge.core.errors import NoteWarning, RepairWarning, SpanbridgeError
from spanbridge.encode import load_encoder
from spanbridge.encode.cache import FORMAT_VERSION, cache_folder, cached

WORDS = ["The", "quick", "fox"]
CHILD = """
import sys, time
import spanbridge.encode.load as load

convert = load.convert

def slow(*args):
    print("made", flush=True)
    time.sleep(1)
    convert(*args)

load.convert = slow
print("ready", flush=True)
sys.stdin.readline()
encoder = load.load_encoder(sys.argv[1], threads=1)
print(encoder.encode([["The", "quick", "fox"]])[0].states.tobytes().hex())
"""


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """A cache of this test's own."""
    monkeypatch.setenv("SPANBRIDGE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / f"v{FORMAT_VERSION}"


@pytest.fixture
def made(monkeypatch):
    """The layers converted so far, one entry a conversion."""
    import spanbridge.encode.load as load

    layers = []
    convert = load.convert

    def counted(weights, layer, *rest):
        layers.append(layer)
        convert(weights, layer, *rest)

    monkeypatch.setattr(load, "convert", counted)
    return layers


def start(folder):
    """A process that has imported everything, and waits for ``go`` to load the encoder."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout.readline() == "ready\n"
    return child


def go(child):
    child.stdin.write("\n")
    child.stdin.flush()


def entries(root):
    return sorted(path for path in root.iterdir() if path.suffix != ".lock")


def write_one(folder):
    (folder / "one.txt").write_text("1")


def test_made_once(tiny, own_cache, made):
    first = load_encoder(str(tiny("bert")), threads=1)
    second = load_encoder(str(tiny("bert")), threads=1)
    assert made == [3]
    states = [encoder.encode([WORDS])[0].states for encoder in (first, second)]
    np.testing.assert_array_equal(*states)
    [entry] = entries(own_cache)
    assert entry.name.startswith("bert-")
    assert entry.name.endswith("-layer3-int8")


def test_key_holds_all_that_the_content_depends_on(tiny, own_cache, made):
    kinds = [
        {"layer": 1},
        {"layer": 2},
        {"layer": 2, "compute_type": "float32"},
        {"layer": 2, "compute_type": "int8_float32"},  # the same file as int8
    ]
    for options in kinds:
        load_encoder(str(tiny("bert")), threads=1, **options)
    load_encoder(str(tiny("bert", hidden_act="relu")), threads=1, layer=1)
    assert made == [1, 2, 2, 1]
    assert len(entries(own_cache)) == 4


@pytest.mark.parametrize("name", ["model.bin", "config.json", "vocabulary.json", "manifest.json"])
@pytest.mark.parametrize("damage", ["shortened", "changed", "gone"])
def test_damage_is_noticed_and_mended(tiny, own_cache, made, name, damage):
    before = load_encoder(str(tiny("bert")), threads=1).encode([WORDS])[0].states
    [entry] = entries(own_cache)
    content = (entry / name).read_bytes()
    if damage == "shortened":
        (entry / name).write_bytes(content[:-5])
    elif damage == "changed":
        (entry / name).write_bytes(content.replace(b"0", b"1"))
    else:
        (entry / name).unlink()
    with pytest.warns(RepairWarning, match=rf"{name}: .*; made anew"):
        after = load_encoder(str(tiny("bert")), threads=1).encode([WORDS])[0].states
    assert made == [3, 3]
    np.testing.assert_array_equal(before, after)
    assert (entry / name).read_bytes() == content
    assert entries(own_cache) == [entry]


@pytest.mark.parametrize("manifest", ["", "{}", '{"sha256": {}}', "[]", '{"sha256": ["one.txt"]}'])
def test_a_manifest_that_names_nothing_is_no_manifest(own_cache, manifest):
    entry = cached("key", write_one)
    (entry / "manifest.json").write_text(manifest)
    (entry / "one.txt").write_text("2")
    with pytest.warns(RepairWarning, match="made anew"):
        cached("key", write_one)
    assert (cached("key", write_one) / "one.txt").read_text() == "1"


def test_another_users_entry_is_left_and_made_beside(own_cache, monkeypatch):
    """One that cannot be read or mended; root could, so the refusal is made here."""
    entry = cached("key", write_one)
    (entry / "one.txt").write_text("2")

    def refuse(folder):
        raise PermissionError

    monkeypatch.setattr("spanbridge.encode.cache.remove_folder", refuse)
    with pytest.warns(RepairWarning, match=r"one\.txt: is damaged, .*; made anew"):
        mine = cached("key", write_one)
    assert mine.name == f"key-of-{os.getuid()}"
    assert cached("key", write_one) == mine
    assert (entry / "one.txt").read_text() == "2"


def test_a_cache_that_cannot_be_written_is_read(own_cache, monkeypatch):
    entry = cached("key", write_one)
    monkeypatch.setattr("spanbridge.encode.cache.claimed", None)  # nothing is locked
    assert cached("key", write_one) == entry


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_interrupted_entry_leaves_nothing(own_cache, error):
    def interrupted(folder):
        write_one(folder)
        raise error

    with pytest.raises(error):
        cached("key", interrupted)
    assert entries(own_cache) == []
    assert (cached("key", write_one) / "one.txt").read_text() == "1"


def test_a_killed_process_leaves_no_entry(tiny, own_cache):
    """What it left is not taken for an entry, and its lock is gone with it."""
    child = start(tiny("bert"))
    go(child)
    assert child.stdout.readline() == "made\n"
    child.kill()
    child.communicate()
    assert not [path for path in entries(own_cache) if (path / "manifest.json").exists()]
    started = time.monotonic()
    encoder = load_encoder(str(tiny("bert")), threads=1)
    assert len(encoder.encode([WORDS])[0].states)
    assert not list(own_cache.glob(".*"))  # what it left is swept
    assert time.monotonic() - started < 10


@pytest.mark.slow
def test_two_processes_make_one_entry(tiny, own_cache):
    children = [start(tiny("bert")) for _ in range(2)]
    for child in children:
        go(child)
    outputs = [child.communicate(timeout=60)[0].split() for child in children]
    assert [child.returncode for child in children] == [0, 0]
    assert sum(output.count("made") for output in outputs) == 1
    states = load_encoder(str(tiny("bert")), threads=1).encode([WORDS])[0].states
    assert [output[-1] for output in outputs] == [states.tobytes().hex()] * 2
    [entry] = entries(own_cache)
    digests = json.loads((entry / "manifest.json").read_text())["files"]
    assert sorted(digests) == ["config.json", "model.bin", "vocabulary.json"]


def entry(name, hours=0.0):
    """An entry of 600 bytes, used so many hours ago."""
    made = cached(name, lambda folder: (folder / "model.bin").write_bytes(bytes(600)))
    used = time.time() - 3600 * hours
    os.utime(made / "manifest.json", (used, used))
    return made


def test_a_large_cache_loses_what_was_not_used_for_longest(own_cache, monkeypatch):
    monkeypatch.setenv("SPANBRIDGE_CACHE_GB", "inf")
    old, older, recent = entry("old", 3), entry("older", 30), entry("recent", 0.5)
    monkeypatch.setenv("SPANBRIDGE_CACHE_GB", "0.0000025")
    with pytest.warns(NoteWarning, match=r"was over 2.5e-06 GB .*: 1 that were not used"):
        entry("first", 2)
    assert [one.is_dir() for one in (old, older, recent)] == [True, False, True]
    entry("old")  # it is used, which takes no room
    with pytest.warns(NoteWarning, match="1 that were not used"):
        entry("second")
    assert not (own_cache / "first").exists()
    entry("third")  # more than there is room for, but any of them may be about to be loaded
    assert {path.name for path in own_cache.iterdir()} == {"old", "recent", "second", "third"}


@pytest.mark.parametrize("given", ["much", "0", "-3", "nan"])
def test_a_size_that_is_none(own_cache, monkeypatch, given):
    monkeypatch.setenv("SPANBRIDGE_CACHE_GB", given)
    with pytest.raises(SpanbridgeError, match=f"SPANBRIDGE_CACHE_GB is '{given}'; give the size"):
        entry("any")


def test_a_folder_that_cannot_be_written(tiny, tmp_path, monkeypatch):
    """A file stands where the folder should be: so it fails for root as well."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SPANBRIDGE_CACHE", str(tmp_path / "file"))
    with pytest.raises(SpanbridgeError, match="set SPANBRIDGE_CACHE to a folder that you can"):
        load_encoder(str(tiny("bert")), threads=1)


def test_where_the_cache_is(monkeypatch, tmp_path):
    monkeypatch.setenv("SPANBRIDGE_CACHE", str(tmp_path / "here"))
    assert cache_folder() == tmp_path / "here"
    monkeypatch.delenv("SPANBRIDGE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder().name == "spanbridge"
    if sys.platform == "linux":
        assert cache_folder() == Path(tmp_path / "xdg" / "spanbridge")


def modules_after(code):
    """Which of the heavy libraries a fresh interpreter has loaded after this code."""
    tail = "; import sys; print(*sorted({'torch', 'transformers'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code + tail], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


USE = "from spanbridge.encode import load_encoder as load; load({}threads=1).encode([['a']])"


def test_import_loads_no_torch():
    """Though it is installed here, and transformers too."""
    assert modules_after("import spanbridge.encode") == []
    assert modules_after("import sys; sys.modules['torch'] = None") == ["torch"]


@pytest.mark.slow
def test_embedded_encoder_loads_no_torch(embedded):
    assert modules_after(USE.format("")) == []


def test_checkpoint_loads_no_torch(tiny, own_cache):
    """Once it is converted; converting loads torch where it is installed (ctranslate2.specs)."""
    load_encoder(str(tiny("bert")), threads=1)
    name = str(tiny("bert"))
    assert modules_after(USE.format(f"{name!r}, ")) == []


def test_the_lock_of_one_killed_after_its_end_is_swept_too(own_cache):
    """The entry is whole, so nobody makes it again."""
    entry = cached("one", lambda work: (work / "a").write_text("x"))
    lock = entry.with_name(".spanbridge-0123456789abcdef.lock")
    lock.touch()
    assert cached("one", lambda work: pytest.fail("it is there")) == entry
    assert not lock.exists()
