"""Candidates from ReccoBeats: what the service recommends for the seeds.

Asked over the network, and only where the user names it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from disco.catalogue import Catalogue, Rows
from disco.models.recommenders.online import MAX_SEEDS, OnlineRecommender, evenly_spaced
from disco.sources.services import reccobeats
from disco.sources.services.spotify.responses import ID

DATA_NOTICE = (
    "ReccoBeats, a free service of unknown owners, receives the Spotify ids of the seeds, and nothing about you; its "
    "answers are stored here for two weeks"
)
# The constant of reciprocal rank fusion: Cormack, Clarke and Buettcher, SIGIR 2009, page 758.
_DAMPING = 60


class ReccoBeats(OnlineRecommender):
    """Tracks of a catalogue among the hundred that ReccoBeats recommends for every five seeds with Spotify ids.

    The service gives no scores: a candidate's is the sum over its lists of 1 / (60 + rank).
    """

    name = "reccobeats"

    def scored_rows(self, seeds: Rows) -> tuple[Sequence[int], Sequence[float]]:
        """Rows of recommended tracks, and sums of their reciprocal ranks."""
        has_spotify_id = np.array([bool(ID.fullmatch(one)) for one in self.catalogue.ids(seeds)], dtype=bool)
        sent = self.catalogue.ids(evenly_spaced(seeds[has_spotify_id], MAX_SEEDS))
        scores: dict[int, float] = {}
        for start in range(0, len(sent), reccobeats.SEEDS):
            tracks = reccobeats.recommended(sent[start : start + reccobeats.SEEDS])
            # Two releases of one recording take one rank.
            for rank, row in enumerate(dict.fromkeys(self._matched(tracks)), start=1):
                scores[row] = scores.get(row, 0.0) + 1 / (_DAMPING + rank)
        return list(scores), list(scores.values())

    def _matched(self, tracks: Sequence[dict[str, Any]]) -> list[int]:
        """Rows of recommended tracks that the catalogue has, in their order."""
        rows = self.recordings.find(
            ids=[track["track_id"] for track in tracks],
            isrcs=[track["isrc"] for track in tracks],
            titles=[track["title"] for track in tracks],
            artists=[next(iter(track["artists"]), "") for track in tracks],
        )
        return [int(row) for row in rows if row >= 0]


def load(catalogue: Catalogue) -> ReccoBeats:
    """The recommender for a catalogue."""
    return ReccoBeats(catalogue)
