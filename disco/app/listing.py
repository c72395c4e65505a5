"""A playlist as the page shows it: rows, the transitions between them, and what there is to say of the whole."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from disco.app.play import Music
from disco.catalogue import Catalogue
from disco.catalogue.music import camelot, key_name, tempo_change
from disco.catalogue.text import printable
from disco.export.plot.style import key_colour
from disco.playlist.playlist import Playlist
from disco.playlist.reorder import Reordered
from disco.playlist.replacements import Replacement
from disco.playlist.transition_grades import GRADES
from disco.playlist.transitions import Transition, transitions

_SPOTIFY = re.compile(r"[0-9A-Za-z]{22}")
# A tempo that a DJ can match without anybody hearing it.
_WITHIN = 6.0


def listing(playlist: Playlist, music: Music) -> dict[str, Any]:
    """Everything that the page shows of a playlist, for JSON.

    Examples
    --------
    >>> import disco
    >>> from disco.app.play import music_of
    >>> shown = listing(disco.make(disco.open(), "sunday night staircase", length=3), music_of(disco.open()))
    >>> [row["position"] for row in shown["rows"]], len(shown["joins"])
    ([1, 2, 3, 4], 3)
    """
    described = transitions(playlist, music.apart)
    unmatched = set(playlist.unmatched)
    rows = [
        {**track_row(track), "position": i + 1, "seed": i < playlist.seeds, "known": i not in unmatched}
        for i, track in enumerate(playlist.tracks.tracks())
    ]
    return {
        "name": printable(playlist.name),
        "rows": rows,
        "joins": [
            join_row(transition, float(cost))
            for transition, cost in zip(described, playlist.terms["cost"], strict=True)
        ],
        "summary": summary(playlist, described),
        "notes": [printable(note) for note in playlist.notes],
        "arc": [] if playlist.arc is None else [round(float(height), 4) for height in playlist.arc],
        "measures": _measures(playlist),
        "knobs": playlist.to_dict()["knobs"],
    }


def track_row(track: Mapping[str, Any]) -> dict[str, Any]:
    """A track as a row shows it; unknown values are None."""
    known = track["key"] is not None and track["mode"] is not None
    name = camelot(track["key"], track["mode"]) if known else None
    place = float("nan") if name is None else float((int(name[:-1]) - 8) % 12)
    energy, tempo, length = track["energy"], track["tempo_bpm"], track["duration_ms"]
    track_id = track["track_id"]
    return {
        "id": track_id,
        "title": printable(track["title"] or "") or printable(track_id),
        "artist": printable(", ".join(track["artists"] or [])),
        "album": printable(track["album"] or ""),
        "genre": printable(", ".join((track["genres"] or [])[:3])),
        "key": name,
        "key_name": key_name(track["key"], track["mode"]) if known else None,
        "colour": key_colour(place),
        "bpm": None if tempo is None else round(float(tempo), 2),
        "energy": None if energy is None else round(float(energy), 3),
        "seconds": None if length is None else round(length / 1000),
        "spotify": f"https://open.spotify.com/track/{track_id}" if _SPOTIFY.fullmatch(track_id) else None,
        "file": bool(track["path"]),
    }


def join_row(transition: Transition, cost: float) -> dict[str, Any]:
    """A transition as the page shows it between two rows."""
    return {
        "grade": transition.grade,
        "key": transition.key,
        "tempo": transition.tempo,
        "sound": transition.sound,
        "move": transition.key_move,
        "change": transition.tempo_change,
        "reason": transition.reason,
        "problems": [printable(problem) for problem in transition.problems],
        "cost": None if np.isnan(cost) else round(cost, 3),
    }


def choice_row(choice: Replacement) -> dict[str, Any]:
    """A track that could stand in another's place."""
    before, after = choice.before, choice.after
    reasons = ([before.reason] if before else []) + ([f"then {after.reason}"] if after else [])
    grades = [GRADES.index(part.grade) for part in (before, after) if part is not None and part.grade in GRADES]
    return {
        **track_row(choice.track),
        "reason": "; ".join(reasons),
        "grade": GRADES[max(grades)] if grades else "unknown",
        "cost": round(choice.cost, 3),
    }


def summary(playlist: Playlist, described: list[Transition]) -> dict[str, Any]:
    """Counts over the whole playlist."""
    tempos = playlist.tracks.tempos
    changes = np.abs(tempo_change(tempos[:-1], tempos[1:], playlist.mixing.folds))
    known = ~np.isnan(changes)
    durations = playlist.tracks.numbers("duration_ms")
    return {
        "tracks": len(playlist),
        "minutes": round(float(np.nansum(durations)) / 60_000),
        "whole": bool(np.isfinite(durations).all()),
        "joins": len(described),
        "good": sum(transition.grade == "good" for transition in described),
        "keys": sum(transition.key == "good" for transition in described),
        "keys_known": sum(transition.key != "unknown" for transition in described),
        "within": int((changes[known] <= _WITHIN + 1e-4).sum()),
        "tempos_known": int(known.sum()),
        "worst": None if not known.any() else round(float(changes[known].max()), 1),
        "cost": None if not len(described) else round(float(np.nanmean(playlist.terms["cost"])), 2),
    }


def _measures(playlist: Playlist) -> dict[str, Any] | None:
    """What is shown of a list before and after it was put in order."""
    if not isinstance(playlist, Reordered):
        return None
    before, after = playlist.before.as_dict(), playlist.after.as_dict()
    return {"before": before, "after": after}


def found_rows(catalogue: Catalogue, text: str, n: int) -> list[dict[str, Any]]:
    """Tracks that a text which is still being typed finds, best first."""
    rows = np.array([match.row for match in catalogue.search(text, n, typing=True)], dtype=np.intp)
    return [track_row(track) for track in catalogue.tracks(rows)]
