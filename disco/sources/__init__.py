"""Where tracks and playlists come from: one module per format or service, opened by `open` and `open_playlist`."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from disco.catalogue import Catalogue, merge
from disco.catalogue.fill import fill_from_same_recording
from disco.catalogue.text import clean_table
from disco.errors import DataError
from disco.sources import cached_columns, limits, mapped_columns
from disco.sources import corrections as user_corrections
from disco.sources.cache import open_cache
from disco.sources.files import columns, tables
from disco.sources.files.no_tracks import ids_alone
from disco.sources.fingerprints import contents_of, fingerprint, remember
from disco.sources.recognise import Source, looks_like_file, source_of, sources
from disco.sources.tracklist import Entry, Tracklist

__all__ = [
    "DEMO_NAME",
    "EXAMPLE_SEEDS",
    "Entry",
    "Source",
    "Tracklist",
    "enrich",
    "looks_like_file",
    "open",
    "open_playlist",
    "playlists",
    "source_of",
    "sources",
]

# Three tracks of the demo that go well together, found by `data-wrangling/make_demo.py seeds`.
EXAMPLE_SEEDS = ("demo-01112", "demo-00272", "demo-00441")
DEMO_NAME = "the demo (invented tracks)"
# Files of this many bytes are read by one process at a time, which takes a minute and gigabytes for the largest.
_READ_ALONE = 32 << 20
_log = logging.getLogger(__name__)
DEMO = Path(__file__).parent / "demo" / "tracks.parquet"


Paths = str | Path | Sequence[str | Path]


def open(  # noqa: A001 - `disco.open` is what it is called by
    paths: Paths = (),
    enrich_from: Paths = (),
    corrections: str | Path | None = None,
    cache: bool = True,
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
    cache : bool
        Keep what is computed of tables in the cache folder, so that they open faster the next time.

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
    5000
    """
    paths, enrich_from = _several(paths), _several(enrich_from)
    if cache and (found := _cached(paths, enrich_from, corrections)) is not None:
        return found
    if paths:
        catalogue = merge([_read(path) for path in paths])
    else:
        demo = tables.read(DEMO)
        catalogue = Catalogue(demo.table, DEMO_NAME, (f"{len(demo):,} invented tracks; no such music exists",))
        if cache:
            catalogue = catalogue.with_store(open_cache([DEMO], [fingerprint(DEMO)]))
    if len(paths) > 1 and not enrich_from:
        catalogue = fill_from_same_recording(catalogue)
    return enrich(catalogue, enrich_from, corrections)


def _cached(
    paths: Sequence[str | Path], enrich_from: Sequence[str | Path], given: str | Path | None
) -> Catalogue | None:
    """The catalogue of tables as the cache has it, or to be cached; None if there are other files among them."""
    tracks, others = [Path(path) for path in paths], [Path(path) for path in enrich_from]
    if not tracks or any(source_of(file) is not tables for file in (*tracks, *others)):
        return None
    files = [*tracks, *others, user_corrections.user_file(), *([] if given is None else [Path(given)])]
    contents = contents_of(files)
    cache = open_cache(files, [content.fingerprint for content in contents])
    found = mapped_columns.load(cache, tracks, files) or cached_columns.load(cache, contents[0], tracks, files)
    if found is not None:
        cache.used()
        remember(cache, contents)
        return found
    large = sum(content.state[2] for content in contents[: len(tracks)] if content.state) >= _READ_ALONE
    with cache.alone("reading") if large else contextlib.nullcontext():
        if large and (found := mapped_columns.load(cache, tracks, files)) is not None:
            return found  # another process has read it meanwhile
        found = open(paths, enrich_from, given, cache=False)
        if [content.fingerprint for content in contents] != list(map(fingerprint, files)):
            return found  # one was changed while it was read
        if len(found) >= mapped_columns.MAPPED_TRACKS:
            found = mapped_columns.store(cache, found, tracks, files)
        else:
            found = cached_columns.store(cache, found, contents[0], tracks, files)
    remember(cache, contents)
    return found


def enrich(catalogue: Catalogue, enrich_from: Paths, corrections: str | Path | None = None) -> Catalogue:
    """Fill in missing values of a catalogue from other files, and apply corrections; see `open`."""
    others = _several(enrich_from)
    if others:
        every = fill_from_same_recording(merge([catalogue, *map(_read, others)]))
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


