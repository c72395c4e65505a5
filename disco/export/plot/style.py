"""What the figures share: colours, the layout, and the tracks of a playlist as labels."""

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
# Of transitions; colour-blind people tell them apart.
GRADE_COLOURS = {"good": "#159a78", "fair": "#c8951a", "clash": "#d1495b", "unknown": "#a3adb8"}
# In the order of the circle of fifths from 8A and 8B on: the hues that DJ programs give the Camelot numbers, from
# yellow at 4 over red at 6 and violet at 9 to green at 2, as light as dark text needs.
KEY_COLOURS = (
    "#f292de",
    "#d4a4f4",
    "#a4aaf4",
    "#92c7f2",
    "#92e8f2",
    "#92f2de",
    "#92f2b2",
    "#baf292",
    "#eee896",
    "#f2c592",
    "#f29f92",
    "#f292af",
)
# More labels would cover each other.
LABELS = 30
# Longer titles would cover the figure.
LONGEST = 40


class TrackLabel(NamedTuple):
    """One track of a playlist in words; its texts are not escaped yet."""

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
    """Every track of a playlist as a label."""
    tracks = playlist.as_dict()["tracks"]
    change = [math.nan, *playlist.terms["tempo_change"].tolist()]
    labels = []
    for i, track in enumerate(tracks):
        camelot, before = track["camelot"], tracks[i - 1]["camelot"] if i else None
        join = track["join"] or {}
        labels.append(
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
    return labels


def number(value: float | None, form: str, unit: str = "") -> str:
    """A number with its unit; empty where unknown."""
    return "" if value is None or math.isnan(value) else f"{value:{form}}{unit}".replace("-", "−")


def escape_plotly(text: str, longest: int = LONGEST) -> str:
    """Escape a text for Plotly, which interprets tags, entities and TeX, and shorten it."""
    short = text if len(text) <= longest else text[: longest - 1].rstrip() + "…"
    return html.escape(short, quote=False).replace("$", "&#36;")


def escape_html(text: str) -> str:
    """Escape a text for HTML."""
    return html.escape(printable(text))


def hover(label: TrackLabel) -> str:
    """The text at a track that the mouse points at."""
    lines = [
        f"<b>{label.position} · {escape_plotly(label.title)}</b>{'  ◆ seed' if label.seed else ''}",
        escape_plotly(label.artist),
        f"{label.key or 'key unknown'}   {f'{label.tempo} BPM' if label.tempo else 'tempo unknown'}",
    ]
    follows = [
        f"key {label.move}" if label.move else "",
        f"tempo {label.change}" if label.change else "",
        f"distance {label.distance}" if label.distance else "",
    ]
    return "<br>".join([*lines, "   ".join(filter(None, follows))]).removesuffix("<br>")


def label_step(n: int) -> int:
    """Distance of labelled positions, if n would be too many labels."""
    return max(1, math.ceil(n / LABELS))


def layout(**more: Any) -> dict[str, Any]:
    """The layout of every figure, with additions."""
    return {
        "template": "none",
        "font": {"family": FONT, "size": 13, "color": INK},
        "paper_bgcolor": "white",
        "plot_bgcolor": "rgba(0, 0, 0, 0)",
        "hoverlabel": {"bgcolor": "white", "bordercolor": EDGE, "font": {"color": INK}, "align": "left"},
        "legend": {"x": 0.01, "y": 0.99, "itemsizing": "trace"},
        **more,
    }


def key_colour(position: float) -> str:
    """Colour of a position on the circle of fifths (0-11), light enough for dark text; that of the Camelot number."""
    return UNKNOWN if math.isnan(position) else KEY_COLOURS[int(position)]
