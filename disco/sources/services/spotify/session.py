"""The one way to Spotify's Web API: counted, never repeated blindly, and every refusal understood.

Spotipy's own repetitions sleep through a `Retry-After` of 13 hours, lose the headers that say so, and send a change
again of which nobody knows whether it was made. With a session of its own it does none of that.
"""

from __future__ import annotations

import email.utils
import logging
import time
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from disco.sources.services.spotify import tokens
from disco.sources.services.spotify.errors import (
    AppRefused,
    LoginNeeded,
    Malformed,
    RateLimited,
    Refused,
    SpotifyError,
    UnknownOutcome,
)
from disco.sources.services.spotify.state import State

log = logging.getLogger(__name__)

# The usual limit looks at 30 s and asks for at most that; whoever asks for more means to be left alone.
SHORT_S = 60
# A read that failed on the way is tried so often in all, one and two seconds apart.
TRIES = 3
# A clock that is further off than this makes moments that are remembered wrong.
SKEW_S = 600
# Asked to wait again and again, one stops.
WAITS = 5
# "Retry-After" is clamped to a week: more is no answer of a sane server.
_LONGEST_S = 7 * 24 * 3600
PREMIUM = (
    "refuses this app because its owner has no active Premium subscription; renew it (Spotify sees that after a few "
    "hours), or use another app's client id with: disco spotify login"
)
UNLISTED = (
    "does not count you among the users of this app; its owner must add your account under User Management on "
    "developer.spotify.com/dashboard (five at most), or log in with an app of your own"
)


class GuardedSession(requests.Session):
    """A session that spotipy is given; it raises what `refusals` names, and returns only good answers.

    Parameters
    ----------
    state : State
        Counts, and knows what is refused.
    keeper : Keeper
        Renews a token that is refused once.
    """

    def __init__(self, state: State, keeper: tokens.TokenManager) -> None:
        super().__init__()
        self.state, self.keeper = state, keeper
        self._told_of_clock = False
        for scheme in ("http://", "https://"):
            self.mount(scheme, HTTPAdapter(max_retries=0))

    def request(self, method: str, url: str, **arguments: Any) -> requests.Response:  # type: ignore[override]
        """One request and its good answer; reads are tried again where the way failed, changes never are.

        Raises
        ------
        SpotifyError
            With the reason, as one of its children.
        """
        read, what = method == "GET", f"{method} {urlsplit(url).path}"
        failed, waited, renewed = 0, 0, False
        while True:
            self.state.check()
            self.state.count()
            try:
                response = super().request(method, url, allow_redirects=False, **arguments)
                self._look_at_clock(response)
                trouble = self._trouble(response, what, read)
            except requests.exceptions.SSLError:
                raise tokens.insecure() from None
            except requests.RequestException as error:
                if _unsent(error):
                    raise tokens.unreachable() from None
                trouble = SpotifyError(f"the connection breaks off ({what}); try again") if read else _unclear(what)
            if trouble is None:
                return response
            if isinstance(trouble, _Wait) and waited < WAITS:
                waited += 1
                log.info("Spotify asks to wait %.0f s", trouble.seconds)
                time.sleep(trouble.seconds)
            elif isinstance(trouble, _Renew) and not renewed:
                renewed = True
                arguments["headers"] = {**arguments["headers"], "Authorization": f"Bearer {self.keeper.renew()}"}
            elif read and failed + 1 < TRIES and not isinstance(trouble, _Final | Malformed):
                failed += 1
                time.sleep(failed)
            else:
                raise trouble

    def _look_at_clock(self, response: requests.Response) -> None:
        """Tell once that this machine's clock is wrong."""
        try:
            there = email.utils.parsedate_to_datetime(response.headers.get("Date", "")).timestamp()
        except (ValueError, TypeError):
            return
        off = time.time() - there
        if abs(off) > SKEW_S and not self._told_of_clock:
            self._told_of_clock = True
            way = "ahead of" if off > 0 else "behind"
            minutes = f"{abs(off) / 60:,.0f}"
            log.warning("this machine's clock is %s minutes %s Spotify's; set it, or waits are wrong", minutes, way)

    def _trouble(self, response: requests.Response, what: str, read: bool) -> SpotifyError | None:
        """What is wrong with an answer, None if nothing is."""
        status = response.status_code
        if 200 <= status < 300:
            return (
                None if not read or _is_json(response) else Malformed(f"the answer to {what} is damaged; try again")
            )
        if status == 401:
            return _Renew(f"does not accept the login; {tokens.LOGIN}")
        if status == 429:
            return self._limited(response)
        if status in (403, 404):
            return self._refused(response, what)
        if status >= 500:
            return (
                SpotifyError(f"has a fault of its own ({status}, {what}); try again later")
                if read
                else _unclear(what)
            )
        if status == 400:
            return _Bad(f"does not accept {what} ({message(response) or 'no reason given'})", status)
        return _Odd(f"something on the way answers in its place ({status}); a network that wants a login of its own?")

    def _limited(self, response: requests.Response) -> SpotifyError:
        seconds = _retry_after(response.headers.get("Retry-After", ""))
        quota = _said(response).get("reason") == "QUOTA_EXCEEDED"
        why = "the calls of this day are used up" if quota else "too many calls at once"
        self.state.block(seconds, why)
        if not quota and seconds <= SHORT_S:
            return _Wait(f"asks again and again to wait ({why}); try later", seconds)
        try:
            self.state.check()
        except RateLimited as later:
            return _Shut(str(later).removeprefix("Spotify: ") + "; what was read is stored")
        return _Shut(f"accepts no call now ({why})")

    def _refused(self, response: requests.Response, what: str) -> SpotifyError:
        said = message(response) or ""
        if "premium" in said.lower():
            self.state.refuse(PREMIUM)
            return _All(PREMIUM)
        if "registered" in said.lower():
            self.state.refuse(UNLISTED)
            return _All(UNLISTED)
        if "scope" in said.lower():
            return _Scope(f"you did not allow {what} at the login; {tokens.LOGIN}, and agree to all that is asked")
        return _Gone(f"refuses {what} ({response.status_code}{': ' + said if said else ''})", response.status_code)


