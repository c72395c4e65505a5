"""Yeo-Johnson scaling of the eight features, and quantile matching of features that another set measured."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

import numpy as np

from disco.catalogue import FEATURES, Catalogue, Floats
from disco.catalogue.schema import PERSON
from disco.errors import DataError
from disco.models.card import read_card

# For fewer tracks, starting threads takes longer than the work.
_FEW = 10_000


@dataclass(frozen=True)
class Scaler:
    """Yeo-Johnson transform and standardisation of the eight features, and a PCA for figures.

    Source: Yeo and Johnson (2000), "A new family of power transformations to improve normality or symmetry",
    Biometrika 87(4). Fitted with scikit-learn, with which it agrees to 1e-5.

    Attributes
    ----------
    feature_set : str
        Who measured the features that it was fitted on.
    lambdas, mean, scale : ndarray, shape (8,)
    centre, components : ndarray, shapes (8,) and (3, 8)
        Of the PCA.
    quantiles : ndarray, shape (8, q)
        Of the raw features, at the middles of q equal shares of the tracks it was fitted on.
    """

    feature_set: str
    lambdas: Floats
    mean: Floats
    scale: Floats
    centre: Floats
    components: Floats
    quantiles: Floats

    def transform(self, features: Floats) -> Floats:
        """Scaled features, with mean 0 and standard deviation 1 over the fitted tracks, shape (n, 8); NaN stays NaN.

        Parameters
        ----------
        features : ndarray, shape (n, 8)
            Raw units, in the order of `FEATURES`.
        """
        scaled = np.empty((len(self.lambdas), len(features)), dtype=np.float32)

        def column(i: int) -> None:
            np.subtract(_yeo_johnson(features[:, i], self.lambdas[i]), self.mean[i], out=scaled[i])
            scaled[i] /= self.scale[i]

        if len(features) < _FEW:
            for i in range(len(scaled)):
                column(i)
            return scaled.T
        # NumPy releases the interpreter lock; for a million tracks threads pay off.
        with ThreadPoolExecutor() as threads:
            list(threads.map(column, range(len(scaled))))
        return scaled.T

    def project(self, scaled: Floats) -> Floats:
        """The first three principal components of scaled features, shape (n, 3)."""
        return np.asarray((scaled - self.centre) @ self.components.T, dtype=np.float32)


def _yeo_johnson(x: Floats, power: np.float32) -> Floats:
    """Computed with expm1 and log1p, since (1 + x)^p - 1 loses digits for small x."""

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
    """Load the shipped scaler and PCA.

    Parameters
    ----------
    name, version : str
        As a model's card gives them.

    Examples
    --------
    >>> scaler().transform(np.full((1, 8), 0.5, dtype=np.float32)).shape
    (1, 8)
    """
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
    """Scaled features of a catalogue, shape (n, 8); NaN where unknown.

    Features of another set than the scaler's are quantile-matched first: a track louder than nine in ten of its set
    gets the loudness of that rank among the tracks that the scaler was fitted on. Corrections by the user are on the
    scaler's own scales.

    Examples
    --------
    >>> import disco
    >>> catalogue = disco.open()
    >>> scaled_features(catalogue, scaler()).shape == (len(catalogue), 8)
    True
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
    """Scaled features, shape (n, 8): 0, the mean, where unknown, and NaN for tracks without any."""
    scaled = scaled_features(catalogue, by)
    unknown = np.isnan(scaled)
    return np.where(unknown & ~unknown.all(axis=1, keepdims=True), np.float32(0), scaled) if unknown.any() else scaled


def quantile_match(raw: Floats, feature_set: str, catalogue: Catalogue, by: Scaler) -> Floats:
    """Map features that another set measured to the values of the scaler's set at the same ranks.

    Ranks are among all tracks of the original catalogue; equal values share the middle of their ranks.

    Parameters
    ----------
    raw : ndarray, shape (n, 8)
        NaN stays NaN.
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
    """Sentences on features that are quantile-matched, for a model trained on `feature_set`."""
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
    """Refuse to train on features of another set than the scaler's.

    Raises
    ------
    DataError
        If most of the catalogue's features are of another set.
    """
    if catalogue.has_comparable_features.any() and catalogue.feature_set != by.feature_set:
        raise DataError(
            catalogue.where, f"has features of the set {catalogue.feature_set!r}; the model knows {by.feature_set!r}"
        )
