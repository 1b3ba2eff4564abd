"""What is found out about the machine."""

import os

import pytest

from spanbridge.core import machine
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
