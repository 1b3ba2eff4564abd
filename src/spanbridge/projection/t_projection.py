"""T-Projection (García-Ferrero et al. 2023, arXiv 2212.10548), as published.

A sequence-to-sequence model, fine-tuned on labelled sentences of the source's language, fills in
the spans of a sentence whose labels are named:

    Obama fue a Nueva York . <Person>[None]</Person><Location>[None]</Location>
    <Person>Obama</Person><Location>Nueva York</Location>

Of the target, asked for the labels of the source's spans, all beams are read; each text of a label
that stands in the target is a candidate of the spans with that label. Candidates are ranked by
NMTScore with the source span (:mod:`spanbridge.translation.scoring`), normalised and in both
directions. The best pairs of span and candidate are taken first, where the published code goes from
left to right.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from string import punctuation

from spanbridge.core.errors import RowError, SpanbridgeError
from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Span
from spanbridge.encode.text_generator import TextGenerator
from spanbridge.projection.candidates import Candidate, Generator, Intervals
from spanbridge.projection.confidence import CALIBRATIONS
from spanbridge.projection.evidence import closeness, lead
from spanbridge.projection.matcher import Matcher
from spanbridge.projection.method import Row, in_order
from spanbridge.projection.pool import Pool
from spanbridge.projection.score_input import ScoreInput
from spanbridge.projection.solve import Solver
from spanbridge.projection.weights import Weights

# Names of labels in the published prompts; all others are their own names.
_NAMES = {
    "PER": "Person",
    "LOC": "Location",
    "ORG": "Organization",
    "MISC": "Miscellaneous",
    "TARGET": "Target",
}
_FILLED = re.compile(r"<([^<>]+)>(.*?)</\1>", re.DOTALL)
_NO_PUNCTUATION = str.maketrans("", "", punctuation)
# Its confidences take the shape of those of `match`, and were fitted on nothing.
_SHAPE = CALIBRATIONS["match"]


def prompt(words: Sequence[str], spans: Sequence[Span]) -> str:
    """What the generator is asked: a sentence, and the labels of its spans in their order."""
    return f"{' '.join(words)} {''.join(_tag(span.label, '[None]') for span in in_order(spans))}"


def filled(words: Sequence[str], spans: Sequence[Span]) -> str:
    """What the generator should answer: the texts of the spans, each in its label."""
    texts = ((span.label, " ".join(words[span.start : span.end])) for span in in_order(spans))
    return "".join(_tag(label, text) for label, text in texts)


def read(answer: str) -> list[tuple[str, str]]:
    """Labels, as they are called in prompts, and texts of an answer, as far as it is one."""
    return [(label.strip(), text.strip()) for label, text in _FILLED.findall(answer)]


def located(text: str, words: Sequence[str], inside: bool = False) -> list[tuple[int, int]]:
    """Places in a sentence where the words are those of a text.

    Spaces do not count. If there is none, the case and punctuation do not count either.

    Args:
        text: the text.
        words: the sentence.
        inside: each word of the text may also lie inside one of the sentence, as in languages that
            glue prefixes and suffixes to words.
    """
    found = _located(text, words, inside)
    return found or _located(_plain(text), [_plain(word) for word in words], inside)


def _located(text: str, words: Sequence[str], inside: bool) -> list[tuple[int, int]]:
    wanted = "".join(text.split())
    if not wanted:
        return []
    found = []
    for start in range(len(words)):
        so_far = ""
        for end in range(start, len(words)):
            so_far += words[end]
            if not words[start] or not wanted.startswith(so_far):
                break
            if so_far == wanted and words[end]:
                found.append((start, end + 1))
                break
    if inside and not found:
        parts = text.split()
        for start in range(len(words) - len(parts) + 1):
            if all(part in words[start + n] for n, part in enumerate(parts)):
                found.append((start, start + len(parts)))
    return found


def _plain(text: str) -> str:
    return text.lower().translate(_NO_PUNCTUATION)


def _tag(label: str, text: str) -> str:
    name = _NAMES.get(label, label)
    return f"<{name}>{text}</{name}>"


class Generated(Generator):
    """Texts of an entity's label that a model generated and that stand in the target.

    Args:
        model: the model.
        inside: as in :func:`located`.
    """

    def __init__(self, model: TextGenerator, inside: bool) -> None:
        self.model, self._inside = model, inside
        self._found: dict[int, dict[str, Intervals]] = {}  # by the identity of pairs and by label

    def describe(self) -> str:
        """The model and the setting."""
        return f"generated({self.model.describe()},inside={self._inside})"

    def prepare(self, pairs: Sequence[SentencePair]) -> list[RowError | None]:
        """Generate candidates, until the next call; returns why a row cannot be asked about."""
        asked = [pair for pair in pairs if pair.source.spans]
        texts = [prompt(pair.target.words, pair.source.spans) for pair in asked]
        answers = dict(zip(map(id, asked), self.model.generate(texts), strict=True))
        self._found = {}
        errors: list[RowError | None] = []
        for pair in pairs:
            found = answers.get(id(pair), [])
            if isinstance(found, int):
                why = f"{found} subwords, more than the generator reads; split it, or raise longest"
                errors.append(RowError(why))
                continue
            errors.append(None)
            places: dict[str, set[tuple[int, int]]] = {}
            for label, text in dict.fromkeys(one for answer in found for one in read(answer)):
                of_label = places.setdefault(label, set())
                of_label.update(located(text, pair.target.words, self._inside))
            self._found[id(pair)] = {
                label: Intervals.of(sorted(place)) for label, place in places.items()
            }
        return errors

    def intervals(self, given: ScoreInput, entity: Span) -> Intervals:
        """Candidates of one entity."""
        known = self._found.get(id(given.pair), {})
        return known.get(_NAMES.get(entity.label, entity.label), Intervals.of([]))


class TProjection(Matcher):
    """Candidates by a fine-tuned T5 or mT5, ranked by a translator; reads no alignment.

    The translator is that of the score ``translation`` (``--translator-model``). Confidences are a
    ranking, since no set of gold spans could be projected so.

    Args:
        generator: the model: a folder (of ``train --generator``), or an id on the Hub.
        beam: texts that it generates for each sentence; the paper takes 100, and finds 15 to 25
            enough.
        longest: subwords of the longest sentence that it is asked about, with its labels.
        inside: candidates may lie inside words, for languages that glue prefixes and suffixes to
            them; the whole words are taken.
        compute_type, threads, device: as in
            :class:`spanbridge.encode.text_generator.TextGenerator`, whose errors are raised.
    """

    name, calibration_key = "t-projection", "match"
    reads = "nothing"
    slow = True
    needs_translator = "a translator to rank candidates by"

    def __init__(
        self,
        generator: str,
        beam: int = 25,
        longest: int = 512,
        inside: bool = False,
        compute_type: str | None = None,
        threads: int | None = None,
        device: str = "auto",
    ) -> None:
        model = TextGenerator(generator, beam, longest, compute_type, threads, device)
        self.on_gpu, self.licence = model.on_gpu, model.licence
        self._generated = Generated(model, inside)
        super().__init__(self._generated, Solver("greedy", whole=False))

    def preset(self) -> Weights:
        """The translator's score alone."""
        return Weights({"translation": 1.0})

    def check(self) -> None:
        """Check that there is a translator, and no score of an alignment."""
        if self.scorer is None:
            raise SpanbridgeError(self.without_translator())
        if others := self.weights().parts.keys() - {"translation", "ner"}:
            why = "which t-projection does not read; leave that weight out"
            raise SpanbridgeError(f"the score {min(others)!r} needs an alignment, {why}")
        super().check()

    def calibration(self) -> None:  # type: ignore[override]  # nothing is known of it
        """No gold spans could be projected so."""
        return

    def confidence(self, pool: Pool, chosen: Candidate) -> float:
        """A ranking by the score and its lead over other candidates."""
        scored = pool.scored[chosen.entity]
        number = scored.number(chosen.start, chosen.end)
        entity = pool.entities[chosen.entity]
        words = max(entity.end - entity.start, chosen.end - chosen.start)
        margin = scored.margin(number, self.weights().min_score)
        return _SHAPE(closeness(float(scored.total[number])), lead(margin, words))

    def max_confidence(self) -> float:
        """Confidence of the best score without a rival."""
        return _SHAPE.max_confidence()

    def linked(self, pool: Pool, entity: int) -> bool:
        """Check if there is any candidate of an entity."""
        return len(pool.scored[entity].intervals) > 0

    def _pools(self, rows: Sequence[Row], weights: Weights) -> Iterable[Pool | RowError]:
        """Candidates of every row with their scores."""
        pairs = [pair for pair, _ in rows]
        errors = self._generated.prepare(pairs)
        unlinked: list[Row] = [
            (pair, WordAlignment.of((), len(pair.source.words), len(pair.target.words)))
            for pair in pairs
        ]
        pools = super()._pools(unlinked, weights)
        return [error or pool for error, pool in zip(errors, pools, strict=True)]
