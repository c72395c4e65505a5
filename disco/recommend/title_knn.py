"""Tracks of the training playlists whose titles are most like the query's: words and parts of words in common.

Titles are compared as bags of words and of their runs of three and four characters, the rare ones counting more, by
cosine: `Workout '16` finds `workout mix`, `workoutt` and, less, `work`. Emoji and other scripts are characters like
others.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from disco.catalogue import Floats
from disco.catalogue.text import plain
from disco.recommend.folder import Folder
from disco.recommend.sparse import Sparse
from disco.recommend.top import Scored, highest
from disco.recommend.types import Query, Recommender

# What is read of a title; the longest of the Million Playlist Dataset has 41 characters.
_LONGEST = 200
# Parts of titles are told apart by so many numbers: of 10,000 titles' 30,000 parts few share one.
PARTS = 1 << 20
_SIZES = (3, 4)


@dataclass(frozen=True)
class Titles:
    """How titles are compared, and what their playlists' tracks count then.

    Attributes
    ----------
    neighbours : int
        Playlists that are heard.
    length : float
        A playlist counts as its length to minus this power.
    power : float
        A similarity counts to this power: the higher, the more the most like titles say.
    least : float
        A title less like is not heard at all.
    rarity : float
        A track's score is multiplied by the logarithm of its rarity to this power.
    filling : float
        What the most popular track counts, beside the sum of 1 that the neighbours give.
    """

    neighbours: int
    length: float
    power: float
    least: float
    rarity: float
    filling: float


def folded(title: str) -> str:
    """A title in small letters without accents and punctuation; emoji stay."""
    text = plain(pa.array([title[:_LONGEST].encode("utf-8", "replace").decode()]))[0].as_py()
    return " ".join("".join(c if c.isalnum() or ord(c) > 0x2000 else " " for c in text).split())


def parts_of(title: str) -> NDArray[np.int64]:
    """Numbers of the different words and parts of words of a title, sorted; none of a title without any."""
    whole = folded(title)
    if not whole:
        return np.empty(0, dtype=np.int64)
    padded = f" {whole} "
    found = {f"{padded[i : i + size]}" for size in _SIZES for i in range(max(1, len(padded) - size + 1))}
    found |= {f"={word}" for word in whole.split()} | {f"=={whole}"}
    return np.array(sorted({zlib.crc32(part.encode()) % PARTS for part in found}), dtype=np.int64)


def finder(titles: Sparse, how: Titles) -> Callable[[str], tuple[NDArray[np.intp], Floats]]:
    """From a title to the playlists whose titles are most like it, best first, and their similarity, 0 to 1.

    Parameters
    ----------
    titles : Sparse, shape (playlists, PARTS)
        1 where a playlist's title has a part.
    """
    having = titles.transposed()
    idf = np.log(1 + len(titles) / np.maximum(having.lengths, 0.5)).astype(np.float32)
    squares = np.bincount(
        np.repeat(np.arange(len(titles)), titles.lengths), idf[titles.columns] ** 2.0, len(titles)
    )
    norms = np.sqrt(np.maximum(squares, 1e-9))

    def find(title: str) -> tuple[NDArray[np.intp], Floats]:
        parts = parts_of(title)
        own = np.sqrt((idf[parts] ** 2.0).sum())
        if not own:
            return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.float32)
        similar = (having.combined(parts, idf[parts] ** 2) / norms / own).astype(np.float32)
        nearest = highest(similar, how.neighbours)
        nearest = nearest[similar[nearest] >= how.least]
        return nearest, similar[nearest]

    return find


def scorer(
    playlists: Sparse, how: Titles
) -> Callable[[NDArray[np.intp], Floats], Floats]:
    """From playlists and their similarity, as `finder` finds them, to scores, shape (tracks,): NaN without any.

    Parameters
    ----------
    playlists : Sparse, shape (playlists, tracks)
        1 where a playlist has a track.
    """
    counts = np.bincount(playlists.columns, minlength=playlists.width)
    divided = (np.maximum(playlists.lengths, 1).astype(np.float32)) ** -how.length
    rarity = (np.log(len(playlists) / np.maximum(counts, 1) + 1e-9).clip(min=1e-3) ** how.rarity).astype(np.float32)
    filling = (how.filling * counts / counts.max(initial=1)).astype(np.float32)

    def score(nearest: NDArray[np.intp], similar: Floats) -> Floats:
        if not len(nearest):
            return np.full(playlists.width, np.nan, dtype=np.float32)
        factors = similar**how.power * divided[nearest]
        heard = playlists.combined(nearest, (factors / factors.sum()).astype(np.float32))
        return np.asarray(heard * rarity + filling, dtype=np.float32)

    return score


def load(folder: Folder) -> Recommender:
    """A recommender by titles; of a query without a title that it can read it says nothing."""
    playlists = folder.sparse("playlists", None, len(folder.rows), weighted=False)
    titles = folder.sparse("titles", len(playlists), PARTS, weighted=False)
    how = folder.parameters(Titles)
    find, score = finder(titles, how), scorer(playlists, how)

    def scores(queries: Sequence[Query]) -> Floats:
        return np.stack([score(*find(query.title)) for query in queries])

    return Scored(folder.card.name, len(folder.rows), scores, folder.rows, reads_titles=True)
