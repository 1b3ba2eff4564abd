"""The lexicons against a slow reference: dictionaries, loops over sentences, no NumPy."""

import itertools
import math
import random
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from one_pair import posterior
from scipy.special import digamma

from spanbridge.alignment import lexicon_learning
from spanbridge.alignment.grid import Grid
from spanbridge.alignment.lexicon import Lexicon, key, spelling_factor
from spanbridge.alignment.lexicon_learning import diagonal_priors, explained, fold_of, learn

# Made-up words in which nothing but the equal and nearly equal ones looks alike.
SOURCE = "Paris quux blorf wimm naxo 1999 zeke".split()
TARGET = "Paris gup tyddy Parris skeh 1999 fjolm".split()


def similarity(a, b):
    """Normalised Indel similarity by the textbook's table of the longest common subsequence."""
    rows = [[0] * (len(b) + 1)]
    for x in a:
        last = rows[-1]
        row = [0]
        for n, y in enumerate(b):
            row.append(last[n] + 1 if x == y else max(last[n + 1], row[-1]))
        rows.append(row)
    return 2 * rows[-1][-1] / (len(a) + len(b)) if a or b else 1.0


def factor(a, b):
    """What a pair of spellings adds to its Dirichlet prior."""
    alike = similarity(a, b)
    return 1 + 8 * (alike**3 if alike > 0.5 else 0)


class Reference:
    """IBM model 1 with null, priors over places and a Dirichlet prior, one word at a time."""

    def __init__(self, pairs, priors, rounds):
        self.frequency = [
            {word: n / counts.total() for word, n in counts.items()}
            for counts in (Counter(itertools.chain(*side)) for side in zip(*pairs, strict=True))
        ]
        met = {(s, t) for source, target in pairs for s in source for t in target}
        # forward: p(t | s), backward: p(s | t)
        weight = {(s, t): factor(s, t) for s, t in met}
        self.forward, self.backward = self.normalised(weight)
        for _ in range(rounds):
            origins = {pair: 0.01 * weight[pair] for pair in met}
            goals = dict(origins)
            for (source, target), prior in zip(pairs, priors, strict=True):
                forward, backward = self.posterior(source, target, prior)
                for i, s in enumerate(source):
                    for j, t in enumerate(target):
                        origins[s, t] += backward[i][j]  # where t came from: counts of p(t | s)
                        goals[s, t] += forward[i][j]
            self.forward = self.maximised(origins, 0)
            self.backward = self.maximised(goals, 1)

    @staticmethod
    def totals(counts, side):
        found = defaultdict(float)
        for pair, count in counts.items():
            found[pair[side]] += count
        return found

    def normalised(self, counts):
        by = [self.totals(counts, side) for side in (0, 1)]
        return [{p: n / by[side][p[side]] for p, n in counts.items()} for side in (0, 1)]

    def maximised(self, counts, side):
        totals = self.totals(counts, side)
        return {p: math.exp(digamma(n) - digamma(totals[p[side]])) for p, n in counts.items()}

    def posterior(self, source, target, prior):
        """Forward and backward, as lists of rows."""
        n, m = len(source), len(target)
        forward, backward = ([[0.0] * m for _ in range(n)] for _ in range(2))
        for j, t in enumerate(target):
            places = sum(prior[i][j] for i in range(n))
            shares = [0.9 * prior[i][j] / places * self.forward[s, t] for i, s in enumerate(source)]
            total = sum(shares) + 0.1 * self.frequency[1][t]
            for i in range(n):
                backward[i][j] = shares[i] / total
        for i, s in enumerate(source):
            places = sum(prior[i])
            shares = [
                0.9 * prior[i][j] / places * self.backward[s, t] for j, t in enumerate(target)
            ]
            total = sum(shares) + 0.1 * self.frequency[0][s]
            for j in range(m):
                forward[i][j] = shares[j] / total
        return forward, backward


def gains(lexicon, pair, prior):
    """Gains of the words of one pair, the source's first."""
    grid = Grid([pair])
    return np.concatenate(lexicon.gains(grid, grid.flat([prior])))