class _Final:
    """Trouble that asking again does not change."""


class _Renew(_Final, LoginNeeded):
    pass


class _Scope(_Final, LoginNeeded):
    pass


class _All(_Final, AppRefused):
    pass


class _Gone(_Final, Refused):
    pass


class _Bad(_Final, Refused):
    pass


class _Odd(_Final, Malformed):
    again = False


class _Shut(_Final, RateLimited):
    pass


class _Wait(_Final, RateLimited):
    def __init__(self, what: str, seconds: float) -> None:
        super().__init__(what)
        self.seconds = seconds


def _unclear(what: str) -> UnknownOutcome:
    return UnknownOutcome(f"nobody knows whether {what} was done: the answer did not come")


def _unsent(error: requests.RequestException) -> bool:
    """Whether a request did not leave this machine, so that nothing can have come of it."""
    reason = error.args[0] if error.args else None
    if isinstance(reason, MaxRetryError):
        reason = reason.reason
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)


def _is_json(response: requests.Response) -> bool:
    try:
        return isinstance(response.json(), dict | list)
    except (ValueError, RecursionError):
        return False


def _said(response: requests.Response) -> dict[str, Any]:
    """The error in an answer; empty where there is none that can be read."""
    try:
        said = response.json()
    except (ValueError, RecursionError):
        return {}
    error = said.get("error") if isinstance(said, dict) else None
    return error if isinstance(error, dict) else {}


def message(response: requests.Response) -> str | None:
    """What an answer says of its trouble: Spotify's message, or a short plain text."""
    found = _said(response).get("message")
    if isinstance(found, str):
        return found[:200]
    return response.text[:200] if response.headers.get("Content-Type", "").startswith("text/plain") else None


def _retry_after(text: str) -> float:
    """Seconds in a `Retry-After`, be it a number or a date; half a minute where it says nothing."""
    if text.strip().isdecimal():
        seconds = float(text)
    else:
        try:
            seconds = email.utils.parsedate_to_datetime(text).timestamp() - time.time()
        except (ValueError, TypeError):
            seconds = 30.0
    return min(max(seconds, 1.0), _LONGEST_S)
