"""Cutting of long rows: parts of both sides that translate each other, in the same order.

Word alignment looks for each word among all words of the other side. In a row of many sentences
that is among more and more chances to go wrong, and in matrices that grow with the square of the
row. So a long row is cut first, as documents are (Gale and Church 1993; with vectors in place of
lengths, Thompson and Koehn 2019, "Vecalign"):

1. Each side is cut into segments: sentences where its punctuation shows them, else runs of words.
   No cut goes through a source span.
2. Segments become vectors: of the character trigrams of their words in Latin letters, which names
   and numbers share, and of the encoder's states if the aligner has an encoder.
3. Dynamic programming finds the best way through both sides in order, by beads of up to three
   segments that translate each other, and segments that have no translation.
4. Beads are the parts; small ones are joined to the one before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
import numpy.typing as npt

from spanbridge.alignment.base import Aligner
from spanbridge.alignment.lexical_aligner import normal_form
from spanbridge.core.errors import RowError
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span

Vectors = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Range = tuple[int, int]
Bead = tuple[int, int]

# Rows with more words than this on a side are cut; sentences are hardly ever that long.
LONG = 80
# Words of the longest segment, unless a source span is longer.
MAX_SEGMENT = 30
# Parts of fewer words on a side are joined to the part before.
MIN_PART = 6
# Segments of a side, at most: the programme has a cell for each pair of segments.
MAX_SEGMENTS = 3000
# What ends sentences (Unicode property Sentence_Terminal, the common ones), and what may follow.
TERMINAL = frozenset(
    ".!?\u0589\u061d\u061e\u061f\u06d4\u0964\u0965\u104a\u104b\u1362\u1367\u1368\u17d4\u17d5\u203c\u203d"
    "\u2047\u2048\u2049\u3002\ufe52\uff01\uff0e\uff1f\uff61"
)
CLOSING = "\"'\u2019\u201d\u00bb\u203a)]}\u300d\u300f\uff09"
# Source and target segments of a bead.
BEADS = ((1, 1), (1, 2), (2, 1), (2, 2), (1, 3), (3, 1), (1, 0), (0, 1))
# Components of a vector of trigrams.
DIMENSIONS = 2048
# Leaving out a word is worth a similarity of this, so that it is only done for whole sentences that
# resemble nothing.
LEAST = -0.3
# Loss for lengths that differ, per unit of squared log ratio; and for each segment beyond 1-1.
LENGTH = 0.15
UNEVEN = 0.05


class Part(NamedTuple):
    """A part of a row: a pair of its own, and the words of the row at which its sides begin."""

    pair: SentencePair
    source_start: int
    target_start: int


def parts(row: SentencePair, aligner: Aligner) -> list[Part] | RowError:
    """The parts of a row, in order, or the reason why it is too long.

    A row with links of its own, or of at most ``LONG`` words on either side, is one part. Every
    word of a row is in one part; one side of a part may have no words.
    """
    whole = [Part(row, 0, 0)]
    n = len(row.source.words), len(row.target.words)
    if row.links is not None or max(n) <= LONG or not min(n):
        return whole
    cuts = segments(row.source.words, row.source.spans), segments(row.target.words)
    if max(map(len, cuts)) > MAX_SEGMENTS:
        return RowError(
            f"too long to align: {n[0]} and {n[1]} words, more than {MAX_SEGMENTS} sentences or "
            f"pieces of {MAX_SEGMENT} words; split the row"
        )
    if min(map(len, cuts)) == 1:
        return whole
    sides = (row.source.words, row.target.words)
    texts = [[words[a:b] for a, b in cut] for words, cut in zip(sides, cuts, strict=True)]
    sizes = [np.array([len(segment) for segment in side], float) for side in texts]
    chars = [np.array([sum(map(len, segment)) + 1.0 for segment in side]) for side in texts]
    spaces = [spelling_vectors(texts)]
    states = [aligner.sentence_vectors(side) for side in texts]
    if states[0] is not None and states[1] is not None:
        spaces.append([centred(v, w) for v, w in zip(states, sizes, strict=True) if v is not None])
    found = _merged(align_segments(spaces, sizes, chars), sizes)
    at, made = [0, 0], []
    for bead in found:
        (a, b), (c, d) = (
            (cut[k][0], cut[k + step - 1][1]) if step else (0, 0)
            for cut, k, step in zip(cuts, at, bead, strict=True)
        )
        made.append(Part(_sub_pair(row, a, b, c, d), a, c))
        at = [at[0] + bead[0], at[1] + bead[1]]
    return made


def _merged(beads: Sequence[Bead], sizes: Sequence[Floats]) -> list[Bead]:
    """Beads, joined to the one before if either has few words."""
    found: list[Bead] = []
    before = MIN_PART
    at = [0, 0]
    for bead in beads:
        words = max(size[k : k + n].sum() for size, k, n in zip(sizes, at, bead, strict=True))
        at = [at[0] + bead[0], at[1] + bead[1]]
        if found and min(words, before) < MIN_PART:
            found[-1] = found[-1][0] + bead[0], found[-1][1] + bead[1]
            before += words
        else:
            found.append(bead)
            before = words
    return found


def _sub_pair(row: SentencePair, a: int, b: int, c: int, d: int) -> SentencePair:
    """The words [a, b) of the source, with their spans, and [c, d) of the target."""
    spans = [
        span._replace(start=span.start - a, end=span.end - a)
        for span in row.source.spans
        if a <= span.start and span.end <= b
    ]
    return SentencePair(
        row.id, Sentence(row.source.words[a:b], tuple(spans)), Sentence(row.target.words[c:d])
    )


def segments(words: Sequence[str], spans: Sequence[Span] = ()) -> list[Range]:
    """Half-open ranges of words: sentences, or pieces of long ones; none ends inside a span."""
    inside = np.zeros(len(words) + 1, bool)
    for span in spans:
        inside[span.start + 1 : span.end] = True
    ends: list[int] = []
    ended = False
    for n, word in enumerate(words):
        bare = word.rstrip(CLOSING)
        if ended and bare:  # closing quotes and brackets belong to the sentence before
            if not inside[n]:
                ends += _pieces(ends[-1] if ends else 0, n, inside)
            ended = False
        ended = bare[-1:] in TERMINAL if bare else ended
    ends += _pieces(ends[-1] if ends else 0, len(words), inside)
    return list(zip([0, *ends[:-1]], ends, strict=True))


def _pieces(start: int, end: int, inside: npt.NDArray[np.bool_]) -> list[int]:
    """Ends of about equal pieces of a sentence, of at most ``MAX_SEGMENT`` words."""
    n = -(-(end - start) // MAX_SEGMENT)
    cuts = [start + k * (end - start) // n for k in range(1, n)]
    return [cut for cut in cuts if not inside[cut]] + [end]


def spelling_vectors(sides: Sequence[Sequence[Sequence[str]]]) -> list[Vectors]:
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


def centred(vectors: Vectors, sizes: Floats) -> Vectors:
    """Vectors of a side less their mean: what tells its segments apart, weighted by their words."""
    mean = (sizes @ vectors) / sizes.sum()
    return np.asarray((vectors - mean) * sizes[:, None], np.float32)


def align_segments(
    spaces: Sequence[Sequence[Vectors]], sizes: Sequence[Floats], chars: Sequence[Floats]
) -> list[Bead]:
    """Numbers of source and target segments of each bead, in order.

    A bead is worth its words times the excess of its similarity over ``LEAST``.

    Args:
        spaces: vectors of both sides' segments, in each space in which they can be compared.
        sizes, chars: words and characters of both sides' segments.
    """
    k, m = (len(size) for size in sizes)
    gains = [_gains(bead, spaces, sizes, chars) for bead in BEADS]
    best = np.full((k + 1, m + 1), -np.inf, np.float32)
    move = np.zeros((k + 1, m + 1), np.int8)
    best[0, 0] = 0
    for diagonal in range(1, k + m + 1):  # its cells depend on those of earlier ones only
        rows = np.arange(max(0, diagonal - m), min(k, diagonal) + 1)
        for n, ((x, y), gain) in enumerate(zip(BEADS, gains, strict=True)):
            i = rows[(rows >= x) & (diagonal - rows >= y)]
            j = diagonal - i
            value = best[i - x, j - y] + (0 if gain is None else gain[i - x, j - y])
            better = value > best[i, j]
            best[i[better], j[better]] = value[better]
            move[i[better], j[better]] = n
    path = []
    while k or m:
        x, y = BEADS[move[k, m]]
        path.append((x, y))
        k, m = k - x, m - y
    return path[::-1]


def _gains(
    bead: Bead,
    spaces: Sequence[Sequence[Vectors]],
    sizes: Sequence[Floats],
    chars: Sequence[Floats],
) -> Vectors | None:
    """What the beads that begin at each pair of segments are worth; None if one side is empty."""
    x, y = bead
    if not x or not y:
        return None
    total = chars[1].sum() / chars[0].sum()
    ratio = _sums(chars[1], y)[None, :] / _sums(chars[0], x)[:, None] / total
    gain = -LENGTH * np.log(ratio.astype(np.float32)) ** 2 - LEAST - UNEVEN * (x + y - 2)
    for source, target in spaces:
        gain += _unit(_sums(source, x)) @ _unit(_sums(target, y)).T / len(spaces)
    gain *= _sums(sizes[0], x)[:, None] + _sums(sizes[1], y)[None, :]
    return np.asarray(gain, np.float32)


def _sums(values: npt.NDArray[Any], n: int) -> npt.NDArray[Any]:
    """Sums of each ``n`` consecutive entries; none if there are fewer."""
    kept = max(0, len(values) - n + 1)
    return np.asarray(sum(values[k : k + kept] for k in range(n)))


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1))
