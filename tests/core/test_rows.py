"""Rows: what a change clears, as the table in the docstring of rows.py says."""

import copy
import dataclasses
import pickle
import re

import pytest

from spanbridge.core import rows
from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import OTHER, SIDES, SentenceOf, SentencePair
from spanbridge.core.spans import Sentence, Span

# Never cleared: the row's identity, what the others speak of, and what is none of our business.
PERMANENT = {"id", "source", "target", "extra"}

# In the table's words: what a field is cleared by.
WORDS = {"source words", "target words"}
SPANS = {"source spans", "target spans"}
TEXT = {"source text", "target text"}
CLEARED_BY = {
    "words of either side": WORDS,
    "words of either side, links": WORDS | {"links"},
    "words and spans of either side, links; if written by tag: words and spans of the target": (
        WORDS | SPANS | {"links"}
    ),
    "text of either side": TEXT,
    "text of the source": {"source text"},
    "text of the target": {"target text"},
    "never": set(),
}


def table():
    """Field -> the changes that clear it, read from the docstring."""
    found, same = {}, {}
    for line in rows.__doc__.splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) != 3 or not cells[0].startswith("``"):
            continue
        for name in re.findall(r"``(\w+)``", cells[0]):
            if as_another := re.fullmatch(r"as ``(\w+)``", cells[2]):
                same[name] = as_another[1]
            else:
                found[name] = CLEARED_BY[cells[2]]
    return found | {name: found[other] for name, other in same.items()}


TABLE = table()
FIELDS = list(SentencePair._fields)


def sentence(text, words, *spans):
    """A sentence whose words, spans and text can be changed each by itself."""
    return Sentence(tuple(words.split()), tuple(Span(*span) for span in spans), text)


FULL = SentencePair(
    id="7",
    source=sentence("Anna sleeps.", "Anna sleeps .", (0, 1, "PER", 0.9)),
    target=sentence("Anna schläft.", "Anna schläft .", (0, 1, "PER", 0.8)),
    links=WordAlignment.of([(0, 0), (1, 1)], 3, 3, [0.9, 0.8]),
    parallel_score=0.9,
    status="projected",
    confidence=0.8,
    provenance="project",
    explanation=("because",),
    translation_status="ok",
    translation_score=-0.5,
    back_translation_status="ok",
    pivot_text="Anna sleeps!",
    sentence_of=SentenceOf("1", "source", 0, "Anna sleeps. She dreams."),
    source_before_repair="Anna slâeeps.",
    target_before_repair="Anna schlÃ¤ft.",
    rejected_sentences=("too long",),
    extra={"url": "x"},
)

# What the target's spans, which a projection wrote, were projected from.
PROJECTED_FROM = {"source words", "source spans", "links"}

CHANGES = {
    "source words": {"source": sentence("Anna sleeps.", "Anna sleeps.", (0, 1, "PER", 0.9))},
    "target words": {"target": sentence("Anna schläft.", "Anna schläft.", (0, 1, "PER", 0.8))},
    "source spans": {"source": FULL.source.with_spans((Span(0, 1, "LOC", 0.9),))},
    "target spans": {"target": FULL.target.with_spans(())},
    "source text": {"source": sentence("Anna sleeps .", "Anna sleeps .", (0, 1, "PER", 0.9))},
    "target text": {"target": sentence("Anna schläft .", "Anna schläft .", (0, 1, "PER", 0.8))},
    "links": {"links": WordAlignment.of([(0, 0)], 3, 3, [0.9])},
}


def cleared(before, after, given=()):
    return {
        name
        for name in FIELDS
        if name not in given and getattr(before, name) != getattr(after, name)
    }


