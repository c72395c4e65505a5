"""Playlist: tracks in an order, with the terms of every transition; saved, shown and drawn by its methods."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from os import PathLike
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Floats, Rows
from disco.catalogue.music import camelot
from disco.errors import MissingExtra
from disco.playlist.cost import Knobs
from disco.playlist.html_table import Cell, html_table, similarity_colour
from disco.playlist.key_rules import KeyIndex, camelot_name
from disco.playlist.mixing import FOR_NEW_PLAYLISTS, Mixing
from disco.playlist.pitch import nearest, pitch_percent

# Columns of the catalogue that `to_dict` needs.
_SHOWN = ("track_id", "title", "artists", "key", "mode", "tempo_bpm", "duration_ms")
TERMS = ("cost", "distance", "key_similarity", "tempo_similarity")


@dataclass(frozen=True)
class Surroundings:
    """The tracks that a playlist was chosen from, and where each lies.

    Attributes
    ----------
    tracks : Catalogue
        Those of the playlist and all other candidates.
    vectors : ndarray, shape (n, d)
        Points between which distance was measured; NaN where unknown.
    rows : ndarray of rows
        Those of the playlist among them, in playing order.
    ranks : ndarray of int, shape (n,)
        Place of each in the recommender's ranking; 0 of the best, and of all where there is no ranking.
    """

    tracks: Catalogue
    vectors: Floats
    rows: Rows
    ranks: Rows


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
        Weights of the terms in the cost.
    catalogue : dict
        `where` the tracks come from, and how many `tracks` there are.
    predictor, recommender, sequencer : str
        Names of what made it.
    terms : dict of ndarray, shape (n - 1,)
        Of each transition: `cost`, `distance`, `key_similarity` (-1 to 1), `tempo_similarity` (-1 to 1) and
        `tempo_change` in per cent with half and double time folded; NaN where unknown.
    notes : tuple of str
        What the listener should know, in sentences.
    mixing : Mixing
        How keys and tempos are judged.
    arc : ndarray, optional
        Energy that was asked for at each position, shape (n,) or shorter; None where no arc was.
    unmatched : tuple of int
        Positions of tracks that are in no catalogue: nothing but their names is known.
    surroundings : Surroundings, optional
        The tracks that it was chosen from; None where that is not known, as of a playlist that was read from a file.

    Examples
    --------
    >>> import disco
    >>> playlist = disco.make(disco.open(), "sunday night staircase", length=3)
    >>> len(playlist), playlist.seeds
    (4, 1)
    >>> sorted(playlist.terms)
    ['cost', 'distance', 'key_similarity', 'tempo_change', 'tempo_similarity']
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
    surroundings: Surroundings | None = field(default=None, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.tracks)

    def save(
        self,
        path: str | PathLike[str],
        force: bool = False,
        *,
        paths: str | None = None,
        key_names: str | None = None,
    ) -> None:
        """Write the playlist to a file; its suffix tells the format.

        Parameters
        ----------
        path : str or path
            `.m3u8`, `.json`, `.csv`, `.jspf`, `.xspf`, `.pls`, `.xml` (rekordbox), `.nml` (Traktor), or `.html` for a
            page of figures.
        force : bool
            Whether an existing file is overwritten.
        paths : str, optional
            How an M3U8 names files, `relative` or `absolute`; by default as the catalogue does.
        key_names : str, optional
            Names of keys in `.xml` and `.nml`: `camelot`, `classic` or `open`.

        Raises
        ------
        DiscoError, DataError
            If the format is unknown, or the file cannot be written or exists already.

        Examples
        --------
        >>> import disco, tempfile
        >>> from pathlib import Path
        >>> playlist = disco.make(disco.open(), "sunday night staircase", length=3)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     playlist.save(Path(folder, "friday.m3u8"))
        ...     Path(folder, "friday.m3u8").read_text(encoding="utf-8").splitlines()[0]
        '#EXTM3U'
        """
        import disco  # the formats are a layer above

        disco.save(self, path, force=force, paths=paths, key_names=key_names)

    def show(self) -> None:
        """Print the playlist as a table: each track, and how it follows the one before it."""
        import disco

        disco.show(self)

    def figure(self, kind: str = "path") -> Any:
        """Draw the playlist.

        Parameters
        ----------
        kind : str
            `map` of the playlist among its candidates; `path` through the principal components of the features, in
            3-D; `wheel` of keys; `curves` of features, tempo and key over the positions; `matrix` of the costs of all
            transitions.

        Returns
        -------
        plotly.graph_objects.Figure
        """
        import disco

        return disco.figure(self, kind)

    def to_dict(self) -> dict[str, Any]:
        """The playlist as one JSON object; `join` tells how a track follows the one before it.

        Examples
        --------
        >>> import disco
        >>> playlist = disco.make(disco.open(), "sunday night staircase", length=3)
        >>> first, second, *_ = playlist.to_dict()["tracks"]
        >>> first["join"] is None, sorted(second["join"])
        (True, ['cost', 'distance', 'key_similarity', 'tempo_similarity'])
        """
        pitched = self.pitched()
        return {
            "name": self.name,
            "knobs": asdict(self.knobs),
            "catalogue": self.catalogue,
            "predictor": self.predictor,
            "recommender": self.recommender,
            "sequencer": self.sequencer,
            **({} if self.mixing in (Mixing(), FOR_NEW_PLAYLISTS) else {"mixing": self.mixing.as_dict()}),
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
                    "join": {name: _rounded(float(self.terms[name][i - 1]), 4) for name in TERMS}
                    | (pitched[i - 1] if pitched else {})
                    if i
                    else None,
                }
                for i, track in enumerate(self.tracks.tracks(names=_SHOWN))
            ],
        }

    def pitched(self) -> list[dict[str, Any]]:
        """What to pitch each track but the first by, and how its key then sounds; empty with key lock.

        Returns
        -------
        list of dict
            `pitch` in per cent, `sounding_key`, the Camelot name of the nearest key, None if unknown, and `cents`,
            hundredths of a semitone, by which the track sounds higher than that key.
        """
        if self.mixing.pitch is None or not len(self):
            return []
        _, after, semitones = self.mixing.sounding_keys(self.tracks)
        return pitched_records(after, semitones)

    def as_dict(self) -> dict[str, Any]:
        """The same as `to_dict`."""
        return self.to_dict()

    def to_pandas(self) -> Any:
        """The playlist as a pandas table: one row per track, with the terms of the transition before it.

        Returns
        -------
        pandas.DataFrame
            Indexed by `position`, from 1: `seed`, the columns of the catalogue, then the terms, NaN for the first
            track.

        Raises
        ------
        MissingExtra
            If pandas is not installed.
        """
        table = self.tracks.table
        table = table.add_column(0, "position", pa.array(np.arange(1, len(self) + 1)))
        table = table.add_column(1, "seed", pa.array(np.arange(len(self)) < self.seeds))
        for name, values in self.terms.items():
            table = table.append_column(name, pa.array(np.r_[np.full(min(len(self), 1), np.nan), values]))
        try:
            frame = table.to_pandas()  # imports pandas
        except ImportError:
            raise MissingExtra("pandas", "pandas") from None
        return frame.set_index("position")

    def _repr_html_(self) -> str:
        """The playlist as an HTML table, as notebooks show it."""
        heads = ("", "Title", "Artist", "Key", "BPM", "Key move", "Tempo", "Distance", "Cost")
        tracks = self.to_dict()["tracks"]
        changes = [math.nan, *self.terms["tempo_change"].tolist()]
        rows = []
        for i, (track, change) in enumerate(zip(tracks, changes, strict=True)):
            key, tempo, join = track["camelot"] or "?", track["tempo_bpm"], track["join"] or {}
            move = (
                f"{tracks[i - 1]['camelot'] or '?'} → {sounding_name(join) if 'sounding_key' in join else key}"
                if i
                else ""
            )
            percent = "" if not i else "?" if math.isnan(change) else f"{change:+.1f} %"
            rows.append(
                [
                    Cell(f"{i + 1} ◆" if track["seed"] else str(i + 1)),
                    Cell(track["title"] or track["id"]),
                    Cell(track["artist"] or ""),
                    Cell(key),
                    Cell("?" if tempo is None else f"{tempo:.0f}"),
                    Cell(move, similarity_colour(join.get("key_similarity"))),
                    Cell(percent, similarity_colour(join.get("tempo_similarity"))),
                    *(Cell("" if not i else _number(join[name])) for name in ("distance", "cost")),
                ]
            )
        return html_table(self.name, heads, rows)


def pitched_records(sounding: KeyIndex, semitones: NDArray[np.float64]) -> list[dict[str, Any]]:
    """What to pitch tracks by and how their keys then sound, as `Playlist.pitched`.

    Parameters
    ----------
    sounding : ndarray of int, shape (n,)
        Indices of the nearest keys.
    semitones : ndarray, shape (n,)
        By which the tracks sound higher.

    Examples
    --------
    >>> pitched_records(np.array([12]), np.array([-0.75]))
    [{'pitch': -4.24, 'sounding_key': '8A', 'cents': 25}]
    """
    cents = 100 * (semitones - nearest(semitones))
    return [
        {"pitch": round(float(pitch), 2), "sounding_key": camelot_name(int(key)), "cents": round(float(off))}
        for pitch, key, off in zip(pitch_percent(semitones), sounding, cents, strict=True)
    ]


def sounding_name(join: dict[str, Any]) -> str:
    """Name of a key as it sounds on a pitched track, with the hundredths of a semitone that it is off.

    Examples
    --------
    >>> sounding_name({"pitch": 4.2, "sounding_key": "8A", "cents": -29})
    '8A -29'
    """
    off = f" {join['cents']:+d}" if join["cents"] else ""
    return f"{join['sounding_key']}{off}" if join["sounding_key"] else "?"


def key_name(track: dict[str, Any]) -> str | None:
    """Camelot name of a track's key, None where unknown."""
    known = track["key"] is not None and track["mode"] is not None
    return camelot(track["key"], track["mode"]) if known else None


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:.2f}"


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None or math.isnan(value) else round(value, digits)
