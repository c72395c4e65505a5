"""Sets that DJs played: a table of them read, and the choices that they show.

The table is Parquet or CSV with one row an entry: `set_id, position, tempo_bpm, key, mode`, and perhaps `kind, dj,
artist, title, genre, track_id`. Entries whose positions differ by 1 were played one after another; a gap is a track
that is not known. A playlist that stands in the order of its titles, artists or tempos was sorted by a program, and
one whose joins are mostly in an earlier playlist of the same DJ is a copy; neither shows what its DJ would play next.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Rows
from disco.catalogue.schema import FEATURES
from disco.errors import DataError, NotFoundError
from disco.playlist.key_rules import UNKNOWN, key_index

_NEEDED = ("set_id", "position", "tempo_bpm", "key", "mode")
_TEXTS = ("kind", "dj", "artist", "title", "genre", "track_id")
# The kind whose entries may be a crate in any order.
PLAYLIST = "dj playlist"
# A list is sorted if so many of its neighbours that differ are in order; by chance that happens to one list of ten
# tracks in a hundred, and to hardly any of twenty. Tempos rise in real sets too, so there all of them must.
_SORTED, _SORTED_TEMPO, _FEW = 0.8, 0.99, 8


@dataclass(frozen=True, eq=False)
class DjSet:
    """What one DJ played in a row.

    Attributes
    ----------
    name, kind, dj : str
        A set whose DJ is not known has a DJ of its own.
    rows : ndarray of rows
        Its entries in their order, in the catalogue of all entries.
    positions : ndarray of int, shape (n,)
        With gaps where something unknown was played.
    """

    name: str
    kind: str
    dj: str
    rows: Rows
    positions: NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class DjSets:
    """Sets, and the tracks of all of them.

    Attributes
    ----------
    tracks : Catalogue
        One row for each entry of each set; `path` has the track's id in another catalogue, if it has one.
    sets : list of DjSet
    counts : dict of str to int
        How many sets were read, and why how many of them were left out.
    """

    tracks: Catalogue
    sets: list[DjSet]
    counts: dict[str, int]


@dataclass(frozen=True, eq=False)
class Cases:
    """Choices in sets: a track that played, the one that came next, and the others that could have.

    Attributes
    ----------
    last : ndarray of rows, shape (cases,)
    options : ndarray of rows, shape (options,)
        Of all cases, one case after another; the true next track is the first of each.
    sizes : ndarray of int, shape (cases,)
        Options of each case.
    number : ndarray of int, shape (cases,)
        Of the set, among those that were read.
    """

    last: Rows
    options: Rows
    sizes: NDArray[np.intp]
    number: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.last)


def read_sets(where: Path, catalogue: Catalogue | None = None) -> DjSets:
    """Read a table of sets.

    Parameters
    ----------
    where : Path
    catalogue : Catalogue, optional
        Lends the features of tracks whose `track_id` it has.

    Returns
    -------
    DjSets

    Raises
    ------
    NotFoundError, DataError
        If there is no such file, or it is no such table.
    """
    by_set: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for entry in _entries(where):
        by_set[entry["set_id"]].append(entry)
    counts = {"sets_read": len(by_set), "left_out_as_sorted": 0, "left_out_as_copies": 0}
    kept: list[dict[str, Any]] = []
    sets: list[DjSet] = []
    known_joins: dict[str, set[Any]] = defaultdict(set)
    for name, unordered in by_set.items():
        entries = sorted(unordered, key=lambda entry: entry["position"])
        dj = entries[0]["dj"] or name
        if entries[0]["kind"] == PLAYLIST:
            if _is_sorted(entries):
                counts["left_out_as_sorted"] += 1
                continue
            names = [(entry["artist"].lower(), entry["title"].lower()) for entry in entries]
            joins = set(pairwise(names))
            if len(joins & known_joins[dj]) > len(joins) / 2:
                counts["left_out_as_copies"] += 1
                continue
            known_joins[dj] |= joins
        positions = np.array([entry["position"] for entry in entries], dtype=np.intp)
        rows = np.arange(len(kept), len(kept) + len(entries))
        sets.append(DjSet(name, entries[0]["kind"] or "set", dj, rows, positions))
        kept += entries
    features = _features(catalogue, [entry["track_id"] for entry in kept])
    tracks = Catalogue.from_tracks((_track(str(row), entry, features) for row, entry in enumerate(kept)), str(where))
    return DjSets(tracks, sets, counts)


def cases_of(read: DjSets) -> Cases:
    """The choices that sets show: whenever the next track is known, it among all that came later.

    A track counts if its key and tempo are known; one that is played again counts once. A case has two options or
    more.

    Examples
    --------
    >>> tracks = [{"track_id": name, "title": name, "key": 0, "mode": 1, "tempo_bpm": 120} for name in "abcd"]
    >>> one = DjSet("one", "live", "dj", np.arange(4), np.array([0, 1, 2, 4]))
    >>> cases = cases_of(DjSets(Catalogue.from_tracks(tracks), [one], {}))
    >>> cases.last.tolist(), cases.options.tolist(), cases.sizes.tolist()  # what came after c is not known
    ([0, 1], [1, 2, 3, 2, 3], [3, 2])
    """
    tracks = read.tracks
    keys = key_index(tracks.numbers("key"), tracks.modes)
    known = (keys != UNKNOWN) & ~np.isnan(tracks.tempos)
    songs = songs_of(tracks)
    last, options, sizes, numbers = [], [np.empty(0, dtype=np.intp)], [], []
    for number, one in enumerate(read.sets):
        follows = np.diff(one.positions) == 1
        usable = follows & known[one.rows[:-1]] & known[one.rows[1:]]
        for i in np.flatnonzero(usable).tolist():
            row, later = int(one.rows[i]), one.rows[i + 1 :]
            first_of = {songs[other]: other for other in later[::-1].tolist() if known[other]}
            first_of.pop(songs[row], None)
            if songs[row] == songs[row + 1] or len(first_of) < 2:
                continue
            last.append(row)
            options.append(np.array(sorted(first_of.values()), dtype=np.intp))
            sizes.append(len(first_of))
            numbers.append(number)
    found = (np.array(values, dtype=np.intp) for values in (last, sizes, numbers))
    rows, counts, sets = found
    return Cases(rows, np.concatenate(options), counts, sets)


def songs_of(tracks: Catalogue) -> list[str]:
    """Artists and title of each track in small letters; a track without a title is a song of its own."""
    texts = zip(tracks.column("title").to_pylist(), tracks.column("artists").to_pylist(), strict=True)
    return [f"{artists}\t{title}".lower() if title else str(row) for row, (title, artists) in enumerate(texts)]


def _entries(where: Path) -> Iterator[dict[str, Any]]:
    """Entries with all columns; a value that is missing or impossible is None, a missing text is empty."""
    try:
        with where.open("rb") as file:
            is_parquet = file.read(4) == b"PAR1"
        table = pq.read_table(where) if is_parquet else pacsv.read_csv(where)
    except (FileNotFoundError, NotADirectoryError):
        raise NotFoundError(f"{where}: there is no such file") from None
    except OSError as error:
        raise DataError(where, f"cannot be read ({error.strerror})") from None
    except pa.ArrowException:
        raise DataError(where, "is no table; sets are read from Parquet or CSV") from None
    if missing := [name for name in _NEEDED if name not in table.column_names]:
        raise DataError(where, f"has no column {missing[0]!r}; a table of sets needs {', '.join(_NEEDED)}")
    columns = {name: table[name].to_pylist() for name in (*_NEEDED, *_TEXTS) if name in table.column_names}
    for number in range(len(table)):
        entry = {name: values[number] for name, values in columns.items()}
        position = _number(entry["position"], 0, 1e9)
        if entry["set_id"] is None or position is None:
            continue
        entry |= {name: str(entry.get(name) or "") for name in _TEXTS}
        entry |= {"set_id": str(entry["set_id"]), "position": int(position)}
        entry |= {"key": _number(entry["key"], 0, 11), "mode": _number(entry["mode"], 0, 1)}
        yield entry | {"tempo_bpm": _number(entry["tempo_bpm"], 20, 400)}


def _number(value: Any, low: float, high: float) -> float | None:
    """A number in a range; None for anything else."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if low <= number <= high else None


