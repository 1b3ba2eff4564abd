"""From files to files: result, rejects, manifest."""

from pathlib import Path

import pytest
from toy_bitext import ACCOUNT, CONLL, LINKS, STATUSES, EqualWords, align, dump, project, rows

from spanbridge import InputError, SpanbridgeError
from spanbridge.core.plugins import code_digests
from spanbridge.core.signature import package_version
from spanbridge.formats.segmentation import IcuWords
from spanbridge.projection.confidence import CALIBRATIONS
from spanbridge.projection.presets import GreedyMethod
from spanbridge.run.result import manifest_path, read_manifest

# of a span whose words and whose source's words are all linked
LINKED = CALIBRATIONS["greedy"].max_confidence()
SURE = round(LINKED, 4)
# the toy aligner is of another package
[TOY] = code_digests([EqualWords()])


def test_project_to_conll(bitext, files):
    source, target, output = bitext
    run = project(source, target, output)
    assert Path(output).read_text("utf-8") == CONLL
    assert rows(run.rejects) == [{"id": "6", "reason": "too long"}]
    assert files() == ["out.conll", "out.conll.rejects.jsonl", "out.conll.run.json"]


def test_project_to_pairs(bitext):
    source, target, output = bitext
    output = output.replace(".conll", ".jsonl")
    project(source, target, output)
    done = rows(output)
    assert [row["id"] for row in done] == list("1234567")
    assert [row["status"] for row in done] == STATUSES
    links = [row.get("links") for row in done]
    assert links == [[[0, 1]], [], [], [], [], None, [[0, 2], [1, 3], [3, 0]]]
    assert done[5]["target_spans"] == []
    assert done[6]["target_spans"] == [
        {"start": 0, "end": 1, "label": "PER", "score": SURE},
        {"start": 2, "end": 4, "label": "LOC", "score": SURE},
    ]
    # all spans right; 1 where none was given; none where nothing was projected
    confidences = [SURE, 1.0, None, None, None, None, round(LINKED**2, 4)]
    assert [row["confidence"] for row in done] == confidences


def test_the_manifest(bitext):
    source, target, output = bitext
    run = project(source, target, output)
    method = GreedyMethod().describe()
    assert run.to_dict().items() <= read_manifest(output).items()
    assert run.to_dict() == {
        "output": output,
        "inputs": {"source": source, "target": target},
        "signature": (
            f"task:project|aligner:equal(fitted=0)|method:{method}|"
            f"words:{IcuWords().describe()}|plugins:{TOY}|"
            f"learned_on:7_rows|scheme:iob2|orphans:begin|version:{package_version()}"
        ),
        "account": ACCOUNT,
        "rejects": f"{output}.rejects.jsonl",
    }
    text = run.text().splitlines()
    assert text[0].startswith("7 rows = 2 ")
    assert f"written to {output}" in text
    assert run.signature in text
    assert any(run.rejects in line for line in text)


def test_the_signature_tells_how_much_was_learned_from(bitext):
    run = project(*bitext, aligner=EqualWords(learns=True))
    assert "|aligner:equal(fitted=0)|" in run.signature  # as it was made
    assert "|learned_on:7_rows|" in run.signature


def test_given_links_need_no_aligner(bitext, write):
    source, target, output = bitext
    links = write("links.pharaoh", "\n".join(item or "" for item in LINKS[:6]) + "\n0-0 1-0 3-3\n")
    run = project(source, target, output, links=links)
    # the last row's links are the file's: New York -> Anna, Anna -> York
    ending = "Anna\tB-LOC\n,\tO\nNew\tO\nYork\tB-PER\n\n"
    assert Path(output).read_text("utf-8").endswith(ending)
    assert run.inputs["links"] == links
    assert "|aligner:given|" in run.signature
    assert run.rejects is None


def test_pairs_keep_what_they_bring(write, tmp_path):
    source = {"source_words": ["Anna"], "source_spans": [{"start": 0, "end": 1, "label": "PER"}]}
    plain = {"id": "b", **source, "target_words": ["Anna", "x"]}
    linked = {
        "id": "a",
        **source,
        "target_words": ["Anna", "x"],
        "links": [[0, 1]],
        "link_scores": [0.25],
        "split": "dev",
        "meta": {"n": 1},
    }
    output = str(tmp_path / "out.jsonl")
    run = project(write("in.jsonl", dump(linked, plain)), None, output)
    first, second = rows(output)
    # given links are used; the aligner would have found 0-0
    assert run.account.notes["rows_with_links_of_their_own"] == 1
    span = {"start": 1, "end": 2, "label": "PER", "score": SURE}
    added = {
        "target_spans": [span],
        "status": "projected",
        "confidence": SURE,
        "provenance": "project",
        "parallel_score": pytest.approx(0.33, abs=0.01),
    }
    assert first == linked | added
    assert (second["id"], second["links"]) == ("b", [[0, 0]])
    assert second["target_spans"] == [span | {"start": 0, "end": 1}]


@pytest.mark.parametrize("linked", [True, False])
def test_orphan_tags_are_counted_once(write, tmp_path, linked):
    source = write("s.conll", "Anna\tI-PER\n\nit\tO\n\nBob\tI-PER\n\n")
    target = write("t.txt", "Anna\nes\nBob\n")
    links = write("links.pharaoh", "0-0\n0-0\n0-0\n") if linked else None

    def run(name, orphans="begin"):
        output = str(tmp_path / f"{name}.conll")
        return project(source, target, output, links=links, given={"orphans": orphans})

    begun = run("begin")
    assert begun.account.to_dict()["orphan_tags"] == 2
    assert begun.account.n_target_spans == 2
    dropped = run("drop", "drop")
    assert dropped.account.n_source_spans == 0
    assert dropped.signature != begun.signature
    with pytest.raises(InputError, match=r"s\.conll:1: "):
        run("error", "error")


