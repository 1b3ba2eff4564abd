"""What each aligner promises beside parity."""

from __future__ import annotations

import json
import random

import pytest

from spanbridge.alignment.base import Aligner
from spanbridge.alignment.encoder_aligner import MAX_SUBWORD_CELLS, EncoderAligner
from spanbridge.alignment.lexical_aligner import LexicalAligner, normal_form
from spanbridge.alignment.statistical import StatisticalAligner
from spanbridge.core import registry
from spanbridge.core.errors import RowError
from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence
from spanbridge.evaluation import evaluate_links


def pair(source: str, target: str) -> SentencePair:
    return SentencePair("", Sentence(tuple(source.split())), Sentence(tuple(target.split())))


def linked_words(aligner, source: str, target: str) -> set[tuple[str, str]]:
    one = pair(source, target)
    [links] = aligner.align([one])
    return {(one.source.words[i], one.target.words[j]) for i, j in links.pairs}


@pytest.fixture(scope="module")
def encoder_aligner():
    return EncoderAligner()


def test_a_300_word_pair_has_links_at_its_end(encoder_aligner):
    middle = " ".join(f"item{n}" for n in range(298))
    long = pair(f"Berlin {middle} Paris", f"Berlin {middle} París")
    [links] = encoder_aligner.align([long])
    assert {(0, 0), (299, 299)} <= set(links.pairs)


def test_the_source_side_is_encoded_once():
    aligner = EncoderAligner()
    source = "It is raining in Cairo tonight"
    aligner.align([pair(source, "Es regnet heute Nacht in Kairo")])
    assert aligner.encoder.n_encoded == 2
    aligner.align([pair(source, "Llueve en El Cairo"), pair(source, "Llueve en El Cairo")])
    assert aligner.encoder.n_encoded == 3


@pytest.mark.slow
def test_links_do_not_depend_on_the_company(encoder_aligner, real_data):
    rows = (real_data / "alignment-gold" / "roen.jsonl").read_text(encoding="utf-8").split("\n")
    pairs = [
        pair(" ".join(row["source_tokens"]), " ".join(row["target_tokens"]))
        for row in map(json.loads, rows[:40])
    ]
    together = encoder_aligner.align(pairs)
    fresh = EncoderAligner(threads=1)
    for chosen in random.Random(0).sample(range(40), 12):
        assert fresh.align([pairs[chosen]]) == [together[chosen]]


def test_a_pair_too_long_for_its_matrix_is_rejected_with_the_reason(encoder_aligner, monkeypatch):
    monkeypatch.setattr("spanbridge.alignment.encoder_aligner.MAX_SUBWORD_CELLS", 3)
    fits, too_long = encoder_aligner.align(
        [pair("a", "b"), pair("one two three", "eins zwei drei")]
    )
    assert len(fits.pairs) == 1
    assert isinstance(too_long, RowError)
    assert "split the row" in str(too_long)
    assert MAX_SUBWORD_CELLS > 10**7


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "extraction", "most"), [("enfr", "argmax", 8.0), ("roen", "itermax", 30.0)]
)
def test_alignment_error_rate(real_data, name, extraction, most):
    pairs, gold = [], []
    with (real_data / "alignment-gold" / f"{name}.jsonl").open(encoding="utf-8") as file:
        for row in map(json.loads, file):
            pairs.append(pair(" ".join(row["source_tokens"]), " ".join(row["target_tokens"])))
            gold.append(({tuple(x) for x in row["sure"]}, {tuple(x) for x in row["possible"]}))
    links = EncoderAligner(extraction=extraction).align(pairs)
    assert 100 * evaluate_links(gold, [row.pairs for row in links]).aer <= most


DICTIONARY = dict(zip("red dog house big sees small old tree".split(),
                      "mur ka tolo bi fen dogo koro yiri".split(), strict=True))  # fmt: skip


