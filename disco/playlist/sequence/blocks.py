"""The order of blocks of tracks: as a problem of their own, whose tracks are the blocks, and then exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Rows
from disco.playlist.sequence.arrange import SPREAD, Arrangement, arrange
from disco.playlist.sequence.local_search import SOFT_PENALTY, Problem
from disco.playlist.sequence.wishes import WishTerms

Order = NDArray[np.intp]
Optimise = Callable[[Problem, dict[int, int]], Order]


def order_blocks(
    problem: Problem,
    fixed: dict[int, int],
    terms: WishTerms,
    optimise: Optimise,
    seed: int = 0,
    stop: Callable[[], bool] = lambda: False,
) -> Order:
    """Find the cheapest order of tracks of which some are moved as one and some are to be spread.

    Parameters
    ----------
    problem : Problem
        Without what the wishes cost.
    fixed : dict of int to int
        Track by position; of a block all tracks or none.
    terms : WishTerms
    optimise : callable
        Finds the cheapest order of a problem with fixed tracks.
    seed, stop
        As for `arrange`.

    Returns
    -------
    ndarray, shape (n,)
        A permutation of the tracks.
    """
    problem = with_terms(problem, terms)
    if not terms.has_blocks and not terms.groups:
        return optimise(problem, fixed)
    # Neighbours of one group are never spread: the first order comes near, the exact search does the rest.
    near = np.zeros_like(problem.transitions)
    for rows in terms.groups:
        near[np.ix_(rows, rows)] += SPREAD * (1 - 1 / max(len(problem) // len(rows), 1)) ** 2
    np.fill_diagonal(near, 0)
    near_apart = replace(problem, transitions=problem.transitions + near) if terms.groups else problem
    if not terms.has_blocks:
        begun = optimise(near_apart, fixed).tolist()
    else:
        begun = optimise(
            contracted(near_apart, terms.blocks), _fixed_ends(terms.blocks, fixed, len(problem))
        ).tolist()
        begun = _around_fixed(begun, terms.blocks, fixed)
    exact = problem.position_costs is None and problem.clashes is None and set(fixed) <= {0, len(problem) - 1}
    if terms.groups or not exact:
        begun = arrange(Arrangement(problem, fixed, terms.groups), terms.blocks, begun, seed=seed, stop=stop)
    return np.concatenate([terms.blocks[number] for number in begun])


def with_terms(problem: Problem, terms: WishTerms) -> Problem:
    """A problem with what wishes make transitions and the first track cost more."""
    if terms.transitions is not None:
        problem = replace(problem, transitions=problem.transitions + terms.transitions)
    if terms.drift is not None:
        problem = replace(problem, first=problem.first + SOFT_PENALTY * terms.drift.sum(axis=1))
    return problem


def contracted(problem: Problem, blocks: list[Rows]) -> Problem:
    """The problem whose tracks are blocks; costs of positions are those near to where a block will stand."""
    heads = np.array([block[0] for block in blocks])
    tails = np.array([block[-1] for block in blocks])
    transitions = problem.transitions[np.ix_(tails, heads)]
    np.fill_diagonal(transitions, 0)
    priced = None
    if problem.position_costs is not None:
        n, b = len(problem), len(blocks)
        priced = np.zeros((b, b))
        for number, block in enumerate(blocks):
            starts = np.round(np.linspace(0, n - len(block), b)).astype(int)
            for offset, track in enumerate(block.tolist()):
                priced[:, number] += problem.position_costs[starts + offset, track]
    return Problem(transitions, problem.first[heads], priced)


def _fixed_ends(blocks: list[Rows], fixed: dict[int, int], n: int) -> dict[int, int]:
    """Blocks that are fixed at either end."""
    head = {int(block[0]): number for number, block in enumerate(blocks)}
    tail = {int(block[-1]): number for number, block in enumerate(blocks)}
    ends = {}
    if 0 in fixed:
        ends[0] = head[fixed[0]]
    if n - 1 in fixed:
        ends[len(blocks) - 1] = tail[fixed[n - 1]]
    return ends if len(set(ends.values())) == len(ends) else {}


def _around_fixed(order: list[int], blocks: list[Rows], fixed: dict[int, int]) -> list[int]:
    """An order of blocks with the fixed ones where they belong, as far as the others fill the gaps between them."""
    head = {int(block[0]): number for number, block in enumerate(blocks)}
    starts = {position: head[track] for position, track in fixed.items() if track in head}
    waiting = [number for number in order if number not in set(starts.values())]
    found: list[int] = []
    position = 0
    while waiting or any(start >= position for start in starts):
        if position in starts:
            number = starts.pop(position)
        elif not waiting:
            number = starts.pop(min(starts))
        else:
            room = min((start - position for start in starts if start > position), default=len(order) + 10**6)
            number = next((number for number in waiting if len(blocks[number]) <= room), waiting[0])
            waiting.remove(number)
        found.append(number)
        position += len(blocks[number])
    return [*found, *(number for number in starts.values())]
