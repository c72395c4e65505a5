"""What a format can hold comes back from it as it was, whatever tracks and playlists are called."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.catalogues import catalogue_of
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_export import playlist

from disco import export
from disco.catalogue import Catalogue
from disco.catalogue.text import clean_text
from disco.sources import playlist_files
from disco.sources.dj import rekordbox, traktor
from disco.sources.file_urls import without_detours
from disco.sources.files import jspf, xspf

HOSTILE = [
    "<b>&amp;\"'</b>",
    "]]>",
    "<!DOCTYPE x [<!ENTITY a 'b'>]>&a;",
    "two\nlines\r\nand\ttabs",
    "../../etc/passwd",
    "\u202egnp.exe \u200f\u2066",
    "\U0001f3a7 夜 e\u0301",
    "x" * 400,
    "\x00\x01\x1b[2J\x7f\x85\ufffe\uffff",
    "&#0;&#x1F600;%00%41",
    "/:a//b/:",
    "disco:t1",
    "A, B",
    "#EXTM3U",
]
# Each example writes and reads a whole file, so four in ten of the usual number are drawn.
few = settings(max_examples=min(40, settings.default.max_examples))
# What XML 1.0 cannot hold.
FORBIDDEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml(text: str | None) -> str | None:
    """What an XML file can hold of a text."""
    return None if text is None else FORBIDDEN.sub("\ufffd", text).strip() or None


words = (st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(HOSTILE)).map(str.strip)
optional_words = words.map(lambda text: text or None)
people = st.lists(words.filter(bool), min_size=1, max_size=3, unique=True) | st.none()
genres = st.lists(words.map(lambda t: re.sub("[,;]", "", t).strip()).filter(bool), min_size=1, max_size=3)
paths = st.none() | words.map(lambda text: without_detours(f"/music/{text.replace(chr(0), '').rstrip('/')}.mp3"))
# To the precision that rekordbox writes.
tempos = st.none() | st.integers(1000, 99_999).map(lambda n: n / 100)
keys = st.tuples(st.integers(0, 11), st.integers(0, 1)) | st.just((None, None))


@st.composite
def catalogues(draw: st.DrawFn) -> Catalogue:
    tracks = []
    for i in range(draw(st.integers(1, 4))):
        key, mode = draw(keys)
        path = draw(paths)
        tracks.append(
            {
                "track_id": f"{draw(words)}{i}",
                "title": draw(optional_words),
                "artists": draw(people),
                "album": draw(optional_words),
                "genres": draw(st.none() | genres),
                "duration_ms": draw(st.none() | st.integers(1, 10**7)),
                "isrc": draw(optional_words),
                "path": path and f"{path[:-4]}{i}.mp3",
                "tempo_bpm": draw(tempos),
                "key": key,
                "mode": mode,
            }
        )
    return catalogue_of(tracks)


def of(**track: Any) -> Catalogue:
    return catalogue_of([{"track_id": "t1", **track}])


# Title and album are longer than a text may be, and so are all names together.
LONG = of(
    title="a " * 5000,
    album="b" * 10_000,
    artists=["c " * 400 + str(i) for i in range(3)],
    genres=["d " * 499 + str(i) for i in range(3)],
)


def written(tracks: Catalogue, name: str, suffix: str, folder: Path) -> Path:
    where = folder / f"list{suffix}"
    export.save(playlist(tracks, name), where, force=True)
    return where


def joined(names: list[str] | None) -> str | None:
    return None if names is None else ", ".join(names)


def as_read(text: str | None) -> str | None:
    """A text as it is read, which is cut where it is longer than a text may be."""
    return None if text is None else clean_text(text).strip() or None


def parted(text: str | None) -> str | None:
    """Genres as they are read from the one text that a file has for them."""
    parts = [part.strip() for part in re.split("[,;]", as_read(text) or "")]
    return ", ".join(filter(None, parts)) or None


def dj(track: dict[str, Any], seconds: bool) -> dict[str, Any]:
    """What rekordbox and Traktor can hold of a track."""
    length = track["duration_ms"]
    if seconds and length is not None:
        length = round(length / 1000) * 1000 or None
    return {
        # The file is what they know a track by. `xml` of a path is that of its URL, which can hold anything.
        "track_id": track["path"] or xml(track["track_id"]),
        "path": track["path"],
        "title": as_read(xml(track["title"])),
        "artists": as_read(xml(joined(track["artists"]))),
        "album": as_read(xml(track["album"])),
        "genres": parted(xml(joined(track["genres"]))),
        "duration_ms": length,
        **{name: track[name] for name in ("tempo_bpm", "key", "mode")},
    }


def values(catalogue: Catalogue) -> list[dict[str, Any]]:
    rows = catalogue.table.to_pylist()
    return [{**row, "artists": joined(row["artists"]), "genres": joined(row["genres"])} for row in rows]


def same(read: Catalogue, expected: list[dict[str, Any]]) -> None:
    got = values(read)
    assert len(got) == len(expected)
    for one, other in zip(got, expected, strict=True):
        assert {name: one[name] for name in other} == other


@pytest.mark.slow
@few
@given(catalogues(), words)
@example(of(title="a", path="/music/\x01\ufffe.mp3"), "\ud800")
@example(LONG, "more letters than a text may have")
def test_rekordbox_keeps_everything_but_fractions_of_seconds(tmp_path_factory, tracks, name):
    where = written(tracks, name, ".xml", tmp_path_factory.getbasetemp())
    expected = [dj(track, seconds=True) for track in tracks.table.to_pylist()]
    same(rekordbox.read(where), expected)
    listed = playlist_files.read(where)
    assert listed.name == FORBIDDEN.sub("\ufffd", name)
    assert listed.ids == [track["track_id"] for track in expected]
    assert listed.unmatched == ()


@pytest.mark.slow
@few
@given(catalogues(), words)
@example(of(title="a", path="/music/a:/b.mp3", duration_ms=1), "\ud800")
@example(of(track_id="/:0"), "an id that looks like a place")
@example(of(title="a", path="/music/\x01.mp3"), "a path that XML cannot hold")
@example(LONG, "more letters than a text may have")
def test_traktor_keeps_everything(tmp_path_factory, tracks, name):
    where = written(tracks, name, ".nml", tmp_path_factory.getbasetemp())
    # A path is no URL there, so what XML cannot hold is no file to Traktor.
    clean = [
        {**t, "path": None if FORBIDDEN.search(t["path"] or "") else t["path"]} for t in tracks.table.to_pylist()
    ]
    expected = [dj(track, seconds=False) for track in clean]
    same(traktor.read(where), expected)
    listed = playlist_files.read(where)
    assert listed.name == FORBIDDEN.sub("\ufffd", name)
    assert listed.ids == [track["track_id"] for track in expected]
    assert listed.unmatched == ()


@pytest.mark.slow
@few
@given(catalogues(), words)
@example(of(title="a"), "\ud800")
@example(LONG, "more letters than a text may have")
def test_jspf_keeps_everything(tmp_path_factory, tracks, name):
    where = written(tracks, name, ".jspf", tmp_path_factory.getbasetemp())
    kept = ("track_id", "path", "title", "album", "duration_ms", "isrc", "tempo_bpm", "key", "mode")
    expected = [
        {
            **{column: track[column] for column in kept},
            **{column: as_read(track[column]) for column in ("title", "album")},
            "artists": as_read(joined(track["artists"])),
        }
        for track in tracks.table.to_pylist()
    ]
    same(jspf.read(where), expected)
    listed = playlist_files.read(where)
    assert listed.name == name.encode(errors="replace").decode().strip()
    assert listed.match(tracks).tolist() == list(range(len(tracks)))


@pytest.mark.slow
@few
@given(catalogues(), words)
@example(of(title="a"), "\ud800")
@example(LONG, "more letters than a text may have")
def test_xspf_keeps_everything_that_xml_can_hold(tmp_path_factory, tracks, name):
    where = written(tracks, name, ".xspf", tmp_path_factory.getbasetemp())
    listed = xspf.playlists(where)[0]
    assert listed.name == (xml(name) or "")
    for got, track in zip(listed.tracks.table.to_pylist(), tracks.table.to_pylist(), strict=True):
        assert got["track_id"] == (xml(track["track_id"]))
        assert (got["path"], got["duration_ms"]) == (track["path"], track["duration_ms"])
        texts = ("title", "album", "isrc")
        assert [got[c] for c in texts] == [as_read(xml(track[c])) for c in texts]
        assert joined(got["artists"]) == as_read(xml(joined(track["artists"])))
        assert [got[c] for c in ("tempo_bpm", "key", "mode")] == [track[c] for c in ("tempo_bpm", "key", "mode")]


@pytest.mark.slow
@few
@given(catalogues(), words, st.sampled_from([None, *export.PATHS]))
def test_every_track_of_a_pls_is_matched_again(tmp_path_factory, tracks, name, way):
    where = tmp_path_factory.getbasetemp() / "list.pls"
    export.save(playlist(tracks, name), where, force=True, paths=way)
    listed = playlist_files.read(where)
    files = [i for i, track in enumerate(tracks.table.to_pylist()) if track["path"]]
    assert len(listed) == len(tracks)
    assert [listed.match(tracks)[i] for i in files] == files


@pytest.mark.slow
@few
@given(catalogues(), words, st.sampled_from([None, *export.PATHS]))
def test_every_track_of_an_m3u8_is_matched_again(tmp_path_factory, tracks, name, way):
    folder = tmp_path_factory.getbasetemp()
    where = folder / "list.m3u8"
    # An id without a file can only be the line itself.
    ids = [f"t{i}" for i in range(len(tracks))]
    tracks = catalogue_of([{**track, "track_id": i} for i, track in zip(ids, tracks.table.to_pylist(), strict=True)])
    export.save(playlist(tracks, name), where, export.Style(paths=way), force=True)
    listed = playlist_files.read(where)
    bare = catalogue_of([{"track_id": t["track_id"], "path": t["path"]} for t in tracks.table.to_pylist()])
    assert listed.match(bare).tolist() == list(range(len(tracks)))
    assert where.read_bytes().decode("utf-8").isprintable() is False  # line breaks alone
    assert len(where.read_text(encoding="utf-8").splitlines()) == 2 + 2 * len(tracks)


@pytest.mark.slow
@few
@given(catalogues(), words)
def test_every_track_of_a_json_is_matched_again(tmp_path_factory, tracks, name):
    listed = playlist_files.read(written(tracks, name, ".json", tmp_path_factory.getbasetemp()))
    assert listed.name == name
    assert listed.ids == tracks.table["track_id"].to_pylist()


@pytest.mark.slow
@pytest.mark.parametrize("suffix", export.FORMATS)
@pytest.mark.parametrize("text", [*HOSTILE, "\ud800\udfff"])
def test_hostile_text_breaks_no_format(suffix, text, tmp_path):
    safe = text.encode(errors="replace").decode()
    tracks = of(
        track_id="t" + safe, title=safe, artists=[safe], album=safe, genres=[safe], path=f"/music/{safe}x.mp3"
    )
    where = written(tracks, text, suffix, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [where.name]
    listed = playlist_files.read(where)
    assert len(listed.ids) == 1
    if suffix != ".nml" or not FORBIDDEN.search(safe):  # Traktor has no form for such a path
        assert listed.match(tracks).tolist() == [0]


def test_rekordbox_has_tempos_to_a_hundredth(tmp_path):
    where = written(of(title="a", tempo_bpm=123.456), "x", ".xml", tmp_path)
    assert 'AverageBpm="123.46"' in where.read_text()
    assert rekordbox.read(where).tempos[0] == np.float32(123.46)


def test_a_playlist_is_always_written_the_same(tmp_path):
    for suffix in export.FORMATS:
        tracks = of(title="a", path="/music/a.mp3")
        first = written(tracks, "x", suffix, tmp_path).read_bytes()
        assert written(tracks, "x", suffix, tmp_path).read_bytes() == first
