"""A person's library as Spotify had it: saved and top tracks and playlists, kept in the user's data folder."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from disco.catalogue import SCHEMA, Catalogue
from disco.errors import DataError, DiscoError, NotFoundError
from disco.sources import storage
from disco.sources.files import tables
from disco.sources.services.spotify.state import is_time
from disco.sources.tracklist import Entry, Tracklist, entries_of

FORMAT = 1
# Spotify's terms let nobody keep its data longer than needed; after a month one is reminded.
OLD_S = 30 * 24 * 3600
NAME = "your Spotify library"


@dataclass(frozen=True)
class StoredPlaylist:
    """A playlist as it was read; `ids` has a null where something is gone or spoken."""

    id: str
    name: str
    snapshot: str
    total: int
    ids: list[str | None]


@dataclass(frozen=True)
class Library:
    """What was read of one account.

    Attributes
    ----------
    account : str
    at : float
        When it was read, Unix time in s.
    tracks : Catalogue
        All tracks of the lists once; files of the user's own have their `spotify:local:` URI for an id.
    saved, top : list of str
        Ids in Spotify's order: the newest, and those played most, first.
    saved_total : int
        How many Spotify says are saved.
    playlists : list of Kept
    notes : tuple of str
    """

    account: str
    at: float
    tracks: Catalogue
    saved: list[str]
    saved_total: int
    top: list[str]
    playlists: list[StoredPlaylist]
    notes: tuple[str, ...] = ()

    def tracklists(self) -> list[Tracklist]:
        """Its lists by their names: saved tracks, top tracks, playlists."""
        entries = {entry.id: entry for entry in entries_of(self.tracks)}
        own: list[tuple[str, list[str | None]]] = [("Saved tracks", [*self.saved]), ("Top tracks", [*self.top])]
        own += [(kept.name, kept.ids) for kept in self.playlists]
        # An entry that is gone keeps its position, without an id.
        return [
            Tracklist(
                name,
                [entries.get(one, Entry(one)) for one in ids],
                unmatched=tuple(position for position, one in enumerate(ids) if one is None),
            )
            for name, ids in own
        ]


def spotify_dir() -> Path:
    """Folder of all that is kept of Spotify's data."""
    return storage.user_data_dir() / "spotify"


def library_dir() -> Path:
    """Folder of the library."""
    return spotify_dir() / "library"


def write(library: Library) -> None:
    """Keep a library in the place of the one before, whole or not at all."""
    with storage.locked(spotify_dir()):
        _write(library, library_dir())


def _write(library: Library, there: Path) -> None:
    try:
        storage.make_private_folder(there)
        # Under a name of its own, so that the old library is whole until the new one is; the JSON decides.
        name = f"tracks-{time.time_ns()}.parquet"
        tables.write(library.tracks, there / name)
    except OSError as error:
        raise DataError(there, f"cannot be written ({error.strerror or 'disk error'})") from None
    content: dict[str, Any] = {"format": FORMAT, "account": library.account, "at": library.at, "tracks": name}
    content |= {"size": len(library.tracks), "saved": library.saved, "saved_total": library.saved_total}
    content |= {"top": library.top, "playlists": [asdict(kept) for kept in library.playlists]}
    storage.write_atomic(there / "library.json", json.dumps(content | {"notes": library.notes}), private=True)
    for old in there.glob("tracks-*.parquet"):
        if old.name != name:
            old.unlink(missing_ok=True)


def is_library(path: Path) -> bool:
    """Whether a folder is, or holds, a library that `write` made."""
    return (path / "library.json").is_file()


def read(path: Path | None = None) -> Library:
    """The library that is kept.

    Raises
    ------
    NotFoundError, DataError
        If there is none, or it is damaged.
    """
    there = path or library_dir()
    try:
        return _read(there)
    except _Replaced:  # by another process, between the reading of its two files
        return _read(there)


class _Replaced(DataError):
    """The table that the file names is not there."""


def _read(there: Path) -> Library:
    file = there / "library.json"
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotFoundError("there is no library from Spotify yet; run: disco spotify sync") from None
    except OSError as error:
        raise DataError(file, f"cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError):
        raise DataError(file, "is damaged; run: disco spotify sync") from None
    try:
        if content["format"] != FORMAT:
            raise DataError(file, f"has format {content['format']}, not {FORMAT}; run: disco spotify sync")
        tracks = tables.read(there / content["tracks"]) if content["size"] else Catalogue(SCHEMA.empty_table())
        notes = tuple(str(note) for note in content["notes"])
        return Library(
            account=str(content["account"]),
            at=float(content["at"]) if is_time(content["at"]) else 0.0,
            tracks=Catalogue(tracks.table, NAME, notes),
            saved=[str(one) for one in content["saved"]],
            saved_total=int(content["saved_total"]),
            top=[str(one) for one in content["top"]],
            playlists=[StoredPlaylist(**kept) for kept in content["playlists"]],
            notes=notes,
        )
    except NotFoundError:
        raise _Replaced(file, "is damaged; run: disco spotify sync") from None
    except (KeyError, TypeError, ValueError, OverflowError):
        raise DataError(file, "is damaged; run: disco spotify sync") from None


def stored() -> Library | None:
    """The stored library, None where there is none that can be used."""
    try:
        return read()
    except DiscoError:
        return None


def age(library: Library) -> str:
    """How old a library is, and what to do about it, in a sentence."""
    days = int((time.time() - library.at) // 86400)
    old = time.time() - library.at > OLD_S
    return f"read {'today' if days < 1 else f'{days} days ago'}" + (
        "; Spotify's terms let nobody keep it longer than needed: sync it again, or disconnect" if old else ""
    )


def wipe() -> None:
    """Remove all that is kept of Spotify's data.

    Raises
    ------
    DataError
        If it cannot be removed, or another process reads the library or creates a playlist now.
    """
    with storage.locked(spotify_dir()), storage.locked(spotify_dir() / "writing"):
        try:
            shutil.rmtree(spotify_dir())
        except FileNotFoundError:
            return
        except OSError as error:
            raise DataError(spotify_dir(), f"cannot be removed ({error.strerror})") from None