def bitexts(least=1, most=5):
    side = [st.lists(st.sampled_from(words), min_size=1, max_size=5) for words in (SOURCE, TARGET)]
    return st.lists(st.tuples(*side), min_size=least, max_size=most)


def random_priors(pairs, seed):
    """Positive, in no scale."""
    rng = np.random.default_rng(seed)
    return [rng.uniform(0.05, 3, (len(source), len(target))) for source, target in pairs]


def folded(pairs):
    """Pairs as the reference takes them: the words above are ASCII, so only case goes."""
    return [[[word.lower() for word in side] for side in pair] for pair in pairs]


@pytest.mark.parametrize("rounds", [0, 1, 3])
@given(pairs=bitexts(), seed=st.integers(0, 99))
def test_training_is_the_references(rounds, pairs, seed):
    """Null, priors and Dirichlet factors, both directions; posteriors of every pair to 1e-9."""
    priors = random_priors(pairs, seed)
    expected = Reference(folded(pairs), priors, rounds)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lexicon_learning, "NEGLIGIBLE", 0.0)
        learned = learn(pairs, None, priors, rounds)
    for pair, low, prior in zip(pairs, folded(pairs), priors, strict=True):
        found = posterior(learned, pair, prior)
        for ours, theirs in zip(found, expected.posterior(*low, prior), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)


def test_one_round_by_hand():
    """Two sentences of one and two words, flat priors, unlike words.

    a = x; a b = x y. All factors are 1, so p(x|a) = p(y|a) = p(x|b) = p(y|b) = 1/2, and x has 2/3
    of the target tokens, y has 1/3; the same for a and b. In sentence 1, x comes from a with
    .9 * .5 / (.45 + .1 * 2/3) = .870968. In sentence 2, both words share: x has .45 / 2 from a
    and from b, .225 / (.45 + .066667) = .435484 each; y has .225 / (.45 + .033333) = .465517 each.
    Counts of a: x .01 + .870968 + .435484 = 1.316452; y .01 + .465517 = .475517; sum 1.791968.
    """
    pairs = [(["a"], ["x"]), (["a", "b"], ["x", "y"])]
    priors = [np.ones((1, 1)), np.ones((2, 2))]
    learned = learn(pairs, None, priors, 1)
    x, y = (math.exp(digamma(n) - digamma(1.791968)) for n in (1.316452, 0.475517))
    _, backward = posterior(learned, (["a"], ["x"]), priors[0])
    assert backward[0, 0] == pytest.approx(0.9 * x / (0.9 * x + 0.1 * 2 / 3), abs=1e-5)
    _, backward = posterior(learned, (["a"], ["y"]), priors[0])
    assert backward[0, 0] == pytest.approx(0.9 * y / (0.9 * y + 0.1 / 3), abs=1e-5)
    # the two languages are each other's mirror image here
    forward, _ = posterior(learned, (["b"], ["x"]), priors[0])
    assert forward[0, 0] == pytest.approx(0.9 * y / (0.9 * y + 0.1 / 3), abs=1e-5)


@given(bitexts(), bitexts(most=2), st.integers(0, 99), st.sampled_from([None, 3]))
def test_nobody_gives_more_than_a_word(pairs, others, seed, prefix):
    """Rows of forward and columns of backward, of pairs in the bitext and of others."""
    learned = learn(pairs, prefix, random_priors(pairs, seed))
    unseen = [
        ([*source, "Nürnberg", ""], ["Nuremberg", *target, "🦊"]) for source, target in others
    ]
    for pair in [*pairs, *others, *unseen]:
        [prior] = random_priors([pair], seed + 1)
        forward, backward = posterior(learned, pair, prior)
        assert forward.shape == backward.shape == prior.shape
        assert forward.min() >= 0
        assert backward.min() >= 0
        assert forward.sum(1).max() <= 1 + 1e-12
        assert backward.sum(0).max() <= 1 + 1e-12


@given(bitexts(), st.integers(0, 99), st.floats(1e-3, 1e3))
def test_the_scale_of_priors_does_not_matter(pairs, seed, scale):
    priors = random_priors(pairs, seed)
    found = [
        posterior(learn(pairs, None, [by * p for p in priors]), pairs[0], by * priors[0])
        for by in (1, scale)
    ]
    np.testing.assert_allclose(*found, atol=1e-9)


