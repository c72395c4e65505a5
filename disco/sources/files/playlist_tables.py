"""Many playlists as one table: from CSV or Parquet, a Million Playlist slice, or a folder or zip file of slices.

A table is Parquet or CSV with the columns playlist_id, position and track_id, and perhaps title, source,
split, track_title and track_artist. A slice is the JSON of the Million Playlist Dataset (Chen et al.,
"RecSys Challenge 2018", 2018): `info` and `playlists`, each of these with `tracks`. The content decides what a
file is.
"""

from __future__ import annotations

import csv
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Rows
from disco.catalogue.numbering import artist_names
from disco.catalogue.same_recording import WAYS, Recordings
from disco.catalogue.text import TRACK_LINK
from disco.errors import DataError, NotFoundError
from disco.sources.files.mpd_slices import PlaylistSource, first_line, parsed, read_content, regular, slices_in, texts
from disco.sources.limits import ZIP_ERRORS, Budget, check_parquet, input_stream, regular_file

# Entries repeat their playlist and track, so texts are stored once, dictionary-encoded.
TEXT = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema(
    [
        ("playlist_id", TEXT),
        ("title", TEXT),
        ("position", pa.int32()),
        ("track_id", TEXT),
        ("source", TEXT),
        ("track_title", TEXT),
        ("track_artist", TEXT),
    ]
)
# Names that a column of a table goes by, the preferred first.
_NAMES = {
    "playlist_id": ("playlist_id", "pid"),
    "title": ("title", "playlist_name", "name"),
    "position": ("position", "pos"),
    "track_id": ("track_id", "track_uri"),
    "source": ("source",),
    "split": ("split",),
    "track_title": ("track_title", "track_name"),
    "track_artist": ("track_artist", "artist_name"),
}
_NEEDED = ("playlist_id", "position", "track_id")


def can_read(path: Path) -> bool:
    """Whether a file is a table of the entries of playlists, with ids and positions; never raises."""
    try:
        with path.open("rb") as file:
            start = file.read(1 << 16)
        if start[:4] == b"PAR1":
            names = pq.read_schema(path).names
        else:
            names = next(csv.reader(start.decode("utf-8-sig", errors="replace").splitlines()[:1]), [])
    except (pa.ArrowException, OSError, ValueError):
        return False
    there = {name.strip().lower() for name in names}
    return all(not there.isdisjoint(_NAMES[needed]) for needed in _NEEDED)


