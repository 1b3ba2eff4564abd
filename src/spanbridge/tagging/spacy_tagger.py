"""spaCy pipelines as taggers."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from importlib.metadata import entry_points
from typing import Any

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.spans import Span
from spanbridge.tagging.base import Tagged, Tagger, Words, iob2_classes


class SpacyTagger(Tagger):
    """The entities that a spaCy pipeline finds; without probabilities.

    A pipeline is a Python package, or a folder that names functions: loading it runs its code, as
    with no other model. The words are given to the pipeline as they are, so its own tokenizer has
    no say.

    Args:
        model: name of an installed pipeline, or the folder of one.

    Raises:
        MissingExtraError: spaCy is not installed.
        SpanbridgeError: there is no such pipeline, or it finds no entities.
    """

    requires = ("spacy",)
    more_models = "python -m spacy download en_core_web_sm (a pipeline; from GitHub)"
    runs_code = True
    gives_probabilities = gives_scores = False

    def __init__(self, model: str) -> None:
        import spacy

        try:
            self._pipeline: Any = spacy.load(model)
        except (OSError, ValueError) as error:
            raise SpanbridgeError(f"spaCy has no pipeline {model!r}: {error}") from error
        finders = [name for name, pipe in self._pipeline.pipeline if self._finds(name, pipe)]
        if not finders:
            raise SpanbridgeError(f"the spaCy pipeline {model!r} has no entity recogniser")
        labels = {label for name in finders for label in self._pipeline.get_pipe(name).labels}
        self.classes = iob2_classes(sorted(labels))
        self.licence = self._pipeline.meta.get("license") or "unknown"

    def _finds(self, name: str, pipe: Any) -> bool:
        """Check if a component sets entities, whatever it is called."""
        assigns = self._pipeline.get_pipe_meta(name).assigns
        return "doc.ents" in assigns or bool(getattr(pipe, "annotate_ents", False))

    @classmethod
    def installed(cls) -> list[str]:
        """The pipelines that are installed as packages."""
        return sorted(point.name for point in entry_points(group="spacy_models"))

    def describe(self) -> str:
        """Name of the class; name, version and fingerprint of the pipeline."""
        meta = self._pipeline.meta
        digest = sha256(self._pipeline.to_bytes(exclude=["vocab"])).hexdigest()[:8]
        return f"spacy({meta.get('lang')}_{meta.get('name')}-{meta.get('version')}@{digest})"

    def tag(self, sentences: Sequence[Words]) -> list[Tagged]:
        """Tag sentences of any length."""
        from spacy.tokens import Doc

        # spaCy knows no empty word
        docs = [
            Doc(self._pipeline.vocab, words=[word or "\u200b" for word in words])
            for words in sentences
        ]
        tagged = []
        for doc in self._pipeline.pipe(docs):
            spans = tuple(Span(e.start, e.end, e.label_) for e in doc.ents if e.label_)
            tagged.append(Tagged(len(doc), spans))
        return tagged
