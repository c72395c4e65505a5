"""Folders of several files that are replaced at once: the old ones or the new ones are there, never some of both."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

# From linux/fs.h and sys/stdio.h of macOS: exchange two names in one step.
_LINUX_EXCHANGE, _MACOS_SWAP, _HERE = 2, 2, -100


@contextlib.contextmanager
def folder_beside(folder: Path) -> Iterator[Path]:
    """A new folder for what is to replace a folder, in a temporary one beside it, which is removed at the end.

    What a killed process left of such is removed too, so that the caller must hold the lock of the folder.

    Raises
    ------
    OSError
        If it cannot be made.
    """
    recover(folder)
    left = re.compile(re.escape(f".{folder.name}.") + r"\w{8}")
    for path in folder.parent.iterdir():
        if left.fullmatch(path.name) and path.is_dir() and {one.name for one in path.iterdir()} <= {"new"}:
            shutil.rmtree(path, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as beside:
        fresh = Path(beside, "new")
        fresh.mkdir()
        yield fresh


def replace_folder(fresh: Path, folder: Path) -> None:
    """Put a folder in the place of another, which afterwards lies where the new one was, or is gone.

    Where the system can exchange two names, both are there at every moment. Elsewhere the old one is renamed first;
    if the process is killed then, `recover` brings it back.

    Raises
    ------
    OSError
        If it cannot be done; the old one is then in its place.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as base:
    ...     for name in ("old", "new"):
    ...         Path(base, name).mkdir()
    ...         _ = Path(base, name, "a.txt").write_text(name)
    ...     replace_folder(Path(base, "new"), Path(base, "old"))
    ...     Path(base, "old", "a.txt").read_text()
    'new'
    """
    if not folder.exists():
        fresh.rename(folder)
        return
    folder = folder.resolve()  # of a link what it leads to is replaced
    if exchange(fresh, folder):
        return
    before = _before(folder)
    shutil.rmtree(before, ignore_errors=True)
    folder.rename(before)
    try:
        fresh.rename(folder)
    except OSError:
        before.rename(folder)
        raise
    shutil.rmtree(before, ignore_errors=True)


def recover(folder: Path) -> None:
    """Bring back a folder whose replacement was killed between its two renames."""
    with contextlib.suppress(OSError):
        if not folder.exists() and _before(folder).is_dir():
            _before(folder).rename(folder)


def _before(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.before")


def exchange(one: Path, other: Path) -> bool:
    """Exchange the names of two folders in one step; False where the system cannot."""
    try:
        names = os.fsencode(one), os.fsencode(other)
        library = ctypes.CDLL(None, use_errno=True)
        if platform.system() == "Linux":
            return bool(library.renameat2(_HERE, names[0], _HERE, names[1], _LINUX_EXCHANGE) == 0)
        if platform.system() == "Darwin":
            return bool(library.renamex_np(*names, _MACOS_SWAP) == 0)
    except (AttributeError, OSError, TypeError):  # an older C library, or Windows
        pass
    return False