@pytest.fixture(scope="module")
def toy_bitext():
    """200 sentences over eight words; the target says them in reverse, against the diagonal."""
    rng = random.Random(1)
    sources = [rng.choices(list(DICTIONARY), k=rng.randint(3, 6)) for _ in range(200)]
    return [
        pair(" ".join(words), " ".join(DICTIONARY[word] for word in reversed(words)))
        for words in sources
    ]


def test_the_statistical_aligner_learns_the_dictionary_and_repeats_itself(toy_bitext):
    runs = []
    for _ in range(2):
        aligner = StatisticalAligner()
        aligner.fit(toy_bitext)
        runs.append(aligner.align(toy_bitext))
    assert runs[0] == runs[1]
    words = [
        (one.source.words[i], one.target.words[j])
        for one, links in zip(toy_bitext, runs[0], strict=True)
        for i, j in links.pairs
    ]
    right = sum(DICTIONARY[a] == b for a, b in words)
    assert len(words) > 500
    assert right / len(words) > 0.7
    assert all(0 <= score <= 1 for links in runs[0] for score in links.scores)


@pytest.mark.parametrize(
    ("a", "b"),
    [("1,000", "1.000"), ("١٠٠٠", "1000"), ("Café", "CAFE"), ("ﬁn", "fin"), ("3.5", "3,5")],
)
def test_equal_normal_forms(a, b):
    assert normal_form(a) == normal_form(b)


def test_lexical_links():
    aligner = LexicalAligner()
    links = linked_words(aligner, "Parliament met 1999 times in 1998", "Parlament tagte 1998 1999")
    assert links == {("Parliament", "Parlament"), ("1999", "1999"), ("1998", "1998")}
    assert linked_words(aligner, "an of", "am off") == set()  # short words must be equal
    [repeated] = aligner.align([pair("Paul sees Paul and Paul", "Paul sieht Paul und Paul")])
    assert repeated.pairs == ((0, 0), (2, 2), (4, 4))
    assert aligner.align([pair("", "a")])[0].pairs == ()


class FirstWords(Aligner):
    """Links the first words of both sides, and refuses a pair without words."""

    def describe(self):
        return "first"

    def align(self, pairs):
        return [
            WordAlignment(((0, 0),), len(p.source.words), len(p.target.words), (1.0,))
            if p.source.words
            else RowError("no words")
            for p in pairs
        ]


def test_an_aligner_needs_no_more_than_links_and_a_name(tmp_path):
    """It learns nothing, its links are its soft alignments, and it can be saved and loaded."""
    aligner = FirstWords()
    pairs = [pair("a b", "c d e"), pair("", "c")]
    aligner.fit(pairs)
    found, refused = aligner.soft_align(pairs)
    assert found.forward.tolist() == found.backward.tolist() == [[1, 0, 0], [0, 0, 0]]
    assert isinstance(refused, RowError)
    assert not aligner.learns
    assert aligner.licence is None
    aligner.save(tmp_path)
    assert FirstWords().load(tmp_path).align(pairs[:1]) == aligner.align(pairs[:1])


def test_an_aligner_without_links_is_none():
    class Silent(Aligner):
        def describe(self):
            return "silent"

    with pytest.raises(TypeError, match="abstract method '?align"):
        Silent()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fused", "encoder", "statistical", "lexical"])
def test_every_setting_is_in_the_description(name):
    described = {registry.build("aligner", name, {}).describe()}
    others = {
        "encoder": [
            {"extraction": "argmax"},
            {"alpha": 0.8},
            {"iterations": 3},
            {"layer": 6},
            {"extraction": "softmax", "min_score": 0.1},
            {"extraction": "softmax", "min_score": 0.2},
        ],
        "fused": [{"min_score": 0.5}, {"layer": 6}],
        "statistical": [{"min_score": 0.5}],
        "lexical": [{"min_score": 0.8}, {"min_length": 3}],
    }[name]
    described |= {registry.build("aligner", name, given).describe() for given in others}
    assert len(described) == len(others) + 1
