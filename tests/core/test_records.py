"""Records: any change of a record or of its files is noticed, and the file named."""

import json
from contextlib import suppress

import pytest

from spanbridge.core.errors import InputError
from spanbridge.core.records import read_record, write_record


@pytest.fixture
def record(tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "data").write_bytes(b"data")
    content = {"format": 1, "numbers": [1, 0.5, None], "names": {"é": (1, 2)}}
    write_record(tmp_path / "r.json", content, [tmp_path / "below" / "data"])
    return tmp_path / "r.json"


def test_it_comes_back(record):
    found = read_record(record, "again", 1)
    assert found["names"] == {"é": [1, 2]}
    assert list(found["files"]) == ["below/data"]


def test_every_bit_counts(record):
    """A flip that leaves the values as they were does no harm."""
    data, right = record.read_bytes(), read_record(record, "again")
    for place in range(len(data)):
        for bit in (place % 8,):
            flipped = bytearray(data)
            flipped[place] ^= 1 << bit
            record.write_bytes(flipped)
            with suppress(InputError):
                assert read_record(record, "again") == right


@pytest.mark.parametrize("damage", ["changed", "gone", "folder"])
def test_a_file_is_named(record, damage):
    path = record.parent / "below" / "data"
    path.unlink()
    if damage == "changed":
        path.write_bytes(b"dat0")
    elif damage == "folder":
        path.mkdir()
    with pytest.raises(InputError, match="; do it again") as error:
        read_record(record, "do it again")
    assert error.value.file == str(path)
    assert read_record(record, "", alone=True)


@pytest.mark.parametrize(
    ("change", "why"),
    [({"format": 2}, "is not of this version's format"), ({"numbers": []}, "was changed by hand")],
)
def test_a_change_by_hand(record, change, why):
    record.write_text(json.dumps(json.loads(record.read_text()) | change))
    with pytest.raises(InputError, match=why):
        read_record(record, "again", 1)
