"""Who has which row open: one page at a time, for as long as it says so."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import RLock
from typing import NamedTuple

from spanbridge.core.claims import FileClaims, Lease

# Seconds after which a page that has not been heard of no longer holds its row.
SILENCE = 45.0
ELSEWHERE = "somebody at another server"


class _Held(NamedTuple):
    session: str
    name: str
    lease: Lease
    until: float


class RowClaims:
    """Rows that pages hold: each page at most one, the one that it shows.

    Pages of one server are told apart by their sessions; other servers, which may run on other
    machines over the same journal, by leases in a folder.

    Args:
        folder: folder of the leases, which is made.
        clock: seconds that never go back.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._claims = FileClaims(folder, seconds=2 * SILENCE)
        self._folder, self._clock = folder, clock
        self._held: dict[int, _Held] = {}
        self._lock = RLock()

    def take(self, row: int, session: str, name: str) -> str | None:
        """Hold a row, and no other; returns who holds it if it is somebody else's."""
        with self._lock:
            self._drop_silent()
            held = self._held.get(row)
            if held is not None and held.session != session:
                return held.name
            for other in [n for n, one in self._held.items() if one.session == session]:
                if other != row:
                    self._release(other)
            lease = held.lease if held is not None else self._claims.take(str(row))
            if lease is None:
                return ELSEWHERE
            lease.renew()
            self._held[row] = _Held(session, name, lease, self._clock() + SILENCE)
            return None

    def release(self, session: str) -> None:
        """Give back what a page holds."""
        with self._lock:
            for row in [n for n, one in self._held.items() if one.session == session]:
                self._release(row)

    def others(self, session: str) -> dict[int, str]:
        """Rows that other pages of this server hold, and their names."""
        with self._lock:
            self._drop_silent()
            return {n: one.name for n, one in self._held.items() if one.session != session}

    def close(self) -> None:
        """Give back everything."""
        with self._lock:
            for row in list(self._held):
                self._release(row)
            self._claims.clear()
        with suppress(OSError):
            self._folder.rmdir()

    def _drop_silent(self) -> None:
        now = self._clock()
        for row in [n for n, one in self._held.items() if one.until < now]:
            self._release(row)

    def _release(self, row: int) -> None:
        self._held.pop(row).lease.release()
