"""What corrected rows teach: active learning in simulation, with the gold labels as the annotator.

Prints: for each set its rows with source spans and their F1 as projected; then, for each number of
    corrected rows, chosen at random (mean over the seeds), by doubt and by the mixture of
    `spanbridge choose`: F1 of all other rows (in brackets what corrections add to these same rows;
    the rest of the difference is that the doubtful rows are no longer among them). Last, F1 of a
    tagger of the target that learns from the rows of the mixture alone. Then the means over all
    sets of both gains: of what is left, and of what the corrections taught.
    Of sets of few rows, half are corrected at most. The default method, with an encoder that has
    seen none of the rows; what it learns from are the same rows.
Takes: about half an hour of one core; `corrections mabsa-es xsid-zh --seeds 1`, one minute.
Data: as for `accuracy`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from statistics import fmean

import numpy as np

from benchmarks.held_out import aligner_for, scored
from benchmarks.real_data import PAIR_SETS, gold_pairs, language_of
from spanbridge import Sentence, SentencePair, Span
from spanbridge.alignment.statistical import FusedAligner
from spanbridge.core.errors import RowError
from spanbridge.core.soft_alignment import SoftAlignment
from spanbridge.evaluation.choosing import choose
from spanbridge.formats.closed_classes import closed_classes
from spanbridge.formats.languages import find_language
from spanbridge.projection.boundaries import Conventions
from spanbridge.projection.corpus import CorpusMethod, digest
from spanbridge.projection.learned_taggers import FOLDS, StatesTagger, bioes
from spanbridge.projection.method import Row
from spanbridge.projection.regression import Floats
from spanbridge.steps.calibrating import places
from spanbridge.steps.fates import row_confidence
from spanbridge.steps.long_rows import labelled_parts
from spanbridge.steps.target_words import TargetWords

WAYS = ("random", "doubt", "mixture")
Spans = list[set[tuple[int, int, str]]]


class Simulation:
    """A set's rows, aligned once; parts of long ones are rows of their own."""

    def __init__(self, name: str, rows: int) -> None:
        pairs = gold_pairs(name)
        self.language = find_language(language_of(name))
        words = TargetWords({}, self.language)
        aligner = FusedAligner(aligner_for(name))
        parts: list[SentencePair] = []
        for n in scored(name, pairs)[:rows]:
            gold = pairs[n]._replace(links=None)
            cut = words(gold.replace(target=gold.target.with_spans(())))
            target = cut.target.with_spans(on_words(gold.target, cut.target.words))
            parts += labelled_parts(cut._replace(target=target), aligner)
        self.gold = parts
        aligner.fit(parts)
        self.rows = list(zip(parts, aligner.soft_align(parts), strict=True))
        self.pool = [k for k, part in enumerate(parts) if part.source.spans]
        self.true: Spans = [{span[:3] for span in part.target.spans} for part in parts]

    def run(self, corrected: Collection[int] = ()) -> list[SentencePair]:
        """The rows as projected, with some corrected."""
        method = CorpusMethod()
        method.conventions = Conventions(closed_classes(self.language.iso3), {})
        rows: list[Row] = []
        gold: list[Row] = []
        for k, (pair, soft) in enumerate(self.rows):
            if not isinstance(soft, RowError):
                rows.append((pair, soft))
                gold += [(pair, soft)] if k in corrected else []
        method.teach(gold)
        method.fit(rows)
        found = iter(method.project(rows))
        done = []
        for pair, soft in self.rows:
            one = None if isinstance(soft, RowError) else next(found)
            if one is None or isinstance(one, RowError):
                done.append(pair.replace(target=pair.target.with_spans(())))
            else:
                target = pair.target.with_spans(one.spans)
                done.append(pair.replace(target=target, confidence=row_confidence(one, 0.0)))
        return done

    def f1(self, found: Sequence[SentencePair], numbers: Sequence[int]) -> float:
        """Micro F1 in some rows."""
        right = both = 0
        for k in numbers:
            spans = {span[:3] for span in found[k].target.spans}
            right, both = right + len(spans & self.true[k]), both + len(spans) + len(self.true[k])
        return 2 * right / both if both else 1.0

    def chosen(self, way: str, found: Sequence[SentencePair], n: int, seed: int) -> set[int]:
        """Rows to correct."""
        if way == "random":
            return set(np.random.default_rng(seed).permutation(self.pool)[:n].tolist())
        best = choose([found[k] for k in self.pool], n, "doubt" if way == "doubt" else "mixture")
        return {self.pool[k] for k in best}

    def tagged(self, corrected: Collection[int]) -> list[SentencePair]:
        """The rows as a tagger on the encoder's states labels them that knows these alone."""
        labels = sorted({label for k in corrected for *_, label in self.true[k]})
        known = [k for k in sorted(corrected) if len(self.states(k))]
        folds = [digest(self.gold[k]) % FOLDS for k in known]
        tagger = None
        if len(set(folds)) > 1:
            basis = StatesTagger.principal_components([self.states(k) for k in known])
            sentences = []
            for k in known:
                states = self.states(k)
                sentences.append((states @ basis, bioes(len(states), self.true[k], labels)))
            tagger = StatesTagger.train(basis, sentences, folds, 1 + 4 * len(labels))
        done = []
        for k, pair in enumerate(self.gold):
            spans: list[Span] = []
            if tagger is not None and len(own := self.states(k)):
                p = np.mean([tagger.probabilities(own, fold) for fold in range(FOLDS)], axis=0)
                spans = spans_of(p.argmax(1).tolist(), labels)
            done.append(pair.replace(target=pair.target.with_spans(tuple(spans))))
        return done

    def states(self, k: int) -> Floats:
        """The encoder's states of a row's target; none where it has not been read."""
        found = self.rows[k][1]
        states = found.target_states if isinstance(found, SoftAlignment) else None
        return np.zeros((0, 0), np.float32) if states is None else states


