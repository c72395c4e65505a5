"""Tables of tracks, CSV or Parquet, from any maker: columns are recognised by their names.

Among them are the 114k "Spotify Tracks Dataset", TidyTuesday's `spotify_songs.csv`, the 1.2M `tracks_features.csv`,
the 600k `tracks.csv`, Exportify's CSV and DISCO's own Parquet.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from disco.catalogue import Catalogue
from disco.errors import DataError, NotFoundError
from disco.sources.files import columns
from disco.sources.limits import input_stream, read_parquet
from disco.sources.storage import atomic_file

if TYPE_CHECKING:
    from disco.sources.tracklist import Tracklist

NAME = "a table of tracks"
# No value is longer than the file; the default limit would stop at an unclosed quote.
csv.field_size_limit(2**31 - 1)


def can_read(path: Path) -> bool:
    """Whether a file could be a table: Parquet, gzip, or text whose first line has columns; never raises."""
    try:
        with path.open("rb") as file:
            start = file.read(1 << 16)
    except (OSError, ValueError):
        return False
    line = start.removeprefix(b"\xef\xbb\xbf").lstrip().split(b"\n")[0]
    if start[:4] == b"PAR1" or start[:2] == b"\x1f\x8b" or (b"," in line and line[:1] not in b"{[<#"):
        return True
    # With another separator it cannot be read as a table, but it is one, and `read` says what to do about it.
    return columns.is_header(re.split(r"[;\t|]", line.decode(errors="replace").strip()))


def playlists(path: Path) -> list[Tracklist]:
    """An empty list: a table of tracks has no playlists."""
    return []


def read(where: str | Path) -> Catalogue:
    """Read a table of tracks.

    Raises
    ------
    NotFoundError, DataError
        With the file, and the column or line, that cannot be used.
    """
    path = Path(where)
    try:
        if path.is_dir():
            raise DataError(path, "is a folder; name the table of tracks in it (CSV or Parquet)")
        with path.open("rb") as file:
            magic = file.read(4)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a name that no file can have
        raise NotFoundError(f"{path}: there is no such file") from None
    except OSError as error:
        raise DataError(path, f"cannot be read ({error.strerror})") from None
    if not magic:
        raise DataError(path, "is empty")
    return _read_parquet(path) if magic == b"PAR1" else _read_csv(path)


def write(catalogue: Catalogue, where: str | Path) -> None:
    """Write a catalogue as DISCO's own Parquet, completely or not at all."""
    with atomic_file(Path(where)) as temporary:
        pq.write_table(catalogue.table, temporary, compression="zstd")


def _read_parquet(path: Path) -> Catalogue:
    try:
        header = pq.ParquetFile(path).schema_arrow.names
        known = columns.known_columns(header, path)
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
    return columns.catalogue(raw, header, path, lambda row: f"{path}, row {row + 1}")


def _read_csv(path: Path) -> Catalogue:
    header = _header(path)
    known = columns.known_columns(header, path)
    texts = {name: pa.string() for names in known.values() for name in names}
    numbers = {known[column][0]: pa.float64() for column in columns.NUMBERS if column in known}
    try:
        try:
            raw = _parse(path, texts | numbers)
        except pa.ArrowInvalid:  # perhaps a text among the numbers, which can be read as text or named in an error
            raw = _parse(path, texts)
    except (pa.ArrowException, OSError) as error:
        raise _reason(path, len(header), error) from None
    if not raw.num_rows:
        raise DataError(path, "has columns but no rows")
    return columns.catalogue(raw, header, path, lambda row: _row_name(path, row))


def _parse(path: Path, types: dict[str, pa.DataType]) -> pa.Table:
    import pyarrow.csv as pacsv  # not needed for Parquet, nor for what the cache has

    with input_stream(path) as stream:
        return pacsv.read_csv(
            stream,
            read_options=pacsv.ReadOptions(block_size=1 << 24),
            parse_options=pacsv.ParseOptions(newlines_in_values=True),
            convert_options=pacsv.ConvertOptions(
                column_types=types,
                include_columns=list(types),
                null_values=["", "nan", "NaN", "NA", "N/A", "None", "null", "NULL"],
                strings_can_be_null=False,
            ),
        )


def _header(path: Path) -> list[str]:
    """Column names of a CSV file, which must be separated by commas."""
    try:
        with input_stream(path) as stream:
            start = stream.read(1 << 16)
    except OSError as error:
        raise DataError(path, f"cannot be read ({_first_line(error)})") from None
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise DataError(path, "is encoded as UTF-16; save it as UTF-8")
    if b"\0" in start:
        raise DataError(path, "is not a table: neither text nor Parquet")
    text = start.decode("utf-8-sig", errors="replace")
    if not text.strip():
        raise DataError(path, "is empty")
    names = next(names for names in csv.reader(io.StringIO(text, newline="")) if names)
    line = ",".join(names)
    if "\ufffd" in line:
        raise DataError(f"{path}, line 1", "is not UTF-8; save the file as UTF-8")
    if len(names) < 2:
        sign = max((";", "\t", "|"), key=line.count)
        if line.count(sign):
            name = "tabs" if sign == "\t" else f"'{sign}'"
            raise DataError(f"{path}, line 1", f"separates its columns by {name}; save the file with commas instead")
        raise DataError(path, f"is not a table of tracks: line 1 is {line[:60]!r}")
    return names


def _records(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line on which each record of a CSV file begins, and its values; slow but exact."""
    with input_stream(path) as stream:
        reader = csv.reader(io.TextIOWrapper(stream, "utf-8-sig", errors="surrogateescape", newline=""))
        line = 1
        for values in reader:
            if values:
                yield line, values
            line = reader.line_num + 1


def _row_name(path: Path, row: int) -> str:
    """File and line of a row of a CSV table."""
    try:
        return f"{path}, line {next(islice(_records(path), row + 1, None))[0]}"
    except StopIteration:
        return f"{path}, row {row + 1} below the header"


def _reason(path: Path, columns: int, error: Exception) -> DataError:
    """Why a CSV table cannot be read: its first record that is not UTF-8 or not as long as the header."""
    rows = 0
    try:
        for line, values in _records(path):
            text = "".join(values)
            try:
                text.encode()
            except UnicodeEncodeError as odd:
                byte, further = ord(text[odd.start]) - 0xDC00, text.count("\n", 0, odd.start)
                return DataError(
                    f"{path}, line {line + further}", f"is not UTF-8 (byte 0x{byte:02x}); save the file as UTF-8"
                )
            if len(values) != columns:
                hint = "; is a quote not closed?" if "\n" in text else ""
                return DataError(
                    f"{path}, line {line}", f"has {len(values)} values where the header has {columns}{hint}"
                )
            rows += 1
    except OSError as odd:
        return DataError(path, f"cannot be read ({_first_line(odd)})")
    if rows == 1:
        return DataError(path, "has columns but no rows")
    return DataError(path, f"is not a readable CSV table ({_first_line(error)})")


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n")[0][:200]
