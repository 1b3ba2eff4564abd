"""Rows as Parquet, and as data sets of the package datasets: there and back, errors, memory."""

import datetime
import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanbridge import from_datasets, to_datasets
from spanbridge.core.errors import InputError, MissingExtraError, SpanbridgeError
from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import ABSENT, Sentence, Span
from spanbridge.formats import Counts, Reading, find_format, read_pairs, read_rows, write_pairs

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

ROWS = [
    SentencePair(
        "a",
        Sentence(("Paris", "wins"), (Span(0, 1, "LOC", 0.5),)),
        Sentence(("Paris",)),
        WordAlignment.of([(0, 0)], 2, 1, None),
        status="projected",
        extra={"lang": "de", "n": 7},
    ),
    SentencePair("b", Sentence(()), Sentence(("ü", "🚒")), extra={"more": {}}),
]
NER = {"tokens": [["Ana", "ran"], []], "ner_tags": [[1, 0], []]}
FEATURES = {
    "tokens": {"feature": {"dtype": "string", "_type": "Value"}, "_type": "List"},
    "ner_tags": {"feature": {"names": ["O", "B-PER"], "_type": "ClassLabel"}, "_type": "List"},
}


def put(tmp_path, columns, metadata=None):
    path = tmp_path / "a.parquet"
    table = pa.table(columns)
    pq.write_table(table.replace_schema_metadata(metadata), path)
    return path


def test_whole_pairs_there_and_back(tmp_path):
    path = tmp_path / "a.parquet"
    write_pairs(path, ROWS)
    assert list(read_pairs(path)) == ROWS
    again = tmp_path / "b.parquet"
    write_pairs(again, ROWS)
    assert path.read_bytes() == again.read_bytes()
    schema = pq.read_schema(path)
    assert pa.types.is_struct(schema.field("source_spans").type.value_type)
    assert schema.field("n").type == pa.int64()


KEYS = st.sampled_from(["k", "m", "source_url"])
VALUES = st.recursive(
    st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: not x.is_integer())
    | st.text("aü🚒", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from("xy"), inner | st.none(), max_size=2)
    ),
    max_leaves=4,
)


@settings(max_examples=10)
@given(extras=st.lists(st.dictionaries(KEYS, VALUES, max_size=2), min_size=1, max_size=4))
def test_any_keys_come_back(tmp_path_factory, extras):
    """Whatever the types of the values are, row by row."""
    rows = [
        SentencePair(str(n), Sentence(("a",)), Sentence(("b",)), extra=extra)
        for n, extra in enumerate(extras)
    ]
    path = tmp_path_factory.mktemp("a") / "a.parquet"
    write_pairs(path, rows)
    assert list(read_pairs(path)) == rows


@pytest.mark.parametrize("name", ["doccano", "prodigy", "hf", "gliner", "labelstudio"])
def test_other_formats_of_objects(tmp_path, name):
    path, lines = tmp_path / "a.parquet", tmp_path / "a.jsonl"
    for file in (path, lines):
        write_pairs(file, ROWS, "source", format=name)
    assert find_format(path).name == name
    found, wanted = ([row.source for _, row in read_rows(f, "source")] for f in (path, lines))
    assert found == wanted


def test_names_of_classes_are_those_of_the_file(tmp_path):
    about = {"huggingface": json.dumps({"info": {"features": FEATURES}})}
    path = put(tmp_path, NER, about)
    rows = [row.source for _, row in read_rows(path, "source")]
    assert rows == [Sentence(("Ana", "ran"), (Span(0, 1, "PER"),)), Sentence(())]
    path = put(tmp_path, NER)
    with pytest.raises(InputError, match=r"a\.parquet:1: the ner_tags are numbers; name them"):
        list(read_rows(path, "source"))
    rows = [row.source for _, row in read_rows(path, "source", Reading(tag_names=("O", "B-PER")))]
    assert rows[0].spans == (Span(0, 1, "PER"),)


def test_values_that_json_has_not(tmp_path):
    columns = {
        "text": ["a", "b"],
        "day": [datetime.date(2024, 5, 1), None],
        "price": [Decimal("1.50"), None],
        "weight": [float("nan"), 2.0],
        "picture": [b"\xff", b""],
    }
    counts = Counts()
    first, second = (row for _, row in read_rows(put(tmp_path, columns), counts=counts))
    assert first.extra == {"day": "2024-05-01", "price": "1.50"}
    assert second.extra == {"weight": 2.0}
    assert counts.left_out == {"values of the column picture, which are bytes": 2}
    path = put(tmp_path, {"text": ["a", "b"], "weight": [1.0, float("inf")]})
    with pytest.raises(InputError, match=r"a\.parquet:2: inf is no number of JSON"):
        list(read_rows(path))


