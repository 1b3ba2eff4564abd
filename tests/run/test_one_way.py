"""One way to do a thing: the command, the pipeline of its one step, and Python give the same bytes.

Whatever the size of shards is, and whether none, some or all of the rows bring links.
"""

import json
from pathlib import Path
from random import Random

import pytest
import yaml
from toy_bitext import dump, invented_bitext, rows

from spanbridge import api
from spanbridge.api import Loaded, as_rows
from spanbridge.run.sample import FIT_ROWS

WAYS = [pytest.param("corpus", marks=pytest.mark.slow), "greedy", "match"]
# Shares of rows that bring links; where some do, rows without are there, too.
NONE, ALL = (pytest.param(share, marks=pytest.mark.slow) for share in (0.0, 1.0))
ALIGNERS = {"corpus": "statistical", "greedy": "lexical", "match": "lexical"}


def rows_of(n_rows, linked, seed=0):
    """Pairs of the invented bitext; that share of them brings links, of no aligner's making."""
    rng = Random(seed)
    files = invented_bitext(n_rows)
    sources = files["s.conll"].split("\n\n")[:-1]
    for source, target in zip(sources, files["t.txt"].splitlines(), strict=True):
        tokens = [line.split("\t") for line in source.splitlines()]
        spans = []
        for n, (_, tag) in enumerate(tokens):
            if tag[0] == "B":
                spans.append({"start": n, "end": n + 1, "label": tag[2:]})
            elif tag[0] == "I":
                spans[-1]["end"] = n + 1
        row = {
            "source_words": [word for word, _ in tokens],
            "source_spans": spans,
            "target_words": target.split(),
        }
        if rng.random() < linked:
            n, m = len(tokens), len(row["target_words"])
            row["links"] = [[i, j] for i in range(n) for j in [rng.randrange(m)]]
        yield row


@pytest.fixture
def ways(tmp_path, command):
    """Checks that one step comes to the same in all ways; gives the result."""

    def check(line, settings, result, suffix="jsonl", sizes=(7, 2000), read=True):
        command(*line.split(), "-o", f"command.{suffix}")
        bytes_ = (tmp_path / f"command.{suffix}").read_bytes()
        told = json.loads((tmp_path / f"command.{suffix}.run.json").read_text("utf-8"))
        for size in sizes:
            output = f"shards-of-{size}.{suffix}"
            given = {**settings, "output": output, "shard_rows": size}
            (tmp_path / "p.yaml").write_text(yaml.safe_dump(given), encoding="utf-8")
            command("run", "p.yaml", "-q")
            assert (tmp_path / output).read_bytes() == bytes_, size
            again = json.loads((tmp_path / f"{output}.run.json").read_text("utf-8"))
            for key in ("signature", "account", "inputs"):
                assert again[key] == told[key], (key, size)
            rejects = (tmp_path / f"{name}.rejects.jsonl" for name in (output, f"command.{suffix}"))
            assert len({path.is_file() and path.read_bytes() for path in rejects}) == 1
        run = result().save(tmp_path / f"python.{suffix}")
        assert (tmp_path / f"python.{suffix}").read_bytes() == bytes_
        assert run.account.to_dict() == told["account"]
        if read:
            assert run.signature == told["signature"]
            names = [Path(path).name for path in run.inputs.values()]
            assert names == list(told["inputs"].values())
        return told, bytes_

    return check


@pytest.mark.parametrize("linked", [NONE, 0.5, ALL])
@pytest.mark.parametrize("method", WAYS)
def test_project(ways, write, method, linked):
    path = write("in.jsonl", dump(*rows_of(60, linked)))
    aligner = ALIGNERS[method]
    told, _ = ways(
        f"project --source in.jsonl --method {method} --aligner {aligner}",
        {
            "input": {"source": "in.jsonl"},
            "steps": [{"project": {"method": {method: {}}, "aligner": aligner}}],
        },
        lambda: api.project(api.read_pairs(path), method, aligner),
        sizes=(7, 40, 2000) if linked == 0.5 else (40,),
    )
    n_linked = sum("links" in row for row in rows_of(60, linked))
    assert told["account"].get("rows_with_links_of_their_own", 0) == n_linked
    assert "learned_on:60_rows" in told["signature"]


