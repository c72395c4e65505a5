"""How the text of a table is laid out: what separates its columns, and where they are named.

One place decides for every command whether a text is a table of tracks, and `tables` and `play_tables` read it so.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from disco.sources.files.column_names import find_columns, is_header
from disco.sources.files.exportify import english

SEPARATORS = (",", ";", "\t", "|")
# Titles, dates and remarks that programs write before the header are fewer.
_MOST_BEFORE = 30
# A value of more lines than this is an unclosed quote.
_MOST_LINES = 50
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")


@dataclass(frozen=True)
class Layout:
    """Where the columns of a table of text are.

    Parameters
    ----------
    separator : str
    line : int
        Lines before the first row: the header and what stands before it.
    header : list of str
        Names of the columns.
    """

    separator: str
    line: int
    header: list[str]


def layout(text: str, is_names: Callable[[Sequence[str]], bool] = is_header) -> Layout | None:
    r"""Find the header of a table of tracks in the first lines of a text; None if it is no table.

    Parameters
    ----------
    text : str
        The beginning of the text is enough.
    is_names : callable
        Whether some values are the names of columns.

    Examples
    --------
    >>> layout("Shazam Library\nIndex,Title,Artist\n1,Tide,Corro\n")
    Layout(separator=',', line=2, header=['Index', 'Title', 'Artist'])
    >>> layout("sep=;\nTitle;Artist\n").separator, layout("Tide\nNight Bus\n")
    (';', None)
    """
    lines = split_lines(text)[: _MOST_BEFORE + _MOST_LINES]
    if not lines:
        return None
    skipped = 0
    separators: tuple[str, ...] = SEPARATORS
    if named := re.fullmatch(r"\W{0,2}sep=(.)\W{0,2}", lines[0].strip("\r\n ") or " ", re.IGNORECASE):
        skipped, separators = 1, (named[1], *SEPARATORS)
    found: list[tuple[int, int, int, Layout]] = []
    for rank, separator in enumerate(dict.fromkeys(separators)):
        for line, values, taken in records(lines, separator, skipped):
            if line > skipped + _MOST_BEFORE:
                break
            header = [value.strip().strip("\ufeff") for value in values]
            header[0] = header[0].removeprefix("#").strip() or header[0]
            if is_names(header):
                found.append((line, -len(find_columns(header)), rank, Layout(separator, line - 1 + taken, header)))
                break
    if not found:  # perhaps one of Exportify, whose header is in a language that is not known
        first = [(values, line - 1 + taken) for line, values, taken in records(lines, ",", skipped)]
        if first and is_names(english(first[0][0], [values for values, _ in first[1:]])):
            return Layout(",", first[0][1], [value.strip() for value in first[0][0]])
        return None
    return min(found, key=lambda one: one[:3])[3]


def split_lines(text: str) -> list[str]:
    r"""Lines of a text with their ends, which are those of any system; other signs that may end a line do not.

    Examples
    --------
    >>> split_lines("a\r\nb\rc\u2028d\n")
    ['a\r\n', 'b\r', 'c\u2028d\n']
    """
    # `str.splitlines` divides at other signs too, and files end lines in one way, nearly all of them in this one.
    if "\r" not in text:
        return [f"{line}\n" for line in text.removesuffix("\n").split("\n")] if text else []
    return [line for line in _LINE.findall(text) if line]


class _Lines:
    """Lines for the CSV reader, which a record may not take too many of."""

    def __init__(self, lines: Sequence[str], at: int) -> None:
        self.lines, self.at, self.begin = lines, at, at

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.at >= len(self.lines) or self.at - self.begin >= _MOST_LINES:
            raise StopIteration
        self.at += 1
        return self.lines[self.at - 1]


def records(
    lines: Sequence[str], separator: str, begin: int = 0, expected: int | None = None
) -> Iterator[tuple[int, list[str], int]]:
    r"""Records of a table: the line on which each begins, counted from 1, its values, and how many lines it takes.

    A quote that is never closed, or that makes a record of several lines with another number of values than
    `expected`, is a sign like any other.

    Examples
    --------
    >>> lines = ['a,"b\n', 'c"\n', '7" mix,x\n', '"open,y\n', 'z,z\n']
    >>> for line, values, taken in records(lines, ",", expected=2):
    ...     print(line, values, taken)
    1 ['a', 'b\nc'] 2
    3 ['7" mix', 'x'] 1
    4 ['open', 'y'] 1
    5 ['z', 'z'] 1
    """
    source = _Lines(lines, begin)
    reader = csv.reader(source, delimiter=separator, skipinitialspace=True)
    while source.at < len(lines):
        source.begin = start = source.at
        try:
            values = next(reader, [])
        except csv.Error:
            values = []
        taken = source.at - start
        is_odd = expected not in (None, len(values))
        if taken > 1 and (is_odd or taken >= _MOST_LINES or _is_open(lines[start : source.at])):
            source.at, taken = start + 1, 1
            values = [value.strip().strip('"') for value in lines[start].rstrip("\r\n").split(separator)]
            reader = csv.reader(source, delimiter=separator, skipinitialspace=True)
        if any(value.strip() for value in values):
            yield start + 1, values, taken


def _is_open(lines: Sequence[str]) -> bool:
    """Whether a quote is not closed in some lines."""
    return sum(line.count('"') for line in lines) % 2 == 1
