"""What parts require: asked for when they are made, and licences."""

import sys

import pytest

from spanbridge.core.errors import MissingExtraError
from spanbridge.core.installation import install_command
from spanbridge.core.requirements import (
    Part,
    allows_commercial_use,
    missing,
    require,
)


class Needy(Part):
    """A part that needs what is not there."""

    requires = ("json", "spanbridge_nosuch")

    def __init__(self, strength=1):
        raise AssertionError("made all the same")


class Modest(Part):
    """A part that needs what every Python has."""

    requires = ("json", "importlib.metadata")

    def __init__(self, strength=1):
        self.strength = strength


def test_a_part_whose_module_is_missing_cannot_be_made():
    with pytest.raises(
        MissingExtraError,
        match=r"^Needy needs spanbridge-nosuch, which is not installed: "
        r".*pip install spanbridge-nosuch$",
    ):
        Needy(strength=2)


def test_nor_one_that_inherits_from_it():
    class Child(Needy):
        pass

    with pytest.raises(MissingExtraError, match="Child needs spanbridge-nosuch"):
        Child()


def test_a_part_whose_modules_are_there():
    assert Modest().strength == 1
    assert Modest(strength=2).strength == 2
    assert Modest(3).strength == 3
    assert Part().licence is None


def test_missing_modules():
    """Also in a package that is not there, and where importing is barred."""
    absent = ["spanbridge_nosuch", "spanbridge_nosuch.inner", "json.nosuch"]
    assert missing(["json", *absent, "importlib.metadata"]) == absent
    assert missing([]) == []


def test_barred_modules_are_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "json", None)
    assert missing(["json", "sys"]) == ["json"]


def test_the_message_names_the_command(monkeypatch):
    for module in ("torch", "transformers", "tokenizers"):
        monkeypatch.setitem(sys.modules, module, None)
    require("json", by="nobody")
    require(by="nobody")
    with pytest.raises(MissingExtraError) as error:
        require("torch", "json", "transformers", by="the tagger 'x'")
    assert str(error.value) == (
        "the tagger 'x' needs torch and transformers, which are not installed: "
        + install_command("torch", "transformers")
    )
    assert error.value.install == install_command("torch", "transformers")


def test_a_program_that_is_missing():
    class Barking(Part):
        programs = {"spanbridge-dog": "apt install dog"}

    said = "^Barking needs the program spanbridge-dog, which is not installed: apt install dog$"
    with pytest.raises(MissingExtraError, match=said):
        Barking()
    assert Barking.installed() == []


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [
        ("Apache-2.0", True),
        ("MIT", True),
        ("CC-BY-SA-4.0", True),
        ("mit+apache-2.0", True),
        ("cc-by-nc-4.0", False),
        ("CC-BY-NC-SA-4.0", False),
        ("mit+cc-by-nc-4.0", False),
        ("mit+unknown", False),
        ("unknown", False),
        ("other", False),
        ("", False),
        ("mit+", False),
        ("NCSA", True),  # a permissive one whose name only begins so
    ],
)
def test_commercial_use(licence, allowed):
    assert allows_commercial_use(licence) is allowed
