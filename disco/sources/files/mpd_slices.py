"""Slices of the Million Playlist Dataset: Chen et al., "RecSys Challenge 2018", 2018.

A slice is JSON: `info` and `playlists`, each of these with `tracks`.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from disco.errors import DataError
from disco.sources.limits import ZIP_ERRORS, Budget, unpacked


@dataclass(frozen=True)
class PlaylistSource:
    """Where playlists are: a table, a slice, or a slice in a zip file.

    Attributes
    ----------
    path : Path
    member : str
        Name of the slice in the zip file `path`; empty if it is no zip file.
    table : bool
        Whether it is a table; a slice otherwise.
    """

    path: Path
    member: str = ""
    table: bool = False

    def __str__(self) -> str:
        return f"{self.path}/{self.member}" if self.member else str(self.path)


def slices_in(path: Path, names: Iterable[str]) -> list[PlaylistSource]:
    """Slices by their names, 1000-1999 after 0-999; hidden ones are some system's own notes."""
    seen = [n for n in names if n.lower().endswith(".json") and not any(p[0] in "._" for p in n.split("/") if p)]
    if not seen:
        raise DataError(path, "holds no Million Playlist slices (*.json) and no playlists.parquet")
    by_number = sorted(seen, key=lambda n: ([int(number) for number in re.findall(r"\d{1,18}", n)], n))
    return [PlaylistSource(path, name) for name in by_number]


class SliceTrack(msgspec.Struct, gc=False):
    """A track of a playlist as slices have it; only what is read."""

    track_uri: str
    track_name: str | None = None
    artist_name: str | None = None


class SlicePlaylist(msgspec.Struct, gc=False):
    """A playlist as slices have it; only what is read."""

    pid: int | str | None = None
    name: str | None = None
    tracks: list[SliceTrack] = []


class _Slice(msgspec.Struct, gc=False):
    playlists: list[SlicePlaylist]


_SLICES = msgspec.json.Decoder(_Slice)


def regular(content: bytes) -> list[SlicePlaylist] | None:
    """The playlists of a slice in which every value is of its usual type, four times as fast as `parsed`.

    Parameters
    ----------
    content : bytes

    Returns
    -------
    list of SlicePlaylist, or None
        None for any other slice, or what is none: `parsed` reads it, or says what is wrong.

    Examples
    --------
    >>> regular(b'{"playlists": [{"pid": 3, "tracks": [{"track_uri": "spotify:track:a"}]}]}')[0].tracks[0].track_uri
    'spotify:track:a'
    >>> regular(b'{"playlists": [{"pid": 3, "tracks": [null]}]}') is None
    True
    """
    try:
        return _SLICES.decode(content.removeprefix(b"\xef\xbb\xbf")).playlists
    except (ValueError, RecursionError):  # one that msgspec raises is a ValueError
        return None


def read_content(source: PlaylistSource, budget: Budget | None = None) -> bytes:
    """The bytes of a slice. Of a zip file no more is unpacked than its `budget` allows; one each by default.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    try:
        if source.member:
            with zipfile.ZipFile(source.path) as archive:
                return unpacked(archive, source.member, budget or Budget(source.path))
        return source.path.read_bytes()
    except (OSError, *ZIP_ERRORS) as error:
        raise DataError(source, f"cannot be read ({first_line(error)})") from None


def parsed(
    source: PlaylistSource, budget: Budget | None = None, content: bytes | None = None
) -> list[dict[str, Any]]:
    """The playlists of a slice as it has them, each with `tracks`: those with an id, which may be none.

    Of a zip file no more is unpacked than its `budget` allows; one for each slice by default. What was read already
    may be given as `content`.

    Raises
    ------
    DataError
        If it is no slice.
    """
    content = read_content(source, budget) if content is None else content
    try:
        parsed = json.loads(content.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError) as error:
        raise DataError(source, f"is not JSON ({first_line(error)})") from None
    playlists = parsed.get("playlists") if isinstance(parsed, dict) else None
    if not isinstance(playlists, list):
        raise DataError(source, "is not a Million Playlist slice: it has no list of playlists")
    lists = [p if isinstance(p, dict) else {} for p in playlists]
    given = [p["tracks"] if isinstance(p.get("tracks"), list) else [] for p in lists]
    with_id = [[t for t in tracks if isinstance(t, dict) and _is_name(t.get("track_uri"))] for tracks in given]
    return [{**p, "tracks": k, "without_id": len(g) - len(k)} for p, g, k in zip(lists, given, with_id, strict=True)]


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def texts(values: list[Any]) -> pa.Array:
    """Texts of JSON; what is no text is null, and half a surrogate pair becomes a question mark."""
    try:
        return pa.array(values, pa.string())  # of texts alone, as in nearly all slices
    except (UnicodeEncodeError, pa.ArrowException):
        texts = [value if isinstance(value, str) else None for value in values]
        return pa.array([t if t is None else t.encode("utf-8", "replace").decode() for t in texts], pa.string())


def first_line(error: BaseException) -> str:
    """First line of an error's text, for a message."""
    return str(error).strip().split("\n")[0][:200]
