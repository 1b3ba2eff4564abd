"""The examples run, on small inputs."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import tiny_checkpoints
import yaml

from spanbridge import read_pairs
from spanbridge.core import soft_alignment
from spanbridge.run.config import read_pipeline
from spanbridge.run.shards import run

EXAMPLES = Path(__file__).parents[1] / "examples"
SOURCE = (
    "Anna\tB-PER\nlives\tO\nin\tO\nRome\tB-LOC\n.\tO\n\n"
    "It\tO\nrains\tO\n.\tO\n\n"
    "Anna\tB-PER\nand\tO\nBob\tB-PER\nare\tO\nnot\tO\nin\tO\nRome\tB-LOC\ntoday\tO\n.\tO\n\n"
)
TARGET = "Anna wohnt in Rom .\nEs regnet .\nAnna und Bob sind heute nicht in Rom .\n"
POSTS = "Pedro vive en EspaÃ±a. Ana trabaja en Lima.\nHoy llueve.\n"
TRANSLATIONS = (
    "Pedro vive en España.\tPedro lives in Spain.\n"
    "Ana trabaja en Lima.\tAna works in Lima.\n"
    "Hoy llueve.\tToday it rains.\n"
)
ENGLISH = (
    "Pedro\tB-PER\nlives\tO\nin\tO\nSpain\tB-LOC\n.\tO\n\n"
    "Ana\tB-PER\nworks\tO\nin\tO\nLima\tB-LOC\n.\tO\n\n"
    "Today\tO\nit\tO\nrains\tO\n.\tO\n\n"
)
SPANISH = (
    "Pedro\tB-PER\nvive\tO\nen\tO\nEspaña\tB-LOC\n.\tO\n\n"
    "Ana\tB-PER\ntrabaja\tO\nen\tO\nLima\tB-LOC\n.\tO\n\n"
    "Hoy\tB-PER\nllueve\tO\n.\tO\n\n"
)


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text, encoding="utf-8")


@pytest.mark.slow
def test_project(tmp_path):
    write(tmp_path, en_conll=SOURCE, de_txt=TARGET)
    command = [sys.executable, str(EXAMPLES / "project.py"), "en.conll", "de.txt"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert [line.rsplit(" ", 1)[0] for line in lines[:2]] == ["1 PER Angela Merkel", "1 LOC Paris"]
    assert "2 empty: no source span" in lines
    assert any(line.startswith("3 LOC Rom ") for line in lines)
    assert any(line.startswith("3 rows = 2 projected") for line in lines)


@pytest.mark.slow
def test_project_goes_on_after_a_row_that_cannot_be_aligned(tmp_path, monkeypatch, capsys):
    write(tmp_path, en_conll=SOURCE, de_txt=TARGET)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["project.py", "en.conll", "de.txt"])
    monkeypatch.setattr(soft_alignment, "MAX_CELLS", 50)
    runpy.run_path(str(EXAMPLES / "project.py"), run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("1 LOC Rom ") for line in lines)
    assert any(line.startswith("3 rejected: ") for line in lines)


@pytest.mark.slow
def test_train(tmp_path):
    write(tmp_path, train_conll=SOURCE * 4, dev_conll=SOURCE)
    tiny_checkpoints.save(tmp_path / "encoder", "distilbert")
    names = ("train.conll", "dev.conll", "out", "encoder")
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "train.py"), *names],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "F1" in done.stdout
    assert "Angela besucht Berlin: " in done.stdout
    assert (tmp_path / "out" / "training.json").is_file()


def run_example(name: str, folder: Path, posts: str):
    """The rows of a pipeline, its translator and taggers looked up in files."""
    write(folder, posts_txt=posts, t_tsv=TRANSLATIONS, en_conll=ENGLISH, es_conll=SPANISH)
    parts = {
        "apertium": {"given": {"model": str(folder / "t.tsv")}},
        **{
            json.dumps({"checkpoint": {"model": f"{language}-tagger"}}): {
                "given": {"model": str(folder / f"{language}.conll")}
            }
            for language in ("en", "es")
        },
    }
    steps = yaml.safe_load((EXAMPLES / name).read_text("utf-8"))["steps"]
    for step in steps:
        for settings in step.values() if isinstance(step, dict) else ():
            for kind in {"translator", "tagger"} & settings.keys():
                part = settings[kind]
                settings[kind] = parts[part if isinstance(part, str) else json.dumps(part)]
    places = {"input": str(folder / "posts.txt"), "output": str(folder / "posts.jsonl")}
    done, _ = run(read_pipeline(str(EXAMPLES / name), steps=steps, **places).job())
    assert done is not None
    return [pair.target for pair in read_pairs(folder / "posts.jsonl")]


def named(target):
    """Label and text of every span."""
    return {(span.label, target.text_of(span.start, span.end)) for span in target.spans}


@pytest.mark.parametrize("name", ["spanish.yaml", "ensemble.yaml"])
def test_every_setting_is_known(name):
    steps = [step.name for step in read_pipeline(str(EXAMPLES / name)).steps]
    assert steps[-1] == "join"
    assert "project" in steps


@pytest.mark.slow
def test_spanish(tmp_path):
    first, second = run_example("spanish.yaml", tmp_path, POSTS)
    assert first.text == "Pedro vive en España. Ana trabaja en Lima."
    assert {("PER", "Pedro"), ("LOC", "Lima")} <= named(first)
    assert named(second) == set()


def test_ensemble(tmp_path):
    """Spans that the Spanish tagger alone finds are taken too."""
    first, second = run_example("ensemble.yaml", tmp_path, POSTS.replace("Ã±", "ñ"))
    whole = {("PER", "Pedro"), ("LOC", "España"), ("PER", "Ana"), ("LOC", "Lima")}
    assert named(first) == whole
    assert named(second) == {("PER", "Hoy")}
