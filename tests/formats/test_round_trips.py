"""All visible data through every format and back: equal, or counted as what a format cannot hold.

A few rows of each file, of which each side is a row of its own; all rows with SPANBRIDGE_LONG=1,
which takes some ten minutes.
"""

import gzip
import json
import os
import re
import tempfile
from functools import cache
from itertools import islice

import pytest

from spanbridge.core import registry
from spanbridge.core.rows import SIDES, SentencePair
from spanbridge.core.spans import ABSENT, one_layer
from spanbridge.core.tags import spans_from_tags
from spanbridge.formats import Counts, Reading, named_format, read_rows, write_pairs
from spanbridge.formats.json_spans import write_spans
from spanbridge.formats.tokens import spans_in_text, tokenize, with_text
from spanbridge.run.converting import convert

LONG = bool(os.environ.get("SPANBRIDGE_LONG"))
PER_FILE = None if LONG else 2
SETS = (
    *("absa", "abstrct", "alignment-gold", "conll-mt", "domains", "europarl-ner", "mabsa"),
    *("masakhaner2", "masakhaner2-parallel", "news-ner", "panx", "pud", "relx", "uner", "xlwa"),
    *("xquad", "xsid"),
)
FORMATS = [name for name in registry.names("format") if name != "pharaoh"]
# Names of files where the format's own suffix is not the one to take.
ENDINGS = {"brat-folder": "", "multiclinai": "", "moses": ".en-xx.en", "hf": ".parquet"}
# Why a format may refuse a row.
REFUSALS = re.compile(
    r"the text has a line end|holds white space|has white space|has a tab or a line end"
)


def files(folder):
    endings = (".conll", ".txt", ".jsonl", ".jsonl.gz")
    return sorted(path for path in folder.rglob("*") if path.name.endswith(endings))


def pairs_of(path):
    """Rows of JSON lines in the layouts of these sets: gold is put where the target's spans are."""
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as lines:
        for line in islice(lines, PER_FILE):
            row = json.loads(line)
            for side, names in (("source", ("",)), ("target", ("gold_", "tprojection_", ""))):
                words = row.pop(f"{side}_tokens", None)
                words = row.pop("tokens", None) if words is None and side == "target" else words
                if words is not None:
                    row[f"{side}_words"] = words
                keys = [f"{side}_{name}tags" for name in names] + ["tprojection_tags", "tags"]
                key = next((key for key in keys if key in row), None)
                if key is not None and f"{side}_words" in row:
                    spans = spans_from_tags(row.pop(key), "iob2", "begin")[0]
                    row[f"{side}_spans"] = write_spans(spans)
            if gold := row.pop("gold_target_spans", None):
                row["target_spans"] = gold
            yield row


@cache
def given(folder):
    """The rows of a set, with names for ids."""
    found = []
    for path in files(folder):
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as out:
            read = path
            if ".jsonl" in path.name:
                read = out.name
                out.writelines(f"{json.dumps(row, ensure_ascii=False)}\n" for row in pairs_of(path))
                out.flush()
            name = path.relative_to(folder).as_posix().partition(".")[0]
            rows = islice(read_rows(read, default="conll", sniff=False), PER_FILE)
            found += (row.replace(id=f"{name} {n}") for n, (_, row) in enumerate(rows))
    return found


def sides_of(rows):
    """Each side of rows as a row, with its keys."""
    for row in rows:
        for side in SIDES:
            if (sentence := row.side(side)).words:
                yield SentencePair(f"{row.id}.{side}", sentence, ABSENT, extra=row.extra)


def there_and_back(tmp_path, rows, name):
    """The rows as a format gives them back, by id or by number, and the account."""
    source = str(tmp_path / "in.jsonl")
    write_pairs(source, rows)
    held = named_format(name)
    ending = ENDINGS.get(name, next(iter(held.suffixes), f".{name}"))
    path = str(tmp_path / f"out{ending}")
    side = "source" if held.sides == "one" or held.writes_one_side else None
    run = convert(source, path, side, format=name)
    counts = Counts()
    how = Reading(format=name, tokenised=True if "words" in held.keeps else None)
    again = [row for _, row in read_rows(path, "source", how, counts)]
    if "ids" in held.keeps:
        return {row.id: row for row in again}, run, counts
    return dict(zip([row.id for row in rows], again, strict=True)), run, counts


def in_text(sentence):
    return sorted(span[:3] for span in spans_in_text(with_text(sentence)))


def compare(before, after, held):
    """What of a side a format gives back."""
    if not held.holds_spans:
        before = before.with_spans(())
    elif not held.holds_nested:
        before = before.with_spans(one_layer(before.spans))
    if "text" in held.keeps:
        assert after.plain_text() == before.plain_text()
        assert in_text(after) == in_text(before)
    if "words" in held.keeps:
        assert after.words == before.words
        assert sorted(s[:3] for s in after.spans) == sorted(s[:3] for s in before.spans)


def n_cut_otherwise(rows):
    """Sides that a format of texts cuts into other words."""
    return sum(
        row.side(side).text is None
        and tokenize(" ".join(row.side(side).words))[0] != row.side(side).words
        for row in rows
        for side in SIDES
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_all_data_there_and_back(tmp_path, real_data, name):
    held = named_format(name)
    for one in SETS:
        folder = tmp_path / one
        folder.mkdir()
        rows = given(real_data / one)
        if held.sides == "both" and not held.writes_one_side:
            rows = [row for row in rows if row.source.words and row.target.words]
        else:
            rows = list(sides_of(rows))
        if not rows:
            continue
        again, run, counts = there_and_back(folder, rows, name)
        account = run.account
        assert account.n_rows == len(rows) == len(again)
        assert not counts.left_out
        refused = dict(account.rejects)
        assert all(REFUSALS.search(why) for why in refused.values()), refused
        for row in rows:
            back = again[row.id]
            if row.id in refused:
                assert not back.source.words
                continue
            for side in SIDES:
                if row.side(side).words:
                    compare(row.side(side), back.side(side), held)
            if "keys" in held.keeps:
                kept = {key: value for key, value in row.extra.items() if held.keeps_key(key)}
                if name == "hf":  # in Parquet, where null is a missing key
                    kept = {key: value for key, value in kept.items() if value is not None}
                if name != "csv":  # whose values are strings
                    assert dict(back.extra) == kept
        notes = account.notes
        n_keys = sum(not held.keeps_key(key) for row in rows for key in row.extra)
        assert notes.get("values of other keys of rows not written", 0) == n_keys
        if "words" not in held.keeps:
            what = "sentences written as text, whose words would be cut otherwise"
            assert sum(n for note, n in notes.items() if what in note) == n_cut_otherwise(rows)
