"""Renaming of a tagger's labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.similar import not_named
from spanbridge.tagging.base import Tagged, Tagger, Words, iob2_classes

Others = Literal["keep", "drop", "error"]
OTHERS: tuple[Others, ...] = ("keep", "drop", "error")


class RelabellingTagger(Tagger):
    """A tagger whose labels are renamed, several to one where wanted.

    Args:
        tagger: the one that finds the spans.
        mapping: from its labels to the wanted ones.
        others: policy for labels that the mapping does not name: ``keep`` them, ``drop`` their
            spans (their probability goes to O), or refuse with an ``error``.

    Raises:
        SpanbridgeError: no such policy; the mapping names a label that the tagger does not have; or
            the tagger has one that the mapping does not name, and the policy is ``error``.
    """

    def __init__(self, tagger: Tagger, mapping: Mapping[str, str], others: Others = "keep") -> None:
        if others not in OTHERS:
            raise SpanbridgeError(not_named("policy", others, OTHERS))
        known = [name[2:] for name in tagger.classes if name.startswith("B-")]
        self._tagger = tagger
        self.gives_probabilities = tagger.gives_probabilities
        self._mapping = dict(mapping)
        self._others = others
        self._dropped: Counter[str] = Counter()
        self.licence = tagger.licence
        if known:
            self._check(known)
        wanted = [self._new(label) for label in known]
        self.classes = iob2_classes(list(dict.fromkeys(w for w in wanted if w is not None)))
        self._matrix = np.zeros((len(tagger.classes), len(self.classes)), np.float32)
        for n, name in enumerate(tagger.classes):
            new = None if name == "O" else self._new(name[2:])
            self._matrix[n, 0 if new is None else self.classes.index(name[:2] + new)] = 1

    def _check(self, known: Sequence[str]) -> None:
        if unknown := sorted(self._mapping.keys() - set(known)):
            raise SpanbridgeError(not_named("label of the tagger", unknown[0], known))
        left = [label for label in known if label not in self._mapping]
        if left and self._others == "error":
            raise SpanbridgeError(
                f"the mapping does not say what becomes of {', '.join(left)}; name them, or choose "
                "to keep or drop others"
            )

    def _new(self, label: str) -> str | None:
        if label in self._mapping:
            return self._mapping[label]
        return label if self._others == "keep" else None

    @property
    def unsettled(self) -> int:  # type: ignore[override]  # the tagger's own
        """As of the tagger."""
        return self._tagger.unsettled

    @property
    def counts(self) -> Counter[str]:
        """As of the tagger."""
        return self._tagger.counts

    @property
    def dropped(self) -> Counter[str]:
        """Number of spans dropped so far, by the tagger's label."""
        return self._dropped + self._tagger.dropped

    def describe(self) -> str:
        """The tagger, the mapping and the policy."""
        pairs = ",".join(f"{old}={new}" for old, new in sorted(self._mapping.items()))
        return f"{self._tagger.describe()}[{pairs};others={self._others}]"

    def tag(self, sentences: Sequence[Words]) -> list[Tagged]:
        """Tag sentences of any length."""
        return [self._rename(found) for found in self._tagger.tag(sentences)]

    def _rename(self, found: Tagged) -> Tagged:
        spans = []
        for span in found.spans:
            label = span.label
            if label not in self._mapping and self._others == "error":
                raise SpanbridgeError(
                    f"the tagger found a span of {label}, of which the mapping says nothing"
                )
            if (new := self._new(label)) is None:
                self._dropped[label] += 1
            else:
                spans.append(span._replace(label=new))
        p = found.probabilities
        mapped = None if p is None else p @ self._matrix
        return Tagged(found.n_words, tuple(spans), mapped, found.fault)
