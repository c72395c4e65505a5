"""Paths of files, compared as people mean them: on another system, in another spelling, or from another root."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc

_ROOT = r"^(?:/|\\|[A-Za-z]:[\\/])"
# Numbers that are those of tracks by their look: `22. Song`, `3) Song`, `1-03 Song`, `07 - Song`, `01 Song`,
# `01-song`, and `101 - Ana Vex - Song`. `7 Rings`, `99 Luftballons` and `311 - Amber` may be titles and artists.
_TRACK_NUMBER = re.compile(
    r"(?:\d-)?\d{1,3}\s?[.)]\s*(?=[^\s\d.)])|\d-\d\d\s+(?:-\s+)?(?=\S)|\d{1,2}\s+-\s+(?=\S)|0\d(?:\s+|-(?=\D))(?=\S)"
    r"|\d{3}\s+-\s+(?=\S.* - \S)"
)
_ANY_NUMBER = re.compile(r"(\d{1,3})(?:\s*[.)-]\s*|\s+)(?=[^\s.)-])")
_FILE_URL = re.compile(r"^file:(?://localhost|//(?=/))?", re.IGNORECASE)


def fold_paths(paths: pa.Array) -> pa.Array:
    r"""One spelling for the ways in which systems write the path of one file, null where there is none.

    Slashes for backslashes, lower case, composed Unicode (NFC), no ``.``, ``..`` or doubled slashes, from the root: a
    relative path begins in the current folder. A ``file:`` URL is the path in it; other percent signs stay.

    Parameters
    ----------
    paths : pa.Array of string, shape (n,)

    Returns
    -------
    pa.Array of string, shape (n,)

    Examples
    --------
    >>> fold_paths(pa.array(["D:\\Music\\Ana\\Song.mp3", "file://localhost/D:/music/ana/song.mp3"])).to_pylist()
    ['d:/music/ana/song.mp3', 'd:/music/ana/song.mp3']
    """
    paths = pc.if_else(pc.equal(paths, ""), pa.scalar(None, pa.string()), paths)
    paths = _replaced(paths, pc.starts_with(paths, "file:", ignore_case=True), _from_url)
    rooted = pc.match_substring_regex(paths, _ROOT)
    if not pc.all(rooted).as_py():
        paths = pc.if_else(rooted, paths, pc.binary_join_element_wise(str(Path.cwd()), paths, os.sep))
    paths = pc.replace_substring(pc.utf8_lower(paths), "\\", "/")
    foreign = pc.fill_null(pc.invert(pc.string_is_ascii(paths)), False)
    if pc.any(foreign).as_py():
        paths = pc.replace_with_mask(paths, foreign, pc.utf8_normalize(paths.filter(foreign), "NFC"))
    return _replaced(paths, pc.match_substring_regex(paths, r"//|/\.\.?(?:/|$)"), _without_detours)


def unquote_paths(paths: pa.Array) -> pa.Array:
    """Paths with their percent-encoding resolved, as VLC and Mixxx write them in playlists; null where there is none.

    Examples
    --------
    >>> unquote_paths(pa.array(["/music/K%C3%A4lte.mp3", "/music/100% Pure.mp3"])).to_pylist()
    ['/music/Kälte.mp3', None]
    """
    encoded = pc.fill_null(pc.match_substring_regex(paths, "%[0-9A-Fa-f]{2}"), False)
    some = pc.if_else(encoded, paths, pa.scalar(None, pa.string())).to_pylist()
    return pa.array([path and unquote(path) for path in some], pa.string())


def path_ends(folded: pa.Array) -> pa.Array:
    """Last folder and file name of folded paths, null where there is no folder.

    Examples
    --------
    >>> path_ends(pa.array(["/usb/ana/lp/song.mp3", "/song.mp3"])).to_pylist()
    ['lp/song.mp3', None]
    """
    parts = pc.split_pattern(folded, "/", max_splits=2, reverse=True)
    names = pc.binary_join(pc.list_slice(parts, 1, 3), "/")
    deep = pc.match_substring_regex(folded, "[^/]/[^/]+$")
    return pc.if_else(deep, names, pa.scalar(None, pa.string()))


def common_end(a: str, b: str) -> int:
    """Number of names at the ends of two folded paths that are equal.

    Examples
    --------
    >>> common_end("/music/ana/song.mp3", "/usb/ana/song.mp3")
    2
    """
    names = zip(reversed(a.split("/")), reversed(b.split("/")), strict=False)
    return next((i for i, (x, y) in enumerate(names) if x != y or not x), min(a.count("/"), b.count("/")) + 1)


def file_title(path: str, numbered: Collection[str] = ()) -> str:
    r"""The name of a file without its folders, its ending and the number of the track before it.

    Parameters
    ----------
    path : str
    numbered : collection of str
        Folders whose files are numbered, as `numbered_folders` finds them.

    Examples
    --------
    >>> file_title("C:\\Music\\01 - Ana Vex - Nite Bus.mp3"), file_title("/music/99 Luftballons.mp3")
    ('Ana Vex - Nite Bus', '99 Luftballons')
    """
    folder, name = _folder_and_name(path.rstrip("/\\"))
    return without_number(re.sub(r"\.\w{2,5}$", "", name), folder in numbered).strip()


def without_number(name: str, numbered: bool = False) -> str:
    """The name of a file without the number of its track; a number that begins the title stays.

    Parameters
    ----------
    name : str
        Without folders and ending.
    numbered : bool
        Whether the files beside it are numbered too, so that a number alone is that of a track.

    Examples
    --------
    >>> without_number("01 - Intro"), without_number("99 Luftballons"), without_number("12 Luftballons", True)
    ('Intro', '99 Luftballons', 'Luftballons')
    """
    found = _TRACK_NUMBER.match(name) or (_ANY_NUMBER.match(name) if numbered else None)
    return name[found.end() :] if found else name


def numbered_folders(paths: Iterable[str]) -> set[str]:
    """Folders whose files are numbered: three or more, nine in ten by different numbers without large gaps.

    Examples
    --------
    >>> sorted(numbered_folders(["/a/1 Tide.mp3", "/a/2 Salt.mp3", "/a/4 Reed.mp3", "/b/7 Rings.mp3"]))
    ['/a']
    """
    names: dict[str, list[str]] = {}
    for path in paths:
        folder, name = _folder_and_name(path)
        names.setdefault(folder, []).append(name)
    found = set()
    for folder, files in names.items():
        numbers = {int(number[1]) for number in map(_ANY_NUMBER.match, files) if number}
        if len(numbers) >= max(3, 0.9 * len(files)) and max(numbers) <= 2 * len(numbers):
            found.add(folder)
    return found


def _folder_and_name(path: str) -> tuple[str, str]:
    at = max(path.rfind("/"), path.rfind("\\"))
    return path[: max(at, 0)], path[at + 1 :]


def real_path(path: str | None) -> str | None:
    """The path behind the symbolic links in a path, None where they change nothing or no such file is here."""
    # A host's name would send this computer's login to whoever wrote the path.
    if not path or path.startswith(("\\\\", "//")):
        return None
    try:
        real = os.path.realpath(path, strict=True)
    except (OSError, ValueError):
        return None
    return real if real != path else None


def _replaced(paths: pa.Array, mask: pa.Array, change: Callable[[str], str]) -> pa.Array:
    mask = pc.fill_null(mask, False)
    if not pc.any(mask).as_py():
        return paths
    return pc.replace_with_mask(paths, mask, pa.array([change(path) for path in paths.filter(mask).to_pylist()]))


def _from_url(url: str) -> str:
    path = unquote(_FILE_URL.sub("", url))
    return path[1:] if re.match(r"/[A-Za-z]:/", path) else path


def _without_detours(path: str) -> str:
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return ("/" if path.startswith("/") else "") + "/".join(parts)
