"""Paths as URLs and as Traktor has them: known examples, and the way there and back."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from disco.sources.file_urls import (
    from_primary_key,
    from_traktor,
    from_url,
    is_absolute,
    is_file,
    streamed,
    to_traktor,
    to_url,
)

parts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=9)
# A first folder that looks like a drive, or like a service's URI, is taken for one.
posix = st.lists(parts, min_size=1, max_size=5).map(lambda names: "/" + "/".join(["music", *names]))
windows = st.lists(parts.map(lambda text: text.replace("\\", "_")), min_size=1, max_size=4).map(
    lambda names: "C:/" + "/".join(names)
)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file://localhost/Users/me/A%20%26%20B.mp3", "/Users/me/A & B.mp3"),
        ("file://localhost/C:/Music/%C3%A9t%C3%A9.mp3", "C:/Music/été.mp3"),
        ("file:///music/a.mp3", "/music/a.mp3"),
        ("file:/music/a.mp3", "/music/a.mp3"),
        ("FILE://LOCALHOST/music/50%.mp3", "/music/50%.mp3"),
        ("file://localhost//server/share/a.mp3", "//server/share/a.mp3"),
        ("file://localhost/music/../a.mp3", "/music/../a.mp3"),
        ("file://localhost/", "/"),
        ("file://localhostspotify:track:1", None),
        ("https://example.org/a.mp3", None),
        ("", None),
        ("/music/a.mp3", None),
    ],
)
def test_a_file_url_is_read_as_its_path(url, path):
    assert from_url(url) == path


def test_the_uri_of_a_streaming_service_is_not_a_file():
    assert streamed("file://localhostspotify:track:4uLU") == "spotify:track:4uLU"
    assert streamed("file://localhost/tidal:tracks:1") == "tidal:tracks:1"
    assert streamed("soundcloud:tracks:1") == "soundcloud:tracks:1"
    assert streamed("file://localhost/music/a.mp3") is None
    assert streamed("") is None


@pytest.mark.parametrize(
    ("volume", "folder", "name", "path"),
    [
        ("Macintosh HD", "/:Users/:me/:", "a.mp3", "/Users/me/a.mp3"),
        ("osx", "/:Library/:Factory Sounds/:", "a.mp3", "/Library/Factory Sounds/a.mp3"),
        ("SSD", "/:music/:", "a.mp3", "/Volumes/SSD/music/a.mp3"),
        ("SSD", "/:", "a.mp3", "/Volumes/SSD/a.mp3"),
        ("C:", "/:Users/:me/:", "a.mp3", "C:/Users/me/a.mp3"),
        ("", "/:music/:", "AC//DC.mp3", "/music/AC:DC.mp3"),
        ("", "/:", "", None),
    ],
)
def test_a_location_of_traktor_is_read_as_its_path(volume, folder, name, path):
    assert from_traktor(volume, folder, name) == path
    assert from_primary_key(volume + folder + name) == path


def test_a_primary_key_without_a_path_is_none():
    assert from_primary_key("disco:1") is None
    assert from_primary_key("") is None


def test_another_disk_of_a_mac_is_a_volume_of_traktor():
    assert to_traktor("/music/a.mp3") == ("Macintosh HD", "/:music/:", "a.mp3")
    assert to_traktor("/Volumes/SSD/music/a.mp3") == ("SSD", "/:music/:", "a.mp3")
    assert to_traktor("D:\\Music\\a.mp3") == ("D:", "/:Music/:", "a.mp3")


@given(posix | windows)
@example("/Volumes/SSD/Users/a.mp3")
@example("/Volumes/Macintosh HD/a.mp3")
@example("/Volumes/C:/x/a.mp3")
@example("/Volumes/a/b")
@example("/a/:/:b/c:/..:/d")
@example("/%41/%/a#?.mp3")
def test_every_path_survives_the_round_trip(path):
    assert is_absolute(path)
    for host in ("", "localhost"):
        url = to_url(path, host)
        assert url.isascii()
        assert url.startswith(f"file://{host}/")
        assert from_url(url) == path
    place = to_traktor(path)
    assert from_traktor(*place) == path
    assert from_primary_key("".join(place)) == path


@pytest.mark.parametrize("text", ["", " ", "https://a/b.mp3", "spotify:track:1", "/music/", None])
def test_urls_and_folders_are_not_files(text):
    assert not is_file(text)


@pytest.mark.parametrize("text", ["/a.mp3", "a.mp3", "C:/a.mp3", "C:\\a.mp3", "../a", "#1.mp3"])
def test_paths_are_files(text):
    assert is_file(text)
