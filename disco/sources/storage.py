"""The folders where DISCO stores the user's own files, locks for them, and atomic writing.

A file is written under a temporary name in the same folder and then renamed, so that a reader sees the old content
or the new content, never a part of it. Whoever reads something to change it holds its lock meanwhile (`locked`).
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import platformdirs

from disco.errors import DataError, DiscoError
from disco.sources.locks import is_free, lock_file, locked

__all__ = [
    "atomic_file",
    "locked",
    "make_private_folder",
    "remove",
    "user_cache_dir",
    "user_config_dir",
    "user_data_dir",
    "write_atomic",
]

# How temporary files begin; what a killed process left is found by it.
TEMPORARY = ".disco-"
# A temporary file that is older than this was left by a killed process, where no lock tells.
_STALE_S = 3600.0
# Folders in which this process has looked for such files already.
_swept: set[Path] = set()
# Descriptors that lock temporary files as long as this process lives.
_kept: list[int] = []


def user_data_dir() -> Path:
    """Return the folder of the user's models and libraries.

    Returns
    -------
    Path
        `$DISCO_DATA`, or the operating system's usual folder for application data. It need not exist.

    Examples
    --------
    >>> import os
    >>> os.environ["DISCO_DATA"] = "/tmp/disco"
    >>> user_data_dir().as_posix()
    '/tmp/disco'
    >>> del os.environ["DISCO_DATA"]
    """
    return _folder("DISCO_DATA", platformdirs.user_data_dir)


def user_config_dir() -> Path:
    """Return the folder of the user's logins and settings.

    Returns
    -------
    Path
        `$DISCO_CONFIG`, or the operating system's usual folder for configuration. It need not exist.
    """
    return _folder("DISCO_CONFIG", platformdirs.user_config_dir)


def user_cache_dir() -> Path:
    """Return the folder of files that can be computed again.

    Returns
    -------
    Path
        `$DISCO_CACHE`, or the operating system's usual folder for caches. It need not exist.
    """
    return _folder("DISCO_CACHE", platformdirs.user_cache_dir)


def _folder(variable: str, usual: Callable[..., str]) -> Path:
    """The folder that a variable names, or else the system's usual one, which whoever has no home has not."""
    if given := os.environ.get(variable):
        return Path(given)
    try:
        return Path(usual("disco", appauthor=False))
    except RuntimeError:
        raise DiscoError(
            "the user who runs this has no home folder; set HOME, or DISCO_DATA, DISCO_CONFIG and DISCO_CACHE"
        ) from None


def make_private_folder(folder: Path) -> None:
    """Make a folder and the missing ones above it, each for its owner only (0700), whatever the umask is.

    Raises
    ------
    OSError
        If one cannot be made.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     make_private_folder(Path(folder, "disco", "spotify"))
    ...     oct(Path(folder, "disco").stat().st_mode & 0o777)
    '0o700'
    """
    for one in reversed([folder, *folder.parents]):
        if not one.is_dir():
            one.mkdir(mode=0o700, exist_ok=True)


@contextlib.contextmanager
def atomic_file(path: Path, private: bool = False) -> Iterator[Path]:
    """Give a temporary path beside `path`, and rename it to `path` when the block ends without an error.

    Parameters
    ----------
    path : Path
        The file to write. An existing file is replaced.
    private : bool
        Create the temporary file readable by its owner only (mode 0600), and missing folders too (0700).

    Yields
    ------
    Path
        An empty file in the same folder, to be opened and written by the caller.

    Raises
    ------
    DataError
        If the file cannot be written. `path` is then unchanged.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "a.txt")
    ...     with atomic_file(path) as temporary:
    ...         _ = temporary.write_text("whole")
    ...     path.read_text()
    'whole'
    """
    held = None
    temporary = path
    try:
        if private:
            make_private_folder(path.parent)
        _sweep(path.parent)
        temporary, held = _new_file(path.parent, 0o600 if private else 0o666)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise DataError(path, f"cannot be written ({reason_of(error)})") from None
    finally:
        if temporary != path:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
        if held is not None:
            os.close(held)


def reason_of(error: OSError) -> str:
    """Why the system refused, in its own words, which Arrow puts into longer ones.

    Examples
    --------
    >>> reason_of(OSError(28, "Error writing bytes to file. Detail: [errno 28] No space left on device"))
    'No space left on device'
    """
    return os.strerror(error.errno) if error.errno else str(error.strerror or error)


def _new_file(folder: Path, mode: int) -> tuple[Path, int | None]:
    """A new empty file, and where the system allows it a descriptor that locks it as long as this process lives."""
    while True:
        path = folder / f"{TEMPORARY}{os.getpid()}-{secrets.token_hex(4)}"
        # The mode is set at creation: a file that is closed to others afterwards can be read in between. Created
        # exclusively, so that no link that somebody put there is followed.
        held = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        if os.name == "nt":  # there nothing that is open can be renamed
            os.close(held)
            return path, None
        try:
            if lock_file(held) and path.exists():
                return path, held
        except OSError:  # a file system without locks
            return path, held
        os.close(held)  # swept by another process, before it was locked


def new_temporary_file(folder: Path) -> Path:
    """A new empty file for its owner only, which the next process removes if this one is killed.

    Raises
    ------
    OSError
        If it cannot be made.
    """
    _sweep(folder)
    path, held = _new_file(folder, 0o600)
    if held is not None:
        _kept.append(held)
    return path


def _sweep(folder: Path) -> None:
    """Remove temporary files in a folder whose process was killed, once in the life of this process."""
    if folder in _swept:
        return
    _swept.add(folder)
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(TEMPORARY) and entry.is_file(follow_symlinks=False):
                sweep_file(Path(entry))


def sweep_file(path: Path) -> None:
    """Remove a temporary file unless the process that writes it is alive."""
    with contextlib.suppress(OSError):
        if os.name == "nt":  # there it is not locked
            if time.time() - path.stat().st_mtime > _STALE_S:
                path.unlink()
            return
        held = os.open(path, os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0))
        try:
            if is_free(held, path):
                path.unlink(missing_ok=True)
        finally:
            os.close(held)


def write_atomic(path: Path, content: str | bytes, private: bool = False) -> None:
    """Write a file completely or not at all.

    Parameters
    ----------
    path : Path
        The file to write. An existing file is replaced.
    content : str or bytes
        Text is encoded as UTF-8 without changing line ends; half characters (lone surrogates) become "?".
    private : bool
        Make the file readable by its owner only (mode 0600), and create the folder (0700) if it is missing.

    Raises
    ------
    DataError
        If the file cannot be written, for example on a full disk. What was there before is unchanged.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_atomic(Path(folder, "token.json"), "{}", private=True)
    ...     oct(Path(folder, "token.json").stat().st_mode & 0o777)
    '0o600'
    """
    data = content.encode("utf-8", "replace") if isinstance(content, str) else content
    with atomic_file(path, private) as temporary:
        temporary.write_bytes(data)


def remove(path: Path) -> bool:
    """Remove a file of the user's; whether there was one.

    Raises
    ------
    DataError
        If it cannot be removed.

    Examples
    --------
    >>> remove(Path("no such file"))
    False
    """
    try:
        there = path.exists()
        path.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(path, f"cannot be removed ({error.strerror})") from None
    return there
