"""Measurements of sounds, stored in one SQLite file by a hash of the sound itself.

New tags or another file name change nothing. The file is `measurements.sqlite` in `$DISCO_CACHE/audio`, or else in
the user's cache folder; several processes may use it at once. A second table remembers the hash of each file by its
path, size and time, so that a folder that did not change is not read through again. Entries of earlier versions, two
small files a track in the same folder, are still found.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import re
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from disco.errors import DataError
from disco.sources import storage

log = logging.getLogger(__name__)
# Raised when any method of the analysis changes.
VERSION = 1
# How long a process waits while another one writes.
_TIMEOUT_S = 10.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS sounds (hash TEXT PRIMARY KEY, version INTEGER, measured TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (fingerprint TEXT PRIMARY KEY, hash TEXT) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Measured:
    """Measurements of a recording; None is unknown. Units and ranges as in `disco.catalogue.SCHEMA`."""

    tempo_bpm: float | None = None
    tempo_confidence: float | None = None
    key: int | None = None
    mode: int | None = None
    key_confidence: float | None = None
    loudness: float | None = None
    energy: float | None = None
    acousticness: float | None = None
    danceability: float | None = None


_RANGES = {"tempo_bpm": (10, 1000), "key": (0, 11), "mode": (0, 1), "loudness": (-70, 10)}


class Cache:
    """The stored measurements of a folder; safe to use from several threads and processes.

    A damaged database is renamed to `measurements.sqlite.damaged`, with a warning, and a new one is begun.

    Parameters
    ----------
    folder : Path, optional
        `user_cache()` by default.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, Cache(Path(folder)) as cache:
    ...     cache.add("0" * 40, Measured(tempo_bpm=128.0))
    ...     cache.find("0" * 40).tempo_bpm
    128.0
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = user_cache() if folder is None else folder
        self.path = self.folder / "measurements.sqlite"
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None
        self._has_old_entries = _has_old_entries(self.folder)

    def __enter__(self) -> Cache:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database; it is opened again when it is needed."""
        with self._lock:
            self._close()

    def find(self, name: str) -> Measured | None:
        """The measurements of a sound by its hash; None if there are none that can be used."""
        row = self._row("SELECT version, measured FROM sounds WHERE hash = ?", name)
        if row is not None:
            return _measured(*row)
        if self._has_old_entries and (old := _old_entry(self.folder / f"{name}.json")) is not None:
            with contextlib.suppress(DataError):
                self.add(name, old)
            return old
        return None

    def add(self, name: str, sound: Measured) -> None:
        """Store the measurements of a sound.

        Raises
        ------
        DataError
            If the database cannot be written, for example on a full disk.
        """
        self._write("INSERT OR REPLACE INTO sounds VALUES (?, ?, ?)", (name, VERSION, json.dumps(asdict(sound))))

    def find_hash(self, fingerprint: str) -> str | None:
        """The stored hash of the sound in a file, None if there is none."""
        row = self._row("SELECT hash FROM files WHERE fingerprint = ?", fingerprint)
        if row is None and self._has_old_entries:
            with contextlib.suppress(OSError, ValueError):
                row = ((self.folder / f"{fingerprint}.hash").read_text(encoding="ascii"),)
        return row[0] if row and isinstance(row[0], str) and re.fullmatch("[0-9a-f]{40}", row[0]) else None

    def add_hash(self, fingerprint: str, name: str) -> None:
        """Store the hash of the sound in a file; raises as `add`."""
        self._write("INSERT OR REPLACE INTO files VALUES (?, ?)", (fingerprint, name))

    def _row(self, query: str, key: str) -> tuple[Any, ...] | None:
        try:
            return self._execute(query, (key,), create=False)
        except (OSError, sqlite3.Error):  # measured anew
            return None

    def _write(self, statement: str, values: Sequence[Any]) -> None:
        try:
            self._execute(statement, values, create=True)
        except OSError as error:
            raise DataError(self.path, f"cannot be written ({error.strerror})") from None
        except sqlite3.Error as error:
            raise DataError(self.path, f"cannot be written ({error})") from None

    def _execute(self, statement: str, values: Sequence[Any], create: bool) -> tuple[Any, ...] | None:
        with self._lock:
            for _ in range(2):
                try:
                    if self._database is None and not create and not self.path.exists():
                        return None
                    row: tuple[Any, ...] | None = self._open().execute(statement, values).fetchone()
                    return row
                except sqlite3.OperationalError:  # locked, full, not allowed: no damage
                    raise
                except (
                    sqlite3.DatabaseError,
                    UnicodeDecodeError,
                ) as error:  # of a message
                    self._set_aside(error)
            return None

    def _open(self) -> sqlite3.Connection:
        if self._database is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            # Without isolation level each statement is a transaction of its own, so that nothing is lost when killed.
            database = sqlite3.connect(self.path, _TIMEOUT_S, isolation_level=None, check_same_thread=False)
            self._database = database
            # With a write-ahead log readers never wait, and a commit need not wait for the disk.
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            database.executescript(_SCHEMA)
        return self._database

    def _close(self) -> None:
        if self._database is not None:
            with contextlib.suppress(sqlite3.Error):
                self._database.close()
            self._database = None

    def _set_aside(self, error: Exception) -> None:
        self._close()
        aside = self.path.with_name(f"{self.path.name}.damaged")
        log.warning("%s", f"{self.path}: is damaged ({error}); it is now {aside.name}, and sounds are measured anew")
        self.path.replace(aside)
        for end in ("-wal", "-shm"):
            self.path.with_name(self.path.name + end).unlink(missing_ok=True)


def user_cache() -> Path:
    """Folder of the measurements: `$DISCO_CACHE/audio`, or else `audio` in the user's cache folder."""
    return storage.user_cache_dir() / "audio"


def _has_old_entries(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return any(entry.name.endswith((".json", ".hash")) for entry in entries)
    except OSError:
        return False


def _old_entry(path: Path) -> Measured | None:
    """What an earlier version stored of a sound in a file of its own."""
    try:
        entry = json.loads(path.read_text(encoding="utf-8"))
        return _measured(entry["version"], json.dumps(entry["sound"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _measured(version: object, text: object) -> Measured | None:
    """A stored entry; None if it is of another version of the analysis, or holds an impossible value."""
    try:
        stored = json.loads(text) if isinstance(text, str) and version == VERSION else None
        values = {field.name: stored[field.name] for field in fields(Measured)} if stored is not None else {}
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    for field, value in values.items():
        low, high = _RANGES.get(field, (0, 1))
        whole = field in ("key", "mode")
        if value is not None and (
            type(value) not in ((int,) if whole else (int, float))
            or not math.isfinite(value)
            or not low <= value <= high
        ):
            return None
    return Measured(**values) if values and (values["key"] is None) == (values["mode"] is None) else None
