"""What an order is asked for about groups of tracks: pairs and albums kept together, runs, spread, rising tempo.

Tracks that are kept together form a *block*: they follow each other in their order, and the search moves them as one.
Whatever else is asked for is a cost: of a transition (genres in runs, a tempo that prefers to rise), or of two tracks
of one group that are nearer to each other than an even spread would have them.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Rows
from disco.catalogue.lookup import track_name
from disco.catalogue.music import tempo_change
from disco.catalogue.text import fold_accents, normalise
from disco.errors import DiscoError
from disco.playlist.sequence.tempo_costs import far_from

Costs = NDArray[np.float64]

ARTISTS, ALBUMS, GENRES = ("spread",), ("whole", "spread"), ("runs", "spread")
# Cost of a transition between tracks with no genre in common where runs are asked for: more than any ordinary
# transition, less than a broken rule.
GROUP_WEIGHT = 10.0
# Per cent of a fall of tempo that cost as much as the weight of rising tempo.
_UNIT = 10.0


@dataclass(frozen=True)
class Wishes:
    """What an order is asked for about groups of tracks. Rows are those of the catalogue that is ordered.

    Attributes
    ----------
    together : tuple of tuple of int
        Rows of tracks that follow each other, in this order.
    artists, albums, genres : str, optional
        `spread` keeps those with the same one apart as evenly as possible. `whole` plays each album without a break,
        in the order that its tracks have; `runs` plays tracks with a genre in common one after the other.
    rising_tempo : float
        Cost of a transition whose tempo falls by 10 per cent, half and double time folded.

    Raises
    ------
    DiscoError
        If a value means nothing.

    Examples
    --------
    >>> Wishes(genres="runs").genres
    'runs'
    """

    together: tuple[tuple[int, ...], ...] = ()
    artists: str | None = None
    albums: str | None = None
    genres: str | None = None
    rising_tempo: float = 0.0

    def __post_init__(self) -> None:
        for name, choices in (("artists", ARTISTS), ("albums", ALBUMS), ("genres", GENRES)):
            value = getattr(self, name)
            if value is not None and value not in choices:
                raise DiscoError(f"--{name} can be {' or '.join(choices)}, not {value!r}")
        if not (math.isfinite(self.rising_tempo) and self.rising_tempo >= 0):
            raise DiscoError(f"the weight of rising tempo must be 0 or more, not {self.rising_tempo}")
        for rows in self.together:
            if len(set(rows)) < max(len(rows), 2):
                raise DiscoError("tracks kept together are two different ones or more")


@dataclass(frozen=True, eq=False)
class WishTerms:
    """The wishes about n tracks in numbers.

    Attributes
    ----------
    blocks : list of ndarray
        Tracks that are moved as one, in their order; most have one track.
    transitions : ndarray, shape (n, n), optional
        What transitions cost more.
    groups : list of ndarray
        Tracks to be spread.
    drift : ndarray, shape (n, n), optional
        Whether the track of the column is too far from that of the row in tempo, if that comes first.
    """

    blocks: list[Rows]
    transitions: Costs | None = None
    groups: Sequence[Rows] = ()
    drift: NDArray[np.bool_] | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing is asked for."""
        return not self.has_blocks and self.transitions is None and not self.groups and self.drift is None

    @property
    def has_blocks(self) -> bool:
        """Whether any tracks are moved as one."""
        return any(len(block) > 1 for block in self.blocks)


