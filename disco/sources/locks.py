"""One lock for every file or folder that processes read in order to change it.

The lock of `library` is the file `.library.lock` beside it, which names its holder. The operating system releases it
when the process ends, however it ends, so that nothing has to be cleaned up after a kill.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from disco.errors import DataError

# A second process waits so long for the first, which mostly is done by then.
WAIT_S = 10.0
_POLL_S = 0.02
# A file of unfinished work that is older than this was left by a killed process, where locks cannot tell.
_STALE_S = 3600.0
# Locks that this process holds, by the thread and how many times.
_held: dict[Path, tuple[int, int]] = {}


class Busy(DataError):
    """Another process is at work on it."""


@contextlib.contextmanager
def locked(path: Path, wait_s: float = WAIT_S) -> Iterator[None]:
    """Hold the lock of a file or folder, which need not exist; a thread may hold it several times.

    Where the file system knows no locks, nothing is held.

    Parameters
    ----------
    path : Path
        The missing folders above it are made, for their owner only.
    wait_s : float
        How long to wait in s while another process holds it.

    Raises
    ------
    Busy
        If another process still holds it then; the sentence names it.
    DataError
        If the file of the lock cannot be made.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with locked(Path(folder, "library")), locked(Path(folder, "library")):
    ...         print([path.name for path in Path(folder).iterdir()])
    ...     print([path.name for path in Path(folder).iterdir()])
    ['.library.lock']
    []
    """
    path = path.absolute()
    thread = threading.get_ident()
    owner, times = _held.get(path, (thread, 0))
    if times and owner == thread:
        try:
            _held[path] = (thread, times + 1)
            yield
        finally:
            _held[path] = (thread, times)
        return
    file, held = path.with_name(f".{path.name}.lock"), -1
    try:
        held = _wait(path, file, time.monotonic() + wait_s)
        _held[path] = (thread, 1)
        yield
    finally:
        if held >= 0:
            _held.pop(path, None)
            with contextlib.suppress(OSError):
                file.unlink()  # while it is locked; who waits for it notices that it is another file now
            os.close(held)


def _wait(path: Path, file: Path, until: float) -> int:
    """The descriptor of the locked file."""
    while True:
        try:
            for folder in reversed(file.parents):
                if not folder.is_dir():
                    folder.mkdir(mode=0o700, exist_ok=True)
            held = os.open(file, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        except PermissionError as error:
            if os.name != "nt" or time.monotonic() >= until:  # there a file that is being removed is refused
                raise DataError(path, f"cannot be written ({error.strerror})") from None
            time.sleep(_POLL_S)
            continue
        except OSError as error:
            raise DataError(path, f"cannot be written ({error.strerror})") from None
        try:
            try:
                if not lock_file(held):
                    busy = True
                elif busy := not _same(held, file):  # its holder removed it when it was done
                    os.close(held)
                    continue
            except OSError:  # a file system without locks
                busy = False
            if not busy:
                with contextlib.suppress(OSError):
                    os.truncate(held, 0)
                    os.write(held, json.dumps({"process": os.getpid(), "since": time.time()}).encode())
                return held
        except BaseException:  # an interrupted wait leaves no lock behind
            os.close(held)
            raise
        os.close(held)
        if time.monotonic() >= until:
            raise Busy(path, f"is in use by another DISCO{_holder(file)}; wait until it is done, and try again")
        time.sleep(_POLL_S)


def _holder(file: Path) -> str:
    """Who holds a lock, in brackets; empty where that cannot be read."""
    try:
        holder = json.loads(file.read_bytes()[:1000])
        since = time.strftime("%H:%M", time.localtime(float(holder["since"])))
        return f" (process {int(holder['process'])}, at work since {since})"
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return ""


def _same(held: int, path: Path) -> bool:
    """Whether an open file is still the one at a path."""
    try:
        there, here = path.lstat(), os.fstat(held)
    except OSError:
        return False
    return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)


def is_free(held: int, path: Path) -> bool:
    """Whether nobody holds the lock of an open file; where locks cannot tell, whether it is old."""
    try:
        return lock_file(held) and _same(held, path)
    except OSError:
        return time.time() - os.fstat(held).st_mtime > _STALE_S


def lock_file(held: int) -> bool:
    """Lock an open file until it is closed; False if another process or descriptor has it locked.

    Raises
    ------
    OSError
        If the file system knows no locks.
    """
    if os.name == "nt":
        import msvcrt

        here = os.lseek(held, 0, os.SEEK_CUR)
        os.lseek(held, 1 << 30, os.SEEK_SET)  # beyond the content, which stays readable
        try:
            msvcrt.locking(held, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except PermissionError:
            return False
        finally:
            os.lseek(held, here, os.SEEK_SET)
        return True
    import fcntl

    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
