"""A playlist made on the server, in steps that can be cut off anywhere and gone on with, and no song in it twice.

The same idea as for Spotify: a journal is kept before each call whose end might stay unknown, and after such a call,
or in a later run, what stands on the server is read and compared with what should; only what is missing is added.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from disco.errors import DiscoError
from disco.sources import storage
from disco.sources.services.http import Refused, UnknownOutcome
from disco.sources.services.navidrome.client import NOT_FOUND, Client, Failed

log = logging.getLogger(__name__)

# Songs of one call; as a form it is some 8 kB, which every server takes.
AT_ONCE = 200
LONGEST = 200  # letters of a name
TRIES = 3
# What was asked for may be done a moment after the connection broke.
SETTLE_S = 1.0
# A playlist that nobody went on with is another wish by then.
STALE_S = 30 * 24 * 3600


class Changed(DiscoError):
    """What stands on the server is not what was written, so nothing more may be added."""


@dataclass(frozen=True)
class Journal:
    """What is being written, and how far it is known to have come.

    Attributes
    ----------
    account, name, ids : as given
    at : float
        When it was begun, Unix time in s.
    before : list of str or None
        Playlists of this name that were there already; None until they were looked up, before the first call.
    playlist : str
        Its id; empty until it is known.
    done : int or None
        How many songs stand in it; None where that must be looked up.
    """

    account: str
    name: str
    ids: list[str]
    at: float
    before: list[str] | None = None
    playlist: str = ""
    done: int | None = 0

    @property
    def path(self) -> Path:
        """File of the journal: one wish of one user has one."""
        wish = json.dumps([self.account, self.name, self.ids]).encode()
        return folder() / f"{hashlib.sha256(wish).hexdigest()[:16]}.json"

    def keep(self, **changes: Any) -> Journal:
        """The journal with these changes, kept before anything else happens."""
        changed = replace(self, **changes)
        storage.write_atomic(changed.path, json.dumps(asdict(changed)), private=True)
        return changed


def folder() -> Path:
    """Folder of the journals."""
    return storage.user_data_dir() / "navidrome"


def write(client: Client, name: str, ids: Sequence[str]) -> str:
    """Make a playlist of these songs, each once, and return its address.

    The same name and songs as of one that was cut off go on with that one.

    Raises
    ------
    DiscoError
        With what to do; the same command goes on from there.
    """
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        raise DiscoError("no track of this playlist is on the Navidrome server, so there is nothing to write there")
    name = re.sub(r"\s+", " ", "".join(c if c.isprintable() else " " for c in name)).strip()[:LONGEST] or "DISCO"
    journal = Journal(client.account, name, wanted, time.time())
    if begun := _begun(journal):
        log.info("resuming %r, which was begun before", name)
        journal = begun
    try:
        journal = _made(client, journal)
        _filled(client, journal)
    except Changed:
        journal.path.unlink(missing_ok=True)
        raise
    except (UnknownOutcome, Refused, Failed) as error:
        error.args = (f"{error}; run the same command again, and the playlist is gone on with where it stopped",)
        raise
    journal.path.unlink(missing_ok=True)
    return f"{client.login.url}/app/#/playlist/{journal.playlist}/show"


def _begun(journal: Journal) -> Journal | None:
    """The journal of the same wish, if it was begun and not finished."""
    try:
        there = Journal(**json.loads(journal.path.read_text(encoding="utf-8")))
        fresh = abs(time.time() - there.at) < STALE_S
        return there if fresh and (there.account, there.name, there.ids) == _wish(journal) else None
    except (OSError, ValueError, TypeError, RecursionError):
        return None


def _wish(journal: Journal) -> tuple[str, str, list[str]]:
    return journal.account, journal.name, journal.ids


def _made(client: Client, journal: Journal) -> Journal:
    """The journal of a playlist that is there, if need be made now."""
    if journal.playlist:
        return journal
    for i in range(TRIES):
        if journal.before is None:
            journal = journal.keep(before=client.playlists(journal.name))
        else:
            # Asked for before: of this name only ours can be new.
            new = [one for one in client.playlists(journal.name) if one not in journal.before]
            if new:
                return journal.keep(playlist=new[0], done=None)
        try:
            return journal.keep(playlist=client.create(journal.name), done=0)
        except UnknownOutcome:
            if i + 1 == TRIES:
                raise
            time.sleep(SETTLE_S)
    raise AssertionError


def _filled(client: Client, journal: Journal) -> None:
    """Add what is missing, and read the whole back."""
    failed = 0
    while (done := _done(client, journal)) < len(journal.ids):
        few = journal.ids[done : done + AT_ONCE]
        journal = journal.keep(done=None)  # until the answer is here, nobody knows
        try:
            client.add(journal.playlist, few)
        except UnknownOutcome:
            failed += 1
            if failed == TRIES:
                raise
            time.sleep(SETTLE_S)
            continue
        journal = journal.keep(done=done + len(few))
        log.info("%s of %s tracks written to Navidrome", f"{journal.done:,}", f"{len(journal.ids):,}")
    if _done(client, replace(journal, done=None)) < len(journal.ids):
        raise _changed(journal)


def _done(client: Client, journal: Journal) -> int:
    """How many of the songs stand in the playlist, read where the journal does not know."""
    if journal.done is not None:
        return journal.done
    try:
        there = client.entries(journal.playlist)
    except Failed as error:
        if error.code == NOT_FOUND:
            raise _changed(journal) from None
        raise
    if there != journal.ids[: len(there)]:
        raise _changed(journal)
    return len(there)


def _changed(journal: Journal) -> Changed:
    return Changed(
        f"the playlist {journal.name!r} on Navidrome holds not what was written: it, or the library, was changed "
        "meanwhile; it is left as it is, and the same command makes a new one"
    )
