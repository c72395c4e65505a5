"""What `music` knows by name, songs, artists, genres and words of titles, and the playlists that it learns from.

Only names that several playlists have are kept, by their hashes; for a song also how many playlists have it and a
mark of the release that most of them have.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Floats, Rows
from disco.errors import DiscoError
from disco.models.music import MAX_WORDS
from disco.models.names import (
    Hashes,
    NamedTracks,
    NameVectors,
    artist_keys,
    genre_keys,
    id_marks,
    look_up,
    name_hashes,
    rounded_names,
    song_keys,
)
from disco.models.scaler import scaler
from disco.models.title_words import parts_of_word, tokens
from disco.models.track_inputs import tower_inputs
from disco.sources.files import playlist_tables
from disco.training.data import Run
from disco.training.recipes import MusicRecipe

SHORTEST = 5


@dataclass(frozen=True)
class Vocabulary:
    """The names that are learned, and the names' numbers for each track of the catalogue.

    Attributes
    ----------
    names, words : NameVectors
        Hashes without vectors; a song's prior is the logarithm of one more than the number of its playlists.
    named : NamedTracks
    numbers : ndarray, shape (n, numbers)
        The tower's inputs that are no names.
    unknown : ndarray, shape (numbers,)
        Those of a track of which none is known.
    """

    names: NameVectors
    words: NameVectors
    named: NamedTracks
    numbers: Floats
    unknown: Floats


# A word of a title: its number, -1 where it is not learned, and the numbers of its parts that are.
Word = tuple[int, NDArray[np.int32]]


@dataclass(frozen=True)
class TrainingPlaylists:
    """Training playlists as rows, the words of their titles, and the share of all entries that each track has."""

    rows: list[Rows]
    words: list[list[Word]]
    share: Floats


def training_data(recipe: MusicRecipe, run: Run, catalogue: Catalogue) -> tuple[Vocabulary, TrainingPlaylists]:
    """The vocabulary and the training playlists, without cold tracks."""
    rows, titles = _playlists(run, catalogue)
    vocabulary = _vocabulary(catalogue, rows, titles, recipe)
    share = np.bincount(np.concatenate(rows), minlength=len(catalogue)) / sum(map(len, rows))
    words = [_words(title, vocabulary.words) for title in titles]
    return vocabulary, TrainingPlaylists(rows, words, share.astype(np.float32))


def _playlists(run: Run, catalogue: Catalogue) -> tuple[list[Rows], list[str]]:
    cold = playlist_tables.cold_entries(run.entries)
    kept = pc.and_not(pc.equal(run.entries["split"].cast(pa.string()), "train"), cold)
    rows, titles = playlist_tables.titled(run.entries.filter(kept), catalogue)
    long = [i for i, tracks in enumerate(rows) if len(tracks) >= SHORTEST]
    if not long:
        raise DiscoError(f"music: no training playlist has {SHORTEST} tracks that are known by name")
    return [rows[i] for i in long], [titles[i] for i in long]


def _words(title: str, words: NameVectors) -> list[Word]:
    found = []
    for word in tokens(title)[:MAX_WORDS]:
        whole, *parts = words.find(name_hashes("title", [word, *parts_of_word(word)]))
        known = np.array([part for part in parts if part >= 0], dtype=np.int32)
        if whole >= 0 or len(known):
            found.append((int(whole), known))
    return found


def drawn_words(words: list[Word], hidden: float, rng: np.random.Generator) -> tuple[NDArray[np.int32], Floats]:
    """Numbers of the vectors whose weighted sum is a title's point, and their weights.

    Parameters
    ----------
    words : list of Word
    hidden : float
        Share of the words that are taken for unknown, so that their parts learn to stand for them.
    rng : Generator

    Examples
    --------
    >>> words = [(0, np.array([1, 2], np.int32)), (-1, np.array([3], np.int32))]
    >>> numbers, weights = drawn_words(words, 0.0, np.random.default_rng(0))
    >>> numbers.tolist(), weights.astype(float).round(2).tolist()
    ([0, 3], [0.71, 0.71])
    """
    drawn, weights = [], []
    for whole, parts in words:
        some = parts if whole < 0 or (len(parts) and rng.random() < hidden) else np.array([whole], dtype=np.int32)
        drawn.append(some)
        weights.append(np.full(len(some), 1 / (len(some) * len(words) ** 0.5), dtype=np.float32))
    none: list[Any] = [np.empty(0, dtype=np.int32)]
    return np.concatenate(none + drawn), np.concatenate([np.empty(0, dtype=np.float32), *weights])


def _vocabulary(catalogue: Catalogue, rows: list[Rows], titles: list[str], recipe: MusicRecipe) -> Vocabulary:
    playlist = np.repeat(np.arange(len(rows)), [len(tracks) for tracks in rows])
    track = np.concatenate(rows)
    songs, counts = _frequent("song", song_keys(catalogue), playlist, track, recipe.least_song)
    artists, _ = _frequent("artist", artist_keys(catalogue), playlist, track, recipe.least_artist)
    genres = name_hashes("genre", _frequent_genres(catalogue, recipe.least_genre))
    hashes = np.concatenate([songs, artists, genres])
    priors = np.zeros(len(hashes), dtype=np.float32)
    priors[: len(songs)] = np.log1p(counts)
    order = np.argsort(hashes)
    names = _names(hashes[order], priors[order])
    named = look_up(names, catalogue)
    names = _names(names.hashes, names.priors, _releases(catalogue, names, named, playlist, track, recipe))
    words = _frequent_words(titles, recipe)
    transform = scaler(recipe.scaler)
    known = np.ones(len(catalogue), dtype=bool)
    empty = Catalogue.from_tracks([{"track_id": "nothing"}])
    return Vocabulary(
        names,
        _names(np.sort(words), np.zeros(len(words), dtype=np.float32)),
        named,
        tower_inputs(catalogue, recipe.inputs, transform, known),
        tower_inputs(empty, recipe.inputs, transform, known[:1])[0],
    )


def _names(hashes: Hashes, priors: Floats, releases: NDArray[np.uint16] | None = None) -> NameVectors:
    n = len(hashes)
    return NameVectors(hashes, np.zeros((n, 1), np.int8), np.zeros(n, np.float32), priors, releases)


def _frequent(kind: str, keys: pa.Array, playlist: Any, track: Rows, least: int) -> tuple[Hashes, Any]:
    """Hashes of the names that at least so many playlists have, and how many have them."""
    encoded = keys.dictionary_encode()
    codes = pc.fill_null(encoded.indices, -1).to_numpy().astype(np.int64)[track]
    pairs = np.unique((playlist.astype(np.int64) << 32 | codes)[codes >= 0])
    count = np.bincount(pairs & 0xFFFFFFFF, minlength=len(encoded.dictionary))
    enough = np.flatnonzero(count >= least)
    return name_hashes(kind, encoded.dictionary.take(pa.array(enough)).to_pylist()), count[enough]


def _frequent_genres(catalogue: Catalogue, least: int) -> list[str]:
    counted = pc.value_counts(pc.list_flatten(catalogue.table["genres"].combine_chunks())).to_pylist()
    count: Counter[str] = Counter()
    for genre in counted:
        for key in genre_keys(genre["values"] or ""):
            count[key] += genre["counts"]
    return sorted(key for key, n in count.items() if n >= least)


def _frequent_words(titles: list[str], recipe: MusicRecipe) -> Hashes:
    """Hashes of the words of enough titles, and of the parts of words of enough titles."""
    of_titles = [set(tokens(title)) for title in titles]
    words = Counter(word for each in of_titles for word in each)
    parts = Counter(part for each in of_titles for part in {part for word in each for part in parts_of_word(word)})
    found = [word for word, n in words.items() if n >= recipe.least_word]
    # A part can be a word as well; one vector stands for both.
    return name_hashes("title", sorted({*found, *(part for part, n in parts.items() if n >= recipe.least_part)}))


def _releases(
    catalogue: Catalogue, names: NameVectors, named: NamedTracks, playlist: Any, track: Rows, recipe: MusicRecipe
) -> NDArray[np.uint16]:
    """Mark of the release of each song that most playlists have, if as many have it as a song needs."""
    pairs = np.unique(playlist.astype(np.int64) << 32 | track)
    count = np.bincount(pairs & 0xFFFFFFFF, minlength=len(catalogue))
    rows = np.flatnonzero((count >= recipe.least_song) & (named.songs >= 0))
    rows = rows[np.argsort(count[rows], kind="stable")]
    releases = np.zeros(len(names.hashes), dtype=np.uint16)
    releases[named.songs[rows]] = id_marks(catalogue.ids(rows))  # the last of a song stays: the most frequent
    return releases


def write_names(vocabulary: Vocabulary, vectors: Any, priors: Any, words: Any, run: Run) -> dict[str, str]:
    """Write the vectors of names and words as integers of 8 bits; return the checksums of the files."""
    no_prior = np.zeros(len(vocabulary.words.hashes), dtype=np.float32)
    kinds = {
        "name": rounded_names(vocabulary.names.hashes, vectors, priors, vocabulary.names.releases),
        "word": rounded_names(vocabulary.words.hashes, words, no_prior),
    }
    checksums = {}
    for kind, rounded in kinds.items():
        for what in ("hashes", "vectors", "scales", "priors", "releases"):
            if getattr(rounded, what) is not None:
                path = run.folder / f"{kind}_{what}.npy"
                np.save(path, getattr(rounded, what), allow_pickle=False)
                checksums[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return checksums
