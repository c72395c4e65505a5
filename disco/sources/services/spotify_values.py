"""Values in Spotify-like JSON, checked one by one."""

from __future__ import annotations

from typing import Any

from disco.catalogue import FEATURES

Row = dict[str, Any]


_LONGEST_MS = 2**31 - 1


def text(value: object) -> str | None:
    """A text that can be kept, None where there is none; half characters become question marks."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) and value.strip() else None


def whole(value: object) -> int | None:
    """A whole number of 0 or more that fits 32 bits, or None."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LONGEST_MS else None


def number(value: object) -> float | None:
    """A finite number, or None."""
    good = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9
    return float(value) if good else None  # type: ignore[arg-type]


def measured(values: dict[str, Any]) -> Row:
    """What is measured of a track, by Spotify's names; tempo 0 and key -1 are unknown."""
    shares = {name: number(values.get(name)) for name in FEATURES}
    row: Row = {
        name: value if value is not None and (name == "loudness" or 0 <= value <= 1) else None
        for name, value in shares.items()
    }
    if any(value is not None for value in row.values()):
        row["feature_set"] = "spotify"
    tempo, key, mode, beats = (values.get(name) for name in ("tempo", "key", "mode", "time_signature"))
    row["tempo_bpm"] = bpm if (bpm := number(tempo)) is not None and 0 < bpm < 1000 else None
    row["key"] = pitch if (pitch := whole(key)) is not None and pitch < 12 else None
    row["mode"] = mode if row["key"] is not None and mode in (0, 1) and not isinstance(mode, bool) else None
    row["time_signature"] = metre if (metre := whole(beats)) is not None and 0 < metre < 128 else None
    return row
