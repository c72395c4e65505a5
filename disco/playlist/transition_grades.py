"""Grades of the transitions of a playlist, for keys, tempo and sound, and their problems in words.

A grade is `good`, `fair` or `clash`; unknown values have none, and the overall grade is that of the worst known part.

*Key.* Good where the chosen rule allows the two keys. Fair up to two steps apart on the circle of fifths; further
apart most listeners notice a clash.

*Tempo.* Good up to 5 per cent, fair up to 10: 86 % and 94 % of the transitions of DJs are within these
(Kim et al., "A computational analysis of real-world DJ mixes", ISMIR 2020). Half and double time are folded
unless their weight is 0, and at most fair if it is below 1; a change above the limit is a clash.

*Sound.* Good where the two tracks are closer than three of four random pairs, fair where closer than half of them:
beyond, two tracks picked at random are as likely to be closer. Of 640,000 transitions in
people's playlists, 63 % lie within the first quartile of all music and 86 % within the median.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import FEATURES, Catalogue, Floats
from disco.catalogue.music import tempo_octaves
from disco.models.scaler import scaler
from disco.playlist.key_rules import camelot_name, key_rule
from disco.playlist.mixing import Mixing
from disco.playlist.pitch import pitch_percent
from disco.playlist.playlist import Playlist

GRADES = ("good", "fair", "clash")
UNKNOWN = -1
Grade = NDArray[np.int8]

# Limits of the grades, explained above: per cent of tempo change, and quantiles of distances.
_GOOD_CHANGE, _FAIR_CHANGE = 5.0, 10.0
_NEAR, _FAR = 0.25, 0.5
# With fewer tracks the quantiles mean little.
_FEWEST = 10
_PAIRS = 20_000
# K of keys two steps apart is 0.6, three 0.2.
_TWO_STEPS = 0.5


@dataclass(frozen=True)
class DistanceQuantiles:
    """Quantiles of the distances of random pairs: 25 % are below `near`, 50 % below `far`; NaN if unknown."""

    near: float
    far: float


@dataclass(frozen=True)
class Grades:
    """Grades of the transitions of one order, shape (n - 1,) each: indices into `GRADES`, `UNKNOWN` if not known."""

    key: Grade
    tempo: Grade
    sound: Grade

    @property
    def whole(self) -> Grade:
        """The worst known grade of each transition."""
        return np.maximum(np.maximum(self.key, self.tempo), self.sound)

    def counts(self) -> dict[str, int]:
        """How many transitions have each overall grade."""
        return {grade: int((self.whole == i).sum()) for i, grade in enumerate(GRADES)}


def grade_name(grade: int) -> str:
    """Word for a grade; `unknown` if there is none.

    Examples
    --------
    >>> grade_name(2)
    'clash'
    """
    return "unknown" if grade == UNKNOWN else GRADES[grade]


def distance_quantiles(embeddings: Floats) -> DistanceQuantiles:
    """Quantiles of the distances between embeddings, shape (n, d), estimated from 20,000 pairs with a fixed seed."""
    known_rows = np.flatnonzero(np.isfinite(embeddings).all(axis=1))
    if len(known_rows) < _FEWEST:
        return DistanceQuantiles(np.nan, np.nan)
    rng = np.random.default_rng(0)
    a = rng.integers(len(known_rows), size=_PAIRS)
    b = (a + rng.integers(1, len(known_rows), size=_PAIRS)) % len(known_rows)  # never the same track twice
    apart = np.linalg.norm(embeddings[known_rows[a]] - embeddings[known_rows[b]], axis=1)
    return DistanceQuantiles(*np.quantile(apart, (_NEAR, _FAR)).tolist())


def grade_transitions(playlist: Playlist, apart: DistanceQuantiles) -> Grades:
    """Grade the transitions of a playlist; its distances must be between neighbours, not to a prediction."""
    tracks, mixing, terms = playlist.tracks, playlist.mixing, playlist.terms
    own, sounding, _ = mixing.sounding_keys(tracks)
    circle = key_rule().between(own, sounding)
    key = np.where(mixing.keys.allows(own, sounding), 0, np.where(circle > _TWO_STEPS, 1, 2))
    before, after = tracks.tempos[:-1], tracks.tempos[1:]
    change = np.abs(terms["tempo_change"])
    tempo = _steps(change, _GOOD_CHANGE, _FAIR_CHANGE)
    if mixing.folds and mixing.half_time_weight < 1:
        tempo = np.where(folded(before, after), np.maximum(tempo, 1), tempo)
    tempo = np.where(mixing.large_tempo_jumps(before, after), 2, tempo)
    sound = _steps(terms["distance"], apart.near, apart.far)
    unknowns = (np.isnan(circle), np.isnan(change), np.isnan(terms["distance"]) | np.isnan(apart.far))
    parts = (np.where(unknown, UNKNOWN, part) for unknown, part in zip(unknowns, (key, tempo, sound), strict=True))
    return Grades(*(part.astype(np.int8) for part in parts))


def folded(before: Floats, after: Floats) -> NDArray[np.bool_]:
    """Whether tempos are closer to half or double time than to the same."""
    return np.asarray(np.abs(tempo_octaves(before, after, fold=False)) > 0.5)


def issues(playlist: Playlist, grades: Grades, apart: DistanceQuantiles, i: int) -> list[str]:
    """What is not good about the transition from track i to i + 1, and what is unknown, in words."""
    pair = playlist.tracks.tempos[i : i + 2]
    return [
        *_key_issues(playlist, int(grades.key[i]), i),
        *_tempo_issues(pair, int(grades.tempo[i]), float(playlist.terms["tempo_change"][i]), playlist.mixing),
        *_sound_issues(playlist.tracks, int(grades.sound[i]), float(playlist.terms["distance"][i]), apart, i),
    ]


def worst_transitions(playlist: Playlist, grades: Grades, n: int = 3) -> list[int]:
    """The n worst transitions that are not good: by their grade, then by the cost of their known terms."""
    knobs = playlist.knobs
    shares = {"distance": knobs.flow, "key_similarity": -knobs.sweetness, "tempo_similarity": -knobs.smoothness}
    # Unknown terms add nothing here, where 1 - K would add 1.
    costs = sum(
        np.nan_to_num(knob * (playlist.terms[name] - (name != "distance")), nan=0.0) for name, knob in shares.items()
    )
    order = np.lexsort((-np.asarray(costs), -grades.whole))
    return [int(i) for i in order if grades.whole[i] > 0][:n]


def _steps(values: Floats, good: float, fair: float) -> NDArray[np.int_]:
    """0 up to the first limit, 1 up to the second, 2 beyond, with a tolerance for float32."""
    return (values > good + 1e-4).astype(int) + (values > fair + 1e-4)


def _key_issues(playlist: Playlist, grade: int, i: int) -> list[str]:
    if grade == UNKNOWN:
        return ["a key is unknown"]
    if grade == 0:
        return []
    keys = playlist.mixing.sounding_keys(playlist.tracks, np.array([i, i + 1]))
    before, after = (camelot_name(int(key[0])) or "?" for key in keys[:2])
    apart = abs(int(before[:-1]) - int(after[:-1]))
    steps = min(apart, 12 - apart)
    far = f"{steps} {'step' if steps == 1 else 'steps'} apart on the wheel" if steps else "one number, two letters"
    pitched = f", pitched {pitch_percent(keys.semitones[0]):+.1f} %" if keys.semitones[0] else ""
    return [f"keys {before} → {after}{pitched}: {far}, which {playlist.mixing.key_rule} does not allow"]


def _tempo_issues(pair: Floats, grade: int, change: float, mixing: Mixing) -> list[str]:
    if grade == UNKNOWN:
        return ["a tempo is unknown"]
    if grade == 0:
        return []
    before, after = pair
    octave = folded(pair[:1], pair[1:])[0] and mixing.folds
    half = f", {'double' if after > before else 'half'} time folded" if octave else ""
    return [f"tempo {before:.0f} → {after:.0f} BPM: {change:+.1f} %{half}"]


def _sound_issues(tracks: Catalogue, grade: int, distance: float, apart: DistanceQuantiles, i: int) -> list[str]:
    if grade == UNKNOWN:
        known = tracks.has_comparable_features[i : i + 2].all()
        return [] if known else ["the features of a track are unknown"]
    if grade == 0:
        return []
    limit, pairs = (apart.near, "a quarter") if grade == 1 else (apart.far, "half")
    return [
        f"sound {distance:.2f} apart, where {pairs} of all pairs is within {limit:.2f}{_largest_changes(tracks, i)}"
    ]


def _largest_changes(tracks: Catalogue, i: int) -> str:
    """The two features that change most between two tracks, relative to their spread in all music."""
    raw = tracks.features()[i : i + 2]
    change = np.abs(np.diff(scaler().transform(raw), axis=0)[0])
    if np.isnan(change).any():
        return ""
    most = np.argsort(-change, kind="stable")[:2]
    return "; " + ", ".join(f"{FEATURES[k]} {raw[0, k]:.2f} → {raw[1, k]:.2f}" for k in most)
