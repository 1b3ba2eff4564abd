"""Stages that make raw text ready, and put it together again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any, ClassVar

from spanbridge.core.errors import MissingExtraError, SpanbridgeError
from spanbridge.core.links import WordAlignment
from spanbridge.core.spans import Sentence, SentencePair, Span
from spanbridge.data import segmentation
from spanbridge.data.segmentation import Cutter
from spanbridge.data.tokens import tokenize
from spanbridge.pipeline.account import PROJECTED, REJECTED, Account
from spanbridge.pipeline.stages.base import (
    OTHER,
    SPLIT,
    Context,
    Part,
    SegmenterPart,
    Side,
    SplitterPart,
    Stage,
    Worker,
)

# The field that says which text a sentence is of, and where it stands; no input has it.
SENTENCE_OF = "\0sentence of"


class Repair(Stage):
    """Mend text whose UTF-8 was read as Latin-1 or Windows-1252 and encoded again (``EspaÃ±a``).

    By ``ftfy``, which mends what is very unlikely to be meant; nothing else is changed. Characters
    are counted in the mended text from there on.
    """

    kind: ClassVar[str] = "repair"
    side: Side = "target"

    def needs(self) -> set[str]:
        """The side."""
        return {f"{self.side}_words"}

    def gives(self, columns: set[str]) -> set[str]:
        """What there is.

        Raises:
            SpanbridgeError: the text has been split, and would be put together unmended.
        """
        if SPLIT in columns:
            raise SpanbridgeError("repair comes before split")
        return columns

    def open(self, context: Context) -> Worker:
        """With ftfy.

        Raises:
            MissingExtraError: it is not installed.
        """
        return _Repairing(self.side)


class _Repairing(Worker):
    def __init__(self, side: Side) -> None:
        try:
            import ftfy
        except ModuleNotFoundError as error:
            raise MissingExtraError(
                "repair needs ftfy; it comes with: pip install 'spanbridge[pipeline]'"
            ) from error
        self._side = side
        self._version = ftfy.__version__
        self._fix = ftfy.fix_encoding

    def describe(self) -> str:
        return f"ftfy({self._version},{self._side})"

    def work(self, rows: Sequence[SentencePair], account: Account) -> Iterator[SentencePair]:
        for pair in rows:
            before: Sentence = getattr(pair, self._side)
            after = self._repaired(before)
            changed = (after.words, after.text) != (before.words, before.text)
            account.statuses["repaired: encoded twice" if changed else "sound"] += 1
            yield _with(pair, self._side, after)

    def _repaired(self, sentence: Sentence) -> Sentence:
        if sentence.text is not None and not sentence.spans:
            text = self._fix(sentence.text)
            words, offsets = tokenize(text)
            return sentence if text == sentence.text else Sentence(words, (), text, offsets)
        words = tuple(map(self._fix, sentence.words))
        return sentence if words == sentence.words else Sentence(words, sentence.spans)


class Split(Stage):
    """Cut raw text into sentences, each a row of its own until :class:`Join`."""

    kind: ClassVar[str] = "split"
    side: Side = "target"
    splitter: SplitterPart = Part("splitter", "sentencex", {})

    def needs(self) -> set[str]:
        """Raw text."""
        return {f"{self.side}_text"}

    def gives(self, columns: set[str]) -> set[str]:
        """Sentences.

        Raises:
            SpanbridgeError: there are translations or spans already.
        """
        if SPLIT in columns:
            raise SpanbridgeError("the text is split already")
        late = columns & {f"{OTHER[self.side]}_words", "source_spans", "target_spans"}
        if late:
            raise SpanbridgeError(f"split comes before what makes {', '.join(sorted(late))}")
        return columns | {SPLIT}

    def open(self, context: Context) -> Worker:
        """With its splitter."""
        return _Splitting(self.side, self.splitter.build(), context.language(self.side).tag)


class _Splitting(Worker):
    def __init__(self, side: Side, splitter: Cutter, language: str) -> None:
        self._side, self._splitter, self._language = side, splitter, language

    def describe(self) -> str:
        return f"{self._splitter.describe()},{self._language},{self._side}"

    def work(self, rows: Sequence[SentencePair], account: Account) -> Iterator[SentencePair]:
        for pair in rows:
            text: str = getattr(pair, self._side).text or ""
            ranges = segmentation.sentences(text, self._language, self._splitter)
            account.statuses["several sentences" if len(ranges) > 1 else "one sentence"] += 1
            account.note("sentences", max(len(ranges), 1))
            for n, (start, end) in enumerate(ranges or [(0, len(text))]):
                words, offsets = tokenize(text[start:end])
                sentence = Sentence(words, (), text[start:end], offsets)
                place: dict[str, Any] = {"id": pair.id, "side": self._side, "at": start}
                extra = {SENTENCE_OF: place}
                if n == 0:
                    extra = {**pair.extra, SENTENCE_OF: {**place, "text": text}}
                name = f"{pair.id}.{n + 1}" if len(ranges) > 1 else pair.id
                yield _with(replace(pair, id=name, extra=extra), self._side, sentence)


class Segment(Stage):
    """Words of scripts that are written without spaces, in place of single characters.

    The end of a pipeline gives spans in characters of the text again.
    """

    kind: ClassVar[str] = "segment"
    side: Side = "target"
    segmenter: SegmenterPart = Part("segmenter", "icu", {})

    def needs(self) -> set[str]:
        """Raw text."""
        return {f"{self.side}_text"}

    def gives(self, columns: set[str]) -> set[str]:
        """Other words.

        Raises:
            SpanbridgeError: there are spans or links, which count words, already.
        """
        late = columns & {f"{self.side}_spans", "links"}
        if late:
            raise SpanbridgeError(f"segment comes before what makes {', '.join(sorted(late))}")
        return columns

    def open(self, context: Context) -> Worker:
        """With its segmenter."""
        return _Segmenting(self.side, self.segmenter.build(), context.language(self.side).tag)


class _Segmenting(Worker):
    def __init__(self, side: Side, segmenter: Cutter, language: str) -> None:
        self._side, self._segmenter, self._language = side, segmenter, language

    def describe(self) -> str:
        return f"{self._segmenter.describe()},{self._language},{self._side}"

    def work(self, rows: Sequence[SentencePair], account: Account) -> Iterator[SentencePair]:
        for pair in rows:
            text: str = getattr(pair, self._side).text or ""
            words, offsets = segmentation.words(text, self._language, self._segmenter)
            account.statuses["segmented"] += 1
            account.note("words", len(words))
            yield _with(pair, self._side, Sentence(words, (), text, offsets))


class Join(Stage):
    """Put the sentences of a text together again: one row for each row that was split."""

    kind: ClassVar[str] = "join"

    def needs(self) -> set[str]:
        """Sentences."""
        return {SPLIT}

    def gives(self, columns: set[str]) -> set[str]:
        """Texts."""
        return columns - {SPLIT}

    def open(self, context: Context) -> Worker:
        """Needs nothing."""
        return _Joining()


class _Joining(Worker):
    def describe(self) -> str:
        return "join"

    def work(self, rows: Sequence[SentencePair], account: Account) -> Iterator[SentencePair]:
        for _, group in groupby(rows, key=lambda pair: pair.extra[SENTENCE_OF]["id"]):
            whole = joined(list(group))
            account.add(whole, whole.status or "joined", ())
            yield whole


def joined(rows: Sequence[SentencePair]) -> SentencePair:
    """One row out of those of a text's sentences.

    It is ``projected`` if any of them is; else its status is that of the first. Its confidence is
    the product of theirs.
    """
    first = rows[0].extra[SENTENCE_OF]
    side: Side = first["side"]
    places = [pair.extra[SENTENCE_OF]["at"] for pair in rows]
    sides = {
        side: _concatenated([getattr(pair, side) for pair in rows], first["text"], places),
        OTHER[side]: _concatenated([getattr(pair, OTHER[side]) for pair in rows]),
    }
    statuses = [pair.status for pair in rows]
    extra: dict[str, Any] = {}
    for pair in rows:
        for key, value in pair.extra.items():
            if key not in (SENTENCE_OF, "confidence"):
                extra.setdefault(key, value)
    known = [pair.extra.get("confidence", ...) for pair in rows]
    if ... not in known:
        product = 1.0
        for value in known:
            product *= value or 0.0
        extra["confidence"] = None if None in known else round(product, 4)
    rejected = [s for s in statuses if s is not None and s.startswith(REJECTED)]
    if rejected and PROJECTED in statuses:
        extra["rejected_sentences"] = [s.removeprefix(REJECTED) for s in rejected]
    return SentencePair(
        first["id"],
        sides["source"],
        sides["target"],
        _links(rows),
        PROJECTED if PROJECTED in statuses else statuses[0],
        extra,
    )


def _concatenated(
    parts: Sequence[Sentence], text: str | None = None, places: Sequence[int] = ()
) -> Sentence:
    if text is None:  # of translations, whose own texts stand side by side
        places, at = [], 0
        for sentence in parts:
            places.append(at)
            at += len(sentence.text or "") + 1
        if all(sentence.text is not None for sentence in parts):
            text = " ".join(sentence.text or "" for sentence in parts)
    words: list[str] = []
    spans: list[Span] = []
    offsets: list[tuple[int, int]] = []
    for sentence, place in zip(parts, places, strict=True):
        n = len(words)
        spans += (span._replace(start=span.start + n, end=span.end + n) for span in sentence.spans)
        offsets += ((a + place, b + place) for a, b in sentence.offsets or ())
        words += sentence.words
    known = text is not None and len(offsets) == len(words)
    return Sentence(
        tuple(words), tuple(spans), text if known else None, tuple(offsets) if known else None
    )


def _links(rows: Sequence[SentencePair]) -> WordAlignment | None:
    found = [pair.links for pair in rows]
    if None in found:
        return None
    pairs: list[tuple[int, int]] = []
    scores: list[float] = []
    i = j = 0
    for pair in rows:
        assert pair.links is not None
        pairs += ((a + i, b + j) for a, b in pair.links.pairs)
        scores += pair.links.scores or ()
        i, j = i + len(pair.source.words), j + len(pair.target.words)
    return WordAlignment.of(pairs, i, j, scores if len(scores) == len(pairs) else None)


def in_plain_words(pair: SentencePair) -> SentencePair:
    """A pair whose words are those that its raw texts are cut into; others are cut anew.

    Spans keep their characters; links go to every word that lies in theirs.
    """
    source, sources = _plain(pair.source)
    target, targets = _plain(pair.target)
    if sources is None and targets is None:
        return pair
    links = pair.links
    if links is not None:
        sources = sources or [[n] for n in range(len(pair.source.words))]
        targets = targets or [[n] for n in range(len(pair.target.words))]
        found: dict[tuple[int, int], float] = {}
        scores = links.scores or [1.0] * len(links.pairs)
        for (i, j), value in zip(links.pairs, scores, strict=True):
            for a in sources[i]:
                for b in targets[j]:
                    found[a, b] = max(value, found.get((a, b), 0.0))
        kept = None if links.scores is None else list(found.values())
        links = WordAlignment.of(list(found), len(source.words), len(target.words), kept)
    return replace(pair, source=source, target=target, links=links)


def _plain(sentence: Sentence) -> tuple[Sentence, list[list[int]] | None]:
    """The sentence in plain words, and which of them make up each former one."""
    if sentence.text is None or sentence.offsets is None:
        return sentence, None
    edges = [
        edge
        for span in sentence.spans
        for edge in (sentence.offsets[span.start][0], sentence.offsets[span.end - 1][1])
    ]
    words, offsets = tokenize(sentence.text, edges)
    if offsets == sentence.offsets:
        return sentence, None
    inside = [
        [n for n, (a, b) in enumerate(offsets) if a < end and b > start]
        for start, end in sentence.offsets
    ]
    spans = tuple(
        span._replace(start=inside[span.start][0], end=inside[span.end - 1][-1] + 1)
        for span in sentence.spans
    )
    return Sentence(words, spans, sentence.text, offsets), inside


def _with(pair: SentencePair, side: Side, sentence: Sentence) -> SentencePair:
    return replace(pair, source=sentence) if side == "source" else replace(pair, target=sentence)
