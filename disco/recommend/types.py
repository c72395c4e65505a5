"""What a recommender is asked, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from disco.catalogue import Floats, Rows
from disco.catalogue.table import Mask


@dataclass(frozen=True)
class Query:
    """What is asked: seeds, perhaps a title, and the tracks that may be played.

    Attributes
    ----------
    seeds : ndarray of rows
    title : str
        Name of the wished playlist, for recommenders that read it.
    allowed : ndarray of bool, shape (n,), or None
        Filters act before candidates are ranked; None allows every track.
    """

    seeds: Rows
    title: str = ""
    allowed: Mask | None = None


@dataclass(frozen=True)
class Candidates:
    """Rows best first, unique, without the seeds, and their scores (higher is better)."""

    rows: Rows
    scores: Floats


class Recommender(Protocol):
    """Gathers candidates."""

    name: str

    def recommend(self, query: Query, n: int) -> Candidates:
        """At most n candidates; all there are where they are fewer."""
