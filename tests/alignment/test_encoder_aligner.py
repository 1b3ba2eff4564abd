"""The encoder aligner: links and scores against plain loops, and text of every awkward kind."""

import itertools

import numpy as np
import pytest
import tiny_checkpoints
import torch
from entmax import entmax15
from scipy import special
from scipy.spatial import distance

from spanbridge.alignment.encoder_aligner import EXTRACTIONS, EncoderAligner
from spanbridge.core.errors import SpanbridgeError
from spanbridge.encode import load_encoder

ENGLISH = "Angela Merkel met the Siemens board in Berlin on Monday ."
TRANSLATIONS = {
    "de": "Angela Merkel traf am Montag in Berlin den Vorstand von Siemens .",
    "ru": "Ангела Меркель встретилась с советом директоров « Сименс » в Берлине .",
    "ar": "التقت أنجيلا ميركل مجلس إدارة سيمنز في برلين يوم الاثنين .",
    "he": "אנגלה מרקל נפגשה עם הנהלת סימנס בברלין ביום שני .",
    "zh": "安格拉 · 默克尔 周一 在 柏林 会见 了 西门子 董事会 。",
    "hi": "अंगेला मर्केल ने सोमवार को बर्लिन में सीमेंस के बोर्ड से मुलाकात की ।",
}
# the word for Berlin and, where it is one word, for Siemens
NAMES = {"de": (6, 10), "ru": (10, 7), "ar": (7, 5), "he": (6, 5), "zh": (5, 8), "hi": (5, 7)}


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_names_in_many_scripts(embedded, pair, language):
    """Right-to-left and spaceless scripts are sequences of words like all others."""
    [links] = EncoderAligner(embedded, "argmax").align([pair(ENGLISH, TRANSLATIONS[language])])
    berlin, siemens = NAMES[language]
    assert {(7, berlin), (4, siemens)} <= set(links.pairs)


def probabilities(extraction, products):
    if extraction == "softmax":
        return special.softmax(products, axis=1), special.softmax(products, axis=0)
    scores = torch.tensor(products)
    return entmax15(scores, dim=1).numpy(), entmax15(scores, dim=0).numpy()


@pytest.mark.parametrize("extraction", ["softmax", "entmax"])
@pytest.mark.parametrize("min_score", [None, 0.2])
def test_awesome_extractions_by_loops(embedded, pair, extraction, min_score):
    """Dou and Neubig 2021, equation 1, cell by cell; a score is its best harmonic mean."""
    p = pair(ENGLISH, TRANSLATIONS["hi"])
    source, target = embedded.encode([p.source.words, p.target.words])
    forward, backward = probabilities(
        extraction, np.float64(source.states) @ np.float64(target.states).T
    )
    least = {"softmax": 0.001, "entmax": 0.0}[extraction] if min_score is None else min_score
    expected = {}
    for i, j in itertools.product(range(len(source.states)), range(len(target.states))):
        if forward[i, j] > least and backward[i, j] > least:
            link = int(source.first[i]), int(target.first[j])
            score = 2 / (1 / forward[i, j] + 1 / backward[i, j])
            expected[link] = max(score, expected.get(link, 0))
    [links] = EncoderAligner(embedded, extraction, min_score=min_score).align([p])
    assert list(links.pairs) == sorted(expected)
    np.testing.assert_allclose(links.scores, [expected[x] for x in links.pairs], atol=1e-4)


@pytest.mark.parametrize("extraction", ["itermax", "argmax", "match"])
def test_simalign_scores_are_the_best_cosine(embedded, pair, extraction):
    """(1 + cosine) / 2 of a subword link; an argmax link's is the best of all its subwords."""
    p = pair(ENGLISH, TRANSLATIONS["ru"])
    source, target = embedded.encode([p.source.words, p.target.words])
    cosines = 1 - distance.cdist(source.states, target.states, "cosine") / 2
    [links] = EncoderAligner(embedded, extraction).align([p])
    assert links.pairs
    for (i, j), score in zip(links.pairs, links.scores, strict=True):
        cells = cosines[source.first == i][:, target.first == j].ravel()
        assert np.isclose(cells, score, atol=1e-6).any()
        if extraction == "argmax":
            assert score == pytest.approx(cells.max(), abs=1e-6)


