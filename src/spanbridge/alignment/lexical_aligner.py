"""The lexical aligner: equal and nearly equal words, numbers and names; no model at all.

For pairs where names are copied or lightly respelt (`Parliament`/`Parlament`, `1,000`/`1.000`) and
as a last resort where nothing else fits. It links no words that only mean the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from spanbridge.alignment.base import Aligner
from spanbridge.alignment.extract import max_weight_matching
from spanbridge.core.errors import RowError, SpanbridgeError
from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SentencePair
from spanbridge.core.soft_alignment import too_long

_GROUPING = re.compile(r"(?<=\d)[.,' \u00a0\u202f\u066b\u066c](?=\d)")
# Loss of a link's value between equal and opposite relative positions: enough to send repeated
# words to their own occurrences, too little to prefer a worse copy (0.05 for another case) nearby.
_DISTANCE_COST = 0.02


@lru_cache(2**13)
def normal_form(word: str) -> str:
    """A word as it is compared: without accents (NFKD), case and digit separators.

    Digits of any script become ASCII: ``1,000`` = ``1.000`` = ``١٠٠٠``.
    """
    plain = unicodedata.normalize("NFKD", word).casefold()
    kept = (
        str(unicodedata.digit(c)) if unicodedata.category(c) == "Nd" else c
        for c in plain
        if unicodedata.category(c) != "Mn"
    )
    return _GROUPING.sub("", "".join(kept))


class LexicalAligner(Aligner):
    """One-to-one links between words that look alike, nearest occurrence first.

    A link's score is the normalised Indel similarity of the two normal forms (1 - insertions and
    deletions / total length), 1 for equal words. Words with digits must be equal. Of words that
    start differently in case, the similarity is lowered by 0.05, so that a name prefers a name.

    Args:
        min_score: least similarity of two linked words, in (0, 1].
        min_length: words shorter than this must be equal.

    Raises:
        SpanbridgeError: an argument is out of range.
    """

    def __init__(self, min_score: float = 0.7, min_length: int = 4) -> None:
        if not 0 < min_score <= 1:
            raise SpanbridgeError(f"min_score is {min_score}, but lies in (0, 1]")
        self.min_score = min_score
        self.min_length = min_length

    @property
    def evidence(self) -> str:
        """None: true translations may share no spelling."""
        return ""

    def describe(self) -> str:
        """Name, least similarity, least length."""
        return f"lexical(min_score={self.min_score:g},min_length={self.min_length})"

    def align(self, pairs: Sequence[SentencePair]) -> list[WordAlignment | RowError]:
        """Links of each pair."""
        return [self._link(pair.source.words, pair.target.words) for pair in pairs]

    def _link(self, source: Sequence[str], target: Sequence[str]) -> WordAlignment | RowError:
        n, m = len(source), len(target)
        if (reason := too_long(n, m)) is not None:
            return reason
        if n == 0 or m == 0:
            return WordAlignment((), n, m, ())
        similarity = self._similarity(source, target)
        places = np.abs(np.linspace(0, 1, n)[:, None] - np.linspace(0, 1, m)[None, :])
        value = np.where(similarity > 0, similarity - _DISTANCE_COST * places, 0)
        links = np.argwhere(max_weight_matching(value) & (similarity > 0))
        pairs = [(int(i), int(j)) for i, j in links]
        return WordAlignment.of(pairs, n, m, [float(similarity[i, j]) for i, j in pairs])

    def _similarity(self, source: Sequence[str], target: Sequence[str]) -> npt.NDArray[np.float64]:
        from rapidfuzz.distance import Indel
        from rapidfuzz.process import cdist

        a, b = [normal_form(word) for word in source], [normal_form(word) for word in target]
        found = cdist(a, b, scorer=Indel.normalized_similarity, score_cutoff=self.min_score)
        similarity = found.astype(np.float64)
        cased = [np.array([word[:1].isupper() for word in side]) for side in (source, target)]
        similarity -= 0.05 * (cased[0][:, None] != cased[1][None, :])
        equal = np.array(a, dtype=object)[:, None] == np.array(b, dtype=object)[None, :]
        exact_only = [
            np.array([len(w) < self.min_length or any(c.isdigit() for c in w) for w in side])
            for side in (a, b)
        ]
        strict = exact_only[0][:, None] | exact_only[1][None, :]
        similarity[strict & ~equal] = 0
        empty = np.array([not w for w in a])[:, None] | np.array([not w for w in b])[None, :]
        similarity[(similarity < self.min_score) | empty] = 0
        return similarity
