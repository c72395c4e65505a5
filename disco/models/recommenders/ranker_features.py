"""Candidates of several recommenders, and what each has to do with the query: the cross features that are ranked.

Source of the method: two stages, of which the second ranks by how query and candidate meet, won the RecSys Challenge
2018: Volkovs et al. (2018), "Two-stage Model for Automatic Playlist Continuation at Scale"; Rubtsov et al. (2018), "A
Hybrid Two-stage Recommender System for Automatic Playlist Continuation".
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
from disco.models.recommenders.titles import tokens

# Candidates of each recommender.
_DEPTH = 400
# Tracks by the seeds' artists, shared by the artists, at least so many of each; artists near, and tracks of each.
_OWN, _OWN_EACH = 400, 8
_NEAR, _NEAR_EACH = 40, 8
# The tracks that stand for a title, where tracks are compared with it by their factors.
_TITLE_TRACKS = 50
# Share of a seed's weight that the one before it has, where the last count most.
_EARLIER = 0.8
_UNKNOWN = np.float32(np.nan)

# What is the same for all candidates is one number.
Columns = dict[str, Floats | np.float32]


@dataclass(frozen=True)
class Pool:
    """Candidates of a query by their rows, ascending, and what is known of each.

    Attributes
    ----------
    rows : ndarray of rows, shape (n,)
    columns : dict of ndarray, each of shape (n,)
        Cross features by name, always the same in the same order; NaN where nothing is known.
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
    """A query, as the recommenders answer it.

    Attributes
    ----------
    seeds : ndarray of rows
        Each once, in the order of the query.
    known : ndarray of int
        Numbers in the vocabulary of those that are in it.
    liked, alike : ndarray
        Training playlists with titles like the query's, and how like.
    scores : dict of ndarray, shape (tracks,)
        Of each recommender by name, NaN where it has nothing to say.
    artists : dict of ndarray, shape (artists,)
        How near each artist is to the seeds' artists, and how often playlists with such a title have it.
    """

    query: Query
    seeds: Rows
    known: Numbers
    liked: Numbers
    alike: Floats
    scores: dict[str, Floats]
    artists: dict[str, Floats]


def answer_queries(queries: Sequence[Query], library: RankerData) -> list[QueryAnswers]:
    """What every recommender says of some queries: what are products of vectors is worked out for all at once."""
    parts = library.parts
    said = [_answer_query(query, library) for query in queries]
    # The factors of the seeds, and of the first tracks that stand for the title, in one product with the tracks.
    vectors = np.stack([*parts.fold_in([each.known for each in said]), *(_first(each, parts) for each in said)])
    products = vectors @ parts.columns
    for each, als, titled in zip(said, products, products[len(said) :] / parts.lengths, strict=False):
        each.scores.update(als=als, titled=titled)
    for name, score in parts.others.items():
        for each, scores in zip(said, score(queries), strict=True):
            each.scores[name] = scores
    return said


def _answer_query(query: Query, library: RankerData) -> QueryAnswers:
    """What those recommenders say of a query that answer one at a time."""
    parts = library.parts
    seeds = np.array(list(dict.fromkeys(query.seeds.tolist())), dtype=np.intp)
    known = library.numbers[seeds]
    known = known[known >= 0]
    own = np.unique(library.artists[seeds])
    own = own[own >= 0]
    liked, alike = parts.matching_titles(query.title)
    titles = np.zeros(len(parts.playlists), dtype=np.float32)
    titles[liked] = alike
    nothing = np.full(len(parts.rows), _UNKNOWN)
    by_tracks, by_artists = parts.similarity(known), library.artist_similarity(own)
    scores = {
        "playlist": parts.scores_from_similarity(by_tracks) if len(known) else nothing,
        "item": parts.item_scores(known),
        "als": nothing,
        "title": parts.title_scores(liked, alike),
        "artists": parts.scores_from_similarity(by_artists) if len(own) else nothing,
        "titled": nothing,
    }
    every = [each / each.max() for each in (by_tracks, by_artists, titles) if each.max(initial=0) > 0]
    scores["alike"] = parts.scores_from_similarity(np.sum(every, axis=0, dtype=np.float32)) if every else nothing
    unnamed = np.full(library.playlist_artists.width, _UNKNOWN)
    artists = {
        "near": library.scores_from_artists(by_artists) if len(own) else unnamed,
        "titled": library.scores_from_artists(titles) if len(liked) else unnamed,
    }
    return QueryAnswers(query, seeds, known, liked, alike, scores, artists)


def _first(said: QueryAnswers, parts: Parts) -> Floats:
    """Mean direction of the factors of the first tracks by title, shape (d,), of length 1; NaN where there are none.

    A track's product with it, divided by the length of its factors, is a cosine.
    """
    scores = said.scores["title"]
    first = top_n_indices(scores, _TITLE_TRACKS)
    if not len(first):
        return np.full(len(parts.columns), _UNKNOWN)
    middle = scores[first] @ parts.unit[first]
    return np.asarray(middle / max(float(np.linalg.norm(middle)), 1e-9), dtype=np.float32)


