"""Corrections: the user's own keys, tempos and energies of tracks, which take precedence over all sources.

A small CSV, `track,key,bpm,energy`: a track is an id, a path, or `artist - title`; a key is written as 8A, Am or 1m,
an energy from 0 to 1. `disco catalogue set` keeps one in the user's data folder, which every catalogue applies.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from disco.catalogue import Catalogue
from disco.catalogue.key_names import parse_key
from disco.catalogue.music import camelot
from disco.catalogue.same_recording import Recordings
from disco.catalogue.schema import PERSON
from disco.catalogue.text import split_names
from disco.errors import DataError, DiscoError, NotFoundError
from disco.sources import storage
from disco.sources.limits import content_of

COLUMNS = ("track", "key", "bpm", "energy")
# Other names of the columns, as people call them.
_CALLED = {"id": "track", "track_id": "track", "path": "track", "tempo": "bpm", "tempo_bpm": "bpm"}
# Of a file of them; a row has some 50.
_MOST_BYTES = 64 << 20
# In beats per minute, as in tables.
_LEAST_BPM, _MOST_BPM = 10.0, 1000.0


@dataclass(frozen=True)
class Correction:
    """Corrected values of a track; None leaves a value as it is.

    Attributes
    ----------
    track : str
        Id, path, or `artist - title`.
    key : (key, mode), optional
    bpm, energy : float, optional
    """

    track: str
    key: tuple[int, int] | None = None
    bpm: float | None = None
    energy: float | None = None

    @property
    def empty(self) -> bool:
        """Whether it corrects nothing."""
        return (self.key, self.bpm, self.energy) == (None, None, None)


def user_file() -> Path:
    """The file that `disco catalogue set` writes."""
    return storage.user_data_dir() / "corrections.csv"


def read(path: Path) -> list[Correction]:
    """The corrections of a file; of two for one track the later one counts.

    Raises
    ------
    NotFoundError, DataError
        With the line that cannot be used.
    """
    try:
        text = content_of(path, _MOST_BYTES).decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        raise NotFoundError(f"{path}: there is no such file") from None
    except OSError as error:
        raise DataError(path, f"cannot be read ({error.strerror})") from None
    except ValueError:
        raise DataError(path, "is not UTF-8; save it as UTF-8") from None
    reader = csv.reader(io.StringIO(text, newline=""))
    header = next((row for row in reader if any(row)), [])
    names = [_CALLED.get(name.strip().lower(), name.strip().lower()) for name in header]
    unknown = [name for name in names if name not in COLUMNS]
    if unknown or "track" not in names or len(set(names)) < max(len(names), 2):
        raise DataError(f"{path}, line 1", f"must name the columns {', '.join(COLUMNS)}, track and others of them")
    found: dict[str, Correction] = {}
    try:
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            where = f"{path}, line {reader.line_num}"
            if len(row) != len(names):
                raise DataError(where, f"has {len(row)} values where the header has {len(names)}")
            values = dict(zip(names, (cell.strip() for cell in row), strict=True))
            if not values["track"]:
                raise DataError(where, "names no track; write an id, a path, or artist - title")
            try:
                correction = updated(Correction(values.pop("track")), values)
            except DiscoError as error:
                raise DataError(where, str(error)) from None
            if correction.empty:
                raise DataError(where, f"has no value for {correction.track[:60]!r}; give a key, bpm or energy")
            found.pop(correction.track, None)
            found[correction.track] = correction
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}", f"is not readable ({error})") from None
    return list(found.values())


def write(corrections: Sequence[Correction], path: Path) -> None:
    """Write corrections, completely or not at all; without any the file is removed."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")  # as the standard has it, so that \r is quoted too
    writer.writerow(COLUMNS)
    writer.writerows(as_row(correction).values() for correction in corrections)
    try:
        if not corrections:
            path.unlink(missing_ok=True)
            return
        storage.make_private_folder(path.parent)
    except OSError as error:
        raise DataError(path, f"cannot be written ({error.strerror})") from None
    storage.write_atomic(path, text.getvalue())


def change(track: str, values: dict[str, str]) -> Correction:
    """Change the correction of one track in the user's own file, whatever other processes change there meanwhile.

    Parameters
    ----------
    track : str
        Id, path, or `artist - title`.
    values : dict
        As for `updated`.

    Returns
    -------
    Correction
        As it is now; empty where nothing is left of it, so that it was removed.

    Raises
    ------
    DiscoError
        If a value cannot be read, or the file cannot be read or written.
    """
    path = user_file()
    with storage.locked(path):
        stored = {correction.track: correction for correction in (read(path) if path.is_file() else [])}
        new = updated(stored.pop(track, Correction(track)), values)
        write([*stored.values(), *([] if new.empty else [new])], path)
    return new


