"""The statistical aligner on a made-up language whose dictionary and word order are known."""

import random

import pytest

from spanbridge.align.statistical import HEURISTICS, MODELS, StatisticalAligner
from spanbridge.core.errors import RowError, SpanbridgeError

NOUNS = "house dog river king bread stone bird tree night child".split()
ADJECTIVES = "red old big small dark good".split()
VERBS = "sees eats likes finds".split()
# the other language spells words backwards, and puts adjectives after their nouns
DICTIONARY = {word: f"{word[::-1]}o" for word in NOUNS + ADJECTIVES + VERBS}


def toy_pair(rng):
    """Source words, target words, and the links between them."""
    source, target, links = [], [], set()
    for part in ("phrase", "verb", "phrase"):
        at = len(source)
        if part == "verb" or rng.random() < 0.4:
            words, order = [rng.choice(VERBS if part == "verb" else NOUNS)], [0]
        else:
            words, order = [rng.choice(ADJECTIVES), rng.choice(NOUNS)], [1, 0]
        source += words
        target += [DICTIONARY[words[n]] for n in order]
        links |= {(at + n, at + m) for m, n in enumerate(order)}
    return source, target, links


@pytest.fixture(scope="module")
def toy(pair):
    """Sixty sentence pairs and their links."""
    rng = random.Random(3)
    rows = [toy_pair(rng) for _ in range(60)]
    return [pair(source, target) for source, target, _ in rows], [links for *_, links in rows]


@pytest.mark.parametrize("heuristic", HEURISTICS)
@pytest.mark.parametrize("model", MODELS)
def test_reordered_words_are_found(toy, model, heuristic):
    """Every model with every symmetrisation; adjectives and nouns cross."""
    pairs, gold = toy
    aligner = StatisticalAligner(model, heuristic)
    aligner.fit(pairs)
    found = [set(links.pairs) for links in aligner.align(pairs)]
    hits = sum(len(links & right) for links, right in zip(found, gold, strict=True))
    assert hits >= 0.9 * sum(map(len, found))
    assert hits >= 0.9 * sum(map(len, gold))
    crossing = sum((0, 1) in links and (1, 0) in links for links in found)
    assert crossing >= 25  # 36 of the sixty start with an adjective


def test_fitting_again_forgets(toy):
    pairs, _ = toy
    aligner = StatisticalAligner("ibm1")
    aligner.fit(pairs[:10])
    few = aligner.align(pairs)
    assert "trained_on=10_pairs" in aligner.describe()
    aligner.fit(iter(pairs))  # one pass is enough
    assert "trained_on=60_pairs" in aligner.describe()
    assert aligner.align(pairs) != few
    aligner.fit(pairs[:10])
    assert aligner.align(pairs) == few


def test_prefixes_pool_inflected_words(toy, pair):
    """Every target word with one of six endings: cut to four letters, they are the same again."""
    rng = random.Random(4)
    endings = ["os", "ar", "en", "it", "um", "ya"]
    pairs = [
        pair(one.source.words, [word + rng.choice(endings) for word in one.target.words])
        for one in toy[0]
    ]
    hits = {}
    for prefix in (4, None):
        aligner = StatisticalAligner("ibm1", "intersection", prefix=prefix)
        aligner.fit(pairs)
        rows = zip(aligner.align(pairs), toy[1], strict=True)
        hits[prefix] = sum(len(set(links.pairs) & right) for links, right in rows)
    n_right = sum(map(len, toy[1]))
    assert hits[4] >= 0.95 * n_right
    assert hits[None] < 0.85 * n_right


@pytest.mark.parametrize("model", MODELS)
def test_awkward_pairs(toy, pair, model):
    """In training and after: no words, unknown words, names of Thot's own tokens."""
    pairs, _ = toy
    awkward = [
        pair([], []),
        pair(["house"], []),
        pair([], ["esuoho"]),
        pair(["NULL", "<UNUSED_WORD>", "UNKNOWN_WORD", ""], ["null", "", "\u200b", "🦊"]),
    ]
    aligner = StatisticalAligner(model)
    aligner.fit([*awkward, *pairs])
    unknown = pair(["unseen", "house"], ["never", "esuoho"])
    *empty, odd, last = aligner.align([*awkward, unknown])
    assert [links.pairs for links in empty] == [(), (), ()]
    assert (odd.n_source, odd.n_target) == (4, 4)
    assert (1, 1) in last.pairs
    assert all(0 <= score <= 1 for score in (*odd.scores, *last.scores))


@pytest.mark.parametrize(("model", "longest"), [("hmm", 200), ("ibm1", 1024), ("fast_align", 1024)])
def test_longest_sentences(toy, pair, model, longest):
    """Thot's own limits; longer ones harm neither the training nor their neighbours."""
    pairs, _ = toy
    long = pair(["house"] * (longest + 1), ["esuoho"])
    aligner = StatisticalAligner(model)
    aligner.fit([*pairs, long])
    fits, rejected, after = aligner.align([pair(["house"] * longest, ["esuoho"]), long, pairs[0]])
    assert fits.n_source == longest
    assert isinstance(rejected, RowError)
    assert f"{longest + 1} and 1 words" in str(rejected)
    assert f"at most {longest}; split the row" in str(rejected)
    assert after.pairs


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"model": "ibm9"}, r"no model is named 'ibm9'; there are hmm, fast_align, eflomal, ibm1"),
        ({"heuristic": "best"}, r"no symmetrisation is named 'best'; there are och"),
        ({"iterations": 0}, "at least 1"),
        ({"prefix": 0}, "at least 1"),
    ],
)
def test_unknown_options(options, match):
    with pytest.raises(SpanbridgeError, match=match):
        StatisticalAligner(**options)


def test_description_before_and_after(toy):
    aligner = StatisticalAligner(prefix=None)
    before = "statistical(hmm,och,iterations=5,prefix=none,trained_on=0_pairs)"
    assert aligner.describe() == before
    aligner.fit(toy[0])
    assert aligner.describe() == before.replace("on=0", "on=60")
