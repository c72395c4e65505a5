"""Sequencers: which track comes next, and next, and next. All have one signature.

    sequencer(start, pool, length, cost, allows, position_costs) -> the start and what follows it

A sequencer adds `length` tracks of a pool to a start, at the least cost that it can find, and plays only what the
rules allow. It knows nothing of music: `cost` has the cost of each transition, `allows` what may follow, and
`position_costs` what a track costs at a position, and which tracks are pinned. `order`, `path` and `walk` need a
pairwise cost.
"""

from __future__ import annotations

from collections.abc import Callable

from disco.catalogue import Rows
from disco.playlist.sequence.beam import beam
from disco.playlist.sequence.constraints import ARCS, Constraints, PositionCosts
from disco.playlist.sequence.greedy import greedy
from disco.playlist.sequence.order import Budget, order
from disco.playlist.sequence.path import path, walk
from disco.playlist.sequence.rules import Allows, Rules
from disco.playlist.transition_cost import TransitionCost

__all__ = [
    "ARCS",
    "BEAMS",
    "PAIRWISE",
    "SEQUENCERS",
    "Allows",
    "Budget",
    "Constraints",
    "PositionCosts",
    "Rules",
    "Sequencer",
]
__all__ += ["beam", "greedy", "order", "path", "walk"]

Sequencer = Callable[[Rows, Rows, int, TransitionCost, Allows, PositionCosts | None], Rows]

SEQUENCERS: dict[str, Sequencer] = {"greedy": greedy, "beam": beam, "order": order, "path": path, "walk": walk}
# Those that need a cost of the two tracks of a transition alone.
PAIRWISE = ("order", "path", "walk")
# Those that have a width.
BEAMS = {"beam": beam, "path": path, "walk": walk}
