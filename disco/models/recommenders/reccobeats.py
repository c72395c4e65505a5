"""Candidates that ReccoBeats recommends for the seeds: asked only by name, over the network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from disco.catalogue import Catalogue
from disco.models.recommenders.query import Candidates, Query
from disco.models.recommenders.track_matching import MAX_SEEDS, TrackMatcher, evenly_spaced, top_candidates
from disco.sources.services import reccobeats
from disco.sources.services.spotify.responses import ID

DATA_NOTICE = (
    "ReccoBeats, a free service of unknown owners, receives the Spotify ids of the seeds, and nothing about you; its "
    "answers are stored on this machine for two weeks"
)
# Reciprocal rank fusion's damping; Cormack, Clarke and Buettcher, SIGIR 2009, page 758.
_DAMPING = 60


class ReccoBeats:
    """Tracks of a catalogue among the hundred that ReccoBeats recommends for each five seeds with Spotify ids.

    It gives no scores: a candidate's is the sum over its lists of 1 / (60 + rank).
    """

    name = "reccobeats"
    reads_titles = False
    gives_probabilities = False

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue, self._matching = catalogue, TrackMatcher(catalogue)

    def recommend(self, query: Query, n: int) -> Candidates:
        """At most n candidates; none if no seed has a Spotify id that it knows.

        Raises
        ------
        DiscoError
            If the service cannot be asked.
        """
        own = np.array([bool(ID.fullmatch(one)) for one in self._catalogue.ids(query.seeds)], dtype=bool)
        asked = self._catalogue.ids(evenly_spaced(query.seeds[own], MAX_SEEDS))
        sums: dict[int, float] = {}
        for start in range(0, len(asked), reccobeats.SEEDS):
            # Two records of one track take one place.
            listed = dict.fromkeys(self._rows(reccobeats.recommended(asked[start : start + reccobeats.SEEDS])))
            for rank, row in enumerate(listed, start=1):
                sums[row] = sums.get(row, 0.0) + 1 / (_DAMPING + rank)
        return top_candidates(list(sums), list(sums.values()), query, n)

    def _rows(self, found: Sequence[dict[str, Any]]) -> list[int]:
        """Rows of what was recommended, in its order; what the catalogue lacks is left out."""
        artists, titles = [next(iter(one["artists"]), "") for one in found], [one["title"] for one in found]
        ways = (
            self._matching.by_id([one["track_id"] for one in found]),
            self._matching.by_isrc([one["isrc"] for one in found]),
            self._matching.by_name(artists, titles),
        )
        some = (next((row for row in each if row is not None), None) for each in zip(*ways, strict=True))
        return [row for row in some if row is not None]

    def recommend_many(self, queries: Sequence[Query], n: int) -> list[Candidates]:
        """The same for each query, one by one."""
        return [self.recommend(query, n) for query in queries]
