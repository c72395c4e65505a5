"""Libraries of Serato: the folder `_Serato_`, its `database V2`, and the crates in its folder `Subcrates`.

All are chunks, as in sessions. `otrk` holds a track: `pfil` (`ptrk` in a crate) is its path from the root of the
drive, without a slash before it; `tsng`, `tart`, `talb`, `tgen`, `tlen`, `tbpm`, `tkey` and `tcom` say what it is. A
crate in a crate is called `Outer%%Inner.crate`. Described by Mixxx's and triseratops' readers.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from disco.catalogue import Catalogue
from disco.catalogue.paths import numbered_folders
from disco.errors import DataError
from disco.sources import entries as library
from disco.sources import play_times
from disco.sources.dj import serato
from disco.sources.entries import named_after_file, number
from disco.sources.files.decoding import content_of
from disco.sources.tracklist import Entry, Tracklist

NAME = "Serato library"
_FOLDER, _DATABASE, _CRATES = "_Serato_", "database V2", ("Subcrates", "SmartCrates")
_SUFFIXES = (".crate", ".scrate")
_INNER = "%%"
# What Serato writes at the beginning of a crate, and the columns that it shows.
VERSION = "1.0/Serato ScratchLive Crate"
COLUMNS = ("song", "artist", "bpm", "key", "album", "length", "comment")
# Folders at the root of a system's first disk, on which Serato's paths begin when they name one.
_FIRST_DISK = {"Users", "home", "Volumes", "Library", "private", "media", "mnt", "opt", "srv", "tmp", "usr", "var"}
# So many tracks tell where the paths of a library begin.
_TRIED = 25


def can_read(path: Path) -> bool:
    """Whether a place is Serato's folder, or a file of it; never raises."""
    return _home(path) is not None if _is_folder(path) else serato.can_read(path)


def read(path: Path) -> Catalogue:
    """Read the tracks of a library; of a crate its own.

    Raises
    ------
    NotFoundError, DataError
        With what is wrong with the file.
    """
    home, file = _home(path), path
    if home is not None and _is_folder(path):
        file = home / _DATABASE
    if file.name == _DATABASE or not (_is_crate(file) or _is_session(file)):
        entries = list(_database(file).values())
        return library.catalogue(library.with_ids(entries), path, NAME)
    entries, notes = _members(file)
    return library.catalogue(library.each_once(library.with_ids(entries)), path, NAME, notes)


def playlists(path: Path) -> list[Tracklist]:
    """Read the crates of a library, or a crate or session itself; the database alone has none.

    Raises
    ------
    NotFoundError, DataError
        With what is wrong with the file.
    """
    if not _is_folder(path):
        if not _is_crate(path) and not _is_session(path):
            return []
        return _tracklists([path], path, [])
    home = _home(path)
    folders = [home / name for name in _CRATES] if home else []
    crates = sorted(file for folder in folders if folder.is_dir() for file in folder.iterdir() if _is_crate(file))
    database = home / _DATABASE if home else path
    known = library.with_ids(list(_database(database).values())) if database.is_file() else []
    return _tracklists([file for file in crates if not file.name.startswith(".")], path, known)


def _tracklists(files: list[Path], path: Path, known: list[Entry]) -> list[Tracklist]:
    """Crates as playlists; tracks that a database lacks are unmatched, and without one all are their own."""
    named, entries, notes = [], list(known), list[str]()
    for file in files:
        members, more = _members(file)
        members = library.with_ids(members)
        *folders, name = file.stem.split(_INNER)
        named.append((folders, name, members))
        entries += [] if known else members
        notes += more
    if not entries:
        return [Tracklist(name, [], None, " / ".join(folders)) for folders, name, _ in named]
    return library.tracklists(named, library.catalogue(library.each_once(entries), path, NAME, notes))


def _members(file: Path) -> tuple[list[Entry], list[str]]:
    """Tracks of a crate or session, with what the database beside it knows of them, and notes."""
    if _is_session(file):
        return [play.entry for one in serato.histories(file) for play in one.plays], []
    paths = [text for fields in _tracks(file) if (text := serato.text(fields.get(b"ptrk")))]
    home = _home(file)
    database = home / _DATABASE if home else None
    known = _database(database) if database and database.is_file() else {}
    root = _root(file, paths)
    numbered = numbered_folders(_whole(text, root) for text in paths)
    found, unknown = [], 0
    for text in paths:
        entry = known.get(_plain(text))
        if entry is None:
            whole, unknown = _whole(text, root), unknown + 1
            artist, title = _named_after(whole, numbered)
            entry = Entry(whole, title, artist or None, path=whole)
        found.append(entry)
    what = "are not in the database beside it" if known else "go by their file's name: there is no database beside it"
    return found, [f"{file}: {unknown:,} tracks {what}"] if unknown else []


