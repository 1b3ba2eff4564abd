"""What is doubted, and what is let pass."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanbridge import SpanbridgeError
from spanbridge.core.rows import OK
from spanbridge.formats.languages import find_language
from spanbridge.translation.base import BLANK, Translation, Translator
from spanbridge.translation.guards import GUARDS, Guards, guarded, repeats

SPANISH = "El presidente llegó ayer a Madrid para hablar con los ministros."


@pytest.mark.parametrize(
    ("translation", "target", "status"),
    [
        ("The president came to Madrid yesterday to talk with the ministers.", "en", OK),
        ("大統領は昨日、大臣たちと話すためにマドリードに到着した。", "ja", OK),
        ("", "en", "failed: no translation"),
        (" \n", "en", "failed: no translation"),
        ("The president.", "en", "suspect: much too short"),
        ("The president came. " * 30, "en", "suspect: much too long"),
        ("The president came to Madrid yesterday", "ru", "suspect: not in the script Cyrl"),
        ("Президент прибыл вчера в Мадрид", "ru", OK),
        ("came to came to came to came to came to Madrid", "en", "suspect: repeats itself"),
        ("The president came " + "very " * 6 + "fast", "en", "suspect: repeats itself"),
    ],
)
def test_statuses(translation, target, status):
    found = GUARDS.check(SPANISH, Translation(translation), find_language(target))
    assert (found.status, found.text) == (status, translation)


def test_dropped_sentences():
    """NLLB leaves out the beginnings of some rows that hold several sentences."""
    text = "Llegó ayer el presidente. Hablará con los ministros de la economía."
    english = find_language("en")
    assert GUARDS.check(text, Translation("He will talk soon."), english).status == (
        "suspect: sentences dropped"
    )
    whole = Translation("The president came. He will talk with the ministers.")
    assert GUARDS.check(text, whole, english).status == OK


def test_what_repeats_in_the_original_may_repeat():
    text = "nein nein nein nein nein nein nein, sagte sie"
    found = Translation("no no no no no no no, said she")
    assert GUARDS.check(text, found, find_language("en")).status == OK


SPECIAL, COPY = "suspect: a model's special tokens", "suspect: a copy of the original"
REPEATS, DROPPED = "suspect: repeats itself", "suspect: sentences dropped"


@pytest.mark.parametrize(
    ("text", "translation", "target", "status"),
    [
        ("The city is the capital of the country.", "北京北京北京北京北京北京", "zh", REPEATS),
        ("The city is large and green in summer.", "aaaaaaaaaaaaaaaaaaaaaaaaaaaa", "de", REPEATS),
        (
            "The town of Bern lies on it. " * 3,
            "Bern liegt an der schönen Aare. " * 3,
            "de",
            REPEATS,
        ),
        ("It costs 100000000000 a year, she said.", "Es kostet 100000000000 im Jahr.", "de", OK),
        ("Good morning, I thank you.", "good morning, I thank you", "de", COPY),
        ("Angela Merkel, Berlin", "Angela Merkel, Berlin", "de", OK),  # names are the same in both
        ("他住在北京,在那里工作了很多年", "他住在北京,在那里工作了很多年", "ja", COPY),
        ("He left the house.", "Er verließ das Haus.</s>", "de", SPECIAL),
        ("He left the house.", "<unk> <unk> das Haus", "de", SPECIAL),
        ("He left the house.", "__de__ Er verließ das Haus.", "de", SPECIAL),
        ("He left the house.", ">>deu<< Er verließ das Haus.", "de", SPECIAL),
        ("He left the house.", "deu_Latn Er verließ das Haus.", "de", SPECIAL),
        ("He left the house.", "Er verließ \u2581das Haus.", "de", SPECIAL),
        ("The tag </s> ends a line of text.", "Das Zeichen </s> beendet eine Zeile.", "de", OK),
        ("One is long, with many words. The other one too.", "Eins ist lang.", "de", DROPPED),
        ("It rained. We left early.", "Es regnete, also gingen wir früh.", "de", OK),
    ],
)
def test_faults_that_show_beside_the_original(text, translation, target, status):
    if status == REPEATS and "Bern" in text:
        text = text[:28]  # said once
    assert GUARDS.check(text, Translation(translation), find_language(target)).status == status


@pytest.mark.parametrize(
    ("text", "n"),
    [("", 1), ("a b c", 1), ("a a", 2), ("a b a b a b c", 3), ("x a b c d a b c d", 2)],
)
def test_repeats(text, n):
    assert repeats(text) == n


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_guard_changes_the_status_only(text, translated):
    found = GUARDS.check(text, Translation(translated, -0.5), find_language("th"))
    assert (found.text, found.score) == (translated, -0.5)


class Upper(Translator):
    """Counts what it is asked."""

    licence = "MIT"

    def __init__(self):
        self.asked = []

    def describe(self, source, target):
        return "upper"

    def translate(self, sentences, source, target):
        self.asked += sentences
        return [Translation(text.upper()) for text in sentences]


def test_each_sentence_is_asked_for_once():
    upper, languages = Upper(), (find_language("en"), find_language("de"))
    found = guarded(upper, ["a", " ", "b", "a", ""], *languages, GUARDS)
    assert [f.text for f in found] == ["A", "", "B", "A", ""]
    assert [f.status for f in found] == [OK, BLANK, OK, OK, BLANK]
    assert upper.asked == ["a", "b"]


def test_refusals():
    for wrong in ({"max_ratio": 1.0}, {"min_script": 2.0}, {"max_repeats": 0}):
        with pytest.raises(SpanbridgeError, match="out of range"):
            Guards(**wrong)
    upper = Upper()
    upper.translate = lambda sentences, source, target: []
    with pytest.raises(SpanbridgeError, match="0 translations of 1"):
        guarded(upper, ["a"], find_language("en"), find_language("de"), GUARDS)
