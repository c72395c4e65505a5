"""Who made a track, and what it is on, as numbers: one spelling is one artist, and one artist's album one album."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from disco.catalogue.arrays import number_texts
from disco.catalogue.table import Catalogue
from disco.catalogue.text import fold_accents, normalise


def artist_names(catalogue: Catalogue) -> pa.Array:
    """The first artist of each track in one spelling, shape (n,), null where unknown.

    The Million Playlist Dataset has one artist a track: the first.
    """
    artists = catalogue.table["artists"].combine_chunks()
    names = pc.binary_join(pc.list_slice(artists, 0, 1), "").dictionary_encode()
    return fold_names(names.dictionary).take(names.indices)


def artist_numbers(catalogue: Catalogue) -> NDArray[np.intp]:
    """A number for the first artist of each track, shape (n,), -1 where unknown."""
    return number_texts(artist_names(catalogue))


def album_numbers(catalogue: Catalogue) -> NDArray[np.intp]:
    """A number for the album of each track, shape (n,), -1 where it or its artist is unknown."""
    album = fold_names(catalogue.table["album"].combine_chunks())
    return number_texts(pc.binary_join_element_wise(artist_names(catalogue), album, "\t"))


def genre_numbers(catalogue: Catalogue) -> NDArray[np.intp]:
    """A number for the first genre of each track, shape (n,), -1 where none is known."""
    genres = catalogue.table["genres"].combine_chunks()
    some = pc.greater(pc.list_value_length(genres), 0)
    return number_texts(pc.list_element(pc.if_else(some, genres, None), 0))


def fold_names(texts: pa.Array) -> pa.Array:
    """Names in one spelling, null where unknown; a name without a letter or digit, as `!!!`, stays as it is."""
    names = fold_accents(texts)
    folded = normalise(names)
    folded = pc.if_else(pc.equal(folded, ""), names, folded)  # of "!!!" no word is left
    return pc.if_else(pc.equal(folded, ""), None, folded)
