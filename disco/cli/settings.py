"""Settings files: a set of knobs and filters kept as TOML, by the names of the options."""

from __future__ import annotations

import argparse
import difflib
import math
import tomllib
from pathlib import Path
from typing import Any

import numpy as np

from disco.errors import DataError, NotFoundError

# Option names that a settings file may hold, with the types of TOML values that fit.
KEYS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("flow", "spicyness", "sweetness", "smoothness", "minutes"), (int, float)),
    **dict.fromkeys(("length", "candidates", "artist_gap"), (int,)),
    **dict.fromkeys(("predictor", "recommender", "sequencer", "bpm", "duration"), (str,)),
    **dict.fromkeys(("half_time_weight", "max_tempo_change", "arc_weight", "randomness"), (int, float)),
    **dict.fromkeys(("key_rule", "arc", "start_key", "end_key"), (str,)),
    **dict.fromkeys(("random_seed", "width"), (int,)),
    **dict.fromkeys(("include", "exclude"), (list,)),
    **dict.fromkeys(("explicit", "energy_boost"), (bool,)),
}
# Names that keys had before, which files still hold.
_OLD = {"half_time": "half_time_weight", "max_bpm_change": "max_tempo_change", "variety": "randomness"}
_OLD |= {"seed": "random_seed", "only": "include", "spiciness": "spicyness"}
_WANTED: dict[tuple[type, ...], str] = {
    (int, float): "a number",
    (int,): "a whole number",
    (str,): "a text",
    (list,): "a list of texts",
    (bool,): "true or false",
}


def read(where: Path) -> dict[str, Any]:
    """Settings of a file.

    Raises
    ------
    NotFoundError, DataError
        If the file is not there, is no TOML, or has a key or value that means nothing.
    """
    try:
        said = tomllib.loads(where.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise NotFoundError(f"{where}: there is no such file") from None
    except OSError as error:
        raise DataError(where, f"cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        raise DataError(where, f"is not a readable settings file ({error})") from None
    for old, key in _OLD.items():
        if old in said and key in said:
            raise DataError(where, f"sets both {key!r} and {old!r}, its old name; leave one")
    said = {_OLD.get(key, key): value for key, value in said.items()}
    for key, value in said.items():
        if key not in KEYS:
            close = difflib.get_close_matches(key, KEYS, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(KEYS)}"
            raise DataError(where, f"setting {key!r} is not known; {hint}")
        if type(value) not in KEYS[key] or (isinstance(value, list) and not all(isinstance(v, str) for v in value)):
            wanted = _WANTED[KEYS[key]]
            raise DataError(where, f"setting {key!r} must be {wanted}, not {value!r}")
        if isinstance(value, float) and not math.isfinite(value):
            raise DataError(where, f"setting {key!r} must be a finite number, not {value}")
    if {"length", "minutes"} <= set(said):
        raise DataError(where, "sets both 'length' and 'minutes'; leave one")
    return said


def as_toml(arguments: argparse.Namespace) -> str:
    """Settings of parsed arguments as TOML; what is not set is left out."""
    lines = ["# disco.generate --settings THIS_FILE"]
    for key in KEYS:
        value = getattr(arguments, key)
        if value is not None and value != []:
            lines.append(f"{key} = {_value(value)}")
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, tuple):
        return _value("-".join(np.format_float_positional(v, trim="-") for v in value))
    if isinstance(value, str):
        escaped = "".join(f"\\u{ord(c):04x}" if c in '"\\' or ord(c) < 32 or ord(c) == 127 else c for c in value)
        return f'"{escaped}"'
    return repr(value)
