"""Choose, correct, look at guidelines, project again: as a user does it."""

import json

import pytest


def objects(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


@pytest.fixture
def corpus(tmp_path):
    """Sixty rows of which the target alone has an article, and their links."""
    rows, links = [], []
    for n in range(60):
        name = f"Nam{n % 17}"
        spans = [{"start": 1, "end": 2, "label": "PER"}]
        words = ["also", "der", name, "geht", f"w{n % 5}"]
        rows.append(
            {
                "id": f"r{n}",
                "source_words": ["so", name, "goes", f"v{n % 5}"],
                "source_spans": spans,
                "target_words": words,
            }
        )
        links.append("0-0 1-2 2-3 3-4")
    write(tmp_path / "in.jsonl", rows)
    (tmp_path / "links").write_text("\n".join(links) + "\n", "utf-8")
    return tmp_path


PROJECT = "project --source in.jsonl --links links --method corpus --to de --least-parallel 0"


def test_from_doubt_to_a_better_projection(spanbridge, corpus):
    spanbridge(*f"{PROJECT} -o out.jsonl".split())
    assert {row["target_spans"][0]["start"] for row in objects(corpus / "out.jsonl")} == {2}
    done = spanbridge(*"choose out.jsonl -n 30 -o first.jsonl".split())
    assert "30 of 60 rows written to first.jsonl, best first" in done.stderr
    first = objects(corpus / "first.jsonl")
    assert "written" not in done.stderr.partition("best first")[2]
    done = spanbridge(*"choose out.jsonl -n 30 -o first.conll".split())
    assert "30 rows whose source side is not written" in done.stderr
    assert "30 values of confidence not written" in done.stderr
    told = json.loads(spanbridge(*"choose out.jsonl -n 9 -o first.conll --json".split()).stdout)
    assert told["rows whose source side is not written"] == 9
    piped = spanbridge(*"choose out.jsonl -n 30 -o -".split())
    assert piped.stdout == (corpus / "first.jsonl").read_text("utf-8")
    for row in first:
        row["target_spans"] = [{"start": 1, "end": 3, "label": "PER"}]
        row["review"] = {"status": "corrected"}
    write(corpus / "first.jsonl", first)
    told = spanbridge(*"guidelines first.jsonl --to de".split()).stdout
    assert "in 30 of 30 corrected spans with an article, the article is in" in told
    assert "--boundary article=in" in told

    done = spanbridge(*f"{PROJECT} --corrections first.jsonl --show-changes -o new.jsonl".split())
    assert "first.jsonl: 30 corrected rows" in done.stderr
    assert "--boundary article=in" in done.stderr
    assert "30 rows changed by corrections" in done.stderr
    rows = objects(corpus / "new.jsonl")
    assert all(row["target_spans"][0]["start"] == 1 for row in rows)
    corrected = {row["id"] for row in first}
    assert {row["id"] for row in rows if row["status"] == "corrected"} == corrected
    assert {row["id"] for row in rows if "before_corrections" in row} == {
        f"r{n}" for n in range(60)
    } - corrected

    # the setting stands in the signature, and is not proposed again
    given = f"{PROJECT} --corrections first.jsonl --boundary article=in -o set.jsonl"
    done = spanbridge(*given.split())
    assert "spans with an article" not in done.stderr
    assert "|boundary:article=in|" in done.stderr


def test_from_a_tool_for_one_side(spanbridge, corpus):
    """Corrected in doccano: the sources are those of the input, and the result that of pairs."""
    spanbridge(*f"{PROJECT} -o out.jsonl".split())
    rows = objects(corpus / "out.jsonl")[10:40]
    for row in rows:
        row["target_spans"] = [{"start": 1, "end": 3, "label": "PER"}]
        row["review"] = {"status": "corrected"}
    write(corpus / "pairs.jsonl", rows)
    spanbridge(*"convert pairs.jsonl tasks.json --to doccano".split())
    assert "source" not in (corpus / "tasks.json").read_text("utf-8")
    done = spanbridge(*f"{PROJECT} --corrections tasks.json -o one.jsonl".split())
    told = "tasks.json: 30 corrected rows; the source sides of 30 are those of the input"
    assert told in done.stderr
    spanbridge(*f"{PROJECT} --corrections pairs.jsonl -o both.jsonl".split())
    one, both = ((corpus / name).read_bytes() for name in ("one.jsonl", "both.jsonl"))
    assert one == both
    text = (corpus / "tasks.json").read_text("utf-8")
    (corpus / "tasks.json").write_text(text.replace("w3", "w4", 1), "utf-8")
    done = spanbridge(*f"{PROJECT} --corrections tasks.json -o no.jsonl".split(), code=2)
    assert "tasks.json:" in done.stderr
    assert "has another target text than the input's row of that id: " in done.stderr
    assert "geht w4' in place of" in done.stderr or "w4' in place of" in done.stderr
    (corpus / "tasks.json").write_text(text.replace('"r11"', '"r99"', 1), "utf-8")
    done = spanbridge(*f"{PROJECT} --corrections tasks.json -o no.jsonl".split(), code=2)
    assert "row r99 has no source side" in done.stderr
    assert "no row of the input that has one is of this id" in done.stderr
    assert not (corpus / "no.jsonl").exists()


@pytest.mark.slow
def test_shards_and_workers_give_the_same_bytes(spanbridge, corpus):
    rows = objects(corpus / "in.jsonl")
    for row, line in zip(rows, (corpus / "links").read_text("utf-8").split("\n"), strict=False):
        row["links"] = [[int(n) for n in link.split("-")] for link in line.split()]
    write(corpus / "linked.jsonl", rows)
    for row in rows[:25]:
        row |= {
            "target_spans": [{"start": 1, "end": 3, "label": "PER"}],
            "review": {"status": "accepted"},
        }
    write(corpus / "c.jsonl", rows)
    step = "{links: only, method: corpus, least_parallel: 0, corrections: %s, show_changes: true}"
    found = []
    for name, size in (("a", 7), ("b", 60)):
        text = (
            f"input: {corpus}/linked.jsonl\nside: source\noutput: {corpus}/{name}.jsonl\n"
            f"work: {corpus}/{name}.work\nshard_rows: {size}\nlanguages: {{target: de}}\n"
            f"steps:\n  - project: {step % (corpus / 'c.jsonl')}\n"
        )
        (corpus / f"{name}.yaml").write_text(text, "utf-8")
        spanbridge("run", f"{name}.yaml")
        found.append((corpus / f"{name}.jsonl").read_bytes())
    spanbridge(
        *"project --source linked.jsonl --links links --method corpus --to de -o s.jsonl".split(),
        *"--least-parallel 0 --corrections c.jsonl --show-changes".split(),
    )
    found.append((corpus / "s.jsonl").read_bytes())
    assert found[0] == found[1] == found[2]
    assert b"before_corrections" in found[0]


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (f"{PROJECT} --show-changes -o o.jsonl", "does nothing without --corrections"),
        (f"{PROJECT} --corrections none.jsonl -o o.jsonl", "none.jsonl"),
        (f"{PROJECT} --corrections void.jsonl -o o.jsonl", "void.jsonl"),
        (f"{PROJECT} --corrections binary.jsonl -o o.jsonl", "binary.jsonl"),
        ("choose in.jsonl -o o.jsonl", "no row has a confidence"),
        ("choose in.jsonl -o in.jsonl", "in.jsonl is both input and output"),
        ("guidelines in.jsonl --to xx-nonsense", "xx-nonsense"),
        ("project --apply fit --corrections in.jsonl --source in.jsonl -o o.jsonl", "--apply"),
    ],
)
def test_what_is_refused(spanbridge, corpus, command, why):
    (corpus / "void.jsonl").write_text("", "utf-8")
    (corpus / "binary.jsonl").write_bytes(bytes(range(256)))
    done = spanbridge(*command.split(), code=2)
    assert why in done.stderr
    assert not (corpus / "o.jsonl").exists()
