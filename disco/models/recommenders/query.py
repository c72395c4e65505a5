"""What a recommender is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Sequence
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
        May be empty.
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
    """Rows best first, unique, without the seeds, ties to the lower row; and their scores (higher is better)."""

    rows: Rows
    scores: Floats


class Recommender(Protocol):
    """Gathers candidates. Of a query that it can say nothing about it has none."""

    @property
    def name(self) -> str:
        """Name on the command line."""

    @property
    def reads_titles(self) -> bool:
        """Whether a title alone is answered."""

    @property
    def gives_probabilities(self) -> bool:
        """Whether its scores are probabilities, which a door may call confidence."""

    def recommend(self, query: Query, n: int) -> Candidates:
        """At most n candidates; all there are where they are fewer."""

    def recommend_many(self, queries: Sequence[Query], n: int) -> list[Candidates]:
        """The same for each query, in less time than one by one; scores may differ by rounding."""
