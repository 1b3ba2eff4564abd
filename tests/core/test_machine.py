"""What is found out about the machine."""

import os
import re
import signal
import subprocess
import sys
import threading
import time

import pytest

from spanbridge.core import machine
from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.threads import n_threads


def test_memory_within_the_limit_of_a_container(monkeypatch):
    files = {
        "/proc/meminfo": "MemTotal: 9 kB\nMemAvailable:    2000 kB\n",
        "/sys/fs/cgroup/memory.max": "max\n",
        "/sys/fs/cgroup/memory.current": "600000\n",
    }
    monkeypatch.setattr(machine, "_read", lambda path: files.get(path, ""))
    assert machine.available_memory() == 2_048_000
    files["/sys/fs/cgroup/memory.max"] = "1000000\n"
    assert machine.available_memory() == 400_000
    files.clear()
    assert machine.available_memory() is None


@pytest.mark.parametrize("path", ["/no/such/file", "/proc"])
def test_a_file_that_cannot_be_read(path):
    assert machine._read(path) == ""


def test_a_thread_per_core_that_the_process_may_use(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {4, 7, 8}, raising=False)
    assert machine.available_cores() == n_threads(None) == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    assert machine.available_cores() == os.cpu_count()


BUSY = "import time\nwhile time.process_time() < 0.3: pass\nprint('done', flush=True)\ninput()"


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="nothing tells of what still runs")
def test_processor_time_is_that_of_threads_and_of_programs_that_were_started():
    before = machine.used().seconds

    def work():
        until = time.thread_time() + 0.2
        while time.thread_time() < until:
            pass

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert machine.used().seconds - before >= 0.2
    before = machine.used().seconds
    # a shell that has started it: what it has used is known while it runs and when it has ended
    command = ["/bin/sh", "-c", f'"{sys.executable}" -c "$0"; exit 0', BUSY]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as started:
        assert started.stdout.readline() == "done\n"
        running = machine.used().seconds - before
        started.communicate("\n")
    assert running >= 0.28  # the kernel counts hundredths
    assert machine.used().seconds - before >= running
    assert machine._seconds_of("0") == 0


@pytest.mark.parametrize(
    ("flags", "before", "after"),
    [
        ("avx2 avx512f avx512cd avx512bw avx512dq avx512vl", None, "AVX512"),
        ("avx2 avx512f avx512cd avx512bw avx512dq avx512vl", "", "AVX512"),
        ("avx2 avx512f avx512cd avx512bw avx512dq avx512vl", "GENERIC", "GENERIC"),
        ("avx2 avx512f", None, None),
        ("", None, None),
    ],
)
def test_avx512_wherever_there_is_such(monkeypatch, flags, before, after):
    environment = {} if before is None else {"CT2_FORCE_CPU_ISA": before}
    monkeypatch.setattr(os, "environ", environment)
    monkeypatch.setattr(machine, "_read", lambda path: f"flags\t\t: {flags}\n" if flags else "")
    machine.choose_instructions()
    assert environment.get("CT2_FORCE_CPU_ISA") == after


@pytest.mark.parametrize(
    ("flags", "kind", "forced", "told"),
    [
        (
            "avx avx2",
            "x86_64",
            "avx2",
            r"'avx2', .*\(did you mean AVX2\?\); .* AVX2, AVX, GENERIC,",
        ),
        ("avx avx2", "x86_64", "AVX512", "'AVX512', which this processor does not have"),
        ("avx avx2", "AMD64", " AVX2", r"' AVX2', .*did you mean AVX2"),
        ("", "x86_64", "NEON", ".* take one of AVX512, AVX2, AVX, GENERIC, or unset it"),
        ("", "aarch64", "AVX2", ".* take one of NEON, GENERIC, or unset it"),
        ("avx avx2", "x86_64", "AVX", None),
        ("", "x86_64", "AVX512", None),  # nothing tells what there is
        ("", "arm64", "NEON", None),
    ],
)
def test_instructions_that_are_not_there(monkeypatch, flags, kind, forced, told):
    monkeypatch.setenv("CT2_FORCE_CPU_ISA", forced)
    monkeypatch.setattr(machine, "_read", lambda path: f"flags\t\t: {flags}\n" if flags else "")
    monkeypatch.setattr(machine.platform, "machine", lambda: kind)
    if told is None:
        machine.choose_instructions()
        return
    with pytest.raises(SpanbridgeError, match=f"variable CT2_FORCE_CPU_ISA is {told}"):
        machine.choose_instructions()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_what_starts_workers_does_not_hear_of_interruptions():
    """Not even while it imports modules, when Python would end it with a traceback."""
    code = (
        "from multiprocessing.forkserver import _forkserver\n"
        "from spanbridge.core import processes\n"
        "processes._context()\n"
        "print(open(f'/proc/{_forkserver._forkserver_pid}/status').read())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    blocked = int(re.search(r"^SigBlk:\s*(\w+)", done.stdout, re.MULTILINE)[1], 16)
    assert blocked >> signal.SIGINT - 1 & 1
