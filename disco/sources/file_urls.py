"""Paths of files to and from URLs and the notations of DJ programs.

A path is POSIX (`/music/a.mp3`) or has a drive of Windows (`C:/music/a.mp3`), wherever DISCO runs.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import quote, unquote

# A URL, or the URI of a streaming service; one letter and a colon is a drive of Windows.
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
# Streaming services whose tracks DJ programs play; some programs write a slash before the URI.
_STREAMED = re.compile(r"/?((?:spotify|tidal|soundcloud|beatport|beatsource|deezer|applemusic):\S+)", re.IGNORECASE)
_HOST = re.compile("^file:(//localhost|//(?=/))?", re.IGNORECASE)
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
# Folders at the root of a Mac's first disk.
_ON_FIRST_DISK = {"Users", "Library", "Applications", "System", "Volumes", "private", "opt", "usr", "home"}
_FIRST_DISK = "Macintosh HD"


def is_absolute(path: str) -> bool:
    """Whether a path begins at a root, also that of another operating system."""
    return path.startswith(("/", "\\\\")) or _DRIVE.match(path) is not None


def is_file(path: str | None) -> bool:
    """Whether a text can be the path of a file: not empty, not a URL and not a folder."""
    return bool(path and path.strip()) and not _SCHEME.match(str(path)) and not str(path).endswith("/")


def without_detours(path: str) -> str:
    r"""An absolute path without `.` and `..`, in its own separators.

    Examples
    --------
    >>> without_detours("/music/../crate/./a.mp3"), without_detours("C:\\music\\..\\a.mp3")
    ('/crate/a.mp3', 'C:\\a.mp3')
    """
    separator = "/" if path.startswith("/") or "\\" not in path else "\\"
    given = path.split(separator) if separator == "/" else re.split(r"[\\/]", path)
    if not {".", ".."} & set(given):
        return path
    # A host or a drive is no folder that could be left again.
    root = 4 if path.startswith("\\\\") else 1
    parts = given[:root]
    for part in given[root:]:
        if part == "..":
            del parts[max(len(parts) - 1, root) :]
        elif part not in ("", "."):
            parts.append(part)
    return separator.join(parts)


def in_folder(path: str, folder: Path) -> str | None:
    r"""The absolute path that a playlist in a folder means by a path or a `file:` URL; None if it is no file's.

    Examples
    --------
    >>> in_folder("..\\crate\\a.mp3", Path("/lists")), in_folder("D:\\crate\\..\\a.mp3", Path("/lists"))
    ('/crate/a.mp3', 'D:\\a.mp3')
    """
    path = from_url(path) or path
    if not is_file(path):
        return None
    if is_absolute(path):
        return without_detours(path)
    # Programs on Windows write backslashes; what begins with one is from the root of the disk.
    path = path.replace("\\", "/")
    return os.path.normpath(Path.cwd() / folder / path)


def _slashed(path: str) -> str:
    """A path of Windows with slashes; a POSIX path, which may contain backslashes, is unchanged."""
    return path.replace("\\", "/") if _DRIVE.match(path) or path.startswith("\\\\") else path


def to_url(path: str, host: str = "") -> str:
    """The URL of an absolute path; rekordbox needs the host `localhost`.

    Examples
    --------
    >>> to_url("/music/a b.mp3"), to_url("C:/a.mp3", "localhost")
    ('file:///music/a%20b.mp3', 'file://localhost/C:/a.mp3')
    """
    path = _slashed(path)
    return f"file://{host}{'' if path.startswith('/') else '/'}{quote(path, safe='/:')}"


def from_url(url: str) -> str | None:
    """The path in a `file:` URL, None if there is none.

    The URI of a streaming service behind the host, as `file://localhostspotify:track:x`, is not a path.

    Examples
    --------
    >>> from_url("file://localhost/C:/a%20b.mp3")
    'C:/a b.mp3'
    """
    if not url.lower().startswith("file:"):
        return None
    path = unquote(_HOST.sub("", url))
    path = path[1:] if re.match(r"/[A-Za-z]:/", path) else path
    return path if is_absolute(path) and not _STREAMED.fullmatch(path) else None


def streamed(url: str) -> str | None:
    """The URI of a streaming service in place of a path, None if there is none."""
    uri = _STREAMED.fullmatch(unquote(_HOST.sub("", url)))
    return uri[1] if uri else None


def _other_disk(parts: list[str]) -> bool:
    """Whether parts of a path are on another disk of a Mac than the first, as `from_traktor` recognises it."""
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


def from_drive(path: str) -> str:
    """An absolute path from the root of its drive, without a slash before it, as Serato writes paths.

    Examples
    --------
    >>> from_drive("/Users/me/a.mp3"), from_drive("D:/Music/a.mp3"), from_drive("/Volumes/USB/a.mp3")
    ('Users/me/a.mp3', 'Music/a.mp3', 'a.mp3')
    """
    path = _slashed(path)
    parts = path.split("/")[1:]
    return "/".join(parts[2:] if _other_disk(parts) else parts)


def from_traktor(volume: str, folder: str, name: str) -> str | None:
    """The path in a LOCATION of Traktor, None if there is none; disks of a Mac except the first are under `/Volumes`.

    The file does not give the name of the first disk, so it is also recognised by a folder that only it has.
    """
    if not name:
        return None
    parts = [part.replace("//", ":") for part in (*folder.removesuffix("/:").split("/:")[1:], name)]
    path = "/" + "/".join(parts)
    if re.fullmatch(r"[A-Za-z]:", volume):
        return volume + path
    return path if volume in ("", _FIRST_DISK) or parts[0] in _ON_FIRST_DISK else f"/Volumes/{volume}{path}"


def from_primary_key(key: str) -> str | None:
    """The path in the key of a track in a playlist of Traktor, as `C:/:music/:a.mp3`; None if there is none."""
    volume, sign, rest = key.partition("/:")
    folder, _, name = f"/:{rest}".rpartition("/:")
    return from_traktor(volume, f"{folder}/:", name) if sign else None
