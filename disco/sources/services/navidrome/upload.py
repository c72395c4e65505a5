"""Playlists created on a Navidrome server: `resumable.upload` with OpenSubsonic's calls.

A new playlist is recognised by comparing with those of its name that existed before, and the whole is read back at
the end, since a server skips songs that it does not have.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from disco.sources import storage
from disco.sources.services import resumable
from disco.sources.services.navidrome.client import NOT_FOUND, Client, Failed
from disco.sources.services.resumable import Journal


def write(client: Client, name: str, ids: Sequence[str]) -> str:
    """Create a playlist of these songs, each once, and return its address; see `resumable.upload`."""
    return resumable.upload(_Target(client), name, ids)


def folder() -> Path:
    """Folder of the journals."""
    return storage.user_data_dir() / "navidrome"


class _Target:
    # 200 songs make a form of some 8 kB, which every server accepts.
    service, batch_size, longest_name, reads_back = "Navidrome", 200, 200, True

    def __init__(self, client: Client) -> None:
        self._client, self.folder, self.account = client, folder(), client.account

    def existing(self, name: str) -> list[str]:
        return self._client.playlists(name)

    def create(self, journal: Journal) -> str:
        return self._client.create(journal.name)

    def find_created(self, journal: Journal) -> str | None:
        known = journal.before or []
        return next((one for one in self._client.playlists(journal.name) if one not in known), None)

    def add(self, playlist: str, ids: Sequence[str], position: int) -> None:
        self._client.add(playlist, ids)

    def count(self, playlist: str, ids: Sequence[str]) -> int | None:
        try:
            stored = self._client.entries(playlist)
        except Failed as error:
            if error.code == NOT_FOUND:
                return None
            raise
        return len(stored) if stored == list(ids[: len(stored)]) else None

    def address(self, playlist: str) -> str:
        return f"{self._client.login.url}/app/#/playlist/{playlist}/show"
