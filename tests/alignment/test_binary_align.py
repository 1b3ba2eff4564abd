"""BinaryAlign against its published algorithm, written anew, on a tiny DeBERTa."""

import re
import shutil

import numpy as np
import pytest
import tiny_checkpoints
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer, DebertaV2Config, DebertaV2Model

from spanbridge.alignment import binary_align
from spanbridge.alignment.binary_align import BinaryAlign
from spanbridge.core.errors import InputError, RowError, SpanbridgeError
from spanbridge.core.records import file_digest

MARK = " [WORD_SEP] "
PAIRS = [
    ("The quick brown fox", "Angela Merkel besucht heute die Universität München"),
    ("Angela Merkel", "Angela Merkel ,"),
    (" ".join(tiny_checkpoints.SENTENCES[0].split()), "Berlin"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("binary") / "model"
    tokenizer = tiny_checkpoints.word_piece()
    tokenizer.add_special_tokens({"additional_special_tokens": [MARK]})
    tokenizer.save_pretrained(place)
    torch.manual_seed(2)
    config = DebertaV2Config(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=512,
        relative_attention=True,
        pos_att_type=["p2c", "c2p"],
        initializer_range=0.3,
    )
    model = DebertaV2Model(config).eval()
    model.save_pretrained(place)
    weights = {f"deberta.{name}": value for name, value in model.state_dict().items()}
    weights["classifier.weight"] = torch.randn(1, 32) * 0.5
    weights["classifier.bias"] = torch.randn(1) * 0.1
    save_file({n: w.contiguous() for n, w in weights.items()}, place / "model.safetensors")
    return place


def published(folder, source, target):
    """Links as its authors' code finds them: sigmoid, best subword, mean of both, above .5."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = DebertaV2Model.from_pretrained(folder).eval()
    weights = load_file(folder / "model.safetensors")
    weight, bias = weights["classifier.weight"][0], weights["classifier.bias"]

    def direction(first, second):
        found = {}
        for n, word in enumerate(first):
            marked = [*first[:n], MARK, word, MARK, *first[n + 1 :]]
            left = [i for w in marked for i in tokenizer(w, add_special_tokens=False).input_ids]
            right = [tokenizer(w, add_special_tokens=False).input_ids for w in second]
            cls, sep = tokenizer.cls_token_id, tokenizer.sep_token_id
            ids = [cls, *left, sep, *(i for w in right for i in w), sep]
            places = [-1] * (len(left) + 2) + [k for k, w in enumerate(right) for _ in w] + [-1]
            with torch.no_grad():
                states = model(torch.tensor([ids]))[0][0]
            scores = torch.sigmoid(states @ weight + bias)
            for place, score in zip(places, scores.tolist(), strict=True):
                if place >= 0:
                    found[n, place] = max(found.get((n, place), 0), score)
        return found

    there, back = direction(source, target), direction(target, source)
    means = {(i, j): (there[i, j] + back[j, i]) / 2 for i, j in there}
    return {pair: mean for pair, mean in means.items() if mean > 0.5}


def test_links_are_the_published_ones(folder, pair):
    aligner = BinaryAlign(str(folder))
    pairs = [pair(*texts) for texts in PAIRS]
    n_links, n_cells = 0, 0
    for one, found in zip(pairs, aligner.align(pairs), strict=True):
        expected = published(folder, one.source.words, one.target.words)
        assert list(found.pairs) == sorted(expected)
        np.testing.assert_allclose(found.scores, [expected[p] for p in found.pairs], atol=1e-5)
        n_links += len(found.pairs)
        n_cells += len(one.source.words) * len(one.target.words)
    assert 0 < n_links < n_cells


def test_empty_and_long_rows(folder, pair):
    aligner = BinaryAlign(str(folder))
    empty, long, one = aligner.align(
        [pair("", "a b"), pair("a " * 300, "b " * 300), pair("in", "in")]
    )
    assert (empty.pairs, empty.n_source, empty.n_target) == ((), 0, 2)
    assert isinstance(long, RowError)
    assert "605 subwords of both sides, more than 512; split the row" in str(long)
    assert one.n_source == 1


def test_signature_and_licence(folder):
    aligner = BinaryAlign(str(folder), min_score=0.7)
    pattern = r"binaryalign\(model@[0-9a-f]{8},cpu,min_score=0.7\)"
    assert re.fullmatch(pattern, aligner.describe())
    assert aligner.licence == "unknown"
    with pytest.raises(SpanbridgeError, match=r"min_score is 1, but lies in \[0, 1\)"):
        BinaryAlign(str(folder), min_score=1)


def test_the_published_checkpoint_is_fetched_once(folder, monkeypatch, tmp_path):
    asked = []

    def fetch(url, path, sha256):
        asked.append(url)
        path.write_bytes((folder / path.name).read_bytes())

    files = tuple(
        binary_align.ModelFile(file.url, file_digest(folder / file.name))
        for file in binary_align.PUBLISHED
    )
    monkeypatch.setenv("SPANBRIDGE_CACHE", str(tmp_path))
    monkeypatch.setattr(binary_align, "PUBLISHED", files)
    monkeypatch.setattr("spanbridge.datasets.models.fetch", fetch)
    assert BinaryAlign().licence == "cc-by-nc-4.0"
    BinaryAlign()
    assert asked == [file.url for file in files]


def test_other_models_are_refused(folder, tmp_path):
    other = tiny_checkpoints.save(tmp_path / "bert", "bert")
    with pytest.raises(InputError, match=r"has no token \[WORD_SEP\]; is it BinaryAlign's"):
        BinaryAlign(str(other))
    broken = shutil.copytree(folder, tmp_path / "broken")
    weights = load_file(broken / "model.safetensors")
    for name in ("classifier.bias", next(n for n in sorted(weights) if "encoder.layer.1" in n)):
        save_file({n: w for n, w in weights.items() if n != name}, broken / "model.safetensors")
        with pytest.raises(InputError, match=r"holds no tensor .*is it BinaryAlign's"):
            BinaryAlign(str(broken))
