"""Paths of files as URLs and as DJ programs write them, both ways; what is no file has no path.

A path is POSIX (`/music/a.mp3`) or has a drive of Windows (`C:/music/a.mp3`), wherever DISCO runs.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

# A URL, or the URI of a streaming service; one letter and a colon is a drive of Windows.
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
# Streaming services whose tracks DJ programs play; some writers put a slash before their URI, as before a path.
_STREAMED = re.compile(r"/?((?:spotify|tidal|soundcloud|beatport|beatsource|deezer|applemusic):\S+)", re.IGNORECASE)
_HOST = re.compile("^file:(//localhost|//(?=/))?", re.IGNORECASE)
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
# What the first disk of a Mac has at its root, whatever that disk is called.
_ON_FIRST_DISK = {"Users", "Library", "Applications", "System", "Volumes", "private", "opt", "usr", "home"}
_FIRST_DISK = "Macintosh HD"


def is_absolute(path: str) -> bool:
    """Whether a path begins at a root, that of another system included."""
    return path.startswith(("/", "\\\\")) or _DRIVE.match(path) is not None


def is_file(path: str | None) -> bool:
    """Whether a text can be the path of a file: it is not empty, no URL and no folder."""
    return bool(path and path.strip()) and not _SCHEME.match(str(path)) and not str(path).endswith("/")


def _slashed(path: str) -> str:
    """A path of Windows with slashes; a POSIX path, in which a backslash is a letter, as it is."""
    return path.replace("\\", "/") if _DRIVE.match(path) or path.startswith("\\\\") else path


def to_url(path: str, host: str = "") -> str:
    """The URL of an absolute path: `file:///music/a%20b.mp3`; rekordbox wants the host `localhost`."""
    path = _slashed(path)
    return f"file://{host}{'' if path.startswith('/') else '/'}{quote(path, safe='/:')}"


def from_url(url: str) -> str | None:
    """The path in a `file:` URL, None where there is none.

    A streaming service's URI behind the host, as `file://localhostspotify:track:x`, is no path.
    """
    if not url.lower().startswith("file:"):
        return None
    path = unquote(_HOST.sub("", url))
    path = path[1:] if re.match(r"/[A-Za-z]:/", path) else path
    return path if is_absolute(path) and not _STREAMED.fullmatch(path) else None


def streamed(url: str) -> str | None:
    """The URI of a streaming service's track where a path should be, None where there is none."""
    uri = _STREAMED.fullmatch(unquote(_HOST.sub("", url)))
    return uri[1] if uri else None


def _other_disk(parts: list[str]) -> bool:
    """Whether parts of a path lead to another disk of a Mac, and `from_traktor` would see that they do."""
    if len(parts) < 3 or parts[0] != "Volumes":
        return False
    return parts[1] not in ("", _FIRST_DISK) and ":" not in parts[1] and parts[2] not in _ON_FIRST_DISK


def to_traktor(path: str) -> tuple[str, str, str]:
    """Volume, folder and file name of an absolute path, as Traktor's LOCATION has them.

    Before each part stands `/:`; a colon in a name, which would be taken for one, is written `//`.
    """
    path = _slashed(path)
    volume, parts = _FIRST_DISK, path.split("/")[1:]
    if _DRIVE.match(path):
        volume = path[:2]
    elif _other_disk(parts):
        volume, parts = parts[1], parts[2:]
    *folders, name = (part.replace(":", "//") for part in parts)
    return volume, "".join(f"/:{part}" for part in folders) + "/:", name


def from_traktor(volume: str, folder: str, name: str) -> str | None:
    """The path that a LOCATION means; disks of a Mac but its first one are under `/Volumes`.

    How the first disk is called is not said in the file, so a folder that only a first disk has tells it too.
    """
    if not name:
        return None
    parts = [part.replace("//", ":") for part in (*folder.removesuffix("/:").split("/:")[1:], name)]
    path = "/" + "/".join(parts)
    if re.fullmatch(r"[A-Za-z]:", volume):
        return volume + path
    return path if volume in ("", _FIRST_DISK) or parts[0] in _ON_FIRST_DISK else f"/Volumes/{volume}{path}"


def from_primary_key(key: str) -> str | None:
    """The path in the key by which a playlist of Traktor names a track: `C:/:music/:a.mp3`."""
    volume, sign, rest = key.partition("/:")
    folder, _, name = f"/:{rest}".rpartition("/:")
    return from_traktor(volume, f"{folder}/:", name) if sign else None
