"""The step that makes probabilities hold for rows like some labelled ones."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from math import isfinite
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import Field, PrivateAttr

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.learned import read_learned, write_learned
from spanbridge.core.progress import Progress, silent
from spanbridge.core.records import read_record
from spanbridge.core.rows import CORRECTED, FAILED, OTHER, PROJECTED, REJECTED, SentencePair, Side
from spanbridge.core.spans import Sentence, Span
from spanbridge.evaluation.calibration import Curve, calibration_error, cross_fitted, fit_curve
from spanbridge.formats import Reading, find_format, read_rows
from spanbridge.formats.tokens import raw_sentence, spans_in_text, with_text
from spanbridge.steps.account import EMPTIED, Account
from spanbridge.steps.base import Context, Step

# Fewer labelled rows, or spans found in them, are refused.
MIN_ROWS, MIN_SPANS = 50, 20
RECORD = ".run.json"  # end of the name of the file beside a result
_CURVES = ("spans", "rows")
_REMEDY = "give the labelled rows again"
# A span by the characters before and within it, spaces left out: the same for any way to cut words.
Place = tuple[int, int, str]


@dataclass(frozen=True)
class Fitted:
    """Curves, and what they were fitted on.

    Attributes:
        about: what they were fitted on, and how far probabilities were from what is right.
        spans: curve of a span's probability of being exactly right.
        rows: curve of a row's probability of being right as a whole.
    """

    about: str
    spans: Curve = field(default_factory=Curve)
    rows: Curve = field(default_factory=Curve)

    @classmethod
    def from_dict(cls, given: Any) -> Fitted:
        """Restore from :func:`dataclasses.asdict`. Raises LookupError, TypeError or ValueError."""
        curves = [Curve(**{k: float(v) for k, v in given[name].items()}) for name in _CURVES]
        if not all(isfinite(v) for curve in curves for v in (curve.intercept, curve.slope)):
            raise ValueError("a curve is not finite")
        return cls(str(given["about"]), *curves)


class Calibrate(Step):
    """Turn scores into probabilities that hold for rows like those of a labelled file.

    The labelled rows pass the steps before, and a curve is fitted from the scores of the spans
    found there to the probability that a span is exactly right; another one from the rows'
    confidences. A labelled row that is among the input's takes its form and its other side.

    Attributes:
        gold: a file with labelled rows, at least 50; or the ``OUT.run.json`` of an earlier run with
            this step, whose curves are taken.
        side: side whose spans are judged and changed.
        min_confidence: spans with a lower probability are left out, in [0, 1].
    """

    name: ClassVar[str] = "calibrate"
    takes: ClassVar[tuple[str, ...]] = ("{side}_spans",)
    amends: ClassVar[bool] = True
    gold: str
    side: Side = "target"
    min_confidence: float = Field(0.0, ge=0, le=1)
    _gold: list[SentencePair] = PrivateAttr(default_factory=list)
    _fitted: Fitted | None = PrivateAttr(None)

    def open(self, context: Context) -> None:
        """Read the labelled rows, or the curves.

        Raises:
            InputError: the file is wrong, or has too few rows.
        """
        if self.gold.endswith(RECORD):
            self._fitted = _recorded(Path(self.gold))
            self._check_reach()
            return
        how = context.reading or Reading()
        if not find_format(self.gold, default="conll", sniff=True).holds_spans:
            raise InputError(self.gold, None, "holds no labels; give labelled rows")
        self._gold = [pair for _, pair in read_rows(self.gold, self.side, how, default="conll")]
        if len(self._gold) < MIN_ROWS:
            why = (
                f"has {len(self._gold)} rows, too few to calibrate: give {MIN_ROWS} or more, "
                "better 100"
            )
            raise InputError(self.gold, None, why)
        if not any(pair.side(self.side).spans for pair in self._gold):
            raise InputError(self.gold, None, f"has no labelled {self.side}")

    @property
    def slow(self) -> bool:
        """False: the work is in the steps before."""
        return False

    @property
    def learns(self) -> bool:
        """True unless curves were read."""
        return bool(self._gold)

    def parts(self) -> dict[str, str]:
        """The labelled rows or curves by their digest, and the settings."""
        given: dict[str, str] = {"side": self.side}
        if self._gold:
            given |= {"gold": _digest(self._gold), "learned_on": f"{len(self._gold)}_rows"}
        else:
            given |= {"curves": _digest([self._fitted])}
        if self.min_confidence:
            given["min_confidence"] = repr(self.min_confidence)
        return given

    def examples(self, rows: Iterable[SentencePair]) -> list[SentencePair] | None:
        """The labelled rows without their labels, each as it stands in the input if it does."""
        if not self._gold:
            return None
        wanted = {
            pair.side(self.side).characters(): n for n, pair in reversed([*enumerate(self._gold)])
        }
        found: dict[int, SentencePair] = {}
        raw = links = False
        for row in rows:
            raw |= row.side(self.side).text is not None
            links |= row.links is not None
            n = wanted.get(row.side(self.side).characters())
            if n is not None and n not in found and self._same_other(self._gold[n], row):
                found[n] = row
        blank = []
        for n, pair in enumerate(self._gold):
            row = found.get(n) or self._alone(pair, raw, links)
            blank.append(row.replace(**{self.side: row.side(self.side).with_spans(())}))
        return blank

    def _same_other(self, pair: SentencePair, row: SentencePair) -> bool:
        """Check if a row has the same other side, if the labelled one has any."""
        one, other = (given.side(OTHER[self.side]).characters() for given in (pair, row))
        return not one or one == other

    def _alone(self, pair: SentencePair, raw: bool, links: bool) -> SentencePair:
        """A labelled row in the form of the input's rows."""
        own = pair.side(self.side)
        if raw and own.text is None:
            own = raw_sentence(own.plain_text())
        bare = pair.without_result()
        changes: dict[str, Any] = {self.side: own, "links": bare.links if links else None}
        return bare._replace(**changes)

    def fit(self, rows: Sequence[SentencePair], progress: Progress = silent) -> None:
        """Fit the curves on what the steps before made of :meth:`examples`.

        Raises:
            SpanbridgeError: a translation failed, or too few spans were found to fit curves on.
        """
        if len(rows) != len(self._gold):
            raise SpanbridgeError(
                f"the steps before made {len(rows)} rows of {len(self._gold)} labelled ones; "
                "calibrate goes to the end, after join"
            )
        failed = [row for row in rows if (row.status or "").startswith(FAILED)]
        if failed:
            raise SpanbridgeError(
                f"{len(failed)} of the {len(rows)} labelled rows of {self.gold} could not be "
                f"worked on; the first is row {failed[0].id} ({failed[0].status}): run again, or "
                "take them out"
            )
        spans, whole = self._judged(rows)
        if len(spans) < MIN_SPANS:
            raise SpanbridgeError(
                f"{len(spans)} spans with a score were found in the {len(rows)} labelled rows of "
                f"{self.gold}, too few to calibrate: {MIN_SPANS} are needed; label more rows (or, "
                "with a bitext, such as are among its rows)"
            )
        p, right, at = (np.array(column) for column in zip(*spans, strict=True))
        after = cross_fitted(p, right, at)
        about = (
            f"{len(rows)} rows of {os.path.basename(self.gold)}: {len(p)} spans, "
            f"{right.mean():.3f} right; mean probability {p.mean():.3f} before, {after.mean():.3f} "
            f"after; expected calibration error {calibration_error(p, right):.3f} before, "
            f"{calibration_error(after, right):.3f} after (cross-fitting)"
        )
        of_rows = Curve()
        if len(whole) >= MIN_SPANS:
            of_rows = fit_curve(*zip(*whole, strict=True))
        self._fitted = Fitted(about, fit_curve(p, right), of_rows)
        self._check_reach()

    def _judged(
        self, rows: Sequence[SentencePair]
    ) -> tuple[list[tuple[float, bool, int]], list[tuple[float, bool]]]:
        """Score of each span, whether it is right, and its row; the same of each row.

        Labels that only the labelled rows have, or only what was found, are left out.
        """
        both = [
            (places(found.side(self.side)), set(places(gold.side(self.side))), found)
            for gold, found in zip(self._gold, rows, strict=True)
            if not (found.status or "").startswith((REJECTED, CORRECTED))
            and gold.side(self.side).characters() == found.side(self.side).characters()
        ]
        ours = {label for found, _, _ in both for *_, label in found}
        theirs = {label for _, gold, _ in both for *_, label in gold}
        shared = ours & theirs
        if ours and not shared:
            told = (", ".join(sorted(labels)) or "none" for labels in (ours, theirs))
            raise SpanbridgeError(
                "the labels found ({}) and those of the labelled rows ({}) have none in common; "
                "rename the tagger's (map)".format(*told)
            )
        spans, whole = [], []
        for n, (found, gold, row) in enumerate(both):
            chosen = {place: p for place, p in found.items() if place[2] in shared}
            spans += [(p, place in gold, n) for place, p in chosen.items() if p is not None]
            if (sure := self._of_row(row)) is not None:
                whole.append((sure, set(chosen) == {place for place in gold if place[2] in shared}))
        return spans, whole

    def _of_row(self, pair: SentencePair) -> float | None:
        """Probability that all of a row is right."""
        if self.side == "target" and pair.confidence is not None:
            return pair.confidence
        return pair.side(self.side).empty_probability

    def _check_reach(self) -> None:
        assert self._fitted is not None
        most = self._fitted.spans(1.0)
        if self.min_confidence > most:
            raise SpanbridgeError(
                f"min_confidence {self.min_confidence} leaves nothing: once calibrated, no span is "
                f"surer than {most:.3f}"
            )

    def work(self, rows: Sequence[SentencePair], account: Account) -> Iterator[SentencePair]:
        """Rows with calibrated probabilities."""
        for pair in rows:
            yield self._row(pair, account)

    def _row(self, pair: SentencePair, account: Account) -> SentencePair:
        assert self._fitted is not None
        if pair.status == CORRECTED:  # it is certain
            account.statuses["calibrated"] += 1
            return pair
        own, curve = pair.side(self.side), self._fitted.spans
        spans = [s if s.score is None else s._replace(score=curve(s.score)) for s in own.spans]
        low = [s for s in spans if s.score is not None and s.score < self.min_confidence]
        kept = tuple(span for span in spans if span not in low)
        account.calibrated(kept, f"calibrated on {self._fitted.about}")
        account.statuses[EMPTIED if low and not kept else "calibrated"] += 1
        account.left_out(low)
        empty = own.empty_probability
        done = own.with_spans(kept, None if empty is None else round(self._fitted.rows(empty), 4))
        if self.side == "source":
            return pair.replace(source=done)
        status, confidence = pair.status, pair.confidence
        if low and not kept:
            confidence = None
            status = EMPTIED if status == PROJECTED else status
        elif confidence is not None:
            confidence = self._fitted.rows(confidence)
            for p in _ofplaces(low):  # right without the span, in place of with it
                confidence *= (1 - p) / p
            confidence = round(min(confidence, 1.0), 4)
        return pair._replace(target=done, status=status, confidence=confidence)

    def save(self, folder: str | Path) -> None:
        """Save the curves."""
        assert self._fitted is not None
        write_learned(folder, {"calibration": asdict(self._fitted)}, {})

    def load(self, folder: str | Path) -> None:
        """Restore the curves. Raises InputError if they are damaged."""
        content, _ = read_learned(folder)
        self._fitted = _restored(content, Path(folder))
        self._check_reach()

    def record(self) -> dict[str, Any] | None:
        """The curves, for the file beside a result."""
        return None if self._fitted is None else {"calibration": asdict(self._fitted)}


