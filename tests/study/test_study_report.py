"""What a reader of a report sees: numbers worked out by hand, in all the forms that it has."""

import json
import re
import sys
from html.parser import HTMLParser
from importlib.resources import files

import pytest
import toy_study as toy

from spanbridge.formats.languages import find_language
from spanbridge.study.latex import latex
from spanbridge.study.report import markdown
from spanbridge.study.resources import _levels, level_of
from spanbridge.study.study import run_study
from spanbridge.study.tables import Table

GOLD = "Ana\tB-PER\nsaw\tO\nNew\tB-LOC\nYork\tI-LOC\n.\tO\n\nOtto\tB-PER\n.\tO\n"
# finds all but cuts New York short
SHORT = GOLD.replace("New\tB-LOC\nYork\tI-LOC", "New\tO\nYork\tB-LOC")
# takes Otto for a place, and finds something in "saw"
OTHER = GOLD.replace("Otto\tB-PER", "Otto\tB-LOC").replace("saw\tO", "saw\tB-LOC")

STUDY = """\
data:
  - {name: small, languages: [de, es], files: "{language}.conll"}
systems:
  short: {predictions: "{language}.short.conll", group: size, at: 1}
  other: {predictions: "{language}.other.conll", group: size, at: 2}
scores: {resamples: 100}
report:
  title: Two <systems> & more
  published: {small: {file: published.csv, name: the paper, differs: all}}
"""


def write_small(folder):
    """A small study whose numbers can be worked out by hand."""
    texts = {"": GOLD, ".short": SHORT, ".other": OTHER}
    for language in ("de", "es"):
        for kind, text in texts.items():
            (folder / f"{language}{kind}.conll").write_text(text, encoding="utf-8")
    (folder / "published.csv").write_text(
        "lang,method,aligner,overall_f1,PER_number\nde,n-gram,x,0.5,99\nfr,n-gram,x,0.9,9\n",
        encoding="utf-8",
    )
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")


@pytest.fixture
def reported(tmp_path, monkeypatch):
    """The small study, run."""
    monkeypatch.chdir(tmp_path)
    write_small(tmp_path)
    outcome = run_study("study.yaml")
    assert outcome.sound
    return tmp_path / "study.study"


def cells_of(markdown, heading):
    """The table under a heading, as rows of cells."""
    part = markdown.split(f"### {heading}\n\n")[1].split("\n\n")[0]
    return [[x.strip(" *") for x in line.strip("|").split("|")] for line in part.split("\n")]


def test_markdown_says_what_can_be_worked_out(reported):
    text = (reported / "report.md").read_text("utf-8")
    head, _, short, other = cells_of(text, "F1, mean over languages")
    # short: 2 of 3 right; other: 2 of 4 predicted, 2 of 3 found
    assert dict(zip(head, short, strict=False))["F1"] == "66.7"
    assert [dict(zip(head, other, strict=False))[x] for x in ("P", "R", "F1")] == [
        "50.0",
        "66.7",
        "57.1",
    ]
    differences = cells_of(text, "Difference to short")
    assert differences[2][:2] == ["other", "-9.5"]
    assert differences[2][4] == "0/2"
    boundaries = cells_of(text, "Boundaries")
    # without types: short has 2 of 3 words right, other 3 of 4
    assert boundaries[2][:4] == ["short", "66.7", "66.7", "66.7"]
    assert boundaries[3][:5] == ["other", "75.0", "100.0", "85.7", "+19.0"]
    assert [row[-3:] for row in boundaries[2:]] == [["0", "2", "0"], ["0", "0", "0"]]
    assert cells_of(text, "By length")[2][:3] == ["short", "100.0 (0.0)", "0.0 (100.0)"]
    # both languages have one LOC and two PER; short cuts the LOC, other calls one PER a LOC
    assert cells_of(text, "By type")[2] == ["short", "0.0 (100.0)", "100.0 (0.0)"]
    assert cells_of(text, "small: F1 against size")[2] == ["size", "66.7", "57.1"]
    published = cells_of(text, "Beside the paper")
    assert published[0] == ["", "de", "mean"]
    assert published[-1] == ["n-gram x", "50.0", "50.0"]
    assert "de: 99 entities there, 3 here." in text


