import sys

import pytest

from spanbridge.core import registry
from spanbridge.core.errors import MissingExtraError
from spanbridge.formats.languages import find_language
from spanbridge.formats.segmentation import Cutter, IcuSentences, IcuWords, Sentencex


@pytest.mark.parametrize(
    ("cutter", "module"),
    [(Sentencex, "sentencex"), (IcuSentences, "icu4py"), (IcuWords, "icu4py")],
)
def test_a_library_that_is_not_there(monkeypatch, cutter, module):
    monkeypatch.setitem(sys.modules, module, None)
    said = rf"{cutter.__name__} needs {module}, which is not installed: .*pip install "
    with pytest.raises(MissingExtraError, match=said):
        cutter()


def test_languages_without_their_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "langcodes", None)
    with pytest.raises(MissingExtraError, match="language code needs langcodes"):
        find_language("sw-x-unmet")


@pytest.mark.parametrize("kind", ["splitter", "segmenter"])
def test_cutters_of_the_registry(kind):
    for name in registry.names(kind):
        made = registry.load(kind, name)()
        assert isinstance(made, Cutter)
        text = "Ana vive. Pedro duerme."
        assert [text[a:b] for a, b in made(text, "es")] != []
        assert "".join(text[a:b] for a, b in made(text, "es")) == text


def test_a_library_that_changes_the_text_is_not_believed(monkeypatch):
    made = Sentencex()
    monkeypatch.setattr(made, "_segment", lambda language, text: ["another text"])
    assert list(made("A. B.", "en")) == [(0, 5)]