def _named_after(whole: str, numbered: set[str]) -> tuple[str, str]:
    """Artist and title in the name of a file."""
    file = PurePosixPath(whole)
    return named_after_file(file.stem, str(file.parent) in numbered)


def _database(file: Path) -> dict[str, Entry]:
    """Every track of a database by its path as Serato writes it."""
    tracks = list(_tracks(file))
    texts = [serato.text(fields.get(b"pfil")) or "" for fields in tracks]
    root = _root(file, texts)
    numbered = numbered_folders(_whole(text, root) for text in texts if text)
    found = {}
    for path, fields in zip(texts, tracks, strict=True):
        if not path:
            continue
        whole = _whole(path, root)
        title, artist = serato.text(fields.get(b"tsng")), serato.text(fields.get(b"tart"))
        if not title:
            named, title = _named_after(whole, numbered)
            artist = artist or named or None
        length = play_times.duration(serato.text(fields.get(b"tlen")) or "")
        found[_plain(path)] = Entry(
            id=whole,
            path=whole,
            title=title,
            artist=artist,
            album=serato.text(fields.get(b"talb")),
            genre=serato.text(fields.get(b"tgen")),
            duration_ms=length * 1000 if length else None,
            tempo_bpm=number(serato.text(fields.get(b"tbpm"))),
            key=serato.text(fields.get(b"tkey")),
            comment=serato.text(fields.get(b"tcom")),
        )
    return found


def _tracks(file: Path) -> Iterator[dict[bytes, bytes]]:
    content = content_of(file)
    if not serato.begins(content):
        raise DataError(file, "is no file of Serato")
    for name, chunk in serato.chunks(content):
        if name == b"otrk":
            yield dict(serato.chunks(chunk))


def _home(path: Path) -> Path | None:
    """Serato's folder: the place itself, one in it, or one that contains it."""
    if _is_folder(path):
        if path.name == _FOLDER or (path / _DATABASE).is_file():
            return path
        if (path / _FOLDER).is_dir():
            return path / _FOLDER
    return next((above for above in list(path.absolute().parents)[:4] if above.name == _FOLDER), None)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):  # a name that no file can have
        return False


def _is_crate(file: Path) -> bool:
    return file.suffix.lower() in _SUFFIXES


def _is_session(file: Path) -> bool:
    return file.suffix.lower() == ".session"


def root_of(folder: Path) -> str:
    """Where the paths of a crate in a folder begin: the drive of Serato's folder; empty where it is in none."""
    home = next((place for place in (folder.absolute(), *folder.absolute().parents) if place.name == _FOLDER), None)
    return "" if home is None else _drive(home)


def _drive(home: Path) -> str:
    # In the home folder the paths begin at the root; on another drive at the folder that Serato's lies in.
    above = home.absolute().parent
    return above.anchor.rstrip("\\") if above.name == "Music" else above.as_posix()


def _root(file: Path, paths: list[str]) -> str:
    """Where the paths of a library begin: the drive of Serato's folder, found by files that are there."""
    home = _home(file)
    above = list(home.absolute().parents) if home else []
    for folder in above:
        if any((folder / _plain(text)).exists() for text in paths[:_TRIED] if "\0" not in text):
            return folder.as_posix()
    if home is None or any(_plain(text).split("/")[0] in _FIRST_DISK for text in paths[:_TRIED]):
        return "/"
    return _drive(home)


def chunk(name: str, content: bytes | str) -> bytes:
    """A chunk of a file of Serato; text is UTF-16.

    Examples
    --------
    >>> serato.text(dict(serato.chunks(chunk("ptrk", "Music/a.mp3")))[b"ptrk"])
    'Music/a.mp3'
    """
    body = content.encode("utf-16-be") if isinstance(content, str) else content
    return name.encode() + len(body).to_bytes(4, "big") + body


def _plain(text: str) -> str:
    return text.replace("\\", "/").lstrip("/")


def _whole(text: str, root: str) -> str:
    plain = _plain(text)
    return plain if plain[1:3] == ":/" else f"{root.rstrip('/')}/{plain}"
