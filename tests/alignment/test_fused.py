"""The fused aligner, the encoder's soft alignments, and what both are worth on gold alignments."""

import json
import random

import numpy as np
import pytest
import tiny_checkpoints
from one_pair import posterior, soft_links, with_neighbours, word_states

from spanbridge.alignment.encoder_aligner import EncoderAligner
from spanbridge.alignment.lexicon_learning import diagonal_priors, learn
from spanbridge.alignment.soft import SHORT, cosines
from spanbridge.alignment.statistical import FusedAligner, StatisticalAligner
from spanbridge.core import soft_alignment
from spanbridge.core.errors import InputError, RowError, SpanbridgeError
from spanbridge.core.rows import SentencePair
from spanbridge.core.soft_alignment import SoftAlignment
from spanbridge.core.spans import Sentence
from spanbridge.encode import load_encoder
from spanbridge.evaluation import evaluate_links

WORDS = " ".join(tiny_checkpoints.SENTENCES).split()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """``tiny(threads)``: an encoder aligner over a random BERT."""
    folder = str(tiny_checkpoints.save(tmp_path_factory.mktemp("fused") / "bert", "bert"))
    return lambda threads=1: EncoderAligner(load_encoder(folder, threads=threads))


@pytest.fixture(scope="module")
def bitext(pair):
    """120 pairs: words, and the same words spelt backwards."""
    rng = random.Random(5)
    sources = [rng.choices(WORDS, k=rng.randint(1, 9)) for _ in range(120)]
    return [pair(words, [word[::-1] for word in words]) for words in sources]


@pytest.fixture(scope="module")
def fused(tiny, bitext):
    aligner = FusedAligner(tiny())
    aligner.fit(bitext)
    return aligner


def assert_same(found, expected):
    for ours, theirs in zip(found, expected, strict=True):
        for part in ("forward", "backward", "source_states", "target_states"):
            np.testing.assert_array_equal(getattr(ours, part), getattr(theirs, part))


def test_soft_alignment_and_states(fused, bitext):
    """One row a source word, one column a target word; the states are the words' unit vectors."""
    states = fused.encoder.states(bitext)
    for one, found, both in zip(bitext, fused.soft_align(bitext), states, strict=True):
        shape = len(one.source.words), len(one.target.words)
        assert found.forward.shape == found.backward.shape == shape
        assert found.forward.min() >= 0
        assert found.backward.min() >= 0
        assert found.forward.sum(1).max() <= 1 + 1e-9
        assert found.backward.sum(0).max() <= 1 + 1e-9
        assert (len(found.source_states), len(found.target_states)) == shape
        np.testing.assert_array_equal(found.source_states, both[0])
        np.testing.assert_array_equal(found.target_states, both[1])


def test_soft_alignment_is_the_average_of_its_parts(fused, bitext):
    """Softmax of cosines, lexicons anchored by them, free lexicons, by the mixture; neighbours."""
    words = [(one.source.words, one.target.words) for one in bitext]
    free = [
        learn(words, prefix, [np.ones((len(s), len(t))) for s, t in words])
        for prefix in (None, 5, 4)
    ]
    long = [p for p in bitext if min(len(p.source.words), len(p.target.words)) >= SHORT][:20]
    assert len(long) == 20
    assert sum(fused.mixture) == pytest.approx(1)
    for one, found in zip(long, fused.soft_align(long), strict=True):
        similarity = cosines(found.source_states, found.target_states)
        soft = soft_links(similarity)
        sides = one.source.words, one.target.words
        [diagonal] = diagonal_priors([sides])
        prior = np.exp((similarity - 1) / 0.07) * diagonal**0.5
        flat = np.ones_like(prior)
        parts = [soft]
        for lexicons, places in ((fused._lexicons["anchored"], prior), (free, flat)):
            each = [posterior(lexicon, sides, places) for lexicon in lexicons]
            mean = [np.mean([one[d] for one in each], axis=0) for d in (0, 1)]
            rest = 1 - mean[0].sum(1)[:, None], 1 - mean[1].sum(0)
            parts.append([mean[d] + rest[d] * soft[d] for d in (0, 1)])
        mixed = [
            sum(weight * part[d] for weight, part in zip(fused.mixture, parts, strict=True))
            for d in (0, 1)
        ]
        expected = with_neighbours(*mixed)
        np.testing.assert_allclose((found.forward, found.backward), expected, atol=1e-12)
        np.testing.assert_allclose(found.forward.sum(1), 1)


@pytest.mark.parametrize(
    "words", [("Paris", "Paris , Frankreich und so weiter"), ("\u200b", "a b c")]
)
def test_short_and_wordless_sentences_have_their_hard_links(fused, words):
    """One word has no mean to take away; taken as it is, it would claim the whole other side."""
    one = SentencePair("1", *(Sentence(tuple(side.split(" "))) for side in words))
    [found] = fused.soft_align([one])
    [links] = fused.encoder.align([one])
    np.testing.assert_array_equal(found.forward, SoftAlignment.from_links(links).forward)
    assert found.source_states.shape[1] == found.target_states.shape[1] > 0


