"""Factors of tracks, or of all that playlists hold, by alternating least squares (Hu et al. 2008); by `implicit`."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from disco.catalogue import Floats
from disco.catalogue.numbering import artist_names
from disco.errors import DataError, MissingExtra
from disco.models.recommenders.als import AlsParams
from disco.models.recommenders.collective import ARTISTS, CollectiveParams, confidences, index_of
from disco.models.recommenders.sparse import Sparse
from disco.models.recommenders.titles import TITLES, Titles, learn_terms
from disco.training.data import Card, Run
from disco.training.recipes import AlsRecipe, CollectiveRecipe
from disco.training.recommenders import Interactions, params_card, save_artifacts, training_interactions


def train_als(recipe: AlsRecipe, run: Run) -> Card:
    """Find the factors of the tracks; those of a playlist are found when it comes."""
    by = training_interactions(run)
    arrays = {"factors": track_factors(by, recipe)}
    return {**save_artifacts(recipe, run, by, arrays), **params_card(recipe, AlsParams)}


def train_collective(recipe: CollectiveRecipe, run: Run) -> Card:
    """Find the factors of tracks, artists and terms of titles together."""
    by = training_interactions(run)
    terms = learn_terms([title for title in by.titles if title.strip()], recipe.least_titles, recipe.most_terms)
    if not len(terms):
        raise DataError(run.playlists, f"has no word that {recipe.least_titles} titles to train on share")
    all_names = artist_names(run.catalogue).take(pa.array(by.rows))
    names = pc.unique(all_names).drop_null()
    how = CollectiveParams(**{name: getattr(recipe, name) for name in CollectiveParams.__dataclass_fields__})
    held = joint_matrix(by, index_of(all_names, names), len(names), terms, how)
    terms.write(run.folder / TITLES)
    pq.write_table(pa.table({"artist": names}), run.folder / ARTISTS)
    arrays = {"factors": factorise(held, recipe)}
    return {**save_artifacts(recipe, run, by, arrays, [TITLES, ARTISTS]), **params_card(recipe, CollectiveParams)}


def joint_matrix(
    by: Interactions, artists: NDArray[np.intp], width: int, terms: Titles, how: CollectiveParams
) -> Sparse:
    """Confidence in all that each training playlist holds, shape (playlists, tracks + artists + terms).

    Parameters
    ----------
    artists : ndarray of int, shape (tracks,)
        Number of each track's artist, -1 where unknown; there are `width` of them.
    """
    playlists, bags = by.playlists, terms.bags(by.titles)
    artists_from, terms_from = playlists.width, playlists.width + width
    columns, weights = [], []
    for i in range(len(playlists)):
        tracks = playlists.columns[playlists.starts[i] : playlists.starts[i + 1]]
        several, counts = np.unique(artists[tracks][artists[tracks] >= 0], return_counts=True)
        some = slice(bags.starts[i], bags.starts[i + 1])
        columns.append(np.concatenate([tracks, artists_from + several, terms_from + bags.columns[some]]))
        weights.append(confidences(len(tracks), counts, bags.weights[some], how))
    starts = np.r_[0, np.cumsum([len(each) for each in columns])]
    width = terms_from + len(terms)
    return Sparse(starts, np.concatenate(columns).astype(np.int32), np.concatenate(weights), width)


def track_factors(by: Interactions, recipe: AlsRecipe) -> Floats:
    """Factors of each track, shape (tracks, factors)."""
    playlists = by.playlists
    confidence = np.full(len(playlists.columns), recipe.confidence, dtype=np.float32)
    return factorise(Sparse(playlists.starts, playlists.columns, confidence, playlists.width), recipe)


def factorise(confidence: Sparse, recipe: AlsRecipe | CollectiveRecipe) -> Floats:
    """Factors of each column of a matrix of confidences, shape (columns, factors)."""
    try:
        from implicit.cpu.als import AlternatingLeastSquares
        from scipy.sparse import csr_matrix
    except ImportError:
        raise MissingExtra("implicit", "train") from None
    model = AlternatingLeastSquares(
        factors=recipe.factors,
        regularization=recipe.regularization,
        alpha=1.0,
        iterations=recipe.iterations,
        random_state=recipe.seed,
    )
    shape = (len(confidence), confidence.width)
    model.fit(
        csr_matrix((confidence.weights, confidence.columns, confidence.starts), shape=shape), show_progress=False
    )
    return np.asarray(model.item_factors, dtype=np.float32)
