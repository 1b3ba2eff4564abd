"""Stages of pipelines: text in any script comes out as it went in; opinions put together."""

from dataclasses import replace

import numpy as np
import pytest
import toy_pipeline as toy
from hypothesis import given
from hypothesis import strategies as st

from spanbridge.core.links import WordAlignment
from spanbridge.core.spans import Sentence, SentencePair, Span
from spanbridge.formats.languages import find_language
from spanbridge.formats.parquet import read_notes, read_shard, write_shard
from spanbridge.formats.segmentation import IcuWords, Sentencex, sentences, words
from spanbridge.formats.tokens import tokenize
from spanbridge.steps.account import Account
from spanbridge.steps.ensemble import agree
from spanbridge.steps import Context, Ensemble, Join, Match, Repair, Segment, Split
from spanbridge.steps.raw_text import in_plain_words, joined
from spanbridge.tag.base import Tagged

CONTEXT = Context({"target": find_language("zh"), "source": find_language("en")})
CLASSES = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
TEXTS = st.text(st.sampled_from("ab. !?\n'l。北京กรุง\u0301👍🏽İ-"), max_size=40)


def raw(text):
    made, offsets = tokenize(text)
    return Sentence(made, (), text, offsets)


def pair(text, **others):
    return SentencePair("7", Sentence(()), raw(text), **others)


def work(stage, rows, context=CONTEXT):
    account = Account()
    return list(stage.open(context).work(rows, account)), account


@given(text=TEXTS)
def test_split_and_joined_it_is_the_text(text):
    row = pair(text, extra={"topic": "x"})
    parts, account = work(Split(), [row, replace(row, id="8")])
    assert account.notes["sentences"] == len(parts)
    whole, _ = work(Join(), parts)
    # a sentence can end before a combining mark, where no word does
    assert [(found.id, in_plain_words(found).target, found.extra) for found in whole] == [
        ("7", row.target, {"topic": "x"}),
        ("8", row.target, {"topic": "x"}),
    ]


def test_spans_links_and_fates_of_sentences_are_joined():
    text = "Ana vive. Pedro duerme mucho."
    parts, _ = work(Split(), [pair(text)], Context({"target": find_language("es")}))
    assert [part.id for part in parts] == ["7.1", "7.2"]
    sides = [("Ana lives.", [(0, 0), (1, 1)]), ("Pedro sleeps.", [(0, 0), (1, 1)])]
    made = [
        replace(
            part,
            source=raw(translation).with_spans((Span(0, 1, "PER"),)),
            target=part.target.with_spans((Span(0, 1, "PER", 0.5),)),
            links=WordAlignment.of(links, 3, len(part.target.words)),
            status=status,
            extra={**part.extra, "confidence": 0.5},
        )
        for part, (translation, links), status in zip(
            parts, sides, ["empty: no link", "projected"], strict=True
        )
    ]
    whole = joined(made)
    assert whole.source.text == "Ana lives. Pedro sleeps."
    assert [span[:2] for span in whole.source.spans] == [(0, 1), (3, 4)]
    assert [whole.target.words[span.start] for span in whole.target.spans] == ["Ana", "Pedro"]
    assert whole.target.offsets[whole.target.spans[1].start] == (10, 15)
    assert list(whole.links.pairs) == [(0, 0), (1, 1), (3, 3), (4, 4)]
    assert (whole.status, whole.extra["confidence"]) == ("projected", 0.25)
    unsure = [made[0], replace(made[1], extra={**made[1].extra, "confidence": None})]
    assert joined(unsure).extra["confidence"] is None


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("th", "กรุงเทพเป็นเมือง 5 ok", ["กรุงเทพ", "เป็น", "เมือง", "5", "ok"]),
        ("zh", "默克尔在北京。", ["在", "北京", "。"]),
        ("ja", "東京で会見した", ["東京", "で", "会見", "した"]),
        ("km", "ភ្នំពេញជារាជធានី", ["ភ្នំពេញ", "ជា", "រាជធានី"]),
        ("lo", "ວຽງຈັນແມ່ນເມືອງຫຼວງ", ["ວຽງຈັນ", "ແມ່ນ", "ເມືອງຫຼວງ"]),
        ("my", "မြန်မာနိုင်ငံ သည်", ["မြန်မာနိုင်ငံ", "သည်"]),
        ("en", "It's l'été.", ["It's", "l'", "été", "."]),
    ],
)
def test_words_of_scripts_without_spaces(language, text, expected):
    found, offsets = words(text, language, IcuWords())
    assert list(found)[-len(expected) :] == expected
    assert [text[a:b] for a, b in offsets] == list(found)


