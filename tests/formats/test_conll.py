import io
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from spanbridge.core import files
from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.spans import Sentence, Span
from spanbridge.formats import conll_reader
from spanbridge.formats.base import Counts, Reading
from spanbridge.formats.conll import write_conll
from spanbridge.formats.conll_reader import read_conll


def read(tmp_path, text, counts=None, **how):
    path = tmp_path / "a.conll"
    path.write_bytes(text.encode())
    return list(read_conll(path, Reading(**how), counts))


def words(rows):
    return [list(sentence.words) for _, sentence in rows]


def test_rows_and_their_lines(tmp_path):
    rows = read(tmp_path, "Anna\tB-PER\nJ.\tI-PER\n\nin\tO\nOslo\tB-LOC-X")
    assert rows == [
        (1, Sentence(("Anna", "J."), (Span(0, 2, "PER"),))),
        (4, Sentence(("in", "Oslo"), (Span(1, 2, "LOC-X"),))),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\n", [(1, [])]),
        ("\n\n", [(1, []), (2, [])]),
        ("a O\n\n\nb O\n\n", [(1, ["a"]), (3, []), (4, ["b"])]),
        ("a O\n \t\nb O\n\t", [(1, ["a"]), (3, ["b"])]),
        ("a O\n \n\t\nb O\n", [(1, ["a"]), (3, []), (4, ["b"])]),
        ("\t\n\na O", [(1, []), (2, []), (3, ["a"])]),
        ("# note\n\na O\n", [(3, ["a"])]),
        ("# a\n \n# b\n\na O\n\n# end", [(5, ["a"])]),
        ("-DOCSTART- -X- O O\n\na O\n\n-DOCSTART-\n\n\nb O", [(3, ["a"]), (7, []), (8, ["b"])]),
        ("# x\n-DOCSTART-\tO\na\tO\n", [(1, ["a"])]),
        ("a\tO\n-DOCSTART-\tO\n", [(1, ["a", "-DOCSTART-"])]),
        ("a O\r\n\r\nb O\r\n", [(1, ["a"]), (3, ["b"])]),
        ("\ufeffa O\n", [(1, ["a"])]),
        ("a  NN   O \n  b VB O\n", [(1, ["a", "b"])]),
        ("New York\tO\nb\tO \n", [(1, ["New York", "b"])]),
        ("a O\nNew York\tO\nb O\n", [(1, ["a", "New York", "b"])]),
        ("a\u2028b O\n\x85 O\n\xa0\tO\n", [(1, ["a\u2028b", "\x85", "\xa0"])]),
        ("a\t\tO\nb\tNN\tO\n", [(1, ["a", "b"])]),
    ],
)
def test_what_is_a_row(tmp_path, text, expected):
    assert [(at, list(s.words)) for at, s in read(tmp_path, text)] == expected
    assert [(at, list(s.words)) for at, s in read(tmp_path, text, tags=False)] == expected


@pytest.mark.parametrize(
    ("text", "expected", "n_comments"),
    [
        ("a O\n# O\n#x B-LOC\n#\n# more words\nb O\n", [["a", "#", "#x", "b"]], 2),
        ("# O\n#tag B-LOC\n\na O\n", [["#", "#tag"], ["a"]], 0),
        ("#\tO\n\n# words in O\n\na\tO\n# O\n", [["#"], ["a"]], 2),
        ("# id = 1\na NN O\n# NN O\n# O\n", [["a", "#"]], 2),
        ("# made for B-LOC\n\na O\n", [["a"]], 1),
        ("# sent O\na\tO\n", [["a"]], 1),
    ],
)
def test_comments_and_tokens_that_look_like_them(tmp_path, text, expected, n_comments):
    for tags in (True, False):
        counts = Counts()
        assert words(read(tmp_path, text, counts=counts, tags=tags)) == expected
        assert counts.n_comments == n_comments
        assert counts.n_rows == len(expected)


def test_schemes_and_orphans(tmp_path):
    text = "a I-X\nb O\n\nc O\nd I-X\ne I-Y\n\nf B-X\n"
    counts = Counts()
    rows = read(tmp_path, text, counts=counts)
    assert [s.spans for _, s in rows][1] == (Span(1, 2, "X"), Span(2, 3, "Y"))
    assert (counts.n_rows, counts.n_orphans) == (3, 3)
    dropped = read(tmp_path, text, counts, orphans="drop")
    assert [len(s.spans) for _, s in dropped] == [0, 0, 1]
    assert counts.n_orphans == 6
    counts = Counts()
    read(tmp_path, text, counts, scheme="iob1", orphans="error")
    assert counts.n_orphans == 0
    assert read(tmp_path, "a S-X\nb B-X\nc L-X\n", scheme="bioes")[0][1].spans == (
        Span(0, 1, "X"),
        Span(1, 3, "X"),
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a I-X\n", 1),
        ("a B-X\nb I-X\nc I-X\n\n# note\nd B-X\nb I-X\nb I-X\n# note\nc O\nb I-X\nb I-Y\n", 11),
        ("a B-X\n\na B-X\nb I-X\n\nb I-Y\n", 6),
        ("a B-X\n\na B-X\n \nb I-X\n", 5),
    ],
)
def test_orphan_error_names_its_line(tmp_path, text, line):
    with pytest.raises(InputError, match="continues no") as caught:
        read(tmp_path, text, orphans="error")
    assert caught.value.line == line