def _digest(values: Iterable[object]) -> str:
    whole = "\n".join(map(repr, values)).encode("utf-8", "backslashreplace")
    return sha256(whole).hexdigest()[:12]


def _recorded(path: Path) -> Fitted:
    """The curves of an earlier run. Raises InputError if there are none, or they are damaged."""
    content = read_record(path, _REMEDY, alone=True)
    if "calibration" not in content:
        why = "is of a run without calibration; give labelled rows, or that of a run with them"
        raise InputError(path, None, why)
    return _restored(content, path)


def _restored(content: Mapping[str, Any], path: Path) -> Fitted:
    try:
        return Fitted.from_dict(content["calibration"])
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise InputError(path, None, f"is damaged ({error!r}); {_REMEDY}") from error


def _ofplaces(spans: Sequence[Span]) -> Iterator[float]:
    """The lowest probability of each place; the labels of one are right or wrong together."""
    least: dict[tuple[int, int], float] = {}
    for span in spans:
        assert span.score is not None
        least[span[:2]] = min(span.score, least.get(span[:2], 1.0))
    return iter(least.values())


def places(sentence: Sentence) -> dict[Place, float | None]:
    """The places of a sentence's spans, and their scores."""
    whole = with_text(sentence)
    before = np.cumsum([0, *(not char.isspace() for char in whole.text or "")]).tolist()
    return {(before[s.start], before[s.end], s.label): s.score for s in spans_in_text(whole)}
