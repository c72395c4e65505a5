"""What is remembered of a Spotify app from run to run: calls of the day, refusals, and which endpoints it has.

Spotify counts calls of an app in development over a rolling day, says neither how many there are nor how many are
left, and shuts the app out for half a day when they are used up. So the calls are counted here.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from disco.errors import DiscoError
from disco.sources import storage
from disco.sources.services.spotify.errors import AppRefused, Later

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
    """A moment as a person reads it, in local time; the day is told where it is another."""
    there = datetime.fromtimestamp(moment)
    return there.strftime("%H:%M" if there.date() == datetime.fromtimestamp(time.time()).date() else "%Y-%m-%d %H:%M")


@dataclass
class State:
    """What is remembered of one app; every change is written at once.

    Attributes
    ----------
    client_id : str
    budget : int
        Calls in a rolling day.
    calls : list of float
        Moments of the calls of the last day, Unix time in s.
    shut : dict
        `since` and `until` when Spotify wants no call, and `why`.
    refused : dict
        `at` which moment all was refused, and the sentence `why`.
    may : dict
        By endpoint: `may` it be called, as seen `at` a moment.
    """

    client_id: str
    budget: int = BUDGET
    calls: list[float] = field(default_factory=list)
    shut: dict[str, Any] = field(default_factory=dict)
    refused: dict[str, Any] = field(default_factory=dict)
    may: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def read(cls, client_id: str) -> State:
        """What the file says of this app; what makes no sense there is forgotten."""
        said = _read().get(client_id)
        state = cls(client_id, budget())
        if not isinstance(said, dict):
            return state
        calls, shut, refused, may = (said.get(name) for name in ("calls", "shut", "refused", "may"))
        state.calls = [float(at) for at in calls if _moment(at)] if isinstance(calls, list) else []
        if isinstance(shut, dict) and _moment(shut.get("since")) and _moment(shut.get("until")):
            state.shut = shut
        if isinstance(refused, dict) and _moment(refused.get("at")):
            state.refused = refused
        if isinstance(may, dict):
            seen = {name: said for name, said in may.items() if isinstance(said, dict) and _moment(said.get("at"))}
            state.may = {name: said for name, said in seen.items() if isinstance(said.get("may"), bool)}
        return state

    def write(self) -> None:
        """Keep it, beside what is known of other apps."""
        own = {"calls": self.calls, "shut": self.shut, "refused": self.refused, "may": self.may}
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
        # A moment before which Spotify cannot have said it shows that the clock was set: then it may be asked anew.
        if self.shut and self.shut["since"] - 60 <= now < self.shut["until"]:
            raise Later(f"wants no call before {clock(self.shut['until'])} ({self.shut.get('why', 'a limit')})")
        if self.refused and 0 <= now - self.refused["at"] < REFUSED_S:
            again = clock(self.refused["at"] + REFUSED_S)
            raise AppRefused(f"{self.refused.get('why')} (seen at {clock(self.refused['at'])}; asked again {again})")
        if not self.left:
            recent = self._recent()
            free = recent[len(recent) - self.budget] + DAY_S if self.budget else now + DAY_S
            raise Later(
                f"the budget of {self.budget} calls a day is used up; it has room again at {clock(free)}, and what "
                "was gathered is kept (DISCO_SPOTIFY_BUDGET=N allows more, and risks half a day without any)"
            )

    def count(self) -> None:
        """Count a call before it is made: one that is cut off was made as well."""
        self.calls = [*self._recent(), time.time()]
        self.write()

    def close(self, seconds: float, why: str) -> None:
        """Remember that Spotify wants no call for so many seconds."""
        now = time.time()
        self.shut = {"since": now, "until": now + seconds, "why": why}
        self.write()

    def refuse(self, why: str) -> None:
        """Remember that all calls are refused, and why."""
        self.refused = {"at": time.time(), "why": why}
        self.write()

    def forgive(self) -> None:
        """Ask again at the next call, whatever was refused: the user says that something has changed."""
        self.refused = {}
        self.write()

    def known(self, name: str) -> bool | None:
        """Whether the app may call an endpoint; None where nobody knows, or not any more."""
        said = self.may.get(name)
        if said is None or not 0 <= time.time() - said["at"] < KNOWN_S:
            return None
        return bool(said["may"])

    def learn(self, name: str, may: bool) -> None:
        """Remember whether the app may call an endpoint."""
        if self.known(name) is not may:
            self.may[name] = {"may": may, "at": time.time()}
            self.write()


def forget() -> None:
    """Forget all but the calls and the moments of no call: they are nobody's data, and the next login needs them."""
    kept = {}
    for client_id in _read():
        state = State.read(client_id)
        kept[client_id] = {"calls": state.calls, "shut": state.shut}
    if kept:
        storage.write_atomic(path(), json.dumps(kept), private=True)


def _moment(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e11


def _read() -> dict[str, Any]:
    try:
        said = json.loads(path().read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
