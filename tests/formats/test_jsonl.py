import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanbridge.core.errors import InputError
from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SentenceOf, SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.formats import read_rows, write_pairs
from spanbridge.formats.base import Counts
from spanbridge.formats.jsonl import format_pair, read_jsonl
from spanbridge.formats.plain_fields import ALL_PLAIN_FIELDS
from spanbridge.formats.tokens import tokenize

SIDES = {"source_words": ["a", "b"], "target_words": ["x", "y", "z"]}


def read(tmp_path, *rows):
    path = tmp_path / "a.jsonl"
    texts = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("\n".join(texts), encoding="utf-8")
    return [pair for _, pair in read_jsonl(path)]


def test_all_keys(tmp_path):
    row = {
        "note": {"any": [1, None, 2.5]},
        "status": "projected",
        "link_scores": [0.5, 1],
        "links": [[1, 0], [0, 2]],
        "target_spans": [{"start": 0, "end": 2, "label": "X", "score": 0.123456}],
        "source_spans": [
            {"start": 1, "end": 2, "label": "X-Y"},
            {"start": 0, "end": 2, "label": "Z"},
        ],
        **SIDES,
        "id": 7,
    }
    (pair,) = read(tmp_path, row)
    assert pair == SentencePair(
        "7",
        Sentence(("a", "b"), (Span(1, 2, "X-Y"), Span(0, 2, "Z"))),
        Sentence(("x", "y", "z"), (Span(0, 2, "X", 0.123456),)),
        WordAlignment(((0, 2), (1, 0)), 2, 3, (1.0, 0.5)),
        "projected",
        extra={"note": {"any": [1, None, 2.5]}},
    )
    assert format_pair(pair) == (
        '{"id": "7", "source_words": ["a", "b"], "source_spans": [{"start": 1, "end": 2, '
        '"label": "X-Y"}, {"start": 0, "end": 2, "label": "Z"}], "target_words": ["x", "y", "z"], '
        '"target_spans": [{"start": 0, "end": 2, "label": "X", "score": 0.1235}], '
        '"links": [[0, 2], [1, 0]], "link_scores": [1.0, 0.5], "status": "projected", '
        '"confidence": null, "note": {"any": [1, null, 2.5]}}'
    )


def test_what_may_be_missing(tmp_path):
    nulls = dict.fromkeys(["id", "source_spans", "target_text", "links", "link_scores", "status"])
    pairs = read(tmp_path, SIDES, "", " \t", {**SIDES, **nulls}, {**SIDES, "id": ""})
    assert [pair.id for pair in pairs] == ["1", "2", ""]
    assert pairs[0] == SentencePair("1", Sentence(("a", "b")), Sentence(("x", "y", "z")))
    assert pairs[1].extra == {"target_text": None}


def test_raw_text(tmp_path):
    text = "In Ankara'da  👩\u200d👧."
    spans = [{"start": 2, "end": 9, "label": "LOC"}, {"start": 14, "end": 17, "label": "F"}]
    row = {"id": "1", "source_text": text, "source_spans": spans, "target_text": ""}
    (pair,) = read(tmp_path, row)
    assert pair.source.words == ("In", "Ankara", "'", "da", "👩\u200d👧", ".")
    assert pair.source.spans == (Span(1, 2, "LOC"), Span(4, 5, "F"))
    assert pair.target == Sentence((), (), "", ())
    again = json.loads(format_pair(pair))
    spans[0]["start"] = 3  # without the space
    assert again == {**row, "target_spans": []}
    assert read(tmp_path, again) == [pair]


def span(start, end, label="X", **more):
    return {"start": start, "end": end, "label": label, **more}


