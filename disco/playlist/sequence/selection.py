"""Which tracks of a playlist are played: the best so many or so many minutes of it, or all but a few misfits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Rows
from disco.playlist.sequence.arrange import Arrangement, arrange
from disco.playlist.sequence.blocks import contracted
from disco.playlist.sequence.local_search import SOFT_PENALTY, Problem
from disco.playlist.sequence.wishes import WishTerms

Costs = NDArray[np.float64]
Order = NDArray[np.intp]

# First tracks from which chains of nearest tracks are tried, and how many of the cheapest are searched further.
_CHAINS, _SEARCHED = 64, 3
# A track is a misfit if the playlist costs less without it by more than this many ordinary transitions. Without any
# track it costs about one less, since it is one transition shorter; a tenth more is no accident of the search.
_MISFIT = 1.1
# Blocks whose leaving out is priced exactly.
_LIKELY = 50


@dataclass(frozen=True, eq=False)
class Selection:
    """What is asked for of a selection.

    Attributes
    ----------
    problem : Problem
        The costs, with those of wishes; its position costs are those of the positions of the selection.
    terms : WishTerms
    pinned : dict of int to int
        Track by position.
    required : frozenset of int
        Tracks that must be played.
    """

    problem: Problem
    terms: WishTerms
    pinned: dict[int, int]
    required: frozenset[int]

    def arrangement(
        self, size: int | None = None, seconds: Costs | None = None, wanted: float = 0.0, reward: float = 0.0
    ) -> Arrangement:
        """The costs of selections; see `Arrangement`."""
        return Arrangement(
            self.problem, self.pinned, self.terms.groups, self.terms.drift, size, seconds, wanted, reward
        )

    @property
    def required_blocks(self) -> frozenset[int]:
        """Numbers of the blocks that must be played."""
        return frozenset(
            number for number, block in enumerate(self.terms.blocks) if self.required.intersection(block.tolist())
        )


def best_of(
    selection: Selection,
    size: int,
    seconds: Costs | None = None,
    wanted: float = 0.0,
    seed: int = 0,
    stop: Callable[[], bool] = lambda: False,
) -> Order:
    """Find so many tracks that flow best in a row, in their order.

    Parameters
    ----------
    selection : Selection
    size : int
        How many; near to it with `seconds`, or where blocks do not fit.
    seconds : ndarray, shape (n,), optional
        Durations, if their sum is to come near to `wanted`.
    wanted : float
    seed, stop
        As for `arrange`.
    """
    blocks, required = selection.terms.blocks, selection.required_blocks
    chains = [chain for chain in _chains(selection, size, required) if chain]
    reward = 0.0 if seconds is None else min(_usual(selection, _tracks(chain, blocks)) for chain in chains)
    arrangement = selection.arrangement(None if seconds is not None else size, seconds, wanted, reward)
    priced = sorted((arrangement.cost(_tracks(chain, blocks)), chain) for chain in chains)
    found = []
    for _, chain in priced[:_SEARCHED]:
        chosen = arrange(
            arrangement, blocks, chain, required=required, flexible=True, seed=seed, disturbed=8, stop=stop
        )
        found.append((arrangement.cost(_tracks(chosen, blocks)), chosen))
        if stop():
            break
    return _tracks(min(found)[1], blocks)


def without_misfits(
    selection: Selection, order: Order, most: int, seed: int = 0, stop: Callable[[], bool] = lambda: False
) -> Order:
    """Leave out tracks without which an order costs much less.

    Parameters
    ----------
    selection : Selection
    order : ndarray
        All tracks, in their best order.
    most : int
        At most so many are left out: those for which the sum of what is saved beyond `_MISFIT` ordinary transitions
        each is largest.
    seed, stop
        As for `arrange`.

    Returns
    -------
    ndarray
        The tracks that are played, in their order.
    """
    blocks, required = selection.terms.blocks, selection.required_blocks
    of_track = {track: number for number, block in enumerate(blocks) for track in block.tolist()}
    now = list(dict.fromkeys(of_track[track] for track in order.tolist()))
    everything = selection.arrangement()
    cost, usual = everything.cost(order), _usual(selection, order)
    best, gained = now, 0.0
    for gone in range(1, most + 1):
        likely = [
            i
            for i in _likely(selection, now)
            if now[i] not in required and len(blocks[now[i]]) <= most - len(order) + len(_tracks(now, blocks))
        ]
        if not likely or len(now) < 3 or stop():
            break
        rests = [[*now[:i], *now[i + 1 :]] for i in likely]
        now = min(rests, key=lambda rest: everything.cost(_tracks(rest, blocks)))
        size = len(_tracks(now, blocks))
        fewer = selection.arrangement(size)
        now = arrange(fewer, blocks, now, required=required, flexible=True, seed=seed, disturbed=1, stop=stop)
        played = _tracks(now, blocks)
        gain = cost - everything.cost(played) - _MISFIT * usual * (len(order) - len(played))
        if len(order) - len(played) <= most and gain > gained:
            best, gained = now, gain
        if gone >= most or len(order) - len(played) >= most:
            break
    # Many may go together where each alone, after the others, would change little.
    if most > 1 and len(order) - most > 2 and not stop():
        played = best_of(selection, len(order) - most, seed=seed, stop=stop)
        gain = cost - everything.cost(played) - _MISFIT * usual * (len(order) - len(played))
        if len(order) - len(played) <= most and gain > gained:
            return played
    return _tracks(best, blocks)


def _usual(selection: Selection, order: Order) -> float:
    """Mean cost of the transitions of an order that break no rule."""
    costs = selection.problem.transitions[order[:-1], order[1:]]
    kept = costs[costs < SOFT_PENALTY / 2]
    return float(kept.mean()) if len(kept) else 0.0


def _likely(selection: Selection, order: list[int]) -> list[int]:
    """Positions of the blocks whose leaving out saves most by the transitions alone."""
    problem, blocks = selection.problem, selection.terms.blocks
    heads = np.array([blocks[number][0] for number in order])
    tails = np.array([blocks[number][-1] for number in order])
    into = np.r_[0, problem.transitions[tails[:-1], heads[1:]]]
    out = np.r_[into[1:], 0]
    across = np.r_[0, problem.transitions[tails[:-2], heads[2:]], 0]
    saved = into + out - across
    if selection.terms.drift is not None:
        saved = saved + SOFT_PENALTY * selection.terms.drift[heads[0], heads]
    return [int(i) for i in np.argsort(-saved, kind="stable")[:_LIKELY]]


def _chains(selection: Selection, size: int, required: frozenset[int]) -> list[list[int]]:
    """Chains of blocks from several first ones, always to the nearest that is left, of about so many tracks."""
    problem, blocks = selection.problem, selection.terms.blocks
    small = contracted(Problem(problem.transitions, problem.first), blocks)
    lengths = np.array([len(block) for block in blocks])
    heads = np.array([block[0] for block in blocks])
    apart = small.transitions.copy()
    np.fill_diagonal(apart, np.inf)
    near = min(20, len(blocks) - 1)
    central = np.argsort(np.partition(apart, near - 1, axis=1)[:, :near].mean(axis=1), kind="stable")
    spread = np.linspace(0, len(blocks) - 1, min(len(blocks), _CHAINS // 2)).astype(int)
    starts = list(dict.fromkeys([*central[: _CHAINS // 2].tolist(), *spread.tolist()]))
    if 0 in selection.pinned:
        starts = [number for number, block in enumerate(blocks) if block[0] == selection.pinned[0]]
    rest = sorted(required)
    room = size - int(lengths[rest].sum())
    chains = []
    for start in starts:
        left = np.ones(len(blocks), dtype=bool)
        left[rest] = False
        left[start] = False
        chain, count = [start], 0 if start in required else int(lengths[start])
        while count < room and left.any():
            costs = np.where(left, small.transitions[chain[-1]], np.inf)
            if selection.terms.drift is not None:
                costs = costs + SOFT_PENALTY * selection.terms.drift[heads[start], heads]
            number = int(costs.argmin())
            left[number] = False
            chain.append(number)
            count += int(lengths[number])
        chains.append([*chain, *(number for number in rest if number != start)])
    return chains


def _tracks(order: list[int], blocks: list[Rows]) -> Order:
    return np.concatenate([blocks[number] for number in order])
