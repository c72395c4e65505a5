"""Rows of a table that are shorter or longer than its header: what is missing is unknown, and both are reported."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Rows:
    """Rows of one length, column by column.

    Parameters
    ----------
    values : list of list of str
        The values of each wanted column.
    lines : list of int
        Line of each row in the file.
    notes : list of str
        What was odd.
    """

    values: list[list[str]]
    lines: list[int]
    notes: list[str]


def regular_rows(
    records: Iterable[tuple[int, Sequence[str], int]], header: Sequence[str], wanted: Sequence[int]
) -> Rows:
    """Make the rows of a table as long as its header.

    A row that ends early is unknown from there on. Of one with more values it is not known which is which, so that it
    is left out; blanks behind the last column are none.

    Parameters
    ----------
    records : iterable of (int, sequence of str, int)
        As `table_layout.records` gives them.
    header : sequence of str
    wanted : sequence of int
        Positions of the columns that are needed.

    Examples
    --------
    >>> found = regular_rows([(2, ["a", "1"], 1), (3, ["b"], 1), (4, ["c", "1", "2"], 1)], ["x", "y"], [0, 1])
    >>> found.values, found.lines
    ([['a', 'b'], ['1', '']], [2, 3])
    >>> for note in found.notes:
    ...     print(note)
    1 row is shorter than the header (line 3)
    1 row is longer than the header (line 4): left out
    """
    n = len(header)
    values: list[list[str]] = [[] for _ in wanted]
    lines: list[int] = []
    short, long = [], []
    for line, row, _ in records:
        if len(row) > n:
            if any(value.strip() for value in row[n:]):
                long.append(line)
                continue
        elif len(row) < n:
            short.append(line)
        lines.append(line)
        for kept, i in zip(values, wanted, strict=True):
            kept.append(row[i] if i < len(row) else "")
    notes = []
    for odd, what, done in ((short, "shorter", ""), (long, "longer", ": left out")):
        if odd:
            rows = "1 row is" if len(odd) == 1 else f"{len(odd):,} rows are"
            notes.append(f"{rows} {what} than the header ({'first ' if len(odd) > 1 else ''}line {odd[0]}){done}")
    return Rows(values, lines, notes)