def find(where: str | Path) -> list[PlaylistSource]:
    """Find sources of playlists at a path: the table or slice, or the slices in a folder or zip file in order.

    Raises
    ------
    NotFoundError, DataError
        If there is nothing, or nothing that could hold playlists.
    """
    path = regular_file(where)
    try:
        if path.is_dir():
            return _in_folder(path)
        with path.open("rb") as file:
            start = file.read(1 << 12)
        if start[:4] == b"PK\x03\x04":
            with zipfile.ZipFile(path) as archive:
                return slices_in(path, archive.namelist())
    except ZIP_ERRORS as error:
        raise DataError(path, f"is not a readable zip file ({first_line(error)})") from None
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a name that no file can have
        raise NotFoundError(f"{path}: there is no such file") from None
    except OSError as error:
        raise DataError(path, f"cannot be read ({error.strerror})") from None
    if not start:
        raise DataError(path, "is empty")
    return [PlaylistSource(path, table=not start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"))]


def read(where: str | Path) -> pa.Table:
    """Read all playlists at a path as `SCHEMA`: the entries of a playlist one after another, positions 0, 1, 2 ...

    Texts are dictionary-encoded; unknown texts are null, but ids are never null. Ids of tracks are without
    `spotify:track:`. A column `split` of the table, if there is one, is the last column.

    Raises
    ------
    NotFoundError, DataError
        With the file, and what is wrong with it.
    """
    sources = find(where)
    budget = Budget(sources[0].path) if sources[0].member else None
    return pa.concat_tables([read_source(source, budget).replace_schema_metadata() for source in sources])


def read_source(source: PlaylistSource, budget: Budget | None = None) -> pa.Table:
    """Read the playlists of one source, as `read`.

    The metadata counts `playlists`, with empty ones, and as `lost` the entries without a track id, which are dropped.

    Raises
    ------
    DataError
        If nothing can be read there.
    """
    return _table(source.path) if source.table else _slice(source, budget)


def is_cold(ids: Iterable[str]) -> NDArray[np.bool_]:
    """Whether each track is cold: one in ten, by a hash of its id, on which no recipe trains."""
    return np.array([zlib.crc32(track_id.encode()) % 10 == 0 for track_id in ids], dtype=bool)


def cold_entries(entries: pa.Table) -> pa.Array:
    """Whether the track of each entry is cold; asked once for each track, however often it is played."""
    tracks = encode(entries["track_id"])
    return pa.array(is_cold(tracks.dictionary.to_pylist())[tracks.indices.to_numpy()])


def sequences(entries: pa.Table, catalogue: Catalogue, minimum_length: int) -> list[Rows]:
    """Rows of the measured tracks of each playlist, in its order; the playlists in the order of their ids.

    Repeats of a track are dropped, and then playlists with fewer than `minimum_length` tracks.
    """
    parted, _ = _parted(entries, catalogue, catalogue.has_comparable_features)
    return [tracks for tracks in parted if len(tracks) >= minimum_length]


def titled(entries: pa.Table, catalogue: Catalogue) -> tuple[list[Rows], list[str]]:
    """Rows of all tracks of each playlist that the catalogue has, and its title, empty where unknown.

    As `sequences`, but with tracks without features, and with every playlist that has a track.
    """
    parted, first = _parted(entries, catalogue, np.ones(len(catalogue), dtype=bool))
    titles = entries["title"].take(pa.array(first)).cast(pa.string()).to_pylist()
    return parted, [title or "" for title in titles]


def _parted(
    entries: pa.Table, catalogue: Catalogue, counted: NDArray[np.bool_]
) -> tuple[list[Rows], NDArray[np.intp]]:
    """Rows of each playlist that has any counted track, and the entry with which each begins."""
    tracks, playlists = encode(entries["track_id"]), encode(entries["playlist_id"])
    row = pc.fill_null(pc.index_in(tracks.dictionary, value_set=catalogue.table["track_id"]), -1)
    row = row.to_numpy().astype(np.intp)[tracks.indices.to_numpy()]
    playlist = pc.rank(playlists.dictionary).to_numpy().astype(np.intp)[playlists.indices.to_numpy()]
    chosen = np.flatnonzero((row >= 0) & counted[row])
    chosen = chosen[np.lexsort((entries["position"].to_numpy()[chosen], playlist[chosen]))]
    _, first = np.unique(playlist[chosen] * len(catalogue) + row[chosen], return_index=True)
    chosen = chosen[np.sort(first)]
    starts = np.flatnonzero(np.diff(playlist[chosen], prepend=-1))
    return np.split(row[chosen], starts)[1:], chosen[starts]


class Names:
    """Finds the tracks of playlists in a catalogue, by id or else by title and artist.

    Parameters
    ----------
    catalogue : Catalogue
    names : Catalogue, optional
        A table with titles and artists of ids, for playlists that have ids alone.
    """

    def __init__(self, catalogue: Catalogue, names: Catalogue | None = None) -> None:
        self.ids = catalogue.table["track_id"].combine_chunks()
        self.recordings, self.names = Recordings.of(catalogue), names

    def find(self, ids: pa.Array, titles: pa.Array, artists: pa.Array) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """Row of each track, -1 where unmatched, and whether it was matched by name; arrays of length n."""
        if self.names is not None:
            named = pc.index_in(ids, value_set=self.names.table["track_id"])
            titles = pc.coalesce(titles, self.names.table["title"].combine_chunks().take(named))
            artists = pc.coalesce(artists, artist_names(self.names).take(named))
        found = self.recordings.find_all(ids=ids, titles=titles, artists=artists)
        rows, by_name = np.full(len(ids), -1, dtype=np.intp), np.zeros(len(ids), dtype=bool)
        rows[found.given[::-1]] = found.rows[::-1]  # the best of each comes first and is written last
        by_name[found.given] = found.ways == WAYS.index("name")
        return rows, by_name


def encode(column: pa.Array | pa.ChunkedArray) -> pa.DictionaryArray:
    """A column of any plain type as trimmed texts, dictionary-encoded; blanks are null."""
    chunked = column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])
    if not pa.types.is_dictionary(chunked.type):
        if not (pa.types.is_string(chunked.type) or pa.types.is_large_string(chunked.type)):
            chunked = chunked.cast(pa.string())
        chunked = chunked.dictionary_encode()
    encoded = chunked.unify_dictionaries().combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):  # of no chunk at all
        encoded = pa.array([], chunked.type)
    return _mapped(encoded, pc.utf8_trim_whitespace(encoded.dictionary.cast(pa.string())))


