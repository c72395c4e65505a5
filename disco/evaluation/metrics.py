"""How good a next track is, and how good a continuation: pure functions from ranks and lists to numbers.

*Conventions.* A rank is 1 for the best and counts ties as half; ranks are of the true next track among
itself and sampled others. An interval is a percentile bootstrap (Efron 1979) over playlists: cases of
one playlist are alike, so that playlists, not cases, are what chance drew.

*Continuations.* `found` are the recommended tracks, best first, each once; `truth` are the tracks that were
taken out of the playlist, each once, at least one. R-precision, NDCG and clicks are those of the RecSys
Challenge 2018 (Chen, Lamere, Schedl and Zamani 2018; Zamani et al., arXiv 1810.01520): nothing after the
first 500 counts. None knows the order of `truth`.
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
# What the challenge gave for the right artist.
ARTIST_CREDIT = 0.25

# Of so many queries the cosines with all tracks are held at a time.
_QUERIES = 256


def ranks(true: Floats, others: Floats) -> Values:
    """Rank of each true track by its cost among the costs of others; lower cost is better.

    Parameters
    ----------
    true : ndarray, shape (n,)
    others : ndarray, shape (n, k)

    Returns
    -------
    ndarray, shape (n,), from 1 to k + 1
        1 + the number of others that are better + half the number that are equal.
    """
    better = (others < true[:, None]).sum(axis=1)
    equal = (others == true[:, None]).sum(axis=1)
    return np.asarray(1 + better + equal / 2, dtype=np.float64)


def reciprocal_ranks(ranks: Values) -> Values:
    """Reciprocal ranks; their mean is the MRR."""
    return 1 / ranks


def hits(ranks: Values, k: int = 10) -> Values:
    """1 where the true track is among the first k, 0 where not; their mean is hit@k."""
    return (ranks <= k).astype(np.float64)


def r_precision(found: Rows, truth: Rows) -> float:
    """Share of the truth that is among as many tracks as it has, from 0 to 1: |G and R[:|G|]| / |G|."""
    first = found[: min(len(truth), DEPTH)]
    return float(np.isin(first, truth).sum() / len(truth))


def r_precision_artists(found: Rows, truth: Rows, artists: NDArray[np.intp]) -> float:
    """R-precision with a quarter for each artist of the truth that is among the first |G| recommended tracks.

    (|S_T and G_T| + 0.25 |S_A and G_A|) / |G_T|, where S are the tracks T and the artists A of the first |G_T|
    recommended, and G those of the truth: the formula of the challenge's report. An artist counts once, and also
    when the track was right: a perfect list gets more than 1, up to 1.25 where no artist comes twice.

    Parameters
    ----------
    artists : ndarray of int, shape (tracks,)
        The artist of each track of the catalogue, -1 where unknown, who is nobody's artist.
    """
    first = found[: min(len(truth), DEPTH)]
    both = np.intersect1d(artists[first], artists[truth])
    return r_precision(found, truth) + ARTIST_CREDIT * int((both >= 0).sum()) / len(truth)


def ndcg(found: Rows, truth: Rows) -> float:
    """Normalised discounted cumulative gain at 500, from 0 to 1.

    A true track at place i, from 1, gains 1 / log2(i + 1); the sum is divided by that of min(|G|, 500) true tracks
    at the top. So does the organisers' own program (metrics.py of the challenge's tools). The challenge's page writes
    log2(i) from the second place on, and an ideal of only as many tracks as were found; by that a list with one true
    track at its top would be perfect, and the scores of the leaderboard could not be as low as they are.
    """
    hit = np.isin(found[:DEPTH], truth)
    gains = 1 / np.log2(np.arange(DEPTH) + 2)
    return float(gains[: len(hit)][hit].sum() / gains[: min(len(truth), DEPTH)].sum())


def clicks(found: Rows, truth: Rows) -> float:
    """Recommended-songs clicks: how many times ten more tracks are asked for before the first true one is seen.

    0 when it is among the first ten, at most 49; 51 when there is none among 500, one more than can be clicked.
    """
    hit = np.flatnonzero(np.isin(found[:DEPTH], truth))
    return float(hit[0] // PAGE if len(hit) else DEPTH // PAGE + 1)


def label_precision(vectors: Floats, labels: NDArray[np.intp], queries: Rows, k: int = 10) -> Values:
    """Share of the k nearest by cosine that have the query's label, shape (queries,); no track is its own neighbour.

    Parameters
    ----------
    vectors : ndarray, shape (tracks, d)
    labels : ndarray of int, shape (tracks,)
    queries : ndarray of int
        Which of the tracks are asked about; neighbours come from all.
    """
    units = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    columns, found = np.ascontiguousarray(units.T), np.empty(len(queries))
    for start in range(0, len(queries), _QUERIES):
        some = queries[start : start + _QUERIES]
        cosines = units[some] @ columns
        cosines[np.arange(len(some)), some] = -np.inf
        nearest = np.argpartition(cosines, -k, axis=1)[:, -k:]
        found[start : start + len(some)] = (labels[nearest] == labels[some, None]).mean(axis=1)
    return found


def coverage(answers: Sequence[Rows], first: int = DEPTH) -> int:
    """How many different tracks several answers name among their first so many."""
    return len(np.unique(np.concatenate([found[:first] for found in answers]))) if answers else 0


def coverage_interval(answers: Sequence[Rows], first: int = DEPTH) -> tuple[float, float]:
    """95 % interval of the coverage by as many answers, by the jackknife.

    A bootstrap would draw a third of the playlists not at all and so find too few tracks each time. The jackknife
    leaves out one playlist at a time, which takes away the tracks that it alone has; its variance is, if anything,
    too large (Efron and Stein 1981).
    """
    total, n = coverage(answers, first), len(answers)
    if n < 2:
        return float(total), float(total)
    entries = np.concatenate([found[:first] for found in answers])
    answer = np.repeat(np.arange(n), [len(found[:first]) for found in answers])
    _, place, times = np.unique(entries, return_index=True, return_counts=True)
    alone = np.bincount(answer[place[times == 1]], minlength=n)
    spread = 1.96 * float(np.sqrt((n - 1) / n * ((alone - alone.mean()) ** 2).sum()))
    return max(total - spread, 0.0), total + spread


def bootstrap_interval(
    values: Values, groups: NDArray[np.intp], rounds: int = 1000, seed: int = 0, share: float = 0.95
) -> tuple[float, float]:
    """Percentile bootstrap interval of a mean, whole groups drawn with replacement.

    Parameters
    ----------
    values : ndarray, shape (n,)
    groups : ndarray of int, shape (n,)
        Group (playlist) of each value.
    """
    return percentile_interval(bootstrap_means(values, groups, rounds, seed), share)


def bootstrap_means(values: Values, groups: NDArray[np.intp], rounds: int = 1000, seed: int = 0) -> Values:
    """Means of the values, shape (rounds,), each with whole groups drawn with replacement."""
    _, group = np.unique(groups, return_inverse=True)
    sums, counts = np.bincount(group, values), np.bincount(group)
    drawn = np.random.default_rng(seed).multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=rounds)
    return np.asarray((drawn @ sums) / (drawn @ counts), dtype=np.float64)


def percentile_interval(means: Values, share: float = 0.95) -> tuple[float, float]:
    """The middle share of resampled means: from which to which."""
    low, high = np.quantile(means, [(1 - share) / 2, (1 + share) / 2])
    return float(low), float(high)
