"""What files contain, as fingerprints that are remembered for as long as a file is as it was.

A file is as it was while its state is (`disco.sources.file_states`). A fingerprint is remembered only of a file whose
times were more than two seconds back when it was taken: one that changed so lately could change again without another
time, since clocks of file systems have steps (of 2 s on FAT). Source: Git's Documentation/technical/racy-git.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from disco.sources.cache import CatalogueCache, folders_of
from disco.sources.file_states import State, state_of, state_of_open

_NAME = "files.json"
_SETTLED_NS = 2_000_000_000
# A larger file is not read at once.
_MOST_BYTES = 1 << 30


class FileContent:
    """The content of a file and its fingerprint, each read when it is first needed.

    Parameters
    ----------
    path : Path
        It need not exist: the fingerprint of what cannot be read is empty.
    remembered : mapping from state to fingerprint

    Examples
    --------
    >>> FileContent(Path("no such file"), {}).fingerprint
    b''
    """

    def __init__(self, path: Path, remembered: Mapping[State, bytes]) -> None:
        self.path = path
        self.asked_ns = time.time_ns()
        self.state = state_of(path)
        self._remembered = remembered.get(self.state) if self.state else None

    @property
    def is_remembered(self) -> bool:
        """Whether the fingerprint is known without reading the file, or there is no file."""
        return self.state is None or self._remembered is not None

    @property
    def is_settled(self) -> bool:
        """Whether a later change would be seen by the times of the file."""
        # Windows has the time at which a file was created in the place of that of its last change.
        return self.state is None or (os.name != "nt" and max(self.state[3:]) < self.asked_ns - _SETTLED_NS)

    @cached_property
    def parquet(self) -> bytes:
        """The content of a Parquet file, read at once; empty where it is none, or has changed since."""
        try:
            with self.path.open("rb") as file:
                if file.read(4) != b"PAR1" or self.state is None or self.state[2] > _MOST_BYTES:
                    return b""
                file.seek(0)
                content = file.read()
                return content if state_of_open(file.fileno()) == self.state else b""
        except (OSError, ValueError):
            return b""

    @cached_property
    def fingerprint(self) -> bytes:
        """Hash of the content; empty if it cannot be read. It takes 15 ms for 21 MB that are not remembered."""
        if self._remembered is not None or self.state is None:
            return self._remembered or b""
        return hashlib.sha256(self.parquet).digest() if self.parquet else fingerprint(self.path)


def contents_of(paths: Sequence[Path]) -> list[FileContent]:
    """The files of a catalogue, with the fingerprints that an earlier command has remembered."""
    remembered: dict[State, bytes] = {}
    for folder in folders_of(paths):
        content = CatalogueCache(folder, 0).read(_NAME)
        try:
            for state, digest in json.loads(bytes(content)) if content else ():
                remembered[tuple(state)] = bytes.fromhex(digest)
        except (ValueError, TypeError):
            continue
    return [FileContent(path, remembered) for path in paths]


def remember(cache: CatalogueCache, contents: Sequence[FileContent]) -> None:
    """Store the fingerprints of the files of a catalogue, if any is new and all may be trusted."""
    if all(content.is_remembered for content in contents) or not all(content.is_settled for content in contents):
        return
    known = [(content.state, content.fingerprint.hex()) for content in contents if content.state]
    cache.write(_NAME, json.dumps(known).encode())


def fingerprint(path: Path) -> bytes:
    """Hash of what a file contains now; empty if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except (OSError, ValueError):
        return b""
