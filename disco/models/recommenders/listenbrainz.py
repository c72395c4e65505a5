"""Candidates that people hear together with the seeds, by ListenBrainz: asked only by name, over the network."""

from __future__ import annotations

from collections.abc import Sequence

from disco.catalogue import Catalogue
from disco.models.recommenders.query import Candidates, Query
from disco.models.recommenders.track_matching import MAX_SEEDS, TrackMatcher, evenly_spaced, top_candidates
from disco.sources.services import listenbrainz

DATA_NOTICE = (
    "MusicBrainz and ListenBrainz receive the ISRCs, artists and titles of the seeds, and nothing about you; their "
    "answers are stored on this machine for two weeks"
)


class ListenBrainz:
    """Tracks of a catalogue among the hundred recordings that are most often heard with the seeds.

    A score is ListenBrainz' own: how often, over all sessions. Of many seeds ten are asked for.
    """

    name = "listenbrainz"
    reads_titles = False
    gives_probabilities = False

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue, self._matching = catalogue, TrackMatcher(catalogue)

    def recommend(self, query: Query, n: int) -> Candidates:
        """At most n candidates; none if MusicBrainz knows none of the seeds, or the catalogue none of the answers.

        Raises
        ------
        DiscoError
            If the services cannot be asked.
        """
        mbids: list[str] = []
        for track in self._catalogue.tracks(evenly_spaced(query.seeds, MAX_SEEDS)):
            artist = next(iter(track["artists"] or []), None)
            mbids += listenbrainz.recordings(track["isrc"], artist, track["title"])
        found = listenbrainz.similar(list(dict.fromkeys(mbids))) if mbids else []
        rows = self._matching.by_name([one.artist for one in found], [one.title for one in found])
        unnamed = [i for i, row in enumerate(rows) if row is None]
        # Names are looked up here; the others may be known by Spotify's ids, which takes one more question.
        ids = listenbrainz.spotify_ids([found[i].mbid for i in unnamed]) if unnamed else {}
        for i in unnamed:
            same = self._matching.by_id(ids.get(found[i].mbid, []))
            rows[i] = next((row for row in same if row is not None), None)
        return top_candidates(rows, [one.score for one in found], query, n)

    def recommend_many(self, queries: Sequence[Query], n: int) -> list[Candidates]:
        """The same for each query, one by one."""
        return [self.recommend(query, n) for query in queries]
