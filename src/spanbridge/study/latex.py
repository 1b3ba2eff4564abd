"""Tables as LaTeX, with the package ``booktabs``."""

from __future__ import annotations

from collections.abc import Sequence

from spanbridge.study.tables import Table

_SPECIAL = {
    "\\": r"\textbackslash{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "–": "--",
}


def latex(table: Table, caption: str) -> str:
    """A table environment; minus signs are those of mathematics, the best values bold."""
    columns = "".join("l" if k in table.words else "r" for k in range(len(table.head)))
    lines = [
        "\\begin{table}",
        "\\centering",
        f"\\caption{{{_text(caption)}}}",
        f"\\begin{{tabular}}{{{columns}}}",
        "\\toprule",
        _row(list(map(_text, table.head))),
        "\\midrule",
        *(
            _row([_cell(text, (n, k) in table.best, k) for k, text in enumerate(row)])
            for n, row in enumerate(table.rows)
        ),
        "\\bottomrule",
        "\\end{tabular}",
        "\\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + " \\\\"


def _cell(text: str, best: bool, column: int) -> str:
    plain = _text(text)
    if column and any(sign.isdigit() for sign in text):
        plain = plain.replace("-", "$-$").replace("+", "$+$")
    return f"\\textbf{{{plain}}}" if best else plain


def _text(text: str) -> str:
    return "".join(_SPECIAL.get(sign, sign) for sign in text)
