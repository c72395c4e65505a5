"""Filters: which tracks may be played.

A condition is `column=text`; a track meets it if its column contains the text, whatever the accents and case. Of
several `include` conditions on one column one is enough; conditions on different columns must all hold. A track whose
value is unknown never meets an `include`, a range or a ban on explicit lyrics, and is never excluded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from disco.catalogue.key_names import parse_key
from disco.catalogue.table import Catalogue, Mask
from disco.catalogue.text import fold_accents, normalise
from disco.errors import DiscoError

_COLUMNS = {
    "genre": "genres",
    "artist": "artists",
    "title": "title",
    "album": "album",
    "id": "track_id",
    "key": "key",
}


@dataclass(frozen=True)
class Filters:
    """Conditions on tracks; all tracks meet the defaults.

    Parameters
    ----------
    include, exclude : tuple of str
        Conditions `genre=`, `artist=`, `title=`, `album=`, `id=` or `key=` with a text. A genre matches whole words
        (`genre=house` takes deep house), an id as a whole, `key=8A,7A` tracks in any of these keys, the others any
        part.
    bpm : (low, high), optional
        Range of tempo in beats per minute, ends included.
    seconds : (low, high), optional
        Range of duration in seconds, ends included.
    explicit : bool
        Whether tracks that are explicit, or not known to be clean, may be played.
    keys : tuple of (key, mode)
        Only tracks in one of these keys, besides all conditions; empty for any.

    Raises
    ------
    DiscoError
        If a condition cannot be read, or a range is the wrong way round.

    Examples
    --------
    >>> songs = Catalogue.from_tracks([{"track_id": "a", "genres": ["deep house"]}, {"track_id": "b"}])
    >>> Filters(include=("genre=house",)).mask(songs).tolist()
    [True, False]
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    bpm: tuple[float, float] | None = None
    seconds: tuple[float, float] | None = None
    explicit: bool = True
    keys: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        for condition in (*self.include, *self.exclude):
            column, text = _parse(condition)
            if column == "key":
                _parse_keys(text)
        for name, limits in (("bpm", self.bpm), ("seconds", self.seconds)):
            if limits is not None and not 0 <= limits[0] <= limits[1]:
                raise DiscoError(
                    f"{name} must be a range LOW-HIGH with 0 <= LOW <= HIGH, not {limits[0]:g}-{limits[1]:g}"
                )

    def mask(self, catalogue: Catalogue) -> Mask:
        """Mask of the tracks that meet all conditions, shape (n,)."""
        allowed = np.ones(len(catalogue), dtype=bool)
        by_column: dict[str, Mask] = {}
        for condition in self.include:
            column, text = _parse(condition)
            met = by_column.get(column, np.zeros(len(catalogue), dtype=bool))
            by_column[column] = met | _contains(catalogue, column, text)
        for met in by_column.values():
            allowed &= met
        for condition in self.exclude:
            allowed &= ~_contains(catalogue, *_parse(condition))
        if self.bpm is not None:
            tempo = catalogue.tempos
            allowed &= (tempo >= self.bpm[0]) & (tempo <= self.bpm[1])
        if self.seconds is not None:
            duration = catalogue.numbers("duration_ms") / 1000
            allowed &= (duration >= self.seconds[0]) & (duration <= self.seconds[1])
        if not self.explicit:
            allowed &= ~pc.fill_null(catalogue.column("explicit"), True).to_numpy()
        if self.keys:
            allowed &= _in_keys(catalogue, self.keys)
        return allowed

    @property
    def wanted_keys(self) -> tuple[tuple[int, int], ...]:
        """Keys of the `include` conditions on keys, in their order; empty if there are none."""
        conditions = (_parse(condition) for condition in self.include)
        return tuple(key for column, text in conditions if column == "key" for key in _parse_keys(text))


def _parse(condition: str) -> tuple[str, str]:
    name, equals, text = condition.partition("=")
    if not equals or name.strip().lower() not in _COLUMNS or not text.strip():
        raise DiscoError(f"{condition!r} is no filter; write one of {', '.join(f'{n}=TEXT' for n in _COLUMNS)}")
    return _COLUMNS[name.strip().lower()], text.strip()


def _parse_keys(text: str) -> tuple[tuple[int, int], ...]:
    """Keys of a text such as `8A,7A`."""
    found = []
    for name in text.split(","):
        if (key := parse_key(name)) is None:
            raise DiscoError(f"{name.strip()[:40]!r} is no key; write keys as key=8A,7A or key=Am")
        found.append(key)
    return tuple(found)


def _in_keys(catalogue: Catalogue, keys: tuple[tuple[int, int], ...]) -> Mask:
    codes = catalogue.numbers("key") * 2 + catalogue.modes
    return np.asarray(np.isin(codes, [key * 2 + mode for key, mode in keys]))


def _contains(catalogue: Catalogue, column: str, text: str) -> Mask:
    if column == "key":
        return _in_keys(catalogue, _parse_keys(text))
    values = catalogue.column(column).combine_chunks()
    if column == "track_id":
        return np.asarray(pc.equal(values, text).to_numpy(zero_copy_only=False))
    flat = values.flatten() if pa.types.is_list(values.type) else values
    encoded = flat.dictionary_encode()
    sought = normalise(fold_accents(pa.array([text])))[0].as_py()
    if not sought:
        raise DiscoError(f"a filter on {column} needs a word to look for, not {text!r}")
    spelt = normalise(fold_accents(encoded.dictionary))
    if column == "genres":
        spelt, sought = pc.binary_join_element_wise(" ", spelt, " ", ""), f" {sought} "
    met = pc.fill_null(pc.match_substring(spelt, sought).take(encoded.indices), False)
    met = met.to_numpy(zero_copy_only=False)
    if not pa.types.is_list(values.type):
        return np.asarray(met)
    mask = np.zeros(len(catalogue), dtype=bool)
    mask[pc.list_parent_indices(values).to_numpy(zero_copy_only=False)[met]] = True
    return mask
