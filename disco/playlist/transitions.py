"""The transitions of a playlist in words: moves between keys, changes of tempo and energy, and what is not good."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from disco.catalogue import Floats
from disco.playlist.key_moves import key_move
from disco.playlist.key_rules import key_index
from disco.playlist.playlist import Playlist
from disco.playlist.transition_grades import DistanceQuantiles, Grades, folded, grade_name, grade_transitions, issues

# Changes of energy below it are not felt as one.
_SAME_ENERGY = 0.05
# Per cent that would be shown as 0.
_SAME_TEMPO = 0.05
_SOUND = {"good": "sounds near", "fair": "sounds a little different", "clash": "sounds far away"}
UNGRADED = DistanceQuantiles(np.nan, np.nan)


@dataclass(frozen=True)
class Transition:
    """How a track follows the one before it.

    Attributes
    ----------
    grade : str
        The worst known of those of key, tempo and sound: good, fair, clash, or unknown.
    key, tempo, sound : str
        The grade of each.
    key_move, tempo_change : str
        In words.
    reason : str
        All of it in one line.
    problems : tuple of str
        What is not good, in sentences; empty where everything is.
    """

    grade: str
    key: str
    tempo: str
    sound: str
    key_move: str
    tempo_change: str
    reason: str
    problems: tuple[str, ...]


def transitions(playlist: Playlist, apart: DistanceQuantiles = UNGRADED) -> list[Transition]:
    """Tell how each track of a playlist follows the one before it.

    Parameters
    ----------
    playlist : Playlist
    apart : DistanceQuantiles
        Quantiles of the distances of random pairs, between the points of `playlist.surroundings`; without them the
        sound is not graded.

    Returns
    -------
    list of Transition
        One fewer than there are tracks.

    Examples
    --------
    >>> import disco
    >>> playlist = disco.make(disco.open(), "sunday night staircase", length=3)
    >>> [transition.key_move for transition in transitions(playlist)]
    ['a diagonal down', 'the relative key', 'a fifth down']
    """
    between, grades = graded(playlist, apart)
    keys = key_index(playlist.tracks.numbers("key"), playlist.tracks.modes).tolist()
    tempos = playlist.tracks.tempos
    turned = folded(tempos[:-1], tempos[1:]) & playlist.mixing.folds
    energy = np.diff(playlist.tracks.numbers("energy"))
    found = []
    for i, change in enumerate(between.terms["tempo_change"].tolist()):
        octave = ("double" if tempos[i + 1] > tempos[i] else "half") if turned[i] else ""
        key, tempo, sound = (grade_name(int(part[i])) for part in (grades.key, grades.tempo, grades.sound))
        move, speed = key_move(keys[i], keys[i + 1]), tempo_in_words(change, octave)
        parts = [move, speed, energy_in_words(float(energy[i])), _SOUND.get(sound, "")]
        found.append(
            Transition(
                grade_name(int(grades.whole[i])), key, tempo, sound, move, speed,
                ", ".join(filter(None, parts)), tuple(issues(between, grades, apart, i)),
            )
        )  # fmt: skip
    return found


def graded(playlist: Playlist, apart: DistanceQuantiles = UNGRADED) -> tuple[Playlist, Grades]:
    """The playlist with distances between neighbours, not from predictions, and the grades of its transitions."""
    around, terms = playlist.surroundings, playlist.terms
    unknown = np.full(max(len(playlist) - 1, 0), np.nan, dtype=np.float32)
    distance = unknown if around is None else _apart(around.vectors[around.rows])
    between = replace(playlist, terms={**terms, "distance": distance})
    return between, grade_transitions(between, apart)


def tempo_in_words(change: float, octave: str = "") -> str:
    """A change of tempo in words.

    Parameters
    ----------
    change : float
        In per cent, with half and double time folded; NaN unknown.
    octave : str
        `half` or `double` where that was folded.

    Examples
    --------
    >>> tempo_in_words(1.25), tempo_in_words(0.0, "half")
    ('tempo +1.2 %', 'half time, the same tempo')
    """
    if np.isnan(change):
        return "a tempo is unknown"
    time = f"{octave} time, " if octave and abs(change) < 50 else ""
    return time + ("the same tempo" if abs(change) < _SAME_TEMPO else f"tempo {change:+.1f} %")


def energy_in_words(change: float) -> str:
    """A change of energy in words; empty where unknown.

    Examples
    --------
    >>> energy_in_words(0.2), energy_in_words(-0.01)
    ('energy +0.20', 'as much energy')
    """
    if np.isnan(change):
        return ""
    return "as much energy" if abs(change) < _SAME_ENERGY else f"energy {change:+.2f}"


def _apart(points: Floats) -> Floats:
    return np.asarray(np.linalg.norm(np.diff(points, axis=0), axis=1), dtype=np.float32)
