"""Translations from a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from unicodedata import normalize

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import check_rereadable, lines
from spanbridge.core.records import file_digest
from spanbridge.core.spans import Sentence
from spanbridge.formats.languages import Language
from spanbridge.formats.tokens import with_text
from spanbridge.translation.base import Translation, Translator


class GivenTranslator(Translator):
    """Looks sentences up in a file; one that the file does not hold has ``failed``.

    Args:
        model: a file with two columns, separated by a tab or by ``|||``: sentence and translation.
            Runs of spaces count as one, decomposed characters as composed ones.
        licence: of the translations, for the record.

    Raises:
        InputError: the file cannot be read, a line does not have two columns, or a sentence has two
            different translations.
        SpanbridgeError: the file holds no translation.
    """

    looks_up = True

    def __init__(self, model: str, licence: str = "unknown") -> None:
        self.licence = licence
        self._found: dict[str, str] = {}
        check_rereadable(model)
        for number, line in enumerate(lines(model), 1):
            if not line.strip():
                continue
            columns = line.split("\t") if "\t" in line else line.split("|||")
            if len(columns) != 2:
                raise InputError(
                    model,
                    number,
                    f"{len(columns)} columns; write a sentence and its translation, separated by a "
                    "tab or |||",
                )
            text, translation = _key(columns[0]), " ".join(columns[1].split())
            if self._found.setdefault(text, translation) != translation:
                raise InputError(model, number, f"{text[:40]!r} has two different translations")
        if not self._found:
            raise SpanbridgeError(f"{model}: holds no translation")
        self._digest = file_digest(Path(model))[:8]

    def describe(self, source: Language, target: Language) -> str:
        """Name and the file's fingerprint."""
        return f"given({self._digest})"

    def translate(
        self, sentences: Sequence[str], source: Language, target: Language
    ) -> list[Translation]:
        """Look sentences up; any pair of languages will do."""
        absent = Translation("", status="failed: the file has no translation of it")
        wanted = map(_key, sentences)
        return [
            Translation(self._found[text]) if text in self._found else absent for text in wanted
        ]


def _key(text: str) -> str:
    """A sentence as translators get it: composed, single spaces, treebank tokens as text."""
    joined = with_text(Sentence(tuple(text.split())), treebank=True)
    return normalize("NFC", joined.plain_text())
