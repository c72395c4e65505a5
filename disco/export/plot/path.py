"""The path figure: a playlist through the principal components of the features, in three dimensions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import plotly.graph_objects as go

from disco.catalogue import FEATURES, Floats
from disco.export.plot.style import (
    ALONG,
    EDGE,
    GRID,
    LABELS,
    SOFT,
    TrackLabel,
    escape_plotly,
    hover,
    label_step,
    layout,
    track_labels,
)
from disco.models.scaler import scaler
from disco.playlist.playlist import Playlist

# Words for low and high values of each feature.
_ENDS = {
    "acousticness": ("electric", "acoustic"),
    "danceability": ("still", "danceable"),
    "energy": ("calm", "energetic"),
    "instrumentalness": ("sung", "instrumental"),
    "liveness": ("studio", "live"),
    "loudness": ("quiet", "loud"),
    "speechiness": ("melodic", "spoken"),
    "valence": ("sad", "happy"),
}

NOTHING_PLACED = (
    "No track of this playlist has all eight features (acousticness ... valence), so no path can be drawn."
)


def path(playlist: Playlist) -> go.Figure:
    """Draw the playlist as a path through the first three principal components of the scaled features.

    Tracks that lack one of the eight features are left out: the line goes on to the next track.
    """
    scale = scaler()
    points = scale.project(scale.transform(playlist.tracks.features()))
    shown = np.flatnonzero(np.isfinite(points).all(axis=1))
    labels, fits = track_labels(playlist), len(playlist) <= LABELS
    figure = go.Figure(layout=layout(height=620, margin=dict.fromkeys("lrtb", 0)))
    if not len(shown):
        hidden = {"visible": False}
        return figure.update_layout(xaxis=hidden, yaxis=hidden).add_annotation(text=NOTHING_PLACED, showarrow=False)
    points = points[shown]
    low, high = points.min(axis=0), points.max(axis=0)
    # The box is at least half a unit wide, also where all tracks sound the same.
    reach = np.maximum((high - low) * 0.6, 0.25)
    low, high = (low + high) / 2 - reach, (low + high) / 2 + reach
    # Longer axes are drawn longer, but none so short that tracks hide each other; wider than high, as screens are.
    sides = np.clip(reach / reach.max(), 0.7, 1) * (1.15, 1.15, 0.85)
    colour = {"color": shown, "colorscale": ALONG, "cmin": 0, "cmax": max(len(playlist) - 1, 1)}
    x, y, z = points.T
    # A little above the floor, which would flicker through otherwise.
    floor = np.full_like(z, low[2] + 0.01 * reach[2])
    shade = {"mode": "lines", "hoverinfo": "skip", "showlegend": False}
    figure.add_scatter3d(x=x, y=y, z=floor, line={"color": "#dfe2e5", "width": 5}, **shade)
    figure.add_scatter3d(x=x, y=y, z=z, line={**colour, "width": 6}, **shade)
    for name, symbol, size, seed in (("seeds", "diamond", 9.5, True), ("added", "circle", 12 if fits else 5, False)):
        these = np.flatnonzero((shown < playlist.seeds) == seed)
        if len(these):
            figure.add_scatter3d(
                **dict(zip("xyz", points[these].T, strict=True)),
                mode="markers", name=name, hoverinfo="text", hovertext=[hover(labels[shown[i]]) for i in these],
                marker={
                    **colour, "color": shown[these], "symbol": symbol, "size": size, "opacity": 1,
                    "line": {"color": "white", "width": 2},
                },
            )  # fmt: skip
    ends = zip("xyz", map(_ends, scale.components), low, high, strict=True)
    eye, seen = _view(points / (high - low) * sides)
    figure.update_scenes(
        {f"{axis}axis": _axis(words, float(a), float(b)) for axis, words, a, b in ends},
        annotations=_labels(points, seen, [labels[i] for i in shown]),
        aspectmode="manual",
        aspectratio=dict(zip("xyz", sides, strict=True)),
        camera={"eye": eye, "center": {"x": 0, "y": 0, "z": -0.13}},
    )
    first, last = (f"<b>{labels[i].position}  {escape_plotly(labels[i].title)}</b>" for i in shown[[0, -1]])
    caption = {"text": f"from {first}<br>to {last}", "align": "right", "showarrow": False}
    return figure.add_annotation(caption, x=0.99, y=0.99, xref="paper", yref="paper")


def _ends(component: Floats) -> tuple[str, str]:
    """Words for the low and the high end of a component, by its two largest loadings."""
    largest = np.argsort(-np.abs(component))[:2]
    words = [_ENDS[FEATURES[i]][:: 1 if component[i] > 0 else -1] for i in largest]
    return ", ".join(low for low, _ in words), ", ".join(high for _, high in words)


def _view(points: Floats) -> tuple[dict[str, float], Floats]:
    """The camera position that separates the two nearest points most, and the projected points, shape (n, 2)."""
    views = []
    # From these angles, in radians, the ends of all three axes are readable.
    for angle, height in product(np.linspace(-1.25, -0.35, 19), (0.25, 0.33, 0.41)):
        (x, y), (level, z) = (math.cos(angle), math.sin(angle)), (math.cos(height), math.sin(height))
        seen = points @ np.array([[-y, x, 0], [-z * x, -z * y, level]], dtype=np.float32).T
        some = seen[:: label_step(len(seen))]
        apart = np.linalg.norm(some[:, None] - some, axis=2)[~np.eye(len(some), dtype=bool)].min(initial=np.inf)
        views.append((float(apart), {"x": 1.8 * level * x, "y": 1.8 * level * y, "z": 1.8 * z}, seen))
    return max(views, key=lambda view: view[0])[1:]


def _axis(words: tuple[str, str], low: float, high: float) -> dict[str, Any]:
    """An axis with words at its two ends."""
    edge = (high - low) * 0.16
    return {
        "range": [low, high], "title": {"text": ""}, "tickvals": [low + edge, high - edge], "ticktext": list(words),
        "tickfont": {"size": 13, "color": SOFT}, "gridcolor": GRID, "linecolor": EDGE, "zeroline": False,
        "showbackground": True, "backgroundcolor": "#fbfbfa", "showspikes": False,
    }  # fmt: skip


def _labels(points: Floats, seen: Floats, tracks: Sequence[TrackLabel]) -> list[dict[str, Any]]:
    """A number in every marker, and a tag at the first and the last on the side with most room."""
    points_at = [dict(zip("xyz", point.tolist(), strict=True)) for point in points]
    number = {"font": {"size": 10, "color": "white"}, "showarrow": False}
    numbered = zip(tracks, points_at, strict=True) if len(tracks) <= LABELS else ()
    annotations = [{**number, **point, "text": str(label.position)} for label, point in numbered]
    tag = {"bgcolor": "rgba(255, 255, 255, 0.8)", "arrowcolor": SOFT, "arrowwidth": 1, "standoff": 14}
    sides = np.array([(0, 40), (0, -40), (52, 0), (-52, 0)])
    for i, text in {len(tracks) - 1: "end", 0: "start"}.items():
        # At the usual size about 500 pixels show one unit.
        others = np.delete(seen, i, axis=0) - seen[i]
        room = [np.linalg.norm(others - side / 500, axis=1).min(initial=np.inf) for side in sides]
        right, up = sides[int(np.argmax(room))].tolist()
        annotations.append({**tag, **points_at[i], "text": f"<b>{text}</b>", "ax": right, "ay": -up})
    return annotations