HOSTILE = [
    ("a O\nb\n", 2, "token 'b' has no tag"),
    ("a\tO\n\nb\t\n", 3, "token 'b' has no tag"),
    ("a\tO\n\tO\n", 2, "there is no token"),
    ("a O\n\nb X\n", 3, "'X' is not a tag of iob2"),
    ("a O\nb B-\n", 2, "'B-' is not a tag"),
    ("a O\n\na O\nb E-LOC\n", 4, "'E-LOC' is not a tag"),
    ("a O\n\na O\n# E-LOC\n", 4, "'E-LOC' is not a tag"),
    ("a O\nb NN O\n", 2, "3 columns"),
    ("a NN O\nc O\n", 2, "2 columns"),
    ("a\tO\n\nb\tO\tO\nO\n", 3, "3 columns"),
    ("a O\n\na B-x\tO\n\nb c\tB-x\tO\n", 5, "3 columns"),
    ("a b O\n\na\tb c O\n", 3, "2 columns"),
    ("a O\n-DOCSTART-\n", 2, "no tag"),
    ("The whole sentence stands here\n", 1, "'here' is not a tag"),
    (" \n\t\n\na O\n\nb B_LOC\nc B-LOC\nd B-LOC\n", 6, "not a tag"),
    ("a O\n" + "a O\n\n" * 50 + "b", 102, "no tag"),
]


@pytest.mark.parametrize(("text", "line", "why"), HOSTILE)
@pytest.mark.parametrize("size", [7, 1 << 20])
def test_errors_name_their_line(tmp_path, monkeypatch, size, text, line, why):
    monkeypatch.setattr(files, "_BATCH_BYTES", size)
    with pytest.raises(InputError, match=why) as caught:
        read(tmp_path, text)
    assert caught.value.line == line


def test_without_tags_one_column_is_enough(tmp_path):
    text = "a\n#b\n#\n# a note\n\n\nc\n"
    assert words(read(tmp_path, text, tags=False)) == [["a", "#b", "#"], [], ["c"]]
    assert words(read(tmp_path, "a NOUN\nb X-Y\n", tags=False)) == [["a", "b"]]
    rows = read(tmp_path, "a E-X\n\nb B-X\nb I-Y\n", orphans="error", tags=False)
    assert [s.spans for _, s in rows] == [(), ()]
    with pytest.raises(InputError, match="2 columns") as caught:
        read(tmp_path, "a\nb\nc d\n", tags=False)
    assert caught.value.line == 3


line = st.sampled_from(
    ["", "", " ", "\t", "a\tO", "a\tO", "b\tB-X", "c\tI-X", "d O", "e B-X", "f  O", "g NN O"]
    + ["h\tNN\tO", "h\t\tO", "# O", "#\tO", "# x", "#", "-DOCSTART-\tO", "-DOCSTART-", "i", "\tO"]
    + [" j O", "k\tO ", "l\tQ", "m\tB-X\tO", "O", "n b\tO", " \tO", "\t\t"]
)


@given(
    st.lists(line),
    st.booleans(),
    st.sampled_from(["begin", "drop", "error"]),
    st.integers(1, 60),
)
@example(["a\tO", "", "a\tO\tO", "O"], True, "begin", 60)
@example(["a b O", "", "a\tb c O", "a b O"], True, "begin", 60)
@example(["a b O", "", "a  O"], True, "begin", 60)
def test_bulk_and_careful_reading_agree(tmp_path_factory, rows, tags, orphans, size):
    """Reading in bulk is only a shortcut, wherever the batches are cut."""
    tmp_path = tmp_path_factory.mktemp("conll")
    text = "\n".join(["x y\tO", *rows, "end\tO"])

    def outcome():
        counts = Counts()
        try:
            return read(tmp_path, text, counts, orphans=orphans, tags=tags), counts
        except InputError as error:
            return str(error), None

    quick = outcome()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "_BATCH_BYTES", size)
        assert outcome() == quick
        patch.setattr(conll_reader._Reader, "plain", lambda *_: None)
        assert outcome() == quick


def safe(text):
    return not set(text) & {"\t", "\n"}


