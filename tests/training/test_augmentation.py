"""Names in other sentences' places: what is said of the words around them stays."""

import numpy as np

from spanbridge.core.spans import Sentence, Span
from spanbridge.core.tags import spans_from_tags
from spanbridge.tagging.base import iob2_classes
from spanbridge.training.augmentation import with_other_names
from spanbridge.training.examples import Labelled, one_hot

CLASSES = iob2_classes(["LOC", "PER"])
ROWS = [
    Sentence(("Ana", "lives", "in", "New", "York", "."), (Span(0, 1, "PER"), Span(3, 5, "LOC"))),
    Sentence(("Juan", "Carlos", "sleeps"), (Span(0, 2, "PER"),)),
    Sentence(("It", "rains", "in", "Oslo"), (Span(3, 4, "LOC"),)),
    Sentence(("Nobody", "came")),
    Sentence(()),
]
EXAMPLES = [Labelled(row.words, one_hot(row, CLASSES), 0.5) for row in ROWS]


def spans_of(example):
    return spans_from_tags([CLASSES[k] for k in example.targets.argmax(1)])[0]


def frame(example):
    """The words, with the label in each name's place."""
    words, done = [], 0
    for span in spans_of(example):
        words += [*example.words[done : span.start], span.label]
        done = span.end
    return [*words, *example.words[done:]]


def test_only_names_change_and_by_their_label():
    names = {"LOC": {("New", "York"), ("Oslo",)}, "PER": {("Ana",), ("Juan", "Carlos")}}
    changed = 0
    for epoch in range(20):
        found = list(with_other_names(EXAMPLES, CLASSES, 1.0, f"0/{epoch}"))
        assert [frame(example) for example in found] == [frame(example) for example in EXAMPLES]
        for example in found:
            assert example.targets.shape == (len(example.words), len(CLASSES))
            assert example.weight == 0.5
            for span in spans_of(example):
                assert example.words[span.start : span.end] in names[span.label]
        changed += sum(a.words != b.words for a, b in zip(found, EXAMPLES, strict=True))
    # of the three with names, .7 of the names are drawn, half of the time another one
    assert 15 < changed < 40


def test_the_seed_and_the_share_decide():
    def words(share, seed):
        return [e.words for e in with_other_names(EXAMPLES * 20, CLASSES, share, seed)]

    assert words(1.0, "0/1") == words(1.0, "0/1") != words(1.0, "0/2")
    assert words(0.0, "0/1") == [example.words for example in EXAMPLES * 20]


def test_what_teachers_only_think_probable_gives_and_takes_no_names():
    soft = Labelled(("Rome", "burns"), np.array([[0.1, 0.9, 0, 0, 0], [1, 0, 0, 0, 0]], np.float32))
    [same, *_] = with_other_names([soft, *EXAMPLES], CLASSES, 1.0, "0")
    assert same is soft
    for seed in range(10):
        for example in with_other_names([soft, *EXAMPLES], CLASSES, 1.0, str(seed)):
            assert example is soft or "Rome" not in example.words
