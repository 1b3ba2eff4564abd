"""Fuzzer of pipeline files: YAML, settings, options of parts, paths."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random

from spanbridge.run.config import make_pipeline, read_pipeline

from . import harness
from .harness import Target
from .mutations import other_value

DEFAULT = 5000
_FILES = [
    b"""# a comment
input: posts.txt
side: target
languages: {target: es, source: en}
output: posts.jsonl
shard_rows: 100
commercial: false
steps:
  - repair
  - split: {splitter: sentencex}
  - translate: {translator: {given: {model: "t.tsv"}}, guards: {max_ratio: 3}}
  - tag: {tagger: {given: {model: 'g.conll'}}, map: {PER: person}, others: drop}
  - project: {method: {corpus: {solver: exact}}, aligner: fused, min_confidence: 0.5}
  - join
""",
    b"""input:
  source: s.conll
  target: t.txt
  links: l
  one_based: true
output: out.conll
output_side: target
scheme: bioes
word_column: 1
steps:
  - align: {aligner: {statistical: {min_score: 0.3}}}
  - project: {method: heuristic, links: keep}
""",
]
_SETTINGS = {
    "input": {"source": "s.conll", "target": "t.txt", "links": "l", "one_based": False},
    "languages": {"source": "en", "target": "de"},
    "output": "out.jsonl",
    "output_side": "target",
    "link_scores": False,
    "work": "out.work",
    "shard_rows": 10,
    "fit_rows": 10,
    "tokenised": True,
    "orphans": "begin",
    "steps": [
        {"align": {"aligner": {"fused": {"encoder": "multilingual-e5-small", "layer": 7}}}},
        {"project": {"method": {"match": {"ner": 0.5}}, "min_confidence": 0.5}},
        {"tag": {"tagger": {"checkpoint": {"model": "m"}}, "map": {"A": "B"}}},
        {"translate": {"translator": {"chat": {"model": "m", "url": "http://localhost:1"}}}},
        {"ensemble": {"tagger": {"given": {"model": "g"}}, "weight": 0.5}},
    ],
}


def _file(path: Path, rng: Random) -> None:
    os.chdir(path.parent)
    read_pipeline(path.name).job()


def _in_place(path: Path, rng: Random) -> None:
    """The same file with another value for one setting, as Python's API would be given it."""
    settings: object = _SETTINGS
    for _ in range(rng.choice([0, 1, 2])):
        settings = other_value(settings, rng)
    if isinstance(settings, dict):
        os.chdir(path.parent)
        found = make_pipeline(settings)
        found.job()
        again = path.with_suffix(".again.yaml")
        again.write_text(found.text(), "utf-8")
        assert read_pipeline(str(again)).settings == found.settings


def targets(folder: Path) -> list[Target]:
    """Pipeline files, and settings from Python."""
    conll = b"Anna\tB-PER\n\n"
    beside = {"posts.txt": b"a\n", "t.txt": b"a\n", "t.tsv": b"a\tb\n", "l": b"0-0\n"}
    for name, content in {**beside, "s.conll": conll, "g.conll": conll}.items():
        (folder / name).write_bytes(content)
    valid = [
        Target("pipeline file", "pipeline.yaml", _FILES, _file),
        Target("settings", "unused", [b""], _in_place),
    ]
    return [valid[0], valid[0], valid[1]]


def main(argv: Sequence[str]) -> int:
    """Run the fuzzer; returns the exit code."""
    return harness.main("pipelines", targets, DEFAULT, argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
