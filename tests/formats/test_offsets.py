import json
from collections import Counter

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.spans import Span
from spanbridge.formats import Counts, Reading, read_pairs
from spanbridge.formats.json_spans import read_spans, write_spans
from spanbridge.formats.jsonl import format_pair
from spanbridge.formats.offsets import OFFSETS, Places, is_inclusive, place_spans
from spanbridge.formats.tokens import tokenize

TEXT = "🚒 Zoë met Ann in Łódź, and left."
NAMES = {"PER": ("Zoë", "Ann"), "LOC": ("Łódź",)}


def spans_in(text, offsets, names):
    """Spans of the names, counted by the standard library's encoders."""
    unit = {"utf16": ("utf-16-le", 2), "bytes": ("utf-8", 1)}.get(offsets.split("-")[0])
    found = []
    for label, surfaces in names.items():
        for surface in surfaces:
            start = text.index(surface)
            at, size = start, len(surface)
            if unit is not None:
                at = len(text[:start].encode(unit[0])) // unit[1]
                size = len(surface.encode(unit[0])) // unit[1]
            found.append(Span(at, at + size, label))
    return found


@pytest.mark.parametrize("offsets", OFFSETS)
def test_every_unit_finds_the_names(offsets):
    sentence = place_spans(TEXT, spans_in(TEXT, offsets, NAMES), "source", "spans", offsets)
    found = [(sentence.text_of(*span[:2]), span.label) for span in sentence.spans]
    assert found == [("Zoë", "PER"), ("Ann", "PER"), ("Łódź", "LOC")]


@pytest.mark.parametrize("right", OFFSETS)
@pytest.mark.parametrize("read", OFFSETS)
def test_the_cause_of_shifted_spans_is_named(tmp_path, right, read):
    rows = []
    text = TEXT + " More words follow that one."
    for n in range(3):
        spans = [s._asdict() for s in spans_in(text, right, NAMES)]
        for span in spans:
            span["end"] -= is_inclusive(right)
        rows.append({"source_text": text, "source_spans": spans, "target_words": ["x"], "id": n})
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    counts = Counts()
    try:
        list(read_pairs(path, how=Reading(offsets=read), counts=counts))
        told = " ".join(note for note, n in counts.notes().items() if n)
    except InputError as error:
        told = str(error)
    assert f"--offsets {right}" in told if read != right else told == ""


def test_sub_word_spans_are_counted_without_a_cause(tmp_path):
    text = "Ankara'da ve İzmir'de ve Paris"
    places = Places()
    names = {"LOC": ("Ankara", "İzmir", "Paris")}
    given_spans = spans_in(text, "characters", names)
    sentence = place_spans(text, given_spans, "source", "spans", "characters", places)
    assert [sentence.text_of(*span[:2]) for span in sentence.spans] == ["Ankara", "İzmir", "Paris"]
    assert (places.n_spans, places.n_inside, places.cause()) == (3, 2, "")


def test_a_text_beside_a_span_is_better_evidence_than_words():
    """In Chinese every character is a word, so that any span fits."""
    text = "😀😀安妮在北京"
    places = Places()
    given_spans = [
        Span(4, 6, "PER", extra='{"text": "安妮"}'),
        Span(7, 9, "LOC", extra='{"text": "北京"}'),
    ]
    with pytest.raises(SpanbridgeError, match="outside the text of 7 characters.*--offsets utf16"):
        place_spans(text, given_spans, "source", "spans", "characters", places)
    place_spans(text, given_spans[:1], "source", "spans", "characters", places)
    assert places.n_inside == 0
    assert places.n_other_text == 1
    assert "0 of 1 fit words, 1 would with --offsets utf16" in places.cause()
    # composed or not, and white space, make no difference
    spans = [Span(0, 6, "PER", extra='{"surface": "Zoe\\u0308 A"}')]
    place_spans("Zoë  A", spans, "source", "spans", "characters", right := Places())
    assert right.n_other_text == 0


def test_a_position_inside_a_character_is_an_error():
    for offsets in ("utf16", "bytes"):
        with pytest.raises(SpanbridgeError, match="inside a character"):
            place_spans(TEXT, [Span(1, 5, "X")], "source", "spans", offsets)


def test_inclusive_words(tmp_path):
    row = {"source_words": ["a", "b"], "source_spans": [[0, 0, "X"]], "target_words": ["x"]}
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(row), "utf-8")
    with pytest.raises(InputError, match="--offsets characters-inclusive"):
        list(read_pairs(path))
    (pair,) = read_pairs(path, how=Reading(offsets="characters-inclusive"))
    assert pair.source.spans == (Span(0, 1, "X"),)
    with pytest.raises(SpanbridgeError, match="offsets is 'utf8', but must be one of"):
        Reading(offsets="utf8")


