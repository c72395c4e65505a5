"""What was computed of a catalogue, in the cache folder, so that later commands need not compute it again.

Each catalogue has a folder of its own, named by where its files are and by a fingerprint of all that they contain: a
changed file is another catalogue, whose folder replaces the old one. Every file in it ends in a checksum, is written
completely or not at all, and is computed again where it cannot be used. The checksum of a large file that is
memory-mapped is compared once for as long as the file stays as it is (`disco.sources.file_states`): to compare it
each time would read all of what a command needs a part of.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import logging
import mmap
import os
import re
import shutil
import struct
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from disco.errors import DataError
from disco.sources import storage
from disco.sources.file_states import state_of, state_of_open

log = logging.getLogger(__name__)

# What all folders together may take; the longest unused are removed first. Ten million tracks take 2 to 3 GB.
TOTAL_BYTES = 4 << 30
# A catalogue's folder takes at most this many times the size of its files.
TIMES_THE_FILES = 2
# What a catalogue of a few tracks may take: names of columns alone take 10 kB.
LEAST_BYTES = 1 << 18
# What vectors take, for which columns leave room unless they are small.
VECTOR_BYTES = 64
# A mapped file from this size on is compared with its checksum once; below, it takes less than 10 ms each time.
LARGE_BYTES = 1 << 24
# How long a process waits for another that computes the same; then it computes it too.
_PATIENCE_S = 3600.0
# A temporary file this old is left over from a command that was killed.
_STALE_S = 3600.0
# The last bytes of every file: a mark, and the checksum of all bytes before it.
_END = struct.Struct("<4sI")
_MARK = b"DSC1"
# Modules on which the content of a catalogue, or its search index, depends: if they change, all is computed again.
_CODE: tuple[str, ...] = ("catalogue/*.py", "sources/files/*.py", "sources/corrections.py", "sources/cache.py")
_CODE += ("sources/mapped_columns.py",)
# Ends the name of a file that says of which state of another the checksum was compared.
_CHECKED = ".checked"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def user_cache() -> Path:
    """Folder of what was computed of catalogues: `$DISCO_CACHE/catalogues`, or that in the user's cache folder."""
    return storage.user_cache_dir() / "catalogues"


