"""Costs of a transition in five published playlist programs, for comparison.

Each is described here from the program's code as it was published (AudioMuse-AI August 2026, playlist-sorter
December 2025, reklawdbox March 2026, WrzDJ and setlist July 2026) and written anew; no code of theirs is used.

*AudioMuse-AI* (NeptuneHub, tasks/playlist_ordering): 0.35 tempo + 0.35 energy + 0.30 key. Tempo is the plain
difference over 80 BPM, at most 1, without folding octaves. Key is the number of steps between the *roots* on the
circle of fifths over 6, times 0.8 in the same mode: C major to A minor, its relative, is 0.5, and to C minor 0.
Energy is the difference over 0.14, at most 1, although the program's energies now span 0.30 to 0.95: those of a
table, 0 to 1, are put on that span.

*WrzDJ* (wrzonance, setbuilder): keys score 1 (equal), 0.8 (one step, or the relative key), 0.5 (two steps) or 0,
and count as 0.5 plus the strictness, by default 0.2, times their distance from 0.5. Tempos score 1 within 2 BPM,
falling to 0 at 20, half and double time 70 % of that. A transition scores 0.35 tempo, 0.30 key, 0.20 mood, 0.15
other artist. Moods are unknown here and count the same for all tracks.

*playlist-sorter* (stojg): keys 0, 1 (next, relative), 2 (parallel), 10 over 12, times 0.3; energy, a whole number
from 1 to 10, over its range, times 0.3; tempo (0.5x, 1x, 2x) over its greatest difference, times 0.1; same artist
and same album, times 0.2 each. Its README names 0.5 for all five.

*reklawdbox* (ryan-voitiskis, tools/scoring): keys 1, 0.9 (one step), 0.8 (relative), 0.55 (diagonal), 0.45 (two
steps), 0.1; tempos exp(-0.019 p^2) at a change of p per cent, without folding octaves; energy and genre by place
and by what came before (`baseline_reklawdbox`). The weights are 0.30, 0.20, 0.18, 0.17, and a key under 0.45 halves
the score. Brightness and rhythm, which no table has, are skipped, as it does. Of one transition alone, as here, the
energy is that of its flat curve: 1 where high (0.65) and stable (0.1), else 0.5.

*setlist* (AndrewBarba): the root of keys times tempos. Keys score 1 (equal), 0.9 (one step, relative), 0.7 (one or
two semitones up), and less the further apart; half of what lacks to 1 is forgiven where the next title names an
extended version. Tempos score 1 from the same to 2 BPM up, falling to 0 at 9 up and at 4 down; half and double time
85 %.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Floats
from disco.catalogue.numbering import album_numbers, artist_numbers
from disco.playlist.key_rules import UNKNOWN, key_index

Costs = NDArray[np.float64]

# AudioMuse-AI's energies: from the least on, over this span.
_AUDIOMUSE_LEAST, _AUDIOMUSE_SPAN = 0.30, 0.65
# WrzDJ's usual strictness of keys, and the strictest.
STRICTNESS, STRICTEST = 0.2, 1.0
# playlist-sorter's weights of key, energy, tempo, artist and album: those of its code, and those of its README.
SORTER_WEIGHTS, SORTER_README = (0.3, 0.3, 0.1, 0.2, 0.2), (0.5, 0.5, 0.5, 0.5, 0.5)
# reklawdbox's weights of key, tempo, energy and genre, and the key below which a score is halved.
REKLAWDBOX_WEIGHTS, REKLAWDBOX_LEAST_KEY = (0.30, 0.20, 0.18, 0.17), 0.45
# The genres that reklawdbox knows: first those without a family, then family by family. A table's names for them.
_REKLAWDBOX_FAMILIES = (
    (
        "hip hop",
        "trance",
        "psytrance",
        "pop",
        "r&b",
        "r n b",
        "reggae",
        "dancehall",
        "rock",
        "synth pop",
        "highlife",
        "jazz",
        "hard trance",
        "dance pop",
    ),
    (
        "house",
        "deep house",
        "tech house",
        "afro house",
        "gospel house",
        "progressive house",
        "garage",
        "speed garage",
        "disco",
        "afrobeat",
        "indie dance",
        "uk garage",
        "italodance",
    ),
    (
        "techno",
        "deep techno",
        "minimal",
        "dub techno",
        "ambient techno",
        "hard techno",
        "drone techno",
        "acid",
        "electro",
        "electronica",
        "gabber",
        "hard dance",
    ),
    (
        "drum & bass",
        "drum and bass",
        "dnb",
        "jungle",
        "dubstep",
        "breakbeat",
        "uk bass",
        "bass",
        "grime",
        "bassline",
        "broken beat",
    ),
    ("ambient", "downtempo", "dub", "dub reggae", "idm", "experimental", "electronic", "drone", "glitch"),
)
# setlist's scores of keys by steps on the Camelot wheel: same letter, other letter.
_SETLIST_KEYS = (1.0, 0.9, 0.45, 0.25, 0.1, 0.05, 0.0), (0.9, 0.55, 0.25, 0.1, 0.05, 0.02, 0.0)
# What setlist takes for the title of an extended version.
_EXTENDED = re.compile(
    r"""\bextended\b|\bclub\s+(?:mix|edit)\b|\blong\s+(?:mix|edit|version)\b|\b12\s*"|\b12[\s-]*inch\b""", re.I
)


