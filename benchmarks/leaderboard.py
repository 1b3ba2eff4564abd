"""The standing benchmark of span projection: every method here, and what others entered.

Prints: where it writes: docs/leaderboard.md (means, every set, systems) and docs/leaderboard.csv
    (each figure with its 95 % interval). `studies/leaderboard.yaml` says what is run.
Takes: about twenty minutes of two cores; an interrupted run goes on.
Data: all pairs with gold spans on both sides, up to 300 rows of each; `leaderboard/`: the spans
    that others' systems found.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.real_data import BENCH, folder
from spanbridge.core.files import atomic_output
from spanbridge.core.signature import package_version
from spanbridge.study.analysis import analyse
from spanbridge.study.overall import overall_tables, write_scores
from spanbridge.study.plan import make_plan
from spanbridge.study.report import markdown
from spanbridge.study.results import counted
from spanbridge.study.study import run_plan
from spanbridge.study.study_file import read_study

ROOT = Path(__file__).parents[1]
STUDY = "studies/leaderboard.yaml"
# What the page says above this line is written by hand.
MARK = "<!-- All below is written by `make leaderboard`. -->"


def page(plan, outcome) -> str:
    """The part of the page that is written anew, in Markdown."""
    analysis = analyse(plan, outcome.results)
    parts = [MARK, f"{counted(outcome.results)}. Spanbridge {package_version()}."]
    for table in overall_tables(plan, analysis.scored):
        parts += [f"## {table.title}", "\n".join(markdown(table)), table.note]
    return "\n\n".join(filter(None, parts)) + "\n"


def main(study: str = STUDY, output: str = str(BENCH / "leaderboard"), workers: int = 2) -> None:
    """Run the study, and write the page."""
    folder()
    plan = make_plan(read_study(study, output))
    outcome = run_plan(plan, workers)
    print(outcome.text())
    written = ROOT / "docs" / "leaderboard.md"
    above = written.read_text("utf-8").partition(MARK)[0]
    with atomic_output(written) as out:
        out.write(above + page(plan, outcome))
    with atomic_output(written.with_suffix(".csv")) as out:
        write_scores(out, analyse(plan, outcome.results).scored)
    print(f"written to {written}")