characters = st.characters(exclude_categories=["Cs"])
word = st.one_of(
    st.text(characters, min_size=1).filter(safe),
    st.sampled_from(["#", "#a", "O", "\r", " ", "B-X"]),
)


def plain(label):
    """No white space that looks like a space, no second tag: these are refused."""
    return not re.search(r"[;|,/+][BIESLUMW][-_]|[^\S ]", label)


label = st.one_of(
    st.text(characters, min_size=1).filter(lambda t: safe(t) and t[-1] not in " \r" and plain(t)),
    st.sampled_from(["PER", "A-B", "-", "O"]),
)


@st.composite
def sentences(draw):
    tokens = tuple(draw(st.lists(word, max_size=8)))
    cuts = sorted(draw(st.sets(st.integers(0, len(tokens)), max_size=5)))
    spans = [Span(a, b, draw(label)) for a, b in zip(cuts, cuts[1:], strict=False)]
    keep = draw(st.lists(st.booleans(), min_size=len(spans), max_size=len(spans)))
    if tokens[:1] == ("-DOCSTART-",):  # hypothesis knows the constants of the code
        return Sentence(())
    chosen = tuple(span for span, kept in zip(spans, keep, strict=True) if kept)
    return Sentence(tokens, chosen)


def written(rows):
    out = io.StringIO()
    for row in rows:
        write_conll(row, out)
    return out.getvalue()


@given(st.lists(sentences(), min_size=1))
def test_round_trip(tmp_path_factory, rows):
    text = written(rows)
    if not text.startswith("\ufeff"):  # that would be taken for a byte order mark
        counts = Counts()
        back = read(tmp_path_factory.mktemp("conll"), text, counts=counts, tokenised=True)
        assert [sentence for _, sentence in back] == rows
        assert counts == Counts(n_rows=len(rows), guessed=counts.guessed)


def test_written_form():
    rows = [Sentence(("a", "b", "c"), (Span(1, 3, "X"), Span(0, 1, "X"))), Sentence(())]
    assert written(rows) == "a\tB-X\nb\tB-X\nc\tI-X\n\n\n"
    assert written([Sentence(("a", "#"))]) == "a\tO\n#\tO\n\n"


@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        (Sentence(("a", "b\tc")), r"'b\\tc' has a tab"),
        (Sentence(("a\n",)), "line end"),
        (Sentence(("a", "")), "word 1 is empty"),
        (Sentence(("",)), "word 0 is empty"),
        (Sentence(("-DOCSTART-", "a")), "document's start"),
        (Sentence(("a",), (Span(0, 1, "X\tY"),)), "label"),
        (Sentence(("a", "b"), (Span(0, 1, "X"), Span(1, 2, "X\nY"))), "label"),
        (Sentence(("a",), (Span(0, 1, "X "),)), "label"),
        (Sentence(("a", "b"), (Span(0, 2, "X"), Span(1, 2, "Y"))), "overlap"),
    ],
)
def test_rows_that_conll_cannot_hold(sentence, why):
    out = io.StringIO()
    with pytest.raises(SpanbridgeError, match=why):
        write_conll(sentence, out)
    assert out.getvalue() == ""


def test_a_row_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(conll_reader, "LONGEST", 1000)
    monkeypatch.setattr(files, "_BATCH_BYTES", 100)
    path = tmp_path / "a.conll"
    for blank in ("\n", " \n"):  # rows may also end with white space
        path.write_text(("a\tO\n" * 99 + blank) * 5, "utf-8")
        assert [len(row.words) for _, row in read_conll(path)] == [99] * 5
    path.write_text("a\tO\n\n" + "a\tO\n" * 500, "utf-8")
    with pytest.raises(InputError, match="more than 1000 characters") as caught:
        list(read_conll(path))
    assert caught.value.line == 3


@pytest.mark.parametrize(
    "text", ["a O\n O\nb B-X\nc I-X\n\n", "1\ta\tO\n2\t\tO\n3\tb\tB-X\n4\tc\tI-X\n\n"]
)
def test_lines_without_a_word(tmp_path, text):
    with pytest.raises(InputError, match=r"a.conll:2: "):
        read(tmp_path, text)
    counts = Counts()
    ((_, sentence),) = read(tmp_path, text, counts, wordless="drop")
    assert sentence == Sentence(("a", "b", "c"), (Span(1, 3, "X"),))
    assert counts.left_out == {"lines without a word left out": 1}
    with pytest.raises(InputError, match=r"a.conll:2: "):  # a label is never dropped with it
        read(
            tmp_path, text.replace(" O\nb", " B-X\nb").replace("\t\tO", "\t\tB-X"), wordless="drop"
        )
    with pytest.raises(SpanbridgeError, match="wordless is 'keep'"):
        Reading(wordless="keep")
