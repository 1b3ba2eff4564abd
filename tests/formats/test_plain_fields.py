"""Whatever is declared in a pair or its sentences comes through both formats of whole pairs."""

from dataclasses import fields, replace

import pytest

from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SentenceOf, SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.formats import read_rows, write_pairs
from spanbridge.formats.plain_fields import ALL_PLAIN_FIELDS, PlainField

TEXT = Sentence(("né", "."), (), "né .", ((0, 2), (3, 4)), 0.5)
# A value for each declared field, none being its default; a new field has to be given one here.
OF_SENTENCES = {
    "words": ("né", "."),
    "spans": (Span(0, 1, "A-B", 0.25), Span(0, 2, "C")),
    "text": "né .",
    "offsets": ((0, 2), (3, 4)),
    "empty_probability": 0.1234,
}
OF_PAIRS = {
    "id": "x.1",
    "source": TEXT,
    "target": Sentence(("a", "b", "c"), (Span(1, 3, "X"),)),
    "links": WordAlignment.of([(0, 2), (1, 0)], 2, 3, [0.125, 1.0]),
    "status": "projected",
    "confidence": 0.8765,
    "provenance": "project",
    "explanation": ("one: é", ""),
    "translation_status": "suspect: too short",
    "translation_score": -1.5,
    "back_translation_status": "ok",
    "pivot_text": "Früher\nhier.",
    "sentence_of": SentenceOf("x", "target", 7, "The whole. Text."),
    "source_before_repair": "nÃ©.",
    "target_before_repair": "Ã¤ b c",
    "rejected_sentences": ("too long",),
    "parallel_score": 0.0625,
    "extra": {"n": [1, {"ü": None}]},
}


def through_json(folder, rows):
    write_pairs(folder / "a.jsonl", rows)
    return [pair for _, pair in read_rows(folder / "a.jsonl")]


def through_shards(folder, rows):
    from spanbridge.formats.shard_files import read_shard, write_shard

    write_shard(folder / "a.gz", rows)
    return read_shard(folder / "a.gz")


@pytest.mark.parametrize("through", [through_json, through_shards])
def test_every_declared_field_comes_through(tmp_path, through):
    bare = SentencePair("1", Sentence(("né", ".")), Sentence(("a", "b", "c")))
    rows = [bare]
    for name in SentencePair._fields:
        rows.append(bare._replace(**{name: OF_PAIRS[name]}))
        assert rows[-1] != bare
    for field in fields(Sentence):
        for side in ("source", "target"):
            # a text is written only where its words have places in it
            same = {**OF_SENTENCES, "spans": (), "empty_probability": None}
            with_text = field.name in ("text", "offsets")
            changed = same if with_text else {field.name: OF_SENTENCES[field.name]}
            sentence = replace(Sentence(("né", ".")), **changed)
            assert getattr(sentence, field.name) == OF_SENTENCES[field.name]
            rows.append(
                SentencePair("1", **{"source": bare.source, "target": TEXT, side: sentence})
            )
    rows.append(SentencePair(**{name: OF_PAIRS[name] for name in SentencePair._fields}))
    assert through(tmp_path, rows) == rows


def test_keys_and_types():
    assert [(field.key, field.type) for field in ALL_PLAIN_FIELDS] == [
        ("status", str),
        ("confidence", float),
        ("provenance", str),
        ("explanation", tuple[str, ...]),
        ("translation_status", str),
        ("translation_score", float),
        ("back_translation_status", str),
        ("pivot_text", str),
        ("sentence_of", SentenceOf),
        ("source_before_repair", str),
        ("target_before_repair", str),
        ("rejected_sentences", tuple[str, ...]),
        ("parallel_score", float),
        ("source_empty_probability", float),
        ("target_empty_probability", float),
    ]
    pair = SentencePair("1", Sentence(()), Sentence((), empty_probability=0.5), status="s")
    assert PlainField("status", "status", str, None).of(pair) == "s"
    assert [field.of(pair) for field in ALL_PLAIN_FIELDS if field.side] == [None, 0.5]