def test_every_field_is_classified():
    """A new field has to be entered in the table, or named here as permanent."""
    assert not TABLE.keys() & PERMANENT
    assert TABLE.keys() | PERMANENT == set(FIELDS)
    defaults = SentencePair("8", Sentence(()), Sentence(()))
    assert [name for name in FIELDS if getattr(FULL, name) == getattr(defaults, name)] == []


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", FIELDS)
def test_a_change_clears_what_spoke_of_it(name, change):
    after = FULL.replace(**CHANGES[change])
    if name in CHANGES[change]:
        assert getattr(after, name) == CHANGES[change][name]
    elif change in TABLE.get(name, ()):
        assert getattr(after, name) is None
    elif name == "target" and change in PROJECTED_FROM:
        assert after.target == FULL.target.with_spans(())
    else:
        assert getattr(after, name) == getattr(FULL, name)


@pytest.mark.parametrize("name", [name for name in TABLE if TABLE[name]])
@pytest.mark.parametrize("change", CHANGES)
def test_what_is_given_survives(change, name):
    """Though the change would have cleared it; also None, and the value that was there."""
    for value in ("given", None, getattr(FULL, name)):
        changes = {**CHANGES[change], name: value}
        assert getattr(FULL.replace(**changes), name) == value


@pytest.mark.parametrize("name", FIELDS)
def test_an_equal_value_clears_nothing(name):
    """Equal, though another object where there can be one."""
    value = getattr(FULL, name)
    if dataclasses.is_dataclass(value):
        value = dataclasses.replace(value)
        assert value is not getattr(FULL, name)
    assert FULL.replace(**{name: value}) == FULL


def test_what_is_known_of_words_beside_them_clears_nothing():
    """The raw text where it says what the words do, offsets, and the probability of no span."""
    bare = FULL.replace(target=Sentence(("Anna", "schläft"), (Span(0, 1, "PER"),)))
    full = FULL._replace(
        target=dataclasses.replace(bare.target, text="Anna schläft", offsets=((0, 4), (5, 12))),
    )
    assert cleared(full, full.replace(target=bare.target)) == {"target"}
    empty = full.replace(target=bare.target.with_spans(()), status="empty: no link")
    sure = empty.replace(target=bare.target.with_spans((), 0.9))
    assert cleared(empty, sure) == {"target"}
    assert sure.target.empty_probability == 0.9


def test_other_words_without_raw_text_are_another_text_too():
    after = FULL.replace(target=Sentence(("Anna", "ruht")))
    by = {"target words", "target spans", "target text"}
    assert cleared(FULL, after, ("target",)) == {name for name in TABLE if TABLE[name] & by}
    assert after.pivot_text == FULL.pivot_text  # which is of the source


@pytest.mark.parametrize("name", TABLE)
def test_its_own_value_clears_nothing_else_but_links_do(name):
    after = FULL.replace(**{name: None})
    expected = {other for other in TABLE if name in TABLE[other]}
    expected |= {"target"} if name in PROJECTED_FROM else set()
    assert cleared(FULL, after, (name,)) == expected
    assert getattr(after, name) is None


@pytest.mark.parametrize("change", CHANGES)
def test_what_a_tagger_found_depends_on_its_own_side(change):
    tagged = FULL._replace(provenance="tag")
    after = tagged.replace(**CHANGES[change])
    assert (after.provenance is None) == (change in {"target words", "target spans"})
    assert after.target == CHANGES[change].get("target", FULL.target)


def test_spans_of_the_input_stay():
    given = FULL._replace(provenance=None)
    assert given.replace(links=None).target == FULL.target


def test_a_row_can_be_copied_and_sent_to_another_process():
    for row in (FULL, SentencePair("8", Sentence(()), Sentence(()))):
        assert copy.deepcopy(row) == row
        assert pickle.loads(pickle.dumps(row)) == row


def test_no_such_field():
    with pytest.raises((ValueError, TypeError), match="nosuch"):  # TypeError from Python 3.13 on
        FULL.replace(nosuch=1)


def test_sides():
    assert [FULL.side(side) for side in SIDES] == [FULL.source, FULL.target]
    assert [OTHER[side] for side in SIDES] == ["target", "source"]
