"""Data of the page for a sentence pair: nested marks, gaps, text direction, counts."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.report.verdicts import Judged, Verdict, judge

LOW_SCORE = 0.5  # below it a span is drawn as doubtful
NO_STATUS = "no status"
_HEADS = ("projected", "empty", "rejected")
_BIDI_CONTROLS = frozenset(  # marks, embeddings and overrides, isolates
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)


class Mark(NamedTuple):
    """A span as drawn: range and label, and, if known, score and verdict."""

    start: int
    end: int
    label: str
    score: float | None = None
    verdict: Verdict | None = None

    @property
    def bucket(self) -> int:
        """The score in steps of 5 %, for the length of its bar."""
        return round(min(1.0, max(0.0, self.score or 0.0)) * 20)

    @property
    def low(self) -> bool:
        """Check if the score is so low that the span is drawn as doubtful."""
        return self.score is not None and self.score < LOW_SCORE


class Token(NamedTuple):
    """A step in writing out a sentence.

    Attributes:
        kind: ``open`` or ``close`` a mark, write a ``word`` or the ``gap`` between two.
        text: the word or gap.
        mark: the mark opened or closed.
        whole: False if a mark closes only because it crosses another one, and continues after it.
        isolate: True for a word with direction controls that must not affect its neighbours.
    """

    kind: Literal["open", "close", "word", "gap"]
    text: str = ""
    mark: Mark | None = None
    whole: bool = True
    isolate: bool = False


@dataclass(frozen=True, slots=True)
class SentenceView:
    """A sentence ready to be written: its tokens and its base direction."""

    tokens: list[Token]
    direction: Literal["ltr", "rtl"]


class Finding(NamedTuple):
    """Text and labels of a wrong, spurious or missed span, for the list below a sentence."""

    verdict: Verdict
    label: str
    text: str
    gold_label: str
    gold_text: str


@dataclass(frozen=True, slots=True)
class Row:
    """One sentence pair as shown."""

    id: str
    status: str
    status_class: int
    source: SentenceView | None
    target: SentenceView
    links: str | None
    n_links: int
    findings: list[Finding]


@dataclass(slots=True)
class Tally:
    """Counts over every row of a document, shown or not."""

    rows: int = 0
    spans: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    source_labels: Counter[str] = field(default_factory=Counter)
    gold_labels: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)

    def add(self, pair: SentencePair, gold: Sentence | None, judged: Iterable[Judged]) -> None:
        """Count one pair; as in the evaluation, equal spans share one verdict."""
        self.rows += 1
        self.spans += len(pair.target.spans)
        self.statuses[pair.status or NO_STATUS] += 1
        self.labels.update(span.label for span in pair.target.spans)
        self.source_labels.update(span.label for span in pair.source.spans)
        self.gold_labels.update(span.label for span in (gold.spans if gold else ()))
        self.verdicts.update(v for _, v in {(entry.span[:3], entry.verdict) for entry in judged})

    def heads(self) -> list[tuple[str, int]]:
        """Rows by status without reason; the known ones first."""
        counts: Counter[str] = Counter()
        for status, n in self.statuses.items():
            counts[status_head(status)] += n
        known = [(head, counts.pop(head)) for head in _HEADS if head in counts]
        return known + sorted(counts.items())

    def reasons(self) -> list[tuple[str, int]]:
        """Rows by full status, for those with a reason; the most common first."""
        given = ((s, n) for s, n in self.statuses.items() if s != status_head(s))
        return sorted(given, key=lambda item: (-item[1], item[0]))

    def all_labels(self) -> set[str]:
        """All labels of the document."""
        return {*self.labels, *self.source_labels, *self.gold_labels}


def status_head(status: str) -> str:
    """A status without its reason: ``empty: no link`` gives ``empty``."""
    return status.partition(":")[0].strip()


def direction(words: Iterable[str]) -> Literal["ltr", "rtl"]:
    """Direction of most letters; HTML's ``auto`` looks at the first one only."""
    kinds = Counter(unicodedata.bidirectional(char) for word in words for char in word)
    return "rtl" if kinds["R"] + kinds["AL"] > kinds["L"] else "ltr"


