"""Distillation: teachers label unlabelled text, and a student learns from their predictions.

Teacher-student learning from one source or several (Wu et al. 2020, "Single-/Multi-Source
Cross-Lingual NER via Teacher-Student Learning on Unlabeled Data in Target Language"): soft targets
are the teachers' averaged class probabilities, hard ones the spans decoded from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.similar import not_named
from spanbridge.core.spans import Sentence
from spanbridge.tagging.base import Tagged, Tagger, Words
from spanbridge.training.examples import Labelled, one_hot

KINDS = ("soft", "hard")


@dataclass(frozen=True)
class Distillation:
    """Settings of distillation.

    Attributes:
        kind: ``soft`` learns class probabilities, ``hard`` the spans.
        min_confidence: least probability, in [0, 1], of the most probable class of a word that is
            learned from; for hard labels, least score of a span.
        weight: weight of each sentence relative to a labelled one, above 0.

    Raises:
        SpanbridgeError: a value is out of range.
    """

    kind: str = "soft"
    min_confidence: float = 0.0
    weight: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise SpanbridgeError(not_named("kind of distillation", self.kind, KINDS))
        if not 0 <= self.min_confidence <= 1:
            raise SpanbridgeError(
                f"the least confidence is {self.min_confidence}, but lies in [0, 1]"
            )
        if not 0 < self.weight < float("inf"):
            raise SpanbridgeError(f"the weight is {self.weight}, but must be above 0 and finite")


def distil(
    teacher: Tagger, sentences: Sequence[Words], classes: Sequence[str], how: Distillation
) -> list[Labelled]:
    """Training examples from a teacher's predictions.

    Sentences without a usable word are left out, and those that the teacher did not read.

    Args:
        teacher: a tagger or an ensemble.
        sentences: text without labels.
        classes: classes of the student; the teacher's have to be the same.
        how: settings.

    Raises:
        SpanbridgeError: the teacher has other classes, or gives no probabilities for soft targets.
    """
    if set(teacher.classes) != set(classes):
        raise SpanbridgeError(
            f"the teachers know {', '.join(teacher.classes)}, but the student learns "
            f"{', '.join(classes)}; give the same --labels to all"
        )
    order = [teacher.classes.index(name) for name in classes]
    made = []
    for words, found in zip(sentences, teacher.tag(sentences), strict=True):
        if found.fault is not None:
            continue
        targets = (
            _soft(found, order, how) if how.kind == "soft" else _hard(words, found, classes, how)
        )
        if targets.any():
            made.append(Labelled(tuple(words), targets, how.weight))
    return made


def _soft(found: Tagged, order: list[int], how: Distillation) -> np.ndarray:
    if found.probabilities is None:
        raise SpanbridgeError("the teacher gives no probabilities; distil by hard labels")
    targets = found.probabilities[:, order].copy()
    targets[targets.max(1, initial=0) < how.min_confidence] = 0
    return targets


def _hard(words: Words, found: Tagged, classes: Sequence[str], how: Distillation) -> np.ndarray:
    targets = one_hot(Sentence(tuple(words), found.spans), classes)
    for span in found.spans:
        if span.score is not None and span.score < how.min_confidence:
            targets[span.start : span.end] = 0
    if found.probabilities is not None:  # words outside spans that may well be in one
        outside = targets[:, 0] > 0
        targets[outside & (found.probabilities[:, 0] < how.min_confidence)] = 0
    return targets
