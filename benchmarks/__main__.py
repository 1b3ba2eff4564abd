"""``python -m benchmarks [NAME ...]``: the table of speed, or the benchmarks named."""

from __future__ import annotations

import sys
from importlib import import_module

NAMES = (
    *("speed", "accuracy", "solving", "calibration", "scale", "weights"),
    *("training", "tagging", "translated", "routes", "shards"),
)

if __name__ == "__main__":
    for name in sys.argv[1:] or NAMES[:1]:
        if name not in NAMES:
            raise SystemExit(f"no benchmark is named {name!r}; there are: {', '.join(NAMES)}")
        print(f"\n== {name} ==", flush=True)
        import_module(f"benchmarks.{name}").main()
