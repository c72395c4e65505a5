"""ReccoBeats on 127.0.0.1: features and recommendations for most of a library, by Spotify id, own id or ISRC.

The shapes are those of its documentation; what it says of errors and limits is thin, so the bodies of errors and the
size of the window are guesses here, and a client should not read more than the status and `Retry-After`.
"""

from __future__ import annotations

import random
import re
import uuid
from collections import deque
from typing import Any

from helpers.fake.library import FEATURES, Library, Track
from helpers.fake.ports import Trouble
from helpers.fake.server import Answer, Clock, Request, Server

Json = dict[str, Any]
AT_ONCE = 40  # ids of a call; the rest is dropped without a word
WINDOW_S = 60
UPLOAD_BYTES = 5_000_000
TARGETS = {
    *FEATURES,
    "loudness",
    "tempo",
    "key",
    "mode",
    "popularity",
    "featureWeight",
    "size",
    "seeds",
    "negativeSeeds",
}


class ReccoBeats(Server):
    """The service for the tracks of a library.

    Parameters
    ----------
    library : Library
        What there is; a share of it, `known` (0-1), is known here. Tracks without features are not.
    rate : int or None
        Calls in a rolling window of 60 s.
    """

    def __init__(
        self,
        library: Library | None = None,
        *,
        known: float = 0.9,
        rate: int | None = None,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(clock)
        self.library = library or Library()
        self.rate = rate
        self.api_url = f"{self.url}/v1/"
        self.random = random.Random(1)
        self.known = {
            one.id: one for one in self.library.tracks.values() if one.features and self.random.random() < known
        }
        self.by_own = {own_id(one): one for one in self.known.values()}
        self._recent: deque[float] = deque()

    def complain(self, status: int, message: str) -> Answer:
        return Answer(
            status, {"timestamp": "2026-11-22T12:00:00Z", "status": status, "error": message, "code": status * 10 + 1}
        )

    def refuse(self, seconds: float, quota: bool) -> Answer:
        answer = self.complain(429, "Too many requests")
        answer.headers["Retry-After"] = str(max(int(seconds), 1))
        return answer

    def respond(self, request: Request) -> Answer:
        try:
            self._count()
            return Answer(200, self._route(request))
        except Trouble as trouble:
            return trouble.answer

    def _wrong(self, status: int, message: str) -> Trouble:
        return Trouble.of(self.complain(status, message))

    def _count(self) -> None:
        now = self.clock.now()
        while self._recent and self._recent[0] <= now - WINDOW_S:
            self._recent.popleft()
        if self.rate is not None and len(self._recent) >= self.rate:
            raise Trouble.of(self.refuse(self._recent[0] + WINDOW_S - now + 1, False))
        self._recent.append(now)

    def _route(self, request: Request) -> Json:
        if request.method == "POST" and request.path == "/v1/analysis/audio-features":
            return self._analyse(request)
        if request.method != "GET":
            raise self._wrong(405, "Method not allowed")
        if request.path == "/v1/audio-features":
            return {"content": [self.features(one) for one in self._asked(request)]}
        if request.path == "/v1/track":
            return {"content": [self.track(one) for one in self._asked(request)]}
        if request.path == "/v1/track/recommendation":
            return {"content": [self.track(one) for one in self._recommend(request)]}
        if match := re.fullmatch(r"/v1/track/([^/]+)(/audio-features)?", request.path):
            # By its own id only: a Spotify id is not found here.
            if (track := self.by_own.get(match[1])) is None:
                raise self._wrong(404, "Resource not found")
            return self.features(track) if match[2] else self.track(track)
        raise self._wrong(404, "Resource not found")

    def find(self, one: str) -> list[Track]:
        """Records of a Spotify id, an own id or an ISRC (which may have several)."""
        single = self.known.get(one) or self.by_own.get(one)
        return [single] if single else [track for track in self.known.values() if track.isrc and track.isrc == one]

    def _asked(self, request: Request) -> list[Track]:
        """What is known of the ids that are asked for, in no order."""
        ids = [one for value in request.all("ids") for one in value.split(",") if one]
        if not ids:
            raise self._wrong(400, "ids is required")
        found = list({track.id: track for one in ids[:AT_ONCE] for track in self.find(one)}.values())
        self.random.shuffle(found)
        return found

    def features(self, track: Track) -> Json:
        measured = dict(track.features or {})
        measured.pop("time_signature", None)
        return {"id": own_id(track), "href": link("track", track.id), "isrc": track.isrc, **measured}

    def track(self, track: Track) -> Json:
        artists = [
            {"id": str(uuid.uuid5(uuid.NAMESPACE_URL, one.id)), "name": one.name, "href": link("artist", one.id)}
            for one in track.artists
        ]
        return {
            "id": own_id(track),
            "trackTitle": track.name,
            "artists": artists,
            "durationMs": track.duration_ms,
            "isrc": track.isrc,
            "ean": None,
            "upc": None,
            "href": link("track", track.id),
            "availableCountries": "DE,PL",
            "popularity": track.popularity,
        }

    def _recommend(self, request: Request) -> list[Track]:
        """The known tracks nearest to the seeds; targets pull the middle of the seeds towards them."""
        size = request.query.get("size", "")
        if not re.fullmatch(r"\d{1,3}", size) or not 1 <= int(size) <= 100:
            raise self._wrong(400, "size must be between 1 and 100")
        seeds = [one for value in request.all("seeds") for one in value.split(",") if one]
        if not 1 <= len(seeds) <= 5:
            raise self._wrong(400, "seeds must hold between 1 and 5 ids")
        if unknown := set(request.query) - TARGETS:
            raise self._wrong(400, f"unknown parameter {sorted(unknown)[0]}")
        chosen = [track for one in seeds for track in self.find(one)]
        if not chosen:
            return []
        aim = {name: sum((one.features or {})[name] for one in chosen) / len(chosen) for name in FEATURES}
        aim |= {name: float(request.query[name]) for name in FEATURES if name in request.query}
        others = [one for one in self.known.values() if one not in chosen]
        others.sort(key=lambda one: sum(((one.features or {})[name] - aim[name]) ** 2 for name in FEATURES))
        return others[: int(size)]

    def _analyse(self, request: Request) -> Json:
        """Features of an uploaded sound, without key and mode; here they come from its bytes, not from its sound."""
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            raise self._wrong(400, "audioFile is required")
        if len(request.body) > UPLOAD_BYTES:
            raise self._wrong(400, "audioFile is too large")
        draw = random.Random(request.body)
        return {**{name: round(draw.random(), 4) for name in FEATURES}, "loudness": -9.5, "tempo": 120.0}


def own_id(track: Track) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, track.uri))


def link(kind: str, one: str) -> str:
    return f"https://open.spotify.com/{kind}/{one}"