@dataclass(frozen=True, eq=False)
class Tracks:
    """What the baselines read of n tracks.

    Attributes
    ----------
    key : ndarray of int, shape (n,)
        Index in the tables of `key_rules`, `UNKNOWN` where unknown.
    tempo, energy, danceability : ndarray, shape (n,)
        BPM, and 0-1; NaN where unknown.
    artist, album : ndarray of int, shape (n,)
        Numbers, -1 where unknown.
    genre : ndarray of str, shape (n,)
        First genre, in small letters and without hyphens; empty where unknown.
    extended : ndarray of bool, shape (n,)
        Whether the title names an extended version.
    space : ndarray, shape (n, 8)
        Scaled features.
    """

    key: NDArray[np.intp]
    tempo: Costs
    energy: Costs
    danceability: Costs
    artist: NDArray[np.intp]
    album: NDArray[np.intp]
    genre: NDArray[np.str_]
    extended: NDArray[np.bool_]
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
    titles = [title or "" for title in few.column("title").to_pylist()]
    return Tracks(
        key=key_index(few.numbers("key"), few.modes).astype(np.intp),
        tempo=few.tempos.astype(float),
        energy=few.numbers("energy").astype(float),
        danceability=few.numbers("danceability").astype(float),
        artist=artist_numbers(few),
        album=album_numbers(few),
        genre=np.array(first, dtype=np.str_),
        extended=np.array([bool(_EXTENDED.search(title)) for title in titles]),
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
    energies = np.nan_to_num(_AUDIOMUSE_LEAST + _AUDIOMUSE_SPAN * tracks.energy)
    energy = np.minimum(absolute_differences(energies) / 0.14, 1)
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


def wrzdj_keys(tracks: Tracks, strictness: float = STRICTNESS) -> Costs:
    """WrzDJ's score of keys as it counts: the stricter, the further from 0.5."""
    return np.asarray(0.5 + strictness * (wrzdj_key(tracks) - 0.5))


def wrzdj(tracks: Tracks, strictness: float = STRICTNESS) -> Costs:
    """1 minus WrzDJ's score of a transition, with unknown moods."""
    key, artist = wrzdj_keys(tracks, strictness), ~same_number(tracks.artist)
    return np.asarray(1 - (0.35 * wrzdj_tempo(tracks) + 0.30 * key + 0.20 * 0.5 + 0.15 * artist))


def playlist_sorter(tracks: Tracks, weights: tuple[float, ...] = SORTER_WEIGHTS) -> Costs:
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
    energy = absolute_differences(sorter_energy(tracks))
    # Two unknown artists or albums are the same to it: both are empty.
    artist, album = (number[:, None] == number[None, :] for number in (tracks.artist, tracks.album))
    parts = [key, energy / max(energy.max(), 1e-9), tempo / max(tempo.max(), 1e-9), artist, album]
    return np.asarray(sum(weight * part for weight, part in zip(weights, parts, strict=True)))


def sorter_energy(tracks: Tracks) -> Costs:
    """Energy as playlist-sorter reads it: a whole number from 1 to 10, 0 where unknown."""
    return np.asarray(np.nan_to_num(np.clip(np.rint(10 * tracks.energy), 1, 10)))


def reklawdbox_key(tracks: Tracks) -> Costs:
    """Reklawdbox's score of keys, 0.1-1; not known is as bad as a clash."""
    steps, letter, known = camelot_steps(tracks)
    moves = [letter & (steps == 0), letter & (steps == 1), steps == 0, steps == 1, letter & (steps == 2)]
    return np.asarray(np.where(known, np.select(moves, [1, 0.9, 0.8, 0.55, 0.45], 0.1), 0.1))


def reklawdbox_tempo(tracks: Tracks) -> Costs:
    """Reklawdbox's score of tempos, 0-1; half and double time are no match."""
    # An unknown tempo is 0 to it: from there any tempo scores 0.5, and to there it is a change of 100 per cent.
    tempo = np.nan_to_num(tracks.tempo)
    change = 100 * absolute_differences(tempo) / np.where(tempo > 0, tempo, 1)[:, None]
    return np.asarray(np.where((tempo > 0)[:, None], np.exp(-0.019 * change**2), 0.5))


def reklawdbox(tracks: Tracks) -> Costs:
    """1 minus reklawdbox's score of one transition alone, on its flat curve; not symmetric."""
    key = reklawdbox_key(tracks)
    high, stable = np.nan_to_num(tracks.energy) >= 0.65, np.nan_to_num(absolute_differences(tracks.energy)) <= 0.1
    same, family, known = reklawdbox_genres(tracks)
    parts = (
        key,
        reklawdbox_tempo(tracks),
        np.where(high[None, :] & stable, 1.0, 0.5),
        np.where(known, np.select([same, family], [1, 0.7], 0.3), 0.5),
    )
    score = np.sum([weight * part for weight, part in zip(REKLAWDBOX_WEIGHTS, parts, strict=True)], axis=0)
    return np.asarray(1 - score / sum(REKLAWDBOX_WEIGHTS) * np.where(key < REKLAWDBOX_LEAST_KEY, 0.5, 1))


def reklawdbox_genres(tracks: Tracks) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether pairs have the same genre, and one in the same family, and both are known to it; shape (n, n) each."""
    family = reklawdbox_families(tracks)
    known = family >= 0
    same = (tracks.genre[:, None] == tracks.genre[None, :]) & known[:, None]
    return same, (family[:, None] == family[None, :]) & (family > 0)[:, None], known[:, None] & known[None, :]


def reklawdbox_families(tracks: Tracks) -> NDArray[np.intp]:
    """Number of the family of each track's genre; 0 for genres without one, -1 for those that reklawdbox lacks."""
    by_genre = {genre: number for number, genres in enumerate(_REKLAWDBOX_FAMILIES) for genre in genres}
    return np.array([by_genre.get(genre, -1) for genre in tracks.genre.tolist()], dtype=np.intp)


def setlist_key(tracks: Tracks) -> Costs:
    """Setlist's score of keys, 0-1, before what an extended version forgives."""
    steps, letter, known = camelot_steps(tracks)
    up = (tracks.key[None, :] % 12 - tracks.key[:, None] % 12) % 12
    same, other = (np.array(scores)[steps] for scores in _SETLIST_KEYS)
    # Two and seven fifths up are two and one semitones up.
    score = np.where(letter, np.where((up == 2) | (up == 7), 0.7, same), other)
    return np.asarray(np.where(known, score, 0.5))


def setlist_tempo(tracks: Tracks) -> Costs:
    """Setlist's score of tempos, 0-1: up is better than down."""
    a, b = tracks.tempo[:, None], tracks.tempo[None, :]
    changes = np.stack([b - a, 2 * b - a, b / 2 - a])
    nearest = np.abs(changes).argmin(axis=0)
    change = np.take_along_axis(changes, nearest[None], axis=0)[0]
    score = np.where(change < 0, 1 + change / 4, np.minimum(1, 1 - (change - 2) / 7))
    return np.where(np.isnan(a + b), 0.5, np.maximum(score, 0) * np.where(nearest > 0, 0.85, 1))


def setlist(tracks: Tracks) -> Costs:
    """1 minus setlist's score of a transition; not symmetric. Unknown values, which it refuses, score 0.5."""
    key = setlist_key(tracks)
    key = np.where(tracks.extended[None, :], 0.5 + 0.5 * key, key)
    return np.asarray(1 - np.sqrt(key * setlist_tempo(tracks)))


def feature_distance(tracks: Tracks) -> Costs:
    """Euclidean distance of the scaled features."""
    squared = ((tracks.space[:, None, :].astype(float) - tracks.space[None, :, :]) ** 2).sum(axis=2)
    return np.asarray(np.sqrt(np.nan_to_num(squared)))
