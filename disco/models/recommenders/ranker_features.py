"""Candidates of several recommenders, and the cross features of query and candidate that the ranker reads.

Source: two-stage models, of which the second stage ranks by cross features, won the RecSys Challenge 2018: Volkovs et
al. (2018), "Two-stage Model for Automatic Playlist Continuation at Scale"; Rubtsov et al. (2018), "A Hybrid Two-stage
Recommender System for Automatic Playlist Continuation".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from disco.catalogue import Floats, Rows
from disco.catalogue.table import Mask
from disco.models.recommenders.query import Query
from disco.models.recommenders.ranker_inputs import Numbers, Parts, RankerData
from disco.models.recommenders.scoring import top_n_indices
from disco.models.title_words import tokens

# Number of candidates of each recommender.
_DEPTH = 400
# Tracks by the seeds' artists in all, and the minimum of each; similar artists, and tracks of each.
_OWN, _OWN_EACH = 400, 8
_NEAR, _NEAR_EACH = 40, 8
# Tracks whose mean factors represent a title.
_TITLE_TRACKS = 50
# Weight of a seed relative to the next one, where recent seeds weigh more.
_EARLIER = 0.8
_UNKNOWN = np.float32(np.nan)

# A value that is the same for all candidates is one number.
Columns = dict[str, Floats | np.float32]


@dataclass(frozen=True)
class Pool:
    """Candidates of a query, by ascending row, and their cross features.

    Attributes
    ----------
    rows : ndarray of rows, shape (n,)
    columns : dict of ndarray, each of shape (n,)
        Cross features by name, always in the same order; NaN where unknown.
    """

    rows: Rows
    columns: dict[str, Floats]

    @property
    def values(self) -> Floats:
        """The cross features side by side, shape (n, features)."""
        if not len(self.rows):
            return np.empty((0, len(self.columns)), dtype=np.float32)
        return np.stack(list(self.columns.values()), axis=1)


@dataclass(frozen=True)
class QueryAnswers:
    """Answers of the recommenders to a query.

    Attributes
    ----------
    seeds : ndarray of rows
        Unique, in the order of the query.
    known : ndarray of int
        Vocabulary numbers of the seeds that have one.
    titled, similarity : ndarray
        Training playlists with titles similar to the query's, and the similarities.
    scores : dict of ndarray, shape (tracks,)
        Of each recommender by name; NaN without an answer.
    artists : dict of ndarray, shape (artists,)
        Similarity of each artist to the seeds' artists (`near`), and to the title by the playlists (`titled`).
    """

    query: Query
    seeds: Rows
    known: Numbers
    titled: Numbers
    similarity: Floats
    scores: dict[str, Floats]
    artists: dict[str, Floats]


def answer_queries(queries: Sequence[Query], data: RankerData) -> list[QueryAnswers]:
    """Answers of every recommender to some queries; products of vectors are computed for all at once."""
    parts = data.parts
    answers = [_answer_query(query, data) for query in queries]
    # Factors of the seeds and of the titles, in one product with those of the tracks.
    vectors = np.stack(
        [*parts.fold_in([each.known for each in answers]), *(_title_vector(each, parts) for each in answers)]
    )
    products = vectors @ parts.columns
    for each, als, titled in zip(answers, products, products[len(answers) :] / parts.lengths, strict=False):
        each.scores.update(als=als, titled=titled)
    for name, score in parts.others.items():
        for each, scores in zip(answers, score(queries), strict=True):
            each.scores[name] = scores
    return answers


def _answer_query(query: Query, data: RankerData) -> QueryAnswers:
    """Answers of the recommenders that take one query at a time."""
    parts = data.parts
    seeds = np.array(list(dict.fromkeys(query.seeds.tolist())), dtype=np.intp)
    known = data.numbers[seeds]
    known = known[known >= 0]
    own = np.unique(data.artists[seeds])
    own = own[own >= 0]
    titled, similarity = parts.matching_titles(query.title)
    titles = np.zeros(len(parts.playlists), dtype=np.float32)
    titles[titled] = similarity
    none = np.full(len(parts.rows), _UNKNOWN)
    by_tracks, by_artists = parts.similarity(known), data.artist_similarity(own)
    scores = {
        "playlist": parts.scores_from_similarity(by_tracks) if len(known) else none,
        "item": parts.item_scores(known),
        "als": none,
        "title": parts.title_scores(titled, similarity),
        "artists": parts.scores_from_similarity(by_artists) if len(own) else none,
        "titled": none,
    }
    every = [each / each.max() for each in (by_tracks, by_artists, titles) if each.max(initial=0) > 0]
    scores["alike"] = parts.scores_from_similarity(np.sum(every, axis=0, dtype=np.float32)) if every else none
    no_artist = np.full(data.playlist_artists.width, _UNKNOWN)
    artists = {
        "near": data.scores_from_artists(by_artists) if len(own) else no_artist,
        "titled": data.scores_from_artists(titles) if len(titled) else no_artist,
    }
    return QueryAnswers(query, seeds, known, titled, similarity, scores, artists)


def _title_vector(answers: QueryAnswers, parts: Parts) -> Floats:
    """Normalised mean of the unit factors of the top tracks by title, shape (d,); NaN where there are none.

    The product of a track's factors with it, divided by their norm, is a cosine.
    """
    scores = answers.scores["title"]
    first = top_n_indices(scores, _TITLE_TRACKS)
    if not len(first):
        return np.full(len(parts.columns), _UNKNOWN)
    middle = scores[first] @ parts.unit[first]
    return np.asarray(middle / max(float(np.linalg.norm(middle)), 1e-9), dtype=np.float32)


def candidate_pools(queries: Sequence[Query], data: RankerData) -> list[Pool]:
    """Candidates of queries: the top of each recommender, and tracks by the seeds' artists and similar ones."""
    return [_pool(answers, data) for answers in answer_queries(queries, data)]


