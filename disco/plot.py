"""Pictures of a playlist: its path through the music, how it runs, and a page with both.

Figures are returned, never shown. Titles, artists and names come from strangers, and Plotly reads a little
HTML in what it draws, so every text is made safe where it enters: `_drawn` for figures, `_written` for HTML.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import asdict
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from plotly import colors
from plotly import io as plotly_io

from disco.catalogue import FEATURES, Floats
from disco.catalogue.text import printable
from disco.model import scaler
from disco.music import key_name
from disco.playlist import Playlist

_FONT = "'Helvetica Neue', Helvetica, Arial, sans-serif"
_INK, _SOFT, _EDGE, _GRID, _BAND, _UNKNOWN = "#1f2933", "#66727f", "#c9d0d6", "#e4e8ec", "#f3f1ea", "#e9ecef"
# Plasma without its yellow end, on which white numbers could not be read.
_ALONG = colors.sample_colorscale("Plasma", np.linspace(0, 0.72, 9))
# The rows of `curves` in Okabe and Ito's colours, which colour-blind people tell apart.
_CURVES = {"energy": "#d55e00", "danceability": "#0072b2", "valence": "#b8860b", "acousticness": "#009e73"}
_GOOD, _BAD = "#0072b2", "#d55e00"
# What a listener calls little and much of each feature.
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
# More labels than this would cover each other.
_LABELS = 30
# Longer titles would cover the picture.
_LONGEST = 40


class _Stop(NamedTuple):
    """One track of a playlist in words; texts as they came, not yet safe."""

    position: int
    seed: bool
    title: str
    artist: str
    camelot: str
    key: str
    tempo: str
    move: str
    change: str
    distance: str
    cost: str


def _stops(playlist: Playlist) -> list[_Stop]:
    tracks = playlist.as_dict()["tracks"]
    change = [math.nan, *playlist.terms["tempo_change"].tolist()]
    stops = []
    for i, track in enumerate(tracks):
        camelot, before = track["camelot"], tracks[i - 1]["camelot"] if i else None
        join = track["join"] or {}
        stops.append(
            _Stop(
                position=track["position"],
                seed=track["seed"],
                title=printable(track["title"]) or printable(track["id"]),
                artist=printable(track["artist"]) or "unknown artist",
                camelot=camelot or "",
                key=f"{camelot} · {key_name(track['key'], track['mode'])}" if camelot else "",
                tempo=_number(track["tempo_bpm"], ".0f"),
                move=f"{before} → {camelot}" if before and camelot else "",
                change=_number(change[i], "+.1f", " %"),
                distance=_number(join.get("distance"), ".2f"),
                cost=_number(join.get("cost"), ".2f"),
            )
        )
    return stops


def _number(value: float | None, form: str, unit: str = "") -> str:
    return "" if value is None or math.isnan(value) else f"{value:{form}}{unit}".replace("-", "−")


def _drawn(text: str) -> str:
    """Text that Plotly draws as it stands: no tags, no entities, no TeX, not longer than fits."""
    short = text if len(text) <= _LONGEST else text[: _LONGEST - 1].rstrip() + "…"
    return html.escape(short, quote=False).replace("$", "&#36;")


def _written(text: str) -> str:
    return html.escape(printable(text))


def _hover(stop: _Stop) -> str:
    lines = [
        f"<b>{stop.position} · {_drawn(stop.title)}</b>{'  ◆ seed' if stop.seed else ''}",
        _drawn(stop.artist),
        f"{stop.key or 'key unknown'}   {f'{stop.tempo} BPM' if stop.tempo else 'tempo unknown'}",
    ]
    follows = [
        f"key {stop.move}" if stop.move else "",
        f"tempo {stop.change}" if stop.change else "",
        f"distance {stop.distance}" if stop.distance else "",
    ]
    return "<br>".join([*lines, "   ".join(filter(None, follows))]).removesuffix("<br>")


def _every(n: int) -> int:
    """Every how manieth of n places is labelled."""
    return max(1, math.ceil(n / _LABELS))


def path(playlist: Playlist) -> go.Figure:
    """The playlist as a path through the first three principal components of the scaled features.

    Tracks without features have no place in it: the tracks around them are joined.
    """
    scale = scaler()
    points = scale.project(scale.transform(playlist.tracks.features()))
    placed = np.flatnonzero(np.isfinite(points).all(axis=1))
    stops, fits = _stops(playlist), len(playlist) <= _LABELS
    figure = go.Figure(layout=_layout(height=620, margin=dict.fromkeys("lrtb", 0)))
    if not len(placed):
        return figure.add_annotation(text="No track of this playlist has features to place it by.", showarrow=False)
    points = points[placed]
    low, high = points.min(axis=0), points.max(axis=0)
    # Tracks that sound the same still stand in a box half a unit wide.
    reach = np.maximum((high - low) * 0.6, 0.25)
    low, high = (low + high) / 2 - reach, (low + high) / 2 + reach
    # A longer axis is drawn longer, but none so short that tracks hide each other; wider than high, as screens are.
    sides = np.clip(reach / reach.max(), 0.7, 1) * (1.15, 1.15, 0.85)
    colour = {"color": placed, "colorscale": _ALONG, "cmin": 0, "cmax": max(len(playlist) - 1, 1)}
    x, y, z = points.T
    # A little above the floor, or the floor would flicker through.
    floor = np.full_like(z, low[2] + 0.01 * reach[2])
    shade = {"mode": "lines", "hoverinfo": "skip", "showlegend": False}
    figure.add_scatter3d(x=x, y=y, z=floor, line={"color": "#dfe2e5", "width": 5}, **shade)
    figure.add_scatter3d(x=x, y=y, z=z, line={**colour, "width": 6}, **shade)
    for name, symbol, size, seed in (("seeds", "diamond", 9.5, True), ("added", "circle", 12 if fits else 5, False)):
        these = np.flatnonzero((placed < playlist.seeds) == seed)
        if len(these):
            figure.add_scatter3d(
                **dict(zip("xyz", points[these].T, strict=True)),
                mode="markers", name=name, hoverinfo="text", hovertext=[_hover(stops[placed[i]]) for i in these],
                marker={
                    **colour, "color": placed[these], "symbol": symbol, "size": size, "opacity": 1,
                    "line": {"color": "white", "width": 2},
                },
            )  # fmt: skip
    ends = zip("xyz", map(_ends, scale.components), low, high, strict=True)
    eye, seen = _view(points / (high - low) * sides)
    figure.update_scenes(
        {f"{axis}axis": _axis(words, float(a), float(b)) for axis, words, a, b in ends},
        annotations=_labels(points, seen, [stops[i] for i in placed]),
        aspectmode="manual",
        aspectratio=dict(zip("xyz", sides, strict=True)),
        camera={"eye": eye, "center": {"x": 0, "y": 0, "z": -0.13}},
    )
    first, last = (f"<b>{stops[i].position}  {_drawn(stops[i].title)}</b>" for i in placed[[0, -1]])
    caption = {"text": f"from {first}<br>to {last}", "align": "right", "showarrow": False}
    return figure.add_annotation(caption, x=0.99, y=0.99, xref="paper", yref="paper")


def _ends(component: Floats) -> tuple[str, str]:
    """What a listener hears at the low and at the high end of a component, by its two largest loadings."""
    largest = np.argsort(-np.abs(component))[:2]
    words = [_ENDS[FEATURES[i]][:: 1 if component[i] > 0 else -1] for i in largest]
    return ", ".join(low for low, _ in words), ", ".join(high for _, high in words)


def _view(points: Floats) -> tuple[dict[str, float], Floats]:
    """Where to look from so that the two nearest points keep most apart, and the points as seen, shape (n, 2)."""
    views = []
    # From these sides, in radians, the ends of all three axes can be read.
    for angle, height in product(np.linspace(-1.25, -0.35, 19), (0.25, 0.33, 0.41)):
        (x, y), (level, z) = (math.cos(angle), math.sin(angle)), (math.cos(height), math.sin(height))
        seen = points @ np.array([[-y, x, 0], [-z * x, -z * y, level]], dtype=np.float32).T
        some = seen[:: _every(len(seen))]
        apart = np.linalg.norm(some[:, None] - some, axis=2)[~np.eye(len(some), dtype=bool)].min(initial=np.inf)
        views.append((float(apart), {"x": 1.8 * level * x, "y": 1.8 * level * y, "z": 1.8 * z}, seen))
    return max(views, key=lambda view: view[0])[1:]


def _axis(words: tuple[str, str], low: float, high: float) -> dict[str, Any]:
    """An axis that says in words what its two ends mean."""
    edge = (high - low) * 0.16
    return {
        "range": [low, high], "title": {"text": ""}, "tickvals": [low + edge, high - edge], "ticktext": list(words),
        "tickfont": {"size": 13, "color": _SOFT}, "gridcolor": _GRID, "linecolor": _EDGE, "zeroline": False,
        "showbackground": True, "backgroundcolor": "#fbfbfa", "showspikes": False,
    }  # fmt: skip


def _labels(points: Floats, seen: Floats, stops: Sequence[_Stop]) -> list[dict[str, Any]]:
    """A number in every marker, and a tag at the first and the last on the side where there is most room."""
    places = [dict(zip("xyz", point.tolist(), strict=True)) for point in points]
    number = {"font": {"size": 10, "color": "white"}, "showarrow": False}
    numbered = zip(stops, places, strict=True) if len(stops) <= _LABELS else ()
    labels = [{**number, **place, "text": str(stop.position)} for stop, place in numbered]
    tag = {"bgcolor": "rgba(255, 255, 255, 0.8)", "arrowcolor": _SOFT, "arrowwidth": 1, "standoff": 14}
    sides = np.array([(0, 40), (0, -40), (52, 0), (-52, 0)])
    for i, text in {len(stops) - 1: "end", 0: "start"}.items():
        # At the usual size about 500 pixels show one unit.
        others = np.delete(seen, i, axis=0) - seen[i]
        room = [np.linalg.norm(others - side / 500, axis=1).min(initial=np.inf) for side in sides]
        right, up = sides[int(np.argmax(room))].tolist()
        labels.append({**tag, **places[i], "text": f"<b>{text}</b>", "ax": right, "ay": -up})
    return labels


def _layout(**more: Any) -> dict[str, Any]:
    return {
        "template": "none",
        "font": {"family": _FONT, "size": 13, "color": _INK},
        "paper_bgcolor": "white",
        "plot_bgcolor": "rgba(0, 0, 0, 0)",
        "hoverlabel": {"bgcolor": "white", "bordercolor": _EDGE, "font": {"color": _INK}, "align": "left"},
        "legend": {"x": 0.01, "y": 0.99, "itemsizing": "trace"},
        **more,
    }


def curves(playlist: Playlist) -> go.Figure:
    """How features, tempo and key run over the playlist: one row each over the tracks' positions."""
    stops, tracks, n = _stops(playlist), playlist.tracks, len(playlist)
    position = np.arange(1, n + 1)
    figure = go.Figure(layout=_layout(height=720, margin={"l": 124, "r": 20, "t": 30, "b": 44}))
    look = {"x": position, "mode": "lines+markers" if n <= _LABELS else "lines"}
    for row, (name, colour) in enumerate(_CURVES.items(), 1):
        values = tracks.numbers(name)
        figure.add_scatter(
            **look, y=values, yaxis=f"y{row}", name=name, line_color=colour,
            # Plotly would fill right across a gap.
            fill="tozeroy" if np.isfinite(values).all() else "none",
            fillcolor=f"rgba{(*colors.hex_to_rgb(colour), 0.1)}", hovertemplate="%{y:.2f}",
        )  # fmt: skip
    figure.add_scatter(
        **{**look, "mode": f"{look['mode']}+text" if n <= _LABELS else "lines"},
        y=tracks.tempos, yaxis="y5", name="tempo", line_color=_INK, hovertemplate="%{y:.1f} BPM",
        text=[stop.tempo for stop in stops], textposition=_beside(tracks.tempos),
        textfont={"size": 11, "color": _SOFT},
    )  # fmt: skip
    figure.add_bar(
        x=position, y=np.ones(n), width=0.94, yaxis="y6", name="key",
        marker={"color": [_key_colour(place) for place in tracks.positions], "line": {"width": 0}},
        text=[stop.camelot or "?" for stop in stops] if n <= _LABELS else None,
        textposition="inside", insidetextanchor="middle", textangle=0, textfont={"size": 12, "color": _INK},
        hovertext=[stop.key or "unknown" for stop in stops], hovertemplate="%{hovertext}",
    )  # fmt: skip
    fit = playlist.terms["key_similarity"]
    figure.add_bar(
        x=position[1:] - 0.5, y=fit, width=0.5, yaxis="y7", hoverinfo="skip",
        marker={"color": np.where(fit >= 0, _GOOD, _BAD), "line": {"width": 0}},
    )  # fmt: skip
    figure.add_scatter(
        **{**look, "mode": "markers"}, y=np.zeros(n), yaxis="y7", name="track", opacity=0,
        hovertext=[f"<b>{_drawn(stop.title)}</b>" for stop in stops], hovertemplate="%{hovertext}",
    )  # fmt: skip
    return _rows(figure, playlist)


