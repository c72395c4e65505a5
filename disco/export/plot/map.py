"""The map figure: a playlist as a path through the music among its candidates, in two dimensions."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Floats, Rows
from disco.catalogue.text import printable
from disco.export.plot.style import (
    EDGE,
    GRADE_COLOURS,
    INK,
    LABELS,
    SOFT,
    TrackLabel,
    escape_plotly,
    hover,
    key_colour,
    layout,
    track_labels,
)
from disco.playlist.playlist import Playlist
from disco.playlist.transition_grades import GRADES, UNKNOWN
from disco.playlist.transitions import graded

NOWHERE = "Of no track of this playlist it is known where it lies among others, so no map can be drawn."
# Share of the candidates that may lie outside the figure: a few far away would squeeze all others together.
_OUTSIDE = 0.02


def map_of(playlist: Playlist) -> go.Figure:
    """Draw the playlist as a path through the music, its candidates faint around it.

    Tracks that go together are close to each other: the two dimensions are the principal components of the points
    between which distance was measured. Of each transition the colour is its grade by key and tempo.
    """
    return go.Figure(draw(playlist, np.asarray(graded(playlist)[1].whole)))


def draw(playlist: Playlist, grades: NDArray[np.int8]) -> dict[str, Any]:
    """The map as the object that Plotly draws; `grades` are those of the transitions, shape (n - 1,)."""
    around = playlist.surroundings
    look: dict[str, Any] = layout(
        height=520,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        hovermode="closest",
        dragmode="pan",
        showlegend=False,
    )
    hidden = {"visible": False, "showgrid": False, "zeroline": False}
    points = None if around is None else _project(around.vectors, around.rows)
    if around is None or points is None:
        note = {"text": NOWHERE, "showarrow": False, "xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5}
        return {"data": [], "layout": {**look, "xaxis": hidden, "yaxis": hidden, "annotations": [note]}}
    path = points[around.rows]
    labels, fits = track_labels(playlist), len(playlist) <= LABELS
    others = np.setdiff1d(np.flatnonzero(np.isfinite(points[:, 0])), around.rows)
    traces: list[dict[str, Any]] = [_candidates(around.tracks, points, others)]
    for grade, name in ((UNKNOWN, "unknown"), *enumerate(GRADES)):
        these = np.flatnonzero(grades == grade)
        gap = np.full(len(these), np.nan)
        x, y = (np.stack([path[these, k], path[these + 1, k], gap], axis=1).ravel() for k in (0, 1))
        traces.append(
            {
                "type": "scatter", "mode": "lines", "x": x.tolist(), "y": y.tolist(),
                "name": name, "hoverinfo": "skip",
                "line": {"color": GRADE_COLOURS[name], "width": 3 if fits else 1.5}, "opacity": 0.85,
            }
        )  # fmt: skip
    traces.append(_tracks(playlist, labels, path, fits))
    low, high = _limits(points[others], path)
    axes = [{**hidden, "range": [float(a), float(b)], "fixedrange": False} for a, b in zip(low, high, strict=True)]
    return {"data": traces, "layout": {**look, "xaxis": axes[0], "yaxis": axes[1], "uirevision": "map"}}


def _candidates(tracks: Catalogue, points: Floats, rows: Rows) -> dict[str, Any]:
    """The faint points of the tracks that were not chosen."""
    texts = []
    for track in tracks.tracks(rows, names=("title", "artists")):
        title = escape_plotly(printable(track["title"] or ""))
        texts.append(f"{title}<br>{escape_plotly(printable(', '.join(track['artists'] or [])))}")
    return {
        "type": "scatter", "mode": "markers", "name": "candidates",
        "x": points[rows, 0].tolist(), "y": points[rows, 1].tolist(),
        "text": texts, "hoverinfo": "text", "customdata": tracks.ids(rows),
        "marker": {"size": 6, "color": EDGE, "opacity": 0.55, "line": {"width": 0}},
    }  # fmt: skip


def _tracks(playlist: Playlist, labels: list[TrackLabel], path: Floats, fits: bool) -> dict[str, Any]:
    """The numbered points of the playlist in the colours of their keys; a seed has a rim."""
    seed = np.arange(len(playlist)) < playlist.seeds
    return {
        "type": "scatter", "mode": "markers+text" if fits else "markers", "name": "tracks",
        "x": path[:, 0].tolist(), "y": path[:, 1].tolist(),
        "customdata": playlist.tracks.ids(np.arange(len(playlist))),
        "text": [str(label.position) for label in labels], "textfont": {"size": 11, "color": INK},
        "hoverinfo": "text", "hovertext": [hover(label) for label in labels],
        "marker": {
            "size": 24 if fits else 9, "opacity": 1,
            "color": [key_colour(position) for position in playlist.tracks.circle_positions.tolist()],
            "line": {"color": np.where(seed, INK, SOFT).tolist(), "width": np.where(seed, 2.5, 0.8).tolist()},
        },
    }  # fmt: skip


def _project(vectors: Floats, rows: Rows) -> Floats | None:
    """The first two principal components of points, shape (n, 2), NaN where unknown; None if the playlist has none.

    The signs are those with which the largest loading of each component is positive, so that a figure that is drawn
    again is not mirrored.
    """
    known = np.isfinite(vectors).all(axis=1).reshape(-1)
    if known.sum() < 2 or not known[rows].any():
        return None
    points = np.full((len(vectors), 2), np.nan, dtype=np.float32)
    centred = vectors[known] - vectors[known].mean(axis=0)
    # Few dimensions, many tracks: their covariance is small.
    _, components = np.linalg.eigh(centred.T.astype(np.float64) @ centred)
    two = components[:, ::-1][:, :2]
    two = two * np.sign(two[np.abs(two).argmax(axis=0), [0, 1][: two.shape[1]]])
    points[known, : two.shape[1]] = centred @ two
    return np.where(known[:, None], np.nan_to_num(points, nan=0.0), np.nan).astype(np.float32)


def _limits(others: Floats, path: Floats) -> tuple[Floats, Floats]:
    """The lower and the upper ends of both axes."""
    path = path[np.isfinite(path[:, 0])]
    ends = np.quantile(others, [_OUTSIDE, 1 - _OUTSIDE], axis=0) if len(others) else path
    low, high = np.minimum(ends[0], path.min(axis=0)), np.maximum(ends[-1], path.max(axis=0))
    edge = np.maximum((high - low) * 0.06, 1e-3)
    return low - edge, high + edge
