"""Candidates by key and tempo alone, where no recommender has anything to say: tags, but no features."""

from __future__ import annotations

import numpy as np

from disco.catalogue import Catalogue, Rows
from disco.catalogue.music import tempo_angle
from disco.catalogue.table import Mask
from disco.playlist.key_rules import UNKNOWN, key_index
from disco.playlist.mixing import Mixing

NAME = "key and tempo"


def key_tempo_candidates(catalogue: Catalogue, seeds: Rows, open_to: Mask, n: int, mixing: Mixing) -> Rows:
    """At most n of the tracks that are open, those first whose key and tempo go best with any of the seeds.

    Each of the two counts from -1 to 1, as in the published cost, and an unknown one 0; ties go to the lower row.

    Parameters
    ----------
    catalogue : Catalogue
    seeds : ndarray of rows
        May be empty: then the tracks come in the catalogue's order.
    open_to : ndarray of bool, shape (n,)
    n : int
    mixing : Mixing
        Which keys go together.
    """
    rows = np.flatnonzero(open_to)
    keys, angles = key_index(catalogue.numbers("key"), catalogue.modes), tempo_angle(catalogue.tempos)
    best = np.full(len(rows), -np.inf)
    for seed in np.unique(seeds):
        fits = mixing.keys.padded[np.full(len(rows), keys[seed], dtype=keys.dtype), keys[rows]].astype(float)
        if keys[seed] == UNKNOWN and np.isnan(angles[seed]):
            continue
        fits += np.nan_to_num(np.cos(angles[rows] - angles[seed]), nan=0.0)
        best = np.maximum(best, fits)
    return np.asarray(rows[np.argsort(-best, kind="stable")[:n]], dtype=np.intp)
