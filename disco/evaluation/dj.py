"""The next track of DJs: how high a cost ranks what a DJ really played next.

At each transition of a set the true next track is ranked among all tracks of the same set that were still to come.
Equal costs share their ranks, so that a cost that knows nothing gets what chance gets. Intervals are 95 %, by a
bootstrap over sets.

*Left out.* A cost that is fitted on the sets of the file is judged on DJs that it was not fitted on, in ten parts
with each DJ in one; and, for comparison, on sets that it was not fitted on. Where a DJ is not known, each set has one
of its own. Learning in the set: see `learn_in_sets`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Catalogue
from disco.errors import DataError
from disco.evaluation.dj_costs import costs_to_compare, set_tracks, style_parts
from disco.evaluation.dj_many import many_records
from disco.evaluation.dj_orders import order_records
from disco.evaluation.dj_ranks import choices_of, dj_numbers, importance_of, records
from disco.evaluation.dj_sets import cases_of, read_sets
from disco.playlist.choice_fit import Choices, held_out, probabilities
from disco.playlist.key_moves import KEY_TERMS
from disco.playlist.styles import DJ, load_style, style_names

Costs = NDArray[np.float64]
Numbers = NDArray[np.intp]

# How much a DJ may go by key, and by the rest, against the fitted weights.
SCALES = (0.0, 0.5, 1.0, 2.0, 4.0)
# Names of the costs that are fitted on the file itself.
LEFT_OUT, LEFT_OUT_SETS, LEARNING = "fitted, DJs left out", "fitted, sets left out", "learning in the set"


def learn_in_sets(key: Costs, other: Costs, choices: Choices, numbers: Numbers) -> Costs:
    """Values of options when the joins so far in a set say how much its DJ goes by key, and how much by the rest.

    DJs differ: some go by key first, some by tempo first. Each pair of `SCALES`, one for keys and one for the rest,
    is a style that the DJ of the set may have; a scale is as likely from the start as its distance from 1 is small
    (normal in doublings, with a standard deviation of one). After each join each style counts by how likely it made
    the joins so far (Bayes), and an option is worth the logarithm of its probability, averaged over the styles.

    Parameters
    ----------
    key, other : ndarray, shape (options,)
        Values of keys, and of the rest.
    choices : Choices
    numbers : ndarray of int, shape (choices,)
        Of the set of each choice; the choices of a set follow one another in their order.

    Returns
    -------
    ndarray, shape (options,)
        What is learned of a set begins anew with the next.

    Examples
    --------
    >>> key, other = np.array([1.0, 0.0] * 9), np.array([0.0, 1.0] * 9)  # nine times the key decides
    >>> nine = Choices(np.zeros((18, 0)), np.full(9, 2))
    >>> values = learn_in_sets(key, other, nine, np.zeros(9)).reshape(9, 2)
    >>> bool(np.isclose(values[0, 0], values[0, 1])), bool(values[-1, 0] > values[-1, 1] + 1)
    (True, True)
    """
    styles = [(k, o) for k in SCALES for o in SCALES]
    # No weight at all is as far from 1 as two doublings and a half.
    doublings = [np.log2(max(scale, 0.18)) for scale in SCALES]
    first = np.array([-(k**2 + o**2) / 2 for k in doublings for o in doublings])
    found = np.stack([probabilities(choices, k * key + o * other) for k, o in styles])
    played = np.log(np.maximum(found[:, choices.starts], 1e-300))
    begins = np.r_[True, np.diff(numbers) != 0]
    before = np.cumsum(played, axis=1) - played
    before -= before[:, begins][:, np.cumsum(begins) - 1]
    evidence = first[:, None] + before
    weights = np.exp(evidence - evidence.max(axis=0))
    weights /= weights.sum(axis=0)
    return np.asarray(np.log((weights[:, choices.choice] * found).sum(axis=0)))


def dj(
    sets: str | Path,
    catalogue: Catalogue | None = None,
    *,
    random_seed: int = 0,
    among_many: bool = True,
) -> dict[str, Any]:
    r"""Rank what DJs really played next by the costs of a transition.

    Parameters
    ----------
    sets : str or Path
        Table of sets: Parquet or CSV with `set_id, position, tempo_bpm, key, mode`, and perhaps `kind, dj, artist,
        title, genre, track_id`.
    catalogue : Catalogue, optional
        Lends energies and other features of tracks whose `track_id` it has, and others to rank them among.
    random_seed : int
    among_many : bool
        Rank the true next track also among 400 of the DJ's collection and of the catalogue (see `dj_many`).

    Returns
    -------
    dict
        `costs`, a list of records with hit@1, hit@10, MRR and mean percentile; `orders`, how many of the DJs'
        neighbours whole orders keep (see `dj_orders`); and `protocol`.

    Raises
    ------
    DiscoError
        If the file cannot be used, or shows no choice.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> lines = ["set_id,position,tempo_bpm,key,mode", "a,0,120,0,1", "a,1,121,0,1", "a,2,140,6,1", "a,3,141,6,1"]
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "sets.csv")
    ...     _ = path.write_text("\n".join(lines))
    ...     results = dj(path)
    >>> [(r["cost"], r["hit@1"]) for r in results["costs"][:2]]
    [('chance', 0.4167), ('published', 1.0)]
    """
    where = Path(sets)
    read = read_sets(where, catalogue)
    cases = cases_of(read)
    if not len(cases):
        raise DataError(where, "shows no choice: no set has three tracks in a row with known keys and tempos")
    tracks, made = set_tracks(read.tracks), []
    for name, cost in costs_to_compare().items():
        made += records(name, cost(tracks, cases), read, cases, random_seed)
    choices, djs = choices_of(tracks.joins, cases), dj_numbers(read, cases)
    for name in style_names():
        if (style := load_style(name)) is not None:
            key, tempo = style_parts(style, tracks, cases)
            made += records(name, -(key + tempo), read, cases, random_seed)
            if name == DJ:
                values = learn_in_sets(key / style.scale, tempo / style.scale, choices, cases.number)
                made += records(f"{name}, {LEARNING}", -values, read, cases, random_seed)
    importance = importance_of(read, cases)
    for name, groups in ((LEFT_OUT, djs), (LEFT_OUT_SETS, cases.number)):
        if len(np.unique(groups)) < 2:
            continue
        weighted = choices.terms * held_out(choices, groups, importance)[choices.choice]
        key, other = weighted[:, : len(KEY_TERMS)].sum(axis=1), weighted[:, len(KEY_TERMS) :].sum(axis=1)
        made += records(name, -(key + other), read, cases, random_seed)
        if name == LEFT_OUT:
            values = learn_in_sets(key, other, choices, cases.number)
            made += records(f"{name}, {LEARNING}", -values, read, cases, random_seed)
    if among_many:
        made += many_records(read, catalogue, random_seed)
    protocol = {
        "file": str(where),
        "catalogue": None if catalogue is None else catalogue.where,
        **read.counts,
        "others": "the tracks of the set that came later",
        "seed": random_seed,
        "interval": "95 %, bootstrap over sets",
    }
    return {"costs": made, "orders": order_records(read, random_seed), "protocol": protocol}
