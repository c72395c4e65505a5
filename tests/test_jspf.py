"""JSPF as ListenBrainz and others write it, with odd values and other JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from disco.errors import DataError, NotFoundError
from disco.sources import playlist_files
from disco.sources.files import jspf

MBID = "85701f84-c37f-4857-89d3-29625f02d943"
LISTENBRAINZ = {
    "playlist": {
        "annotation": "<p>weekly</p>",
        "creator": "listenbrainz",
        "identifier": "https://listenbrainz.org/playlist/862add71-2e87-44b7-abe1-a7f1a8658346",
        "title": "Weekly <Jams>",
        "extension": {"https://musicbrainz.org/doc/jspf#playlist": {"public": True}},
        "track": [
            {
                "identifier": [f"https://musicbrainz.org/recording/{MBID}"],
                "title": "Inner Storm",
                "creator": "Frozen, Starfall",
                "album": "Mirrored Worlds",
                "duration": 201_500,
                "extension": {jspf.TRACK: {"added_by": "troi-bot", "additional_metadata": {"caa_id": 3}}},
            },
            {
                "identifier": "https://open.spotify.com/track/4uLU6hMCjMI75M1A2tKUQC?si=1",
                "title": "Sun",
                "creator": "Solo",
                "extension": {jspf.TRACK: {"additional_metadata": {"tempo_bpm": 128.5, "key": 9, "mode": 0}}},
            },
            {"location": ["https://example.org/a.mp3", "file:///music/a%20b.mp3"], "title": "A"},
            {"identifier": "https://example.org/x", "title": "B"},
            {"title": "Only a name", "creator": "Solo"},
            {},
        ],
    }
}


def example(folder: Path) -> Path:
    """A playlist as ListenBrainz and others write it."""
    where = folder / "weekly.jspf"
    where.write_text(json.dumps(LISTENBRAINZ), encoding="utf-8")
    return where


def test_tracks_have_the_values_of_the_playlist(tmp_path):
    where = example(tmp_path)
    assert jspf.can_read(where)
    (listed,) = jspf.playlists(where)
    assert listed.name == "Weekly <Jams>"
    assert listed.ids[:4] == [MBID, "4uLU6hMCjMI75M1A2tKUQC", "/music/a b.mp3", "https://example.org/x"]
    assert listed.ids[4].startswith("n:")
    assert listed.ids[5] == "track 6"
    assert listed.names == ["Inner Storm Frozen, Starfall", "Sun Solo", "A", "B", "Only a name Solo", ""]
    storm, sun, a, *_ = listed.tracks.table.to_pylist()
    assert (storm["album"], storm["duration_ms"], storm["tempo_bpm"]) == ("Mirrored Worlds", 201_500, None)
    assert (sun["tempo_bpm"], sun["key"], sun["mode"]) == (128.5, 9, 0)
    assert a["path"] == "/music/a b.mp3"
    assert playlist_files.read(where).ids == listed.ids
    assert playlist_files.read(where, "weekly <jams>").ids == listed.ids
    assert len(jspf.read(where)) == 6


@pytest.mark.parametrize(
    "more",
    [None, [], {jspf.TRACK: None}, {jspf.TRACK: []}, {jspf.TRACK: {"additional_metadata": 3}}]
    + [
        {jspf.TRACK: {"additional_metadata": values}}
        for values in (
            {"key": True, "mode": 1},
            {"key": 12, "mode": 1},
            {"key": [1], "mode": {}},
            {"tempo_bpm": "fast"},
            {"tempo_bpm": 1e400},
            {"tempo_bpm": 10**400},
            {"tempo_bpm": -3},
            {"track_id": 5},
        )
    ],
)
def test_odd_values_are_unknown(tmp_path, more):
    track = {"title": "\ud800A", "creator": ["x"], "duration": "long", "location": [3, None], "extension": more}
    (tmp_path / "a.jspf").write_text(json.dumps({"playlist": {"title": 3, "track": [track]}}))
    read = jspf.read(tmp_path / "a.jspf").table.to_pylist()[0]
    assert (read["title"], read["artists"], read["path"]) == ("?A", None, None)
    assert [read[name] for name in ("duration_ms", "tempo_bpm", "key", "mode")] == [None] * 4
    assert jspf.playlists(tmp_path / "a.jspf")[0].name == ""


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"{", "is not readable JSON"),
        (b'{"playlist": ' * 100_000, "is not readable JSON"),
        (b'{"playlist": 3}', "is no JSPF"),
        (b'{"playlist": {"track": 3}}', "is no JSPF"),
        (b"[]", "is no JSPF"),
        (b'{"playlist": {"track": []}}', "holds no tracks"),
        (b'{"playlist": {"track": [3]}}', "track 1 is no JSON object"),
        (b'{"playlist": {"title": "caf\xe9"}}', "is not UTF-8"),
    ],
)
def test_an_unreadable_playlist_gives_one_sentence(content, sentence, tmp_path):
    where = tmp_path / "a.jspf"
    where.write_bytes(content)
    with pytest.raises(DataError, match=sentence) as error:
        jspf.read(where)
    assert str(error.value).startswith(str(where))


def test_other_json_is_not_recognised_as_jspf(tmp_path):
    for name, content in (
        ("a.json", '{"name": "x", "tracks": []}'),
        ("b.jspf", "a,b"),
        ("c.json", '{"playlists": []}'),
    ):
        (tmp_path / name).write_text(content)
        assert not jspf.can_read(tmp_path / name)
    (tmp_path / "d.json").write_text('\ufeff{"playlist" : {"track": []}}', encoding="utf-8")
    assert jspf.can_read(tmp_path / "d.json")
    assert not jspf.can_read(tmp_path / "absent.jspf")
    with pytest.raises(NotFoundError):
        jspf.read(tmp_path / "absent.jspf")
