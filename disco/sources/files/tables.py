"""Tables of tracks, CSV or Parquet, from any maker: columns are recognised by their names, text by its layout.

Among them are the 114k "Spotify Tracks Dataset", TidyTuesday's `spotify_songs.csv`, the 1.2M `tracks_features.csv`,
the 600k `tracks.csv`, Exportify's CSV in any language, exports of TuneMyMusic, Soundiiz, Chosic and Shazam, those of
DJ programs, and DISCO's own Parquet. A regular table is read by Arrow; any other, in whatever encoding and with
rows of whatever length, line by line.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from disco.catalogue import Catalogue
from disco.catalogue.arrays import row_array
from disco.catalogue.text import printable
from disco.errors import DataError, NotFoundError
from disco.sources.files import column_names, columns, exportify
from disco.sources.files.decoding import decode
from disco.sources.files.odd_rows import regular_rows
from disco.sources.files.other_files import what_it_is
from disco.sources.files.table_layout import Layout, layout, records, split_lines
from disco.sources.limits import input_stream, read_parquet
from disco.sources.storage import atomic_file

if TYPE_CHECKING:
    from disco.sources.tracklist import Tracklist

NAME = "a table of tracks"
# No value is longer than the file; the default limit would stop at an unclosed quote.
csv.field_size_limit(2**31 - 1)
_BEGINNING = 1 << 16
# How tables are called.
_SUFFIXES = (".csv", ".csv.gz", ".tsv", ".parquet", ".xlsx")
# What is read line by line takes ten times its length of memory.
_MOST_BY_LINES = 128 << 20
_NULLS = ["", "nan", "NaN", "NA", "N/A", "None", "null", "NULL"]


@dataclass(frozen=True)
class _Text:
    """A table of text as it is laid out: its columns are called by their numbers in `raw`."""

    raw: pa.Table
    header: list[str]
    row_name: Callable[[int], str]
    notes: list[str]

    @property
    def parts(self) -> tuple[pa.Table, list[str], Callable[[int], str], list[str]]:
        """All four, as for a Parquet file."""
        return self.raw, self.header, self.row_name, self.notes


def can_read(path: Path) -> bool:
    """Whether a file could be a table: Parquet, gzip, or text with the columns of one; never raises."""
    try:
        with path.open("rb") as file:
            start = file.read(_BEGINNING)
    except (OSError, ValueError):
        return False
    if start[:4] == b"PAR1" or start[:2] == b"\x1f\x8b" or layout_of(start) is not None:
        return True
    # A table of whatever else is not read, and `read` says best why.
    line = start.removeprefix(b"\xef\xbb\xbf").lstrip().split(b"\n")[0]
    return path.suffix.lower() != ".txt" and b"," in line and line[:1] not in b"{[<#" and b"\0" not in line


def layout_of(start: bytes) -> Layout | None:
    """How the beginning of a file is laid out as a table of tracks; None if it is none. Every command asks here."""
    found = decode(start)
    return None if found is None or found[0].lstrip()[:1] in ("{", "<") else layout(found[0])


def playlists(path: Path) -> list[Tracklist]:
    """The playlists of a table that has a column with their names, in their order; an empty list for other tables.

    Raises
    ------
    NotFoundError, DataError
        As `read`.
    """
    if not _names_playlists(path):
        return []
    found, notes = _rows(path)
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(found.playlists):
        rows.setdefault(name or "", []).append(row)
    return [_tracklist(name, found, at, path, notes) for name, at in rows.items()] if any(rows) else []


def tracklist(path: Path, content: bytes | None = None) -> Tracklist:
    """A table as one playlist, in which each track is once; with the ids that have no name.

    Parameters
    ----------
    path : Path
    content : bytes, optional
        Of the file, where it is not to be read from disk; `path` is then what notes and errors call it.

    Raises
    ------
    NotFoundError, DataError
        As `read`.
    """
    from disco.sources.tracklist import Tracklist, entries_of

    raw, header, row_name, notes = _raw(path) if content is None else _by_lines(content, path).parts
    found = columns.tracks(raw, header, path, row_name)
    tracks = columns.of_tracks(found, raw.num_rows, header, path, notes)
    alone = found.table["track_id"].filter(pa.array(found.untitled))
    untitled = pc.is_in(tracks.table["track_id"], value_set=alone.combine_chunks())
    return Tracklist("", entries_of(tracks), tracks, untitled=tuple(np.flatnonzero(untitled).tolist()))


def as_playlist(path: Path) -> Tracklist:
    """A table as one playlist with the name of the file, in which a track that has two rows is twice.

    Raises
    ------
    NotFoundError, DataError
        As `read`.
    """
    found, notes = _rows(path)
    return _tracklist(path.stem, found, range(found.table.num_rows), path, notes)


def _rows(path: Path) -> tuple[columns.TableTracks, list[str]]:
    raw, header, row_name, notes = _raw(path)
    return columns.tracks(raw, header, path, row_name), notes


def _tracklist(
    name: str, found: columns.TableTracks, rows: Sequence[int], path: Path, notes: Sequence[str]
) -> Tracklist:
    from disco.sources.tracklist import Tracklist, entries_of

    tracks = Catalogue(found.table.take(row_array(np.array(rows))), str(path), (*notes, *found.notes))
    without_name = np.flatnonzero(found.untitled[np.array(rows, dtype=np.intp)])
    return Tracklist(name, entries_of(tracks), tracks, untitled=tuple(without_name.tolist()))


def _names_playlists(path: Path) -> bool:
    """Whether a table has a column of playlists; only its beginning is read."""
    try:
        if path.open("rb").read(4) == b"PAR1":
            header = pq.read_schema(path).names
        else:
            way = layout_of(_start(path))
            header = [] if way is None else way.header
    except (OSError, ValueError, pa.ArrowException, DataError):
        return False  # `read` gives the reason
    return "playlist" in column_names.find_columns(header)


def read(where: str | Path) -> Catalogue:
    """Read a table of tracks.

    Raises
    ------
    NotFoundError, DataError
        With the file, and the column or line, that cannot be used.
    """
    path = Path(where)
    raw, header, row_name, notes = _raw(path)
    return columns.catalogue(raw, header, path, row_name, notes, need_names=True)


def of_content(content: bytes, path: Path) -> Catalogue:
    """Read a table of text from the content of a file, as `read`; `path` is what notes and errors call it."""
    text = _by_lines(content, path)
    return columns.catalogue(text.raw, text.header, path, text.row_name, text.notes, need_names=True)


def _raw(path: Path) -> tuple[pa.Table, list[str], Callable[[int], str], list[str]]:
    try:
        if path.is_dir():
            raise DataError(path, _of_folder(path))
        with path.open("rb") as file:
            magic = file.read(4)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a name that no file can have
        raise NotFoundError(f"{path}: there is no such file") from None
    except OSError as error:
        raise DataError(path, f"cannot be read ({error.strerror})") from None
    if not magic:
        raise DataError(path, "is empty")
    if magic == b"PAR1":
        return _read_parquet(path)
    return _read_text(path).parts


def _of_folder(folder: Path) -> str:
    """Why a folder that no source reads is no catalogue."""
    names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    if found := [name for name in names if name.lower().endswith(_SUFFIXES)]:
        more = f" or one of {len(found) - 1:,} others" if len(found) > 1 else ""
        return f"is a folder; name the table of tracks in it: {printable(found[0])[:80]!r}{more}"
    if not names:
        return "is an empty folder"
    kinds = "no audio file (mp3, flac, m4a, wav and others), no table, and no library or export that is read"
    return f"is a folder in which there is no music: {kinds}"


def write(catalogue: Catalogue, where: str | Path) -> None:
    """Write a catalogue as DISCO's own Parquet, completely or not at all."""
    with atomic_file(Path(where)) as temporary:
        pq.write_table(catalogue.table, temporary, compression="zstd")


