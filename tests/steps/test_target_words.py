"""The words of raw target text, and the conventions of boundaries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import spanbridge
from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.formats.languages import find_language
from spanbridge.formats.tokens import raw_sentence
from spanbridge.projection.presets import SoftMethod
from spanbridge.steps.account import Account
from spanbridge.steps.target_words import TargetWords, guess_language

SOURCE = Sentence(("live", "in", "Ankara"), (Span(2, 3, "LOC"),))


def words_of(text: str, language: str | None = None, **wanted) -> tuple[str, ...]:
    found = TargetWords(wanted, None if language is None else find_language(language))
    return found(SentencePair("1", SOURCE, raw_sentence(text))).target.words


@pytest.mark.parametrize(
    ("settings", "language", "word"),
    [
        ({}, None, "Ankara'da"),
        ({}, "tr", "Ankara"),
        ({}, "de", "Ankara'da"),
        ({}, "en", "Ankara'da"),
        ({"boundary": {"suffix": "out"}}, None, "Ankara"),
        ({"boundary": {"suffix": "in"}}, "tr", "Ankara'da"),
    ],
)
def test_suffixes_after_an_apostrophe(settings, language, word):
    known = (Span(0, 1, "X"),)  # of the target, which is found anew
    rows = [
        SentencePair("1", SOURCE, Sentence(("Ankara'da", "ya\u015f\u0131yor"), spans, text, places))
        for text, places in [("Ankara'da ya\u015f\u0131yor", ((0, 9), (10, 17)))]
        for spans in ((), known)
    ]
    languages = {} if language is None else {"source": "es", "target": language}
    made = spanbridge.Loaded(
        [{"project": {"method": "greedy", "aligner": "lexical", **settings}}], languages
    )
    found = made.run(rows)
    for row in found:
        [span] = row.target.spans
        assert row.target.text_of(span.start, span.end) == word
    assert ("suffix=" in found.signature) == bool(settings)
    linked = rows[0]._replace(links=WordAlignment.of([(2, 0)], 3, 2))
    assert made.run([linked])[0].target.words == rows[0].target.words


@pytest.mark.parametrize(
    ("text", "language", "words"),
    [
        ("東京に行きます", None, ("東京", "に", "行き", "ます")),
        ("午前6時に設定", "ja", ("午前", "6", "時", "に", "設定")),
        ("魁北克省的人", "zh", ("魁北克", "省", "的", "人")),
        ("กรุงเทพมหานครสวยงาม", "th", ("กรุงเทพมหานคร", "สวยงาม")),
        ("서울에서는 평가를 한다", None, ("서울", "에서", "는", "평가", "를", "한다")),
        ("서울에서는 평가를", "de", ("서울에서는", "평가를")),
        ("l'Ankara d'Or", "fr", ("l'", "Ankara", "d'", "Or")),
        ("O'zbekiston o'zi", "uz", ("O'zbekiston", "o'zi")),
        ("Bordeaux\u2019n viini", "fi", ("Bordeaux", "\u2019n", "viini")),
        ("Obama's can't", "en", ("Obama", "'s", "can't")),
    ],
)
def test_words_of_raw_text(text, language, words):
    assert words_of(text, language) == words


def test_what_is_in_is_not_cut():
    assert words_of("서울에서는", "ko", particle="in") == ("서울에서는",)
    assert words_of("Ankara'da", "tr", suffix="in") == ("Ankara'da",)


def test_words_that_were_given_stay():
    offsets = ((0, 1), (1, 3))
    pair = SentencePair("1", SOURCE, Sentence(("東", "京に"), (), "東京に", offsets))
    assert TargetWords({}, None)(pair).target.words == (
        "東",
        "京",
        "に",
    )  # only the particle is cut
    tokens = SentencePair("1", SOURCE, Sentence(("Ankara'da",)))
    assert TargetWords({}, find_language("tr"))(tokens) is tokens


TEXT = st.text(
    st.sampled_from("東京都のに午前6時 서울에서는과 Ankara'dan ’s·、กไทยé\u0301"), max_size=30
)


@given(TEXT, st.sampled_from([None, "ja", "ko", "tr", "zh", "th", "fr"]))
def test_offsets_map_back_exactly(text, language):
    found = TargetWords({}, None if language is None else find_language(language))
    target = found(SentencePair("1", SOURCE, raw_sentence(text))).target
    assert target.text == text
    assert target.offsets is not None
    assert [text[a:b] for a, b in target.offsets] == list(target.words)
    plain = raw_sentence(text).offsets
    assert plain is not None
    covered = {at for a, b in target.offsets for at in range(a, b)}
    assert covered == {at for a, b in plain for at in range(a, b)}
    starts = [a for a, _ in target.offsets]
    assert starts == sorted(set(starts))


def rows(texts):
    return [SentencePair(str(n), SOURCE, raw_sentence(text)) for n, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("texts", "language"),
    [
        (["東京に行きます"], "jpn"),
        (["我在北京"], "zho"),
        (["서울에 산다"], "kor"),
        (["Ich wohne in Bonn"], ""),
        (["der Rat des Bundes an der See oder im Tal bei der Burg nach Köln"] * 3
         + ["ein Kind mit dem Hund für die Stadt und zum Haus von einem Mann auf das Land"]
             + ["vom Dorf zur Stadt des Rates in den Bergen nach dem Ende durch ins Tal"], "deu"),
        (["yadda za a yi da shi a gida", "na ga ta a can"], ""),
    ],
)  # fmt: skip
def test_the_language_is_guessed_and_said(texts, language):
    assert guess_language(rows(texts)) == language
    found, account = TargetWords({}, None), Account()
    found.tell(SoftMethod(), language)
    found.note(account, len(texts))
    taken = {f"rows_whose_target_was_taken_for_{language}": len(texts)} if language else {}
    assert account.notes == taken


def test_a_fit_keeps_the_language(tmp_path):
    pairs = rows(["Ankara'da yaşıyor"] * 3)
    made = spanbridge.Projector("greedy", "lexical", languages={"target": "tr"})
    assert made.fit_run(pairs)[0].target.words[0] == "Ankara"
    made.save(tmp_path / "fit")
    assert spanbridge.Projector.load(tmp_path / "fit").run(pairs)[0].target.words[0] == "Ankara"


def test_a_guess_forgets_the_one_before_but_not_what_was_given():
    guessing, given = TargetWords({}, None), TargetWords({}, find_language("sw"))
    for language in ("deu", "swa", ""):
        guessing.tell(SoftMethod(), language)
        given.tell(SoftMethod(), language)
        assert (guessing.language, given.language) == (language, find_language("sw").iso3)


def test_a_convention_that_is_not_read_is_refused():
    with pytest.raises(SpanbridgeError, match="boundary article: the method 'greedy'"):
        spanbridge.Projector("greedy", "lexical", boundary={"article": "in"})
    with pytest.raises(SpanbridgeError, match="boundary"):
        spanbridge.Projector("soft", "lexical", boundary={"articel": "in"})
