"""Real architectures and tokenizer classes with random weights: what comes out is noise, but whose
noise it is can be checked against transformers."""

import shutil
import sys

import pytest
import tiny_translators
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

from spanbridge import InputError, SpanbridgeError
from spanbridge.core.errors import MissingExtraError
from spanbridge.core.requirements import allows_commercial_use
from spanbridge.core.rows import OK
from spanbridge.formats.languages import find_language
from spanbridge.translation.base import UnsupportedPairError
from spanbridge.translation.neural import NeuralTranslator

KINDS = ("nllb", "m2m", "marian")
TEXTS = [*tiny_translators.TEXT[:4], "the city", "x", "Berlin Berlin"]
ENGLISH, SPANISH = find_language("en"), find_language("es")


@pytest.mark.parametrize(
    "kind", ["nllb", *(pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS[1:])]
)
def test_greedy_is_that_of_transformers(folders, kind):
    """The same tokens in, the language forced, the same tokens out (float32, greedy)."""
    translator = NeuralTranslator(str(folders[kind]), "float32", beam=1)
    tokenizer = AutoTokenizer.from_pretrained(folders[kind])
    model = AutoModelForSeq2SeqLM.from_pretrained(folders[kind]).eval()
    forced = {}
    if kind != "marian":
        tokenizer.src_lang = "eng_Latn" if kind == "nllb" else "en"
        name = "spa_Latn" if kind == "nllb" else "__es__"
        forced = {"forced_bos_token_id": tokenizer.convert_tokens_to_ids(name)}
    for text, found in zip(TEXTS, translator.translate(TEXTS, ENGLISH, SPANISH), strict=True):
        inputs = tokenizer(text, return_tensors="pt")
        longest = 2 * inputs["input_ids"].shape[1] + 32
        with torch.no_grad():
            ids = model.generate(**inputs, **forced, num_beams=1, max_new_tokens=longest)[0]
        # transformers 5 takes M2M-100's languages for words
        theirs = tokenizer.decode(ids, skip_special_tokens=True).removeprefix("__es__")
        n = min(len(theirs), len(found.text), 20)  # where it is cut differs
        assert found.text[:n] == theirs[:n]
        assert bool(found.text) == bool(theirs)
        assert found.score is None or found.score <= 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_sentence_depends_on_itself_alone(folders, kind):
    translator = NeuralTranslator(str(folders[kind]), beam=2)
    together = translator.translate(TEXTS * 3, ENGLISH, SPANISH)
    assert together[: len(TEXTS)] * 3 == together
    assert [translator.translate([text], ENGLISH, SPANISH)[0] for text in TEXTS] == together[:7]


def test_what_is_too_long_fails_and_what_does_not_end_is_said(folders):
    translator = NeuralTranslator(str(folders["marian"]), beam=1)
    long, short = translator.translate(["the city " * 400, "the city"], ENGLISH, SPANISH)
    assert long.text == ""
    assert long.status.startswith("failed: ")
    assert short.status == OK or short.status.startswith("suspect: did not end")


def test_languages_that_it_does_not_know(folders):
    for kind, known in (("nllb", "swh_Latn"), ("m2m", " sw, ")):
        translator = NeuralTranslator(str(folders[kind]))
        with pytest.raises(UnsupportedPairError, match=f"does not know bbj; it knows: .*{known}"):
            translator.translate(["x"], ENGLISH, find_language("bbj"))


def test_licences(folders):
    found = {kind: NeuralTranslator(str(folders[kind])) for kind in KINDS}
    assert {k: (t.licence, allows_commercial_use(t.licence)) for k, t in found.items()} == {
        "nllb": ("cc-by-nc-4.0", False),
        "m2m": ("mit", True),
        "marian": ("unknown", False),
    }
    assert {k: t.multilingual for k, t in found.items()} == {
        "nllb": True,
        "m2m": True,
        "marian": False,
    }
    card = folders["marian"] / "README.md"
    card.write_text("---\nlanguage: en\nlicense: cc-by-4.0\n---\n", encoding="utf-8")
    marian = NeuralTranslator(str(folders["marian"]))
    assert marian.licence == "cc-by-4.0"
    card.unlink()