def test_known_target_spans_cut_words_at_apostrophes_and_hyphens_only(tmp_path):
    for text, given_span, word in (
        ("In Ankara'da, New York.", span(3, 9), "Ankara"),
        ("Die SPD-Fraktion kam", span(4, 7), "SPD"),
        ("Kamu\u2010\u00d6zel", span(5, 9), "\u00d6zel"),
        ("O'Brien'\u0131n evi", span(0, 7), "O'Brien"),
    ):
        row = {"source_words": [], "target_text": text, "target_spans": [given_span]}
        (pair,) = read(tmp_path, row)
        ((start, end, *_),) = pair.target.spans
        assert pair.target.text_of(start, end) == word
        assert "".join(pair.target.words) == text.replace(" ", "")
        line = format_pair(pair)
        assert json.loads(line)["target_spans"] == [given_span]
        assert read(tmp_path, line) == [pair]


def test_known_target_spans_do_not_cut_words_elsewhere(tmp_path):
    """Or else a gold span would help to find itself."""
    text = "In Ankara'da, New York."
    cases = [  # " New Yor" ends inside a word, and begins with a space
        (span(13, 21), Span(3, 5, "X")),
        (span(8, 14), Span(1, 3, "X")),
        (span(14, 22), Span(3, 5, "X")),
        (span(0, 23), Span(0, 6, "X")),
    ]
    words = ("In", "Ankara'da", ",", "New", "York", ".")
    for given_span, expected in cases:
        (pair,) = read(
            tmp_path, {"source_words": [], "target_text": text, "target_spans": [given_span]}
        )
        assert (pair.target.words, pair.target.spans) == (words, (expected,))
        assert read(tmp_path, format_pair(pair)) == [pair]
    cases.append((span(3, 9), None))
    row = {"source_text": text, "source_spans": [span(3, 9)]}
    row |= {"target_text": text, "target_spans": [given_span for given_span, _ in cases]}
    (tmp_path / "a.jsonl").write_text(json.dumps(row), encoding="utf-8")
    counts = Counts()
    list(read_jsonl(tmp_path / "a.jsonl", counts))
    assert (counts.n_rows, counts.places["target"].n_inside) == (1, 2)


