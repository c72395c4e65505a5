"""Candidates for a playlist, filled up by key and tempo where features are missing."""

from __future__ import annotations

import numpy as np

from disco.catalogue import Catalogue, Filters
from disco.models.recommenders import Candidates, Query, Recommender
from disco.playlist import key_tempo_candidates
from disco.playlist.mixing import Mixing


def candidates_for(
    catalogue: Catalogue, recommender: Recommender, query: Query, n: int, mixing: Mixing
) -> tuple[Candidates, str, list[str]]:
    """What a recommender finds, filled up by key and tempo with tracks without features; who found it, and notes.

    Where the seeds have no features and the recommender has nothing to say, all that may be played is open.
    """
    found, notes = recommender.recommend(query, n), []
    allowed = np.ones(len(catalogue), dtype=bool) if query.allowed is None else query.allowed.copy()
    if unnamed := int(len(catalogue) - catalogue.has_title_and_artist.sum()):
        notes.append(f"{unnamed:,} of {len(catalogue):,} tracks skipped: no title or artist")
    allowed[query.seeds] = allowed[found.rows] = False
    if not len(query.seeds):
        return found, recommender.name, notes
    silent = allowed & ~catalogue.has_any_feature
    if not len(found.rows) and not catalogue.has_any_feature[query.seeds].any():
        silent = allowed
    if not silent.any():
        return found, recommender.name, notes
    if len(found.rows) >= n:
        notes.append(f"{silent.sum():,} tracks without features are no candidates: {n:,} others have some")
        return found, recommender.name, notes
    more = key_tempo_candidates.key_tempo_candidates(catalogue, query.seeds, silent, n - len(found.rows), mixing)
    if len(found.rows):
        notes.append(
            f"{len(more):,} of {len(found.rows) + len(more):,} candidates have no features: by key and tempo"
        )
    else:
        notes.append(f"without features (acousticness ... valence): {len(more):,} candidates by key and tempo alone")
    worst = found.scores.min() if len(found.rows) else 0
    scores = np.r_[found.scores, np.full(len(more), worst)].astype(np.float32)
    return (
        Candidates(np.r_[found.rows, more], scores),
        recommender.name if len(found.rows) else key_tempo_candidates.NAME,
        notes,
    )


def nothing_left_reason(catalogue: Catalogue, filters: Filters, recommender: Recommender, query: Query) -> str:
    """Why there is no candidate for a query, and what to do."""
    if not filters.mask(catalogue).any():
        return "the filters leave no track; loosen --include, --exclude, --bpm, --duration or --no-explicit"
    if not len(recommender.recommend(Query(query.seeds, query.title), 1).rows):
        return no_candidates_reason(recommender, query)
    return "no other track with a title and an artist is left to choose from"


def no_candidates_reason(recommender: Recommender, query: Query) -> str:
    """Why a recommender has no candidate for a query, and what to do."""
    if len(query.seeds):
        return f"{recommender.name} knows none of the seeds; name others, or another --recommender"
    if not recommender.reads_titles:
        return f"{recommender.name} reads no titles; name seeds, or a --recommender that reads them"
    return f"{recommender.name} can say nothing of the title alone; name seeds, or another title"
