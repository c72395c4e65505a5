"""What the page asks for: each answer is one call of the library, from what the browser sent to what it shows."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import disco
from disco import sources
from disco.app.listing import choice_row, found_rows, listing
from disco.app.play import DEFAULTS, Music, given, play
from disco.app.state import read_state
from disco.catalogue.schema import SCHEMA
from disco.errors import DiscoError
from disco.export.plot.map import draw as draw_map
from disco.playlist.make import RELEVANCE
from disco.playlist.matching import match_tracklist
from disco.playlist.playlist import Playlist
from disco.playlist.replacements import replacements
from disco.playlist.transitions import graded
from disco.sources import corrections
from disco.sources.tracklist import Tracklist

FIGURES = ("map", "wheel", "curves", "matrix", "path")
_MOST_FOUND = 30
_MOST_QUERY = 200
_CHOICES = 5
# Kinds of files that a browser may send; of anything else the library says what it is.
_NAMED = re.compile(r"\.[A-Za-z0-9]{1,8}$")
_LIST_COLUMNS = tuple(name for name in SCHEMA.names if name not in ("explicit", "time_signature"))


def play_answer(music: Music, sent: Mapping[str, Any]) -> dict[str, Any]:
    """The playlist of a state, what it was before where a list was put in order, and a figure if one is asked for.

    Examples
    --------
    >>> from disco.app.play import music_of
    >>> sent = {"state": {"seeds": ["demo-00001"], "length": 2}, "figure": "map"}
    >>> answer = play_answer(music_of(disco.open()), sent)
    >>> [row["id"] for row in answer["rows"]][0], sorted(answer["figure"])
    ('demo-00001', ['data', 'layout'])
    """
    state, notes = read_state(sent.get("state"))
    playlist = play(music, state)
    answer = listing(playlist, music)
    answer["notes"] = [*notes, *answer["notes"]]
    if state.tracks and not state.given_order and sent.get("before"):
        answer["before"] = listing(given(music, state), music)
    if sent.get("figure") in FIGURES:
        answer["figure"] = figure(playlist, music, str(sent["figure"]))
    return answer


def figure(playlist: Playlist, music: Music, kind: str) -> Any:
    """A figure of a playlist as the object that Plotly draws in the browser."""
    if kind == "map":
        return draw_map(playlist, graded(playlist, music.apart)[1].whole)
    drawn = disco.figure(playlist, kind).update_layout(template=None)
    # The panel is narrow, and the list beside it has the names.
    if kind == "matrix":
        drawn.update_yaxes(tickvals=None, ticktext=None, dtick=drawn.layout.xaxis.dtick, tick0=1, automargin=False)
        drawn.update_layout(margin={"l": 34, "r": 6}, height=440)
    elif kind == "curves":
        drawn.update_layout(margin={"l": 92, "r": 8}, uniformtext={"mode": "hide", "minsize": 9})
    elif kind == "path":
        eye = drawn.layout.scene.camera.eye
        if eye.x is not None:  # a path is drawn, not the sentence that none can be
            drawn.update_layout(scene_camera_eye={"x": 1.3 * eye.x, "y": 1.3 * eye.y, "z": 1.3 * eye.z})
        drawn.update_layout(height=480)
    elif kind == "wheel":
        drawn.update_layout(height=500, showlegend=False)
    return json.loads(drawn.to_json())


def search_answer(music: Music, text: str) -> list[dict[str, Any]]:
    """Tracks that a text may mean, best first.

    Examples
    --------
    >>> from disco.app.play import music_of
    >>> search_answer(music_of(disco.open()), "sunday night stairc")[0]["title"]
    'Sunday Night Staircase (feat. Gold-Plated Soul Plumbers)'
    """
    text = " ".join(text[:_MOST_QUERY].split())
    found = found_rows(music.catalogue, text, _MOST_FOUND) if text else []
    once: dict[tuple[str, str], dict[str, Any]] = {}
    for row in found:  # other releases of a song look the same
        once.setdefault((row["title"].casefold(), row["artist"].casefold()), row)
    return list(once.values())[:8]


def choices_answer(music: Music, sent: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Five tracks that could stand at a position, best first, each with its reasons."""
    state, _ = read_state(sent.get("state"))
    playlist = play(music, state)
    position = sent.get("position")
    if isinstance(position, bool) or not isinstance(position, int) or not 1 <= position <= len(playlist):
        raise DiscoError(f"there is no such position in a playlist of {len(playlist)} tracks")
    found = replacements(
        playlist,
        position - 1,
        _CHOICES,
        artist_gap=DEFAULTS["artist_gap"],
        max_per_artist=DEFAULTS["max_per_artist"],
        relevance=RELEVANCE,
        apart=music.apart,
    )
    return [choice_row(choice) for choice in found]