def _beside(values: Floats) -> list[str]:
    """Where a number stands at each point of a line without being crossed by it: below at the valleys."""
    around = np.pad(values, 1, mode="edge")
    valley = (values <= np.fmin(around[:-2], around[2:])) & (values < np.fmax(around[:-2], around[2:]))
    return ["bottom center" if low else "top center" for low in valley]


def _key_colour(place: float) -> str:
    """Colour of a place on the circle of fifths (0-11), neighbours alike, light enough for dark text."""
    if math.isnan(place):
        return _UNKNOWN
    (colour,) = colors.sample_colorscale(colors.cyclical.Phase, [place / 12])
    return f"rgb{tuple(round(115 + 0.55 * part) for part in colors.unlabel_rgb(colour))}"


def _rows(figure: go.Figure, playlist: Playlist) -> go.Figure:
    """Lay the rows of `curves` out over one another, named at the left, with the seeds on a band of their own."""
    n = len(playlist)
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
                "tickfont": {"size": 10, "color": _SOFT}, "gridcolor": _GRID, "zeroline": False, "showline": False,
            }
        })  # fmt: skip
        figure.add_annotation(
            text=name, x=0, xref="paper", xanchor="right", xshift=-34, showarrow=False,
            y=(bottom + top) / 2, yref="paper", yanchor="middle",
        )  # fmt: skip
    if playlist.seeds:
        figure.add_shape(
            type="rect", x0=0.5, x1=playlist.seeds + 0.5, y0=0, y1=1.035, yref="paper", fillcolor=_BAND, line_width=0,
            layer="below", label={"text": "◆ seeds", "font": {"color": _SOFT}, "textposition": "top left"},
        )  # fmt: skip
    return figure.update_layout(
        hovermode="x unified", hoversubplots="axis", showlegend=False, bargap=0,
        xaxis={
            "range": [0.5, n + 0.5], "dtick": _every(n), "tick0": 1, "showgrid": False, "zeroline": False,
            "anchor": "y7", "fixedrange": True, "tickfont": {"size": 12, "color": _SOFT},
            "spikecolor": _EDGE, "spikethickness": 1, "spikedash": "solid",
            "title": {"text": "position in the playlist", "font": {"size": 12, "color": _SOFT}, "standoff": 8},
        },
    )  # fmt: skip


