"""A playlist made on Spotify, in steps that can be cut off anywhere and gone on with, and that put no track in twice.

Before the first call a journal is kept: what is to be written, and a mark that the playlist's description bears.
After a call that nobody knows the end of, or in a later run, the playlist is looked for by its mark and what stands
in it is compared with what should; only what is missing is added. So a call is never repeated, only continued.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from disco.errors import DiscoError
from disco.sources import storage
from disco.sources.services.http import TRIES
from disco.sources.services.spotify import library
from disco.sources.services.spotify.client import ADDED_AT_ONCE, PAGE, Client
from disco.sources.services.spotify.errors import Refused, SpotifyError, UnknownOutcome

log = logging.getLogger(__name__)

# The longest name that Spotify takes.
LONGEST = 100
# What was asked for may be done a moment after the connection broke.
SETTLE_S = 2
# A playlist that nobody went on with is another wish by then.
STALE_S = 30 * 24 * 3600


@dataclass(frozen=True)
class Journal:
    """What is being written, and how far it is known to have come.

    Attributes
    ----------
    account, name, ids : as given
    mark : str
        Stands in the playlist's description, where it can be found again.
    at : float
        When it was begun, Unix time in s.
    playlist : str
        Its id; empty until it is known.
    asked : bool
        Spotify was asked to make it, so it may be there.
    done : int or None
        How many tracks stand in it; None where that must be looked up.
    """

    account: str
    name: str
    ids: list[str]
    mark: str
    at: float
    playlist: str = ""
    asked: bool = False
    done: int | None = 0

    @property
    def path(self) -> Path:
        """File of the journal."""
        return folder() / f"{self.mark}.json"

    def keep(self, **changes: Any) -> Journal:
        """The journal with these changes, kept before anything else happens."""
        changed = replace(self, **changes)
        storage.write_atomic(changed.path, json.dumps(asdict(changed)), private=True)
        return changed


def folder() -> Path:
    """Folder of the journals."""
    return library.spotify_dir() / "writing"


def unfinished(account: str | None = None) -> list[Journal]:
    """Journals of playlists that are not whole yet, of one account or of all."""
    found = []
    for path in sorted(folder().glob("*.json")):
        try:
            journal = Journal(**json.loads(path.read_text(encoding="utf-8")))
            if time.time() - journal.at < STALE_S:
                found.append(journal)
        except (OSError, ValueError, TypeError, RecursionError):
            continue
    return [journal for journal in found if account in (None, journal.account)]


def write(client: Client, name: str, ids: Sequence[str]) -> str:
    """Make a private playlist of these tracks, each once, and return its address.

    The same name and tracks as of one that was cut off go on with that one.

    Raises
    ------
    SpotifyError
        With how far it came; the same command goes on from there.
    """
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        raise DiscoError("no track of this playlist is on Spotify, so there is nothing to write there")
    name = re.sub(r"\s+", " ", "".join(c if c.isprintable() else " " for c in name)).strip()[:LONGEST] or "DISCO"
    for journal in unfinished(client.account):
        if journal.name == name and journal.ids == wanted:
            log.info("resuming %r, which was begun before", name)
            return finish(client, journal)
    mark = hashlib.sha256(json.dumps([client.account, name, wanted, time.time()]).encode()).hexdigest()[:16]
    return finish(client, Journal(client.account, name, wanted, mark, time.time()).keep())


def finish_all(client: Client) -> Iterator[tuple[str, str]]:
    """Finish every interrupted upload of this account; gives name and address of each playlist."""
    for journal in unfinished(client.account):
        yield journal.name, finish(client, journal)


def finish(client: Client, journal: Journal) -> str:
    """Do what is missing of a journal; raises as `write`."""
    try:
        journal = _made(client, journal)
        failed = 0
        while (done := _done(client, journal)) < len(journal.ids):
            few = journal.ids[done : done + ADDED_AT_ONCE]
            journal = journal.keep(done=None)  # until the answer is here, nobody knows
            try:
                client.add(journal.playlist, few, done)
            except UnknownOutcome:
                failed += 1
                if failed == TRIES:
                    raise
                time.sleep(SETTLE_S)
                continue
            journal = journal.keep(done=done + len(few))
            log.info("%s of %s tracks written to Spotify", f"{journal.done:,}", f"{len(journal.ids):,}")
    except Changed:
        journal.path.unlink(missing_ok=True)
        raise
    except SpotifyError as error:
        error.args = (f"{error}; run the same command again, and the playlist is gone on with where it stopped",)
        raise
    journal.path.unlink(missing_ok=True)
    return address(journal.playlist)


def address(playlist: str) -> str:
    """Where a person finds a playlist."""
    return f"https://open.spotify.com/playlist/{playlist}"


class Changed(SpotifyError):
    """Somebody else has changed the playlist, so nothing more may be added."""


def _made(client: Client, journal: Journal) -> Journal:
    """The journal of a playlist that is there, if need be made now."""
    for i in range(TRIES):
        if journal.playlist:
            return journal
        if journal.asked and (there := _marked(client, journal.mark)):
            return journal.keep(playlist=there, done=None)
        journal = journal.keep(asked=True)
        try:
            made = client.create(journal.name, f"Put in order by DISCO ({journal.mark})")
            return journal.keep(playlist=made, done=0)
        except UnknownOutcome:
            if i + 1 == TRIES:
                raise
            time.sleep(SETTLE_S)
    raise AssertionError


def _marked(client: Client, mark: str) -> str | None:
    """The id of the user's playlist that bears a mark; new ones come first in the list."""
    offset, total = 0, 1
    while offset < total:
        listed, total = client.playlists(offset)
        for one in listed:
            if mark in one.description:
                return one.id
        offset += PAGE
    return None


def _done(client: Client, journal: Journal) -> int:
    """How many of the tracks stand in the playlist, looked up where the journal does not know."""
    if journal.done is not None:
        return journal.done
    try:
        page = client.entries(journal.playlist, 0)
        start = max(0, page.total - PAGE)
        if start:
            page = client.entries(journal.playlist, start)
    except Refused:
        raise _changed(journal) from None
    there = [entry.row["track_id"] if entry.row else None for entry in page.entries]
    if page.total > len(journal.ids) or there != journal.ids[start : page.total]:
        raise _changed(journal)
    return page.total


def _changed(journal: Journal) -> Changed:
    return Changed(
        f"the half-written playlist {journal.name!r} ({address(journal.playlist)}) was changed or deleted since; it "
        "is left as it is, and the same command makes a new one"
    )
