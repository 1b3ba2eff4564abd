"""The picture of the method, docs/images/method.svg.

What it says of the sentence (links, candidates, scores, probabilities) is what the method ``soft``
with the embedded encoder says of it on this machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from spanbridge import Loaded, Sentence, SentencePair, Span
from spanbridge.alignment.encoder_aligner import EncoderAligner
from spanbridge.core.soft_alignment import SoftAlignment

SVG = Path(__file__).parents[1] / "docs" / "images" / "method.svg"
SOURCE = "Ana Torres moved from Rome to the University of Vienna in May ."
TARGET = "Im Mai ging Ana Torres von Rom an die Universität Wien ."
SPANS = (Span(0, 2, "PER"), Span(4, 5, "LOC"), Span(7, 10, "ORG"))
RUNNERS_UP = 2
FONT = "system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif"
FAINTEST, SURE = 0.05, 0.5  # weaker links are not drawn, or dashed
WIDTH, HEIGHT, LEFT = 800, 552, 176
SIZE, GAP = 15.5, 14.0  # of words; between them

# The colours of labels are those of the page.
STYLE = """
.paper{fill:#fbfaf7;stroke:#e2ddd3}.ink{fill:#1f1d1a}.muted{fill:#625d55}.rule{stroke:#e2ddd3}
.card{fill:#f3f0ea;stroke:#cfc8bb}.link{stroke:#6f6a61;fill:none}.step{fill:#5f6673}.main{fill:#3d3fa8}.on{fill:#fff}
.flow{stroke:#8f897e;stroke-width:1.5;fill:none}.tip{fill:#8f897e}
.LOC{fill:#c6e5ff;stroke:#2b77c5}.ORG{fill:#ffd9be;stroke:#b25b00}.PER{fill:#c3f2cc;stroke:#1b8a3f}
text.LOC{fill:#1d5fa3;stroke:none}text.ORG{fill:#8f4900;stroke:none}text.PER{fill:#14692f;stroke:none}
line.LOC{stroke:#2b77c5}line.ORG{stroke:#b25b00}line.PER{stroke:#1b8a3f}.other{fill:none}
@media (prefers-color-scheme:dark){.paper{fill:#171614;stroke:#35322d}.ink{fill:#ece8e1}
.muted{fill:#a8a196}.rule{stroke:#35322d}.card{fill:#24221f;stroke:#4a463f}.link{stroke:#a8a196}
.step{fill:#aab2c0}.main{fill:#b9bbff}.on{fill:#171614}.flow{stroke:#7d776c}.tip{fill:#7d776c}
.LOC{fill:#193f66;stroke:#6fb2f5}.ORG{fill:#5c3309;stroke:#f0a062}.PER{fill:#174a27;stroke:#6cc983}
text.LOC{fill:#8cc4ff}text.ORG{fill:#ffb27a}text.PER{fill:#83dc98}
line.LOC{stroke:#6fb2f5}line.ORG{stroke:#f0a062}line.PER{stroke:#6cc983}.other{fill:none}}
"""
# Of a sans serif like Helvetica, in shares of its size.
NARROW, WIDE, CAPITAL, OTHER = 0.27, 0.86, 0.68, 0.58


@dataclass(frozen=True)
class Place:
    """A candidate of a span of the source: target words ``[start, end)``, score, probability."""

    label: str
    start: int
    end: int
    score: float
    probability: float | None

    def overlaps(self, other: Place) -> bool:
        """Whether both have a word in common."""
        return self.start < other.end and other.start < self.end


def measured() -> tuple[list[tuple[int, int, float]], list[list[Place]]]:
    """Links with the mean of both directions; each span's candidates, the chosen one first."""
    pair = SentencePair(
        "1", Sentence(tuple(SOURCE.split()), SPANS), Sentence(tuple(TARGET.split()))
    )
    soft = EncoderAligner().soft_align([pair])[0]
    assert isinstance(soft, SoftAlignment)
    mass = (soft.forward + soft.backward) / 2
    links = [(i, j, float(mass[i, j])) for i, j in zip(*mass.nonzero(), strict=True)]
    [row] = Loaded([{"project": {"method": "soft", "explain": True}}]).run([pair])
    found: list[list[Place]] = []
    for line in row.explanation or ():
        if line.startswith("row "):
            found.append([])
            continue
        at = re.search(r"\] (\d+)-(\d+) score ([\d.]+)(?:, confidence ([\d.]+))?", line)
        assert at is not None, line
        probability = None if at[4] is None else float(at[4])
        label = SPANS[len(found) - 1].label
        found[-1].append(Place(label, int(at[1]), int(at[2]), float(at[3]), probability))
    return [link for link in links if link[2] >= FAINTEST], found


def width(text: str, size: float) -> float:
    """About how wide a text is."""
    kinds = (
        NARROW
        if c in "iljtfrI.,·+ "
        else WIDE
        if c in "mwMW"
        else CAPITAL
        if c.isupper()
        else OTHER
        for c in text
    )
    return size * sum(kinds)


def element(name: str, kind: str, said: str | None = None, **attributes: object) -> str:
    """An element of the class ``kind``, with text or without."""
    kept = "".join(f' {key.replace("_", "-")}="{value}"' for key, value in attributes.items())
    end = "/>" if said is None else f">{escape(said)}</{name}>"
    return f'<{name} class="{kind}"{kept}{end}'


def text(x: float, y: float, said: str, size: float = 12, kind: str = "ink", **how: str) -> str:
    """One line of text."""
    return element("text", kind, said, x=f"{x:.0f}", y=f"{y:g}", font_size=size, **how)


def box(x: float, y: float, w: float, h: float, kind: str, r: float = 5, **how: str) -> str:
    """A rectangle with round corners."""
    return element("rect", kind, x=f"{x:.1f}", y=y, width=f"{w:.1f}", height=h, rx=r, **how)


def share(value: float) -> str:
    """As ``.97``."""
    return f"{value:.2f}".removeprefix("0")


@dataclass(frozen=True)
class Line:
    """A sentence in one line: where its words stand."""

    words: Sequence[str]
    edges: Sequence[tuple[float, float]]
    y: float

    @classmethod
    def of(cls, sentence: str, y: float) -> Line:
        """Words in the middle of the width there is."""
        words = sentence.split()
        widths = [width(word, SIZE) for word in words]
        whole = sum(widths) + GAP * (len(words) - 1)
        at, edges = (LEFT + WIDTH - 24 - whole) / 2, []
        for w in widths:
            edges.append((at, at + w))
            at += w + GAP
        return cls(words, edges, y)

    def middle(self, n: int) -> float:
        """Middle of a word."""
        return sum(self.edges[n]) / 2

    def extent(self, start: int, end: int, pad: float = 6) -> tuple[float, float]:
        """Left edge and width of a range of words."""
        left, right = self.edges[start][0] - pad, self.edges[end - 1][1] + pad
        return left, right - left

    def draw(self) -> Iterator[str]:
        """The words."""
        for n, word in enumerate(self.words):
            yield text(self.middle(n), self.y, word, SIZE, text_anchor="middle")


def caption(y: float, *lines: str) -> Iterator[str]:
    """What a row shows, at the left: a heading, and small print."""
    yield text(24, y, lines[0], 13, font_weight="600")
    for n, line in enumerate(lines[1:], 1):
        yield text(24, y + 15 * n, line, 11.5, "muted")


def lanes(found: Sequence[Sequence[Place]]) -> Iterator[tuple[int, Place]]:
    """Lines for the candidates: the chosen ones in the first, no two in the same place."""
    taken: list[list[Place]] = [[places[0] for places in found]]
    for place in (place for places in found for place in places[1 : 1 + RUNNERS_UP]):
        lane = 1
        while lane < len(taken) and any(place.overlaps(other) for other in taken[lane]):
            lane += 1
        if lane == len(taken):
            taken.append([])
        taken[lane].append(place)
    return ((n, place) for n, others in enumerate(taken) for place in others)


def method(
    links: Iterable[tuple[int, int, float]], found: Sequence[Sequence[Place]]
) -> Iterator[str]:
    """The upper part: one pair of sentences."""
    above, below, result = Line.of(SOURCE, 52), Line.of(TARGET, 160), Line.of(TARGET, 264)
    yield from caption(47, "Labelled sentence", "by hand or by a tagger")
    for span in SPANS:
        x, w = above.extent(span.start, span.end)
        yield box(x, 34, w, 26, span.label)
        yield text(
            x + w / 2, 28, span.label, 10.5, span.label, text_anchor="middle", font_weight="700"
        )
    yield from above.draw()

    yield from caption(100, "Word links", "soft: bolder is surer")
    inside = {n: s.label for s in SPANS for n in range(s.start, s.end)}
    for i, j, mass in links:
        kind = f"link {inside.get(i, '')}".strip()
        x, z = above.middle(i), below.middle(j)
        path = f"M{x:.0f} 64C{x:.0f} 102 {z:.0f} 102 {z:.0f} 142"
        how = {
            "stroke_width": f"{0.8 + 2 * mass:.1f}",
            "stroke_opacity": f"{0.35 + 0.6 * mass:.2f}",
        }
        if mass < SURE:
            how["stroke_dasharray"] = "4 3"
        yield element("path", f"{kind} other", d=path, **how)
    yield from caption(160, "Its translation")
    yield from below.draw()

    yield from caption(189, "Candidates", "scored; the best ones", "that do not overlap win")
    for lane, place in lanes(found):
        x, w = below.extent(place.start, place.end, 4)
        y = 174 + 19 * lane
        if lane:
            yield box(x, y, w, 15, f"{place.label} other", 4, stroke_dasharray="3 2")
            kind, weight = "muted", "400"
        else:
            yield box(x, y, w, 15, place.label, 4)
            kind, weight = "ink", "700"
        said = share(place.score)
        yield text(x + w / 2, y + 11.5, said, 11, kind, text_anchor="middle", font_weight=weight)

    yield from caption(
        258, "Labelled translation", "with the probability that", "the span is exactly right"
    )
    for places in found:
        best = places[0]
        assert best.probability is not None
        x, w = result.extent(best.start, best.end)
        yield box(x, 246, w, 26, best.label)
        said = f"{best.label} {share(best.probability)}"
        yield text(x + w / 2, 287, said, 11.5, best.label, text_anchor="middle", font_weight="700")
    yield from result.draw()


# Columns of the lower part: left edge and width. Each row is a command and what stands where.
COLUMNS = {
    "in": (LEFT, 126),
    "translate": (320, 70),
    "tag": (408, 40),
    "project": (466, 62),
    "out": (546, 96),
    "train": (660, 48),
    "tagger": (726, 50),
}
LABELLED = ("labelled sentences", "and translations")
DATA = {"out": ("training data",), "train": (), "tagger": ("tagger",)}
Stations = Mapping[str, Sequence[str]]
ROUTES: tuple[tuple[str, str, Stations], ...] = (
    (
        "project",
        "labels to translations",
        {"in": LABELLED, "project": (), "out": ("labelled", "translations")},
    ),
    ("label", "directly", {"in": ("raw text",), "tag": (), "out": ("entities",)}),
    (
        "label --translate",
        "through a translation",
        {"in": ("raw text",), "translate": (), "tag": (), "project": (), "out": ("entities",)},
    ),
    (
        "make-data, train",
        "a tagger of your own",
        {"in": ("labelled corpus",), "translate": (), "project": (), **DATA},
    ),
)


def routes() -> Iterator[str]:
    """The lower part: a line of stations for each way."""
    yield f'<line x1="24" y1="318" x2="{WIDTH - 24}" y2="318" class="rule"/>'
    yield text(24, 343, "The routes", 13, font_weight="600")
    yield text(
        LEFT, 343, "One step carries labels wherever they have to cross: project.", 12, "muted"
    )
    for n, (command, about, stations) in enumerate(ROUTES):
        y = 378 + 46 * n
        yield text(24, y - 1, command, 12.5, font_family="ui-monospace,Menlo,Consolas,monospace")
        yield text(24, y + 14, about, 11.5, "muted")
        first = next(iter(stations))
        right = sum(COLUMNS[first])
        for name, said in stations.items():
            x, w = COLUMNS[name]
            if name != first:
                yield f'<path d="M{right} {y}H{x - 5}" class="flow"/>'
                yield f'<path d="M{x - 7} {y - 4}l6 4l-6 4z" class="tip"/>'
            right = x + w
            yield from station(x, y, w, name, said)


def station(x: float, y: float, w: float, name: str, said: Sequence[str]) -> Iterator[str]:
    """A step, or, if something is said of it, what comes in or out."""
    if not said:
        yield box(x, y - 12, w, 24, "main" if name == "project" else "step", 12)
        yield text(x + w / 2, y + 4, name, 12, "on", text_anchor="middle", font_weight="600")
        return
    yield box(x, y - 17, w, 34, "card", 6)
    for k, line in enumerate(said):
        at = y + 4 + 13.5 * (k - (len(said) - 1) / 2)
        yield text(x + w / 2, at, line, 11.5, text_anchor="middle")


def drawing() -> str:
    """The whole picture."""
    about = (
        f"A labelled English sentence, {SOURCE!r}, is linked word by word to its German "
        f"translation, {TARGET!r}. Candidates for each span are scored, the best ones win, and the "
        "translation has the labels, each with a probability. Below: the commands project, label "
        "(directly, and through a translation), make-data and train, as lines of the steps "
        "translate, tag, project and train."
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-labelledby="t d" font-family="{FONT}">',
        '<title id="t">How Spanbridge carries labels across languages</title>',
        f'<desc id="d">{escape(about)}</desc>',
        f"<style>{STYLE}</style>",
        box(0.5, 0.5, WIDTH - 1, HEIGHT - 1, "paper", 10),
        *method(*measured()),
        *routes(),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    SVG.write_text(drawing(), encoding="utf-8")