@given(bitexts(), st.integers(0, 99))
def test_languages_are_treated_alike(pairs, seed):
    """Exchanging the two languages exchanges and transposes the posteriors."""
    priors = random_priors(pairs, seed)
    turned = [(target, source) for source, target in pairs]
    back = learn(turned, None, [prior.T for prior in priors])
    there = learn(pairs, None, priors)
    for pair, prior in zip(pairs, priors, strict=True):
        forward, backward = posterior(there, pair, prior)
        other = posterior(back, pair[::-1], prior.T)
        np.testing.assert_allclose((backward.T, forward.T), other, atol=1e-9)


def zipf_bitext(n_pairs, seed=0):
    """Words by Zipf's law, each with three translations, a fifth of them wrong; in order."""
    rng = random.Random(seed)
    # two letters: spellings say next to nothing
    words = [f"{a}{b}" for a, b in itertools.product("abcdefghijklmnopqrst", repeat=2)]
    weights = [1 / (n + 1) for n in range(len(words))]
    goals = {word: rng.sample(words, 3) for word in words}
    sources = [rng.choices(words, weights, k=rng.randint(3, 20)) for _ in range(n_pairs)]
    return [
        (source, [rng.choice(goals[word] if rng.random() < 0.8 else words) for word in source])
        for source in sources
    ]


def test_forgetting_negligible_pairs_changes_next_to_nothing(monkeypatch):
    """Nine cells in ten go, no posterior moves by 1e-6 (by 5.5e-6 on 447 sentences of fr-en)."""
    pairs = zipf_bitext(200)
    priors = diagonal_priors(pairs)
    short = learn(pairs, None, priors)
    monkeypatch.setattr(lexicon_learning, "NEGLIGIBLE", 0.0)
    full = learn(pairs, None, priors)
    sizes = [len(one.arrays()["cells"]) for one in (short, full)]
    assert sizes[0] < 0.1 * sizes[1]
    for pair, prior in zip(pairs, priors, strict=True):
        np.testing.assert_allclose(
            posterior(short, pair, prior), posterior(full, pair, prior), rtol=0, atol=1e-6
        )


def test_new_words_by_hand():
    """A word that the bitext did not have: place and spelling against the null word.

    Beside unlike words in two places of weights 3 and 1 it shares .9 of its mass by 3 : 1. Where
    the second is its equal (factor 9), the shares are .675 and .225 * 9 = 2.025, of 2.8 in all.
    """
    learned = learn([(["aa", "bb"], ["cc", "dd"])], None, [np.ones((2, 2))])
    forward, _ = posterior(learned, (["new"], ["cc", "dd"]), np.array([[3.0, 1.0]]))
    np.testing.assert_allclose(forward, [[0.675, 0.225]])
    forward, _ = posterior(learned, (["new"], ["cc", "NEW"]), np.array([[3.0, 1.0]]))
    np.testing.assert_allclose(forward, [[0.675 / 2.8, 2.025 / 2.8]])
    _, backward = posterior(learned, (["aa", "New"], ["new"]), np.array([[3.0], [1.0]]))
    np.testing.assert_allclose(backward, [[0.675 / 2.8], [2.025 / 2.8]])


def test_a_bitext_that_tells_nothing():
    """One pair of sixty different words: no translation is probable, and none is made up."""
    source = [a + b for a, b in itertools.product("abcdefghij", "klmnop")]
    target = [a + b for a, b in itertools.product("qrstu", "vwxyzäöëïüßñ")]
    flat = np.ones((60, 60))
    learned = learn([(source, target)], None, [flat])
    forward, backward = posterior(learned, (source, target), flat)
    assert forward.max() < 1e-6
    assert backward.max() < 1e-6