def _track(name: str, entry: dict[str, Any], features: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """An entry as a row of a catalogue."""
    key = None if entry["key"] is None or entry["mode"] is None else int(entry["key"])
    return {
        **features.get(entry["track_id"], {}),
        "track_id": name,
        "title": entry["title"] or None,
        "artists": [entry["artist"]] if entry["artist"] else None,
        "genres": [entry["genre"]] if entry["genre"] else None,
        "tempo_bpm": entry["tempo_bpm"],
        "key": key,
        "mode": None if key is None else int(entry["mode"]),
        "path": entry["track_id"] or None,
    }


def _features(catalogue: Catalogue | None, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Features by id, of those that the catalogue has."""
    if catalogue is None:
        return {}
    wanted = pa.array(sorted({track_id for track_id in ids if track_id}), pa.string())
    table = catalogue.table.select(["track_id", *FEATURES, "feature_set"])
    rows = pa.compute.index_in(wanted, value_set=table["track_id"]).drop_null()
    return {track.pop("track_id"): track for track in table.take(rows).to_pylist()}


def _is_sorted(entries: list[dict[str, Any]]) -> bool:
    """Whether a program put a list in order."""
    titles, artists = ([entry[name].lower() for entry in entries] for name in ("title", "artist"))
    tempos = [entry["tempo_bpm"] for entry in entries]
    return max(_ascending(titles), _ascending(artists)) >= _SORTED or _ascending(tempos) >= _SORTED_TEMPO


def _ascending(values: Sequence[Any]) -> float:
    """Share of the neighbours that differ which are in order, up or down, whichever are more; 0 of too few."""
    pairs = [(a, b) for a, b in pairwise(values) if a and b and a != b]
    if len(pairs) < _FEW:
        return 0.0
    up = sum(a < b for a, b in pairs) / len(pairs)
    return float(max(up, 1 - up))
