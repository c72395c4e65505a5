"""Where DISCO keeps what is the user's: data and configuration; and files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import platformdirs

from disco.errors import DataError


def data() -> Path:
    """Folder of the user's models and libraries: `$DISCO_DATA`, or else the system's own place."""
    return Path(os.environ.get("DISCO_DATA") or platformdirs.user_data_dir("disco", appauthor=False))


def config() -> Path:
    """Folder of the user's logins: `$DISCO_CONFIG`, or else the system's own place."""
    return Path(os.environ.get("DISCO_CONFIG") or platformdirs.user_config_dir("disco", appauthor=False))


def cache() -> Path:
    """Folder of what can be worked out again: `$DISCO_CACHE`, or else the system's own place."""
    return Path(os.environ.get("DISCO_CACHE") or platformdirs.user_cache_dir("disco", appauthor=False))


def keep(path: Path, text: str) -> None:
    """Write a text that is nobody else's business beside its place, readable by its owner alone, and move it there.

    Raises
    ------
    DataError
        If it cannot be written: no space, no permission. What was there before is still there.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside.unlink(missing_ok=True)
        # Created closed: what is opened first and closed later can be read in between.
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        beside.replace(path)
    except OSError as error:
        raise DataError(path, f"cannot be written ({error.strerror})") from None
    finally:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
