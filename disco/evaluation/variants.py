"""Variants of a catalogue, as users have them: what a configuration sees, while the metrics see everything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from disco.catalogue import FEATURES, Catalogue, Rows
from disco.catalogue.arrays import number_texts
from disco.catalogue.numbering import artist_names
from disco.catalogue.text import fold_accents, normalise, without_version
from disco.errors import DiscoError
from disco.evaluation.end_to_end import Case

# Name and what it is, for help and messages.
VARIANTS = {
    "names-only": "ids that no model knows, no ISRCs and paths",
    "no-features": "none of the eight features; keys and tempos stay",
    "no-genres": "no genres",
    "sample-5000": "catalogues of 5,000 random tracks, those of the playlists among them",
    "half-hidden": "ids and titles of a random half of the songs that no model knows",
}
SAMPLE = 5000
# At most so many tracks of a small catalogue are of its playlists; half of it or more must be other music.
_OF_PLAYLISTS = SAMPLE // 2


@dataclass(frozen=True)
class Setting:
    """A catalogue as a configuration sees it, and the cases that are measured on it.

    Attributes
    ----------
    seen : Catalogue
        What the configuration gets.
    measured : Catalogue
        The same rows with all that is known of them.
    rows : ndarray of rows
        Their rows in the whole catalogue.
    cases : list of Case
        By the rows of these catalogues.
    numbers : list of int
        Number of each among all cases.
    """

    seen: Catalogue
    measured: Catalogue
    rows: Rows
    cases: list[Case]
    numbers: list[int]


def settings(catalogue: Catalogue, cases: Sequence[Case], variant: str | None = None, seed: int = 0) -> list[Setting]:
    """The catalogues of a variant, with the cases that belong to each: one catalogue, or several of `sample-5000`.

    Parameters
    ----------
    catalogue : Catalogue
    cases : sequence of Case
    variant : str, optional
        A key of `VARIANTS`; the catalogue as it is by default.
    seed : int
        Of what is chosen at random.

    Raises
    ------
    DiscoError
        If there is no such variant.

    Examples
    --------
    >>> import disco
    >>> (setting,) = settings(disco.open(), [Case(np.arange(20), 3)], "no-genres")
    >>> setting.seen.table["genres"].null_count, setting.measured.table["genres"].null_count
    (5000, 0)
    """
    if variant is not None and variant not in VARIANTS:
        raise DiscoError(f"there is no variant {variant!r}; there are {', '.join(VARIANTS)}")
    rng = np.random.default_rng(seed)
    if variant == "sample-5000":
        return [_sampled(catalogue, cases, numbers, rng) for numbers in _groups(cases)]
    seen = catalogue
    if variant == "names-only":
        seen = _renamed(catalogue, np.ones(len(catalogue), dtype=bool), rng)
    elif variant == "no-features":
        seen = _without(catalogue, (*FEATURES, "feature_set"))
    elif variant == "no-genres":
        seen = _without(catalogue, ("genres",))
    elif variant == "half-hidden":
        seen = _half_hidden(catalogue, rng)
    return [Setting(seen, catalogue, np.arange(len(catalogue)), list(cases), list(range(len(cases))))]


def _groups(cases: Sequence[Case]) -> Iterator[list[int]]:
    """Numbers of cases, in groups whose playlists have few enough different tracks together."""
    numbers: list[int] = []
    tracks: set[int] = set()
    for number, case in enumerate(cases):
        more = tracks | set(case.playlist.tolist())
        if numbers and len(more) > _OF_PLAYLISTS:
            yield numbers
            numbers, more = [], set(case.playlist.tolist())
        numbers.append(number)
        tracks = more
    yield numbers


def _sampled(catalogue: Catalogue, cases: Sequence[Case], numbers: list[int], rng: np.random.Generator) -> Setting:
    """A small catalogue of the tracks of some playlists and random others."""
    theirs = np.unique(np.concatenate([cases[number].playlist for number in numbers]))
    others = np.setdiff1d(np.arange(len(catalogue)), theirs)
    more = rng.permutation(others)[: max(SAMPLE - len(theirs), 0)]
    rows = np.sort(np.r_[theirs, more])
    few = Catalogue(catalogue.table.take(pa.array(rows)), catalogue.where)
    within = [replace(cases[number], playlist=np.searchsorted(rows, cases[number].playlist)) for number in numbers]
    return Setting(few, few, rows, within, numbers)


def _without(catalogue: Catalogue, names: Sequence[str]) -> Catalogue:
    """The same tracks with unknown values in some columns."""
    table = catalogue.table
    for name in names:
        at = table.schema.get_field_index(name)
        field = table.schema.field(at)
        table = table.set_column(at, field, pa.nulls(len(catalogue), field.type))
    return Catalogue(table, catalogue.where)


def without_genres(catalogue: Catalogue) -> Catalogue:
    """The same tracks without genres.

    Examples
    --------
    >>> import disco
    >>> without_genres(disco.open()).table["genres"].null_count
    5000
    """
    return _without(catalogue, ("genres",))


def _renamed(catalogue: Catalogue, chosen: NDArray[np.bool_], rng: np.random.Generator) -> Catalogue:
    """The chosen tracks get ids that mean nothing, in a random order, and lose ISRC and path."""
    table = _replace(catalogue.table, "track_id", chosen, _numbered("local", rng.permutation(len(catalogue))))
    for name in ("isrc", "path"):
        table = _replace(table, name, chosen, pa.nulls(len(catalogue), pa.string()))
    return Catalogue(table, catalogue.where)


def _half_hidden(catalogue: Catalogue, rng: np.random.Generator) -> Catalogue:
    """A random half of the songs get titles and ids that mean nothing, and lose their albums.

    All versions of a song get the same title, so that a playlist still has one of them at most.
    """
    songs = number_texts(song_keys(catalogue))
    places = rng.permutation(int(songs.max(initial=-1)) + 1)
    chosen = catalogue.has_title_and_artist & (songs >= 0)  # what has no title stays a track that is not played
    place = np.where(chosen, places[songs] if len(places) else -1, -1)
    chosen &= place < len(places) // 2
    table = _replace(_renamed(catalogue, chosen, rng).table, "title", chosen, _numbered("Hidden", place))
    return Catalogue(_replace(table, "album", chosen, pa.nulls(len(catalogue), pa.string())), catalogue.where)


def song_keys(catalogue: Catalogue) -> pa.Array:
    r"""First artist and title of each track without remarks and spaces, as `Catalogue.song_key`; null where unknown.

    Examples
    --------
    >>> song_keys(Catalogue.from_tracks([{"track_id": "a", "title": "Song - Live", "artists": ["Bo"]}])).to_pylist()
    ['bo\tsong']
    """
    titles = normalise(without_version(fold_accents(catalogue.table["title"].combine_chunks())))
    return pc.replace_substring(pc.binary_join_element_wise(artist_names(catalogue), titles, "\t"), " ", "")


def _numbered(word: str, numbers: NDArray[np.intp]) -> pa.Array:
    # Letters, since a number may be read as a remark on the version or a part of a song; negative where unused.
    numbers = np.maximum(numbers, 0)
    return pa.array([f"{word} {_letters(number)}" for number in numbers.tolist()], pa.string())


def _letters(number: int) -> str:
    """A number in letters, a to z instead of digits.

    Examples
    --------
    >>> _letters(0), _letters(27)
    ('a', 'bb')
    """
    letters = ""
    while number or not letters:
        number, digit = divmod(number, 26)
        letters = chr(ord("a") + digit) + letters
    return letters


def _replace(table: pa.Table, name: str, chosen: NDArray[np.bool_], values: pa.Array) -> pa.Table:
    at = table.schema.get_field_index(name)
    column = pc.if_else(pa.array(chosen), values, table[name].combine_chunks())
    return table.set_column(at, table.schema.field(at), column)
