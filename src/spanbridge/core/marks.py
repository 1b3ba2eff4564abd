"""Names of the styles of marks around spans."""

from __future__ import annotations

from typing import Literal

StyleName = Literal["brackets", "xml", "quotes", "letters"]
