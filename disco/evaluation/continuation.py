"""The continuation protocol: given a part of a real playlist, recommend the withheld rest.

First or random tracks, the title, or both are given. All tracks of the catalogue count, with features or without,
each once where it first occurs. At least `MIN_HOLDOUTS` tracks of every playlist are withheld, so `first-5` is
measured on playlists of 15 tracks or more.

`challenge` has the ten categories of the RecSys Challenge 2018 (Chen, Lamere, Schedl and Zamani 2018), which had
1,000 playlists each. Here each category gets a tenth of the usable playlists, or fewer where fewer are long enough,
and no playlist is used twice. Categories with the most seeds choose first, since only long playlists suit them.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Rows
from disco.errors import DiscoError
from disco.evaluation import metrics
from disco.models.recommenders import Query, Recommender
from disco.models.recommenders.popularity import by_counts

# As many as one page of recommendations shows; with fewer withheld tracks the metrics would be noise.
MIN_HOLDOUTS = 10
# Queries between two progress reports.
BATCH_SIZE = 64


@dataclass(frozen=True)
class Category:
    """What of a playlist is given.

    Attributes
    ----------
    seeds : int
        Number of given tracks; all others are withheld.
    title : bool
        Whether the title is given.
    random : bool
        Whether the seeds are sampled from the whole playlist, in its order, instead of being its first tracks.

    Examples
    --------
    >>> Category(seeds=5, title=True).name
    'title and first 5'
    """

    seeds: int = 0
    title: bool = False
    random: bool = False

    @property
    def name(self) -> str:
        """What is given, in words."""
        tracks = f"{'random' if self.random else 'first'} {self.seeds}" if self.seeds else ""
        return " and ".join(part for part in ("title" if self.title else "", tracks) if part)


PROTOCOLS: dict[str, tuple[Category, ...]] = {
    "first-1": (Category(1),),
    "first-5": (Category(5),),
    "first-10": (Category(10),),
    "title": (Category(title=True),),
    "challenge": (
        Category(title=True),
        Category(1, title=True),
        Category(5, title=True),
        Category(5),
        Category(10, title=True),
        Category(10),
        Category(25, title=True),
        Category(25, title=True, random=True),
        Category(100, title=True),
        Category(100, title=True, random=True),
    ),
}


@dataclass(frozen=True)
class Cases:
    """Playlists of one category, with what is given and what is withheld.

    Attributes
    ----------
    category : Category
    playlist : ndarray of int, shape (n,)
        Numbers of the playlists.
    queries : list of Query, n
    relevant : list of ndarray of rows, n
        The withheld tracks, at least `MIN_HOLDOUTS` each.
    """

    category: Category
    playlist: NDArray[np.intp]
    queries: list[Query]
    relevant: list[Rows]


def sample_cases(
    playlists: Sequence[Rows], titles: Sequence[str], protocol: str, most: int | None = None, seed: int = 0
) -> list[Cases]:
    """Cases of a protocol, for each of its categories that any playlist suits.

    Parameters
    ----------
    playlists : sequence of ndarray of rows
        The tracks of each playlist, each once.
    titles : sequence of str
        Titles of the playlists, empty where unknown.
    protocol : str
        A key of `PROTOCOLS`.
    most : int, optional
        Greatest number of playlists in all; they are sampled.
    seed : int

    Returns
    -------
    list of Cases

    Raises
    ------
    DiscoError
        If there is no such protocol, or no playlist suits it.

    Examples
    --------
    >>> (cases,) = sample_cases([np.arange(20), np.arange(8)], ["morning", "evening"], "first-5")
    >>> cases.queries[0].seeds, len(cases.relevant[0])
    (array([0, 1, 2, 3, 4]), 15)
    """
    if protocol not in PROTOCOLS:
        raise DiscoError(f"there is no protocol {protocol!r}; there are {', '.join(PROTOCOLS)}")
    categories = PROTOCOLS[protocol]
    lengths = np.array([len(tracks) for tracks in playlists], dtype=np.intp)
    titled = np.array([bool(title.strip()) for title in titles], dtype=bool)
    suitable = [(lengths >= one.seeds + MIN_HOLDOUTS) & (titled | (not one.title)) for one in categories]
    usable = np.flatnonzero(np.logical_or.reduce(suitable))
    if not len(usable):
        raise DiscoError(_no_case_reason(categories, lengths, titled))
    rng = np.random.default_rng(seed)
    # The fewest seeds last; among equal numbers those without a title, which any playlist suits.
    order = sorted(range(len(categories)), key=lambda i: (-categories[i].seeds, not categories[i].title))
    unused = np.zeros(len(lengths), dtype=bool)
    unused[rng.permutation(usable)[: len(usable) if most is None else most]] = True
    share = max(1, int(unused.sum()) // len(categories))
    sampled: dict[int, NDArray[np.intp]] = {}
    for n_done, i in enumerate(order):
        n_sharing = sum(categories[j].seeds == categories[i].seeds for j in order[n_done:])
        pool = np.flatnonzero(unused & suitable[i])
        sampled[i] = np.sort(rng.permutation(pool)[: min(share, -(-len(pool) // n_sharing))])
        unused[sampled[i]] = False
    return [_cases(one, sampled[i], playlists, titles, rng) for i, one in enumerate(categories) if len(sampled[i])]


def _no_case_reason(categories: Sequence[Category], lengths: NDArray[np.intp], titled: NDArray[np.bool_]) -> str:
    if not len(lengths):
        return "there is no playlist with a track that the catalogue has"
    least = min(one.seeds for one in categories) + MIN_HOLDOUTS
    if (lengths >= least).any():
        return f"no playlist of {least} different tracks has a title"
    return f"no playlist has {least} different tracks that the catalogue has; the longest has {lengths.max()}"


def _cases(
    category: Category,
    numbers: NDArray[np.intp],
    playlists: Sequence[Rows],
    titles: Sequence[str],
    rng: np.random.Generator,
) -> Cases:
    queries, relevant = [], []
    for number in numbers:
        tracks = playlists[number]
        is_seed = np.arange(len(tracks)) < category.seeds
        if category.random:
            is_seed = rng.permutation(is_seed)
        queries.append(Query(tracks[is_seed], titles[number] if category.title else ""))
        relevant.append(tracks[~is_seed])
    return Cases(category, numbers, queries, relevant)


def with_titles(cases: Cases, titles: Sequence[str]) -> Cases:
    """The same cases with the titles given too.

    Parameters
    ----------
    cases : Cases
    titles : sequence of str
        Titles of all playlists.

    Returns
    -------
    Cases

    Examples
    --------
    >>> (cases,) = sample_cases([np.arange(20)], ["morning"], "first-5")
    >>> with_titles(cases, ["morning"]).queries[0].title
    'morning'
    """
    queries = [replace(query, title=titles[i]) for query, i in zip(cases.queries, cases.playlist, strict=True)]
    return replace(cases, category=replace(cases.category, title=True), queries=queries)


def popularity_baseline(play_count: NDArray[np.intp], name: str = "popularity") -> Recommender:
    """A recommender of the most frequent tracks of training playlists, whatever the query.

    Parameters
    ----------
    play_count : ndarray of int, shape (tracks,)
        Number of training playlists that have each track; tracks in none are not recommended.
    name : str

    Returns
    -------
    Recommender

    Examples
    --------
    >>> popularity_baseline(np.array([3, 0, 7])).recommend(Query(np.array([0])), 5).rows
    array([2])
    """
    return by_counts(name, np.where(play_count > 0, play_count, -np.inf).astype(np.float32))


def recommend_in_batches(recommender: Recommender, queries: Sequence[Query]) -> Iterator[tuple[list[Rows], float]]:
    """The first 500 recommendations for each query, batch by batch.

    Parameters
    ----------
    recommender : Recommender
    queries : sequence of Query

    Yields
    ------
    list of ndarray of rows
        Recommendations for each query of a batch.
    float
        Seconds that the batch took.
    """
    for start in range(0, len(queries), BATCH_SIZE):
        start_time = time.perf_counter()
        answers = recommender.recommend_many(queries[start : start + BATCH_SIZE], metrics.DEPTH)
        yield [candidates.rows for candidates in answers], time.perf_counter() - start_time


@dataclass(frozen=True)
class Answers:
    """Recommendations for the cases of one category.

    Attributes
    ----------
    cases : Cases
    rows : list of ndarray of rows, n
        Best first.
    """

    cases: Cases
    rows: list[Rows]

    def values(self, artists: NDArray[np.intp]) -> dict[str, metrics.Values]:
        """Each metric for each playlist.

        Parameters
        ----------
        artists : ndarray of int, shape (tracks,)
            The artist of each track, -1 where unknown.

        Returns
        -------
        dict of str to ndarray, shape (n,)
        """
        pairs = list(zip(self.rows, self.cases.relevant, strict=True))
        return {
            "r_precision": np.array([metrics.r_precision(*pair) for pair in pairs]),
            "r_precision_artists": np.array([metrics.r_precision_artists(*pair, artists) for pair in pairs]),
            "ndcg": np.array([metrics.ndcg(*pair) for pair in pairs]),
            "clicks": np.array([metrics.clicks(*pair) for pair in pairs]),
        }


def record(answers: Sequence[Answers], artists: NDArray[np.intp], seed: int = 0, **names: Any) -> dict[str, Any]:
    """One record of one category, or of the mean over several categories of equal weight.

    Parameters
    ----------
    answers : sequence of Answers
        Of each category.
    artists : ndarray of int, shape (tracks,)
    seed : int
    **names
        What was measured, first in the record.

    Returns
    -------
    dict
        Means over playlists, with bootstrap intervals that resample each category by itself; `coverage`, the number
        of different tracks in all answers, and `coverage@10` in the first ten of each, with jackknife intervals;
        `unanswered`, the number of playlists without any recommendation.
    """
    by_category = [part.values(artists) for part in answers]
    rows = [answer for part in answers for answer in part.rows]
    made: dict[str, Any] = {**names, "n": len(rows)}
    bounds: dict[str, list[float]] = {}
    for name in by_category[0]:
        means = [values[name].mean() for values in by_category]
        resampled = [
            metrics.bootstrap_means(values[name], np.arange(len(values[name])), seed=seed + i)
            for i, values in enumerate(by_category)
        ]
        made[name] = round(float(np.mean(means)), 4)
        bounds[name] = [round(bound, 4) for bound in metrics.percentile_interval(np.mean(resampled, axis=0))]
    for name, first in (("coverage", metrics.DEPTH), ("coverage@10", metrics.PAGE)):
        made[name] = metrics.coverage(rows, first)
        bounds[name] = [round(bound) for bound in metrics.coverage_interval(rows, first)]
    made["unanswered"] = sum(not len(answer) for answer in rows)
    return made | {"interval": bounds}


def known_share(cases: Iterable[Cases], play_count: NDArray[np.intp]) -> float:
    """Share of the withheld tracks that any training playlist has: the upper bound of neighbourhood methods.

    Parameters
    ----------
    cases : iterable of Cases
    play_count : ndarray of int, shape (tracks,)

    Returns
    -------
    float, from 0 to 1
    """
    relevant = np.concatenate([tracks for part in cases for tracks in part.relevant])
    return float((play_count[relevant] > 0).mean())
