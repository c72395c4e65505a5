"""What is read from files has limits: small files that unpack to gigabytes, pipes, devices, nested texts.

Every reader takes what is no plain file, or what is packed, from here.
"""

from __future__ import annotations

import atexit
import io
import lzma
import re
import stat
import tomllib
import zipfile
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from disco.catalogue.text import LONGEST_PATH, clean_text
from disco.errors import DataError, NotFoundError
from disco.sources import storage

if TYPE_CHECKING:
    import pyarrow.parquet as pq

# What may come out of any packed file; JSON of this size takes about 1 GB in memory.
UNPACKED_BYTES = 64 << 20
# Beyond that so many times its own size. Text of tracks and histories is packed 5 to 20 times.
UNPACKED_TIMES = 30
# What a pipe may give.
PIPE_BYTES = 256 << 20
# Settings and recipes have a few hundred bytes, and names of two parts at most.
_TOML_BYTES = 200_000
_DEEPEST_NAME, _NAME = 20, re.compile(r"[\w\"'.-]+")
# Rows of a Parquet file by its size: each track has an id of its own, of several bytes, and each entry of a playlist
# a position. Small files may have any number.
_ROWS_PER_BYTE, _FEW_ROWS = 2, 1_000_000
# Small files in which texts that are repeated may be long; to look costs larger ones time.
_REPEATING_BYTES = 4 << 20
# What can be wrong with a zip file or one of its members: damaged, encrypted, packed in an unknown way.
ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    RuntimeError,
    NotImplementedError,
    UnicodeDecodeError,
    OverflowError,
)
# Copies of pipes that were read, by the path that the user gave.
_copies: dict[str, Path] = {}


def regular_file(path: str | Path) -> Path:
    """A path that can be read several times: the same, or of a pipe a copy of all that it gives.

    A pipe is read once, here; the copy lies in the cache folder until the process ends. Whoever takes a path from a
    person calls this before anything opens it.

    Raises
    ------
    DataError
        If it is a device or a socket, or a pipe that gives more than 256 MB.

    Examples
    --------
    >>> regular_file("no such file.csv").name
    'no such file.csv'
    """
    try:
        mode = Path(path).stat().st_mode
    except (OSError, ValueError):  # the reader says so
        return Path(path)
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        return Path(path)
    if not stat.S_ISFIFO(mode):
        raise DataError(path, "is a device, not a file")
    if str(path) not in _copies:
        _copies[str(path)] = _copied(Path(path))
    return _copies[str(path)]


def _copied(path: Path) -> Path:
    folder = storage.user_cache_dir() / "pipes"
    try:
        storage.make_private_folder(folder)
        copy = storage.new_temporary_file(folder)
        atexit.register(copy.unlink, missing_ok=True)
        size = 0
        with path.open("rb") as pipe, copy.open("wb") as file:
            while piece := pipe.read(1 << 20):
                size += len(piece)
                if size > PIPE_BYTES:
                    raise DataError(path, "is a pipe that gives more than 256 MB; save it as a file first")
                file.write(piece)
    except OSError as error:
        raise DataError(path, f"is a pipe that cannot be read ({error.strerror})") from None
    return copy


def content_of(path: Path, most: int) -> bytes:
    """The bytes of a plain file or a pipe, at most so many.

    Raises
    ------
    OSError
        If it cannot be read.
    DataError
        If it is longer, or a device.
    """
    with regular_file(path).open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise DataError(path, f"is too long for what it should be: more than {_size(most)}")
    return content


