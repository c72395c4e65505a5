"""Spotify as a source: the library that `disco spotify sync` read, opened by the name `spotify` or by its folder."""

from __future__ import annotations

from pathlib import Path

from disco.catalogue import Catalogue
from disco.sources.services.spotify import library
from disco.sources.tracklist import Tracklist

NAME = "your Spotify library"
TERMS = (
    "Spotify's terms: tracks may be put in order, not mixed or faded into one another; its content must not go into "
    "learned models (--predictor mean --recommender nearest uses none)"
)


def can_read(path: Path) -> bool:
    """Whether a place is the library: its folder, or the word `spotify` where no file is called so."""
    try:
        return library.is_library(path) or (str(path) == "spotify" and not path.exists())
    except (OSError, ValueError):  # a name that no file can have
        return False


def read(path: Path) -> Catalogue:
    """Its tracks; notes say how old it is, and what Spotify did not show.

    Raises
    ------
    NotFoundError, DataError
        If nothing was synced yet, or it is damaged.
    """
    kept = _library(path)
    note = f"{len(kept.tracks):,} tracks of {NAME}, {library.age(kept)}"
    return Catalogue(kept.tracks.table, NAME, (note, *kept.notes))


def playlists(path: Path) -> list[Tracklist]:
    """Saved tracks, top tracks and playlists, each in its order; raises as `read`."""
    return _library(path).tracklists()


def _library(path: Path) -> library.Library:
    return library.read(None if str(path) == "spotify" else path)
