"""The next-track protocol: at each place of a real playlist, find the true next track among others.

Only tracks that the catalogue has with all features count, each once in a playlist; playlists have at
least 10 of them, and places from the sixth track on are cases. The others are drawn, with a seed, from
the *entries* of the test playlists, none from the playlist itself: in proportion to how often a track
occurs, so that mere popularity finds no more than chance. `hard` others share a genre with the true track.
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

# The published protocol: 399 others, so that 10 of 400 are found by chance 0.025 of the time.
NEGATIVES = 399
FIRST_POSITION = 5
MINIMUM_LENGTH = 10
# Cases whose distances are computed at a time: 128 x 400 vectors of 64 float32 are 13 MB.
_CHUNK = 128


@dataclass(frozen=True)
class Cases:
    """Places in playlists, and the others among which the true track must be found.

    Attributes
    ----------
    playlists : list of rows
    playlist, position : ndarray of int, shape (n,)
        Which playlist, and which of its tracks is the true one.
    others : ndarray of rows, shape (n, OTHERS)
    sets : dict of mask, shape (n,)
        Which cases count for `all`, `warm`, `cold` and so on.
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
    """Draw the cases of a protocol: at most so many of each set, by a seed.

    Parameters
    ----------
    playlists : list of rows
        As `sources.playlists.sequences` gives them: covered tracks, each once, long enough.
    warm : mask over the catalogue, or None
        Tracks that occur in the training playlists; without it there is no set `warm`.
    hard : bool
        Draw the others among the entries that share a genre with the true track; cases whose genre is
        unknown, or has too few entries elsewhere, are left out.

    Raises
    ------
    DiscoError
        If there is no playlist long enough.
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
        # Twice as many entries as are drawn, so that one long playlist of that genre cannot be all of it.
        usable = (genre[true] >= 0) & (entries[genre[true] + 1] >= 2 * NEGATIVES)
        members = {name: mask & usable for name, mask in members.items()}
    chosen = {name: _sample_mask(mask, most, rng) for name, mask in members.items()}
    kept = np.flatnonzero(np.logical_or.reduce(list(chosen.values())))
    if not len(kept):
        raise DiscoError("no case is left: too few entries share a genre with the true tracks")
    others = _sample_negatives(playlists, playlist[kept], true[kept], genre, rng, len(catalogue))
    sets = {name: mask[kept] for name, mask in chosen.items()}
    return Cases(playlists, playlist[kept], position[kept], others, sets)


def _sample_mask(mask: Mask, most: int, rng: np.random.Generator) -> Mask:
    rows = np.flatnonzero(mask)
    kept = np.zeros(len(mask), dtype=bool)
    kept[rng.permutation(rows)[:most]] = True
    return kept


def _sample_negatives(
    playlists: list[Rows],
    playlist: NDArray[np.intp],
    true: Rows,
    genre: NDArray[np.intp] | None,
    rng: np.random.Generator,
    n_tracks: int,
) -> NDArray[np.intp]:
    """Entries of other playlists, drawn with replacement, none of which the playlist itself has."""
    entries = np.concatenate(playlists)
    if genre is not None:
        entries = entries[np.argsort(genre[entries], kind="stable")]
        starts = np.searchsorted(genre[entries], np.arange(-1, genre.max() + 2))
    own = np.zeros(n_tracks, dtype=bool)
    others = np.empty((len(playlist), NEGATIVES), dtype=np.intp)
    for number in np.unique(playlist):
        cases = np.flatnonzero(playlist == number)
        own[playlists[number]] = True
        low, high = np.zeros(len(cases), dtype=np.intp), np.full(len(cases), len(entries))
        if genre is not None:
            low, high = starts[genre[true[cases]] + 1], starts[genre[true[cases]] + 2]
        drawn = entries[rng.integers(low[:, None], high[:, None], (len(cases), NEGATIVES))]
        while (again := own[drawn]).any():
            row = np.nonzero(again)[0]
            drawn[again] = entries[rng.integers(low[row], high[row])]
        others[cases] = drawn
        own[playlists[number]] = False
    return others


def predict_sequences(
    predictor: Predictor, catalogue: Catalogue, space: Floats, playlists: Sequence[Rows]
) -> list[Floats]:
    """Vectors that a predictor gives after each track of each playlist, shape (length, d) each."""
    order = np.argsort([-len(tracks) for tracks in playlists], kind="stable")
    lengths = np.array([len(playlists[i]) for i in order])
    state, steps = predictor.start(len(order)), []
    for t in range(lengths[0]):
        n = int((lengths > t).sum())  # the longest come first, so that those still playing are the first n
        rows = np.array([playlists[i][t] for i in order[:n]])
        vectors, state = predictor.step(predictor.inputs(catalogue, space, rows), state[:n])
        steps.append(vectors)
    by_playlist: list[Floats] = [np.empty(0, np.float32)] * len(order)
    for place, i in enumerate(order):
        by_playlist[i] = np.stack([steps[t][place] for t in range(lengths[place])])
    return by_playlist


def predictions(
    predictor: Predictor,
    catalogue: Catalogue,
    space: Floats,
    cases: Cases,
    history: int | None = None,
    shuffled: np.random.Generator | None = None,
) -> Floats:
    """What a predictor says of each case, shape (n, d), from the tracks before it.

    Parameters
    ----------
    history : int, optional
        Only so many tracks before the case are heard.
    shuffled : Generator, optional
        Hear them in a random order, to see whether order matters.
    """
    pairs = list(zip(cases.playlist, cases.position, strict=True))
    if history is None and shuffled is None:
        vectors = predict_sequences(predictor, catalogue, space, cases.playlists)
        return np.stack([vectors[p][i - 1] for p, i in pairs])
    contexts = [cases.playlists[p][max(0, i - history) if history else 0 : i] for p, i in pairs]
    if shuffled is not None:
        contexts = [shuffled.permutation(context) for context in contexts]
    said = []
    for start in range(0, len(contexts), 4096):
        some = contexts[start : start + 4096]
        said += [vectors[-1] for vectors in predict_sequences(predictor, catalogue, space, some)]
    return np.stack(said)


def distances(space: Floats, vectors: Floats, cases: Cases) -> Iterator[tuple[slice, Floats]]:
    """Distance of each prediction from the true track and the others, (n, 1 + OTHERS), chunk by chunk."""
    rows = np.c_[cases.true, cases.negatives]
    for start in range(0, len(rows), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        apart = space[rows[chunk]] - vectors[chunk, None]
        yield chunk, np.sqrt(np.einsum("cod,cod->co", apart, apart))


def ranks(space: Floats, vectors: Floats, cases: Cases) -> metrics.Values:
    """Rank of the true track of each case by its distance from what was predicted."""
    found = np.empty(len(cases.playlist))
    for chunk, cost in distances(space, vectors, cases):
        found[chunk] = metrics.ranks(cost[:, 0], cost[:, 1:])
    return found


def records(found: metrics.Values, cases: Cases, **said: Any) -> list[dict[str, Any]]:
    """One record for each set of cases that is not empty, with bootstrap intervals by playlist."""
    made = []
    for name, mask in cases.sets.items():
        if not mask.any():
            continue
        values = {"mrr": metrics.reciprocal_ranks(found[mask]), "hit@10": metrics.hits(found[mask])}
        bounds = {key: metrics.bootstrap_interval(v, cases.playlist[mask]) for key, v in values.items()}
        made.append(
            {
                **said,
                "cases": name,
                "n": int(mask.sum()),
                "mrr": round(float(values["mrr"].mean()), 4),
                "hit@10": round(float(values["hit@10"].mean()), 4),
                "median_rank": float(np.median(found[mask])),
                "interval": {key: [round(low, 4), round(high, 4)] for key, (low, high) in bounds.items()},
            }
        )
    return made


def errors(space: Floats, vectors: Floats, cases: Cases) -> dict[str, float]:
    """Mean absolute error of predicted features over the `all` cases, and its ratio to the mean absolute deviation.

    The deviation is that of the true tracks about their own mean.
    """
    true, said = space[cases.true][cases.sets["all"]], vectors[cases.sets["all"]]
    error, deviation = np.abs(said - true).mean(), np.abs(true - true.mean(axis=0)).mean()
    return {"mae": round(float(error), 4), "mae_ratio": round(float(error / deviation), 4)}
