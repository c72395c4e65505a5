"""What the pictures share: colours, the layout, and a playlist in words that are safe to draw."""

from __future__ import annotations

import html
import math
from typing import Any, NamedTuple

import numpy as np
from plotly import colors

from disco.catalogue.music import key_name
from disco.catalogue.text import printable
from disco.playlist.playlist import Playlist

FONT = "'Helvetica Neue', Helvetica, Arial, sans-serif"
INK, SOFT, EDGE, GRID, BAND, UNKNOWN = "#1f2933", "#66727f", "#c9d0d6", "#e4e8ec", "#f3f1ea", "#e9ecef"
# Plasma without its yellow end, on which white numbers could not be read.
ALONG = colors.sample_colorscale("Plasma", np.linspace(0, 0.72, 9))
GOOD, BAD = "#0072b2", "#d55e00"
# More labels than this would cover each other.
LABELS = 30
# Longer titles would cover the picture.
LONGEST = 40


class TrackLabel(NamedTuple):
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


def track_labels(playlist: Playlist) -> list[TrackLabel]:
    """Every track of a playlist in words."""
    tracks = playlist.as_dict()["tracks"]
    change = [math.nan, *playlist.terms["tempo_change"].tolist()]
    stops = []
    for i, track in enumerate(tracks):
        camelot, before = track["camelot"], tracks[i - 1]["camelot"] if i else None
        join = track["join"] or {}
        stops.append(
            TrackLabel(
                position=track["position"],
                seed=track["seed"],
                title=printable(track["title"]) or printable(track["id"]),
                artist=printable(track["artist"]) or "unknown artist",
                camelot=camelot or "",
                key=f"{camelot} · {key_name(track['key'], track['mode'])}" if camelot else "",
                tempo=number(track["tempo_bpm"], ".0f"),
                move=f"{before} → {camelot}" if before and camelot else "",
                change=number(change[i], "+.1f", " %"),
                distance=number(join.get("distance"), ".2f"),
                cost=number(join.get("cost"), ".2f"),
            )
        )
    return stops


def number(value: float | None, form: str, unit: str = "") -> str:
    """A number with its unit; empty where unknown."""
    return "" if value is None or math.isnan(value) else f"{value:{form}}{unit}".replace("-", "−")


def escape_plotly(text: str, longest: int = LONGEST) -> str:
    """Text that Plotly draws as it stands: no tags, no entities, no TeX, not longer than fits."""
    short = text if len(text) <= longest else text[: longest - 1].rstrip() + "…"
    return html.escape(short, quote=False).replace("$", "&#36;")


def escape_html(text: str) -> str:
    """Text that HTML shows as it stands."""
    return html.escape(printable(text))


def hover(stop: TrackLabel) -> str:
    """The hover text of a track."""
    lines = [
        f"<b>{stop.position} · {escape_plotly(stop.title)}</b>{'  ◆ seed' if stop.seed else ''}",
        escape_plotly(stop.artist),
        f"{stop.key or 'key unknown'}   {f'{stop.tempo} BPM' if stop.tempo else 'tempo unknown'}",
    ]
    follows = [
        f"key {stop.move}" if stop.move else "",
        f"tempo {stop.change}" if stop.change else "",
        f"distance {stop.distance}" if stop.distance else "",
    ]
    return "<br>".join([*lines, "   ".join(filter(None, follows))]).removesuffix("<br>")


def label_step(n: int) -> int:
    """Every how manieth of n places is labelled."""
    return max(1, math.ceil(n / LABELS))


def layout(**more: Any) -> dict[str, Any]:
    """The layout of every picture, and more."""
    return {
        "template": "none",
        "font": {"family": FONT, "size": 13, "color": INK},
        "paper_bgcolor": "white",
        "plot_bgcolor": "rgba(0, 0, 0, 0)",
        "hoverlabel": {"bgcolor": "white", "bordercolor": EDGE, "font": {"color": INK}, "align": "left"},
        "legend": {"x": 0.01, "y": 0.99, "itemsizing": "trace"},
        **more,
    }


def key_colour(place: float) -> str:
    """Colour of a place on the circle of fifths (0-11), neighbours alike, light enough for dark text."""
    if math.isnan(place):
        return UNKNOWN
    (colour,) = colors.sample_colorscale(colors.cyclical.Phase, [place / 12])
    return f"rgb{tuple(round(115 + 0.55 * part) for part in colors.unlabel_rgb(colour))}"