def wish_terms(
    tracks: Catalogue, wishes: Wishes, max_tempo_drift: float | None = None, fold: bool = True
) -> WishTerms:
    """The wishes about tracks in numbers.

    Parameters
    ----------
    tracks : Catalogue
    wishes : Wishes
    max_tempo_drift : float, optional
        Per cent by which a tempo may differ from that of the first track.
    fold : bool
        Whether half and double time count as the same tempo.

    Raises
    ------
    DiscoError
        If wishes contradict each other, with the names of both.
    """
    follows, kept_by = _chains(tracks, wishes)
    blocks = _blocks(len(tracks), follows)
    groups: list[Rows] = []
    for name, values in (("artists", _artists), ("albums", _albums), ("genres", _genres)):
        if getattr(wishes, name) == "spread":
            found = values(tracks)
            _check_spread(tracks, f"--{name} spread", found, blocks, kept_by)
            groups += [rows for rows in found.values() if len(rows) > 1]
    drift = None
    if max_tempo_drift is not None:
        drift = far_from(tracks.tempos[:, None], tracks.tempos[None, :], max_tempo_drift, fold)
    return WishTerms(blocks, _transitions(tracks, wishes, fold), groups, drift)


def check_wishes(wishes: Wishes, tempo_arc: tuple[float, ...]) -> None:
    """Refuse wishes that contradict each other for whatever tracks."""
    falls = any(after < before for before, after in pairwise(tempo_arc))
    if wishes.rising_tempo and falls:
        arc = ",".join(f"{tempo:g}" for tempo in tempo_arc)
        raise DiscoError(f"--tempo-arc {arc} falls, and --rising-tempo prefers that it does not; give one of them")


def block_pins(tracks: Catalogue, blocks: list[Rows], pinned: dict[int, int], total: int) -> dict[int, int]:
    """Track by position with the rest of each block that has a pinned track.

    Raises
    ------
    DiscoError
        If a pinned track would part a block.
    """
    found = dict(pinned)
    position_of = {row: position for position, row in pinned.items()}
    for block in blocks:
        rows = block.tolist()
        held = [(i, row, position_of[row]) for i, row in enumerate(rows) if row in position_of]
        if len(rows) < 2 or not held:
            continue
        offset, first, position = held[0]
        for i, row, other in held[1:]:
            if other - i != position - offset:
                raise DiscoError(
                    f"{_name(tracks, first)} is fixed at position {position + 1} and {_name(tracks, row)} at "
                    f"{other + 1}, but they are kept together; give one of these"
                )
        for i, row in enumerate(rows):
            there = position - offset + i
            if not 0 <= there < total:
                end = "first" if there < 0 else "last"
                raise DiscoError(
                    f"{_name(tracks, first)} cannot be the {end} track (position {position + 1}): it is kept "
                    f"together with {_name(tracks, row)}, which comes {'before' if there < 0 else 'after'} it"
                )
            if found.setdefault(there, row) != row:
                raise DiscoError(
                    f"{_name(tracks, found[there])} is fixed at position {there + 1}, where {_name(tracks, row)} "
                    f"would be, which is kept together with {_name(tracks, first)}; give one of these"
                )
    return found


def _chains(tracks: Catalogue, wishes: Wishes) -> tuple[dict[int, int], dict[int, str]]:
    """The track that each one is followed by, and the option that asks for it."""
    follows: dict[int, int] = {}
    before: dict[int, int] = {}
    kept_by: dict[int, str] = {}

    def chain(a: int, b: int, option: str) -> None:
        for one, other, known in ((a, b, follows), (b, a, before)):
            if known.setdefault(one, other) != other:
                both = sorted({option, kept_by.get(a, kept_by.get(b, option))})
                raise DiscoError(
                    f"{_name(tracks, one)} cannot stand right {'before' if known is follows else 'after'} both "
                    f"{_name(tracks, known[one])} and {_name(tracks, other)}, as {' and '.join(both)} ask; change one"
                )
        kept_by.setdefault(a, option)
        kept_by.setdefault(b, option)

    if wishes.albums == "whole":
        for rows in _albums(tracks).values():
            for a, b in zip(rows[:-1].tolist(), rows[1:].tolist(), strict=True):
                chain(a, b, "--albums whole")
    for given in wishes.together:
        for a, b in pairwise(given):
            chain(a, b, "--together")
    # A chain that bites its tail has no first track.
    for row in follows:
        seen, now = {row}, follows.get(row)
        while now is not None:
            if now in seen:
                raise DiscoError(
                    f"{_name(tracks, row)} cannot be kept together with itself, in a circle of --together"
                )
            seen.add(now)
            now = follows.get(now)
    return follows, kept_by


