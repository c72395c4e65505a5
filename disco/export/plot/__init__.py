"""Figures of a playlist: its path through the music, its keys, its course, its transitions, and a page with them.

Figures are returned, never shown. Titles, artists and names come from files of anybody, and Plotly interprets some
HTML in what it draws, so every text is escaped where it enters: `style.escape_plotly` for figures,
`style.escape_html` for HTML.
"""

from __future__ import annotations

from typing import Any

from disco.errors import DiscoError
from disco.export.plot.curves import curves
from disco.export.plot.map import map_of
from disco.export.plot.matrix import matrix
from disco.export.plot.page import page
from disco.export.plot.path import path
from disco.export.plot.wheel import wheel
from disco.playlist.playlist import Playlist

__all__ = ["FIGURES", "curves", "figure", "map_of", "matrix", "page", "path", "wheel"]

FIGURES = {"map": map_of, "path": path, "wheel": wheel, "curves": curves, "matrix": matrix}


def figure(playlist: Playlist, kind: str = "path") -> Any:
    """Draw a playlist.

    Parameters
    ----------
    playlist : Playlist
    kind : str
        `map` of the playlist among its candidates; `path` through the principal components of the features, in 3-D;
        `wheel` of keys; `curves` of features, tempo and key over the positions; `matrix` of the costs of all
        transitions.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    DiscoError
        If there is no such kind.

    Examples
    --------
    >>> import disco
    >>> playlist = disco.make(disco.open(), "sunday night staircase", length=3)
    >>> figure(playlist, "wheel").layout.height
    620
    """
    if kind not in FIGURES:
        raise DiscoError(f"there is no figure {kind!r}; there are: {', '.join(FIGURES)}")
    return FIGURES[kind](playlist)
