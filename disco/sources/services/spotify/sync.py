"""Reading a library page by page, so that what was read once is not asked for again, wherever it is cut off.

Each page is kept as a file before the next is asked for; when all are there, the library is made of them and they
are removed. So at most the one page that was on its way is asked for twice.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from disco.catalogue import Catalogue
from disco.errors import DataError
from disco.sources import storage
from disco.sources.services import spotify_values
from disco.sources.services.spotify import library, responses
from disco.sources.services.spotify.client import PAGE, Client
from disco.sources.services.spotify.errors import Refused
from disco.sources.services.spotify.library import Library, StoredPlaylist
from disco.sources.services.spotify.responses import Entry, Page, Summary

# A reading that was broken off so long ago would mix two libraries.
STALE_S = 7 * 24 * 3600


@dataclass(frozen=True)
class Plan:
    """What a reading needs before it can be made into a library.

    Attributes
    ----------
    saved, top : int
        How many tracks are saved, and are top tracks.
    lists : list of Summary
        Playlists of which the contents may be read.
    others : int
        Playlists of other people, which Spotify shows to nobody else any more.
    unchanged : dict
        Lists by their part that are as they were at the last reading, and are not asked for.
    pages : list of (str, int)
        Part and offset of each page that is still to be asked for.
    """

    saved: int
    top: int
    lists: list[Summary]
    others: int
    unchanged: dict[str, list[str | None]]
    pages: list[tuple[str, int]]

    def cost(self, left: int) -> str:
        """What the reading costs, in a sentence; `left` calls are in the budget of the day."""
        what = f"{self.saved:,} saved tracks, {self.top:,} top tracks and {len(self.lists):,} playlists"
        same = f", {len(self.unchanged)} of these lists unchanged" if self.unchanged else ""
        cost = f"{what}{same}: {len(self.pages):,} calls to make, {left:,} left of today's budget"
        if len(self.pages) > left:
            cost += "; it stops there, and goes on from there when you run it again tomorrow"
        return cost


class Sync:
    """A reading of one account's library, wherever the last one stopped.

    Parameters
    ----------
    client : Client
    before : Library, optional
        The library of the last reading; what is unchanged since is not asked for.
    """

    def __init__(self, client: Client, before: Library | None = None) -> None:
        self.client, self.folder = client, library.spotify_dir() / "reading"
        self.before = before if before is not None and before.account == client.account else None
        self._begin()

    def _begin(self) -> None:
        begun = _load(self.folder / "begun.json") or {}
        at = begun.get("at")
        fresh = isinstance(at, int | float) and 0 <= time.time() - at < STALE_S
        if not fresh or begun.get("account") != self.client.account:
            clear()
            storage.write_atomic(
                self.folder / "begun.json",
                json.dumps({"account": self.client.account, "at": time.time()}),
                private=True,
            )

    def plan(self) -> Plan:
        """Ask for the lists' first pages, and say what is missing."""
        summaries = self._summaries()
        lists = [one for one in summaries if one.mine]
        totals = {"saved": self._page("saved", 0).total, "top": self._page("top", 0).total}
        totals |= {_part(one): one.total for one in lists}
        unchanged = self._unchanged(lists)
        pages = [
            (part, offset)
            for part, total in totals.items()
            if part not in unchanged
            for offset in range(0, total, PAGE)
            if not self._path(part, offset).is_file()
        ]
        return Plan(totals["saved"], totals["top"], lists, len(summaries) - len(lists), unchanged, pages)

    def fetch(self, plan: Plan) -> Iterator[int]:
        """Ask for the pages that are missing; yields after each, when it is kept."""
        for i, (part, offset) in enumerate(plan.pages):
            self._page(part, offset)
            yield i + 1

    def finish(self, plan: Plan) -> Library:
        """The library of all pages, kept in the place of the one before; the pages are removed."""
        rows: list[spotify_values.Row] = []
        changed: set[str] = set()

        def ids(part: str, total: int) -> list[str | None]:
            if part in plan.unchanged:
                return plan.unchanged[part]
            found: list[str | None] = []
            for offset in range(0, total, PAGE):
                page = self._page(part, offset)
                changed.update([part] if page.total != total else [])
                rows.extend(entry.row for entry in page.entries if entry.row)
                found += [entry.row["track_id"] if entry.row else None for entry in page.entries]
            return found

        saved, top = _once(ids("saved", plan.saved)), _once(ids("top", plan.top))
        kept = [
            StoredPlaylist(one.id, one.name, one.snapshot, one.total, ids(_part(one), one.total))
            for one in plan.lists
        ]
        tracks = responses.catalogue(rows, library.NAME)
        if self.before is not None:
            tracks = _with_before(
                tracks, self.before.tracks, [*saved, *top, *(i for one in kept for i in one.ids if i)]
            )
        notes = _notes(plan, [i for one in kept for i in one.ids], len(changed))
        made = Library(self.client.account, time.time(), tracks, saved, plan.saved, top, kept, notes)
        library.write(made)
        clear()
        return made

    def _summaries(self) -> list[Summary]:
        found: list[Summary] = []
        offset, total = 0, 1
        while offset < total:
            path = self._path("lists", offset)
            stored = _load(path)
            if stored is None:
                listed, total = self.client.playlists(offset)
                stored = {"total": total, "lists": [asdict(one) for one in listed]}
                storage.write_atomic(path, json.dumps(stored), private=True)
            total = stored["total"]
            found += [Summary(**one) for one in stored["lists"]]
            offset += PAGE
        return list({one.id: one for one in found}.values())

    def _unchanged(self, lists: list[Summary]) -> dict[str, list[str | None]]:
        if self.before is None:
            return {}
        old = {kept.id: kept for kept in self.before.playlists}
        same: dict[str, list[str | None]] = {
            _part(one): old[one.id].ids
            for one in lists
            if one.id in old and one.snapshot and one.snapshot == old[one.id].snapshot
        }
        first = self._page("saved", 0)
        # What is saved comes to the front: the same front and the same number are the same list.
        front = [entry.row["track_id"] for entry in first.entries if entry.row]
        if first.total == self.before.saved_total and front == self.before.saved[: len(front)]:
            same["saved"] = [*self.before.saved]
        return same

    def _page(self, part: str, offset: int) -> Page:
        path = self._path(part, offset)
        stored = _load(path)
        if stored is None:
            page = self._ask(part, offset)
            stored = {"total": page.total, "entries": [[entry.kind, entry.row] for entry in page.entries]}
            storage.write_atomic(path, json.dumps(stored), private=True)
        return Page([Entry(kind, row) for kind, row in stored["entries"]], stored["total"])

    def _ask(self, part: str, offset: int) -> Page:
        ask: dict[str, Callable[[int], Page]] = {"saved": self.client.saved, "top": self.client.top}
        if part in ask:
            return ask[part](offset)
        try:
            return self.client.entries(part.removeprefix("list-"), offset)
        except Refused:  # deleted, or no longer shared, since the list of lists was read
            return Page([], 0)

    def _path(self, part: str, offset: int) -> Path:
        return self.folder / f"{part}-{offset:06}.json"