def test_lines_are_numbered_and_some_must_hold_a_pair(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(f"\n{json.dumps(SIDES)}\n \n{json.dumps(SIDES)}\n", encoding="utf-8")
    assert [(line, pair.id) for line, pair in read_jsonl(path)] == [(2, "1"), (4, "2")]
    path.write_text("\n \n", encoding="utf-8")
    with pytest.raises(InputError, match="has only blank lines"):
        list(read_jsonl(path))


def test_words_win_over_text(tmp_path):
    row = {"id": "1", **SIDES, "target_text": "x yz", "source_spans": [], "target_spans": []}
    (pair,) = read(tmp_path, row)
    assert pair.target.text is None
    assert pair.extra == {"target_text": "x yz"}
    assert json.loads(format_pair(pair)) == row


def test_places_of_words_are_kept_where_text_would_be_cut_otherwise(tmp_path):
    cut = {"start": 0, "end": 2, "label": "X"}
    (pair,) = read(tmp_path, {"source_text": "unhappy", "source_spans": [cut], "target_words": []})
    bare = SentencePair("1", pair.source.with_spans(()), pair.target, WordAlignment((), 2, 0))
    (again,) = read(tmp_path, format_pair(bare))
    assert again.source.words == bare.source.words == ("un", "happy")
    assert json.loads(format_pair(bare))["source_word_offsets"] == [[0, 2], [2, 7]]
    assert again == bare
    inside = {"target_text": "unhappy !", "target_word_offsets": [[0, 2], [2, 9]]}
    (pair,) = read(tmp_path, {"source_words": [], **inside, "target_spans": [cut]})
    assert (pair.target.words, pair.target.spans) == (("un", "happy !"), (Span(0, 1, "X"),))
    (row,) = read(tmp_path, format_pair(pair))
    assert row == pair


@pytest.mark.parametrize(
    "wrong", [[[0, 3]], [[1, 1]], [[1, 2], [0, 1]], [[0]], ["ab"], 1, [[0, 1.0]]]
)
def test_places_of_words(tmp_path, wrong):
    row = {"source_text": "ab", "source_word_offsets": wrong, "target_words": []}
    with pytest.raises(InputError, match=r":1: source_word_offsets is .*; give \[start, end\]"):
        read(tmp_path, row)


TEXT = {"source_text": "ab \U0001f600", "target_words": ["x"]}


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("{", "is not JSON"),
        ("{'a': 1}", "column 2"),
        ("[]", "no JSON object"),
        ("null", "no JSON object"),
        ('"text"', "no JSON object"),
        ('{"x": NaN}', "NaN"),
        ('{"x": [-Infinity]}', "-Infinity"),
        ('{"x": 1e999}', "too large"),
        ('{"x": ' + "9" * 5000 + "}", "not valid JSON"),
        ('{"x": ' + "[" * 200_000 + "]" * 200_000 + "}", "nested more than 100 levels deep"),
        ('{"x": ' + "[" * 100 + "]" * 100 + "}", "nested more than 100 levels deep"),
        ('{"id": "1", "id": "2"}', "'id' is given twice"),
        ('{"x": {"y": 1, "y": 1}}', "'y' is given twice"),
        ('{"x": "\\ud800"}', "surrogate"),
        ('{"\\uDfff": 1}', "surrogate"),
        ('{"x": "\\udc00\\ud800"}', "surrogate"),
        ({}, "no 'text'; .* source_text and target_text, .*; there is: nothing"),
        ({"x": 1}, "key or column of the text .--text-column., .* .--format.; there is: 'x'"),
        ({**SIDES, "id": 1.5}, "id is 1.5"),
        ({**SIDES, "id": True}, "id is true"),
        ({**SIDES, "id": ["1"]}, "id is"),
        ({**SIDES, "status": 1}, "status is 1"),
        ({**SIDES, "source_words": "a b"}, 'source_words is "a b"'),
        ({**SIDES, "target_words": ["a", 1]}, "target_words"),
        ({**SIDES, "target_words": ["a", None]}, "target_words"),
        ({"source_text": ["a"], "target_text": ""}, "source_text"),
        ({**SIDES, "source_spans": {}}, "source_spans is {}"),
        ({**SIDES, "source_spans": [[0, 1]]}, "give objects"),
        ({**SIDES, "source_spans": [{"start": 0, "end": 1}]}, "label"),
        ({**SIDES, "source_spans": [span(0, 1, "")]}, "label"),
        ({**SIDES, "source_spans": [span(0, 1, 5)]}, "label"),
        ({**SIDES, "source_spans": [span(0.0, 1)]}, "integers"),
        ({**SIDES, "source_spans": [span(False, True)]}, "integers"),
        ({**SIDES, "source_spans": [span("0", 1)]}, "integers"),
        ({**SIDES, "source_spans": [{"from": 0, "to": 1}]}, "its keys are from, to"),
        ({**SIDES, "source_spans": [span(0, 3)]}, "source_spans: span 0-3 .* outside"),
        ({**SIDES, "target_spans": [span(0, 1), span(1, 1)]}, "target_spans: .* outside"),
        ({**SIDES, "target_spans": [span(-1, 1)]}, "outside"),
        ({**SIDES, "target_spans": [span(0, 1, score=1.01)]}, "score 1.01"),
        ({**SIDES, "target_spans": [span(0, 1, score="1")]}, "score"),
        ({**SIDES, "target_spans": [span(0, 1, score=True)]}, "score"),
        ({**TEXT, "source_spans": [span(0, 5)]}, "outside the text of 4 characters"),
        ({**TEXT, "source_spans": [span(-1, 2)]}, "outside the text"),
        ({**TEXT, "source_spans": [span(2, 2)]}, "outside the text"),
        ({**TEXT, "source_spans": [span(2, 3)]}, "covers only whitespace"),
        ({**SIDES, "links": "0-0"}, "links is"),
        ({**SIDES, "links": [[0]]}, "links holds"),
        ({**SIDES, "links": [[0, 0, 0]]}, "links holds"),
        ({**SIDES, "links": [[0, "0"]]}, "links holds"),
        ({**SIDES, "links": [[0, True]]}, "links holds"),
        ({**SIDES, "links": [[0, 0], [2, 0]]}, "link 2-0 lies outside"),
        ({**SIDES, "links": [[0, -1]]}, "outside"),
        ({**SIDES, "links": [[0, 0]], "link_scores": []}, "1 links have 0 scores"),
        ({**SIDES, "links": [[0, 0]], "link_scores": [2]}, "score 2"),
        ({**SIDES, "links": [[0, 0]], "link_scores": 1}, "link_scores is 1"),
        ({**SIDES, "link_scores": [1]}, "without links"),
    ],
)
def test_errors_name_line_and_reason(tmp_path, row, why):
    with pytest.raises(InputError, match=why) as caught:
        read(tmp_path, SIDES, "", row, SIDES)
    assert caught.value.line == 3
    assert len(caught.value.why) < 250


