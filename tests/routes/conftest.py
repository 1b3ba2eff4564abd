"""A tagger in the embedded one's place that knows some names, and needs no model."""

import numpy as np
import pytest
from toy_fixtures import command, write

from spanbridge.core.spans import Span
from spanbridge.tagging.base import Tagged, Tagger, iob2_classes

__all__ = ["command", "write"]
NAMES = {
    **dict.fromkeys(("Pedro", "Ana"), "PER"),
    **dict.fromkeys(("Madrid", "España", "北京", "Rome", "Roma"), "LOC"),
}
SURE = 0.9


class Names(Tagger):
    """Tags every word of a list."""

    classes = iob2_classes(("PER", "ORG", "LOC"))
    licence = "CC-BY-SA-4.0"

    def __init__(self, compute_type: str = "int8", threads: int | None = None) -> None:
        pass

    def describe(self):
        return "names"

    def tag(self, sentences):
        return [self._one(words) for words in sentences]

    def _one(self, words):
        p = np.tile(np.float32([1, 0, 0, 0, 0, 0, 0]), (len(words), 1))
        spans = []
        for n, word in enumerate(words):
            if label := NAMES.get(word):
                p[n, [0, self.classes.index(f"B-{label}")]] = [1 - SURE, SURE]
                spans.append(Span(n, n + 1, label, SURE))
        return Tagged(len(words), tuple(spans), p)


@pytest.fixture(autouse=True)
def embedded(monkeypatch):
    monkeypatch.setattr("spanbridge.tagging.embedded_tagger.EmbeddedTagger", Names)


@pytest.fixture
def none_installed(monkeypatch):
    """No translator is installed."""
    for place in ("choice", "advice", "translators"):
        monkeypatch.setattr(f"spanbridge.routes.{place}.installed", lambda *pair: None)
