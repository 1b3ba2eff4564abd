"""Layouts in which single data sets are published, which no format of this package reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from spanbridge.core.rows import SentencePair, Side
from spanbridge.formats.base import Counts

Reader = Callable[[Sequence[Path], Side, Counts], Iterator[SentencePair]]

READERS: Mapping[str, Reader] = {}
