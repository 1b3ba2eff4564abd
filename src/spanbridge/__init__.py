"""Spanbridge: carry entity spans across languages.

The public names are imported on first use, so that ``import spanbridge`` stays light::

    import spanbridge

    pairs = spanbridge.read_pairs("en.conll", "de.txt")
    result = spanbridge.project(pairs)
    result.save("de.conll")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spanbridge.api import (
        Labeller,
        Projector,
        advise,
        align,
        compare,
        evaluate,
        label,
        perturb,
        project,
        scores,
        tag,
    )
    from spanbridge.core.errors import InputError, RowError, SpanbridgeError
    from spanbridge.core.links import WordAlignment
    from spanbridge.core.rows import SentencePair
    from spanbridge.core.soft_alignment import SoftAlignment
    from spanbridge.core.spans import Sentence, Span
    from spanbridge.formats import read_labelled, read_pairs, write_pairs
    from spanbridge.formats.hugging_face import from_datasets, to_datasets
    from spanbridge.run.memory import Loaded, Result
    from spanbridge.study.study import check_study, run_study

    __version__: str

_WHERE = {
    **dict.fromkeys(("Labeller", "Projector"), "api"),
    **dict.fromkeys(("Loaded", "Result"), "run.memory"),
    **dict.fromkeys(("advise", "align", "compare", "evaluate", "label"), "api"),
    **dict.fromkeys(("perturb", "project", "scores", "tag"), "api"),
    **dict.fromkeys(("InputError", "RowError", "SpanbridgeError"), "core.errors"),
    **dict.fromkeys(("Sentence", "Span"), "core.spans"),
    **dict.fromkeys(("check_study", "run_study"), "study.study"),
    **dict.fromkeys(("read_labelled", "read_pairs", "write_pairs"), "formats"),
    **dict.fromkeys(("from_datasets", "to_datasets"), "formats.hugging_face"),
    "SentencePair": "core.rows",
    "SoftAlignment": "core.soft_alignment",
    "WordAlignment": "core.links",
}

__all__ = [
    "InputError",
    "Labeller",
    "Loaded",
    "Projector",
    "Result",
    "RowError",
    "Sentence",
    "SentencePair",
    "SoftAlignment",
    "Span",
    "SpanbridgeError",
    "WordAlignment",
    "__version__",
    "advise",
    "align",
    "check_study",
    "compare",
    "evaluate",
    "from_datasets",
    "label",
    "perturb",
    "project",
    "read_labelled",
    "read_pairs",
    "run_study",
    "scores",
    "tag",
    "to_datasets",
    "write_pairs",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from spanbridge.core.signature import package_version

        return package_version()
    if name in _WHERE:
        value = getattr(import_module(f"spanbridge.{_WHERE[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'spanbridge' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
