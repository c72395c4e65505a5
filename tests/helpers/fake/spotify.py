"""Spotify on 127.0.0.1: who may call what in a scenario, limits, and the table of endpoints."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import threading
import urllib.request
from collections import deque
from typing import Any, NamedTuple

from helpers.fake import music, playlists
from helpers.fake.accounts import Accounts
from helpers.fake.library import Library
from helpers.fake.ports import Endpoint, Trouble
from helpers.fake.scenarios import HOUR_S, SCENARIOS
from helpers.fake.server import Answer, Clock, Request, Server
from helpers.fake.shapes import Shapes

SCOPES = (
    "user-library-read user-library-modify user-top-read user-read-private playlist-read-private "
    "playlist-read-collaborative playlist-modify-private playlist-modify-public"
)
RATE_S = 30  # the rolling window of the rate limit
NO_PREMIUM = (
    "Active premium subscription required for the owner of the app. When the subscription status changes, it can "
    "take a few hours until it is seen here."
)
NOT_LISTED = "Check settings on developer.spotify.com/dashboard, the user may not be registered."
NOT_LISTED_JSON = (
    "The user is not registered for this application. Please check your settings on "
    "https://developer.spotify.com/dashboard."
)
# What November 2024 took, and how it is refused: without a message, without a body, as if it were not there.
WITHDRAWN = {
    "GET /audio-features(/.*)?": Answer(403, {"error": {"status": 403}}),
    "GET /audio-analysis(/.*)?": Answer(403, {"error": {"status": 403}}),
    "GET /recommendations(/.*)?": Answer(404, None),
    "GET /artists/[^/]+/related-artists": Answer(404, None),
    "GET /browse/(featured-playlists|categories/[^/]+/playlists)": Answer(
        404, {"error": {"status": 404, "message": "Resource not found"}}
    ),
}
# What February 2026 took from the smaller apps; the fake answers 403 to these even where it knows no more of them.
REMOVED = (
    "GET /(tracks|albums|artists|episodes|shows|audiobooks|chapters)",
    "GET /artists/[^/]+/top-tracks",
    "GET /browse/.*",
    "GET /markets",
    "GET /users/[^/]+",
    r"\w+ /users/[^/]+/playlists",
    r"\w+ /playlists/[^/]+/tracks",
    r"\w+ /playlists/[^/]+/followers.*",
    r"(PUT|DELETE) /me/(tracks|albums|episodes|shows|audiobooks|following)",
    r"GET /me/(tracks|albums|episodes|shows|audiobooks|following)/contains",
)


class _Route(NamedTuple):
    where: str
    endpoint: Endpoint
    scopes: tuple[str, ...] = ()  # any of them is enough


READ = ("playlist-read-private", "playlist-read-collaborative")
WRITE = ("playlist-modify-private", "playlist-modify-public")
ROUTES = [
    _Route("GET /me", music.me),
    _Route("GET /search", music.search),
    _Route("GET /tracks/(?P<id>[^/]+)", music.track),
    _Route("GET /tracks", music.tracks),
    _Route("GET /artists/(?P<id>[^/]+)", music.artist),
    _Route("GET /artists", music.artists),
    _Route("GET /artists/(?P<id>[^/]+)/albums", music.artist_albums),
    _Route("GET /artists/(?P<id>[^/]+)/top-tracks", music.artist_top),
    _Route("GET /artists/(?P<id>[^/]+)/related-artists", music.related),
    _Route("GET /albums/(?P<id>[^/]+)", music.album),
    _Route("GET /albums/(?P<id>[^/]+)/tracks", music.album_tracks),
    _Route("GET /markets", music.markets),
    _Route("GET /users/(?P<id>[^/]+)", music.user),
    _Route("GET /audio-features", music.features),
    _Route("GET /audio-features/(?P<id>[^/]+)", music.one_features),
    _Route("GET /recommendations", music.recommendations),
    _Route("GET /recommendations/available-genre-seeds", music.genres),
    _Route("GET /me/top/tracks", music.top_tracks, ("user-top-read",)),
    _Route("GET /me/top/artists", music.top_artists, ("user-top-read",)),
    _Route("GET /me/tracks", music.saved, ("user-library-read",)),
    _Route("PUT /me/tracks", music.save_ids, ("user-library-modify",)),
    _Route("DELETE /me/tracks", music.save_ids, ("user-library-modify",)),
    _Route("GET /me/tracks/contains", music.contains_ids, ("user-library-read",)),
    _Route("PUT /me/library", music.save, ("user-library-modify",)),
    _Route("DELETE /me/library", music.save, ("user-library-modify",)),
    _Route("GET /me/library/contains", music.contains, ("user-library-read",)),
    _Route("GET /me/playlists", playlists.mine, READ),
    _Route("POST /me/playlists", playlists.create, WRITE),
    _Route("GET /users/(?P<user>[^/]+)/playlists", playlists.mine, READ),
    _Route("POST /users/(?P<user>[^/]+)/playlists", playlists.create, WRITE),
    _Route("GET /playlists/(?P<id>[^/]+)", playlists.one),
    _Route("PUT /playlists/(?P<id>[^/]+)", playlists.rename, WRITE),
    _Route("GET /playlists/(?P<id>[^/]+)/(?P<name>items|tracks)", playlists.entries, READ),
    _Route("POST /playlists/(?P<id>[^/]+)/(?P<name>items|tracks)", playlists.add, WRITE),
    _Route("PUT /playlists/(?P<id>[^/]+)/(?P<name>items|tracks)", playlists.change, WRITE),
    _Route("DELETE /playlists/(?P<id>[^/]+)/(?P<name>items|tracks)", playlists.remove, WRITE),
    _Route("PUT /playlists/(?P<id>[^/]+)/followers", playlists.follow, WRITE),
    _Route("DELETE /playlists/(?P<id>[^/]+)/followers", playlists.unfollow, WRITE),
]


class Spotify(Server):
    """Accounts and Web API of Spotify for one app and one user.

    Parameters
    ----------
    scenario : str
        A name of SCENARIOS; `changes` are fields of it.
    seed, tracks, saved : int
        The made-up library; `library` gives a whole one instead.
    """

    etags = True

    def __init__(
        self,
        scenario: str = "development-2026",
        *,
        seed: int = 0,
        tracks: int = 3000,
        saved: int = 1234,
        library: Library | None = None,
        clock: Clock | None = None,
        **changes: Any,
    ) -> None:
        super().__init__(clock)
        self.scenario = dataclasses.replace(SCENARIOS[scenario], **changes)
        self.library = library or Library(seed, tracks, saved)
        self.accounts = Accounts(self.scenario, self.clock)
        self.api_url = f"{self.url}/v1/"
        self.authorize_url, self.token_url = f"{self.url}/authorize", f"{self.url}/api/token"
        self.shapes = Shapes(self.library, self.api_url, not self.scenario.february, self.scenario.alias)
        self._recent: deque[float] = deque()
        self._day: deque[float] = deque()
        self.shut_until = 0.0
        if self.scenario.fault:
            self.fault(
                self.scenario.fault,
                at=self.scenario.every,
                every=self.scenario.every,
                times=None,
                path="^/v1/",
                seconds=self.scenario.seconds,
            )

    @property
    def client_id(self) -> str:
        return self.accounts.client_id

    @property
    def agrees(self) -> bool:
        """What the person at the browser says when asked."""
        return self.accounts.agrees

    @agrees.setter
    def agrees(self, yes: bool) -> None:
        self.accounts.agrees = yes

    def grant(self, scope: str = SCOPES, age: float = 0.0) -> dict[str, Any]:
        """A token of a consent given `age` seconds ago, as the token endpoint gives it."""
        return self.accounts.grant(scope, age)

    def browser(self, url: str, *_: object, **__: object) -> bool:
        """Stand in for `webbrowser.open`: follow the URL and the way back to the client, in a thread."""
        threading.Thread(target=self._visit, args=(url,), daemon=True).start()
        return True

    def _visit(self, url: str) -> None:
        """Go where the URL leads; a page that complains ends the visit as it would for a person."""
        if not self.sockets and url.startswith(self.url):
            _, answer, _, _ = self.exchange("GET", url.removeprefix(self.url), {}, b"")
            if answer is None or answer.status != 302:
                return
            url = answer.headers["Location"]
        with contextlib.suppress(OSError):
            urllib.request.urlopen(url, timeout=10).read()

    def complain(self, status: int, message: str) -> Answer:
        return Answer(status, {"error": {"status": status, "message": message}})

    def refuse(self, seconds: float, quota: bool) -> Answer:
        error = {"status": 429, "message": "API rate limit exceeded"} | (
            {"reason": "QUOTA_EXCEEDED"} if quota else {}
        )
        return Answer(429, {"error": error}, {"Retry-After": str(max(int(seconds), 1))})

    def respond(self, request: Request) -> Answer:
        if request.path == "/authorize" and request.method == "GET":
            return self.accounts.authorize(request)
        if request.path == "/api/token" and request.method == "POST":
            return self.accounts.token(request)
        if not request.path.startswith("/v1/"):
            return self.complain(404, "Service not found")
        try:
            scopes = self._admit(request)
            return self._route(request, scopes)
        except Trouble as trouble:
            request.refused = trouble.refused
            return trouble.answer

    def _admit(self, request: Request) -> set[str] | None:
        """Check the token, the app and the limits; the scopes of the caller, None for an app without a user."""
        word, _, token = request.auth.partition(" ")
        if not request.auth:
            raise Trouble(401, "No token provided")
        if word != "Bearer":
            raise Trouble(400, "Only valid bearer authentication supported")
        if token not in self.accounts.access:
            raise Trouble(401, "Invalid access token")
        consent, end = self.accounts.access[token]
        if self.clock.now() >= end:
            raise Trouble(401, "The access token expired")
        if not self.scenario.premium:
            raise Trouble.text(403, NO_PREMIUM, "premium")
        if not self.scenario.listed:
            if self.scenario.plain:
                raise Trouble.text(403, NOT_LISTED, "listed")
            raise Trouble(403, NOT_LISTED_JSON, "listed")
        self._count()
        return consent.scopes if consent.user else None

    def _count(self) -> None:
        """Let the call through, or refuse it: too many in 30 s, or too many in a day."""
        now = self.clock.now()
        if now < self.shut_until:
            raise Trouble.of(self.refuse(self.shut_until - now, True), "quota")
        for calls, most, window in (
            (self._recent, self.scenario.rate, RATE_S),
            (self._day, self.scenario.quota, 24 * HOUR_S),
        ):
            while calls and calls[0] <= now - window:
                calls.popleft()
            if most is None or len(calls) < most:
                continue
            if window == RATE_S:
                raise Trouble.of(self.refuse(calls[0] + window - now + 1, False))
            self.shut_until = now + self.scenario.shut_s
            calls.clear()
            raise Trouble.of(self.refuse(self.scenario.shut_s, True), "quota")
        self._recent.append(now)
        self._day.append(now)

    def _route(self, request: Request, scopes: set[str] | None) -> Answer:
        here = f"{request.method} {request.path.removeprefix('/v1')}".rstrip("/")
        self._withheld(here)
        for route in ROUTES:
            if (match := re.fullmatch(route.where, here)) is None:
                continue
            if scopes is None and " /me" in here:
                raise Trouble(401, "Valid user authentication required")
            if route.scopes and not set(route.scopes) & (scopes or set()):
                raise Trouble(403, "Insufficient client scope", f"scope {route.where} {request.auth}")
            found = route.endpoint(self, request, **match.groupdict())
            return found if isinstance(found, Answer) else Answer(200, found)
        # No test may take it for Spotify's word that something does not exist.
        return Answer(501, {"error": {"status": 501, "message": f"the fake does not know {here}"}})

    def _withheld(self, here: str) -> None:
        """Refuse what the app may not call, each in the way that was seen in the wild."""
        if self.scenario.withdrawn:
            for where, answer in WITHDRAWN.items():
                if re.fullmatch(where, here):
                    raise Trouble.of(Answer(answer.status, answer.body), where)
        if self.scenario.february:
            for where in REMOVED:
                if re.fullmatch(where, here):
                    raise Trouble(403, "Forbidden", where)
