"""The page of examples: what it shows is what was played, hostile names stay text, and the judgement is kept."""

from __future__ import annotations

import html
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from helpers.catalogues import SHARED, random_catalogue
from hypothesis import given
from hypothesis import strategies as st

import disco
from disco.sources.files import tables

ROOT = Path(__file__).parents[1]


def load_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("examples", ROOT / "benchmarks" / "examples.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


examples = load_script()


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A table of invented tracks, and triples of which it has two seeds, one by another artist, and none."""
    catalogue = random_catalogue(200, seed=6, artists=50)
    tracks = catalogue.tracks(np.arange(3))
    seeds = [examples.Seed(t["title"], t["title"], t["artists"][0]) for t in tracks]
    triples = {
        "Known": (*seeds[:2], examples.Seed("zzzyyyxxxwww qqqq", "Zzz", "Qqq")),
        "Others": (seeds[0], seeds[1]._replace(artist="Somebody Else"), seeds[2]),
        "Unknown": (examples.Seed("zzzyyyxxxwww qqqq", "Zzz", "Qqq"),),
    }
    monkeypatch.setattr(examples, "TRIPLES", triples)
    path = tmp_path / "library.parquet"
    tables.write(catalogue, path)
    return path, tracks


def rows_of(page: str, heading: str) -> list[list[str]]:
    """Cells of the list under a heading, without its head."""
    part = page.split(f"### {heading}\n")[1].split("\n#")[0]
    lines = [line for line in part.splitlines() if line.startswith("|")][2:]
    return [[html.unescape(cell.strip()) for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.slow
def test_a_list_is_what_the_library_plays(library, tmp_path):
    path, tracks = library
    output = tmp_path / "examples.md"
    assert examples.main([str(path), "--output", str(output)]) == 0
    page = output.read_text(encoding="utf-8")
    playlist = disco.make(disco.open(path), [track["track_id"] for track in tracks[:2]])
    shown = rows_of(page, "Known, library.parquet")
    assert [row[0] for row in shown] == ["seed", "seed", *map(str, range(1, 11))]
    assert [row[1] for row in shown] == playlist.tracks.table["title"].to_pylist()
    assert [row[2] for row in shown] == [", ".join(names) for names in playlist.tracks.table["artists"].to_pylist()]
    changes = [f"{change:+.1f} %" for change in playlist.terms["tempo_change"]]
    assert [row[5] for row in shown] == ["", *changes]


@pytest.mark.slow
def test_a_seed_that_is_not_there_or_by_another_artist_is_named_and_left_out(library, tmp_path):
    path, tracks = library
    output = tmp_path / "examples.md"
    examples.main([str(path), "--output", str(output)])
    page = output.read_text(encoding="utf-8")
    assert page.count("Not in this catalogue: Zzz by Qqq\n") == 2
    assert f"Not in this catalogue: {tracks[1]['title']} by Somebody Else\n" in page
    assert [row[1] for row in rows_of(page, "Others, library.parquet")][:2] == [
        tracks[0]["title"],
        tracks[2]["title"],
    ]
    assert rows_of(page, "Unknown, library.parquet") == []


@pytest.mark.slow
def test_what_a_reader_wrote_stays_and_is_called_old_where_the_lists_are_others(library, tmp_path, capsys):
    path, _ = library
    output = tmp_path / "examples.md"
    examples.main([str(path), "--output", str(output)])
    first = output.read_text(encoding="utf-8")
    number = re.search(r"Lists ([0-9a-f]{8})\.", first)[1]
    output.write_text(first.replace("none yet", number).replace("| Known |  |", "| Known | 3 |"), encoding="utf-8")
    judged = output.read_text(encoding="utf-8")
    capsys.readouterr()
    examples.main([str(path), "--output", str(output)])
    seconds = r"[\d.]+ \|$"
    again = output.read_text(encoding="utf-8")
    assert re.sub(seconds, "", again, flags=re.M) == re.sub(seconds, "", judged, flags=re.M)
    assert "| Known | 3 |" in again
    assert "read them again" not in capsys.readouterr().err
    output.write_text(again.replace(f"read: {number}", "read: 00000000"), encoding="utf-8")
    examples.main([str(path), "--output", str(output)])
    assert "the judgement is of other lists" in capsys.readouterr().err
    assert "| Known | 3 |" in output.read_text(encoding="utf-8")


@pytest.mark.slow
@given(st.text(max_size=80))
def test_a_name_is_one_cell_of_plain_text(text):
    escaped = examples.escape(text)
    assert not set(escaped) - {"&"} & examples.SPECIAL
    assert "\n" not in escaped
    shown = html.unescape(escaped)
    whole = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    assert shown == whole or (shown.endswith("…") and whole.startswith(shown[:-1].rstrip()))


def test_a_hostile_name_is_shown_as_it_is_written():
    markdown = pytest.importorskip("markdown")
    name = "<b>*a*</b> | [x](y) $1$ `c` {: .k} &amp; \\(z\\) _u_"
    shown = markdown.markdown(f"| a |\n|---|\n| {examples.escape(name)} |", extensions=["tables", "attr_list"])
    cell = re.search(r"<td>(.*)</td>", shown)[1]
    assert "<" not in cell
    assert html.unescape(cell) == name


def test_a_recording_is_known_by_how_title_and_artist_begin():
    seed = examples.Seed("gods plan drake", "God's Plan", "Drake")
    assert examples.is_meant(seed, "God’s Plan (feat. X)", ["A", "Drake"])
    assert not examples.is_meant(seed, "God's Plan", ["A"])
    assert not examples.is_meant(seed, "The Plan", ["Drake"])
    assert not examples.is_meant(seed, None, [])


def test_there_are_twenty_triples_of_three_seeds_by_three_artists():
    assert len(examples.TRIPLES) == 20
    for seeds in examples.TRIPLES.values():
        assert len({seed.artist for seed in seeds}) == 3


def test_the_page_begins_with_its_command_and_has_every_list():
    page = (ROOT / "docs" / "research" / "examples.md").read_text(encoding="utf-8")
    assert re.search(r"^Written by `python benchmarks/examples\.py [^`]+` on \d{4}-\d\d-\d\d\. Data: `", page, re.M)
    assert examples.kept_judgement(page)
    assert all(page.count(f"\n### {name}, ") == 2 for name in examples.TRIPLES)


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize(("name", "most_missing"), [("tracks.parquet", 0), ("kaggle_spotify_tracks_114k.parquet", 2)])
def test_the_seeds_are_in_the_real_catalogues(name, most_missing):
    path = SHARED / name
    if not path.is_file():
        pytest.skip(f"the real tracks are not in {SHARED}")
    catalogue = disco.open(path)
    unmatched = [seed for seeds in examples.TRIPLES.values() for seed in examples.find_seeds(catalogue, seeds)[1]]
    assert len(unmatched) <= most_missing, unmatched