def _blocks(n: int, follows: dict[int, int]) -> list[Rows]:
    """Tracks that are moved as one, by their first ones."""
    later = set(follows.values())
    blocks = []
    for row in range(n):
        if row in later:
            continue
        block = [row]
        while block[-1] in follows:
            block.append(follows[block[-1]])
        blocks.append(np.array(block, dtype=np.intp))
    return blocks


def _check_spread(
    tracks: Catalogue, option: str, groups: dict[str, Rows], blocks: list[Rows], kept_by: dict[int, str]
) -> None:
    """Refuse to spread tracks that are kept together."""
    block_of = {row: i for i, block in enumerate(blocks) if len(block) > 1 for row in block.tolist()}
    for name, rows in groups.items():
        seen: dict[int, int] = {}
        for row in rows.tolist():
            if row not in block_of:
                continue
            other = seen.setdefault(block_of[row], row)
            if other != row:
                raise DiscoError(
                    f"{kept_by[row]} keeps {_name(tracks, other)} and {_name(tracks, row)} together, and {option} "
                    f"would part them ({name}); give one of the two"
                )


def _transitions(tracks: Catalogue, wishes: Wishes, fold: bool) -> Costs | None:
    """What transitions cost more for runs of genres and for falling tempos."""
    costs: Costs | None = None
    if wishes.genres == "runs":
        costs = GROUP_WEIGHT * (1 - _genres_in_common(tracks))
    if wishes.rising_tempo:
        tempos = tracks.tempos
        fall = np.maximum(-tempo_change(tempos[:, None], tempos[None, :], fold), 0) / _UNIT
        falling = wishes.rising_tempo * np.nan_to_num(fall, nan=0.0)
        costs = falling if costs is None else costs + falling
    if costs is not None:
        np.fill_diagonal(costs, 0)
    return costs


def _genres_in_common(tracks: Catalogue) -> Costs:
    """Share of the genres of two tracks that both have, shape (n, n); 1 where those of either are unknown."""
    groups, n = _genres(tracks), len(tracks)
    has = np.zeros((n, len(groups)))
    for i, rows in enumerate(groups.values()):
        has[rows, i] = 1
    counts, common = has.sum(axis=1), has @ has.T
    either = counts[:, None] + counts[None, :] - common
    share = common / np.maximum(either, 1)
    unknown = counts == 0
    share[unknown], share[:, unknown] = 1, 1
    return np.asarray(share)


def _grouped(names: Iterable[Iterable[str]]) -> dict[str, Rows]:
    found: dict[str, list[int]] = defaultdict(list)
    for row, own in enumerate(names):
        for name in dict.fromkeys(own):
            found[name].append(row)
    return {name: np.array(rows, dtype=np.intp) for name, rows in found.items()}


def _artists(tracks: Catalogue) -> dict[str, Rows]:
    return _grouped(tracks.artists(row) for row in range(len(tracks)))


def _genres(tracks: Catalogue) -> dict[str, Rows]:
    return _grouped((genre.lower() for genre in genres or ()) for genres in tracks.column("genres").to_pylist())


def _albums(tracks: Catalogue) -> dict[str, Rows]:
    """Tracks by album; two albums of one title by different first artists are two."""
    titles = normalise(fold_accents(tracks.column("album").combine_chunks())).to_pylist()
    names = []
    for row, title in enumerate(titles):
        artists = tracks.artists(row)
        names.append([f"{title} by {artists[0]}" if artists else title] if title else [])
    return _grouped(names)


def _name(tracks: Catalogue, row: int) -> str:
    return track_name(tracks.tracks(np.array([row]))[0])