def _mapped(encoded: pa.DictionaryArray, texts: pa.Array) -> pa.DictionaryArray:
    """The same entries with other texts in the dictionary, which may have become blank or equal to each other."""
    texts = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts).dictionary_encode()
    return pa.DictionaryArray.from_arrays(texts.indices.take(encoded.indices.cast(pa.int32())), texts.dictionary)


def _in_folder(path: Path) -> list[PlaylistSource]:
    prepared = path / "playlists.parquet"
    if prepared.is_file():
        return [PlaylistSource(prepared, table=True)]
    names = [file.relative_to(path).as_posix() for file in path.rglob("*.json") if file.is_file()]
    return [PlaylistSource(path / source.member) for source in slices_in(path, names)]


def _slice(source: PlaylistSource, budget: Budget | None) -> pa.Table:
    content = read_content(source, budget)
    # What of each playlist and of each track is read: in a list each, which for regular slices is twice as fast.
    if (regular_lists := regular(content)) is not None:
        pids, names = [p.pid for p in regular_lists], [p.name for p in regular_lists]
        lists_of_tracks, lost = [p.tracks for p in regular_lists], 0
        if not all(track.track_uri.strip() for tracks in lists_of_tracks for track in tracks):
            given = sum(map(len, lists_of_tracks))
            lists_of_tracks = [[track for track in tracks if track.track_uri.strip()] for tracks in lists_of_tracks]
            lost = given - sum(map(len, lists_of_tracks))
        lengths = [len(tracks) for tracks in lists_of_tracks]
        every = [track for tracks in lists_of_tracks for track in tracks]
        uris, titles = [track.track_uri for track in every], [track.track_name for track in every]
        artists = [track.artist_name for track in every]
    else:
        lists = parsed(source, budget, content)
        pids, names = [p.get("pid") for p in lists], [p.get("name") for p in lists]
        lost = sum(playlist["without_id"] for playlist in lists)
        lengths = [len(playlist["tracks"]) for playlist in lists]
        others = [track for playlist in lists for track in playlist["tracks"]]
        uris, titles = [track["track_uri"] for track in others], [track.get("track_name") for track in others]
        artists = [track.get("artist_name") for track in others]
    stem = Path(source.member or source.path).stem
    ids = [f"mpd:{pid}" if isinstance(pid, int | str) else f"{stem}:{i}" for i, pid in enumerate(pids)]
    playlist = np.repeat(np.arange(len(pids), dtype=np.int32), lengths)
    columns = {
        "playlist_id": encode(texts(ids)).take(pa.array(playlist)),
        "title": encode(texts(names)).take(pa.array(playlist)),
        "track_id": _bare(encode(texts(uris))),
        "source": encode(pa.array(["mpd"])).take(pa.array(np.zeros_like(playlist))),
        "track_title": encode(texts(titles)),
        "track_artist": encode(texts(artists)),
    }
    return _entries(columns, playlist, lost, len(pids))


