"""The report of a study: Markdown, a page with pictures, and tables for LaTeX."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from spanbridge.core.files import atomic_output
from spanbridge.core.signature import package_version
from spanbridge.study.analysis import Analysis, analyse
from spanbridge.study.figures import Figure, curves_of, drawn, figures_of, why_not
from spanbridge.study.latex import latex
from spanbridge.study.maps import data_set_figures, resource_figures
from spanbridge.study.overall import overall_tables, write_scores
from spanbridge.study.overview import curve_tables, data_set_tables, resource_table
from spanbridge.study.page import page
from spanbridge.study.plan import Plan
from spanbridge.study.published import published_tables
from spanbridge.study.resources import resources_of
from spanbridge.study.results import Result, counted
from spanbridge.study.tables import Table, failures, tables_of


@dataclass(frozen=True)
class Section:
    """A part of a report.

    Attributes:
        heading: its heading.
        tables: its tables.
        figures: its pictures.
        signature: of the tests in its tables.
        anchor: by which a page links to it.
        files: names of the files of its tables and pictures, without suffix, by their names.
    """

    heading: str
    tables: Sequence[Table]
    figures: Sequence[Figure] = field(default_factory=list)
    signature: str = ""
    anchor: str = ""
    files: Mapping[str, str] = field(default_factory=dict)


def write_report(plan: Plan, results: Sequence[Result]) -> list[Path]:
    """Write the report; returns its files that are to be looked at."""
    folder = plan.folder.path
    analysis = analyse(plan, results)
    parts = list(_named(sections(plan, analysis)))
    missing = why_not()
    pictures = {} if missing else _pictures(folder / "report", parts)
    title = plan.study.report.title or Path(plan.file.path).stem
    summary = f"{counted(results)}. Spanbridge {package_version()}."
    markdown, html = folder / "report.md", folder / "report" / "index.html"
    with atomic_output(markdown) as out:
        text = _markdown(title, summary, parts, results, missing)
        out.write("\n\n".join(text) + "\n")
    html.parent.mkdir(exist_ok=True)
    with atomic_output(html) as out:
        told = [(part.heading, part.anchor, part.tables, part.signature) for part in parts]
        out.write(page(title, summary, told, pictures, results, missing))
    _tables(folder / "tables", parts)
    with atomic_output(folder / "scores.csv") as out:
        write_scores(out, analysis.scored)
    return [markdown, html]


def sections(plan: Plan, analysis: Analysis) -> Iterator[Section]:
    """The sections of a report, in the order in which a reader asks."""
    overall = list(overall_tables(plan, analysis.scored))
    figures: list[Figure] = []
    if len(analysis.scored) > 1:
        overall += data_set_tables(analysis.scored)
        figures += data_set_figures(analysis.scored)
    if overall:
        yield Section("All data sets", overall, figures)
    for scored in analysis.scored:
        tables = [*tables_of(scored), *published_tables(plan.study, scored)]
        line = "" if scored.comparison is None else scored.comparison.signature
        yield Section(scored.title, tables, list(figures_of(scored)), line)
    if found := resources_of(analysis.scored):
        yield Section("Languages", [resource_table(found)], list(resource_figures(found)))
    if tables := list(curve_tables(analysis.curves)):
        yield Section("Curves", tables, list(curves_of(analysis)))
    if tables := list(failures(analysis)):
        yield Section("What failed", tables)


def _named(parts: Iterable[Section]) -> Iterator[Section]:
    """Sections with anchors and files that no two share, whatever data sets are called.

    Names that differ in case alone are equal, as they are on some disks.
    """
    taken: set[str] = {"cells"}  # the page's own section

    def unique(name: str) -> str:
        plain = re.sub(r"[^\w.]+", "-", name).strip("-") or "section"
        found = next(
            each
            for n in count(1)
            if (each := plain if n == 1 else f"{plain}-{n}").casefold() not in taken
        )
        taken.add(found.casefold())
        return found

    for part in parts:
        anchor = unique(part.heading.lower())
        names = dict.fromkeys([*(x.name for x in part.tables), *(x.name for x in part.figures)])
        files = {name: unique(f"{part.heading.lower()} {name}") for name in names}
        yield replace(part, anchor=anchor, files=files)


def _pictures(
    folder: Path, parts: Sequence[Section]
) -> Mapping[tuple[str, str], list[tuple[Figure, str]]]:
    """Draw and write all pictures, each also as what it was drawn from."""
    folder.mkdir(exist_ok=True)
    found: dict[tuple[str, str], list[tuple[Figure, str]]] = {}
    for part in parts:
        for figure in part.figures:
            svg = drawn(figure)
            name = part.files[figure.name]
            with atomic_output(folder / f"{name}.svg") as out:
                out.write(svg)
            with atomic_output(folder / f"{name}.vl.json") as out:
                out.write(json.dumps(figure.spec, ensure_ascii=False, indent=1) + "\n")
            found.setdefault((part.anchor, figure.after), []).append((figure, svg))
    return found


def _tables(folder: Path, parts: Sequence[Section]) -> None:
    folder.mkdir(exist_ok=True)
    for part in parts:
        for table in part.tables:
            with atomic_output(folder / f"{part.files[table.name]}.tex") as out:
                out.write(latex(table, f"{part.heading}: {table.title}"))


def _markdown(
    title: str,
    summary: str,
    parts: Sequence[Section],
    results: Sequence[Result],
    missing: str | None,
) -> Iterator[str]:
    yield f"# {_text(title)}"
    yield summary
    if missing:
        yield f"There are no pictures: {missing}"
    for part in parts:
        yield f"## {part.heading}"
        for table in part.tables:
            yield f"### {table.title}"
            yield "\n".join(markdown(table))
            if table.note:
                yield table.note
            for figure in () if missing else part.figures:
                if figure.after == table.name:
                    yield f"![{figure.title}](report/{part.files[figure.name]}.svg)"
        if part.signature:
            yield f"`{part.signature}`"
    yield "## How each number came about"
    yield "\n".join(_systems(results))
    yield (
        "Signature and commands of every cell are in `results.jsonl` and in `report/index.html`; "
        "seconds of every step, which differ from run to run, in `timings.jsonl`."
    )


def _systems(results: Sequence[Result]) -> Iterator[str]:
    """The first cell of each system, for its signature and commands."""
    seen = set()
    for one in results:
        if one.status == "done" and one.cell.system not in seen:
            seen.add(one.cell.system)
            told = [one.record.get("signature"), one.command]
            lines = "".join(f"\n  - `{line}`" for line in told if line)
            yield f"- **{one.cell.system}**, for example {one.cell.name}:{lines}"


def markdown(table: Table) -> Iterator[str]:
    """Lines of a table in Markdown."""
    yield _line(table.head)
    yield (
        "|" + "|".join("---" if n in table.words else "---:" for n in range(len(table.head))) + "|"
    )
    for n, row in enumerate(table.rows):
        yield _line([f"**{x}**" if (n, k) in table.best else x for k, x in enumerate(row)])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_text, cells))} |"


def _text(text: str) -> str:
    """Text in one line, in which nothing is a tag or the edge of a cell."""
    plain = " ".join(text.split()).replace("|", "\\|")
    return re.sub(r"<(?=[A-Za-z/!?])", r"\\<", plain)
