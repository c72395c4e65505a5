"""Which track next, and next, and next: sequencers, all of one signature.

    sequencer(start, pool, length, cost, allows, places) -> the start and what follows it

A sequencer adds `length` tracks of a pool to a start, at the least cost that it can find, and plays only what
the rules allow. It knows nothing of music: what a transition costs says `cost`, what may follow `allows`, and what a
track costs at its place, and which places are taken, `places`. `order`, `path` and `walk` need a cost that is
pairwise.
"""

from __future__ import annotations

from collections.abc import Callable

from disco.catalogue import Rows
from disco.playlist.cost import TransitionCost
from disco.playlist.sequence.beam import beam
from disco.playlist.sequence.constraints import ARCS, Constraints, PositionCosts
from disco.playlist.sequence.greedy import greedy
from disco.playlist.sequence.order import Budget, order
from disco.playlist.sequence.path import path, walk
from disco.playlist.sequence.rules import Allows, Rules

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
# Those whose cost must hang on the two tracks of a transition alone.
PAIRWISE = ("order", "path", "walk")
# Those that have a width.
BEAMS = {"beam": beam, "path": path, "walk": walk}
