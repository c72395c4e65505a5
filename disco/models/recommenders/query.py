"""Queries to recommenders, and the candidates that they return."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from disco.catalogue import Floats, Rows
from disco.catalogue.table import Mask


@dataclass(frozen=True)
class Query:
    """A request for candidates: seeds, optionally a title, and the tracks that are allowed.

    Attributes
    ----------
    seeds : ndarray of rows
        May be empty.
    title : str
        Title of the playlist to continue, for recommenders that read it.
    allowed : ndarray of bool, shape (n,), or None
        Tracks that may be candidates, applied before the ranking; None allows every track.

    Examples
    --------
    >>> import numpy as np
    >>> Query(np.array([3, 7]), title="road trip").title
    'road trip'
    """

    seeds: Rows
    title: str = ""
    allowed: Mask | None = None


@dataclass(frozen=True)
class Candidates:
    """Unique rows without the seeds, best first, equal scores by the lower row first.

    Attributes
    ----------
    rows : ndarray of int, shape (n,)
    scores : ndarray, shape (n,)
        Higher is better; scales differ between recommenders.
    """

    rows: Rows
    scores: Floats


class Recommender(Protocol):
    """Returns candidates for queries; none for a query without any usable seed or title."""

    @property
    def name(self) -> str:
        """Name on the command line."""

    @property
    def reads_titles(self) -> bool:
        """Whether a query may consist of a title alone."""

    @property
    def gives_probabilities(self) -> bool:
        """Whether scores are probabilities, which may be shown as confidence."""

    def recommend(self, query: Query, n: int) -> Candidates:
        """At most n candidates; fewer where fewer are allowed."""

    def recommend_many(self, queries: Sequence[Query], n: int) -> list[Candidates]:
        """Candidates of each query, faster than one by one; scores may differ by rounding."""
