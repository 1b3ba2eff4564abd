"""Files on other stores: in memory, and on a server that speaks S3."""

import os
import socket
import subprocess
import sys
import time

import pytest

from spanbridge.core.addresses import address, is_remote, told
from spanbridge.core.errors import InputError, MissingExtraError
from spanbridge.core.records import file_digest
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.formats import read_pairs, read_rows, write_pairs

fsspec = pytest.importorskip("fsspec")

ROWS = [
    SentencePair(
        str(n), Sentence(("Ana", "ran"), (Span(0, 1, "PER"),)), Sentence(("Ana", "lief", "."))
    )
    for n in range(1, 4)
]


@pytest.fixture
def memory():
    store = fsspec.filesystem("memory")
    yield store
    store.store.clear()


def test_what_is_an_address(tmp_path):
    for path in ("s3://a/b", "simplecache::gs://a/b", "hf://datasets/a/b", "memory://a"):
        assert is_remote(path)
        assert is_remote(type(tmp_path)(path))
        assert address(type(tmp_path)(path)) == path
    for path in ("a/b", "/a/b", "C:/a", "-", "a:b", str(tmp_path)):
        assert not is_remote(path)
        assert address(path) == path
    assert told("ftp://me:pass@host/a") == "ftp://***@host/a"


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz", ".parquet", ".conll"])
def test_the_same_bytes_as_here(memory, tmp_path, suffix):
    here, there = tmp_path / f"a{suffix}", f"memory://box/a{suffix}"
    for path in (here, there):
        write_pairs(path, ROWS, "source")
    assert memory.cat(there) == here.read_bytes()
    assert file_digest(there) == file_digest(here)
    rows = [[row for _, row in read_rows(path, "source")] for path in (here, there)]
    assert rows[0] == rows[1]


def test_nothing_is_written_unless_all_is(memory):
    path = "memory://box/a.jsonl"
    write_pairs(path, ROWS[:1])
    before = memory.cat(path)
    with pytest.raises(InputError, match="memory://box/a.jsonl: stopped"):
        write_pairs(path, _broken(path))
    assert memory.cat(path) == before
    assert memory.find("memory://box") == ["/box/a.jsonl"]


def _broken(path):
    yield from ROWS
    raise InputError(path, None, "stopped")


def test_errors(memory, monkeypatch):
    with pytest.raises(InputError, match="memory://box/none.jsonl: cannot be read"):
        list(read_pairs("memory://box/none.jsonl"))
    with pytest.raises(InputError, match="no address that fsspec knows"):
        list(read_pairs("nothing://box/a.jsonl"))
    memory.pipe("memory://box/a.jsonl", b'{"text": "a"}\n{"text": 1}\n')
    with pytest.raises(InputError, match=r"^memory://box/a.jsonl:2: target_text is 1"):
        list(read_rows("memory://box/a.jsonl"))
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(MissingExtraError, match="s3://b/a.jsonl needs fsspec, which is not inst"):
        list(read_pairs("s3://b/a.jsonl"))


def test_commands(memory, tmp_path, spanbridge):
    """The command gives the same bytes there as here, with the files beside it."""
    write_pairs("memory://box/in.jsonl", ROWS)
    write_pairs(tmp_path / "in.jsonl", ROWS)
    lexical = ("--method", "greedy", "--aligner", "lexical")
    for place in ("memory://box", str(tmp_path)):
        given = ("--source", f"{place}/in.jsonl", *lexical, "-o", f"{place}/out.conll")
        assert f"written to {place}/out.conll" in spanbridge("project", *given).stderr
    assert memory.cat("memory://box/out.conll") == (tmp_path / "out.conll").read_bytes()
    spanbridge("evaluate", "memory://box/out.conll", "memory://box/out.conll")
    config = tmp_path / "p.yaml"
    config.write_text(
        "input: {source: 'memory://box/in.jsonl'}\noutput: memory://box/run.conll\n"
        "steps: [{project: {method: greedy, aligner: lexical}}]\n"
    )
    for _ in range(2):
        spanbridge("run", config)
    assert memory.cat("memory://box/run.conll") == (tmp_path / "out.conll").read_bytes()
    assert memory.exists("memory://box/run.conll.run.json")


@pytest.fixture(scope="module")
def s3():
    """A server that speaks S3, with a bucket."""
    pytest.importorskip("moto.server")
    s3fs = pytest.importorskip("s3fs")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    given = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SECRET_ACCESS_KEY": "verysecretkey",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        store = s3fs.S3FileSystem()
        store.mkdir("box")
        yield store
    finally:
        server.terminate()
        server.wait()
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)


@pytest.mark.slow
@pytest.mark.apart
def test_a_pipeline_on_s3(s3, tmp_path, spanbridge):
    write_pairs("s3://box/in.parquet", ROWS)
    assert list(read_pairs("s3://box/in.parquet")) == ROWS
    config = tmp_path / "p.yaml"
    config.write_text(
        f"input: {{source: 's3://box/in.parquet'}}\noutput: s3://box/out.jsonl\n"
        f"work: {tmp_path / 'w'}\nsteps: [{{project: {{method: greedy, aligner: lexical}}}}]\n"
    )
    assert "verysecretkey" not in spanbridge("run", config).stderr
    first = s3.info("box/out.jsonl")["LastModified"]
    spanbridge("run", config)
    s3.invalidate_cache()
    assert s3.info("box/out.jsonl")["LastModified"] == first, "written again"
    assert b"verysecretkey" not in s3.cat("box/out.jsonl.run.json")
    assert list((tmp_path / "w" / "0-read").glob("input-*.json")), "no manifest to share"
    found = list(read_pairs("s3://box/out.jsonl"))
    assert [pair.target.spans[0].label for pair in found] == ["PER"] * 3
    with pytest.raises(InputError, match="s3://nobox/a.jsonl: cannot be written"):
        write_pairs("s3://nobox/a.jsonl", ROWS)
