"""What tests need beyond the code, seen as it is used, so that the markers of `setup.cfg` stay true."""

from __future__ import annotations

import ipaddress
import socket
import subprocess
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import pytest

# Of markers whose need can be seen: what the tests since the last look did that asks for them.
USED: dict[str, str] = {}

_TRAINING = ("keras", "tensorflow")


def need(*modules: str) -> None:
    """Skip the test, or at module level the whole module, where one of the modules is not installed.

    Unlike `pytest.importorskip` it imports nothing, so that collecting tests stays fast.
    """
    for name in modules:
        if find_spec(name) is None:
            pytest.skip(f"needs {name}", allow_module_level=True)


def watch() -> None:
    """See from now on who starts processes, opens sockets or imports Keras; let nobody reach the internet."""
    bind, connect, start = socket.socket.bind, socket.socket.connect, subprocess.Popen.__init__

    def seen_bind(self: socket.socket, address: Any) -> None:
        USED["network"] = f"bound a socket to {address}"
        bind(self, address)

    def seen_connect(self: socket.socket, address: Any) -> None:
        USED["network"] = f"connected to {address}"
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_here(address[0]):
            raise AssertionError(f"a test reached for the network: {address}")
        connect(self, address)

    def seen_start(self: Any, command: Any, *rest: Any, **more: Any) -> None:
        USED["process"] = f"started {command if isinstance(command, str) else command[0]}"
        start(self, command, *rest, **more)

    socket.socket.bind = seen_bind  # type: ignore[method-assign]
    socket.socket.connect = seen_connect  # type: ignore[method-assign]
    subprocess.Popen.__init__ = seen_start  # type: ignore[method-assign]
    sys.meta_path.insert(0, _SeenImports())


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _SeenImports:
    """Finds nothing, and notes what was looked for."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name in _TRAINING:
            USED["train"] = f"imported {name}"
        return None
