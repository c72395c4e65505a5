"""A few damaged files of every kind, as `benchmarks/mutations.py` makes ten thousand."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from disco.errors import DiscoError

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
from mutations import damaged
from whole_files import Files

KINDS = (
    *("json", "csv", "m3u8", "jspf", "xml", "nml", "pls", "xspf", "crate", "txt", "parquet", "gz", "mpd", "export"),
    *("export folder", "exportify zip", "playlist table", "wav", "rekordbox txt", "virtualdj", "itunes", "mixxx"),
    *("rekordbox db", "engine", "serato", "dj csv", "vdjfolder", "settings", "corrections", "plays", "cache"),
    *(f"history {name}" for name in ("nml", "txt", "session", "m3u", "tracklist", "mixxx", "engine")),
    *("sound cache", "answers", "spotify", "login", "calls", "library of spotify"),
)

OWN = ("DISCO_DATA", "DISCO_CONFIG", "DISCO_CACHE")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Whole files of every kind."""
    own = str(tmp_path_factory.mktemp("own"))
    with pytest.MonkeyPatch.context() as patch:
        for name in OWN:
            patch.setenv(name, own)
        return Files(tmp_path_factory.mktemp("whole"))


def test_every_kind_is_tried(files):
    assert sorted(files.cases) == sorted(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_is_read_or_refused_in_a_sentence(files, kind, monkeypatch):
    for name in OWN:
        monkeypatch.setenv(name, files.own)
    cases = files.cases[kind]
    for case in cases:
        case.read()
    for i in range(4):
        case = cases[i % len(cases)]
        for path, content in {**case.beside, case.file: damaged(case.whole, random.Random(f"{kind} {i}"))}.items():
            path.write_bytes(content)
        try:
            case.read()
        except DiscoError as error:
            assert str(error)  # noqa: PT017 - whether it is raised is chance
        case.file.write_bytes(case.whole)
