"""Ways to choose the next tracks among many candidates: DISCO's, the published one, and two existing tools.

Each way reads what it needs of the same Parquet file of made-up tracks and gives a function from a length to the
rows that it chose, beside the number of its bytes that each step must read.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import synthetic_tracks

from disco.catalogue import FEATURES, SCHEMA, Catalogue
from disco.catalogue.music import camelot
from disco.models.card import MODELS
from disco.models.predictors import load_predictor
from disco.models.scaler import scaler
from disco.playlist.cost import FlowCost, Knobs
from disco.playlist.generate import generate
from disco.playlist.sequence import Rules, Sequencer, beam, greedy

SEEDS = np.array([0, 1, 2])
# What the cost reads of a candidate at each step: eight features, cosine and sine of the tempo, and the key.
BYTES = 8 * 4 + 2 * 4 + 1
# Of the tracks: what a selection reads, and for its rules the names.
_SOUND = [*FEATURES, "key", "mode", "tempo_bpm"]
_NAMED = ["track_id", "title", "artists", "feature_set", *_SOUND]
# Neighbours that are asked for: more than are ever played already.
_NEIGHBOURS = 32
# Seconds after which djkr8 gives what it has.
_MINUTE = 60.0

Select = Callable[[int], object]


class Way(NamedTuple):
    """A way to choose tracks, what its steps read of a candidate, and what it costs to be ready."""

    prepare: Callable[[int], Select]
    label: str


def _tracks(n: int) -> Catalogue:
    """So many tracks with the columns that selecting reads; the others are unknown."""
    read = pq.read_table(synthetic_tracks.file(n), columns=_NAMED)
    columns = [read[f.name] if f.name in _NAMED else pa.nulls(n, f.type) for f in SCHEMA]
    return Catalogue(pa.table(columns, schema=SCHEMA).combine_chunks(), f"{n:,} made-up tracks")


def disco_way(n: int, sequencer: Sequencer) -> Select:
    """One of DISCO's sequencers with all its rules."""
    catalogue, predictor = _tracks(n), load_predictor("classic")
    cost = FlowCost(catalogue, predictor, Knobs(), predictor.embed(catalogue))
    pool = np.arange(len(SEEDS), n)
    return lambda length: sequencer(SEEDS, pool, length, cost, Rules(catalogue), None)


def disco_make(n: int) -> Select:
    """All of `disco generate` with its defaults: 400 candidates of n tracks, a beam, on a catalogue that is open."""
    catalogue = _tracks(n)
    return lambda length: generate(catalogue, SEEDS, length=length)


def published(n: int) -> Select:
    """The published way: columns of a pandas table, and Keras `predict` for the whole sequence at every step."""
    import keras
    import pandas as pd

    frame = pd.read_parquet(synthetic_tracks.file(n), columns=_SOUND)
    values = frame[list(FEATURES)].to_numpy(np.float32)
    frame[list(FEATURES)] = scaler().transform(values)
    model = keras.models.load_model(MODELS / "classic" / "network.keras", compile=False)
    knobs, features = Knobs(), list(FEATURES)

    def select(length: int) -> list[int]:
        path = SEEDS.tolist()
        left = frame.drop(index=path)
        for _ in range(length):
            sequence = frame.loc[path, [*features, "mode"]].to_numpy(np.float32)[None]
            vector = model.predict(sequence, verbose=0)[0, -1] * knobs.spicyness
            last = frame.loc[path[-1]]
            distance = ((left[features] - vector) ** 2).sum(axis=1) ** 0.5
            # A minor key counts as its relative major, three semitones above; fifths are seven semitones apart.
            position = 7 * (left["key"] + 3 * (1 - left["mode"])) % 12
            here = 7 * (last["key"] + 3 * (1 - last["mode"])) % 12
            apart = (position - here).abs()
            steps = apart.where(apart <= 6, 12 - apart)
            keys = 1 - (steps.clip(lower=1) - 1) / 2.5
            tempos = np.cos(2 * np.pi * np.log2(left["tempo_bpm"] / last["tempo_bpm"]))
            cost = knobs.flow * distance - knobs.sweetness * keys.fillna(0) - knobs.smoothness * tempos.fillna(0)
            best = int(cost.idxmin())
            path.append(best)
            left = left.drop(index=best)
        return path

    return select


