"""What was meant by a mistyped name."""

import pytest

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.similar import closest, meant, not_named
from spanbridge.formats.languages import find_language, language_names


@pytest.mark.parametrize(
    ("name", "near"),
    [("PRE", "PER"), ("per", "PER"), ("locc", "LOC"), ("MISC", None), ("", None)],
)
def test_closest(name, near):
    assert closest(name, ["PER", "LOC"]) == near


def test_messages():
    assert meant("corpsu", ["corpus", "soft"]) == " (did you mean corpus?)"
    assert meant("x", []) == ""
    said = "no kind is named 'corpsu' (did you mean corpus?); there are: corpus, soft"
    assert not_named("kind", "corpsu", ["corpus", "soft"]) == said
    assert not_named("kind", 7, []) == "no kind is named 7; there are: none"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Spanish", "es, Spanish"),
        ("swahilli", "sw, Swahili"),
        ("chinese", "zh, Chinese"),
        ("kurdish ", "ku, Kurdish"),
    ],
)
def test_names_of_languages(text, meant):
    with pytest.raises(SpanbridgeError, match=rf"did you mean {meant}\?"):
        find_language(text)


def test_every_name_has_a_code_that_is_known():
    names = language_names()
    assert names["de"] == "German"
    assert len(names) > 190
    assert all(find_language(code).iso1 in names for code in names)
