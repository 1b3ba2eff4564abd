"""Others' predictions: texts written out for them, spans without text, what is wrong in them."""

import json

import pytest

import spanbridge
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import ABSENT, Sentence
from spanbridge.formats.offsets import place_spans
from spanbridge.formats.tokens import raw_sentence
from spanbridge.study.inputs import without_gold
from spanbridge.study.study import write_study_inputs

# Two rows of words, and one of raw text, whose gold span ends at a joint inside a word.
WORDS = [
    {"id": "a", "source_words": ["Ana", "ran"], "target_words": ["Ana", "lief"]},
    {"id": "b", "source_words": ["Lima"], "target_words": ["in", "Lima"]},
]
GOLD = [[[0, 1, "PER"]], [[1, 2, "LOC"]]]
SOURCE = [[[0, 1, "PER"]], [[0, 1, "LOC"]]]
RAW = {"id": "c", "source_text": "Ankara", "target_text": "Ankara'da kar"}

STUDY = """\
data:
  - {name: words, languages: [de], files: "words.jsonl"}
systems:
  theirs:
    predictions: "theirs.{dataset}.{language}.jsonl"
scores: {resamples: 100}
"""


def lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A study of two rows of words."""
    monkeypatch.chdir(tmp_path)
    rows = zip(WORDS, SOURCE, GOLD, strict=True)
    lines(
        tmp_path / "words.jsonl",
        [{**row, "source_spans": s, "target_spans": g, "hint": "gold"} for row, s, g in rows],
    )
    (tmp_path / "study.yaml").write_text(STUDY, encoding="utf-8")
    return tmp_path


def predict(place, *rows):
    lines(place / "theirs.words.de.jsonl", rows)


def test_texts_are_written_out_without_gold(place, command):
    assert "texts in out: 1" in command("study", "study.yaml", "--write-inputs", "out").stderr
    told = [json.loads(x) for x in (place / "out" / "words.de.jsonl").read_text().splitlines()]
    assert [row["target_spans"] for row in told] == [[], []]
    assert [len(row["source_spans"]) for row in told] == [1, 1]
    assert "hint" not in told[0]
    before = (place / "out" / "words.de.jsonl").read_bytes()
    [path] = write_study_inputs("study.yaml", "out")
    assert path.read_bytes() == before
    assert (
        "one of them"
        in command("study", "study.yaml", "--check", "--write-inputs", "out", code=2).stderr
    )
    (place / "file").write_text("")
    assert "file" in command("study", "study.yaml", "--write-inputs", "file", code=2).stderr


def test_spans_without_text_are_scored_as_with_it(place, command):
    predict(place, {"id": "a", "spans": [[0, 1, "PER"]]}, {"id": "b", "spans": [[0, 2, "LOC"]]})
    command("study", "study.yaml", "--check")
    outcome = spanbridge.run_study("study.yaml")
    [result] = outcome.results
    assert result.record["scores"]["micro"]["tp"] == 1
    assert result.record["scores"]["micro"]["predicted"] == 2
    assert result.record["scores"]["rows_with_different_words"] == 0
    *_, score = result.command.split(" && ")
    told = json.loads(command(*score.split()[1:], "--json").stdout)
    assert told["micro"] == result.record["scores"]["micro"]


def test_spans_of_raw_text_count_characters(place):
    lines(place / "words.jsonl", [{**RAW, "target_spans": [[0, 6, "LOC"]]}])
    predict(place, {"id": "c", "spans": [[0, 6, "LOC"]]})
    [result] = spanbridge.run_study("study.yaml").results
    assert result.f1 == 1.0


GOOD_A, GOOD_B = {"id": "a", "spans": [[0, 1, "PER"]]}, {"id": "b", "spans": []}


@pytest.mark.parametrize(
    ("rows", "line", "why"),
    [
        ([GOOD_A], None, "the data has 2 rows and theirs.words.de.jsonl has 1"),
        ([GOOD_A, GOOD_B, GOOD_B], 3, "this row has no counterpart"),
        ([GOOD_B, GOOD_A], 1, "its id is 'b', but that of the data is 'a'"),
        ([GOOD_A, {"id": "b"}], 2, "have id and spans alone; there is: id"),
        ([GOOD_A, {**GOOD_B, "score": 1}], 2, "there is: id, spans, score"),
        ([{"id": "a", "spans": [[0, 3, "PER"]]}, GOOD_B], 1, "3"),
        ([{"id": "a", "spans": [[0, 1]]}, GOOD_B], 1, "target_spans"),
        (
            [{"id": "a", "spans": [[0, 1, "PERSON"]]}, GOOD_B],
            1,
            "PERSON, but the data has LOC, PER",
        ),
        (
            [{"id": "a", "target_words": ["Ana", "lief"]}, {"id": "b", "target_words": ["Lima"]}],
            2,
            "1 words",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line(place, command, rows, line, why):
    predict(place, *rows)
    found = command("study", "study.yaml", "--check", code=2).stdout
    told = next(x for x in found.splitlines() if why in x)
    assert "study.yaml:5: " in told
    assert "theirs.words.de.jsonl" in told
    if line is not None:
        assert f"theirs.words.de.jsonl:{line}: " in told


def test_what_is_strange_is_noted_with_its_line(place, command):
    other = {"id": "b", "target_words": ["in", "LIMA"], "target_spans": [[0, 1, "MISC"]]}
    right = {"id": "a", "target_words": ["Ana", "lief"], "target_spans": [[0, 1, "PER"]]}
    predict(place, right, other)
    found = command("study", "study.yaml", "--check").stdout
    assert "theirs.words.de.jsonl:2: other words than the data has, in 1 rows" in found
    assert "theirs.words.de.jsonl:2: the data has no label MISC; spans that have it: 1" in found


def test_missing_predictions_and_data_are_told_with_the_line_of_the_study(place, command):
    assert (
        "study.yaml:5: theirs.words.de.jsonl: no such file"
        in command("study", "study.yaml", "--check", code=2).stdout
    )
    (place / "words.jsonl").unlink()
    found = command("study", "study.yaml", "--check", code=2).stdout
    assert "study.yaml:2: words.jsonl: no such file" in found


def test_words_of_raw_text_do_not_tell_where_gold_spans_end():
    text = RAW["target_text"]
    cut = Sentence(("Ankara", "'", "da", "kar"), (), text, ((0, 6), (6, 7), (7, 9), (10, 13)))
    gold = cut.with_spans((spanbridge.Span(0, 1, "LOC"),))
    assert without_gold(SentencePair("c", ABSENT, gold)).target == raw_sentence(text)
    # words that come with the text, whatever is labelled, stay
    assert without_gold(SentencePair("c", ABSENT, cut)).target.words == cut.words


def test_a_description_is_named_with_the_line_of_the_study(place, command):
    study = STUDY.replace('name: words, languages: [de], files: "words.jsonl"', "{}")
    for data, why in (
        ("dataset: no.yaml, languages: [de], split: test", "study.yaml:2: no.yaml: cannot be read"),
        ("dataset: my.yaml, languages: [de], split: test", "study.yaml:2: my.yaml:1: "),
    ):
        (place / "my.yaml").write_text("titel: Mine\n", encoding="utf-8")
        (place / "study.yaml").write_text(study.replace("{{}}", f"{{{data}}}"), encoding="utf-8")
        assert why in command("study", "study.yaml", "--check", code=2).stderr


def test_labels_that_a_description_does_not_list_are_noted(place, command):
    (place / "my.yaml").write_text(
        "title: Mine\nkind: entities\nlicence: MIT\nlanguages: [de]\nsplits: [test]\n"
        "labels: [PER]\nreading: {format: conll}\nfiles: [{path: 'de.conll'}]\n",
        encoding="utf-8",
    )
    (place / "de.conll").write_text("Ana\tB-PER\nLima\tB-LOC\n", encoding="utf-8")
    (place / "theirs").mkdir()
    (place / "study.yaml").write_text(
        "data: [{dataset: my.yaml, languages: [de], split: test}]\n"
        "systems:\n  theirs: {predictions: theirs}\n",
        encoding="utf-8",
    )
    found = command("study", "study.yaml", "--check", code=2).stdout
    assert "my.test.de: its description does not list LOC" in found
    assert "study.yaml:3: theirs: is a folder; name its files" in found


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("과제는 좋아요.", (0, 2)),
        ("책을 읽다.", (0, 1)),
        ("Ankara'da kar", (0, 6)),
        ("ein SPD-Mann", (4, 7)),
    ],
)
def test_words_that_reading_cut_at_gold_spans_are_whole_again(text, span):
    gold = place_spans(text, [spanbridge.Span(*span, "X")], "target", "spans", "characters")
    assert gold.words != raw_sentence(text).words
    assert without_gold(SentencePair("k", ABSENT, gold)).target == raw_sentence(text)


def test_labels_that_nothing_has_are_told(tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    rows = "Ana\tB-PER\n\nLima\tB-LOC\n"
    for name in ("de", "es", "de.out", "es.out"):
        text = rows.replace("LOC", "GPE") if name[:2] == "es" else rows
        (tmp_path / f"{name}.conll").write_text(text, encoding="utf-8")
    (tmp_path / "study.yaml").write_text(
        "data: [{name: toy, languages: [de, es], files: '{language}.conll'}]\n"
        "systems: {theirs: {predictions: '{language}.out.conll'}}\n"
        "scores: {labels: [LOC, ORG]}\n"
        "perturb: [{kind: casing, strength: 1}]\n",
        encoding="utf-8",
    )
    said = command("study", "study.yaml", "--check", code=2).stdout
    assert "toy.es has no label that counts (LOC, ORG); it has: GPE, PER" in said
    assert "no data has the label ORG, which counts" in said
    assert "no system is run on perturbed texts" in said
