"""The encoder's promises: states that depend on the sentence alone, windows, each sentence once."""

import gc
import random
import weakref
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_checkpoints import SENTENCES

from spanbridge.core.errors import SpanbridgeError
from spanbridge.encode import load_encoder
from spanbridge.encode.encoder import windows
from spanbridge.encode.load import EMBEDDED

# Several of each length, for only sentences of one length share a batch.
VOCABULARY = " ".join(SENTENCES[:5]).split()
LENGTHS = (1, 1, 1, 2, 3, 3, 5, 5, 5, 5, 8, 8, 13, 20)
SAMPLE = [random.Random(n).sample(VOCABULARY, length) for n, length in enumerate(LENGTHS * 2)]


def fresh(name=EMBEDDED, **options):
    """An encoder that remembers nothing yet."""
    return load_encoder(str(name), **options)


def states_of(encoded):
    return [sentence.states for sentence in encoded]


def assert_same_bits(found, expected):
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == b.dtype == np.float32
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("compute_type", ["int8", "float32", "int8_float32"])
def test_states_depend_on_the_sentence_alone(tiny, compute_type):
    """Bit for bit the same alone, in any batch, in any order, with one thread or two."""
    for kind in ("bert", "roberta"):
        alone = fresh(tiny(kind), compute_type=compute_type, threads=1)
        expected = [alone.encode([words])[0].states for words in SAMPLE]
        for threads in (1, 2):
            together = fresh(tiny(kind), compute_type=compute_type, threads=threads)
            assert_same_bits(states_of(together.encode(SAMPLE)), expected)
            order = random.Random(threads).sample(range(len(SAMPLE)), len(SAMPLE))
            shuffled = fresh(tiny(kind), compute_type=compute_type, threads=threads)
            found = shuffled.encode([SAMPLE[n] for n in order])
            assert_same_bits(states_of(found), [expected[n] for n in order])


@pytest.mark.slow
def test_embedded_states_depend_on_the_sentence_alone(real_data, embedded_file):
    """The same for the real model and 50 real sentences, in the default compute type."""
    lines = (real_data / "europarl-ner" / "de.dev.conll").read_text("utf-8").split("\n\n")[:50]
    sentences = [[row.split("\t")[0] for row in block.split("\n") if row] for block in lines]
    alone = fresh(threads=1)
    expected = [alone.encode([words])[0].states for words in sentences]
    for threads in (1, 2):
        together = fresh(threads=threads)
        assert_same_bits(states_of(together.encode(sentences)), expected)
        assert_same_bits(states_of(together.encode(sentences[::-1])), expected[::-1])


def test_batches_are_of_one_length_and_bounded(tiny, monkeypatch):
    """int8 runs equal lengths together, which the test above shows to be harmless."""
    monkeypatch.setattr("spanbridge.encode.encoder._BATCH_TOKENS", 8)
    encoder = fresh(tiny("bert"), threads=1)
    encoder.encode([[]])  # asks the model once how long a state is
    model = encoder._model
    shapes = []

    forward = model.forward

    def watched(inputs):
        shapes.append((len(inputs), {len(ids) for ids in inputs}))
        return forward(inputs)

    monkeypatch.setattr(model, "forward", watched)
    encoder.encode([[a, b] for a in (".", ",") for b in (".", ",", "in", "fox")])
    encoder.encode([["."], [","], [".", ",", "."]])
    # one subword a word and two special tokens; at most 8 subwords a batch
    assert shapes == [(4, {4}), (4, {4}), (2, {3}), (1, {5})]


def test_equal_sentences_are_encoded_once(tiny):
    encoder = fresh(tiny("bert"), threads=1)
    first = encoder.encode([["The", "fox"], ["Berlin"], ["The", "fox"]])
    assert encoder.n_encoded == 2
    np.testing.assert_array_equal(first[0].states, first[2].states)
    again = encoder.encode([["Berlin"], ["dog"]])
    assert encoder.n_encoded == 3
    np.testing.assert_array_equal(again[0].states, first[1].states)


def test_oldest_sentences_are_forgotten(tiny, monkeypatch):
    encoder = fresh(tiny("bert"), threads=1)
    [one] = encoder.encode([["."]])
    monkeypatch.setattr("spanbridge.encode.encoder._MEMO_BYTES", 2 * one.states.nbytes)
    encoder.encode([[","], ["in"]])  # pushes out "."
    assert encoder.n_encoded == 3
    encoder.encode([["in"], [","]])
    assert encoder.n_encoded == 3
    [again] = encoder.encode([["."]])
    assert encoder.n_encoded == 4
    np.testing.assert_array_equal(again.states, one.states)


