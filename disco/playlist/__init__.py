"""Playlists: made from seeds in four steps, or put into a better order. Start reading at `generate`."""

from __future__ import annotations

from disco.playlist.alternatives import alternatives
from disco.playlist.generate import generate
from disco.playlist.playlist import Playlist

__all__ = ["Playlist", "alternatives", "generate"]
