"""Answers of services and the waits they asked for, stored for later runs in one SQLite file."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import time
from collections.abc import Iterator
from typing import Any

from disco.sources import storage

# How long and how many answers are stored; similar recordings are computed anew now and then.
MAX_AGE_S = 14 * 24 * 3600
MAX_ANSWERS = 2000
# A stored wait that is longer is no answer of a sane server.
MAX_WAIT_S = 7 * 24 * 3600.0
# Without a disk to store on, or with a damaged file, everything is asked anew: that is no reason to stop.
_ERRORS = (OSError, sqlite3.Error, ValueError)
# Waits of this run, should the file not be there for the next request.
_blocked_until: dict[str, float] = {}


@contextlib.contextmanager
def _open() -> Iterator[sqlite3.Connection]:
    """The database, in a file that only its owner can read: a seed tells what somebody listens to."""
    path = storage.user_data_dir() / "answers.sqlite"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    database = sqlite3.connect(path, timeout=1.0)
    try:
        with database:
            database.execute("CREATE TABLE IF NOT EXISTS answers (question TEXT PRIMARY KEY, at REAL, said TEXT)")
            database.execute("CREATE TABLE IF NOT EXISTS later (service TEXT PRIMARY KEY, at REAL, until REAL)")
            yield database
    finally:
        database.close()


def find(question: str) -> Any:
    """The stored JSON answer to a request; None where there is none of the last two weeks."""
    now = time.time()
    with contextlib.suppress(*_ERRORS), _open() as database:
        row = database.execute("SELECT at, said FROM answers WHERE question = ?", (question,)).fetchone()
        if row and now - MAX_AGE_S < row[0] <= now:
            return json.loads(row[1])
    return None


def add(question: str, answer: Any) -> None:
    """Store an answer, and remove old ones and those beyond `MAX_ANSWERS`."""
    now = time.time()
    with contextlib.suppress(*_ERRORS), _open() as database:
        database.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", (question, now, json.dumps(answer)))
        database.execute("DELETE FROM answers WHERE at < ? OR at > ?", (now - MAX_AGE_S, now))
        newest = "SELECT question FROM answers ORDER BY at DESC LIMIT ?"
        database.execute(f"DELETE FROM answers WHERE question NOT IN ({newest})", (MAX_ANSWERS,))  # noqa: S608


def block(url: str, seconds: float) -> None:
    """Store that a service accepts no request for so many seconds."""
    now = time.time()
    _blocked_until[url] = now + seconds
    with contextlib.suppress(*_ERRORS), _open() as database:
        database.execute("INSERT OR REPLACE INTO later VALUES (?, ?, ?)", (url, now, now + seconds))


def blocked_for(url: str) -> float:
    """Seconds for which a service accepts no request; 0 if it does."""
    now = time.time()
    until = _blocked_until.get(url, 0.0)
    with contextlib.suppress(*_ERRORS), _open() as database:
        row = database.execute("SELECT at, until FROM later WHERE service = ?", (url,)).fetchone()
        if row and row[0] <= now:  # else the clock was set back since, and the entry means nothing
            until = max(until, float(row[1]))
    left = until - now
    return left if 0 < left <= MAX_WAIT_S else 0.0