def _pool(answers: QueryAnswers, data: RankerData) -> Pool:
    rows = _candidates(answers, data)
    columns: Columns = {}
    columns |= _by_recommenders(answers, rows, data)
    columns |= _by_neighbours(answers, rows, data)
    columns |= _by_popularity(rows, data)
    columns |= _by_artists(answers, rows, data)
    columns |= _by_albums_and_genres(answers, rows, data)
    columns |= _by_sound(answers, rows, data)
    columns |= _by_query(answers, rows, data)
    wide = {name: np.broadcast_to(values, len(rows)).astype(np.float32) for name, values in columns.items()}
    return Pool(rows, wide)


def _candidates(answers: QueryAnswers, data: RankerData) -> Rows:
    parts, query = data.parts, answers.query
    is_open: Mask = parts.rows >= 0
    if query.allowed is not None:
        is_open &= query.allowed[parts.rows]
    is_open[answers.known] = False
    never = np.float32(-np.inf)
    rows = [parts.rows[top_n_indices(np.where(is_open, each, never), _DEPTH)] for each in answers.scores.values()]
    own = np.unique(data.artists[answers.seeds])
    own = own[own >= 0]
    if len(own):
        rows.append(data.first_tracks(own, max(_OWN_EACH, _OWN // len(own))))
    rows += [data.first_tracks(top_n_indices(each, _NEAR), _NEAR_EACH) for each in answers.artists.values()]
    found = np.unique(np.concatenate(rows))
    found = found[~np.isin(found, answers.seeds)]
    return found if query.allowed is None else found[query.allowed[found]]


def _at(values: Floats, rows: Rows, data: RankerData) -> Floats:
    """Values by vocabulary number, for rows; NaN outside the vocabulary."""
    numbers = data.numbers[rows]
    return np.where(numbers >= 0, values[numbers], _UNKNOWN)


def _log_ranks(values: Floats) -> Floats:
    """log(1 + number of higher values); NaN where there is no value."""
    ranks = np.empty(len(values), dtype=np.float32)
    ranks[np.argsort(-values, kind="stable")] = np.log1p(np.arange(len(values)))
    return np.where(np.isnan(values), _UNKNOWN, ranks)


def _by_recommenders(answers: QueryAnswers, rows: Rows, data: RankerData) -> Columns:
    """Score, share of the top score and log rank in each recommender, and the sum of reciprocal ranks."""
    made: dict[str, Floats] = {}
    together = np.zeros(len(rows), dtype=np.float32)
    for name, scores in answers.scores.items():
        made[f"{name}_score"] = at = _at(scores, rows, data)
        made[f"{name}_share"] = at / max(float(np.nan_to_num(at).max(initial=0)), 1e-9)
        made[f"{name}_rank"] = _log_ranks(at)
        together += np.nan_to_num(1 / (np.exp(made[f"{name}_rank"]) + 20))
    return {**made, "blend": together, "blend_rank": _log_ranks(together)}


def _by_neighbours(answers: QueryAnswers, rows: Rows, data: RankerData) -> Columns:
    """Similarity of a candidate to the seeds by co-occurrence and by factors."""
    near, unit, known, n = data.parts.near, data.parts.unit, answers.known, len(answers.known)
    names = ("near_most", "near_count", "near_last", "near_recent", "alike_mean", "alike_most", "alike_last")
    if not n or not len(rows):
        return dict.fromkeys(names, np.full(len(rows), _UNKNOWN))
    positions, _ = near.entries(known)
    most = np.zeros(near.width, dtype=np.float32)
    np.maximum.at(most, near.columns[positions], near.weights[positions])
    recent = (_EARLIER ** np.arange(n)[::-1]).astype(np.float32)
    numbers = data.numbers[rows]
    cosines = np.where((numbers >= 0)[:, None], unit[numbers] @ unit[known].T, _UNKNOWN)
    return {
        "near_most": _at(most, rows, data),
        "near_count": _at(near.counted(known) / np.float32(n), rows, data),
        "near_last": _at(near.combined(known[-1:], np.ones(1, dtype=np.float32)), rows, data),
        "near_recent": _at(near.combined(known, recent / recent.sum()), rows, data),
        "alike_mean": cosines.mean(axis=1),
        "alike_most": cosines.max(axis=1),
        "alike_last": cosines[:, -1],
    }


def _by_popularity(rows: Rows, data: RankerData) -> Columns:
    counts, artists = data.counts[rows], data.artists[rows]
    of_artist = np.where(artists >= 0, data.artist_counts[artists], _UNKNOWN)
    return {
        "count": np.log1p(counts),
        "artist_count": np.log1p(of_artist),
        "share_of_artist": (counts / np.maximum(of_artist, 1)).astype(np.float32),
        "popularity": data.popularity[rows],
    }


def _by_artists(answers: QueryAnswers, rows: Rows, data: RankerData) -> Columns:
    """Share of the seeds by the candidate's artist, its similarity, and the share of its tracks' scores."""
    own, artists, n = data.artists[answers.seeds], data.artists[rows], max(len(answers.seeds), 1)
    unknown, width = artists < 0, data.playlist_artists.width

    def of_artist(values: Floats) -> Floats:
        return np.where(unknown, _UNKNOWN, values[artists])

    shares = (np.bincount(own[own >= 0], minlength=width) / n).astype(np.float32)
    near, titled = (of_artist(answers.artists[name]) for name in ("near", "titled"))
    made: Columns = {
        "artist_share": of_artist(shares),
        "artist_last": np.where(unknown, _UNKNOWN, artists == own[-1]) if len(own) else _UNKNOWN,
        "artist_near": near,
        "artist_near_rank": _log_ranks(near),
        "artist_titled": titled,
        "artist_titled_rank": _log_ranks(titled),
        "artists": np.float32(len(np.unique(own)) / n),
        "artists_most": shares.max(initial=0),
    }
    for name in ("playlist", "als", "title"):
        positive = np.nan_to_num(np.maximum(_at(answers.scores[name], rows, data), 0))
        sums = np.bincount(artists[~unknown], positive[~unknown], width) / max(float(positive.sum()), 1e-9)
        made[f"artist_{name}"] = of_artist(sums.astype(np.float32))
    return made


def _by_albums_and_genres(answers: QueryAnswers, rows: Rows, data: RankerData) -> Columns:
    """Share of the seeds on the candidate's album, and cosine of its genres with the seeds'."""
    albums, theirs = data.albums[rows], data.albums[answers.seeds]
    same = (albums[:, None] == theirs[None, :]) & (albums >= 0)[:, None]
    genres = data.genres
    asked = genres.combined(answers.seeds, np.ones(len(answers.seeds), dtype=np.float32))
    length = float(np.linalg.norm(asked))
    positions, lengths = genres.entries(rows)
    owner = np.repeat(np.arange(len(rows)), lengths)
    products = np.bincount(owner, genres.weights[positions] * asked[genres.columns[positions]], len(rows))
    return {
        "album_share": same.sum(axis=1) / max(len(theirs), 1),
        "album_last": same[:, -1] if len(theirs) else _UNKNOWN,
        "genre": np.where((lengths > 0) & (length > 0), products / max(length, 1e-9), _UNKNOWN),
    }


def _by_sound(answers: QueryAnswers, rows: Rows, data: RankerData) -> Columns:
    """Distance in scaled features to the mean and the nearest seed, and the spread of the seeds."""
    seeds, own = data.features[answers.seeds], data.features[rows]
    seeds = seeds[~np.isnan(seeds).any(axis=1)]
    if not len(seeds):
        return dict.fromkeys(("sound_mean", "sound_nearest", "sound_spread", "longer"), _UNKNOWN)
    middle = seeds.mean(axis=0)
    squares = (own**2).sum(axis=1)[:, None] - 2 * own @ seeds.T + (seeds**2).sum(axis=1)
    durations = data.log_duration[answers.seeds]
    durations = durations[~np.isnan(durations)]
    return {
        "sound_mean": np.linalg.norm(own - middle, axis=1),
        "sound_nearest": np.sqrt(np.maximum(squares.min(axis=1), 0)),
        "sound_spread": np.sqrt(((seeds - middle) ** 2).sum(axis=1).mean()),
        "longer": data.log_duration[rows] - (durations.mean() if len(durations) else _UNKNOWN),
    }


def _by_query(answers: QueryAnswers, rows: Rows, data: RankerData) -> Columns:
    """Facts on the query, the same for every candidate, and whether the title names the candidate's artist."""
    n, counts = len(answers.seeds), data.parts.counts[answers.known]
    return {
        "seeds": np.float32(np.log1p(n)),
        "known": np.float32(len(answers.known) / n if n else np.nan),
        "seeds_count": np.float32(np.log1p(counts.mean()) if len(counts) else np.nan),
        "title_alike": answers.similarity[0] if len(answers.similarity) else _UNKNOWN,
        "titles_alike": np.float32(np.log1p((answers.similarity > 0.5).sum()) if len(answers.similarity) else np.nan),
        "named": _title_names_artist(answers.query.title, rows, data),
    }


def _title_names_artist(title: str, rows: Rows, data: RankerData) -> Floats:
    """Whether a title names the artist of each track; names of one or two letters are ignored."""
    asked = f" {' '.join(tokens(title))} "
    if not asked.strip():
        return np.full(len(rows), _UNKNOWN)
    artists, index = np.unique(data.artists[rows], return_inverse=True)
    names = [data.names[artist] if artist >= 0 else "" for artist in artists]
    return np.array([len(name) > 2 and f" {name} " in asked for name in names], dtype=np.float32)[index]
