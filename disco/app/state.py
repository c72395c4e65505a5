"""What a person has set on the page: read from the browser or from a link, and checked value by value."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from disco.catalogue.schema import SCHEMA
from disco.errors import DiscoError
from disco.playlist.cost import Knobs
from disco.playlist.mixing import Mixing

# More would be no list that is looked at: each is drawn.
MOST_TRACKS = 2_000
MOST_ADDED = 300
_MOST_SEEDS = 100
_MOST_TEXT = 300
# Knobs beyond it change nothing any more: one term outweighs all others.
MOST_KNOB = 10.0


@dataclass(frozen=True)
class State:
    """Everything that the page lets a person set; a field that a link lacks has its default.

    Attributes
    ----------
    seeds : tuple of str
        Ids of tracks, first to last.
    title : str
        Instead of seeds, or beside them.
    length : int
        Tracks to add.
    minutes : float, optional
        Duration instead of a length.
    flow, spicyness, sweetness, smoothness : float
        The knobs.
    style, key_rule : str
        As for `disco.make`.
    arc, tempo_arc : tuple of float
        Heights of energy from 0 to 1, and tempos in BPM; empty for none.
    genre, without_genre, keys, bpm, duration : str
        Filters, as people write them; empty for none.
    variety : float
        Randomness of the choice.
    variety_seed : int
    pins : tuple of (position, id)
        Locked tracks, by positions from 1.
    out : tuple of str
        Ids of tracks that were thrown out.
    together : tuple of tuple of str
        Ids of tracks that follow each other.
    tracks : tuple of dict
        A list to put in order, by the names of the schema; empty where a playlist is made from seeds.
    name : str
        Of the list.
    given_order : bool
        Show the list as it is, not in its best order.
    """

    seeds: tuple[str, ...] = ()
    title: str = ""
    length: int = 10
    minutes: float | None = None
    flow: float = Knobs.flow
    spicyness: float = Knobs.spicyness
    sweetness: float = Knobs.sweetness
    smoothness: float = Knobs.smoothness
    style: str = Mixing.style
    key_rule: str = Mixing.key_rule
    arc: tuple[float, ...] = ()
    tempo_arc: tuple[float, ...] = ()
    genre: str = ""
    without_genre: str = ""
    keys: str = ""
    bpm: str = ""
    duration: str = ""
    variety: float = 0.0
    variety_seed: int = 0
    pins: tuple[tuple[int, str], ...] = ()
    out: tuple[str, ...] = ()
    together: tuple[tuple[str, ...], ...] = ()
    tracks: tuple[Mapping[str, Any], ...] = field(default=(), hash=False)
    name: str = ""
    given_order: bool = False


def read_state(sent: object) -> tuple[State, list[str]]:
    """A state from what a browser sent.

    A value of the wrong kind is left out, and one out of range is set to the nearest, so that a link of another
    version still opens; the notes tell which.

    Parameters
    ----------
    sent : object
        What the JSON says; a mapping by the names of `State`.

    Returns
    -------
    state : State
    notes : list of str

    Raises
    ------
    DiscoError
        If it is no mapping at all, or a list is too long to be drawn.

    Examples
    --------
    >>> state, notes = read_state({"seeds": ["a"], "flow": 99, "colour": "red"})
    >>> state.flow, notes
    (10.0, ['the link has settings that this page does not know: colour'])
    """
    if not isinstance(sent, Mapping):
        raise DiscoError("the page sent no settings; reload it")
    known = {part.name for part in fields(State)}
    values: dict[str, Any] = {}
    bad: list[str] = []
    for name in known & {str(key) for key in sent}:
        value = _READ[name](sent[name])
        if value is None and sent[name] is not None:
            bad.append(name)
        elif value is not None:
            values[name] = value
    if len(values.get("tracks", ())) > MOST_TRACKS:
        raise DiscoError(
            f"the list has {len(values['tracks']):,} tracks, and the page shows at most {MOST_TRACKS:,}; "
            "`disco order` takes more"
        )
    unknown = sorted({str(key)[:40] for key in sent} - known - {"v"})
    notes = [f"the link has settings that this page does not know: {', '.join(unknown[:5])}"] if unknown else []
    if bad:
        notes.append(f"settings that mean nothing were left out: {', '.join(sorted(bad))}")
    return State(**values), notes


def _float(value: float) -> float:
    """A number of JSON, which may have any number of digits; NaN if it is not finite."""
    try:
        return float(value) if math.isfinite(value) else math.nan
    except OverflowError:
        return 1e300 if value > 0 else -1e300


def _number(least: float, most: float) -> Any:
    def read(value: object) -> float | None:
        if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value := _float(value)):
            return None
        return float(min(max(value, least), most))

    return read


def _whole(least: int, most: int) -> Any:
    def read(value: object) -> int | None:
        number = _number(least, most)(value)
        return None if number is None else round(number)

    return read


def _text(value: object) -> str | None:
    return " ".join(value[:_MOST_TEXT].split()) if isinstance(value, str) else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _several(read: Any, most: int) -> Any:
    def each(value: object) -> tuple[Any, ...] | None:
        if not isinstance(value, list | tuple):
            return None
        found = [read(one) for one in value[:most]]
        return tuple(one for one in found if one is not None and one != "")

    return each


def _pin(value: object) -> tuple[int, str] | None:
    if not isinstance(value, list | tuple) or len(value) != 2:
        return None
    position, track = _whole(1, MOST_TRACKS)(value[0]), _text(value[1])
    return (position, track) if position is not None and track else None


def _track(value: object) -> Mapping[str, Any] | None:
    """A track of a list, by the names of the schema, each value of its kind or left out."""
    if not isinstance(value, Mapping):
        return None
    track: dict[str, Any] = {}
    for name in _TRACK:
        read = _TRACK[name](value.get(name))
        if read is not None:
            track[name] = read
    return track if track.get("track_id") else None


_TRACK: dict[str, Any] = dict.fromkeys(("track_id", "title", "album", "isrc", "path", "feature_set"), _text)
_TRACK |= dict.fromkeys(("artists", "genres"), _several(_text, 20))
_TRACK |= {
    "duration_ms": _whole(0, 10**9),
    "tempo_bpm": _number(10, 1000),
    "key": _whole(0, 11),
    "mode": _whole(0, 1),
}
_FEATURES = ("acousticness", "danceability", "energy", "instrumentalness", "liveness", "speechiness", "valence")
_TRACK |= dict.fromkeys(_FEATURES, _number(0, 1)) | {"loudness": _number(-60, 20), "popularity": _number(0, 100)}
_TRACK = {name: read for name, read in _TRACK.items() if name in SCHEMA.names}

_READ: dict[str, Any] = {
    "seeds": _several(_text, _MOST_SEEDS),
    "title": _text,
    "length": _whole(0, MOST_ADDED),
    "minutes": _number(1, 24 * 60),
    **dict.fromkeys(("flow", "spicyness", "sweetness", "smoothness"), _number(0, MOST_KNOB)),
    "style": _text,
    "key_rule": _text,
    "arc": _several(_number(0, 1), 50),
    "tempo_arc": _several(_number(20, 400), 50),
    **dict.fromkeys(("genre", "without_genre", "keys", "bpm", "duration", "name"), _text),
    "variety": _number(0, MOST_KNOB),
    "variety_seed": _whole(0, 2**31 - 1),
    "pins": _several(_pin, MOST_TRACKS),
    "out": _several(_text, MOST_TRACKS),
    "together": _several(_several(_text, 50), MOST_TRACKS),
    "tracks": _several(_track, MOST_TRACKS + 1),
    "given_order": _flag,
}