def published_by_disco(n: int, length: int) -> list[int]:
    """What DISCO chooses by the published cost, with no rule but that no track is played twice."""
    catalogue, predictor = _tracks(n), load_predictor("classic")
    cost = FlowCost(catalogue, predictor, Knobs(), predictor.embed(catalogue))
    return greedy(SEEDS, np.arange(len(SEEDS), n), length, cost, lambda path, row: row not in path).tolist()


def neighbours(n: int, algorithm: str) -> Select:
    """A library for nearest neighbours alone: the track nearest to the prediction, without key, tempo or rules."""
    from sklearn.neighbors import NearestNeighbors

    predictor = load_predictor("classic")
    frame = pq.read_table(synthetic_tracks.file(n), columns=[*FEATURES, "mode"])
    values = np.stack([frame[name].to_numpy() for name in FEATURES], axis=1)
    vectors, modes = scaler().transform(values), frame["mode"].to_numpy()
    index = NearestNeighbors(n_neighbors=_NEIGHBOURS, algorithm=algorithm).fit(vectors)

    def select(length: int) -> list[int]:
        path, memory = [], predictor.start(1)
        for row in SEEDS.tolist():
            vector, memory = predictor.step(np.r_[vectors[row], modes[row]][None].astype(np.float32), memory)
            path.append(row)
        while len(path) < len(SEEDS) + length:
            near = index.kneighbors(Knobs().spicyness * vector, return_distance=False)[0].tolist()
            row = next((row for row in near if row not in path), near[0])
            path.append(row)
            vector, memory = predictor.step(np.r_[vectors[row], modes[row]][None].astype(np.float32), memory)
        return path

    return select


def djkr8(catalogue: Catalogue) -> Callable[[int | None], list[int]]:
    """djkr8 (extra `rivals`) with its defaults, asked for a list of a length, or the longest, by key and tempo."""
    from djkr8 import PlaylistOptimizer, Track

    energies = np.clip(np.ceil(5 * catalogue.numbers("energy").astype(float)), 1, 5)
    known = np.flatnonzero(~np.isnan(catalogue.circle_positions) & (catalogue.tempos > 0))
    keys, modes, tempos = catalogue.numbers("key"), catalogue.modes, catalogue.tempos
    given = [
        Track(
            id=str(row),
            key=camelot(int(keys[row]), int(modes[row])),
            bpm=float(tempos[row]),
            energy=int(np.nan_to_num(energies[row], nan=3)),
        )
        for row in known.tolist()
    ]
    optimizer = PlaylistOptimizer(time_limit_seconds=_MINUTE)

    def select(length: int | None) -> list[int]:
        ends = {} if length is None else {"start_track_id": given[0].id, "target_length": length + 1}
        found = optimizer.optimize(given, **ends)
        if not found.playlist:
            raise TimeoutError(f"djkr8 found no list within {_MINUTE:.0f} s")
        return [int(track.id) for track in found.playlist]

    return select


WAYS = {
    "greedy": Way(partial(disco_way, sequencer=greedy), "DISCO, greedy"),
    "beam": Way(partial(disco_way, sequencer=beam), "DISCO, beam of 16"),
    "make": Way(disco_make, "DISCO, 400 candidates of them (disco generate)"),
    "published": Way(published, "published way: pandas, Keras"),
    "kd-tree": Way(partial(neighbours, algorithm="kd_tree"), "scikit-learn, k-d tree (no key, tempo)"),
    "brute": Way(partial(neighbours, algorithm="brute"), "scikit-learn, brute (no key, tempo)"),
    "djkr8": Way(lambda n: djkr8(_tracks(n)), "djkr8 (no sound)"),
}
