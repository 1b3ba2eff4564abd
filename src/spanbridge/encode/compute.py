"""Where and how CTranslate2 computes: checked before anything is fetched, converted or loaded."""

from __future__ import annotations

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.machine import choose_instructions
from spanbridge.core.similar import meant, not_named
from spanbridge.core.threads import n_threads

DEVICES = ("cpu", "cuda")


def usual_device() -> str:
    """A GPU where there is one."""
    import ctranslate2

    return "cuda" if ctranslate2.get_cuda_device_count() else "cpu"


def check_compute(device: str, compute_type: str | None, threads: int | None) -> None:
    """Check a device, how it computes, and the number of threads; None stands for what is usual.

    Whoever loads a model calls this first, so that CTranslate2 takes the best instructions.

    Raises SpanbridgeError if the device is not here, or cannot compute so.
    """
    import ctranslate2

    choose_instructions()
    n_threads(threads)
    if device not in DEVICES:
        raise SpanbridgeError(not_named("device", device, DEVICES))
    if device == "cuda" and not ctranslate2.get_cuda_device_count():
        raise SpanbridgeError("device cuda: CTranslate2 finds no GPU on this machine")
    if compute_type is None:
        return
    known = ctranslate2.get_supported_compute_types(device)
    if compute_type not in known:
        where = "this processor" if device == "cpu" else "this GPU"
        raise SpanbridgeError(
            f"compute type {compute_type!r} is not supported on {where}"
            f"{meant(compute_type, known)}; there are: {', '.join(sorted(known))}"
        )
