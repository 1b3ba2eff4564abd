"""Ids that several rows of a file have: counted, with the first example; no row is lost for it."""

import json

import pytest

from spanbridge.core.errors import InputError
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence
from spanbridge.formats import ids as module
from spanbridge.formats import read_pairs
from spanbridge.formats.ids import Ids
from spanbridge.run.reports import StepReport
from spanbridge.run.result import whole_account


def notes(identities, first_line=1):
    seen = Ids()
    for line, identity in enumerate(identities, first_line):
        seen.see(identity, line)
    return seen.notes()


@pytest.mark.parametrize(
    ("identities", "told"),
    [
        ([], {}),
        (["1", "2", "3"], {}),
        (["a", "b", "1"], {}),
        (["1", "2", "02", "x", "3"], {}),
        (["a", "b", "a", "a"], {"such as 'a' in lines 11 and 13": 2}),
        (["1", "2", "x", "2", "x"], {"such as '2' in lines 12 and 14": 2}),
        (["3", "1", "3"], {"such as '3' in lines 11 and 13": 1}),
        (["", ""], {"such as '' in lines 11 and 12": 1}),
    ],
)
def test_repeated_ids(identities, told):
    start = "rows have the id of an earlier row, "
    assert notes(identities, 11) == {start + example: n for example, n in told.items()}


def test_only_so_many_are_kept(monkeypatch):
    monkeypatch.setattr(module, "MOST", 3)
    assert notes(["a", "b", "c", "d", "d"]) == {}
    assert notes(["a", "b", "c", "d", "b"])
    assert notes(["1", "2", "3", "4", "5", "5"])


def test_of_a_file(tmp_path):
    path = tmp_path / "a.jsonl"
    sides = {"source_words": ["a"], "target_words": ["b"]}
    rows = [{"id": 1, **sides}, sides, {"id": "x", **sides}, {"id": "1", **sides}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    pairs = read_pairs(path)
    assert [pair.id for pair in pairs] == ["1", "2", "x", "1"]
    told = "rows have the id of an earlier row, such as '1' in lines 1 and 4"
    assert pairs.counts.notes()[told] == 1


@pytest.mark.parametrize("identity", [True, 1.5, [], {}, [1]])
def test_other_types_are_refused(tmp_path, identity):
    path = tmp_path / "a.jsonl"
    row = {"id": identity, "source_words": ["a"], "target_words": ["b"]}
    path.write_text(json.dumps(row), "utf-8")
    with pytest.raises(InputError, match="give a string or an integer"):
        list(read_pairs(path))


def test_rejects_that_share_an_id_are_all_kept():
    row = SentencePair("a", Sentence(()), Sentence(()))
    project, ensemble, join = (StepReport(name) for name in ("project", "ensemble", "join"))
    for report in (project, ensemble):  # the later step enters the same rejects once more
        for pair, status in [(row, "rejected: long")] * 3 + [(row._replace(id="b"), "rejected: x")]:
            report.account.enter(pair, status)
    join.account.enter(row, "projected")
    found = whole_account([project, ensemble, join], {})
    assert found.rejects == [("a", "long")] * 3 + [("b", "x")]
