"""The taggers: one result whatever runs the model, any input, clear refusals."""

import json
import random
import shutil
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import spacy
import tiny_checkpoints
import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer

from spanbridge.api import Loaded
from spanbridge.core.errors import InputError, MissingExtraError, SpanbridgeError
from spanbridge.core.installation import install_command
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence
from spanbridge.tagging.checkpoint_tagger import CheckpointTagger
from spanbridge.tagging.encoder_tagger import least_margin
from spanbridge.tagging.spacy_tagger import SpacyTagger
from spanbridge.tagging.transformers_tagger import (
    TransformersTagger,
    load_classifier,
    longest_input,
)

KINDS = ("bert-tagger", "xlm-roberta-tagger", "distilbert-tagger")
SENTENCES = [sentence.split() for sentence in tiny_checkpoints.SENTENCES]
ODD = [[], [""], ["\u200b", "Berlin", ""], ["x" * 300], ["👩‍👩‍👧", "أحمد"]]


def long(n, seed=0):
    return random.Random(seed).choices(SENTENCES[0], k=n)


@pytest.mark.parametrize("kind", KINDS)
def test_probabilities_are_those_of_transformers(tiny_tagger, kind):
    """Of each word's first subword, by transformers' own tokenizer and model."""
    folder = tiny_tagger(kind)
    model = AutoModelForTokenClassification.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tagger = CheckpointTagger(str(folder), compute_type="float32")
    for words, found in zip(SENTENCES, tagger.tag(SENTENCES), strict=True):
        inputs = tokenizer(words, is_split_into_words=True, return_tensors="pt")
        with torch.no_grad():
            p = model(**inputs).logits[0].softmax(-1).numpy()
        of = inputs.word_ids()
        first = [of.index(n) for n in range(len(words))]
        np.testing.assert_allclose(found.probabilities, p[first], atol=2e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_both_taggers_find_the_same(tiny_tagger, kind):
    folder = str(tiny_tagger(kind))
    one, other = CheckpointTagger(folder, compute_type="float32"), TransformersTagger(folder)
    assert one.classes == other.classes == ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
    sentences = [*SENTENCES, *ODD, long(200), long(700, 1), long(119, 2)]
    for words, a, b in zip(sentences, one.tag(sentences), other.tag(sentences), strict=True):
        assert a.n_words == b.n_words == len(words) == len(a.tags)
        np.testing.assert_allclose(a.probabilities, b.probabilities, atol=3e-5)
        assert [s[:3] for s in a.spans] == [s[:3] for s in b.spans]
        np.testing.assert_allclose(a.probabilities.sum(1), 1, atol=1e-5)


def test_words_without_subwords_are_outside(tiny_tagger):
    [found] = CheckpointTagger(str(tiny_tagger("xlm-roberta-tagger"))).tag([["", "fox"]])
    np.testing.assert_array_equal(found.probabilities[0], [1, 0, 0, 0, 0])
    assert (found.probabilities[1] > 0).all()


def test_the_same_bits_in_any_company(tiny_tagger):
    folder = str(tiny_tagger("bert-tagger"))
    sentences = [*SENTENCES, *ODD, long(200)]
    alone = CheckpointTagger(folder, threads=1)
    expected = [alone.tag([words])[0] for words in sentences]
    for threads in (1, 2):
        found = CheckpointTagger(folder, threads=threads).tag(sentences[::-1])[::-1]
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_array_equal(a.probabilities, b.probabilities)
            assert a.spans == b.spans


def test_least_margin_by_hand():
    logits = np.array([[0, 3, 1], [5, 4.5, -2]], np.float32)
    assert least_margin(logits) == 0.5
    assert least_margin(logits[:1]) == 2
    assert least_margin(logits[:0]) == least_margin(logits[:, :1]) == float("inf")


def test_unsure_sentences_are_read_again_in_float32(tiny_tagger):
    """Those below the margin and no others; without a margin float32 is never loaded."""
    folder = str(tiny_tagger("distilbert-tagger"))
    sentences = [*SENTENCES, *ODD, long(200)]
    rounded = CheckpointTagger(folder, recheck=0)
    exact = CheckpointTagger(folder, compute_type="float32").tag(sentences)
    coarse = rounded.tag(sentences)
    assert rounded._exact is None
    margins = [
        least_margin(rounded._logits(encoded)[0]) for encoded in rounded._encoder.encode(sentences)
    ]
    for value in (float(np.median(margins)), 1e9):
        tagger = CheckpointTagger(folder, recheck=value)
        assert f"recheck={value:g}" in tagger.describe()
        found = tagger.tag(sentences)
        assert tagger.n_rechecked == sum(margin < value for margin in margins)
        for n, margin in enumerate(margins):
            expected = exact[n] if margin < value else coarse[n]
            np.testing.assert_array_equal(found[n].probabilities, expected.probabilities)
    with pytest.raises(SpanbridgeError, match="recheck is -1"):
        CheckpointTagger(folder, recheck=-1)


def test_other_schemes(tiny_tagger):
    folder = str(tiny_tagger("bert-tagger", ("B-A", "I-A", "E-A", "S-A", "O")))
    for make in (CheckpointTagger, TransformersTagger):
        tagger = make(folder)
        assert tagger.classes == ("O", "B-A", "I-A")
        assert "bioes" in tagger.describe()
        assert all(t.probabilities.shape[1] == 3 for t in tagger.tag(SENTENCES))


@pytest.mark.parametrize("make", [CheckpointTagger, TransformersTagger])
def test_an_encoder_is_no_tagger(make, tmp_path):
    folder = tiny_checkpoints.save(tmp_path / "encoder", "bert")
    with pytest.raises(SpanbridgeError, match="is it a tagger"):
        make(str(folder))


@pytest.mark.parametrize("make", [CheckpointTagger, TransformersTagger])
def test_an_encoder_with_the_names_of_classes(make, tmp_path):
    """Its classifier would be random numbers."""
    names = {0: "O", 1: "B-A", 2: "I-A"}
    folder = tiny_checkpoints.save(tmp_path / "encoder", "bert", id2label=names)
    with pytest.raises(InputError, match="holds no tensor 'classifier"):
        make(str(folder))


@pytest.mark.parametrize("device", ["cuda:99", "abacus"])
def test_no_such_device(tiny_tagger, device):
    with pytest.raises(SpanbridgeError, match=f"the device '{device}' cannot be used"):
        TransformersTagger(str(tiny_tagger("bert-tagger")), device=device)


def test_a_head_of_another_size(tiny_tagger, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(tiny_tagger("bert-tagger"), folder)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config["id2label"] = {"0": "O", "1": "B-A"}
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(SpanbridgeError, match="5 outputs, but config.json names 2"):
        CheckpointTagger(str(folder))


@pytest.mark.parametrize("make", [CheckpointTagger, TransformersTagger])
@pytest.mark.parametrize("left", [0, 7, 2000])
def test_a_damaged_file_is_named(tiny_tagger, tmp_path, make, left):
    folder = tmp_path / "copy"
    shutil.copytree(tiny_tagger("bert-tagger"), folder)
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(InputError, match=r"model\.safetensors: is not a safetensors file"):
        make(str(folder))


@pytest.mark.parametrize("make", [CheckpointTagger, TransformersTagger])
def test_the_licence_is_on_the_card(tiny_tagger, tmp_path, make):
    assert make(str(tiny_tagger("bert-tagger"))).licence == "unknown"
    folder = shutil.copytree(tiny_tagger("bert-tagger"), tmp_path / "copy")
    (folder / "README.md").write_text("---\nlicense: CC-BY-4.0\n---\n", encoding="utf-8")
    assert make(str(folder)).licence == "cc-by-4.0"


@pytest.mark.parametrize(
    ("make", "module"),
    [
        (CheckpointTagger, "safetensors"),
        (CheckpointTagger, "tokenizers"),
        (TransformersTagger, "torch"),
        (TransformersTagger, "transformers"),
        (SpacyTagger, "spacy"),
    ],
)
def test_packages_absent(monkeypatch, make, module):
    """Said at once, before the model is looked for."""
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError) as caught:
        make("nosuch")
    says = f"{make.__name__} needs {module}, which is not installed: {install_command(module)}"
    assert str(caught.value) == says


def test_a_classifier_without_torch(monkeypatch, tiny_tagger):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match="a token classifier .* needs torch, which is not"):
        load_classifier(tiny_tagger("bert-tagger"))


