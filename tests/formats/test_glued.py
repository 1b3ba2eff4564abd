"""Column files whose words are pieces of raw text."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanbridge.core.spans import Sentence, Span
from spanbridge.core.tags import tags_from_spans
from spanbridge.formats import Counts, Reading, over_same_words
from spanbridge.formats.conll_reader import read_conll
from spanbridge.formats.glued import cut
from spanbridge.formats.tokenised import TEXT_CUT

BARE = "spans without the punctuation attached to their words"


def read(tmp_path, text, **how):
    path = tmp_path / "a.conll"
    path.write_text(text, encoding="utf-8")
    counts = Counts()
    return [row for _, row in read_conll(path, Reading(**how), counts)], counts


def texts(sentence):
    return [sentence.text_of(*span[:2]) for span in sentence.spans]


LABEL_STUDIO = """\
-DOCSTART- -X- O
Anna -X- _ B-PER
Roe -X- _ I-PER
saw -X- _ O
Paris. -X- _ B-LOC
"""


def test_punctuation_goes_out_of_spans_and_is_said(tmp_path):
    """Label Studio's CoNLL has the pieces between spaces."""
    (row,), counts = read(tmp_path, LABEL_STUDIO)
    assert row.words == ("Anna", "Roe", "saw", "Paris", ".")
    assert row.text == "Anna Roe saw Paris."
    assert row.spans == (Span(0, 2, "PER"), Span(3, 4, "LOC"))
    assert counts.notes()[BARE] == counts.notes()[TEXT_CUT] == 1
    (row,), counts = read(tmp_path, LABEL_STUDIO, tokenised=True)
    assert texts(row) == ["Anna Roe", "Paris."]
    assert list(counts.guessed) == [
        "words with punctuation attached, which spans take in (--raw cuts it off)"
    ]
    (row,), counts = read(tmp_path, LABEL_STUDIO.replace("saw", ","), tokenised=False)
    assert (row.words[-2:], texts(row)[-1]) == (("Paris", "."), "Paris")


@pytest.mark.parametrize(
    ("pieces", "first", "last", "found"),
    [
        ("Wir sahen Paris, Rom", 2, 2, "Paris"),
        ("Wir sahen (Paris).", 2, 2, "Paris"),
        ("Wir sahen „Titanic“, ja", 2, 2, "Titanic"),
        ("die «New York Times» sagt", 1, 3, "New York Times"),
        ("¿Madrid? Sí.", 0, 0, "Madrid"),
        ("aus Rothschild (UK), sagt", 1, 2, "Rothschild (UK)"),
        ("der (UK) Rothschild, sagt", 1, 2, "(UK) Rothschild"),
        ('Das "Haus" Müller, sagt', 1, 2, '"Haus" Müller'),
        ("in the U.S.", 2, 2, "U.S."),
        ("the U.S., he said", 1, 1, "U.S."),
        ("by Apple Inc.", 1, 2, "Apple Inc."),
        ("von Nestlé S.A. Heute", 1, 2, "Nestlé S.A."),
        ("J. R. Ewing.", 0, 2, "J. R. Ewing"),
        ("at Yahoo! he works.", 1, 1, "Yahoo!"),
        ("at Yahoo! He works.", 1, 1, "Yahoo"),
        ("am 15. Mai, sagt", 1, 2, "15. Mai"),
        ("Nord- und Südkorea.", 0, 0, "Nord-"),
        ("James' O'Brien', da", 0, 0, "James"),
        ("James' O'Brien', da", 1, 1, "O'Brien"),
        ("Merkel’s Haus.", 0, 0, "Merkel’s"),
        ("वह दिल्ली।", 1, 1, "दिल्ली"),
        ("ein Paris…", 1, 1, "Paris"),
        ("da ... nichts,", 1, 1, "..."),
        ("Wer (Anna", 1, 1, "Anna"),
        ('"Anna', 0, 0, "Anna"),
        ("C++, C#.", 0, 0, "C++"),
    ],
)
def test_what_stays_of_a_span(pieces, first, last, found):
    sentence, n = cut(pieces.split(), [Span(first, last + 1, "X")])
    assert texts(sentence) == [found]
    assert sentence.text == pieces
    assert n == (" ".join(pieces.split()[first : last + 1]) != found)


@given(st.lists(st.text("aB.,'\"()!»« ", min_size=1).filter(str.split), min_size=1, max_size=4))
def test_any_pieces(given_pieces):
    """Spans lose punctuation alone, and never all that they have."""
    pieces = " ".join(given_pieces).split()
    spans = [Span(n, n + 1, "X") for n in range(len(pieces))]
    sentence, _ = cut(pieces, spans)
    for piece, found in zip(pieces, texts(sentence), strict=True):
        assert found
        left = piece.partition(found)
        assert not any(map(str.isalnum, left[0] + left[2]))


def test_tokenised_rows_stay(tmp_path):
    """Whatever abbreviations end their rows."""
    rows = [
        Sentence(("He", "left", "the", "U.S."), (Span(3, 4, "LOC"),)),
        Sentence(("Apple", "Inc.", "sings", "."), (Span(0, 2, "ORG"),)),
        Sentence(("by", "Apple", "Inc."), (Span(1, 3, "ORG"),)),
    ]
    for some in (rows, rows[:1], rows[2:]):
        out = io.StringIO()
        for row in some:
            tags = tags_from_spans(row.spans, len(row.words))
            out.writelines(f"{word}\t{tag}\n" for word, tag in zip(row.words, tags, strict=True))
            out.write("\n")
        found, counts = read(tmp_path, out.getvalue())
        assert found == some
        assert not counts.guessed


def test_over_the_words_of_either_file(tmp_path):
    """A prediction over the pieces, and one over words, are compared with the same gold."""
    (gold,), _ = read(tmp_path, LABEL_STUDIO)
    pieces = Sentence(("Anna", "Roe", "saw", "Paris."), (Span(3, 4, "LOC"),))
    words = Sentence(gold.words, gold.spans)
    ((left, right),) = over_same_words(iter([(1, gold)]), "g", iter([(1, pieces)]), "p")
    assert left.words == right.words
    assert texts(right) == ["Paris."]
    ((left, right),) = over_same_words(iter([(1, gold)]), "g", iter([(1, words)]), "p")
    assert left.spans == right.spans
