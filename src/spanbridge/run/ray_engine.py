"""Workers as actors of Ray, on a cluster or on this machine.

An actor does what a process of ``--workers`` does, with the steps of its pool: those that need the
same of a node (:mod:`spanbridge.run.pools`). Where the cluster cannot hold an actor of each pool at
once, all steps run in the same actors, since a pool without any would hold up the others; likewise
if actors of a pool find no place later on.

Only keys, counts and warnings pass through Ray; rows lie in the folder of shards, which all nodes
share. So Ray has to place actors and to tell which of them died, and nothing else: what is lost
with a node or with this process is one shard of each actor.

This is the only module that imports ray.
"""

from __future__ import annotations

import os
import socket
import sys
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from copy import copy
from dataclasses import replace
from typing import Any

from spanbridge.core.addresses import is_remote
from spanbridge.core.claims import Claims
from spanbridge.core.errors import NoteWarning, SpanbridgeError
from spanbridge.core.machine import available_cores, limit_cores
from spanbridge.core.requirements import require
from spanbridge.core.signature import code_version
from spanbridge.core.store import absolute
from spanbridge.core.temporary import private_folder
from spanbridge.run.job import Job
from spanbridge.run.messages import as_error, as_warning, messages
from spanbridge.run.pools import Pool, by_turns, fits, lacking, settled, shared_out, together
from spanbridge.run.shard_store import Shards
from spanbridge.run.workers import Message, Worker

# Bytes of Ray's own storage on a cluster of this machine's: hardly anything passes through it.
_STORE = 80 * 2**20
# What an actor says first.
_HERE: Message = ("here", None)
# Seconds for which all actors of a pool may wait for a place while none is given.
_PATIENCE = 60.0
# Seconds for which a cluster's machine may take to answer.
_CONNECTING = 10.0


