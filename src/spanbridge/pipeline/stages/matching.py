"""The stage that matches candidates by several scores; see :mod:`spanbridge.project.matching`."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from spanbridge.align.base import Aligner
from spanbridge.core.errors import RowError, SpanbridgeError
from spanbridge.core.evidence import Evidence
from spanbridge.core.links import WordAlignment
from spanbridge.core.spans import Sentence, SentencePair
from spanbridge.pipeline.account import PROJECTED, REJECTED, Account
from spanbridge.pipeline.projection import align_pairs, given_links
from spanbridge.pipeline.stages.base import (
    AlignerPart,
    Context,
    Part,
    Stage,
    TaggerPart,
    TranslatorPart,
    Worker,
    licences_of,
)
from spanbridge.pipeline.stages.translations import open_translator
from spanbridge.project.matching import (
    Matching,
    Place,
    ScoreWeights,
    matched,
    ner_scores,
    ngrams,
    subspans,
)
from spanbridge.project.projector import Projection, in_order
from spanbridge.tag.base import Tagged, Tagger
from spanbridge.translate.scoring import TranslationScorer

Steps = Generator[list[tuple[int, Place]], Sequence[float], Projection]
# N-grams of more words are no candidates unless asked for: their number grows with its square.
_MAX_WORDS = 10
# Target words, with translation scores: they are weighed against each other, each with each.
_MOST_SCORED = 300


class Match(Stage):
    """Match source spans with candidates in the target, by scores that are added up.

    Candidates: ``ngrams``, or the spans that ``tagger`` finds in the target with all that lie in
    them. Scores: alignment, the tagger's (``ner``), and a translator's (``translation``).
    """

    kind: ClassVar[str] = "match"
    candidates: Literal["ngrams", "tagger"] = "ngrams"
    max_words: int = Field(_MAX_WORDS, ge=1)
    tagger: TaggerPart | None = None
    translator: TranslatorPart | None = None
    alignment: float = Field(1.0, ge=0)
    ner: float = Field(0.0, ge=0)
    translation: float = Field(0.0, ge=0)
    least: float = Field(0.0, ge=0, le=1)
    per_class: bool = True
    solver: Literal["greedy", "exact"] = "greedy"
    aligner: AlignerPart | None = None
    links: bool = False

    @model_validator(mode="after")
    def _complete(self) -> Match:
        if (self.candidates == "tagger" or self.ner) and self.tagger is None:
            raise ValueError("candidates or a score of a tagger need a tagger")
        if self.translation and self.translator is None:
            raise ValueError("a translation score needs a translator, such as neural")
        if self.tagger is not None and self.candidates != "tagger" and not self.ner:
            raise ValueError("the tagger would do nothing; set ner, or candidates: tagger")
        if self.translator is not None and not self.translation:
            raise ValueError("the translator would do nothing; set translation, its weight")
        if self.links and self.aligner is not None:
            raise ValueError("links: true takes the links that there are; leave the aligner out")
        if not self.alignment + self.ner + self.translation:
            raise ValueError("all weights are 0")
        return self

    def needs(self) -> set[str]:
        """Both sides, and the source's spans; the links, if they are to be used."""
        there = {"source_words", "source_spans", "target_words"}
        return there | {"links"} if self.links else there

    def gives(self, columns: set[str]) -> set[str]:
        """The target's spans."""
        return columns | {"target_spans", "links"}

    def open(self, context: Context) -> Worker:
        """With aligner, tagger and translator.

        Raises:
            SpanbridgeError: the aligner has to learn, the tagger gives no probabilities, or the
                translator no scores.
        """
        return _Matching(self, context)


