"""The interface of word aligners."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from spanbridge.core.errors import RowError, SpanbridgeError
from spanbridge.core.learned import Learner
from spanbridge.core.links import WordAlignment
from spanbridge.core.plugins import is_foreign, told
from spanbridge.core.requirements import Part
from spanbridge.core.rows import SentencePair
from spanbridge.core.soft_alignment import SoftAlignment

Vectors = npt.NDArray[np.float32]
Found = TypeVar("Found", WordAlignment | RowError, SoftAlignment | RowError)


class Aligner(Learner, Part):
    """Aligns the words of sentence pairs.

    An aligner that learns (``learns``) must see the bitext once (:meth:`fit`), or take up what an
    earlier one learned (:meth:`load`), before it aligns.

    Attributes:
        evidence: what its alignments rest on, for :mod:`spanbridge.alignment.parallel`: ``links``
            unless their mass is known to behave as that of the package's own; empty if they tell
            nothing of whether two sentences translate each other.
    """

    @property
    def evidence(self) -> str:
        """What its alignments rest on."""
        return "links"

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

    def static(self) -> Aligner | None:
        """An aligner like this one that looks up states instead of computing them; or None."""
        return None

    def sentence_vectors(self, sentences: Sequence[Sequence[str]]) -> Vectors | None:
        """A vector for each sentence, [n, size], in which translations are alike; or None.

        Used to find which sentences of a long row translate each other.
        """
        return None

    def word_vectors(self, sentences: Sequence[Sequence[str]]) -> list[Vectors] | None:
        """A unit vector for each word, [words, size] by sentence, alike in translations; or None.

        Used to cut a long row that has no punctuation.
        """
        return None


def checked(
    aligner: Aligner, pairs: Sequence[SentencePair], found: Sequence[Found]
) -> Sequence[Found]:
    """What an aligner found, one result for each pair; that of another package is checked.

    Raises:
        SpanbridgeError: there are more or fewer, or one is over other numbers of words; the message
            names the row.
    """
    if not is_foreign(aligner):
        return found
    name = told("aligner", type(aligner).__name__, aligner)
    if not isinstance(found, list | tuple) or len(found) != len(pairs):
        given = len(found) if isinstance(found, list | tuple) else type(found).__name__
        raise SpanbridgeError(
            f"{name} gave {given} for {len(pairs)} pairs; it gives a list, one for each"
        )
    for pair, one in zip(pairs, found, strict=True):
        if isinstance(one, RowError):
            continue
        words = len(pair.source.words), len(pair.target.words)
        if not isinstance(one, WordAlignment | SoftAlignment):
            raise SpanbridgeError(
                f"row {pair.id}: {name} gave {type(one).__name__}; it gives a WordAlignment or a "
                "RowError"
            )
        n: tuple[object, ...]
        if isinstance(one, WordAlignment):
            n = one.n_source, one.n_target
        elif one.forward.shape == one.backward.shape:
            n = one.forward.shape
        else:
            n = one.forward.shape, one.backward.shape
        if n != words:
            raise SpanbridgeError(
                f"row {pair.id}: {name} aligned {n} words, but the pair has {words}"
            )
    return found
