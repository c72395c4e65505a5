"""The end-to-end protocol: whether what is played belongs to the playlist that the seeds are from, and mixes.

Playlists of at least `MIN_TRACKS` tracks that the catalogue has with title and artist, each once, in their order. The
first few are the seeds, or the title alone is given; `LENGTH` tracks are added by whole configurations.

*Belonging.* `track`: share of the added tracks that are in the rest of the playlist. `artist`: share whose first
artist is the first artist of any track of the playlist, seeds included, letter case apart. `new_artist`: the same
without the artists of the seeds. `genre`: of the added tracks with genres, the share that has one in common with the
playlist.

*Mixing*, from the last seed on. `keys`: share of transitions of known keys at most one step apart on the circle of
fifths, minor as its relative major. `within_3`, `within_6`: share of those of known tempos that change the tempo by
at most 3 or 6 per cent, octaves folded. `worst`: the largest change of tempo of a list; `worst_10`: whether it is at
most 10 per cent.

*Variety.* `most_by_artist`: most tracks by one first artist, seeds included; `over_3`: whether these are more than
three. `plays`, `log_plays`: training playlists of an added track, and the logarithm of one more than these.

A list that could not be made counts 0 in all that is better when it is higher, and is left out of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Rows
from disco.errors import DiscoError
from disco.evaluation import metrics

Values = NDArray[np.float64]

# Tracks added to the seeds, as `disco generate` adds where no length is named.
LENGTH = 10
# With the rest of a playlist shorter than what is added, nothing could find all of it.
MIN_TRACKS = 20
# Shares of which higher is better, in the order of the tables.
SHARES = ("track", "artist", "new_artist", "genre", "keys", "within_6", "worst_10", "within_3")
OTHERS = ("worst", "most_by_artist", "over_3", "plays", "log_plays")
# Ratios of tempos such as 106 to 100 exceed 6 per cent by rounding.
_ROUNDING = 1e-9
# Songs of fewer training playlists are in no shipped model.
KNOWN_FROM = 3
THIRDS = ("least popular third", "middle third", "most popular third")
_NUMBERS = {1: "one seed", 2: "two seeds", 3: "three seeds", 4: "four seeds", 5: "five seeds"}


@dataclass(frozen=True)
class Case:
    """A playlist, and what of it is given.

    Attributes
    ----------
    playlist : ndarray of rows
        All tracks, each once, in order.
    seeds : int
        How many of the first are given; with 0 the title is.
    title : str
    source : str
    """

    playlist: Rows
    seeds: int
    title: str = ""
    source: str = ""


@dataclass(frozen=True)
class Measured:
    """One list that a configuration made, measured.

    Attributes
    ----------
    added : list of str
        Ids of the added tracks; none if the list could not be made.
    values : dict of str to float
        By the names of `SHARES` and `OTHERS`; NaN where unknown.
    seconds : float
    """

    added: list[str]
    values: dict[str, float]
    seconds: float


def sample_cases(
    playlists: Sequence[tuple[Rows, str, str]], seeds: int, most: int | None = None, seed: int = 0
) -> list[Case]:
    """Cases of the playlists that are long enough, at most so many, sampled at random.

    Parameters
    ----------
    playlists : sequence of (ndarray of rows, str, str)
        Tracks with title and artist, each once, the title and the source of each playlist.
    seeds : int
        0 gives the title alone, and leaves out playlists without one.
    most : int, optional
    seed : int
        Of the sampling.

    Raises
    ------
    DiscoError
        If there is none, or the numbers make no sense.

    Examples
    --------
    >>> (case,) = sample_cases([(np.arange(20), "morning", "mine"), (np.arange(8), "evening", "mine")], 3)
    >>> len(case.playlist), case.seeds, case.title
    (20, 3, 'morning')
    """
    if not 0 <= seeds <= MIN_TRACKS - LENGTH:
        raise DiscoError(f"--seeds must be a number from 1 to {MIN_TRACKS - LENGTH}, or title, not {seeds}")
    if most is not None and most < 1:
        raise DiscoError(f"--max-playlists {most}: at least one playlist must be measured")
    fitting = [i for i, (tracks, _, _) in enumerate(playlists) if len(tracks) >= MIN_TRACKS]
    if not fitting:
        longest = max((len(tracks) for tracks, _, _ in playlists), default=0)
        raise DiscoError(
            f"no playlist has {MIN_TRACKS} different tracks that the catalogue has with title and artist; the "
            f"longest of {len(playlists):,} has {longest}"
        )
    if not seeds:
        fitting = [i for i in fitting if playlists[i][1].strip()]
        if not fitting:
            raise DiscoError("no playlist that is long enough has a title; give --seeds a number")
    chosen = np.sort(np.random.default_rng(seed).permutation(fitting)[:most])
    return [Case(playlists[i][0], seeds, playlists[i][1], playlists[i][2]) for i in chosen.tolist()]


def cases_name(cases: Sequence[Case], variant: str | None = None) -> str:
    """Name of a set of cases: the sources, what is given, and the variant of the catalogue.

    Examples
    --------
    >>> cases_name([Case(np.arange(20), 3, "", "mine")], "names-only")
    'mine, three seeds, names-only'
    """
    sources = sorted({case.source for case in cases})
    seeds = cases[0].seeds
    given = _NUMBERS.get(seeds, f"{seeds} seeds") if seeds else "title alone"
    named = " + ".join(sources) if len(sources) <= 3 else f"{len(sources)} sources"
    return ", ".join(part for part in (named, given, variant) if part)


def first_artist(catalogue: Catalogue, row: int) -> str:
    """First artist of a track without regard to letter case; empty if unknown."""
    return next(iter(catalogue.artists(row)), "").casefold()


def genres(catalogue: Catalogue, row: int) -> set[str]:
    """Genres of a track without regard to letter case."""
    return {genre.casefold() for genre in catalogue.table["genres"][row].as_py() or []}


def folded_changes(tempos: NDArray[Any]) -> Values:
    """Change of tempo from each track to the next as a share, octaves folded, never negative; NaN where unknown.

    |2^|r - round(r)| - 1| with r = log2 of the ratio, so that up and down count the same.

    Parameters
    ----------
    tempos : ndarray, shape (n,)
        In beats per minute, NaN where unknown.

    Returns
    -------
    ndarray, shape (n - 1,), from 0 to 0.41

    Examples
    --------
    >>> folded_changes(np.array([100, 110, 55])).round(3).tolist()
    [0.1, 0.0]
    """
    octaves = np.diff(np.log2(np.asarray(tempos, dtype=np.float64)))
    return np.asarray(np.exp2(np.abs(octaves - np.round(octaves))) - 1)


def steps_apart(positions: NDArray[Any]) -> Values:
    """Steps on the circle of fifths from each track to the next, 0 to 6; NaN where unknown.

    Examples
    --------
    >>> steps_apart(np.array([0, 11, 5])).tolist()
    [1.0, 6.0]
    """
    apart = np.abs(np.diff(np.asarray(positions, dtype=np.float64))) % 12
    return np.asarray(np.minimum(apart, 12 - apart))


def measure(
    catalogue: Catalogue, case: Case, added: Rows, plays: NDArray[np.intp] | None = None, length: int = LENGTH
) -> dict[str, float]:
    """All metrics of one list.

    Parameters
    ----------
    catalogue : Catalogue
        With all that is known of the tracks, whatever the configuration saw of it.
    case : Case
    added : ndarray of rows
        The tracks that were added, in order; none means that the list could not be made.
    plays : ndarray of int, shape (tracks,), optional
        Training playlists of each track.
    length : int
        How many tracks were asked for; fewer are as bad as wrong ones.

    Returns
    -------
    dict of str to float
        By the names of `SHARES` and `OTHERS`, NaN where unknown.

    Examples
    --------
    >>> tracks = [{"track_id": str(i), "artists": [f"Artist {i // 2}"]} for i in range(12)]
    >>> case = Case(np.arange(10), seeds=1)
    >>> values = measure(Catalogue.from_tracks(tracks), case, np.array([1, 2, 10]), length=3)
    >>> [round(values[name], 3) for name in ("track", "artist", "new_artist")]
    [0.667, 0.667, 0.333]
    """
    if not len(added):
        return dict.fromkeys(SHARES, 0.0) | dict.fromkeys(OTHERS, np.nan)
    seeds = case.playlist[: case.seeds]
    theirs = {first_artist(catalogue, row) for row in case.playlist.tolist()} - {""}
    of_seeds = [first_artist(catalogue, row) for row in seeds.tolist()]
    played = [first_artist(catalogue, row) for row in added.tolist()]
    wanted = set().union(*(genres(catalogue, row) for row in case.playlist.tolist()))
    known = [found for row in added.tolist() if (found := genres(catalogue, row))]
    path = np.r_[seeds[-1:], added]
    changes = folded_changes(catalogue.tempos[path])
    artists = [artist for artist in (*of_seeds, *played) if artist]
    most = max((artists.count(artist) for artist in set(artists)), default=0)
    counts = np.array([np.nan]) if plays is None else plays[added]
    worst = float(np.nanmax(changes)) if not np.isnan(changes).all() else np.nan
    return {
        "track": float(np.isin(added, case.playlist[case.seeds :]).sum() / length),
        "artist": sum(artist in theirs for artist in played) / length,
        "new_artist": sum(artist in theirs - set(of_seeds) for artist in played) / length,
        "genre": float(np.mean([bool(found & wanted) for found in known])) if known and wanted else np.nan,
        "keys": _share(steps_apart(catalogue.circle_positions[path]), 1),
        "within_6": _share(changes, 0.06),
        "worst_10": _share(np.array([worst]), 0.10),
        "within_3": _share(changes, 0.03),
        "worst": worst,
        "most_by_artist": float(most),
        "over_3": float(most > 3),
        "plays": float(counts.mean()),
        "log_plays": float(np.log1p(counts).mean()),
    }


def _share(values: Values, most: float) -> float:
    known = values[~np.isnan(values)]
    return float((known <= most + _ROUNDING).mean()) if len(known) else np.nan


def seed_popularity(catalogue: Catalogue, cases: Sequence[Case], plays: NDArray[np.intp] | None = None) -> Values:
    """How popular the seeds of each case are, shape (cases,): the mean logarithm of their training playlists.

    Without training playlists, the mean of the catalogue's column `popularity`; NaN where that is unknown.
    """
    values = catalogue.numbers("popularity").astype(np.float64) if plays is None else np.log1p(plays)
    means = []
    for case in cases:
        known = values[case.playlist[: case.seeds]]
        known = known[~np.isnan(known)]
        means.append(float(known.mean()) if len(known) else np.nan)
    return np.array(means)


def parts(
    sources: Sequence[str], popularity: Values, known: Sequence[int] | None = None
) -> list[tuple[str, str, NDArray[np.intp]]]:
    """Parts of the cases that are reported besides all of them: what they are by, their name, and the cases.

    Parameters
    ----------
    sources : sequence of str
        Source of each case.
    popularity : ndarray, shape (cases,)
        Of the seeds; NaN where unknown.
    known : sequence of int, optional
        How many of the seeds are in `KNOWN_FROM` or more training playlists.

    Examples
    --------
    >>> [name for _, name, _ in parts(["a", "b"], np.array([np.nan, np.nan]), [3, 1])]
    ['a', 'b', '1', '3']
    """
    made = []
    if len(names := sorted(set(sources))) > 1:
        made += [("source", name, np.flatnonzero(np.array(sources) == name)) for name in names]
    ranked = np.argsort(popularity, kind="stable")[: int((~np.isnan(popularity)).sum())]
    if len(ranked) >= len(THIRDS):
        split = np.array_split(ranked, len(THIRDS))
        made += [("popularity of the seeds", name, np.sort(part)) for name, part in zip(THIRDS, split, strict=True)]
    if known is not None:
        numbers = np.array(known)
        made += [("known seeds", str(n), np.flatnonzero(numbers == n)) for n in sorted(set(known))]
    return made


def summary(lists: Sequence[Measured], seed: int = 0) -> dict[str, Any]:
    """Means of the metrics over lists, with 95 % bootstrap intervals over playlists.

    Parameters
    ----------
    lists : sequence of Measured
    seed : int
        Of the bootstrap.

    Returns
    -------
    dict
        `n`, each metric (None where it is known of no list), `tracks` (different ones over all lists), `seconds` a
        list, `failures`, `interval`.

    Examples
    --------
    >>> made = summary([Measured(["a"], {"track": 0.5}, 2.0), Measured([], {"track": 0.0}, 1.0)])
    >>> made["track"], made["tracks"], made["seconds"], made["failures"]
    (0.25, 1, 1.5, 1)
    """
    made: dict[str, Any] = {"n": len(lists)}
    bounds: dict[str, list[float]] = {}
    for name in lists[0].values:
        values = np.array([one.values[name] for one in lists], dtype=np.float64)
        values = values[~np.isnan(values)]
        made[name] = round(float(values.mean()), 4) if len(values) else None
        if len(values):
            interval = metrics.bootstrap_interval(values, np.arange(len(values)), seed=seed)
            bounds[name] = [round(bound, 4) for bound in interval]
    made["tracks"] = len({track_id for one in lists for track_id in one.added})
    made["seconds"] = round(float(np.mean([one.seconds for one in lists])), 4)
    made["failures"] = sum(not one.added for one in lists)
    return made | {"interval": bounds}