class _Matching(Worker):
    def __init__(self, settings: Match, context: Context) -> None:
        self._settings = settings
        self._weights = ScoreWeights(
            settings.alignment, settings.ner, settings.translation, settings.least
        )
        aligner = settings.aligner or Part("aligner", "encoder", {})
        self._aligner: Aligner | None = None if settings.links else aligner.build()
        if self._aligner is not None and self._aligner.needs_fit:
            raise SpanbridgeError(
                f"the aligner {aligner.name!r} has to learn; put an align stage before "
                "this one, and links: true here"
            )
        self._tagger: Tagger | None = None
        if settings.tagger is not None:
            self._tagger = settings.tagger.build()
            if settings.ner and not self._tagger.classes:
                raise SpanbridgeError(
                    f"the tagger {settings.tagger.name!r} gives no probabilities, which ner needs"
                )
        self._scorer: TranslationScorer | None = None
        self._translator: object = None
        if settings.translator is not None:
            translator = open_translator(settings.translator, context)
            self._translator = translator
            if not getattr(translator, "multilingual", False):
                raise SpanbridgeError(
                    f"{settings.translator.name} gives no translation scores; a neural model of "
                    "many languages does (NLLB-200, M2M-100)"
                )
            languages = context.language("source"), context.language("target")
            self._scorer = TranslationScorer(translator, *languages)  # type: ignore[arg-type]

    def describe(self) -> str:
        what = self._settings
        longest = what.max_words if what.candidates == "ngrams" else "any"
        parts = [
            f"match({what.candidates},max_words={longest},{what.solver},per_class={what.per_class}",
            self._weights.describe(),
            "given" if self._aligner is None else self._aligner.describe(),
        ]
        parts += [p.describe() for p in (self._tagger, self._scorer) if p is not None]
        return ",".join(parts) + ")"

    def licences(self) -> dict[str, str]:
        return licences_of(tagger=self._tagger, translator=self._translator)

    def work(self, rows: Sequence[SentencePair], account: Account) -> Iterator[SentencePair]:
        opinions: list[Tagged | None] = [None] * len(rows)
        if self._tagger is not None:
            opinions = list(self._tagger.tag([pair.target.words for pair in rows]))
        if self._aligner is None:
            linked = given_links(rows)
        else:
            clean = [replace(pair, links=None) for pair in rows]
            linked = align_pairs(lambda: clean, self._aligner)
        both = [(pair, self._bounded(pair, links)) for pair, links in linked]
        steps = [
            None
            if isinstance(links, RowError)
            else matched(self._matching(pair, links, opinion), self._settings.solver)
            for (pair, links), opinion in zip(both, opinions, strict=True)
        ]
        for (pair, links), found in zip(both, self._drive(rows, steps, account), strict=True):
            yield _row(pair, links, found, account)

    def _bounded(
        self, pair: SentencePair, links: WordAlignment | RowError | Evidence
    ) -> WordAlignment | RowError | Evidence:
        n_words = len(pair.target.words)
        if self._scorer is not None and pair.source.spans and n_words > _MOST_SCORED:
            return RowError(f"{n_words} target words, too many for translation scores; split it")
        return links

    def _drive(
        self, rows: Sequence[SentencePair], steps: Sequence[Steps | None], account: Account
    ) -> list[Projection | None]:
        """Answer what all sentences of the shard ask for, together, round after round."""
        found: list[Projection | None] = [None] * len(rows)
        answers: dict[int, Sequence[float] | None] = {
            n: None for n, step in enumerate(steps) if step is not None
        }
        while answers:
            asked: dict[int, list[tuple[str, str]]] = {}
            for n, answer in answers.items():
                step = steps[n]
                assert step is not None
                try:
                    # what starts a generator is None
                    wanted = step.send(answer)  # type: ignore[arg-type]
                except StopIteration as end:
                    found[n] = end.value
                else:
                    asked[n] = [_phrases(rows[n], e, place) for e, place in wanted]
            answers = {}
            if asked:
                assert self._scorer is not None
                scores = iter(self._scorer.score([p for pairs in asked.values() for p in pairs]))
                answers = {n: [next(scores) for _ in pairs] for n, pairs in asked.items()}
                account.note("translation scores", sum(map(len, asked.values())))
        if self._scorer is not None:
            self._scorer.forget()
        return found

    def _matching(
        self, pair: SentencePair, links: WordAlignment | Evidence, opinion: Tagged | None
    ) -> Matching:
        assert isinstance(links, WordAlignment)
        what = self._settings
        n_words = len(pair.target.words)
        if not pair.source.spans:
            places: list[Place] = []
        elif what.candidates == "ngrams":
            places = ngrams(n_words, what.max_words)
        else:
            assert opinion is not None
            places = subspans(opinion.spans)
        ner = None
        if what.ner and places and opinion is not None and self._tagger is not None:
            if opinion.probabilities is None:
                raise SpanbridgeError("the tagger gives no probabilities, which ner needs")
            ner = ner_scores(opinion.probabilities, self._tagger.classes, places)
        return Matching.of(pair.source.spans, places, links, self._weights, ner, what.per_class)


def _phrases(pair: SentencePair, e: int, place: Place) -> tuple[str, str]:
    entity = in_order(pair.source.spans)[e]
    return _phrase(pair.source, entity.start, entity.end), _phrase(pair.target, *place)


def _phrase(sentence: Sentence, start: int, end: int) -> str:
    if sentence.text is not None and sentence.offsets is not None:
        return sentence.text[sentence.offsets[start][0] : sentence.offsets[end - 1][1]]
    return " ".join(sentence.words[start:end])


def _row(
    pair: SentencePair,
    links: WordAlignment | RowError | Evidence,
    found: Projection | None,
    account: Account,
) -> SentencePair:
    if found is None or not isinstance(links, WordAlignment):
        status = f"{REJECTED}{links}"
        lost = [(span, "row rejected") for span in pair.source.spans]
        done = replace(pair, target=pair.target.with_spans(()), status=status)
        account.add(done, status, lost)
        return done
    if found.spans:
        status = PROJECTED
    elif not pair.source.spans:
        status = "empty: no source span"
    else:
        status = f"empty: {found.dropped[0][1]}"
    done = replace(pair, target=pair.target.with_spans(found.spans), links=links, status=status)
    account.add(done, status, found.dropped)
    return done