def as_row(correction: Correction) -> dict[str, str]:
    """A correction as the texts of its row, the key in Camelot's notation."""
    key = camelot(*correction.key) if correction.key else ""
    bpm, energy = ("" if value is None else f"{value:g}" for value in (correction.bpm, correction.energy))
    return {"track": correction.track, "key": key, "bpm": bpm, "energy": energy}


def updated(correction: Correction, values: dict[str, str]) -> Correction:
    """A correction with other values, given as texts by the names of their columns; a blank takes one away.

    Raises
    ------
    DiscoError
        If a name is not known or a value cannot be read.
    """
    for name, text in values.items():
        text = text.strip()
        if name == "key":
            key = parse_key(text)
            if text and key is None:
                raise DiscoError(f"{text[:40]!r} is no key; write it as 8A, Am or 1m")
            correction = replace(correction, key=key)
        elif name == "bpm":
            correction = replace(correction, bpm=_number(text, "tempo", _LEAST_BPM, _MOST_BPM))
        elif name == "energy":
            correction = replace(correction, energy=_number(text, "energy", 0, 1))
        else:
            raise DiscoError(f"{name[:40]!r} cannot be set; what can is key=, bpm= and energy=")
    return correction


def _number(text: str, what: str, least: float, most: float) -> float | None:
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = np.nan
    if not least <= number <= most:
        raise DiscoError(f"{text[:40]!r} is no {what}; it is a number from {least:g} to {most:g}")
    return number


def apply(catalogue: Catalogue, corrections: Sequence[Correction], where: Path | None = None) -> Catalogue:
    """Apply corrections to a catalogue; a note reports how many tracks they changed.

    Parameters
    ----------
    catalogue : Catalogue
    corrections : sequence of Correction
        Of two for one track the later counts.
    where : Path, optional
        The file of the corrections, if they were made for this catalogue: a note lists those that match no track.
    """
    rows = _found(catalogue, [correction.track for correction in corrections])
    values: dict[str, dict[int, Any]] = {"key": {}, "mode": {}, "tempo_bpm": {}, "energy": {}}
    for found, correction in zip(rows, corrections, strict=True):
        for row in found:
            if correction.key is not None:
                values["key"][row], values["mode"][row] = correction.key
            if correction.bpm is not None:
                values["tempo_bpm"][row] = correction.bpm
            if correction.energy is not None:
                values["energy"][row] = correction.energy
    table = catalogue.table
    for name, of_row in values.items():
        table = _with(table, name, of_row)
        # It was the person, who is sure.
        table = _with(table, f"{name.removesuffix('_bpm')}_origin", dict.fromkeys(of_row, PERSON))
        table = _with(table, f"{name.removesuffix('_bpm')}_confidence", dict.fromkeys(of_row, 1.0))
    alone = pc.is_null(table["feature_set"]).to_numpy()
    table = _with(table, "feature_set", dict.fromkeys((row for row in values["energy"] if alone[row]), PERSON))
    notes = []
    if touched := set().union(*values.values()):
        notes.append(f"{len(touched):,} tracks have the key, tempo or energy that you gave them")
    if where is not None and (
        unmatched := [c.track for c, found in zip(corrections, rows, strict=True) if not found]
    ):
        shown = "; ".join(repr(track[:60]) for track in unmatched[:3]) + ("; ..." if len(unmatched) > 3 else "")
        notes.append(f"{where}: {len(unmatched):,} of {len(corrections):,} corrections match no track: {shown}")
    return replace(catalogue, table=table, notes=(*catalogue.notes, *notes))


def _with(table: pa.Table, name: str, of_row: dict[int, Any]) -> pa.Table:
    """A table with other values in some rows of a column; unchanged if it has none of this name."""
    if not of_row or name not in table.column_names:
        return table
    rows = sorted(of_row)
    mask = np.zeros(table.num_rows, dtype=bool)
    mask[rows] = True
    field = table.schema.field(name)
    new = pa.array([of_row[row] for row in rows], field.type)
    column = pc.replace_with_mask(table[name].combine_chunks(), pa.array(mask), new)
    return table.set_column(table.column_names.index(name), field, column)


def _found(catalogue: Catalogue, tracks: list[str]) -> list[list[int]]:
    """Rows of the tracks that each text names, by id, by path, or else by artist and title."""
    recordings = Recordings(catalogue)
    rows: list[list[int]] = [[] for _ in tracks]
    paths = [track if "/" in track or os.sep in track else None for track in tracks]
    found = recordings.find_all(ids=tracks, paths=paths)
    for number, row in zip(found.given.tolist(), found.rows.tolist(), strict=True):
        rows[number].append(row)
    # Any of the dashes may be the one that parts the artist from the title.
    names = [
        (number, *name) for number, track in enumerate(tracks) if not rows[number] for name in split_names(track)
    ]
    found = recordings.find_all(titles=[title for _, _, title in names], artists=[artist for _, artist, _ in names])
    for named, row in zip(found.given.tolist(), found.rows.tolist(), strict=True):
        rows[names[named][0]].append(row)
    return rows