def test_links_are_those_of_the_soft_alignment(fused, bitext):
    found = zip(fused.soft_align(bitext), fused.align(bitext), strict=True)
    assert all(links == one.links(0.45) for one, links in found)


def test_the_bitext_helps_where_the_encoder_knows_nothing(fused, bitext):
    """A random encoder and words spelt backwards: only the bitext says which is which."""
    alone = [found.links(0.45) for found in fused.encoder.soft_align(bitext)]
    right = {}
    for name, found in (("alone", alone), ("fused", fused.align(bitext))):
        right[name] = sum(i == j for links in found for i, j in links.pairs)
    n_words = sum(len(one.source.words) for one in bitext)
    assert right["fused"] > 1.2 * right["alone"]
    assert right["fused"] > 0.3 * n_words


def test_threads_do_not_matter(fused, tiny, bitext):
    other = FusedAligner(tiny(2))
    other.fit(bitext)
    assert_same(fused.soft_align(bitext), other.soft_align(bitext))


def test_saved_and_loaded(fused, tiny, bitext, tmp_path):
    fused.save(tmp_path)
    other = FusedAligner(tiny()).load(tmp_path)
    assert other.describe() == fused.describe()
    assert_same(fused.soft_align(bitext), other.soft_align(bitext))
    assert fused.align(bitext) == other.align(bitext)


@pytest.mark.parametrize("learner", ["fused", "statistical"])
def test_what_the_other_aligner_learned_is_refused(fused, tiny, bitext, tmp_path, learner):
    made = {"fused": FusedAligner(tiny()), "statistical": StatisticalAligner()}
    statistical = StatisticalAligner()
    statistical.fit(bitext)
    {"fused": statistical, "statistical": fused}[learner].save(tmp_path)
    with pytest.raises(InputError, match="another part's"):
        made[learner].load(tmp_path)


def test_unfitted(tiny, bitext, pair):
    """Short pairs too, though fitting changes nothing about theirs; and even no pairs at all."""
    aligner = FusedAligner(tiny())
    assert aligner.learns
    for ask in (aligner.align, aligner.soft_align):
        for pairs in (bitext, [pair("a", "b")], []):
            with pytest.raises(SpanbridgeError, match="must be fitted on the bitext first"):
                ask(pairs)


def test_the_licence_is_the_encoders(tiny):
    encoder = tiny()
    assert encoder.licence == FusedAligner(encoder).licence == encoder.encoder.licence == "unknown"
    encoder.encoder.licence = "mit"
    assert FusedAligner(EncoderAligner(encoder.encoder)).licence == "mit"


@pytest.mark.parametrize("min_score", [0, 1, 2])
def test_least_scores_out_of_range(tiny, min_score):
    with pytest.raises(SpanbridgeError, match="lies between 0 and 1"):
        FusedAligner(tiny(), min_score)


def test_lexicons_count_by_what_they_explain(tiny, bitext, pair, tmp_path):
    """A pair alone, and pairs without a word in common, teach nothing; more pairs teach more."""
    encoder = tiny()
    found = {}
    for name, pairs in (
        ("one", bitext[:1]),
        ("strange", [pair([f"a{n}", f"b{n}"], [f"c{n}", f"d{n}"]) for n in range(20)]),
        ("few", bitext[:15]),
        ("more", bitext),
    ):
        found[name] = FusedAligner(encoder)
        found[name].fit([*pairs, pair([], ["a"])])
        assert f"trained_on={len(pairs)}_pairs,mixture=" in found[name].describe()
    for name in ("one", "strange"):
        assert found[name].mixture == (1.0, 0.0, 0.0)
        assert found[name].evidence == "encoder"
        assert_same(found[name].soft_align(bitext), encoder.soft_align(bitext))
    assert 1 > found["few"].mixture[0] > found["more"].mixture[0] > 0.25
    found["strange"].save(tmp_path)
    other = FusedAligner(encoder).load(tmp_path)
    assert other.align(bitext) == found["strange"].align(bitext)
    assert other.describe() == found["strange"].describe()


def test_fitting_again_forgets(tiny, bitext):
    """Few pairs after many are as few pairs at once, and the other way round."""
    aligner, other = (FusedAligner(tiny()) for _ in range(2))
    aligner.fit(bitext)
    aligner.fit(bitext[:50])
    other.fit(bitext[:50])
    assert aligner.align(bitext) == other.align(bitext)
    assert aligner.describe() == other.describe()


