"""Number of threads of the parts that compute in parallel."""

from __future__ import annotations

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.machine import available_cores

# Native code that cannot start a thread ends the whole process.
MAX_THREADS = 1024


def n_threads(wanted: int | None) -> int:
    """The wanted number of threads, or one per core that this process may use.

    Raises:
        SpanbridgeError: it is not between 1 and ``MAX_THREADS``.
    """
    if wanted is None:
        return available_cores()
    if not 1 <= wanted <= MAX_THREADS:
        raise SpanbridgeError(f"threads is {wanted}, but must be 1 to {MAX_THREADS}")
    return wanted
