"""Statistics of how people order playlists: neighbours compared with the same tracks shuffled; pure functions.

*Conventions.* The entries of all playlists are concatenated in arrays of length n: `rows` is the track of each entry,
-1 where it is unmatched, and `playlist` the number of its playlist, ascending. An unmatched entry stays in the
arrays, so the tracks before and after it are not neighbours. Statistics of each playlist have shape (p,).

*Source.* Coherence: Schweiger et al. (2025), EPJ Data Science.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Rows
from disco.catalogue.music import key_similarity, tempo_change
from disco.sources.files.playlist_tables import encode

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]
Numbers = NDArray[np.intp]


def arrange_entries(
    entries: pa.Table, catalogue: Catalogue, known: Mask, minimum_length: int
) -> tuple[Rows, Numbers]:
    """Row and playlist of every entry, in the form of the conventions above.

    Parameters
    ----------
    entries : pa.Table
        As `disco.sources.files.playlist_tables.read` returns them.
    known : mask over the catalogue
        Tracks to use; the others become -1, and so do a track's later entries in one playlist.
    minimum_length : int
        All entries of playlists with fewer such tracks become -1.
    """
    tracks = encode(entries["track_id"])
    row = pc.fill_null(pc.index_in(tracks.dictionary, value_set=catalogue.table["track_id"]), -1)
    rows = row.to_numpy().astype(np.intp)[tracks.indices.to_numpy()]
    playlist = np.cumsum(entries["position"].to_numpy() == 0) - 1
    rows[(rows >= 0) & ~known[rows]] = -1
    _, first = np.unique(playlist * (len(catalogue) + 1) + rows, return_index=True)
    again = np.ones(len(rows), dtype=bool)
    again[first] = False
    rows[again] = -1
    rows[np.bincount(playlist, rows >= 0)[playlist] < minimum_length] = -1
    return rows, playlist


def neighbours(rows: Rows, playlist: Numbers, lag: int = 1) -> Numbers:
    """Indices i such that i and i + lag are of one playlist and both matched, ascending."""
    together = playlist[lag:] == playlist[: len(playlist) - lag]
    return np.flatnonzero(together & (rows[lag:] >= 0) & (rows[: len(rows) - lag] >= 0))


def shuffled(rows: Rows, playlist: Numbers, rng: np.random.Generator) -> Rows:
    """The same tracks in a random order within each playlist; unmatched entries keep their positions."""
    matched = np.flatnonzero(rows >= 0)
    order = np.argsort(playlist[matched] + rng.random(len(matched)))
    mixed = rows.copy()
    mixed[matched] = rows[matched[order]]
    return mixed


def coherence(points: Values, rows: Rows, playlist: Numbers, lag: int = 1) -> Values:
    """Coherence of each playlist, 1 - SV / PV, shape (p,): 1 perfectly smooth, 0 as if shuffled, below 0 alternating.

    SV is half the mean squared distance of neighbours, PV half the mean over all pairs. NaN for a playlist
    without neighbours, or whose tracks are all the same.

    Parameters
    ----------
    points : ndarray, shape (tracks, d)
        Coordinates of each track of the catalogue.
    lag : int
        Distance of neighbours: with 2, there is one track between them.
    """
    at = neighbours(rows, playlist, lag)
    steps = ((points[rows[at + lag]] - points[rows[at]]) ** 2).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        sequential = _mean(steps, playlist[at], playlist[-1] + 1) / 2
        total = variance(points, rows, playlist)
        return np.where(total > 0, 1 - sequential / total, np.nan)


def variance(points: Values, rows: Rows, playlist: Numbers) -> Values:
    """PV of each playlist, shape (p,): half the mean squared distance over all pairs of its tracks, NaN below two."""
    matched, n = rows >= 0, playlist[-1] + 1
    group, track = playlist[matched], rows[matched]
    total = np.zeros(n)
    for column in points.T:
        values = column[track]
        total += np.bincount(group, (values - _mean(values, group, n)[group]) ** 2, n)
    count = np.bincount(group, minlength=n)
    with np.errstate(invalid="ignore", divide="ignore"):
        # Half the mean square over all pairs is the sum of squares about the mean, over n - 1.
        return np.where(count > 1, total / (count - 1), np.nan)


def theme(points: Values, rows: Rows, playlist: Numbers) -> float:
    """Share of the variance of all entries that is between playlists: 0 for random playlists, 1 for uniform ones."""
    all_points = points[rows[rows >= 0]]
    count = np.bincount(playlist, rows >= 0)
    within = np.nan_to_num(variance(points, rows, playlist))
    return float(1 - (within @ count) / count[count > 1].sum() / all_points.var(axis=0, ddof=1).sum())


def artists(catalogue: Catalogue) -> Values:
    """A number for the first artist of each track, upper and lower case alike, shape (tracks,); NaN if unknown."""
    listed = catalogue.table["artists"].combine_chunks()
    named = pc.if_else(pc.greater(pc.list_value_length(listed), 0), listed, None)
    first = pc.utf8_lower(pc.list_element(named, 0)).dictionary_encode().indices
    return np.asarray(first.to_numpy(zero_copy_only=False), dtype=np.float64)


def similarity(a: Rows, b: Rows, columns: dict[str, Values]) -> dict[str, Values]:
    """Similarity of each pair of tracks a and b, shape (pairs,), NaN where unknown.

    Parameters
    ----------
    columns : dict of ndarray, shape (tracks,)
        `position` on the circle of fifths, `tempo` in BPM, `energy` 0-1 and `artist` (a number per name).

    Returns
    -------
    dict
        `key`, `tempo` and `artist` are 1 or 0: within one step on the circle, the faster within 6 % of the slower
        with half and double time folded, the same artist. `energy` is the absolute difference.
    """
    position, tempo, energy, artist = (columns[name] for name in ("position", "tempo", "energy", "artist"))
    both = np.isfinite(artist[a]) & np.isfinite(artist[b])
    return {
        "key": (key_similarity(position[a], position[b]) == 1).astype(float),
        # As a logarithm, so that it is symmetric.
        "tempo": (np.abs(np.log1p(tempo_change(tempo[a], tempo[b]) / 100)) <= np.log(1.06)).astype(float),
        "energy": np.abs(energy[a] - energy[b]),
        "artist": np.where(both, (artist[a] == artist[b]).astype(float), np.nan),
    }


def pair_sums(
    a: Rows, b: Rows, group: Numbers, n: int, columns: dict[str, Values]
) -> dict[str, tuple[Values, Values]]:
    """Sum and count of each similarity over each of n groups of pairs, shape (n,) both; NaN is skipped.

    `key, other artist` and so on are the same over the pairs whose artists are known to differ.
    """
    values_by_name = similarity(a, b, columns)
    other = values_by_name["artist"] == 0
    values_by_name |= {
        f"{name}, other artist": np.where(other, values_by_name[name], np.nan) for name in ("key", "tempo", "energy")
    }
    return {name: sums(values, group, n) for name, values in values_by_name.items()}


def sums(values: Values, group: Numbers, n: int) -> tuple[Values, Values]:
    """Sum and count of the known values of each of n groups, the input of `bootstrap_means`."""
    known = np.isfinite(values)
    counts = np.bincount(group[known], minlength=n).astype(float)
    return np.asarray(np.bincount(group[known], values[known], n)), np.asarray(counts)


def bootstrap_weights(n: int, rounds: int = 1000, seed: int = 0) -> Values:
    """How often each of n playlists is sampled in each round of a bootstrap, shape (rounds, n)."""
    rng = np.random.default_rng(seed)
    return np.stack([np.bincount(rng.integers(n, size=n), minlength=n) for _ in range(rounds)]).astype(float)


def bootstrap_means(weights: Values, sums: Values, counts: Values) -> Values:
    """Mean of all values in each round of a bootstrap by playlist, shape (rounds,); NaN if none has any."""
    with np.errstate(invalid="ignore"):
        return np.asarray((weights @ sums) / (weights @ counts))


def percentile_interval(values: Values, share: float = 0.95) -> tuple[float, float]:
    """Bounds of the central 95 % (or another share) of values; NaN is skipped."""
    low, high = np.nanquantile(values, [(1 - share) / 2, (1 + share) / 2])
    return float(low), float(high)


def circle_points(turns: Values) -> Values:
    """Points on a circle, shape (n, 2), of cyclic values in turns: keys on the circle of fifths, tempos."""
    return np.column_stack([np.cos(2 * np.pi * turns), np.sin(2 * np.pi * turns)])


def fold(tempo_bpm: Values, lowest: float = 80.0) -> Values:
    """Tempos folded by octaves into the range from the lowest up to twice it; NaN stays NaN."""
    return np.asarray(lowest * np.exp2(np.log2(tempo_bpm / lowest) % 1))


def skewness(values: Values) -> Values:
    """Third standardised moment of each column: 0 for a symmetric one."""
    centred = values - values.mean(axis=0)
    return np.asarray((centred**3).mean(axis=0) / (centred**2).mean(axis=0) ** 1.5)


def _mean(values: Values, group: Numbers, n: int) -> Values:
    """Mean of each of n groups, NaN where it has none."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.bincount(group, values, n) / np.bincount(group, minlength=n))
