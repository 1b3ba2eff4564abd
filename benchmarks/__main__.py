"""``python -m benchmarks [NAME ...]``: run all benchmarks, or those named."""

from __future__ import annotations

import sys
from importlib import import_module

NAMES = ("accuracy", "projection", "solving", "encoding", "calibration", "scale", "weights")

for name in sys.argv[1:] or NAMES:
    print(f"\n== {name} ==", flush=True)
    import_module(f"benchmarks.{name}").main()
