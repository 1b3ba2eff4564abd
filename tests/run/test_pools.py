"""Pools: steps by what they need, workers for each, and the same bytes however they are cut."""

import pickle
from dataclasses import replace
from random import Random

import pytest
import toy_pipeline as toy
import yaml
from test_retries import Flaky
from test_workers import LEARNING

from spanbridge.core import registry
from spanbridge.core.errors import InputError, NoteWarning, RepairWarning
from spanbridge.core.resources import Resources
from spanbridge.run import engines, making, workers
from spanbridge.run.config import make_pipeline, read_pipeline
from spanbridge.run.messages import messages
from spanbridge.run.pools import Pool, pools_of, settled, shared_out, together
from spanbridge.run.workers import Worker
from spanbridge.steps.base import PartSettings

LIGHT, GPU = Pool((1, 4), Resources()), Pool((2, 3), Resources(gpus=1.0))
LARGE = Pool((5,), Resources(cores=4, memory=1000))


class Heavy(registry.load("step", "tag")):
    """A step that needs a GPU."""

    resources = Resources(gpus=1.0)


def test_steps_that_need_the_same_are_together(tmp_path):
    """Wherever they stand; those with GPUs come first."""
    toy.write(tmp_path, 3)
    steps = toy.settings(tmp_path)["steps"]
    assert make_pipeline(toy.settings(tmp_path)).job().pools == (
        Pool((1, 2, 3, 4, 5), Resources()),
    )
    steps[2] = Heavy(tagger={"given": {"model": str(tmp_path / "en.conll")}})
    steps[3]["project"]["aligner"] = {"encoder": {"threads": 2}}
    found = make_pipeline(toy.settings(tmp_path, steps=None) | {"steps": steps}).job().pools
    assert found == (
        Pool((3,), Resources(gpus=1.0)),
        Pool((1, 2, 5), Resources()),
        Pool((4,), Resources(cores=2)),
    )
    assert together(found) == Pool((1, 2, 3, 4, 5), Resources(cores=2, gpus=1.0))


def test_a_gpu_where_there_is_one(tmp_path):
    """A device that is told by the machine asks for a GPU of a cluster that has any."""
    toy.write(tmp_path, 3)
    own, gpu = Resources(spare_gpus=1.0), Resources(gpus=1.0)
    for kind, given in [("translator", "neural"), ("translator", "transformers")]:
        for options in ({}, {"device": "auto"}):
            part = PartSettings.parse(kind, {given: {"model": "m", **options}})
            assert part.resources() == own
        for device, needs in [("cpu", Resources()), ("cuda", gpu)]:
            part = PartSettings.parse(kind, {given: {"model": "m", "device": device}})
            assert part.resources() == needs
    assert PartSettings.parse("tagger", {"transformers": {"model": "m"}}).resources() == own
    assert PartSettings.parse("aligner", "encoder").resources() == Resources()
    steps = toy.settings(tmp_path)["steps"]
    steps[1] = {"translate": {"translator": {"neural": {"model": "m"}}}}
    pools = make_pipeline(toy.settings(tmp_path) | {"steps": steps}).job().pools
    assert settled(pools, gpus=True) == (Pool((2,), gpu), Pool((1, 3, 4, 5), Resources()))
    assert settled(pools, gpus=False) == (Pool((1, 2, 3, 4, 5), Resources()),)


def test_numbers_of_actors(tmp_path):
    toy.write(tmp_path, 3)
    given = toy.settings(tmp_path, engine="ray")
    pools = make_pipeline(given | {"actors": {"tag": 2, "project": 2, "join": 3}}).job().pools
    assert pools == (
        Pool((1, 2), Resources()),
        Pool((3, 4), Resources(), 2),
        Pool((5,), Resources(), 3),
    )
    with pytest.warns(NoteWarning, match="actors: without an engine all workers make all steps"):
        make_pipeline(given | {"actors": {"tag": 2}, "engine": "local"}).job()
    path = tmp_path / "p.yaml"
    for wrong, why in [
        ("{tag: 0}", "actors.tag: must be at least 1, not 0"),
        ("{tag: -2}", "actors.tag: must be at least 1, not -2"),
        ("{tag: 1.5}", "actors.tag: "),
        ("{tga: 2}", r"actors: no step of this pipeline is named 'tga' \(did you mean tag\?\)"),
    ]:
        path.write_text(f"{yaml.safe_dump(given)}actors: {wrong}\n", "utf-8")
        line = len(path.read_text("utf-8").splitlines())
        with pytest.raises(InputError, match=f"p.yaml:{line}: {why}"):
            read_pipeline(str(path))


