"""Tempos that are probably half or double of what they should be, by those of the same genres.

Estimates of tempo are often wrong by an octave: a drum and bass track of 174 BPM is measured at 87. Of one genre most
tempos lie close together, so a tempo is suspicious if half or twice of it is where many tempos of its genres are, and
it is itself where hardly any are. What a genre's tempos are is estimated by a kernel density in octaves.

It is no more than a suspicion. Of 3,568 tracks among 382,545 whose tempos DJs' software has measured too, 160 are
wrong by an octave. Of 20 of them that are found by a ratio of 8, six are wrong, eleven are right as they are, and
three are other recordings. Neither other ratios nor an artist's other tempos nor ranges of tempo were right more
often than in one of two cases, so that a person decides.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from disco.catalogue.table import Catalogue

Values = NDArray[np.float64]

# Tempos of a genre that are needed to judge by it.
FEWEST = 20
# How much more frequent tempos near half or double must be than those near the tempo itself.
RATIO = 8.0
# Width of the kernel in octaves: 3 per cent of tempo.
_WIDTH = 0.043
# Points of the density per octave, and the range of tempos that it covers.
_POINTS = 64
_SLOWEST, _FASTEST = 20.0, 500.0
# Per cent within which tempos are counted in the reason.
_NEAR = 6.0


@dataclass(frozen=True)
class SuspectTempo:
    """A tempo that is probably half or double of what it should be.

    Attributes
    ----------
    row : int
    tempo_bpm, better_bpm : float
        As it is, and as it probably should be.
    reason : str
    ratio : float
        How much more frequent tempos near the better one are in the genre.
    """

    row: int
    tempo_bpm: float
    better_bpm: float
    reason: str
    ratio: float


def suspect_tempos(catalogue: Catalogue) -> list[SuspectTempo]:
    """Find tempos that are probably half or double of what they should be, the most certain first.

    Tempos that the person gave are never among them.

    Examples
    --------
    >>> tracks = [{"track_id": str(i), "genres": ["drum and bass"], "tempo_bpm": 170.0 + i % 8} for i in range(40)]
    >>> tracks += [{"track_id": "slow", "genres": ["drum and bass"], "tempo_bpm": 87.0}]
    >>> [(found.tempo_bpm, found.better_bpm) for found in suspect_tempos(Catalogue.from_tracks(tracks))]
    [(87.0, 174.0)]
    """
    tempos = catalogue.tempos.astype(float)
    own = np.array([origin == "person" for origin in catalogue.column("tempo_origin").to_pylist()], dtype=bool)
    known = ~np.isnan(tempos) & (tempos >= _SLOWEST) & (tempos <= _FASTEST)
    rows_of: dict[str, list[int]] = defaultdict(list)
    for row, genres in enumerate(catalogue.column("genres").to_pylist()):
        for genre in dict.fromkeys(genre.lower() for genre in genres or ()):
            rows_of[genre].append(row)
    octaves = np.log2(np.where(known, tempos, 1.0))
    # Sums over the genres of each track of the density near half, same and double.
    near = np.zeros((len(catalogue), 3))
    largest: dict[int, str] = {}
    for genre, all_rows in rows_of.items():
        rows = np.array(all_rows)[known[all_rows]]
        if len(rows) < FEWEST:
            continue
        density = _density(octaves[rows])
        for i, shift in enumerate((-1.0, 0.0, 1.0)):
            near[rows, i] += np.interp(octaves[rows] + shift, *density, left=0.0, right=0.0)
        for row in rows.tolist():
            if row not in largest or len(rows) > len(rows_of[largest[row]]):
                largest[row] = genre
    found = []
    for row in np.flatnonzero(known & ~own & (near.sum(axis=1) > 0)).tolist():
        i = 0 if near[row, 0] >= near[row, 2] else 2
        # The track itself is one of the tempos near to its own; as many are counted in its favour.
        ratio = near[row, i] / near[row, 1]
        if ratio >= RATIO:
            better = tempos[row] * (0.5 if i == 0 else 2.0)
            reason = _reason(largest[row], tempos[np.array(rows_of[largest[row]])], tempos[row], better)
            found.append(SuspectTempo(row, float(tempos[row]), float(better), reason, float(ratio)))
    return sorted(found, key=lambda suspect: -suspect.ratio)


def _density(octaves: Values) -> tuple[Values, Values]:
    """Points in octaves and the density of tempos at each."""
    low, high = np.log2(_SLOWEST) - 1, np.log2(_FASTEST) + 1
    edges = np.linspace(low, high, round((high - low) * _POINTS) + 1)
    counts, _ = np.histogram(octaves, edges)
    step = edges[1] - edges[0]
    reach = np.arange(-round(4 * _WIDTH / step), round(4 * _WIDTH / step) + 1) * step
    kernel = np.exp(-0.5 * (reach / _WIDTH) ** 2)
    smooth = np.convolve(counts, kernel / kernel.sum(), mode="same") / len(octaves)
    return (edges[:-1] + edges[1:]) / 2, smooth


def _reason(genre: str, tempos: Values, tempo: float, better: float) -> str:
    known = tempos[~np.isnan(tempos)]
    shares = [float((np.abs(known / bpm - 1) <= _NEAR / 100).mean()) for bpm in (better, tempo)]
    return (
        f"of {len(known):,} {genre} tracks {100 * shares[0]:.0f} % are within {_NEAR:g} % of {better:.0f} BPM and "
        f"{100 * shares[1]:.1f} % of {tempo:.0f}"
    )
