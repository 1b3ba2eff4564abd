import gzip
import os

import pytest

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.formats import (
    Counts,
    Reading,
    labelled_rows,
    over_same_words,
    read_labelled,
    read_pairs,
    read_rows,
    read_sentences,
    write_pairs,
)
from spanbridge.formats.jsonl import format_pair

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
    path = tmp_path / "p.jsonl.gz"
    write_pairs(
        path, [SentencePair(p.id, p.source, p.target, None, "s", extra={"k": 1}) for p in PAIRS]
    )
    assert [(p.id, p.links, p.status, p.extra) for p in read_pairs(path)] == [
        (str(n), None, "s", {"k": 1}) for n in (1, 2, 3)
    ]
    linked = list(read_pairs(path, links=put("L.txt", LINKS)))
    # a status speaks of the links that were there before
    assert [(p.id, p.links, p.status, p.extra) for p in linked] == [
        (p.id, p.links, None, {"k": 1}) for p in PAIRS
    ]


def test_every_loop_reads_anew(put):
    orphans = SOURCE.replace("B-LOC", "I-LOC")
    counts = Counts()
    pairs = read_pairs(put("S.conll", orphans), put("T.txt", TARGET), counts=counts)
    assert next(iter(pairs)) == BARE[0]
    assert counts == pairs.counts == Counts()  # that loop has not come to its end
    for _ in range(2):
        assert list(pairs) == BARE
        assert counts == pairs.counts == Counts(n_rows=3, n_orphans=1)
    assert [a == b for a, b in zip(pairs, pairs, strict=True)] == [True] * 3
    assert counts == Counts(n_rows=3, n_orphans=1)
    put("T.txt", TARGET + "x\n")
    with pytest.raises(InputError, match="no counterpart"):
        list(pairs)


def test_how_files_are_read(put):
    source, target = put("S.conll", "a S-X\n\nb I-X\n\n"), put("T.txt", "a.\nb\n")
    bioes = Reading(scheme="bioes", orphans="drop", tokenised=False)
    first, second = read_pairs(source, target, how=bioes)
    assert (first.source.spans, second.source.spans) == ((Span(0, 1, "X"),), ())
    assert (first.target.words, first.target.text) == (("a", "."), "a.")
    with pytest.raises(InputError, match="'S-X' is not a tag of iob2"):
        list(read_pairs(source, target))
    assert [sentence.spans for sentence in read_labelled(source, bioes)] == [
        first.source.spans,
        (),
    ]


def test_rows_of_any_format(put):
    pair = PAIRS[0]
    conll = "Anna B-PER\nsleeps O\n\n"
    for name, text, expected in [
        ("a.conll", conll, (pair.source, Sentence(()))),
        ("a.txt", conll, (pair.source, Sentence(()))),
        ("a.de", conll, (pair.source, Sentence(()))),
        ("a.txt", "Anna schläft", (pair.target, Sentence(()))),
        ("a.jsonl", format_pair(pair), (pair.source, pair.target)),
        ("a.parallel", "Anna schläft ||| Anna", (pair.target, Sentence(("Anna",)))),
    ]:
        ((line, row),) = read_rows(put(name, text), "source")
        assert (line, row.id, row.source, row.target) == (1, "1", *expected)


def test_sentences_without_their_labels(put):
    for name, text in [
        ("a.conll", "Anna X\nschläft Y\n"),
        ("a.de", "Anna\nschläft\n\n"),
        ("a.txt", "Anna schläft\n"),
        ("a.jsonl", format_pair(PAIRS[0])),
    ]:
        assert list(read_sentences(put(name, text))) == [(1, PAIRS[0].target)]


def test_files_that_do_not_go_together(put):
    source, pairs = put("S.conll", SOURCE), put("p.jsonl", "{}")
    links, both = put("L.links", LINKS), put("b.parallel", "a ||| b")
    for arguments, why in [
        ((pairs, source), "read as jsonl, holds pairs already; .*--format .*doccano, prodigy, hf"),
        ((source, pairs), "holds pairs; give it alone"),
        ((source,), "holds one side only"),
        ((links, source), "L.links is of the format pharaoh, which holds no sentences"),
        ((source, links), "L.links is of the format pharaoh, which holds no sentences"),
        ((both,), "b.parallel is of the format parallel, which holds no labels"),
        ((source, both), "holds pairs; give it alone"),
    ]:
        with pytest.raises(SpanbridgeError, match=why):
            read_pairs(*arguments)
    with pytest.raises(SpanbridgeError, match="holds one side only"):
        read_pairs(source, labelled=False)
    with pytest.raises(SpanbridgeError, match="holds pairs already"):
        read_pairs(both, source, labelled=False)
    for path in (links, both):
        with pytest.raises(SpanbridgeError, match="holds no"):
            read_labelled(path)
    with pytest.raises(SpanbridgeError, match="L.links holds word links"):
        read_rows(links)


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


@pytest.mark.parametrize(
    ("links", "cause"),
    [
        ("1-1 2-3", "count from 1: --one-based"),
        ("0-0 2-1", "as target-source"),
        ("0-0 3-3", "0-based$"),
    ],
)
def test_likely_causes_of_links_outside(put, links, cause):
    source, target = put("S.conll", "a\tO\nb\tO\n\n"), put("T.txt", "x y z\n")
    with pytest.raises(InputError, match=f"lies outside its sentences of 2 and 3 .*{cause}"):
        list(read_pairs(source, target, put("L.txt", f"{links}\n")))


def test_errors_of_either_side_name_their_file(put):
    source, target = put("S.conll", SOURCE), put("T.txt", "a\nb\n")
    target.write_bytes(b"a\nb\xff\n")
    with pytest.raises(InputError, match="invalid UTF-8") as caught:
        list(read_pairs(source, target))
    assert (caught.value.file, caught.value.line) == (str(target), 2)
