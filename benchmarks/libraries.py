"""Time to read a library of 20,000 tracks of each DJ program, compared with a plain pass through the file.

The floor is expat with empty handlers for XML, and a fetch of the same columns for SQLite: no reader that uses the
same parser can be faster.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

import numpy as np
from table import head, ratio, row, seconds

from disco.catalogue.music import camelot
from disco.sources.dj import mixxx, rekordbox, traktor

TRACKS = 20_000
PLAYLISTS, LENGTH = 100, 50


def rekordbox_xml(folder: Path, n: int) -> Path:
    """A library as rekordbox exports it, with a beat grid and two cues per track."""
    rng = np.random.default_rng(7)
    lines = []
    for i in range(n):
        attributes = {
            "TrackID": i + 1,
            "Name": f"Title {i} & more",
            "Artist": f"Artist {rng.integers(3000)}",
            "Composer": "",
            "Album": f"Album {i // 10}",
            "Grouping": "",
            "Genre": "Tech House",
            "Kind": "MP3 File",
            "Size": 9_000_000,
            "TotalTime": int(rng.integers(120, 480)),
            "DiscNumber": 1,
            "TrackNumber": 3,
            "Year": 2024,
            "AverageBpm": f"{rng.uniform(90, 150):.2f}",
            "DateAdded": "2024-01-03",
            "BitRate": 320,
            "SampleRate": 44100,
            "Comments": f"8A - Energy {rng.integers(1, 11)}",
            "PlayCount": 2,
            "Rating": 204,
            "Location": f"file://localhost/Users/me/Music/Folder%20{i % 500}/Title%20{i}%20%26%20more.mp3",
            "Remixer": "",
            "Tonality": camelot(int(rng.integers(12)), int(rng.integers(2))),
            "Label": "A label",
            "Mix": "Original",
        }
        lines.append(f"<TRACK {' '.join(f'{name}={quoteattr(str(value))}' for name, value in attributes.items())}>")
        lines.append('<TEMPO Inizio="0.232" Bpm="122.50" Metro="4/4" Battito="1"/>')
        lines += [f'<POSITION_MARK Name="" Type="0" Start="{cue}.5" Num="{cue}"/>' for cue in range(2)] + ["</TRACK>"]
    nodes = []
    for number in range(PLAYLISTS):
        keys = "".join(f'<TRACK Key="{key}"/>' for key in rng.integers(1, n + 1, LENGTH))
        nodes.append(f'<NODE Name="List {number}" Type="1" KeyType="0" Entries="{LENGTH}">{keys}</NODE>')
    path = folder / "library.xml"
    path.write_text(
        f'<?xml version="1.0" encoding="UTF-8"?>\n<DJ_PLAYLISTS Version="1.0.0"><COLLECTION Entries="{n}">\n'
        + "\n".join(lines)
        + '</COLLECTION><PLAYLISTS><NODE Type="0" Name="ROOT">'
        + "\n".join(nodes)
        + "</NODE></PLAYLISTS></DJ_PLAYLISTS>",
        encoding="utf-8",
    )
    return path


def traktor_nml(folder: Path, n: int) -> Path:
    """A library as Traktor stores it."""
    rng = np.random.default_rng(7)
    entries = [
        f'<ENTRY TITLE="Title {i} &amp; more" ARTIST="Artist {rng.integers(3000)}"><LOCATION DIR="/:Users/:me/:Music'
        f'/:Folder {i % 500}/:" FILE="Title {i}.mp3" VOLUME="Macintosh HD"></LOCATION><ALBUM TITLE="Album"></ALBUM>'
        f'<INFO GENRE="House" COMMENT="10m - Energy 6" KEY="10m" PLAYTIME="193" PLAYTIME_FLOAT="192.078369"></INFO>'
        f'<TEMPO BPM="{rng.uniform(90, 150):.6f}"></TEMPO><MUSICAL_KEY VALUE="{rng.integers(24)}"></MUSICAL_KEY>'
        '<CUE_V2 NAME="AutoGrid" TYPE="4" START="52.3" LEN="0.0"></CUE_V2></ENTRY>'
        for i in range(n)
    ]
    path = folder / "collection.nml"
    path.write_text(f'<NML VERSION="19"><COLLECTION ENTRIES="{n}">\n' + "\n".join(entries) + "</COLLECTION></NML>")
    return path


def mixxx_sqlite(folder: Path, n: int) -> Path:
    """Mixxx's tables of tracks."""
    rng = np.random.default_rng(7)
    path = folder / "mixxxdb.sqlite"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(
            "CREATE TABLE track_locations (id INTEGER PRIMARY KEY, location TEXT UNIQUE, fs_deleted INTEGER);"
            "CREATE TABLE library (id INTEGER PRIMARY KEY, artist, title, album, genre, location, comment, duration,"
            " bpm, mixxx_deleted, key, key_id);"
            "CREATE TABLE Playlists (id, name, position, hidden);"
            "CREATE TABLE PlaylistTracks (id, playlist_id, track_id, position);"
            "CREATE TABLE crates (id, name); CREATE TABLE crate_tracks (crate_id, track_id);"
        )
        locations = ((i, f"/home/me/Music/Folder {i % 500}/Title {i}.mp3", 0) for i in range(n))
        connection.executemany("INSERT INTO track_locations VALUES (?, ?, ?)", locations)
        tracks = (
            (i, f"Artist {i % 3000}", f"Title {i}", "Album", "House", i, "", 200.5, rng.uniform(90, 150), 0, "Am", 22)
            for i in range(n)
        )
        connection.executemany(f"INSERT INTO library VALUES ({', '.join('?' * 12)})", tracks)
    return path


def through_xml(path: Path) -> None:
    """Parse the file, and do nothing else."""
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, attributes: None
    parser.EndElementHandler = lambda name: None
    with path.open("rb") as file:
        parser.ParseFile(file)


def through_sqlite(path: Path) -> None:
    """Fetch the same columns, and do nothing else."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "SELECT * FROM library LEFT JOIN track_locations ON library.location = track_locations.id"
        ).fetchall()


def main() -> None:
    """Print the table."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else TRACKS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cases: list[tuple[str, Path, Callable[[Path], object], Callable[[Path], object]]] = [
            ("rekordbox XML", rekordbox_xml(folder, n), rekordbox.read, through_xml),
            ("the same, its playlists", folder / "library.xml", rekordbox.playlists, through_xml),
            ("Traktor NML", traktor_nml(folder, n), traktor.read, through_xml),
            ("Mixxx", mixxx_sqlite(folder, n), mixxx.read, through_sqlite),
        ]
        head(
            f"A library of {n:,} tracks", "what", "MB", "s, median of 5", "least-greatest", "floor, s", "ratio to it"
        )
        for what, path, work, floor in cases:
            times, floors = [], []
            for _ in range(5):  # alternately, so that both meet the same load of the machine
                floors.append(seconds(lambda floor=floor, path=path: floor(path), rounds=1)[0])
                times.append(seconds(lambda work=work, path=path: work(path), rounds=1)[0])
            spread = f"{min(times):.2f}-{max(times):.2f}"
            size = f"{path.stat().st_size / 1e6:.0f}"
            row(what, size, f"{np.median(times):.2f}", spread, f"{np.median(floors):.2f}", ratio(times, floors))


if __name__ == "__main__":
    main()
