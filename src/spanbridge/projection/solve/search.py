"""Exact search among candidates that compete: a dynamic programme pruned by Lagrangian bounds.

The programme walks the slots of the sentence from left to right. Its states are how often each open
entity was used (an entity is open if it has candidates both before and after the slot); uses of the
others no longer matter, so states that differ only there are merged. That alone is exact in O(slots
* (k+1)^open * candidates per slot), too slow for many open entities.

Bounds prune it. Charge a price p[e] >= 0 for every use of entity e and lift its limit: what remains
is weighted interval scheduling, which one pass from right to left solves, and

    bound = max over disjoint choices of sum (score - price)  +  k * sum of prices

is at least the optimum for any prices (weak duality; Fisher 1981). With the best prices it equals
the linear relaxation over per-word cliques, because interval matrices are totally unimodular
(Geoffrion 1974); on real sentences that is the optimum itself. Prices are found by subgradient
steps of Polyak's length, and the pass also bounds what a state can still gain, so that states which
cannot beat the best known choice are dropped. The proof of optimality rests on weak duality alone,
not on how good the prices are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from spanbridge.projection.candidates import Candidate
from spanbridge.projection.solve.linear import relaxation, slots

# Limits chosen by `python -m benchmarks solving`: few steps, then the linear relaxation, which
# takes HiGHS less time than more steps would.
ROUNDS = ((10, 1), (20, 4))  # price steps, states kept at each slot
# At the prices of the relaxation: a walk is limited to about as many moves, and some more per
# candidate, a small part of the time that HiGHS would need.
MOVES, WIDTH = 8000, 8
SHRINK = 0.5  # walk again only if at most this share of the candidates is left
FILL_EVERY = 4  # steps
TINY = 1e-12  # relative rounding error of a bound

# A candidate between slots: the slot after it, its entity, its value, and the candidate.
Item = tuple[int, int, float, Candidate]


def choose(ranked: Sequence[Candidate], k: int) -> list[Candidate]:
    """Take candidates in order, except those that overlap a taken one or exceed k per entity."""
    taken: list[Candidate] = []
    covered = 0  # one bit per word
    used: dict[int, int] = {}
    for candidate in ranked:
        entity, start, end, _ = candidate
        words = (1 << end) - (1 << start)
        if not covered & words and used.get(entity, 0) < k:
            covered |= words
            used[entity] = used.get(entity, 0) + 1
            taken.append(candidate)
    return taken


def most_first(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Candidates in an order in which `choose` takes many, though not always as many as possible.

    Short ones first; of equally short ones, those of the entity whose candidates end first.
    """
    last: dict[int, int] = {}
    for candidate in candidates:
        last[candidate.entity] = max(candidate.end, last.get(candidate.entity, 0))
    return sorted(candidates, key=lambda o: (o.end - o.start, last[o.entity], o.end))


