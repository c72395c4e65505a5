"""Next-track accuracy of `mean` when a part of the features is missing.

    python benchmarks/missing_features.py tracks.parquet playlists.parquet

Half of the tracks lose each feature with a given probability. *Expected* is what DISCO does (`distance.impute`);
*stretched* is the distance over the known features, scaled up to eight components; *complete tracks only* gives all
other tracks the median distance. In the second table all features come from another feature set: the ranks of the
true ones with noise, cubed. *Matched* is what DISCO does.
"""

from __future__ import annotations

import sys

import numpy as np
from table import head, row

from disco.catalogue import FEATURES, Catalogue, Floats
from disco.models.distance import impute
from disco.models.predictors import SHRINKAGE
from disco.models.scaler import Scaler, quantile_match, scaled_features, scaler
from disco.sources.files import playlist_tables, tables

# Playlists, positions in each, and negatives among which the true track is ranked.
PLAYLISTS, POSITIONS, NEGATIVES = 300, 4, 399


def main() -> None:
    """Print both tables."""
    catalogue = tables.read(sys.argv[1])
    lists = playlist_tables.sequences(playlist_tables.read(sys.argv[2]), catalogue, 8)
    rng = np.random.default_rng(0)
    lists = [lists[i] for i in rng.permutation(len(lists))[:PLAYLISTS]]
    space = scaled_features(catalogue, scaler())
    head("Half of the tracks with missing features", "features hidden", "method", "MRR", "hit@10")
    for share in (0.0, 0.3, 0.6, 0.9):
        part = space.copy()
        some = np.flatnonzero(rng.random(len(space)) < 0.5)
        part[some] = np.where(rng.random((len(some), 8)) < share, np.float32(np.nan), space[some])
        for name in ("expected", "stretched", "complete tracks only") if share else ("nothing missing",):
            row(f"{share:.0%}", name, *_accuracy(part, name, lists))
    head("All features of another feature set", "noise on the ranks", "method", "MRR", "hit@10")
    for noise in (0.0, 0.1, 0.3):
        foreign = _foreign(catalogue, noise, rng)
        row(noise, "matched", *_accuracy(_matched(foreign, scaler()), "expected", lists))
        row(noise, "not matched", *_accuracy(scaler().transform(foreign), "expected", lists))
    row("", "ignored", f"{np.mean(1 / np.arange(1, NEGATIVES + 2)):.3f}", f"{10 / (NEGATIVES + 1):.3f}")


def _foreign(catalogue: Catalogue, noise: float, rng: np.random.Generator) -> Floats:
    ranks = np.argsort(np.argsort(catalogue.features(), axis=0), axis=0) / len(catalogue)
    return np.asarray(np.clip(ranks + noise * rng.normal(size=ranks.shape), 0, 1) ** 3, dtype=np.float32)


def _matched(foreign: Floats, by: Scaler) -> Floats:
    import pyarrow as pa

    columns = {"track_id": pa.array(np.arange(len(foreign)).astype(str)), "feature_set": ["other"] * len(foreign)}
    table = pa.table(columns | {name: foreign[:, i] for i, name in enumerate(FEATURES)})
    return by.transform(quantile_match(foreign, "other", Catalogue(table), by))


def _accuracy(space: Floats, method: str, lists: list[np.ndarray]) -> tuple[str, str]:
    """MRR and hit@10 of the true next track, by the distance from the running mean."""
    rng, known = np.random.default_rng(1), ~np.isnan(space)
    columns, missing_variance = impute(space)
    known_values, pool, ranks = np.nan_to_num(space, nan=0.0), np.unique(np.concatenate(lists)), []
    for tracks in lists:
        for position in range(3, len(tracks), max(1, (len(tracks) - 3) // POSITIONS))[:POSITIONS]:
            options = np.r_[tracks[position], rng.choice(pool, NEGATIVES, replace=False)]
            target = known_values[tracks[:position]].sum(axis=0) / (position + SHRINKAGE)
            if method in ("expected", "nothing missing"):
                more = 0 if missing_variance is None else missing_variance[options]
                distance = np.sqrt(((columns[:, options].T - target) ** 2).sum(axis=1) + more)
            else:
                n = known[options].sum(axis=1)
                distance = np.sqrt(np.where(known[options], (known_values[options] - target) ** 2, 0).sum(axis=1))
                distance *= np.sqrt(8 / np.maximum(n, 1))
                if method == "complete tracks only":
                    distance = np.where(n == 8, distance, np.median(distance[n == 8]))
            ranks.append(1 + (distance < distance[0]).sum() + ((distance == distance[0]).sum() - 1) / 2)
    values = np.array(ranks)
    return f"{np.mean(1 / values):.3f}", f"{np.mean(values <= 10):.3f}"


if __name__ == "__main__":
    main()
