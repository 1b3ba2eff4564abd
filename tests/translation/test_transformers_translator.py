"""Tiny checkpoints through transformers, beside the same through CTranslate2."""

import sys

import pytest
import tiny_translators
import torch
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

from spanbridge import InputError, SpanbridgeError
from spanbridge.core.errors import MissingExtraError
from spanbridge.formats.languages import find_language
from spanbridge.translation.base import UnsupportedPairError
from spanbridge.translation.neural import NeuralTranslator
from spanbridge.translation.transformers_translator import TransformersTranslator

KINDS = ("nllb", "m2m", "marian")
TEXTS = [*tiny_translators.TEXT[:4], "the city", "", "Berlin Berlin"]
ENGLISH, SPANISH = find_language("en"), find_language("es")


@pytest.mark.parametrize(
    "kind", ["nllb", *(pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS[1:])]
)
def test_as_through_ctranslate2(folders, kind):
    mine = TransformersTranslator(str(folders[kind]), beam=1)
    other = NeuralTranslator(str(folders[kind]), "float32", beam=1)
    found = mine.translate(TEXTS, ENGLISH, SPANISH)
    for text, a, b in zip(TEXTS, found, other.translate(TEXTS, ENGLISH, SPANISH), strict=True):
        # transformers 5 takes M2M-100's languages for words
        theirs = a.text.removeprefix("__es__")
        n = min(len(theirs), len(b.text), 20)  # where it is cut differs
        if text:
            assert theirs[:n] == b.text[:n]
    assert found[5].status == "empty: no text"
    assert mine.describe(ENGLISH, SPANISH).startswith(f"transformers({kind}@")


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_sentence_depends_on_itself_alone(folders, kind):
    mine = TransformersTranslator(str(folders[kind]), beam=2)
    together = mine.translate(TEXTS * 2, ENGLISH, SPANISH)
    assert [mine.translate([text], ENGLISH, SPANISH)[0] for text in TEXTS] == together[:7]
    assert together[:7] == together[7:]


def test_languages_that_it_does_not_know(folders):
    mine = TransformersTranslator(str(folders["m2m"]))
    with pytest.raises(UnsupportedPairError, match="does not know bm.*it knows: .*, zu"):
        mine.translate(["x"], find_language("bam"), ENGLISH)


@pytest.mark.slow
def test_a_model_without_languages_has_a_prompt(tmp_path, folders):
    """T5, with whatever subwords."""
    fast = Tokenizer.from_file(str(folders["nllb"] / "tokenizer.json"))
    config = T5Config(
        vocab_size=fast.get_vocab_size(),
        d_model=16,
        d_kv=8,
        d_ff=32,
        num_layers=1,
        num_heads=2,
        pad_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=1,
    )
    torch.manual_seed(0)
    model = T5ForConditionalGeneration(config)
    for weights in model.parameters():  # as drawn, its first word is a special token for ever
        torch.nn.init.normal_(weights, std=0.5)
    model.save_pretrained(tmp_path)
    PreTrainedTokenizerFast(
        tokenizer_object=fast, eos_token="</s>", pad_token="<pad>", unk_token="<unk>"
    ).save_pretrained(tmp_path)
    plain = TransformersTranslator(str(tmp_path), beam=1)
    asked = TransformersTranslator(str(tmp_path), beam=1, prompt="{source} to {target}: ")
    found = asked.translate(TEXTS, ENGLISH, SPANISH)
    prompted = [text and f"en to es: {text}" for text in TEXTS]
    assert found == plain.translate(prompted, ENGLISH, SPANISH)
    assert found != plain.translate(TEXTS, ENGLISH, SPANISH)
    assert any(t.text for t in found)
    assert "prompt" in asked.describe(ENGLISH, SPANISH)


def test_the_licence_is_on_the_card(folders):
    assert TransformersTranslator(str(folders["m2m"])).licence == "unknown"
    card = folders["m2m"] / "README.md"
    card.write_text("---\nlicense: mit\n---\n", encoding="utf-8")
    assert TransformersTranslator(str(folders["m2m"])).licence == "mit"
    card.unlink()


@pytest.mark.parametrize("package", ["torch", "transformers"])
def test_packages_absent(monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    why = f"TransformersTranslator needs {package}, which is not installed: .*pip install"
    with pytest.raises(MissingExtraError, match=why):
        TransformersTranslator("nosuch")


def test_refusals(tmp_path, folders):
    (tmp_path / "config.json").write_text('{"model_type": "marian"}')
    with pytest.raises(InputError, match="has no weights"):
        TransformersTranslator(str(tmp_path))
    with pytest.raises(SpanbridgeError, match="both are at least 1"):
        TransformersTranslator(str(folders["marian"]), beam=0)
