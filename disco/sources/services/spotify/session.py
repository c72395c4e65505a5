"""The session through which all calls to Spotify's Web API go: counted, and no change is ever sent twice.

Spotipy's own repetitions sleep through a `Retry-After` of 13 hours, lose the headers that name it, and repeat changes
whose outcome is unknown. Given this session (`requests_session`), it does none of that.
"""

from __future__ import annotations

import email.utils
import logging
import time
from typing import Any
from urllib.parse import urlsplit

import requests

from disco.sources.services import http
from disco.sources.services.spotify import tokens
from disco.sources.services.spotify.errors import (
    AppRefused,
    LoginNeeded,
    Malformed,
    RateLimited,
    Refused,
    SpotifyError,
    Transient,
    UnknownOutcome,
)
from disco.sources.services.spotify.state import State

log = logging.getLogger(__name__)
# Spotify's usual limit counts calls of 30 s and asks for at most that; a longer wait means a quota.
MAX_WAIT_S = 60.0
# A clock that is further off than this makes stored times wrong.
MAX_CLOCK_ERROR_S = 600
PREMIUM = (
    "refuses this app because its owner has no active Premium subscription; renew it (Spotify takes a few hours to "
    "notice), or use another app's client id with: disco spotify login"
)
UNLISTED = (
    "does not list you as a user of this app; its owner must add your account under User Management on "
    "developer.spotify.com/dashboard (five at most), or log in with an app of your own"
)


class SpotifySession(requests.Session):
    """A session for spotipy that returns good answers and raises the classes of `errors` for all others.

    Parameters
    ----------
    state : State
        Counts the calls, and knows what is refused.
    manager : TokenManager
        Renews a token that is refused once.
    """

    def __init__(self, state: State, manager: tokens.TokenManager) -> None:
        super().__init__()
        self.state, self.manager = state, manager
        self._clock_checked = False
        http.without_retries(self)

    def request(self, method: str, url: str, **arguments: Any) -> requests.Response:  # type: ignore[override]
        """Send one request; reads are tried again after transient errors, changes never are.

        Raises
        ------
        SpotifyError
            With the reason, as one of its children.
        """
        renewed = False

        def attempt() -> requests.Response:
            nonlocal renewed
            response = self._send(method, url, arguments)
            if response.status_code == 401 and not renewed:
                renewed = True
                token = self.manager.renew()
                arguments["headers"] = {**arguments["headers"], "Authorization": f"Bearer {token}"}
                response = self._send(method, url, arguments)
            self._check(response, f"{method} {urlsplit(url).path}", method == "GET")
            return response

        return http.repeat(attempt, lambda error: isinstance(error, Transient), MAX_WAIT_S)

    def _send(self, method: str, url: str, arguments: dict[str, Any]) -> requests.Response:
        what = f"{method} {urlsplit(url).path}"
        self.state.spend()
        try:
            response = super().request(method, url, allow_redirects=False, **arguments)
        except requests.exceptions.SSLError:
            raise tokens.insecure() from None
        except requests.RequestException as error:
            if http.is_unsent(error):
                raise tokens.unreachable() from None
            raise _failed(f"the connection breaks off ({what}); try again", what, method == "GET") from None
        self._check_clock(response)
        return response

    def _check_clock(self, response: requests.Response) -> None:
        """Warn once if this machine's clock is wrong."""
        try:
            there = email.utils.parsedate_to_datetime(response.headers.get("Date", "")).timestamp()
        except (ValueError, TypeError):
            return
        off = time.time() - there
        if abs(off) > MAX_CLOCK_ERROR_S and not self._clock_checked:
            self._clock_checked = True
            way = "ahead of" if off > 0 else "behind"
            minutes = f"{abs(off) / 60:,.0f}"
            log.warning("this machine's clock is %s minutes %s Spotify's; set it, or waits are wrong", minutes, way)

    def _check(self, response: requests.Response, what: str, read: bool) -> None:
        """Raise what is wrong with an answer."""
        status = response.status_code
        if 200 <= status < 300:
            if read and not _is_json(response):
                raise Malformed(f"the answer to {what} is damaged; try again")
            return
        if status == 401:
            raise LoginNeeded(f"does not accept the login; {tokens.LOGIN}")
        if status == 429:
            raise self._limited(response)
        if status in (403, 404):
            raise self._refused(response, what)
        if status >= 500:
            raise _failed(f"has an internal error ({status}, {what}); try again later", what, read)
        if status == 400:
            raise Refused(f"does not accept {what} ({message(response) or 'no reason given'})", status)
        raise Intercepted(
            f"something else answers in its place ({status}); does this network need a login of its own?"
        )

    def _limited(self, response: requests.Response) -> SpotifyError:
        seconds = http.retry_after(response.headers)
        quota = _error(response).get("reason") == "QUOTA_EXCEEDED"
        why = "the calls of this day are used up" if quota else "too many calls at once"
        self.state.block(seconds, why)
        if not quota and seconds <= MAX_WAIT_S:
            return RateLimited(f"asks again and again to wait ({why}); try later", seconds)
        try:
            self.state.check()
        except RateLimited as limit:
            return RateLimited(str(limit).removeprefix("Spotify: ") + "; what was read is stored")
        return RateLimited(f"accepts no call now ({why})")

    def _refused(self, response: requests.Response, what: str) -> SpotifyError:
        reason = message(response) or ""
        for word, sentence in (("premium", PREMIUM), ("registered", UNLISTED)):
            if word in reason.lower():
                self.state.refuse(sentence)
                return AppRefused(sentence)
        if "scope" in reason.lower():
            return LoginNeeded(
                f"you did not allow {what} at the login; {tokens.LOGIN}, and agree to everything that is asked"
            )
        return Refused(
            f"refuses {what} ({response.status_code}{': ' + reason if reason else ''})", response.status_code
        )


class Intercepted(Malformed):
    """An answer of something between here and Spotify."""

    again = False


def _failed(why: str, what: str, read: bool) -> SpotifyError:
    """The error of a request that got no answer: a read may be sent again, a change has an unknown outcome."""
    return Transient(why) if read else UnknownOutcome(f"it is unknown whether {what} was done: no answer came")


def _is_json(response: requests.Response) -> bool:
    try:
        return isinstance(response.json(), dict | list)
    except (ValueError, RecursionError):
        return False


def _error(response: requests.Response) -> dict[str, Any]:
    """The error in an answer; empty where there is none that can be read."""
    try:
        content = response.json()
    except (ValueError, RecursionError):
        return {}
    error = content.get("error") if isinstance(content, dict) else None
    return error if isinstance(error, dict) else {}


def message(response: requests.Response) -> str | None:
    """The reason in an answer: Spotify's message, or a short plain text."""
    found = _error(response).get("message")
    if isinstance(found, str):
        return found[:200]
    return response.text[:200] if response.headers.get("Content-Type", "").startswith("text/plain") else None
