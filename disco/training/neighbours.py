"""Count: how often tracks are in playlists, which playlists have which tracks, which tracks stand together."""

from __future__ import annotations

import numpy as np

from disco.errors import DataError, MissingExtra
from disco.models.recommenders.item_knn import ItemKnnParams
from disco.models.recommenders.playlist_knn import PlaylistKnnParams
from disco.models.recommenders.sparse import Sparse
from disco.models.recommenders.title_knn import TitleKnnParams
from disco.models.recommenders.titles import TITLES, learn_terms
from disco.training.data import Card, Run
from disco.training.recipes import ItemKnnRecipe, PlaylistKnnRecipe, RecommenderRecipe, TitleKnnRecipe
from disco.training.recommenders import (
    Interactions,
    params_card,
    save_artifacts,
    sparse_arrays,
    training_interactions,
)

# Tracks compared with all others at a time: of 70,000 tracks that is some 100 MB.
_AT_A_TIME = 2048


def train_popularity(recipe: RecommenderRecipe, run: Run) -> Card:
    """Count in how many training playlists each track is."""
    by = training_interactions(run)
    return save_artifacts(recipe, run, by, {"counts": by.counts})


def train_playlist_knn(recipe: PlaylistKnnRecipe, run: Run) -> Card:
    """Keep the training playlists: all else is done when a query comes."""
    by = training_interactions(run)
    arrays = sparse_arrays("playlists", by.playlists, weighted=False)
    return {**save_artifacts(recipe, run, by, arrays), **params_card(recipe, PlaylistKnnParams)}


def train_item_knn(recipe: ItemKnnRecipe, run: Run) -> Card:
    """Find the nearest tracks of each by the training playlists that have both."""
    by = training_interactions(run)
    arrays = {"counts": by.counts, **sparse_arrays("near", track_neighbours(by, recipe))}
    return {**save_artifacts(recipe, run, by, arrays), **params_card(recipe, ItemKnnParams)}


def train_title_knn(recipe: TitleKnnRecipe, run: Run) -> Card:
    """Keep the training playlists and the terms of their titles; a playlist without a title is never used."""
    by = training_interactions(run)
    terms = learn_terms([title for title in by.titles if title.strip()], recipe.least_titles, recipe.most_terms)
    if not len(terms):
        raise DataError(run.playlists, f"has no word that {recipe.least_titles} titles to train on share")
    terms.write(run.folder / TITLES)
    arrays = sparse_arrays("playlists", by.playlists, weighted=False)
    arrays |= sparse_arrays("titles", terms.bags(by.titles))
    return {**save_artifacts(recipe, run, by, arrays, [TITLES]), **params_card(recipe, TitleKnnParams)}


def track_neighbours(by: Interactions, recipe: ItemKnnRecipe) -> Sparse:
    """The most similar others of each track, shape (tracks, tracks), as the recipe defines similarity.

    Ties go to the lower number. The similarity is that of Deshpande and Karypis (2004), "Item-based top-N
    recommendation algorithms", which divides by the frequency of the other track to a power, with the seed's as well
    and with shrinkage (Bell and Koren 2007), and with longer playlists counting less.
    """
    try:
        from scipy.sparse import csr_array
    except ImportError:
        raise MissingExtra("scipy", "train") from None
    playlists = by.playlists
    weights = np.repeat(playlists.lengths.astype(np.float32) ** -recipe.length, playlists.lengths)
    shape = (len(playlists), playlists.width)
    having = csr_array((np.sqrt(weights), playlists.columns, playlists.starts), shape=shape)
    tracks = having.T.tocsr()
    counts = np.bincount(playlists.columns, weights, playlists.width)
    other = counts**recipe.popularity
    columns, values, lengths = [], [], []
    for start in range(0, playlists.width, _AT_A_TIME):
        together = (tracks[start : start + _AT_A_TIME] @ having).tocsr()
        together.sort_indices()
        for i in range(together.shape[0]):
            where = slice(together.indptr[i], together.indptr[i + 1])
            column = together.indices[where]
            divided = counts[start + i] ** (1 - recipe.popularity) * other[column] + recipe.shrinkage
            value = np.where(column == start + i, -np.inf, together.data[where] / divided).astype(np.float32)
            kept = np.argsort(-value, kind="stable")[: min(recipe.neighbours, len(value) - 1)]
            columns.append(column[kept])
            values.append(value[kept])
            lengths.append(len(kept))
    starts = np.r_[0, np.cumsum(lengths)]
    return Sparse(starts, np.concatenate(columns).astype(np.int32), np.concatenate(values), playlists.width)
