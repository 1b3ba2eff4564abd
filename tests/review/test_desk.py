"""What a page can do: rows, lists, actions, conflicts, claims, and the result."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from review_samples import asked, sample_rows, write_rows

from spanbridge.core.errors import InputError, RowError, SpanbridgeError
from spanbridge.core.spans import Span
from spanbridge.formats import read_rows
from spanbridge.review.desk import ConflictError
from spanbridge.review.edits import checked_marks
from spanbridge.review.index import UNKNOWN, RowIndex
from spanbridge.review.journal import Mark
from spanbridge.review.lists import Query
from spanbridge.review.row_claims import ELSEWHERE, SILENCE, RowClaims


def listed(desk, **query):
    found = desk.find(Query(**query))
    rows = desk.lists.part(found["list"], 0, 50)
    assert len(rows) == found["length"]
    return [row["id"] for row in rows]


def spans(desk, row):
    return desk.row(row)["state"]["spans"]


def test_the_most_doubtful_row_comes_first(open_desk):
    desk = open_desk()
    assert listed(desk) == ["words-1", "zh-1", "ar-1", "de-1"]
    assert listed(desk, sort="file") == ["de-1", "ar-1", "zh-1", "words-1"]
    assert listed(desk, below=0.4) == ["words-1", "zh-1"]
    assert listed(desk, label="LOC", sort="file") == ["de-1", "ar-1", "zh-1", "words-1"]
    assert listed(desk, label="NONE") == []


@pytest.mark.parametrize("text", ["MERKEL", "merkel", "ar-1", "ميركل"])
def test_search_overlooks_case(open_desk, text):
    assert "ar-1" in listed(open_desk(), text=text)


def test_search_finds_unspaced_words_and_no_others(open_desk):
    assert listed(open_desk(), text="在 柏林") == ["zh-1"]
    assert listed(open_desk(), text="Hamburg") == []


def test_an_action_is_the_whole_state_of_its_row(open_desk):
    desk = open_desk()
    per, org = spans(desk, 1)
    assert per[:3] == [0, 13, "PER"]
    assert desk.row(1)["target"]["text"][:13] == "Angela Merkel"
    done = desk.act(asked(1, 0, [[0, 6, "PER"], org]))
    assert done["state"]["spans"] == [[0, 6, "PER", None, "anna"], org]
    assert done["state"]["status"] == "started"
    done = desk.act(asked(1, 1, done["state"]["spans"], do="status", status="accepted"))
    assert done["state"]["status"] == "corrected"
    assert done["counts"]["corrected"] == 1
    assert listed(desk, status="corrected") == ["de-1"] == listed(desk, by="anna")
    assert listed(desk, status="open") == ["words-1", "zh-1", "ar-1"]
    # back to what the file has: accepted, with its scores
    done = desk.act(asked(1, 2, [per, org], do="status", status="accepted"))
    assert done["state"]["status"] == "accepted"
    assert done["state"]["spans"] == [per, org]


@pytest.mark.parametrize(
    ("row", "place", "told"),
    [
        (1, [0, 14, "PER"], "does not begin and end where a character that can be seen does"),
        (1, [5, 5, "PER"], "does not begin"),
        (1, [-1, 5, "PER"], "does not begin"),
        (1, [0, 10_000, "PER"], "does not begin"),
        (1, [0, 6, ""], "is no label"),
        (1, [0, 6, " PER"], "is no label"),
        (1, [0, 6, "P\u202eER"], "cannot be seen"),
        (1, [0, 6, "x" * 201], "is no label"),
        (4, [0, 5, "PER"], "does not begin and end where a word does"),
        (9, [0, 6, "PER"], "there is no row 9; there are 4"),
        (0, [0, 6, "PER"], "there is no row 0"),
    ],
)
def test_wrong_actions_are_refused_and_not_written(open_desk, row, place, told):
    desk = open_desk()
    with pytest.raises(SpanbridgeError, match=told):
        desk.act(asked(row, 0, [place]))
    assert desk.journal.actions == []


def test_names_and_comments_have_limits(open_desk):
    desk = open_desk()
    for name in ("", "  ", "a\nb", "x" * 81):
        with pytest.raises(SpanbridgeError, match="is no name"):
            desk.act(asked(1, 0, [], by=name))
    with pytest.raises(RowError, match="comments have up to"):
        desk.act(asked(1, 0, [], comment="x" * 10_001))


def test_a_change_of_another_is_shown_never_overwritten(open_desk):
    """Two servers over one journal; the second one does not know of the first one's action."""
    one, other = open_desk(), open_desk()
    one.act(asked(2, 0, [], key="a"))
    one.claims.release("s")
    with pytest.raises(ConflictError, match="row 2 has been changed by anna") as error:
        other.act(asked(2, 0, spans(other, 2), key="b", session="t", by="ben"))
    assert error.value.told["state"]["spans"] == []
    done = other.act(asked(2, 1, [[6, 18, "PER"]], key="c", session="t", by="ben"))
    assert done["state"]["n"] == 2
    assert one.row(2)["state"]["by"] == "anna"
    assert [e["by"] for e in one.beat("s", "anna", None, 1)["changed"]] == ["ben"]
    assert one.row(2)["state"]["by"] == "ben"


