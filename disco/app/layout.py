"""The parts of the page: knobs and fields from Mantine, the figure from Plotly; its script fills in the rest."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import dash
import dash_mantine_components as dmc
from dash import ClientsideFunction, Input, Output, html
from fastapi import FastAPI

from disco.app.page_files import ASSETS, SUITES, PageFiles
from disco.app.state import State
from disco.playlist.cost import Knobs
from disco.playlist.key_rules import KEY_RULES
from disco.playlist.matching import KNOBS as ORDER_KNOBS
from disco.playlist.sequence import ARCS
from disco.playlist.styles import style_names

# Name, what it does in one plain sentence, and its two ends.
KNOBS = (
    ("flow", "How closely each track follows the course of the music.", "free", "close"),
    ("spicyness", "How far each step goes beyond the expected one.", "mild", "hot"),
    ("sweetness", "How much keys that go together count.", "any key", "in key"),
    ("smoothness", "How much tempos that match count.", "any tempo", "in tempo"),
)
_MOST = 6
FIGURES = (
    ("map", "Map", "Where the playlist goes among its candidates. Tracks that belong together are close."),
    (
        "wheel",
        "Keys",
        "The Camelot wheel: a step round it is a fifth, minor keys are inside. Blue: they go together.",
    ),
    ("curves", "Curves", "Energy, mood, tempo and key from the first track to the last."),
    ("matrix", "Joins", "What every transition would cost; those that are played are outlined."),
    ("path", "3-D", "The path through the three main components of the sound. Drag to turn it."),
)
_STYLES = {
    "published": "Published: key and tempo by formula",
    "dj": "DJ: as DJs mix, learned from their sets",
    "listener": "Listener: as people's playlists go on",
    "mine": "Mine: learned from what I played",
}
_RULES = {
    "fifths": "Circle of fifths",
    "camelot": "Camelot: one step",
    "camelot-wide": "Camelot: also energy boosts",
    "tonal": "Shared notes",
}


def made() -> PageFiles:
    """The page as Dash makes it, to be kept: see `disco.app.page_files`."""
    page = _Page(
        __name__,
        server=FastAPI(),
        assets_folder=str(ASSETS),
        title="DISCO",
        update_title="",
        meta_tags=[
            {"name": "viewport", "content": "width=device-width, initial-scale=1"},
            {"name": "description", "content": "Playlists that flow"},
            {"name": "color-scheme", "content": "light dark"},
        ],
    )
    page.index_string = (
        '<!DOCTYPE html>\n<html lang="en"><head>{%metas%}<title>{%title%}</title>{%favicon%}{%css%}</head>'
        "<body>{%app_entry%}<footer>{%config%}{%scripts%}{%renderer%}</footer></body></html>"
    )
    page.layout = layout()
    for name in WATCHED:
        page.clientside_callback(
            ClientsideFunction("disco", "control"), Output("sink", "data-changed", allow_duplicate=True),
            Input(name, _VALUE.get(name, "value")), prevent_initial_call=True,
        )  # fmt: skip
    index, components, watched = (
        _text_of(page.server, path) for path in ("/", "/_dash-layout", "/_dash-dependencies")
    )
    folders = {name: Path(str(sys.modules[name].__file__)).parent for name in page.registered_paths}
    files = {
        f"{name}/{path}": folders[name] / path for name, paths in page.registered_paths.items() for path in paths
    }
    scripts = {place: str(file) for place, file in files.items() if file.is_file()}
    return PageFiles(
        index, components, watched, list(page.csp_hashes()), scripts, str(folders["dash"] / "favicon.ico")
    )


def _text_of(server: FastAPI, path: str) -> str:
    """What a server answers to a browser that asks for a path, asked without a network."""
    sent: list[Any] = []
    asked: dict[str, Any] = {"type": "http", "http_version": "1.1", "method": "GET", "scheme": "http", "path": path}
    asked |= {
        "headers": [],
        "query_string": b"",
        "root_path": "",
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 1),
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    with ThreadPoolExecutor(1) as thread:  # this one may have a loop that runs
        thread.submit(asyncio.run, server(asked, receive, send)).result()
    return b"".join(message.get("body", b"") for message in sent).decode()


class _Page(dash.Dash):  # type: ignore[misc]  # Dash is partly typed
    """A page without scripts that it has no use for: for browsers of before 2020, and for Dash's own components."""

    def interpolate_index(self, **parts: str) -> str:
        parts["scripts"] = _NEEDLESS.sub("", parts["scripts"])
        page: str = super().interpolate_index(**parts)
        return page


