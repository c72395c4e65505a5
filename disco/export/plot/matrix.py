"""The matrix figure: the cost of every transition among the tracks of a playlist, with those that are played."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go

from disco.catalogue import Floats
from disco.export.plot.style import EDGE, INK, LABELS, SOFT, UNKNOWN, escape_plotly, label_step, layout, track_labels
from disco.models.scaler import scaler
from disco.playlist.cost import PairwiseCost
from disco.playlist.key_rules import UNKNOWN as NO_KEY
from disco.playlist.key_rules import key_index
from disco.playlist.playlist import Playlist

# From low to high cost: blue to orange, which colour-blind people tell apart.
_COSTS = ["#0072b2", "#6db1d6", "#fbfbfa", "#efb38c", "#d55e00"]
# More cells would make a page of many megabytes, and be smaller than a point.
_CELLS = 200
# The costs of more tracks take 16 MB and more, and could not be seen.
_MOST = 2000


def costs(playlist: Playlist) -> Floats:
    """Cost of each transition, from the track of the row to that of the column, shape (n, n), as reported.

    Distances are those of the eight scaled features, whatever predictor made the playlist. NaN on the diagonal and
    where nothing is known of a track.
    """
    tracks = playlist.tracks
    space = scaler().transform(tracks.features())
    mixing = replace(playlist.mixing, max_tempo_change=None, avoid_clashes=False)  # whose penalties are not reported
    matrix = PairwiseCost(tracks, playlist.knobs, space, mixing).matrix(np.arange(len(tracks)))
    np.fill_diagonal(matrix, np.nan)
    unknown = ~tracks.has_comparable_features & np.isnan(tracks.tempos)
    unknown &= key_index(tracks.numbers("key"), tracks.modes) == NO_KEY
    matrix[unknown, :] = np.nan
    matrix[:, unknown] = np.nan
    return matrix


def matrix(playlist: Playlist) -> go.Figure:
    """Draw the costs of all transitions among the tracks in playing order; those played are outlined.

    Where a played transition is orange and another in its row blue, another order might be better. With more than 200
    tracks each cell is the mean over several.
    """
    n = len(playlist)
    side = min(max(420, 40 + 24 * n), 720)
    figure = go.Figure(layout=layout(height=side, margin={"l": 10, "r": 10, "t": 10, "b": 50}))
    if n < 2 or n > _MOST:
        text = "A single track has no transitions." if n < 2 else f"{n:,} tracks have too many transitions to draw."
        hide = {"visible": False}
        return figure.update_layout(xaxis=hide, yaxis=hide).add_annotation(text=text, showarrow=False)
    values, apart = costs(playlist), -(-n // _CELLS)
    known = values[np.isfinite(values)]
    # A few outliers must not make all other costs look alike.
    low, high = np.quantile(known, (0.02, 0.98)).tolist() if len(known) else (0.0, 1.0)
    place = np.arange(1, n + 1, apart)
    figure.add_heatmap(
        x=place, y=place, z=_blocks(values, apart), zmin=low, zmax=max(high, low + 1e-3), colorscale=_COSTS,
        xgap=1 if n <= 60 else 0, ygap=1 if n <= 60 else 0, hoverongaps=False,
        hovertemplate="%{y} → %{x}: costs %{z:.2f}<extra></extra>",
        colorbar={
            "title": {"text": "cost", "font": {"size": 12, "color": SOFT}}, "thickness": 10, "outlinewidth": 0,
            "len": 0.6, "tickfont": {"size": 11, "color": SOFT},
        },
    )  # fmt: skip
    # Edges of the cells that are played, as one outline after another.
    i = np.arange(1, n)
    nan = np.full(n - 1, np.nan)
    x = np.stack([i + 0.5, i + 1.5, i + 1.5, i + 0.5, i + 0.5, nan], axis=1).ravel()
    y = np.stack([i - 0.5, i - 0.5, i + 0.5, i + 0.5, i - 0.5, nan], axis=1).ravel()
    figure.add_scatter(
        x=x, y=y, mode="lines", name="played", line={"color": INK, "width": 1.6 if n <= 60 else 0.8},
        hoverinfo="skip", showlegend=False,
    )  # fmt: skip
    labels, font = track_labels(playlist), {"size": 11, "color": SOFT}
    # Isolated, so that a title written from the right does not push its number to the left.
    names = (
        [f"\u2068{escape_plotly(each.title, 28)}\u2069  {each.position}" for each in labels] if n <= LABELS else None
    )
    numbered = {"dtick": label_step(n), "tick0": 1}
    axis = {
        "showgrid": False, "zeroline": False, "tickfont": font, "fixedrange": True, "range": [0.5, n + 0.5],
        "constrain": "domain", "linecolor": EDGE,
    }  # fmt: skip
    title = {"text": "to", "font": {"size": 12, "color": SOFT}, "standoff": 8}
    return figure.update_layout(
        plot_bgcolor=UNKNOWN,
        xaxis={**axis, **numbered, "title": title},
        yaxis={
            **axis, "range": [n + 0.5, 0.5], "automargin": True, "scaleanchor": "x",
            **({"tickvals": np.arange(1, n + 1), "ticktext": names} if names else numbered),
            "title": {"text": "" if names else "from", "font": {"size": 12, "color": SOFT}},
        },
    )  # fmt: skip


def _blocks(values: Floats, apart: int) -> Floats:
    """Means over squares of so many rows and columns; NaN where none of its values is known."""
    if apart == 1:
        return values
    starts = np.arange(0, len(values), apart)
    known = np.isfinite(values)

    def summed(cells: Floats) -> Floats:
        return np.asarray(np.add.reduceat(np.add.reduceat(cells, starts, axis=0), starts, axis=1))

    counts = summed(known.astype(np.float32))
    return np.where(counts > 0, summed(np.where(known, values, 0)) / np.maximum(counts, 1), np.nan).astype(np.float32)
