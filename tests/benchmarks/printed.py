"""Reads what benchmarks print."""

import re

NUMBER = re.compile(r"(?<![\w.-])-?\d[\d,]*(?:\.\d+)?(?:e-?\d+)?(?![\w.])")


def row(printed: str, start: str) -> list[float]:
    """The numbers of the only line that begins so."""
    [line] = [line for line in printed.splitlines() if line.startswith(start)]
    return [float(x.replace(",", "")) for x in NUMBER.findall(line.removeprefix(start))]


def is_share(value: float) -> bool:
    return 0 <= value <= 1
