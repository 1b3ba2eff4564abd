"""The report of a study as a page: one folder, which opens without a network, and prints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape

from spanbridge.study.figures import Figure
from spanbridge.study.results import Result
from spanbridge.study.tables import Table

_STYLE = """
:root { color-scheme: light; }
html { background: #fff; color: #1f1d1a; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 72rem; margin: 0 auto; padding: 1.5rem clamp(0.75rem, 3vw, 2.5rem); }
h1 { font-size: 1.5rem; }
h2 { font-size: 1.25rem; border-bottom: 1px solid #ccc; margin-top: 2.5rem; }
h3 { font-size: 1.05rem; margin-bottom: 0.4rem; }
nav a { margin-right: 1.2rem; white-space: nowrap; }
a { color: #0b57a4; } a:focus-visible { outline: 2px solid #0b57a4; }
.wide { overflow-x: auto; } .wide th { max-width: 16rem; overflow-wrap: break-word; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.92rem; }
th, td { padding: 0.15rem 0.6rem; text-align: right; vertical-align: top; }
th:first-child, td:first-child, .words, .text td { text-align: left; }
td:not(.words) { white-space: nowrap; }
thead th { border-bottom: 1.5px solid #1f1d1a; }
tbody tr:nth-child(even) { background: #f5f4f1; }
caption { caption-side: top; text-align: left; font-weight: 600; padding: 0.3rem 0; }
.note { color: #514d46; font-size: 0.88rem; max-width: 60rem; }
figure { margin: 1rem 0; } figcaption { color: #514d46; font-size: 0.88rem; }
svg { max-width: 100%; height: auto; }
code { font-size: 0.82rem; overflow-wrap: anywhere; }
@media print {
  nav { display: none; } .wide { overflow: visible; } .wide th { max-width: 9rem; }
  table { font-size: 0.7rem; } th, td { padding: 0.1rem 0.3rem; }
  h2 { break-after: avoid; } table, figure { break-inside: avoid; }
}
"""

# A section: heading, anchor, tables, signature of its tests.
Section = tuple[str, str, Sequence[Table], str]


def page(
    title: str,
    summary: str,
    sections: Sequence[Section],
    figures: Mapping[tuple[str, str], Sequence[tuple[Figure, str]]],
    results: Iterable[Result],
    missing: str | None,
) -> str:
    """HTML of a report.

    Args:
        title: its heading.
        summary: what was done, in a sentence.
        sections: of the report.
        figures: pictures with their SVG, by anchor of the section and name of the table.
        results: of all cells, for their signatures.
        missing: why there are no pictures; None if there are.
    """
    links = "".join(f'<a href="#{anchor}">{escape(name)}</a>' for name, anchor, *_ in sections)
    parts = [
        "<!doctype html>\n<html lang=en>\n<head><meta charset=utf-8>",
        f"<title>{escape(title)}</title>",
        '<meta name=viewport content="width=device-width, initial-scale=1">',
        f"<style>{_STYLE}</style></head>\n<body>\n<h1>{escape(title)}</h1>",
        f"<p>{escape(summary)}</p>",
        f'<nav aria-label="Contents">{links}<a href="#cells">Cells</a></nav>',
        f"<p class=note>There are no pictures: {escape(missing)}</p>" if missing else "",
    ]
    for heading, anchor, tables, signature in sections:
        parts.append(
            f'<section aria-labelledby="{anchor}"><h2 id="{anchor}">{escape(heading)}</h2>'
        )
        for table in tables:
            parts.append(_table(table))
            parts += [_drawn(*one) for one in figures.get((anchor, table.name), ())]
        parts.append(f"<p class=note><code>{escape(signature)}</code></p>" if signature else "")
        parts.append("</section>")
    parts.append("<section aria-labelledby=cells><h2 id=cells>Cells</h2>")
    parts.append(
        "<p class=note>How each number came about: the signature, and the commands that make and "
        "score it again.</p>"
    )
    parts += [*_cells(results), "</section>\n</body>\n</html>\n"]
    return "\n".join(part for part in parts if part)


def _table(table: Table) -> str:
    style = [" class=words" if k in table.words else "" for k in range(len(table.head))]
    head = "".join(
        f"<th scope=col{own}>{escape(name)}</th>"
        for own, name in zip(style, table.head, strict=True)
    )
    rows = []
    for n, row in enumerate(table.rows):
        cells = (
            f"<b>{escape(text)}</b>" if (n, k) in table.best else escape(text)
            for k, text in enumerate(row)
        )
        first, *rest = cells
        others = (f"<td{own}>{text}</td>" for own, text in zip(style[1:], rest, strict=True))
        rows.append(f"<tr><th scope=row>{first}</th>{''.join(others)}</tr>")
    note = f"<p class=note>{escape(table.note)}</p>" if table.note else ""
    return (
        f"<div class=wide><table><caption>{escape(table.title)}</caption><thead><tr>{head}</tr>"
        f"</thead>\n<tbody>\n{chr(10).join(rows)}\n</tbody></table></div>{note}"
    )


def _drawn(figure: Figure, svg: str) -> str:
    title = escape(figure.title)
    labelled = svg.replace("<svg ", f'<svg role="img" aria-label="{title}" ', 1)
    return f"<figure>{labelled}<figcaption>{title}</figcaption></figure>"


def _cells(results: Iterable[Result]) -> Iterator[str]:
    for one in results:
        if one.status == "done":
            signature = str(one.record.get("signature") or "predictions as given")
            yield (
                f"<details><summary>{escape(one.cell.name)}</summary>"
                f"<p><code>{escape(signature)}</code></p>"
                f"<p><code>{escape(one.command)}</code></p></details>"
            )