class RayEngine:
    """Actors on the cluster that ``RAY_ADDRESS`` names, or else on one of this machine's.

    Args:
        job: the job, with its folder for shards.
        claims: claims of the work.

    Raises:
        MissingExtraError: ray is not installed.
        SpanbridgeError: the cluster cannot be reached, or it has no room.

    Attributes:
        places: the pool of each actor that there is to be.
    """

    places: Sequence[Pool]

    def __init__(self, job: Job, claims: Claims) -> None:
        assert job.work is not None
        self._given = (replace(job, work=absolute(job.work)), claims, code_version(), os.getcwd())
        self._n, self._stack = job.workers, ExitStack()
        self._told: Any = None
        self._changed, self._warned = time.monotonic(), set[Pool]()
        self._ray = _connected(self._stack)
        try:
            nodes = self._nodes()
            pools = settled(job.pools, gpus=any(has for _, has, _ in nodes))
            self.places = self._planned(nodes, pools)
        except BaseException:
            self.close()
            raise

    def _planned(
        self, nodes: Sequence[tuple[float, float, float]], pools: Sequence[Pool]
    ) -> Sequence[Pool]:
        """The pool of each actor. Raises SpanbridgeError if there is no room, and will be none."""
        self._check_numbers(pools)
        if found := shared_out(nodes, pools, self._n):
            return found
        whole = together(pools)
        if len(pools) > 1 and (found := shared_out(nodes, [whole], self._n)):
            few = self._n is not None and self._n < len(pools)
            asked = f"no more than {self._n} asked for"
            _tell_joined(pools, asked if few else "the cluster has no room for one of each")
            return found
        what = f"a worker needs {whole.needs}, and no node of the cluster has as much"
        if not os.environ.get("RAY_ADDRESS"):
            raise SpanbridgeError(f"engine ray: {what}")
        warnings.warn(f"engine ray: {what} now; waiting for one", NoteWarning, stacklevel=2)
        if self._n is not None and self._n < len(pools):
            return by_turns([whole], self._n)
        return [*pools, *lacking(pools, pools, self._n)]

    def _check_numbers(self, pools: Sequence[Pool]) -> None:
        """Raise SpanbridgeError if numbers of actors of some steps and of all contradict."""
        numbers = [pool.n for pool in pools]
        least, some = sum(number or 1 for number in numbers), any(numbers)
        if self._n is None or not some or self._n == least or (self._n > least and None in numbers):
            return
        raise SpanbridgeError(
            f"engine ray: workers is {self._n}, but by actors it is {least}"
            f"{' or more' * (None in numbers)} (one at least for steps that it does not name); "
            "change one of them, or leave workers out"
        )

    def _nodes(self) -> list[tuple[float, float, float]]:
        """What the nodes have, whoever uses it."""
        return [_room(node["Resources"]) for node in self._ray.nodes() if node["Alive"]]

    def start(self, n: int) -> Worker:
        """Start the n-th actor, once there is room for it."""
        pool = self.places[n]
        asked = {"num_cpus": pool.needs.cores, "num_gpus": pool.needs.gpus}
        if pool.needs.memory:
            asked["memory"] = pool.needs.memory * 10**6
        # one that dies is replaced as any worker is, so Ray does not restart it
        options = {**asked, "max_restarts": 0, "scheduling_strategy": "SPREAD"}
        actor = self._ray.remote(**options)(Actor).remote(pool.needs.cores)
        self._changed = time.monotonic()
        return _Actor(n, self._ray, actor, actor.open.remote(pool, *self._given), self._put)

    def _put(self, shards: Shards) -> Any:
        """The shards as all actors are told of them: one object, which may be megabytes."""
        if self._told is None:
            whole = copy(shards)
            whole.work = absolute(shards.work)
            self._told = self._ray.put(whole)
        return self._told

    def wait(self, workers: Sequence[Worker], seconds: float | None) -> Sequence[Worker]:
        """Wait until some of the actors have said something, or have died; these."""
        there = {one.said[0]: one for one in workers if isinstance(one, _Actor) and one.said}
        given = list(there)
        ready, _ = self._ray.wait(given, num_returns=1, timeout=seconds, fetch_local=False)
        if ready:  # and all others that are ready by now
            ready, _ = self._ray.wait(given, num_returns=len(given), timeout=0, fetch_local=False)
        return [there[one] for one in ready]

    def moved(self, workers: Sequence[Worker]) -> bool:
        """Give all steps to the same actors if those of a pool find no place; True if so.

        That is done if there is room for these once all have given back theirs; else a place is
        waited for, which is said.
        """
        actors = [one for one in workers if isinstance(one, _Actor)]
        placed = [self.places[one.n] for one in actors if one.placed]
        waiting = {self.places[one.n] for one in actors}.difference(placed)
        self._changed = max([self._changed, *(one.placed for one in actors)])
        if not waiting or time.monotonic() - self._changed < _PATIENCE:
            return False
        self._changed = time.monotonic()
        pools = list(dict.fromkeys(self.places))
        whole = together(pools)
        given_back = [
            _room(self._ray.available_resources()),
            *(one.needs.amounts for one in placed),
        ]
        free = [sum(each) for each in zip(*given_back, strict=True)]
        if len(pools) > 1 and placed and fits(whole.needs, free):
            found = shared_out(self._nodes(), [whole], self._n)
            if found:
                _tell_joined(pools, "some found no place on the cluster")
                self.places = found
                return True
        for pool in waiting - self._warned:
            what = f"no node has room yet for a worker with {pool.needs}; waiting"
            warnings.warn(f"engine ray: {what}", NoteWarning, stacklevel=2)
        self._warned |= waiting
        return False

    def close(self) -> None:
        """Leave the cluster, and end it if it was started here."""
        self._stack.close()


class _Actor(Worker):
    """A handle of an actor, and the streams of its messages.

    Attributes:
        placed: when it was known to have a place; 0 if it has none.
    """

    def __init__(
        self, n: int, ray: Any, actor: Any, said: Any, put: Callable[[Shards], Any]
    ) -> None:
        self.n, self._ray, self._actor, self._put = n, ray, actor, put
        self.said, self.placed = deque([said]), 0.0

    def send(self, shards: Shards) -> None:
        """Say which shards there are to be."""
        self.said.append(self._actor.make.remote(self._put(shards)))

    def receive(self) -> Message | None:
        """Its next message."""
        try:
            message: Message = self._ray.get(next(self.said[0]))
        except StopIteration:
            self.said.popleft()
            return None
        except self._ray.exceptions.RayActorError as error:
            raise EOFError(f"({str(error).splitlines()[-1].strip()})") from error
        except self._ray.exceptions.RayError as error:
            why = str(error).strip().splitlines()[-1]
            raise SpanbridgeError(f"engine ray: a worker could not be started: {why}") from error
        if message == _HERE:
            self.placed = time.monotonic()
            return None
        return message

    def end(self) -> None:
        """End it at once."""
        with suppress(Exception):  # it or the cluster may have ended
            self._ray.kill(self._actor, no_restart=True)


