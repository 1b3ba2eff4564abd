"""Probabilities outside what they were fitted on, before and after 100 labelled rows (--calibrate).

Prints: for each set its spans, their mean probability, the share that is right, and the expected
    calibration error, before and after: 100 rows are drawn, the curve is fitted on them, and the
    others are looked at; means over 20 draws. Beside it, the error that probabilities would show
    which are true (as many spans, by chance), and log-loss before, after, and after isotonic
    regression in the curve's place.
Takes: about five minutes. The tagger is the embedded one, or a folder.
Data: Spanish news; MasakhaNER2 in Hausa, Swahili and Yoruba, tagged directly; Twi and Luganda by
    human translations, which are tagged and projected; and gold English spans (German for de-en)
    projected by the defaults: Europarl-NER, the
    Chinese of PUD (both sides annotated by different people), spoken commands of xSID.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.calibration import error_if_true
from benchmarks.real_data import folder, gold_pairs, masakhaner_parallel, news
from spanbridge import Sentence, SentencePair, read_labelled
from spanbridge.api import project, tag
from spanbridge.evaluation.calibration import calibration_error, fit_curve

LABELS = ("PER", "ORG", "LOC")
LABELLED, DRAWS = 100, 20
SETS = (
    *("news-es", "hau", "swa", "yor", "twi", "lug"),
    *("europarl-en-es", "europarl-de-en", "pud-zh", "xsid-de", "xsid-tr", "xsid-zh"),
)


def found_in(
    name: str, rows: int, tagger: Any
) -> tuple[list[SentencePair], Sequence[SentencePair]]:
    """Rows with gold targets, and the same rows as found."""
    kind, _, language = name.partition("-")
    if name in ("twi", "lug"):
        gold = masakhaner_parallel(name)[:rows]
        return gold, project(tag(gold, tagger))
    if kind in ("europarl", "pud", "xsid"):
        gold = gold_pairs(language if kind == "europarl" else name)
        return gold[:rows], project(gold[:rows])
    path = folder() / "masakhaner2" / name / "dev.txt"
    sentences = news("es", "dev") if kind == "news" else list(read_labelled(path))
    gold = [SentencePair(str(n), Sentence(()), s) for n, s in enumerate(sentences[:rows], 1)]
    return gold, tag(gold, tagger, side="target")


def judged(name: str, rows: int, tagger: Any):
    """Probability of each span, whether it is right, its row; and the number of rows."""
    tagged = tags(name)
    gold, found = found_in(name, rows, tagger)
    spans = []
    for n, (one, other) in enumerate(zip(gold, found, strict=True)):
        truth = {span[:3] for span in one.target.spans}
        spans += [
            (s.score, s[:3] in truth, n)
            for s in other.target.spans
            if not tagged or s.label in LABELS
        ]
    p, right, at = (np.array(column) for column in zip(*spans, strict=True))
    return p.astype(float), right.astype(bool), at, len(gold)


def tags(name: str) -> bool:
    """Check if a set has no gold spans to project."""
    return not name.startswith(("europarl", "pud", "xsid"))


def isotonic(p, right):
    """Isotonic regression (pool adjacent violators), as a function of probabilities."""
    from scipy.optimize import isotonic_regression

    order = np.argsort(p, kind="stable")
    fitted = isotonic_regression(right[order].astype(float)).x
    return lambda q: np.interp(q, p[order], fitted)


def log_loss(p, right):
    """Mean log-loss, of probabilities at least .001 from 0 and 1."""
    q = np.clip(np.where(right, p, 1 - p), 1e-3, 1)
    return -np.log(q).mean()


def measures(p, right, at, n_rows):
    """Mean probability, error and log-loss before and after, and isotonic log-loss; mean of draws.

    And the probabilities after the first draw.
    """
    found, first = [], None
    for seed in range(DRAWS):
        drawn = np.random.default_rng(seed).permutation(n_rows)[:LABELLED]
        own = np.isin(at, drawn)
        before, truth = p[~own], right[~own]
        after = fit_curve(p[own], right[own]).of(before)
        first = after if first is None else first
        steps = isotonic(p[own], right[own])(before)
        found.append(
            [
                *(before.mean(), truth.mean(), calibration_error(before, truth)),
                *(after.mean(), calibration_error(after, truth)),
                *(log_loss(one, truth) for one in (before, after, steps)),
            ]
        )
    return np.mean(found, axis=0), first


def main(sets: Sequence[str] = SETS, tagger: str = "embedded", rows: int = 600) -> None:
    """Print the table."""
    entry = tagger if tagger == "embedded" else {"checkpoint": {"model": tagger}}
    heads = ("mean p", "right", "error", "p after", "error", "loss", "after", "isotonic")
    print(f"{'':16}{'spans':>7}" + "".join(f"{head:>9}" for head in heads))
    for name in sets:
        p, right, at, n_rows = judged(name, rows, entry)
        values, after = measures(p, right, at, n_rows)
        cells = "".join(f"{value:>9.3f}" for value in values)
        true = error_if_true(after)
        print(f"{name:16}{len(p):>7}{cells}  ({true:.3f} if they were true)", flush=True)
