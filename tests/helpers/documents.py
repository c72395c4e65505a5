"""What the documents show: their code blocks, and a folder of small files that their commands name."""

from __future__ import annotations

import json
import re
import shlex
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from helpers.catalogues import random_catalogue

from disco import export
from disco.catalogue import SCHEMA, Catalogue
from disco.export.style import Style
from disco.playlist import generate
from disco.playlist.playlist import Playlist
from disco.sources.files import tables

ROOT = Path(__file__).parents[2]
# Written by a command from measurements, not by hand.
REPORTS = ("docs/research/results.md", "docs/research/experiments.md", "docs/research/examples.md")
PAGES = sorted(
    str(path.relative_to(ROOT))
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"))
    if str(path.relative_to(ROOT)) not in REPORTS
)
# Tracks that the documents name.
NAMED = {
    "Them Changes": "Thundercat",
    "Cocoa Butter Kisses": "Chance the Rapper",
    "Girlfriend Is Better": "Talking Heads",
    "Night Bus": "Mira Vale",
    "Slow Train": "The Night Owls",
}
_BLOCK = re.compile(r"(?:<!-- test: (\w+) -->\n)?^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A code block of a page; `mode` says how it is tested: `run` by default."""

    mode: str
    language: str
    text: str

    @property
    def commands(self) -> list[list[str]]:
        """Words of each command of a console block, in which a command begins with `$`."""
        lines = self.text.replace("\\\n", " ").splitlines()
        return [shlex.split(line[2:], comments=True) for line in lines if line.startswith("$ ")]


def blocks(page: str) -> list[Block]:
    """Code blocks of a page, in order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [Block(mode or "run", language, body) for mode, language, body in _BLOCK.findall(text)]


def named_catalogue() -> Catalogue:
    """300 tracks, the first of which are those that the documents name."""
    catalogue = random_catalogue(300, seed=5)
    rows = catalogue.table.to_pylist()
    for row, (title, artist) in zip(rows, NAMED.items(), strict=False):
        row |= {"title": title, "artists": [artist]}
    return Catalogue(pa.Table.from_pylist(rows, SCHEMA), "tracks.parquet")


def write_samples(folder: Path) -> None:
    """Write every file that the documents' commands read."""
    catalogue = named_catalogue()
    tables.write(catalogue, folder / "tracks.parquet")
    tracks = catalogue.table.to_pylist()
    lines = [
        f"#EXTINF:{track['duration_ms'] // 1000},{track['artists'][0]} - {track['title']}\n{track['title']}.mp3"
        for track in [*tracks[: len(NAMED)], *tracks[20:25]]
    ]
    (folder / "mine.m3u8").write_text("\n".join(["#EXTM3U", *lines]) + "\n", encoding="utf-8")
    (folder / "yesterday.m3u8").write_text("#EXTM3U\nArtist 30 - Title 30\n", encoding="utf-8")
    playlist = replace(generate(catalogue, np.arange(len(NAMED)), length=6), name="Friday")
    for name in ("exportify.csv", "library.xml", "collection.nml"):
        export.save(playlist, folder / name, Style(), force=False)
    _write_export(folder / "my_spotify_data.zip", playlist)
    _write_playlists(folder / "playlists.parquet")
    _write_history(folder / "History", tracks[60:])
    (folder / "cloud").symlink_to(ROOT / "cloud")
    _write_music(folder / "Music")
    files = sorted(path.relative_to(folder).as_posix() for path in (folder / "Music").iterdir())
    (folder / "party.m3u8").write_text("\n".join(["#EXTM3U", *files]) + "\n", encoding="utf-8")


def _write_export(path: Path, playlist: Playlist) -> None:
    tracks = [
        {"artist": artist, "album": "", "track": title, "uri": f"spotify:track:{i:022}"}
        for i, (title, artist) in enumerate(NAMED.items())
    ]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Spotify Account Data/YourLibrary.json", json.dumps({"tracks": tracks}))


def _write_playlists(path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [
        {"playlist_id": f"p{k:03}", "title": f"list {k}", "position": i, "track_id": f"t{row:05}"}
        for k in range(60)
        for i, row in enumerate(rng.permutation(300)[:20])
    ]
    pq.write_table(pa.Table.from_pylist(rows), path)


def _write_history(folder: Path, tracks: list[dict[str, Any]]) -> None:
    """Ten sets of fourteen tracks, in each of which the same key, or a fifth up, is played next if there is one."""
    folder.mkdir()
    known = [track for track in tracks if None not in (track["key"], track["mode"], track["tempo_bpm"])]
    lines = ["set,artist,title"]
    for number in range(10):
        left = known[14 * number : 14 * number + 14]
        last = left[0]
        while left:
            left.sort(key=lambda track: (track["key"] != last["key"], (track["key"] - last["key"]) % 12 != 7))
            last = left.pop(0)
            lines.append(f"{number},{last['artists'][0]},{last['title']}")
    (folder / "sets.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_music(folder: Path) -> None:
    """Three short sounds, by the standard library alone."""
    import wave

    folder.mkdir()
    seconds = np.arange(3 * 8000) / 8000
    for i, (title, artist) in enumerate(list(NAMED.items())[:3]):
        samples = (8000 * np.sin(2 * np.pi * 220 * (i + 1) * seconds)).astype("<i2")
        with wave.open(str(folder / f"{artist} - {title}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(samples.tobytes())
