"""What recommenders by online services share: the seeds that are sent, and rows for the tracks that are returned."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from disco.catalogue import Catalogue, Floats, Rows
from disco.catalogue.same_recording import Recordings
from disco.models.recommenders.query import Candidates, Query

# Seeds that are sent for one query: services are free and shared.
MAX_SEEDS = 10


class OnlineRecommender:
    """Tracks of a catalogue that an online service relates to the seeds; a subclass has `name` and `scored_rows`.

    Parameters
    ----------
    catalogue : Catalogue
        Tracks that the service returns are matched to it as `same_recording` does; unmatched ones are left out.
    """

    name = ""
    reads_titles = False
    gives_probabilities = False

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue, self.recordings = catalogue, Recordings(catalogue)

    def scored_rows(self, seeds: Rows) -> tuple[Sequence[int], Sequence[float]]:
        """Rows of the tracks that the service relates to the seeds, -1 where unmatched, and their scores."""
        raise NotImplementedError

    def recommend(self, query: Query, n: int) -> Candidates:
        """At most n candidates; none if the service knows no seed, or the catalogue has no returned track.

        Raises
        ------
        DiscoError
            If the service cannot be reached or refuses.
        """
        return top_candidates(*self.scored_rows(query.seeds), query, n)

    def recommend_many(self, queries: Sequence[Query], n: int) -> list[Candidates]:
        """Candidates of each query, one by one."""
        return [self.recommend(query, n) for query in queries]


def top_candidates(rows: Sequence[int], scores: Sequence[float], query: Query, n: int) -> Candidates:
    """The n rows with the highest scores, without seeds and rows that the query does not allow.

    Parameters
    ----------
    rows : sequence of int
        -1 is left out. Of a row that occurs several times the highest score counts.
    scores : sequence of float

    Examples
    --------
    >>> top_candidates([5, 3, -1, 5], [1.0, 2.0, 9.0, 4.0], Query(np.array([1])), 2).rows.tolist()
    [5, 3]
    """
    highest: dict[int, float] = {}
    for row, score in zip(rows, scores, strict=True):
        if row >= 0 and (query.allowed is None or query.allowed[row]):
            highest[row] = max(highest.get(row, score), score)
    for seed in query.seeds.tolist():
        highest.pop(seed, None)
    found: Rows = np.fromiter(highest.keys(), np.intp, len(highest))
    values: Floats = np.fromiter(highest.values(), np.float32, len(highest))
    order = np.lexsort((found, -values))[:n]
    return Candidates(found[order], values[order])


def evenly_spaced(seeds: Rows, n: int) -> Rows:
    """At most n of the seeds, without repeats, evenly spaced from the first to the last.

    Examples
    --------
    >>> evenly_spaced(np.arange(100), 3).tolist()
    [0, 50, 99]
    """
    unique = np.array(list(dict.fromkeys(seeds.tolist())), dtype=np.intp)
    return unique if len(unique) <= n else unique[np.linspace(0, len(unique) - 1, n).round().astype(np.intp)]
