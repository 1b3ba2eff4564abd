"""What the aligned encoder learns from: pairs with spans on both sides, and links between words.

All of it may be used for weights that are shipped: xSID, XQuAD and UNER-PUD (CC BY-SA 4.0), RELX
(MIT), AbstRCT (Apache-2.0), and two translated manuals (CC BY-SA 3.0), which Debian packages.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from spanbridge.alignment.statistical import FusedAligner
from spanbridge.core.progress import Progress, Task
from spanbridge.core.rows import SentencePair
from spanbridge.core.scripts import is_unspaced
from spanbridge.core.soft_alignment import SoftAlignment
from spanbridge.core.spans import Sentence, Span
from spanbridge.formats.base import DEFAULT_READING, Counts
from spanbridge.formats.json_objects import objects
from spanbridge.formats.jsonl import RowReader
from spanbridge.formats.segmentation import icu_words, words
from spanbridge.formats.tokens import tokenize
from spanbridge.training.aligned.examples import LABELLED, Named
from spanbridge.training.aligned.markup import GNOME, HANDBOOK, Block, Manual

# Manuals, by the folder that Debian's packages unpack to.
MANUALS: tuple[tuple[str, Manual, str], ...] = (
    ("gnome", GNOME, "gnome-user-docs/usr/share/help"),
    ("handbook", HANDBOOK, "debian-handbook/usr/share/doc/debian-handbook/html"),
)
# Blocks of each manual and language, at most; those with spans first.
MAX_BLOCKS = 1600
MIN_WORDS, MAX_WORDS = 3, 170
MAX_RATIO = 2.5
# Least mass, in both directions, of a link that is learned.
MIN_LINK = 0.35
CHUNK = 200


def labelled(data: Path) -> Iterator[Named]:
    """Pairs of the files with gold spans on both sides."""
    for name in LABELLED:
        for path in sorted((data / name).glob("*.jsonl")):
            read = RowReader(path, "target", DEFAULT_READING, Counts(), None)
            for line, row in objects(path):
                row["target_spans"] = row.pop("gold_target_spans")
                yield Named(f"{name}/{path.name.partition('.')[0]}", read(row, line))


def translated(manuals: Path, seed: int) -> Iterator[Named]:
    """Pairs of the manuals."""
    for name, manual, below in MANUALS:
        folder = manuals / below
        for language in sorted(p.name for p in folder.iterdir() if p.is_dir()):
            if language == manual.english:
                continue
            blocks = list(manual.read(folder, language))
            random.Random(f"{seed} {name} {language}").shuffle(blocks)
            blocks.sort(key=lambda block: not block.spans)
            pairs = (_pair(block, language) for block in blocks)
            kept = (pair for pair in pairs if pair is not None)
            for _, pair in zip(range(MAX_BLOCKS), kept, strict=False):
                yield Named(f"{name}/{language}", pair)


def _pair(block: Block, language: str) -> SentencePair | None:
    source = _cut(block.source, "en", [at for span in block.spans for at in span[:2]])
    target = _cut(block.target, language, [at for span in block.spans for at in span[2:]])
    n, m = len(source.words), len(target.words)
    if not (min(n, m) >= MIN_WORDS and max(n, m) <= min(MAX_WORDS, MAX_RATIO * min(n, m))):
        return None
    sources, targets = [], []
    for label, one in enumerate(block.spans):
        sources.append(Span(*_words_at(source, *one[:2]), str(label)))
        targets.append(Span(*_words_at(target, *one[2:]), str(label)))
    return SentencePair(
        "",
        replace(source, spans=tuple(sources)),
        replace(target, spans=tuple(targets)),
    )


def _cut(text: str, language: str, edges: Iterable[int]) -> Sentence:
    if any(is_unspaced(character) for character in text):
        found, offsets = words(text, language[:2], icu_words())
    else:
        found, offsets = tokenize(text, edges)
    return Sentence(found, (), text, offsets)


def _words_at(sentence: Sentence, start: int, end: int) -> tuple[int, int]:
    inside = [n for n, (a, b) in enumerate(sentence.offsets or ()) if b > start and a < end]
    return inside[0], inside[-1] + 1


def links(
    pairs: Sequence[Named], aligner: FusedAligner, progress: Progress
) -> list[npt.NDArray[np.float32]]:
    """Links by the fused aligner, which is fitted on all pairs of a language.

    Returns:
        For each pair rows of (source word, target word, mass in both directions), [n, 3].
    """
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for n, (name, _) in enumerate(pairs):
        kind, _, language = name.partition("/")
        groups[name if kind in LABELLED else language[:2]].append(n)
    out = [np.zeros((0, 3), np.float32)] * len(pairs)
    for numbers in progress(groups.values(), Task("aligning", len(groups), unit="languages")):
        aligner.fit([pairs[n].pair for n in numbers])
        for start in range(0, len(numbers), CHUNK):
            some = numbers[start : start + CHUNK]
            found = aligner.soft_align([pairs[n].pair for n in some])
            for n, soft in zip(some, found, strict=True):
                if isinstance(soft, SoftAlignment):
                    out[n] = _strong(soft)
    return out


def _strong(soft: SoftAlignment) -> npt.NDArray[np.float32]:
    mass = np.sqrt(soft.forward * soft.backward)
    rows, columns = np.nonzero(mass >= MIN_LINK)
    return np.stack([rows, columns, mass[rows, columns]], 1).astype(np.float32)
