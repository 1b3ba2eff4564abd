"""Cutting of long rows: parts of both sides that translate each other.

Word alignment looks for each word among all words of the other side. In a row of many sentences
that is among more and more chances to go wrong, and in matrices that grow with the square of the
row. So a long row is cut first, as documents are:

1. Each side is cut into segments: sentences where its punctuation or a blank line shows them, else
   runs of words.
2. Segments become vectors: of the character trigrams of their words in Latin letters, which names
   and numbers share, and of the encoder's states if the aligner has an encoder.
3. Both sides' segments are aligned in order (:mod:`spanbridge.alignment.beads`). The beads are the
   parts; small ones are joined to the one before, and so is what would cut a source span in two.
4. A cut beside no sentence end is moved to where the fewest words near it translate words on its
   other side.
5. Parts without a counterpart, on both sides, that are alike are moved sentences: one part.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple
from zlib import crc32

import numpy as np
import numpy.typing as npt

from spanbridge.alignment.base import Aligner
from spanbridge.alignment.beads import (
    Bead,
    Floats,
    Indices,
    Text,
    Vectors,
    align_segments,
    most_alike,
    unit,
)
from spanbridge.alignment.grid import Grid
from spanbridge.alignment.lexical_aligner import normal_form
from spanbridge.alignment.soft import cosines, soft_links
from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SentencePair
from spanbridge.core.soft_alignment import too_long
from spanbridge.core.spans import Sentence, Span

Words = Sequence[str]
Ranges = tuple[int, int, int, int]  # source words from and to, target words from and to

# Rows with more words than this on a side are cut; sentences are hardly ever that long.
LONG = 80
# Longer sentences are taken for text without punctuation: runs of so many words.
MAX_SEGMENT = 20
# Parts of fewer words are joined to the part before; and if no sentence ends there.
MIN_PART, MIN_RUN = 6, 40
# Words on each side of a cut that are looked at to move it, by half as many.
AROUND = 40
# Least similarity of a moved sentence and its translation: hardly ever that of others.
MOVED = 0.35
# What ends sentences (Unicode property Sentence_Terminal, the common ones), and what may follow.
TERMINAL = frozenset(
    ".!?\u0589\u061d\u061e\u061f\u06d4\u0964\u0965\u104a\u104b\u1362\u1367\u1368\u17d4\u17d5\u203c\u203d"
    "\u2047\u2048\u2049\u3002\ufe52\uff01\uff0e\uff1f\uff61"
)
CLOSING = "\"'\u2019\u201d\u00bb\u203a)]}\u300d\u300f\uff09"
# Components of a vector of trigrams.
DIMENSIONS = 2048


class Part(NamedTuple):
    """A part of a row: a pair of its own, and the words of the row at which its sides begin."""

    pair: SentencePair
    source_start: int
    target_start: int


class Cut(NamedTuple):
    """A place between two parts.

    Attributes:
        at: the words of source and target that begin there.
        ends: whether a sentence of source and target ends there.
    """

    at: tuple[int, int]
    ends: tuple[bool, bool]


BEGIN = Cut((0, 0), (True, True))


def parts(row: SentencePair, aligner: Aligner | None) -> list[Part]:
    """The parts of a row, in order of the source.

    A row of at most ``LONG`` words on either side is one part, and so is one with links of its own,
    unless these are too many for a matrix. Every word of a row is in one part; one side of a part
    may have no words.
    """
    whole = [Part(row, 0, 0)]
    n = len(row.source.words), len(row.target.words)
    if row.links is not None:
        if too_long(*n) is None:
            return whole
        return _made(row, _ranges(_between_links(row, row.links)))
    if aligner is None or max(n) <= LONG or not min(n):
        return whole
    sides = row.source, row.target
    segmented = [segments(side) for side in sides]
    if min(len(one) for one in segmented) == 1:
        return whole
    pieces = [
        [side.words[a:b] for a, b in pairwise((0, *ends))]
        for side, ends in zip(sides, segmented, strict=True)
    ]
    texts = _texts(pieces, aligner)
    cuts = _kept(_cuts(align_segments(*texts), segmented), row)
    ranges = _reunited(_ranges(_settled(cuts, row, aligner)), segmented, texts)
    return _made(row, ranges)


def _texts(pieces: Sequence[Sequence[Words]], aligner: Aligner) -> tuple[Text, Text]:
    """Both sides' segments as vectors."""
    sizes = [np.array([len(piece) for piece in side], float) for side in pieces]
    chars = [np.array([sum(map(len, piece)) + 1.0 for piece in side]) for side in pieces]
    spaces = [[vectors] for vectors in spelling_vectors(pieces)]
    states = [aligner.sentence_vectors(side) for side in pieces]
    for side, vectors, words in zip(spaces, states, sizes, strict=True):
        if vectors is not None:
            side.append(_centred(vectors, words))
    source, target = map(Text, spaces, sizes, chars)
    return source, target


