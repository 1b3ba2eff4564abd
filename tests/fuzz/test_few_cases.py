"""A few cases of every fuzzer, with seeds of their own; ``make fuzz`` runs many."""

import pytest

from . import commands, harness, models, pipelines, readers, state
from .harness import Target


@pytest.mark.parametrize(
    ("fuzzer", "count"),
    [
        pytest.param(readers, 40, marks=pytest.mark.slow),
        (pipelines, 20),
        (commands, 9),
        (models, 6),
        (state, 13),
    ],
    ids=lambda value: getattr(value, "__name__", "").rpartition(".")[2] or None,
)
def test_only_documented_errors(fuzzer, count, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for case, why in harness.faults(fuzzer.targets, range(count), seed=9):
        pytest.fail(f"{case.target.name}, {case.data[:300]!r}: {why}")


def _overrun(path, rng):
    raise IndexError("as a reader might")


def _slow(path, rng):
    while True:
        pass


def _greedy(path, rng):
    return bytearray(4 << 30)


@pytest.mark.parametrize(
    ("check", "why"), [(_overrun, "IndexError"), (_slow, "HangError"), (_greedy, "MemoryError")]
)
def test_faults_are_found(check, why, monkeypatch, tmp_path):
    monkeypatch.setattr(harness, "SECONDS", 0.1)
    case = harness.Case([Target("a reader", "x", [b"seed"], check)], 0, 0)
    with harness.bounded_memory():
        assert why in case.run(tmp_path)


def test_a_number_and_a_seed_are_one_case():
    targets = [Target("a reader", "x", [b"a line\nand another\n"], _slow)]
    made = {harness.Case(targets, 5, n).data for n in range(50)}
    assert made == {harness.Case(targets, 5, n).data for n in range(50)}
    assert len(made) > 30
