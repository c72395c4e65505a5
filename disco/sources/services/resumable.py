"""Uploads of playlists that can be interrupted anywhere and resumed, and that never add a track twice.

A journal is stored before each call whose outcome may stay unknown. After such a call, or in a later run, the service
is asked what it has, and only what is missing is added. So a call is never repeated, only continued.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from disco.errors import DiscoError
from disco.sources import storage
from disco.sources.services.http import TRIES, ServiceError, UnknownOutcome

log = logging.getLogger(__name__)
# A change may be carried out a moment after the connection broke.
SETTLE_S = 2.0
# An upload that nobody resumed for so long is not resumed any more.
STALE_S = 30 * 24 * 3600
# How long it is noted that a playlist was created, for other processes that were running then.
_NOTED_S = 24 * 3600
# When this process began.
_STARTED = time.time()


@dataclass(frozen=True)
class Journal:
    """What is uploaded, and how far the upload is known to have come.

    Attributes
    ----------
    path : Path
        File of the journal.
    account, name, ids : as given
    at : float
        When it began, Unix time in s.
    tag : str
        Identifies the upload; a service may write it into the playlist's description.
    before : list of str or None
        Playlists of this name that existed before, where the service has no other way to recognise the new one.
    playlist : str
        Its id; empty until it is known.
    asked : bool
        Whether the service was asked to create it, so that it may exist.
    done : int or None
        How many tracks it holds; None where that must be looked up.
    """

    path: Path = field(repr=False)
    account: str
    name: str
    ids: list[str]
    at: float
    tag: str = ""
    before: list[str] | None = None
    playlist: str = ""
    asked: bool = False
    done: int | None = 0

    def save(self, **changes: Any) -> Journal:
        """The journal with these changes, stored before anything else happens."""
        changed = replace(self, **changes)
        content = asdict(changed)
        del content["path"]
        storage.write_atomic(self.path, json.dumps(content), private=True)
        return changed

    @classmethod
    def load(cls, path: Path) -> Journal | None:
        """A stored journal; None where it cannot be used."""
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            content["tag"] = content.pop("mark", content.get("tag", ""))  # as it was called once
            content.setdefault("asked", content.get("before") is not None)
            journal = cls(path=path, **content)
            return journal if abs(time.time() - journal.at) < STALE_S else None
        except (OSError, ValueError, TypeError, RecursionError, AttributeError):
            return None


class Target(Protocol):
    """What a service offers for uploads.

    Attributes
    ----------
    service, account : str
    folder : Path
        Of the journals.
    batch_size : int
        Tracks of one call.
    longest_name : int
        Characters of a playlist's name.
    reads_back : bool
        Whether the whole playlist is compared at the end.
    """

    service: str
    folder: Path
    batch_size: int
    longest_name: int
    reads_back: bool

    @property
    def account(self) -> str:
        """The user, as stored in journals."""

    def existing(self, name: str) -> list[str] | None:
        """Ids of the user's playlists of a name, where new ones are recognised by comparing; else None."""

    def create(self, journal: Journal) -> str:
        """Create the empty playlist, asked for once, and return its id; raises UnknownOutcome."""

    def find_created(self, journal: Journal) -> str | None:
        """The id of the playlist if an earlier `create` succeeded."""

    def add(self, playlist: str, ids: Sequence[str], position: int) -> None:
        """Add tracks at the end, asked for once; raises UnknownOutcome."""

    def count(self, playlist: str, ids: Sequence[str]) -> int | None:
        """How many of the tracks the playlist holds; None if it is gone or holds anything else."""

    def address(self, playlist: str) -> str:
        """Where a person finds the playlist."""


class Changed(ServiceError):
    """Somebody else changed the playlist, so nothing more may be added."""


def upload(target: Target, name: str, ids: Sequence[str]) -> str:
    """Create a private playlist of these tracks, each once.

    An interrupted upload of the same name and tracks is resumed.

    Parameters
    ----------
    target : Target
    name : str
        Characters that cannot be shown become spaces; a longer name is cut off.
    ids : sequence of str
        The service's ids of the tracks, in order.

    Returns
    -------
    str
        The playlist's address.

    Raises
    ------
    DiscoError
        With what to do; calling it again resumes.
    """
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        raise DiscoError(f"no track of this playlist is on {target.service}, so there is nothing to upload")
    clean = re.sub(r"\s+", " ", "".join(c if c.isprintable() else " " for c in name)).strip()
    name = clean[: target.longest_name] or "DISCO"
    what = [target.account, name, wanted]
    digest = hashlib.sha256(json.dumps(what).encode()).hexdigest()
    with storage.locked(target.folder):
        if address := _created_meanwhile(target.folder, digest):
            log.info("%s", f"another DISCO has just created {name!r} on {target.service}; it is not created twice")
            return address
        address = _begin_or_resume(target, name, wanted)
        _note_created(target.folder, digest, address)
    return address


