"""Artists, albums and genres of tracks as integer codes; one spelling of a name is one artist."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from disco.catalogue.arrays import number_texts
from disco.catalogue.table import Catalogue
from disco.catalogue.text import fold_accents, normalise


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