def _with_before(tracks: Catalogue, old: Catalogue, wanted: list[str]) -> Catalogue:
    """The tracks with what is known from the last reading: features, and the tracks of unchanged lists."""
    here = set(tracks.table["track_id"].to_pylist())
    known = set(old.table["track_id"].to_pylist())
    more = old.rows([one for one in dict.fromkeys(wanted) if one in known and one not in here])
    return responses.joined([tracks.fill(old), old.take(more)])


def clear() -> None:
    """Remove the pages of a reading."""
    try:
        # First what makes it a reading: what is left of one that is removed half is none.
        (library.spotify_dir() / "reading" / "begun.json").unlink(missing_ok=True)
        shutil.rmtree(library.spotify_dir() / "reading")
    except FileNotFoundError:
        return
    except OSError as error:
        raise DataError(library.spotify_dir() / "reading", f"cannot be removed ({error.strerror})") from None


def _part(one: Summary) -> str:
    return f"list-{one.id}"


def _once(ids: list[str | None]) -> list[str]:
    return list(dict.fromkeys(i for i in ids if i))


def _notes(plan: Plan, ids: list[str | None], changed: int) -> tuple[str, ...]:
    notes = []
    if plan.others:
        notes.append(f"{plan.others} playlists of other people left out: Spotify shows their tracks to nobody else")
    if local := sum(one is not None and one.startswith("spotify:local:") for one in ids):
        notes.append(f"{local} files of your own in playlists: known by name alone")
    if none := ids.count(None):
        notes.append(f"{none} entries of playlists are no tracks: spoken, or gone from Spotify")
    if changed:
        notes.append(f"{changed} lists changed while they were read; sync again to have them exactly")
    return tuple(notes)


def _load(path: Path) -> dict[str, Any] | None:
    """A kept page; None where it is not there, or damaged."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return stored if isinstance(stored, dict) else None