def _begin_or_resume(target: Target, name: str, wanted: list[str]) -> str:
    for journal in unfinished(target.folder, target.account):
        if journal.name == name and journal.ids == wanted:
            log.info("resuming %r, which was begun before", name)
            return finish(target, journal)
    for path in target.folder.glob("*.json"):
        if Journal.load(path) is None:  # damaged, or too old to be resumed
            path.unlink(missing_ok=True)
    tag = hashlib.sha256(json.dumps([target.account, name, wanted, time.time()]).encode()).hexdigest()[:16]
    path = target.folder / f"{tag}.json"
    return finish(target, Journal(path, target.account, name, wanted, time.time(), tag).save())


def _created_meanwhile(folder: Path, digest: str) -> str | None:
    """The address of the same playlist, if another process created it while this one was running or waiting."""
    created = _created(folder)
    if digest in created and created[digest][0] > _STARTED and created[digest][1] != os.getpid():
        return created[digest][2]
    return None


def _note_created(folder: Path, digest: str, address: str) -> None:
    """Note for processes that run now that this one has created a playlist."""
    recent = {key: one for key, one in _created(folder).items() if 0 <= time.time() - one[0] < _NOTED_S}
    noted = recent | {digest: (time.time(), os.getpid(), address)}
    storage.write_atomic(folder / "created", json.dumps(noted), private=True)


def _created(folder: Path) -> dict[str, tuple[float, int, str]]:
    try:
        noted = json.loads((folder / "created").read_text(encoding="utf-8"))
        return {str(key): (float(at), int(process), str(address)) for key, (at, process, address) in noted.items()}
    except (OSError, ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return {}


def unfinished(folder: Path, account: str | None = None) -> list[Journal]:
    """Journals of incomplete uploads in a folder, of one account or of all."""
    journals = [journal for path in sorted(folder.glob("*.json")) if (journal := Journal.load(path)) is not None]
    return [journal for journal in journals if account in (None, journal.account)]


def finish(target: Target, journal: Journal) -> str:
    """Do what is missing of an upload, and return the playlist's address; raises as `upload`."""
    try:
        journal = _fill(target, _create(target, journal))
        if target.reads_back and _count(target, journal.save(done=None)) < len(journal.ids):
            raise _changed(target, journal)
    except Changed:
        journal.path.unlink(missing_ok=True)
        raise
    except ServiceError as error:
        error.args = (f"{error}; run the same command again to resume where it stopped",)
        raise
    journal.path.unlink(missing_ok=True)
    return target.address(journal.playlist)


def _create(target: Target, journal: Journal) -> Journal:
    """The journal of a playlist that exists; it is created if necessary."""
    if journal.playlist:
        return journal
    for i in range(TRIES):
        if not journal.asked:
            journal = journal.save(asked=True, before=target.existing(journal.name))
        elif created := target.find_created(journal):
            return journal.save(playlist=created, done=None)
        try:
            return journal.save(playlist=target.create(journal), done=0)
        except UnknownOutcome:
            if i + 1 == TRIES:
                raise
            time.sleep(SETTLE_S)
    raise AssertionError


def _fill(target: Target, journal: Journal) -> Journal:
    """Add the tracks that are missing, in batches."""
    failed = 0
    while (done := _count(target, journal)) < len(journal.ids):
        batch = journal.ids[done : done + target.batch_size]
        journal = journal.save(done=None)  # until the answer is here, the outcome is unknown
        try:
            target.add(journal.playlist, batch, done)
        except UnknownOutcome:
            failed += 1
            if failed == TRIES:
                raise
            time.sleep(SETTLE_S)
            continue
        journal = journal.save(done=done + len(batch))
        log.info("%s", f"{journal.done:,} of {len(journal.ids):,} tracks uploaded to {target.service}")
    return journal


def _count(target: Target, journal: Journal) -> int:
    """How many of the tracks the playlist holds, looked up where the journal does not know."""
    if journal.done is not None:
        return journal.done
    count = target.count(journal.playlist, journal.ids)
    if count is None:
        raise _changed(target, journal)
    return count


def _changed(target: Target, journal: Journal) -> Changed:
    return Changed(
        f"the incomplete playlist {journal.name!r} on {target.service} ({target.address(journal.playlist)}) was "
        "changed or deleted since; it is left as it is, and the same command makes a new one"
    )