def candidate_pools(queries: Sequence[Query], library: RankerData) -> list[Pool]:
    """The candidates of queries: the first of each recommender, and tracks by artists of the seeds and near them."""
    return [_pool(said, library) for said in answer_queries(queries, library)]


def _pool(said: QueryAnswers, library: RankerData) -> Pool:
    rows = _candidates(said, library)
    columns: Columns = {}
    columns |= _by_recommenders(said, rows, library)
    columns |= _by_neighbours(said, rows, library)
    columns |= _by_popularity(rows, library)
    columns |= _by_artists(said, rows, library)
    columns |= _by_albums_and_genres(said, rows, library)
    columns |= _by_sound(said, rows, library)
    columns |= _by_query(said, rows, library)
    wide = {name: np.broadcast_to(values, len(rows)).astype(np.float32) for name, values in columns.items()}
    return Pool(rows, wide)


def _candidates(said: QueryAnswers, library: RankerData) -> Rows:
    parts, query = library.parts, said.query
    open_to: Mask = parts.rows >= 0
    if query.allowed is not None:
        open_to &= query.allowed[parts.rows]
    open_to[said.known] = False
    never = np.float32(-np.inf)
    rows = [parts.rows[top_n_indices(np.where(open_to, each, never), _DEPTH)] for each in said.scores.values()]
    own = np.unique(library.artists[said.seeds])
    own = own[own >= 0]
    if len(own):
        rows.append(library.first_tracks(own, max(_OWN_EACH, _OWN // len(own))))
    rows += [library.first_tracks(top_n_indices(each, _NEAR), _NEAR_EACH) for each in said.artists.values()]
    found = np.unique(np.concatenate(rows))
    found = found[~np.isin(found, said.seeds)]
    return found if query.allowed is None else found[query.allowed[found]]


def _at(values: Floats, rows: Rows, library: RankerData) -> Floats:
    """Values by number, for rows; NaN for tracks outside the vocabulary."""
    numbers = library.numbers[rows]
    return np.where(numbers >= 0, values[numbers], _UNKNOWN)


def _log_ranks(values: Floats) -> Floats:
    """Logarithm of 1 + how many have a higher value, NaN where there is no value."""
    ranks = np.empty(len(values), dtype=np.float32)
    ranks[np.argsort(-values, kind="stable")] = np.log1p(np.arange(len(values)))
    return np.where(np.isnan(values), _UNKNOWN, ranks)


def _by_recommenders(said: QueryAnswers, rows: Rows, library: RankerData) -> Columns:
    """Score, share of the best score and rank in each recommender, and the sum of reciprocal ranks."""
    made: dict[str, Floats] = {}
    together = np.zeros(len(rows), dtype=np.float32)
    for name, scores in said.scores.items():
        made[f"{name}_score"] = at = _at(scores, rows, library)
        made[f"{name}_share"] = at / max(float(np.nan_to_num(at).max(initial=0)), 1e-9)
        made[f"{name}_rank"] = _log_ranks(at)
        together += np.nan_to_num(1 / (np.exp(made[f"{name}_rank"]) + 20))
    return {**made, "blend": together, "blend_rank": _log_ranks(together)}


def _by_neighbours(said: QueryAnswers, rows: Rows, library: RankerData) -> Columns:
    """How many seeds have the candidate near, how near, the last seeds counting more; and the same by factors."""
    near, unit, known, n = library.parts.near, library.parts.unit, said.known, len(said.known)
    names = ("near_most", "near_count", "near_last", "near_recent", "alike_mean", "alike_most", "alike_last")
    if not n or not len(rows):
        return dict.fromkeys(names, np.full(len(rows), _UNKNOWN))
    places, _ = near.entries(known)
    most = np.zeros(near.width, dtype=np.float32)
    np.maximum.at(most, near.columns[places], near.weights[places])
    recent = (_EARLIER ** np.arange(n)[::-1]).astype(np.float32)
    numbers = library.numbers[rows]
    cosines = np.where((numbers >= 0)[:, None], unit[numbers] @ unit[known].T, _UNKNOWN)
    return {
        "near_most": _at(most, rows, library),
        "near_count": _at(near.counted(known) / np.float32(n), rows, library),
        "near_last": _at(near.combined(known[-1:], np.ones(1, dtype=np.float32)), rows, library),
        "near_recent": _at(near.combined(known, recent / recent.sum()), rows, library),
        "alike_mean": cosines.mean(axis=1),
        "alike_most": cosines.max(axis=1),
        "alike_last": cosines[:, -1],
    }


def _by_popularity(rows: Rows, library: RankerData) -> Columns:
    counts, artists = library.counts[rows], library.artists[rows]
    of_artist = np.where(artists >= 0, library.artist_counts[artists], _UNKNOWN)
    return {
        "count": np.log1p(counts),
        "artist_count": np.log1p(of_artist),
        "share_of_artist": (counts / np.maximum(of_artist, 1)).astype(np.float32),
        "popularity": library.popularity[rows],
    }


def _by_artists(said: QueryAnswers, rows: Rows, library: RankerData) -> Columns:
    """Share of the seeds by the candidate's artist, how near that artist is, and what its tracks score together."""
    own, artists, n = library.artists[said.seeds], library.artists[rows], max(len(said.seeds), 1)
    unknown, width = artists < 0, library.playlist_artists.width

    def of_artist(values: Floats) -> Floats:
        return np.where(unknown, _UNKNOWN, values[artists])

    shares = (np.bincount(own[own >= 0], minlength=width) / n).astype(np.float32)
    near, titled = (of_artist(said.artists[name]) for name in ("near", "titled"))
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
        positive = np.nan_to_num(np.maximum(_at(said.scores[name], rows, library), 0))
        sums = np.bincount(artists[~unknown], positive[~unknown], width) / max(float(positive.sum()), 1e-9)
        made[f"artist_{name}"] = of_artist(sums.astype(np.float32))
    return made


def _by_albums_and_genres(said: QueryAnswers, rows: Rows, library: RankerData) -> Columns:
    """Share of the seeds on the candidate's album, and cosine of its genres with all of the seeds'."""
    albums, theirs = library.albums[rows], library.albums[said.seeds]
    same = (albums[:, None] == theirs[None, :]) & (albums >= 0)[:, None]
    genres = library.genres
    asked = genres.combined(said.seeds, np.ones(len(said.seeds), dtype=np.float32))
    length = float(np.linalg.norm(asked))
    places, lengths = genres.entries(rows)
    owner = np.repeat(np.arange(len(rows)), lengths)
    products = np.bincount(owner, genres.weights[places] * asked[genres.columns[places]], len(rows))
    return {
        "album_share": same.sum(axis=1) / max(len(theirs), 1),
        "album_last": same[:, -1] if len(theirs) else _UNKNOWN,
        "genre": np.where((lengths > 0) & (length > 0), products / max(length, 1e-9), _UNKNOWN),
    }


def _by_sound(said: QueryAnswers, rows: Rows, library: RankerData) -> Columns:
    """Distance in scaled features to the mean and the nearest of the seeds, and how far apart those are."""
    heard, mine = library.sound[said.seeds], library.sound[rows]
    heard = heard[~np.isnan(heard).any(axis=1)]
    if not len(heard):
        return dict.fromkeys(("sound_mean", "sound_nearest", "sound_spread", "longer"), _UNKNOWN)
    middle = heard.mean(axis=0)
    squares = (mine**2).sum(axis=1)[:, None] - 2 * mine @ heard.T + (heard**2).sum(axis=1)
    durations = library.log_duration[said.seeds]
    durations = durations[~np.isnan(durations)]
    return {
        "sound_mean": np.linalg.norm(mine - middle, axis=1),
        "sound_nearest": np.sqrt(np.maximum(squares.min(axis=1), 0)),
        "sound_spread": np.sqrt(((heard - middle) ** 2).sum(axis=1).mean()),
        "longer": library.log_duration[rows] - (durations.mean() if len(durations) else _UNKNOWN),
    }


def _by_query(said: QueryAnswers, rows: Rows, library: RankerData) -> Columns:
    """What is asked: the same for every candidate, but whether the title names its artist."""
    n, counts = len(said.seeds), library.parts.counts[said.known]
    return {
        "seeds": np.float32(np.log1p(n)),
        "known": np.float32(len(said.known) / n if n else np.nan),
        "seeds_count": np.float32(np.log1p(counts.mean()) if len(counts) else np.nan),
        "title_alike": said.alike[0] if len(said.alike) else _UNKNOWN,
        "titles_alike": np.float32(np.log1p((said.alike > 0.5).sum()) if len(said.alike) else np.nan),
        "named": _title_names_artist(said.query.title, rows, library),
    }


def _title_names_artist(title: str, rows: Rows, library: RankerData) -> Floats:
    """Whether a title names the artist of each track; a name of one or two letters is chance."""
    asked = f" {' '.join(tokens(title))} "
    if not asked.strip():
        return np.full(len(rows), _UNKNOWN)
    artists, place = np.unique(library.artists[rows], return_inverse=True)
    names = [library.names[artist] if artist >= 0 else "" for artist in artists]
    return np.array([len(name) > 2 and f" {name} " in asked for name in names], dtype=np.float32)[place]