def test_weights_go_with_the_last_who_uses_them(tiny):
    """At once, not when Python next looks for cycles."""
    encoder = fresh(tiny("bert"), threads=1)
    encoder.encode([["The", "fox"]])
    left = weakref.ref(encoder)
    gc.disable()
    try:
        del encoder
        assert left() is None
    finally:
        gc.enable()


@given(st.integers(0, 3000), st.integers(1, 600))
def test_windows_cover_all_in_order(n_tokens, size):
    found = windows(n_tokens, size)
    assert found[0][0] == 0
    assert found[-1][1] == n_tokens
    assert all(a < c <= b and b < d for (a, b), (c, d) in pairwise(found))
    if len(found) > 1:
        assert {b - a for a, b in found} == {size}
    else:
        assert n_tokens <= size


@given(st.integers(0, 3000), st.integers(2, 600))
def test_windows_overlap_by_half_or_more(n_tokens, size):
    assert all(b - c >= size / 2 for (_, b), (c, _) in pairwise(windows(n_tokens, size)))


def test_windows_by_hand():
    assert windows(10, 4) == [(0, 4), (2, 6), (4, 8), (6, 10)]
    assert windows(9, 4) == [(0, 4), (2, 6), (4, 8), (5, 9)]
    assert windows(4, 4) == [(0, 4)]


@pytest.mark.parametrize("n_words", [119, 150, 300, 700])
def test_states_come_from_the_window_where_they_stand_inmost(tiny, n_words):
    """Against a plain loop: each window encoded as a sentence of its own, the inmost state kept."""
    encoder = fresh(tiny("bert"), compute_type="float32", threads=1)
    picks = random.Random(n_words)
    words = [picks.choice([".", ",", "in"]) for _ in range(n_words)]  # one subword each
    [whole] = encoder.encode([words])
    assert len(whole.states) == n_words
    best = {}
    for a, b in windows(n_words, 118):  # 120 positions, less the two special tokens
        [part] = encoder.encode([words[a:b]])
        for n in range(a, b):
            inside = min(n - a, b - 1 - n)
            if n not in best or inside > best[n][0]:
                best[n] = inside, part.states[n - a]
    expected = np.stack([best[n][1] for n in range(n_words)])
    np.testing.assert_array_equal(whole.states, expected)


@pytest.mark.parametrize("words", [[], [""], ["\u200b"], ["\u200b", "", "\ufeff"]])
def test_nothing_to_encode(embedded, words):
    [encoded] = embedded.encode([words])
    assert len(encoded.states) == len(encoded.first) == len(encoded.last) == 0
    assert encoded.n_words == len(words)


def test_ignorable_words_are_covered_by_no_subword(embedded):
    [encoded] = embedded.encode([["\u200b", "Berlin", "\u200b", "Paris"]])
    assert set(zip(encoded.first.tolist(), encoded.last.tolist(), strict=True)) == {(1, 2), (3, 4)}
    [bare] = embedded.encode([["Berlin", "Paris"]])
    np.testing.assert_array_equal(encoded.states, bare.states)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=6), max_size=5))
def test_any_words(embedded, words):
    [encoded] = embedded.encode([words])
    assert encoded.states.shape == (len(encoded.first), 384)
    assert np.isfinite(encoded.states).all()
    assert (np.diff(encoded.first) >= 0).all()
    assert (encoded.first < encoded.last).all()
    assert (encoded.last <= len(words)).all()


@pytest.mark.parametrize("threads", [0, -1])
def test_threads_out_of_range(tiny, threads):
    with pytest.raises(SpanbridgeError, match=f"threads is {threads}"):
        fresh(tiny("bert"), threads=threads)


def test_what_a_gpu_gives_is_fetched_from_it(tiny):
    """The path of a GPU's states, on a model that lies in this machine's memory."""
    sentences = [["one", "two"], ["three", "four"], ["five"]]
    encoder = fresh(tiny("bert"), threads=1)
    usual = [one.states for one in encoder.encode(sentences)]
    other = fresh(tiny("bert"), threads=1)
    other._device = "cuda"
    for states, mine in zip(usual, other.encode(sentences), strict=True):
        assert np.array_equal(states, mine.states)
    assert other.describe() == f"{encoder.describe()},cuda"
