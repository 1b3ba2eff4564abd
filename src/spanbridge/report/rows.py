"""Rows as the page holds them: short JSON, from which its script draws."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.formats.tokens import in_same_words
from spanbridge.report.verdicts import VERDICTS, Judged, judge


class Numbers(dict[str, int]):
    """Names, each with a number from 0 on, which it gets when it is first looked up."""

    def __missing__(self, name: str) -> int:
        number = self[name] = len(self)
        return number


def gap(sentence: Sentence, i: int) -> str:
    """The text between the words ``i - 1`` and ``i``: as in the raw text, else a space."""
    text, offsets = sentence.text, sentence.offsets
    if text is None or offsets is None or len(offsets) != len(sentence.words):
        return " "
    between = text[offsets[i - 1][1] : offsets[i][0]]
    return " " if between.isspace() else between


def written(sentence: Sentence) -> str | list[str]:
    """The words with a space between them; where that is not enough, words and gaps by turns."""
    words = sentence.words
    plain = " ".join(words)
    apart = sentence.text is None or sentence.text == plain
    if words and apart and plain.count(" ") == len(words) - 1:
        return plain
    parts = [part for i, word in enumerate(words) for part in (gap(sentence, i), word)]
    return parts[1:]


def link_text(links: WordAlignment) -> str:
    """Links as ``0-0 1-2``, or with scores ``0-0:0.93 1-2:0.80``."""
    if links.scores is None:
        return " ".join(f"{i}-{j}" for i, j in links.pairs)
    scored = zip(links.pairs, links.scores, strict=True)
    return " ".join(f"{i}-{j}:{score:.2f}" for (i, j), score in scored)


def with_gold(pair: SentencePair, gold: Sentence) -> tuple[SentencePair, Sentence, list[Judged]]:
    """A pair and its gold target over the same words, and the verdicts on its spans.

    Raises SpanbridgeError if the lengths differ.
    """
    pair, gold = _in_same_words(pair, gold)
    if len(gold.words) != len(pair.target.words):
        raise SpanbridgeError(
            f"row {pair.id}: the gold sentence has {len(gold.words)} words, the target "
            f"{len(pair.target.words)}; give gold for the same words, row by row"
        )
    return pair, gold, judge(pair.target.spans, gold.spans)


def _in_same_words(pair: SentencePair, gold: Sentence) -> tuple[SentencePair, Sentence]:
    target, gold = in_same_words(pair.target, gold)
    links = links_in_parts(pair.links, pair.target, target)
    return pair._replace(target=target, links=links), gold


def links_in_parts(
    links: WordAlignment | None, before: Sentence, after: Sentence
) -> WordAlignment | None:
    """Links of a target some of whose words are split since: they go to every part of a word."""
    if before.words == after.words or links is None or not (before.offsets and after.offsets):
        return links
    parts = [
        [n for n, (a, b) in enumerate(after.offsets) if start <= a and b <= end]
        for start, end in before.offsets
    ]
    given = links.scores or [None] * len(links.pairs)
    moved = {(i, n): p for (i, j), p in zip(links.pairs, given, strict=True) for n in parts[j]}
    scores = None if links.scores is None else [p for p in moved.values() if p is not None]
    return WordAlignment.of(list(moved), links.n_source, len(after.words), scores)


def row_values(
    pair: SentencePair,
    judged: Sequence[Judged] | None,
    status: int,
    labels: Mapping[str, int],
    has_source: bool,
) -> dict[str, Any]:
    """One pair for the page's script; what is unknown is left out.

    Args:
        pair: the row.
        judged: verdicts on its spans; None without gold.
        status: number of its status.
        labels: number of each label.
        has_source: False if only the target sentences are known.
    """
    entries = (Judged(s, None, None) for s in pair.target.spans) if judged is None else judged
    sure = pair.target.empty_probability if pair.confidence is None else pair.confidence
    target: dict[str, Any] = _side(pair.target, (_span_values(e, labels) for e in entries))
    row: dict[str, Any] = {"id": pair.id, "status": status, "target": target}
    if has_source:
        spans = ([*span[:2], labels[span.label]] for span in pair.source.spans)
        row["source"] = _side(pair.source, spans)
    if pair.links is not None:
        row["links"] = link_text(pair.links)
    if sure is not None:
        row["sure"] = round(sure, 3)
    return row


def _side(sentence: Sentence, spans: Iterable[list[Any]]) -> dict[str, Any]:
    return {"text": written(sentence), "spans": list(spans)}


def _span_values(entry: Judged, labels: Mapping[str, int]) -> list[Any]:
    """Start, end, label, score; with gold also the verdict, and the gold span of a wrong one."""
    (start, end, label, score, _), verdict, gold = entry
    values: list[Any] = [start, end, labels[label], None if score is None else round(score, 3)]
    if verdict is not None:
        values.append(VERDICTS.index(verdict))
        if verdict not in ("right", "missed") and gold is not None:
            values.append(_place(gold, labels))
    return values


def _place(span: Span, labels: Mapping[str, int]) -> list[int]:
    return [span.start, span.end, labels[span.label]]