def toml_of(path: Path, what: str) -> dict[str, Any]:
    """The content of a TOML file, a `what` as messages call it.

    Raises
    ------
    NotFoundError, DataError
        If it cannot be read, is no TOML, or is longer or deeper than any settings.
    """
    try:
        text = content_of(path, _TOML_BYTES).decode("utf-8-sig")
        if _has_deep_name(text):
            raise DataError(path, "nests names more than 20 deep, which no settings do")
        return tomllib.loads(text)
    except FileNotFoundError:
        raise NotFoundError(f"{path}: there is no such file") from None
    except OSError as error:
        raise DataError(path, f"cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        raise DataError(path, f"is not a readable {what} ({error})") from None


def _has_deep_name(text: str) -> bool:
    """Whether a text of TOML has a name of more parts than any setting, in time linear in its length."""
    joined = re.sub(r"\s+", " ", text).replace(" .", ".").replace(". ", ".")
    return any(len(re.findall(r"[^.]\.", name)) >= _DEEPEST_NAME for name in _NAME.findall(joined))


class Budget:
    """What may still come out of a packed file, however many members it has.

    Parameters
    ----------
    path : Path
        The packed file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            size = path.stat().st_size
        except (OSError, ValueError):  # who reads it says that it is not there
            size = 0
        self.left = self.most = max(UNPACKED_BYTES, UNPACKED_TIMES * size)

    def spend(self, size: int) -> None:
        """Take so many bytes off.

        Raises
        ------
        DataError
            If there are not so many.
        """
        self.left -= size
        if self.left < 0:
            raise DataError(self.path, f"unpacks to more than {_size(self.most)}, which is not read for safety")


def unpacked(archive: zipfile.ZipFile, name: str | zipfile.ZipInfo, budget: Budget) -> bytes:
    """The content of a member of a zip file, read in pieces, whatever size the file says it has.

    Raises
    ------
    OSError, one of ZIP_ERRORS
        If it is damaged.
    DataError
        If it is longer than the budget of the zip file allows.
    """
    pieces = []
    with archive.open(name) as member:
        while piece := member.read(1 << 20):
            budget.spend(len(piece))
            pieces.append(piece)
    return b"".join(pieces)


class _Limited(io.RawIOBase):
    """A packed stream that raises an error where it gives more than its budget."""

    def __init__(self, stream: IO[bytes], budget: Budget) -> None:
        self._stream, self._budget = stream, budget

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self._stream.read(len(buffer))
        self._budget.spend(len(content))
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        self._stream.close()
        super().close()


def input_stream(path: Path) -> Any:
    """The bytes of a file as a stream of Arrow, unpacked where the name ends in .gz, .bz2, .zst and the like.

    Raises
    ------
    OSError
        If it cannot be read; a `DataError` is raised while reading where more comes out than is sane.
    """
    packed = path.suffix.lower() in (".gz", ".bz2", ".zst", ".lz4", ".br")
    stream = pa.input_stream(str(path), compression="detect")
    if not packed:
        return stream
    return pa.PythonFile(io.BufferedReader(_Limited(stream, Budget(path)), 1 << 20), mode="r")


def check_parquet(file: pq.ParquetFile, path: Path, size: int) -> None:
    """Refuse a Parquet file that promises more rows than its size in bytes can have.

    Raises
    ------
    DataError
        With both numbers.
    """
    rows = file.metadata.num_rows
    if rows > max(_FEW_ROWS, _ROWS_PER_BYTE * size):
        raise DataError(path, f"has {rows:,} rows in {size:,} bytes, so they say nothing; it is not read for safety")


def read_parquet(path: Path, names: list[str]) -> pa.Table:
    """Columns of a Parquet file, in which texts that it holds once and repeats stay as short as texts of tracks are.

    Raises
    ------
    DataError
        As `check_parquet`.
    ArrowException, OSError, ValueError
        If it is damaged.
    """
    import pyarrow.parquet as pq

    file, size = pq.ParquetFile(path), path.stat().st_size
    check_parquet(file, path, size)
    if size > _REPEATING_BYTES:
        return file.read(columns=names)
    leaves = [file.schema.column(i) for i in range(len(file.schema))]
    texts = [leaf.path for leaf in leaves if leaf.logical_type.type == "STRING"]
    raw = pq.ParquetFile(path, read_dictionary=texts).read(columns=names)
    for i, name in enumerate(raw.column_names):
        raw = raw.set_column(
            i, name, pa.chunked_array([_short(chunk) for chunk in raw.column(i).chunks] or raw[name])
        )
    return raw


def _short(values: pa.Array) -> pa.Array:
    """Texts, or lists of them, that were read as a dictionary; long ones are cut off before they are repeated."""
    if pa.types.is_list(values.type) and pa.types.is_dictionary(values.type.value_type):
        return pa.ListArray.from_arrays(values.offsets, _short(values.values), mask=values.is_null())
    if not pa.types.is_dictionary(values.type):
        return values
    texts = values.dictionary
    if (pc.max(pc.binary_length(texts)).as_py() or 0) > LONGEST_PATH:
        texts = pa.array([text and clean_text(text) for text in texts.to_pylist()], pa.string())
    return texts.take(values.indices)


def _size(n: int) -> str:
    return f"{n / 1e6:,.0f} MB" if n >= 1e6 else f"{n / 1000:,.0f} kB"
