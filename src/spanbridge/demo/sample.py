"""Project the sample's English labels onto its eight translations and score the result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from spanbridge.api import label, project
from spanbridge.core import registry
from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.files import atomic_output
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence
from spanbridge.evaluation import evaluate_spans
from spanbridge.formats import read_rows, write_pairs
from spanbridge.formats.conll_reader import read_conll
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


def _data() -> Path:
    return Path(str(files("spanbridge.demo") / "data"))


def sample(language: str) -> list[Sentence]:
    """The sample's sentences in one language, with gold spans."""
    return [sentence for _, sentence in read_conll(_data() / f"{language}.conll")]


def write_sample(folder: Path) -> list[str]:
    """Copy the sample's files into a folder, beside them each language as text without labels.

    Returns:
        The names of the files.

    Raises:
        SpanbridgeError: a file of such a name is there already and says something else; nothing is
            written then.
    """
    made = {path.name: path.read_text(encoding="utf-8") for path in _data().iterdir()}
    for language in (SOURCE, *LANGUAGES):
        lines = (" ".join(sentence.words) + "\n" for sentence in sample(language))
        made[f"{language}.txt"] = "".join(lines)
    for name, text in made.items():
        there = folder / name
        if there.exists() and not (there.is_file() and there.read_bytes() == text.encode()):
            raise SpanbridgeError(f"{there} is there already, and differs; name another folder")
    for name, text in made.items():
        with atomic_output(folder / name) as out:
            out.write(text)
    return sorted(made)


def run(folder: Path, tell: Callable[[str], None]) -> tuple[list[Score], Path]:
    """Run every aligner and method on every language.

    Args:
        folder: receives ``page.html`` and, for the default method, ``en-XX.jsonl``.
        tell: called with the name of each operation.

    Returns:
        The scores, and the path of the page.
    """
    scores = []
    documents = []
    source = sample(SOURCE)
    for name in ALIGNERS:
        tell(f"aligning with the {name} aligner ...")
        aligner = registry.build("aligner", name, {})
        for language in LANGUAGES:
            gold = sample(language)
            pairs = [
                SentencePair(str(n), s, Sentence(t.words))
                for n, (s, t) in enumerate(zip(source, gold, strict=True), 1)
            ]
            for method in METHODS:
                result = project(pairs, method, aligner)
                report = evaluate_spans(gold, [pair.target for pair in result])
                scores.append(Score(language, name, method, report.micro.f1))
                if (name, method) == (ALIGNERS[0], METHODS[0]):
                    write_pairs(folder / f"{SOURCE}-{language}.jsonl", result)
                    title = f"English → {LANGUAGES[language]}"
                    known = result.account.calibration
                    told = (title, list(result), result.signature, gold)
                    documents.append(Document(*told, calibration=known))
    page = folder / "page.html"
    with atomic_output(page) as out:
        write_page(out, documents, title="Spanbridge: the demo")
    return scores, page


def entities() -> Iterator[str]:
    """A post in each language, and what the embedded tagger finds in it."""
    posts = str(_data() / "posts.jsonl")
    for row in label([pair for _, pair in read_rows(posts, side="target")]):
        text = row.target.plain_text()
        yield f"  {LANGUAGES[row.id]:<10}{text}"
        names = (f"{row.target.text_of(s.start, s.end)} ({s.label})" for s in row.target.spans)
        yield f"  {'':<10}{', '.join(names) or 'no name found'}"


def table(scores: list[Score]) -> Iterator[str]:
    """F1 by language: a column per method, a block per aligner, and the means."""
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
