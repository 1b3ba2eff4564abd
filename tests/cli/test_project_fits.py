"""What ``spanbridge project --fit`` keeps, and what goes beside ``--apply``."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def fitted(spanbridge, bitext):
    """A fit of the little bitext, and the result of the run that made it."""
    args = "--aligner statistical --fit fit -o fitted.jsonl"
    spanbridge(*f"project --source s.conll --target t.txt {args}".split())
    return bitext / "fitted.jsonl"


def test_fit_and_apply(spanbridge, bitext, fitted):
    args = "project --source s.conll --target t.txt --apply fit -o applied.jsonl --json"
    run = json.loads(spanbridge(*args.split()).stdout)
    signature = run["signature"]
    assert (bitext / "applied.jsonl").read_bytes() == fitted.read_bytes()
    assert "aligner:statistical(min_score=0.45,trained_on=2_pairs)" in signature
    assert "|applied:" in signature


def test_what_goes_beside_apply(spanbridge, bitext, fitted):
    args = "project --source fitted.jsonl --apply fit -o o.jsonl --json --explain why.txt"
    kept = json.loads(spanbridge(*args.split(), "--min-confidence", "0.9").stdout)
    assert "|min_confidence:0.9|" in kept["signature"]
    assert kept["account"]["rows_with_links_of_their_own"] == 3
    assert "left out: confidence" in (bitext / "why.txt").read_text("utf-8")
    anew = json.loads(spanbridge(*args.split(), "--realign").stdout)
    assert "|links:anew|" in anew["signature"]
    assert "rows_with_links_of_their_own" not in anew["account"]


@pytest.mark.parametrize(
    "options",
    [
        "--links l.pharaoh",
        "--aligner statistical",
        "--aligner-option layer=3",
        "--encoder x",
        "--method corpus",
        "--method-option solver=exact",
        "--weight recall=1",
        "--fit other",
        "--fit-rows 10",
        "--tagger-model x",
        "--translator-model x",
        "--from en",
    ],
)
def test_apply_brings_its_own(spanbridge, bitext, fitted, options):
    before = sorted(bitext.iterdir())
    args = f"project --source s.conll --target t.txt --apply fit -o o.conll {options}"
    done = spanbridge(*args.split(), code=2)
    taken = "--min-confidence, --least-parallel, --boundary, --calibrate, --explain and --realign"
    assert f"beside it only {taken} are taken" in done.stderr
    assert sorted(bitext.iterdir()) == before


def test_no_result_goes_into_a_fit(spanbridge, bitext, fitted):
    args = "project --source s.conll --target t.txt --apply fit -o"
    for options in ("fit/o.conll", "o.conll --explain fit/why.txt"):
        done = spanbridge(*args.split(), *options.split(), code=2)
        assert "would go into the fit fit; write elsewhere" in done.stderr


@pytest.mark.parametrize("part", ["aligner", "method"])
def test_a_damaged_fit(spanbridge, bitext, fitted, part):
    with (bitext / "fit" / part / "learned.npz").open("ab") as file:
        file.write(b"!")
    args = "project --source s.conll --target t.txt --apply fit -o o.conll"
    done = spanbridge(*args.split(), code=2)
    assert done.stderr == (
        f"fit/{part}/learned.npz: is damaged, or not the file that learned.json is about; "
        "fit again\n"
    )
    assert not (bitext / "o.conll").exists()
