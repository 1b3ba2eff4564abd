"""Blank lines that are rows, and blank lines that are none."""

import pytest

from spanbridge.core.errors import InputError
from spanbridge.core.files import has_blank_lines
from spanbridge.formats import Counts, read_pairs

CONLL = "Paris\tB-LOC\n.\tO\n{}\nBerlin\tB-LOC\n.\tO\n{}"


@pytest.mark.parametrize(
    ("source", "target", "rows", "n_left_out"),
    [
        (
            CONLL.format("", "\n"),
            "Paris .\nBerlin .\n",
            [("Paris", "Paris"), ("Berlin", "Berlin")],
            0,
        ),
        (
            CONLL.format("\n", ""),
            "Paris .\nBerlin .\n",
            [("Paris", "Paris"), ("Berlin", "Berlin")],
            1,
        ),
        (
            CONLL.format("", "\n\n\n"),
            "Paris .\nBerlin .\n",
            [("Paris", "Paris"), ("Berlin", "Berlin")],
            2,
        ),
        (
            CONLL.format("", ""),
            "Paris .\n\nBerlin .\n",
            [("Paris", "Paris"), ("Berlin", "Berlin")],
            1,
        ),
        (
            CONLL.format("", ""),
            "Paris .\nBerlin .\n\n\n",
            [("Paris", "Paris"), ("Berlin", "Berlin")],
            2,
        ),
        (
            CONLL.format("\n\n", ""),
            "\nParis .\nBerlin .\n",
            [("Paris", "Paris"), ("Berlin", "Berlin")],
            3,
        ),
        # an empty translation keeps its place
        (CONLL.format("", ""), "\nBerlin .\n", [("Paris", None), ("Berlin", "Berlin")], 0),
        (
            CONLL.format("\n", ""),
            "Paris .\n\nBerlin .\n",
            [("Paris",) * 2, (None,) * 2, ("Berlin",) * 2],
            0,
        ),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_blank_lines_of_parallel_files(tmp_path, source, target, rows, n_left_out, end):
    for name, text in (("s.conll", source), ("t.txt", target)):
        (tmp_path / name).write_bytes(text.replace("\n", end).encode())
    counts = Counts()
    pairs = read_pairs(tmp_path / "s.conll", tmp_path / "t.txt", counts=counts)
    found = [tuple((s.words or (None,))[0] for s in (pair.source, pair.target)) for pair in pairs]
    assert found == rows
    assert sum(pairs.counts.left_out.values()) == n_left_out


def test_rows_that_run_parallel_neither_way(tmp_path):
    (tmp_path / "s.conll").write_text(CONLL.format("\n", ""), encoding="utf-8")
    # in the second, "Berlin" would stand beside "Paris" if one file alone lost its blank rows
    for target in ("Paris .\n", "\nBerlin .\n"):
        (tmp_path / "t.txt").write_text(target, encoding="utf-8")
        with pytest.raises(InputError, match="no counterpart"):
            list(read_pairs(tmp_path / "s.conll", tmp_path / "t.txt"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a\nb\n", (False, False)),
        ("a\n\nb", (True, False)),
        ("a\n\n\nb", (True, True)),
        ("\na", (True, True)),
        ("a\n\n", (True, False)),
        ("a\n\n\n", (True, True)),
    ],
)
def test_blank_lines_are_seen_wherever_the_file_is_read_in_two(tmp_path, monkeypatch, text, found):
    (tmp_path / "a").write_text(text, encoding="utf-8")
    for size in (1, 2, 1 << 20):
        monkeypatch.setattr("spanbridge.core.files._BATCH_BYTES", size)
        assert tuple(has_blank_lines(tmp_path / "a", n) for n in (1, 2)) == found
