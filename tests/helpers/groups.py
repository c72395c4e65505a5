"""Groups of tests that one worker of pytest-xdist runs, since they share what takes long to make.

`--dist loadgroup` would do, but pytest-xdist 3.8 marks groups in names of tests that pytest 9.2 no longer takes from
it (https://github.com/pytest-dev/pytest-xdist/issues/1386), and deals tests out as if they had none.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling


def _file() -> Path:
    return Path(os.environ["DISCO_TEST_MODELS"], "groups.json")


def write(items: list[pytest.Item]) -> None:
    """Save for the scheduler, which sees names of tests alone, the group of each test that has one."""
    marks = ((item.nodeid, item.get_closest_marker("xdist_group")) for item in items)
    _file().write_text(json.dumps({name: mark.args[0] for name, mark in marks if mark}), encoding="utf-8")


class GroupScheduling(LoadScopeScheduling):
    """Deals out groups as one, those of most tests first, and other tests one by one."""

    _groups: dict[str, str] | None = None

    def _split_scope(self, nodeid: str) -> Any:
        # Asked first when all workers have collected their tests.
        if self._groups is None:
            self._groups = json.loads(_file().read_text(encoding="utf-8"))
        return self._groups.get(nodeid, nodeid)