def _table(path: Path) -> pa.Table:
    try:
        with path.open("rb") as file:
            is_parquet = file.read(4) == b"PAR1"
        raw = _read_parquet(path) if is_parquet else _read_csv(path)
        columns = {name: encode(raw[name]) for name in raw.column_names if name != "position"}
        position = raw["position"].cast(pa.float64()).combine_chunks()
    except (pa.ArrowException, OSError, ValueError) as error:  # ValueError: bytes that are no text
        raise DataError(path, f"is not a readable table of playlists ({first_line(error)})") from None
    columns["track_id"] = _bare(columns["track_id"])
    if "source" not in columns:
        columns["source"] = encode(pa.array([path.stem])).take(pa.array(np.zeros(len(raw), dtype=np.int32)))
    columns["source"] = pc.fill_null(columns["source"], path.stem)
    complete = np.isfinite(position.to_numpy(zero_copy_only=False))
    for name in ("playlist_id", "track_id"):
        complete &= columns[name].is_valid().to_numpy(zero_copy_only=False)
    code = {name: pc.fill_null(columns[name].indices, 0).to_numpy() for name in ("playlist_id", "source")}
    playlist = code["playlist_id"].astype(np.int64) * len(columns["source"].dictionary) + code["source"]
    rows, at = np.flatnonzero(complete), position.to_numpy(zero_copy_only=False)
    order = rows[np.lexsort((at[rows], playlist[rows]))]
    columns = {name: column.take(pa.array(order)) for name, column in columns.items()}
    return _entries(columns, playlist[order], len(raw) - len(rows))


def _entries(columns: dict[str, Any], playlist: NDArray[Any], without_id: int, n: int | None = None) -> pa.Table:
    """Entries as `SCHEMA`, from ordered columns and the ascending number of each entry's playlist."""
    starts = np.flatnonzero(np.diff(playlist, prepend=-1))
    lengths = np.diff(starts, append=len(playlist))
    columns["position"] = pa.array(np.arange(len(playlist)) - np.repeat(starts, lengths), pa.int32())
    counts = {"playlists": str(len(starts) if n is None else n), "lost": str(without_id)}
    unknown = {field.name: pa.nulls(len(playlist), field.type) for field in SCHEMA if field.name not in columns}
    made = pa.table(columns | unknown)
    entries = made.select(SCHEMA.names).cast(SCHEMA).replace_schema_metadata(counts)
    return entries.append_column("split", made["split"]) if "split" in columns else entries


def _bare(ids: pa.DictionaryArray) -> pa.DictionaryArray:
    return _mapped(ids, pc.replace_substring_regex(ids.dictionary, TRACK_LINK, r"\1"))


def _columns(header: list[str], path: Path) -> dict[str, str]:
    """Columns of a table by the names of `SCHEMA`."""
    found = {name: next((n for n in known if n in header), "") for name, known in _NAMES.items()}
    if missing := [name for name in _NEEDED if not found[name]]:
        listed = ", ".join(repr(name) for name in header[:12]) + (", ..." if len(header) > 12 else "")
        raise DataError(path, f"has no column {', '.join(missing)}; its columns are {listed}")
    return {name: column for name, column in found.items() if column}


def _read_parquet(path: Path) -> pa.Table:
    file = pq.ParquetFile(path)
    check_parquet(file, path, path.stat().st_size)
    header = file.schema_arrow
    names = _columns(header.names, path)
    kinds = {name: header.field(column).type for name, column in names.items()}
    texts = [names[n] for n, kind in kinds.items() if pa.types.is_string(kind) or pa.types.is_large_string(kind)]
    raw = pq.ParquetFile(path, read_dictionary=texts).read(columns=list(names.values()))
    return _renamed(raw, names)


def _read_csv(path: Path) -> pa.Table:
    options = pacsv.ParseOptions(newlines_in_values=True)
    with input_stream(path) as stream:
        header = pacsv.open_csv(stream, parse_options=options).schema.names
    names = _columns(header, path)
    types = {column: pa.float64() if name == "position" else TEXT for name, column in names.items()}
    convert = pacsv.ConvertOptions(
        column_types=types,
        include_columns=list(types),
        null_values=[""],  # a playlist may well be called "NA" or "null"
        strings_can_be_null=True,
    )
    with input_stream(path) as stream:
        return _renamed(pacsv.read_csv(stream, parse_options=options, convert_options=convert), names)


def _renamed(raw: pa.Table, names: dict[str, str]) -> pa.Table:
    return pa.table({name: raw[column] for name, column in names.items()})
