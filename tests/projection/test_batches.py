"""Every method: a batch of rows gives what its rows give one by one."""

import numpy as np
import pytest
from project_instances import linked, project_row, row_of
from soft_samples import bitext, pair

from spanbridge.core import registry
from spanbridge.core.soft_alignment import SoftAlignment
from spanbridge.core.spans import Span
from spanbridge.projection.corpus import CorpusMethod
from spanbridge.tagging.base import Tagged

# chat asks a server: tests/run/test_chat_refine.py; codec and t-projection want models
ASKING = ("chat", "codec", "t-projection")
METHODS = [name for name in registry.names("method") if name not in ASKING]


class ByLetters:
    """A tagger and a translator in one, which go by the letters of words."""

    classes = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
    gives_probabilities = True

    def describe(self):
        return "letters()"

    def tag(self, sentences):
        return [self._tag(words) for words in sentences]

    def _tag(self, words):
        p = np.ones((len(words), 5))
        for row, word in zip(p, words, strict=True):
            row[1 + sum(map(ord, word)) % 4] = 9
        spans = tuple(Span(k, k + 1, "PER") for k, word in enumerate(words) if word[0] == "N")
        return Tagged(len(words), spans, p / p.sum(1, keepdims=True))

    def score(self, pairs):
        return [len(set(a) & set(b)) / len(set(a) | set(b)) for a, b in pairs]

    def forget(self):
        pass


# what a method is equipped with: nothing, a cheap score, a tagger, an expensive score, all of them
EQUIPMENT = {
    "bare": {},
    "spelling": {"weights": {"spelling": 0.3}},
    "tagger": {"weights": {"ner": 0.3}, "tagger": ByLetters()},
    "translator": {"weights": {"translation": 0.3}, "scorer": ByLetters()},
    "everything": {
        "weights": {"spelling": 0.2, "ner": 0.3, "translation": 0.4},
        "tagger": ByLetters(),
        "scorer": ByLetters(),
    },
}


def samples(method):
    """Rows of a bitext, and some without spans, links, or that stand there twice."""
    rows = bitext(15, labels=("PER", "LOC", "new"), seed=5)
    rows += [rows[3], (pair("Bonn .", "Bonn ."), rows[0][1])]
    rows[-1] = (rows[-1][0], SoftAlignment(np.eye(2), np.eye(2)))
    made, links = row_of([Span(0, 1, "PER"), Span(0, 2, "LOC")], linked("", 2, 3))
    rows.append((made, SoftAlignment.from_links(links)))
    if method.reads == "links":
        return [(row, soft.links(0.45)) for row, soft in rows]
    return rows


@pytest.mark.parametrize("equipment", EQUIPMENT)
@pytest.mark.parametrize("name", METHODS)
def test_a_batch_is_its_rows(name, equipment, corpus):
    method = registry.build("method", name, {})
    if isinstance(method, CorpusMethod):
        method.state = corpus.state
    if helpers := EQUIPMENT[equipment]:
        method.add_scores(**helpers)
    rows = samples(method)
    batch = method.project(rows)
    assert batch == [project_row(method, row) for row in rows]
    assert batch[3] == batch[15]
    backwards = method.project(rows[::-1])
    assert backwards == batch[::-1]
    assert sum(len(found.spans) for found in batch) > 15
    for found, one in zip(batch, rows, strict=True):
        again = project_row(method, one)
        assert list(found.explain(found, 0.5)) == list(again.explain(again, 0.5))


@pytest.mark.parametrize("name", METHODS)
def test_no_rows(name):
    assert registry.build("method", name, {}).project([]) == []
