"""What tracks cost at the positions of a sequence by their tempos: an arc of tempo, and a limit of drift."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Floats, Rows
from disco.catalogue.music import tempo_change, tempo_octaves
from disco.errors import DiscoError
from disco.playlist.mixing import TEMPO_PENALTY

# Per cent of tempo that cost as much as the weight of the arc.
_UNIT = 10.0
# Mean deviation from the arc, in per cent, from which a note says how well it is met.
_ROUGH = 3.0


class TempoWishes(Protocol):
    """The fields of `Constraints` on tempo."""

    @property
    def tempo_arc(self) -> tuple[float, ...]:
        """Tempos in beats per minute, evenly spread over the positions."""

    @property
    def tempo_arc_weight(self) -> float:
        """Cost of a track 10 per cent away from the arc."""

    @property
    def max_tempo_drift(self) -> float | None:
        """Per cent by which a tempo may differ from the first."""


def check_tempos(arc: tuple[float, ...], drift: float | None) -> None:
    """Refuse an arc or a limit of drift that means nothing, or both where they contradict each other."""
    if not all(math.isfinite(tempo) and 10 <= tempo <= 1000 for tempo in arc):
        raise DiscoError(f"an arc of tempo has tempos from 10 to 1000 BPM, not {', '.join(f'{t:g}' for t in arc)}")
    if len(arc) == 1:
        raise DiscoError("an arc of tempo needs two tempos or more, as 118,126,122")
    if drift is None:
        return
    if not (math.isfinite(drift) and drift >= 0):
        raise DiscoError(f"the allowed drift of tempo must be 0 per cent or more, not {drift:g}")
    if arc and (most := max(abs(100 * (tempo / arc[0] - 1)) for tempo in arc)) > drift:
        names = ",".join(f"{tempo:g}" for tempo in arc)
        raise DiscoError(
            f"--tempo-arc {names} goes {most:.1f} % away from its first tempo, and --max-tempo-drift allows "
            f"{drift:g} %; change one of them"
        )


def far_from(opening: float | Floats, tempos: Floats, drift: float, fold: bool = True) -> NDArray[np.bool_]:
    """Whether tempos differ from an opening tempo by more per cent than are allowed; False where unknown.

    Examples
    --------
    >>> far_from(120.0, np.array([126.0, 62.0, 140.0, np.nan]), 8).tolist()
    [False, False, True, False]
    """
    limit = math.log2(1 + drift / 100) + 1e-6
    return np.asarray(np.abs(tempo_octaves(opening, tempos, fold)) > limit)


class TempoCosts:
    """Costs of tempos by position.

    Parameters
    ----------
    tempos : ndarray, shape (n,)
        Of all tracks, NaN where unknown.
    total : int
        Number of positions.
    wishes : TempoWishes
    opening : float, optional
        Tempo of the first track, where it is given.
    fold : bool
        Whether half and double time count as the same tempo.
    """

    def __init__(
        self, tempos: Floats, total: int, wishes: TempoWishes, opening: float | None = None, fold: bool = True
    ) -> None:
        self._tempos, self._total, self._wishes, self._opening, self._fold = tempos, total, wishes, opening, fold

    @cached_property
    def arc(self) -> NDArray[np.float64] | None:
        """Tempo that is asked for at each position, shape (total,); None without an arc."""
        points = self._wishes.tempo_arc
        if not points or not self._wishes.tempo_arc_weight:
            return None
        # Evenly in octaves, so that equal steps are equal changes in per cent.
        octaves = np.interp(np.linspace(0, 1, self._total), np.linspace(0, 1, len(points)), np.log2(points))
        return np.asarray(np.exp2(octaves))

    def at(self, position: int, rows: Rows) -> Floats | None:
        """Costs of rows at a position, shape (n,), float32; None where nothing is asked for."""
        costs = None
        if self.arc is not None:
            # Squared, so that the shape of the arc is followed even by tracks that are all faster than it.
            share = tempo_change(self.arc[position], self._tempos[rows], self._fold) / _UNIT
            costs = np.float32(self._wishes.tempo_arc_weight) * np.nan_to_num(share**2, nan=0.0).astype(np.float32)
        if self._opening is not None and self._wishes.max_tempo_drift is not None and position:
            far = far_from(self._opening, self._tempos[rows], self._wishes.max_tempo_drift, self._fold)
            penalties = np.float32(TEMPO_PENALTY) * far.astype(np.float32)
            costs = penalties if costs is None else costs + penalties
        return costs

    def notes(self, path: Rows) -> list[str]:
        """How far a sequence is from what was asked for, in sentences."""
        notes, tempos = [], self._tempos[path]
        if self.arc is not None and len(path):
            off = np.abs(tempo_change(self.arc[: len(path)], tempos, self._fold))
            if np.isnan(off).all():
                notes.append("no track's tempo is known, so the arc of tempo could not be followed")
            elif (mean := float(np.nanmean(off))) > _ROUGH:
                worst = int(np.nanargmax(off))
                notes.append(
                    f"the arc of tempo is met within {mean:.1f} % on average, at worst by track {worst + 1} "
                    f"({tempos[worst]:.0f} BPM where {self.arc[worst]:.0f} were asked for)"
                )
        drift = self._wishes.max_tempo_drift
        if drift is not None and len(path):
            far = np.flatnonzero(far_from(tempos[0], tempos, drift, self._fold))
            if len(far):
                positions = ", ".join(str(position + 1) for position in far[:5]) + (", ..." if len(far) > 5 else "")
                notes.append(
                    f"{len(far)} of {len(path)} tracks are more than {drift:g} % from the {tempos[0]:.0f} BPM of the "
                    f"first ({positions}): no order with fewer was found"
                )
            if np.isnan(tempos[0]):
                notes.append("the tempo of the first track is unknown, so that drift from it could not be limited")
        return notes
