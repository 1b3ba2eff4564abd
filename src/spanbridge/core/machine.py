"""The machine: its processor, cores and memory."""

from __future__ import annotations

import os
import platform
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.similar import meant

# Instruction sets, the fastest first, with the flags of /proc/cpuinfo that tell of them. Sums of
# int8 round differently with and without VNNI.
PROCESSOR_KINDS = {
    "AVX-512 VNNI": {"avx512f", "avx512_vnni"},
    "AVX-VNNI": {"avx_vnni"},
    "AVX-512": {"avx512f"},
    "AVX2": {"avx2"},
}
# The variable that forces CTranslate2 to an instruction set, and its names of those, the fastest
# first, with the flags that they take; on processors with no such flags, without.
_FORCED, _AVX512 = "CT2_FORCE_CPU_ISA", "AVX512"
_AVX512_FLAGS = {"avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"}
_FORCIBLE = {_AVX512: _AVX512_FLAGS, "AVX2": {"avx2"}, "AVX": {"avx"}, "GENERIC": set[str]()}
_FORCIBLE_ELSEWHERE = ("NEON", "GENERIC")


def processor_kind(cpuinfo: str, environment: Mapping[str, str]) -> str:
    """The kind of a processor, as it matters for sums of int8.

    Args:
        cpuinfo: content of ``/proc/cpuinfo``.
        environment: the environment's variables, one of which can force CTranslate2.
    """
    flags = _flags(cpuinfo)
    usual = _AVX512 if flags >= _AVX512_FLAGS else ""
    if environment.get(_FORCED, "") not in ("", usual):
        return "forced"
    return next((kind for kind, wanted in PROCESSOR_KINDS.items() if wanted <= flags), "other")


def _flags(cpuinfo: str) -> set[str]:
    found = re.search(r"^flags\s*:(.*)$", cpuinfo, re.MULTILINE)
    return set(found[1].split()) if found else set()


def this_processor() -> str:
    """The kind of this machine's processor; ``other`` where nothing tells."""
    return processor_kind(_read("/proc/cpuinfo"), os.environ)


def choose_instructions() -> None:
    """Let CTranslate2 use AVX-512 wherever there is such; by itself it does on Intel's alone.

    To be called before it loads its first model. What the user forces stays. Raises SpanbridgeError
    if that is nothing that this processor has.
    """
    flags = _flags(_read("/proc/cpuinfo"))
    forced = os.environ.get(_FORCED)
    if not forced:
        if flags >= _AVX512_FLAGS:
            os.environ[_FORCED] = _AVX512
        return
    there: tuple[str, ...] = _FORCIBLE_ELSEWHERE
    if platform.machine().lower() in ("x86_64", "amd64"):
        there = tuple(name for name, wanted in _FORCIBLE.items() if not flags or wanted <= flags)
    if forced not in there:
        raise SpanbridgeError(
            f"the environment variable {_FORCED} is {forced!r}, which this processor does not have"
            f"{meant(forced.strip(), there)}; take one of {', '.join(there)}, or unset it"
        )


def processor_name() -> str:
    """The processor's name, as its maker gives it; that of its architecture where nothing tells."""
    found = re.search(r"^model name\s*:\s*(.+)$", _read("/proc/cpuinfo"), re.MULTILINE)
    return found[1].strip() if found else platform.machine()


_limit: int | None = None


def limit_cores(n: int) -> None:
    """Let parts in this process use so many cores, where nothing else keeps it to its share."""
    global _limit
    _limit = n


def available_cores() -> int:
    """Number of cores that this process may use."""
    return _all_cores() if _limit is None else min(_limit, _all_cores())


def _all_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def available_memory() -> int | None:
    """Bytes of memory that are free, within the container's limit; None where nothing tells."""
    found = re.search(r"^MemAvailable:\s*(\d+) kB", _read("/proc/meminfo"), re.MULTILINE)
    if found is None:
        return None
    limit, used = (_read(f"/sys/fs/cgroup/memory.{name}").strip() for name in ("max", "current"))
    free = 1024 * int(found[1])
    return min(free, int(limit) - int(used)) if limit.isdecimal() and used.isdecimal() else free


class Used(NamedTuple):
    """What a process has used.

    Attributes:
        memory: most memory that it has held, in bytes; 0 where nothing tells.
        seconds: processor time of all its threads, and of the programs that it has started.
    """

    memory: int
    seconds: float


def used() -> Used:
    """What this process has used so far."""
    # the peak that getrusage gives can be that of the process before it
    found = re.search(r"^VmHWM:\s*(\d+) kB", _read("/proc/self/status"), re.MULTILINE)
    ended = os.times()
    seconds = time.process_time() + ended.children_user + ended.children_system
    return Used(1024 * int(found[1]) if found else 0, seconds + sum(map(_seconds_of, _running())))


def _running(process: str = "self") -> list[str]:
    """Processes that a process has started and that still run; none where nothing tells."""
    threads = Path(f"/proc/{process}/task").glob("*/children")
    return [number for one in threads for number in _read(str(one)).split()]


def _seconds_of(process: str) -> float:
    """Processor time of a process and of all that it has started; 0 if it has just ended."""
    # the name before the parenthesis may hold spaces; then come the state, ten other fields and
    # the times of the process and of what it has waited for, each in user and system mode
    fields = _read(f"/proc/{process}/stat").rpartition(")")[2].split()[11:15]
    own = sum(map(int, fields)) / os.sysconf("SC_CLK_TCK") if fields else 0.0
    return own + sum(map(_seconds_of, _running(process)))


def _read(path: str) -> str:
    try:
        return Path(path).read_text("utf-8", "replace")
    except OSError:
        return ""
