"""Steps on raw text: text in any script comes out as it went in."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanbridge.api import Loaded
from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.formats.languages import find_language
from spanbridge.formats.segmentation import IcuWords, Sentencex, sentences, words
from spanbridge.formats.shard_files import read_shard, write_shard
from spanbridge.formats.tokens import tokenize
from spanbridge.run.recipes import label_steps
from spanbridge.steps.account import Account
from spanbridge.steps.base import Context
from spanbridge.steps.raw_text import Join, Segment, Split, in_plain_words, joined
from spanbridge.translation.base import Translation, Translator

CONTEXT = Context({"target": find_language("zh"), "source": find_language("en")})
TEXTS = st.text(st.sampled_from("ab. !?\n'l。北京กรุง\u0301👍🏽İ-"), max_size=40)


def raw(text):
    made, offsets = tokenize(text)
    return Sentence(made, (), text, offsets)


def pair(text, **others):
    return SentencePair("7", Sentence(()), raw(text), **others)


def work(step, rows, context=CONTEXT):
    account = Account()
    step.open(context)
    return list(step.run(rows, account)), account


@given(text=TEXTS)
def test_split_and_joined_it_is_the_text(text):
    row = pair(text, extra={"topic": "x"})
    parts, account = work(Split(), [row, row._replace(id="8")])
    assert account.notes["sentences"] == len(parts)
    whole, _ = work(Join(), parts)
    # a sentence can end before a combining mark, where no word does
    assert [(found.id, in_plain_words(found).target, found.extra) for found in whole] == [
        ("7", row.target, {"topic": "x"}),
        ("8", row.target, {"topic": "x"}),
    ]


def test_a_text_with_a_translation_of_its_own_is_not_cut(tmp_path):
    path = tmp_path / "given.tsv"
    path.write_text("Ana vive.  Bob va.\tAna lives. Bob goes.\nEva va.\tEva goes.\n", "utf-8")
    whole = {"given": {"model": str(path)}}
    texts = ["Ana vive. Bob va.", "Eva va. Eva va.", "Eva va."]
    context = Context({"target": find_language("es"), "source": find_language("en")})
    step = Split(whole=whole)
    parts, account = work(step, [pair(text) for text in texts], context)
    assert [part.target.text for part in parts] == [texts[0], *["Eva va."] * 3]
    assert account.statuses == {
        "left whole, as its translation is given": 1,
        "several sentences": 1,
        "one sentence": 1,
    }
    assert "given(" in step.describe()
    assert [row.target.text for row in work(Join(), parts)[0]] == texts
    steps = label_steps("translate", "given", whole)
    assert steps[0] == {"split": {"whole": whole}}
    assert label_steps("ensemble", "given", "apertium")[0] == "split"
    first, *_ = Loaded([*steps[:2], "join"], {"target": "es", "source": "en"}).run(parts[:1])
    assert (first.source.text, first.translation_status) == ("Ana lives. Bob goes.", "ok")
    with pytest.raises(SpanbridgeError, match="takes any text; name given"):
        work(Split(whole=AnyText()), [], context)


class AnyText(Translator):
    """A translator that looks nothing up."""

    licence = "MIT"

    def describe(self, source, target):
        return "any"

    def translate(self, sentences, source, target):
        return [Translation(text) for text in sentences]


def test_spans_links_and_fates_of_sentences_are_joined():
    text = "Ana vive. Pedro duerme mucho."
    parts, _ = work(Split(), [pair(text)], Context({"target": find_language("es")}))
    assert [part.id for part in parts] == ["7.1", "7.2"]
    sides = [("Ana lives.", [(0, 0), (1, 1)]), ("Pedro sleeps.", [(0, 0), (1, 1)])]
    made = [
        part._replace(
            source=raw(translation).with_spans((Span(0, 1, "PER"),)),
            target=part.target.with_spans((Span(0, 1, "PER", 0.5),)),
            links=WordAlignment.of(links, 3, len(part.target.words)),
            status=status,
            confidence=0.5,
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
    assert (whole.status, whole.confidence) == ("projected", 0.25)
    assert joined([made[0], made[1]._replace(confidence=None)]).confidence is None


def test_what_was_said_of_sentences_is_said_of_the_text():
    parts, _ = work(Split(), [pair("Ana vive. Pedro duerme.", extra={"k": 1})])
    ok = parts[0]._replace(translation_status="ok", translation_score=-1.0, status="projected")
    bad = parts[1]._replace(
        translation_status="failed: x",
        status="rejected: too long",
        explanation=("why",),
    )
    (whole,), account = work(Join(), [ok, bad])
    assert (whole.id, whole.extra, whole.sentence_of) == ("7", {"k": 1}, None)
    assert (whole.translation_status, whole.translation_score) == ("failed: x", -1.0)
    assert (whole.status, whole.rejected_sentences) == ("projected", ("too long",))
    assert whole.explanation == ("why",)
    assert account.statuses == {"projected": 1}


def test_the_account_of_texts_says_in_how_many_something_was_found():
    texts = ["Ana vive. Pedro duerme.", "Llueve.", "Nadie sabe. Nada."]
    parts, _ = work(Split(), [pair(text) for text in texts])
    tagged = {
        "7.1": parts[0].target.with_spans([Span(0, 1, "PER")]),
        "7.2": parts[1].target.with_spans([Span(0, 1, "PER")]),
    }
    rows = [row._replace(target=tagged.get(row.id, row.target)) for row in parts[:2]]
    rows += [row._replace(provenance="tag") for row in parts[2:]]
    _, account = work(Join(), rows)
    assert account.text() == "3 rows = 2 empty: no span found, 1 tagged\n2 spans"
    assert (account.n_source_spans, account.n_target_spans) == (0, 0)
    _, account = work(Join(), parts[:2])  # nobody has looked for anything
    assert account.text() == "1 rows = 1 joined"


def test_a_text_has_no_span_if_none_of_its_sentences_has():
    parts, _ = work(Split(), [pair("Ana vive. Pedro duerme.")])
    unsure = [
        row._replace(target=replace(row.target, empty_probability=p))
        for row, p in zip(parts, (0.5, 0.9), strict=True)
    ]
    assert joined(unsure).target.empty_probability == 0.45
    spotted = unsure[0]._replace(target=parts[0].target.with_spans((Span(0, 1, "PER"),)))
    assert joined([spotted, unsure[1]]).target.empty_probability is None


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
    made = row._replace(source=Sentence(("w",)), target=row.target.with_spans(spans), links=links)
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


def test_shards_hold_everything(tmp_path):
    rows = [
        pair("a b"),
        SentencePair(
            "x",
            Sentence(("w",), (Span(0, 1, "A-B", 0.1), Span(0, 1, "C"))),
            raw("é\u0301 👍"),
            WordAlignment.of([(0, 0)], 1, 2, [0.3]),
            "projected",
            confidence=0.25,
            extra={"n": [1, {"ü": None}]},
        ),
    ]
    for case in (rows, [], rows[:1]):
        path = tmp_path / "s" / "1.gz"
        write_shard(path, case)
        assert read_shard(path) == case