def on_words(gold: Sentence, words: Sequence[str]) -> tuple[Span, ...]:
    """Gold spans over words as projection finds them, but for those that end inside such a word."""
    at = {int(end): n for n, end in enumerate(np.cumsum([0, *map(len, words)]))}
    found = [(at.get(start), at.get(end), label) for start, end, label in places(gold)]
    return tuple(Span(a, b, label) for a, b, label in found if a is not None and b is not None)


def spans_of(classes: Sequence[int], labels: Sequence[str]) -> list[Span]:
    """Runs of words of one label; a beginning or an end cuts them."""
    spans: list[Span] = []
    start, before = 0, ""
    for n, number in enumerate([*classes, 0]):
        label = labels[(number - 1) // 4] if number else ""
        begins = number and (number - 1) % 4 in (0, 3)
        if before and (label != before or begins):
            spans.append(Span(start, n, before))
        if label and (label != before or begins):
            start = n
        before = label
    return spans


def main(
    sets: Sequence[str] = PAIR_SETS,
    corrected: Sequence[int] = (20, 50, 100),
    rows: int = 300,
    seeds: int = 3,
) -> None:
    """Print the table."""
    cells = "".join(f"{way:>16}" for way in WAYS)
    print(f"{'':12}{'rows':>5}{'F1':>7}{'n':>5}{cells}{'tagger':>8}")
    left: dict[tuple[int, str], list[float]] = {}
    taught: dict[tuple[int, str], list[float]] = {}
    for name in sets:
        one = Simulation(name, rows)
        plain = one.run()
        whole = one.f1(plain, one.pool)
        for number in corrected:
            n, line = min(number, len(one.pool) // 2), ""
            for way in WAYS:
                found = []
                for seed in range(seeds if way == "random" else 1):
                    chosen = one.chosen(way, plain, n, seed)
                    rest = [k for k in one.pool if k not in chosen]
                    after = one.f1(one.run(chosen), rest)
                    found.append((after, after - one.f1(plain, rest)))
                after, gain = map(fmean, zip(*found, strict=True))
                left.setdefault((number, way), []).append(after - whole)
                taught.setdefault((number, way), []).append(gain)
                line += f"{after:>8.3f} ({gain:+.3f})"
            line += f"{one.f1(one.tagged(chosen), rest):>8.3f}"
            print(f"{name:12}{len(one.pool):>5}{whole:>7.3f}{n:>5}{line}", flush=True)
    print(
        "\nmean gain in F1 of the other rows: of what is left (taught), and sets in which it fell"
    )
    for number in corrected:
        line = ""
        for way in WAYS:
            gains, own = left[number, way], taught[number, way]
            fell = f"{sum(g < 0 for g in gains)}, {sum(g < 0 for g in own)}"
            line += f"{way:>12} {fmean(gains):+.3f} ({fmean(own):+.3f}) {fell:>6}"
        print(f"{number:>5}{line}", flush=True)