class Actor:
    """Makes shards on a node; the other end of :class:`_Actor`.

    Args:
        cores: number of cores that it may use.
    """

    def __init__(self, cores: int) -> None:
        from threadpoolctl import threadpool_limits

        limit_cores(cores)
        self._limits = threadpool_limits(1, user_api="blas")  # as in any run
        self._messages: Iterator[Message] = iter(())

    def open(
        self, pool: Pool, job: Job, claims: Claims, version: str, here: str
    ) -> Iterator[Message]:
        """Load the models of a pool's steps, and tell their facts."""
        yield _HERE
        with suppress(OSError):  # paths that are not relative do without
            os.chdir(here)
        try:
            _check_node(job, version)
        except SpanbridgeError as error:
            yield as_error(error)
            return
        self._messages = messages(job, pool, claims, lambda: self._shards)
        for message in self._told():
            yield message
            if message[0] == "facts":
                return

    def make(self, shards: Shards) -> Iterator[Message]:
        """Make what is missing."""
        self._shards = shards
        yield from self._told()

    def _told(self) -> Iterator[Message]:
        """Messages, after the warnings that came before them; an error is the last one."""
        found: list[Message] = []

        def warn(message: Warning | str, category: type[Warning], *place: Any, **_: Any) -> None:
            found.append(as_warning(message, category))

        warnings.showwarning = warn
        while True:
            try:
                message = next(self._messages, None)
            except Exception as error:  # noqa: BLE001  # whatever it is, it is raised there
                message = as_error(error)
                self._messages = iter(())
            yield from found
            found.clear()
            if message is None:
                return
            yield message


def _check_node(job: Job, version: str) -> None:
    """Raise SpanbridgeError unless an actor's node has the same code, and the folder of shards."""
    node = socket.gethostname()
    if code_version() != version:
        raise SpanbridgeError(
            f"engine ray: Spanbridge is {code_version()} on the node {node}, and {version} here; "
            "install the same on all nodes"
        )
    if job.work is None or not (is_remote(job.work) or job.work.is_dir()):
        raise SpanbridgeError(
            f"engine ray: the folder of shards {job.work} is not there on the node {node}; all "
            "nodes have to share it, under the same path (the setting work)"
        )


def _connected(stack: ExitStack) -> Any:
    """The package ray, connected to a cluster until the stack is closed."""
    require("ray", by="the engine ray")
    address = os.environ.get("RAY_ADDRESS")
    quiet = {"log_to_driver": False, "logging_level": "error", "configure_logging": False}
    if not address and "ray" not in sys.modules:
        # else nodes take an address that others reach, and their ports are open to them
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    if ray.is_initialized():  # by a script, whose cluster it is
        return ray
    try:
        if address:
            _check_reachable(address, ray.util.get_node_ip_address())
            ray.init(address=address, **quiet)
        else:
            folder = stack.enter_context(private_folder())
            ray.init(
                address="local",
                num_cpus=available_cores(),
                include_dashboard=False,
                object_store_memory=_STORE,
                _temp_dir=str(folder),
                **quiet,
            )
    except Exception as error:
        ray.shutdown()
        stack.close()
        where = f"the cluster at {address} cannot be reached" if address else "cannot be started"
        raise SpanbridgeError(f"engine ray: {where}: {str(error).partition(chr(10))[0]}") from error
    stack.callback(ray.shutdown)
    return ray


def _check_reachable(address: str, here: str) -> None:
    """Raise OSError unless somebody listens at HOST:PORT, where Ray would try for minutes.

    Args:
        here: address of this machine, which Ray takes for ``127.0.0.1``.
    """
    host, _, port = address.rpartition(":")
    if "/" in host or not port.isdecimal():
        return  # Ray says what is wrong
    if host in ("localhost", "127.0.0.1"):
        with suppress(OSError), socket.create_connection((here, int(port)), _CONNECTING):
            return
    socket.create_connection((host, int(port)), _CONNECTING).close()


def _room(resources: Mapping[str, float]) -> tuple[float, float, float]:
    """Cores, GPUs and MB of memory, of all that Ray tells."""
    memory = resources.get("memory", 0.0) / 10**6
    return resources.get("CPU", 0.0), resources.get("GPU", 0.0), memory


def _tell_joined(pools: Sequence[Pool], why: str) -> None:
    """Say that pools have the same workers."""
    each = "; ".join(str(pool.needs) for pool in pools)
    warnings.warn(
        f"engine ray: the steps need workers of {len(pools)} kinds ({each}), but {why}; so all "
        f"steps run in the same workers, each with {together(pools).needs}",
        NoteWarning,
        stacklevel=2,
    )
