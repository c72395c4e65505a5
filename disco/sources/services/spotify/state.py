"""What is remembered of a Spotify app from run to run: calls of the day, refusals, and which endpoints it has.

Spotify counts calls of an app in development over a rolling day, says neither how many there are nor how many are
left, and shuts the app out for half a day when they are used up. So the calls are counted here.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from disco.errors import DiscoError
from disco.sources import storage
from disco.sources.services.spotify.errors import AppRefused, RateLimited

DAY_S = 24 * 3600
# Apps were shut out after 200 to 1,100 calls of different kinds in a day; nobody outside knows the number.
BUDGET = 500
# How long an endpoint that was refused, or answered, counts as such.
KNOWN_S = 30 * DAY_S
# Spotify takes "a few hours" to see that somebody pays again, so asking more often is of no use.
REFUSED_S = 3600
# What an app had before November 2024 and may have still.
LEGACY = ("audio-features", "recommendations")


def path() -> Path:
    """File of what is remembered."""
    return storage.user_config_dir() / "spotify" / "state.json"


def budget() -> int:
    """Calls a day that DISCO allows itself: `$DISCO_SPOTIFY_BUDGET`, or 500."""
    text = os.environ.get("DISCO_SPOTIFY_BUDGET", str(BUDGET))
    if not text.strip().isdecimal():
        raise DiscoError(f"DISCO_SPOTIFY_BUDGET is {text!r}; it must be a number of calls a day")
    return int(text)


def clock(moment: float) -> str:
    """A moment as a person reads it, in local time; with the date where it is not today."""
    there = datetime.fromtimestamp(moment)
    return there.strftime("%H:%M" if there.date() == datetime.fromtimestamp(time.time()).date() else "%Y-%m-%d %H:%M")


@dataclass
class State:
    """What is known of one app; every change is stored at once.

    Attributes
    ----------
    client_id : str
    budget : int
        Calls in a rolling day.
    calls : list of float
        Times of the calls of the last day, Unix time in s.
    blocked : dict
        `since` and `until` when Spotify accepts no call, and `why`.
    refusal : dict
        `at` what time every call was refused, and the sentence `why`.
    capabilities : dict
        By endpoint: whether it `may` be called, as seen `at` a time.
    """

    client_id: str
    budget: int = BUDGET
    calls: list[float] = field(default_factory=list)
    blocked: dict[str, Any] = field(default_factory=dict)
    refusal: dict[str, Any] = field(default_factory=dict)
    capabilities: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def read(cls, client_id: str) -> State:
        """The stored state of an app; what makes no sense there is ignored."""
        state = cls(client_id, budget())
        state._load()
        return state

    def _load(self) -> None:
        """Take over what is stored, which other processes change too."""
        stored = _read().get(self.client_id)
        stored = stored if isinstance(stored, dict) else {}
        calls, blocked, refusal, may = (stored.get(name) for name in ("calls", "shut", "refused", "may"))
        self.calls = [float(at) for at in calls if is_time(at)] if isinstance(calls, list) else []
        self.blocked, self.refusal, self.capabilities = {}, {}, {}
        if isinstance(blocked, dict) and is_time(blocked.get("since")) and is_time(blocked.get("until")):
            self.blocked = blocked
        if isinstance(refusal, dict) and is_time(refusal.get("at")):
            self.refusal = refusal
        if isinstance(may, dict):
            seen = {name: one for name, one in may.items() if isinstance(one, dict) and is_time(one.get("at"))}
            self.capabilities = {name: one for name, one in seen.items() if isinstance(one.get("may"), bool)}

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        """Change what is stored, and leave the state of other apps, and what other processes stored, as it is."""
        with storage.locked(path()):
            self._load()
            yield
            own = {"calls": self.calls, "shut": self.blocked, "refused": self.refusal, "may": self.capabilities}
            storage.write_atomic(path(), json.dumps(_read() | {self.client_id: own}), private=True)

    @property
    def made(self) -> int:
        """Calls of the last 24 hours."""
        return len(self._recent())

    @property
    def left(self) -> int:
        """Calls that the budget still allows now."""
        return max(0, self.budget - self.made)

    def _recent(self) -> list[float]:
        now = time.time()
        # What lies in the future was written by a clock that was wrong.
        return [at for at in self.calls if now - DAY_S < at <= now + 60]

    def check(self) -> None:
        """Refuse a call that is known to be refused, or that the budget has no room for."""
        now = time.time()
        # A time before the answer itself shows that the clock was set back: then the entry means nothing.
        if self.blocked and self.blocked["since"] - 60 <= now < self.blocked["until"]:
            raise RateLimited(
                f"accepts no call before {clock(self.blocked['until'])} ({self.blocked.get('why', 'a limit')})"
            )
        if self.refusal and 0 <= now - self.refusal["at"] < REFUSED_S:
            again = clock(self.refusal["at"] + REFUSED_S)
            raise AppRefused(f"{self.refusal.get('why')} (seen at {clock(self.refusal['at'])}; asked again {again})")
        if not self.left:
            recent = self._recent()
            free = recent[len(recent) - self.budget] + DAY_S if self.budget else now + DAY_S
            raise RateLimited(
                f"the budget of {self.budget} calls a day is used up; it has room again at {clock(free)}, and what "
                "was read is stored (DISCO_SPOTIFY_BUDGET=N allows more, at the risk of being blocked for half a day)"
            )

    def count(self) -> None:
        """Count a call before it is made: one that is cut off was made as well."""
        with self._changing():
            self.calls = [*self._recent(), time.time()]

    def spend(self) -> None:
        """Check and count a call at once, so that two processes never take the last one of the budget both."""
        with storage.locked(path()):
            self._load()
            self.check()
            self.count()

    def block(self, seconds: float, why: str) -> None:
        """Remember that Spotify wants no call for so many seconds."""
        now = time.time()
        with self._changing():
            self.blocked = {"since": now, "until": now + seconds, "why": why}

    def refuse(self, why: str) -> None:
        """Remember that all calls are refused, and why."""
        with self._changing():
            self.refusal = {"at": time.time(), "why": why}

    def reset(self) -> None:
        """Ask again at the next call, whatever was refused: the user says that something has changed."""
        with self._changing():
            self.refusal = {}

    def can_call(self, name: str) -> bool | None:
        """Whether the app may call an endpoint; None where nobody knows, or not any more."""
        known = self.capabilities.get(name)
        if known is None or not 0 <= time.time() - known["at"] < KNOWN_S:
            return None
        return bool(known["may"])

    def set_capability(self, name: str, may: bool) -> None:
        """Remember whether the app may call an endpoint."""
        if self.can_call(name) is not may:
            with self._changing():
                self.capabilities[name] = {"may": may, "at": time.time()}


def forget() -> None:
    """Forget all but the calls and the moments of no call: they are nobody's data, and the next login needs them."""
    with storage.locked(path()):
        kept = {}
        for client_id in _read():
            state = State.read(client_id)
            kept[client_id] = {"calls": state.calls, "shut": state.blocked}
        if kept:
            storage.write_atomic(path(), json.dumps(kept), private=True)


def is_time(value: object) -> bool:
    """Whether a stored value is a time: Unix time in s, neither NaN nor in thousands of years."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e11


def _read() -> dict[str, Any]:
    try:
        stored = json.loads(path().read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return stored if isinstance(stored, dict) else {}