@pytest.mark.parametrize(
    ("item", "extra"),
    [
        ({"start": 0, "end": 3, "label": "X", "kb_id": "Q1"}, {"kb_id": "Q1"}),
        ({"entity_group": "X", "start": 0, "end": 3, "word": "abc"}, {"word": "abc"}),
        ({"start_offset": 0, "end_offset": 3, "label": "X", "id": 4}, {"id": 4}),
        ({"BeginOffset": 0, "EndOffset": 3, "Type": "X"}, None),
        ({"start_char": 0, "end_char": 3, "type": "X"}, None),
        ({"begin": 0, "end": 3, "tag": "X"}, None),
        ({"offset": 0, "length": 3, "category": "X"}, None),
        ({"startOffset": 0, "endOffset": 3, "labels": ["X"]}, None),
        ({"start": 0, "end": 3, "label": "X", "type": "name"}, {"type": "name"}),
        ([0, 3, "X"], None),
    ],
)
def test_keys_of_exporters(item, extra):
    (span,) = read_spans([item], "spans")
    assert span[:4] == (0, 3, "X", None)
    assert (None if span.extra is None else json.loads(span.extra)) == extra
    (written,) = write_spans([span])
    assert written == {"start": 0, "end": 3, "label": "X", **(extra or {})}
    assert read_spans([written], "spans") == (span,)


def test_spans_that_are_none():
    several = read_spans([{"start": 0, "end": 1, "labels": ["X", "Y"]}], "spans")
    assert [span.label for span in several] == ["X", "Y"]
    for item, why in [
        ({"from": 0, "to": 1, "label": "X"}, "its keys are from, to, label"),
        ({"start": 0, "end": 1, "labels": []}, "and a label"),
        ({"start": 0, "end": 1, "entity": "B-PER"}, "tag of a single token"),
        ({"offset": 0, "length": "1", "label": "X"}, "wants integers"),
    ]:
        with pytest.raises(SpanbridgeError, match=why):
            read_spans([item], "spans")


def test_other_keys_pass_through(tmp_path):
    row = {"id": "1", "source_text": "Ann left", "target_text": "Ann ging", "target_spans": []}
    row["source_spans"] = [{"start": 0, "end": 3, "label": "PER", "kb_id": "Q1", "text": "Ann"}]
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(row), "utf-8")
    (pair,) = read_pairs(path)
    assert json.loads(format_pair(pair)) == row


@given(st.text(max_size=12), st.sampled_from(OFFSETS), st.integers(0, 12), st.integers(1, 12))
def test_positions_mean_the_same_text_in_every_unit(text, offsets, start, length):
    assume(tokenize(text[start : start + length])[0])
    unit = offsets.split("-")[0]
    size = {
        "characters": len,
        "utf16": lambda s: len(s.encode("utf-16-le", "surrogatepass")) // 2,
        "bytes": lambda s: len(s.encode("utf-8", "surrogatepass")),
    }[unit]
    end = min(start + length, len(text))
    span = Span(size(text[:start]), size(text[:end]), "X")
    places = Places()
    found = place_spans(text, [span], "source", "spans", offsets, places)
    plain = place_spans(text, [Span(start, end, "X")], "source", "spans", "characters")
    assert found == plain
    assert places.fits[offsets] <= 1
    assert isinstance(places.fits, Counter)


def test_invisible_characters_do_not_go_into_spans(tmp_path):
    text = "\u200fParis\u200f won"
    for side in ("source", "target"):
        sentence = place_spans(text, [Span(0, 7, "LOC")], side, "spans", "characters", Places())
        assert sentence.words == ("Paris", "won")
        assert sentence.text_of(*sentence.spans[0][:2]) == "Paris"
    with pytest.raises(SpanbridgeError, match="cannot be seen"):
        place_spans(text, [Span(6, 8, "LOC")], "source", "spans", "characters")


def test_commands_say_what_is_wrong(tmp_path, spanbridge):
    """In project, and for the gold file of evaluate."""
    text = TEXT + " More words follow that one."
    spans = [span._asdict() for span in spans_in(text, "utf16", NAMES)]
    row = {"source_text": text, "source_spans": spans, "target_text": text, "target_spans": spans}
    (tmp_path / "a.jsonl").write_text(json.dumps(row), encoding="utf-8")
    command = "project --source a.jsonl --method greedy --aligner lexical -o o.jsonl".split()
    told = "source spans that do not begin and end where words do (0 of 3 fit words, 3 would with"
    assert f"3 {told} --offsets utf16)" in spanbridge(*command).stderr
    done = spanbridge(*command, "--offsets", "utf16").stderr
    assert "|offsets:utf16|" in done
    assert told not in done
    scored = spanbridge("evaluate", "a.jsonl", "o.jsonl", "--offsets", "utf16", "--json")
    assert json.loads(scored.stdout)["micro"]["f1"] == 1.0


@pytest.mark.parametrize(
    ("text", "span", "words"),
    [
        # 과제 (homework) and the topic's particle
        ("과제는 좋아요.", (0, 2), ("과제", "는", "좋아요", ".")),
        # two particles: from, topic
        ("서울에서는 좋아요.", (0, 2), ("서울", "에서는", "좋아요", ".")),
        # one syllable before the particle, which only the annotation can tell from a whole word
        ("책을 읽다.", (0, 1), ("책", "을", "읽다", ".")),
        # what stands behind the span is no particle, so that the span is widened
        ("강의실입니다", (0, 2), ("강의실입니다",)),
    ],
)
def test_spans_of_korean_targets_end_before_particles(text, span, words):
    places = Places()
    spans = [Span(*span, "X")]
    sentence = place_spans(text, spans, "target", "spans", "characters", places)
    assert sentence.words == words
    assert sentence.spans == (Span(0, 1, "X"),)
    assert places.n_inside == (len(words) == 1)