@given(text=TEXTS, ends=st.sets(st.integers(0, 12)), seed=st.integers(0, 99))
def test_segmented_spans_and_links_come_back_in_characters(text, ends, seed):
    (row,), _ = work(Segment(), [pair(text)])
    n = len(row.target.words)
    bounds = sorted(end for end in ends if end <= n)
    spans = tuple(Span(a, b, "X") for a, b in zip(bounds[::2], bounds[1::2], strict=False))
    links = WordAlignment.of([(0, j) for j in range(n) if (j + seed) % 3], 1, n)
    made = replace(row, source=Sentence(("w",)), target=row.target.with_spans(spans), links=links)
    plain = in_plain_words(made)
    assert [plain.target.text[a:b] for a, b in plain.target.offsets] == list(plain.target.words)

    def characters(sentence, span):
        return sentence.offsets[span.start][0], sentence.offsets[span.end - 1][1]

    assert [characters(plain.target, span) for span in plain.target.spans] == [
        characters(made.target, span) for span in spans
    ]

    def linked(found):
        places = (found.target.offsets[j] for _, j in found.links.pairs)
        return {k for a, b in places for k in range(a, b)}

    assert linked(plain) == linked(made)


def test_white_space_that_makes_the_library_panic():
    text = "La vitamina C\u00a0. Es buena. M.\u00a0X\u00a0. est venu"
    found = sentences(text, "es", Sentencex())
    assert "".join("".join(text[a:b].split()) for a, b in found) == "".join(text.split())


def test_sentences_of_other_scripts():
    assert sentences("默克尔。北京！", "zh", Sentencex()) == [(0, 4), (4, 7)]
    assert sentences("  \n ", "en", Sentencex()) == []


def test_repair_is_counted_and_leaves_the_rest_alone():
    rows = [pair("Espa\u00c3\u00b1a"), pair("España"), pair("naïve ÃÑO"), pair("")]
    rows.append(SentencePair("8", Sentence(()), Sentence(("\u00c3\u00b1u",), (Span(0, 1, "X"),))))
    found, account = work(Repair(), rows)
    assert [row.target.text for row in found] == ["España", "España", "naïve ÃÑO", "", None]
    assert found[4].target == Sentence(("ñu",), (Span(0, 1, "X"),))
    assert account.statuses == {"repaired: encoded twice": 2, "sound": 3}


def test_agreement_by_hand():
    probabilities = np.array(
        [
            [0.1, 0.9, 0.0, 0.0, 0.0],
            [0.6, 0.4, 0.0, 0.0, 0.0],
            [0.0, 0.0, 0.0, 1.0, 0.0],
            [0.5, 0.0, 0.0, 0.0, 0.5],
        ]
    )
    tagged = Tagged(4, (Span(0, 1, "PER", 0.9), Span(2, 3, "LOC", 0.5)), probabilities)
    projected = [Span(1, 2, "PER", 0.8), Span(2, 4, "LOC", 0.7), Span(3, 4, "ORG", None)]
    found = agree(projected, tagged, CLASSES, 0.5, 0.4)
    # .9 / 2; (.8 + .4) / 2; (.7 + .5) / 2 beats (0 + .5) / 2 and the certain ORG, of a label that
    # the tagger does not know, (1 + 0) / 2
    assert [span[:3] for span in found] == [(0, 1, "PER"), (1, 2, "PER"), (2, 4, "LOC")]
    assert [span.score for span in found] == pytest.approx([0.45, 0.6, 0.6])
    assert agree(projected, tagged, CLASSES, 0.0, 0.6)[0][:3] == (0, 1, "PER")
    assert agree((), Tagged(0, ()), (), 0.5, 0.4) == ()


class Halves:
    """Takes the first word for a person, surely, and the second with half its heart."""

    classes = CLASSES
    dropped = None

    def describe(self):
        return "halves"

    def tag(self, sentences):
        probabilities = np.array([[0.0, 1, 0, 0, 0], [0.5, 0.5, 0, 0, 0], [1.0, 0, 0, 0, 0]])
        return [
            Tagged(len(s), (Span(0, 1, "PER", 1.0),), probabilities[: len(s)]) for s in sentences
        ]


@pytest.fixture
def halves(monkeypatch):
    from spanbridge.core import registry

    entry = registry.Entry("test_stages:Halves", "for tests")
    monkeypatch.setitem(registry._PARTS["tagger"], "halves", entry)


