"""Exportify's tables in any language: the columns have one order, and the values tell which is which.

exportify.net writes its header in the language of the browser, the rows as always.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

FEATURE_COLUMNS = (
    *("Danceability", "Energy", "Key", "Loudness", "Mode", "Speechiness", "Acousticness", "Instrumentalness"),
    *("Liveness", "Valence", "Tempo", "Time Signature"),
)
# The least and the most of each of these columns.
_RANGES = ((0, 1), (0, 1), (-1, 11), (-100, 20), (0, 1), *[(0, 1)] * 5, (0, 400), (0, 12))
_WHOLE = (2, 4, 11)
_URI = {kind: re.compile(rf"spotify:{kind}:\S") for kind in ("track", "artist", "album")}
_ISRC = re.compile(r"[A-Za-z]{2}-?[A-Za-z0-9]{3}-?[0-9]{2}-?[0-9]{5}")
_MS = re.compile(r"[0-9]{5,8}")
_SMALL = re.compile(r"[0-9]{1,3}")


def english(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Names of the columns in English, where a table is Exportify's in another language; any other header as it is.

    Parameters
    ----------
    header : sequence of str
    rows : sequence of sequence of str
        Some rows of the table, which may be shorter than the header.

    Examples
    --------
    >>> row = ["spotify:track:1", "Nite Bus", "spotify:artist:1", "Ana Vex", "LP"]
    >>> english(["URI", "Nom", "URI de l'artiste", "Artiste", "Album"], [row])
    ['Track URI', 'Track Name', 'Artist URI(s)', 'Artist Name(s)', 'Album Name']
    """
    names = list(header)
    if len(names) < 3 or "Artist Name(s)" in names or "Track Name" in names:
        return names
    columns = [[row[i].strip() for row in rows if i < len(row) and row[i].strip()] for i in range(len(names))]

    def column(is_one: Callable[[str], bool], begin: int = 0) -> int | None:
        """The first column from `begin` on all of whose values are of a kind."""
        return next((i for i in range(begin, len(columns)) if columns[i] and all(map(is_one, columns[i]))), None)

    artists = column(lambda text: bool(_URI["artist"].match(text)), 1)
    first = [text for text in columns[0] if _URI["track"].match(text)]
    if len(first) * 2 <= len(columns[0]) or not first or artists is None or artists + 1 >= len(names):
        return names
    names[0], names[1] = "Track URI", "Track Name"
    names[artists], names[artists + 1] = "Artist URI(s)", "Artist Name(s)"
    album = column(lambda text: bool(_URI["album"].match(text)), 1)
    at = artists + 1 if album is None else album
    if at + 1 < len(names):
        names[at + 1] = "Album Name"
    if (duration := column(lambda text: bool(_MS.fullmatch(text)), at + 1)) is not None:
        names[duration] = "Track Duration (ms)"
    explicit = column(lambda text: text.lower() in ("true", "false"), at + 1)
    if explicit is not None:
        names[explicit] = "Explicit"
        if explicit + 1 < len(names) and all(_SMALL.fullmatch(text) for text in columns[explicit + 1]):
            names[explicit + 1] = "Popularity"
    if (isrc := column(lambda text: bool(_ISRC.fullmatch(text)), at + 1)) is not None:
        names[isrc] = "ISRC"
    for begin in range(at + 1, len(names) - len(FEATURE_COLUMNS) + 1):
        if _are_features(columns[begin : begin + len(FEATURE_COLUMNS)]):
            names[begin : begin + len(FEATURE_COLUMNS)] = FEATURE_COLUMNS
            before = columns[begin - 1]
            if begin - 1 > at + 1 and not any(re.match(r"[0-9]{4}-|true$|false$", text) for text in before):
                names[begin - 1] = names[begin - 1] if names[begin - 1] in ("ISRC", "Popularity") else "Artist Genres"
            break
    return names


def _are_features(columns: Sequence[Sequence[str]]) -> bool:
    """Whether twelve columns are the audio features in their order: values in their ranges, and some known."""
    for i, (values, (low, high)) in enumerate(zip(columns, _RANGES, strict=True)):
        for text in values:
            try:
                number = float(text)
            except ValueError:
                return False
            if not low <= number <= high or (i in _WHOLE and number != round(number)):
                return False
    return bool(columns[0] and columns[3] and columns[10]) and any(float(text) < 0 for text in columns[3])