def test_refusals(folders, tmp_path):
    with pytest.raises(SpanbridgeError, match="beam is 0"):
        NeuralTranslator(str(folders["m2m"]), beam=0)
    with pytest.raises(InputError, match="has no weights"):
        NeuralTranslator(str(tmp_path))
    (tmp_path / "config.json").write_text('{"model_type": "bert"}', encoding="utf-8")
    (tmp_path / "config.json").write_text('{"model_type": "marian"}', encoding="utf-8")
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(InputError, match=r"pytorch_model\.bin: is a pickle"):
        NeuralTranslator(str(tmp_path))
    (tmp_path / "model.safetensors").write_bytes(b"cut")
    with pytest.raises(SpanbridgeError, match=r"model\.safetensors: "):
        NeuralTranslator(str(tmp_path))


def test_weights_that_are_no_numbers_are_not_converted(folders, monkeypatch, tmp_path):
    monkeypatch.setenv("SPANBRIDGE_CACHE", str(tmp_path / "cache"))
    folder = shutil.copytree(folders["m2m"], tmp_path / "m2m")
    weights = load_file(folder / "model.safetensors")
    name = next(name for name in weights if name.endswith("fc1.weight"))
    weights[name][0, 0] = float("nan")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match=rf"safetensors: is damaged: a number in '{name}' is not"):
        NeuralTranslator(str(folder))
    assert not list((tmp_path / "cache").glob("*translator*"))


def test_settings_are_checked_before_anything_is_fetched(monkeypatch):
    def fetched(*args, **kwargs):
        raise AssertionError("fetched")

    monkeypatch.setattr("spanbridge.translation.neural.checkpoint_folder", fetched)
    for option in ({"device": "gpu"}, {"compute_type": "int3"}, {"threads": 0}, {"beam": 0}):
        with pytest.raises(SpanbridgeError, match=r"'gpu'|'int3'|threads is 0|beam is 0"):
            NeuralTranslator("facebook/nllb", **option)


@pytest.mark.parametrize("package", ["torch", "transformers"])
def test_conversion_without_its_packages(folders, monkeypatch, tmp_path, package):
    monkeypatch.setenv("SPANBRIDGE_CACHE", str(tmp_path))
    monkeypatch.setitem(sys.modules, package, None)
    why = f"converting this checkpoint needs {package}, which is not installed: .*pip install"
    with pytest.raises(MissingExtraError, match=why):
        NeuralTranslator(str(folders["m2m"]))


@pytest.mark.slow
def test_from_the_command_line(spanbridge, folders, tmp_path):
    (tmp_path / "en.txt").write_text("the city\n\nBerlin\n", encoding="utf-8")
    common = "translate --source en.txt --from en --to es -o o.jsonl"
    model = f"--translator neural --translator-model {folders['m2m']} --translator-option beam=1"
    done = spanbridge(*common.split(), *model.split())
    assert "3 rows" in done.stderr
    assert "beam=1" in done.stderr
    assert len((tmp_path / "o.jsonl").read_text("utf-8").splitlines()) == 3
    nllb = f"--translator neural --translator-model {folders['nllb']} --commercial"
    assert "cc-by-nc-4.0" in spanbridge(*common.split(), *nllb.split(), code=2).stderr
    assert "go together" in spanbridge(*common.split(), "--translator", "neural", code=2).stderr
    for option, why in (
        ("beam=none", "translator: neural: beam: must be"),
        ("beams=1", "neural: beams: there is no such setting (its options: model, "),
        ("beam", "--translator-option beam: write NAME=VALUE"),
    ):
        given = model.replace("beam=1", option)
        wrong = spanbridge(*common.split(), *given.split(), code=2)
        assert why in wrong.stderr
