"""Sentences to project: written by hand, or drawn at random."""

from hypothesis import settings
from hypothesis import strategies as st

from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.projection.confidence import CALIBRATIONS
from spanbridge.projection.evidence import closeness
from spanbridge.projection.method import Projection

seldom = settings(max_examples=settings.default.max_examples // 2)


def linked(pharaoh, n_source, n_target):
    """Links written as ``0-0 1-2``."""
    pairs = [tuple(map(int, item.split("-"))) for item in pharaoh.split()]
    return WordAlignment.of(pairs, n_source, n_target)


def row_of(spans, links):
    """A row of made-up words: s0 s1 ... and t0 t1 ...; no two words are equal."""
    source, target = (
        tuple(f"{side}{n}" for n in range(length))
        for side, length in (("s", links.n_source), ("t", links.n_target))
    )
    return SentencePair("1", Sentence(source, tuple(spans)), Sentence(target)), links


def project_row(method, row):
    """The projection of one row."""
    [found] = method.project([row])
    assert isinstance(found, Projection)
    return found


def project(method, spans, links):
    """The projection of spans along links."""
    return project_row(method, row_of(spans, links))


def placed(projection):
    """Projected spans without their scores."""
    return [span[:3] for span in projection.spans]


def supported(method, *spans):
    """Spans as a method on links projects them: (start, end, label, support)."""
    calibration = CALIBRATIONS[method.name]
    return tuple(Span(*span, calibration(closeness(support))) for *span, support in spans)


@st.composite
def instances(draw, n_source=6, n_target=8, n_spans=4):
    """Spans of any kind, each with its own label, sorted as the paper's rows; and any links."""
    n = draw(st.integers(1, n_source))
    m = draw(st.integers(1, n_target))
    ranges = st.tuples(st.integers(0, n - 1), st.integers(1, n)).filter(lambda r: r[0] < r[1])
    drawn = sorted(draw(st.lists(ranges, min_size=1, max_size=n_spans)))
    spans = [Span(start, end, f"L{i}") for i, (start, end) in enumerate(drawn)]
    link = st.tuples(st.integers(0, n - 1), st.integers(0, m - 1))
    return spans, WordAlignment.of(draw(st.sets(link, max_size=2 * m)), n, m)


def without_inner(spans):
    """Spans none of which lies in another; they may cross."""
    return [
        span
        for n, span in enumerate(spans)
        if not any(
            other.start <= span.start and span.end <= other.end and (m < n or other[:2] != span[:2])
            for m, other in enumerate(spans)
            if m != n
        )
    ]


def random_instance(rng, n_spans, n_target, n_links):
    """Disjoint spans of 1 to 4 words, each with links to anywhere in the target."""
    spans, place, links = [], 0, []
    for i in range(n_spans):
        end = place + rng.randint(1, 4)
        spans.append(Span(place, end, f"L{i}"))
        links += [(rng.randrange(place, end), rng.randrange(n_target)) for _ in range(n_links)]
        place = end
    return spans, WordAlignment.of(links, place, n_target)
