import gzip
import os

import pytest

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.links import WordAlignment
from spanbridge.core.spans import Sentence, SentencePair, Span
from spanbridge.data.conll import Counts
from spanbridge.data.formats import (
    labelled_rows,
    looks_like_conll,
    over_same_words,
    pair_writer,
    read_labelled,
    read_pairs,
    suffix,
)
from spanbridge.data.jsonl import format_pair

SOURCE = "Anna B-PER\nsleeps O\n\n\nin O\nOslo B-LOC\n\n"
TARGET = "Anna schläft\n\nin Oslo\n"
LINKS = "0-0 1-1\n\n1-1:0.5\n"
PAIRS = [
    SentencePair(
        "1",
        Sentence(("Anna", "sleeps"), (Span(0, 1, "PER"),)),
        Sentence(("Anna", "schläft")),
        WordAlignment(((0, 0), (1, 1)), 2, 2),
    ),
    SentencePair("2", Sentence(()), Sentence(()), WordAlignment((), 0, 0)),
    SentencePair(
        "3",
        Sentence(("in", "Oslo"), (Span(1, 2, "LOC"),)),
        Sentence(("in", "Oslo")),
        WordAlignment(((1, 1),), 2, 2, (0.5,)),
    ),
]
BARE = [SentencePair(p.id, p.source, p.target) for p in PAIRS]
WORDS = [SentencePair(p.id, Sentence(p.source.words), p.target) for p in PAIRS]


@pytest.fixture
def put(tmp_path):
    def write(name, text):
        data = text.encode()
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return tmp_path / name

    return write


def test_suffix():
    names = ["a.conll", "a.JSONL.gz", "b/dev.txt.GZ", "a", "a.gz", "a.b.tsv"]
    assert [suffix(name) for name in names] == [".conll", ".jsonl", ".txt", "", "", ".tsv"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a O\nb B-X\n\n", True),
        ("a\tNN\tO\n\nb\tNN\tE-X-Y", True),
        ("\n\n# note\n\n-DOCSTART- -X- O\n\na O\n\nb O\n", True),
        ("# O\n\na O\n", True),
        ("a O\n" * 1500, True),
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
        ("a\n" * 1500, False),
        ("A whole sentence .\n\nAnother one .\n", False),
        ("Ja\n\nNein , danke\n", False),
    ],
)
def test_looks_like_conll_without_tags(text, expected):
    assert looks_like_conll(text.removesuffix("\n").split("\n"), tagged=False) is expected


def test_sniffing_stops_early():
    def endless():
        while True:
            yield "a O"

    assert looks_like_conll(endless())


def test_labelled(put):
    expected = [pair.source for pair in PAIRS]
    for name in ("a.conll", "a.txt", "dev.txt.gz", "a.tsv", "a"):
        counts = Counts()
        assert list(read_labelled(put(name, SOURCE), counts=counts)) == expected
        assert counts.n_rows == 3
    row = format_pair(SentencePair("1", Sentence(()), Sentence(("x",), (Span(0, 1, "A"),))))
    assert list(read_labelled(put("a.jsonl", row))) == [Sentence(("x",), (Span(0, 1, "A"),))]
    with pytest.raises(InputError):
        list(read_labelled(put("raw.txt", "no tags here\n")))


def test_pairs_of_files(put):
    source, links = put("S.conll", SOURCE), put("L.txt", LINKS)
    one_based = put("L1.txt", "1-1 2-2\n\n2-2:0.5\n")
    tagged = "Anna Q-X\nschläft Q-X\n\n\nin O\nOslo O\n\n"
    for name, text in [
        ("T.txt", TARGET),
        ("T.txt.gz", TARGET),
        ("T.conll", tagged),
        ("T.conll", tagged.replace(" Q-X", "").replace(" O", "")),
        ("T2.txt", tagged.replace("Q-X", "I-X")),
        # another suffix says nothing, so the lines do
        ("T.de", TARGET),
        ("T", TARGET),
        ("T.de", tagged.replace("Q-X", "I-X")),
        ("T.de", tagged.replace(" Q-X", "").replace(" O", "")),
        ("T.tok", tagged.replace(" ", "\t")),
    ]:
        target = put(name, text)
        assert list(read_pairs(source, target, links)) == PAIRS
        assert list(read_pairs(source, target, one_based, one_based=True)) == PAIRS
        assert list(read_pairs(source, target)) == BARE
        assert list(read_pairs(source, target, labelled=False)) == WORDS
    counts = Counts()
    list(read_pairs(put("o.txt", "a I-X\n"), put("T.txt", "a"), counts=counts))
    assert counts == Counts(1, 1, 0)


def test_pairs_without_labels(put):
    source, target = put("S.txt", "Anna sleeps\n\nin Oslo\n"), put("T.txt", TARGET)
    assert list(read_pairs(source, target, labelled=False)) == WORDS
    both = put("both.txt", "Anna sleeps ||| Anna schläft\n|||\nin Oslo ||| in Oslo\n")
    assert list(read_pairs(both, labelled=False)) == WORDS
    links = put("L.txt", LINKS)
    assert [p.links for p in read_pairs(both, None, links, labelled=False)] == [
        p.links for p in PAIRS
    ]


