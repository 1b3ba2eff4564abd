"""Steps that cut raw text into sentences and words, and put split text together again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from pydantic import PrivateAttr

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import (
    FAILED,
    OTHER,
    PROJECTED,
    REJECTED,
    TAGGED,
    UNTAGGED,
    SentenceOf,
    SentencePair,
    Side,
)
from spanbridge.core.spans import Sentence, concatenated, joint_probability
from spanbridge.formats import segmentation
from spanbridge.formats.languages import Language
from spanbridge.formats.segmentation import Cutter
from spanbridge.formats.tokens import plain_sentence, raw_sentence
from spanbridge.steps.account import Account
from spanbridge.steps.base import (
    Context,
    PartSettings,
    SegmenterSettings,
    SplitterSettings,
    Step,
    TranslatorSettings,
)
from spanbridge.translation.base import Translator

_DROPPED = "spans that came with the texts and were dropped"
SPLIT = "sentences of longer texts"  # column that `join` needs


class Split(Step):
    """Cut raw text into sentences, each a row of its own until :class:`Join`.

    Attributes:
        side: the side that is cut.
        splitter: part that finds the sentences.
        whole: a translator that looks texts up, which are not cut if it has them as they are.
    """

    name: ClassVar[str] = "split"
    takes: ClassVar[tuple[str, ...]] = ("{side}_text",)
    makes: ClassVar[tuple[str, ...]] = (SPLIT,)
    before: ClassVar[tuple[str, ...]] = ("{other}_words", "source_spans", "target_spans", SPLIT)
    one_to_one: ClassVar[bool] = False
    side: Side = "target"
    splitter: SplitterSettings = PartSettings("splitter", "sentencex")
    whole: TranslatorSettings | None = None
    _splitter: Cutter = PrivateAttr()
    _language: str = PrivateAttr()
    _whole: Translator | None = PrivateAttr(None)
    _languages: tuple[Language, Language] = PrivateAttr()

    def open(self, context: Context) -> None:
        """Load the splitter, and the translator if there is one.

        Raises:
            SpanbridgeError: the translator does not look texts up.
        """
        self._splitter = self.build(context, self.splitter)
        self._language = context.tag(self.side)
        if self.whole is not None:
            self._whole = self.build(context, self.whole)
            self._languages = context.pair(self.side)
            if not self._whole.looks_up:
                raise SpanbridgeError("whole: this translator takes any text; name given")

    def parts(self) -> dict[str, str]:
        """Splitter, language and side, and the translator if there is one."""
        whole = self._whole
        return {
            "splitter": self._splitter.describe(),
            "language": self._language,
            "side": self.side,
            **({} if whole is None else {"whole": whole.describe(*self._languages)}),
        }

    def work(self, rows: Sequence[SentencePair], account: Account) -> Iterator[SentencePair]:
        """One row per sentence; blank texts stay one row."""
        for pair in rows:
            text = pair.side(self.side).text or ""
            found = segmentation.sentences(text, self._language, self._splitter)
            several = len(found) > 1
            if several and self._is_known(text):
                found = [(0, len(text))]
                account.statuses["left whole, as its translation is given"] += 1
            else:
                account.statuses["several sentences" if several else "one sentence"] += 1
            account.note("sentences", max(len(found), 1))
            account.note(_DROPPED, len(pair.side(self.side).spans))
            for n, (start, end) in enumerate(found or [(0, len(text))]):
                part: dict[str, Any] = {self.side: raw_sentence(text[start:end])}
                if n:  # the first sentence keeps what belongs to the whole text
                    part |= {f"{self.side}_before_repair": None, "extra": {}}
                yield pair._replace(
                    **part,
                    id=f"{pair.id}.{n + 1}" if len(found) > 1 else pair.id,
                    sentence_of=SentenceOf(pair.id, self.side, start, text if n == 0 else None),
                )

    def _is_known(self, text: str) -> bool:
        """Check if there is a translation of a whole text."""
        if self._whole is None:
            return False
        (found,) = self._whole.translate([text], *self._languages)
        return not found.status.startswith(FAILED)


class Segment(Step):
    """Find the words of scripts that are written without spaces, in place of single characters.

    At the end of the pipeline, spans are again in characters of the text.

    Attributes:
        side: the side that is segmented.
        segmenter: part that finds the words.
    """

    name: ClassVar[str] = "segment"
    takes: ClassVar[tuple[str, ...]] = ("{side}_text",)
    before: ClassVar[tuple[str, ...]] = ("{side}_spans", "links")  # in words
    side: Side = "target"
    segmenter: SegmenterSettings = PartSettings("segmenter", "icu")
    _segmenter: Cutter = PrivateAttr()
    _language: str = PrivateAttr()

    def open(self, context: Context) -> None:
        """Load the segmenter."""
        self._segmenter = self.build(context, self.segmenter)
        self._language = context.tag(self.side)

    def parts(self) -> dict[str, str]:
        """Segmenter, language and side."""
        return {
            "segmenter": self._segmenter.describe(),
            "language": self._language,
            "side": self.side,
        }

    def work(self, rows: Sequence[SentencePair], account: Account) -> Iterator[SentencePair]:
        """Rows with new words."""
        for pair in rows:
            text = pair.side(self.side).text or ""
            words, offsets = segmentation.words(text, self._language, self._segmenter)
            account.statuses["segmented"] += 1
            account.note("words", len(words))
            account.note(_DROPPED, len(pair.side(self.side).spans))
            yield pair.replace(**{self.side: Sentence(words, (), text, offsets)})


class Join(Step):
    """Put the sentences of each split text together again, as one row."""

    name: ClassVar[str] = "join"
    takes: ClassVar[tuple[str, ...]] = (SPLIT,)
    clears: ClassVar[tuple[str, ...]] = (SPLIT,)
    one_to_one: ClassVar[bool] = False

    def work(self, rows: Sequence[SentencePair], account: Account) -> Iterator[SentencePair]:
        """One row per text; a row that was not split is unchanged."""
        for group in by_text(rows):
            whole = joined(group)
            _enter(whole, group[0].sentence_of, account)
            yield whole


def _enter(whole: SentencePair, cut: SentenceOf | None, account: Account) -> None:
    """Count a text: by its status, or else by whether a tagger found spans in it."""
    tagged = whole.side("target" if cut is None else cut.side)
    if whole.status is not None:
        account.add(whole, whole.status, ())
    elif tagged.spans or tagged.empty_probability is not None or whole.provenance == TAGGED:
        account.tagged(whole, len(tagged.spans))
    else:
        account.enter(whole, "joined")


def by_text(rows: Sequence[SentencePair]) -> Iterator[list[SentencePair]]:
    """The rows of each text that was split; a row that was not split stands alone."""
    group: list[SentencePair] = []
    for pair in rows:
        if group and (pair.sentence_of is None or pair.sentence_of.text is not None):
            yield group
            group = []
        group.append(pair)
    if group:
        yield group


def joined(rows: Sequence[SentencePair]) -> SentencePair:
    """One row made from the rows of a text's sentences.

    It is ``projected`` if any of them is; else it has the status of the first that a tagger has
    read. Its confidence is the product of theirs; None if any has none. Sentences that were
    rejected, or not read, are named beside others that were not.
    """
    first = rows[0].sentence_of
    if first is None:
        return rows[0]
    starts = [pair.sentence_of.start for pair in rows if pair.sentence_of is not None]
    sides: dict[Side, Sentence] = {
        first.side: concatenated([pair.side(first.side) for pair in rows], first.text, starts),
        OTHER[first.side]: concatenated([pair.side(OTHER[first.side]) for pair in rows]),
    }
    statuses = [pair.status for pair in rows]
    read = [status for status in statuses if not (status or "").startswith(UNTAGGED)]
    status = PROJECTED if PROJECTED in statuses else [*read, *statuses][0]
    rejected = [
        one.removeprefix(REJECTED)
        for one in statuses
        if one is not None and one.startswith((REJECTED, UNTAGGED))
    ]
    extra: dict[str, Any] = {}
    for pair in rows:
        for key, value in pair.extra.items():
            extra.setdefault(key, value)
    return rows[0]._replace(
        id=first.id,
        source=sides["source"],
        target=sides["target"],
        links=WordAlignment.concatenated([pair.links for pair in rows]),
        status=status,
        confidence=joint_probability([pair.confidence for pair in rows]),
        explanation=tuple(line for pair in rows for line in pair.explanation or ()) or None,
        translation_status=_worst([pair.translation_status for pair in rows]),
        translation_score=_mean([pair.translation_score for pair in rows]),
        back_translation_status=_worst([pair.back_translation_status for pair in rows]),
        pivot_text=" ".join(pair.pivot_text for pair in rows if pair.pivot_text) or None,
        sentence_of=None,
        rejected_sentences=tuple(rejected) if rejected and status in (PROJECTED, None) else None,
        extra=extra,
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _worst(statuses: Sequence[str | None]) -> str | None:
    """The first status that is not ok, else ok; None if there is none."""
    known = [status for status in statuses if status is not None]
    return next((status for status in known if status != "ok"), "ok" if known else None)


def in_plain_words(pair: SentencePair) -> SentencePair:
    """A pair with the words of the default tokenizer wherever it has raw text.

    Spans keep their characters; links go to every word within the former word's range. The row's
    content is the same, so nothing is cleared.
    """
    source, sources = plain_sentence(pair.source)
    target, targets = plain_sentence(pair.target)
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
    return pair._replace(source=source, target=target, links=links)
