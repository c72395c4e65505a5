"""What Spotify, or the way to it, can refuse: each told apart from the others by what to do next."""

from __future__ import annotations

from disco.errors import DiscoError


class SpotifyError(DiscoError):
    """Something that was asked of Spotify could not be had; begins with its name."""

    def __init__(self, what: str) -> None:
        super().__init__(f"Spotify: {what}")


class RateLimited(SpotifyError):
    """No call may be made until a moment that is known: a quota, a budget, or a refusal that is remembered."""


class LoginNeeded(SpotifyError):
    """There is no login, it has ended, or it allows too little."""


class AppRefused(SpotifyError):
    """Everything is refused: the app or the user is the reason, not what was asked for."""


class Refused(SpotifyError):
    """What was asked for is refused or not there; nothing follows for anything else."""

    def __init__(self, what: str, status: int) -> None:
        super().__init__(what)
        self.status = status


class Withheld(SpotifyError):
    """An endpoint that Spotify withdrew from apps like this one."""


class Malformed(SpotifyError):
    """An answer that is none; `again` where asking once more may bring a better one."""

    again = True


class UnknownOutcome(SpotifyError):
    """A change was asked for, and nobody knows whether it was made."""
