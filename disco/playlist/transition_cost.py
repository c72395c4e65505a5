"""What a cost of transitions offers to those that search for a sequence."""

from __future__ import annotations

from typing import NamedTuple, Protocol, runtime_checkable

from disco.catalogue import Floats, Rows


class State(NamedTuple):
    """State of several sequences (beams): their last tracks, predicted vectors, and the predictor's memory."""

    last: Rows
    vectors: Floats
    memory: Floats


class TransitionCost(Protocol):
    """Cost of the next track; lower is better."""

    pairwise: bool

    def start(self, path: Rows) -> State:
        """State of one beam after a sequence of at least one track."""

    def costs(self, state: State, options: Rows) -> Floats:
        """Cost of each option as the next track of each beam, shape (beams, options)."""

    def lookahead_cost(self, options: Rows) -> Floats:
        """Estimated cost of the transition that follows each of n options, shape (n,)."""

    def step(self, state: State, parents: Rows, rows: Rows) -> State:
        """State after these rows, each appended to the beam with the index in `parents`."""

    def terms(self, path: Rows) -> dict[str, Floats]:
        """Named terms of each transition of a sequence, shape (n - 1,) each; NaN where unknown."""


@runtime_checkable
class FindsCheapest(Protocol):
    """A cost that finds the cheapest of very many options faster than it prices all of them."""

    def cheapest(self, state: State, options: Rows) -> Rows:
        """Positions of a few options, cheaper than all others for the only beam, cheapest first; or none."""
