"""What Spotify, or the connection to it, can refuse: one class for each thing that the user can do about it."""

from __future__ import annotations

from disco.sources.services import http


class SpotifyError(http.ServiceError):
    """A request to Spotify failed; the sentence begins with its name."""

    def __init__(self, what: str) -> None:
        super().__init__(f"Spotify: {what}")


class Transient(SpotifyError):
    """A read failed in a way that may not happen again."""


class RateLimited(SpotifyError, http.RateLimited):
    """No call is accepted until a known time: a rate limit, a quota, or the budget of this machine."""

    def __init__(self, what: str, wait_s: float | None = None) -> None:
        super().__init__(what)
        self.wait_s = wait_s


class LoginNeeded(SpotifyError):
    """There is no login, it has ended, or it allows too little."""


class AppRefused(SpotifyError):
    """Every request is refused because of the app or the user, not because of what was asked for."""


class Refused(SpotifyError, http.Refused):
    """What was asked for is refused or does not exist; other requests may succeed."""

    def __init__(self, what: str, status: int) -> None:
        super().__init__(what)
        self.status = status


class Withheld(SpotifyError):
    """An endpoint that Spotify withdrew from apps like this one."""


class Malformed(SpotifyError):
    """An answer that cannot be used; `again` tells whether the next one may be better."""

    again = True


class UnknownOutcome(SpotifyError, http.UnknownOutcome):
    """A change was requested, and it is unknown whether it was made."""