def test_escaped_pairs_and_backslashes_are_no_surrogates(tmp_path):
    row = '{"x": "\\ud83d\\ude00", "y": "\\\\ud800", "source_text": "", "target_text": ""}'
    (pair,) = read(tmp_path, row)
    assert pair.extra == {"x": "\U0001f600", "y": "\\ud800"}


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
scores = st.none() | st.integers(0, 10_000).map(lambda n: n / 10_000)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
KNOWN = {f"{side}_{part}" for side in ("source", "target") for part in ("words", "text", "spans")}
KNOWN |= {"id", "links", "link_scores", *(field.key for field in ALL_PLAIN_FIELDS)}


@st.composite
def spans_over(draw, n, allowed=lambda start, end: True):
    if not n:
        return ()
    edges = st.tuples(st.integers(0, n), st.integers(0, n)).map(sorted)
    chosen = draw(st.lists(edges, max_size=3))
    labels = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5)
    return tuple(
        Span(start, end, draw(labels), draw(scores))
        for start, end in chosen
        if start < end and allowed(start, end)
    )


@st.composite
def sentences(draw, side):
    if draw(st.booleans()):
        words = tuple(draw(st.lists(texts, max_size=5)))
        return Sentence(words, draw(spans_over(len(words))))
    text = draw(texts)
    cuts = draw(spans_over(len(text), lambda start, end: tokenize(text[start:end])[0]))
    edges = [edge for cut in cuts for edge in cut[:2]]
    words, offsets = tokenize(text, edges if side == "source" else ())
    by_word = [
        [k for k, (start, end) in enumerate(offsets) if cut.start < end and start < cut.end]
        for cut in cuts
    ]
    spans = tuple(
        Span(inside[0], inside[-1] + 1, cut.label, cut.score)
        for inside, cut in zip(by_word, cuts, strict=True)
        if inside  # invisible characters are no word
    )
    return Sentence(words, spans, text, offsets)


@st.composite
def pairs(draw):
    source, target = draw(sentences("source")), draw(sentences("target"))
    links = None
    if draw(st.booleans()):
        n, m = len(source.words), len(target.words)
        index = st.tuples(st.integers(0, max(n - 1, 0)), st.integers(0, max(m - 1, 0)))
        given_links = draw(st.lists(index, unique=True, max_size=5)) if n and m else []
        given_scores = [draw(scores) for _ in given_links]
        scored = None not in given_scores
        links = WordAlignment.of(given_links, n, m, given_scores if scored else None)
    extra = draw(st.dictionaries(texts.filter(lambda key: key not in KNOWN), values, max_size=3))
    status, confidence = draw(st.none() | texts), draw(scores)
    return SentencePair(draw(texts), source, target, links, status, confidence, extra=extra)


