"""Long rows are cut into parts that translate each other, and put together again."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanbridge import Sentence, SentencePair, Span, project
from spanbridge.alignment import beads
from spanbridge.alignment.beads import BEADS, Text, align_segments
from spanbridge.alignment.cutting import LONG, MAX_SEGMENT, parts, segments
from spanbridge.alignment.lexical_aligner import LexicalAligner
from spanbridge.core.links import WordAlignment
from spanbridge.formats.tokens import raw_sentence
from spanbridge.steps import long_rows
from spanbridge.steps.account import GAP, RUN, Account
from spanbridge.steps.long_rows import in_parts

WORDS = st.lists(st.sampled_from(["a", "Rome", ".", "!", '"', "c.", "x" * 9]), max_size=120)
LEXICAL = LexicalAligner()


def sentences(k, *, stop=True):
    """The k-th source and target sentence, with a name of its own."""
    name = (f"Anna{k}", f"Roe{k}")
    end = (".",) if stop else ()
    source = (*name, "lives", "in", "house", str(k), *end)
    return source, ("Im", "Haus", str(k), "wohnt", *name, *end)


def row_of(source, target, *, stop=True):
    """A row of the sentences with these numbers on either side."""
    words, spans = [], []
    for k in source:
        spans.append(Span(len(words), len(words) + 2, "PER"))
        words += sentences(k, stop=stop)[0]
    others = tuple(word for k in target for word in sentences(k, stop=stop)[1])
    return SentencePair("1", Sentence(tuple(words), tuple(spans)), Sentence(others))


def names(n, **how):
    """A row of n sentences."""
    return row_of(range(n), range(n), **how)


def found_names(row):
    """Each source name, and the target words that it was projected to."""
    (done,) = project([row], "greedy", "lexical", least_parallel=0.0)
    return [done.target.words[s.start : s.end] for s in done.target.spans]


def one_hot(numbers):
    """Segments that are alike if their numbers are equal."""
    vectors = np.zeros((len(numbers), 300), np.float32)
    vectors[range(len(numbers)), numbers] = 1
    return Text([vectors], np.full(len(numbers), 5.0), np.full(len(numbers), 20.0))


@given(WORDS)
def test_segments_tile_the_words(words):
    ends = segments(Sentence(tuple(words)))
    if words:
        assert sorted(ends) == list(ends)
        assert [*ends][-1] == len(words)
        assert all(b - a <= (LONG if ends[b] else MAX_SEGMENT) for a, b in pairwise([0, *ends]))


def test_segments_are_sentences_with_what_closes_them():
    words = ("Yes", "!", '"', "He", "went", "home", ".", "So", "what", "?")
    assert segments(Sentence(words)) == {3: True, 7: True, 10: True}


def test_sentences_end_in_other_scripts():
    assert segments(Sentence(tuple("去了。」他来了。"))) == {4: True, 8: True}
    assert segments(Sentence(("هل", "ذهب؟", "نعم", "۔", "लो", "।"))) == {2: True, 4: True, 6: True}


def test_a_blank_line_ends_a_segment_and_a_line_break_does_not():
    text = "The end\n\nof a\nstory"
    assert segments(raw_sentence(text)) == {2: True, 5: True}


def test_long_sentences_are_cut_into_equal_runs():
    ends = segments(Sentence(("w",) * 90 + (".", "x")))
    assert ends == {18: False, 36: False, 54: False, 72: False, 91: True, 92: True}


def test_beads_by_hand():
    # the third has no translation, and is no part of others; the last two are one sentence
    source, target = one_hot([0, 1, 2, 3, 4]), one_hot([0, 1, 3])
    source.spaces[0][2, :5] = [-1, -1, 0, -1, -1]
    target.spaces[0][2, 4] = 1
    target.chars[2] *= 2
    assert align_segments(source, target) == [(1, 1), (1, 1), (1, 0), (2, 1)]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40), st.data())
def test_the_way_covers_each_segment_once_in_order_however_it_is_found(numbers, data):
    others = data.draw(st.lists(st.sampled_from(numbers), min_size=1, max_size=40))
    full, beads.FULL = beads.FULL, 4  # coarse to fine
    try:
        path = align_segments(one_hot(numbers), one_hot(others))
    finally:
        beads.FULL = full
    assert set(path) <= set(BEADS)
    assert tuple(map(sum, zip(*path, strict=True))) == (len(numbers), len(others))


def test_a_long_way_is_that_of_the_whole_programme():
    rng = np.random.default_rng(0)
    source = rng.permutation(300).tolist()
    target = [n for n in source if n % 7]  # every seventh is missing
    whole, beads.FULL = beads.FULL, 1000
    try:
        expected = align_segments(one_hot(source), one_hot(target))
    finally:
        beads.FULL = whole
    assert align_segments(one_hot(source), one_hot(target)) == expected


@settings(max_examples=30)
@given(
    st.lists(st.integers(0, 30), max_size=40),
    st.lists(st.integers(0, 30), max_size=40),
    st.booleans(),
    st.booleans(),
    st.tuples(st.integers(0, 60), st.integers(1, 90)),
)
def test_parts_hold_each_word_once_and_cut_no_span(source, target, stop, other_stop, place):
    row = row_of(source, [], stop=stop)
    other = row_of([], target, stop=other_stop).target
    start, end = place[0], min(sum(place), len(row.source.words))
    spans = (Span(start, end, "X"),) if start < end else ()
    row = SentencePair("1", row.source.with_spans(spans), other)
    found = parts(row, LEXICAL)
    for side, begin in (("source", 1), ("target", 2)):
        ordered = sorted(
            found, key=lambda part, at=begin: (part[at], len(part.pair.side(side).words))
        )
        assert row.side(side).words == tuple(
            word for part in ordered for word in part.pair.side(side).words
        )
    assert sum(len(part.pair.source.spans) for part in found) == len(spans)


def test_a_row_is_cut_only_if_it_is_long():
    row = names(5)
    assert [part.pair for part in parts(row, LEXICAL)] == [row]
    long = names(40)
    assert len(long.source.words) > LONG
    assert len(parts(long, LEXICAL)) > 20


def test_every_name_of_a_long_row_is_found():
    row = names(60)
    assert found_names(row) == [(f"Anna{k}", f"Roe{k}") for k in range(60)]


def test_each_mention_of_a_name_lands_on_its_own():
    words = ("Anna", "went", "home", "with", "all", "of", "them", ".")
    spans = tuple(Span(8 * k, 8 * k + 1, "PER") for k in range(20))
    row = SentencePair("1", Sentence(words * 20, spans), Sentence(words * 20))
    (done,) = project([row], "greedy", "lexical", least_parallel=0.0)
    assert [span[:3] for span in done.target.spans] == [span[:3] for span in spans]


def test_names_are_found_without_punctuation():
    assert found_names(names(60, stop=False)) == [(f"Anna{k}", f"Roe{k}") for k in range(60)]


def test_names_are_found_where_sentences_are_missing_or_added():
    kept = [k for k in range(60) if k % 5]
    assert found_names(row_of(range(60), kept)) == [(f"Anna{k}", f"Roe{k}") for k in kept]
    assert found_names(row_of(kept, range(60))) == [(f"Anna{k}", f"Roe{k}") for k in kept]


def test_neighbours_in_another_order_are_found():
    order = [*range(20), 21, 20, *range(22, 40)]
    assert found_names(row_of(range(40), order)) == [(f"Anna{k}", f"Roe{k}") for k in order]


def test_a_row_becomes_the_same_in_any_batch():
    rows = [names(n)._replace(id=str(n)) for n in (14, 2, 30, 1)]
    together = project(rows, "greedy", "lexical", least_parallel=0.0)
    alone = [project([row], "greedy", "lexical", least_parallel=0.0)[0] for row in rows]
    assert list(together) == alone


def test_a_span_over_several_sentences_is_projected_whole():
    row = names(20)
    start, end = row.source.spans[5].start, row.source.spans[8].end
    row = row._replace(source=row.source.with_spans((Span(start, end, "X"),)))
    (done,) = project([row], "greedy", "lexical", least_parallel=0.0)
    (span,) = done.target.spans
    text = done.target.words[span.start : span.end]
    assert {"Roe5", "Roe6", "Roe7", "Roe8"} <= set(text)
    assert not {"Roe4", "Roe9"} & set(text)


def test_of_many_documents_some_are_learned_from(monkeypatch):
    rows = [names(40)._replace(id=str(n)) for n in range(6)]
    assert len(list(in_parts(rows, None))) == 6
    monkeypatch.setattr(long_rows, "MIN_LEARNED", 10)  # 800 words, and a document has 280
    assert [pair.id for pair in in_parts(rows, None)] == ["0", "3"]


def test_raw_text_of_parts_is_theirs():
    text = " ".join("Anna lives in house number one ." for _ in range(30))
    row = SentencePair("1", raw_sentence(text), raw_sentence(text))
    for part in parts(row, LEXICAL):
        sentence = part.pair.target
        assert raw_sentence(sentence.text) == sentence


@pytest.mark.slow
def test_a_very_long_row_is_projected():
    row = names(3000)  # 21,000 words
    assert found_names(row) == [(f"Anna{k}", f"Roe{k}") for k in range(3000)]


def test_a_very_long_row_with_links_makes_no_matrix():
    words = tuple("w" for _ in range(5_000))
    links = WordAlignment.of([(n, n ^ 1) for n in range(5_000)], 5_000, 5_000)
    spans = (Span(0, 1, "X"), Span(3_000, 3_002, "Y"))
    row = SentencePair("1", Sentence(words, spans), Sentence(words), links)
    (done,) = project([row], "soft", links="only")
    assert [span[:3] for span in done.target.spans] == [(1, 2, "X"), (3_000, 3_002, "Y")]
    assert done.links == links


def test_links_that_cross_everywhere_are_too_many_for_a_matrix():
    words = tuple("w" for _ in range(3000))
    links = WordAlignment.of([(n, 2999 - n) for n in range(3000)], 3000, 3000)
    row = SentencePair("1", Sentence(words, (Span(0, 1, "X"),)), Sentence(words), links)
    (done,) = project([row], "soft", links="only")
    assert done.status.startswith("rejected: too long to align")


def test_a_run_of_unlikely_rows_is_named_across_merged_accounts():
    whole = Account()
    for begin in (0, 50):
        part = Account()
        for n in range(begin, begin + 50):
            part.enter(SentencePair(str(n + 1), Sentence(()), Sentence(())), "x")
            if 40 <= n < 40 + 2 * RUN:
                part.doubt(str(n + 1))
        whole.merge(part)
    assert whole.shifts() == [(41, "41", 40 + 2 * RUN, str(40 + 2 * RUN), 2 * RUN)]
    assert "from row 41" in whole.text()
    assert GAP < RUN
    assert Account.from_dict(whole.to_dict(whole=True)).shifts() == whole.shifts()
