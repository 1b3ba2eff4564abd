"""What parts require beyond the base install, checked where they are made; their licences."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any, ClassVar

from spanbridge.core.errors import MissingExtraError
from spanbridge.core.installation import install_command
from spanbridge.core.resources import Resources


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
        names = " and ".join(module.replace("_", "-") for module in absent)
        are = "are" if len(absent) > 1 else "is"
        why = f"{by} needs {names}, which {are} not installed"
        raise MissingExtraError(why, install_command(*absent))


class Part:
    """Base of the parts that the registry builds by name: aligners, methods, taggers and so on.

    Attributes:
        requires: modules beyond the base install, checked whenever the part is made.
        programs: programs that are no Python packages, each with how it is installed; checked
            likewise.
        more_models: how further models or data for it are installed; empty if it has none.
        licence: licence of its model or data, as an SPDX identifier if there is one; None if it
            uses neither.
        resources: what each process needs that holds it, beyond what its options say.
        runs_code: True if its models bring code of their own, which loading them runs.
        asks: True if it asks a chat model, through :class:`spanbridge.chat.client.ChatClient`.
        on_gpu: True if its model lies on a GPU.
    """

    requires: ClassVar[tuple[str, ...]] = ()
    programs: ClassVar[Mapping[str, str]] = MappingProxyType({})
    more_models: ClassVar[str] = ""
    resources: ClassVar[Resources] = Resources()
    runs_code: ClassVar[bool] = False
    asks: ClassVar[bool] = False
    on_gpu: bool = False
    licence: str | None = None

    @classmethod
    def check_installed(cls) -> None:
        """Raise MissingExtraError if a module or a program that it requires is not installed."""
        require(*cls.requires, by=cls.__name__)
        for program, how in cls.programs.items():
            if shutil.which(program) is None:
                why = f"{cls.__name__} needs the program {program}, which is not installed"
                raise MissingExtraError(why, how)

    @classmethod
    def installed(cls) -> list[str]:
        """Models or data for it that are installed here and need no download, by name."""
        return []

    def components(self) -> tuple[object, ...]:
        """The part, and the parts that it contains."""
        return (self,)

    def __new__(cls, *args: Any, **options: Any) -> Any:
        """Make the part. Raises MissingExtraError if a required module is not installed."""
        cls.check_installed()
        return super().__new__(cls)


def allows_commercial_use(licence: str) -> bool:
    """Check if a licence, or each of several joined by ``+``, is known to allow commercial use."""
    return all(
        name not in ("unknown", "other", "")
        and not {"nc", "research"} & set(name.split("-"))
        and "commercial" not in name
        for name in map(str.strip, licence.lower().split("+"))
    )
