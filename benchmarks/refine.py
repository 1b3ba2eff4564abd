"""What a chat model of stated quality is worth: F1 by the share of spans that it is asked about.

Prints: for each set F1 of the default method alone, and with `--refine chat` where the share of
    spans that it is least sure of is asked about; then the mean over the sets, the share of the
    whole gain, and how many of the model's answers were right. The model is simulated
    (benchmarks/simulated_model.py): it answers from gold, and is right as often as `--right` says
    in per cent. At the end: its answers, by kind.
Takes: about eight minutes of one core; `refine en-de --rows 100`, twenty seconds.
Data: as for `accuracy`, of the first `--rows` of each set those with as many spans of each label on
    both sides (in others, the annotators did not mean the same). Sets that the package's encoder
    was trained on are projected and scored as in `accuracy`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.accuracy import f1
from benchmarks.calibration import labels
from benchmarks.chat_server import serving
from benchmarks.held_out import aligner_for, scored
from benchmarks.real_data import PAIR_SETS, gold_pairs, language_of
from benchmarks.simulated_model import SimulatedModel
from spanbridge import Projector, SentencePair
from spanbridge.alignment.statistical import FusedAligner
from spanbridge.projection.chat_decision import NOT_PROJECTED
from spanbridge.projection.chat_method import ChatMethod
from spanbridge.projection.method import places

SHARES = (0, 5, 10, 20, 50, 100)


def sureness(rows: Sequence[SentencePair]) -> list[float]:
    """The confidence in the place of each source span, as the routing has it."""
    found: list[float] = []
    for row in rows:
        n_open = len(places(row.source.spans)) - len(places(row.target.spans))
        found += [min(s.score or 0.0 for s in same) for same in places(row.target.spans)]
        found += [NOT_PROJECTED] * n_open
    return sorted(found)


def bound(sure: Sequence[float], share: int) -> float:
    """The confidence below which so many per cent of spans lie."""
    n = round(len(sure) * share / 100)
    return 0.0 if not n else 1.0 if n == len(sure) else float(np.nextafter(sure[n - 1], 1))


def curve(
    name: str, rows: int, shares: Sequence[int], right: float, way: str, reliability: float
) -> tuple[int, list[float], list[Counter[str]]]:
    """Number of spans of a set; F1, and the model's answers up to then, at each share."""
    pairs = [pair for pair in gold_pairs(name)[:rows] if _same_labels(pair)]
    counted = scored(name, pairs)
    gold = [pairs[n] for n in counted]
    model = SimulatedModel(pairs, right=right)
    with serving(model) as (url, _), TemporaryDirectory() as cache:
        chat = ChatMethod(
            *("simulated", url),
            cache=cache,
            way="insert" if way == "insert" else "choose",
            reliability=reliability,
            parallel=8,
        )
        projector = Projector(
            chat, FusedAligner(aligner_for(name)), languages={"target": language_of(name)}
        )
        chat.below = 0.0
        cheap = projector.fit_run(pairs)
        # how sure it is of each place: links tell which spans of a row belong together
        model.link(cheap)
        sure, values, told = sureness(cheap), [], []
        for share in shares:
            chat.below = bound(sure, share)
            found = projector.run(pairs) if share else cheap
            values.append(f1(gold, [found[n] for n in counted]))
            told.append(model.told)
    return len(sure), values, told


def _same_labels(pair: SentencePair) -> bool:
    """Check if the annotators of both sides meant the same, as far as labels tell."""
    return labels(pair, "source") == labels(pair, "target") and bool(pair.source.spans)


def main(
    sets: Sequence[str] = PAIR_SETS,
    rows: int = 200,
    shares: Sequence[int] = SHARES,
    right: int = 92,
    way: str = "choose",
    reliability: int = 90,
) -> None:
    """Print the table."""
    print(f"{'':12}{'spans':>6}" + "".join(f"{f'{share} %':>9}" for share in shares), flush=True)
    every, told = [], [Counter[str]() for _ in shares]
    for name in sets:
        n, values, answers = curve(name, rows, shares, right / 100, way, reliability / 100)
        print(f"{name:12}{n:>6}" + "".join(f"{value:>9.3f}" for value in values), flush=True)
        every.append(values)
        told = [one + other for one, other in zip(told, answers, strict=True)]
    mean = np.mean(every, axis=0)
    print(f"{'mean':18}" + "".join(f"{value:>9.3f}" for value in mean))
    gain = (mean - mean[0]) / max(mean[-1] - mean[0], 1e-9)
    print(f"{'share of gain':18}" + "".join(f"{value:>9.2f}" for value in gain))
    right_ones = [one["right"] / max(one.total(), 1) for one in told]
    print(f"{'right answers':18}" + "".join(f"{value:>9.3f}" for value in right_ones))
    whole = told[-1].total()
    kinds = ", ".join(f"{n / max(whole, 1):.3f} {k}" for k, n in told[-1].most_common())
    print(f"{whole} answers: {kinds}")
