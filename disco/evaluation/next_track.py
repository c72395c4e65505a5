"""The next-track protocol: rank the true next track of a playlist among sampled negatives.

Only tracks with all features count, each once in a playlist. Playlists have at least 10 such tracks, and positions
from the sixth track on are cases. Negatives are sampled from the *entries* of the other test playlists, so that a
track is sampled in proportion to how often it occurs and popularity alone performs at chance. Hard negatives share a
genre with the true track. A track is *warm* if a training playlist has it, and *cold* if no recipe trains on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Floats, Rows
from disco.catalogue.numbering import genre_numbers
from disco.catalogue.table import Mask
from disco.errors import DiscoError
from disco.evaluation import metrics
from disco.models.predictors import Predictor
from disco.sources.files.playlist_tables import is_cold

# The published protocol: by chance, the true track is among the first 10 of 400 in 0.025 of the cases.
NEGATIVES = 399
FIRST_POSITION = 5
MINIMUM_LENGTH = 10
# Cases whose distances are computed at a time: 128 x 400 vectors of 64 float32 are 13 MB.
_CHUNK = 128


@dataclass(frozen=True)
class Cases:
    """Positions in playlists, and the negatives among which the true track is ranked.

    Attributes
    ----------
    playlists : list of ndarray of rows
    playlist, position : ndarray of int, shape (n,)
        Number of the playlist, and position of the true track in it (from 0).
    negatives : ndarray of rows, shape (n, NEGATIVES)
    sets : dict of mask, shape (n,)
        Which cases belong to `all`, `cold` and `warm`.
    """

    playlists: list[Rows]
    playlist: NDArray[np.intp]
    position: NDArray[np.intp]
    negatives: NDArray[np.intp]
    sets: dict[str, Mask]

    @property
    def true(self) -> Rows:
        """The true next tracks, shape (n,)."""
        pairs = zip(self.playlist, self.position, strict=True)
        return np.array([self.playlists[p][i] for p, i in pairs], dtype=np.intp)


def sample_cases(
    catalogue: Catalogue,
    playlists: list[Rows],
    warm: Mask | None,
    most: int = 10_000,
    seed: int = 0,
    hard: bool = False,
) -> Cases:
    """Sample cases, at most so many of each set, and their negatives.

    Parameters
    ----------
    catalogue : Catalogue
    playlists : list of ndarray of rows
        Tracks with all features, each once, `MINIMUM_LENGTH` or more in each playlist.
    warm : mask, shape (tracks,), optional
        Tracks that occur in training playlists; without it there is no set `warm`.
    most : int
        Greatest number of cases in each set.
    seed : int
    hard : bool
        Whether negatives share a genre with the true track. Cases whose genre is unknown, or has too few entries in
        other playlists, are skipped.

    Returns
    -------
    Cases

    Raises
    ------
    DiscoError
        If there is no playlist, or no case is left.

    Examples
    --------
    >>> import disco
    >>> cases = sample_cases(disco.open(), [np.arange(12), np.arange(100, 120)], warm=None)
    >>> cases.negatives.shape
    (22, 399)
    """
    if not playlists:
        raise DiscoError(f"no playlist has {MINIMUM_LENGTH} different tracks that are in the catalogue with features")
    rng = np.random.default_rng(seed)
    playlist = np.repeat(np.arange(len(playlists)), [len(tracks) - FIRST_POSITION for tracks in playlists])
    position = np.concatenate([np.arange(FIRST_POSITION, len(tracks)) for tracks in playlists])
    true = np.concatenate([tracks[FIRST_POSITION:] for tracks in playlists])
    cold = is_cold(catalogue.ids(true))
    members = {"all": np.ones(len(true), dtype=bool), "cold": cold}
    if warm is not None:
        members["warm"] = warm[true] & ~cold
    genre = genre_numbers(catalogue) if hard else None
    if genre is not None:
        entries = np.bincount(genre[np.concatenate(playlists)] + 1, minlength=int(genre.max()) + 2)
        # Twice as many entries as are sampled, so that one long playlist of that genre cannot hold all of them.
        usable = (genre[true] >= 0) & (entries[genre[true] + 1] >= 2 * NEGATIVES)
        members = {name: mask & usable for name, mask in members.items()}
    sampled = {name: _sample_mask(mask, most, rng) for name, mask in members.items()}
    used = np.flatnonzero(np.logical_or.reduce(list(sampled.values())))
    if not len(used):
        raise DiscoError("no case is left: too few entries share a genre with the true tracks")
    negatives = _sample_negatives(playlists, playlist[used], true[used], genre, rng, len(catalogue))
    sets = {name: mask[used] for name, mask in sampled.items()}
    return Cases(playlists, playlist[used], position[used], negatives, sets)


def _sample_mask(mask: Mask, most: int, rng: np.random.Generator) -> Mask:
    rows = np.flatnonzero(mask)
    sampled = np.zeros(len(mask), dtype=bool)
    sampled[rng.permutation(rows)[:most]] = True
    return sampled


def _sample_negatives(
    playlists: list[Rows],
    playlist: NDArray[np.intp],
    true: Rows,
    genre: NDArray[np.intp] | None,
    rng: np.random.Generator,
    n_tracks: int,
) -> NDArray[np.intp]:
    """Entries of other playlists, sampled with replacement, without tracks of the playlist itself."""
    entries = np.concatenate(playlists)
    if genre is not None:
        entries = entries[np.argsort(genre[entries], kind="stable")]
        starts = np.searchsorted(genre[entries], np.arange(-1, genre.max() + 2))
    own, counts = np.zeros(n_tracks, dtype=bool), np.bincount(entries, minlength=n_tracks)
    negatives = np.empty((len(playlist), NEGATIVES), dtype=np.intp)
    for number in np.unique(playlist):
        cases = np.flatnonzero(playlist == number)
        if counts[np.unique(playlists[number])].sum() == len(entries):
            raise DiscoError("negatives are sampled from other playlists; no other test playlist has other tracks")
        own[playlists[number]] = True
        low, high = np.zeros(len(cases), dtype=np.intp), np.full(len(cases), len(entries))
        if genre is not None:
            low, high = starts[genre[true[cases]] + 1], starts[genre[true[cases]] + 2]
        sampled = entries[rng.integers(low[:, None], high[:, None], (len(cases), NEGATIVES))]
        while (again := own[sampled]).any():
            row = np.nonzero(again)[0]
            sampled[again] = entries[rng.integers(low[row], high[row])]
        negatives[cases] = sampled
        own[playlists[number]] = False
    return negatives


def predict_sequences(
    predictor: Predictor, catalogue: Catalogue, space: Floats, playlists: Sequence[Rows]
) -> list[Floats]:
    """Vectors that a predictor returns after each track of each playlist.

    Parameters
    ----------
    predictor : Predictor
    catalogue : Catalogue
    space : ndarray, shape (tracks, d)
        The predictor's embedding of the catalogue.
    playlists : sequence of ndarray of rows

    Returns
    -------
    list of ndarray, shape (length, d)

    Examples
    --------
    >>> import disco
    >>> from disco.models.predictors import load_predictor
    >>> catalogue, mean = disco.open(), load_predictor("mean")
    >>> vectors = predict_sequences(mean, catalogue, mean.embed(catalogue), [np.arange(12), np.arange(3)])
    >>> [v.shape for v in vectors]
    [(12, 8), (3, 8)]
    """
    order = np.argsort([-len(tracks) for tracks in playlists], kind="stable")
    lengths = np.array([len(playlists[i]) for i in order])
    state, steps = predictor.start(len(order)), []
    for t in range(lengths[0]):
        n = int((lengths > t).sum())  # sorted by length: the unfinished ones are the first n
        rows = np.array([playlists[i][t] for i in order[:n]])
        vectors, state = predictor.step(predictor.inputs(catalogue, space, rows), state[:n])
        steps.append(vectors)
    by_playlist: list[Floats] = [np.empty(0, np.float32)] * len(order)
    for column, i in enumerate(order):
        by_playlist[i] = np.stack([steps[t][column] for t in range(lengths[column])])
    return by_playlist


def predictions(
    predictor: Predictor,
    catalogue: Catalogue,
    space: Floats,
    cases: Cases,
    history: int | None = None,
    shuffled: np.random.Generator | None = None,
) -> Floats:
    """Predicted vector of each case, from the previous tracks of its playlist.

    Parameters
    ----------
    predictor : Predictor
    catalogue : Catalogue
    space : ndarray, shape (tracks, d)
        The predictor's embedding of the catalogue.
    cases : Cases
    history : int, optional
        Number of previous tracks to read; all by default.
    shuffled : Generator, optional
        Shuffle the previous tracks, to measure whether their order matters.

    Returns
    -------
    ndarray, shape (n, d)
    """
    pairs = list(zip(cases.playlist, cases.position, strict=True))
    if history is None and shuffled is None:
        vectors = predict_sequences(predictor, catalogue, space, cases.playlists)
        return np.stack([vectors[p][i - 1] for p, i in pairs])
    contexts = [cases.playlists[p][max(0, i - history) if history else 0 : i] for p, i in pairs]
    if shuffled is not None:
        contexts = [shuffled.permutation(context) for context in contexts]
    last = []
    for start in range(0, len(contexts), 4096):
        some = contexts[start : start + 4096]
        last += [vectors[-1] for vectors in predict_sequences(predictor, catalogue, space, some)]
    return np.stack(last)


def distances(space: Floats, vectors: Floats, cases: Cases) -> Iterator[tuple[slice, Floats]]:
    """Distances of each prediction from the true track and the negatives, chunk by chunk.

    Parameters
    ----------
    space : ndarray, shape (tracks, d)
    vectors : ndarray, shape (n, d)
    cases : Cases

    Yields
    ------
    slice
        Which cases.
    ndarray, shape (cases of the slice, 1 + NEGATIVES)
        The true track's distance comes first.
    """
    rows = np.c_[cases.true, cases.negatives]
    for start in range(0, len(rows), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        difference = space[rows[chunk]] - vectors[chunk, None]
        yield chunk, np.sqrt(np.einsum("cod,cod->co", difference, difference))


def ranks(space: Floats, vectors: Floats, cases: Cases) -> metrics.Values:
    """Rank of each true track by its distance from the predicted vector.

    Parameters
    ----------
    space : ndarray, shape (tracks, d)
    vectors : ndarray, shape (n, d)
    cases : Cases

    Returns
    -------
    ndarray, shape (n,), from 1 to 1 + NEGATIVES
    """
    values = np.empty(len(cases.playlist))
    for chunk, distance in distances(space, vectors, cases):
        values[chunk] = metrics.ranks(distance[:, 0], distance[:, 1:])
    return values


def records(ranks: metrics.Values, cases: Cases, **names: Any) -> list[dict[str, Any]]:
    """One record per non-empty set of cases, with bootstrap intervals over playlists.

    Parameters
    ----------
    ranks : ndarray, shape (n,)
        Of the true tracks.
    cases : Cases
    **names
        What was measured, first in each record.

    Returns
    -------
    list of dict
    """
    made = []
    for name, mask in cases.sets.items():
        if not mask.any():
            continue
        values = {"mrr": metrics.reciprocal_ranks(ranks[mask]), "hit@10": metrics.hits(ranks[mask])}
        bounds = {key: metrics.bootstrap_interval(v, cases.playlist[mask]) for key, v in values.items()}
        made.append(
            {
                **names,
                "cases": name,
                "n": int(mask.sum()),
                "mrr": round(float(values["mrr"].mean()), 4),
                "hit@10": round(float(values["hit@10"].mean()), 4),
                "median_rank": float(np.median(ranks[mask])),
                "interval": {key: [round(low, 4), round(high, 4)] for key, (low, high) in bounds.items()},
            }
        )
    return made


def errors(space: Floats, vectors: Floats, cases: Cases) -> dict[str, float]:
    """Mean absolute error of predicted features over all cases, and its ratio to the mean absolute deviation.

    Parameters
    ----------
    space : ndarray, shape (tracks, d)
    vectors : ndarray, shape (n, d)
    cases : Cases

    Returns
    -------
    dict
        `mae`, and `mae_ratio`: the error over the mean absolute deviation of the true tracks from their own mean.
    """
    true, predicted = space[cases.true][cases.sets["all"]], vectors[cases.sets["all"]]
    error, deviation = np.abs(predicted - true).mean(), np.abs(true - true.mean(axis=0)).mean()
    return {"mae": round(float(error), 4), "mae_ratio": round(float(error / deviation), 4)}
