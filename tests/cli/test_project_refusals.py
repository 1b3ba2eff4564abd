"""What ``spanbridge project`` refuses: files and options, each by name."""

from __future__ import annotations

import re

import pytest
from test_project_command import LINKED


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("a\tB-PER\nb\n\n", "bad.conll:2: "),
        ("a\tX-FOO\n\n", "bad.conll:1: "),
        ("ok\tO\n\na\tI-PER\n\n", "bad.conll:3: "),
        ("", "bad.conll: "),
        (b"ok\tO\n\n\xff\tO\n\n", "bad.conll:3: "),
        ("a\tO\n\nb\tO\n\n", "bad.conll:3: "),  # a row more than the target has
    ],
)
def test_wrong_source(spanbridge, tmp_path, content, place):
    data = content if isinstance(content, bytes) else content.encode()
    (tmp_path / "bad.conll").write_bytes(data)
    (tmp_path / "t.txt").write_text("x y\n", encoding="utf-8")
    (tmp_path / "l.pharaoh").write_text("0-0\n", encoding="utf-8")
    args = "project --source bad.conll --target t.txt --links l.pharaoh -o o.conll --orphans error"
    done = spanbridge(*args.split(), code=2)
    assert done.stderr.startswith(place)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad.conll", "l.pharaoh", "t.txt"]


# What is asked for -> what is said of it: what is wrong, and what there is instead.
WRONG = {
    "--method nosuch": "no method is named 'nosuch'; there are: corpus, soft, greedy",
    "--method gredy": "no method is named 'gredy' (did you mean greedy?)",
    "--aligner nosuch": "no aligner is named 'nosuch'; there are: fused, encoder",
    "--method-option top_k=2": "method: corpus: top_k: there is no such setting (its options: sol",
    "--method-option solver": "--method-option solver: write NAME=VALUE",
    "--method-option solver=nosuch": "corpus: solver: must be 'greedy' or 'exact'",
    "--method greedy --method-option solver=exact": "greedy: solver: there is no such setting",
    "--method greedy --method-option n_proj=0": "n_proj is 0, but a span is projected at least",
    "--method greedy --method-option n_proj=x": "n_proj: must be a whole number",
    "--method match --method-option ner=1": "'ner' needs a tagger of the target; name one",
    "--method match --method-option candidates=tagger": "match needs a tagger; name one",
    "--min-confidence 7": "'--min-confidence': 7.0 is not in the range 0<=x<=1",
    "--min-confidence -0.1": "'--min-confidence': -0.1 is not in the range 0<=x<=1",
    "--min-confidence nan": "min_confidence: must be a finite number",
    "--min-confidence 0.9999 --links l.pharaoh": f"'greedy' is never surer than {LINKED:.3f} here",
    "--aligner lexical --aligner-option layer=3": "lexical: layer: there is no such setting",
    "--aligner-option compute_type=int7": "'int7' is not supported on this processor (did you mean",
    "--aligner-option extraction=argmax": "extraction has no use here: --method corpus reads soft",
    "--aligner-option min_score=0.5": "min_score has no use here: --method corpus reads soft",
    "--links l.pharaoh --aligner lexical": "give either --links or an aligner with its options",
    "--links l.pharaoh --aligner-option layer=3": "give either --links or an aligner with its",
    "--links l.pharaoh --realign": "give either --links or an aligner with its options",
    "--method soft --least-parallel 0 --fit-rows 10": "--aligner encoder and --least-parallel 0",
    "--links l.pharaoh --fit fitted": "--fit keeps what is learned with an aligner",
    "--fit .": "o.conll would go into the fit .; write elsewhere",
    "--fit t.txt": "t.txt: cannot be made into a folder",
    "--apply nosuch": "nosuch: no such folder; make it with project --fit",
    "--encoder ./nosuch": "./nosuch: no such folder",
    "--weight nosuch=1": "no score is named 'nosuch'; there are: alignment, brevity, soft",
    "--weight recall=x": "weights: recall: must be a number",
    "--weight ner=1": "the score 'ner' needs a tagger of the target; name one",
    "--weight recall": "--weight recall: write NAME=VALUE",
    "--from en --to de": "--from does nothing without --translator-model",
    "--explain l.pharaoh --links l.pharaoh": "l.pharaoh is both input and output",
    "--explain o.conll": "o.conll is both output and explanation; explain to another file",
    "--explain nosuch/why.txt": "nosuch/why.txt: cannot be written",
    "-o nosuch/o.conll": "nosuch/o.conll: cannot be written: is its folder there, and writable?",
    "-o s.conll": "s.conll is both input and output; write to another file",
}


@pytest.mark.parametrize("options", WRONG)
def test_wrong_options(spanbridge, bitext, options):
    args = f"project --source s.conll --target t.txt -o o.conll {options}"
    before = {path: path.read_bytes() for path in bitext.iterdir()}
    done = spanbridge(*args.split(), code=2)
    assert WRONG[options] in done.stderr
    assert not re.search("pydantic|validation|step 1", done.stderr)
    assert {path: path.read_bytes() for path in bitext.iterdir() if path.name != "fitted"} == before


def test_a_format_without_spans_is_refused(spanbridge, bitext):
    args = "project --source s.conll --target t.txt --links l.pharaoh -o o.pharaoh"
    assert "spans" in spanbridge(*args.split(), code=2).stderr
