"""Fit the scaler (Yeo & Johnson 2000, then mean 0 and standard deviation 1) and the PCA."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from disco.catalogue import FEATURES
from disco.errors import DataError, MissingExtra
from disco.sources.files import playlist_tables
from disco.training.data import Card, Run, read_columns
from disco.training.recipes import FeaturesRecipe

# Equal shares of the tracks at whose middles the quantiles stand: fine enough that a rank is never a twentieth of a
# standard deviation off, and so coarse that each stands for thousands of tracks.
QUANTILES = 64


def fit_features(values: NDArray[np.float64], components: int) -> Card:
    """Scaler and PCA of unique tracks (n, 8), as the numbers of a card.

    scaled = (yeo_johnson(x; lambda) - mean) / scale; place = (scaled - pca mean) @ components.T. The
    largest loading of each component is positive: its sign is otherwise an accident of the solver.
    """
    try:
        from sklearn.decomposition import PCA
        from sklearn.preprocessing import PowerTransformer, StandardScaler
    except ImportError:
        raise MissingExtra("scikit-learn", "train") from None
    power = PowerTransformer(standardize=False).fit(values)
    standard = StandardScaler().fit(power.transform(values))
    pca = PCA(components, svd_solver="full").fit(standard.transform(power.transform(values)))
    largest = np.abs(pca.components_).argmax(axis=1)
    signs = np.sign(pca.components_[np.arange(components), largest])
    return {
        "scaler": {
            "lambdas": power.lambdas_.tolist(),
            "mean": standard.mean_.tolist(),
            "scale": standard.scale_.tolist(),
            "quantiles": quantiles(values).T.tolist(),
        },
        "pca": {
            "mean": pca.mean_.tolist(),
            "components": (pca.components_ * signs[:, None]).tolist(),
            "explained_variance_ratio": pca.explained_variance_ratio_.tolist(),
        },
    }


def quantiles(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Quantiles of each feature (n, 8) at the middles of `SHARES` equal shares of the tracks, shape (SHARES, 8)."""
    return np.asarray(np.quantile(values, (np.arange(QUANTILES) + 0.5) / QUANTILES, axis=0))


def train_features(recipe: FeaturesRecipe, run: Run) -> Card:
    """What a card says of the scaler and the PCA fitted on the tracks of a table, each once."""
    tracks, catalogue = run.tracks, run.catalogue
    chosen = read_columns(tracks, ["track_id", *recipe.only])
    for column, value in recipe.only.items():
        chosen = chosen.filter(pc.equal(chosen[column], value))
    ids = catalogue.table["track_id"]
    named = pc.is_in(ids, value_set=chosen["track_id"].cast(pa.string())).to_numpy()
    kept = named & catalogue.has_comparable_features & ~playlist_tables.is_cold(ids.to_pylist())
    if kept.sum() <= len(FEATURES):
        raise DataError(tracks, f"has {kept.sum()} tracks to fit on: with all features, and {recipe.only}")
    return {
        "feature_set": catalogue.feature_set,
        "inputs": list(FEATURES),
        **fit_features(catalogue.features()[kept].astype(np.float64), recipe.components),
        "data": {"name": recipe.data, "tracks": int(kept.sum()), "source": recipe.source},
    }
