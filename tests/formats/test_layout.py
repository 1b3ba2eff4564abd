"""Layouts of CoNLL-like files: columns and spellings that are found, named, or refused."""

import pytest

from spanbridge import InputError, Span, SpanbridgeError
from spanbridge.core.spans import Sentence
from spanbridge.formats.base import Counts, Reading
from spanbridge.formats.conll import write_conll
from spanbridge.formats.conll_reader import read_conll

USUAL = [(("Anna", "sah", "Bonn"), (Span(0, 1, "PER"), Span(2, 3, "LOC")))]


def read(folder, text, **how):
    (folder / "a.conll").write_text(text, encoding="utf-8")
    counts = Counts()
    rows = [s for _, s in read_conll(folder / "a.conll", Reading(**how), counts)]
    return [(row.words, row.spans) for row in rows], counts.guessed


@pytest.mark.parametrize(
    ("text", "guessed"),
    [
        ("Anna\tB-PER\nsah\tO\nBonn\tB-LOC\n", ()),
        # CoNLL-2003: the chunk column holds tags too
        ("Anna NNP B-NP B-PER\nsah VBD B-VP O\nBonn NNP B-NP B-LOC\n", ()),
        # chunks with prefixes, names without: the last column still counts
        (
            "Anna NNP B-NP PER\nsah VBD B-VP O\nBonn NNP B-NP LOC\n",
            ["tags written as PER"],
        ),
        # GermEval 2014: running numbers, outer and inner tags, a comment
        (
            "# x\n1\tAnna\tB-PER\tO\n2\tsah\tO\tO\n3\tBonn\tB-LOC\tB-ORG\n",
            ["words in column 2, tags in 3"],
        ),
        # Universal NER: running numbers, columns of other things behind the tag
        (
            "# sent_id = 1\n1\tAnna\tB-PER\t-\tx\n2\tsah\tO\t-\tx\n3\tBonn\tB-LOC\t-\tx\n",
            ["words in column 2, tags in 3"],
        ),
        ("Anna B-PER +\nsah O +\nBonn B-LOC -\n", ["words in column 1, tags in 2"]),
        ("Anna\tPER-B\nsah\tO\nBonn\tLOC-B\n", ["tags written as PER-B"]),
        ("Anna\tB_PER\nsah\tO\nBonn\tB_LOC\n", ["tags written as B_PER"]),
        ("Anna\tPER\nsah\tO\nBonn\tLOC\n", ["tags written as PER"]),
        ("Anna\tB-PER\nsah\to\nBonn\tB-LOC\n", ["tags written as b-per"]),
        ("de:Anna\tB-PER\nde:sah\tO\nde:Bonn\tB-LOC\n", ["de: before every word left out"]),
        (
            "zh-min-nan:Anna B-PER\nzh-min-nan:sah O\nzh-min-nan:Bonn B-LOC\n",
            ["zh-min-nan: before every word left out"],
        ),
        # names of documents, with and without numbers behind them
        (
            "d1\tAnna\tB-PER\nd1\tsah\tO\nd1\tBonn\tB-LOC\n",
            ["words in column 2, tags in 3"],
        ),
        (
            "d1 1 Anna B-PER\nd1 2 sah O\nd1 3 Bonn B-LOC\n",
            ["words in column 3, tags in 4"],
        ),
    ],
)
def test_layouts_that_are_plain(tmp_path, text, guessed):
    rows, found = read(tmp_path, text)
    assert rows == USUAL
    assert list(found) == list(guessed)
    again, found = read(tmp_path, f"{text}\n{text}")
    assert again == USUAL * 2
    assert set(found.values()) == ({2} if guessed else set())


def test_numbers_of_words(tmp_path):
    """From 0 or 1 in every row, or through the file; other numbers are words."""
    tags = ("B-X", "O")
    for first, second, words in (
        ("01", "01", "ab"),
        ("12", "12", "ab"),
        ("12", "34", "ab"),
        ("12", "45", None),
        ("23", "23", None),
    ):
        blocks = (zip(numbers, "ab", tags, strict=True) for numbers in (first, second))
        text = "\n".join("".join(f"{n} {w} {t}\n" for n, w, t in block) for block in blocks)
        rows, _ = read(tmp_path, text)
        assert ["".join(row) for row, _ in rows] == ([words] * 2 if words else [first, second])


