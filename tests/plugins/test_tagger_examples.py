"""The example of taggers of Flair and Stanza, with stand-ins of what both packages document."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "taggers"
# Capitalised words are names; so is what both packages return of them.
FLAIR = {
    "flair/__init__.py": "",
    "flair/data.py": """
class Token:
    def __init__(self, text, idx):
        self.text, self.idx = text, idx

class Span:
    def __init__(self, tokens):
        self.tokens, self.tag, self.score = tokens, "PER", 1.25

class Sentence:
    def __init__(self, text, use_tokenizer=True):
        assert isinstance(text, list) and not use_tokenizer and all(text)
        self.tokens = [Token(word, n + 1) for n, word in enumerate(text)]
        self.spans = []

    def get_spans(self, label_type):
        assert label_type == "ner"
        return self.spans
""",
    "flair/models.py": """
import numpy
from flair.data import Span

class Dictionary:
    def get_items(self):
        return ["<unk>", "O", "S-PER", "B-PER", "E-PER", "I-PER", "<START>", "<STOP>"]

class Values:
    def cpu(self):
        return self

    def numpy(self):
        return numpy.ones(2)

class SequenceTagger:
    label_dictionary, label_type = Dictionary(), "ner"

    @classmethod
    def load(cls, model):
        if model != "mine":
            raise FileNotFoundError("no such model")
        return cls()

    def eval(self):
        return self

    def state_dict(self):
        return {"w": Values()}

    def predict(self, sentence):
        names = [token for token in sentence.tokens if token.text[0].isupper()]
        sentence.spans = [Span([token]) for token in names]
        if len(names) > 1 and names[1].idx == names[0].idx + 1:
            sentence.spans = [Span(names[:2]), *sentence.spans]
""",
}
STANZA = {
    "stanza/resources/__init__.py": "",
    "stanza/resources/common.py": "DEFAULT_MODEL_DIR = '/nowhere'\n",
    "stanza/__init__.py": """
class Token:
    def __init__(self, text):
        self.text = text

class Entity:
    def __init__(self, tokens):
        self.tokens, self.type = tokens, "PERSON"

class Sentence:
    def __init__(self, words):
        self.tokens = [Token(word) for word in words]

class Document:
    def __init__(self, sentences):
        self.sentences = [Sentence(words) for words in sentences]
        self.ents = [Entity([t]) for s in self.sentences for t in s.tokens if t.text[0].isupper()]

class Pipeline:
    def __init__(self, lang, **options):
        assert options["tokenize_pretokenized"] and options["processors"] == "tokenize,ner"
        if lang == "xx":
            raise KeyError(lang)

    def __call__(self, sentences):
        [words] = sentences
        assert all(words)
        return Document(sentences)
""",
}
TEXT = "Anna\tO\nLee\tO\nmet\tO\nBob\tO\n\nit\tO\nrains\tO\n\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The example as ``pip install`` leaves it, and stand-ins of both packages."""
    folder = tmp_path_factory.mktemp("site")
    for name, text in (FLAIR | STANZA).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    about = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())
    [(group, points)] = about["project"]["entry-points"].items()
    for module in about["tool"]["setuptools"]["py-modules"]:
        (folder / f"{module}.py").write_bytes((EXAMPLE / f"{module}.py").read_bytes())
    lines = [f"[{group}]", *(f"{name} = {value}" for name, value in points.items())]
    for name, more in (("flair", ""), ("stanza", ""), ("example", "\n".join(lines))):
        info = folder / f"{name}-9.9.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 9.9\n")
        (info / "entry_points.txt").write_text(more)
    return folder


@pytest.fixture
def tag(site, tmp_path):
    def run(*args, code=0):
        (tmp_path / "s.conll").write_text(TEXT, encoding="utf-8")
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "spanbridge",
                "tag",
                "--source",
                "s.conll",
                "-o",
                "o.jsonl",
                *args,
            ],
            capture_output=True,
            text=True,
            encoding="utf-8",
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(site), *sys.path])},
            check=False,
        )
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        if code:
            return done.stderr
        rows = (tmp_path / "o.jsonl").read_text("utf-8").splitlines()
        record = json.loads((tmp_path / "o.jsonl.run.json").read_text("utf-8"))
        spans = [
            [(s["start"], s["end"], s["label"]) for s in json.loads(row)["source_spans"]]
            for row in rows
        ]
        return spans, json.dumps(record) + done.stderr

    return run


@pytest.mark.slow
def test_flair(tag):
    spans, said = tag("--tagger", "flair", "--model", "mine")
    assert spans == [[(0, 2, "PER"), (3, 4, "PER")], []]
    assert "flair(9.9@" in said
    assert "flair cannot load 'other'" in tag("--tagger", "flair", "--model", "other", code=2)


@pytest.mark.slow
def test_stanza(tag):
    spans, said = tag("--tagger", "stanza", "--tagger-option", "language=en")
    assert spans == [[(0, 1, "PERSON"), (1, 2, "PERSON"), (3, 4, "PERSON")], []]
    assert "stanza(9.9,en,usual@e3b0c442)" in said
    wrong = tag("--tagger", "stanza", "--tagger-option", "language=xx", code=2)
    assert "stanza has no models of 'xx'" in wrong
