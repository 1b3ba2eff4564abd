"""``spanbridge compare``, and ``evaluate`` of several files, languages and groups."""

import json
import re

import pytest

from spanbridge import Sentence, Span, SpanbridgeError, compare, evaluate, scores


def conll(tags):
    """Rows of one word each."""
    return "".join(f"a\t{tag if tag == 'O' else 'B-' + tag}\n\n" for tag in tags)


@pytest.fixture
def folders(tmp_path):
    """Gold, and the systems a and b, of two languages."""
    rows = {
        "gold": {"hau": "XXYX", "yo.dev": "XXXX"},
        "a": {"hau": "XXOO", "yo": "XOOO"},
        "b": {"hau": "XXYO", "yo": "XXYO"},
    }
    for folder, files in rows.items():
        (tmp_path / folder).mkdir()
        for name, tags in files.items():
            (tmp_path / folder / f"{name}.conll").write_text(conll(tags), encoding="utf-8")
    (tmp_path / "a" / "hau.conll.run.json").write_text("{}", encoding="utf-8")  # beside a result
    return tmp_path


def test_languages_in_folders(spanbridge, folders, monkeypatch):
    # hau: a 2/3, b 6/7; yo: a 2/5, b: two of three right, of four: 4/7
    monkeypatch.chdir(folders)
    found = compare("gold", "a", "new=b", resamples=200)
    assert (found.systems, found.groups) == (("a", "new"), ("hau", "yo"))
    f1 = {(score.system, score.group): score.f1 for score in found.scores}
    assert f1 == pytest.approx(
        {("a", "hau"): 2 / 3, ("new", "hau"): 6 / 7, ("a", "yo"): 2 / 5, ("new", "yo"): 4 / 7}
    )
    [macro] = found.macro_differences
    assert macro.difference == pytest.approx((6 / 7 - 2 / 3 + 4 / 7 - 2 / 5) / 2)
    assert (macro.n_better, macro.n_worse, macro.p["wilcoxon"]) == (2, 0, 0.5)
    assert "over 2 groups the Wilcoxon test cannot give a p below 0.5" in found.notes[0]
    command = ("compare", "gold", "a", "new=b", "--resamples", 200)
    assert json.loads(spanbridge(*command, "--json").stdout)["comparison"] == found.to_dict()
    text = found.table()
    assert re.search(r"new - a +hau +\+0\.1905 +\[", text)
    assert text.splitlines()[-1].startswith("metric:span-f1|average:micro,macro")
    assert "|n:200|" in text.splitlines()[-1]


def test_boundaries_apart_from_labels(folders):
    found = scores(folders / "gold", folders / "b")
    yo = found.cells[1].reports[0]
    assert (yo.micro.precision, yo.boundaries.precision) == (2 / 3, 1)
    found = scores(folders / "gold", folders / "b", boundaries=True)
    assert found.cells[1].reports[0].micro == yo.boundaries
    assert "labels:all,not-looked-at" in found.signature


def test_a_path_with_a_gap_and_missing_files(spanbridge, folders, monkeypatch):
    for language in ("hau", "yo", "ibo"):
        (folders / "data" / language).mkdir(parents=True)
        (folders / "data" / language / "dev.txt").write_text(conll("XX"), encoding="utf-8")
    (folders / "out").mkdir()
    for file in ("hau.1", "hau.2", "yo.1"):
        (folders / "out" / f"{file}.conll").write_text(conll("XO"), encoding="utf-8")
    done = spanbridge(
        "evaluate", "data/{lang}/dev.txt", "out/{lang}.1.conll", "x=out/{lang}.2.conll"
    )
    assert done.stderr == (
        "note: out/{lang}.1.conll has no file for ibo: not scored\n"
        "note: x has no file for ibo, yo: not scored\n".replace("x has", "out/{lang}.2.conll has")
    )
    assert "macro: mean of the 1 that all systems have" in done.stdout
    monkeypatch.chdir(folders)
    for given, why in {
        ("data/{lang}/dev.txt", "a/hau.conll"): "a/hau.conll is one file, but data/{lang}/dev.txt",
        ("data/{lang}/dev.txt", "out"): "out: has two files for hau: hau.1.conll and hau.2.conll",
        ("{lang}/x", "out"): "^{lang}/x: stands for no file",
        ("data/{lang}/{lang}.txt", "out"): "has {lang} twice",
        ("data", "out"): "data: holds no file",
        ("gold", "data/{lang}o/dev.txt"): "has no file for any language of gold: hau, yo",
    }.items():
        with pytest.raises(SpanbridgeError, match=why):
            scores(*given)