def names_answer(music: Music, sent: Mapping[str, Any]) -> dict[str, Any]:
    """Rows of tracks by their ids, for chips of seeds; and those of a pasted list, one track a line."""
    if isinstance(text := sent.get("text"), str):
        tracklist, _ = sources.open_playlist("the list", catalogue=music.catalogue, text=text[:100_000])
        rows = tracklist.match(music.catalogue)
        lost = [entry.name for entry, row in zip(tracklist.entries, rows.tolist(), strict=True) if row < 0]
        ids = music.catalogue.ids(tracklist.rows(music.catalogue))
        return {"ids": ids[:100], "lost": [name[:80] for name in lost[:5]], "n_lost": len(lost)}
    return {"ids": [], "lost": [], "n_lost": 0}


def open_answer(music: Music, name: str, content: bytes, playlist: str | None) -> dict[str, Any]:
    """The tracks of a file that was dropped on the page, as `State.tracks` has them.

    The file is read under a name of its own in a folder of its own, which is removed at once.
    """
    if not content:
        raise DiscoError(f"{_shown(name)} is empty")
    suffix = _NAMED.search(name)
    with tempfile.TemporaryDirectory(prefix="disco-upload-") as folder:
        file = Path(folder, "list" + (suffix.group().lower() if suffix else ".txt"))
        file.write_bytes(content)
        try:
            several = _playlists_of(file) if playlist is None else []
            if len(several) > 1:
                return {"choices": [{"name": each.full_name, "tracks": len(each)} for each in several[:500]]}
            tracklist, catalogue = sources.open_playlist(file, playlist, catalogue=music.catalogue)
            found = match_tracklist(tracklist, catalogue)
        except DiscoError as error:
            raise DiscoError(str(error).replace(str(file), _shown(name))) from None
    tracks = found.tracks.table.select(list(_LIST_COLUMNS)).to_pylist()
    for i, track in enumerate(tracks):
        track["track_id"] = track["track_id"] or f"{i + 1}: {track['title'] or '?'}"
    kept = [{key: value for key, value in track.items() if value is not None} for track in tracks]
    notes = [note.replace(str(file), _shown(name)) for note in found.notes]
    title = tracklist.name if tracklist.name and tracklist.name != "list" else Path(_shown(name)).stem
    return {"name": title, "tracks": kept, "notes": notes}


def export_answer(music: Music, sent: Mapping[str, Any]) -> tuple[str, bytes]:
    """A playlist as a file: its name and its content."""
    state, _ = read_state(sent.get("state"))
    playlist = play(music, state)
    suffix = str(sent.get("format", ""))
    if not re.fullmatch(r"\.[a-z0-9]{2,6}", suffix):
        raise DiscoError("there is no such format")
    with tempfile.TemporaryDirectory(prefix="disco-export-") as folder:
        file = Path(folder, f"playlist{suffix}")
        disco.save(playlist, file, paths="absolute")
        return _file_name(playlist.name) + suffix, file.read_bytes()


def correction_of(music: Music, sent: Mapping[str, Any]) -> corrections.Correction:
    """Keep a key or tempo that a person corrects, in the file that every command applies."""
    track, values = sent.get("id"), {name: sent[name] for name in ("key", "bpm") if isinstance(sent.get(name), str)}
    if not isinstance(track, str) or not values:
        raise DiscoError("nothing was corrected; give a key or a tempo")
    music.catalogue.rows([track])  # or it says that there is no such track
    return corrections.change(track, values)


def send_answer(music: Music, sent: Mapping[str, Any]) -> dict[str, Any]:
    """Create the playlist on a service where somebody is logged in."""
    from disco.export.upload import SERVICES, upload

    state, _ = read_state(sent.get("state"))
    if sent.get("to") not in SERVICES:
        raise DiscoError("there is no such service")
    return {"address": upload([play(music, state)], str(sent["to"]))[0]}


def audio_file(music: Music, track: str, folders: tuple[Path, ...]) -> Path | None:
    """The file of a track, if it lies in one of the folders that the catalogue was read from."""
    try:
        row = music.catalogue.rows([track])
    except DiscoError:
        return None
    (found,) = music.catalogue.tracks(row, names=("path",))
    if not found["path"]:
        return None
    file = Path(found["path"]).resolve()
    inside = any(file.is_relative_to(folder) for folder in folders)
    return file if inside and file.is_file() and file.suffix.lower() in AUDIO_TYPES else None


AUDIO_TYPES = {
    ".mp3": "audio/mpeg",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
    ".oga": "audio/ogg",
    ".opus": "audio/ogg",
    ".wav": "audio/wav",
    ".aif": "audio/aiff",
    ".aiff": "audio/aiff",
    ".m4a": "audio/mp4",
    ".mp4": "audio/mp4",
    ".aac": "audio/aac",
    ".wma": "audio/x-ms-wma",
}


def _playlists_of(file: Path) -> list[Tracklist]:
    try:
        return sources.playlists(file)
    except DiscoError:
        return []


def _shown(name: str) -> str:
    return re.sub(r"[^\w .,()\[\]&'+-]", "_", Path(name.replace("\\", "/")).name)[:80] or "the file"


def _file_name(name: str) -> str:
    return re.sub(r"[^\w .()-]", "_", name)[:80].strip(" .") or "playlist"
