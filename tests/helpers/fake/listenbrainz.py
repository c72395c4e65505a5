"""ListenBrainz (its API and its labs) and MusicBrainz' search by ISRC, on one address of 127.0.0.1."""

from __future__ import annotations

import json
import random
import re
import uuid
from collections import deque
from typing import Any

from helpers.fake.library import FEATURES, Library, Track
from helpers.fake.ports import Trouble
from helpers.fake.server import Answer, Clock, Request, Server

Json = dict[str, Any]
ALGORITHMS = (
    "session_based_days_9000_session_300_contribution_5_threshold_15_limit_50_skip_30",
    "session_based_days_7500_session_300_contribution_5_threshold_10_limit_100_filter_True_skip_30",
)
MOST = 100  # similar recordings of a call
WINDOW_S = 10


class ListenBrainz(Server):
    """The services for the tracks of a library.

    Parameters
    ----------
    library : Library
        What there is; a share `known` (0-1) of it has a recording, a share `mapped` of those leads back to Spotify.
    rate : int
        Calls in a window of 10 s, named in the headers of each answer.
    """

    def __init__(
        self,
        library: Library | None = None,
        *,
        known: float = 0.8,
        mapped: float = 0.8,
        rate: int = 1000,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(clock)
        self.library = library or Library()
        self.rate = rate
        draw = random.Random(2)
        self.recordings = {mbid(one): one for one in self.library.tracks.values() if draw.random() < known}
        self.mapped = {own for own in self.recordings if draw.random() < mapped}
        self._recent: deque[float] = deque()

    def complain(self, status: int, message: str) -> Answer:
        return Answer(status, {"code": status, "error": message})

    def refuse(self, seconds: float, quota: bool) -> Answer:
        answer = self.complain(429, "You have exceeded your rate limit.")
        answer.headers |= {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-In": str(max(int(seconds), 1))}
        return answer

    def respond(self, request: Request) -> Answer:
        now = self.clock.now()
        while self._recent and self._recent[0] <= now - WINDOW_S:
            self._recent.popleft()
        if len(self._recent) >= self.rate:
            return self.refuse(self._recent[0] + WINDOW_S - now + 1, False)
        self._recent.append(now)
        if not request.headers.get("user-agent", "").strip():
            return self.complain(403, "Say who you are in User-Agent")
        try:
            answer = Answer(200, self._route(request))
        except Trouble as trouble:
            answer = trouble.answer
        reset = str(int(self._recent[0] + WINDOW_S - now + 1))
        left = str(self.rate - len(self._recent))
        answer.headers |= {
            "X-RateLimit-Limit": str(self.rate),
            "X-RateLimit-Remaining": left,
            "X-RateLimit-Reset-In": reset,
        }
        return answer

    def _wrong(self, status: int, message: str) -> Trouble:
        return Trouble.of(self.complain(status, message))

    def _route(self, request: Request) -> Any:
        labs = {
            "/similar-recordings/json": self._similar,
            "/spotify-id-from-mbid/json": self._spotify_of_mbid,
            "/spotify-id-from-metadata/json": self._spotify_of_names,
        }
        if request.path in labs:
            return labs[request.path](self._rows(request))
        if request.path == "/1/metadata/lookup/" and request.method == "GET":
            return self._lookup(request)
        if match := re.fullmatch(r"/ws/2/isrc/([^/]+)", request.path):
            return self._isrc(match[1], request)
        raise self._wrong(404, "Not found")

    def _rows(self, request: Request) -> list[Json]:
        """The questions to the labs: a list of objects by POST, one by GET."""
        if request.method != "POST":
            return [dict(request.query)]
        try:
            rows = json.loads(request.body)
        except ValueError:
            rows = None
        if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
            raise self._wrong(400, "The body must be a list of objects in JSON")
        return rows

    def _ids(self, value: object) -> list[str]:
        ids = value if isinstance(value, list) else str(value or "").split(",")
        found = []
        for one in ids:
            try:
                found.append(str(uuid.UUID(str(one).strip())))
            except ValueError:
                raise self._wrong(400, f"Not a valid UUID: {one}") from None
        return found

    def _similar(self, rows: list[Json]) -> list[Json]:
        """Recordings that are played together with those asked for, the best first; each once, without those."""
        asked = self._ids(rows[0].get("recording_mbids"))
        if rows[0].get("algorithm") not in ALGORITHMS:
            raise self._wrong(400, "Unknown algorithm")
        best: dict[str, tuple[int, str]] = {}
        for reference in asked:
            if reference not in self.recordings:
                continue
            for other, score in self._near(reference):
                if other not in asked and score > best.get(other, (0, ""))[0]:
                    best[other] = (score, reference)
        ranked = sorted(best.items(), key=lambda pair: -pair[1][0])[:MOST]
        return [self.row(other) | {"score": score, "reference_mbid": ref} for other, (score, ref) in ranked]

    def _near(self, reference: str) -> list[tuple[str, int]]:
        own = self.recordings[reference].features
        if own is None:
            return []
        scores = [
            (other, int(1000 / (1 + 10 * sum(abs(track.features[name] - own[name]) for name in FEATURES))))
            for other, track in self.recordings.items()
            if other != reference and track.features
        ]
        return sorted(scores, key=lambda pair: -pair[1])[:50]

    def row(self, own: str) -> Json:
        track = self.recordings[own]
        return {
            "recording_mbid": own,
            "recording_name": track.name,
            "artist_credit_name": credit(track),
            "artist_credit_mbids": [str(uuid.uuid5(uuid.NAMESPACE_URL, one.id)) for one in track.artists],
            "release_name": track.album.name,
            "release_mbid": str(uuid.uuid5(uuid.NAMESPACE_URL, track.album.id)),
            "caa_id": None,
            "caa_release_mbid": None,
        }

    def _spotify_of_mbid(self, rows: list[Json]) -> list[Json]:
        """Spotify ids of recordings; those without any are left out, or come with an empty list."""
        found = []
        for own in [one for row in rows for one in self._ids(row.get("recording_mbid"))]:
            if (track := self.recordings.get(own)) is None:
                continue
            names = {"artist_name": credit(track), "release_name": track.album.name, "track_name": track.name}
            ids = [track.id] if own in self.mapped else []
            found.append({"recording_mbid": own, **names, "spotify_track_ids": ids})
        return found

    def _spotify_of_names(self, rows: list[Json]) -> list[Json]:
        found = []
        for row in rows:
            names = {name: row.get(name, "") for name in ("artist_name", "release_name", "track_name")}
            track = self._named(names["artist_name"], names["track_name"])
            ids = [track.id] if track and mbid(track) in self.mapped else []
            found.append(names | {"spotify_track_ids": ids})
        return found

    def _named(self, artist: str, title: str) -> Track | None:
        for track in self.recordings.values():
            if track.name.casefold() == title.casefold() and artist.casefold() in (
                credit(track).casefold(),
                track.artists[0].name.casefold(),
            ):
                return track
        return None

    def _lookup(self, request: Request) -> Json:
        """The recording of a name; an empty object if there is none."""
        artist, title = request.query.get("artist_name"), request.query.get("recording_name")
        if not artist or not title:
            raise self._wrong(400, "artist_name and recording_name are required")
        track = self._named(artist, title)
        if track is None:
            return {}
        row = self.row(mbid(track))
        kept = ("recording_mbid", "recording_name", "artist_credit_name", "release_name", "release_mbid")
        return {name: row[name] for name in kept} | {"artist_mbids": row["artist_credit_mbids"]}

    def _isrc(self, isrc: str, request: Request) -> Json:
        """MusicBrainz: all recordings of an ISRC."""
        found = [own for own, track in self.recordings.items() if track.isrc == isrc]
        if not found:
            raise self._wrong(404, "Not Found")
        recordings = [
            {"id": own, "title": self.recordings[own].name, "length": self.recordings[own].duration_ms}
            for own in found
        ]
        return {"isrc": isrc, "recordings": recordings}


def mbid(track: Track) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, track.id))


def credit(track: Track) -> str:
    return " feat. ".join(one.name for one in track.artists[:2])