SEVERAL = """\
data:
  - {name: news, languages: [twi, de], files: "de.conll"}
  - {name: posts, languages: [luo], files: "de.conll"}
systems:
  short: {predictions: "de.short.conll"}
  other: {predictions: "de.other.conll"}
  third: {predictions: "de.conll", data: [posts]}
scores: {resamples: 100}
"""


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    """The same text as two kinds of text in three languages; a system that has one of them."""
    folder = tmp_path_factory.mktemp("several")
    write_small(folder)
    (folder / "several.yaml").write_text(SEVERAL, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert run_study("several.yaml").sound
    return folder / "several.study"


def test_kinds_of_text_stand_side_by_side(several):
    text = (several / "report.md").read_text("utf-8")
    head, _, *rows = cells_of(text, "F1 of boundaries by data set")
    assert head == ["system", "news", "posts"]
    assert rows == [["short", "66.7", "66.7"], ["other", "85.7", "85.7"], ["third", "–", "100.0"]]
    precision = cells_of(text, "Precision and recall of boundaries by data set")
    assert precision[3:] == [
        ["other", "75.0 / 100.0", "75.0 / 100.0"],
        ["third", "–", "100.0 / 100.0"],
    ]


def test_languages_stand_in_the_order_of_their_resources(several):
    text = (several / "report.md").read_text("utf-8")
    head, _, *rows = cells_of(text, "Languages by resources")
    known = [dict(zip(head, row, strict=True)) for row in rows]
    told = [(one["language"], one["class"], one["in the encoder's training"]) for one in known]
    assert told == [("de", "5", "yes"), ("twi", "1", "no"), ("luo", "–", "no")]
    pieces = {one["subwords per word"] for one in known}
    assert len(pieces) == 1  # the same text
    assert all(float(x) >= 1 for x in pieces - {"–"})
    assert [one["third"] for one in known] == ["–", "–", "100.0"]
    cells = [json.loads(x) for x in (several / "results.jsonl").read_text("utf-8").splitlines()]
    assert [x["system"] for x in cells if x["dataset"] == "news"] == ["short", "other"] * 2


def test_classes_of_languages_go_by_the_code_that_a_language_is_found_under():
    assert list(_levels()) == [find_language(code).iso1 for code in _levels()]
    classes = {code: level_of(find_language(code).iso1) for code in ("tl", "kmr", "pcm", "luo")}
    assert classes == {"tl": 3, "kmr": 1, "pcm": 0, "luo": None}
    lines = (files("spanbridge.study") / "resource_classes.tsv").read_text("utf-8").splitlines()
    listed = [code for line in lines if line[0] != "#" for code in line.split("\t")[1].split()]
    assert len(listed) == len(_levels()) == 270  # none twice


def test_languages_are_mapped_by_their_resources(several):
    pytest.importorskip("vl_convert", reason="vl-convert-python is not installed")
    values = json.loads((several / "report" / "languages-map.vl.json").read_text("utf-8"))
    panels = {value["level"]: value["language"] for value in values["data"]["values"]}
    assert list(panels) == ["class 5", "class 1", "class unknown"]
    assert panels["class 1"].startswith("twi* news")
    svg = (several / "report" / "languages-map.svg").read_text("utf-8")
    assert svg.index(">class 5<") < svg.index(">class 1<")


def test_a_system_for_an_unknown_data_set_is_told(reported, command):
    path = reported.parent / "several.yaml"
    path.write_text(SEVERAL.replace("[posts]", "[post]"), encoding="utf-8")
    said = command("study", path, "--check", code=2).stderr
    assert "several.yaml:7: there is no data set post (did you mean posts?)" in said


class _Page(HTMLParser):
    """Texts of cells, and whether all that opens is closed."""

    def __init__(self):
        super().__init__()
        self.open, self.cells, self.links = [], [], []

    def handle_starttag(self, tag, attrs):
        self.links += [v for k, v in attrs if k in ("href", "src", "xlink:href")]
        if tag not in ("meta", "br", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if {"td", "th"} & set(self.open):
            self.cells.append(data)


def test_the_page_is_whole_and_needs_nothing_from_elsewhere(reported):
    page = (reported / "report" / "index.html").read_text("utf-8")
    parsed = _Page()
    parsed.feed(page)
    assert not parsed.open
    assert {"66.7", "57.1", "-9.5", "short", "other"} <= set(parsed.cells)
    assert "Two &lt;systems&gt; &amp; more" in page
    assert all(link.startswith("#") for link in parsed.links)


def test_pictures_are_drawn_where_that_is_installed(reported):
    pytest.importorskip("vl_convert", reason="vl-convert-python is not installed")
    folder = reported / "report"
    drawn = {path.stem for path in folder.glob("*.svg")}
    assert drawn == {
        *("small-heat-map", "small-forest", "small-forest-languages", "small-lengths"),
        "small-types",
        "curves-small-size",
    }
    text = (folder / "small-heat-map.svg").read_text("utf-8")
    assert ">66.7<" in text
    assert ">57.1<" in text
    spec = json.loads((folder / "small-forest.vl.json").read_text("utf-8"))
    assert [round(row["difference"], 1) for row in spec["data"]["values"]] == [-9.5]
    page = (folder / "index.html").read_text("utf-8")
    assert page.count('<svg role="img" aria-label=') == 6
    assert "![small: F1 by language and system](report/small-heat-map.svg)" in (
        reported / "report.md"
    ).read_text("utf-8")


def test_without_what_draws_there_are_tables_and_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    path = toy.study(tmp_path, languages=("de",))
    run_study(path)
    page = (tmp_path / "out" / "report" / "index.html").read_text("utf-8")
    assert "There are no pictures: drawing needs vl-convert" in page
    assert re.search(r"pip install .*(vl-convert-python|spanbridge\[study\]|\[study\])", page)
    assert "There are no pictures" in (tmp_path / "out" / "report.md").read_text("utf-8")
    assert not list((tmp_path / "out" / "report").glob("*.svg"))


def test_a_single_system_is_reported_without_tests(tmp_path):
    path = toy.study(tmp_path, languages=("de",), n_systems=1)
    assert run_study(path).sound
    text = (tmp_path / "out" / "report.md").read_text("utf-8")
    assert "Difference" not in text
    assert cells_of(text, "F1")[2][0] == "greedy"


def test_a_wrong_file_of_published_results_is_told_before(tmp_path, command):
    (tmp_path / "published.csv").write_text("lang,f1\nde,1\n", encoding="utf-8")
    report = {"published": {"toy": {"file": str(tmp_path / "published.csv")}}}
    path = toy.study(tmp_path, languages=("de",), report=report)
    found = command("study", path, "--check", code=2).stdout
    assert "published.csv:1: has no columns lang and overall_f1" in found


@pytest.mark.slow
def test_sections_whose_names_run_together_have_files_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_small(tmp_path)
    names = ("languages", "small", "small-in")  # small-in languages, small in-languages
    data = "".join(
        f'  - {{name: {name}, languages: [de, es], files: "{{language}}.conll"}}\n'
        for name in names
    )
    (tmp_path / "study.yaml").write_text(STUDY.replace(STUDY.splitlines(True)[1], data), "utf-8")
    run_study("study.yaml")
    tables = tmp_path / "study.study" / "tables"
    captions = [
        re.search(r"\\caption\{(.*?):", path.read_text("utf-8"))[1] for path in tables.iterdir()
    ]
    assert [captions.count(name) for name in names] == [7, 8, 7]  # published results of small alone
    assert "small-in: F1 by language" in (tables / "small-in-languages-2.tex").read_text("utf-8")
    page = (tables.parent / "report" / "index.html").read_text("utf-8")
    anchors = re.findall(r'<h2 id="?([\w-]+)', page)
    assert sorted(anchors) == sorted(set(anchors))
    assert set(re.findall(r'<a href="#([\w-]+)', page)) == set(anchors)


def test_there_is_no_picture_of_wrong_boundaries_where_there_are_none(tmp_path, monkeypatch):
    pytest.importorskip("vl_convert", reason="vl-convert-python is not installed")
    monkeypatch.chdir(tmp_path)
    write_small(tmp_path)
    text = STUDY.replace(".short", ".other")  # wrong types and what is not there, alone
    (tmp_path / "study.yaml").write_text(text, encoding="utf-8")
    assert run_study("study.yaml").sound
    drawn = {path.stem for path in (tmp_path / "study.study" / "report").glob("*.svg")}
    assert "small-heat-map" in drawn
    assert not drawn & {"small-lengths", "small-types"}


def test_nothing_in_markdown_is_taken_for_a_tag():
    table = Table("t", "T", ["<img src=x>", "p"], [["a | <b>b</b>", "<.001"], ["–", "word"]])
    assert list(markdown(table)) == [
        r"| \<img src=x> | p |",
        "|---|---:|",
        r"| a \| \<b>b\</b> | <.001 |",
        "| – | word |",
    ]
    assert Table("t", "T", ["a", "b"], [["x", "–"], ["y", "word"]]).words == {0, 1}
    assert Table("t", "T", ["a", "b"], [["x", "–"], ["y", "/a/path " * 9]]).words == {0, 1}
    assert Table("t", "T", ["a", "b"], [["x", "–"], ["y", "[1.0, 2.0]"]]).words == {0}


def test_latex_is_escaped_and_emphasised():
    table = Table("t", "T", ["a_b", "95%"], [["x & y", "-1.0"]], best=frozenset({(0, 1)}))
    assert latex(table, "50 % of {all}").splitlines() == [
        r"\begin{table}",
        r"\centering",
        r"\caption{50 \% of \{all\}}",
        r"\begin{tabular}{lr}",
        r"\toprule",
        r"a\_b & 95\% \\",
        r"\midrule",
        r"x \& y & \textbf{$-$1.0} \\",
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]


def test_more_languages_than_systems_have_a_line_each(tmp_path, monkeypatch):
    """Each language's better system is emphasised, whichever line it is on."""
    monkeypatch.chdir(tmp_path)
    for language in ("de", "es", "fr"):
        first, second = (SHORT, OTHER) if language != "es" else (OTHER, SHORT)
        texts = {"": GOLD, ".short": first, ".other": second}
        for kind, text in texts.items():
            (tmp_path / f"{language}{kind}.conll").write_text(text, encoding="utf-8")
    study = STUDY.replace("[de, es]", "[de, es, fr]").partition("report:")[0]
    (tmp_path / "study.yaml").write_text(study, encoding="utf-8")
    assert run_study("study.yaml").sound
    text = (tmp_path / "study.study" / "report.md").read_text("utf-8")
    lines = text.split("### F1 by language\n\n")[1].split("\n\n")[0].split("\n")
    assert lines == [
        "| language | short | other |",
        "|---|---:|---:|",
        "| de | **66.7** | 57.1 |",
        "| es | 57.1 | **66.7** |",
        "| fr | **66.7** | 57.1 |",
    ]


def test_columns_of_words_are_aligned_as_words():
    table = Table("x", "x", ["language", "system", "F1", "p"], [["de", "a-1", "5.0", "–"]])
    assert table.words == {0, 1}
    assert list(markdown(table))[1] == "|---|---|---:|---:|"
    assert "\\begin{tabular}{llrr}" in latex(table, "x")


@pytest.mark.slow
def test_curves_of_several_data_sets_have_files_of_their_own(reported):
    """Two sets, one kind of change: as many pictures and tables as there are headings."""
    pytest.importorskip("vl_convert", reason="vl-convert-python is not installed")
    study = (reported.parent / "study.yaml").read_text("utf-8")
    second = '\n  - {name: second, languages: [de, es], files: "{language}.conll"}\nsystems:'
    study = study.partition("report:")[0].replace("\nsystems:", second)
    (reported.parent / "two.yaml").write_text(study, encoding="utf-8")
    assert run_study("two.yaml").sound
    folder = reported.parent / "two.study"
    curves = (folder / "report.md").read_text("utf-8").partition("## Curves")[2]
    links = re.findall(r"\]\((report/curves-.*?\.svg)\)", curves)
    assert links == ["report/curves-small-size.svg", "report/curves-second-size.svg"]
    assert {path.stem for path in (folder / "tables").glob("curves-*")} == {
        "curves-small-size",
        "curves-second-size",
    }