_NEEDLESS = re.compile(r'<script src="[^"]*/(?:polyfill@|dash_table/|dcc/)[^"]*"></script>')
_PLOTLY = f"{SUITES}plotly/package_data/plotly.min.js"

# Components whose values the script is about of.
WATCHED = (
    *(name for name, *_ in KNOBS),
    *("title", "length-kind", "length", "arc-kind", "tempo-arc", "style", "key-rule"),
    *("genre", "without-genre", "keys", "bpm", "duration", "variety", "figure-kind"),
)
_VALUE = {"tempo-arc": "checked"}


def layout() -> Any:
    """The page; parts without children are filled in by the script."""
    return dmc.MantineProvider(
        id="theme",
        defaultColorScheme="auto",
        theme={
            "primaryColor": "indigo",
            "fontFamily": "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif",
            "defaultRadius": "md",
        },
        children=[
            html.Div(id="sink", hidden=True),
            html.A("To the playlist", href="#tracks-title", className="skip"),
            _header(),
            html.Main(
                id="main",
                children=[
                    html.Section(_controls(), id="controls", **{"aria-label": "What goes in"}),
                    html.Section(_playlist(), id="playlist", **{"aria-label": "Playlist"}),
                    html.Section(_flow(), id="flow-panel", **{"aria-label": "Figures"}),
                ],
            ),
            html.Div(id="player", hidden=True),
            html.Div(id="drop", hidden=True),
            html.Div(id="announced", role="status", **{"aria-live": "polite"}),
            html.Script(json.dumps(_facts()), id="page-facts", type="application/json"),
        ],
    )


def _facts() -> dict[str, Any]:
    """What the script needs to know."""
    figures = {name: about for name, _, about in FIGURES}
    return {"figures": figures, "arcs": ARCS, "order_knobs": asdict(ORDER_KNOBS), "plotly": _PLOTLY}


def _header() -> Any:
    return html.Header(
        id="top",
        children=[
            html.Div(
                [html.H1("DISCO"), html.P("Put in songs you love. It plays on from them, in key and in tempo.")],
                className="brand",
            ),
            html.Div(id="tools"),
        ],
    )


def _controls() -> list[Any]:
    return [
        html.Div(id="mode"),
        html.Div(
            [html.H2("Begin with"), html.Div(id="seeds"), html.Div(id="search")], id="seed-part", className="card"
        ),
        html.Div([html.H2("Knobs"), *(_knob(*knob) for knob in KNOBS)], className="card knobs"),
        dmc.Accordion(
            multiple=True,
            variant="separated",
            chevronPosition="right",
            className="more",
            children=[
                _part("shape", "Length and arc", _shape()),
                _part("mixing", "How transitions are judged", _mixing()),
                _part("filters", "Which tracks may be played", _filters()),
                _part("variety-part", "Variety", _variety()),
            ],
        ),
    ]


def _part(value: str, heading: str, content: list[Any]) -> Any:
    return dmc.AccordionItem(
        [dmc.AccordionControl(heading), dmc.AccordionPanel(html.Div(content, className="fields"))], value=value
    )


