import gzip

import pytest

from spanbridge.core.errors import InputError
from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.formats.shard_files import read_shard, write_shard
from spanbridge.formats.tokens import raw_sentence

ROWS = [
    SentencePair("1", Sentence(("a",)), Sentence(())),
    SentencePair(
        "x",
        Sentence(("w",), (Span(0, 1, "A-B", 0.1), Span(0, 1, "C"))),
        raw_sentence("é\u0301 👍"),
        WordAlignment.of([(0, 0)], 1, 2, [1 / 3]),
        "projected",
        confidence=1 / 7,
        explanation=(),
        extra={"n": [1, {"ü": None}]},
    ),
]


@pytest.mark.parametrize("rows", [ROWS, [], ROWS[:1], ROWS[1:]])
def test_rows(tmp_path, rows):
    path = tmp_path / "s" / "1.gz"
    write_shard(path, rows)
    assert read_shard(path) == rows
    assert [entry.name for entry in path.parent.iterdir()] == ["1.gz"]


def test_the_same_rows_give_the_same_bytes(tmp_path):
    for name in "ab":
        write_shard(tmp_path / f"{name}.gz", ROWS)
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


def test_halves_of_surrogate_pairs_and_numbers_come_through(tmp_path):
    odd = Sentence(("\ud800", "\u2028"), (Span(0, 1, "X", 5e-324),), empty_probability=None)
    rows = [SentencePair("\x85", odd, Sentence(()), confidence=0.1 + 0.2)]
    write_shard(tmp_path / "a.gz", rows)
    assert read_shard(tmp_path / "a.gz") == rows


def test_what_is_no_shard(tmp_path):
    path = tmp_path / "a.gz"
    path.write_bytes(b"no gzip")
    with pytest.raises(InputError, match=r"a\.gz: cannot be read .* delete it"):
        read_shard(path)
    whole = tmp_path / "whole.gz"
    write_shard(whole, ROWS)
    path.write_bytes(whole.read_bytes()[:-9])
    with pytest.raises(InputError, match=r"a\.gz: cannot be read .* delete it"):
        read_shard(path)
    for line in ('{"id": "1"}', "[]", '"x"', "{", "7"):
        path.write_bytes(gzip.compress(f"{line}\n".encode()))
        with pytest.raises(InputError, match="is damaged .* delete it"):
            read_shard(path)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        write_shard(tmp_path / "file" / "a.gz", ROWS)