_STYLE = """
:root { color-scheme: light; }
body { margin: 0 auto; max-width: 72rem; padding: 2rem 1rem 3rem; background: #fff; color: #1f2933;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { margin: 0; font-size: 1.9rem; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 2.5rem 0 .5rem; font-size: 1.15rem; }
p { margin: .4rem 0; color: #66727f; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
.wide > div { min-width: 34rem; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; font-variant-numeric: tabular-nums; }
th, td { padding: .45rem .6rem; text-align: left; border-bottom: 1px solid #e4e8ec; white-space: nowrap; }
th { color: #66727f; font-weight: 600; }
td.text { white-space: normal; overflow-wrap: anywhere; min-width: 9rem; }
.number { text-align: right; }
.key { padding: .1rem .5rem; border-radius: .3rem; }
tr.seed { background: #f8f6f0; }
"""
_HEAD = {"": "number", "title": "", "artist": "", "key": "", "BPM": "number", "move": "", "BPM change": "number"}
_HEAD |= {"distance": "number", "cost": "number"}


def page(playlist: Playlist) -> str:
    """One HTML page with the path, the curves and a table; it opens without a network."""
    heading = _written(playlist.name)
    # The wheel scrolls the page, also where it is over a picture.
    config = {"displayModeBar": False, "scrollZoom": False, "responsive": True}
    figures = [
        plotly_io.to_html(figure(playlist), config, include_plotlyjs=figure is path, full_html=False, div_id=name)
        for name, figure in {"path": path, "curves": curves}.items()
    ]
    heads = "".join(f'<th scope="col" class="{kind}">{head}</th>' for head, kind in _HEAD.items())
    colours = map(_key_colour, playlist.tracks.positions.tolist())
    rows = "\n".join(map(_table_row, _stops(playlist), colours))
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{heading}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{_STYLE}</style></head><body>
<h1>{heading}</h1>
{"".join(f"<p>{_written(line)}</p>" for line in [*_facts(playlist), *playlist.notes])}
<h2>The path</h2>
<p>Tracks that sound alike stand together. Drag to turn it; point at a track to see what it is.</p>
<div class="wide">{figures[0]}</div>
<h2>How it runs</h2>
<div class="wide">{figures[1]}</div>
<h2>Tracks</h2>
<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>
{rows}
</tbody></table></div>
<p>◆ is a seed. How a track follows is told from the one before it; half and double time count as the same tempo.</p>
</body></html>
"""


def _facts(playlist: Playlist) -> list[str]:
    """What the playlist is, where from, and how it was made, in two lines."""
    minutes = playlist.tracks.numbers("duration_ms") / 60_000
    known = "" if np.isfinite(minutes).all() else " or more"
    seeds = f", {playlist.seeds} of them seeds" if playlist.seeds else ""
    lasts = f", {np.nansum(minutes):.0f} minutes{known}" if np.isfinite(minutes).any() else ""
    made = f"predictor {playlist.predictor}, recommender {playlist.recommender}, sequencer {playlist.sequencer}"
    where = f"from {playlist.catalogue['where']}, {playlist.catalogue['tracks']:,} tracks"
    knobs = ", ".join(f"{knob} {value:g}" for knob, value in asdict(playlist.knobs).items())
    return [f"{len(playlist)} tracks{seeds}{lasts} · {where}", f"{knobs} · {made}"]


def _table_row(stop: _Stop, colour: str) -> str:
    key = f'<span class="key" style="background: {colour}">{stop.camelot}</span>' if stop.camelot else "?"
    cells = [f"{stop.position}{' ◆' if stop.seed else ''}", _written(stop.title), _written(stop.artist), key]
    cells += [stop.tempo or "?", stop.move, stop.change, stop.distance, stop.cost]
    kinds = ["number", "text", "text", *list(_HEAD.values())[3:]]
    row = "".join(f'<td class="{kind}">{cell}</td>' for kind, cell in zip(kinds, cells, strict=True))
    return f'<tr class="{"seed" if stop.seed else "added"}">{row}</tr>'
