"""A machine on which DISCO is logged in to the fake Spotify, whose clock it goes by."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from helpers.fake import Spotify

Start = Callable[..., Spotify]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Start]:
    """Starts the fake in a scenario; what DISCO keeps lies in the test's folders, and waiting takes no time."""
    monkeypatch.setenv("DISCO_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("DISCO_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("DISCO_SPOTIFY_BUDGET", "100000")
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    with ExitStack() as stack:

        def begin(
            scenario: str = "development-2026", login: bool = True, sockets: bool = False, **changes: Any
        ) -> Spotify:
            changes = {"tracks": 400, "saved": 130, **changes}
            fake = Spotify(scenario, **changes)
            stack.enter_context(fake.listen() if sockets else fake)
            monkeypatch.setenv("DISCO_SPOTIFY_API", fake.api_url)
            monkeypatch.setenv("DISCO_SPOTIFY_ACCOUNTS", fake.url)
            monkeypatch.setattr("time.time", fake.clock.now)
            monkeypatch.setattr("time.sleep", fake.clock.advance)
            if login:
                log_in(fake)
            return fake

        yield begin


def log_in(fake: Spotify) -> None:
    """Keep a token of the fake as `disco spotify login` would, without a browser."""
    from disco.sources.services.spotify import tokens  # what speaks to the network takes a while to load

    token = fake.grant(" ".join(tokens.SCOPES))
    now = time.time()
    tokens.save({**token, "client_id": fake.client_id, "expires_at": now + token["expires_in"], "authorized_at": now})


class Killed(BaseException):
    """Stands for a process that is no more."""


def kill(monkeypatch: pytest.MonkeyPatch, at: int, after: bool) -> Callable[[], int]:
    """Let the process end at its nth request, before it is sent or after its answer; says how many there were."""
    from requests.adapters import HTTPAdapter

    true, sent = HTTPAdapter.send, [0]

    def send(self: HTTPAdapter, request: Any, **rest: Any) -> Any:
        sent[0] += 1
        if sent[0] == at and not after:
            raise Killed
        answer = true(self, request, **rest)
        if sent[0] == at:
            raise Killed
        return answer

    monkeypatch.setattr(HTTPAdapter, "send", send)
    return lambda: sent[0]