def test_an_action_that_is_sent_again_is_done_once(open_desk):
    desk = open_desk()
    first = desk.act(asked(1, 0, [], key="a"))
    assert desk.act(asked(1, 0, [], key="a"))["state"] == first["state"]
    assert len(desk.journal.actions) == 1


def test_rows_are_held_by_one_page_at_a_time(open_desk):
    one, other = open_desk(), open_desk()
    assert one.beat("s", "anna", 1, 0)["holder"] is None
    assert one.beat("t", "ben", 1, 0)["holder"] == "anna"
    assert one.beat("t", "ben", 2, 0)["held"] == [(1, "anna")]
    assert other.beat("u", "eve", 1, 0)["holder"] == ELSEWHERE
    with pytest.raises(ConflictError, match="anna has row 1 open"):
        one.act(asked(1, 0, [], session="t", by="ben"))
    assert one.lists.following(one.find(Query(sort="file"))["list"], -1, {0}) == (1, 2)
    one.beat("s", "anna", 3, 0)  # which gives row 1 back
    assert other.beat("u", "eve", 1, 0)["holder"] is None
    one.claims.close()
    assert other.beat("u", "eve", 3, 0)["holder"] is None


def test_a_page_that_says_nothing_holds_nothing_in_the_end(tmp_path):
    now = [0.0]
    claims = RowClaims(tmp_path / "c", lambda: now[0])
    assert claims.take(1, "s", "anna") is None
    now[0] = SILENCE - 1
    assert claims.take(1, "t", "ben") == "anna"
    now[0] = SILENCE + 1
    assert claims.take(1, "t", "ben") is None
    claims.close()
    assert not (tmp_path / "c").exists()


def test_the_journal_replayed_over_the_file_gives_the_state(open_desk, rows_file):
    desk = open_desk()
    desk.act(asked(1, 0, [[0, 6, "PER"]], key="a"))
    desk.act(asked(3, 0, [], key="b", status="rejected-source", comment="?"))
    desk.act(asked(1, 1, [[0, 6, "X"]], key="c", status="accepted"))
    states = [desk.row(n)["state"] for n in (1, 2, 3, 4)]
    desk.close()
    again = open_desk()
    assert [again.row(n)["state"] for n in (1, 2, 3, 4)] == states
    assert again.about()["counts"] == desk.about()["counts"]
    assert "X" in again.lists.labels


def test_a_file_that_was_projected_anew_keeps_its_reviews(open_desk, rows_file, tmp_path):
    desk = open_desk()
    desk.act(asked(1, 0, [[0, 6, "PER"]], status="accepted"))
    desk.close()
    rows = sample_rows()
    rows[0] = rows[0]._replace(target=rows[0].target.with_spans((Span(0, 1, "LOC", 0.2),)))
    write_rows(rows_file, rows)
    assert spans(open_desk(), 1) == [[0, 6, "PER", None, "anna"]]
    rows[0] = rows[0]._replace(id="other")
    write_rows(rows_file, rows)
    with pytest.raises(InputError, match="is the journal of another out.jsonl: row 1 was de-1"):
        open_desk()
    write_rows(rows_file, rows[1:])
    with pytest.raises(InputError, match="is the journal of another"):
        open_desk()


def lines_of(path):
    return [json.loads(line) for line in Path(path).read_text("utf-8").split("\n") if line]


def written(desk):
    desk.write()
    return lines_of(desk.output)


