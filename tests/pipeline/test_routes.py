"""Whole routes, with translations and tags from files; what was done is not done again."""

import json

import pytest

from spanbridge import GreedyProjector, InputError
from spanbridge.align.lexical import LexicalAligner
from spanbridge.data.languages import find_language
from spanbridge.pipeline.routes import Means, label_files, make_data_files
from spanbridge.tag.given import GivenTagger
from spanbridge.translate.given import GivenTranslator
from spanbridge.translate.guards import Guards

TEXT = "Pedro vive en  Madrid.\n\nSin nombres aquí.\nNadie lo tradujo.\n"
TRANSLATIONS = "Pedro vive en Madrid.\tPedro lives in Madrid.\nSin nombres aquí.\tNo names here.\n"
TAGS = (
    "Pedro\tB-PER\nlives\tO\nin\tO\nMadrid\tB-LOC\n.\tO\n\nNo\tO\nnames\tO\nhere\tO\n.\tO\n\n"
    "Pedro\tB-PER\nvive\tO\nen\tO\nMadrid\tB-LOC\n.\tO\n\n"
)


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("SPANBRIDGE_CACHE", str(tmp_path / "cache"))
    for name, text in (("es.txt", TEXT), ("t.tsv", TRANSLATIONS), ("en.conll", TAGS)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def means(place, **others):
    pair = find_language("es"), find_language("en")
    translator = GivenTranslator(str(place / "t.tsv"))
    return Means(translator, pair, GreedyProjector(), LexicalAligner, **others)


class Counted(GivenTagger):
    """How many sentences were tagged; dies at the word that it is told to."""

    def __init__(self, path, die=False):
        super().__init__(path)
        self.n, self.die = 0, die

    def tag(self, sentences):
        if self.die:
            raise KeyboardInterrupt
        self.n += len(sentences)
        return super().tag(sentences)


def test_raw_text_to_entities(place):
    tagger = Counted(str(place / "en.conll"))
    run, route = label_files(
        str(place / "es.txt"), str(place / "o.jsonl"), means(place), lambda: tagger
    )
    rows = [json.loads(line) for line in (place / "o.jsonl").read_text("utf-8").splitlines()]
    assert [row["target_text"] for row in rows] == TEXT.splitlines()
    spans = [
        (row["target_text"][span["start"] : span["end"]], span["label"])
        for row in rows
        for span in row["target_spans"]
    ]
    assert spans == [("Pedro", "PER"), ("Madrid", "LOC")]
    assert [row.get("translation") for row in rows] == [
        None,
        "empty: no text",
        None,
        "failed: the file has no translation of it",
    ]
    assert sum(run.account.statuses.values()) == 4
    assert "translate: " in route.text()
    assert "1 failed: the file has no translation of it" in route.text()


def test_what_is_done_is_not_done_again(place):
    tagger, text, out = Counted(str(place / "en.conll")), str(place / "es.txt"), place / "o.jsonl"
    label_files(text, str(out), means(place), lambda: tagger)
    first, n = out.read_bytes(), tagger.n
    _, route = label_files(text, str(out), means(place), lambda: tagger)
    assert [run for _, run, _ in route.stages] == [None, None]
    assert (out.read_bytes(), tagger.n) == (first, n)
    other = means(place, guards=Guards(max_ratio=9))
    _, route = label_files(text, str(out), other, lambda: tagger)
    assert None not in [run for _, run, _ in route.stages]
    assert tagger.n == 2 * n
    (place / "en.conll").write_text(TAGS.replace("LOC", "GPE"), encoding="utf-8")
    _, route = label_files(text, str(out), other, lambda: Counted(str(place / "en.conll")))
    assert [run is None for _, run, _ in route.stages] == [True, False]
    assert '"GPE"' in out.read_text("utf-8")


def test_a_run_that_was_broken_off_ends_the_same(place):
    text = str(place / "es.txt")
    label_files(
        text, str(place / "whole.jsonl"), means(place), lambda: Counted(str(place / "en.conll"))
    )
    dying = Counted(str(place / "en.conll"), die=True)
    with pytest.raises(KeyboardInterrupt):
        label_files(text, str(place / "o.jsonl"), means(place), lambda: dying)
    assert not (place / "o.jsonl").exists()
    tagger = Counted(str(place / "en.conll"))
    _, route = label_files(text, str(place / "o.jsonl"), means(place), lambda: tagger)
    assert [run is None for _, run, _ in route.stages] == [True, False]
    assert (place / "o.jsonl").read_bytes() == (place / "whole.jsonl").read_bytes()


def test_labelled_corpus_to_training_data(place):
    swap = "\n".join("\t".join(reversed(x.split("\t"))) for x in TRANSLATIONS.splitlines())
    (place / "t.tsv").write_text(swap.replace(".", " ."), encoding="utf-8")
    run, _ = make_data_files(str(place / "en.conll"), str(place / "data"), means(place))
    rows = [json.loads(x) for x in (place / "data" / "train.jsonl").read_text("utf-8").splitlines()]
    assert rows[0]["source_spans"] == [
        {"start": 0, "end": 1, "label": "PER"},
        {"start": 3, "end": 4, "label": "LOC"},
    ]
    assert [span["label"] for span in rows[0]["target_spans"]] == ["PER", "LOC"]
    assert rows[2]["translation"] == "failed: the file has no translation of it"
    assert sum(run.account.statuses.values()) == 3


def test_from_the_command_line(spanbridge, place, tiny_tagger):
    model = tiny_tagger("bert-tagger")
    common = "--translator given --translations t.tsv --method greedy --aligner lexical"
    done = spanbridge(
        *f"label es.txt --from es --via en {common} --model {model} -o o.jsonl".split()
    )
    assert "4 rows" in done.stderr
    assert len((place / "o.jsonl").read_text("utf-8").splitlines()) == 4
    again = spanbridge(
        *f"label es.txt --from es --via en {common} --model {model} -o o.jsonl".split()
    )
    assert again.stderr.count("done before") == 2
    spanbridge(*f"make-data en.conll --from en --to es {common} -o d".split())
    assert len((place / "d" / "train.jsonl").read_text("utf-8").splitlines()) == 3


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ("label nosuch.txt --from es --model m -o o.jsonl", "nosuch.txt: no such file"),
        ("label es.txt --from xx --model m -o o.jsonl", "'xx' is no language code"),
        ("label es.txt --from es --translator nosuch --model m -o o.jsonl", "no translator is"),
        ("label es.txt --from es --translator given --model m -o o.jsonl", "go together"),
        ("translate --source es.txt --from es --to en {g} -o o.conll", "written as .jsonl"),
        ("translate --source es.txt --from es --to en {g} -o t.tsv", "written as .jsonl"),
        ("make-data es.txt --from es --to en {g} -o d", "es.txt: holds no tags"),
        ("make-data en.conll --from en --to es {g} -o no/such/d", "cannot be made"),
        ("make-data en.conll --from en --to es {g} --marks xml --method soft -o d", "needs no"),
        ("label es.txt --from es {g} --model en.conll -o no/such/o.jsonl", "cannot be made"),
        ("make-data en.conll --from en --to es {g} --method nosuch -o d", "no method is named"),
        ("make-data en.conll --from en --to es {g} -o t.tsv", "cannot be made"),
    ],
)
def test_refusals(spanbridge, place, options, why):
    line = options.format(g="--translator given --translations t.tsv")
    assert why in spanbridge(*line.split(), code=2).stderr


def test_no_such_input(place):
    with pytest.raises(InputError, match="no such file"):
        make_data_files(str(place / "nosuch"), str(place / "d"), means(place))
    assert not (place / "d").exists()