def _read_parquet(path: Path) -> tuple[pa.Table, list[str], Callable[[int], str], list[str]]:
    try:
        header = pq.ParquetFile(path).schema_arrow.names
        known = column_names.known_columns(header, path)
        raw = read_parquet(path, [name for names in known.values() for name in names])
    except (pa.ArrowException, OSError, ValueError) as error:  # ValueError: names of columns that are not UTF-8
        raise DataError(path, f"is not a readable Parquet file ({_first_line(error)})") from None
    if not raw.num_rows:
        raise DataError(path, "has columns but no rows")
    for name, column in zip(raw.column_names, raw.columns, strict=True):
        try:
            column.validate(full=True)  # fails for text that is not UTF-8
        except pa.ArrowException as error:
            raise DataError(path, f"column {name!r} is damaged ({_first_line(error)})") from None
    return raw, header, lambda row: f"row {row + 1}", []


def _read_text(path: Path) -> _Text:
    """A table of text: by Arrow where it is regular, else line by line."""
    start = _start(path)
    found = decode(start)
    if found is None:
        raise DataError(path, f"is {what_it_is(start) or 'not a table: neither text nor Parquet'}")
    text, guess = found
    if not text.strip():
        raise DataError(path, "is empty")
    if (way := layout(text)) is None:
        raise _no_table(path, start, text)
    header, notes, is_regular = _header(way, text, len(start) < _BEGINNING)
    if is_regular and not guess and start[:2] not in (b"\xff\xfe", b"\xfe\xff") and b"\0" not in start:
        try:
            raw = _by_arrow(path, way, header)
        except (pa.ArrowException, OSError):
            pass  # something odd, or damaged, which reading by lines finds and tells
        else:
            if not raw.num_rows:
                raise DataError(path, "has columns but no rows")
            return _Text(raw, header, partial(_line_of, path, way), [f"{path}: {note}" for note in notes])
    return _by_lines(_content(path), path)


