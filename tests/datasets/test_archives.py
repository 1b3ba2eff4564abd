"""Archives: which members are written and where, in one another, damaged."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile

import pytest
from toy_servers import BODY, ROW, describe

from spanbridge.core.errors import InputError
from spanbridge.datasets import find_dataset
from spanbridge.datasets.unpack import unpack


def zipped(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return out.getvalue()


def tarred(files, *, mode="w:gz"):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as packed:
        for name, content in files.items():
            info = content if isinstance(content, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.name = name
            if isinstance(content, bytes):
                info.size = len(content)
            packed.addfile(info, io.BytesIO(content) if isinstance(content, bytes) else None)
    return out.getvalue()


def test_archives_in_archives_are_fetched_once(server, home):
    inner = {f"{one}.tar.gz": tarred({"test": ROW.encode()}) for one in ("de", "sw")}
    server.serve("/all.zip", zipped(inner))
    more = '    member: "{language}.tar.gz//{split}"\n'
    toy = describe(home, f"{server.url}/all.zip")
    path = home / "datasets" / "toy.yaml"
    path.write_text(path.read_text() + more, "utf-8")
    toy = find_dataset("toy")
    assert [one.fetched for one in toy.get()] == [True, True]
    assert len(server.asked) == 1
    assert next(toy.read("sw", "test")).target.words == ("Ana",)


def test_a_folder_of_documents_is_unpacked_and_paired(server, home):
    text = "Ana lives in Rome.\n"
    files = {}
    for one in ("es", "en"):
        for n in (2, 10):
            files[f"c/{one}/doc-{one}-{n}.txt"] = text.encode()
            files[f"c/{one}/doc-{one}-{n}.ann"] = b"T1\tLOC 13 17\tRome\n"
    (home / "datasets").mkdir()
    (home / "datasets" / "clin.yaml").write_text(
        "title: C\nkind: pairs\nlicence: CC0-1.0\nlanguages: [es-en]\nsplits: [test]\n"
        'reading: {format: brat}\nfiles:\n  - path: "clin/{side}/*.ann"\n'
    )
    for name, content in files.items():
        place = home / name.replace("c/", "clin/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    clin = find_dataset("clin")
    rows = list(clin.read("es-en", "test"))
    assert len(rows) == 2
    assert [row.target.text_of(*row.target.spans[0][:2]) for row in rows] == ["Rome", "Rome"]
    (home / "clin" / "en" / "doc-en-2.ann").unlink()
    with pytest.raises(InputError, match=r"doc-es-2.ann: has no counterpart"):
        list(clin.read("es-en", "test"))


def test_names_in_archives_choose_what_is_written_but_not_where(tmp_path):
    evil = {"../x.ann": b"1", "/y.ann": b"2", "d/..\\z.ann": b"3", "d/a.ann": b"4"}
    (tmp_path / "a.tar.gz").write_bytes(tarred(evil))
    out = tmp_path / "out" / "*.ann"
    with pytest.raises(InputError, match=r"whose name is not taken over"):
        unpack(tmp_path / "a.tar.gz", "d/*.ann", out)
    assert [path.name for path in unpack(tmp_path / "a.tar.gz", "../*.ann", out)] == ["x.ann"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar.gz", "out"]


def test_a_dot_before_all_names_does_not_matter(tmp_path):
    (tmp_path / "a.tar.gz").write_bytes(tarred({"./d/dev.txt": b"x"}))
    (out,) = unpack(tmp_path / "a.tar.gz", "d/dev.txt", tmp_path / "x")
    assert out.read_bytes() == b"x"


def test_links_and_broken_archives_are_refused(tmp_path):
    link = tarfile.TarInfo("a")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    (tmp_path / "a.tar").write_bytes(tarred({"a": link}, mode="w"))
    with pytest.raises(InputError, match="holds no file a"):
        unpack(tmp_path / "a.tar", "a", tmp_path / "x")
    whole = tarred({"a": BODY})
    for broken in (whole[: len(whole) // 2], b"nothing of the kind", zipped({"a": "b"})[:-30]):
        (tmp_path / "b").write_bytes(broken)
        with pytest.raises(InputError, match="is no whole archive"):
            unpack(tmp_path / "b", "a", tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_a_compressed_trap_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr("spanbridge.datasets.unpack._LARGEST", 1000)
    (tmp_path / "a.zip").write_bytes(zipped({"a": "x" * 1001, "b": "y" * 1000}))
    with pytest.raises(InputError, match="more than 1,000 bytes"):
        unpack(tmp_path / "a.zip", "a", tmp_path / "x")
    assert unpack(tmp_path / "a.zip", "b", tmp_path / "x")
    gz = gzip.compress(b"x")
    (tmp_path / "c").write_bytes(gz)
    with pytest.raises(InputError, match="is no whole archive"):
        unpack(tmp_path / "c", "c", tmp_path / "y")
