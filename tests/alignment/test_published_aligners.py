"""The aligners as published against the packages of their authors, on the same checkpoints."""

import random
from itertools import chain

import pytest
import simalign
import tiny_adapters
import tiny_checkpoints
import tiny_translators
import torch
from awesome_align import modeling
from awesome_align.configuration_bert import BertConfig
from safetensors.torch import load_file
from transformers import AutoModel, AutoTokenizer

from spanbridge.alignment import published
from spanbridge.alignment.published import AccAlign, Awesome, Labse, SimAlign, TransAlign
from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.records import file_digest

LAYER = 2
# also words of a script without spaces, which both split one by one
WORDS = " ".join(tiny_checkpoints.SENTENCES[:5]).split() + list("北京天")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A checkpoint of mBERT's architecture."""
    return tiny_checkpoints.save(tmp_path_factory.mktemp("published") / "bert", "bert")


@pytest.fixture
def pairs(pair):
    rng = random.Random(3)
    return [pair(*(rng.choices(WORDS, k=rng.randint(1, 9)) for _ in "st")) for _ in range(20)]


@pytest.mark.parametrize(
    ("extraction", "method"),
    [(None, "itermax"), ("itermax", "itermax"), ("argmax", "inter"), ("match", "mwmf")],
)
def test_simalign(folder, pairs, extraction, method):
    theirs = simalign.SentenceAligner(str(folder), "bpe", matching_methods="ami", layer=LAYER)
    ours = SimAlign(str(folder), extraction, layer=LAYER, threads=1)
    for one, found in zip(pairs, ours.align(pairs), strict=True):
        sides = list(one.source.words), list(one.target.words)
        assert list(found.pairs) == theirs.get_word_aligns(*sides)[method]