def _header(way: Layout, text: str, is_whole: bool) -> tuple[list[str], list[str], bool]:
    """Header of a table in English and without doubles, notes, and whether the rows are as long as the header."""
    lines = split_lines(text)
    rows = [values for _, values, _ in records(lines, way.separator, way.line, len(way.header))]
    rows = rows if is_whole else rows[:-1]  # the last may be cut off
    fitted, notes = column_names.fit(way.header, [len(row) for row in rows], rows)
    header = exportify.english(fitted, rows)
    spaced = any(f'{way.separator} "' in line for line in lines[: len(rows) + way.line])
    return header, notes, not spaced and all(len(row) == len(way.header) == len(header) for row in rows)


def _start(path: Path) -> bytes:
    try:
        with pa.input_stream(str(path), compression="detect") as stream:
            return bytes(stream.read(_BEGINNING))
    except (pa.ArrowException, OSError) as error:
        raise DataError(path, f"cannot be read ({_first_line(error)})") from None


def _content(path: Path) -> bytes:
    """The whole content, unpacked, of what is read line by line."""
    try:
        with input_stream(path) as stream:
            content = bytes(stream.read(_MOST_BY_LINES + 1))
    except (pa.ArrowException, OSError) as error:
        raise DataError(path, f"cannot be read ({_first_line(error)})") from None
    if len(content) > _MOST_BY_LINES:
        raise DataError(
            path,
            f"is no regular table, and has more than {_MOST_BY_LINES >> 20} MB, too many to be read by lines",
        )
    return content


def _by_arrow(path: Path, way: Layout, header: list[str]) -> pa.Table:
    known = column_names.known_columns(header, path)
    texts = {name: pa.string() for names in known.values() for name in names}
    numbers = {known[column][0]: pa.float64() for column in columns.NUMBERS if column in known}
    try:
        return _parse(path, way, header, texts | numbers)
    except pa.ArrowInvalid:  # perhaps a text among the numbers, which can be read as text or named in an error
        return _parse(path, way, header, texts)


