"""Settings files: knobs, filters and methods stored as TOML, by the names of the options."""

from __future__ import annotations

import argparse
import inspect
import math
from pathlib import Path
from typing import Any

from disco.errors import DataError
from disco.playlist.make import make
from disco.sources import limits

# Options about the tracks of one playlist, which mean nothing for another.
_OF_ONE_PLAYLIST = {"title", "end_track", "pin", "keep_positions", "exclude_playlist", "compatible_with", "choose"}
_PARAMETERS = {
    name: p
    for name, p in inspect.signature(make).parameters.items()
    if p.kind is p.KEYWORD_ONLY and name not in _OF_ONE_PLAYLIST
}
# Stands for no value where there is a default.
NONE = "none"
# Names that keys had before, which files still hold.
_OLD = {"half_time": "half_time_weight", "max_bpm_change": "max_tempo_change", "variety": "randomness"}
_OLD |= {"seed": "random_seed", "only": "include", "spiciness": "spicyness"}
_WANTED: dict[tuple[type, ...], str] = {
    (int, float): "a number",
    (int,): "a whole number",
    (str,): "a text",
    (list,): "a list of texts",
    (int, float, str): "a number, or none as text",
    (bool,): "true or false",
}


def _types(parameter: inspect.Parameter) -> tuple[type, ...]:
    """Types of TOML values that fit a parameter of `make`."""
    if parameter.default == ():
        return (list,)
    if str(parameter.annotation).startswith("float | str"):
        return (int, float, str)
    first = str(parameter.annotation).split(" ")[0]
    return {"float": (int, float), "int": (int,), "bool": (bool,)}.get(first, (str,))


# Names that a settings file may hold, with the types of TOML values that fit.
KEYS = {name: _types(parameter) for name, parameter in _PARAMETERS.items()}


def read(path: Path) -> dict[str, Any]:
    """Settings of a file.

    Raises
    ------
    NotFoundError, DataError
        If the file does not exist, is not TOML, or has an unknown key or a wrong value.
    """
    import difflib  # used by this alone

    settings = limits.toml_of(path, "settings file")
    for old, key in _OLD.items():
        if old in settings and key in settings:
            raise DataError(path, f"sets both {key!r} and {old!r}, its old name; leave one")
    settings = {_OLD.get(key, key): value for key, value in settings.items()}
    for key, value in settings.items():
        if key not in KEYS:
            close = difflib.get_close_matches(key, KEYS, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(KEYS)}"
            raise DataError(path, f"setting {key!r} is not known; {hint}")
        if type(value) not in KEYS[key] or (isinstance(value, list) and not all(isinstance(v, str) for v in value)):
            raise DataError(path, f"setting {key!r} must be {_WANTED[KEYS[key]]}, not {value!r}")
        if isinstance(value, str) and int in KEYS[key] and value != NONE:
            raise DataError(path, f"setting {key!r} must be a number, or {NONE!r}, not {value!r}")
        if isinstance(value, float) and not math.isfinite(value):
            raise DataError(path, f"setting {key!r} must be a finite number, not {value}")
    if {"length", "minutes"} <= set(settings):
        raise DataError(path, "sets both 'length' and 'minutes'; leave one")
    return settings


def as_toml(arguments: argparse.Namespace) -> str:
    """Settings of parsed arguments as TOML; what is not set is left out."""
    import tomli_w  # used by this alone

    values = {key: getattr(arguments, key) for key in KEYS}
    # TOML has no null, and a setting that is left out is the default.
    values |= {key: NONE for key, types in KEYS.items() if values[key] is None and {int, str} <= set(types)}
    chosen = {key: value for key, value in values.items() if value is not None and value != []}
    return "# disco generate --settings THIS_FILE\n" + tomli_w.dumps(chosen)
