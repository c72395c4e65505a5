"""Fixtures of all tests, and what keeps a test from what belongs to the person who runs it."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# The workers of pytest-xdist share the cores: threads of each would only wait for those of the others.
for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ.setdefault(_variable, "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

pytest.register_assert_rewrite("helpers")

from helpers import groups, needs  # noqa: E402 - after their asserts are made readable
from helpers.catalogues import SHARED, random_catalogue  # noqa: E402
from helpers.spotify import start  # noqa: E402, F401 - a fixture

from disco.catalogue import Catalogue  # noqa: E402

# `make check` uses the first, everything else the second. Machines are shared, so no example has a deadline.
settings.register_profile("fast", deadline=None, max_examples=10, derandomize=True)
settings.register_profile("thorough", deadline=None)
settings.load_profile("thorough")

_NUMBERS = itertools.count()
# Fixtures whose tests need what a marker names.
NEEDS = {"shared": "data", "start": "network"}


def pytest_configure(config: pytest.Config) -> None:
    """Give the workers of pytest-xdist one folder for what they train, and watch what tests use."""
    if not hasattr(config, "workerinput"):
        os.environ["DISCO_TEST_MODELS"] = tempfile.mkdtemp(prefix="disco-tests-")
    needs.watch()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the folder of trained models."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop("DISCO_TEST_MODELS"), ignore_errors=True)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One more than there are cores, since tests wait for processes, servers and the browser."""
    return (os.cpu_count() or 1) + 1


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> groups.GroupScheduling:
    """Keep the tests of a group on one worker."""
    return groups.GroupScheduling(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark tests by their fixtures; run what trains first, each file on one worker, since it takes longest."""
    for item in items:
        for fixture in getattr(item, "fixturenames", ()):
            if fixture in NEEDS:
                item.add_marker(NEEDS[fixture])
        if item.get_closest_marker("train"):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
    items.sort(key=lambda item: item.get_closest_marker("train") is None)
    if getattr(config, "workerinput", {}).get("workerid") == "gw0":
        groups.write(items)


@pytest.fixture(autouse=True)
def _markers_are_true(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that needs more than its markers say. TensorFlow and kernels start processes and open sockets."""
    needs.USED.clear()
    yield
    for marker, use in needs.USED.items():
        if not any(request.node.get_closest_marker(name) for name in (marker, "train", "notebook")):
            pytest.fail(f"the test {use}: mark it `{marker}`", pytrace=False)


@pytest.fixture(autouse=True)
def _own_data(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test folders of its own, so that the models and logins of who runs it play no part."""
    base = tmp_path_factory.getbasetemp()
    monkeypatch.setenv("DISCO_DATA", str(base / "data"))
    monkeypatch.setenv("DISCO_CONFIG", str(base / "config"))
    # Numbered here: `mktemp` reads the folder of all caches each time, which takes longer with every test.
    monkeypatch.setenv("DISCO_CACHE", str(base / "caches" / str(next(_NUMBERS))))


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
