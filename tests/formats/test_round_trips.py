"""All visible data through every format and back: equal, or counted as what a format cannot hold.

A few rows of each file, of which each side is a row of its own; all rows, ten thousand to a file,
with SPANBRIDGE_LONG=1, which takes an hour.
"""

import gzip
import json
import os
import re
import shutil
import tempfile
from functools import cache
from itertools import islice

import pytest

from spanbridge.core import registry
from spanbridge.core.rows import SIDES, SentencePair
from spanbridge.core.scripts import is_invisible
from spanbridge.core.spans import ABSENT, one_layer
from spanbridge.core.tags import spans_from_tags
from spanbridge.formats import Counts, Reading, named_format, read_rows
from spanbridge.formats.json_spans import write_spans
from spanbridge.formats.tokens import spans_in_text, tokenize, with_text
from spanbridge.run.converting import CONVERTED, write_rows
from spanbridge.steps.account import Account

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
    r"|has a tab, a line end, or a space at its ends|a word (or the id )?is empty|word \d+ is empty"
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


@cache
def sides_of(folder):
    """Each side of the rows of a set as a row, with its keys."""
    return [
        SentencePair(f"{row.id}.{side}", sentence, ABSENT, extra=row.extra)
        for row in given(folder)
        for side in SIDES
        if (sentence := row.side(side)).words
    ]


def there_and_back(tmp_path, rows, name):
    """The rows as a format gives them back, by id or by number, and the account."""
    held = named_format(name)
    ending = ENDINGS.get(name, next(iter(held.suffixes), f".{name}"))
    path = str(tmp_path / f"out{ending}")
    side = "source" if held.sides == "one" or held.writes_one_side else "target"
    account = Account()
    write_rows(path, held, side, "outer", ((CONVERTED, row) for row in rows), account)
    counts = Counts()
    how = Reading(format=name, tokenised=True if "words" in held.keeps else None)
    again = [row for _, row in read_rows(path, "source", how, counts)]
    if "ids" in held.keeps and not held.blank_row:
        return {row.id: row for row in again}, account, counts
    return dict(zip([row.id for row in rows], again, strict=True)), account, counts


def in_text(sentence):
    """Places of spans, without what cannot be seen at their ends, which words of texts lack.

    The Yoruba of MasakhaNER has a mark of direction after a word; in the Spanish of CoNLL, whose
    letters were encoded twice, half a letter is a soft hyphen or a space. That these words are cut
    otherwise is counted.
    """
    whole = with_text(sentence)
    found = []
    for start, end, label, *_ in spans_in_text(whole):
        covered = enumerate(whole.text[start:end], start)
        seen = [n for n, one in covered if not (one.isspace() or is_invisible(one))]
        found.append((seen[0], seen[-1] + 1, label))
    return sorted(found)


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


@cache
def is_cut_otherwise(words):
    """Check if a format of texts cuts words otherwise."""
    return tokenize(" ".join(words))[0] != words


def batches(rows):
    """So many rows as a file may well have."""
    rows = iter(rows)
    while batch := list(islice(rows, 10_000)):
        yield batch


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_all_data_there_and_back(tmp_path, real_data, name):
    held = named_format(name)
    for one in SETS:
        rows = given(real_data / one)
        if held.sides == "both" and not held.writes_one_side:
            rows = [row for row in rows if row.source.words and row.target.words]
        else:
            rows = sides_of(real_data / one)
        for n, batch in enumerate(batches(rows)):
            folder = tmp_path / f"{one}-{n}"
            folder.mkdir()
            check(held, batch, *there_and_back(folder, batch, name))
            shutil.rmtree(folder)


def check(held, rows, again, account, counts):
    """Compare rows with what a format gives back."""
    assert account.n_rows == len(rows) == len(again)
    assert not counts.left_out
    refused = dict(account.rejects)
    assert all(REFUSALS.search(why) for why in refused.values()), refused
    for row in rows:
        back = again[row.id]
        if row.id in refused:
            assert not back.source.words
            continue
        assert "ids" not in held.keeps or back.id == row.id
        for side in SIDES:
            if row.side(side).words:
                compare(row.side(side), back.side(side), held)
        if "keys" in held.keeps:
            kept = {key: value for key, value in row.extra.items() if held.keeps_key(key)}
            if held.name == "hf":  # in Parquet, where null is a missing key
                kept = {key: value for key, value in kept.items() if value is not None}
            if held.name != "csv":  # whose values are strings
                assert dict(back.extra) == kept
    notes = account.notes
    n_keys = sum(not held.keeps_key(key) for row in rows for key in row.extra)
    assert notes.get("values of other keys of rows not written", 0) == n_keys
    if "words" not in held.keeps:
        what = "sentences written as text, whose words would be cut otherwise"
        sides = [row.side(side) for row in rows for side in SIDES]
        n_cut = sum(one.text is None and is_cut_otherwise(one.words) for one in sides)
        assert sum(n for note, n in notes.items() if what in note) == n_cut
