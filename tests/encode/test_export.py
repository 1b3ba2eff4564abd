"""The embedded encoder as a checkpoint: for transformers what it is for us."""

import sys

import numpy as np
import pytest
from tiny_checkpoints import hidden_states

from spanbridge.core.errors import MissingExtraError
from spanbridge.encode.export import export_embedded
from spanbridge.encode.tokenizer import HuggingFaceTokenizer


@pytest.fixture(scope="module")
def exported(embedded_file):
    return export_embedded()


@pytest.mark.parametrize("package", ["safetensors", "tokenizers"])
def test_packages_absent(embedded_file, monkeypatch, tmp_path, package):
    monkeypatch.setenv("SPANBRIDGE_CACHE", str(tmp_path))
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=f"a checkpoint needs {package}, which is not"):
        export_embedded()


@pytest.mark.slow
@pytest.mark.parametrize(
    "words", ["Angela Merkel besuchte München .", "Москва 北京 दिल्ली 1,000", "වාර්තා\u200d x"]
)
def test_states_are_those_of_our_encoder(exported, embedded_float32, words):
    """transformers' own tokenizer and model, to the layer that the aligners take."""
    words = [word for word in words.split() if word != "北京"]  # ours joins such words
    states, of = hidden_states(exported, words, 7)
    [encoded] = embedded_float32.encode([words])
    assert of == encoded.first.tolist()
    np.testing.assert_allclose(states, encoded.states, atol=2e-4)


@pytest.mark.slow
def test_real_words_are_split_as_by_sentencepiece(exported, embedded, real_data):
    """All but a few with several combining marks, which the two libraries compose otherwise."""
    words = set()
    for name in ("masakhaner2/yor/dev.txt", "masakhaner2/swa/dev.txt", "news-ner/de/dev.txt"):
        lines = (real_data / name).read_text("utf-8").splitlines()
        words |= {line.split()[0] for line in lines if line.strip()}
    ordered = sorted(words)
    ours = embedded.tokenizer.encode_words(ordered)
    theirs = HuggingFaceTokenizer(exported / "tokenizer.json", 250_037).encode_words(ordered)
    n_same = sum(a == b for a, b in zip(ours, theirs, strict=True))
    assert n_same / len(ordered) > 0.99
