"""The folders where DISCO stores the user's own files, and atomic writing.

A file is written under a temporary name in the same folder and then renamed, so that a reader sees the old content
or the new content, never a part of it.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import platformdirs

from disco.errors import DataError


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
    return Path(os.environ.get("DISCO_DATA") or platformdirs.user_data_dir("disco", appauthor=False))


def user_config_dir() -> Path:
    """Return the folder of the user's logins and settings.

    Returns
    -------
    Path
        `$DISCO_CONFIG`, or the operating system's usual folder for configuration. It need not exist.
    """
    return Path(os.environ.get("DISCO_CONFIG") or platformdirs.user_config_dir("disco", appauthor=False))


def user_cache_dir() -> Path:
    """Return the folder of files that can be computed again.

    Returns
    -------
    Path
        `$DISCO_CACHE`, or the operating system's usual folder for caches. It need not exist.
    """
    return Path(os.environ.get("DISCO_CACHE") or platformdirs.user_cache_dir("disco", appauthor=False))


@contextlib.contextmanager
def atomic_file(path: Path, private: bool = False) -> Iterator[Path]:
    """Give a temporary path beside `path`, and rename it to `path` when the block ends without an error.

    Parameters
    ----------
    path : Path
        The file to write. An existing file is replaced.
    private : bool
        Create the temporary file readable by its owner only (mode 0600), and the folder (0700) if it is missing.

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
    temporary = path.with_name(f".disco-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        if private:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The mode is set at creation: a file that is closed to others afterwards can be read in between.
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o666))
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise DataError(path, f"cannot be written ({error.strerror or error})") from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


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
