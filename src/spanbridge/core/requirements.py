"""Packages beyond the base install: the check, and the message on how to install them."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from typing import Any, ClassVar

from spanbridge.core.errors import MissingExtraError

# Module -> the extra of this package that installs it.
_EXTRAS = {
    **dict.fromkeys(("huggingface_hub", "safetensors", "tokenizers"), "hf"),
    **dict.fromkeys(("ftfy", "icu4py", "language_data", "pyarrow", "sentencex"), "pipeline"),
    **dict.fromkeys(("torch", "transformers"), "train"),
}


def install_command(module: str) -> str:
    """Command that installs the package of a module."""
    extra = _EXTRAS.get(module)
    package = f"'spanbridge[{extra}]'" if extra else module.replace("_", "-")
    return f"pip install {package}"


def missing(modules: Iterable[str]) -> list[str]:
    """The modules that are not installed."""
    found = []
    for module in modules:
        try:
            there = find_spec(module) is not None
        except (ModuleNotFoundError, ValueError):  # its parent is missing, or its import is blocked
            there = False
        if not there:
            found.append(module)
    return found


def require(*modules: str, by: str) -> None:
    """Check that modules can be imported.

    Args:
        modules: names, such as ``torch``.
        by: name of the part that needs them, for the message.

    Raises:
        MissingExtraError: some are not installed.
    """
    if absent := missing(modules):
        commands = " && ".join(dict.fromkeys(map(install_command, absent)))
        names = " and ".join(module.replace("_", "-") for module in absent)
        are = "are" if len(absent) > 1 else "is"
        raise MissingExtraError(f"{by} needs {names}, which {are} not installed: {commands}")


class Part:
    """Base of the parts that the registry builds by name: aligners, methods, taggers and so on.

    Attributes:
        requires: modules beyond the base install, checked whenever the part is made.
        licence: licence of its model or data, as an SPDX identifier if there is one; None if it
            uses neither.
        runs_code: True if its models bring code of their own, which loading them runs.
    """

    requires: ClassVar[tuple[str, ...]] = ()
    runs_code: ClassVar[bool] = False
    licence: str | None = None

    def components(self) -> tuple[object, ...]:
        """The part, and the parts that it contains."""
        return (self,)

    def __new__(cls, *args: Any, **options: Any) -> Any:
        """Make the part. Raises MissingExtraError if a required module is not installed."""
        require(*cls.requires, by=cls.__name__)
        return super().__new__(cls)


def allows_commercial_use(licence: str) -> bool:
    """Check if a licence, or each of several joined by ``+``, is known to allow commercial use."""
    return all(
        name not in ("unknown", "other", "")
        and not {"nc", "research"} & set(name.split("-"))
        and "commercial" not in name
        for name in map(str.strip, licence.lower().split("+"))
    )