def test_seeds_of_a_system(folders, monkeypatch):
    for seed, tags in enumerate(("XXOO", "XXYX", "XXYO"), 1):
        (folders / f"s{seed}.conll").write_text(conll(tags), encoding="utf-8")
    seeds = [f"new=s{seed}.conll" for seed in (1, 2, 3)]
    monkeypatch.chdir(folders)
    command = ("gold/hau.conll", "base=a/hau.conll", *seeds)
    new = compare(*command, resamples=50).scores[1]
    f1 = [2 / 3, 1, 6 / 7]
    assert new.seeds == pytest.approx(f1)
    assert new.f1 == pytest.approx(sum(f1) / 3)
    assert new.to_dict()["seeds"]["max"] == 1
    line = next(x for x in scores(*command).table().splitlines() if "new" in x)
    assert line.split()[-4:] == ["3", "0.1672", "0.6667", "1.0000"]
    with pytest.raises(SpanbridgeError, match="new=s1.conll is given twice"):
        scores(*command, seeds[0])
    with pytest.raises(SpanbridgeError, match="new= names a system and no file"):
        scores(*command, "new=")


def row(domain, gold_label, source_labels, words=("a", "b", "c")):
    spans = [{"start": n, "end": n + 1, "label": label} for n, label in enumerate(source_labels)]
    return {
        "source_words": words,
        "source_spans": spans,
        "target_words": words,
        "target_spans": [{"start": 0, "end": 1, "label": gold_label}] if gold_label else [],
        **({"domain": domain} if domain else {}),
    }


def test_groups_of_rows_and_spans(spanbridge, tmp_path):
    golds = [row("news", "X", "X"), row("web", "Y", "Y"), row("web", "X", "X"), row(None, "X", "X")]
    found = [row("", "X", ""), row("", None, ""), row("", "X", ""), row("", "Y", "")]
    for name, rows in (("g", golds), ("p", found)):
        lines = "".join(json.dumps(each) + "\n" for each in rows)
        (tmp_path / f"{name}.jsonl").write_text(lines, encoding="utf-8")

    gold, predicted = tmp_path / "g.jsonl", tmp_path / "p.jsonl"

    def f1(by, **more):
        cells = scores(gold, predicted, by=by, **more).cells
        return {cell.group: cell.reports[0].micro.f1 for cell in cells}

    assert f1("domain") == pytest.approx({"news": 1, "web": 2 / 3, "(none)": 0})
    assert f1("label") == pytest.approx({"X": 4 / 5, "Y": 0})
    assert f1("length") == pytest.approx({"1": 4 / 7})
    assert f1("sentence-length") == pytest.approx({"1-10": 4 / 7})
    assert f1("domain", mapping={"Y": "X"})["(none)"] == 1
    with pytest.raises(SpanbridgeError, match=r"named 'domian' \(did you mean domain\?\)"):
        f1("domian")
    labels = compare(gold, predicted, gold, by="label", resamples=50)
    assert [d.group for d in labels.differences] == ["X", "Y"]
    assert labels.macro_differences == ()
    assert "average:micro|" in labels.signature
    assert "groups:2|rows:4|" in labels.signature
    text = spanbridge("compare", "g.jsonl", "p.jsonl", "g.jsonl", "--by", "domain").stdout
    assert "by:domain" in text.splitlines()[-1]


