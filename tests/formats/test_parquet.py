import pytest

from spanbridge.core.errors import InputError
from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.formats.parquet import read_shard, write_shard
from spanbridge.formats.tokens import raw_sentence

pa = pytest.importorskip("pyarrow")

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
    path = tmp_path / "s" / "1.parquet"
    write_shard(path, rows)
    assert read_shard(path) == rows
    assert [entry.name for entry in path.parent.iterdir()] == ["1.parquet"]


def test_columns_have_types(tmp_path):
    write_shard(tmp_path / "a.parquet", [])
    schema = pa.parquet.read_schema(tmp_path / "a.parquet")
    strings = pa.list_(schema.field("rejected_sentences").type.value_field)
    for key, kind in [
        ("status", pa.string()),
        ("confidence", pa.float64()),
        ("target_empty_probability", pa.float64()),
        ("explanation", strings),
    ]:
        assert schema.field(key).type == kind
    assert strings.value_type == pa.string()
    assert [field.name for field in schema.field("sentence_of").type] == [
        *("id", "side", "start", "text"),
    ]


def test_what_is_no_shard(tmp_path):
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"a\.parquet: cannot be read .* delete it"):
        read_shard(path)
    pa.parquet.write_table(pa.table({"id": ["1"]}), path)
    with pytest.raises(InputError, match="is damaged .* delete it"):
        read_shard(path)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        write_shard(tmp_path / "file" / "a.parquet", ROWS)
