"""Playlist: tracks in an order, and why they stand in it. `generate` makes one in the four steps."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from disco.catalogue import Catalogue, Floats
from disco.catalogue.music import camelot
from disco.playlist.cost import Knobs
from disco.playlist.mixing import Mixing


@dataclass(frozen=True)
class Playlist:
    """Tracks in playing order with the terms of every transition.

    Attributes
    ----------
    name : str
    tracks : Catalogue
        The tracks alone, in playing order.
    seeds : int
        How many of the first tracks were given.
    knobs : Knobs
    catalogue : dict
        `where` the tracks are from, and how many `tracks` there are.
    predictor, recommender, sequencer : str
        Names of what made it.
    terms : dict of ndarray, shape (n - 1,)
        Of each transition: `cost`, `distance`, `key_similarity`, `tempo_similarity`, and `tempo_change` in per
        cent with half and double time folded; NaN where unknown.
    notes : tuple of str
        What its maker should tell the listener, in sentences.
    mixing : Mixing
        What the key and tempo similarities are.
    arc : ndarray, optional
        Energy that was asked for at each position, shape (n,) or shorter; None where no arc was.
    unmatched : tuple of int
        Positions of tracks that are in no catalogue: nothing but their names is known.
    """

    name: str
    tracks: Catalogue
    seeds: int
    knobs: Knobs
    catalogue: dict[str, Any]
    predictor: str
    recommender: str
    sequencer: str
    terms: dict[str, Floats]
    notes: tuple[str, ...] = ()
    mixing: Mixing = Mixing()  # noqa: RUF009 - frozen
    arc: Floats | None = None
    unmatched: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.tracks)

    def to_dict(self) -> dict[str, Any]:
        """The playlist as one JSON object; `transition` tells how a track follows the one before it."""
        return {
            "name": self.name,
            "knobs": asdict(self.knobs),
            "catalogue": self.catalogue,
            "predictor": self.predictor,
            "recommender": self.recommender,
            "sequencer": self.sequencer,
            **({} if self.mixing == Mixing() else {"mixing": self.mixing.as_dict()}),
            "tracks": [
                {
                    "position": i + 1,
                    "seed": i < self.seeds,
                    "id": track["track_id"],
                    "title": track["title"],
                    "artist": ", ".join(track["artists"] or []) or None,
                    "camelot": key_name(track),
                    "key": track["key"],
                    "mode": track["mode"],
                    "tempo_bpm": _rounded(track["tempo_bpm"], 2),
                    "duration_ms": track["duration_ms"],
                    "join": self._join(i) if i else None,
                }
                for i, track in enumerate(self.tracks.table.to_pylist())
            ],
        }

    def as_dict(self) -> dict[str, Any]:
        """The same as `to_dict`."""
        return self.to_dict()

    def _join(self, i: int) -> dict[str, float | None]:
        names = ("cost", "distance", "key_similarity", "tempo_similarity")
        return {name: _rounded(float(self.terms[name][i - 1]), 4) for name in names}


def key_name(track: dict[str, Any]) -> str | None:
    """Camelot name of a track's key, None where unknown."""
    known = track["key"] is not None and track["mode"] is not None
    return camelot(track["key"], track["mode"]) if known else None


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None or math.isnan(value) else round(value, digits)
