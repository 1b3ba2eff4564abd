"""Long rows are cut into parts that translate each other, and put together again."""

from hypothesis import given
from hypothesis import strategies as st

from spanbridge import Sentence, SentencePair, Span, project
from spanbridge.alignment.cutting import LONG, MAX_SEGMENT, parts, segments
from spanbridge.alignment.lexical_aligner import LexicalAligner
from spanbridge.core.errors import RowError
from spanbridge.core.links import WordAlignment
from spanbridge.steps.account import GAP, RUN, Account

WORDS = st.lists(st.sampled_from(["a", "Rome", ".", "!", '"', "c.", "x" * 9]), max_size=120)


def names(n):
    """A row of n sentences, each with a name of its own."""
    source, target, spans = [], [], []
    for k in range(n):
        name = ("Anna", f"Roe{k}")
        spans.append(Span(len(source), len(source) + 2, "PER"))
        source += [*name, "lives", "in", "house", str(k), "."]
        target += ["Im", "Haus", str(k), "wohnt", *name, "."]
    return SentencePair("1", Sentence(tuple(source), tuple(spans)), Sentence(tuple(target)))


@given(WORDS, st.integers(0, 100), st.integers(1, 60))
def test_segments_tile_the_words_and_cut_no_span(words, start, length):
    spans = [Span(start, start + length, "X")] if start + length <= len(words) else []
    found = segments(words, spans)
    assert [n for a, b in found for n in range(a, b)] == list(range(len(words)))
    assert all(b - a <= MAX_SEGMENT for a, b in found if not spans)
    assert all(not (span.start < b < span.end) for _, b in found for span in spans)


def test_a_row_is_cut_only_if_it_is_long():
    row = names(5)
    assert [part.pair for part in parts(row, LexicalAligner())] == [row]
    long = names(40)
    found = parts(long, LexicalAligner())
    assert len(long.source.words) > LONG
    assert len(found) > 20
    for side in ("source", "target"):
        joined = tuple(word for part in found for word in part.pair.side(side).words)
        assert joined == long.side(side).words


def test_every_name_of_a_long_row_is_found():
    row = names(60)
    (done,) = project([row], "greedy", "lexical", least_parallel=0.0)
    found = [done.target.words[s.start : s.end] for s in done.target.spans]
    assert found == [("Anna", f"Roe{k}") for k in range(60)]
    assert done.links.n_source == len(row.source.words)


def test_a_row_too_long_for_parts_is_rejected_before_any_work():
    words = tuple("w" for _ in range(200_000))
    row = SentencePair("1", Sentence(words), Sentence(words))
    assert isinstance(parts(row, LexicalAligner()), RowError)


def test_links_of_a_very_long_row_make_no_matrix():
    words = tuple("w" for _ in range(50_000))
    links = WordAlignment.of([(n, n) for n in range(50_000)], 50_000, 50_000)
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
