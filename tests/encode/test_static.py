"""Static states: means by hand, subwords that the sample lacks, and what is kept."""

import numpy as np
import pytest

from spanbridge.encode.encoder import EncodedSentence
from spanbridge.encode.static import StaticEncoder


class Letters:
    """An encoder whose subwords are letters; a state is [letter, place in the sentence]."""

    name, licence, layer, size = "letters", "MIT", 3, 2

    def __init__(self):
        self.encoded = 0

    def describe(self):
        return "letters"

    def subwords(self, words):
        found = [(ord(c) - 97, n, n + 1) for n, word in enumerate(words) for c in word]
        return np.array(found, np.int64).reshape(-1, 3)

    def encode(self, sentences):
        found = []
        for words in sentences:
            own = self.subwords(words)
            self.encoded += 1
            states = np.stack([own[:, 0], np.arange(len(own))], 1).astype(np.float32)
            found.append(EncodedSentence(states, own[:, 1], own[:, 2], len(words)))
        return found

    def states_alone(self, subwords):
        return np.stack([subwords, np.full(len(subwords), -1)], 1).astype(np.float32)


@pytest.fixture
def learned():
    """a stands at 0 and 2, b at 1, 0 and 1."""
    static = StaticEncoder(Letters())
    static.learn([["ab", "a"], [], ["b", "b"]])
    return static


def states(static, *words):
    [found] = static.encode([words])
    return found.states.tolist()


def test_a_subword_has_its_mean_state(learned):
    mean = pytest.approx(2 / 3, abs=1e-3)  # in half precision
    assert states(learned, "ab") == [[0, 1], [1, mean]]


def test_words_and_sentences_keep_their_places(learned):
    first, nothing, second = learned.encode([["ab", "", "b"], [], ["a"]])
    assert (first.first.tolist(), first.last.tolist(), first.n_words) == ([0, 0, 2], [1, 1, 3], 3)
    assert nothing.states.shape == (0, 2)
    assert second.states.tolist() == [[0, 1]]


def test_an_unknown_subword_has_its_state_alone_moved_by_the_mean_difference(learned):
    """a and b stand 2 and 5/3 further on than alone."""
    [[letter, place]] = states(learned, "z")
    assert letter == 25
    assert place == pytest.approx(-1 + (2 + 5 / 3) / 2, abs=1e-3)


def test_only_the_sample_is_encoded(learned):
    before = learned._encoder.encoded
    learned.encode([["abz"], ["q"]])
    assert learned._encoder.encoded == before


def test_what_is_unknown_does_not_depend_on_the_order(learned):
    other = StaticEncoder(Letters())
    other.restore(learned.learned())
    one = [states(learned, word) for word in ("zq", "cz", "a")]
    assert [states(other, word) for word in ("a", "cz", "zq")] == one[::-1]


def test_only_what_was_learned_is_kept(learned):
    learned.encode([["xyz"]])
    kept = learned.learned()
    assert kept["subwords"].tolist() == [0, 1]
    again = StaticEncoder(Letters())
    again.restore(kept)
    assert states(again, "abz") == states(learned, "abz")
    for name, array in again.learned().items():
        assert (array == kept[name]).all()


def test_it_learns_anew(learned):
    learned.learn([["b"]])
    assert learned.learned()["subwords"].tolist() == [1]


def test_before_it_has_learned_it_encodes():
    """Long rows are cut by sentences' vectors before anything is learned."""
    static = StaticEncoder(Letters())
    static.learn([])
    assert states(static, "ba") == [[1, 0], [0, 1]]
