"""Artists, albums and genres of tracks as integer codes; one spelling of a name is one artist."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from disco.catalogue.arrays import number_texts
from disco.catalogue.table import Catalogue
from disco.catalogue.text import fold_accents, normalise, song_key


def artist_names(catalogue: Catalogue) -> pa.Array:
    """First artist of each track in one spelling, shape (n,), null where unknown.

    The Million Playlist Dataset has one artist a track: the first.
    """
    artists = catalogue.column("artists").combine_chunks()
    names = pc.binary_join(pc.list_slice(artists, 0, 1), "").dictionary_encode()
    return fold_names(names.dictionary).take(names.indices)


def artist_numbers(catalogue: Catalogue) -> NDArray[np.intp]:
    """Code of the first artist of each track, shape (n,), -1 where unknown.

    Examples
    --------
    >>> artist_numbers(Catalogue.from_tracks([{"track_id": "a", "artists": ["Ana"]}, {"track_id": "b"}])).tolist()
    [0, -1]
    """
    return number_texts(artist_names(catalogue))


def album_numbers(catalogue: Catalogue) -> NDArray[np.intp]:
    """Code of the album of each track, shape (n,), -1 where it or its artist is unknown."""
    album = fold_names(catalogue.column("album").combine_chunks())
    return number_texts(pc.binary_join_element_wise(artist_names(catalogue), album, "\t"))


def genre_numbers(catalogue: Catalogue) -> NDArray[np.intp]:
    """Code of the first genre of each track, shape (n,), -1 where unknown."""
    genres = catalogue.column("genres").combine_chunks()
    some = pc.greater(pc.list_value_length(genres), 0)
    return number_texts(pc.list_element(pc.if_else(some, genres, None), 0))


def fold_names(texts: pa.Array) -> pa.Array:
    """Names in one spelling, null where unknown; a name without a letter or digit stays as it is.

    Examples
    --------
    >>> fold_names(pa.array(["Beyoncé", "!!!", None])).to_pylist()
    ['beyonce', '!!!', None]
    """
    names = fold_accents(texts)
    folded = normalise(names)
    folded = pc.if_else(pc.equal(folded, ""), names, folded)  # of "!!!" no word is left
    return pc.if_else(pc.equal(folded, ""), None, folded)


def song_numbers(catalogue: Catalogue) -> NDArray[np.int32]:
    """Code of the song of each track, the same for all its versions as `Catalogue.song_key` has them; -1 if untitled.

    Examples
    --------
    >>> tracks = [{"track_id": "a", "title": "Halo", "artists": ["Bo"]}, {"track_id": "b", "title": None}]
    >>> tracks.append({"track_id": "c", "title": "Halo - Live", "artists": ["Bo"]})
    >>> song_numbers(Catalogue.from_tracks(tracks)).tolist()
    [0, -1, 0]
    """

    def compute() -> NDArray[np.int32]:
        artists = catalogue.column("artists").combine_chunks()
        first = pc.binary_join(pc.list_slice(artists, 0, 1), "").to_pylist()
        titles = catalogue.column("title").to_pylist()
        numbers: dict[str, int] = {"": -1}
        keys = (song_key(*each).replace(" ", "") for each in zip(titles, first, strict=True))
        return np.array([numbers.setdefault(key, len(numbers) - 1) for key in keys], dtype=np.int32)

    return catalogue.cached("song-numbers-1", compute)


def every_artist(catalogue: Catalogue) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Codes of all artists of all tracks, letter case apart: those of track i are `codes[starts[i]:starts[i + 1]]`.

    Returns
    -------
    starts : ndarray, shape (n + 1,)
    codes : ndarray, shape (any,)

    Examples
    --------
    >>> artists = {"a": ["Ana", "Bo"], "b": None, "c": ["ANA"]}
    >>> catalogue = Catalogue.from_tracks({"track_id": i, "artists": names} for i, names in artists.items())
    >>> starts, codes = every_artist(catalogue)
    >>> starts.tolist(), codes.tolist()
    ([0, 2, 2, 3], [0, 1, 0])
    """

    def starts() -> NDArray[np.int64]:
        lengths = pc.fill_null(pc.list_value_length(catalogue.column("artists").combine_chunks()), 0)
        return np.concatenate([[0], np.cumsum(lengths.to_numpy(zero_copy_only=False))]).astype(np.int64)

    def codes() -> NDArray[np.int32]:
        names = pc.list_flatten(catalogue.column("artists").combine_chunks()).dictionary_encode()
        numbers: dict[str, int] = {}
        folded = ((name or "").casefold() for name in names.dictionary.to_pylist())
        of_name = np.array([numbers.setdefault(name, len(numbers)) for name in folded], dtype=np.int32)
        return of_name[names.indices.to_numpy()] if len(of_name) else np.empty(0, dtype=np.int32)

    return catalogue.cached("artist-starts-1", starts), catalogue.cached("artist-codes-1", codes)
