"""Yeo-Johnson scaling of the eight features, and features measured by others brought to the same scale."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

import numpy as np

from disco.catalogue import FEATURES, Catalogue, Floats
from disco.catalogue.table import PERSON
from disco.errors import DataError
from disco.models.card import read_card


@dataclass(frozen=True)
class Scaler:
    """Yeo-Johnson transform and standardisation of the eight features, with the PCA that draws them.

    Source: Yeo & Johnson (2000), "A new family of power transformations to improve normality or
    symmetry", Biometrika 87(4); fitted with scikit-learn, with which it agrees to 1e-5. `quantiles`, shape (8, q),
    are those of the raw features at the middles of q equal shares of the tracks it was fitted on.
    """

    feature_set: str
    lambdas: Floats
    mean: Floats
    scale: Floats
    centre: Floats
    components: Floats
    quantiles: Floats

    def transform(self, features: Floats) -> Floats:
        """Scaled features, mean 0 and sd 1 over the tracks it was fitted on; shape kept, NaN stays NaN.

        Parameters
        ----------
        features : ndarray, shape (n, 8)
            Raw units, in the order of `FEATURES`.
        """
        scaled = np.empty((len(self.lambdas), len(features)), dtype=np.float32)

        def column(i: int) -> None:
            np.subtract(_yeo_johnson(features[:, i], self.lambdas[i]), self.mean[i], out=scaled[i])
            scaled[i] /= self.scale[i]

        # NumPy lets other threads work meanwhile, and a million tracks are worth theirs.
        with ThreadPoolExecutor() as threads:
            list(threads.map(column, range(len(scaled))))
        return scaled.T

    def project(self, scaled: Floats) -> Floats:
        """The first three principal components of scaled features, shape (n, 3)."""
        return np.asarray((scaled - self.centre) @ self.components.T, dtype=np.float32)


def _yeo_johnson(x: Floats, power: np.float32) -> Floats:
    """The transform through expm1 and log1p: (1 + x)^p - 1 itself would lose digits where x is small."""

    def grow(x: Floats, power: np.float32) -> Floats:
        logarithm: Floats = np.log1p(x)
        return logarithm if abs(power) < 1e-6 else np.asarray(np.expm1(power * logarithm) / power, x.dtype)

    negative = x < 0
    if not negative.any():
        return grow(x, power)
    positive_part = grow(np.where(negative, 0, x), power)
    negative_part = grow(np.where(negative, -x, 0), 2 - power)
    return np.asarray(np.where(negative, -negative_part, positive_part), dtype=x.dtype)


@cache
def scaler(name: str = "features", version: str = "1") -> Scaler:
    """The shipped scaler and PCA; `version` is the one that a model was trained with."""
    card = read_card(name, "features")
    if card["version"] != version:
        raise DataError(card.folder, f"is version {card['version']} where a model needs version {version}")
    if tuple(card["inputs"]) != FEATURES:
        raise DataError(card.path, f"scales {card['inputs']}, not {list(FEATURES)}")
    fitted = card["scaler"]
    numbers = [fitted["lambdas"], fitted["mean"], fitted["scale"], card["pca"]["mean"], card["pca"]["components"]]
    arrays = [np.asarray(values, dtype=np.float32) for values in (*numbers, np.transpose(fitted["quantiles"]))]
    arrays[-1] = arrays[-1].T
    return Scaler(str(card["feature_set"]), *arrays)


def scaled_features(catalogue: Catalogue, by: Scaler) -> Floats:
    """Scaled features of a catalogue, shape (n, 8), NaN where a feature is unknown.

    Features of another set than the scaler's mean other things. Each then counts by its rank: a track louder than
    nine in ten that the set measured is taken to be as loud as the track of that rank among those the scaler was
    fitted on (quantile matching). What a person said is on the scaler's own scales.
    """
    scaled = by.transform(catalogue.features(by.feature_set))
    for name in catalogue.feature_sets:
        if name == by.feature_set:
            continue
        raw = catalogue.features(name)
        rows = np.flatnonzero(~np.isnan(raw).all(axis=1))
        if len(rows):
            scaled[rows] = by.transform(
                raw[rows] if name == PERSON else quantile_match(raw[rows], name, catalogue, by)
            )
    return scaled


def imputed_features(catalogue: Catalogue, by: Scaler) -> Floats:
    """Scaled features, shape (n, 8), with 0, the mean, for unknown ones; NaN for tracks without any."""
    scaled = scaled_features(catalogue, by)
    unknown = np.isnan(scaled)
    return np.where(unknown & ~unknown.all(axis=1, keepdims=True), np.float32(0), scaled) if unknown.any() else scaled


def quantile_match(raw: Floats, feature_set: str, catalogue: Catalogue, by: Scaler) -> Floats:
    """Features (n, 8) that a set measured, as the scaler's set has the same ranks; NaN stays NaN.

    Ranks are those among all of the catalogue that the tracks were taken from, equal values sharing the middle of
    theirs.
    """
    among = catalogue.parent or catalogue
    if feature_set not in among.feature_sets:
        among = catalogue
    shares = (np.arange(by.quantiles.shape[1]) + 0.5) / by.quantiles.shape[1]
    likely = np.full_like(raw, np.nan)
    for i, known in enumerate(among.sorted_features(feature_set)):
        here = ~np.isnan(raw[:, i])
        value = raw[here, i]
        if len(value):
            rank = (np.searchsorted(known, value, "left") + np.searchsorted(known, value, "right")) / 2
            likely[here, i] = np.interp(rank / len(known), shares, by.quantiles[i])
    return likely


def quantile_match_notes(catalogue: Catalogue, feature_set: str) -> list[str]:
    """A sentence on whose features count by their ranks, for a model that learned from `feature_set`."""
    notes = []
    for name in catalogue.feature_sets:
        if name not in (feature_set, PERSON):
            n = int((~np.isnan(catalogue.features(name)).all(axis=1)).sum())
            notes.append(
                f"{n:,} tracks have features by {name!r}, which the models did not learn from: "
                "each feature counts by its rank among these tracks"
            )
    return notes


def check_feature_set(catalogue: Catalogue, by: Scaler) -> None:
    """Refuse to learn from features that another set measured than the scaler's, matched or not.

    Raises
    ------
    DataError
        If most of the catalogue's features are such.
    """
    if catalogue.has_comparable_features.any() and catalogue.feature_set != by.feature_set:
        raise DataError(
            catalogue.where, f"has features of the set {catalogue.feature_set!r}; the model knows {by.feature_set!r}"
        )
