"""Playlists created on Spotify: `resumable.upload` with Spotify's calls.

The playlist's description carries the tag of its journal, by which it is found when no answer came.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from disco.sources import storage
from disco.sources.services import resumable
from disco.sources.services.resumable import Journal
from disco.sources.services.spotify import library
from disco.sources.services.spotify.client import ADDED_AT_ONCE, PAGE, Client
from disco.sources.services.spotify.errors import Refused


def write(client: Client, name: str, ids: Sequence[str]) -> str:
    """Create a private playlist of these tracks, each once, and return its address; see `resumable.upload`."""
    return resumable.upload(_Target(client), name, ids)


def finish_all(client: Client) -> Iterator[tuple[str, str]]:
    """Finish every interrupted upload of this account; gives name and address of each playlist."""
    with storage.locked(folder()):
        for journal in unfinished(client.account):
            yield journal.name, resumable.finish(_Target(client), journal)


def unfinished(account: str | None = None) -> list[Journal]:
    """Journals of incomplete uploads, of one account or of all."""
    return resumable.unfinished(folder(), account)


def folder() -> Path:
    """Folder of the journals."""
    return library.spotify_dir() / "writing"


class _Target:
    service, batch_size, longest_name, reads_back = "Spotify", ADDED_AT_ONCE, 100, False

    def __init__(self, client: Client) -> None:
        self._client, self.folder = client, folder()

    @property
    def account(self) -> str:
        return self._client.account

    def existing(self, name: str) -> None:
        return None

    def create(self, journal: Journal) -> str:
        return self._client.create(journal.name, f"Put in order by DISCO ({journal.tag})")

    def find_created(self, journal: Journal) -> str | None:
        offset, total = 0, 1
        while offset < total:  # new ones come first in the list
            summaries, total = self._client.playlists(offset)
            for one in summaries:
                if journal.tag in one.description:
                    return one.id
            offset += PAGE
        return None

    def add(self, playlist: str, ids: Sequence[str], position: int) -> None:
        self._client.add(playlist, ids, position)

    def count(self, playlist: str, ids: Sequence[str]) -> int | None:
        try:
            page = self._client.entries(playlist, 0)
            start = max(0, page.total - PAGE)
            if start:
                page = self._client.entries(playlist, start)
        except Refused:
            return None
        stored = [entry.row["track_id"] if entry.row else None for entry in page.entries]
        return page.total if page.total <= len(ids) and stored == ids[start : page.total] else None

    def address(self, playlist: str) -> str:
        return f"https://open.spotify.com/playlist/{playlist}"
