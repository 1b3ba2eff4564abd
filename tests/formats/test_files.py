import gzip
import json
import os
import resource
import stat
import tracemalloc
from contextlib import contextmanager
from pathlib import Path

import pytest

from spanbridge.core import files
from spanbridge.core.errors import InputError
from spanbridge.core.files import atomic_output, first_lines, line_batches, lines
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import ABSENT, Sentence
from spanbridge.formats import find_format, read_rows, write_pairs


def put(folder: Path, data: bytes, name: str = "a.txt") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a\nb\n", ["a", "b"]),
        (b"a\nb", ["a", "b"]),
        (b"a\r\n\r\nb\r\n", ["a", "", "b"]),
        (b"\n", [""]),
        (b"\n\n", ["", ""]),
        (b"\xef\xbb\xbfa\n", ["a"]),
        (b"\xef\xbb\xbf\n", [""]),
        (b"a\n\xef\xbb\xbfb\n", ["a", "\ufeffb"]),
        ("a\x0bb\x0cc\x1cd\x85e\u2028f\rg\n".encode(), ["a\x0bb\x0cc\x1cd\x85e\u2028f\rg"]),
    ],
)
def test_only_newlines_end_lines(tmp_path, data, expected):
    assert list(lines(put(tmp_path, data))) == expected
    packed = put(tmp_path, gzip.compress(data, mtime=0), "a.TXT.GZ")
    assert list(lines(packed)) == expected


def test_batches_cut_neither_characters_nor_line_ends(tmp_path, monkeypatch):
    rows = ["", "é", "日本", "x" * 9, "", "\U0001f600"] * 7
    path = put(tmp_path, "\r\n".join(rows).encode())
    for size in range(1, 30):
        monkeypatch.setattr(files, "_BATCH_BYTES", size)
        assert [line for batch in line_batches(path) for line in batch] == rows


def test_memory_does_not_hold_the_file(tmp_path):
    path = put(tmp_path, b"word\n" * 1_000_000)
    assert max(map(len, line_batches(path))) < 300_000


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf"])
def test_empty_file(tmp_path, data):
    for path in (put(tmp_path, data), put(tmp_path, gzip.compress(data, mtime=0), "a.gz")):
        with pytest.raises(InputError, match="is empty") as caught:
            list(lines(path))
        assert caught.value.line is None


@pytest.mark.parametrize("size", [1, 5, 1 << 20])
@pytest.mark.parametrize(
    ("data", "line", "column", "byte"),
    [
        (b"\xffa\x00", 1, 1, "ff"),
        (b"\xef\xbb\xbf\xe9\n", 1, 1, "e9"),
        ("ok\nüé".encode() + b"\xe9 x\nok\n", 2, 3, "e9"),
        (b"a\n\nb\xed\xa0\x80", 3, 2, "ed"),
        (b"a\nb\xc3", 2, 2, "c3"),
    ],
)
def test_invalid_utf8_names_line_and_column(tmp_path, monkeypatch, size, data, line, column, byte):
    monkeypatch.setattr(files, "_BATCH_BYTES", size)
    with pytest.raises(InputError, match=f"byte 0x{byte} at column {column}") as caught:
        list(lines(put(tmp_path, data)))
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("data", "what"),
    [
        ("ä\n".encode("utf-16"), "UTF-16; save it as UTF-8"),
        (gzip.compress(b"a\n", mtime=0), "a gzip file; name it .gz"),
        (b"\x28\xb5\x2f\xfd\x04\x00\x99", "a zstd file"),
        (
            b"PK\x03\x04\x14\xff",
            "a zip file, as Word and Excel write them; save it there as plain text",
        ),
        (b"\xd0\xcf\x11\xe0\xa1", "a file of Word or Excel"),
        (b"%PDF-1.7\n%\xe2\xe3", "a PDF"),
        (b"PAR1\xff", "a Parquet file"),
        (b"ARROW1\0\0\xff", "a file of Arrow"),
        (b"\xff\xff\xff\xff\x10", "a file of Arrow"),
    ],
)
def test_files_that_are_no_text_are_named(tmp_path, data, what):
    with pytest.raises(InputError, match=f"is not text, but {what}"):
        list(lines(put(tmp_path, data)))


@pytest.mark.parametrize("name", ["a", "a.gz"])
def test_a_line_without_end_is_refused(tmp_path, monkeypatch, name):
    monkeypatch.setattr(files, "LONGEST", 50)
    monkeypatch.setattr(files, "_BATCH_BYTES", 20)
    pack = gzip.compress if name.endswith(".gz") else bytes
    fits = b"a\n" + b"b" * 49 + b"\nc\n"
    assert list(lines(put(tmp_path, pack(fits), name))) == ["a", "b" * 49, "c"]
    with pytest.raises(InputError, match="longer than 50 bytes") as caught:
        list(lines(put(tmp_path, pack(b"a\n\n" + b"b" * 500), name)))
    assert caught.value.line == 3