def gap(sentence: Sentence, i: int) -> str:
    """The text between the words ``i - 1`` and ``i``: as in the raw text, else a space."""
    text, offsets = sentence.text, sentence.offsets
    if text is None or offsets is None or len(offsets) != len(sentence.words):
        return " "
    between = text[offsets[i - 1][1] : offsets[i][0]]
    return " " if between.isspace() else between


def _close(stack: list[Mark], i: int, out: list[Token]) -> list[Mark]:
    """Close the marks that end before word ``i``; other marks closed on the way are returned."""
    ending = [depth for depth, mark in enumerate(stack) if mark.end == i]
    if not ending:
        return []
    popped = stack[ending[0] :]
    del stack[ending[0] :]
    out.extend(Token("close", mark=m, whole=m.end == i) for m in reversed(popped))
    return [mark for mark in popped if mark.end != i]


def tokens(sentence: Sentence, marks: Iterable[Mark]) -> list[Token]:
    """Write a sentence as words, gaps and properly nested marks; crossing marks are cut in two."""
    starting: defaultdict[int, list[Mark]] = defaultdict(list)
    for mark in marks:
        starting[mark.start].append(mark)
    out: list[Token] = []
    stack: list[Mark] = []
    for i, word in enumerate(sentence.words):
        reopened = _close(stack, i, out)
        if i:
            out.append(Token("gap", gap(sentence, i)))
        for mark in sorted([*reopened, *starting[i]], key=lambda m: (-m.end, m.label)):
            stack.append(mark)
            out.append(Token("open", mark=mark))
        out.append(Token("word", word, isolate=not _BIDI_CONTROLS.isdisjoint(word)))
    _close(stack, len(sentence.words), out)
    return out


def sentence_view(sentence: Sentence, marks: Iterable[Mark]) -> SentenceView:
    """Prepare a sentence with its marks."""
    return SentenceView(tokens(sentence, marks), direction(sentence.words))


def link_text(links: WordAlignment) -> str:
    """Links as ``0-0 1-2``, or with scores ``0-0:0.93 1-2:0.80``."""
    if links.scores is None:
        return " ".join(f"{i}-{j}" for i, j in links.pairs)
    scored = zip(links.pairs, links.scores, strict=True)
    return " ".join(f"{i}-{j}:{score:.2f}" for (i, j), score in scored)


def _text(sentence: Sentence, span: Span) -> str:
    words = sentence.words[span.start : span.end]
    gaps = ["", *(gap(sentence, i) for i in range(span.start + 1, span.end))]
    return "".join(part for pair in zip(gaps, words, strict=True) for part in pair)


def _finding(target: Sentence, entry: Judged) -> Finding:
    gold = entry.gold
    return Finding(
        entry.verdict,
        entry.span.label,
        _text(target, entry.span),
        gold.label if gold else "",
        _text(target, gold) if gold else "",
    )


def judge_pair(pair: SentencePair, gold: Sentence) -> list[Judged]:
    """Compare a pair's projected spans with gold. Raises SpanbridgeError if lengths differ."""
    if len(gold.words) != len(pair.target.words):
        raise SpanbridgeError(
            f"row {pair.id}: the gold sentence has {len(gold.words)} words, the target "
            f"{len(pair.target.words)}; give gold for the same words, row by row"
        )
    return judge(pair.target.spans, gold.spans)


def row_view(pair: SentencePair, judged: Sequence[Judged] | None, has_source: bool) -> Row:
    """Prepare one pair; ``judged`` is None without gold."""
    if judged is None:
        marks = [Mark(*span[:4]) for span in pair.target.spans]
    else:
        marks = [Mark(*entry.span[:3], entry.span.score, entry.verdict) for entry in judged]
    status = pair.status or NO_STATUS
    head = status_head(status)
    source = (
        sentence_view(pair.source, (Mark(*span[:4]) for span in pair.source.spans))
        if has_source
        else None
    )
    return Row(
        id=pair.id,
        status=status,
        status_class=_HEADS.index(head) if head in _HEADS else len(_HEADS),
        source=source,
        target=sentence_view(pair.target, marks),
        links=None if pair.links is None else link_text(pair.links),
        n_links=0 if pair.links is None else len(pair.links.pairs),
        findings=[_finding(pair.target, e) for e in judged or () if e.verdict != "right"],
    )