def test_errors_name_file_and_row(tmp_path):
    spans = [[{"start": 0, "end": 1, "label": "X"}], [{"start": 0, "end": 9, "label": "X"}]]
    path = put(tmp_path, {"text": ["a", "b"], "spans": spans})
    with pytest.raises(InputError, match=r"a\.parquet:2: "):
        list(read_rows(path))
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InputError, match="no whole Parquet file"):
        list(read_rows(path))
    (tmp_path / "folder.parquet").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        list(read_rows(tmp_path / "folder.parquet"))
    packed = tmp_path / "a.parquet.gz"
    with pytest.raises(InputError, match="compressed by itself"):
        write_pairs(packed, ROWS)
    with pytest.raises(InputError, match="holds no row"):
        list(read_rows(put(tmp_path, {"text": pa.array([], pa.string())})))


def test_a_failed_write_leaves_the_older_file(tmp_path):
    path = tmp_path / "a.parquet"
    write_pairs(path, ROWS)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_pairs(path, [*ROWS, ROWS[0].replace(extra={"x": float("nan")})])
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.parquet"]


def test_rows_are_read_group_by_group(tmp_path):
    """The first rows come before the others are looked at, which are damaged."""
    path = tmp_path / "a.parquet"
    texts = pa.table({"text": [f"{n * 7919 % 10007} x" for n in range(4000)]})
    pq.write_table(texts, path, row_group_size=1000)
    data = bytearray(path.read_bytes())
    last = pq.ParquetFile(path).metadata.row_group(3).column(0)
    at = last.dictionary_page_offset or last.data_page_offset
    data[at : at + 200] = bytes(200)
    path.write_bytes(data)
    found = []
    with pytest.raises(InputError, match="a.parquet: "):
        found.extend(row.id for _, row in read_rows(path))
    rows = read_rows(path)
    assert [next(rows)[1].id for _ in range(2500)][-1] == "2500"


def test_without_the_package(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    for go in (
        lambda: find_format(tmp_path / "a.parquet"),
        lambda: write_pairs(tmp_path / "a.parquet", ROWS),
    ):
        with pytest.raises(MissingExtraError, match="needs pyarrow, which is not installed: .*"):
            go()


class Streamed:
    """What a data set that streams looks like."""

    class features:
        @staticmethod
        def to_dict():
            return FEATURES

    def __iter__(self):
        for words, tags in zip(NER["tokens"], NER["ner_tags"], strict=True):
            yield {"tokens": words, "ner_tags": tags}


def test_rows_of_a_data_set():
    pairs = from_datasets(Streamed(), "source")
    for _ in range(2):
        assert [pair.source.spans for pair in pairs] == [(Span(0, 1, "PER"),), ()]
        assert all(pair.target is ABSENT for pair in pairs)
    with pytest.raises(InputError, match="data set: holds no row"):
        list(from_datasets([]))
    with pytest.raises(InputError, match="data set:2: is a str"):
        list(from_datasets([{"text": "a"}, "b"]))
    with pytest.raises(SpanbridgeError, match="choose one: train, test"):
        from_datasets({"train": [], "test": []})
    with pytest.raises(SpanbridgeError, match="conll has no objects"):
        from_datasets([], how=Reading(format="conll"))


@pytest.mark.slow
def test_data_sets_there_and_back():
    datasets = pytest.importorskip("datasets")
    assert list(from_datasets(to_datasets(ROWS))) == ROWS
    streamed = to_datasets(ROWS, "source", format="hf", streaming=True)
    assert isinstance(streamed, datasets.IterableDataset)
    tagged = to_datasets(ROWS, "source", format="hf")
    named = tagged.features["ner_tags"].feature
    assert isinstance(named, datasets.ClassLabel)
    assert named.int2str(tagged[0]["ner_tags"]) == ["B-LOC", "O"]
    for one in (streamed, tagged, tagged.to_iterable_dataset()):
        sources = [pair.source.with_spans(()) for pair in from_datasets(one, "source")]
        assert sources == [pair.source.with_spans(()) for pair in ROWS]