def test_a_subword_over_several_words_links_them_all(embedded, pair):
    """北京 is one subword, so both characters are linked to Beijing."""
    [links] = EncoderAligner(embedded, "argmax").align([pair("Beijing", list("北京"))])
    assert links.pairs == ((0, 0), (0, 1))


@pytest.mark.parametrize("extraction", EXTRACTIONS)
@pytest.mark.parametrize(
    ("source", "target"),
    [([], []), ([], ["a"]), (["a"], []), (["\u200b"], ["a"]), ([""], ["\u200b", "\ufeff"])],
)
def test_nothing_to_link(embedded, pair, extraction, source, target):
    [links] = EncoderAligner(embedded, extraction).align([pair(source, target)])
    assert links.pairs == links.scores == ()
    assert (links.n_source, links.n_target) == (len(source), len(target))


@pytest.mark.parametrize("extraction", EXTRACTIONS)
def test_ignorable_words_and_emoji(embedded, pair, extraction):
    p = pair(["\u200b", "Hello", "👋🏽", "\u200b", "Berlin"], ["Hallo", "\ufeff", "👋🏽", "Berlin"])
    [links] = EncoderAligner(embedded, extraction).align([p])
    assert {(1, 0), (2, 2), (4, 3)} <= set(links.pairs)
    assert not {i for i, _ in links.pairs} & {0, 3}
    assert not {j for _, j in links.pairs} & {1}


def test_no_pairs(embedded):
    assert EncoderAligner(embedded).align([]) == []


@pytest.mark.slow
def test_a_1200_word_pair_has_links_at_its_end(embedded, pair, real_data):
    """Many windows: real sentences one after the other, names at both ends."""
    sides = []
    for language in ("en", "de"):
        rows = (real_data / "europarl-ner" / f"{language}.dev.conll").read_text("utf-8")
        words = [row.split("\t")[0] for row in rows.split("\n") if row]
        sides.append(["Reykjavík", "!", *words[:1200], "Kazakhstan", "."])
    [links] = EncoderAligner(embedded).align([pair(*sides)])
    assert {(0, 0), (1202, 1202), (1203, 1203)} <= set(links.pairs)
    assert len({i for i, _ in links.pairs}) > 600


@pytest.mark.slow
def test_words_of_ten_thousand_characters(embedded, pair):
    """On both sides; they are linked like any other, and so is the word after them."""
    p = pair(["ab" * 5000, "Berlin"], ["cd" * 5000, "Berlin"])
    [links] = EncoderAligner(embedded, "argmax").align([p])
    assert {(0, 0), (1, 1)} <= set(links.pairs)


def test_windows_of_a_small_model(tmp_path, pair):
    """A model of 120 positions aligns sentences of 300 words with themselves, word for word."""
    folder = tiny_checkpoints.save(tmp_path / "bert", "bert")
    encoder = load_encoder(str(folder), threads=1)
    words = (" ".join(tiny_checkpoints.SENTENCES[:5]).split() * 9)[:300]
    aligner = EncoderAligner(encoder, "argmax")
    [links] = aligner.align([pair(words, words)])
    assert [(n, n) for n in range(300)] == list(links.pairs)
    assert encoder.n_encoded > 5


def test_unknown_extraction():
    """Before any encoder is loaded."""
    with pytest.raises(SpanbridgeError, match=r"'hungarian'.* itermax, argmax, match"):
        EncoderAligner("no such encoder", "hungarian")


def test_description(embedded):
    """Name, start of the weights' digest, layer and type, then what the extraction depends on."""
    prefix = f"encoder({embedded.describe()},"
    assert embedded.describe().startswith("multilingual-e5-small@")
    assert EncoderAligner(embedded).describe() == f"{prefix}itermax,iterations=2,alpha=0.9)"
    assert EncoderAligner(embedded, "match").describe() == f"{prefix}match)"
    assert EncoderAligner(embedded, "softmax").describe() == f"{prefix}softmax,min_score=0.001)"
    assert EncoderAligner(embedded, "entmax").describe() == f"{prefix}entmax,min_score=0)"
