"""Steps that repair text which was encoded twice, and that restore it as it was given."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any, ClassVar

from pydantic import PrivateAttr

from spanbridge.core.requirements import require
from spanbridge.core.rows import SentencePair, Side
from spanbridge.core.spans import Sentence
from spanbridge.formats.encoding import positions_after
from spanbridge.formats.offsets import place_spans
from spanbridge.formats.tokens import raw_sentence, spans_in_text
from spanbridge.steps.account import Account
from spanbridge.steps.base import Context, Step
from spanbridge.steps.raw_text import SPLIT

_UNCLEAR = "rows that come out repaired: their places in the given text are not clear"
_GIVEN = "{side}_before_repair"  # column, and field of a row


class Repair(Step):
    """Repair text whose UTF-8 was read as Latin-1 or Windows-1252 and encoded again (``EspaÃ±a``).

    Uses ``ftfy``, which changes only character sequences that are very unlikely to be intended.
    Positions of characters refer to the repaired text, until :class:`Restore`. The text as it was
    given stays in the row.

    Attributes:
        side: the side that is repaired.
    """

    name: ClassVar[str] = "repair"
    takes: ClassVar[tuple[str, ...]] = ("{side}_words",)
    makes: ClassVar[tuple[str, ...]] = (_GIVEN,)
    before: ClassVar[tuple[str, ...]] = (SPLIT,)  # `join` would restore the original text
    side: Side = "target"
    _ftfy: Any = PrivateAttr()

    def open(self, context: Context) -> None:
        """Load ftfy. Raises MissingExtraError if it is not installed."""
        require("ftfy", by="the step 'repair'")
        import ftfy

        self._ftfy = ftfy

    def parts(self) -> dict[str, str]:
        """Version of ftfy, and the side."""
        return {"ftfy": self._ftfy.__version__, "side": self.side}

    def work(self, rows: Sequence[SentencePair], account: Account) -> Iterator[SentencePair]:
        """Rows with repaired text."""
        for pair in rows:
            before = pair.side(self.side)
            after = self._repaired(before)
            changed = (after.words, after.text) != (before.words, before.text)
            account.statuses["repaired: encoded twice" if changed else "sound"] += 1
            if not changed:
                yield pair
                continue
            if self.side == "target":
                pair = pair.without_result()
                after = after if pair.target.spans else after.with_spans(())
            field = _GIVEN.format(side=self.side)
            given = getattr(pair, field) or before.plain_text()
            yield pair.replace(**{self.side: after, field: given})

    def _repaired(self, sentence: Sentence) -> Sentence:
        fix = self._ftfy.fix_encoding
        if sentence.text is not None:
            text = fix(sentence.text)
            if text == sentence.text:
                return sentence
            if not sentence.spans:
                return raw_sentence(text)
            at = positions_after(sentence.text, text)
            if at is not None:
                spans = [
                    span._replace(start=at[span.start], end=at[span.end])
                    for span in spans_in_text(sentence)
                ]
                return place_spans(text, spans, self.side, f"{self.side}_spans", "characters")
        words = tuple(map(fix, sentence.words))
        return sentence if words == sentence.words else Sentence(words, sentence.spans)


class Restore(Step):
    """Put text that was repaired back as it was given, with its spans and links in their places.

    Where places in it cannot be told, the row keeps its repaired text, and is counted.

    Attributes:
        side: the side that was repaired.
    """

    name: ClassVar[str] = "restore"
    takes: ClassVar[tuple[str, ...]] = (_GIVEN,)
    clears: ClassVar[tuple[str, ...]] = (_GIVEN,)
    before: ClassVar[tuple[str, ...]] = (SPLIT,)  # `join` makes the whole text
    amends: ClassVar[bool] = True
    side: Side = "target"

    def work(self, rows: Sequence[SentencePair], account: Account) -> Iterator[SentencePair]:
        """Rows with the text that was given."""
        field = _GIVEN.format(side=self.side)
        for pair in rows:
            given = getattr(pair, field)
            found = None if given is None else as_given(pair.side(self.side), given)
            if given is None:
                account.statuses["was sound"] += 1
            elif found is None:
                account.statuses["left repaired: its places in the given text are not clear"] += 1
                account.note(_UNCLEAR, 1)
            else:
                account.statuses["restored"] += 1
                # nothing that was said of the repaired text is less true of this one
                changed: dict[str, Any] = {self.side: found, field: None}
                pair = pair._replace(**changed)
            yield pair


def as_given(sentence: Sentence, text: str) -> Sentence | None:
    """The same sentence in the text that it was repaired from; None if places are not clear.

    It has as many words, each the piece of the text that it was repaired from.
    """
    repaired = sentence.plain_text()
    after = positions_after(text, repaired)
    if after is None:
        return None
    offsets = sentence.offsets
    if sentence.text is None or offsets is None:
        ends = list(accumulate(len(word) + 1 for word in sentence.words))
        offsets = tuple((a, b - 1) for a, b in zip([0, *ends], ends, strict=False))
    places = tuple((bisect_left(after, start), bisect_left(after, end)) for start, end in offsets)
    words = tuple(text[start:end] for start, end in places)
    made = Sentence(words, sentence.spans, text, places, sentence.empty_probability)
    return made if sentence.text is not None else replace(made, text=None, offsets=None)
