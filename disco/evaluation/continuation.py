"""The continuation protocol: given a part of a real playlist, name the tracks of the rest.

What is given are first or random tracks, the title, or both; the rest of the playlist is the truth. All tracks count
that the catalogue has, with features or without, each once where it first comes. Of every playlist at least
`HIDDEN` tracks are to be found, so that `first-5` is measured on playlists of 15 tracks or more.

`challenge` are the ten categories of the RecSys Challenge 2018 (Chen et al. 2018). There each had 1,000 playlists;
here each gets a tenth of the playlists that can be used, no playlist twice, and fewer where fewer are long enough.
The most demanding categories draw first, by a seed: the long playlists go to those that need them.
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

# As many as Spotify's own page of recommendations shows; a shorter rest would measure luck.
MIN_HOLDOUTS = 10
# Queries answered at a time, between two words about progress.
BATCH_SIZE = 64


@dataclass(frozen=True)
class Category:
    """What of a playlist is given.

    Attributes
    ----------
    seeds : int
        So many tracks; all others are to be found.
    title : bool
    random : bool
        The seeds are drawn from the whole playlist instead of being its first; they keep their order.
    """

    seeds: int = 0
    title: bool = False
    random: bool = False

    @property
    def name(self) -> str:
        """As `title and first 5`."""
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
    """Playlists of which the same is given.

    Attributes
    ----------
    category : Category
    playlist : ndarray of int, shape (n,)
        Which playlists.
    queries : list of Query, n
    relevant : list of rows, n
        The withheld tracks, at least `MIN_HOLDOUTS` each.
    """

    category: Category
    playlist: NDArray[np.intp]
    queries: list[Query]
    relevant: list[Rows]


def sample_cases(
    playlists: Sequence[Rows], titles: Sequence[str], protocol: str, most: int | None = None, seed: int = 0
) -> list[Cases]:
    """The cases of a protocol, one for each of its categories that any playlist is fit for.

    Parameters
    ----------
    playlists : list of rows
        The tracks of each, each once.
    titles : list of str
        Their titles, empty where unknown.
    most : int, optional
        At most so many playlists in all, drawn by the seed.

    Raises
    ------
    DiscoError
        If there is no such protocol, or no playlist is fit for it.
    """
    if protocol not in PROTOCOLS:
        raise DiscoError(f"there is no protocol {protocol!r}; there are {', '.join(PROTOCOLS)}")
    categories = PROTOCOLS[protocol]
    lengths = np.array([len(tracks) for tracks in playlists], dtype=np.intp)
    titled = np.array([bool(title.strip()) for title in titles], dtype=bool)
    fit = [(lengths >= given.seeds + MIN_HOLDOUTS) & (titled | (not given.title)) for given in categories]
    usable = np.flatnonzero(np.logical_or.reduce(fit))
    if not len(usable):
        raise DiscoError(_no_case_reason(categories, lengths, titled))
    rng = np.random.default_rng(seed)
    # The smallest number of seeds last; of equal ones those without a title, which any playlist is fit for.
    order = sorted(range(len(categories)), key=lambda i: (-categories[i].seeds, not categories[i].title))
    free = np.zeros(len(lengths), dtype=bool)
    free[rng.permutation(usable)[: len(usable) if most is None else most]] = True
    share = max(1, int(free.sum()) // len(categories))
    chosen: dict[int, NDArray[np.intp]] = {}
    for place, i in enumerate(order):
        rivals = sum(categories[j].seeds == categories[i].seeds for j in order[place:])
        pool = np.flatnonzero(free & fit[i])
        chosen[i] = np.sort(rng.permutation(pool)[: min(share, -(-len(pool) // rivals))])
        free[chosen[i]] = False
    return [_cases(given, chosen[i], playlists, titles, rng) for i, given in enumerate(categories) if len(chosen[i])]


def _no_case_reason(categories: Sequence[Category], lengths: NDArray[np.intp], titled: NDArray[np.bool_]) -> str:
    if not len(lengths):
        return "there is no playlist with a track that the catalogue has"
    least = min(given.seeds for given in categories) + MIN_HOLDOUTS
    if (lengths >= least).any():
        return f"no playlist of {least} different tracks has a title"
    return f"no playlist has {least} different tracks that the catalogue has; the longest has {lengths.max()}"


def _cases(
    given: Category,
    chosen: NDArray[np.intp],
    playlists: Sequence[Rows],
    titles: Sequence[str],
    rng: np.random.Generator,
) -> Cases:
    queries, truth = [], []
    for number in chosen:
        tracks = playlists[number]
        is_seed = np.arange(len(tracks)) < given.seeds
        if given.random:
            is_seed = rng.permutation(is_seed)
        queries.append(Query(tracks[is_seed], titles[number] if given.title else ""))
        truth.append(tracks[~is_seed])
    return Cases(given, chosen, queries, truth)


def with_titles(cases: Cases, titles: Sequence[str]) -> Cases:
    """The same cases, with the titles given too."""
    queries = [replace(query, title=titles[i]) for query, i in zip(cases.queries, cases.playlist, strict=True)]
    return replace(cases, category=replace(cases.category, title=True), queries=queries)


def popularity_baseline(heard: NDArray[np.intp], name: str = "popularity") -> Recommender:
    """The most frequent tracks of training playlists, whoever asks; tracks in none of them are not recommended.

    Parameters
    ----------
    heard : ndarray of int, shape (tracks,)
        In how many playlists each track of the catalogue is.
    """
    return by_counts(name, np.where(heard > 0, heard, -np.inf).astype(np.float32))


def recommend_in_batches(recommender: Recommender, queries: Sequence[Query]) -> Iterator[tuple[list[Rows], float]]:
    """The first 500 tracks for each query, and the seconds it took, some queries at a time."""
    for start in range(0, len(queries), BATCH_SIZE):
        begun = time.perf_counter()
        found = recommender.recommend_many(queries[start : start + BATCH_SIZE], metrics.DEPTH)
        yield [candidates.rows for candidates in found], time.perf_counter() - begun


@dataclass(frozen=True)
class Answers:
    """What a recommender answered for some cases.

    Attributes
    ----------
    cases : Cases
    rows : list of rows, n
    """

    cases: Cases
    rows: list[Rows]

    def values(self, artists: NDArray[np.intp]) -> dict[str, metrics.Values]:
        """Each metric for each playlist, shape (n,)."""
        pairs = list(zip(self.rows, self.cases.relevant, strict=True))
        return {
            "r_precision": np.array([metrics.r_precision(*pair) for pair in pairs]),
            "r_precision_artists": np.array([metrics.r_precision_artists(*pair, artists) for pair in pairs]),
            "ndcg": np.array([metrics.ndcg(*pair) for pair in pairs]),
            "clicks": np.array([metrics.clicks(*pair) for pair in pairs]),
        }


def record(found: Sequence[Answers], artists: NDArray[np.intp], seed: int = 0, **said: Any) -> dict[str, Any]:
    """One record of one category, or of the mean of several, each category weighing the same.

    Means over playlists with bootstrap intervals, categories resampled each by itself; `coverage`, the different
    tracks in all answers, and `coverage@10` in the first ten of each, with jackknife intervals; `unanswered`, the
    playlists for which nothing was recommended.
    """
    of_category = [part.values(artists) for part in found]
    rows = [answer for part in found for answer in part.rows]
    made: dict[str, Any] = {**said, "n": len(rows)}
    bounds: dict[str, list[float]] = {}
    for name in of_category[0]:
        means = [values[name].mean() for values in of_category]
        resampled = [
            metrics.bootstrap_means(values[name], np.arange(len(values[name])), seed=seed + i)
            for i, values in enumerate(of_category)
        ]
        made[name] = round(float(np.mean(means)), 4)
        bounds[name] = [round(bound, 4) for bound in metrics.percentile_interval(np.mean(resampled, axis=0))]
    for name, first in (("coverage", metrics.DEPTH), ("coverage@10", metrics.PAGE)):
        made[name] = metrics.coverage(rows, first)
        bounds[name] = [round(bound) for bound in metrics.coverage_interval(rows, first)]
    made["unanswered"] = sum(not len(answer) for answer in rows)
    return made | {"interval": bounds}


def known_share(cases: Iterable[Cases], heard: NDArray[np.intp]) -> float:
    """Share of the tracks to be found that training playlists have at all: what no neighbour can find is the rest."""
    truth = np.concatenate([tracks for part in cases for tracks in part.relevant])
    return float((heard[truth] > 0).mean())
