"""What an app may be in November 2026, and what may be wrong with it or with the wire."""

from __future__ import annotations

from dataclasses import dataclass

HOUR_S = 3600
MONTH_S = 30 * 24 * HOUR_S


@dataclass(frozen=True)
class Scenario:
    """One state of the world.

    Attributes
    ----------
    february : bool
        The smaller endpoint set and the shapes of February 2026 hold for the app.
    withdrawn : bool
        Audio features, recommendations and Spotify's own playlists are withdrawn (November 2024).
    alias : bool
        With `february`: entries of playlists carry the deprecated `track` beside `item`.
    premium, listed : bool
        The app's owner pays for Premium; the user is among the app's five.
    rate : int or None
        Calls in a rolling window of 30 s.
    quota : int or None
        Calls in a rolling window of 24 h; a call above it shuts the app out for `shut_s`.
    token_s, consent_s : int
        Lives of an access token, and of a consent (refreshing does not prolong it).
    rotates : bool
        Each refresh gives a new refresh token and ends the old one.
    grantable : str or None
        Scopes that are given at most; None gives what is asked for.
    plain : bool
        The text for a user who is not listed comes as plain text, not as JSON.
    every, seconds, fault
        A fault at each `every`-th call of the API.
    """

    february: bool = True
    withdrawn: bool = True
    alias: bool = False
    premium: bool = True
    listed: bool = True
    plain: bool = True
    rate: int | None = None
    quota: int | None = None
    shut_s: int = 13 * HOUR_S
    token_s: int = HOUR_S
    consent_s: int = 6 * MONTH_S
    revoked: bool = False
    rotates: bool = True
    grantable: str | None = None
    fault: str = ""
    every: int = 1
    seconds: float = 0.3


SCENARIOS = {
    "development-2026": Scenario(),
    "old-app": Scenario(february=False),
    "extended": Scenario(february=False, withdrawn=False),
    "premium-lapsed": Scenario(premium=False),
    "not-listed": Scenario(listed=False),
    "rate-limit": Scenario(rate=10),
    "quota": Scenario(quota=25),
    "expired": Scenario(consent_s=0, token_s=0),
    "revoked": Scenario(revoked=True, token_s=0),
    "no-scope": Scenario(grantable="user-read-private"),
    "slow": Scenario(fault="slow"),
    "dropping": Scenario(fault="drop", every=5),
    "malformed": Scenario(fault="garble", every=3),
}
