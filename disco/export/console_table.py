"""A playlist as a table for the terminal and the notebook: each track, and how it follows the one before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from disco.catalogue.text import printable
from disco.playlist.playlist import Playlist, key_name, sounding_name
from disco.playlist.transition_grades import Grades, grade_name

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

# Key similarity up to two steps on the circle of fifths apart; most listeners hear a clash below 0.
_COMPATIBLE, _CLASH = 0.6, 0.0
_COLOURS = {"good": "green", "fair": "yellow", "clash": "red", "unknown": "dim"}
# Width where there is no terminal.
_WIDTH = 120
# Columns of the catalogue that are shown.
_COLUMNS = ("track_id", "title", "artists", "key", "mode", "tempo_bpm")
# Heads of the columns that are cut where there is no room.
_NAMES = ("Title", "Artist")
# Between two columns, and the least that such a column keeps.
_GAP, _LEAST = "   ", 4
# More tracks are laid out without Rich's tables, to the same lines.
_LONG = 300


class Cell(NamedTuple):
    """A text in the table, and its colour."""

    text: str
    style: str = ""


def show(playlist: Playlist, grades: Grades | None = None) -> None:
    """Print a playlist as a table on stdout, with the grades of its transitions if there are any."""
    from rich.console import Console  # takes longer to load than the table to print

    console = Console(soft_wrap=False)
    if not console.is_terminal:
        console.width = _WIDTH
    if len(playlist) > _LONG:
        console.file.writelines(f"{line}\n" for line in _lines(playlist, grades, console))
    else:
        console.print(table(playlist, grades))


def table(playlist: Playlist, grades: Grades | None = None) -> Table:
    """A playlist as a table: each track, and how it follows the one before it; grades of transitions colour it."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    grid = Table(
        box=box.SIMPLE_HEAD,
        title=Text(printable(playlist.name), style="bold"),
        caption=Text(_caption(playlist)),
        title_justify="left",
        caption_justify="left",
        pad_edge=False,
    )
    for head in _heads(playlist, grades):
        if head in _NAMES:  # where the terminal is narrow these give way, the numbers never
            grid.add_column(head, overflow="ellipsis")
        else:
            grid.add_column(head, no_wrap=True, justify="right")
    for i, row in enumerate(_rows(playlist, grades)):
        cells = [Text(cell.text, cell.style, overflow="ellipsis", no_wrap=True) for cell in row]
        seed = i < playlist.seeds
        grid.add_row(*cells, style="bold" if seed else None, end_section=i + 1 == playlist.seeds)
    return grid


