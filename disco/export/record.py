"""JSON: the playlist as one object, with the terms of every join."""

from __future__ import annotations

import json

from disco.export.style import Style
from disco.playlist.playlist import Playlist


def as_json(playlist: Playlist, style: Style = Style()) -> str:  # noqa: B008 - frozen
    """One JSON object, the same that `--json` prints."""
    return json.dumps(playlist.as_dict(), ensure_ascii=False, indent=2) + "\n"
