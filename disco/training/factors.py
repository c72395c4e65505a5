"""Factors of playlists and tracks by alternating least squares (Hu, Koren and Volinsky 2008), with `implicit`."""

from __future__ import annotations

import numpy as np

from disco.catalogue import Floats
from disco.errors import MissingExtra
from disco.recipe import AlsRecipe
from disco.recommend.als import Folding
from disco.training.data import Card, Run
from disco.training.recommenders import Taught, parameters, taught, written


def train_als(recipe: AlsRecipe, run: Run) -> Card:
    """Find the factors of the tracks; those of a playlist are found when it comes."""
    by = taught(run)
    arrays = {"factors": track_factors(by, recipe)}
    return {**written(recipe, run, by, arrays), **parameters(recipe, Folding)}


def track_factors(by: Taught, recipe: AlsRecipe) -> Floats:
    """Factors of each track, shape (tracks, factors)."""
    try:
        from implicit.cpu.als import AlternatingLeastSquares
        from scipy.sparse import csr_matrix
    except ImportError:
        raise MissingExtra("implicit", "train") from None
    playlists = by.playlists
    shape = (len(playlists), playlists.width)
    confidence = np.full(len(playlists.columns), recipe.confidence, dtype=np.float32)
    model = AlternatingLeastSquares(
        factors=recipe.factors,
        regularization=recipe.regularization,
        alpha=1.0,
        iterations=recipe.iterations,
        random_state=recipe.seed,
    )
    model.fit(csr_matrix((confidence, playlists.columns, playlists.starts), shape=shape), show_progress=False)
    return np.asarray(model.item_factors, dtype=np.float32)