def test_json_in_one_long_line(tmp_path, monkeypatch):
    """As SQuAD, Label Studio and INCEpTION write it: no line but the whole file may be so long."""
    monkeypatch.setattr(files, "LONGEST", 3000)
    monkeypatch.setattr(files, "_BATCH_BYTES", 100)
    rows = [SentencePair(str(n), ABSENT, Sentence(("Łódź",) * 9)) for n in range(99)]
    for format in ("squad", "labelstudio", "doccano", "uima-json"):
        path = tmp_path / f"{format}.json"
        write_pairs(path, rows, format=format)
        path.write_text(json.dumps(json.loads(path.read_text())), encoding="utf-8")
        assert path.stat().st_size > 20_000
        assert find_format(path).name == format
        assert [row.id for _, row in read_rows(path)] == [row.id for row in rows]
        with monkeypatch.context() as patch:
            patch.setattr(files, "LONGEST_JSON", 9000)
            with pytest.raises(InputError, match="longer than 9000 bytes"):
                list(read_rows(path))
    long = put(tmp_path, b'{"text": "' + b"x" * 5000 + b'"}\n', "a.jsonl")
    with pytest.raises(InputError, match=r"a\.jsonl:1: the line is longer than 3000 bytes"):
        list(read_rows(long))
    cut = put(tmp_path, ("é" * 5000).encode(), "b.txt")
    assert first_lines(cut, 3) == ["é" * 1550]


def test_a_small_file_of_a_huge_line_takes_little_memory(tmp_path):
    packed = gzip.compress(b"a " * (40 << 20), compresslevel=1)
    path = put(tmp_path, packed, "a.gz")
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="longer than 10000000 bytes"):
            list(lines(path))
        assert tracemalloc.get_traced_memory()[1] < 40e6
    finally:
        tracemalloc.stop()


def test_a_zero_byte_in_a_path():
    with pytest.raises(InputError, match="cannot be read"):
        list(lines("a\0b"))


def test_unreadable(tmp_path):
    for path, why in [
        (tmp_path / "none.txt", "no such file"),
        (tmp_path / "none.gz", "no such file"),
        (tmp_path, "is a folder; name a file in it"),
        (put(tmp_path, b"plain", "plain.gz"), "no whole gzip file"),
        (put(tmp_path, gzip.compress(b"a\n" * 9000)[:-12], "cut.gz"), "no whole gzip file"),
        (put(tmp_path, gzip.compress(b"a")[:12] + b"\xff" * 9, "bad.gz"), "no whole gzip file"),
    ]:
        with pytest.raises(InputError, match=why) as caught:
            list(lines(path))
        assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read and write everything")
def test_no_permission(tmp_path):
    path = put(tmp_path, b"a\n")
    path.chmod(0)
    with pytest.raises(InputError, match="permission denied"):
        list(lines(path))
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="permission denied"), atomic_output(tmp_path / "b"):
        pass
    tmp_path.chmod(0o700)


def test_output_appears_whole(tmp_path):
    path = tmp_path / "out.txt"
    with atomic_output(path) as out:
        out.write("é\n")
        assert not path.exists()
    assert path.read_bytes() == "é\n".encode()
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.txt"]
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask


@pytest.mark.parametrize("name", ["out.txt", "out.gz"])
@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt])
def test_output_is_not_left_half_written(tmp_path, name, kind):
    path = put(tmp_path, b"old", name)

    def write():
        with atomic_output(path) as out:
            out.write("new" * 100_000)
            raise kind

    with pytest.raises(kind):
        write()
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


def test_gzip_output_is_reproducible(tmp_path):
    for name in ("a.gz", "b.gz"):
        with atomic_output(tmp_path / name) as out:
            out.write("x\n")
    data = (tmp_path / "a.gz").read_bytes()
    assert data == (tmp_path / "b.gz").read_bytes()
    assert data[4:8] == bytes(4)
    assert gzip.decompress(data) == b"x\n"


def test_output_through_a_link(tmp_path):
    real = put(tmp_path, b"old")
    link = tmp_path / "link.txt"
    link.symlink_to(real)
    with atomic_output(link) as out:
        out.write("new")
    assert link.is_symlink()
    assert real.read_text() == "new"


def test_no_place_for_a_file(tmp_path):
    for path, why in [
        (tmp_path, "is not a file"),
        (Path("/dev/null"), "is not a file"),
        (tmp_path / "no" / "out", "no such file"),
        (put(tmp_path, b"x") / "out", "not a directory"),
    ]:
        with pytest.raises(InputError, match=why), atomic_output(path):
            raise AssertionError


@contextmanager
def no_room():
    """No file of this process may grow, as on a full disk; pytest's own output neither, so the
    block must be short."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("name", ["out.txt", "out.gz"])
@pytest.mark.parametrize("size", [3, 1 << 18], ids=["when closed", "when written"])
def test_no_room_is_reported_under_the_name_given(tmp_path, name, size):
    path = tmp_path / name
    with (
        no_room(),
        pytest.raises(InputError, match=r"cannot be written \(file too large\); make") as caught,
        atomic_output(path) as out,
    ):
        out.write(os.urandom(size).hex())
    assert caught.value.file == str(path)
    assert not list(tmp_path.iterdir())


def test_a_name_too_long_is_found_before_the_work(tmp_path):
    with (
        pytest.raises(InputError, match="file name too long"),
        atomic_output(tmp_path / ("x" * 256)),
    ):
        raise AssertionError
