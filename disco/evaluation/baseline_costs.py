"""Costs of a transition in four published playlist programs, for comparison.

Reimplemented from their descriptions and published figures (September 2026); no code of theirs is used.

*AudioMuse-AI* (NeptuneHub, tasks/playlist_ordering): 0.35 tempo + 0.35 energy + 0.30 key. Tempo is the plain
difference over 80 BPM, at most 1, without folding octaves. Key is the number of steps between the *roots* on the
circle of fifths over 6, times 0.8 in the same mode: C major to A minor, its relative, is 0.5, and to C minor 0. Its
energy spans 0.14; here energy spans 1, from 0 to 1.

*WrzDJ* (wrzonance, setbuilder): keys score 1 (equal), 0.8 (one step, or the relative key), 0.5 (two steps) or 0;
tempos 1 within 2 BPM, falling to 0 at 20, half and double time 70 % of that. A transition scores 0.35 tempo, 0.30
key, 0.20 mood, 0.15 other artist. Moods are unknown here and count the same for all tracks.

*playlist-sorter* (stojg): keys 0, 1 (next, relative), 2 (parallel), 10 over 12; energy over its range, tempo (0.5x,
1x, 2x) over its greatest difference, same artist, same album, each times 0.5.

*reklawdbox* (ryan-voitiskis, set builder): keys 1, 0.9 (one step), 0.8 (relative), 0.5 (two steps), 0.4 (diagonal),
0.1; tempos 1, 0.8, 0.5, 0.3, 0.1 up to 2, 4, 6, 8 BPM and beyond, without folding octaves; energy 1 where high (0.65)
and stable (0.1), as its flat curve asks, else 0.5; genre 1, 0.7 in one family, 0.3. The weights are 0.30, 0.20, 0.18,
0.17. Brightness and rhythm, which no table has, are skipped, as it does. The families of genres here are coarser than
its list.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Floats
from disco.catalogue.numbering import album_numbers, artist_numbers, genre_numbers
from disco.playlist.key_rules import UNKNOWN, key_index

Costs = NDArray[np.float64]

_FAMILIES = ("house", "techno", "trance")


@dataclass(frozen=True, eq=False)
class Tracks:
    """What the baselines read of n tracks.

    Attributes
    ----------
    key : ndarray of int, shape (n,)
        Index in the tables of `key_rules`, `UNKNOWN` where unknown.
    tempo, energy : ndarray, shape (n,)
        BPM, and 0-1; NaN where unknown.
    artist, album, genre : ndarray of int, shape (n,)
        Numbers, -1 where unknown.
    family : ndarray of str, shape (n,)
        Family of the genre; empty where it has none.
    space : ndarray, shape (n, 8)
        Scaled features.
    """

    key: NDArray[np.intp]
    tempo: Costs
    energy: Costs
    artist: NDArray[np.intp]
    album: NDArray[np.intp]
    genre: NDArray[np.intp]
    family: NDArray[np.str_]
    space: Floats

    def __len__(self) -> int:
        return len(self.key)


def baseline_tracks(few: Catalogue, space: Floats) -> Tracks:
    """What the baselines read of the tracks of a small catalogue.

    Parameters
    ----------
    few : Catalogue
    space : ndarray, shape (n, 8)
        Its scaled features.

    Returns
    -------
    Tracks
    """
    first = [(genres or [""])[0].lower().replace("-", " ") for genres in few.table["genres"].to_pylist()]
    family = [next((name for name in _FAMILIES if name in genre.split()), "") for genre in first]
    return Tracks(
        key=key_index(few.numbers("key"), few.modes).astype(np.intp),
        tempo=few.tempos.astype(float),
        energy=few.numbers("energy").astype(float),
        artist=artist_numbers(few),
        album=album_numbers(few),
        genre=genre_numbers(few),
        family=np.array(family, dtype=np.str_),
        space=space,
    )


def camelot_steps(tracks: Tracks) -> tuple[NDArray[np.intp], NDArray[np.bool_], NDArray[np.bool_]]:
    """Steps on the Camelot wheel (0-6), whether the letter is the same, whether both keys are known; shape (n, n)."""
    number, minor = tracks.key % 12, tracks.key // 12
    difference = np.abs(number[:, None] - number[None, :])
    known = tracks.key != UNKNOWN
    return np.minimum(difference, 12 - difference), minor[:, None] == minor[None, :], known[:, None] & known[None, :]


def absolute_differences(values: Costs) -> Costs:
    """Absolute difference of each pair, shape (n, n), NaN where either is unknown."""
    return np.asarray(np.abs(values[:, None] - values[None, :]))


def same_number(numbers: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether each pair has the same known number, shape (n, n)."""
    return np.asarray((numbers[:, None] == numbers[None, :]) & (numbers >= 0)[:, None])


