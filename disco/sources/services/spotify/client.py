"""What DISCO asks of Spotify: each question held against the login and the memory, each answer looked at."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import spotipy

from disco.errors import DiscoError
from disco.sources.services import http, spotify_values
from disco.sources.services.spotify import responses, tokens
from disco.sources.services.spotify.errors import LoginNeeded, Malformed, Refused, UnknownOutcome, Withheld
from disco.sources.services.spotify.responses import Page, Summary
from disco.sources.services.spotify.session import SpotifySession
from disco.sources.services.spotify.state import DAY_S, State
from disco.sources.services.spotify_values import Row

log = logging.getLogger(__name__)

T = TypeVar("T")
PAGE = 50  # the most that the lists of a user give at once
FOUND = 10  # the most that a search gives at once, since February 2026
FEATURES_AT_ONCE, RECOMMENDED_AT_ONCE, SEEDS_AT_ONCE = 100, 100, 5
ADDED_AT_ONCE = 100
READ_PLAYLISTS = ("playlist-read-private", "playlist-read-collaborative")


class Client:
    """A logged-in user of an app.

    Attributes
    ----------
    state : State
        What is remembered of the app.
    """

    def __init__(self) -> None:
        token = tokens.read()
        self.state = State.read(token["client_id"])
        self._scopes = set(str(token.get("scope", "")).split())
        self._account, self._user = (token.get(name) for name in ("account", "user"))
        self._alive = False
        self._manager = tokens.TokenManager()
        self._session = SpotifySession(self.state, self._manager)
        self._api = tokens.addresses().api
        self._spotipy = spotipy.Spotify(
            auth_manager=self._manager, requests_session=self._session, requests_timeout=http.TIMEOUT_S
        )
        self._spotipy.prefix = self._api

    def ask(
        self, question: Callable[[spotipy.Spotify], Any], check: Callable[[Any], T], scopes: Sequence[str] = ()
    ) -> T:
        """The checked answer to a question that changes nothing.

        Raises
        ------
        SpotifyError
            Whatever stands in the way.
        """
        self._allowed(scopes)

        def is_damaged(error: DiscoError) -> bool:
            return isinstance(error, Malformed) and error.again

        return http.repeat(lambda: check(self._ask(question)), is_damaged, max_wait_s=0.0)

    def _ask(self, question: Callable[[spotipy.Spotify], Any]) -> Any:
        self.state.check()  # before a token is renewed for nothing
        with warnings.catch_warnings():  # spotipy warns of what was withdrawn; whether it was is known here
            warnings.simplefilter("ignore", DeprecationWarning)
            try:
                return question(self._spotipy)
            except spotipy.SpotifyException as error:  # an id that is none, found before anything was sent
                raise Refused(f"cannot be asked for that ({error.msg})", 400) from None

    def _allowed(self, scopes: Sequence[str]) -> None:
        missing = [scope for scope in scopes if scope not in self._scopes]
        if scopes and len(missing) == len(scopes):
            raise LoginNeeded(
                f"you did not allow {missing[0]} at the login; {tokens.LOGIN}, and agree to all that is asked"
            )

    def who(self) -> str:
        """Ask who is logged in, and keep it beside the token; the name to greet with."""
        answer = self.ask(lambda sp: sp.current_user(), _user_object)
        self._alive, self._account, self._user = True, _account(answer), answer["id"]
        tokens.save(tokens.read() | {"account": self._account, "user": self._user})
        return spotify_values.text(answer.get("display_name")) or answer["id"]

    @property
    def account(self) -> str:
        """What never changes about the account; asked once a login."""
        if not self._account:
            self.who()
        return str(self._account)

    @property
    def user(self) -> str:
        """The user as playlists name their owner; asked once a login."""
        if not self._user:
            self.who()
        return str(self._user)

    def saved(self, offset: int) -> Page:
        """A page of the saved tracks, newest first."""
        return self.ask(
            lambda sp: sp.current_user_saved_tracks(limit=PAGE, offset=offset), responses.page, ("user-library-read",)
        )

    def top(self, offset: int) -> Page:
        """A page of the tracks played most in half a year."""
        return self.ask(
            lambda sp: sp.current_user_top_tracks(limit=PAGE, offset=offset), responses.page, ("user-top-read",)
        )

    def playlists(self, offset: int) -> tuple[list[Summary], int]:
        """A page of the user's playlists, and how many there are."""
        owner = self.user
        return self.ask(
            lambda sp: sp.current_user_playlists(limit=PAGE, offset=offset),
            lambda answer: responses.summaries(answer, owner),
            READ_PLAYLISTS,
        )

    def entries(self, playlist: str, offset: int, limit: int = PAGE) -> Page:
        """A page of a playlist."""
        return self.ask(
            lambda sp: sp.playlist_items(playlist, limit=limit, offset=offset), responses.page, READ_PLAYLISTS
        )

    def search(self, query: str, limit: int = FOUND) -> list[Row]:
        """Tracks found by a text, or by `isrc:`; ten at most."""
        return self.ask(lambda sp: sp.search(query, limit=min(limit, FOUND), type="track"), responses.searched)

    def track(self, track_id: str) -> Row:
        """One track by its id."""

        def check(answer: Any) -> Row:
            row = responses.track(answer)
            if row is None:
                raise Malformed("the track in the answer is damaged; try again")
            return row

        return self.ask(lambda sp: sp.track(track_id), check)

    def features(self, ids: Sequence[str]) -> list[Row]:
        """Audio features of at most 100 tracks, for apps that still have them; raises Withheld for others."""
        return self._legacy("audio-features", lambda sp: sp.audio_features(list(ids)), responses.features)

    def recommended(self, seeds: Sequence[str], limit: int = RECOMMENDED_AT_ONCE) -> list[Row]:
        """Tracks that Spotify recommends to at most five seeds, for apps that still have them."""
        few = list(seeds[:SEEDS_AT_ONCE])
        return self._legacy(
            "recommendations", lambda sp: sp.recommendations(seed_tracks=few, limit=limit), responses.recommended
        )

    def _legacy(self, name: str, question: Callable[[spotipy.Spotify], Any], check: Callable[[Any], T]) -> T:
        known = self.state.can_call(name)
        if known is False:
            raise Withheld(f"has withdrawn {name} from apps like this one")
        try:
            answer = self.ask(question, check)
        except Refused as refused:
            if refused.status not in (403, 404) or (known and refused.status == 404):
                raise
            if not self._alive:
                self.who()  # where all is refused, this refusal says nothing of the endpoint
            self.state.set_capability(name, False)
            raise Withheld(f"has withdrawn {name} from apps like this one") from None
        self.state.set_capability(name, True)
        return answer

    def create(self, name: str, description: str) -> str:
        """Make a private playlist, and return its id; raises Unclear where nobody knows whether it was made."""
        self._allowed(("playlist-modify-private",))
        answer = self._ask(lambda sp: sp.current_user_playlist_create(name, public=False, description=description))
        try:
            return responses.summary(answer, "").id
        except Malformed:
            raise UnknownOutcome("the new playlist's id did not come back") from None

    def add(self, playlist: str, ids: Sequence[str], position: int) -> None:
        """Add at most 100 tracks to a playlist; raises as `create`."""
        self._allowed(("playlist-modify-private",))
        # As the description of the API has it; spotipy's own call sends a bare list, which it does not know.
        body: dict[str, Any] = {"uris": [f"spotify:track:{one}" for one in ids], "position": position}
        self.state.check()  # before a token is renewed for nothing
        self._session.post(
            f"{self._api}playlists/{playlist}/items",
            json=body,
            headers={"Authorization": f"Bearer {self._manager.get_access_token()}"},
            timeout=http.TIMEOUT_S,
        )


def _user_object(answer: Any) -> dict[str, Any]:
    if not isinstance(answer, dict) or not isinstance(answer.get("id"), str) or not answer["id"]:
        raise Malformed("the answer does not say who is logged in; try again")
    return answer


def _account(answer: Any) -> str:
    account = _user_object(answer).get("account_id")
    return account if isinstance(account, str) and account else str(answer["id"])


def connect() -> Client:
    """The client of the login that is kept; a sentence where there is none, or its end is near."""
    client = Client()
    token = tokens.read()
    age = time.time() - token["authorized_at"]
    if tokens.WARN_S < age < tokens.CONSENT_S:
        days = (tokens.CONSENT_S - age) / DAY_S
        log.warning("Spotify's consent ends in %.0f days; log in again before then: disco spotify login", days)
    return client


__all__ = ["Client", "connect"]
