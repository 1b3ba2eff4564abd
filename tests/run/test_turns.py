"""Turns: each shard is made, by whoever meets it, and few are asked for in vain."""

from random import Random

import pytest

from spanbridge.run import turns
from spanbridge.run.turns import BLOCK, PATIENCE, Turns


def test_one_alone_goes_in_order():
    done = {4}
    own = Turns([3, 1], 6, done.__contains__, Random(0))
    tried = []
    for k in own:
        tried.append(k)
        if k is not None:
            done.add(k)
            own.taken()
    assert tried == [3, 1, 0, 2, 5, None]


def test_nothing_is_to_be_made():
    assert list(Turns([], 0, lambda k: False, Random(0))) == []
    assert list(Turns([1], 3, lambda k: True, Random(0))) == []


def test_what_others_have_taken_is_tried_again():
    """All is another's: a few of each block are asked for, and of the next ones."""
    own = iter(Turns([], 3 * BLOCK, lambda k: False, Random(0)))
    first, second = (list(iter(own.__next__, None)) for _ in range(2))
    assert [k // BLOCK for k in first] == [k // BLOCK for k in second]
    assert [k // BLOCK for k in first] == [b for b in range(3) for _ in range(PATIENCE)]
    assert first[0] == 0


def test_what_is_not_due_is_passed_over():
    """Two unfinished blocks are looked through for what is due, later ones are not."""
    due, done = {BLOCK - 1, BLOCK + 7, 2 * BLOCK + PATIENCE, 3 * BLOCK + 1}, set()
    own = Turns([], 4 * BLOCK, done.__contains__, Random(0), due.__contains__)
    tries, tried = iter(own), []
    for k in iter(tries.__next__, None):
        tried.append(k)
        done.add(k)
        own.taken()
    assert tried == [BLOCK - 1, BLOCK + 7, 3 * BLOCK + 1]
    done.update(range(2 * BLOCK))
    assert next(tries) == 2 * BLOCK + PATIENCE
    assert next(iter(Turns([], 2, lambda k: False, Random(0), lambda k: False))) is None


def test_what_is_missing_again_is_found_at_the_end():
    done, lost = set(), [2]
    own = Turns([], 4, done.__contains__, Random(0))
    tried = []
    for k in own:
        tried.append(k)
        if k is not None:
            done.add(k)
            own.taken()
        elif lost:
            done.discard(lost.pop())
    assert tried == [0, 1, 2, 3, None, 2, None]


@pytest.mark.parametrize("n_workers", [3, 40])
def test_many_make_each_shard_once(monkeypatch, n_workers):
    """All take one shard each, in rounds, and give it back made at the next round."""
    monkeypatch.setattr(turns, "BLOCK", 100)
    n, done, held, random = 400, set(), {}, Random(5)
    workers = [Turns([7], n, done.__contains__, Random(w)) for w in range(n_workers)]
    tries = [iter(worker) for worker in workers]
    made, in_vain = [], 0
    while len(done) < n:
        for w in random.sample(range(n_workers), n_workers):
            if w in held:
                done.add(held.pop(w))
            k = next(tries[w], None)
            if k is not None and k in held.values():
                in_vain += 1
            elif k is not None:
                workers[w].taken()
                held[w] = k
                made.append(k)
    assert sorted(made) == list(range(n))
    assert in_vain < n * n_workers / 10  # by one and the same order each would meet all others


def test_blocks_go_in_order():
    """So that the output is written meanwhile."""
    n, done, first = 5 * BLOCK, set(), 0
    workers = [Turns([], n, done.__contains__, Random(w)) for w in range(4)]
    tries = [iter(worker) for worker in workers]
    while len(done) < n:
        held = set()
        for worker, own in zip(workers, tries, strict=True):
            k = next(own, None)
            if k is not None and k not in held:
                worker.taken()
                held.add(k)
        done |= held
        while first in done:
            first += 1
        assert len(done) - first <= 2 * BLOCK
