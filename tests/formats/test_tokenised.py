"""Raw text is told from tokenised text, per side of a file; options overrule it."""

import io
import json
from itertools import islice

import pytest

from spanbridge.core.errors import InputError
from spanbridge.formats import Counts, Reading, read_pairs
from spanbridge.formats.conll_reader import read_conll
from spanbridge.formats.plain_text import WORDS_KEPT, ParallelText, PlainText
from spanbridge.formats.tokenised import TEXT_CUT, is_tokenised


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Angela Merkel besuchte Paris , dann „ Rom “ .", True),
        ("Angela Merkel besuchte Paris, dann „Rom“.", False),
        ("I do n't think so , Mr. J. R. Ewing , of Ewing Inc.", True),  # two against one
        ("Es kostet 3,5 Mio. Euro , sagte er am 15. Mai .", True),  # inside words, or abbreviations
        ('He said: "No."', False),
        ("(see below),", False),
        ("no punctuation at all", None),
        ("Ça va ? Oui !", None),  # good French
        ("Ça va ? Oui, merci.", False),
        ("", None),
        (". . .", True),
        ("Angela Merkel访问了巴黎和罗马。", False),
        ("他 住 在 北京 。", True),
        ("你好。", False),
        ("アンゲラ・メルケルはパリとローマを訪れた", False),
        ("เธอ อยู่ ใน กรุงเทพ", True),
        ("แองเกลา แมร์เคิล เยือนปารีสและโรม", False),
        ("वह दिल्ली में रहता है।", False),
        ("वह दिल्ली में रहता है ।", True),
        ("هو هنا، في باريس", False),
    ],
)
def test_what_a_text_shows(text, found):
    assert is_tokenised([text.split()]) is found


def test_the_majority_decides():
    raw, words = "He came, saw.".split(), "He came , saw .".split()
    assert is_tokenised([raw, raw, words]) is False
    assert is_tokenised([raw, words]) is True
    assert is_tokenised([["「", "ああ", "」"], []]) is None


def rows_of(tmp_path, text, made, **how):
    path = tmp_path / "a.txt"
    path.write_text(text, "utf-8")
    counts = Counts()
    rows = [pair for _, pair in made.read(path, "target", Reading(**how), counts)]
    return rows, counts.guessed


@pytest.mark.parametrize(
    ("text", "how", "words", "said"),
    [
        ("Nach Paris, sofort.\n", {}, 5, {TEXT_CUT: 1}),
        ("Nach Paris, sofort.\n", {"raw_if_unclear": True}, 5, {}),
        ("Nach Paris, sofort.\n", {"tokenised": True}, 3, {}),
        ("Nach Paris , es-3.5 .\n\n", {}, 5, {}),
        ("Nach Paris , es-3.5 .\n\n", {"raw_if_unclear": True}, 5, {WORDS_KEPT: 2}),
        ("Nach Paris , es-3.5 .\n", {"tokenised": False}, 7, {}),
        ("Nach 3.5 Tagen\n", {}, 3, {}),
        ("Nach 3.5 Tagen\n", {"raw_if_unclear": True}, 5, {}),
    ],
)
def test_rows_are_cut_as_found_or_as_told(tmp_path, text, how, words, said):
    rows, guessed = rows_of(tmp_path, text, PlainText(), **how)
    assert (len(rows[0].target.words), guessed) == (words, said)


def test_each_side_of_parallel_text_by_itself(tmp_path):
    ((row,), guessed) = rows_of(tmp_path, "to Rome , now . ||| nach Rom, jetzt.\n", ParallelText())
    assert row.source.text is None
    assert row.target.text == "nach Rom, jetzt."
    assert guessed == {TEXT_CUT: 1}


def test_words_that_links_count_stay(tmp_path):
    (tmp_path / "s.conll").write_text("to\tO\nRome,\tB-LOC\n\n", "utf-8")
    (tmp_path / "t.txt").write_text("nach Rom,\n", "utf-8")
    (tmp_path / "l.pharaoh").write_text("0-0 1-1\n", "utf-8")
    paths = [str(tmp_path / name) for name in ("s.conll", "t.txt", "l.pharaoh")]
    (pair,) = read_pairs(*paths)
    assert pair.target.words == ("nach", "Rom,")
    (pair,) = read_pairs(*paths[:2])
    assert pair.target.words == ("nach", "Rom", ",")
    raw = read_pairs(*paths, how=Reading(tokenised=False))
    ((pair), told) = next(iter(raw)), raw.reading
    assert pair.target.words == ("nach", "Rom", ",")
    assert told["text"] == "raw"
    assert "text" not in read_pairs(*paths).reading


@pytest.mark.parametrize("flag", [None, "--tokenised", "--raw"])
def test_commands_cut_raw_text_and_say_so(spanbridge, tmp_path, flag):
    (tmp_path / "s.txt").write_text("We saw Paris, then Rome.\n", "utf-8")
    (tmp_path / "t.txt").write_text("Wir sahen Paris, dann Rom.\n", "utf-8")
    flags = [flag] if flag else []
    command = "align --source s.txt --target t.txt --aligner lexical -o o.jsonl"
    done = spanbridge(*command.split(), *flags)
    (row,) = map(json.loads, (tmp_path / "o.jsonl").read_text("utf-8").splitlines())
    assert ("target_text" in row) is (flag != "--tokenised")
    assert ("rows of raw text" in done.stderr) is (flag is None)
    assert ("|text:" in done.stderr) is (flag is not None)


def test_tokenised_text_has_no_sentences_to_split(spanbridge, tmp_path):
    (tmp_path / "t.txt").write_text("Wir sahen Paris , dann Rom .\n", "utf-8")
    (tmp_path / "p.yaml").write_text(
        "input: t.txt\nlanguages: {target: de}\noutput: o.jsonl\nsteps: [split, join]\n", "utf-8"
    )
    done = spanbridge(*"run p.yaml".split(), code=2)
    assert "split" in done.stderr
    assert "tokenised: false" in done.stderr


@pytest.mark.slow
def test_real_corpora_are_found_tokenised(real_data):
    found = {}
    paths = [*real_data.glob("masakhaner2/*/*.txt"), *real_data.glob("panx/*/*.conll")]
    paths += [*real_data.glob("europarl-ner/*.conll"), *real_data.glob("news-ner/*/*.txt")]
    paths += real_data.glob("uner/*/dev.conll")
    for path in paths:
        rows = [row.words for _, row in islice(read_conll(path), 1000)]
        found[str(path)] = is_tokenised(rows)
    assert set(found.values()) == {True}
    for path in real_data.glob("xquad/*.jsonl"):
        with path.open(encoding="utf-8") as lines:
            texts = [json.loads(line) for line in lines]
        for side in ("source", "target"):
            assert is_tokenised([row[f"{side}_text"].split() for row in texts]) is False


def test_written_words_come_back(tmp_path):
    out = io.StringIO()
    rows, _ = rows_of(tmp_path, "Nach Paris , sofort .\n", PlainText())
    PlainText().write_sentence(rows[0].target, out)
    assert rows_of(tmp_path, out.getvalue(), PlainText())[0] == rows


def test_errors_keep_their_lines(tmp_path):
    path = tmp_path / "a.parallel"
    path.write_text("a ||| b\nc\n", "utf-8")
    with pytest.raises(InputError, match=r"a\.parallel:2: no separators"):
        list(ParallelText().read(path))
