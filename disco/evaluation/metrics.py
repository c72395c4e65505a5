"""Metrics of next-track prediction and playlist continuation, and their confidence intervals.

*Ranks* start at 1 for the best and count ties as half. They rank the true next track among itself and sampled
negatives.

*Continuations.* `recommended` are the recommended tracks, best first, each once. `relevant` are the withheld tracks
of the playlist, each once, at least one; their order has no influence. R-precision, NDCG and clicks are those of the
RecSys Challenge 2018 (Chen, Lamere, Schedl and Zamani 2018; Zamani et al., arXiv 1810.01520), with a cut-off at 500.

*Intervals* are percentile bootstrap intervals (Efron 1979) that resample playlists: cases of one playlist depend on
each other, so playlists are the sampling unit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Floats, Rows

Values = NDArray[np.float64]

# The challenge asked for 500 tracks, and showed them ten at a time.
DEPTH = 500
PAGE = 10
# The challenge's credit for the right artist.
ARTIST_CREDIT = 0.25

# Queries whose cosines with all tracks are in memory at a time.
_QUERIES = 256


def ranks(true: Floats, negatives: Floats) -> Values:
    """Rank of each true track by its cost among the costs of negatives; lower cost is better.

    Parameters
    ----------
    true : ndarray, shape (n,)
    negatives : ndarray, shape (n, k)

    Returns
    -------
    ndarray, shape (n,), from 1 to k + 1
        1 + the number of negatives that are better + half the number that are equal.

    Examples
    --------
    >>> ranks(np.array([0.5, 0.5]), np.array([[0.1, 0.9], [0.5, 0.9]]))
    array([2. , 1.5])
    """
    better = (negatives < true[:, None]).sum(axis=1)
    equal = (negatives == true[:, None]).sum(axis=1)
    return np.asarray(1 + better + equal / 2, dtype=np.float64)


def reciprocal_ranks(ranks: Values) -> Values:
    """Reciprocal of each rank; the mean is the MRR.

    Parameters
    ----------
    ranks : ndarray, shape (n,), from 1 on

    Returns
    -------
    ndarray, shape (n,), from 0 to 1

    Examples
    --------
    >>> reciprocal_ranks(np.array([1.0, 4.0])).mean()
    np.float64(0.625)
    """
    return 1 / ranks


def hits(ranks: Values, k: int = 10) -> Values:
    """1 where the true track is among the first k, 0 elsewhere; the mean is hit@k.

    Parameters
    ----------
    ranks : ndarray, shape (n,), from 1 on
    k : int

    Returns
    -------
    ndarray, shape (n,)

    Examples
    --------
    >>> hits(np.array([1.0, 4.0, 11.0]))
    array([1., 1., 0.])
    """
    return (ranks <= k).astype(np.float64)


def r_precision(recommended: Rows, relevant: Rows) -> float:
    """Share of the relevant tracks G that are among the first G recommended ones.

    Parameters
    ----------
    recommended, relevant : ndarray of rows

    Returns
    -------
    float, from 0 to 1

    Examples
    --------
    >>> r_precision(np.array([3, 1, 7, 2]), np.array([1, 2, 3]))
    0.6666666666666666
    """
    first = recommended[: min(len(relevant), DEPTH)]
    return float(np.isin(first, relevant).sum() / len(relevant))


def r_precision_artists(recommended: Rows, relevant: Rows, artists: NDArray[np.intp]) -> float:
    """R-precision plus a quarter of the share of relevant artists that are among the first |G| recommended tracks.

    (|S_T and G_T| + 0.25 |S_A and G_A|) / |G_T|, where S are the tracks T and the artists A of the first |G_T|
    recommended, and G those of the relevant tracks: the formula of the challenge's report. An artist counts once, and
    also when the track was right, so a perfect list gets up to 1.25.

    Parameters
    ----------
    recommended, relevant : ndarray of rows
    artists : ndarray of int, shape (tracks,)
        The artist of each track of the catalogue; -1 (unknown) matches nothing.

    Returns
    -------
    float, from 0 to 1.25

    Examples
    --------
    >>> artists = np.array([0, 0, 1, -1])
    >>> r_precision_artists(np.array([0, 3]), np.array([1, 2]), artists)
    0.125
    """
    first = recommended[: min(len(relevant), DEPTH)]
    both = np.intersect1d(artists[first], artists[relevant])
    return r_precision(recommended, relevant) + ARTIST_CREDIT * int((both >= 0).sum()) / len(relevant)


def ndcg(recommended: Rows, relevant: Rows) -> float:
    """Normalised discounted cumulative gain at 500.

    A relevant track at position i, from 1, gains 1 / log2(i + 1). The sum is divided by that of min(|G|, 500)
    relevant tracks at the top, as in the organisers' program (metrics.py of the challenge's tools). The challenge's
    page writes log2(i) from the second position on and normalises by the number of hits only; by that formula one
    relevant track at the top would be perfect, which the scores of the leaderboard contradict.

    Parameters
    ----------
    recommended, relevant : ndarray of rows

    Returns
    -------
    float, from 0 to 1

    Examples
    --------
    >>> round(ndcg(np.array([5, 1, 2]), np.array([1, 2])), 4)
    0.6934
    """
    hit = np.isin(recommended[:DEPTH], relevant)
    gains = 1 / np.log2(np.arange(DEPTH) + 2)
    return float(gains[: len(hit)][hit].sum() / gains[: min(len(relevant), DEPTH)].sum())


def clicks(recommended: Rows, relevant: Rows) -> float:
    """Recommended-songs clicks: how often ten more tracks must be requested until a relevant one is shown.

    Parameters
    ----------
    recommended, relevant : ndarray of rows

    Returns
    -------
    float
        0 to 49, or 51 if none of 500 is relevant.

    Examples
    --------
    >>> clicks(np.arange(500), np.array([23, 400]))
    2.0
    """
    hit = np.flatnonzero(np.isin(recommended[:DEPTH], relevant))
    return float(hit[0] // PAGE if len(hit) else DEPTH // PAGE + 1)


def label_precision(vectors: Floats, labels: NDArray[np.intp], queries: Rows, k: int = 10) -> Values:
    """Share of the k nearest neighbours by cosine that have the query's label.

    Parameters
    ----------
    vectors : ndarray, shape (tracks, d)
    labels : ndarray of int, shape (tracks,)
    queries : ndarray of rows
        Tracks whose neighbours are looked up among all others.
    k : int

    Returns
    -------
    ndarray, shape (queries,), from 0 to 1

    Examples
    --------
    >>> vectors = np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1]], dtype=np.float32)
    >>> label_precision(vectors, np.array([0, 0, 1, 1]), np.array([0, 2]), k=1)
    array([1., 1.])
    """
    units = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    columns, shares = np.ascontiguousarray(units.T), np.empty(len(queries))
    for start in range(0, len(queries), _QUERIES):
        some = queries[start : start + _QUERIES]
        cosines = units[some] @ columns
        cosines[np.arange(len(some)), some] = -np.inf
        nearest = np.argpartition(cosines, -k, axis=1)[:, -k:]
        shares[start : start + len(some)] = (labels[nearest] == labels[some, None]).mean(axis=1)
    return shares


def coverage(answers: Sequence[Rows], first: int = DEPTH) -> int:
    """Number of different tracks among the first so many of several lists of recommendations.

    Parameters
    ----------
    answers : sequence of ndarray of rows
    first : int

    Returns
    -------
    int

    Examples
    --------
    >>> coverage([np.array([1, 2, 3]), np.array([2, 9])], first=2)
    3
    """
    return len(np.unique(np.concatenate([rows[:first] for rows in answers]))) if answers else 0


def coverage_interval(answers: Sequence[Rows], first: int = DEPTH) -> tuple[float, float]:
    """95 % interval of the coverage, by the jackknife.

    A bootstrap sample lacks a third of the playlists, so it underestimates the coverage. The jackknife leaves out one
    playlist at a time, which removes the tracks that only this playlist got; its variance is conservative (Efron and
    Stein 1981).

    Parameters
    ----------
    answers : sequence of ndarray of rows
    first : int

    Returns
    -------
    (float, float)

    Examples
    --------
    >>> low, high = coverage_interval([np.array([1, 2]), np.array([1, 3]), np.array([1, 4])])
    >>> low <= 4 <= high
    True
    """
    total, n = coverage(answers, first), len(answers)
    if n < 2:
        return float(total), float(total)
    entries = np.concatenate([rows[:first] for rows in answers])
    answer = np.repeat(np.arange(n), [len(rows[:first]) for rows in answers])
    _, index, counts = np.unique(entries, return_index=True, return_counts=True)
    unique = np.bincount(answer[index[counts == 1]], minlength=n)
    margin = 1.96 * float(np.sqrt((n - 1) / n * ((unique - unique.mean()) ** 2).sum()))
    return max(total - margin, 0.0), total + margin


def bootstrap_interval(
    values: Values, groups: NDArray[np.intp], rounds: int = 1000, seed: int = 0, share: float = 0.95
) -> tuple[float, float]:
    """Percentile bootstrap interval of a mean, resampling whole groups.

    Parameters
    ----------
    values : ndarray, shape (n,)
    groups : ndarray of int, shape (n,)
        Group (playlist) of each value.
    rounds, seed : int
    share : float in (0, 1)
        Coverage of the interval.

    Returns
    -------
    (float, float)

    Examples
    --------
    >>> bootstrap_interval(np.array([1.0, 1.0, 1.0]), np.arange(3))
    (1.0, 1.0)
    """
    return percentile_interval(bootstrap_means(values, groups, rounds, seed), share)


def bootstrap_means(values: Values, groups: NDArray[np.intp], rounds: int = 1000, seed: int = 0) -> Values:
    """Means of the values, each with whole groups resampled with replacement.

    Parameters
    ----------
    values : ndarray, shape (n,)
    groups : ndarray of int, shape (n,)
    rounds, seed : int

    Returns
    -------
    ndarray, shape (rounds,)

    Examples
    --------
    >>> bootstrap_means(np.array([0.0, 1.0]), np.array([0, 1])).shape
    (1000,)
    """
    _, group = np.unique(groups, return_inverse=True)
    sums, counts = np.bincount(group, values), np.bincount(group)
    times = np.random.default_rng(seed).multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=rounds)
    return np.asarray((times @ sums) / (times @ counts), dtype=np.float64)


def percentile_interval(means: Values, share: float = 0.95) -> tuple[float, float]:
    """Bounds of the central share of resampled means.

    Parameters
    ----------
    means : ndarray, shape (rounds,)
    share : float in (0, 1)

    Returns
    -------
    (float, float)

    Examples
    --------
    >>> percentile_interval(np.arange(101.0), share=0.5)
    (25.0, 75.0)
    """
    low, high = np.quantile(means, [(1 - share) / 2, (1 + share) / 2])
    return float(low), float(high)