class CatalogueCache:
    """The files that belong to one catalogue; an `ArrayStore`.

    Nothing here fails: what cannot be read is computed, what cannot be written is computed again by the next command,
    and one line in the log says so.

    Parameters
    ----------
    folder : Path
        It need not exist.
    limit : int
        What all its files may take, in bytes.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     first = CatalogueCache(Path(folder, "one"), 1000).array("squares-1", lambda: np.arange(4) ** 2)
    ...     later = CatalogueCache(Path(folder, "one"), 1000).array("squares-1", lambda: 1 / 0)
    >>> first.tolist() == later.tolist()
    True
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder = folder
        self.limit = limit
        # Whether what is computed is used from its file at once, where all processes of a machine share its memory.
        self.shared = False
        self._reported = False
        self._in_use: set[str] = set()

    def array(self, name: str, compute: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """The array of this name, memory-mapped where it is there already; else it is computed and kept."""
        if (found := self._mapped(name)) is not None:
            return found
        if not self.shared:
            return self._computed(name, compute)
        with self.alone(name):
            found = self._mapped(name)  # another process may have computed it meanwhile
            if found is None:
                array = self._computed(name, compute)
                found = self._mapped(name)
            return array if found is None else found

    def _mapped(self, name: str) -> NDArray[Any] | None:
        path = self._path(f"{name}.npy")
        if (content := self.read(path.name, mapped=True)) is None:
            return None
        try:
            array = np.load(path, mmap_mode="r", allow_pickle=False)
            if isinstance(array, np.memmap) and array.offset + array.nbytes == len(content):
                return np.asarray(array)
        except (OSError, ValueError, EOFError, SyntaxError):
            pass
        self._report(f"{path}: is no array; it is computed again")
        return None

    def _computed(self, name: str, compute: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        array = np.asarray(compute())

        def write(file: BinaryIO) -> None:
            np.lib.format.write_array(file, array, allow_pickle=False)

        self.write_by(f"{name}.npy", array.nbytes, write)
        return array

    @contextlib.contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """Let no other process compute the same meanwhile, which would take its time and memory once more."""
        with contextlib.ExitStack() as stack:
            with contextlib.suppress(DataError):  # two may compute it, each for itself
                stack.enter_context(storage.locked(self._path(name), _PATIENCE_S))
            yield

    def read(self, name: str, mapped: bool = False) -> memoryview | None:
        """The content of a file, memory-mapped or read; None if there is none that is whole.

        What is mapped must be used at once, or be a large array: if another program cuts the file off while it is
        mapped, the operating system ends the process.
        """
        path = self._path(name)
        try:
            with path.open("rb") as file:
                state = state_of_open(file.fileno())
                whole = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if mapped else file.read()
            content = memoryview(whole)
            mark, checksum = _END.unpack(content[-_END.size :])
            content = content[: -_END.size]
            large = mapped and len(content) >= LARGE_BYTES
            if mark == _MARK and ((large and self._checked(name) == state) or zlib.crc32(content) == checksum):
                self._in_use.update((name, name + _CHECKED))
                if large and self._checked(name) != state:
                    self._note_checked(name)
                with contextlib.suppress(OSError):
                    # So that what is used by nobody is removed first; a time of a large file is part of its state.
                    os.utime(self._path(name + _CHECKED) if large else path)
                return content
        except FileNotFoundError:
            return None
        except OSError as error:
            self._report(f"{path}: cannot be read ({error.strerror or error}); it is computed again")
            return None
        except (ValueError, struct.error):  # an empty file, or one shorter than its end
            pass
        self._report(f"{path}: is damaged; it is computed again")
        return None

    def _checked(self, name: str) -> tuple[int, ...] | None:
        """The state of a file in which its content was last found to be what its checksum says."""
        try:
            return tuple(json.loads(self._path(name + _CHECKED).read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def _note_checked(self, name: str) -> None:
        with contextlib.suppress(DataError):
            state = json.dumps(state_of(self._path(name)))
            storage.write_atomic(self._path(name + _CHECKED), state, private=True)

    def write(self, name: str, content: bytes | memoryview | pa.Buffer) -> None:
        """Write a file, if there is room for it; then remove what is old from the cache folder."""
        data = memoryview(content)
        self.write_by(name, data.nbytes, lambda file: file.write(data))

    def write_by(self, name: str, size: int, write: Callable[[BinaryIO], object]) -> None:
        """The same by a function that writes about so many bytes into an open file, from its start to its end."""
        path = self._path(name)
        size += _END.size
        self._remove_unused(self.size(but=path.name) + size - self.limit, path.name)
        if (others := self.size(but=path.name)) + size > self.limit:
            log.debug("%s", f"{path}: not kept: {others + size:,} bytes are more than the {self.limit:,} allowed")
            return
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with storage.atomic_file(path, private=True) as temporary, temporary.open("wb") as file:
                summed = _Summed(file)
                write(cast(BinaryIO, summed))
                file.write(_END.pack(_MARK, summed.checksum))
                if size >= LARGE_BYTES:  # on the disk before it has its name, even if the power fails
                    file.flush()
                    os.fsync(file.fileno())
        except DataError as error:
            self._report(f"{error}; the next command computes it again")
        except (OSError, pa.ArrowException) as error:
            why = getattr(error, "strerror", None) or error
            self._report(f"{path}: cannot be written ({why}); the next command computes it again")
        else:
            self._in_use.update((name, name + _CHECKED))
            if size >= LARGE_BYTES:
                self._note_checked(name)
            prune(self.folder.parent, self.folder)

    def _remove_unused(self, too_many: int, name: str) -> None:
        """Remove files that this process did not use, longest unused first, such as the points of an older model."""
        if too_many <= 0:
            return
        with contextlib.suppress(OSError):
            found = [(entry.stat(), entry) for entry in os.scandir(self.folder) if not entry.name.startswith(".")]
            unused = [(about, entry) for about, entry in found if entry.name not in {*self._in_use, name}]
            for about, entry in sorted(unused, key=lambda each: each[0].st_mtime):
                if too_many > 0:
                    Path(entry).unlink()
                    too_many -= about.st_size

    def size(self, but: str = "") -> int:
        """Bytes of all its files, except one."""
        try:
            with os.scandir(self.folder) as entries:
                return sum(entry.stat().st_size for entry in entries if entry.name != but)
        except OSError:
            return 0

    def used(self) -> None:
        """Note that the folder is in use, so that others are removed before it."""
        with contextlib.suppress(OSError):
            os.utime(self.folder)

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} cannot be the name of a file")
        return self.folder / name

    def _report(self, what: str) -> None:
        """Log the first thing that is wrong: the others mostly have the same reason."""
        log.log(logging.DEBUG if self._reported else logging.WARNING, "%s", what)
        self._reported = True


class _Summed(io.RawIOBase):
    """A file that is written from start to end, and the checksum of what was written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.checksum = file, 0

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        data = memoryview(content).cast("B")
        self.checksum = zlib.crc32(data, self.checksum)
        return self._file.write(data)


