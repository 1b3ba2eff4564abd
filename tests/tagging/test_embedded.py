"""The embedded tagger: what is in the package finds names, and what is damaged is said."""

import json
import shutil
import sys

import numpy as np
import pytest

from spanbridge.core.errors import InputError
from spanbridge.core.learned import read_arrays
from spanbridge.evaluation import evaluate_spans
from spanbridge.formats import read_labelled
from spanbridge.tagging import embedded_tagger
from spanbridge.tagging.embedded_tagger import ARRAYS, FOLDER, RECORD, EmbeddedTagger

# A sentence of ours for each script; the names in the middle of the range of difficulty.
NAMES = {
    "en": ("Yesterday Angela Merkel visited Paris .", {("Angela Merkel", "PER"), ("Paris", "LOC")}),
    "de": ("Peter Müller wohnt in Berlin .", {("Peter Müller", "PER"), ("Berlin", "LOC")}),
    "ru": ("Владимир Петров живёт в Москве .", {("Владимир Петров", "PER"), ("Москве", "LOC")}),
    "ar": ("يعيش محمد علي في القاهرة .", {("محمد علي", "PER"), ("القاهرة", "LOC")}),
    "hi": ("राहुल गांधी दिल्ली में रहते हैं ।", {("राहुल गांधी", "PER"), ("दिल्ली", "LOC")}),
}


@pytest.fixture(scope="module")
def tagger() -> EmbeddedTagger:
    return EmbeddedTagger(threads=1)


@pytest.mark.parametrize("language", NAMES)
def test_names_in_several_scripts(tagger, language):
    text, names = NAMES[language]
    words = text.split()
    [found] = tagger.tag([words])
    assert {(" ".join(words[s.start : s.end]), s.label) for s in found.spans} == names
    assert all(0.5 < span.score <= 1 for span in found.spans)


def test_it_says_what_it_is(tagger):
    assert tagger.classes == ("O", "B-LOC", "I-LOC", "B-ORG", "I-ORG", "B-PER", "I-PER")
    assert tagger.describe().startswith("embedded(multilingual-e5-small@")
    assert tagger.licence == "CC-BY-SA-4.0"
    assert "CC BY-SA 4.0" in (FOLDER / "README.md").read_text("utf-8")


@pytest.mark.slow
def test_it_needs_neither_torch_nor_a_hub(monkeypatch):
    import ctranslate2.converters  # noqa: F401  # which keeps whether there was torch, for all tests

    for name in ("torch", "transformers", "tokenizers", "safetensors", "huggingface_hub"):
        monkeypatch.setitem(sys.modules, name, None)
    [found] = EmbeddedTagger(threads=1).tag([["Angela", "Merkel", "sleeps", "."]])
    assert [span.label for span in found.spans] == ["PER"]


def test_the_package_stays_small():
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 15e6


@pytest.fixture
def copied(tmp_path, monkeypatch):
    shutil.copytree(FOLDER, tmp_path / "embedded")
    monkeypatch.setattr(embedded_tagger, "FOLDER", tmp_path / "embedded")
    return tmp_path / "embedded"


def test_a_damaged_package_is_said(copied):
    content = bytearray((copied / ARRAYS).read_bytes())
    content[len(content) // 2] ^= 1
    (copied / ARRAYS).write_bytes(content)
    with pytest.raises(InputError, match=rf"{ARRAYS}: is damaged.*install the package again"):
        EmbeddedTagger()
    (copied / ARRAYS).unlink()
    with pytest.raises(InputError, match=rf"{ARRAYS}: cannot be read"):
        EmbeddedTagger()


def test_a_record_that_was_edited_is_refused(copied):
    about = json.loads((copied / RECORD).read_text("utf-8"))
    about["classes"] = about["classes"][::-1]
    (copied / RECORD).write_text(json.dumps(about), "utf-8")
    with pytest.raises(InputError, match=r"tagger\.json: is damaged, or was changed by hand"):
        EmbeddedTagger()


def test_the_lower_layers_are_the_encoders():
    """What was frozen is not in the file; what was trained is, in four bits."""
    arrays = read_arrays(FOLDER / ARRAYS, "")
    layers = {int(name.split(".")[0]) for name in arrays if name[0].isdigit()}
    frozen = json.loads((FOLDER / RECORD).read_text("utf-8"))["training"]["settings"]
    assert layers == set(range(frozen["frozen_layers"], 12))
    assert arrays["11.query.weight.nibbles"].dtype == np.uint8


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "least"),
    [
        ("uner/en-ewt/dev.conll", 0.72),
        ("news-ner/en/dev.txt", 0.77),
        ("masakhaner2/swa/dev.txt", 0.8),
    ],
)
def test_scores_on_real_text_and_int8(real_data, tagger, path, least):
    """F1 over PER, ORG and LOC, of every sixth sentence; of some of them, int8 against float32."""
    rows = [s for s in read_labelled(real_data / path) if s.words][::6]
    gold = [
        s.with_spans(tuple(x for x in s.spans if x.label in ("PER", "ORG", "LOC"))) for s in rows
    ]
    found = tagger.tag([s.words for s in rows])
    predicted = [g.with_spans(t.spans) for g, t in zip(gold, found, strict=True)]
    assert evaluate_spans(gold, predicted).micro.f1 > least
    exact = EmbeddedTagger("float32", threads=1).tag([s.words for s in rows[::3]])
    places = [[[span[:3] for span in t.spans] for t in tagged] for tagged in (found[::3], exact)]
    n_same = sum(one == other for one, other in zip(*places, strict=True))
    assert n_same >= len(exact) - 2