@pytest.fixture(scope="module")
def awesome_align(folder):
    """Links of the package awesome-align, one pair at a time, as its program finds them."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("PAD", "CLS", "SEP"):
            patch.setattr(modeling, f"{name}_ID", getattr(tokenizer, f"{name.lower()}_token_id"))
        model = modeling.BertForMaskedLM(BertConfig.from_json_file(str(folder / "config.json")))
        weights = load_file(folder / "model.safetensors")
        own = {key.removeprefix("bert."): value for key, value in weights.items()}
        assert not model.bert.load_state_dict(own, strict=False).missing_keys
        model.eval()

        def ids(words):
            found = [tokenizer.convert_tokens_to_ids(tokenizer.tokenize(word)) for word in words]
            whole = [tokenizer.cls_token_id, *chain(*found), tokenizer.sep_token_id]
            return torch.tensor([whole]), [n for n, word in enumerate(found) for _ in word]

        def links(one, extraction, threshold=0.001):
            source, target = ids(one.source.words), ids(one.target.words)
            [found] = model.get_aligned_word(
                *(source[0], target[0], [source[1]], [target[1]], "cpu", 0, 0),
                align_layer=LAYER,
                extraction=extraction,
                softmax_threshold=threshold,
                test=True,
            )
            return sorted(found)

        yield links


@pytest.mark.parametrize(("extraction", "theirs"), [(None, "softmax"), ("entmax", "entmax15")])
def test_awesome(folder, pairs, awesome_align, extraction, theirs):
    ours = Awesome(str(folder), extraction, layer=LAYER, threads=1)
    n_links = 0
    for one, found in zip(pairs, ours.align(pairs), strict=True):
        assert list(found.pairs) == awesome_align(one, theirs)
        n_links += len(found.pairs)
    assert n_links > 2 * len(pairs)


def test_labse(folder, pairs, awesome_align):
    """LaBSE's architecture is BERT's; its probabilities are those of awesome-align."""
    ours = Labse(str(folder), layer=LAYER, threads=1)
    found = ours.align(pairs)
    assert [list(one.pairs) for one in found] == [
        awesome_align(pair, "softmax", 0.1) for pair in pairs
    ]
    assert "softmax,min_score=0.1" in ours.describe()
    more = Awesome(str(folder), layer=LAYER, threads=1).align(pairs)
    assert sum(len(one.pairs) for one in found) < sum(len(one.pairs) for one in more)


def links_of(states, words, threshold):
    """Links as in the code of AccAlign and TransAlign: both softmaxes exceed the threshold."""
    products = states[0] @ states[1].T
    linked = (products.softmax(1) > threshold) & (products.softmax(0) > threshold)
    return sorted({(words[0][i], words[1][j]) for i, j in linked.nonzero().tolist()})


def states_of(model, tokenizers, one, layer):
    """States of both sides and the word of each, as in the code of TransAlign."""
    states, words = [], []
    sides = one.source.words, one.target.words
    for tokenizer, side in zip(tokenizers, sides, strict=True):
        inputs = tokenizer(list(side), is_split_into_words=True, return_tensors="pt")
        with torch.no_grad():
            found = model(**inputs, output_hidden_states=True).hidden_states[layer]
        states.append(found[0, 1:-1])
        words.append(inputs.word_ids()[1:-1])
    return states, words


@pytest.mark.parametrize("kind", ["bottlenecks", "lora"])
def test_accalign(folder, pairs, tmp_path, kind):
    model = AutoModel.from_pretrained(folder).eval()
    if kind == "lora":
        shapes = {f"encoder.layer.{n}.output.dense": (32, 64) for n in range(3)}
        tensors, config = tiny_adapters.lora(shapes)
        adapter = tiny_adapters.write(tmp_path / "lora", tensors, config)
        for n, layer in enumerate(model.encoder.layer):
            key = f"base_model.model.encoder.layer.{n}.output.dense.lora_"
            product = tensors[f"{key}B.weight"] @ tensors[f"{key}A.weight"]
            layer.output.dense.weight.data += torch.tensor(product) * 6 / 2
    else:
        tensors, config = tiny_adapters.bottlenecks()
        adapter = tiny_adapters.write(tmp_path / "a", tensors, config, tiny_adapters.BOTTLENECKS)
        tiny_adapters.insert_bottlenecks(model, tensors)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ours = AccAlign(str(adapter), str(folder), layer=LAYER, threads=1)
    n_links = 0
    for one, found in zip(pairs, ours.align(pairs), strict=True):
        states, words = states_of(model, [tokenizer, tokenizer], one, LAYER)
        assert list(found.pairs) == links_of(states, words, 0.1)
        n_links += len(found.pairs)
    assert n_links > len(pairs)


def test_accalign_says_where_its_adapter_is():
    with pytest.raises(SpanbridgeError, match=r"accalign needs its adapter.*Google Drive.*labse"):
        AccAlign()


NLLB_PAIRS = [
    ("the president of Berlin", "el presidente de Madrid"),
    ("she said the meeting would take place", "dijo que la reunión sería el lunes"),
    ("Monday", "lunes lunes"),
]


@pytest.fixture(scope="module")
def nllb(tmp_path_factory):
    return tiny_translators.save_encoder(tmp_path_factory.mktemp("nllb") / "nllb", "nllb")


@pytest.fixture(scope="module")
def nllb_adapter(tmp_path_factory):
    """LoRA of both feed-forward maps, with the names that the published one has."""
    shapes = {f"layers.{n}.fc1": (32, 16) for n in range(2)}
    shapes |= {f"layers.{n}.fc2": (16, 32) for n in range(2)}
    adapter = tiny_adapters.lora(shapes, lora_alpha=32)
    return tiny_adapters.write(tmp_path_factory.mktemp("transalign") / "adapter", *adapter)


@pytest.mark.parametrize("adapted", [False, True])
def test_transalign(nllb, nllb_adapter, pair, adapted):
    model = AutoModel.from_pretrained(nllb).get_encoder().eval()
    if adapted:
        tensors = load_file(nllb_adapter / "adapter_model.safetensors")
        for n, layer in enumerate(model.layers):
            for name in ("fc1", "fc2"):
                a, b = (
                    tensors[f"base_model.model.layers.{n}.{name}.lora_{x}.weight"] for x in "AB"
                )
                getattr(layer, name).weight.data += b @ a * 32 / 2
    tokenizers = [AutoTokenizer.from_pretrained(nllb, src_lang=c) for c in ("eng_Latn", "spa_Latn")]
    adapter = str(nllb_adapter) if adapted else "none"
    ours = TransAlign("en", "spa", str(nllb), adapter, layer=2, threads=1)
    pairs = [pair(*texts) for texts in NLLB_PAIRS]
    for one, found in zip(pairs, ours.align(pairs), strict=True):
        assert list(found.pairs) == links_of(*states_of(model, tokenizers, one, 2), 0.001)
        assert found.pairs
    swapped = TransAlign("spa", "en", str(nllb), adapter, layer=2, threads=1)
    assert swapped.describe() != ours.describe()
    assert any(
        (a[0] != b[0]).any() for a, b in zip(ours.states(pairs), swapped.states(pairs), strict=True)
    )


def test_transalign_fetches_its_adapter_once(nllb, nllb_adapter, monkeypatch, tmp_path):
    """From where it was published, checked; the licence of both is said."""
    asked = []

    def fetch(url, path, sha256):
        asked.append(url)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((nllb_adapter / path.name).read_bytes())
        return sha256

    files = tuple(
        published.ModelFile(file.url, file_digest(nllb_adapter / file.name))
        for file in published.TRANSALIGN_ADAPTER
    )
    monkeypatch.setattr(published, "TRANSALIGN_ADAPTER", files)
    monkeypatch.setattr(published.TransAlign, "model", str(nllb))
    monkeypatch.setattr("spanbridge.datasets.models.fetch", fetch)
    monkeypatch.setenv("SPANBRIDGE_CACHE", str(tmp_path))  # which has nothing of earlier runs
    (nllb / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n")
    ours = TransAlign("en", "es", layer=2, threads=1)
    assert ours.licence == "cc-by-nc-4.0 + apache-2.0"
    TransAlign("en", "es", layer=1, threads=1)
    assert asked == [file.url for file in files]
    (nllb / "README.md").unlink()


def test_transalign_needs_an_adapter_for_another_encoder(nllb, folder):
    with pytest.raises(SpanbridgeError, match=r"adapter was trained for facebook/nllb.*=none"):
        TransAlign("en", "es", str(nllb))
    with pytest.raises(SpanbridgeError, match="this encoder has no tokens of languages"):
        TransAlign("en", "es", str(folder), "none", layer=2)
    with pytest.raises(SpanbridgeError, match="the encoder does not know got"):
        TransAlign("en", "got", str(nllb), "none", layer=2)


def test_without_a_hub_nothing_is_fetched(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    for make in (SimAlign, Labse, lambda: TransAlign("en", "de")):
        with pytest.raises(SpanbridgeError, match="Hugging Face Hub cannot be reached"):
            make()
    # what is wrong is said before a model is asked for
    with pytest.raises(SpanbridgeError, match="'xx' is no language code"):
        TransAlign("en", "xx")
    with pytest.raises(SpanbridgeError, match="adapter was trained for facebook/nllb"):
        TransAlign("en", "de", "org/other")


def test_the_extractions_of_the_other_are_refused(folder):
    with pytest.raises(SpanbridgeError, match="no extraction is named 'softmax'"):
        SimAlign(str(folder), "softmax", layer=LAYER)
    with pytest.raises(SpanbridgeError, match="no extraction is named 'itermax'"):
        Awesome(str(folder), "itermax", layer=LAYER)
