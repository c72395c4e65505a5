"""What a join of two tracks is described by: terms of key, tempo, energy, genre and artist that a person can read.

*Keys.* Each pair of keys has one relation of `key_moves.MOVES`, or none, a clash.

*Tempo.* The change in per cent counts alike up and down, with half and double time folded. Its value is a line with
bends at `TEMPO_BENDS`: each term grows evenly up to one bend and is 1 beyond it, so that a sum of them can be any
such line. Separate terms say whether the tempo rises, and whether it is half or double time.

*Unknown.* Whatever is unknown of one of two tracks makes a term 0 here; what an unknown key, tempo or energy is worth
is decided by who uses the terms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Rows
from disco.catalogue.music import tempo_octaves
from disco.catalogue.numbering import artist_numbers, genre_numbers
from disco.playlist.key_moves import KEY_TERMS, key_relations
from disco.playlist.key_rules import key_index

Values = NDArray[np.float64]

# Per cent: what nobody notices, what DJs call near, the usual reach of a pitch fader, and where all is equally far.
TEMPO_BENDS = (1, 3, 6, 25)
TEMPO_TERMS = (*(f"tempo, up to {bend} %" for bend in TEMPO_BENDS), "tempo rises", "half or double time")
ENERGY_TERMS = ("energy change", "energy rises")
NAME_TERMS = ("same genre", "same artist")
TERMS = (*KEY_TERMS, *TEMPO_TERMS, *ENERGY_TERMS, *NAME_TERMS)
# A smaller change of tempo, in per cent, is none: libraries write 128 and 127.99.
_SAME_TEMPO = 0.05


@dataclass(frozen=True, eq=False)
class JoinTracks:
    """What the terms read of n tracks.

    Attributes
    ----------
    key : ndarray of int, shape (n,)
        Index in the tables of `key_rules`; `UNKNOWN` where unknown.
    tempo, energy : ndarray, shape (n,)
        BPM, and 0-1; NaN where unknown.
    genre, artist : ndarray of int, shape (n,)
        Numbers, -1 where unknown.
    """

    key: NDArray[np.intp]
    tempo: Values
    energy: Values
    genre: NDArray[np.intp]
    artist: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.key)

    def take(self, rows: Rows) -> JoinTracks:
        """These tracks alone."""
        return JoinTracks(*(getattr(self, name)[rows] for name in ("key", "tempo", "energy", "genre", "artist")))


def join_tracks(catalogue: Catalogue) -> JoinTracks:
    """What the terms read of the tracks of a catalogue.

    Examples
    --------
    >>> join_tracks(Catalogue.from_tracks([{"track_id": "a", "key": 9, "mode": 0, "tempo_bpm": 124}])).key.tolist()
    [12]
    """
    return JoinTracks(
        key=key_index(catalogue.numbers("key"), catalogue.modes).astype(np.intp),
        tempo=catalogue.tempos.astype(float),
        energy=catalogue.numbers("energy").astype(float),
        genre=genre_numbers(catalogue),
        artist=artist_numbers(catalogue),
    )


def tempo_terms(a_bpm: Values, b_bpm: Values) -> Values:
    """Terms of tempo, shape (..., 6) in the order of `TEMPO_TERMS`; 0 where a tempo is unknown.

    Examples
    --------
    >>> tempo_terms(np.array([120.0]), np.array([123.6])).round(2).tolist()
    [[1.0, 1.0, 0.5, 0.12, 1.0, 0.0]]
    """
    octaves = tempo_octaves(a_bpm, b_bpm)
    change = 100 * (np.exp2(np.abs(octaves)) - 1)
    ramps = [np.minimum(change / bend, 1) for bend in TEMPO_BENDS]
    rises = (octaves > 0) & (change > _SAME_TEMPO)
    # Half an octave is as near to the same tempo as to half or double, in either direction and however it is rounded.
    folded = np.abs(tempo_octaves(a_bpm, b_bpm, fold=False)) > 0.5 + 1e-9
    return np.asarray(np.nan_to_num(np.stack([*ramps, rises, folded], axis=-1), nan=0.0), dtype=np.float64)


def join_terms(a: JoinTracks, b: JoinTracks) -> Values:
    """Terms of n joins, shape (n, terms) in the order of `TERMS`.

    Parameters
    ----------
    a, b : JoinTracks
        The first and the second track of each join; n tracks each.

    Examples
    --------
    >>> tracks = join_tracks(Catalogue.from_tracks([{"track_id": "a", "key": 0, "mode": 1},
    ...                                             {"track_id": "b", "key": 7, "mode": 1}]))
    >>> [TERMS[i] for i in join_terms(tracks.take(np.array([0])), tracks.take(np.array([1])))[0].nonzero()[0]]
    ['fifth up']
    """
    relation = key_relations()[a.key, b.key]
    keys = relation[:, None] == np.arange(len(KEY_TERMS))
    change = b.energy - a.energy
    energy = np.nan_to_num(np.stack([np.abs(change), change > 0], axis=-1), nan=0.0)
    names = np.stack([(a.genre == b.genre) & (a.genre >= 0), (a.artist == b.artist) & (a.artist >= 0)], axis=-1)
    return np.asarray(np.concatenate([keys, tempo_terms(a.tempo, b.tempo), energy, names], axis=-1), dtype=np.float64)