def test_examples_pass_all_steps_in_one_process(tmp_path):
    toy.write(tmp_path, 3)
    own = Heavy(tagger={"given": {"model": str(tmp_path / "en.conll")}})
    made = make_pipeline(
        toy.settings(tmp_path) | {"steps": ["split", own, "join", {"calibrate": {"gold": "g"}}]}
    )
    assert pools_of(made.steps) == (Pool((1, 2, 3, 4), Resources(gpus=1.0)),)


@pytest.mark.parametrize(
    ("nodes", "pools", "n", "counts"),
    [
        # a machine with 8 cores and 2 GPUs: a core beside each GPU, the others for light steps
        ([(8, 2, 9e3)], [GPU, LIGHT], None, [2, 6]),
        # as many GPUs as cores: one core is kept for the light steps
        ([(4, 4, 9e3)], [GPU, LIGHT], None, [3, 1]),
        # two kinds without GPUs, by turns: 4 + 1 cores twice, then 1 core six times
        ([(16, 0, 2e3)], [LIGHT, LARGE], None, [8, 2]),
        # light steps do not take the cores of the machine with a GPU, if there are others
        ([(1, 1, 9e3), (1, 0, 9e3)], [GPU, LIGHT], None, [1, 1]),
        # pieces that are too small on each machine
        ([(3, 0, 9e3), (3, 0, 9e3)], [LARGE], None, [0]),
        ([(4, 0, 500)], [LARGE], None, [0]),
        ([(1, 1, 9e3)], [GPU, LIGHT], None, [0, 0]),
        ([], [LIGHT], None, [0]),
        # tenths of a GPU
        ([(20, 1, 0)], [Pool((1,), Resources(gpus=0.1))], None, [10]),
        # a number that was asked for: fewer, too few, more than there is room for
        ([(8, 2, 9e3)], [GPU, LIGHT], 3, [2, 1]),
        ([(8, 2, 9e3)], [GPU, LIGHT], 1, [0, 0]),
        ([(2, 1, 9e3)], [GPU, LIGHT], 5, [3, 2]),
        # numbers for some pools: these first, what is left for the others
        ([(8, 2, 9e3)], [replace(GPU, n=1), LIGHT], None, [1, 7]),
        ([(8, 2, 9e3)], [GPU, replace(LIGHT, n=3)], None, [2, 3]),
        ([(8, 2, 9e3)], [GPU, replace(LIGHT, n=3)], 8, [5, 3]),
        ([(8, 2, 9e3)], [replace(GPU, n=1), replace(LIGHT, n=2)], None, [1, 2]),
        # more than there is room for
        ([(4, 1, 9e3)], [replace(GPU, n=3), LIGHT], None, [3, 3]),
    ],
)
def test_room_is_shared_out(nodes, pools, n, counts):
    found = shared_out(nodes, pools, n)
    assert [found.count(pool) for pool in pools] == counts
    assert set(found[: len(pools)]) <= set(pools)


class Talking(Worker):
    """A worker in this process, which goes on when it is asked for its next message."""

    def __init__(self, n, given):
        self.n, self.shards, self.told = n, None, False
        job, pool, claims = given
        job = pickle.loads(pickle.dumps(job))
        self.says = messages(job, pool, claims, lambda: pickle.loads(pickle.dumps(self.shards)))

    def send(self, shards):
        self.shards = shards

    def receive(self):
        self.told = True
        return next(self.says)

    def end(self):
        self.says.close()


class ByChance:
    """An engine whose workers speak, die and are moved by chance.

    Args:
        pools: those of the workers; None for the job's.
        n: number of workers of each.
        deaths: how many die.
        joins: whether all pools are joined in the end.
    """

    def __init__(self, random, pools, n=1, deaths=0, joins=False):
        self.random, self.pools, self.n, self.deaths, self.joins = random, pools, n, deaths, joins

    def __call__(self, job, claims):
        self.given, self.places = (job, claims), list(self.pools or job.pools) * self.n
        self.heard = 0
        return self

    def start(self, n):
        return Talking(n, (self.given[0], self.places[n], self.given[1]))

    def wait(self, workers, seconds):
        one = self.random.choice([w for w in workers if w.shards is not None or not w.told])
        self.heard += 1
        if self.deaths and self.heard > 10 and self.random.random() < 0.2:
            self.deaths -= 1

            def die():
                raise EOFError("by chance")

            one.receive = die
        return [one]

    def moved(self, workers):
        if not self.joins or self.heard < 30:
            return False
        self.joins, self.places = False, [together(self.places[: len(self.pools)])]
        return True

    def close(self):
        pass


