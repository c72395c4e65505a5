"""Where tracks come from: one module a source, all with the same verbs; `open` picks the one that knows a place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from disco.catalogue import Catalogue, merge
from disco.catalogue.fill import fill_from_same_recording
from disco.errors import DataError
from disco.sources import audio
from disco.sources import corrections as user_corrections
from disco.sources.dj import mixxx, rekordbox, traktor
from disco.sources.files import jspf, mpd, spotify_export, tables
from disco.sources.services import spotify
from disco.sources.tracklist import Tracklist

# Three that a party could begin with, as `data-wrangling/make_demo.py` names them.
EXAMPLE_SEEDS = ("demo-01197", "demo-01426", "demo-01169")
DEMO_NAME = "the demo (invented tracks)"
DEMO = Path(__file__).parent / "demo" / "tracks.parquet"


class Source(Protocol):
    """What every module of a source can do."""

    NAME: str

    def can_read(self, path: Path) -> bool:
        """Whether a place is such a source, by its name and first bytes; never raises."""

    def read(self, path: Path) -> Catalogue:
        """Its tracks, with notes on what was kept, dropped and unknown."""

    def playlists(self, path: Path) -> list[Tracklist]:
        """Its playlists, each in its order; none where it has none."""


# The first that can_read a place reads it; tables last, which say best why a file is nothing at all.
SOURCES: tuple[Source, ...] = (spotify, spotify_export, mpd, rekordbox, traktor, jspf, mixxx, audio, tables)


def source_of(where: str | Path) -> Source:
    """The source that knows a place; tables where none does, to say what is wrong with it."""
    return next((source for source in SOURCES if source.can_read(Path(where))), tables)


def open(  # noqa: A001 - `disco.open` is what it is called by
    paths: str | Path | Sequence[str | Path] = (),
    enrich_from: str | Path | Sequence[str | Path] = (),
    corrections: str | Path | None = None,
) -> Catalogue:
    """Open one or several files, folders or libraries as one catalogue.

    Where several have a track of the same id, the values of the first come first. Where they have the same recording,
    by its ISRC or by artist, title and duration, each keeps its track and gets missing values from the others.

    Parameters
    ----------
    paths : str, Path or sequence of these
        Tables (CSV, Parquet), libraries of DJ programs, folders of audio files, Spotify's data export, Million
        Playlist JSON, or `spotify` for the synced library. None means the embedded demo of invented tracks.
    enrich_from : str, Path or sequence of these
        The same, but these only fill in missing values; they add no tracks.
    corrections : str or Path, optional
        CSV file of your own keys, tempos and energies, which take precedence over those in the user's data folder.

    Returns
    -------
    Catalogue
        Its `notes` report what was read, joined, dropped and unknown.

    Raises
    ------
    DiscoError
        If a file cannot be read, with the file and the line or column.

    Examples
    --------
    >>> catalogue = open()
    >>> len(catalogue)
    1500
    """
    paths, enrich_from = _several(paths), _several(enrich_from)
    if paths:
        catalogue = merge([source_of(path).read(Path(path)) for path in paths])
    else:
        demo = tables.read(DEMO)
        catalogue = Catalogue(demo.table, DEMO_NAME, (f"{len(demo):,} invented tracks; no such music exists",))
    if len(paths) > 1 and not enrich_from:
        catalogue = fill_from_same_recording(catalogue)
    return enrich(catalogue, enrich_from, corrections)


def enrich(
    catalogue: Catalogue, enrich_from: str | Path | Sequence[str | Path], corrections: str | Path | None = None
) -> Catalogue:
    """Fill in missing values of a catalogue from other files, and apply corrections; see `open`."""
    others = _several(enrich_from)
    if others:
        every = fill_from_same_recording(merge([catalogue, *(source_of(path).read(Path(path)) for path in others)]))
        merged = f"{1 + len(others)} catalogues merged: "
        notes = tuple(note for note in every.notes if not note.startswith(merged))
        catalogue = Catalogue(every.table.slice(0, len(catalogue)).combine_chunks(), catalogue.where, notes)
    user_file = user_corrections.user_file()
    if user_file.is_file():
        catalogue = user_corrections.apply(catalogue, user_corrections.read(user_file))
    if corrections is not None:
        path = Path(corrections)
        catalogue = user_corrections.apply(catalogue, user_corrections.read(path), path)
    return catalogue


def _several(paths: str | Path | Sequence[str | Path]) -> Sequence[str | Path]:
    return [paths] if isinstance(paths, str | Path) else paths


def playlists_of(where: str | Path) -> list[Tracklist]:
    """The playlists of a place, each in its order.

    Raises
    ------
    DataError
        If there are none.
    """
    source = source_of(where)
    found = source.playlists(Path(where))
    if not found:
        raise DataError(where, f"has no playlists (it was read as {source.NAME})")
    return found