def _cuts(beads: Sequence[Bead], segmented: Sequence[dict[int, bool]]) -> list[Cut]:
    """The cuts after each bead, with one before the first."""
    ends = [[(0, True), *one.items()] for one in segmented]
    found, i, j = [BEGIN], 0, 0
    for x, y in beads:
        i, j = i + x, j + y
        (a, at_a), (b, at_b) = ends[0][i], ends[1][j]
        found.append(Cut((a, b), (at_a, at_b)))
    return found


def _kept(cuts: Sequence[Cut], row: SentencePair) -> list[Cut]:
    """The cuts that make no part too small and cut no source span."""
    inside = _inside(row.source)
    *rest, last = cuts
    found = rest[:1]
    for cut, after in pairwise([*rest[1:], last]):
        begun = found[-1]
        before, words = (
            max(b - a for a, b in zip(one.at, other.at, strict=True))
            for one, other in pairwise((begun, cut, after))
        )
        enough = min(before, words) >= MIN_PART if all(cut.ends) else before >= MIN_RUN
        if enough and not inside[cut.at[0]]:
            found.append(cut)
    return [*found, last]


def _inside(source: Sentence) -> npt.NDArray[np.bool_]:
    """Places between words, [words + 1], that lie inside a span."""
    inside = np.zeros(len(source.words) + 1, bool)
    for span in source.spans:
        inside[span.start + 1 : span.end] = True
    return inside


