"""The interface of word aligners."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence

from spanbridge.core.errors import RowError
from spanbridge.core.learned import Learner
from spanbridge.core.links import WordAlignment
from spanbridge.core.requirements import Part
from spanbridge.core.rows import SentencePair
from spanbridge.core.soft_alignment import SoftAlignment


class Aligner(Learner, Part):
    """Aligns the words of sentence pairs.

    An aligner that learns (``learns``) must see the bitext once (:meth:`fit`), or take up what an
    earlier one learned (:meth:`load`), before it aligns.
    """

    def fit(self, pairs: Iterable[SentencePair]) -> None:
        """Learn from the whole bitext; aligners that learn nothing leave it unread."""

    @abstractmethod
    def align(self, pairs: Sequence[SentencePair]) -> list[WordAlignment | RowError]:
        """Links of each pair, or the reason why it cannot be aligned; one result per pair.

        Raises:
            SpanbridgeError: the aligner learns, and has not been fitted.
        """

    def soft_align(self, pairs: Sequence[SentencePair]) -> list[SoftAlignment | RowError]:
        """Soft alignment of each pair; by default its links, which share each word's mass equally.

        Raises:
            SpanbridgeError: as :meth:`align`.
        """
        return [
            found if isinstance(found, RowError) else SoftAlignment.from_links(found)
            for found in self.align(pairs)
        ]
