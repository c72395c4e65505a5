"""The wheel figure: a playlist as a path through the keys, numbered as on Mixed In Key's Camelot wheel."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from disco.catalogue import Floats, Rows
from disco.catalogue.music import camelot
from disco.export.plot.style import ALONG, BAD, EDGE, GOOD, INK, LABELS, SOFT, hover, key_colour, layout, track_labels
from disco.playlist.playlist import Playlist

# From the middle: the inner edges of the rings of minor and of major keys, and how thick each is.
_RINGS, _THICK = {0: 0.36, 1: 0.7}, 0.3
# Degrees of a key, and of the middle of it that tracks stand in.
_TURN, _WIDE = 30, 21


def wheel(playlist: Playlist) -> go.Figure:
    """Draw the playlist on the Camelot wheel: minor keys inside, major keys outside, a fifth up clockwise.

    Tracks in one key are side by side in it, in playing order. Those with unknown keys are left out: a dotted line
    connects the tracks around them.
    """
    tracks, n = playlist.tracks, len(playlist)
    modes = tracks.modes
    shown = np.flatnonzero(~np.isnan(tracks.circle_positions))
    figure = go.Figure(layout=_look(n - len(shown), n))
    _keys(figure)
    if not len(shown):
        return figure
    numbers = (tracks.circle_positions[shown].astype(int) + 7) % 12 + 1
    angle, radius = _polar(numbers, modes[shown].astype(int))
    own, sounding, _ = playlist.mixing.sounding_keys(tracks, shown)
    allowed = playlist.mixing.keys.allows(own, sounding)
    width = 2.2 if n <= LABELS else 1.2
    next_to = np.diff(shown) == 1
    for name, these, line in (
        (f"compatible keys ({playlist.mixing.key_rule})", next_to & allowed, {"color": GOOD, "width": width}),
        ("other keys", next_to & ~allowed, {"color": BAD, "width": width}),
        ("over tracks in unknown keys", ~next_to, {"color": SOFT, "width": 1.6, "dash": "dot"}),
    ):
        if these.any():
            r, theta = (_segments(values, np.flatnonzero(these)) for values in (radius, angle))
            figure.add_scatterpolar(
                r=r, theta=theta, mode="lines", line=line, name=name, hoverinfo="skip", opacity=0.75
            )
    labels, fits = track_labels(playlist), n <= LABELS
    figure.add_scatterpolar(
        r=radius, theta=angle, name="tracks", showlegend=False, mode="markers+text" if fits else "markers",
        text=[str(labels[i].position) for i in shown] if fits else None,
        textfont={"size": 10, "color": "white"},
        marker={
            "color": shown, "colorscale": ALONG, "cmin": 0, "cmax": max(n - 1, 1), "opacity": 1,
            "size": 19 if fits else 8, "line": {"color": "white", "width": 1.5},
            "symbol": ["diamond" if i < playlist.seeds else "circle" for i in shown],
        },
        hoverinfo="text", hovertext=[hover(labels[i]) for i in shown],
    )  # fmt: skip
    return figure


def _polar(numbers: NDArray[np.int_], modes: NDArray[np.int_]) -> tuple[Floats, Floats]:
    """Angle in degrees and radius of each track, spread over its key in playing order; shape (n,) each."""
    angle, radius = np.empty(len(numbers)), np.empty(len(numbers))
    for key in {*zip(numbers.tolist(), modes.tolist(), strict=True)}:
        these = np.flatnonzero((numbers == key[0]) & (modes == key[1]))
        # A key is about as wide as it is thick, a little wider outside.
        columns = math.ceil(math.sqrt(len(these) * (0.8 + 0.5 * key[1])))
        rows = math.ceil(len(these) / columns)
        row, column = np.divmod(np.arange(len(these)), columns)
        # A last row that is not full is centred.
        full = np.where(row == rows - 1, len(these) - (rows - 1) * columns, columns)
        angle[these] = key[0] * _TURN + _WIDE * ((column + 0.5) / full - 0.5)
        radius[these] = _RINGS[key[1]] + _THICK * (1 - (row + 0.5) / rows)
    return angle.astype(np.float32), radius.astype(np.float32)


def _segments(values: Floats, transitions: Rows) -> Floats:
    """Values at both ends of some transitions, each followed by a gap."""
    ends = np.stack([values[transitions], values[transitions + 1], np.full(len(transitions), np.nan)], axis=1)
    return np.asarray(ends.ravel(), dtype=np.float32)


def _keys(figure: go.Figure) -> None:
    """The 24 keys behind the path, each with its name at the outer edge of the rings."""
    for mode, inner in _RINGS.items():
        names = [camelot(7 * place + 9 * (1 - mode), mode) for place in range(12)]
        angle = [_TURN * int(name[:-1]) for name in names]
        figure.add_barpolar(
            base=inner, r=[_THICK] * 12, theta=angle, width=[_TURN - 1] * 12, showlegend=False, hoverinfo="skip",
            marker={"color": [key_colour(place) for place in range(12)], "line": {"width": 0}}, opacity=0.5,
        )  # fmt: skip
        figure.add_scatterpolar(
            r=[1.06 if mode else _RINGS[0] - 0.07] * 12, theta=angle, mode="text", text=names,
            textfont={"size": 13, "color": INK if mode else SOFT}, showlegend=False, hoverinfo="skip",
        )  # fmt: skip


def _look(unknown: int, n: int) -> dict[str, Any]:
    text = f"{unknown} of {n} tracks have an unknown key" if unknown else ""
    notes = [{"text": text, "x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper", "showarrow": False}] if text else []
    if unknown < n:  # in the middle the path would cross it
        notes = [{**note, "y": -0.04, "yanchor": "top", "font": {"color": SOFT, "size": 12}} for note in notes]
    hidden = {"visible": False, "showgrid": False}
    turned = {"direction": "clockwise", "rotation": 90, "visible": False, "linecolor": EDGE}
    return layout(
        height=620,
        margin={"l": 10, "r": 10, "t": 44, "b": 40},
        polar={"bgcolor": "white", "radialaxis": {**hidden, "range": [0, 1.1]}, "angularaxis": turned},
        legend={"x": 0.5, "xanchor": "center", "y": 1.02, "yanchor": "bottom", "orientation": "h"},
        annotations=notes,
    )
