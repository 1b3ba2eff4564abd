"""The table of routes: F1 by language, our own measurements and published ones.

``data/measured.csv`` holds what ``python -m benchmarks advice`` measured; ``data/published.csv``
the results of Politov et al. (2025), arXiv 2501.18750, for model transfer and twelve ways of
projection, each with their own tagger, encoder and translator. The same command makes both.
"""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from typing import Any, cast

from spanbridge.core.errors import SpanbridgeError
from spanbridge.formats.languages import Language, find_language
from spanbridge.run.recipes import Route

PUBLISHED = "Politov et al. 2025"
# Languages of CC-100, on which XLM-R and with it the embedded encoder were trained (Conneau et al.
# 2020, appendix A).
_ENCODER = frozenset(
    """
    af am ar as az be bg bn br bs ca cs cy da de el en eo es et eu fa fi fr fy ga gd gl gu ha he hi
    hr hu hy id is it ja jv ka kk km kn ko ku ky la lo lt lv mg mk ml mn mr ms my ne nl no om or pa
    pl ps pt ro ru sa sd si sk sl so sq sr su sv sw ta te th tl tr ug uk ur uz vi xh yi zh
    """.split()  # noqa: SIM905  # 94 quoted strings would not be easier to read
)
_LISTED_AS = {"nb": "no", "nn": "no", "fil": "tl"}


@dataclass(frozen=True)
class Figure:
    """The F1 of a route.

    Attributes:
        route: the route.
        how: what translated, and for published figures how labels were projected; empty for direct.
        f1: entity F1, micro, in [0, 1].
        low, high: ends of its 95% interval; None if not known.
    """

    route: Route
    how: str
    f1: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Study:
    """Routes compared on the same sentences of a language.

    Attributes:
        language: as its BCP-47 tag.
        data: name of the gold data.
        source: who measured it: a tagger of ours, or a publication.
        published: False if it was measured with Spanbridge.
        figures: one for each route and way.
        rows: number of sentences; None if not known.
        pieces: subwords per word of the encoder; None if not known.
        automatic: the gold labels were not made by people.
    """

    language: str
    data: str
    source: str
    published: bool
    figures: tuple[Figure, ...]
    rows: int | None = None
    pieces: float | None = None
    automatic: bool = False

    @property
    def corpus(self) -> str:
        """The gold data without its part: MasakhaNER2."""
        return self.data.partition(" ")[0]

    def best(self, route: Route, how: str | None = None) -> Figure | None:
        """The best figure of a route, of one way or of any; None if there is none."""
        found = [x for x in self.figures if x.route == route and how in (None, x.how)]
        return max(found, key=lambda figure: figure.f1, default=None)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def knows(language: Language) -> bool:
    """Check if the embedded encoder was trained on a language."""
    return _LISTED_AS.get(language.iso1, language.iso1) in _ENCODER


def studies(language: Language | None = None) -> list[Study]:
    """What is known of a language, or of all: our own measurements, then published ones."""
    found = [*_measured(), *_published()]
    if language is None:
        return found
    return [study for study in found if find_language(study.language) == language]


@cache
def _measured() -> tuple[Study, ...]:
    groups: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in _rows("measured.csv"):
        groups.setdefault((row["language"], row["data"]), []).append(row)
    return tuple(
        Study(
            *(language, data, rows[0]["tagger"], False),
            tuple(
                Figure(
                    cast(Route, row["route"]),
                    row["translator"],
                    *(float(row[name]) for name in ("f1", "low", "high")),
                )
                for row in rows
            ),
            int(rows[0]["rows"]),
            float(rows[0]["pieces"]),
            data.startswith("PAN-X"),
        )
        for (language, data), rows in groups.items()
    )


@cache
def _published() -> tuple[Study, ...]:
    found = []
    for row in _rows("published.csv"):
        language, data = row.pop("language"), row.pop("data")
        figures = []
        for name, value in row.items():
            route, _, how = name.partition(": ")
            figures.append(Figure(cast(Route, route), how, float(value)))
        automatic = data.startswith("PAN-X")
        found.append(Study(language, data, PUBLISHED, True, tuple(figures), automatic=automatic))
    return tuple(found)


def _rows(name: str) -> list[dict[str, str]]:
    place = files("spanbridge.routes") / "data" / name
    try:
        text = place.read_text("utf-8")
    except OSError as error:
        raise SpanbridgeError(f"{place} is missing; install the package again") from error
    return list(csv.DictReader(text.splitlines()))
