"""Histories of any DJ program: files and folders of what was played, read into sets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from disco.errors import DataError, DiscoError, NotFoundError
from disco.sources.dj import engine, mixxx, rekordbox, serato, sqlite, traktor, virtualdj
from disco.sources.files import play_tables
from disco.sources.files.decoding import content_of, decoded
from disco.sources.limits import regular_file
from disco.sources.plays import PlayedSet, what_counts

# What histories are called; other files of a folder are passed over.
_SUFFIXES = (".csv", ".db", ".m3u", ".m3u8", ".nml", ".session", ".sqlite", ".tsv", ".txt", ".xml")
_BEGINNING = 4096

Reader = Callable[[Path], list[PlayedSet]]


def read(paths: Sequence[str | Path]) -> tuple[list[PlayedSet], list[str]]:
    """Read what was played from files, and from folders with all that are in them.

    Parameters
    ----------
    paths : sequence of str or Path
        Traktor's folder History or an NML of it, rekordbox's export of a history (text or XML), Serato's sessions or
        its export (CSV or text), a library of Mixxx, Engine DJ's `hm.db`, VirtualDJ's folder History, M3U8, or CSV.

    Returns
    -------
    list of PlayedSet
        Without previews, repeats and copies; see `disco.sources.plays`.
    list of str
        What was read, left out and could not be read.

    Raises
    ------
    NotFoundError, DataError
        If a file is not there, or nothing could be read.
    """
    sets: list[PlayedSet] = []
    notes: list[str] = []
    failures: list[DiscoError] = []
    for path in map(Path, paths):
        files = _files(path)
        for file in files:
            try:
                found = reader_of(file)(file)
            except DiscoError as error:
                if len(files) == 1 and len(paths) == 1:
                    raise
                failures.append(error)
                continue
            sets += found
    kept, left_out = what_counts(sets)
    if not kept:
        if failures:
            raise failures[0]
        reasons = "; ".join(left_out.notes())
        raise DataError(paths[0] if paths else "history", "holds no play" + (f" ({reasons})" if reasons else ""))
    plays = sum(map(len, kept))
    notes.append(f"{len(kept):,} sets, {plays:,} plays read")
    notes += left_out.notes()
    notes += [f"left out: {error}" for error in failures[:5]]
    if len(failures) > 5:
        notes.append(f"left out: {len(failures) - 5:,} more files that could not be read")
    return kept, notes


def reader_of(path: Path) -> Reader:
    """What reads a history, by its first bytes and its name.

    Raises
    ------
    NotFoundError, DataError
        If it cannot be read at all.
    """
    if sqlite.is_sqlite(path):
        return _of_database(path)
    if serato.can_read(path):
        return serato.histories
    if traktor.can_read(path):
        return traktor.histories
    if rekordbox.can_read(path):
        return rekordbox.histories
    start = decoded(content_of(path)[:_BEGINNING], path).lstrip()
    if virtualdj.is_m3u(path, start):
        return virtualdj.m3u
    if virtualdj.is_tracklist(start):
        return virtualdj.tracklist
    if start.startswith("<"):
        raise DataError(path, "is XML, but neither of Traktor nor of rekordbox, or it is cut off")
    return play_tables.histories


def _of_database(path: Path) -> Reader:
    with sqlite.opened(path, "the DJ program") as connection:
        tables = sqlite.tables_of(connection)
    if tables >= mixxx.TABLES:
        return mixxx.histories
    if tables >= engine.TABLES:
        return engine.histories
    raise DataError(path, "is an SQLite database, but neither of Mixxx nor a history of Engine DJ (hm.db)")


def _files(path: Path) -> list[Path]:
    """A file itself, or those in a folder that may be histories, by their names."""
    try:
        if not path.is_dir():
            if not path.exists():
                raise NotFoundError(f"{path}: there is no such file or folder")
            return [regular_file(path)]
        found = [file for file in path.rglob("*") if file.suffix.lower() in _SUFFIXES and file.is_file()]
    except OSError as error:
        raise DataError(path, f"cannot be read ({error.strerror})") from None
    except ValueError:  # a name that no file can have
        raise NotFoundError(f"{path}: there is no such file or folder") from None
    hidden = [file for file in found if any(part.startswith(".") for part in file.relative_to(path).parts)]
    # Engine's m.db has the tracks and, in new versions, no history of its own.
    names = {file.parent: {file.name} for file in found}
    for file in found:
        names[file.parent].add(file.name)
    kept = sorted(
        file for file in found if file not in hidden and not (file.name == "m.db" and "hm.db" in names[file.parent])
    )
    if not kept:
        raise DataError(path, f"holds no history: no file that ends in {', '.join(_SUFFIXES)}")
    return kept
