"""The curves figure: features, tempo and key over the positions of a playlist, and the arc that was asked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly import colors

from disco.catalogue import Floats
from disco.catalogue.music import tempo_octaves
from disco.export.plot.style import (
    BAD,
    BAND,
    EDGE,
    GOOD,
    GRID,
    INK,
    LABELS,
    SOFT,
    TrackLabel,
    escape_plotly,
    key_colour,
    label_step,
    layout,
    track_labels,
)
from disco.playlist.playlist import Playlist

# The rows of `curves` in Okabe and Ito's colours, which colour-blind people tell apart.
_CURVES = {"energy": "#d55e00", "danceability": "#0072b2", "valence": "#b8860b", "acousticness": "#009e73"}


def curves(playlist: Playlist) -> go.Figure:
    """Draw features, tempo and key over the positions of the playlist, one row each."""
    labels, tracks, n = track_labels(playlist), playlist.tracks, len(playlist)
    position = np.arange(1, n + 1)
    figure = go.Figure(layout=layout(height=720, margin={"l": 124, "r": 20, "t": 30, "b": 44}))
    look = {"x": position, "mode": "lines+markers" if n <= LABELS else "lines"}
    for row, (name, colour) in enumerate(_CURVES.items(), 1):
        values = tracks.numbers(name)
        figure.add_scatter(
            **look, y=values, yaxis=f"y{row}", name=name, line_color=colour,
            # Plotly would fill right across a gap.
            fill="tozeroy" if np.isfinite(values).all() else "none",
            fillcolor=f"rgba{(*colors.hex_to_rgb(colour), 0.1)}", hovertemplate="%{y:.2f}",
        )  # fmt: skip
    if playlist.arc is not None:
        figure.add_scatter(
            x=position[: len(playlist.arc)], y=playlist.arc[:n], yaxis="y1", name="arc", mode="lines",
            line={"color": INK, "width": 1.8, "dash": "dash"}, hovertemplate="%{y:.2f} asked for",
        )  # fmt: skip
    _tempo(figure, playlist, labels)
    figure.add_bar(
        x=position, y=np.ones(n), width=0.94, yaxis="y6", name="key",
        marker={"color": [key_colour(position) for position in tracks.circle_positions], "line": {"width": 0}},
        text=[label.camelot or "?" for label in labels] if n <= LABELS else None,
        textposition="inside", insidetextanchor="middle", textangle=0, textfont={"size": 12, "color": INK},
        hovertext=[label.key or "unknown" for label in labels], hovertemplate="%{hovertext}",
    )  # fmt: skip
    fit = playlist.terms["key_similarity"]
    figure.add_bar(
        x=position[1:] - 0.5, y=fit, width=0.5, yaxis="y7", hoverinfo="skip",
        marker={"color": np.where(fit >= 0, GOOD, BAD), "line": {"width": 0}},
    )  # fmt: skip
    figure.add_scatter(
        **{**look, "mode": "markers"}, y=np.zeros(n), yaxis="y7", name="track", opacity=0,
        hovertext=[f"<b>{escape_plotly(label.title)}</b>" for label in labels], hovertemplate="%{hovertext}",
    )  # fmt: skip
    return _rows(figure, playlist)


def _tempo(figure: go.Figure, playlist: Playlist, labels: Sequence[TrackLabel]) -> None:
    """The row of the tempo; a dotted line where half or double time counts as the same tempo."""
    tempos, n = playlist.tracks.tempos, len(playlist)
    octaves = tempo_octaves(tempos[:-1], tempos[1:], fold=False)
    turned = np.flatnonzero((np.abs(octaves) > 0.5) & playlist.mixing.folds)
    mode = "lines" if not len(turned) else "markers"
    if n <= LABELS:
        mode = "lines+markers+text" if not len(turned) else "markers+text"
    for pairs, dash in ((np.setdiff1d(np.arange(n - 1), turned), "solid"), (turned, "dot")) if len(turned) else ():
        gap = np.full(len(pairs), np.nan)
        figure.add_scatter(
            x=np.stack([pairs + 1, pairs + 2, gap], axis=1).ravel(),
            y=np.stack([tempos[pairs], tempos[pairs + 1], gap], axis=1).ravel(),
            yaxis="y5", mode="lines", hoverinfo="skip",
            line={"color": INK if dash == "solid" else SOFT, "dash": dash, "width": 2 if dash == "solid" else 1.5},
        )  # fmt: skip
    figure.add_scatter(
        x=np.arange(1, n + 1), mode=mode, y=tempos, yaxis="y5", name="tempo", line_color=INK, marker_color=INK,
        marker_size=6 if n <= LABELS else 3, hovertemplate="%{y:.1f} BPM",
        text=[label.tempo for label in labels], textposition=_beside(tempos), textfont={"size": 11, "color": SOFT},
    )  # fmt: skip
    for i in turned[: 2 * LABELS].tolist():
        times = round(float(octaves[i]))
        factor = f"{2**times}×" if times > 0 else f"1/{2**-times}×".replace("1/2×", "½×").replace("1/4×", "¼×")
        figure.add_annotation(
            x=i + 1.5, y=float(tempos[i] + tempos[i + 1]) / 2, xref="x", yref="y5", text=factor, showarrow=False,
            bgcolor="white", borderpad=1, font={"size": 11 if n <= LABELS else 9, "color": SOFT},
        )  # fmt: skip


def _beside(values: Floats) -> list[str]:
    """Positions of the numbers at the points of a line so that it does not cross them: below in valleys."""
    around = np.pad(values, 1, mode="edge")
    valley = (values <= np.fmin(around[:-2], around[2:])) & (values < np.fmax(around[:-2], around[2:]))
    return ["bottom center" if low else "top center" for low in valley]


def _rows(figure: go.Figure, playlist: Playlist) -> go.Figure:
    """Lay the rows of `curves` out over one another, named at the left, with the seeds on a band of their own."""
    n, arc = len(playlist), playlist.arc is not None
    tempos = playlist.tracks.tempos[np.isfinite(playlist.tracks.tempos)]
    low, high = (float(tempos.min()), float(tempos.max())) if len(tempos) else (100.0, 130.0)
    room = max(0.35 * (high - low), 8.0)
    axes: list[tuple[str, float, list[float], list[float] | None]]
    axes = [(name, 1.0, [0, 1.08], [0, 0.5, 1]) for name in _CURVES]
    axes += [("tempo, BPM", 1.5, [low - room, high + room], None), ("key", 0.55, [0, 1], [])]
    axes += [("key similarity", 0.75, [-1.1, 1.1], [-1, 0, 1])]
    edges = 1 - np.cumsum([0, *(height for _, height, _, _ in axes)]) / sum(height for _, height, _, _ in axes)
    for row, (name, _, limits, ticks) in enumerate(axes, 1):
        bottom, top = float(edges[row]) + 0.025, float(edges[row - 1])
        figure.update_layout({
            f"yaxis{row}": {
                "domain": [bottom, top], "range": limits, "tickvals": ticks, "nticks": 4, "fixedrange": True,
                "tickfont": {"size": 10, "color": SOFT}, "gridcolor": GRID, "zeroline": False, "showline": False,
            }
        })  # fmt: skip
        figure.add_annotation(
            text=f"{name},<br>arc: dashed" if row == 1 and arc else name,
            x=0, xref="paper", xanchor="right", xshift=-34, showarrow=False,
            y=(bottom + top) / 2, yref="paper", yanchor="middle",
        )  # fmt: skip
    if playlist.seeds:
        figure.add_shape(
            type="rect", x0=0.5, x1=playlist.seeds + 0.5, y0=0, y1=1.035, yref="paper", fillcolor=BAND, line_width=0,
            layer="below", label={"text": "◆ seeds", "font": {"color": SOFT}, "textposition": "top left"},
        )  # fmt: skip
    return figure.update_layout(
        hovermode="x unified", hoversubplots="axis", showlegend=False, bargap=0,
        xaxis={
            "range": [0.5, n + 0.5], "dtick": label_step(n), "tick0": 1, "showgrid": False, "zeroline": False,
            "anchor": "y7", "fixedrange": True, "tickfont": {"size": 12, "color": SOFT},
            "spikecolor": EDGE, "spikethickness": 1, "spikedash": "solid",
            "title": {"text": "position in the playlist", "font": {"size": 12, "color": SOFT}, "standoff": 8},
        },
    )  # fmt: skip