def _parse(path: Path, way: Layout, header: list[str], types: dict[str, pa.DataType]) -> pa.Table:
    import pyarrow.csv as pacsv  # not needed for Parquet, nor for what the cache has

    with input_stream(path) as stream:
        return pacsv.read_csv(
            stream,
            read_options=pacsv.ReadOptions(block_size=1 << 24, column_names=header, skip_rows=way.line),
            parse_options=pacsv.ParseOptions(delimiter=way.separator, newlines_in_values=True),
            convert_options=pacsv.ConvertOptions(
                column_types=types,
                include_columns=list(types),
                null_values=_NULLS,
                strings_can_be_null=False,
            ),
        )


def _by_lines(content: bytes, path: Path) -> _Text:
    """A table of text with whatever odd rows and encoding, which are reported."""
    found = decode(content)
    if found is None:
        raise DataError(path, f"is {what_it_is(content[:_BEGINNING]) or 'not a table: neither text nor Parquet'}")
    text, guess = found
    if not text.strip():
        raise DataError(path, "is empty")
    way = layout(text[:_BEGINNING])
    if way is None:
        raise _no_table(path, content[:_BEGINNING], text)
    header, notes, _ = _header(way, text[:_BEGINNING], len(text) <= _BEGINNING)
    if guess:
        notes.insert(0, f"read as {guess}")
    lines = split_lines(text)
    del text
    known = _wanted(header, path)
    wanted = [i for i, name in enumerate(header) if name in known]
    rows = regular_rows(records(lines, way.separator, way.line, len(header)), header, wanted)
    if not rows.lines:
        raise DataError(path, "has columns but no rows" + (f" ({'; '.join(rows.notes)})" if rows.notes else ""))
    arrays = [_texts(values) for values in rows.values]
    raw = pa.table(arrays, names=[header[i] for i in wanted])
    notes = [f"{path}: {note}" for note in (*notes, *rows.notes)]
    return _Text(raw, header, lambda row: f"line {rows.lines[row]}", notes)


def _texts(values: list[str]) -> pa.Array:
    """Texts as a column; half characters, which no text can hold, become question marks."""
    try:
        array = pa.array(values, pa.string())
    except UnicodeEncodeError:
        array = pa.array([value.encode("utf-8", "replace").decode() for value in values], pa.string())
    nothing = pa.compute.is_in(array, value_set=pa.array(_NULLS))
    return pa.compute.if_else(nothing, pa.scalar("", pa.string()), array)


def _wanted(header: list[str], path: Path) -> set[str]:
    return {name for names in column_names.known_columns(header, path).values() for name in names}


def _line_of(path: Path, way: Layout, row: int) -> str:
    """The line of a row of a table that Arrow read."""
    found = decode(_content(path)) if path.stat().st_size <= _MOST_BY_LINES else None
    if found is None:
        return f"row {row + 1}"
    at = next(islice(records(split_lines(found[0]), way.separator, way.line, len(way.header)), row, None), None)
    return f"row {row + 1}" if at is None else f"line {at[0]}"


def _no_table(path: Path, start: bytes, text: str) -> DataError:
    """Why a text is no table of tracks."""
    if named := what_it_is(start):
        return DataError(path, f"is {named}")
    lines = split_lines(text)
    if not any(line.strip() for line in lines[1:]) and any(separator in lines[0] for separator in ",;\t|"):
        return DataError(path, "has one line alone: columns without rows")
    for separator in (",", ";", "\t", "|"):
        names = next((values for _, values, _ in records(lines, separator)), [])
        if len(names) > 1:
            try:
                column_names.known_columns(names, path)
            except DataError as error:
                return error
    return DataError(path, f"is not a table of tracks: line 1 is {lines[0].strip()[:60]!r}")


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n")[0][:200]
