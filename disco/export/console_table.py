"""A playlist as a table for the terminal and the notebook: each track, and how it follows the one before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from disco.catalogue.text import printable
from disco.playlist.playlist import Playlist, key_name, sounding_name
from disco.playlist.transition_grades import Grades, grade_name

if TYPE_CHECKING:
    from rich.table import Table

# Key similarity up to two steps on the circle of fifths apart; most listeners hear a clash below 0.
_COMPATIBLE, _CLASH = 0.6, 0.0
_COLOURS = {"good": "green", "fair": "yellow", "clash": "red", "unknown": "dim"}
# Width where there is no terminal.
_WIDTH = 120
# Columns of the catalogue that are shown.
_COLUMNS = ("track_id", "title", "artists", "key", "mode", "tempo_bpm")


def show(playlist: Playlist, grades: Grades | None = None) -> None:
    """Print a playlist as a table on stdout, with the grades of its transitions if there are any."""
    from rich.console import Console  # takes longer to load than the table to print

    console = Console(soft_wrap=False)
    if not console.is_terminal:
        console.width = _WIDTH
    console.print(table(playlist, grades))


def table(playlist: Playlist, grades: Grades | None = None) -> Table:
    """A playlist as a table: each track, and how it follows the one before it; grades of transitions colour it."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    facts = f"{len(playlist)} tracks, {_clock(playlist.tracks.numbers('duration_ms').tolist())}"
    grid = Table(
        box=box.SIMPLE_HEAD,
        title=Text(printable(playlist.name), style="bold"),
        caption=escape(printable(f"{facts} · {playlist.predictor} · {playlist.catalogue['where']}")),
        title_justify="left",
        caption_justify="left",
        pad_edge=False,
    )
    grid.add_column("", no_wrap=True, justify="right")
    for head in ("Title", "Artist"):  # where the terminal is narrow these give way, the numbers never
        grid.add_column(head, overflow="ellipsis")
    pitched = playlist.mixing.pitch is not None
    heads = ["Key", "BPM", *(["Pitch"] if pitched else []), "Key move", "Tempo", "Distance", "Cost"]
    for head in [*heads, *(["Grade"] if grades else [])]:
        grid.add_column(head, no_wrap=True, justify="right")
    before = ""
    for i, (track, record) in enumerate(
        zip(playlist.tracks.tracks(names=_COLUMNS), playlist.to_dict()["tracks"], strict=True)
    ):
        key = key_name(track) or "?"
        bpm = f"{track['tempo_bpm']:.0f}" if track["tempo_bpm"] else "?"
        row = [
            str(i + 1),
            _cell(track["title"] or track["track_id"]),
            _cell(", ".join(track["artists"] or [])),
            key,
            bpm,
            *([""] if pitched else []),
        ]
        if record["join"] is not None:
            join, change = record["join"], float(playlist.terms["tempo_change"][i - 1])
            if pitched:
                row[-1] = f"{join['pitch']:+.1f} %" if join["pitch"] else "0"
            sounds = sounding_name(join) if pitched else key
            move, tempo = f"{before} → {sounds}", "?" if np.isnan(change) else f"{change:+.1f} %"
            distance, cost = "?" if join["distance"] is None else f"{join['distance']:.2f}", f"{join['cost']:.2f}"
            if grades is None:
                row += [_coloured(move, join["key_similarity"]), _coloured(tempo, join["tempo_similarity"])]
                row += [distance, cost]
            else:
                parts = (int(part[i - 1]) for part in (grades.key, grades.tempo, grades.sound, grades.whole))
                key_grade, tempo_grade, sound_grade, whole = parts
                row += [_graded(move, key_grade), _graded(tempo, tempo_grade), _graded(distance, sound_grade)]
                row += [cost, _graded(grade_name(whole), whole)]
        grid.add_row(*row, style="bold" if record["seed"] else None, end_section=i + 1 == playlist.seeds)
        before = key
    return grid


def _cell(text: str) -> Any:
    from rich.text import Text

    return Text(printable(text), overflow="ellipsis", no_wrap=True)


def _coloured(text: str, similarity: float | None) -> str:
    if similarity is None:
        return f"[dim]{text}[/]"
    return f"[{'green' if similarity >= _COMPATIBLE else 'yellow' if similarity >= _CLASH else 'red'}]{text}[/]"


def _graded(text: str, grade: int) -> str:
    return f"[{_COLOURS[grade_name(grade)]}]{text}[/]"


def _clock(durations_ms: Sequence[float]) -> str:
    known = [d for d in durations_ms if not np.isnan(d)]
    minutes = round(sum(known) / 60_000)
    return f"{'' if len(known) == len(durations_ms) else 'at least '}{minutes} min"