@pytest.fixture
def by_chance(monkeypatch):
    """``by_chance(settings, ...)`` runs a pipeline by :class:`ByChance`."""
    monkeypatch.setattr(making, "POLL", 0.0)
    monkeypatch.setattr(making, "_TELL", 0.0)
    monkeypatch.setattr(workers, "_DEATHS", 100)

    def start(settings, *given, **others):
        engine = ByChance(*given, **others)
        monkeypatch.setattr(engines, "Processes", engine)
        return toy.run({**settings, "workers": 2}), engine

    return start


def cut(random, n):
    """Steps cut into pools by chance."""
    own = [random.randrange(random.randint(2, n)) for _ in range(n)]
    return [Pool(tuple(s for s in range(1, n + 1) if own[s - 1] == p), Resources()) for p in {*own}]


def made(reports):
    return [(r.name, r.shards, r.made, r.rows, r.account) for r in reports]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_any_pools_give_the_same_bytes(tmp_path, by_chance, seed):
    random = Random(seed)
    toy.write(tmp_path, 30)
    steps = LEARNING if seed % 2 else toy.STEPS
    given = toy.settings(tmp_path, steps=steps, shard_rows=4)
    one, reports = toy.run({**given, "output": str(tmp_path / "one.jsonl")})
    pools = cut(random, len(steps))
    (done, own), _ = by_chance(given, random, pools, n=random.randint(1, 3))
    assert (tmp_path / "o.jsonl").read_bytes() == (tmp_path / "one.jsonl").read_bytes()
    assert made(own) == made(reports)  # none twice
    assert done.account == one.account
    assert done.signature == one.signature
    assert not list((tmp_path / "o.jsonl.work" / ".claims").iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_whoever_dies_or_is_moved(tmp_path, by_chance, seed):
    random = Random(seed)
    toy.write(tmp_path, 30)
    steps = LEARNING if seed % 2 else toy.STEPS
    given = toy.settings(tmp_path, steps=steps, shard_rows=4)
    toy.run({**given, "output": str(tmp_path / "one.jsonl")})
    pools = cut(random, len(steps))
    (done, _), engine = by_chance(given, random, pools, n=2, deaths=6, joins=seed > 1)
    assert (tmp_path / "o.jsonl").read_bytes() == (tmp_path / "one.jsonl").read_bytes()
    assert engine.deaths == 0
    assert done.cost.lost >= 6
    assert len(engine.places) == (1 if seed > 1 else 2 * len(pools))


@pytest.mark.slow
@pytest.mark.parametrize("steps", [toy.STEPS, LEARNING])
def test_failed_translations_are_tried_again_by_their_pool(tmp_path, by_chance, steps):
    """And what was made of them is made, and learned, anew."""
    toy.write(tmp_path, 30)
    given = toy.settings(tmp_path, steps=steps, shard_rows=4)
    n = len(steps)
    pools = [Pool((1, 3, 5)[: n - 2], Resources()), Pool((2, 4), Resources())]
    whole = []
    for failing in ({toy.sentence(n)[0] for n in (0, 30)}, set()):
        given["steps"][1] = {"translate": {"translator": Flaky(failing)}}
        one, _ = toy.run({**given, "output": str(tmp_path / "one.jsonl")})
        (done, _), _ = by_chance(given, Random(1), pools)
        whole.append((tmp_path / "o.jsonl").read_bytes())
        assert whole[-1] == (tmp_path / "one.jsonl").read_bytes()
        assert done.account == one.account
    assert whole[0] != whole[1]


@pytest.mark.slow
def test_a_damaged_shard_of_another_pool_is_made_anew(tmp_path, by_chance):
    toy.write(tmp_path, 30)
    given = toy.settings(tmp_path, shard_rows=4)
    toy.run({**given, "output": str(tmp_path / "one.jsonl")})
    work = tmp_path / "o.jsonl.work"
    pools = [Pool((1, 3, 5), Resources()), Pool((2, 4), Resources())]
    read, damaged = making.Shards.read, []

    def damage(self, s, k):
        if (s, k) == (2, 3) and not damaged:
            damaged.append(self.path(s, k))
            damaged[0].write_bytes(b"x")
        return read(self, s, k)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(making.Shards, "read", damage)
        with pytest.warns(RepairWarning, match="00003-.*made anew"):
            by_chance(given, Random(2), pools)
    assert damaged
    assert damaged[0].parent == work / "2-translate"
    assert (tmp_path / "o.jsonl").read_bytes() == (tmp_path / "one.jsonl").read_bytes()


def test_nothing_made_for_long_is_said(tmp_path, by_chance, monkeypatch):
    toy.write(tmp_path, 3)
    monkeypatch.setattr(workers, "_QUIET", 0.0)
    with pytest.warns(NoteWarning, match="nothing was made for 0 minutes: a step learns"):
        by_chance(
            toy.settings(tmp_path),
            Random(0),
            [Pool((2, 4), LIGHT.needs), Pool((1, 3, 5), LIGHT.needs)],
        )
