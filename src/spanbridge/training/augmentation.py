"""Training sentences with other names in their names' places."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import numpy as np

from spanbridge.core.spans import Span
from spanbridge.core.tags import spans_from_tags
from spanbridge.training.examples import Labelled

# Share of the names of a sentence that are replaced, if any are.
OF_A_SENTENCE = 0.7


def with_other_names(
    examples: Sequence[Labelled], classes: Sequence[str], share: float, seed: str
) -> Iterator[Labelled]:
    """Examples, some of them with names of other sentences that have the same label.

    A name is then seen in contexts of other sentences and, where the data has several, of other
    languages, so that the tagger learns to read contexts and not only to know names (mention
    replacement, Dai and Adel 2020, section 3; here across languages).

    Args:
        examples: only those whose targets are labels, not probabilities, give and take names.
        classes: IOB2 classes of the targets.
        share: share of the sentences with names in which names are replaced.
        seed: seed of the choice.
    """
    spans = [_spans(example, classes) for example in examples]
    names: dict[str, list[tuple[str, ...]]] = {}
    for example, found in zip(examples, spans, strict=True):
        for span in found:
            names.setdefault(span.label, []).append(example.words[span.start : span.end])
    rng = random.Random(seed)
    for example, found in zip(examples, spans, strict=True):
        if found and rng.random() < share:
            yield _replaced(example, found, names, classes, rng)
        else:
            yield example


def _spans(example: Labelled, classes: Sequence[str]) -> tuple[Span, ...]:
    """Labelled spans of an example; none if a target is not one class with certainty."""
    if not (example.targets.max(1, initial=0) == 1).all():
        return ()
    return spans_from_tags([classes[k] for k in example.targets.argmax(1)])[0]


def _replaced(
    example: Labelled,
    spans: Sequence[Span],
    names: dict[str, list[tuple[str, ...]]],
    classes: Sequence[str],
    rng: random.Random,
) -> Labelled:
    words: list[str] = []
    rows: list[int] = []
    done = 0
    outside = classes.index("O")
    for span in spans:
        old = example.words[span.start : span.end]
        name = rng.choice(names[span.label]) if rng.random() < OF_A_SENTENCE else old
        words += [*example.words[done : span.start], *name]
        begin, inside = (classes.index(f"{prefix}-{span.label}") for prefix in "BI")
        rows += [*[outside] * (span.start - done), begin, *[inside] * (len(name) - 1)]
        done = span.end
    words += example.words[done:]
    rows += [outside] * (len(example.words) - done)
    targets = np.eye(len(classes), dtype=np.float32)[rows]
    return Labelled(tuple(words), targets, example.weight)
