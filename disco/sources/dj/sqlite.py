"""Databases of DJ programs in SQLite, opened read-only so that not even a lock file is written."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from disco.errors import DataError, NotFoundError

_MAGIC = b"SQLite format 3\0"
# Position of the file format in the header; 2 means that a write-ahead log lies beside the file.
_FORMAT, _WITH_LOG = 18, 2
# Seconds of the processor; 100,000 tracks take one. Views of a small file can join without end.
LONGEST_S = 20.0
# Steps of SQLite's machine between two looks at the clock.
_STEPS = 100_000


def is_sqlite(path: Path) -> bool:
    """Whether a file is an SQLite database; never raises."""
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except (OSError, ValueError):
        return False


@contextlib.contextmanager
def opened(path: Path, program: str) -> Iterator[sqlite3.Connection]:
    """The database, read-only.

    While another program writes to it, or where its last changes are in a file beside it, a copy is read.

    Parameters
    ----------
    path : Path
    program : str
        Whose database it should be, for messages.

    Raises
    ------
    NotFoundError, DataError
        With what is wrong with the file, also for errors of SQLite within the block.
    """
    header = _header(path)
    if not header.startswith(_MAGIC):
        raise DataError(path, "is no SQLite database" if header else "is empty")
    try:
        with tempfile.TemporaryDirectory(prefix="disco-") as folder:
            beside = [path.with_name(f"{path.name}-{end}") for end in ("wal", "journal")]
            copied = header[_FORMAT:] == bytes([_WITH_LOG]) or any(log.exists() for log in beside)
            connection = None if copied else _connected(path)
            if connection is None:
                for there in filter(Path.exists, (path, *beside)):
                    shutil.copyfile(there, Path(folder, there.name))
                connection = sqlite3.connect(Path(folder, path.name))
            with contextlib.closing(connection):
                connection.text_factory = lambda text: text.decode("utf-8", errors="replace")
                limit_time(connection)
                yield connection
    except OSError as error:
        raise DataError(path, f"cannot be read ({error.strerror})") from None
    # SQLite's message about a damaged schema need not be UTF-8.
    except (sqlite3.Error, UnicodeDecodeError) as error:
        if "interrupted" in str(error):
            raise DataError(
                path, f"takes more than {LONGEST_S:.0f} s to read, as no library of {program} does"
            ) from None
        hint = f"it is damaged, or {program} is writing to it: close {program} and try again"
        raise DataError(path, f"cannot be read as {program}'s library ({error}); {hint}") from None


def limit_time(connection: sqlite3.Connection) -> None:
    """Interrupt what SQLite does after `LONGEST_S` seconds of the processor."""
    deadline = time.process_time() + LONGEST_S
    connection.set_progress_handler(lambda: time.process_time() > deadline, _STEPS)


def tables_of(connection: sqlite3.Connection) -> set[str]:
    """Names of the tables of a database; views, which can compute anything, are none."""
    return {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def _header(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_FORMAT + 1)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a name that no file can have
        raise NotFoundError(f"{path}: there is no such file") from None
    except OSError as error:
        raise DataError(path, f"cannot be read ({error.strerror})") from None


def _connected(path: Path) -> sqlite3.Connection | None:
    """The database itself, as of now; None if another program has locked it."""
    connection = sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro", uri=True, timeout=0.2)
    try:
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        return None
    except (sqlite3.Error, UnicodeDecodeError):
        connection.close()
        raise
    return connection