@given(st.lists(pairs(), min_size=1, max_size=3))
def test_round_trip(tmp_path_factory, rows):
    tmp_path = tmp_path_factory.mktemp("jsonl")
    written = [format_pair(row) for row in rows]
    assert not any("\n" in line for line in written)
    back = read(tmp_path, *written)
    assert back == rows
    assert [format_pair(row) for row in back] == written


def test_declared_fields_have_their_places():
    pair = SentencePair(
        "1",
        Sentence(("un", "happy"), (), "unhappy", ((0, 2), (2, 7)), 0.99999),
        Sentence(("x",)),
        status="projected",
        confidence=0.123456,
        explanation=("a", "b"),
        translation_score=-0.98765,
        sentence_of=SentenceOf("0", "source", 3),
        extra={"own": 1, "target_text": "x"},
    )
    assert format_pair(pair) == (
        '{"id": "1", "source_text": "unhappy", "source_spans": [], '
        '"source_word_offsets": [[0, 2], [2, 7]], "target_words": ["x"], "target_spans": [], '
        '"status": "projected", "explanation": ["a", "b"], "translation_score": -0.9877, '
        '"sentence_of": {"id": "0", "side": "source", "start": 3}, '
        '"source_empty_probability": 1.0, "confidence": 0.1235, "own": 1, "target_text": "x"}'
    )


def test_a_status_without_confidence_says_so(tmp_path):
    pair = SentencePair("1", Sentence(()), Sentence(()))
    assert "confidence" not in format_pair(pair)
    line = format_pair(pair.replace(status="empty: no span"))
    assert '"status": "empty: no span", "confidence": null}' in line
    assert read(tmp_path, line) == [pair.replace(status="empty: no span")]


@pytest.mark.parametrize(
    ("key", "values", "wanted"),
    [
        ("status", [1, ["x"]], "a string"),
        ("provenance", [True], "a string"),
        ("pivot_text", [{}], "a string"),
        ("confidence", ["0.5", True, -0.1, 1.1, 10**400], r"a number in \[0, 1\]"),
        ("target_empty_probability", ["1", 2], r"a number in \[0, 1\]"),
        ("translation_score", [0.1, "x", False, -(10**400)], "a number of at most 0"),
        ("explanation", ["why", ["a", 1], {}], "a list of strings"),
        ("rejected_sentences", [3, [None]], "a list of strings"),
        (
            "sentence_of",
            [
                "1",
                {"id": "1", "side": "source"},
                {"id": 1, "side": "source", "start": 0},
                {"id": "1", "side": ["source"], "start": 0},
                {"id": "1", "side": "left", "start": 0},
                {"id": "1", "side": "source", "start": -1},
                {"id": "1", "side": "source", "start": True},
                {"id": "1", "side": "source", "start": 0, "text": 1},
                {"id": "1", "side": "source", "start": 0, "end": 1},
            ],
            "an object with id, side, start and perhaps text",
        ),
    ],
)
def test_declared_keys_with_values_of_other_types(tmp_path, key, values, wanted):
    said = (
        rf"a\.jsonl:2: {key} is .*, but must be {wanted}; a field of your own needs another name$"
    )
    for value in values:
        with pytest.raises(InputError, match=said) as caught:
            read(tmp_path, SIDES, {**SIDES, key: value})
        assert len(caught.value.why) < 250


@pytest.mark.parametrize(
    "key", ["confidence", "links", "source_words", "id", "pivot_text", "other_keys"]
)
@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet"])
def test_extra_fields_cannot_pass_for_declared_ones(tmp_path, name, key):
    pair = SentencePair("1", Sentence(("a",)), Sentence(()), extra={key: "x", "k": 1})
    assert json.loads(format_pair(pair))["other_keys"] == {key: "x"}
    write_pairs(tmp_path / name, [pair])
    assert [row for _, row in read_rows(tmp_path / name)] == [pair]
    own = {"source_words": ["a"], "target_words": [], "other_keys": {"status": "x", "k": 2}}
    (again,) = read(tmp_path, own)
    assert again.extra == {"other_keys": own["other_keys"]}  # a key of the user's own
