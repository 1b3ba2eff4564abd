"""Parts by name, with options checked; and the signatures that parts add up to."""

from importlib.metadata import EntryPoint, PackageNotFoundError

import pytest

from spanbridge.align.base import Aligner
from spanbridge.core import registry, signature
from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.registry import build, load, names


class Plugin:
    """A part of another package."""

    def __init__(self, strength=1):
        self.strength = strength


@pytest.fixture
def plugin(monkeypatch):
    """An installed package that offers an aligner of its own, and one by a name that is taken."""
    points = [
        EntryPoint(name, f"{__name__}:Plugin", "spanbridge.aligner") for name in ("own", "lexical")
    ]

    def entry_points(group):
        return points if group == "spanbridge.aligner" else []

    monkeypatch.setattr(registry, "entry_points", entry_points)


def test_names_have_summaries():
    assert list(names("aligner")) == ["fused", "encoder", "statistical", "lexical"]
    assert list(names("method")) == ["corpus", "soft", "greedy", "exact", "heuristic"]
    assert all([*names("aligner").values(), *names("method").values()])


@pytest.mark.parametrize("kind", ["aligner", "method"])
def test_every_name_loads(kind):
    for name in names(kind):
        assert callable(load(kind, name))


@pytest.mark.parametrize("name", ["fused", "encoder", "statistical", "lexical"])
def test_built_aligners_are_aligners(name):
    assert isinstance(build("aligner", name, {}), Aligner)


def test_options_are_passed_and_none_is_the_default():
    aligner = build("aligner", "lexical", {"min_similarity": 0.9, "min_length": None})
    assert (aligner.min_similarity, aligner.min_length) == (0.9, 4)


def test_unknown_option():
    with pytest.raises(SpanbridgeError, match="'lexical' has no option 'layer'; it has: min_simil"):
        build("aligner", "lexical", {"layer": 3})


def test_an_unknown_option_that_is_not_given_is_none_of_our_business():
    """The command line hands every part all options, those not given as None."""
    assert build("aligner", "lexical", {"layer": None}).min_length == 4


def test_unknown_name():
    with pytest.raises(
        SpanbridgeError, match="no aligner is named 'giza'; there are: fused, encoder"
    ):
        build("aligner", "giza", {})


def test_parts_of_other_packages(plugin):
    assert names("aligner")["own"] == f"from {__name__}:Plugin"
    assert build("aligner", "own", {"strength": 3}).strength == 3
    with pytest.raises(SpanbridgeError, match="there are: .*, own"):
        load("aligner", "nobody")


def test_other_packages_cannot_take_our_names(plugin):
    assert load("aligner", "lexical").__name__ == "LexicalAligner"
    assert "numbers" in names("aligner")["lexical"]


def test_signature_is_one_line_in_order(monkeypatch):
    monkeypatch.setattr(signature, "version", lambda name: "1.2")
    given = {"metric": "f1", "aligner": "encoder(a|b,\n c)", "rows": 3}
    expected = "metric:f1|aligner:encoder(a b, c)|rows:3|version:1.2"
    assert signature.signature(given) == expected


def test_version_of_a_bare_source_tree(monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(signature, "version", missing)
    assert signature.signature({}) == "version:0+unknown"