def test_labels_in_small_letters_stay_so(tmp_path):
    rows, _ = read(tmp_path, "Anna\tb-per\nSchmidt\ti-per\n.\to\n")
    assert rows == [(("Anna", "Schmidt", "."), (Span(0, 2, "per"),))]


def test_bare_labels_that_touch_are_one_span(tmp_path):
    rows, _ = read(tmp_path, "Anna\tPER\nSchmidt\tPER\nBonn\tLOC\n.\tO\n")
    assert rows[0][1] == (Span(0, 2, "PER"), Span(2, 3, "LOC"))


def test_other_layers_by_name(tmp_path):
    text = "1\tBank\tB-ORG\tO\n2\tof\tI-ORG\tO\n3\tChina\tI-ORG\tB-LOC\n"
    rows, guessed = read(tmp_path, text, word_column=2, tag_column=4)
    assert rows == [(("Bank", "of", "China"), (Span(2, 3, "LOC"),))]
    assert guessed == {}
    with pytest.raises(InputError, match="there is no column 5; the lines have 4"):
        read(tmp_path, text, tag_column=5)


def test_words_alone_are_found_in_the_same_way(tmp_path):
    assert read(tmp_path, "1\tAnna\tx\n2\tsah\tx\n", tags=False)[0] == [(("Anna", "sah"), ())]
    assert read(tmp_path, "1\n2\n", tags=False)[0] == [(("1", "2"), ())]
    assert read(tmp_path, "1 B-X\n2 O\n", tags=True)[0] == [(("1", "2"), (Span(0, 1, "X"),))]


def test_a_wrong_line_does_not_move_the_columns(tmp_path):
    text = "Anna NNP B-NP B-PER\nsah VBD B-VP O\nBonn NNP B-NP B-LOC\nUlm NNP B-NP LOC\n"
    why = r"a\.conll:4: 'LOC' is not a tag .*column 4 is the tag; --tag-column names another"
    with pytest.raises(InputError, match=why):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a\tO\nParis\tB-LOC;B-ORG\n", "2: 'B-LOC;B-ORG' holds more than one tag"),
        ("a\tO\nParis\tB-LOC\u00a0\n", "2: .* has white space in it, such as a no-break"),
        ("a\tO\nParis\tB\n", "2: 'B' is not a tag of iob2"),
        (
            "Ana lives in Rome.\nIt rained.\n",
            r"1: 'Rome\.' is not a tag .*without tags is for `spanbridge tag`",
        ),
        ("a\tO\nParis\tS-LOC\n", r"the scheme bioes has it \(--scheme bioes\)"),
        ("Wort,Name\nParis,B-LOC\n", "no tag; .*commas only below a line that names them"),
        ("In *\nParis (GPE)\nx (ORG(GPE*)\n", r"3: '\(ORG\(GPE\*\)' is not in brackets as"),
    ],
)
def test_what_cannot_be_told_names_the_way(tmp_path, text, why):
    with pytest.raises(InputError, match=why):
        read(tmp_path, text)


@pytest.mark.parametrize("tags", ["B M E O S", "B M E O W", "B I L O U"])
def test_other_names_of_bioes(tmp_path, tags):
    lines = [f"w\t{tag}-X" if tag != "O" else "w\tO" for tag in tags.split()]
    rows, _ = read(tmp_path, "\n".join(lines) + "\n", scheme="bioes")
    assert rows[0][1] == (Span(0, 3, "X"), Span(4, 5, "X"))


def test_what_could_not_be_read_is_not_written():
    for label in ("LOC\u00a0", "LOC;B-ORG"):
        with pytest.raises(SpanbridgeError):
            write_conll(Sentence(("a",), (Span(0, 1, label),)), None)