def test_ensemble(halves):
    row = SentencePair("1", Sentence(()), Sentence(("a", "b", "c"), (Span(1, 2, "PER", 0.8),)))
    (found,), account = work(Ensemble(tagger="halves"), [row])
    assert [span[:3] for span in found.target.spans] == [(0, 1, "PER"), (1, 2, "PER")]
    assert account.notes == {"spans added": 1, "spans left out": 0, "spans": 2}
    assert found.status == "projected"
    stale = replace(row, status="empty: no link", extra={"confidence": 1.0, "x": 1})
    (found,), _ = work(Ensemble(tagger="halves", threshold=1.0), [stale])
    assert (found.status, found.extra) == ("empty: no span", {"x": 1})


def test_match_with_a_tagger(halves):
    source = Sentence(("Ann", "x"), (Span(0, 1, "PER"),))
    links = WordAlignment.of([(0, 1)], 2, 3)
    row = SentencePair("1", source, Sentence(("Anna", "b", "c")), links)
    plain, _ = work(Match(links=True), [row])
    assert [span[:3] for span in plain[0].target.spans] == [(1, 2, "PER")]
    (found,), _ = work(Match(links=True, tagger="halves", ner=3.0), [row])
    assert [span[:3] for span in found.target.spans] == [(0, 1, "PER")]
    (found,), account = work(Match(links=True, tagger="halves", candidates="tagger"), [row])
    assert found.target.spans == ()
    assert account.dropped == {"no candidate left": 1}


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"candidates": "tagger"}, "need a tagger"),
        ({"ner": 1.0}, "need a tagger"),
        ({"translation": 1.0}, "needs a translator"),
        ({"alignment": 0.0}, "all weights are 0"),
        ({"tagger": "halves"}, "the tagger would do nothing"),
        ({"translator": "apertium"}, "the translator would do nothing"),
    ],
)
def test_settings_that_do_not_go_together(halves, settings, why):
    with pytest.raises(ValueError, match=why):
        Match(**settings)


def test_match_by_translation_scores(tmp_path, monkeypatch):
    import tiny_translators

    monkeypatch.setenv("SPANBRIDGE_CACHE", str(tmp_path / "cache"))
    folder = str(tiny_translators.save(tmp_path / "m2m", "m2m"))
    text = "Pedro vive en Madrid.\nAna trabaja en Lugar1.\n"
    toy.write(tmp_path, 6)
    (tmp_path / "es.txt").write_text(text, encoding="utf-8")
    (tmp_path / "t.tsv").write_text(
        "Pedro vive en Madrid.\tPedro lives in Madrid.\n"
        "Ana trabaja en Lugar1.\tAna works in Lugar1.\n",
        encoding="utf-8",
    )
    scored = {
        "aligner": "lexical",
        "translator": {"neural": {"model": folder, "compute_type": "float32"}},
        "translation": 0.5,
        "solver": "exact",
    }
    (tmp_path / "en.conll").write_text(
        "Pedro\tB-PER\nlives\tO\nin\tO\nMadrid\tB-LOC\n.\tO\n\n"
        "Ana\tB-PER\nworks\tO\nin\tO\nLugar1\tB-LOC\n.\tO\n\n",
        encoding="utf-8",
    )
    given_ = toy.settings(tmp_path, stages=[*toy.STAGES[1:3], {"match": scored}])
    done, passages = toy.run(given_)
    assert passages[-1].account.notes["translation scores"] > 0
    assert "nmtscore(direct,neural(m2m@" in done.signature
    first = toy.rows(tmp_path / "o.jsonl")
    toy.run({**given_, "output": str(tmp_path / "p.jsonl"), "shard_rows": 1})
    assert toy.rows(tmp_path / "p.jsonl") == first


def test_shards_hold_everything(tmp_path):
    rows = [
        pair("a b"),
        SentencePair(
            "x",
            Sentence(("w",), (Span(0, 1, "A-B", 0.1), Span(0, 1, "C"))),
            raw("é\u0301 👍"),
            WordAlignment.of([(0, 0)], 1, 2, [0.3]),
            "projected",
            {"n": [1, {"ü": None}]},
        ),
    ]
    for case in (rows, [], rows[:1]):
        path = tmp_path / "s" / "1.parquet"
        write_shard(path, case, {"k": "ü"})
        assert read_shard(path) == case
        assert read_notes(path) == {"k": "ü"}
