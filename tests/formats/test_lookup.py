import gzip
import json
import os
from importlib.metadata import EntryPoint

import pytest

from spanbridge.core import plugins, registry
from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.formats import (
    SentenceFormat,
    find_format,
    named_format,
    open_writer,
    read_pairs,
    read_rows,
    write_pairs,
)
from spanbridge.formats.conll import looks_like_conll

TAGGED = "a O\nb B-X\n\nc O\n"
COLUMNS = "a\nb\n\nc\n"


def test_the_suffix_decides_whatever_the_lines(tmp_path):
    for name, expected in [
        ("a.conll", "conll"),
        ("a.BIO.gz", "conll"),
        ("a.iob", "conll"),
        ("a.b.tsv", "conll"),
        ("b/a.JSONL.gz", "jsonl"),
        ("a.parallel", "parallel"),
        ("a.pharaoh", "pharaoh"),
        ("a.links", "pharaoh"),
        ("a.align", "pharaoh"),
    ]:
        for options in [{}, {"default": "text", "sniff": True}, {"default": "conll"}]:
            assert find_format(tmp_path / name, **options).name == expected


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [  # found: by default; with sniffing
        ("a.txt", "Eine Zeile\n", ("text", "text")),
        ("a.txt", TAGGED, ("conll", "conll")),
        ("a.TXT.gz", TAGGED, ("conll", "conll")),
        ("a.txt", COLUMNS, ("text", "text")),
        ("a.de", "Eine Zeile\n", ("text", "text")),
        ("a.de", TAGGED, ("conll", "conll")),
        ("a", COLUMNS, ("text", "conll")),
        ("a.de.gz", COLUMNS, ("text", "conll")),
    ],
)
def test_lines_tell_where_the_suffix_does_not(tmp_path, name, text, found):
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    by_name = find_format(path, default="text").name
    assert (by_name, find_format(path, default="text", sniff=True).name) == found
    assert find_format(path, default="conll").name == "conll"


def test_outputs_and_pipes_are_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "none.txt", "none.de"):
        assert find_format(tmp_path / name, default="conll").name == "conll"
        assert find_format(tmp_path / name, default="pharaoh").name == "pharaoh"
    with pytest.raises(InputError, match="no such file"):
        find_format(tmp_path / "none.txt")


def test_a_name_that_tells_nothing_needs_a_default(tmp_path):
    with pytest.raises(SpanbridgeError, match=r"a\.de: its name tells no format; .*\.jsonl"):
        find_format("a.de")
    with pytest.raises(SpanbridgeError, match="no format is named 'conl' .did you mean conll"):
        find_format("a.de", default="conl")


def test_what_formats_can_hold():
    assert {
        name: (f.sides, f.holds_spans, f.holds_links)
        for name in registry.names("format")
        if (f := named_format(name)).name == name
    } == {
        "csv": ("both", True, False),
        **dict.fromkeys(
            ("conll", "conllu", "conllup", "tokens", "webanno", "brat", "brat-folder", "doccano"),
            ("one", True, False),
        ),
        **dict.fromkeys(
            ("prodigy", "hf", "gliner", "squad", "spacy"),
            ("one", True, False),
        ),
        "labelstudio": ("one", True, False),
        "jsonl": ("both", True, True),
        "text": ("one", False, False),
        "parallel": ("both", False, False),
        "doccano-utf16": ("one", True, False),
        "multiclinai": ("one", True, False),
        "xmi": ("one", True, False),
        "uima-json": ("one", True, False),
        "tmx": ("both", False, False),
        "xliff": ("both", False, False),
        "moses": ("both", False, False),
        "pharaoh": ("none", False, True),
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a O\nb B-X\n\n", True),
        ("a\tNN\tO\n\nb\tNN\tE-X-Y", True),
        ("\n\n# note\n\n-DOCSTART- -X- O\n\na O\n\nb O\n", True),
        ("# O\n\na O\n", True),
        ("a O\n" * 1000, True),
        ("a O\n" * 999, False),
        ("Vitamin O\n", False),
        ("Vitamin O\n\nis good\n", False),
        ("big Vitamin O\n\nVitamin O\n", False),
        ("O\n\nO\n", False),
        ("a\n\nb\n", False),
        ("A whole sentence .\nAnother one .\n", False),
        ("\n\n\n", False),
        ("# only comments\n\n# here\n", False),
        ("-DOCSTART- O\n\n", False),
        ("", False),
    ],
)
def test_looks_like_conll(text, expected):
    assert looks_like_conll(text.removesuffix("\n").split("\n")) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\nb\n\nc\n", True),
        ("a\tDT\nb\tNN\n\nc\tNN\n", True),
        ("a O\nb B-X\n\n", True),
        ("a\nb\nc\n", False),
        ("a\n" * 1000, False),
        ("A whole sentence .\n\nAnother one .\n", False),
        ("Ja\n\nNein , danke\n", False),
    ],
)
def test_looks_like_conll_without_tags(text, expected):
    assert looks_like_conll(text.removesuffix("\n").split("\n"), tagged=False) is expected


