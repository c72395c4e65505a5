"""Candidates for a playlist: what a recommender finds, filled up by key and tempo where features are missing."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np

from disco.catalogue import Catalogue, Filters, Rows
from disco.catalogue.arrays import among, ascending, without
from disco.catalogue.music import tempo_angle
from disco.catalogue.table import Mask
from disco.errors import DiscoError
from disco.models.recommenders import Candidates, Query, Recommender
from disco.playlist.key_rules import UNKNOWN, key_index
from disco.playlist.mixing import Mixing
from disco.playlist.sequence import Constraints

Value = TypeVar("Value")

# Stands for the recommender where none had candidates.
KEY_AND_TEMPO = "key and tempo"
# Pools of one catalogue that are remembered: whoever turns a knob asks for the same one again and again.
_REMEMBERED = 32


@dataclass(frozen=True)
class Pool:
    """The tracks that a playlist is made of, as a small catalogue of their own.

    Attributes
    ----------
    tracks : Catalogue
        Those that come first, then those that the constraints ask for, then the other candidates by ascending row.
    start : ndarray of rows
        Tracks that come first: the seeds, or else the best candidate.
    candidates : ndarray of rows
        Tracks to choose from, those that the constraints ask for included.
    ranked : ndarray of rows
        The same, best first.
    constraints : Constraints
        By the rows of this pool.
    recommender : str
        Name of what found the candidates.
    notes : tuple of str
    computed : dict
        What was computed of the tracks, kept with them; see `once`.
    """

    tracks: Catalogue
    start: Rows
    candidates: Rows
    ranked: Rows
    constraints: Constraints
    recommender: str
    notes: tuple[str, ...]
    computed: dict[tuple[str, int], tuple[object, Any]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def ranks(self) -> Rows:
        """Place of each track in the ranking, shape (n,); 0 of the best and of those that come first."""
        ranks = np.zeros(len(self.tracks), dtype=np.intp)
        ranks[self.ranked] = np.arange(len(self.ranked))
        return ranks

    def once(self, what: str, model: object, compute: Callable[[], Value]) -> Value:
        """A value that hangs on the tracks and a model alone, computed the first time that it is asked for."""
        key = (what, id(model))
        if key not in self.computed:
            self.computed[key] = model, compute()  # the model too, so that no other gets its id
        value: Value = self.computed[key][1]
        return value


def gather(
    catalogue: Catalogue,
    seeds: Rows,
    recommender: Recommender,
    n: int,
    *,
    filters: Filters = Filters(),  # noqa: B008 - frozen
    exclude: Rows | None = None,
    title: str = "",
    constraints: Constraints = Constraints(),  # noqa: B008 - frozen
    mixing: Mixing = Mixing(),  # noqa: B008 - frozen
) -> Pool:
    """Find candidates for seeds and put them into a pool.

    Parameters
    ----------
    catalogue : Catalogue
    seeds : ndarray of rows
        There may be none if the recommender reads titles.
    recommender : Recommender
    n : int
        Number of candidates.
    filters, exclude, title, constraints, mixing
        As for `generate`.

    Returns
    -------
    Pool

    Raises
    ------
    DiscoError
        If there is no candidate, with the reason.
    """
    required = tuple(_unique(list(constraints.required)).tolist())
    excluded = b"" if exclude is None else np.sort(exclude).tobytes()
    key = (seeds.tobytes(), required, id(recommender), n, filters, excluded, title, mixing)
    pools: OrderedDict[object, tuple[Recommender, Pool, Rows]] = catalogue.__dict__.setdefault(
        "_pools", OrderedDict()
    )
    if key not in pools:
        pools[key] = (
            recommender,
            *_gather(catalogue, seeds, recommender, n, filters, exclude, title, required, mixing),
        )
        while len(pools) > _REMEMBERED:
            pools.popitem(last=False)
    _, pool, rows = pools[key]
    return replace(pool, constraints=_with_rows(constraints, {int(row): i for i, row in enumerate(rows)}))


def _gather(
    catalogue: Catalogue,
    seeds: Rows,
    recommender: Recommender,
    n: int,
    filters: Filters,
    exclude: Rows | None,
    title: str,
    required: tuple[int, ...],
    mixing: Mixing,
) -> tuple[Pool, Rows]:
    """A pool without constraints, and the rows of its tracks in the catalogue."""
    allowed = catalogue.has_title_and_artist & filters.mask(catalogue)
    if exclude is not None:
        allowed[exclude] = False
    query = Query(seeds, title, allowed)
    found, name, notes = recommend_or_fill(catalogue, recommender, query, n, mixing)
    if not set(required) <= {*found.rows.tolist(), *seeds.tolist()}:
        # They lie elsewhere, and are part of the query, so that candidates lie between them and the seeds.
        query = Query(_unique([*seeds.tolist(), *required]), title, allowed)
        found, name, notes = recommend_or_fill(catalogue, recommender, query, n, mixing)
    if not len(found.rows):
        raise DiscoError(_why_none(catalogue, filters, recommender, query))
    first = seeds if len(seeds) else found.rows[:1]
    placed = np.r_[first, without(np.array(required, dtype=np.intp), first)]
    others = without(found.rows, placed)
    rows = np.r_[placed, others]
    ranked = found.rows[~among(found.rows, placed)]
    pool = Pool(
        tracks=catalogue.take(rows),
        start=np.arange(len(first)),
        candidates=np.arange(len(first), len(rows)),
        ranked=np.r_[np.arange(len(first), len(placed)), len(placed) + np.searchsorted(others, ranked)],
        constraints=Constraints(),
        recommender=name,
        notes=tuple(notes),
    )
    return pool, rows


def recommend_or_fill(
    catalogue: Catalogue, recommender: Recommender, query: Query, n: int, mixing: Mixing
) -> tuple[Candidates, str, list[str]]:
    """Candidates of a recommender, filled up by key and tempo with tracks that have no features.

    Where the seeds have no features and the recommender finds nothing, all allowed tracks are considered.

    Returns
    -------
    candidates : Candidates
    name : str
        Name of what found them.
    notes : list of str
    """
    found, notes = recommender.recommend(query, n), []
    allowed = np.ones(len(catalogue), dtype=bool) if query.allowed is None else query.allowed.copy()
    if unnamed := int(len(catalogue) - catalogue.has_title_and_artist.sum()):
        notes.append(f"{unnamed:,} of {len(catalogue):,} tracks skipped: no title or artist")
    allowed[query.seeds] = allowed[found.rows] = False
    if not len(query.seeds):
        return found, recommender.name, notes
    without_features = allowed & ~catalogue.has_any_feature
    if not len(found.rows) and not catalogue.has_any_feature[query.seeds].any():
        without_features = allowed
    if not without_features.any():
        return found, recommender.name, notes
    if len(found.rows) >= n:
        count = int(without_features.sum())
        if not catalogue.has_any_feature[
            found.rows
        ].all():  # of a recommender that goes by other things than features
            return found, recommender.name, notes
        notes.append(f"{count:,} tracks without features are no candidates: {n:,} others have some")
        return found, recommender.name, notes
    more = key_tempo_candidates(catalogue, query.seeds, without_features, n - len(found.rows), mixing)
    total = len(found.rows) + len(more)
    if len(found.rows):
        notes.append(f"{len(more):,} of {total:,} candidates have no features and are chosen by key and tempo")
    else:
        notes.append(f"no features (acousticness ... valence): {total:,} candidates chosen by key and tempo alone")
    worst = found.scores.min() if len(found.rows) else 0
    scores = np.r_[found.scores, np.full(len(more), worst)].astype(np.float32)
    name = recommender.name if len(found.rows) else KEY_AND_TEMPO
    return Candidates(np.r_[found.rows, more], scores), name, notes


def key_tempo_candidates(catalogue: Catalogue, seeds: Rows, allowed: Mask, n: int, mixing: Mixing) -> Rows:
    """Find the allowed tracks whose key and tempo fit best to any of the seeds.

    Key and tempo similarity count from -1 to 1 each, as in the published cost; unknown ones count as 0. Ties go to
    the lower row.

    Parameters
    ----------
    catalogue : Catalogue
    seeds : ndarray of rows
        May be empty: then the tracks come in the catalogue's order.
    allowed : ndarray of bool, shape (n tracks,)
    n : int
        At most so many.
    mixing : Mixing
        Which keys are compatible.

    Returns
    -------
    ndarray of rows
        Best first.

    Examples
    --------
    >>> import disco
    >>> catalogue = disco.open()
    >>> allowed = np.ones(len(catalogue), dtype=bool)
    >>> best = key_tempo_candidates(catalogue, np.array([0]), allowed, 3, Mixing())
    >>> len(best), int(best[0])
    (3, 0)
    """
    rows = np.flatnonzero(allowed)
    keys, angles = key_index(catalogue.numbers("key"), catalogue.modes), tempo_angle(catalogue.tempos)
    best = np.full(len(rows), -np.inf)
    for seed in ascending(seeds):
        if keys[seed] == UNKNOWN and np.isnan(angles[seed]):
            continue
        fit = mixing.keys.padded[np.full(len(rows), keys[seed], dtype=keys.dtype), keys[rows]].astype(float)
        fit += np.nan_to_num(np.cos(angles[rows] - angles[seed]), nan=0.0)
        best = np.maximum(best, fit)
    return np.asarray(rows[np.argsort(-best, kind="stable")[:n]], dtype=np.intp)


def no_candidates_reason(recommender: Recommender, query: Query) -> str:
    """Why a recommender has no candidate for a query, and what to do."""
    if len(query.seeds):
        return f"{recommender.name} knows none of the seeds; name others, or another --recommender"
    if not recommender.reads_titles:
        return f"{recommender.name} reads no titles; name seeds, or a --recommender that reads them"
    return f"{recommender.name} finds nothing for this title alone; name seeds, or another title"


def _why_none(catalogue: Catalogue, filters: Filters, recommender: Recommender, query: Query) -> str:
    if not filters.mask(catalogue).any():
        return "the filters leave no track; loosen --include, --exclude, --bpm, --duration or --no-explicit"
    if not len(recommender.recommend(Query(query.seeds, query.title), 1).rows):
        return no_candidates_reason(recommender, query)
    return "no other track with a title and an artist is left to choose from"


def _with_rows(constraints: Constraints, rows: dict[int, int]) -> Constraints:
    """The same constraints for other rows."""
    start, end = (None if row is None else rows[row] for row in (constraints.start_track, constraints.end_track))
    pinned = tuple((position, rows[row]) for position, row in constraints.pinned)
    return replace(constraints, pinned=pinned, start_track=start, end_track=end)


def _unique(rows: list[int]) -> Rows:
    return np.array(list(dict.fromkeys(rows)), dtype=np.intp)
