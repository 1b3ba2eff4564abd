"""Constrained decoding: where a translator would put marks in a translation that is given (CODEC).

CODEC (Le, Chen, Ritter and Xu 2024, "Constrained Decoding for Cross-lingual Label Projection",
arXiv 2402.03131) marks one span of the source at a time. Of all insertions of the two marks into
the given translation t, open before word i and close after word j, it looks for the most probable,

    max over i <= j of log p(t[1..i-1] [ t[i..j] ] t[j+1..] | marked source),

a sum over all subwords and the end of the sentence. The translation itself never changes: marks are
put between its words, and an insertion is a pair of places.

*Branch and bound.* A branch holds the insertions with one place of the opening mark. One pass over
the translation with the opening mark alone gives the log-probabilities of all its beginnings. An
insertion whose first m subwords are the same as there cannot be more probable than these,

    log p(insertion) <= sum of the first m log-probabilities,

since no further subword has a log-probability above 0. What cannot reach the n-th best insertion
found so far is never scored. Searched that way (``exact``), the n best are those of enumeration,
with any tokenizer; ``ROUNDING`` allows for what two passes differ by. As published, the search is
faster and may miss them, in two ways:

- Opening marks are tried only where the translation's own subwords become less, or more, probable
  if the source is marked, by ``DROP`` or more, and near there by ``NEAR`` (in nats); everywhere, if
  they do so nowhere.
- A beginning is compared with what the n-th best insertion had ``AHEAD`` subwords later (or up to
  its closing mark), rather than with all of that one. This is no bound: it may be caught up with.

These numbers are those of the authors' code (github.com/duonglm38/Codec). There, marks may also
stand inside words, which are then taken whole; here they stand between words only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from unicodedata import normalize

import numpy as np
import numpy.typing as npt

from spanbridge.core.spans import Span
from spanbridge.formats.languages import Language
from spanbridge.translation.base import Translator
from spanbridge.translation.mark_styles import Place, style_of
from spanbridge.translation.marks import mark

# In nats and subwords, as the authors' code has them.
DROP, NEAR, WINDOW, AHEAD = 0.5, 0.1, 5, 5
# Insertions of one search that are scored before bounds are looked at again; and searches that go
# on at the same time, so that batches are full.
BATCH, SEARCHES = 16, 64
# Sums over the same subwords may differ by so much, in nats, from one pass to another.
ROUNDING = 1e-3
# Names of counts.
SCORED, POSSIBLE = "insertions_of_marks_scored", "insertions_of_marks_possible"

Floats = npt.NDArray[np.float64]
# A text, and subwords of a translation; and the log-probabilities of these.
Asked = tuple[str, list[str]]
Answer = list[float]
# A source text, characters of its span, the translation, characters of each of its words.
Question = tuple[str, Place, str, Sequence[Place]]
# Words [start, end) of the translation, and the log-probability of the marks there.
Insertion = tuple[int, int, float]
Search = Generator[list[Asked], list[Answer], list[Insertion]]


class MarkInserter:
    """A translator that puts marks into given translations.

    Args:
        translator: one that scores given translations (:attr:`Translator.forces`).
        source, target: the languages.

    Raises:
        UnsupportedPairError: the translator does not know them.

    Attributes:
        both_ways: the translator knows the other direction, too.
    """

    def __init__(self, translator: Translator, source: Language, target: Language) -> None:
        self._translator, self._languages = translator, (source, target)
        self.both_ways = translator.multilingual
        self._name = translator.describe(source, target)

    def describe(self) -> str:
        """The translator, and all that insertions depend on."""
        return f"{self._name},open={DROP}/{NEAR}/{WINDOW},ahead={AHEAD}"

    def insert(
        self,
        questions: Sequence[Question],
        style: str,
        n_best: int,
        exact: bool,
        counts: Counter[str],
    ) -> list[list[Insertion] | None]:
        """The most probable insertions of marks into translations.

        Args:
            questions: source texts, each with a span, and translations with the places of their
                words, at least one.
            style: style of the marks.
            n_best: how many insertions are asked for, at least 1.
            exact: search all places, under the bound that holds always.
            counts: takes how many insertions there were, and how many were scored.

        Returns:
            For each question its insertions, the most probable first, of equal ones the first, then
            the shorter one; None where a text is longer than the translator reads.
        """
        found: list[list[Insertion] | None] = []
        for at in range(0, len(questions), SEARCHES):
            searches = [
                _searched(question, style, self._subwords, n_best, exact, counts)
                for question in questions[at : at + SEARCHES]
            ]
            found += self._run(searches)
        return found

    def back(self, spans: Sequence[tuple[str, str]]) -> list[float]:
        """Log-probability of each source span as the translation of a text of the target.

        Args:
            spans: source spans, each with such a text.

        Returns:
            Sums over all subwords and the end; minus infinity where one is too long.
        """
        asked = [(normalize("NFC", text), self._subwords(span)) for span, text in spans]
        found = self._translator.token_log_probabilities(asked, *self._languages[::-1])
        return [sum(values) if values else float("-inf") for values in found]

    def _subwords(self, text: str) -> list[str]:
        # translators know composed characters only; nobody counts positions in what they get
        return self._translator.subwords(normalize("NFC", text))

    def _run(self, searches: Sequence[Search]) -> list[list[Insertion] | None]:
        """Run searches side by side; what all of them ask is scored together."""
        found: list[list[Insertion] | None] = [None] * len(searches)
        waiting = {n: next(search) for n, search in enumerate(searches)}
        while waiting:
            asked = [(normalize("NFC", a), b) for asks in waiting.values() for a, b in asks]
            answers = iter(self._translator.token_log_probabilities(asked, *self._languages))
            going = {}
            for n, asks in waiting.items():
                own = [next(answers) for _ in asks]
                if not all(own):
                    continue  # too long
                try:
                    going[n] = searches[n].send(own)
                except StopIteration as end:
                    found[n] = end.value
            waiting = going
        return found


@dataclass(frozen=True)
class _Scored:
    """An insertion that was scored.

    Attributes:
        words: words [start, end) between the marks.
        sums: log-probability of its first subwords, from none to all of them and the end.
        closing: number of subwords up to its closing mark.
    """

    words: Place
    sums: Floats
    closing: int

    @property
    def rank(self) -> tuple[float, Place]:
        return -float(self.sums[-1]), self.words


def _searched(
    question: Question,
    style: str,
    subwords: Callable[[str], list[str]],
    n_best: int,
    exact: bool,
    counts: Counter[str],
) -> Search:
    """The search for one span: yields what is to be scored, returns the best insertions."""
    source, span, target, words = question
    left, right = style_of(style).pair(0)
    marked = mark(source, [Span(*span, "span")], style)
    plain = subwords(target)
    # a text that is too long goes no further
    own, *unmarked = yield [(marked, plain), *([] if exact else [(source, plain)])]
    opened = [subwords(f"{target[:start]}{left}{target[start:]}") for start, _ in words]

    def closed(i: int, j: int) -> list[str]:
        start, end = words[i][0], words[j - 1][1]
        return subwords(f"{target[:start]}{left}{target[start:end]}{right}{target[end:]}")

    # subwords of the plain translation before each word, and before its end
    before = np.array([*(_n_shared(plain, cut) for cut in opened), len(plain)])
    starts = list(range(len(words)) if exact else _openings(own, unmarked[0], before))
    beginnings = [_sums(answer) for answer in (yield [(marked, opened[i]) for i in starts])]
    places = [(i, j) for i in starts for j in range(i + 1, len(words) + 1)]
    branch = np.array([n for n, i in enumerate(starts) for _ in range(i, len(words))])
    shared = np.array([_n_shared(opened[i], closed(i, j)) for i, j in places])
    # order of scoring: as if the closing mark cost nothing, and what follows as much as without
    rest = _sums(own)[-1] - _sums(own)[before[[j for _, j in places]]]
    hope = rest + [beginnings[n][m] for n, m in zip(branch, shared, strict=True)]
    left_over = np.ones(len(places), bool)
    best: list[_Scored] = []
    while True:
        if len(best) == n_best:
            limits = np.array([_limit(sums, best[-1], exact) for sums in beginnings])
            left_over &= shared < limits[branch]
        numbers = np.flatnonzero(left_over)
        numbers = numbers[np.argsort(-hope[numbers], kind="stable")[:BATCH]]
        if not len(numbers):
            break
        left_over[numbers] = False
        counts[SCORED] += len(numbers)
        answers = yield [(marked, closed(*places[k])) for k in numbers]
        best += (
            _Scored(places[k], _sums(answer), int(shared[k]) + 1)
            for k, answer in zip(numbers, answers, strict=True)
        )
        best = sorted(best, key=lambda one: one.rank)[:n_best]
    counts[POSSIBLE] += len(words) * (len(words) + 1) // 2
    return [(*one.words, float(one.sums[-1])) for one in best]


def _limit(sums: Floats, worst: _Scored, exact: bool) -> int:
    """How many subwords a beginning may share with an insertion that may still be better.

    Args:
        sums: log-probabilities of the beginnings of a branch.
        worst: the insertion that is to be beaten.
        exact: compare with all of it.
    """
    if exact:
        below = sums < worst.sums[-1] - ROUNDING
    else:
        later = np.maximum(np.arange(len(sums)) + AHEAD, worst.closing)
        below = sums < worst.sums[np.minimum(later, len(worst.sums) - 1)]
    return int(below.argmax()) if below.any() else len(sums)


def _openings(marked: Answer, plain: Answer, before: npt.NDArray[np.int64]) -> list[int]:
    """Words before which the opening mark is tried.

    Args:
        marked, plain: log-probabilities of the translation's subwords, given the source with marks
            and without.
        before: number of its subwords before each word, and before its end.
    """
    changes = np.abs(np.array(marked) - np.array(plain))[:-1]
    near = np.zeros(len(changes), bool)
    for center in np.flatnonzero(changes >= DROP):
        near[max(0, center - WINDOW) : center + WINDOW + 1] = True
    near &= changes >= NEAR
    words = [n for n, at in enumerate(before[:-1].tolist()) if at < len(near) and near[at]]
    return words or list(range(len(before) - 1))


def _sums(answer: Answer) -> Floats:
    """Sums of the first values, from none to all."""
    sums: Floats = np.concatenate([[0.0], np.cumsum(answer, dtype=np.float64)])
    return sums


def _n_shared(some: Sequence[str], others: Sequence[str]) -> int:
    """How many subwords two texts have in common at their beginning."""
    same = zip(some, others, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], same))
