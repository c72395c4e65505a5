"""Where tracks come from: one module a source, all with the same verbs; `open` picks the one that knows a place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from disco.catalogue import Catalogue, merge
from disco.catalogue.fill import fill_from_same_recording
from disco.errors import DataError
from disco.sources import audio, corrections
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

    def recognises(self, path: Path) -> bool:
        """Whether a place is such a source, by its name and first bytes; never raises."""

    def read(self, path: Path) -> Catalogue:
        """Its tracks, with notes on what was kept, dropped and unknown."""

    def playlists(self, path: Path) -> list[Tracklist]:
        """Its playlists, each in its order; none where it has none."""


# The first that recognises a place reads it; tables last, which say best why a file is nothing at all.
SOURCES: tuple[Source, ...] = (spotify, spotify_export, mpd, rekordbox, traktor, jspf, mixxx, audio, tables)


def source_of(where: str | Path) -> Source:
    """The source that knows a place; tables where none does, to say what is wrong with it."""
    return next((source for source in SOURCES if source.recognises(Path(where))), tables)


def open(  # noqa: A001 - `sources.open` is what it does
    where: Sequence[str | Path] = (), fill: Sequence[str | Path] = (), corrected_by: Path | None = None
) -> Catalogue:
    """Open one or several places as one catalogue; none means the embedded demo.

    All their tracks are in it. Where several places know a track by one id, the first one's values come first;
    where they know a recording by its ISRC, or by artist, title and duration, each keeps its track, and what is
    unknown of one comes from the others.

    Parameters
    ----------
    where : sequence of str or Path
    fill : sequence of str or Path
        Places that only tell what is unknown of these tracks, and add none.
    corrected_by : Path, optional
        A file of corrections, over those that the user keeps.

    Raises
    ------
    DiscoError
        With the place that cannot be read, or the line of the corrections that says nothing.
    """
    if where:
        catalogue = merge([source_of(place).read(Path(place)) for place in where])
    else:
        demo = tables.read(DEMO)
        catalogue = Catalogue(demo.table, DEMO_NAME, (f"{len(demo):,} invented tracks; no such music exists",))
    return completed(
        fill_from_same_recording(catalogue) if len(where) > 1 and not fill else catalogue,
        fill,
        corrected_by,
    )


def completed(catalogue: Catalogue, fill: Sequence[str | Path], corrected_by: Path | None = None) -> Catalogue:
    """A catalogue with what other places tell of its tracks, and what the user said of them; see `open`."""
    if fill:
        every = fill_from_same_recording(merge([catalogue, *(source_of(place).read(Path(place)) for place in fill)]))
        merged = f"{1 + len(fill)} catalogues merged: "
        notes = tuple(note for note in every.notes if not note.startswith(merged))
        catalogue = Catalogue(every.table.slice(0, len(catalogue)).combine_chunks(), catalogue.where, notes)
    if corrections.own().is_file():
        catalogue = corrections.corrected(catalogue, corrections.read(corrections.own()))
    if corrected_by is not None:
        catalogue = corrections.corrected(catalogue, corrections.read(corrected_by), corrected_by)
    return catalogue


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
