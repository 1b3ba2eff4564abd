"""What a process needs of a machine to do some work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

# What places processes: this machine, or an engine for clusters.
EngineName = Literal["local", "ray"]


@dataclass(frozen=True)
class Resources:
    """Cores, GPUs and memory of one process.

    Attributes:
        cores: number of cores.
        gpus: number of GPUs; a half shares one with another process.
        memory: MB beyond what every process takes; 0 if it is not worth a word.
        spare_gpus: number of GPUs that it uses where there are any, and does without elsewhere.
    """

    cores: int = 1
    gpus: float = 0.0
    memory: int = 0
    spare_gpus: float = 0.0

    @classmethod
    def of(cls, options: Mapping[str, Any], own: Resources) -> Resources:
        """What a part with certain options needs, beside what its class says.

        It needs as many cores as its option ``threads`` says, and a GPU if ``device`` names one;
        where ``device`` is ``auto`` or None, a GPU if there are any.
        """
        threads, device = options.get("threads"), options.get("device", "cpu")
        cores = threads if isinstance(threads, int) else 1
        gpus, spare = str(device).startswith("cuda"), device in (None, "auto")
        return cls.together([own, cls(cores, float(gpus), spare_gpus=float(spare))])

    @classmethod
    def together(cls, each: Iterable[Resources]) -> Resources:
        """What a process needs that does several kinds of work by turns, and keeps all loaded."""
        all_of = [cls(), *each]
        return cls(
            max(one.cores for one in all_of),
            max(one.gpus for one in all_of),
            sum(one.memory for one in all_of),
            max(one.spare_gpus for one in all_of),
        )

    def where(self, gpus: bool) -> Resources:
        """What the process needs among machines that have GPUs, or have none."""
        wanted = max(self.gpus, self.spare_gpus) if gpus else self.gpus
        return Resources(self.cores, wanted, self.memory)

    @property
    def amounts(self) -> tuple[float, float, float]:
        """Cores, GPUs and MB of memory."""
        return float(self.cores), self.gpus, float(self.memory)

    def __str__(self) -> str:
        told = f"{self.cores} core{'s' * (self.cores > 1)}"
        told += f", {self.gpus:g} GPU{'s' * (self.gpus > 1)}" if self.gpus else ""
        return told + (f", {self.memory} MB of memory" if self.memory else "")
