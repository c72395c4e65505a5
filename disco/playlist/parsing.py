"""Values as people write them: positions `1-4,6`, pins `5=a title`, arcs, keys, ranges of tempo and duration."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from disco.catalogue.key_names import parse_key
from disco.errors import DiscoError
from disco.playlist.sequence.constraints import ARCS

Range = tuple[float, float]
_LARGEST_POSITION = 10**6


def parse_arc(arc: str | Sequence[float] | None) -> tuple[float, ...]:
    """Heights of an arc, 0-1, from its name or its points.

    Examples
    --------
    >>> parse_arc("warm-up"), parse_arc("0.2,0.9,0.4"), parse_arc([0.2, 0.9]), parse_arc(None)
    ((0.0, 1.0), (0.2, 0.9, 0.4), (0.2, 0.9), ())
    """
    if arc is None or (isinstance(arc, str) and arc in ARCS):
        return ARCS.get(str(arc), ())
    try:
        return tuple(float(point) for point in (arc.split(",") if isinstance(arc, str) else arc))
    except (TypeError, ValueError):
        names = ", ".join(ARCS)
        raise DiscoError(f"{arc!r} is no arc; there are {names}, or heights from 0 to 1 as 0.2,0.9,0.4") from None


def parse_tempo_arc(arc: str | Sequence[float] | None) -> tuple[float, ...]:
    """Tempos in beats per minute, from text such as 118,126,122.

    Examples
    --------
    >>> parse_tempo_arc("118,126,122"), parse_tempo_arc(None)
    ((118.0, 126.0, 122.0), ())
    """
    try:
        return tuple(float(tempo) for tempo in (arc.split(",") if isinstance(arc, str) else arc or ()))
    except (TypeError, ValueError):
        raise DiscoError(f"{arc!r} is no arc of tempo; write tempos in BPM as 118,126,122") from None


def parse_together(together: Sequence[Sequence[str]], row: Callable[[str], int]) -> tuple[tuple[int, ...], ...]:
    """Rows of tracks that are kept together, each group in its order; `row` finds the track that a text means.

    Examples
    --------
    >>> parse_together([["one", "two"]], len)
    Traceback (most recent call last):
    disco.errors.DiscoError: 'one' and 'two' are the same track; name two that are to follow each other
    """
    texts_alone = [text for text in together if isinstance(text, str)]
    groups = [texts_alone] if texts_alone else together
    found = []
    for texts in groups:
        if isinstance(texts, str) or len(texts) < 2:
            raise DiscoError(
                f"{texts!r} keeps nothing together; name two tracks or more that are to follow each other"
            )
        rows = tuple(row(text) for text in texts)
        if len(set(rows)) < len(rows):
            twice = [text for text, own in zip(texts, rows, strict=True) if rows.count(own) > 1]
            raise DiscoError(
                f"{twice[0]!r} and {twice[1]!r} are the same track; name two that are to follow each other"
            )
        found.append(rows)
    return tuple(found)


def parse_tempo_change(change: float | str | None) -> float | None:
    """Allowed change of tempo in per cent; None, or the text none, allows any.

    Examples
    --------
    >>> parse_tempo_change("none"), parse_tempo_change("8"), parse_tempo_change(6)
    (None, 8.0, 6.0)
    """
    if change is None or (isinstance(change, str) and change.strip().lower() == "none"):
        return None
    try:
        return float(change)
    except (TypeError, ValueError):
        raise DiscoError(f"{change!r} is no change of tempo; write per cent as 6, or none for any") from None


def parse_positions(positions: str | Sequence[int]) -> list[int]:
    """Positions counted from 0, from text or numbers that count from 1.

    Examples
    --------
    >>> parse_positions("1-3,6"), parse_positions([2])
    ([0, 1, 2, 5], [1])
    """
    found: list[int] = []
    for part in positions.split(",") if isinstance(positions, str) else map(str, positions):
        ends = re.fullmatch(r"\s*(\d{1,6})(?:\s*-\s*(\d{1,6}))?\s*", part)
        if not ends or int(ends[1]) < 1 or (ends[2] and int(ends[2]) < int(ends[1])):
            raise DiscoError(f"{positions!r} names no positions; write them as 1-4,6-10")
        found += range(int(ends[1]) - 1, int(ends[2] or ends[1]))
        if len(found) > _LARGEST_POSITION:
            raise DiscoError(f"{str(positions)[:40]!r} names more than {_LARGEST_POSITION:,} positions")
    return found


def parse_pins(pins: Mapping[int, str] | Sequence[str], row: Callable[[str], int]) -> tuple[tuple[int, int], ...]:
    """Position (from 0) and row of each pinned track; `row` finds the track that a text means.

    Examples
    --------
    >>> parse_pins(["5=girlfriend is better"], lambda text: 42), parse_pins({5: "girlfriend"}, lambda text: 42)
    (((4, 42),), ((4, 42),))
    """
    texts = [f"{position}={track}" for position, track in pins.items()] if isinstance(pins, Mapping) else pins
    found = []
    for text in [texts] if isinstance(texts, str) else texts:
        position, _, track = text.partition("=")
        if not position.strip().isdecimal() or not track.strip() or not 0 < int(position) < _LARGEST_POSITION:
            raise DiscoError(f"{text!r} pins nothing; write a position and a track, as '5=girlfriend is better'")
        found.append((int(position) - 1, row(track)))
    return tuple(found)


def parse_key_name(text: str | None) -> tuple[int, int] | None:
    """Key (0-11) and mode of a name such as 8A, Am or 1m.

    Examples
    --------
    >>> parse_key_name("8A")
    (9, 0)
    """
    if text is None:
        return None
    key = parse_key(text)
    if key is None:
        raise DiscoError(f"{text!r} is no key; write it as 8A, Am or 1m")
    return key


def parse_bpm(bpm: str | Range | None) -> Range | None:
    """Lowest and highest tempo, both included.

    Examples
    --------
    >>> parse_bpm("118-126")
    (118.0, 126.0)
    """
    return _range(bpm, float, "118-126")


def parse_duration(duration: str | Range | None) -> Range | None:
    """Shortest and longest duration in seconds.

    Examples
    --------
    >>> parse_duration("2:00-6:30"), parse_duration("90-400")
    ((120.0, 390.0), (90.0, 400.0))
    """
    return _range(duration, _seconds, "2:00-6:30 or 90-400")


def _range(value: str | Range | None, read: Callable[[str], float], example: str) -> Range | None:
    if value is None:
        return None
    try:
        low, high = map(read, value.split("-")) if isinstance(value, str) else (float(end) for end in value)
    except (TypeError, ValueError):
        raise DiscoError(f"{value!r} is no range; write LOW-HIGH, as {example}") from None
    return low, high


def _seconds(text: str) -> float:
    return sum(float(part) * 60.0**i for i, part in enumerate(reversed(text.split(":"))))
