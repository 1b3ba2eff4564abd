"""Rows for a chat model that refines: names are the same on both sides, and some lack a link."""

import pytest

from spanbridge import api
from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span

GIVEN = {"links": "only", "least_parallel": 0.0, "below": 0.95}


def row(n):
    """Names are the same on both sides; in odd rows, half of the person's has no link."""
    source = (f"Anna{n}", f"Lee{n}", "sees", f"Rome{n}")
    target = (f"Anna{n}", f"Lee{n}", "sieht", f"Rome{n}")
    links = [(0, 0), (2, 2), (3, 3), *([] if n % 2 else [(1, 1)])]
    spans = (Span(0, 2, "PER"), Span(3, 4, "LOC"))
    return SentencePair(
        str(n + 1), Sentence(source, spans), Sentence(target), links=WordAlignment.of(links, 4, 4)
    )


ROWS = [row(n) for n in range(8)]


@pytest.fixture
def chat_files(write):
    """The rows in files."""
    tags = ("B-PER", "I-PER", "O", "B-LOC")
    sentences = (zip(pair.source.words, tags, strict=True) for pair in ROWS)
    write("s.conll", "".join("".join(f"{w}\t{t}\n" for w, t in one) + "\n" for one in sentences))
    write("t.txt", "".join(" ".join(pair.target.words) + "\n" for pair in ROWS))
    links = (" ".join(f"{i}-{j}" for i, j in pair.links.pairs) for pair in ROWS)
    write("l.pharaoh", "".join(f"{line}\n" for line in links))


def places(found):
    return [[(s.start, s.end, s.label) for s in pair.target.spans] for pair in found]


RIGHT = [[(0, 2, "PER"), (3, 4, "LOC")]] * 8
CHEAP = [[(0, 1 + (n % 2 == 0), "PER"), (3, 4, "LOC")] for n in range(8)]


def refined(url, cache, base="soft", given=GIVEN, **options):
    chat = {"model": "m", "url": url, "cache": str(cache), "pause": 0, **options}
    return api.project(ROWS, base, refine={"chat": chat}, **given)