def test_a_checkpoint_without_names(tiny_tagger, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(tiny_tagger("bert-tagger"), folder)
    (folder / "config.json").write_text('{"model_type": "bert"}', "utf-8")
    with pytest.raises(InputError):
        CheckpointTagger(str(folder))


def test_spacy(tmp_path):
    """A blank pipeline with a list of names; the words are ours, empty ones too."""
    pipeline = spacy.blank("xx")
    ruler = pipeline.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "LOC", "pattern": "New York"}])
    pipeline.to_disk(tmp_path / "pipeline")
    tagger = SpacyTagger(str(tmp_path / "pipeline"))
    assert tagger.classes == ("O", "B-LOC", "I-LOC")
    found = tagger.tag([["in", "New", "York", "."], [], ["", "x"]])
    assert [f.tags for f in found] == [["O", "B-LOC", "I-LOC", "O"], [], ["O", "O"]]
    assert found[0].probabilities is None
    assert found[1].empty_probability is None
    assert tagger.licence == "unknown"
    made = Loaded([{"tag": {"tagger": tagger}}])
    told = made.run([SentencePair("1", Sentence(("in", "Bonn")), Sentence(()))]).account.text()
    assert "1 rows passed a model that brings code of its own, which was run" in told
    pipeline.meta["license"] = "MIT"
    pipeline.to_disk(tmp_path / "licensed")
    assert SpacyTagger(str(tmp_path / "licensed")).licence == "MIT"
    for name, more in (("rules", {}), ("spans", {"spans_key": None, "annotate_ents": True})):
        pipeline.add_pipe("span_ruler" if more else "entity_ruler", name=name, config=more)
        pipeline.get_pipe(name).add_patterns([{"label": name, "pattern": "Bonn"}])
    pipeline.to_disk(tmp_path / "more")
    more = SpacyTagger(str(tmp_path / "more"))
    assert set(more.classes[1::2]) == {"B-LOC", "B-rules", "B-spans"}
    assert more.describe() != tagger.describe()
    spacy.blank("xx").to_disk(tmp_path / "blank")
    with pytest.raises(SpanbridgeError, match="has no entity recogniser"):
        SpacyTagger(str(tmp_path / "blank"))
    with pytest.raises(SpanbridgeError, match="has no pipeline 'nosuch'"):
        SpacyTagger("nosuch")


@pytest.mark.parametrize(
    ("config", "longest"),
    [
        ({"model_type": "bert", "max_position_embeddings": 64}, 64),
        ({"model_type": "xlm-roberta", "max_position_embeddings": 66, "pad_token_id": 1}, 64),
        ({"model_type": "mpnet", "max_position_embeddings": 66, "pad_token_id": 1}, 64),
        ({"model_type": "xlnet", "max_position_embeddings": -1}, 512),
        ({"model_type": "t5"}, 512),
    ],
)
def test_how_much_a_model_reads_at_once(config, longest):
    assert longest_input(SimpleNamespace(**config)) == longest
