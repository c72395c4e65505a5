"""Which source reads a file, folder or library: decided here for every command."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Protocol

from disco.catalogue import Catalogue
from disco.sources.files import tables
from disco.sources.tracklist import Tracklist


class Source(Protocol):
    """What every module of a source provides."""

    NAME: str

    def can_read(self, path: Path) -> bool:
        """Whether this source reads what is at a path, judged by its name and first bytes; never raises."""

    def read(self, path: Path) -> Catalogue:
        """Read its tracks; the notes report what was read, dropped and unknown."""

    def playlists(self, path: Path) -> list[Tracklist]:
        """Read its playlists, each in its order; an empty list where it has none."""


_LISTS = ".jspf .m3u .m3u8 .pls .vdjfolder .xspf"
_SUFFIXES = tuple(f"{_LISTS} .crate .csv .db .json .nml .parquet .scrate .session .sqlite .txt .xml".split())
_LONGEST_PATH = 1000


@cache
def sources() -> tuple[Source, ...]:
    """Every source; the first that can read a path reads it."""
    # Imported here because the demo, and a table that is named as one, need none of them.
    from disco.sources import audio
    from disco.sources.dj import (
        engine_library,
        itunes,
        mixxx,
        rekordbox,
        rekordbox_database,
        serato_library,
        text_exports,
        traktor,
        virtualdj_library,
    )
    from disco.sources.files import jspf, mpd, pls, spotify_export, table_archive, text_lists, xspf
    from disco.sources.services import spotify

    xml = (rekordbox, traktor, virtualdj_library, itunes)
    databases = (rekordbox_database, engine_library, serato_library, mixxx)
    archives = (spotify_export, mpd, table_archive)
    lists = (text_exports, text_lists, tables)
    return (spotify, *archives, *xml, jspf, xspf, pls, *databases, audio, *lists)


def source_of(path: str | Path) -> Source | None:
    """Find the source that reads a file or folder; None if there is none.

    Examples
    --------
    >>> source_of("nowhere.csv") is None
    True
    """
    path = Path(path)
    if _is_parquet(path):
        return tables
    return next((source for source in sources() if source.can_read(path)), None)


def _is_parquet(path: Path) -> bool:
    """Whether a file is Parquet: only tables are, so that the other sources need not be imported to say so."""
    try:
        if path.suffix.lower() != ".parquet":
            return False
        with path.open("rb") as file:
            return file.read(4) == b"PAR1"
    except (OSError, ValueError):
        return False


def looks_like_file(text: str) -> bool:
    """Whether a text that may also be a title names a file: one that exists, or one that ends like `friday.m3u8`.

    Examples
    --------
    >>> looks_like_file("friday.m3u8"), looks_like_file("girlfriend is better")
    (True, False)
    """
    try:
        return len(text) <= _LONGEST_PATH and (text.lower().endswith(_SUFFIXES) or Path(text).is_file())
    except (OSError, ValueError):  # a name that no file can have
        return False
