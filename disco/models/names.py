"""Vectors of songs, artists, genres and words of titles, keyed by 64-bit hashes of their normalised names.

A model that knows names knows any catalogue: a table with other ids, a DJ library, a folder of files. The names
themselves are not stored, and a hash says no more than whether a name that somebody has already is known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Floats
from disco.catalogue.numbering import artist_names
from disco.catalogue.text import recording_titles

Hashes = NDArray[np.uint64]
Numbers = NDArray[np.int32]
Take = Callable[[Numbers], Floats]


def name_hashes(kind: str, names: Iterable[str]) -> Hashes:
    """Hashes of names of one kind (BLAKE2b, RFC 7693, of 8 bytes); equal names of different kinds differ.

    Examples
    --------
    >>> one, other = name_hashes("artist", ["abba", "abba"])
    >>> bool(one == other), bool(one == name_hashes("genre", ["abba"])[0])
    (True, False)
    """
    prefix = f"{kind}\t"
    return _hashes((prefix + name).encode("utf-8", "replace") for name in names)


def text_hashes(kind: str, names: pa.Array) -> Hashes:
    """The same of an Arrow array.

    Examples
    --------
    >>> bool((text_hashes("artist", pa.array(["abba", "a-ha"])) == name_hashes("artist", ["abba", "a-ha"])).all())
    True
    """
    prefixed = pc.binary_join_element_wise(pa.scalar(f"{kind}\t"), names, "").cast(pa.binary())
    return _hashes(prefixed.to_numpy(zero_copy_only=False).tolist())


def _hashes(names: Iterable[bytes]) -> Hashes:
    digests = [blake2b(name, digest_size=8).digest() for name in names]
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


def id_marks(ids: Iterable[str]) -> NDArray[np.uint16]:
    """A number from 1 to 65,535 for each id of a track, by its hash.

    Examples
    --------
    >>> id_marks(["4uLU6hMCjMI75M1A2tKUQC"]).tolist()
    [48611]
    """
    return (name_hashes("id", ids) % np.uint64(65_535)).astype(np.uint16) + np.uint16(1)


def artist_keys(catalogue: Catalogue) -> pa.Array:
    """First artist of each track in one spelling, without a leading `the`, shape (n,); null where unknown.

    Examples
    --------
    >>> tracks = [{"track_id": "a", "artists": ["The Beatles"]}, {"track_id": "b", "artists": ["Beatles & Friends"]}]
    >>> artist_keys(Catalogue.from_tracks(tracks)).to_pylist()
    ['beatles', 'beatles and friends']
    """
    names = artist_names(catalogue).dictionary_encode()
    return pc.replace_substring_regex(names.dictionary, r"^the (.)", r"\1").take(names.indices)


def song_keys(catalogue: Catalogue) -> pa.Array:
    r"""First artist and title of each track, the same for all releases of a recording; shape (n,), null if unknown.

    Examples
    --------
    >>> tracks = [{"track_id": "a", "artists": ["Beyoncé"], "title": "Halo (feat. X)"}]
    >>> song_keys(Catalogue.from_tracks(tracks)).to_pylist()
    ['beyonce\thalo']
    """
    titles = recording_titles(catalogue.column("title").combine_chunks())
    return pc.binary_join_element_wise(artist_keys(catalogue), titles, "\t")


def genre_keys(genre: str) -> list[str]:
    """The genre and its words, so that an unknown genre shares known words.

    Examples
    --------
    >>> genre_keys("Drum & Bass")
    ['bass', 'drum', 'drum bass']
    """
    words = re.findall(r"\w+", genre.casefold())
    return sorted({*words, " ".join(words)} - {""})


@dataclass(frozen=True)
class NameVectors:
    """Vectors by the hash of a name.

    Attributes
    ----------
    hashes : ndarray of uint64, shape (names,)
        Ascending.
    vectors : ndarray of int8, shape (names, d)
    scales : ndarray, shape (names,)
        A vector is its scale times the integers.
    priors : ndarray, shape (names,)
        How much likelier the name makes a track whatever the playlist, in nats.
    releases : ndarray of uint16, shape (names,), optional
        Mark of the id under which playlists have a song, see `id_marks`; 0 where none is known. It tells this
        release from others of the song, not which id it is: each mark stands for one in 65,535 of all ids.
    """

    hashes: Hashes
    vectors: NDArray[np.int8]
    scales: Floats
    priors: Floats
    releases: NDArray[np.uint16] | None = None

    def find(self, hashes: Hashes) -> Numbers:
        """Number of each name, -1 where unknown.

        Examples
        --------
        >>> some = NameVectors(np.array([3, 9], np.uint64), np.eye(2, dtype=np.int8), np.ones(2), np.zeros(2))
        >>> some.find(np.array([9, 4], np.uint64)).tolist()
        [1, -1]
        """
        if not len(self.hashes):
            return np.full(len(hashes), -1, dtype=np.int32)
        at = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        return np.where(self.hashes[at] == hashes, at, -1).astype(np.int32)

    def take(self, numbers: Numbers) -> Floats:
        """Vectors of names by number, shape (n, d); zeros where unknown."""
        if not len(self.hashes):
            return np.zeros((len(numbers), self.vectors.shape[1]), dtype=np.float32)
        scales = np.where(numbers >= 0, self.scales[numbers], 0).astype(np.float32)
        return np.multiply(self.vectors[numbers], scales[:, None], dtype=np.float32)


@dataclass(frozen=True)
class NamedTracks:
    """Numbers of the names of tracks in a vocabulary, -1 where unknown.

    Attributes
    ----------
    songs, artists : ndarray of int, shape (n,)
    genre_starts, genres : ndarray of int, shapes (n + 1,) and (any,)
        The genres and words of genres of track i that are known: genres[genre_starts[i]:genre_starts[i + 1]].
    """

    songs: Numbers
    artists: Numbers
    genre_starts: NDArray[np.int64]
    genres: Numbers

    def __len__(self) -> int:
        return len(self.songs)

    @property
    def n_genres(self) -> NDArray[np.int64]:
        """Number of known genres and words of each track."""
        return np.diff(self.genre_starts)


def look_up(names: NameVectors, catalogue: Catalogue) -> NamedTracks:
    """Find the names of the tracks of a catalogue.

    Examples
    --------
    >>> import disco
    >>> none = NameVectors(np.empty(0, np.uint64), np.empty((0, 2), np.int8), np.empty(0), np.empty(0))
    >>> look_up(none, disco.open()).songs[:2].tolist()
    [-1, -1]
    """
    genres = catalogue.column("genres").combine_chunks()
    flat = pc.list_flatten(genres).dictionary_encode()
    keys = [genre_keys(genre or "") for genre in flat.dictionary.to_pylist()]
    counts = np.array([len(each) for each in keys], dtype=np.int64)
    found = names.find(name_hashes("genre", (key for each in keys for key in each)))
    genre = pc.fill_null(flat.indices, -1).to_numpy().astype(np.int64)
    track = pc.list_parent_indices(genres).to_numpy()[genre >= 0]
    genre = genre[genre >= 0]
    each = counts[genre]
    begin = (np.cumsum(counts) - counts)[genre]
    words = found[np.arange(each.sum()) - np.repeat(np.cumsum(each) - each - begin, each)]
    tracks = np.repeat(track, each)
    # Each word once a track, those that are unknown left out.
    pairs = np.sort((tracks.astype(np.int64) << 32 | words.astype(np.int64))[words >= 0])
    pairs = pairs[np.diff(pairs, prepend=-1) > 0]  # fifteen times as fast as np.unique
    tracks, words = pairs >> 32, (pairs & 0xFFFFFFFF).astype(np.int32)
    starts = np.r_[0, np.cumsum(np.bincount(tracks, minlength=len(catalogue)))]
    return NamedTracks(
        _numbers(names, "song", song_keys(catalogue)),
        _numbers(names, "artist", artist_keys(catalogue)),
        starts,
        words,
    )


def _numbers(names: NameVectors, kind: str, keys: pa.Array) -> Numbers:
    encoded = keys.dictionary_encode()
    found = names.find(text_hashes(kind, encoded.dictionary))
    indices = pc.fill_null(encoded.indices, -1).to_numpy()
    return np.where(indices >= 0, found[indices] if len(found) else -1, -1).astype(np.int32)


def other_releases(names: NameVectors, songs: Numbers, catalogue: Catalogue) -> NDArray[np.bool_]:
    """Tracks whose song, by its number, the catalogue also has as the release that playlists have; shape (n,).

    Examples
    --------
    >>> track = {"title": "Halo", "artists": ["Beyoncé"]}
    >>> both = Catalogue.from_tracks([{"track_id": "a", **track}, {"track_id": "b", **track}])
    >>> hashes, nothing = name_hashes("song", song_keys(both).to_pylist()[:1]), np.zeros(1, np.float32)
    >>> names = NameVectors(hashes, np.zeros((1, 2), np.int8), nothing, nothing, id_marks(["b"]))
    >>> other_releases(names, look_up(names, both).songs, both).tolist()
    [True, False]
    """
    others = np.zeros(len(catalogue), dtype=bool)
    known = np.flatnonzero(songs >= 0)
    if names.releases is None or not len(known):
        return others
    songs = songs[known]
    # Of most songs a catalogue has one release, which needs no telling apart.
    several = (np.bincount(songs, minlength=len(names.hashes)) > 1)[songs] & (names.releases[songs] > 0)
    known, songs = known[several], songs[several]
    right = id_marks(catalogue.ids(known)) == names.releases[songs]
    there = np.bincount(songs[right], minlength=len(names.hashes)) > 0
    others[known] = there[songs] & ~right
    return others


def name_inputs(take: Take, named: NamedTracks, numbers: Floats, rows: NDArray[np.intp]) -> Floats:
    """Inputs of a tower for some tracks, shape (rows, 3 d + numbers + 3).

    The vectors of the song and of the artist; the sum of those of the genres over the square root of their number;
    the numbers; and whether song, artist and genres are known.

    Parameters
    ----------
    take : callable
        Vectors of names by number, zeros for -1: `NameVectors.take`.
    named : NamedTracks
    numbers : ndarray, shape (n, numbers)
    rows : ndarray of rows
    """
    songs, artists = named.songs[rows], named.artists[rows]
    begin, count = named.genre_starts[rows], named.n_genres[rows]
    of_songs, of_artists = take(songs), take(artists)
    of_genres = np.zeros_like(of_songs)
    if count.sum():
        words = named.genres[np.arange(count.sum()) - np.repeat(np.cumsum(count) - count - begin, count)]
        # Few genres are in many tracks: each is taken once.
        different, place = np.unique(words, return_inverse=True)
        some = np.flatnonzero(count)
        sums = np.add.reduceat(take(different)[place], (np.cumsum(count) - count)[some], axis=0)
        of_genres[some] = sums / np.sqrt(count[some], dtype=np.float32)[:, None]
    flags = np.stack([songs >= 0, artists >= 0, count > 0], axis=1)
    return np.concatenate([of_songs, of_artists, of_genres, numbers[rows], flags], axis=1, dtype=np.float32)


def rounded_names(
    hashes: Hashes, vectors: Floats, priors: Floats, releases: NDArray[np.uint16] | None = None
) -> NameVectors:
    """Names with their vectors rounded to integers of -127 to 127, in the order of the hashes.

    Examples
    --------
    >>> some = rounded_names(np.array([9, 3], np.uint64), np.array([[1, -1], [0, 2]], np.float32), np.zeros(2))
    >>> some.hashes.tolist(), some.vectors.tolist()
    ([3, 9], [[0, 127], [127, -127]])
    """
    order = np.argsort(hashes)
    scales = np.maximum(np.abs(vectors).max(axis=1, initial=0), 1e-6)[order] / 127
    integers = np.rint(vectors[order] / scales[:, None]).astype(np.int8)
    releases = None if releases is None else releases[order]
    return NameVectors(hashes[order], integers, scales.astype(np.float16), priors[order].astype(np.float16), releases)