def _settled(cuts: Sequence[Cut], row: SentencePair, aligner: Aligner) -> list[Cut]:
    """The cuts, with those at no sentence end where the fewest translations cross them.

    A cut is moved by no more than half of what separates it from the next ones.
    """
    sides = row.source.words, row.target.words
    least = min(map(len, sides))
    around = [AROUND * len(words) // least for words in sides]
    inside = _inside(row.source)
    found = list(cuts)
    for n, (before, cut, after) in enumerate(zip(cuts, cuts[1:], cuts[2:], strict=False), 1):
        if all(cut.ends):
            continue
        starts, windows, places = [], [], []
        for side, words in enumerate(sides):
            at, width = cut.at[side], around[side]
            starts.append(max(0, at - width))
            windows.append(words[starts[side] : at + width])
            low, high = ((other.at[side] + at + 1) // 2 for other in (before, after))
            near = np.arange(max(low, at - width // 2), max(at + 1, min(high, at + width // 2)))
            places.append(np.array([at]) if cut.ends[side] else near)
        places[0] = places[0][~inside[places[0]]]
        i, j = _least_crossed(_mass(windows, aligner), places[0] - starts[0], places[1] - starts[1])
        found[n] = cut._replace(at=(starts[0] + i, starts[1] + j))
    return found


def _mass(windows: Sequence[Words], aligner: Aligner) -> Floats:
    """How much the words of two windows translate each other, less the mean."""
    vectors = aligner.word_vectors(windows)
    if vectors is None:
        vectors = [unit(v) for v in spelling_vectors([[(w,) for w in side] for side in windows])]
    grid = Grid([(windows[0], windows[1])])
    forward, backward = soft_links(grid, grid.flat([cosines(*vectors)]))
    [mass] = grid.matrices(np.sqrt(forward * backward))
    return np.asarray(mass - mass.mean())


def _least_crossed(mass: Floats, rows: Indices, columns: Indices) -> tuple[int, int]:
    """Of some places between rows and columns, those with most mass before both or after both."""
    total = np.zeros((mass.shape[0] + 1, mass.shape[1] + 1))
    total[1:, 1:] = mass.cumsum(0).cumsum(1)
    before = total[np.ix_(rows, columns)]
    after = total[-1, -1] - total[rows, -1][:, None] - total[-1, columns] + before
    i, j = np.unravel_index((before + after).argmax(), before.shape)
    return int(rows[i]), int(columns[j])


def _between_links(row: SentencePair, links: WordAlignment) -> list[Cut]:
    """Cuts that no link crosses, between parts of ``MIN_RUN`` words or more."""
    first = np.full(links.n_source + 1, links.n_target)  # target words of the source's, from each
    last = np.zeros(links.n_source + 1, np.int64)  # and up to each
    for i, j in links.pairs:
        first[i] = min(first[i], j)
        last[i + 1] = max(last[i + 1], j + 1)
    first = np.minimum.accumulate(first[::-1])[::-1]
    last = np.maximum.accumulate(last)
    cuts = [Cut((i, int(last[i])), (False, False)) for i in np.flatnonzero(last <= first).tolist()]
    end = Cut((links.n_source, links.n_target), (True, True))
    return _kept([BEGIN, *cuts[1:-1], end], row)


def _ranges(cuts: Sequence[Cut]) -> list[Ranges]:
    """The parts between cuts."""
    return [(a.at[0], b.at[0], a.at[1], b.at[1]) for a, b in pairwise(cuts)]


def _reunited(
    ranges: Sequence[Ranges], segmented: Sequence[dict[int, bool]], texts: Sequence[Text]
) -> list[Ranges]:
    """Parts with words on one side only, and those of the other side that are most alike, as one.

    Such parts are sentences in another order than their translations; others stay as they are.
    """
    lone = (
        [one for one in ranges if one[2] == one[3]],
        [one for one in ranges if one[0] == one[1]],
    )
    vectors = []  # of each side's parts, in each space
    for k, (side, text, ends) in enumerate(zip(lone, texts, segmented, strict=True)):
        places = np.searchsorted(list(ends), [one[2 * k : 2 * k + 2] for one in side], "right")
        vectors.append([np.array([space[a:b].sum(0) for a, b in places]) for space in text.spaces])
    found = dict(most_alike(list(zip(*vectors, strict=True)), MOVED)) if all(lone) else {}
    pairs = {lone[0][i]: lone[1][j] for i, j in found.items()}
    taken = set(pairs.values())
    return [
        (*one[:2], *pairs[one][2:]) if one in pairs else one for one in ranges if one not in taken
    ]


def _made(row: SentencePair, ranges: Sequence[Ranges]) -> list[Part]:
    """The parts of a row, each with the spans that lie in it."""
    begins = [a for a, b, _, _ in ranges if a < b]
    spans: dict[int, list[Span]] = {a: [] for a in begins}
    for span in row.source.spans:
        spans[begins[bisect_right(begins, span.start) - 1]].append(span)
    return [_part(row, one, spans[one[0]] if one[0] < one[1] else ()) for one in ranges]


def _part(row: SentencePair, within: Ranges, spans: Sequence[Span]) -> Part:
    a, b, c, d = within
    moved = (span._replace(start=span.start - a, end=span.end - a) for span in spans)
    links = row.links
    if links is not None:
        first, last = (bisect_left(links.pairs, (at,)) for at in (a, b))
        pairs = [(i - a, j - c) for i, j in links.pairs[first:last]]
        scores = None if links.scores is None else links.scores[first:last]
        links = WordAlignment.of(pairs, b - a, d - c, scores)
    source = _piece(row.source, a, b).with_spans(tuple(moved))
    return Part(SentencePair(row.id, source, _piece(row.target, c, d), links), a, c)


def _piece(sentence: Sentence, start: int, end: int) -> Sentence:
    """The words [start, end), with their raw text if there is one."""
    words, offsets = sentence.words[start:end], sentence.offsets
    if sentence.text is None or not offsets or not words:
        return Sentence(words)
    first = offsets[start][0]
    moved = tuple((a - first, b - first) for a, b in offsets[start:end])
    return Sentence(words, (), sentence.text[first : offsets[end - 1][1]], moved)


def segments(sentence: Sentence) -> dict[int, bool]:
    """Where segments end: sentences, or about equal runs of words of those above ``LONG``.

    Returns:
        The words after which they end, in order, and whether that is the end of a sentence.
    """
    found: dict[int, bool] = {}
    start, ended = 0, False
    words = sentence.words
    for n, word in enumerate(words):
        bare = word.rstrip(CLOSING)
        # closing quotes and brackets belong to the sentence before
        if n and ((ended and bare) or _blank_line(sentence, n)):
            found |= _runs(start, n)
            start, ended = n, False
        ended = bare[-1:] in TERMINAL if bare else ended
    return found | _runs(start, len(words))


def _blank_line(sentence: Sentence, n: int) -> bool:
    """Whether there is one before a word of raw text."""
    if sentence.text is None or not sentence.offsets:
        return False
    between = sentence.text[sentence.offsets[n - 1][1] : sentence.offsets[n][0]]
    return between.count("\n") > 1


def _runs(start: int, end: int) -> dict[int, bool]:
    """Where segments of a sentence end: at its end, unless it is long."""
    n = 1 if end - start <= LONG else -(-(end - start) // MAX_SEGMENT)
    return {start + k * (end - start) // n: k == n for k in range(1, n + 1)}


def spelling_vectors(sides: Sequence[Sequence[Words]]) -> list[Vectors]:
    """Vectors of the segments of both sides by the trigrams of their words in Latin letters.

    Trigrams are weighted by their inverse document frequency among the segments of both sides.
    """
    from anyascii import anyascii

    n = sum(map(len, sides))
    frequency = np.zeros(DIMENSIONS)
    bags = [
        [
            Counter(
                crc32(gram.encode()) % DIMENSIONS
                for word in segment
                for gram in _trigrams(normal_form(anyascii(word)))
            )
            for segment in side
        ]
        for side in sides
    ]
    for side in bags:
        for bag in side:
            frequency[list(bag)] += 1
    rarity = np.log(n / np.maximum(frequency, 1)) + 0.1
    found = []
    for side in bags:
        vectors = np.zeros((len(side), DIMENSIONS), np.float32)
        for row, bag in enumerate(side):
            at = list(bag)
            vectors[row, at] = np.sqrt(list(bag.values())) * rarity[at]
        found.append(vectors)
    return found


def _trigrams(word: str) -> list[str]:
    padded = f" {word} "
    return [padded[k : k + 3] for k in range(max(1, len(padded) - 2))] if word else []


def _centred(vectors: Vectors, sizes: Floats) -> Vectors:
    """Vectors of a side less their mean: what tells its segments apart, weighted by their words."""
    mean = (sizes @ vectors) / sizes.sum()
    return np.asarray((vectors - mean) * sizes[:, None], np.float32)