def test_a_row_too_long(fused, tiny, bitext, pair, monkeypatch):
    """It is rejected, and the other pairs are trained on as if it were not there."""
    monkeypatch.setattr(soft_alignment, "MAX_CELLS", 100)
    long = pair(["fox"] * 11, ["xof"] * 10)
    aligner = FusedAligner(tiny())
    aligner.fit([*bitext[:7], long, *bitext[7:]])
    *before, rejected, last = aligner.soft_align([*bitext[:5], long, bitext[5]])
    assert isinstance(rejected, RowError)
    assert str(rejected) == "too long to align: 11 x 10 words, more than 100; split the row"
    assert_same([*before, last], fused.soft_align(bitext[:6]))
    assert isinstance(aligner.align([long])[0], RowError)


@pytest.mark.parametrize("name", ["fused", "encoder"])
def test_empty_sentences_and_words(fused, pair, name):
    aligner = fused if name == "fused" else fused.encoder
    shapes = [(0, 0), (2, 0), (0, 1), (2, 1)]
    pairs = [pair(["\u200b"] * n, [""] * m) for n, m in shapes]
    found = aligner.soft_align(pairs)
    assert [one.forward.shape for one in found] == shapes
    assert [one.backward.shape for one in found] == shapes
    assert all(np.isfinite(one.forward).all() and np.isfinite(one.backward).all() for one in found)


def test_the_encoders_soft_alignment(tiny, bitext):
    """Softmax of the words' cosines and their neighbours, each pair by itself."""
    aligner = tiny()
    for one, found in zip(bitext[:10], aligner.soft_align(bitext)[:10], strict=True):
        source, target = map(
            word_states, aligner.encoder.encode([one.source.words, one.target.words])
        )
        expected = with_neighbours(*soft_links(cosines(source, target)))
        np.testing.assert_allclose((found.forward, found.backward), expected, atol=1e-5)
        np.testing.assert_allclose(found.forward.sum(1), 1)
        np.testing.assert_allclose(found.backward.sum(0), 1)


def test_the_encoders_soft_alignment_of_a_row_too_long(tiny, pair, monkeypatch):
    monkeypatch.setattr("spanbridge.core.soft_alignment.MAX_CELLS", 5)
    fits, long = tiny().soft_align([pair("a b", "c d"), pair("a b", "c d e")])
    assert fits.forward.shape == (2, 2)
    assert isinstance(long, RowError)
    assert "2 x 3 words" in str(long)


def test_a_lone_word_goes_to_all_alike(embedded, pair):
    """The only word of a sentence has no vector (rounding is none), so that only place speaks."""
    [found] = EncoderAligner(embedded).soft_align(
        [pair("Bundesverfassungsgericht", "the Federal Constitutional Court Merkel")]
    )
    assert not found.source_states.any()
    assert found.forward.max() < 0.25
    np.testing.assert_allclose(found.backward, 1)


@pytest.fixture(scope="module")
def gold(real_data):
    """``gold(name)``: the pairs of a gold alignment, and a function from links to their AER."""

    def load(name):
        pairs, right = [], []
        with (real_data / "alignment-gold" / f"{name}.jsonl").open(encoding="utf-8") as file:
            for row in map(json.loads, file):
                sides = (Sentence(tuple(row[f"{side}_tokens"])) for side in ("source", "target"))
                pairs.append(SentencePair("", *sides))
                right.append(tuple({tuple(x) for x in row[kind]} for kind in ("sure", "possible")))
        return pairs, lambda found: 100 * evaluate_links(right, [x.pairs for x in found]).aer

    return load


@pytest.mark.slow
@pytest.mark.parametrize(("name", "most"), [("enfr", 5.2), ("roen", 26.5)])
def test_error_rate_of_the_fused_aligner(embedded, gold, name, most):
    """5.08 and 25.91 %, fitted on the gold sentences alone (447 and 248)."""
    pairs, rate = gold(name)
    aligner = FusedAligner(EncoderAligner(embedded))
    aligner.fit(pairs)
    assert rate(aligner.align(pairs)) <= most


@pytest.mark.parametrize(("name", "most"), [("enfr", 16.5), ("roen", 39.5)])
def test_error_rate_of_the_statistical_aligner(gold, name, most):
    """15.32 and 37.92 %, with no other data than these sentences."""
    pairs, rate = gold(name)
    aligner = StatisticalAligner()
    aligner.fit(pairs)
    assert rate(aligner.align(pairs)) <= most


@pytest.mark.slow
@pytest.mark.parametrize(("name", "most"), [("enfr", 6.0), ("roen", 27.5)])
def test_error_rate_of_the_encoders_soft_links(embedded, gold, name, most):
    """5.48 and 26.79 %."""
    pairs, rate = gold(name)
    found = EncoderAligner(embedded).soft_align(pairs)
    assert rate([one.links(0.45) for one in found]) <= most
