"""What was played, and when: sets as the history of a DJ program tells them, and what of them counts.

*Previews.* A track that played for under a minute was tried out or passed over; it is left out, and its neighbours
follow one another. *Pauses.* More than an hour between the starts of two tracks ends a set: hardly a track is that
long. *Repeats.* A track twice in a row, as histories have it when a deck is stopped and started, counts once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import zip_longest

import pyarrow as pa

from disco.catalogue.text import fold_accents, normalise
from disco.sources.tracklist import Entry

LEAST_SECONDS = 60.0
LONGEST_PAUSE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Play:
    """A track that was played.

    Attributes
    ----------
    entry : Entry
    started : datetime, optional
        In local time, without a zone, as DJ programs show it.
    seconds : float, optional
        For how long it played.
    """

    entry: Entry
    started: datetime | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class PlayedSet:
    """What was played in a row.

    Attributes
    ----------
    name : str
    plays : list of Play
        In the order in which they were played.
    """

    name: str
    plays: list[Play]

    def __len__(self) -> int:
        return len(self.plays)


@dataclass
class LeftOut:
    """How many plays and sets do not count, and why."""

    previews: int = 0
    repeats: int = 0
    unnamed: int = 0
    copies: int = 0

    def notes(self) -> list[str]:
        """A sentence on each reason that there was."""
        return [
            text
            for count, text in (
                (self.previews, f"{self.previews:,} plays of under a minute left out"),
                (self.repeats, f"{self.repeats:,} tracks that came twice in a row counted once"),
                (self.unnamed, f"{self.unnamed:,} plays without a title or path left out"),
                (self.copies, f"{self.copies:,} sets that were given twice counted once"),
            )
            if count
        ]


def what_counts(sets: Iterable[PlayedSet]) -> tuple[list[PlayedSet], LeftOut]:
    """Leave previews, repeats and copies out of sets, and part them at pauses; sets of no track are dropped.

    Examples
    --------
    >>> bus, sun, rain = (Entry(title=title) for title in ("Night Bus", "Sun", "Rain"))
    >>> ten = datetime(2026, 5, 1, 22, 0)
    >>> played = [Play(bus, ten, 300), Play(sun, ten, 10), Play(bus, None, 200), Play(rain, None, 240)]
    >>> sets, left_out = what_counts([PlayedSet("Friday", played)])
    >>> [play.entry.title for play in sets[0].plays], left_out.notes()[0]
    (['Night Bus', 'Rain'], '1 plays of under a minute left out')
    """
    left_out, kept = LeftOut(), []
    known: set[tuple[object, ...]] = set()
    for one in sets:
        keys = track_keys([play.entry for play in one.plays])
        named = [play for play, key in zip(one.plays, keys, strict=True) if key]
        left_out.unnamed += len(one.plays) - len(named)
        for part in _parted(_with_seconds(_in_order(named))):
            long_enough = [play for play in part if play.seconds is None or play.seconds >= LEAST_SECONDS]
            left_out.previews += len(part) - len(long_enough)
            plays = _once_in_a_row(long_enough)
            left_out.repeats += len(long_enough) - len(plays)
            if not plays:
                continue
            # Without times two nights may have begun with the same few tracks; with them no two are the same.
            signature = (plays[0].started, *track_keys([play.entry for play in plays]))
            if signature in known:
                left_out.copies += 1
                continue
            known.add(signature)
            kept.append(PlayedSet(one.name, plays))
    return kept, left_out


def track_key(entry: Entry) -> str:
    """By what a track is recognised within histories: artist and title as they sound, or else its id or path.

    Examples
    --------
    >>> track_key(Entry(title="Night Bus ", artist="MIRA Vale"))
    'mira vale night bus'
    """
    return track_keys([entry])[0]


def track_keys(entries: Sequence[Entry]) -> list[str]:
    """The key of each entry; see `track_key`."""
    texts = [f"{entry.artist or ''}\t{entry.title}" if entry.title else entry.text or "" for entry in entries]
    plain = normalise(fold_accents(pa.array(texts, pa.string()))).to_pylist()
    return [text or entry.path or entry.id or "" for text, entry in zip(plain, entries, strict=True)]


def _in_order(plays: list[Play]) -> list[Play]:
    """By the times at which they started, where all are known; as the history has them otherwise."""
    if any(play.started is None for play in plays):
        return plays
    return sorted(plays, key=lambda play: play.started or datetime.min)


def _with_seconds(plays: list[Play]) -> list[Play]:
    """Each with its duration: where the history has none, until the next one started."""
    made = []
    for play, following in zip_longest(plays, plays[1:]):
        if play.seconds is None and following and play.started and following.started:
            play = replace(play, seconds=(following.started - play.started).total_seconds())
        made.append(play)
    return made


def _parted(plays: list[Play]) -> list[list[Play]]:
    parts: list[list[Play]] = [[]]
    for play in plays:
        before = parts[-1][-1].started if parts[-1] else None
        if before and play.started and play.started - before > LONGEST_PAUSE:
            parts.append([])
        parts[-1].append(play)
    return parts


def _once_in_a_row(plays: list[Play]) -> list[Play]:
    keys = track_keys([play.entry for play in plays])
    return [play for i, play in enumerate(plays) if i == 0 or keys[i] != keys[i - 1]]