class Search:
    """The best choice among the candidates of one component.

    Args:
        ranked: candidates, the best first.
        k: projections per entity, at most.
        bonus: added to every score (so that the number of candidates counts first).

    Attributes:
        best: the best known choice.
        rest: candidates that a better choice could still contain; if empty, ``best`` is optimal.
    """

    def __init__(self, ranked: Sequence[Candidate], k: int, bonus: float) -> None:
        self.k = k
        self.bonus = bonus
        self.rest = list(ranked)
        self.best = choose(ranked, k)
        self.value = self._value(self.best)
        if bonus:
            self.offer(choose(most_first(ranked), k))
        self.index: dict[int, int] = {}
        for candidate in ranked:
            self.index.setdefault(candidate.entity, len(self.index))
        slot, after, self.n_slots = slots(ranked)
        self.rows: list[list[Item]] = [[] for _ in range(self.n_slots)]
        for candidate in ranked:
            item = (
                after[candidate.end],
                self.index[candidate.entity],
                candidate.score + bonus,
                candidate,
            )
            self.rows[slot[candidate.start]].append(item)
        # the better of two starts: prices of 0, or so high that nothing is worth them
        free, dear = [0.0] * len(self.index), [0.0] * len(self.index)
        for candidate in reversed(ranked):
            dear[self.index[candidate.entity]] = candidate.score + bonus
        self.prices = min(free, dear, key=lambda prices: self._bound(prices, self._pass(prices)[0]))
        self.ahead: list[float] = []  # best (score - price) from each slot on
        self.bound = float("inf")

    def run(self) -> None:
        """Bound and search until nothing is left or the limits are reached."""
        for steps, width in ROUNDS:
            self._lower(steps)
            if self._settle(width):
                return
        self._relax()
        self._fix()
        before = float("inf")
        while 0 < len(self.rest) <= SHRINK * before:
            before = len(self.rest)
            if self._walk(WIDTH + MOVES // before):
                self.rest = []
            else:
                self._fix()

    def _settle(self, width: int) -> bool:
        """Check if the bounds, or a walk pruned by them, leave nothing to search."""
        self._fix()
        if self.rest and self._walk(width):
            self.rest = []
        return not self.rest

    def _value(self, candidates: Iterable[Candidate]) -> float:
        return sum(candidate.score + self.bonus for candidate in candidates)

    def _floor(self) -> float:
        """Value that a choice must exceed to be an improvement."""
        return self.value * (1 + TINY)

    def offer(self, candidates: list[Candidate]) -> None:
        """Keep a feasible choice if it is the best so far."""
        if (value := self._value(candidates)) > self.value:
            self.best, self.value = candidates, value

    def _bound(self, prices: list[float], ahead: list[float]) -> float:
        return ahead[0] + self.k * sum(prices)

    def _pass(self, prices: list[float]) -> tuple[list[float], list[Item]]:
        """Best disjoint choice at these prices, ignoring k, and its value from each slot."""
        ahead = [0.0] * (self.n_slots + 1)
        pick: list[Item | None] = [None] * self.n_slots
        for at in range(self.n_slots - 1, -1, -1):
            most, best = ahead[at + 1], None
            for item in self.rows[at]:
                to, entity, worth, _ = item
                if (value := worth - prices[entity] + ahead[to]) > most:
                    most, best = value, item
            ahead[at], pick[at] = most, best
        path = []
        at = 0
        while at < self.n_slots:
            if (best := pick[at]) is None:
                at += 1
            else:
                path.append(best)
                at = best[0]
        return ahead, path

    def _lower(self, steps: int) -> None:
        """Subgradient steps: raise prices of overused entities, lower those of unused ones."""
        prices, length, worse = self.prices, 1.0, 0
        for step in range(steps):
            ahead, path = self._pass(prices)
            bound = self._bound(prices, ahead)
            worse += 1
            if bound < self.bound:
                self.bound, self.prices, self.ahead, worse = bound, prices, ahead, 0
            elif worse >= max(3, steps // 8):
                length, worse = length / 2, 0
            slack = [self.k] * len(prices)
            for item in path:
                slack[item[1]] -= 1
            norm = sum(s * s for s, p in zip(slack, prices, strict=True) if s < 0 or p > 0)
            feasible = sorted((item[3] for item in path), key=lambda o: -o[3])
            if step % FILL_EVERY == 0:
                feasible += self.rest
            self.offer(choose(feasible, self.k))
            if self.bound <= self._floor() or not norm:
                return
            size = length * (bound - self.value) / norm
            prices = [max(0.0, p - size * s) for p, s in zip(prices, slack, strict=True)]

    def _relax(self) -> None:
        """The best prices, from the linear relaxation, if steps approach them too slowly."""
        prices, used = relaxation(self.rest, self.k, self.bonus)
        self.prices = [prices.get(entity, 0.0) for entity in self.index]
        self.ahead, _ = self._pass(self.prices)
        self.bound = self._bound(self.prices, self.ahead)
        self.offer(choose(used, self.k))

    def _fix(self) -> None:
        """Drop the candidates that by the bound no better choice can contain."""
        need = self._floor() - self.k * sum(self.prices)
        behind = [0.0] * (self.n_slots + 1)
        rows: list[list[Item]] = []
        for at, row in enumerate(self.rows):
            if at:
                behind[at] = max(behind[at], behind[at - 1])
            kept = []
            for item in row:
                to, entity, worth, _ = item
                value = behind[at] + worth - self.prices[entity]
                if value > behind[to]:
                    behind[to] = value
                if value + self.ahead[to] > need:
                    kept.append(item)
            rows.append(kept)
        self.rows = rows
        left = {item[3] for row in rows for item in row}
        self.rest = [candidate for candidate in self.rest if candidate in left]

    def _walk(self, width: int) -> bool:
        """The dynamic programme; False if a slot had more states than ``width``.

        A state is a number with a bit field per entity. States are dropped if the bound shows that
        they cannot beat the best known choice, or if they are not among the ``width`` most
        promising.
        """
        bits = self.k.bit_length()
        once = [1 << (bits * entity) for entity in range(len(self.prices))]
        full = [self.k * one for one in once]
        fields = [((1 << bits) - 1) * one for one in once]
        opened, credit = self._open(fields)
        spent = {0: 0.0}  # state -> sum of the prices of its uses

        def paid(state: int) -> float:
            left, total = state, 0.0
            while left not in spent:
                entity = ((left & -left).bit_length() - 1) // bits
                left -= once[entity]
                total += self.prices[entity]
            spent[state] = total = total + spent[left]
            return total

        # at each slot: state -> (value so far, the chosen candidates as a linked list)
        levels: list[dict[int, tuple[float, Any]]] = [{} for _ in range(self.n_slots + 1)]
        levels[0][0] = (0.0, None)
        floor, whole = self._floor(), True
        for at, row in enumerate(self.rows):
            level, levels[at] = levels[at], {}
            needs = [
                (floor - worth - credit[at] + paid(state), state, worth, chosen)
                for state, (worth, chosen) in level.items()
            ]
            if len(needs) > width:
                needs = sorted(needs, key=lambda n: (n[0], -n[2], n[1]))[:width]
                whole = False
            moves = sorted(
                (
                    (self.prices[e] - worth - self.ahead[to], to, e, worth, candidate)
                    for to, e, worth, candidate in row
                )
            )
            for need, state, worth, chosen in needs:
                if self.ahead[at + 1] > need:
                    _reach(levels[at + 1], state & opened[at + 1], worth, chosen)
                for loss, to, entity, more, candidate in moves:
                    if loss + need >= 0:
                        break
                    if state & fields[entity] != full[entity]:
                        after = (state + once[entity]) & opened[to]
                        _reach(levels[to], after, worth + more, (chosen, candidate))
        if 0 in levels[-1]:
            self.offer(_unlink(levels[-1][0][1]))
        return whole

    def _open(self, fields: list[int]) -> tuple[list[int], list[float]]:
        """For each slot: bit fields of entities with candidates ahead; k * their prices."""
        opened, credit = [0] * (self.n_slots + 1), [0.0] * (self.n_slots + 1)
        for at in range(self.n_slots - 1, -1, -1):
            opened[at], credit[at] = opened[at + 1], credit[at + 1]
            for _, entity, _, _ in self.rows[at]:
                if not opened[at] & fields[entity]:
                    opened[at] |= fields[entity]
                    credit[at] += self.k * self.prices[entity]
        return opened, credit


def _reach(level: dict[int, tuple[float, Any]], state: int, worth: float, chosen: Any) -> None:
    if state not in level or worth > level[state][0]:
        level[state] = (worth, chosen)


def _unlink(chosen: Any) -> list[Candidate]:
    candidates = []
    while chosen is not None:
        chosen, candidate = chosen
        candidates.append(candidate)
    return candidates[::-1]
