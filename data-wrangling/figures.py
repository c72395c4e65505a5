"""Pictures of `preprocessing.ipynb`: arrays in, Plotly figures out, in the look of `disco.export.plot`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly import colors
from plotly.subplots import make_subplots

Values = NDArray[np.float64]

_FONT = "'Helvetica Neue', Helvetica, Arial, sans-serif"
INK, SOFT, EDGE, GRID, BAND = "#1f2933", "#66727f", "#c9d0d6", "#e4e8ec", "#f3f1ea"
BLUE, ORANGE, GREEN, OCHRE = "#0072b2", "#d55e00", "#009e73", "#b8860b"
_DIVERGING = [[0, ORANGE], [0.25, "#f0b894"], [0.5, "#fbfbfa"], [0.75, "#8cbfdd"], [1, BLUE]]
# Around the circle of fifths from C, as `disco.catalogue.music` names them.
_MAJOR = ("C", "G", "D", "A", "E", "B", "F♯", "D♭", "A♭", "E♭", "B♭", "F")
_MINOR = ("Am", "Em", "Bm", "F♯m", "C♯m", "G♯m", "D♯m", "B♭m", "Fm", "Cm", "Gm", "Dm")


class Dot(NamedTuple):
    """A value with its interval, the row that it stands in, and its colour."""

    row: str
    value: float
    low: float
    high: float
    colour: str = BLUE


def coverage(known: Mapping[str, float], sources: Sequence[Mapping[str, Any]]) -> go.Figure:
    """What is known of the tracks, what share of each source's entries is covered, and how long playlists are.

    Parameters
    ----------
    known : dict of float
        Share of tracks by column.
    sources : list of dict
        `name`, `playlists`, `entries`, `covered` (share) and `lengths`, five quantiles.
    """
    heads = ("tracks that have it", "playlist entries with features", "tracks in a playlist")
    # An empty column makes room for the names of the sources.
    widths = [0.26, 0.06, 0.34, 0.34]
    specs: list[list[Any]] = [[{}, None, {}, {}]]
    figure = _panels(1, 4, heads, 460, column_widths=widths, specs=specs, horizontal_spacing=0.045)
    share = list(known.values())
    figure.add_bar(
        x=share, y=list(known), orientation="h", marker_color=BLUE, text=[f"{s:.0%}" for s in share], row=1, col=1
    )
    names = [
        f"{s['name'].replace('_', ' ')}<br><span style='color:{SOFT}'>{s['playlists']:,}</span>" for s in sources
    ]
    at = {"y": names, "orientation": "h", "row": 1, "col": 3}
    figure.add_bar(x=[s["covered"] for s in sources], marker_color="#9cc7e0", **at)
    # Over all the width, so that a short bar does not squeeze its text.
    texts = [f"{s['covered']:.0%} of {s['entries']:,}" for s in sources]
    inside = {"textposition": "inside", "insidetextanchor": "start", "marker_color": "rgba(0, 0, 0, 0)"}
    figure.add_bar(x=[1] * len(sources), text=texts, **inside, **at)
    least, low, middle, high, most = np.array([s["lengths"] for s in sources]).T
    figure.add_box(
        y=names, orientation="h", lowerfence=least, q1=low, median=middle, q3=high, upperfence=most,
        fillcolor="#dbe9f2", line={"color": BLUE, "width": 1.5}, row=1, col=4,
    )  # fmt: skip
    figure.update_traces(textfont={"size": 12, "color": INK}, selector={"type": "bar"})
    figure.update_traces(textfont_color="white", textposition="inside", row=1, col=1)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_yaxes(showticklabels=False, matches="y2", row=1, col=4)
    figure.update_xaxes(range=[0, 1.01], tickformat=".0%", tickvals=[0, 0.5, 1], col=1)
    figure.update_xaxes(range=[0, 1.01], tickformat=".0%", tickvals=[0, 0.5, 1], col=3)
    figure.update_xaxes(rangemode="tozero", col=4)
    return figure.update_layout(barmode="overlay", bargap=0.35, boxgap=0.5, margin={"l": 108})


def distributions(raw: Values, scaled: Values, labels: Sequence[str], names: Sequence[str]) -> go.Figure:
    """Small multiples: each feature as it comes, and under it scaled, with the normal curve that was aimed at.

    Parameters
    ----------
    raw, scaled : ndarray, shape (n, 8)
    labels : list of str
        What stands beside each feature: one text for raw, then one for scaled, feature by feature.
    """
    across = 4
    figure = _panels(4, across, (), 780, row_heights=[1, 1.15, 1, 1.15], vertical_spacing=0.075)
    for i, name in enumerate(names):
        row, col = 2 * (i // across) + 1, i % across + 1
        limits = (-30.0, 0.0) if name == "loudness" else (0.0, 1.0)
        _histogram(figure, raw[:, i], np.linspace(*limits, 51), EDGE, row, col)
        _histogram(figure, scaled[:, i], np.linspace(-3.5, 3.5, 57), BLUE, row + 1, col)
        x = np.linspace(-3.5, 3.5, 141)
        curve = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
        figure.add_scatter(x=x, y=curve, mode="lines", line={"color": ORANGE, "width": 1.6}, row=row + 1, col=col)
        figure.update_yaxes(range=[0, 0.75], row=row + 1, col=col)
        figure.update_xaxes(tickvals=[-2, 0, 2], row=row + 1, col=col)
        figure.update_xaxes(tickvals=[-30, -20, -10, 0] if name == "loudness" else [0, 0.5, 1], row=row, col=col)
        for step, text in enumerate((f"<b>{name}</b>   {labels[2 * i]}", labels[2 * i + 1])):
            place = {"xref": "x domain", "yref": "y domain", "row": row + step, "col": col}
            figure.add_annotation(
                text=text, x=0, y=1.0, xanchor="left", yanchor="bottom", showarrow=False,
                font={"size": 12, "color": INK if step == 0 else SOFT}, **place,
            )  # fmt: skip
    figure.update_yaxes(showticklabels=False, showgrid=False)
    return figure.update_layout(margin={"l": 16, "r": 16, "t": 34, "b": 30})


def histograms(values: Mapping[str, tuple[Values, tuple[float, float], int]]) -> go.Figure:
    """Panels side by side with median and middle 90 %; values come by name, with limits and the number of bins."""
    quantiles = [np.quantile(x, [0.05, 0.5, 0.95]) for x, _, _ in values.values()]
    texts = [f"median {middle:.3g}".replace("-", "−") for _, middle, _ in quantiles]
    heads = [
        f"{name}</b>   <span style='color:{ORANGE}'>{text}</span><b>"
        for name, text in zip(values, texts, strict=True)
    ]
    figure = _panels(1, len(values), heads, 260)
    for col, ((x, limits, bins), (low, middle, high)) in enumerate(zip(values.values(), quantiles, strict=True), 1):
        _histogram(figure, x, np.linspace(*limits, bins + 1), BLUE, 1, col)
        figure.add_vrect(x0=low, x1=high, fillcolor=BAND, line_width=0, layer="below", row=1, col=col)
        figure.add_vline(x=middle, line={"color": ORANGE, "width": 1.6}, row=1, col=col)
    figure.update_yaxes(showticklabels=False, showgrid=False)
    return figure.update_layout(margin={"l": 16, "r": 16})


def correlations(matrix: Values, names: Sequence[str]) -> go.Figure:
    """Lower triangle of a correlation matrix as a heat map with its numbers, in the order given."""
    n = len(names)
    shown = np.where(np.tri(n, k=-1, dtype=bool), matrix, np.nan)[1:, :-1]
    text = np.where(np.isfinite(shown), np.char.replace(np.char.mod("%.2f", shown), "-", "−"), "")
    figure = go.Figure(layout=_layout(height=460, margin={"l": 130, "r": 20, "t": 10, "b": 40}))
    figure.add_heatmap(
        z=shown, x=list(names[:-1]), y=list(names[1:]), zmin=-1, zmax=1, colorscale=_DIVERGING, xgap=3, ygap=3,
        text=text, texttemplate="%{text}", textfont={"size": 13}, hoverongaps=False,
        colorbar={"thickness": 10, "len": 0.55, "outlinewidth": 0, "tickvals": [-1, 0, 1], "x": 0.96, "y": 0.72},
    )  # fmt: skip
    figure.update_xaxes(showgrid=False, zeroline=False, showline=False, ticks="")
    return figure.update_yaxes(autorange="reversed", showgrid=False, zeroline=False, showline=False, ticks="")


def components(explained: Values, loadings: Values, names: Sequence[str], axes: int = 3) -> go.Figure:
    """How much of the variance each principal component holds, and what the first of them are made of.

    Parameters
    ----------
    explained : ndarray, shape (k,)
    loadings : ndarray, shape (k, 8)
        One component a row; the columns in the order of `names`.
    """
    heads = ["variance held", *(f"axis {i + 1}" for i in range(axes))]
    # An empty column makes room for the names.
    widths = [0.27, 0.07, *[0.66 / axes] * axes]
    specs: list[list[Any]] = [[{}, None, *[{}] * axes]]
    figure = _panels(1, axes + 2, heads, 330, column_widths=widths, specs=specs, horizontal_spacing=0.03)
    number = np.arange(1, len(explained) + 1)
    figure.add_bar(
        x=number, y=explained, marker_color=[BLUE if i <= axes else EDGE for i in number], row=1, col=1,
        text=[f"{e:.0%}" for e in explained], textposition="outside", textfont={"size": 11, "color": SOFT},
        cliponaxis=False, constraintext="none",
    )  # fmt: skip
    figure.update_xaxes(dtick=1, showgrid=False, title={"text": "component", "font": {"size": 12}}, row=1, col=1)
    figure.update_yaxes(showticklabels=False, showgrid=False, row=1, col=1)
    for axis, load in enumerate(loadings[:axes]):
        at = {"row": 1, "col": axis + 3}
        figure.add_bar(x=load, y=list(names), orientation="h", marker_color=np.where(load > 0, BLUE, ORANGE), **at)
        figure.update_xaxes(range=[-0.85, 0.85], tickvals=[-0.5, 0, 0.5], ticktext=["−0.5", "0", "0.5"], **at)
        figure.update_yaxes(autorange="reversed", showgrid=False, showticklabels=axis == 0, **at)
        figure.add_vline(x=0, line={"color": EDGE, "width": 1}, **at)
    return figure.update_layout(bargap=0.3, margin={"l": 16, "r": 16})


def circles(major: Values, minor: Values) -> go.Figure:
    """How often each key occurs, around the circle of fifths: major keys on one wheel, their relative minors on one.

    Parameters
    ----------
    major, minor : ndarray, shape (12,)
        Shares of all tracks, from C major and A minor clockwise.
    """
    figure, most = go.Figure(layout=_layout(height=430, margin={"l": 30, "r": 30, "t": 76, "b": 30})), major.max()
    hues = colors.sample_colorscale(colors.cyclical.Phase, np.arange(12) / 12)
    soft = [f"rgb{tuple(round(115 + 0.55 * part) for part in colors.unlabel_rgb(hue))}" for hue in hues]
    everyone, angle = np.arange(0, 361, 3), np.arange(12) * 30
    wheels = {"polar": ("major", major, _MAJOR, 0.0), "polar2": ("minor", minor, _MINOR, 0.55)}
    for wheel, (name, share, keys, left) in wheels.items():
        look = {"subplot": wheel, "mode": "lines", "line": {"color": SOFT, "width": 1.2, "dash": "dot"}}
        figure.add_barpolar(r=share, theta=angle, width=[28] * 12, marker_color=soft, subplot=wheel)
        figure.add_scatterpolar(r=np.full(len(everyone), 1 / 24), theta=everyone, **look)
        figure.add_scatterpolar(
            r=np.maximum(share, 1 / 24) + 0.1 * most, theta=angle, mode="text", subplot=wheel,
            text=[f"{s:.1%}" for s in share], textfont={"size": 11, "color": SOFT},
        )  # fmt: skip
        ticks = {"tickvals": angle, "ticktext": [f"<b>{key}</b>" for key in keys], "tickfont": {"size": 14}}
        turned = {"direction": "clockwise", "rotation": 90, "showgrid": False, "linecolor": EDGE}
        figure.update_layout({
            wheel: {
                "domain": {"x": [left, left + 0.45]}, "bgcolor": "white", "angularaxis": {**ticks, **turned},
                "radialaxis": {"range": [0, 1.22 * most], "visible": False},
            }
        })  # fmt: skip
        figure.add_annotation(
            text=f"<b>{name}: {share.sum():.0%} of tracks</b>", x=left + 0.225, xanchor="center", y=1.21,
            xref="paper", yref="paper", showarrow=False,
        )  # fmt: skip
    return figure


def tempos(tempo: Values, folded: Values, lowest: float) -> go.Figure:
    """Tempos as measured, and below folded into one octave from the lowest on, in bins about whole numbers."""
    figure = _panels(2, 1, ("BPM, as measured", "BPM, half and double time folded"), 440, vertical_spacing=0.19)
    # The last bin is cut at the octave.
    edges = np.append(np.arange(lowest, 2 * lowest, 1), 2 * lowest)
    _histogram(figure, tempo, np.arange(39.5, 221), EDGE, 1, 1)
    _histogram(figure, folded, edges, BLUE, 2, 1)
    figure.add_vrect(x0=lowest, x1=2 * lowest, fillcolor=BAND, line_width=0, layer="below", row=1, col=1)
    density = np.histogram(folded, edges)[0] / len(folded) / np.diff(edges)
    for place in _peaks(density, 2, 8):
        middle = edges[place : place + 2].mean()
        figure.add_annotation(
            text=f"{middle:.0f}", x=middle, y=density[place], yanchor="bottom", showarrow=False,
            font={"size": 12, "color": BLUE}, row=2, col=1,
        )  # fmt: skip
    figure.update_xaxes(showgrid=False, dtick=20, tick0=0)
    figure.update_xaxes(dtick=10, row=2, col=1)
    figure.update_yaxes(showticklabels=False, showgrid=False)
    return figure.update_layout(margin={"l": 16, "r": 16})


def _peaks(heights: Values, least_distance: int, most: int) -> list[int]:
    """The highest bins that are so far from each other."""
    found: list[int] = []
    for place in np.argsort(-heights, kind="stable").tolist():
        if all(abs(place - other) >= least_distance for other in found):
            found.append(place)
        if len(found) == most:
            break
    return found


def dots(
    panels: Mapping[str, Sequence[Dot]],
    form: str | Mapping[str, str] = ".1%",
    across: int = 2,
    zero: bool = False,
    same: bool = False,
    row_height: int = 30,
) -> go.Figure:
    """Dots with their intervals, one row each, one panel a question.

    Parameters
    ----------
    form : str or dict of str
        How values are written, for all panels or by panel.
    across : int
        Panels side by side.
    zero : bool
        Draw a line where nothing differs.
    same : bool
        Give all panels the same range.
    """
    down, rows = -(-len(panels) // across), max(map(len, panels.values()))
    height = 46 + down * (rows * row_height + 78)
    names = list(dict.fromkeys(dot.row for shown in panels.values() for dot in shown))
    spacing = {"horizontal_spacing": 0.05, "vertical_spacing": 84 / height if down > 1 else 0}
    figure = _panels(down, across, list(panels), height, shared_yaxes=True, **spacing)
    for i, (name, shown) in enumerate(panels.items()):
        at = {"row": i // across + 1, "col": i % across + 1}
        how = form if isinstance(form, str) else form[name]
        for dot in shown:
            bars = {"symmetric": False, "array": [dot.high - dot.value], "arrayminus": [dot.value - dot.low]}
            figure.add_scatter(
                x=[dot.value], y=[dot.row], mode="markers", marker={"size": 10, "color": dot.colour},
                error_x={**bars, "color": dot.colour, "thickness": 2.5, "width": 0}, cliponaxis=False, **at,
            )  # fmt: skip
            figure.add_annotation(
                text=f"{dot.value:{how}}".replace("-", "−"), x=dot.value, y=dot.row, yshift=13, showarrow=False,
                font={"size": 11, "color": dot.colour}, **at,
            )  # fmt: skip
        seen = [dot for panel in panels.values() for dot in panel] if same else shown
        ends = [end for dot in seen for end in (dot.low, dot.high)] + [0.0] * zero
        if zero:
            figure.add_vline(x=0, line={"color": SOFT, "width": 1}, layer="below", **at)
        # A label is wider in a narrow panel.
        room = (0.12 if across < 4 else 0.2) * (max(ends) - min(ends)) or 0.05
        percent = "%" in how
        figure.update_xaxes(
            range=[min(ends) - room, max(ends) + room],
            nticks=5 if across < 4 else 4,
            tickformat=".0%" if percent else None,
            **at,
        )
    order = {"categoryorder": "array", "categoryarray": names[::-1], "range": [-0.6, len(names) - 0.3]}
    figure.update_yaxes(**order, showgrid=True)
    return figure.update_layout(margin={"l": max(map(len, names)) * 7 + 16, "r": 30})


def lines(
    panels: Mapping[str, Mapping[str, tuple[Values, Values, Values, str]]],
    x: Values,
    title: str,
    level: Mapping[str, float],
) -> go.Figure:
    """Lines with their bands side by side; each is its values, their lower and upper bounds, and a colour.

    `level` is where a dotted line shows what the shuffled playlists have, by panel.
    """
    figure = _panels(1, len(panels), list(panels), 320, horizontal_spacing=0.09)
    for col, (head, shown) in enumerate(panels.items(), 1):
        at = {"row": 1, "col": col}
        names = [(name, line[3]) for name, line in shown.items()] + [("shuffled, dotted", INK)]
        for y, low, high, colour in shown.values():
            band = f"rgba{(*colors.hex_to_rgb(colour), 0.16)}"
            figure.add_scatter(
                x=[*x, *x[::-1]],
                y=[*high, *low[::-1]],
                fill="toself",
                fillcolor=band,
                line_width=0,
                mode="lines",
                **at,
            )
            line = {"color": colour, "width": 2}
            figure.add_scatter(x=x, y=y, mode="lines+markers", line=line, marker_size=5, **at)
        figure.add_hline(y=level[head], line={"color": INK, "width": 1.2, "dash": "dot"}, **at)
        for i, (name, colour) in enumerate(names):
            figure.add_annotation(
                text=name, x=0.97, y=0.98 - 0.085 * i, xref="x domain", yref="y domain", xanchor="right",
                yanchor="top", showarrow=False, font={"size": 13, "color": colour}, **at,
            )  # fmt: skip
    title_of = {"text": title, "font": {"size": 12, "color": SOFT}, "standoff": 8}
    figure.update_xaxes(title=title_of, dtick=4, tick0=0, range=[0, x[-1] + 1])
    figure.update_yaxes(tickformat=".0%", rangemode="tozero")
    return figure.update_layout(margin={"l": 50, "r": 16, "b": 50})


def _histogram(figure: go.Figure, values: Values, edges: Values, colour: str, row: int, col: int) -> None:
    """Densities in bins; what lies beyond the edges counts in none but in the whole."""
    width = np.diff(edges)
    figure.add_bar(
        x=edges[:-1] + width / 2, y=np.histogram(values, edges)[0] / len(values) / width, width=width,
        marker={"color": colour, "line": {"width": 0}}, row=row, col=col,
    )  # fmt: skip
    figure.update_xaxes(range=[edges[0], edges[-1]], row=row, col=col)


def _panels(down: int, across: int, heads: Iterable[str], height: int, **more: Any) -> go.Figure:
    """Panels with their headings at the left, in the common look."""
    heads = [f"<b>{head}</b>" for head in heads]
    figure = make_subplots(down, across, subplot_titles=heads or None, **more)
    figure.update_layout(_layout(height=height, margin={"l": 60, "r": 20, "t": 46, "b": 40}))
    axis = {"gridcolor": GRID, "zeroline": False, "showline": False, "tickfont": {"size": 12, "color": SOFT}}
    figure.update_xaxes(**axis)
    figure.update_yaxes(**{**axis, "tickfont": {"size": 12, "color": INK}})
    for heading, place in zip(figure.layout.annotations, _domains(figure), strict=False):
        heading.update(x=place, xanchor="left", font={"size": 13, "color": INK}, yshift=8)
    return figure


def _domains(figure: go.Figure) -> list[float]:
    """Left edges of the panels, in their order."""
    return [axis.domain[0] for axis in figure.select_xaxes()]


def _layout(**more: Any) -> dict[str, Any]:
    return {
        "template": "none",
        "font": {"family": _FONT, "size": 13, "color": INK},
        "paper_bgcolor": "white",
        "plot_bgcolor": "rgba(0, 0, 0, 0)",
        "showlegend": False,
        "bargap": 0,
        **more,
    }
