"""Every file of the shared data: read, written, read again."""

import gzip
import io
import json
import os
from itertools import islice, pairwise
from pathlib import Path

import pytest

from spanbridge.core.files import lines
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence
from spanbridge.core.tags import spans_from_tags
from spanbridge.formats import Counts, find_format, read_pairs, write_pairs
from spanbridge.formats.conll import looks_like_conll, write_conll
from spanbridge.formats.conll_reader import read_conll
from spanbridge.formats.jsonl import format_pair, read_jsonl
from spanbridge.formats.tokens import tokenize

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("SPANBRIDGE_DATA", ROOT.parent / "shared" / "data"))
CONLL = sorted([*DATA.glob("*/*/*.txt"), *DATA.glob("europarl-ner/*.conll")])
JSONL = sorted([*DATA.glob("*/*.jsonl"), *DATA.glob("*/*.jsonl.gz")])

pytestmark = pytest.mark.skipif(
    not (CONLL and JSONL), reason=f"no shared data in {DATA}; set SPANBRIDGE_DATA to its folder"
)


def name(path):
    return str(path.relative_to(DATA))


@pytest.mark.slow
@pytest.mark.parametrize("path", CONLL, ids=name)
def test_conll(tmp_path, path):
    counts = Counts()
    rows = list(read_conll(path, counts=counts))
    given = path.read_text(encoding="utf-8").split("\n")
    assert sum(len(row.words) for _, row in rows) == sum(1 for line in given if line.strip(" \t"))
    assert len(rows) == counts.n_rows == sum(1 for a, b in pairwise(given) if a and not b)
    assert counts.n_comments == 0
    assert all(given[at - 1].startswith(row.words[0]) for at, row in rows)
    assert looks_like_conll(list(islice(lines(path), 1000)))
    assert find_format(path, default="text").name == "conll"
    out = io.StringIO()
    for _, row in rows:
        write_conll(row, out)
    again = tmp_path / "again.conll"
    again.write_text(out.getvalue(), encoding="utf-8", newline="\n")
    assert list(read_conll(again)) == rows
    if not counts.n_orphans:
        assert out.getvalue().split() == path.read_text(encoding="utf-8").split()


def sentence(row, *names):
    """One side of a row of the shared data, in whichever of its forms."""
    for words, tags in names:
        if words in row:
            spans, _ = spans_from_tags(row[tags]) if tags in row else ((), 0)
            return Sentence(tuple(row[words]), spans)
    words, offsets = tokenize(row["source_text"])
    return Sentence(words, (), row["source_text"], offsets)


@pytest.mark.slow
@pytest.mark.parametrize("path", JSONL, ids=name)
def test_jsonl(tmp_path, path):
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as handle:
        rows = [json.loads(line) for _, line in zip(range(1000), handle, strict=False)]
    if "source_spans" in rows[0]:  # pairs already
        pairs = [pair for _, pair in islice(read_jsonl(path), 1000)]
        assert [[*pair.extra] for pair in pairs] == [
            [key for key in row if not key.startswith(("id", "source_", "target_"))] for row in rows
        ]
    else:
        pairs = [
            SentencePair(
                row["id"],
                sentence(row, ("source_tokens", "source_tags")),
                sentence(row, ("target_tokens", "target_gold_tags"), ("tokens", "tags")),
                extra={key: row[key] for key in row if key not in ("id", "source_text")},
            )
            for row in rows
        ]
    out = tmp_path / "pairs.jsonl.gz"
    write_pairs(out, pairs)
    assert list(read_jsonl(out)) == list(enumerate(pairs, 1))


def test_europarl_runs_parallel():
    folder = DATA / "europarl-ner"
    pairs = list(read_pairs(folder / "en.dev.conll", folder / "de.dev.conll"))
    assert len(pairs) == 400
    assert not any(pair.target.spans for pair in pairs)
    assert "\n" not in format_pair(pairs[0])