def audiomuse(tracks: Tracks) -> Costs:
    """AudioMuse-AI's distance, 0-1."""
    # The root of a minor key is three fifths above that of its relative major.
    minor = tracks.key // 12
    root = (tracks.key % 12 + 3 * minor) % 12
    steps = np.abs(root[:, None] - root[None, :])
    key = np.minimum(steps, 12 - steps) / 6 * np.where(minor[:, None] == minor[None, :], 0.8, 1)
    key = np.where(camelot_steps(tracks)[2], key, 0.5)
    tempo = np.minimum(absolute_differences(np.nan_to_num(tracks.tempo)) / 80, 1)
    energy = np.minimum(absolute_differences(np.nan_to_num(tracks.energy)), 1)
    return np.asarray(0.35 * tempo + 0.35 * energy + 0.30 * key)


def wrzdj_key(tracks: Tracks) -> Costs:
    """WrzDJ's score of keys, 0-1."""
    steps, letter, known = camelot_steps(tracks)
    near = np.select(
        [letter & (steps == 0), (steps == 0) | (letter & (steps == 1)), letter & (steps == 2)], [1, 0.8, 0.5]
    )
    return np.asarray(np.where(known, near, 0.0))


def wrzdj_tempo(tracks: Tracks) -> Costs:
    """WrzDJ's score of tempos, 0-1."""
    a, b = tracks.tempo[:, None], tracks.tempo[None, :]
    same, folded = np.abs(b - a), np.minimum(np.abs(b - a / 2), np.abs(b - 2 * a))
    score = 1 - np.clip((np.minimum(same, folded) - 2) / 18, 0, 1)
    return np.where(np.isnan(same), 0.5, np.where(folded < same, 0.7 * score, score))


def wrzdj(tracks: Tracks) -> Costs:
    """1 minus WrzDJ's score of a transition, with unknown moods."""
    score = 0.35 * wrzdj_tempo(tracks) + 0.30 * wrzdj_key(tracks) + 0.20 * 0.5 + 0.15 * ~same_number(tracks.artist)
    return np.asarray(1 - score)


def playlist_sorter(tracks: Tracks) -> Costs:
    """playlist-sorter's cost of a transition; its division by n - 1 changes no order and is omitted."""
    steps, letter, known = camelot_steps(tracks)
    # The parallel key is three steps away: from C major, 8B, to C minor, 5A.
    number, minor = tracks.key % 12, tracks.key // 12
    up = (number[None, :] - number[:, None]) % 12
    parallel = np.where(minor[:, None] == 0, up == 9, up == 3) & ~letter
    key = np.select([letter & (steps == 0), (steps == 0) | (letter & (steps == 1)), parallel], [0, 1, 2], 10)
    key = np.where(known, key, 10) / 12
    a, b = tracks.tempo[:, None], tracks.tempo[None, :]
    foldings = [np.abs(a - b), np.abs(a / 2 - b), np.abs(a - b / 2), np.abs(2 * a - b), np.abs(a - 2 * b)]
    tempo = np.nan_to_num(np.min(foldings, axis=0))
    energy = np.nan_to_num(absolute_differences(tracks.energy))
    parts = [
        key,
        energy / max(energy.max(), 1e-9),
        tempo / max(tempo.max(), 1e-9),
        same_number(tracks.artist),
        same_number(tracks.album),
    ]
    return np.asarray(0.5 * np.sum(parts, axis=0))


def reklawdbox(tracks: Tracks) -> Costs:
    """1 minus reklawdbox's composite score on its flat curve; not symmetric."""
    steps, letter, known = camelot_steps(tracks)
    moves = [letter & (steps == 0), letter & (steps == 1), steps == 0, letter & (steps == 2), steps == 1]
    key = np.where(known, np.select(moves, [1, 0.9, 0.8, 0.5, 0.4], 0.1), 0.5)
    change = absolute_differences(tracks.tempo)
    tempo = np.select([change <= 2, change <= 4, change <= 6, change <= 8], [1, 0.8, 0.5, 0.3], 0.1)
    tempo = np.where(np.isnan(change), 0.5, tempo)
    energy = np.where((tracks.energy >= 0.65)[None, :] & (absolute_differences(tracks.energy) <= 0.1), 1.0, 0.5)
    family = (tracks.family[:, None] == tracks.family[None, :]) & (tracks.family != "")[:, None]
    genre = np.select([same_number(tracks.genre), family], [1, 0.7], 0.3)
    genre = np.where((tracks.genre < 0)[:, None] | (tracks.genre < 0)[None, :], 0.5, genre)
    return np.asarray(1 - (0.30 * key + 0.20 * tempo + 0.18 * energy + 0.17 * genre) / 0.85)


def feature_distance(tracks: Tracks) -> Costs:
    """Euclidean distance of the scaled features."""
    squared = ((tracks.space[:, None, :].astype(float) - tracks.space[None, :, :]) ** 2).sum(axis=2)
    return np.asarray(np.sqrt(np.nan_to_num(squared)))