def test_the_result_says_who_has_found_what(open_desk, tmp_path):
    desk = open_desk(output=str(tmp_path / "corrected.jsonl"))
    per, org = spans(desk, 1)
    desk.act(asked(1, 0, [[0, 10, "PER"], org], status="accepted", comment="cut\u2028here"))
    desk.act(asked(2, 0, spans(desk, 2), status="accepted"))
    desk.act(asked(3, 0, spans(desk, 3), status="rejected-translation"))
    desk.act(asked(4, 0, [], status="started"))
    before = lines_of(desk.rows.path)
    german, arabic, chinese, words = written(desk)
    review = german["review"]
    assert review == {"status": "corrected", "by": "anna", "comment": "cut\u2028here"} | {
        "at": review["at"]
    }
    new, old = german["target_spans"]
    assert new == {"start": 0, "end": 10, "label": "PER", "by": "anna", "at": review["at"]}
    assert old == {"start": org[0], "end": org[1], "label": "ORG"}  # given now, without a score
    assert not {"status", "confidence", "provenance"} & german.keys()
    # the word that was cut has its links on both parts
    assert german["links"][:3] == [[0, 0], [1, 1], [1, 2]]
    assert arabic["review"]["status"] == "accepted"
    assert [s["label"] for s in arabic["target_spans"]] == ["PER", "LOC"]
    assert chinese["target_spans"] == []
    assert chinese["status"] == "rejected: the translation is wrong (review)"
    assert chinese["review"]["status"] == "rejected-translation"
    # not accepted: as it was, and counted
    assert words.pop("review")["status"] == "started"
    assert words == before[3]
    told = json.loads((tmp_path / "corrected.jsonl.run.json").read_text())
    assert told["account"]["rows"] == 4
    assert told["account"]["status"] == {
        "accepted": 1,
        "corrected": 1,
        "rejected: the translation is wrong (review)": 1,
        "started": 1,
    }
    # and the result can be read, reviewed and written again
    again = open_desk(tmp_path / "corrected.jsonl", output=str(tmp_path / "again.jsonl"))
    assert again.about()["counts"]["corrected"] == 1
    assert again.row(1)["state"]["comment"] == "cut\u2028here"
    assert written(again) == [
        german,
        arabic,
        chinese,
        words
        | {
            "review": {"status": "started"}
            | {key: again.rows.reviews[3][key] for key in ("by", "at")}
        },
    ]


def test_any_format_can_be_written(open_desk, tmp_path):
    for name in ("tasks.json", "out.conll", "out.ann", "out.jsonl.x.csv"):
        desk = open_desk(output=str(tmp_path / name))
        n = len(desk.journal.actions)
        desk.act(asked(1, n, [[0, 6, "PER"]], status="accepted", key=name))
        desk.write()
        desk.close()
        rows = [pair for _, pair in read_rows(tmp_path / name, default="conll")]
        assert rows[0].target.text_of(*rows[0].target.spans[0][:2]) == "Angela"


def test_a_row_of_words_keeps_its_words(open_desk, tmp_path):
    desk = open_desk(output=str(tmp_path / "o.jsonl"))
    assert not desk.row(4)["raw"]
    desk.act(asked(4, 0, [[0, 6, "PER"]], status="accepted"))
    row = written(desk)[3]
    assert row["target_words"] == desk.row(4)["target"]["text"].split()
    assert row["target_spans"][0]["end"] == 1


def test_rows_that_are_wrong_are_shown_as_such(open_desk, rows_file, tmp_path):
    with rows_file.open("a") as file:
        file.write(
            '{"id": "x", "source_text": "a", "target_text": "b", "target_spans": [[0, 9, "A"]]}'
        )
    desk = open_desk(output=str(tmp_path / "o.jsonl"))
    assert "out.jsonl:5: target_spans: 0-9 (A) lies outside" in desk.row(5)["error"]
    with pytest.raises(InputError, match="out.jsonl:5"):
        desk.write()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"", "is empty"),
        (b"\n\n", "has only blank lines"),
        (b"Anna in Rom\n", "is not JSON"),
        (b'[{"source_text": "a", "target_text": "b"}]', "review reads JSON lines"),
        (
            b'{"source_text": "a", "target_text": "b"}\n{"source_text": \n',
            r"out.jsonl:2: is not JSON",
        ),
        (b'{"source_text": "a", "target_text": "b"}\n\xff\n', "invalid UTF-8"),
        (
            b'{"source_text": "a", "target_text": "b"}\n{"k": %s}\n' % (b"[" * 9999 + b"]" * 9999),
            r"out.jsonl:2: is nested more than 100 levels",
        ),
        (b"\x00\x01\x02\n", "review reads JSON lines|is not JSON"),
        (b"\x1f\x8b\x08\x00\xff\n", "is not text, but a gzip file"),
    ],
)
def test_files_that_are_none_are_told_with_the_line(tmp_path, text, told):
    path = tmp_path / "out.jsonl"
    path.write_bytes(text)
    with pytest.raises(SpanbridgeError, match=told):
        RowIndex(str(path))


