"""Times of day, dates and durations as DJ programs write them in many countries.

A date is year first (2026-05-01, 2026年5月1日), or day and month by the country: 1.5.2026, 01/05/2026, or 5/1/2026 in
the United States. Which of the two comes first is decided for a whole file: by a number above 12, else by AM or PM.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import date, datetime, time, timedelta

_YEAR_FIRST = re.compile(r"(?<!\d)((?:19|20)\d\d)\s?[-/.年yY_]\s?(\d{1,2})\s?[-/.月mM_]\s?(\d{1,2})[日dD]?(?!\d)")
_YEAR_LAST = re.compile(r"(?<!\d)(\d{1,2})\s?[-/.]\s?(\d{1,2})\s?[-/.]\s?((?:19|20)?\d\d)(?!\d)")
_TIME = re.compile(
    r"(?<!\d)(\d{1,2})\s?[:.h時时点_]\s?(\d{2})(?:\s?[:.m分_]\s?(\d{2})s?秒?)?(?:\.\d+)?\s*([AaPp])?\.?\s?[Mm]?(?![\d])"
)
_SECONDS = re.compile(r"\d{9,10}(?:\.\d+)?|\d{12,13}")
# Ten digits of seconds since 1970 end in 2286; twelve and more are milliseconds.
_MILLISECONDS = 1e11
_EARLIEST_YEAR = 1990


def moment(text: str, day_first: bool = True) -> tuple[date | None, time | None]:
    """Date and time of day in a text, each None where there is none.

    Examples
    --------
    >>> moment("10.01.2019, 20.00.13 EET")
    (datetime.date(2019, 1, 10), datetime.time(20, 0, 13))
    >>> moment("5/31/2026, 9:15:03 PM", day_first=False)
    (datetime.date(2026, 5, 31), datetime.time(21, 15, 3))
    >>> moment("2026-05-31T21:15:03+02:00")
    (datetime.date(2026, 5, 31), datetime.time(21, 15, 3))
    """
    text = text.strip()
    if _SECONDS.fullmatch(text):
        found = since_1970(float(text))
        return (found.date(), found.time()) if found else (None, None)
    day = None
    if match := _YEAR_FIRST.search(text):
        day = _date(int(match[1]), int(match[2]), int(match[3]))
    elif match := _year_last(text):
        first, second, year = (int(part) for part in match.groups())
        year += 2000 if year < 100 else 0
        day = _date(year, second, first) if day_first else _date(year, first, second)
    rest = text if match is None or day is None else text[: match.start()] + " " + text[match.end() :]
    rest = re.sub(r"[+-]\d\d:?\d\d$|Z$", "", rest.strip()).replace("T", " ")
    clock = _TIME.search(rest)
    return day, None if clock is None else _time(*clock.groups())


def is_day_first(texts: Iterable[str]) -> bool:
    """Whether dates of a file have the day before the month, where the year comes last.

    Examples
    --------
    >>> is_day_first(["5/31/2026"]), is_day_first(["05/01/2026", "31/05/2026"]), is_day_first(["5/1/2026 9:15 PM"])
    (False, True, False)
    """
    half_days = False
    for text in texts:
        match = None if _YEAR_FIRST.search(text) else _year_last(text)
        if match:
            if int(match[1]) > 12 or int(match[2]) > 12:
                return int(match[1]) > 12
            half_days |= re.search(r"\d\s*[AaPp]\.?\s?[Mm]", text) is not None
    return not half_days


def since_1970(seconds: float) -> datetime | None:
    """Local time of a number of seconds, or of milliseconds, since 1970; None where no history can be from.

    Examples
    --------
    >>> since_1970(0) is None
    True
    """
    if seconds > _MILLISECONDS:
        seconds /= 1000
    with suppress(OverflowError, OSError, ValueError):
        found = datetime.fromtimestamp(seconds)
        if found.year >= _EARLIEST_YEAR:
            return found
    return None


def duration(text: str) -> float | None:
    """Seconds of a duration such as 3:45, 01:03:45, 03:45.12 or 225; None for anything else.

    Examples
    --------
    >>> duration("3:45"), duration("01:03:45"), duration("225"), duration("long")
    (225.0, 3825.0, 225.0, None)
    """
    parts = text.strip().split(":")
    try:
        numbers = [float(part.replace(",", ".")) for part in parts]
    except ValueError:
        return None
    if len(numbers) > 3 or min(numbers) < 0 or max(numbers) > 1e6:
        return None
    return float(sum(number * 60.0**place for place, number in enumerate(reversed(numbers))))


def in_sequence(day: date | None, clocks: list[time | None]) -> list[datetime | None]:
    """Times of day as moments that follow each other from a day on; a clock that goes back by hours passed midnight.

    Examples
    --------
    >>> made = in_sequence(date(2026, 5, 1), [time(23, 50), time(0, 10)])
    >>> [str(moment) for moment in made]
    ['2026-05-01 23:50:00', '2026-05-02 00:10:00']
    """
    made: list[datetime | None] = []
    last: datetime | None = None
    for clock in clocks:
        if clock is None or day is None:
            made.append(None)
            continue
        now = datetime.combine(day, clock)
        if last and last - now > timedelta(hours=6):
            day += timedelta(days=1)
            now = datetime.combine(day, clock)
        made.append(now)
        last = now
    return made


def _year_last(text: str) -> re.Match[str] | None:
    """A date with its year last; 20.00.13 alone is a time of day, 31.05.26 21:00 is not."""
    match = _YEAR_LAST.search(text)
    if match and len(match[3]) == 2 and "/" not in match[0] and not _TIME.search(text[match.end() :]):
        return None
    return match


def _date(year: int, month: int, day: int) -> date | None:
    with suppress(ValueError):
        return date(year, month, day) if year >= _EARLIEST_YEAR else None
    return None


def _time(hours: str, minutes: str, seconds: str | None, half: str | None) -> time | None:
    hour = int(hours)
    if half:
        hour = hour % 12 + (12 if half.lower() == "p" else 0)
    with suppress(ValueError):
        return time(hour, int(minutes), int(seconds or 0))
    return None
