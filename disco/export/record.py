"""JSON: the playlist as one object, with the cost terms of every transition."""

from __future__ import annotations

import json

from disco.export.style import Style
from disco.playlist.playlist import Playlist


def to_json(playlist: Playlist, style: Style = Style()) -> str:  # noqa: B008 - frozen
    """Format a playlist as the JSON object that `--json` prints."""
    return json.dumps(playlist.as_dict(), ensure_ascii=False, indent=2) + "\n"