def open_cache(paths: Sequence[Path], contents: Sequence[bytes]) -> CatalogueCache:
    """The cache of a catalogue.

    Parameters
    ----------
    paths : sequence of Path
        Its files.
    contents : sequence of bytes
        Fingerprint of each.
    """
    key = hashlib.sha256(b"\0".join([_code_version(), *contents])).hexdigest()
    sizes = 0
    for path in paths:
        with contextlib.suppress(OSError):
            sizes += path.stat().st_size
    return CatalogueCache(user_cache() / f"{_place(paths)}-{key[:32]}", max(TIMES_THE_FILES * sizes, LEAST_BYTES))


def folders_of(paths: Sequence[Path]) -> list[Path]:
    """Folders of the cache that belong to these files, of what they contain now or contained before."""
    return sorted(user_cache().glob(f"{_place(paths)}-*"))


def _place(paths: Sequence[Path]) -> str:
    """Hash of where files are."""
    names = "\0".join(str(path.absolute()) for path in paths)
    return hashlib.sha256(names.encode(errors="replace")).hexdigest()[:16]


@cache
def _code_version() -> bytes:
    """Hash of all on which the content of a catalogue depends but its files."""
    package = Path(__file__).parents[1]
    made_by = hashlib.sha256(f"{pa.__version__} {np.__version__}".encode())
    for pattern in _CODE:
        for path in sorted(package.glob(pattern)):
            made_by.update(path.read_bytes())
    return made_by.digest()


def prune(root: Path, keep: Path) -> None:
    """Remove old folders of the cache: of changed files, and the longest unused where all take more than allowed.

    Parameters
    ----------
    root : Path
        The folder of all catalogues.
    keep : Path
        The folder in it that is in use. Others of the same files are removed.
    """
    with contextlib.suppress(OSError):
        folders: list[tuple[float, int, Path]] = []
        for folder in root.iterdir():
            with contextlib.suppress(OSError):
                if folder != keep and folder.name.split("-")[0] == keep.name.split("-")[0]:
                    shutil.rmtree(folder, ignore_errors=True)
                else:
                    folders.append((folder.stat().st_mtime, _size_without_stale(folder), folder))
        total = sum(size for _, size, _ in folders)
        for _, size, folder in sorted(folders):
            if total > TOTAL_BYTES and folder != keep:
                shutil.rmtree(folder, ignore_errors=True)
                total -= size


def total_bytes(root: Path) -> int:
    """Bytes of all files in the cache of catalogues."""
    total = 0
    for path in root.rglob("*"):
        with contextlib.suppress(OSError):
            total += path.stat().st_size * path.is_file()
    return total


def _size_without_stale(folder: Path) -> int:
    """Bytes of the files of a folder, after its stale temporary files are removed."""
    total = 0
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            status = path.stat()
            if path.name.startswith(".disco-") and time.time() - status.st_mtime > _STALE_S:
                path.unlink()
            else:
                total += status.st_size
    return total
