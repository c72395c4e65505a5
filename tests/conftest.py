"""Fixtures of all tests, and what keeps a test from what belongs to the person who runs it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

pytest.register_assert_rewrite("helpers")

from helpers.catalogues import SHARED, random_catalogue  # noqa: E402 - after their asserts are made readable
from helpers.spotify import start  # noqa: E402, F401 - a fixture

from disco.catalogue import Catalogue  # noqa: E402

# These machines are shared: how long an example takes says nothing of the code.
settings.register_profile("shared", deadline=None)
settings.load_profile("shared")


@pytest.fixture(autouse=True)
def _own_data(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test folders of its own, so that the models and logins of who runs it play no part."""
    monkeypatch.setenv("DISCO_DATA", str(tmp_path_factory.getbasetemp() / "nobodys"))
    monkeypatch.setenv("DISCO_CONFIG", str(tmp_path_factory.getbasetemp() / "nobodys-logins"))
    monkeypatch.setenv("DISCO_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(autouse=True)
def _time_zone() -> Iterator[None]:
    """Set the time zone back after a test that changed it."""
    before = os.environ.get("TZ")
    yield
    os.environ.pop("TZ", None)
    os.environ.update({"TZ": before} if before is not None else {})
    time.tzset()


@pytest.fixture
def shared() -> Path:
    """Folder of the real tracks and playlists; tests that need it are skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"the real data is not here ({SHARED.parent.name}/{SHARED.name} beside the project)")
    return SHARED


@pytest.fixture
def make() -> Callable[..., Catalogue]:
    """The maker of random catalogues."""
    return random_catalogue