def _lines(playlist: Playlist, grades: Grades | None, console: Console) -> Iterator[str]:
    """The lines of `table`: Rich takes 1.5 ms to lay out a row, and this a twentieth of it."""
    from rich.cells import cell_len, set_cell_size

    heads, rows = _heads(playlist, grades), list(_rows(playlist, grades))
    columns = [[head, *(row[i].text for row in rows)] for i, head in enumerate(heads)]
    widths = [max(map(cell_len, column)) for column in columns]
    title, artist = (heads.index(name) for name in _NAMES)
    others = sum(widths) - widths[title] - widths[artist] + len(heads) * len(_GAP) - 1
    room = max(console.width - others, 2 * _LEAST)
    widths[title] = min(widths[title], max(room - widths[artist], room // 2))
    widths[artist] = min(widths[artist], room - widths[title])
    colour = _colours(console)

    def line(cells: Sequence[Cell], bold: str = "") -> str:
        fitted = []
        for i, cell in enumerate(cells):
            spare = widths[i] - cell_len(cell.text)
            if spare < 0:
                text = set_cell_size(cell.text, widths[i] - 1) + "…"
            else:
                text = cell.text + " " * spare if i in (title, artist) else " " * spare + cell.text
            fitted.append(colour(text, f"{bold} {cell.style}".strip()))
        return f" {_GAP.join(fitted)} "

    yield from (colour(printable(playlist.name), "bold"), "", line([Cell(head) for head in heads], "bold"))
    yield f" {'─' * (sum(widths) + (len(heads) - 1) * len(_GAP))} "
    for i, row in enumerate(rows):
        yield line(row, "bold" if i < playlist.seeds else "")
        if i + 1 == playlist.seeds:
            yield ""
    yield from ("", _caption(playlist))


def _colours(console: Console) -> Callable[[str, str], str]:
    """A function that puts what colours a text on this console around it."""
    marks: dict[str, tuple[str, str]] = {"": ("", "")}

    def coloured(text: str, style: str) -> str:
        if style not in marks:
            with console.capture() as capture:
                console.print("x", style=style, end="")
            # The console of older Windows has colours, but no codes for them in the text.
            before, _, after = "x".partition("x") if console.legacy_windows else capture.get().partition("x")
            marks[style] = before, after
        before, after = marks[style]
        return f"{before}{text}{after}"

    return coloured


def _caption(playlist: Playlist) -> str:
    facts = f"{len(playlist)} tracks, {_clock(playlist.tracks.numbers('duration_ms').tolist())}"
    return printable(f"{facts} · {playlist.predictor} · {playlist.catalogue['where']}")


def _heads(playlist: Playlist, grades: Grades | None) -> list[str]:
    pitch, grade = (["Pitch"] if playlist.mixing.pitch is not None else []), (["Grade"] if grades else [])
    return ["", *_NAMES, "Key", "BPM", *pitch, "Key move", "Tempo", "Distance", "Cost", *grade]


def _rows(playlist: Playlist, grades: Grades | None) -> Iterator[list[Cell]]:
    """The cells of each track."""
    pitched, before = playlist.mixing.pitch is not None, ""
    empty = [Cell("")] * (len(_heads(playlist, grades)) - len(_NAMES) - 3)
    for i, (track, record) in enumerate(
        zip(playlist.tracks.tracks(names=_COLUMNS), playlist.to_dict()["tracks"], strict=True)
    ):
        key = key_name(track) or "?"
        bpm = f"{track['tempo_bpm']:.0f}" if track["tempo_bpm"] else "?"
        texts = (str(i + 1), track["title"] or track["track_id"], ", ".join(track["artists"] or []), key, bpm)
        row = [Cell(printable(text)) for text in texts]
        if record["join"] is None:
            row += empty
        else:
            join, change = record["join"], float(playlist.terms["tempo_change"][i - 1])
            if pitched:
                row.append(Cell(f"{join['pitch']:+.1f} %" if join["pitch"] else "0"))
            sounds = sounding_name(join) if pitched else key
            move, tempo = f"{before} → {sounds}", "?" if np.isnan(change) else f"{change:+.1f} %"
            distance, cost = "?" if join["distance"] is None else f"{join['distance']:.2f}", f"{join['cost']:.2f}"
            if grades is None:
                row += [Cell(move, _colour(join["key_similarity"])), Cell(tempo, _colour(join["tempo_similarity"]))]
                row += [Cell(distance), Cell(cost)]
            else:
                parts = (int(part[i - 1]) for part in (grades.key, grades.tempo, grades.sound, grades.whole))
                key_grade, tempo_grade, sound_grade, whole = (grade_name(part) for part in parts)
                row += [Cell(move, _COLOURS[key_grade]), Cell(tempo, _COLOURS[tempo_grade])]
                row += [Cell(distance, _COLOURS[sound_grade]), Cell(cost), Cell(whole, _COLOURS[whole])]
        yield row
        before = key


def _colour(similarity: float | None) -> str:
    if similarity is None:
        return "dim"
    return "green" if similarity >= _COMPATIBLE else "yellow" if similarity >= _CLASH else "red"


def _clock(durations_ms: Sequence[float]) -> str:
    known = [d for d in durations_ms if not np.isnan(d)]
    minutes = round(sum(known) / 60_000)
    return f"{'' if len(known) == len(durations_ms) else 'at least '}{minutes} min"
