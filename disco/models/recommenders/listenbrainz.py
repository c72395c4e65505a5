"""Candidates from ListenBrainz: recordings that people play in the same sessions as the seeds.

Asked over the network, and only where the user names it.
"""

from __future__ import annotations

from collections.abc import Sequence

from disco.catalogue import Catalogue, Rows
from disco.models.recommenders.online import MAX_SEEDS, OnlineRecommender, evenly_spaced
from disco.sources.services import listenbrainz

DATA_NOTICE = (
    "MusicBrainz and ListenBrainz receive the ISRCs, artists and titles of the seeds, and nothing about you; their "
    "answers are stored here for two weeks"
)


class ListenBrainz(OnlineRecommender):
    """Tracks of a catalogue among the hundred recordings most often played in sessions with the seeds.

    The score is the service's own count over all sessions. Of many seeds, ten are sent.
    """

    name = "listenbrainz"

    def scored_rows(self, seeds: Rows) -> tuple[Sequence[int], Sequence[float]]:
        """Rows and session counts of similar recordings, matched by name, or else by Spotify's ids of them."""
        mbids: list[str] = []
        for track in self.catalogue.tracks(evenly_spaced(seeds, MAX_SEEDS)):
            artist = next(iter(track["artists"] or []), None)
            mbids += listenbrainz.recordings(track["isrc"], artist, track["title"])
        similar = listenbrainz.similar(list(dict.fromkeys(mbids))) if mbids else []
        rows = self.recordings.find(
            titles=[one.title for one in similar], artists=[one.artist for one in similar]
        ).tolist()
        unmatched = [i for i, row in enumerate(rows) if row < 0]
        # Names are matched here; Spotify's ids of the others take one more request.
        ids = listenbrainz.spotify_ids([similar[i].mbid for i in unmatched]) if unmatched else {}
        for i in unmatched:
            by_id = self.recordings.find(ids=ids.get(similar[i].mbid, []))
            rows[i] = next((int(row) for row in by_id if row >= 0), -1)
        return rows, [one.score for one in similar]


def load(catalogue: Catalogue) -> ListenBrainz:
    """The recommender for a catalogue."""
    return ListenBrainz(catalogue)