def test_the_scheme_is_that_of_the_source(write, tmp_path):
    source, target = write("s.conll", "Anna\tS-PER\n\n"), write("t.txt", "Anna\n")
    run = project(source, target, str(tmp_path / "o.conll"), given={"scheme": "bioes"})
    assert (tmp_path / "o.conll").read_text("utf-8") == "Anna\tB-PER\n\n"
    assert "scheme:bioes" in run.signature


def test_a_clean_run_removes_the_rejects_of_an_earlier_one(bitext, files):
    source, target, output = bitext
    assert project(source, target, output).rejects
    for path in (source, target):
        text = Path(path).read_text("utf-8")
        Path(path).write_text(text.replace("ENDLESS", "short"), encoding="utf-8")
    assert project(source, target, output).rejects is None
    assert read_manifest(output)["rejects"] is None
    assert files() == ["out.conll", "out.conll.run.json"]


def test_progress_is_told_every_row_and_their_number_if_known(bitext, write):
    seen = []

    def watch(items, task):
        seen.extend([task.doing, task.total])
        for item in items:
            seen.append(item.id)
            yield item

    every = "1234567"

    def told(run, **settings):
        seen.clear()
        run(*bitext[:2], bitext[2].replace("conll", "jsonl"), progress=watch, **settings)
        return seen

    assert told(project) == ["read", None, *every, "project", 7, *every]
    links = write("links.pharaoh", "\n" * 7)
    assert told(project, links=links) == ["read", None, *every, "project", 7, *every]
    assert told(project, links=links, least_parallel=0) == ["project", None, *every]
    assert told(align) == ["read", None, *every, "align", 7, *every]
    learned = told(align, aligner=EqualWords(learns=True), fit_rows=2)
    assert learned == ["read", None, *every, "learn words", 2, *"14", "align", 7, *every]


def test_align_to_pharaoh(bitext, tmp_path):
    output = str(tmp_path / "out.pharaoh")
    run = align(*bitext[:2], output)
    # the rejected row's line is empty
    assert Path(output).read_text("utf-8") == "\n".join(x or "" for x in LINKS) + "\n"
    assert rows(run.rejects) == [{"id": "6", "reason": "too long"}]
    status = run.account.to_dict()["status"]
    assert status == {"aligned": 2, "empty: no link": 4, "rejected: too long": 1}
    version = package_version()
    assert run.signature == f"task:align|aligner:equal(fitted=0)|plugins:{TOY}|version:{version}"
    assert run.to_dict().items() <= read_manifest(output).items()


def test_align_with_scores(bitext, tmp_path):
    output = tmp_path / "out.pharaoh"
    align(*bitext[:2], str(output), link_scores=True)
    assert output.read_text("utf-8").startswith("0-1:0.5000\n\n")


def test_align_to_pairs(bitext):
    output = bitext[2].replace(".conll", ".jsonl")
    align(*bitext[:2], output)
    done = rows(output)
    assert [row["id"] for row in done] == list("1234567")
    assert done[0]["links"] == [[0, 1]]
    assert done[0]["link_scores"] == [0.5]
    assert [row.get("status") for row in done] == [None] * 5 + ["rejected: too long", None]


def test_align_finds_new_links(write, tmp_path):
    row = {"id": "q", "source_words": ["a", "b"], "target_words": ["b"], "links": [[0, 0]], "k": 1}
    output = str(tmp_path / "out.jsonl")
    align(write("in.jsonl", dump(row)), None, output)
    assert rows(output)[0]["links"] == [[1, 0]]
    assert rows(output)[0]["k"] == 1


def test_align_one_file_of_both_sides(write, tmp_path):
    align(write("t.txt", "a b ||| b c\n||| x\n"), None, str(tmp_path / "links"))
    assert (tmp_path / "links").read_text("utf-8") == "1-0\n\n"


def test_no_manifest(tmp_path):
    assert read_manifest(str(tmp_path / "out.conll")) is None


def test_a_manifest_is_of_its_result(bitext):
    """Whatever that is called by now."""
    source, target, output = bitext
    project(source, target, output)
    Path(output).rename(moved := f"{output}.moved.conll")
    manifest_path(output).rename(manifest_path(moved))
    assert read_manifest(moved)
    with open(moved, "a", encoding="utf-8") as out:
        out.write("x\tO\n")
    with pytest.raises(
        InputError, match=r"is not the result that .*\.run\.json is about"
    ) as caught:
        read_manifest(moved)
    assert caught.value.file == moved


@pytest.mark.parametrize(
    "content", [b"", b'{"inputs": {', b"\xff\xfe", b"[]", b"{}", b'{"inputs": []}', b"null"]
)
def test_a_damaged_manifest_is_named(tmp_path, content):
    output = str(tmp_path / "out.conll")
    Path(output).touch()
    manifest_path(output).write_bytes(content)
    with pytest.raises(InputError, match=r"out\.conll\.run\.json: .*delete it") as caught:
        read_manifest(output)
    assert isinstance(caught.value, SpanbridgeError)