def _knob(name: str, sentence: str, low: str, high: str) -> Any:
    start = getattr(Knobs, name)
    return html.Div(
        className="knob",
        children=[
            html.Div(
                [html.Span(name.capitalize(), className="knob-name"), html.Output(f"{start:g}", id=f"{name}-value")],
                className="knob-head",
            ),
            dmc.Slider(
                id=name, min=0, max=_MOST, step=0.1, value=start, label=None, size="sm", updatemode="drag",
                thumbLabel=f"{name}: {sentence}",
            ),
            html.Div([html.Span(low), html.Span(high)], className="ends", **{"aria-hidden": "true"}),
            html.P(sentence),
        ],
    )  # fmt: skip


def _shape() -> list[Any]:
    arcs = [{"value": "none", "label": "None"}, *({"value": name, "label": name.capitalize()} for name in ARCS)]
    return [
        html.Div(
            [
                dmc.NumberInput(id="length", label="Length", value=State.length, min=1, max=300, debounce=300),
                dmc.SegmentedControl(
                    id="length-kind", value="tracks", fullWidth=True,
                    data=[{"value": "tracks", "label": "tracks"}, {"value": "minutes", "label": "minutes"}],
                ),
            ],
            className="pair",
        ),
        dmc.Select(
            id="arc-kind", label="Arc of energy", value="none", allowDeselect=False,
            data=[*arcs, {"value": "drawn", "label": "Drawn by hand"}],
            description="Drag its points in the course above the list.",
        ),
        dmc.Switch(
            id="tempo-arc", label="Arc of tempo", checked=False, description="Drag its points to the BPM you want."
        ),
    ]  # fmt: skip


def _mixing() -> list[Any]:
    styles = [{"value": name, "label": _STYLES.get(name, name)} for name in ("published", *style_names())]
    once = list({each["value"]: each for each in styles}.values())
    rules = [{"value": name, "label": _RULES.get(name, name)} for name in KEY_RULES]
    return [
        dmc.Select(id="style", label="Style", value=State.style, data=once, allowDeselect=False),
        dmc.Select(
            id="key-rule", label="Keys that go together", value=State.key_rule, data=rules, allowDeselect=False
        ),
    ]


def _filters() -> list[Any]:
    return [
        dmc.TextInput(id="genre", label="Only genre", placeholder="techno", debounce=400),
        dmc.TextInput(id="without-genre", label="No genre", placeholder="christmas", debounce=400),
        dmc.TextInput(id="keys", label="Only keys", placeholder="8A,7A,9A", debounce=400),
        dmc.TextInput(id="bpm", label="BPM", placeholder="118-126", debounce=400),
        dmc.TextInput(id="duration", label="Length of a track", placeholder="2:00-6:30", debounce=400),
        dmc.TextInput(
            id="title", label="Title", placeholder="beach trip", debounce=400,
            description="A title is understood, also without songs to begin with.",
        ),
    ]  # fmt: skip


def _variety() -> list[Any]:
    return [
        dmc.Slider(
            id="variety", min=0, max=3, step=0.1, value=0, size="sm", label=None,
            thumbLabel="variety: how much chance decides",
        ),
        html.P("0 plays the best; more lets other good tracks in."),
        html.Div(id="another"),
    ]  # fmt: skip


def _playlist() -> list[Any]:
    return [
        html.Div(id="banner", role="alert", hidden=True),
        html.Div(
            [html.Div([html.H2("…", id="tracks-title", tabIndex=-1), html.P(id="summary")]), html.Div(id="actions")],
            className="list-head",
        ),
        html.Div(id="reading", hidden=True),
        html.Div(id="course"),
        html.Div(id="compare", hidden=True),
        html.Ol(id="tracks", **{"aria-label": "Tracks, first to last"}),
        html.Div(id="notes"),
    ]


def _flow() -> list[Any]:
    return [
        html.H2("Flow"),
        dmc.SegmentedControl(
            id="figure-kind", value="map", fullWidth=True, size="xs",
            data=[{"value": name, "label": label} for name, label, _ in FIGURES],
        ),
        html.P(FIGURES[0][2], id="figure-about"),
        html.Div(id="figure"),
        html.Div(id="legend"),
    ]  # fmt: skip
