"""The audio files in a folder and the folders in it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from disco.sources.audio import ape

# What the reader of tags does not know, and what is named instead of passed over.
UNREAD = (".aac", ".dff", ".dsf", ".mka")
# What it knows, without what holds pictures too.
SUFFIXES = (
    *".mp3 .mp2 .oga .ogg .opus .spx .wav .wave .flac .wma .m4b .m4a .m4p .mp4 .aiff .aifc .aif".split(),
    *ape.SUFFIXES,
    *UNREAD,
)


def find(where: Path, problems: dict[str, list[Path]], suffixes: Sequence[str] = SUFFIXES) -> Iterator[Path]:
    """Files of these suffixes at a place, hidden ones left out; links to folders are followed, each folder once.

    Parameters
    ----------
    where : Path
        A file, which is taken whatever it is called, or a folder.
    problems : dict
        Gets the folders that cannot be opened, by the reason.
    """
    if not where.is_dir():
        yield where
        return
    seen: set[tuple[int, int]] = set()
    system = _system_devices()
    if where.stat().st_dev in system:  # it was asked for
        system = set()
    waiting = [where]
    while waiting:
        folder = waiting.pop()
        try:
            stat = folder.stat()
            if stat.st_dev in system:
                problems.setdefault("of the system, not of files", []).append(folder)
                continue
            if (stat.st_dev, stat.st_ino) in seen:  # a link back, or a second one to the same folder
                continue
            seen.add((stat.st_dev, stat.st_ino))
            with os.scandir(folder) as entries:
                here = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            problems.setdefault(f"cannot be opened ({error.strerror})", []).append(folder)
            continue
        below = []
        for entry in here:
            if entry.name.startswith("."):
                continue
            try:
                if entry.is_dir():
                    below.append(folder / entry.name)
                elif entry.is_file() and entry.name.lower().endswith(tuple(suffixes)):
                    yield folder / entry.name
            except OSError as error:  # a link that leads to itself
                problems.setdefault(f"cannot be opened ({error.strerror})", []).append(folder / entry.name)
        waiting += reversed(below)


def _system_devices() -> set[int]:
    """Devices of what looks like folders but is the system itself; a link may lead there from a folder of music."""
    found = set()
    for name in ("/proc", "/sys", "/dev"):
        with contextlib.suppress(OSError):
            found.add(os.stat(name).st_dev)  # noqa: PTH116 - no such path on Windows
    with contextlib.suppress(OSError):
        found.discard(os.stat("/").st_dev)  # noqa: PTH116
    return found
