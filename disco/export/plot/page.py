"""The page: all figures of a playlist and its table, in one HTML file that needs no network."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
from plotly import io as plotly_io

from disco.export.plot.curves import curves
from disco.export.plot.matrix import matrix
from disco.export.plot.path import NOTHING_PLACED, path
from disco.export.plot.style import TrackLabel, escape_html, key_colour, track_labels
from disco.export.plot.wheel import wheel
from disco.playlist.playlist import Playlist

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
    """Draw a playlist on one HTML page with its figures and a table of its tracks.

    Plotly's script is part of the page, so that it opens without a network.
    """
    heading = escape_html(playlist.name)
    # The mouse wheel scrolls the page, also over a figure.
    config = {"displayModeBar": False, "scrollZoom": False, "responsive": True}
    drawn = {"path": path, "wheel": wheel, "curves": curves, "matrix": matrix}
    if np.isnan(playlist.tracks.features()).any(axis=1).all():
        del drawn["path"]
    figures = {
        name: plotly_io.to_html(draw(playlist), config, include_plotlyjs=first, full_html=False, div_id=name)
        for first, (name, draw) in zip((True, False, False, False), drawn.items(), strict=False)
    }
    way = "<p>Tracks that sound alike are close together. Drag to turn it; point at a track for details.</p>\n"
    way += f'<div class="wide">{figures["path"]}</div>' if "path" in figures else ""
    way = way if "path" in figures else f"<p>{NOTHING_PLACED}</p>"
    heads = "".join(f'<th scope="col" class="{kind}">{head}</th>' for head, kind in _HEAD.items())
    colours = map(key_colour, playlist.tracks.circle_positions.tolist())
    rows = "\n".join(map(_table_row, track_labels(playlist), colours))
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{heading}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{_STYLE}</style></head><body>
<h1>{heading}</h1>
{"".join(f"<p>{escape_html(line)}</p>" for line in [*_facts(playlist), *playlist.notes])}
<h2>The path</h2>
{way}
<h2>Its keys</h2>
<p>The Camelot wheel: minor keys inside, major keys outside, one number up is a fifth up.</p>
<div class="wide">{figures["wheel"]}</div>
<h2>Its course</h2>
<p>Dotted where half or double time counts as the same tempo.</p>
<div class="wide">{figures["curves"]}</div>
<h2>The cost of every transition</h2>
<p>From the track of a row to that of a column, in playing order; the outlined squares are the transitions that are
played. Distance is that of the eight features.</p>
<div class="wide">{figures["matrix"]}</div>
<h2>Tracks</h2>
<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>
{rows}
</tbody></table></div>
<p>◆ is a seed. Key move, change of tempo, distance and cost are those from the track before; half and double time
count as the same tempo.</p>
</body></html>
"""


def _facts(playlist: Playlist) -> list[str]:
    """Length, source and settings of the playlist, in two lines."""
    minutes = playlist.tracks.numbers("duration_ms") / 60_000
    known = "" if np.isfinite(minutes).all() else " or more"
    seeds = f", {playlist.seeds} of them seeds" if playlist.seeds else ""
    lasts = f", {np.nansum(minutes):.0f} minutes{known}" if np.isfinite(minutes).any() else ""
    made = f"predictor {playlist.predictor}, recommender {playlist.recommender}, sequencer {playlist.sequencer}"
    where = f"from {playlist.catalogue['where']}, {playlist.catalogue['tracks']:,} tracks"
    knobs = ", ".join(f"{knob} {value:g}" for knob, value in asdict(playlist.knobs).items())
    return [f"{len(playlist)} tracks{seeds}{lasts} · {where}", f"{knobs} · {made}"]


def _table_row(label: TrackLabel, colour: str) -> str:
    key = f'<span class="key" style="background: {colour}">{label.camelot}</span>' if label.camelot else "?"
    cells = [
        f"{label.position}{' ◆' if label.seed else ''}",
        escape_html(label.title),
        escape_html(label.artist),
        key,
    ]
    cells += [label.tempo or "?", label.move, label.change, label.distance, label.cost]
    kinds = ["number", "text", "text", *list(_HEAD.values())[3:]]
    row = "".join(f'<td class="{kind}">{cell}</td>' for kind, cell in zip(kinds, cells, strict=True))
    return f'<tr class="{"seed" if label.seed else "added"}">{row}</tr>'