@pytest.mark.parametrize("links", [pytest.param("anew", marks=pytest.mark.slow), "only"])
def test_project_with_another_say_in_links(ways, write, links):
    """Anew, links that rows bring count for nothing; else, a row without links is rejected."""
    given = list(rows_of(60, 0.5))
    path = write("in.jsonl", dump(*given))
    if links == "anew":
        line = "project --source in.jsonl --method greedy --aligner lexical --realign"
        step = {"method": "greedy", "aligner": "lexical", "links": "anew"}
    else:
        lines = [" ".join(f"{i}-{j}" for i, j in row.get("links", [])) for row in given]
        write("links.pharaoh", "\n".join(lines) + "\n")
        line = "project --source in.jsonl --links links.pharaoh"
        step = {"links": "only"}
    files = {"source": "in.jsonl", **({"links": "links.pharaoh"} if links == "only" else {})}

    def result():
        with_links = None if links == "anew" else path.replace("in.jsonl", "links.pharaoh")
        return api.project(api.read_pairs(path, links=with_links), **step)

    told, bytes_ = ways(line, {"input": files, "steps": [{"project": step}]}, result)
    assert "rows_with_links_of_their_own" not in told["account"]
    if links == "anew":
        bare = [{key: row[key] for key in row if key != "links"} for row in given]
        write("in.jsonl", dump(*bare))
        line = line.removesuffix(" --realign")
        step["links"] = "keep"
        told, again = ways(line, {"input": files, "steps": [{"project": step}]}, result)
        assert again == bytes_


def test_project_conll_and_text(ways, write):
    """To CoNLL, and with rows of the source read in another scheme."""
    paths = [write(name, text) for name, text in invented_bitext(40).items()]
    ways(
        "project --source s.conll --target t.txt --method soft --aligner lexical",
        {
            "input": {"source": "s.conll", "target": "t.txt"},
            "steps": [{"project": {"method": {"soft": {}}, "aligner": {"lexical": {}}}}],
        },
        lambda: api.project(api.read_pairs(*paths), "soft", "lexical"),
        suffix="conll",
    )


@pytest.mark.parametrize("linked", [NONE, 0.5])
@pytest.mark.parametrize("aligner", ["lexical", "statistical"])
def test_align(ways, write, aligner, linked):
    path = write("in.jsonl", dump(*rows_of(60, linked)))
    settings = {
        "input": {"source": "in.jsonl"},
        "labels": False,
        "steps": [{"align": {"aligner": aligner}}],
    }

    def result():
        return api.align(api.read_pairs(path), aligner)

    for suffix in ("jsonl", "pharaoh"):
        line = f"align --source in.jsonl --aligner {aligner}"
        ways(line, settings, result, suffix, sizes=(30, 2000))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("step", "n_rows", "fit_rows"),
    [
        *(("project", 400, 120), ("project", 600, 300), ("project", FIT_ROWS + 100, None)),
        *(("align", 400, 120), ("align", 600, 300)),
    ],
)
def test_what_is_learned_from(ways, write, step, n_rows, fit_rows):
    """The sample is the same, be it smaller than a block, of one block and more, or the default."""
    rng = Random(3)
    words = [f"w{n}" for n in range(40)]
    given = []
    for _ in range(n_rows):
        chosen = rng.sample(words, 3)
        span = {"start": 0, "end": 1, "label": "X"}
        target = [word[::-1] for word in chosen]
        given.append({"source_words": chosen, "source_spans": [span], "target_words": target})
    path = write("in.jsonl", dump(*given))
    settings = {"input": {"source": "in.jsonl"}, **({"fit_rows": fit_rows} if fit_rows else {})}
    line = f"{step} --source in.jsonl --aligner statistical"
    if step == "project":
        line += " --method soft"
        settings["steps"] = [{"project": {"method": {"soft": {}}, "aligner": "statistical"}}]
    else:
        settings |= {"labels": False, "steps": [{"align": {"aligner": "statistical"}}]}

    def result():
        limit = {"fit_rows": fit_rows} if fit_rows else {}
        pairs = api.read_pairs(path)
        if step == "project":
            return api.project(pairs, "soft", "statistical", **limit)
        return api.align(pairs, "statistical", **limit)

    told, _ = ways(
        line + (f" --fit-rows {fit_rows}" if fit_rows else ""),
        settings,
        result,
        sizes=(999,) if fit_rows is None else (50, 170),
    )
    assert f"|learned_on:{fit_rows or FIT_ROWS}_rows|" in told["signature"]


