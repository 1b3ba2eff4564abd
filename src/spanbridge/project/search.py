"""Exact search among options that compete: a dynamic programme pruned by Lagrangian bounds.

The programme walks the places of the sentence from left to right. Its states are how often each
open entity was used (an entity is open where options of it lie both behind and ahead); what was
used of the others no longer matters, so states that differ only there are merged. That alone is
exact in O(places * (k+1)^open * options per place), too slow for many open entities.

Bounds cut it down. Charge a price p[e] >= 0 for every use of entity e and lift its limit: what
remains is weighted interval scheduling, which one pass from right to left solves, and

    bound = max over disjoint choices of sum (score - price)  +  k * sum of prices

is at least the optimum for any prices (weak duality; Fisher 1981). With the best prices it equals
the linear relaxation over per-word cliques, because interval matrices are totally unimodular
(Geoffrion 1974); on real sentences that is the optimum itself. Prices are found by subgradient
steps of Polyak's length, and the pass also bounds what a state can still gain, so that states which
cannot beat the best known choice are dropped. The proof of optimality rests on weak duality alone,
not on how good the prices are.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from spanbridge.project.candidates import Option

# Price steps, and states kept at each place, before the next and costlier round; measured by
# `python -m benchmarks solving`. After the last one HiGHS is quicker.
ROUNDS = ((10, 32), (30, 128), (60, 1024))
REPAIR_EVERY = 4
TINY = 1e-12  # relative; what rounding may add to a bound


class Item(NamedTuple):
    """An option between places: it takes all from its row up to ``to``, exclusive."""

    to: int
    entity: int
    worth: float
    option: Option


def places(options: Iterable[Option]) -> tuple[dict[int, int], dict[int, int], int]:
    """Words merged into as few places as tell apart which options overlap.

    Words between which no option ends before another one starts lie in the same options, or in
    fewer (an interval graph's maximal cliques are those of a start that an end follows first).

    Returns:
        The place of each start, the place after each end, and the number of places.
    """
    options = list(options)
    starts = sorted({option[1] for option in options})
    ends = sorted({option[2] for option in options})
    place: dict[int, int] = {}
    at = before = 0
    for start in starts:
        ended = bisect_right(ends, start)
        at += ended > before
        place[start], before = at, ended
    after = {end: place[starts[bisect_left(starts, end) - 1]] + 1 for end in ends}
    return place, after, at + 1


def choose(ranked: Sequence[Option], k: int, first: Sequence[Option] = ()) -> list[Option]:
    """Take one option after the other unless it overlaps a taken one or exceeds k per entity."""
    taken: list[Option] = []
    covered = 0  # a bit for each word
    used: dict[int, int] = {}
    for options in (first, ranked):
        for option in options:
            entity, start, end, _ = option
            words = (1 << end) - (1 << start)
            if not covered & words and used.get(entity, 0) < k:
                covered |= words
                used[entity] = used.get(entity, 0) + 1
                taken.append(option)
    return taken


class Search:
    """The best choice among the options of one component.

    Args:
        ranked: options, the best first.
        k: uses per entity, at most.
        bonus: added to every score (so that the number of options counts first).

    Attributes:
        best: the best choice known.
        rest: options that a better choice could still hold; once there is none, ``best`` is
            optimal.
    """

    def __init__(self, ranked: Sequence[Option], k: int, bonus: float) -> None:
        self.k = k
        self.bonus = bonus
        self.rest = list(ranked)
        self.best = choose(ranked, k)
        self.value = self._value(self.best)
        index: dict[int, int] = {}
        for option in ranked:
            index.setdefault(option.entity, len(index))
        place, after, self.n_places = places(ranked)
        self.rows: list[list[Item]] = [[] for _ in range(self.n_places)]
        for option in ranked:
            item = Item(after[option.end], index[option.entity], option.score + bonus, option)
            self.rows[place[option.start]].append(item)
        self.prices = [0.0] * len(index)
        self.ahead = [0.0] * (self.n_places + 1)  # best (score - price) from each place on
        self.bound = float("inf")

    def run(self) -> None:
        """Rounds of bounding and searching until nothing is left, or the last round ends."""
        for steps, width in ROUNDS:
            self._lower(steps)
            self._fix()
            if self.rest and self._walk(width):
                self.rest = []
            if not self.rest:
                return

    def _value(self, options: Iterable[Option]) -> float:
        return sum(option.score + self.bonus for option in options)

    def _floor(self) -> float:
        """What a choice must exceed to be an improvement."""
        return self.value + TINY * max(1.0, self.value)

    def offer(self, options: list[Option]) -> None:
        """Take note of a feasible choice."""
        if (value := self._value(options)) > self.value:
            self.best, self.value = options, value

    def _pass(self, prices: list[float]) -> tuple[list[float], list[Item]]:
        """Best disjoint choice at these prices, any number per entity, and its value from each
        place on."""
        ahead = [0.0] * (self.n_places + 1)
        pick: list[Item | None] = [None] * self.n_places
        for at in range(self.n_places - 1, -1, -1):
            most, best = ahead[at + 1], None
            for item in self.rows[at]:
                to, entity, worth, _ = item
                if (value := worth - prices[entity] + ahead[to]) > most:
                    most, best = value, item
            ahead[at], pick[at] = most, best
        path = []
        at = 0
        while at < self.n_places:
            if (best := pick[at]) is None:
                at += 1
            else:
                path.append(best)
                at = best.to
        return ahead, path

    def _lower(self, steps: int) -> None:
        """Subgradient steps: dearer where an entity is overused, cheaper where it is not used."""
        prices, length, worse = self.prices, 1.0, 0
        for step in range(steps):
            ahead, path = self._pass(prices)
            bound = ahead[0] + self.k * sum(prices)
            worse += 1
            if bound < self.bound:
                self.bound, self.prices, self.ahead, worse = bound, prices, ahead, 0
            elif worse == 5:
                length, worse = length / 2, 0
            slack = [self.k] * len(prices)
            for item in path:
                slack[item.entity] -= 1
            norm = sum(s * s for s, p in zip(slack, prices, strict=True) if s < 0 or p > 0)
            if not (worse and norm and step % REPAIR_EVERY):
                first = sorted((item.option for item in path), key=lambda o: -o.score)
                self.offer(choose(self.rest, self.k, first))
            if self.bound <= self._floor() or not norm:
                return
            size = length * (bound - self.value) / norm
            prices = [max(0.0, p - size * s) for p, s in zip(prices, slack, strict=True)]

    def _fix(self) -> None:
        """Drop the options which the bound keeps out of every better choice."""
        need = self._floor() - self.k * sum(self.prices)
        behind = [0.0] * (self.n_places + 1)
        rows: list[list[Item]] = []
        for at, row in enumerate(self.rows):
            if at:
                behind[at] = max(behind[at], behind[at - 1])
            kept = []
            for item in row:
                value = behind[at] + item.worth - self.prices[item.entity]
                if value > behind[item.to]:
                    behind[item.to] = value
                if value + self.ahead[item.to] > need:
                    kept.append(item)
            rows.append(kept)
        self.rows = rows
        left = {item.option for row in rows for item in row}
        self.rest = [option for option in self.rest if option in left]

    def _walk(self, width: int) -> bool:
        """The dynamic programme; False if a place had more states than ``width``.

        A state is a number with a field of bits for each entity. Dropped: those that the bound
        keeps from exceeding the best known choice, and those beyond the ``width`` most promising.
        """
        bits = self.k.bit_length()
        fields = [((1 << bits) - 1) << (bits * e) for e in range(len(self.prices))]
        opened = [0] * (self.n_places + 1)  # fields of the entities with options from here on
        credit = [0.0] * (self.n_places + 1)  # k * their prices
        for at in range(self.n_places - 1, -1, -1):
            opened[at], credit[at] = opened[at + 1], credit[at + 1]
            for item in self.rows[at]:
                if not opened[at] & fields[item.entity]:
                    opened[at] |= fields[item.entity]
                    credit[at] += self.k * self.prices[item.entity]
        spent = {0: 0.0}  # state -> prices of what it used

        def paid(state: int) -> float:
            if state not in spent:
                lowest = (state & -state).bit_length() - 1
                entity = lowest // bits
                once = 1 << (bits * entity)
                spent[state] = paid(state - once) + self.prices[entity]
            return spent[state]

        # at each place: state -> (worth so far, the options chosen as a linked list)
        levels: list[dict[int, tuple[float, Any]]] = [{} for _ in range(self.n_places + 1)]
        levels[0][0] = (0.0, None)
        floor, whole = self._floor(), True
        for at, row in enumerate(self.rows):
            level, levels[at] = levels[at], {}
            needs = [
                (floor - worth - credit[at] + paid(state), state, worth, chosen)
                for state, (worth, chosen) in level.items()
            ]
            if len(needs) > width:
                needs = sorted(needs, key=lambda n: n[:2])[:width]
                whole = False
            moves = [
                (
                    item.worth - self.prices[item.entity] + self.ahead[item.to],
                    item,
                    fields[item.entity],
                    self.k << (bits * item.entity),
                    1 << (bits * item.entity),
                )
                for item in row
            ]
            moves.sort(key=lambda move: -move[0])
            for need, state, worth, chosen in needs:
                if self.ahead[at + 1] > need:
                    _reach(levels[at + 1], state & opened[at + 1], worth, chosen)
                for gain, item, field, full, once in moves:
                    if gain <= need:
                        break
                    if state & field != full:
                        to = item.to
                        after = (state + once) & opened[to]
                        _reach(levels[to], after, worth + item.worth, (chosen, item.option))
        if 0 in levels[-1]:
            self.offer(_unlink(levels[-1][0][1]))
        return whole


def _reach(level: dict[int, tuple[float, Any]], state: int, worth: float, chosen: Any) -> None:
    if state not in level or worth > level[state][0]:
        level[state] = (worth, chosen)


def _unlink(chosen: Any) -> list[Option]:
    options = []
    while chosen is not None:
        chosen, option = chosen
        options.append(option)
    return options[::-1]