def test_bom_and_windows_line_ends_and_blank_lines(rows_file, open_desk):
    lines = rows_file.read_bytes().splitlines()
    rows_file.write_bytes(b"\xef\xbb\xbf" + b"\r\n\r\n".join(lines))
    desk = open_desk()
    assert [desk.row(n)["id"] for n in (1, 2, 3, 4)] == ["de-1", "ar-1", "zh-1", "words-1"]
    assert listed(desk, sort="file") == ["de-1", "ar-1", "zh-1", "words-1"]


def test_sureness_is_that_of_the_page_of_view(tmp_path):
    path = tmp_path / "o.jsonl"
    side = {"source_text": "Rom", "target_text": "Rome"}
    span = {"start": 0, "end": 3, "label": "LOC"}
    rows = [
        {**side, "confidence": 0.25},
        {**side, "target_spans": [{**span, "end": 4, "score": 0.75}]},
        {**side, "source_spans": [span], "status": "empty: no link"},
        side,
        {**side, "target_empty_probability": 0.5},
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    assert list(RowIndex(str(path)).sureness) == [0.25, 0.75, 0.0, UNKNOWN, 0.5]


def test_the_journal_is_no_file_of_the_review(open_desk, rows_file, tmp_path):
    for name in (rows_file, tmp_path / "o.jsonl", tmp_path / "o.jsonl.run.json"):
        with pytest.raises(SpanbridgeError, match="cannot be the journal as well"):
            open_desk(journal=str(name), output=str(tmp_path / "o.jsonl"))


def test_new_edges_stand_between_characters_as_readers_see_them(open_desk, tmp_path):
    text = "Ok 👨‍👩‍👧 ne\u0301e กำ 🇩🇪"
    row = {"source_text": "a", "target_text": text, "target_spans": []}
    path = tmp_path / "e.jsonl"
    path.write_text(json.dumps(row) + "\n", "utf-8")
    desk = open_desk(path)
    assert desk.row(1)["target"]["clusters"] == [(3, 8), (10, 12), (17, 19)]
    for start, end in ((3, 5), (0, 6), (9, 11), (17, 18)):
        with pytest.raises(RowError, match="has an edge inside .*, a single character"):
            desk.act(asked(1, 0, [[start, end, "X"]]))
    # one that was there before may stay, and so may its edge
    old = [Mark(3, 5, "OLD")]
    pair = desk.rows.row(0)
    places = [(3, 5, "OLD"), (3, 5, "NEW"), (9, 12, "X")]
    assert len(checked_marks(pair, places, old, "anna", "now")) == 3
    done = desk.act(asked(1, 0, [[14, 15, "THAI"]]))  # a word of its own here
    assert done["state"]["spans"][0][:3] == [14, 15, "THAI"]


def test_undo_goes_by_what_stands_in_the_journal(open_desk):
    desk = open_desk()
    per, org = (span[:3] for span in spans(desk, 1))
    assert desk.before(1, "anna") == {"do": None, "state": None}
    desk.act(asked(1, 0, [per], do="delete"))
    desk.act(asked(1, 1, [[0, 6, "PER"]]))
    desk.act(asked(2, 0, [], key="other", by="ben"))
    told = desk.before(1, "anna")
    assert (told["do"], told["state"]["spans"][0][:3]) == ("edge", per)
    assert desk.before(1, "ben") == {"do": None, "state": None} == desk.before(2, "anna")
    desk.act(asked(1, 2, [per], do="undo"))
    told = desk.before(1, "anna")
    assert (told["do"], told["state"]["status"]) == ("delete", "")
    assert [span[:3] for span in told["state"]["spans"]] == [per, org]
    desk.act(asked(1, 4, [per, org], do="undo", status=""))
    assert desk.before(1, "anna")["do"] is None
    desk.act(asked(1, 5, [per], do="redo"))
    assert desk.before(1, "anna")["do"] == "redo"
