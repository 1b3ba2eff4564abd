"""``spanbridge doctor``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import click

from spanbridge.cli.terminal import say, say_json

_NAMED = 8  # models that are named before the rest is counted
# Kinds of which each part is described, since most need something that is not in the base install.
_BY_THE_MACHINE = ("tagger", "translator")


@click.command(
    epilog="""\b
Examples:
  spanbridge doctor            # list what is installed, and how to install the rest
  spanbridge doctor --check    # also load the embedded encoder (converts it on first use)
"""
)
@click.option("--check", is_flag=True, help="Load the embedded encoder as well.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def command(check: bool, as_json: bool) -> None:
    """Show what is installed, with versions and licences, and how to install what is missing."""
    from spanbridge.cli.inventory import facts

    report = facts(check)
    say_json(report) if as_json else say("\n".join(_text(report)))


def _text(report: dict[str, Any]) -> Iterator[str]:
    from spanbridge.cli.inventory import KINDS

    yield f"spanbridge {report['spanbridge']}, Python {report['python']}, {report['platform']}"
    yield report["install"]
    yield ""
    yield from _machine(report)
    yield ""
    yield from _encoder(report["encoder"])
    yield ""
    for kind in KINDS:
        yield from _parts(kind, report[f"{kind}s"])
    yield ""
    yield "packages"
    there = [row for row in report["packages"] if row["installed"]]
    yield from (f"  {row['package']:<16} {row['installed']:<12} {row['licence']}" for row in there)
    if absent := [row for row in report["packages"] if not row["installed"]]:
        yield ""
        yield "missing, if you need it"
        for row in absent:
            yield f"  {row['package']:<16} {row['for']}"
            yield f"{'':19}{row['install']}"


def _parts(kind: str, parts: dict[str, dict[str, Any]]) -> Iterator[str]:
    """The parts of a kind: those that depend on the machine one per line, others by their names."""
    plain = [
        name
        for name, part in parts.items()
        if kind not in _BY_THE_MACHINE and part["usable"] and "models" not in part
    ]
    yield f"{f'{kind}s':<15}{', '.join(plain)}".rstrip()
    for name, part in parts.items():
        if name not in plain:
            yield f"  {name:<14} {part['for']}"
            if "models" in part:
                yield f"{'':17}installed: {_some(part['models']) or 'none'}"
            if more := part.get("more"):
                yield f"{'':17}more: {more}"
            if how := part.get("install"):
                yield f"{'':17}missing: {how}"


def _machine(report: dict[str, Any]) -> Iterator[str]:
    processor, cache = report["processor"], report["cache"]
    memory = "unknown" if report["memory"] is None else f"{_size(report['memory'])} free"
    uses = processor["ctranslate2"] or "unknown until a model has been used (--check)"
    yield f"processor      {processor['kind']}, cores: {processor['cores']}"
    yield f"CTranslate2    instruction set: {uses}"
    yield f"{'':15}compute types: {', '.join(processor['compute_types']) or 'none without it'}"
    yield f"memory         {memory}"
    if cache["folder"] is not None:
        models = cache["models"]
        yield f"model cache    {cache['folder']} (set SPANBRIDGE_CACHE to move it)"
        yield f"{'':15}kept below 20 GB, or SPANBRIDGE_CACHE_GB"
        yield (
            f"{'':15}models: {len(models)}, {_size(sum(models.values()))}; "
            f"{_size(cache['free'])} of the disk are free"
        )
        if models:
            yield f"{'':15}{_some(models)}"
    yield f"from the Hub   {_some(report['hub_models']) or 'no model yet'}"


def _encoder(encoder: dict[str, Any]) -> Iterator[str]:
    missing = ", ".join(encoder["missing"])
    usable = "yes" if encoder["usable"] else f"no{f': {missing} missing' if missing else ''}"
    if "model" in encoder:
        yield (
            f"encoder        {encoder['model']}, licence {encoder['licence']}, "
            f"{encoder['languages']} languages"
        )
        yield f"  from         {encoder['from']}"
        yield f"  weights      {encoder['weights'] or 'not on this machine yet'}"
    else:
        yield "encoder"
    yield f"  usable       {usable}"
    if encoder.get("install"):
        yield f"  missing      {encoder['install']}"
    if "loaded" in encoder:
        yield f"  loaded       {encoder['loaded']}"


def _some(names: Iterable[str]) -> str:
    """The first names, and the number of the others."""
    named = list(names)
    more = f", and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return ", ".join(named[:_NAMED]) + more


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.0f} MB"
