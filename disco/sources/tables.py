"""Tables of tracks, CSV or Parquet, whoever made them: a column is known by its name.

Read without being told: the 114k "Spotify Tracks Dataset", TidyTuesday's `spotify_songs.csv`, the 1.2M
`tracks_features.csv`, the 600k `tracks.csv`, Exportify's CSV, DISCO's own Parquet, and whatever else
names its columns like one of them.
"""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from disco.catalogue import Catalogue
from disco.errors import DataError, NotFoundError
from disco.sources import columns


def read(where: str | Path) -> Catalogue:
    """Read a table of tracks.

    Raises
    ------
    NotFoundError, DataError
        With the file, and the column or line, that cannot be used.
    """
    path = Path(where)
    if not path.exists():
        raise NotFoundError(f"{path}: there is no such file")
    if path.is_dir():
        raise DataError(path, "is a folder; name the table of tracks in it (CSV or Parquet)")
    if path.stat().st_size == 0:
        raise DataError(path, "is empty")
    raw = _read_parquet(path) if path.open("rb").read(4) == b"PAR1" else _read_csv(path)
    if raw.num_rows == 0:
        raise DataError(path, "has columns but no rows")
    return columns.catalogue(raw, path)


def write(catalogue: Catalogue, where: str | Path) -> None:
    """Write a catalogue as DISCO's own Parquet, whole or not at all."""
    path = Path(where)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        pq.write_table(catalogue.table, beside, compression="zstd")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _read_parquet(path: Path) -> pa.Table:
    try:
        file = pq.ParquetFile(path)
        names = file.schema_arrow.names
        return file.read(columns=[name for names_ in columns.known(names, path).values() for name in names_])
    except (pa.ArrowException, OSError) as error:
        raise DataError(path, f"is not a readable Parquet file ({_first_line(error)})") from None


def _read_csv(path: Path) -> pa.Table:
    header = _header(path)
    known = columns.known(header, path)
    wanted = [name for names in known.values() for name in names]
    convert = pacsv.ConvertOptions(
        column_types={name: pa.string() for name in wanted}, include_columns=wanted, strings_can_be_null=False
    )
    short: list[pacsv.InvalidRow] = []

    def refuse(row: pacsv.InvalidRow) -> str:
        short.append(row)
        return "error"

    def parse(threads: bool) -> pa.Table:
        with pa.input_stream(str(path), compression="detect") as stream:
            return pacsv.read_csv(
                stream,
                read_options=pacsv.ReadOptions(use_threads=threads, block_size=1 << 24),
                parse_options=pacsv.ParseOptions(newlines_in_values=True, invalid_row_handler=refuse),
                convert_options=convert,
            )

    try:
        return parse(threads=True)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        if short:
            short.clear()
            try:
                parse(threads=False)  # only the slow reader counts its rows
            except pa.ArrowException:
                line, row = short[0].number, short[0]
                raise DataError(
                    f"{path}, line {line}",
                    f"has {row.actual_columns} values where the header has {row.expected_columns}",
                ) from None
        _check_encoding(path)
        raise DataError(path, f"is not a readable CSV table ({_first_line(error)})") from None


def _header(path: Path) -> list[str]:
    """Column names of a CSV file, which must part its columns by commas."""
    try:
        with pa.input_stream(str(path), compression="detect") as stream:
            start = stream.read(1 << 16)
    except OSError as error:
        raise DataError(path, f"cannot be read ({_first_line(error)})") from None
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise DataError(path, "is encoded as UTF-16; save it as UTF-8")
    if b"\0" in start:
        raise DataError(path, "is not a table: neither text nor Parquet")
    line = start.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n").split(b"\n")[0].rstrip(b"\r")
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        raise DataError(f"{path}, line 1", "is not UTF-8; save the file as UTF-8") from None
    names = pacsv.read_csv(pa.BufferReader(line + b"\n")).column_names if text.strip() else []
    if len(names) < 2:
        sign = max((";", "\t", "|"), key=text.count)
        if text.count(sign):
            name = "tabs" if sign == "\t" else f"'{sign}'"
            raise DataError(f"{path}, line 1", f"parts its columns by {name}; save the file with commas instead")
        raise DataError(path, f"is not a table of tracks: line 1 is {text[:60]!r}")
    return names


def _check_encoding(path: Path) -> None:
    with pa.input_stream(str(path), compression="detect") as stream:
        for number, line in enumerate(stream.read().split(b"\n"), start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                byte = line[error.start]
                raise DataError(
                    f"{path}, line {number}",
                    f"is not UTF-8 (byte 0x{byte:02x}); save the whole file as UTF-8",
                ) from None


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n")[0][:200]