def open_playlist(
    path: str | Path,
    playlist: str | None = None,
    catalogue: Catalogue | Paths = (),
    enrich_from: Paths = (),
    corrections: str | Path | None = None,
    text: str | None = None,
    cache: bool = True,
) -> tuple[Tracklist, Catalogue]:
    r"""Open one playlist of a file, and the catalogue in which its tracks are looked up.

    Parameters
    ----------
    path : str or Path
        M3U8, JSON, JSPF, CSV, a library of rekordbox, Traktor or Mixxx, a list of one track per line, or anything
        else that `open` reads.
    playlist : str, optional
        Name of the playlist, where there are several; alone or with its folders, as `Peak time / Friday`.
    catalogue : Catalogue, str, Path or sequence of paths
        What the tracks are looked up in. By default the tracks of the file itself, or the embedded demo where the
        file only has names or ids.
    enrich_from, corrections
        As for `open`; they also apply to the tracks of the file itself.
    text : str, optional
        The content of the file, if it is not to be read from disk; `path` is then what errors call it.
    cache : bool
        As for `open`.

    Returns
    -------
    Tracklist
        Its `match(catalogue)` gives the row of each track.
    Catalogue

    Raises
    ------
    DiscoError
        If a file cannot be read, if there is no playlist, or if there are several and none is named.

    Examples
    --------
    >>> tracklist, catalogue = open_playlist("mine.txt", text="demo-01197\nno such track\n")
    >>> tracklist.match(catalogue).tolist()
    [1196, -1]
    """
    from disco.sources import playlist_files  # imports every source

    if text is None:
        path = limits.regular_file(path)
        tracklist = playlist_files.read(path, playlist)
    else:
        tracklist = playlist_files.parse(text, Path(path), playlist)
    if tracklist.tracks is not None and (isinstance(catalogue, Catalogue) or _several(catalogue)):
        for note in tracklist.tracks.notes:  # those of the catalogue that is used are the command's to print
            _log.info(note)
    if isinstance(catalogue, Catalogue):
        other = enrich(catalogue, enrich_from, corrections) if enrich_from or corrections else catalogue
    elif _several(catalogue):
        other = open(catalogue, enrich_from, corrections, cache)
    else:
        tracks = tracklist.tracks
        if tracks is None and text is None and _describes_tracks(Path(path)):
            tracks = _read(path)
        if tracks is not None:
            return _on_its_own(tracklist, enrich(tracks, enrich_from, corrections), path)
        other = open((), enrich_from, corrections)
    found = tracklist.known_to(other)
    if n := len(tracklist) - len(found):
        _log.info("%s: %s", path, columns.without_names(n))
    return found, other


def _on_its_own(tracklist: Tracklist, tracks: Catalogue, path: str | Path) -> tuple[Tracklist, Catalogue]:
    """A playlist and its own tracks, without the ids that have neither a name nor values from other files."""
    if not tracklist.untitled:
        return tracklist, tracks
    known = Catalogue(tracks.table.filter(pa.array(~ids_alone(tracks.table))), tracks.where, tracks.notes)
    found = tracklist.known_to(known)
    if n := len(tracklist) - len(found):
        known = replace(known, notes=(*known.notes, f"{path}: {columns.without_names(n)}"))
    return found, known


def playlists(path: str | Path) -> list[Tracklist]:
    """Read all playlists of a file or library, each in its order.

    Raises
    ------
    DataError
        If there are none.
    """
    path = limits.regular_file(path)
    source = source_of(path) or tables
    found = source.playlists(Path(path))
    if not found:
        raise DataError(path, f"has no playlists (it was read as {source.NAME})")
    return found


def _read(path: str | Path) -> Catalogue:
    found = (source_of(path) or tables).read(Path(path))  # where no source can, the one for tables says best why
    return replace(found, table=clean_table(found.table))


def _describes_tracks(path: Path) -> bool:
    """Whether the source of a playlist has a catalogue of its own, and not only names or ids."""
    from disco.sources.files import pls, text_lists

    return source_of(path) not in (None, pls, text_lists, tables)


def _several(paths: Paths) -> Sequence[str | Path]:
    return [limits.regular_file(path) for path in ([paths] if isinstance(paths, str | Path) else paths)]
