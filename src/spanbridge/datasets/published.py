"""Layouts in which single data sets are published, which no format of this package reads."""

from __future__ import annotations

import json
import re
from ast import literal_eval
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import lines, reason, text_of
from spanbridge.core.rows import SIDES, SentencePair, Side
from spanbridge.core.spans import ABSENT, Sentence, Span
from spanbridge.datasets.rows import linked
from spanbridge.formats.base import Counts, one_side
from spanbridge.formats.offsets import place_spans
from spanbridge.formats.side_by_side import parallel

Groups = Sequence[Sequence[Path]]
Reader = Callable[[Groups, Side, Counts], Iterator[SentencePair]]

_MARK = re.compile(r"<e([12])> ?| ?</e([12])>")
_RELX = re.compile(r'(\d+)\t"(.*)"')
_SEGMENT = re.compile(r"\s*<s snum=(\d+)>(.*)</s>\s*")
_LINK = re.compile(r"(\d+)-(\d+)")


def read_squad(groups: Groups, side: Side, counts: Counts) -> Iterator[SentencePair]:
    """Paragraphs with the answers to their questions as spans (label ``ANSWER``).

    Of two files, the questions of the same id belong together: a row is a pair of paragraphs with
    the answers that both have. The id of a row is that of its first question.
    """
    path = groups[0][0]
    if len(groups) == 1:
        for (first, *_), (text, answers) in _paragraphs(path):
            counts.n_rows += 1
            yield one_side(first, _placed(path, text, answers.values(), side, counts), side)
        return
    other_path = groups[1][0]
    source, target = dict(_paragraphs(path)), dict(_paragraphs(other_path))
    where = {question: ids for ids in target for question in ids}
    for ids, (text, answers) in source.items():
        # the questions of one paragraph may be asked of several ones in the other language
        for other in dict.fromkeys(where[question] for question in ids if question in where):
            shared = [question for question in ids if where.get(question) == other]
            other_text, others = target[other]
            counts.n_rows += 1
            yield SentencePair(
                shared[0],
                _placed(path, text, [answers[q] for q in shared], "source", counts),
                _placed(other_path, other_text, [others[q] for q in shared], "target", counts),
            )


def _paragraphs(path: Path) -> Iterator[tuple[tuple[str, ...], tuple[str, dict[str, Span]]]]:
    """Ids of the questions of each paragraph, its text, and the answers by id."""
    try:
        articles = json.loads(text_of(path))["data"]
        for paragraph in (one for article in articles for one in article["paragraphs"]):
            text, answers = paragraph["context"], {}
            for question in paragraph["qas"]:
                first = question["answers"][0]
                start = first["answer_start"]
                answers[str(question["id"])] = Span(start, start + len(first["text"]), "ANSWER")
            if answers:
                yield tuple(answers), (text, answers)
    except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise InputError(path, None, f"is no JSON of SQuAD ({reason(error)})") from error


def read_relx(groups: Groups, side: Side, counts: Counts) -> Iterator[SentencePair]:
    """Sentences with two marked entities, ``E1`` and ``E2``, which do not overlap."""
    read = [_of_relx(group[0]) for group in groups]
    names: Sequence[Side] = SIDES if len(groups) > 1 else (side,)
    for found in zip(*read, strict=True):
        if len({one[0] for one in found}) > 1:
            raise InputError(groups[1][0], None, f"lacks the row {found[0][0]} at its place")
        placed: dict[str, Sentence] = {}
        for name, group, (_, text, spans, _) in zip(names, groups, found, strict=True):
            full = [span for span in spans if span.start < span.end]
            counts.leave_out("marks with nothing between them left out", len(spans) - len(full))
            placed[name] = _placed(group[0], text, full, name, counts)
        source, target = (placed.get(name, ABSENT) for name in SIDES)
        counts.n_rows += 1
        yield SentencePair(found[0][0], source, target, extra={"relation": found[0][3]})


def _of_relx(path: Path) -> Iterator[tuple[str, str, list[Span], str]]:
    rows = iter(enumerate(lines(path), 1))
    for number, line in rows:
        if not line.strip():
            continue
        found = _RELX.fullmatch(line.strip())
        if found is None:
            raise InputError(path, number, 'is no row of RELX: NUMBER, a tab, "SENTENCE"')
        try:
            yield found[1], *_unmarked(found[2]), next(rows, (0, ""))[1].strip()
        except SpanbridgeError as error:
            raise InputError(path, number, str(error)) from error


def _unmarked(marked: str) -> tuple[str, list[Span]]:
    """A text without its marks and the blanks inside them, and the spans that they were around."""
    text, spans, at = "", [], 0
    begun: dict[str, int] = {}
    for mark in _MARK.finditer(marked):
        text += marked[at : mark.start()]
        at = mark.end()
        opens, closes = mark.groups()
        if opens:
            begun[opens] = len(text)
        elif closes in begun:
            spans.append(Span(begun.pop(closes), len(text), f"E{closes}"))
        else:
            raise SpanbridgeError(f"has </e{closes}> without <e{closes}>")
    if begun:
        raise SpanbridgeError(f"has <e{min(begun)}> without </e{min(begun)}>")
    return text + marked[at:], spans