def test_only_the_first_thousand_lines_are_looked_at(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("a O\n" * 1000 + "no columns here\n", encoding="utf-8")
    assert find_format(path).name == "conll"


ROWS = [
    SentencePair(
        "7", Sentence(("s",), (Span(0, 1, "Y"),)), Sentence(("a", "b"), (Span(0, 2, "X"),))
    ),
    SentencePair("8", Sentence(()), Sentence(())),
]


def test_conll_holds_one_side(tmp_path):
    for name in ("out.conll", "out.bio", "out.de"):
        write_pairs(tmp_path / name, ROWS)
        assert (tmp_path / name).read_text() == "a\tB-X\nb\tI-X\n\n\n"
    with pytest.raises(SpanbridgeError, match="spans cannot be held by plain text"):
        write_pairs(tmp_path / "out.txt", ROWS)
    write_pairs(tmp_path / "out.conll", ROWS, side="source")
    assert (tmp_path / "out.conll").read_text() == "s\tB-Y\n\n\n"


def test_other_defaults(tmp_path):
    with open_writer(tmp_path / "o.txt", default="text") as write:
        write(ROWS[1])
    assert (tmp_path / "o.txt").read_text() == "\n"
    with open_writer(tmp_path / "o", default="jsonl") as write:
        write(ROWS[0])
    assert json.loads((tmp_path / "o").read_text())["id"] == "7"


def test_writer_names_the_row_and_leaves_nothing(tmp_path):
    bad = SentencePair("8", Sentence(()), Sentence(("a\tb",)))
    with pytest.raises(SpanbridgeError, match="row 8: the word"):
        write_pairs(tmp_path / "bad.conll", [*ROWS[:1], bad])
    assert not list(tmp_path.iterdir())


class Shouted(SentenceFormat):
    """One word per line, in capital letters; ``--`` ends a sentence."""

    name = "shouted"
    suffixes = (".shout",)

    def sniff(self, head, strict=True):
        return "--" in head

    def sentences(self, path, how=None, counts=None):
        words, first = [], 1
        for number, word in enumerate(path.read_text("utf-8").split("\n"), 1):
            if word == "--":
                yield first, Sentence(tuple(words))
                words, first = [], number + 1
            else:
                words.append(word.lower())

    def write_sentence(self, sentence, out):
        out.write("".join(f"{word.upper()}\n" for word in (*sentence.words, "--")))


@pytest.fixture
def plugin(monkeypatch):
    point = EntryPoint("shouted", f"{__name__}:Shouted", "spanbridge.format")
    monkeypatch.setattr(
        plugins, "entry_points", lambda group: [point] if group == point.group else []
    )
    plugins.plugins.cache_clear()
    monkeypatch.setattr(EntryPoint, "load", lambda self: Shouted)
    named_format.cache_clear()
    yield
    named_format.cache_clear()
    plugins.plugins.cache_clear()


def test_a_plugin_is_one_class_and_one_entry_point(plugin, tmp_path):
    pair = SentencePair("1", Sentence(()), Sentence(("hear", "me")))
    for name in ("a.shout", "a.shout.gz"):
        assert find_format(tmp_path / name).name == "shouted"
    write_pairs(tmp_path / "a.shout", [pair, pair])
    assert (tmp_path / "a.shout").read_text() == "HEAR\nME\n--\n" * 2
    assert [line for line, _ in read_rows(tmp_path / "a.shout")] == [1, 4]
    for name in ("a.shout", "by_lines", "by_lines.txt"):  # in the second by its lines
        (tmp_path / name).write_bytes((tmp_path / "a.shout").read_bytes())
        assert next(iter(read_rows(tmp_path / name))) == (1, pair)
    (tmp_path / "s.conll").write_text("a O\n\nb O\n\n", encoding="utf-8")
    read = list(read_pairs(tmp_path / "s.conll", tmp_path / "a.shout"))
    assert [row.target for row in read] == [pair.target] * 2
