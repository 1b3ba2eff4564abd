import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence
from spanbridge.formats import named_format, open_writer
from spanbridge.formats.pharaoh import format_links, read_gold_links, read_links

indices = st.integers(0, 600)


def put(tmp_path, text):
    path = tmp_path / "links.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_links(tmp_path):
    path = put(tmp_path, "0-0 1-2\t 10-03\n\n2-1 0-0\n")
    assert list(read_links(path)) == [
        (((0, 0), (1, 2), (10, 3)), None),
        ((), None),
        (((2, 1), (0, 0)), None),
    ]


def test_scores_and_base(tmp_path):
    path = put(tmp_path, "1-1:0.98 2-3:1\n3-1:0 1-1:1e-3\n5-5\n")
    assert list(read_links(path, one_based=True)) == [
        (((0, 0), (1, 2)), (0.98, 1.0)),
        (((2, 0), (0, 0)), (0.0, 0.001)),
        (((4, 4),), None),
    ]


@pytest.mark.parametrize(
    "line",
    [
        *("1--2", "-1-2", "1-2-3", "1-2-3 4", "1-", "-", "-2", "1", "a-b", "1_0-2", "+1-2"),
        *("1-2,", "1 - 2", "\u0661-2", "1\u20132", "1-2p", "1p2", "1.0-2", "9" * 5000 + "-1"),
        *("1-2:", "1-2:x", "1-2:nan", "1-2:inf", "1-2:-0.1", "1-2:1.1", ":0.5", "1-2:0.5:0.5"),
        *("1-2:0.5 1-3", "1-3 1-2:0.5", "0-1 :"),
    ],
)
def test_bad_links(tmp_path, line):
    with pytest.raises(InputError) as caught:
        list(read_links(put(tmp_path, f"0-0\n\n0-0 {line}\n0-0\n")))
    assert caught.value.line == 3


@pytest.mark.parametrize(
    "line",
    [
        *("[(0, 2), (1, 3)]", "(0,2),(1,3)", " (0, 2) (1, 3)", "[(0,2),(1,3),]"),
        *("[[0, 2], [1, 3]]", "{(0, 2), (1, 3)}"),
    ],
)
def test_printed_lists(tmp_path, line):
    assert list(read_links(put(tmp_path, f"{line}\n[]\nset()\n"))) == [
        (((0, 2), (1, 3)), None),
        ((), None),
        ((), None),
    ]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("# Sentence pair (1) score : 0.1", "'#' is no link; .*GIZA"),
        ("0:2 1:3", "'0' is no link"),
        ("0-2:S 1-3:S", "score 'S'"),
        ("0-2:1 1-3", "'1-3' has no score, though"),
    ],
)
def test_what_is_no_link_is_said_first(tmp_path, line, why):
    with pytest.raises(InputError, match=why):
        list(read_links(put(tmp_path, line)))


def test_index_zero_is_not_one_based(tmp_path):
    for reader in (read_links, read_gold_links):
        with pytest.raises(InputError, match="index 0") as caught:
            list(reader(put(tmp_path, "1-1\n1-0\n"), one_based=True))
        assert caught.value.line == 2


def test_gold(tmp_path):
    path = put(tmp_path, "1-2 3p4 2?2\n\n")
    both = {(0, 1), (2, 3), (1, 1)}
    assert list(read_gold_links(path, one_based=True)) == [({(0, 1)}, both), (set(), set())]


@pytest.mark.parametrize("line", ["1--2", "1p", "1-2:0.5", "1-p2", "x", "1-2p3"])
def test_bad_gold(tmp_path, line):
    with pytest.raises(InputError, match="no gold link") as caught:
        list(read_gold_links(put(tmp_path, f"\n1-2 {line}")))
    assert caught.value.line == 2


@given(
    st.dictionaries(
        st.tuples(indices, indices), st.integers(0, 10_000).map(lambda n: n / 10_000), min_size=1
    )
)
def test_round_trip(tmp_path_factory, scored):
    alignment = WordAlignment.of(scored, 601, 601, scored.values())
    text = format_links(alignment) + "\n" + format_links(alignment, scores=True) + "\n"
    plain, with_scores = read_links(put(tmp_path_factory.mktemp("links"), text))
    assert plain == (alignment.pairs, None)
    assert with_scores == (alignment.pairs, alignment.scores)


def test_formatting_scores_that_are_not_there():
    assert format_links(WordAlignment.of([], 0, 0), scores=True) == ""
    with pytest.raises(SpanbridgeError, match="no scores"):
        format_links(WordAlignment.of([(0, 0)], 1, 1), scores=True)


def test_fast_enough(tmp_path):
    line = " ".join(f"{i}-{i + 1}" for i in range(25))
    path = put(tmp_path, f"{line}\n" * 20_000)
    start = time.process_time()
    assert sum(1 for _ in read_links(path)) == 20_000
    assert time.process_time() - start < 0.5  # 0.08 s when measured


def test_links_of_rows(tmp_path):
    two = Sentence(("a", "b"))
    rows = [
        SentencePair("1", two, two, WordAlignment.of([(0, 1), (1, 0)], 2, 2, [0.25, 1])),
        SentencePair("2", two, two),
        SentencePair("3", two, two, WordAlignment.of([], 2, 2)),
    ]
    for name, scores, first in [
        ("a.pharaoh", False, "0-1 1-0"),
        ("a.links", True, "0-1:0.2500 1-0:1.0000"),
        ("a.align.gz", True, "0-1:0.2500 1-0:1.0000"),
        ("a.txt", False, "0-1 1-0"),
    ]:
        with open_writer(tmp_path / name, default="pharaoh", scores=scores) as write:
            for row in rows:
                write(row)
        text = "\n".join(" ".join(f"{i}-{j}" for i, j in p) for p, _ in read_links(tmp_path / name))
        assert text == "0-1 1-0\n\n"
        if not name.endswith(".gz"):
            assert (tmp_path / name).read_text() == f"{first}\n\n\n"


def test_links_without_scores_name_their_row(tmp_path):
    one = Sentence(("a",))
    row = SentencePair("7", one, one, WordAlignment.of([(0, 0)], 1, 1))
    with (
        pytest.raises(SpanbridgeError, match="row 7: these links have no scores"),
        open_writer(tmp_path / "a.links", scores=True) as write,
    ):
        write(row)
    assert not list(tmp_path.iterdir())


def test_links_are_no_sentences(tmp_path):
    with pytest.raises(SpanbridgeError, match="links.txt holds word links, not sentences"):
        named_format("pharaoh").read(put(tmp_path, "0-0\n"))
