"""Project the sample's English labels onto its eight translations and score the result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from spanbridge.align.base import Aligner
from spanbridge.core import registry
from spanbridge.core.signature import signature
from spanbridge.core.spans import Sentence, SentencePair
from spanbridge.data.conll import read_conll
from spanbridge.data.files import atomic_output
from spanbridge.data.formats import pair_writer
from spanbridge.evaluate import evaluate_spans
from spanbridge.pipeline.account import Account
from spanbridge.pipeline.projection import Method, align_pairs, fit, project_pairs
from spanbridge.project.soft import SoftProjector
from spanbridge.report.page import Document, write_page

SOURCE = "en"
LANGUAGES = {
    "de": "German",
    "es": "Spanish",
    "ru": "Russian",
    "tr": "Turkish",
    "sw": "Swahili",
    "hi": "Hindi",
    "ar": "Arabic",
    "zh": "Chinese",
}
METHODS = ("corpus", "greedy", "exact", "heuristic")
ALIGNERS = ("encoder", "statistical", "lexical")


class Score(NamedTuple):
    """Micro F1 of one language, aligner and method; in [0, 1]."""

    language: str
    aligner: str
    method: str
    f1: float


def sample(language: str) -> list[Sentence]:
    """The sample's sentences in one language, with gold spans."""
    folder = Path(str(files("spanbridge.demo") / "data"))
    return [sentence for _, sentence in read_conll(folder / f"{language}.conll")]


def run(folder: Path, tell: Callable[[str], None]) -> tuple[list[Score], Path]:
    """Run every aligner and method on every language.

    Args:
        folder: receives ``page.html`` and, for the default method, ``en-XX.jsonl``.
        tell: called with what is being done.

    Returns:
        The scores, and the page's path.
    """
    scores = []
    documents = []
    source = sample(SOURCE)
    for name in ALIGNERS:
        tell(f"aligning with the {name} aligner ...")
        aligner: Aligner = registry.build("aligner", name, {})
        for language in LANGUAGES:
            gold = sample(language)
            pairs = [
                SentencePair(str(n), s, Sentence(t.words))
                for n, (s, t) in enumerate(zip(source, gold, strict=True), 1)
            ]
            for method in METHODS:
                projector = registry.build("method", method, {})
                projected = _project(pairs, aligner, projector)
                report = evaluate_spans(gold, [pair.target for pair in projected])
                scores.append(Score(language, name, method, report.micro.f1))
                if (name, method) == (ALIGNERS[0], METHODS[0]):
                    line = signature(
                        {
                            "task": "project",
                            "aligner": aligner.describe(),
                            "method": projector.describe(),
                        }
                    )
                    with pair_writer(folder / f"{SOURCE}-{language}.jsonl") as writer:
                        for pair in projected:
                            writer.write(pair)
                    title = f"English → {LANGUAGES[language]}"
                    documents.append(Document(title, projected, line, gold))
    page = folder / "page.html"
    with atomic_output(page) as out:
        write_page(out, documents, title="Spanbridge: the demo")
    return scores, page


def _project(pairs: list[SentencePair], aligner: Aligner, method: Method) -> list[SentencePair]:
    fit(lambda: pairs, len(pairs), aligner, method)
    linked = align_pairs(lambda: pairs, aligner, soft=isinstance(method, SoftProjector))
    return list(project_pairs(linked, method, Account()))


def table(scores: list[Score]) -> Iterator[str]:
    """F1 by language, a column for each method, a block for each aligner, and the means."""
    by_place = {(s.aligner, s.language, s.method): s.f1 for s in scores}
    for aligner in ALIGNERS:
        yield f"{aligner + ' aligner':<22}" + "".join(f"{method:>11}" for method in METHODS)
        for language, name in LANGUAGES.items():
            row = (by_place[aligner, language, method] for method in METHODS)
            yield f"  {name:<20}" + "".join(f"{f1:>11.3f}" for f1 in row)
        means = (
            sum(by_place[aligner, language, method] for language in LANGUAGES) / len(LANGUAGES)
            for method in METHODS
        )
        yield f"  {'mean':<20}" + "".join(f"{f1:>11.3f}" for f1 in means)
        yield ""