def test_spelling_factor_by_hand():
    """1 + 8 s^3 above a half; s = 2 * 4 / 9 for Bonn and Bonna, transliterated first."""
    # sofiya and sofiia share sofia: 2 * 5 / 12; ab, ac: 1/2 exactly, which does not count
    source, target = zip(
        ("bonn", "bonn"), ("bonn", "bonna"), ("софия", "sofiia"), ("ab", "ac"), ("x", "y"),
        ("مصر", "msr"),
        strict=True,
    )  # fmt: skip
    expected = [9, 1 + 8 * (8 / 9) ** 3, 1 + 8 * (10 / 12) ** 3, 1, 1, 9]
    np.testing.assert_allclose(spelling_factor(source, target), expected)


@given(st.text("abcdeéß", max_size=7), st.text("abcdeéß", max_size=7))
def test_spelling_factor_is_the_textbooks(a, b):
    latin = [word.replace("é", "e").replace("ß", "ss") for word in (a, b)]
    assert spelling_factor([a], [b])[0] == pytest.approx(factor(*latin))


def test_keys():
    """Without case and accents, numbers without separators; then the prefix."""
    assert key("Élysée", None) == "elysee"
    assert key("Élysée", 4) == "elys"
    assert key("1,000", 5) == key("1.000", 5) == "1000"


def test_diagonal_prior_by_hand():
    """Places of two words are 1/4 and 3/4, of one word 1/2; all distances are 1/4."""
    one, two = diagonal_priors([("ab", "x"), ("ab", "xy")])
    np.testing.assert_allclose(one, np.full((2, 1), math.exp(-1)))
    np.testing.assert_allclose(two, [[1, math.exp(-2)], [math.exp(-2), 1]])


@given(bitexts(), st.sampled_from([None, 4]))
def test_arrays_and_back(pairs, prefix):
    """Words of any kind, lone surrogates too, come back as the same posteriors."""
    pairs = [*pairs, (["ж", "\udcff", "", "a" * 300], ["\u200b", "x"])]
    priors = diagonal_priors(pairs)
    learned = learn(pairs, prefix, priors)
    back = Lexicon.from_arrays(learned.arrays())
    assert back.prefix == prefix
    for pair, prior in zip(
        [*pairs, (["new", "ж"], ["New"])], [*priors, np.ones((2, 1))], strict=True
    ):
        np.testing.assert_array_equal(posterior(learned, pair, prior), posterior(back, pair, prior))


def test_gains_by_hand():
    """A word that always stands beside another is that much more probable there."""
    pairs = [(("a", "b"), ("x", "y")), (("a", "c"), ("x", "z"))] * 20
    ones = [np.ones((2, 2))] * len(pairs)
    lexicon = learn(pairs, None, ones)
    found = gains(lexicon, (("a", "b"), ("x", "y")), ones[0])
    # b: .1 + .9 * (p(b | x) + p(b | y)) / 2 / p(b), where p(b) is 1/4 and p(b | y) lies near 1
    assert found[0] == pytest.approx(found[2])
    assert found[1] == pytest.approx(found[3])
    assert 1 < found[0] < 1.2 < 1.5 < found[1] < 0.1 + 0.9 * 2
    assert gains(lexicon, (("a",), ("new",)), np.ones((1, 1)))[1] == 0


def test_what_lexicons_explain():
    """Nothing of one pair or of pairs without a word in common, nearly all of a code."""
    rng = random.Random(1)
    coded = [tuple(rng.sample("abcdefghij", 4)) for _ in range(60)]
    pairs = [(words, tuple(word.upper() + "'" for word in words)) for words in coded]
    ones = [np.ones((4, 4))] * len(pairs)
    assert explained(pairs[:1] * 5, None, [ones[:5]]) == [0]
    assert explained(
        [((f"a{n}",), (f"b{n}",)) for n in range(9)], None, [[ones[0][:1, :1]] * 9]
    ) == [0]
    shuffled = [(s, rng.choice(pairs)[1]) for s, _ in pairs]
    shares = [
        explained(some, None, [ones[: len(some)]])[0] for some in (shuffled, pairs[:8], pairs)
    ]
    assert 0 <= shares[0] < 0.3 < shares[2] <= 1
    assert shares[1] < shares[2]
    assert len({fold_of(pair, 5) for pair in pairs}) == 5
