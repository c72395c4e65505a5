"""Candidates: of all tracks, the few hundred that the next one is chosen from."""

from __future__ import annotations

from collections.abc import Callable

from disco.catalogue import Floats
from disco.recommend.nearest import Nearest
from disco.recommend.types import Candidates, Query, Recommender

# From the space in which tracks lie, shape (n, d), to a recommender.
RECOMMENDERS: dict[str, Callable[[Floats], Recommender]] = {"nearest": Nearest}

__all__ = ["RECOMMENDERS", "Candidates", "Nearest", "Query", "Recommender"]