@pytest.mark.parametrize("linked", [NONE, 0.5])
@pytest.mark.parametrize("side", ["source", "target"])
def test_tag(ways, write, side, linked):
    given = list(rows_of(60, linked))
    path = write("in.jsonl", dump(*given))
    tagged = "".join(
        "".join(f"{word}\t{'B-N' if 'Name' in word else 'O'}\n" for word in row[f"{side}_words"])
        + "\n"
        for row in given
    )
    tags = write("tags.conll", tagged)
    step = {"tagger": {"given": {"model": "tags.conll"}}, "side": side}
    told, _ = ways(
        f"tag --source in.jsonl --tagger given --model tags.conll --side {side}",
        {
            "input": "in.jsonl",
            "side": side,
            "labels": False,
            "tokenised": True,
            "output_side": side,
            "steps": [{"tag": step}],
        },
        lambda: api.tag(api.read_pairs(path), {"given": {"model": tags}}, side=side),
        sizes=(11, 2000),
    )
    assert told["account"]["spans"] == tagged.count("B-N")
    done = rows(path.replace("in.jsonl", "command.jsonl"))
    assert sum(len(row[f"{side}_spans"]) for row in done) == tagged.count("B-N")
    assert {row.get("provenance") for row in done} == {"tag" if side == "target" else None}


@pytest.mark.parametrize("original", ["source", "target"])
def test_translate(ways, write, original):
    texts = [f"Ana vive en Lugar{n}." for n in range(30)]
    write("es.txt", "".join(f"{text}\n" for text in texts))
    known = texts[:-3]  # the others fail
    path = write("t.tsv", "".join(f"{x}\t{x.replace('vive en', 'lives in')}\n" for x in known))
    other = "target" if original == "source" else "source"
    languages = {original: "es", other: "en"}
    step = {"translator": {"given": {"model": "t.tsv"}}, "side": original}

    def result():
        in_place = {**step, "translator": {"given": {"model": path}}}
        pairs = list(as_rows(texts))
        if original == "source":
            pairs = [pair.replace(source=pair.target, target=pair.source) for pair in pairs]
        return Loaded([{"translate": in_place}], languages).run(pairs)

    told, bytes_ = ways(
        f"translate --source es.txt --from es --to en --original {original} --translator given "
        "--translations t.tsv",
        {
            "input": "es.txt",
            "side": original,
            "languages": languages,
            "steps": [{"translate": step}],
        },
        result,
        sizes=(4, 2000),
        read=False,  # Python is given texts
    )
    status = told["account"]["status"]
    assert status == {"ok": 27, "failed: the file has no translation of it": 3}
    assert b'"translation_status": "ok"' in bytes_


def test_project_calibrated(ways, write, command):
    """On labelled targets that are among the rows."""
    given = list(rows_of(60, 0.5))
    path = write("in.jsonl", dump(*given))
    command(*"project --source in.jsonl --method greedy --aligner lexical -o o.conll".split())
    found = Path(path).with_name("o.conll").read_text("utf-8").split("\n\n")
    # every third name is none, say those who labelled
    labelled = "\n\n".join(
        s.replace("B-PER", "O") if n % 3 == 0 else s for n, s in enumerate(found)
    )
    gold = write("gold.conll", "\n\n".join(labelled.split("\n\n")[:50]) + "\n\n")
    step = {"method": {"greedy": {}}, "aligner": "lexical"}
    told, _ = ways(
        "project --source in.jsonl --method greedy --aligner lexical --calibrate gold.conll",
        {
            "input": {"source": "in.jsonl"},
            "steps": [{"project": step}, {"calibrate": {"gold": "gold.conll"}}],
        },
        lambda: api.project(api.read_pairs(path), "greedy", "lexical", calibrate=gold),
        sizes=(50,),
    )
    assert told["account"]["calibration"].startswith("calibrated on 50 rows of gold.conll: ")
    bare = api.project(api.read_pairs(path), "greedy", "lexical").account.to_dict()
    for name in ("status", "source_spans", "target_spans", "dropped_spans"):
        assert told["account"][name] == bare[name]
    assert told["calibration"]["spans"]["slope"] >= 0
