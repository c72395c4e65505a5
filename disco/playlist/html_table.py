"""A small table as HTML, for notebooks. Every text is escaped: titles come from files of anybody."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import NamedTuple

from disco.catalogue.text import printable

# Similarities from here up are good, and from 0 up fair: keys two steps apart on the circle of fifths have 0.6.
_GOOD, _FAIR = 0.6, 0.0
# Readable on white and on black.
_COLOURS = {"good": "#1a8f5a", "fair": "#b8860b", "clash": "#d55e00"}


class Cell(NamedTuple):
    """A text, and its colour in CSS; empty for that of the page."""

    text: str
    colour: str = ""


def html_table(title: str, heads: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """Write a table as HTML.

    Parameters
    ----------
    title : str
        Shown above the table.
    heads : sequence of str
        One per column; the first column and those from the fourth on are aligned to the right.
    rows : sequence of sequence of Cell

    Examples
    --------
    >>> "<b>" in html_table("Friday", ["Title"], [[Cell("<b>Night Bus</b>")]])
    False
    """
    align = ["left" if column in (1, 2) else "right" for column in range(len(heads))]
    cells = zip(heads, align, strict=True)
    head = "".join(f'<th style="text-align: {side}">{_escape(text)}</th>' for text, side in cells)
    body = "".join(f"<tr>{''.join(map(_cell, row, align))}</tr>" for row in rows)
    return f"<table><caption>{_escape(title)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def similarity_colour(similarity: float | None) -> str:
    """Colour for a similarity of keys or tempos from -1 to 1; empty where unknown."""
    if similarity is None:
        return ""
    return _COLOURS["good" if similarity >= _GOOD else "fair" if similarity >= _FAIR else "clash"]


def _cell(cell: Cell, side: str) -> str:
    colour = f"; color: {cell.colour}" if cell.colour else ""
    return f'<td style="text-align: {side}{colour}">{_escape(cell.text)}</td>'


def _escape(text: str) -> str:
    # Notebooks typeset TeX between dollar signs, also in HTML.
    return html.escape(printable(text)).replace("$", "&#36;")