def test_commands(spanbridge, tmp_path):
    """Where files are read: said in the account or a note; columns named by option and setting."""
    text = "1\tAnna\tB-PER\tO\n2\tsah\tO\tO\n3\tBonn\tB-LOC\tB-ORG\n"
    (tmp_path / "g.tsv").write_text(text, encoding="utf-8")
    (tmp_path / "t.txt").write_text("Anna saw Bonn\n", encoding="utf-8")
    common = "project --source g.tsv --target t.txt --method greedy --aligner lexical"
    told = spanbridge(*f"{common} -o o.conll".split()).stderr
    assert "1 words in column 2, tags in 3" in told
    assert (tmp_path / "o.conll").read_text() == "Anna\tB-PER\nsaw\tO\nBonn\tB-LOC\n\n"
    told = spanbridge(*f"{common} --word-column 2 --tag-column 4 -o p.conll".split()).stderr
    assert "|word_column:2|tag_column:4|" in told
    assert (tmp_path / "p.conll").read_text() == "Anna\tO\nsaw\tO\nBonn\tB-ORG\n\n"
    (tmp_path / "p.yaml").write_text(
        "input: {source: g.tsv, target: t.txt}\noutput: r.conll\nword_column: 2\ntag_column: 4\n"
        "steps: [{project: {method: greedy, aligner: lexical}}]\n"
    )
    spanbridge("run", "p.yaml")
    assert (tmp_path / "r.conll").read_bytes() == (tmp_path / "p.conll").read_bytes()
    done = spanbridge("evaluate", "g.tsv", "g.tsv")
    assert "note: g.tsv: words in column 2, tags in 3" in done.stderr
    assert "support" in done.stdout


CONLL_2012 = """#begin document (bc/cnn); part 000
bc/cnn 0 0 Angela NNP (TOP(S(NP* - - - Spk (PERSON* (ARG0* (0
bc/cnn 0 1 Merkel NNP *) - - - Spk *) *) 0)
bc/cnn 0 2 saw VBD (VP* see 01 1 Spk * (V*) -
bc/cnn 0 3 Paris NNP (NP*)))) - - - Spk (GPE) (ARG1*) (1)
"""


@pytest.mark.parametrize("named", [{}, {"word_column": 4, "tag_column": 11}])
def test_brackets_of_conll_2012(tmp_path, named):
    rows, guessed = read(tmp_path, CONLL_2012, **named)
    words = ("Angela", "Merkel", "saw", "Paris")
    assert rows == [(words, (Span(0, 2, "PERSON"), Span(3, 4, "GPE")))]
    told = {} if named else {"words in column 4, tags in 11": 1}
    assert guessed == {**told, "tags written as (PER*)": 1}


def test_a_named_column_may_have_any_spelling(tmp_path):
    rows, guessed = read(
        tmp_path, "PER-B Anna x\nPER-I Li y\nO sang z\n", word_column=2, tag_column=1
    )
    assert rows == [(("Anna", "Li", "sang"), (Span(0, 2, "PER"),))]
    assert guessed == {"tags written as PER-B": 1}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "Anna B-PER B-PER\nBonn B-LOC O\n",
            ["tags in column 2 too, not read (--tag-column reads them)"],
        ),
        ("Anna B-NP B-PER\nsang B-VP O\n", []),  # chunks, as in CoNLL-2003
        ("Anna O B-PER\nsang O O\n", []),
    ],
)
def test_a_second_column_of_names_is_said(tmp_path, text, told):
    assert list(read(tmp_path, text)[1]) == told


@pytest.mark.parametrize("tags", [True, False])
def test_lines_of_several_words_or_none_are_no_words(tmp_path, tags):
    """As in CoNLL-U, whatever the file is called, with labels and without."""
    text = (
        "1\tI\tO\n2-3\tdon't\t_\n2\tdo\tO\n3\tn't\tO\n3.1\tgone\t_\n4\tAnn\tB-PER\n\n"
        "1-2\tau\tO\n1\tà\tO\n2\tle\tO\n\n"
    )
    path = tmp_path / "a.conll"
    path.write_text(text, encoding="utf-8")
    counts = Counts()
    rows = [sentence for _, sentence in read_conll(path, Reading(tags=tags), counts)]
    assert list(counts.left_out.values()) == [3]
    assert [row.words for row in rows] == [("I", "do", "n't", "Ann"), ("à", "le")]
    assert rows[0].spans == ((Span(3, 4, "PER"),) if tags else ())
