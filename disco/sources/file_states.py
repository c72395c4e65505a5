"""States of files: what stays the same for as long as a file is as it was.

A file is as it was while its device, inode, size and both of its times are: that of the last change of what it
contains, which programs can set, and that of the last change of anything, which they cannot. Source: Git's
Documentation/technical/racy-git.
"""

from __future__ import annotations

import os
from pathlib import Path

# Device, inode, size, and times of the last change of the content and of anything, in nanoseconds.
State = tuple[int, int, int, int, int]


def state_of(path: Path) -> State | None:
    """State of a file; None if it cannot be opened.

    Examples
    --------
    >>> state_of(Path("no such file")) is None
    True
    """
    try:
        with path.open("rb") as file:  # on a network file system, opening asks the server how it is
            return state_of_open(file.fileno())
    except (OSError, ValueError):
        return None


def state_of_open(descriptor: int) -> State:
    """State of an open file."""
    about = os.fstat(descriptor)
    return about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns
