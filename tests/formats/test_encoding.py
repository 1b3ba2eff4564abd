"""Text that was encoded twice is noticed wherever rows are read; good text never is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanbridge.core.files import lines
from spanbridge.formats import Counts, read_labelled, read_pairs, read_rows
from spanbridge.formats.encoding import encoded_twice

GOOD = [
    "CAFÉ” — é» … À «Noël»: “MENÜ”, IRMÃ… AMANHÃ”",
    "café”—disse ele, “é…”",
    "20 °C ± 3 ¿Qué? ¡No! «Así» ½ €5 ™",
    "Ünïcödé Ææø ÅÄÖ ß Ãã Ââ",
    "Привет, мир — «да»",
    "北京，你好。 ไทย हिन्दी العربية",
    "Đà Nẵng, Ấn Độ, NHÂN DÂN",
]


def again(text, by="cp1252"):
    """The text encoded twice, as lenient programs do it."""
    return "".join(
        bytes([byte]).decode(by) if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else chr(byte)
        for byte in text.encode()
    )


@pytest.mark.parametrize("text", GOOD)
def test_good_text(text):
    assert encoded_twice(text) is None


@pytest.mark.parametrize("by", ["cp1252", "latin-1"])
@pytest.mark.parametrize(
    "text",
    [
        "española",
        "Müller",
        "“quoted”",
        "Привет",
        "北京",
        "ไทย",
        "🙂 ok",
        "¿qué?",
        "Ærø",
        "Änderung",
    ],
)
def test_text_that_was_encoded_twice(text, by):
    assert encoded_twice(f"so {again(text, by)} it is")


def test_the_place_is_shown():
    assert encoded_twice("La lengua espaÃ±ola, hoy") == "espaÃ±ola,"


@given(st.text("abcé ñöäß", min_size=1))
def test_letters_of_the_west(text):
    assert (encoded_twice(again(text)) is not None) == (not text.isascii())
    assert encoded_twice(text) is None


def test_it_is_counted_with_its_first_line(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("Bien.\nespaÃ±ola.\nseÃ±or.\n", "utf-8")
    counts = Counts()
    list(read_rows(path, counts=counts))
    ((note, n),) = (item for item in counts.guessed.items() if "encoded" in item[0])
    assert n == 2
    assert note.startswith("rows of a.txt that look encoded twice, as 'espaÃ±ola.' on line 2 does")
    tags = tmp_path / "a.conll"
    tags.write_text("a\tO\n\nespaÃ±ol\tO\n\n", "utf-8")
    counts = Counts()
    list(read_labelled(tags, counts=counts))
    assert [(n, "on line 3 does" in note) for note, n in counts.guessed.items()] == [(1, True)]
    (tmp_path / "b.txt").write_text("b\nniÃ±o\n", "utf-8")
    pairs = read_pairs(tags, tmp_path / "b.txt")
    list(pairs)
    assert [note.split()[2] for note in pairs.counts.guessed] == ["a.conll", "b.txt"]


def test_commands_say_it(spanbridge, tmp_path):
    row = {"source_words": ["a"], "target_text": "la espaÃ±ola"}
    (tmp_path / "p.jsonl").write_text(json.dumps(row) + "\n", "utf-8")
    done = spanbridge(*"align --source p.jsonl --aligner lexical -o o.jsonl".split())
    assert "1 rows of p.jsonl that look encoded twice" in done.stderr


@pytest.mark.slow
def test_real_data(real_data):
    """None but the file that is so as published."""
    for path in real_data.rglob("*.*"):
        if not path.name.endswith((".conll", ".jsonl", ".jsonl.gz", ".txt")):
            continue
        found = sum(encoded_twice(line) is not None for line in lines(path))
        assert (found > 0) == ("news-ner/es" in str(path)), path