def read_m_absa(groups: Groups, side: Side, counts: Counts) -> Iterator[SentencePair]:
    """Sentences with opinion terms (label ``ASPECT``), each at its first places in the text.

    Terms that are not in the text, and ``NULL``, are counted and left out. Rows of two files run
    parallel.
    """
    names: Sequence[Side] = SIDES if len(groups) > 1 else (side,)
    found = [
        list(_of_m_absa(group[0], name, counts)) for group, name in zip(groups, names, strict=True)
    ]
    counts.n_rows += len(found[0])
    if len(found) == 1:
        yield from (one_side(str(n), one, side) for n, (_, one) in enumerate(found[0], 1))
        return
    rows = parallel(iter(found[0]), groups[0][0], iter(found[1]), groups[1][0])
    for n, ((_, source), (_, target)) in enumerate(rows, 1):
        yield SentencePair(str(n), source, target)


def _of_m_absa(path: Path, side: Side, counts: Counts) -> Iterator[tuple[int, Sentence]]:
    for number, line in enumerate(lines(path), 1):
        text, mark, given = line.rpartition("####")
        try:
            terms = dict.fromkeys(str(term) for term, *_ in literal_eval(given.strip()))
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError) as error:
            why = "is no row of M-ABSA: TEXT####[[TERM, CATEGORY, POLARITY]]"
            raise InputError(path, number, why) from error
        if not mark:
            raise InputError(path, number, "is no row of M-ABSA: it has no ####")
        spans = []
        for term in terms:
            start = text.find(term)
            if term == "NULL" or start < 0:
                counts.leave_out("opinion terms that are not in their text")
            else:
                spans.append(Span(start, start + len(term), "ASPECT"))
        yield number, _placed(path, text, spans, side, counts)


def read_linked(groups: Groups, side: Side, counts: Counts) -> Iterator[SentencePair]:
    """Pairs of tokenised sentences with their links on one line, separated by tabs; all sure."""
    path = groups[0][0]
    for number, line in enumerate(lines(path), 1):
        cells = line.split("\t")
        links = [_LINK.fullmatch(link) for link in cells[-1].split()]
        if len(cells) != 3 or None in links:
            raise InputError(path, number, "is no SOURCE, tab, TARGET, tab, links such as 0-0")
        pairs = [(int(link[1]), int(link[2])) for link in links if link]
        source, target = (Sentence(tuple(cell.split())) for cell in cells[:2])
        counts.n_rows += 1
        try:
            yield linked(SentencePair(str(number), source, target), pairs, pairs)
        except SpanbridgeError as error:
            raise InputError(path, number, str(error)) from error


def read_wpt(groups: Groups, side: Side, counts: Counts) -> Iterator[SentencePair]:
    """The shared task of 2003: two files of numbered sentences, and one of links."""
    source, target = (_segments(group[0]) for group in groups[:2])
    path = groups[2][0]
    links: dict[str, list[tuple[int, int, bool]]] = {}
    for number, line in enumerate(_latin(path), 1):
        cells = line.split()
        if len(cells) not in (3, 4) or not all(cell.isdecimal() for cell in cells[:3]):
            raise InputError(path, number, "is no link: SENTENCE SOURCE TARGET, and S or P")
        sure = cells[3:] in ([], ["S"])
        links.setdefault(cells[0].lstrip("0"), []).append((int(cells[1]), int(cells[2]), sure))
    for key, words in source.items():
        if key not in target:
            raise InputError(groups[1][0], None, f"lacks the sentence {key}")
        row = SentencePair(key, Sentence(words), Sentence(target[key]))
        found = [(i - 1, j - 1, is_sure) for i, j, is_sure in links.get(key, [])]
        counts.n_rows += 1
        try:
            yield linked(row, [f[:2] for f in found if f[2]], [f[:2] for f in found])
        except SpanbridgeError as error:
            raise InputError(path, None, f"sentence {key}: {error}") from error


def _segments(path: Path) -> dict[str, tuple[str, ...]]:
    found = {}
    for number, line in enumerate(_latin(path), 1):
        segment = _SEGMENT.fullmatch(line)
        if segment is None:
            raise InputError(path, number, "is no sentence: <s snum=1> WORDS </s>")
        found[segment[1].lstrip("0")] = tuple(segment[2].split())
    return found


def _latin(path: Path) -> list[str]:
    try:
        return [line for line in path.read_text("latin-1").split("\n") if line.strip()]
    except OSError as error:
        raise InputError(path, None, f"cannot be read ({reason(error)})") from error


def _placed(path: Path, text: str, spans: Any, side: Side, counts: Counts) -> Sentence:
    """A text with its spans over words. Raises InputError for one that lies outside."""
    places = counts.places[side]
    try:
        return place_spans(text, sorted(set(spans)), side, "spans", "characters", places)
    except SpanbridgeError as error:
        raise InputError(path, None, f"{text[:40]!r}: {error}") from error


READERS: Mapping[str, Reader] = {
    "squad": read_squad,
    "relx": read_relx,
    "m-absa": read_m_absa,
    "linked": read_linked,
    "wpt": read_wpt,
}
