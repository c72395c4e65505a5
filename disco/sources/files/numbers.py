"""Numbers, durations and scales as people and programs write them: a column decides its scale, and it is reported."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from disco.catalogue import FEATURES
from disco.catalogue.text import printable

# Texts that stand for unknown: what programs write for an empty cell, and what people write, which is counted.
BLANKS = ("", "nan", "null", "none", "na", "n/a", "#n/a")
_MARKS = ("-", "--", "–", "—", "?", "unknown", "undefined", "nil")
# A value outside these limits is an error in the file and becomes unknown.
LIMITS = {
    **dict.fromkeys((*FEATURES, "key_confidence", "tempo_confidence"), (0.0, 1.0)),
    "loudness": (-100.0, 20.0),
    "tempo_bpm": (10.0, 1000.0),
    "popularity": (0.0, 1e12),
    "duration_ms": (1.0, 2.0**31 - 1),
    "time_signature": (0.0, 127.0),
}
_PLAIN = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?$"
_NUMBER = re.compile(
    r"[~≈]?\s*(?:energy)?\s*(?:level)?\s*[:=]?\s*([+-]?)\s*([0-9][0-9.,' ]*|[.,][0-9]+)(e[+-]?[0-9]+)?"
    r"\s*(?:bpm|beats per minute|%|db|dbfs|lufs|/\s*(?:10|100))?\.?"
)
_GROUPS = re.compile(r"[0-9]{1,3}(?:[ '.,][0-9]{3})+")
_METRE = re.compile(r"([0-9]+)\s*/\s*[0-9]+|([0-9]+) beats.*")
_SIGNS = str.maketrans("−–—‒\u00a0\u202f\u2009’", "----   '")
# Numbers that count something have no decimals, so that a single separator parts thousands.
_COUNTS = ("duration_ms", "popularity")
_CLOCK = re.compile(r"(?:([0-9]{1,2}):)?([0-9]{1,4}):([0-9]{1,2}(?:[.,][0-9]+)?)")
_UNITS = re.compile(
    r"(?:pt)?\s*(?:([0-9]+)\s*(?:h|hrs?|hours?)\.?)?\s*"
    r"(?:([0-9]+)\s*(?:m|min|mins|minutes?|')\.?)?\s*"
    r"(?:([0-9]+(?:[.,][0-9]+)?)\s*(?:s|secs?|seconds?|\"|'')\.?)?"
)
_MS = re.compile(r"([0-9]+(?:[.,][0-9]+)?)\s*(?:ms|msec|milliseconds?)")
# Plain numbers of this size are ms, since no track lasts 5,000 s, and none 5 s; below the other they may be minutes.
_FEWEST_MS, _FEWEST_SECONDS = 5000, 30
_NAMES_OF_MS = ("ms", "millis", "milliseconds")
# Of 382,545 real tracks 214 are louder than 0 dB. So a single loudness above 0, in a table that knows no other, may
# be right; of two or more without one below 0 less than one pair in a million would be: they are on another scale.
_FEW_LOUD = 2
# Tempo as a hundredfold, and as seconds from beat to beat, in the databases of some programs.
_HUNDREDFOLD, _SECONDS_A_BEAT = 1000, (0.2, 1.5)

Values = NDArray[np.float64]


@dataclass
class Report:
    """What a reader tells of the values of a table: scales, and what was taken as unknown, by the first row of it.

    Parameters
    ----------
    row_name : callable
        What a row is called, as `line 3`; empty where rows have no place of their own.
    """

    row_name: Callable[[int], str]
    unknown: list[str] = field(default_factory=list)
    scales: list[str] = field(default_factory=list)
    energy_of_10: bool = False

    def odd(self, n: int, what: str, row: int) -> None:
        """Note that n values are unknown, the first of which is in a row."""
        place = self.row_name(row)
        self.unknown.append(f"{n:,} x {what}" + (f" ({'first ' if n > 1 else ''}{place})" if place else ""))


def parse_number(text: str, counts: bool = False) -> float | None:
    """Read a number with a decimal point or comma, groups of thousands, and a unit; None if it is none.

    Parameters
    ----------
    text : str
    counts : bool
        Whether it counts something, so that `200,000` has no decimals.

    Examples
    --------
    >>> [parse_number(text) for text in ("124,5", "124 BPM", "1.234,5", "-7.1 dB", "−7,1", "12O")]
    [124.5, 124.0, 1234.5, -7.1, -7.1, None]
    >>> parse_number("200,000", counts=True)
    200000.0
    """
    found = _NUMBER.fullmatch(text.strip().casefold().translate(_SIGNS))
    if not found:
        return None
    digits = found[2].strip()
    decimals = ""
    if "." in digits and "," in digits:
        at = max(digits.rfind("."), digits.rfind(","))
        digits, decimals = digits[:at], digits[at + 1 :]
    elif not counts or not _GROUPS.fullmatch(digits):
        sign = "." if "." in digits else ","
        if digits.count(sign) == 1:
            digits, _, decimals = digits.partition(sign)
    if not (digits.isdecimal() or digits == "" or _GROUPS.fullmatch(digits)) or not (decimals + "0").isdecimal():
        return None
    return float(f"{found[1]}{re.sub('[^0-9]', '', digits) or 0}.{decimals or 0}{found[3] or ''}")


def parse_seconds(text: str) -> float | None:
    """Read a duration that says its unit; None for plain numbers and anything else.

    Examples
    --------
    >>> [parse_seconds(text) for text in ("3:45", "1:02:03", "225s", "3 min 45 sec", "PT3M45S", "225000 ms", "225")]
    [225.0, 3723.0, 225.0, 225.0, 225.0, 225.0, None]
    """
    text = text.strip().casefold()
    if clock := _CLOCK.fullmatch(text):
        return 3600 * int(clock[1] or 0) + 60 * int(clock[2]) + float(clock[3].replace(",", "."))
    if found := _MS.fullmatch(text):
        return float(found[1].replace(",", ".")) / 1000
    found = _UNITS.fullmatch(text)
    if not found or not any(found.groups()):
        return None
    return 3600 * int(found[1] or 0) + 60 * int(found[2] or 0) + float((found[3] or "0").replace(",", "."))


def parse_metre(text: str) -> float | None:
    """Read a time signature: `4/4` and `4 beats` are 4.

    Examples
    --------
    >>> parse_metre("4/4"), parse_metre("3"), parse_metre("waltz")
    (4.0, 3.0, None)
    """
    found = _METRE.fullmatch(text.strip().casefold())
    return float(found[1] or found[2]) if found else parse_number(text)


def numbers(
    values: pa.Array, name: str, report: Report, parse: Callable[[str], float | None] | None = None
) -> Values:
    """Numbers of a column, shape (n,), NaN where unknown; texts that are no numbers are reported.

    Parameters
    ----------
    values : pa.Array
        Numbers, or texts.
    name : str
        Of the column, for what is reported.
    report : Report
    parse : callable, optional
        Reads one text; `parse_number` by default.
    """
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return np.asarray(values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=float)
    parse = parse or (lambda text: parse_number(text, name in _COUNTS))
    texts = pc.utf8_lower(pc.utf8_trim_whitespace(values))
    marks = np.flatnonzero(pc.fill_null(pc.is_in(texts, value_set=pa.array(_MARKS)), False).to_numpy(False))
    if len(marks):
        report.odd(len(marks), f"{name} given as {texts[int(marks[0])].as_py()!r}", int(marks[0]))
    texts = pc.if_else(pc.is_in(texts, value_set=pa.array((*BLANKS, *_MARKS))), pa.scalar(None, pa.string()), texts)
    plain = pc.match_substring_regex(texts, _PLAIN)
    if name in _COUNTS:
        plain = pc.and_(plain, pc.invert(pc.match_substring(texts, ".")))
    array = pc.if_else(plain, texts, pa.scalar(None, pa.string())).cast(pa.float64()).to_numpy(zero_copy_only=False)
    rest = pc.and_(texts.is_valid(), pc.invert(pc.fill_null(plain, False)))
    if not pc.any(rest).as_py():
        return np.asarray(array, dtype=float)
    array, at = np.array(array, dtype=float), np.flatnonzero(rest.to_numpy(zero_copy_only=False))
    encoded = texts.take(pa.array(at)).dictionary_encode()
    read = [parse(text) for text in encoded.dictionary.to_pylist()]
    array[at] = np.array([np.nan if value is None else value for value in read])[encoded.indices.to_numpy()]
    odd = at[np.isnan(array[at])]
    if len(odd):
        text = printable(values[int(odd[0])].as_py())[:40]
        report.odd(len(odd), f"{name} that is no number, as {text!r}", int(odd[0]))
    return array


def durations(values: pa.Array, header: str, letters: str, report: Report) -> Values:
    """Durations in ms, shape (n,): clocks and units as they say, plain numbers by the name or the size of the column.

    Parameters
    ----------
    values : pa.Array
    header, letters : str
        The name of the column, and its letters alone.
    report : Report
    """
    clocks = np.full(len(values), np.nan)
    if pa.types.is_string(values.type):
        if _is_clock_of_excel(values):
            report.scales.append(f"{header!r} is read as minutes and seconds")
            values = pc.replace_substring_regex(values, r":00\s*$", "")
        unit, nothing = pc.match_substring_regex(values, r"[^0-9.,\s+-]"), pa.scalar(None, pa.string())
        clocks = numbers(pc.if_else(unit, values, nothing), "duration_ms", report, parse_seconds) * 1000
        values = pc.if_else(unit, nothing, values)
    array = numbers(values, "duration_ms", report)
    plain = array > 0
    if not plain.any():
        return np.where(np.isnan(clocks), array, clocks)
    size = _middle(array[plain])
    # A column that is called ms is in seconds, or in thousands with a point, where tracks would last less than one.
    named = letters.endswith(_NAMES_OF_MS) and not _FEWEST_SECONDS <= size < 1000
    if size >= _FEWEST_MS or named:
        factor = 1
    elif size >= _FEWEST_SECONDS and letters != "tempo":
        factor = 1000
        report.scales.append(f"{header!r} is read as a duration in seconds")
    else:
        report.odd(int(plain.sum()), f"duration in {header!r}, whose unit is not clear", int(np.argmax(plain)))
        return np.where(plain, np.nan, clocks)
    return np.where(np.isnan(array), clocks, array * factor)


def _is_clock_of_excel(values: pa.Array) -> bool:
    """Whether durations are 4:03:00, as Excel makes them of 4:03."""
    known = values.filter(pc.match_substring(values, ":"))
    odd = pc.match_substring_regex(known, r"^\s*0?[1-9][0-9]?:[0-9]{2}:00\s*$")
    return len(known) > 0 and bool(pc.all(pc.fill_null(odd, False)).as_py())


def or_null(array: NDArray[Any], unknown: NDArray[np.bool_]) -> pa.Array:
    """An array with nulls under a mask; `pa.array` would import masked arrays."""
    known = pa.py_buffer(np.packbits(~unknown, bitorder="little"))
    values = pa.py_buffer(np.ascontiguousarray(array))
    return pa.Array.from_buffers(pa.from_numpy_dtype(array.dtype), len(array), [known, values])


def within(array: Values, name: str, report: Report) -> pa.Array:
    """Values outside the limits of a quantity as null; how many is reported."""
    low, high = LIMITS[name]
    bad = (array < low) | (array > high)
    zero = bad & (array == 0)
    if zero.any():
        report.odd(int(zero.sum()), f"{name} 0", int(np.argmax(zero)))
    if (other := bad & ~zero).any():
        report.odd(int(other.sum()), f"{name} outside {low:g} to {high:g}", int(np.argmax(other)))
    return or_null(np.where(bad, np.nan, array), np.isnan(array) | bad)


def on_scale(columns: Mapping[str, tuple[str, Values, bool]], report: Report) -> dict[str, Values]:
    """Values of the features and the tempo on the scales of a catalogue.

    Columns in per cent, energies of 1-10, tempos as a hundredfold: each column decides by its values, and together,
    since a column of 0 and 1 alone is in per cent where the others are.

    Parameters
    ----------
    columns : mapping
        By the names of a catalogue: what the file calls the column, its values, and whether per cent are written.
    report : Report
    """
    shares = {name: column for name, column in columns.items() if name in FEATURES and name != "loudness"}
    per_cent = any(_beyond(values) and np.nanmax(values) > 10 for _, values, _ in shares.values())
    made: dict[str, Values] = {}
    in_per_cent = []
    for name, (header, values, written) in columns.items():
        if name in shares:
            factor = _share_of(name, values, written, per_cent)
            if factor == 100:
                in_per_cent.append(header)
            elif factor == 10:
                report.scales.append(f"{header!r} is read as 1 to 10")
                report.energy_of_10 = len(shares) == 1
            made[name] = values / factor
        elif name == "loudness":
            made[name] = values
            if (values > 0).sum() >= _FEW_LOUD and not (values < 0).any():
                report.odd(
                    int((values > 0).sum()), f"loudness in {header!r}, which is in no dB", int(np.argmax(values > 0))
                )
                made[name] = np.full_like(values, np.nan)
        else:
            made[name] = _tempo(header, values, report) if name == "tempo_bpm" else values
    if in_per_cent:
        report.scales.append(
            f"{', '.join(map(repr, in_per_cent))} {'is' if len(in_per_cent) == 1 else 'are'} in per cent"
        )
    return made


def _middle(values: Values) -> float:
    """The middle of some values; NumPy's median would import masked arrays."""
    return float(np.partition(values, len(values) // 2)[len(values) // 2])


def _beyond(values: Values) -> bool:
    """Whether a column goes beyond 1 as a whole, not by an error: more values are above 1 than between 0 and 1."""
    return bool((values > 1).sum() > ((values > 0) & (values < 1)).sum())


def _share_of(name: str, values: Values, written: bool, per_cent: bool) -> int:
    """What the values of a feature are shares of: 1, 10 or 100."""
    if _beyond(values):
        known = values[~np.isnan(values)]
        if name != "energy" or per_cent or written or known.max() > 10:
            return 100
        return 10 if (known % 1 == 0).all() else 1  # levels are whole numbers; what is not is an error
    whole = not ((values > 0) & (values < 1)).any()
    return 100 if (per_cent or written) and whole and (values > 0).any() else 1


def _tempo(header: str, values: Values, report: Report) -> Values:
    known = values[values > 0]
    if len(known) and _middle(known) > _HUNDREDFOLD:
        report.scales.append(f"{header!r} is read as a hundredth of its values")
        return values / 100
    if len(known) and (known >= _SECONDS_A_BEAT[0]).all() and (known <= _SECONDS_A_BEAT[1]).all():
        report.scales.append(f"{header!r} is read as seconds from beat to beat")
        return np.where(values > 0, 60 / np.where(values > 0, values, 1), values)
    return values


def is_in_per_cent(values: pa.Array, header: str) -> bool:
    """Whether a column says that it is in per cent: by its name, or by the values."""
    if "%" in header or "percent" in header.casefold():
        return True
    return pa.types.is_string(values.type) and bool(pc.any(pc.match_substring(values, "%")).as_py())


def is_number_type(kind: pa.DataType) -> Any:
    """Whether a type of Arrow holds numbers or truth values."""
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
