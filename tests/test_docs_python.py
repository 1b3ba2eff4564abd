"""The Python of the docs compiles, and runs where it is marked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from spanbridge.demo.sample import sample
from test_docs import DOCS, FENCE, pages


def python_blocks(page: Path) -> list[tuple[bool, str]]:
    found = FENCE.findall(page.read_text(encoding="utf-8"))
    return [(bool(marked), body) for marked, kind, body in found if kind == "python"]


@pages
def test_python_blocks_compile(page):
    for n, (_, body) in enumerate(python_blocks(page)):
        compile(body, f"{page.name}, block {n + 1}", "exec")


RUN = [page for page in DOCS if any(marked for marked, _ in python_blocks(page))]


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """The files that the blocks use, made of the demo's sample."""
    folder = tmp_path_factory.mktemp("docs")
    rows = {language: sample(language) for language in ("en", "de")}
    tagged = {
        name: "\n".join(
            "".join(f"{w}\t{t}\n" for w, t in zip(s.words, tags(s), strict=True))
            for s in rows[language]
        )
        for name, language in (("en", "en"), ("gold", "de"), ("de", "de"), ("other", "de"))
    }
    for name, text in tagged.items():
        (folder / f"{name}.conll").write_text(text, encoding="utf-8")
    text = "\n".join(" ".join(s.words) for s in rows["de"]) + "\n"
    (folder / "de.txt").write_text(text, encoding="utf-8")
    brat = folder / "corpus"
    brat.mkdir()
    (brat / "a.ann").write_text("T1\tPER 0 3\tAna\n", encoding="utf-8")
    (brat / "a.txt").write_text("Ana sleeps.\n", encoding="utf-8")
    return folder


def tags(sentence) -> list[str]:
    from spanbridge.core.tags import tags_from_spans

    return tags_from_spans(sentence.spans, len(sentence.words))


def test_some_pages_run():
    assert {page.stem for page in RUN} >= {"project", "align", "tag", "run", "evaluate", "formats"}


@pytest.mark.slow
@pytest.mark.parametrize("page", RUN, ids=lambda page: page.stem)
def test_marked_blocks_run(page, files):
    """Each block by itself, as a reader would paste it into a new session."""
    for n, (marked, body) in enumerate(python_blocks(page)):
        if marked:
            done = subprocess.run(
                [sys.executable, "-c", body], cwd=files, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"{page.name}, block {n + 1}: {done.stderr[-1500:]}"