def test_jsonl_pairs_and_links(put, tmp_path):
    with pair_writer(tmp_path / "p.jsonl.gz") as writer:
        for pair in PAIRS:
            writer.write(SentencePair(pair.id, pair.source, pair.target, None, "s", {"k": 1}))
    back = list(read_pairs(tmp_path / "p.jsonl.gz"))
    assert [(p.id, p.links, p.status, p.extra) for p in back] == [
        (str(n), None, "s", {"k": 1}) for n in (1, 2, 3)
    ]
    linked = list(read_pairs(tmp_path / "p.jsonl.gz", links=put("L.txt", LINKS)))
    assert [(p.id, p.links, p.status, p.extra) for p in linked] == [
        (p.id, p.links, "s", {"k": 1}) for p in PAIRS
    ]


def test_files_that_do_not_go_together(put):
    source, pairs = put("S.conll", SOURCE), put("p.jsonl", "{}")
    for arguments, why in [
        ((pairs, source), "holds pairs already"),
        ((source, pairs), "holds pairs; give it alone"),
        ((source,), "holds one side only"),
    ]:
        with pytest.raises(SpanbridgeError, match=why):
            read_pairs(*arguments)


@pytest.mark.parametrize(
    ("target", "links", "place", "why"),
    [
        ("a\n\n", None, "S.conll:5", "S.conll has 3 rows and .*T.txt has 2;"),
        ("a\n\nb\n\nc\n", None, "T.txt:4", "T.txt has 5 rows and .*S.conll has 3;"),
        (TARGET, "0-0\n", "S.conll:4", "S.conll has 3 rows and .*L.txt has 1;"),
        (TARGET, LINKS + "\n", "L.txt:4", "L.txt has 4 rows and .*S.conll has 3;"),
    ],
)
def test_unequal_rows(put, target, links, place, why):
    source, target = put("S.conll", SOURCE), put("T.txt", target)
    links = None if links is None else put("L.txt", links)
    with pytest.raises(InputError, match=f"{place}: .*{why}"):
        list(read_pairs(source, target, links))


def test_what_is_read_twice_is_no_pipe(put, tmp_path):
    source, pipe = put("S.conll", SOURCE), tmp_path / "pipe"
    os.mkfifo(pipe)
    for arguments in [(source, pipe), (pipe, source), (source, source, pipe)]:
        with pytest.raises(InputError, match=f"{pipe}: is a pipe or a device, .* to a file first"):
            read_pairs(*arguments)


def test_rows_over_other_words_are_named_by_their_lines(put):
    sides = [put("S.conll", SOURCE), put("T.conll", SOURCE.replace("in O\n", ""))]
    with pytest.raises(InputError) as caught:
        list(over_same_words(labelled_rows(sides[0]), "S", labelled_rows(sides[1]), "T"))
    assert str(caught.value) == (
        "T:5: this row has 1 words, but its counterpart at S:5 has 2; "
        "spans can be compared only over the same words"
    )


def test_link_outside_its_sentences(put):
    source, target = put("S.conll", SOURCE), put("T.txt", TARGET)
    with pytest.raises(InputError, match="link 1-2 lies outside") as caught:
        list(read_pairs(source, target, put("L.txt", "0-0\n\n1-2\n")))
    assert (caught.value.file, caught.value.line) == (str(target.with_name("L.txt")), 3)
    with pytest.raises(InputError, match="link 0-0 lies .*after 1 was taken") as caught:
        list(read_pairs(source, target, put("L.txt", "1-1\n1-1\n\n"), one_based=True))
    assert caught.value.line == 2


def test_errors_of_either_side_name_their_file(put):
    source, target = put("S.conll", SOURCE), put("T.txt", "a\nb\n")
    target.write_bytes(b"a\nb\xff\n")
    with pytest.raises(InputError, match="invalid UTF-8") as caught:
        list(read_pairs(source, target))
    assert (caught.value.file, caught.value.line) == (str(target), 2)


def test_writer_writes_target_sides(tmp_path):
    labelled = SentencePair("7", Sentence(()), Sentence(("a", "b"), (Span(0, 2, "X"),)))
    for name in ("out.conll", "out.txt"):
        with pair_writer(tmp_path / name) as writer:
            writer.write(labelled)
            writer.write(PAIRS[1])
        assert (tmp_path / name).read_text() == "a\tB-X\nb\tI-X\n\n\n"


def test_writer_names_the_row_and_leaves_nothing(tmp_path):
    def write():
        with pair_writer(tmp_path / "bad.conll") as writer:
            writer.write(PAIRS[0])
            writer.write(SentencePair("8", Sentence(()), Sentence(("a\tb",))))

    with pytest.raises(SpanbridgeError, match="row 8: the word"):
        write()
    assert not (tmp_path / "bad.conll").exists()