def test_what_a_projection_could_reach(spanbridge, tmp_path):
    # labels of the sources: one right, one not there, one twice, one right
    golds = [row("", "X", "X"), row("", "X", ""), row("", "X", "XX"), row("", "X", "X")]
    found = [row("", "X", ""), row("", None, ""), row("", "X", ""), row("", "Y", "")]
    for name, rows in (("g", golds), ("p", found)):
        lines = "".join(json.dumps(each) + "\n" for each in rows)
        (tmp_path / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    command = ("evaluate", "g.jsonl", "p.jsonl", "--source", "g.jsonl")
    done = json.loads(spanbridge(*command, "--json").stdout)
    assert done["cap"]["f1"] == pytest.approx(2 * 3 / (4 + 4))
    assert done["agree"]["f1"] == pytest.approx(2 * 1 / (2 + 2))
    gold, predicted = tmp_path / "g.jsonl", tmp_path / "p.jsonl"
    text = evaluate(gold, predicted, source=gold, labels=["X"]).table()
    assert "\ncap " in text
    assert "\nagree " in text
    (tmp_path / "s.conll").write_text("a\tB-X\n\n", encoding="utf-8")
    with pytest.raises(SpanbridgeError, match=r"has 1 rows and .*g.jsonl 4; they must run"):
        scores(gold, predicted, source=tmp_path / "s.conll")


def test_label_sets_that_differ_are_told(spanbridge, tmp_path):
    for name, tags in (("g", ("PERSON", "DATE")), ("p", ("PER", "MISC")), ("q", ("PER", "O"))):
        (tmp_path / f"{name}.conll").write_text(conll(tags), encoding="utf-8")
    done = spanbridge("evaluate", "g.conll", "p.conll", "q.conll", "--map", "PERSON=PER")
    assert done.stderr == (
        "note: p.conll: labels only in gold: DATE; only in the prediction: MISC (PERSON counts as "
        "PER)\nnote: q.conll: labels only in gold: DATE (PERSON counts as PER)\n"
    )
    assert "map:PERSON=PER" in done.stdout
    gold, predicted, mapping = tmp_path / "g.conll", tmp_path / "p.conll", {"PERSON": "PER"}
    assert scores(gold, predicted, mapping=mapping, labels=["PER"]).notes == ()
    with pytest.raises(SpanbridgeError, match=r"map: .* is named 'PERS' \(did you mean PER"):
        scores(gold, predicted, mapping={"PERS": "PER"})


def test_both_protocols_where_tags_are_malformed(spanbridge, tmp_path):
    (tmp_path / "g.conll").write_text("a\tB-X\n\nb\tB-X\n\n", encoding="utf-8")
    (tmp_path / "p.conll").write_text("a\tI-X\n\nb\tB-X\n\n", encoding="utf-8")
    report = json.loads(spanbridge("evaluate", "g.conll", "p.conll", "--json").stdout)
    assert report["protocols"] == pytest.approx({"default": 1, "strict": 2 / 3})
    text = spanbridge("evaluate", "g.conll", "p.conll", "--protocol", "strict").stdout
    assert "malformed tags make a difference: F1 0.6667 by strict, 1.0000 by default" in text
    head = scores(tmp_path / "g.conll", tmp_path / "p.conll").table().splitlines()[0]
    assert head.split()[3:6] == ["F1", "F1", "strict"]


def test_rows_in_place_of_files(folders):
    gold = [Sentence(("a",), (Span(0, 1, "X"),)), Sentence(("a",))]
    found = scores(iter(gold), iter(gold), gold[:1] + [Sentence(("a",), (Span(0, 1, "X"),))])
    assert [cell.reports[0].micro.f1 for cell in found.cells] == [1, 2 / 3]
    assert found.compare(resamples=20).differences[0].difference == pytest.approx(-1 / 3)
